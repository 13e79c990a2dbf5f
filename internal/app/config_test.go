package app

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func valid() Config {
	return Config{Listen: "127.0.0.1:0", Timezone: "Asia/Shanghai", RateLimit: 20}
}

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Config)
		word   string // in the error; "" valid
	}{
		{"the default", func(*Config) {}, ""},
		{"a database", func(c *Config) { c.Database = "postgres://user:hunter2@host/db" }, "SQLite"},
		{"no such zone", func(c *Config) { c.Timezone = "Mars/Olympus" }, "timezone"},
		{"no zone", func(c *Config) { c.Timezone = "" }, "timezone"},
		{"negative workers", func(c *Config) { c.Workers = -1 }, "workers"},
		{"no rate", func(c *Config) { c.RateLimit = 0 }, "rate-limit"},
		{"no listener", func(c *Config) { c.Listen = "" }, "listen"},
		{"a port alone", func(c *Config) { c.Listen = "8080" }, "listen"},
		{"half a certificate", func(c *Config) { c.TLSCert = "a.pem" }, "tls-key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := valid()
			c.change(&config)
			err := config.Validate()
			switch {
			case c.word == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.word != "" && (err == nil || !strings.Contains(err.Error(), c.word)):
				t.Errorf("error %v, want one with the word %q", err, c.word)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error shows a password: %v", err)
			}
		})
	}
}

func TestLintWarnsOfPlainHTTPBeyondLoopback(t *testing.T) {
	config := valid()
	if got := config.Lint(); len(got) != 0 {
		t.Errorf("loopback is warned of: %q", got)
	}
	config.Listen = "0.0.0.0:8080"
	if got := config.Lint(); len(got) != 1 || !strings.Contains(got[0], "--listen-tls") {
		t.Errorf("warnings %q, want one that names --listen-tls", got)
	}
}

// TestTheManualListsEveryFlag: docs/operate.md and the configuration agree.
func TestTheManualListsEveryFlag(t *testing.T) {
	manual, err := os.ReadFile(filepath.Join("..", "..", "docs", "operate.md"))
	if err != nil {
		t.Fatal(err)
	}
	for field := range reflect.TypeFor[Config]().Fields() {
		flag := "--" + flagName(field)
		if !strings.Contains(string(manual), "`"+flag+"`") {
			t.Errorf("docs/operate.md does not list `%s`", flag)
		}
		want := "DOGWATCH_" + strings.ToUpper(strings.ReplaceAll(strings.TrimPrefix(flag, "--"), "-", "_"))
		if got := field.Tag.Get("env"); got != want {
			t.Errorf("%s has the environment variable %q, want %s", flag, got, want)
		}
	}
}

// flagName is the name kong derives: the tag, or the words of the field.
func flagName(field reflect.StructField) string {
	if name := field.Tag.Get("name"); name != "" {
		return name
	}
	var b strings.Builder
	for i, r := range field.Name {
		if i > 0 && r >= 'A' && r <= 'Z' {
			b.WriteByte('-')
		}
		b.WriteRune(r)
	}
	return strings.ToLower(b.String())
}

func TestThePublicURLIsMadeOfTheListenAddress(t *testing.T) {
	config := valid()
	if got := config.publicURL("http", "127.0.0.1:40123"); got != "http://127.0.0.1:40123" {
		t.Errorf("public URL %q of a loopback address", got)
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := config.publicURL("https", "[::]:8443"), "https://"+host+":8443"; got != want {
		t.Errorf("public URL %q of every address, want %q", got, want)
	}
	config.PublicURL = "https://dogwatch.example.org/"
	if got := config.publicURL("http", "127.0.0.1:1"); got != "https://dogwatch.example.org" {
		t.Errorf("public URL %q, want the configured one", got)
	}
}
