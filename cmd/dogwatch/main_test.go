package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dogwatch/internal/sample/advisories"
)

// dogwatch runs a command as main would and returns exit code, standard output
// and standard error.
func dogwatch(t *testing.T, stdin string, args ...string) (int, string, string) {
	t.Helper()
	var out, err bytes.Buffer
	code := run(t.Context(), args, process{in: strings.NewReader(stdin), out: &out, err: &err})
	return code, out.String(), err.String()
}

func TestUsage(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		code int
		word string
	}{
		{"no command", nil, exitUsage, "expected one of"},
		{"unknown command", []string{"bark"}, exitUsage, "bark"},
		{"unknown flag", []string{"serve", "--speed"}, exitUsage, "--speed"},
		{"bad role", []string{"key", "create", "--role", "king"}, exitUsage, "king"},
		{"bad setting", []string{"serve", "--timezone", "Mars/Olympus"}, exitUsage, "Mars/Olympus"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, _, text := dogwatch(t, "", c.args...)
			if code != c.code || !strings.Contains(text, c.word) {
				t.Errorf("exit code %d with %q, want %d and the word %q", code, text, c.code, c.word)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	code, out, _ := dogwatch(t, "", "--help")
	if code != exitOK || !strings.Contains(out, "advisories") || !strings.Contains(out, "demo") {
		t.Errorf("exit code %d, help %q", code, out)
	}
}

func TestKeys(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	code, out, text := dogwatch(t, "", "key", "create", "--data", data, "--role", "read-only", "--note", "dashboards")
	if code != exitOK || !strings.Contains(out, "SecretId:  AKID") || !strings.Contains(out, "SecretKey: ") {
		t.Fatalf("key create: exit code %d, %q, %q", code, out, text)
	}
	id := strings.Fields(out)[1]
	secret := strings.Fields(out)[3]
	_, list, _ := dogwatch(t, "", "key", "list", "--data", data)
	if !strings.Contains(list, id) || !strings.Contains(list, "read-only") || !strings.Contains(list, "enabled") {
		t.Errorf("key list %q does not show the key", list)
	}
	if strings.Contains(list, secret) {
		t.Error("key list shows a secret key")
	}
	if code, _, text := dogwatch(t, "", "key", "disable", "--data", data, id); code != exitOK {
		t.Errorf("key disable: exit code %d, %q", code, text)
	}
	if _, list, _ = dogwatch(t, "", "key", "list", "--data", data); !strings.Contains(list, "disabled") {
		t.Errorf("key list %q does not show that the key is disabled", list)
	}
	if code, _, _ := dogwatch(t, "", "key", "disable", "--data", data, "AKIDnone"); code != exitFailed {
		t.Errorf("disabling an unknown key: exit code %d, want %d", code, exitFailed)
	}
}

func TestUsers(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	if code, _, text := dogwatch(t, "correct horse battery\n", "user", "create", "--data", data, "ann"); code != exitOK {
		t.Errorf("user create: exit code %d, %q", code, text)
	}
	if code, _, _ := dogwatch(t, "correct horse battery\n", "user", "create", "--data", data, "ann"); code != exitFailed {
		t.Errorf("the same user again: exit code %d, want %d", code, exitFailed)
	}
	if code, _, text := dogwatch(t, "another long password\n", "user", "passwd", "--data", data, "ann"); code != exitOK {
		t.Errorf("user passwd: exit code %d, %q", code, text)
	}
	if code, _, _ := dogwatch(t, "x\n", "user", "passwd", "--data", data, "ann"); code != exitFailed {
		t.Errorf("a password of one letter: exit code %d, want %d", code, exitFailed)
	}
}

func TestAdvisories(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	if _, out, _ := dogwatch(t, "", "advisories", "status", "--data", data); !strings.Contains(out, "no advisory data") {
		t.Errorf("status of an empty library: %q", out)
	}
	from := t.TempDir()
	if err := advisories.Write(from); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(from, "broken.json"), []byte(`{"id":`), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, text := dogwatch(t, "", "advisories", "import", "--data", data, from)
	if code != exitOK || !strings.Contains(out, "broken.json") || !strings.Contains(out, "1 broken") {
		t.Errorf("import: exit code %d, %q, %q; want the broken record named and counted", code, out, text)
	}
	if _, out, _ := dogwatch(t, "", "advisories", "status", "--data", data); !strings.Contains(out, "Debian") {
		t.Errorf("status %q names no ecosystem", out)
	}
	if code, _, _ := dogwatch(t, "", "advisories", "import", "--data", data, filepath.Join(from, "nowhere")); code != exitFailed {
		t.Errorf("importing a path that is not there: exit code %d, want %d", code, exitFailed)
	}
}

func TestConfigurationFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "dogwatch.yaml")
	if err := os.WriteFile(file, []byte("timezone: Mars/Olympus\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, text := dogwatch(t, "", "serve", "--config", file); code != exitUsage || !strings.Contains(text, "Mars/Olympus") {
		t.Errorf("a bad zone in the file: exit code %d, %q", code, text)
	}
	t.Run("the environment wins", func(t *testing.T) {
		t.Setenv("DOGWATCH_TIMEZONE", "Venus/Crater")
		if _, _, text := dogwatch(t, "", "serve", "--config", file); !strings.Contains(text, "Venus/Crater") {
			t.Errorf("the file won over the environment: %q", text)
		}
	})
	if err := os.WriteFile(file, []byte("timezoom: UTC\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, text := dogwatch(t, "", "serve", "--config", file); code != exitUsage || !strings.Contains(text, "timezoom") {
		t.Errorf("an unknown key in the file: exit code %d, %q", code, text)
	}
}

func TestServeStopsWhenTold(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	log, writer := io.Pipe()
	var out bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		code := run(ctx, []string{"serve", "--data", filepath.Join(t.TempDir(), "data"), "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"},
			process{in: strings.NewReader(""), out: &out, err: writer})
		writer.Close()
		ended <- code
	}()
	stopped := false
	for lines := bufio.NewScanner(log); lines.Scan(); {
		if strings.Contains(lines.Text(), `"dogwatch started"`) {
			cancel()
		}
		stopped = stopped || strings.Contains(lines.Text(), `"dogwatch stopped"`)
	}
	if code := <-ended; code != exitOK || !stopped {
		t.Errorf("exit code %d, said that it stopped: %v", code, stopped)
	}
	if !strings.Contains(out.String(), "SecretKey: ") {
		t.Errorf("the first start printed no key: %q", out.String())
	}
}

func TestDemoOnce(t *testing.T) {
	code, out, text := dogwatch(t, "", "demo", "--once", "--listen", "127.0.0.1:0", "--data", filepath.Join(t.TempDir(), "data"))
	if code != exitOK {
		t.Fatalf("demo --once: exit code %d, %q\n%s", code, text, out)
	}
	for _, want := range []string{"CVE-2021-44228", "Eicar-Test-Signature", "private key", "Every finding is the expected one."} {
		if !strings.Contains(out, want) {
			t.Errorf("the demo does not show %q", want)
		}
	}
}

func TestAccounts(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	if code, _, text := dogwatch(t, "", "key", "create", "--data", data, "--account", "shop"); code != exitOK {
		t.Fatalf("key create: exit code %d, %q", code, text)
	}
	code, out, text := dogwatch(t, "", "account", "set", "--data", data, "shop", "--monthly-scans", "300", "--licence-cap", "50", "--sync-minute=-1")
	if code != exitOK || !strings.Contains(out, "300") || !strings.Contains(out, "50") || !strings.Contains(out, "off") {
		t.Errorf("account set: exit code %d, %q, %q", code, out, text)
	}
	if _, list, _ := dogwatch(t, "", "account", "list", "--data", data); !strings.Contains(list, "shop") || !strings.Contains(list, "300") {
		t.Errorf("account list %q does not show the limits", list)
	}
	if code, _, _ := dogwatch(t, "", "account", "set", "--data", data, "nobody", "--licence-cap", "1"); code != exitFailed {
		t.Errorf("limits of an unknown account: exit code %d, want %d", code, exitFailed)
	}
}
