// Package app puts Dogwatch together: it is the one place where the concrete
// types of the rooms meet.
//
// Words:
//
//   - data directory: everything an installation keeps: the database, the key
//     that encrypts credentials, the advisory snapshots, the certificate.
//   - installation: an open data directory, without servers (commands such as
//     "key create" work on it).
//   - app: an installation with its servers, scheduler and workers running.
package app

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"time"
)

// Config is what `dogwatch serve` can be told. Every field is a flag, an
// environment variable DOGWATCH_<FLAG>, and a key of the YAML file of --config.
type Config struct {
	Listen                 string  `help:"Address of the API over plain HTTP; empty turns it off." default:"127.0.0.1:8080" env:"DOGWATCH_LISTEN"`
	ListenTLS              string  `name:"listen-tls" help:"Address of the API over TLS. Without a certificate Dogwatch makes its own CA in the data directory." env:"DOGWATCH_LISTEN_TLS"`
	TLSCert                string  `name:"tls-cert" help:"Certificate chain (PEM) for --listen-tls." env:"DOGWATCH_TLS_CERT" type:"path"`
	TLSKey                 string  `name:"tls-key" help:"Private key (PEM) for --listen-tls." env:"DOGWATCH_TLS_KEY" type:"path"`
	TLSHosts               string  `name:"tls-hosts" help:"Names and addresses, separated by commas, that the self-made certificate is valid for, besides localhost." env:"DOGWATCH_TLS_HOSTS"`
	Data                   string  `help:"Data directory." default:"./dogwatch-data" env:"DOGWATCH_DATA" type:"path"`
	Database               string  `help:"Database URL; empty means SQLite in the data directory." env:"DOGWATCH_DATABASE"`
	Timezone               string  `help:"IANA zone in which times of day are read and zone-less times are written." default:"Asia/Shanghai" env:"DOGWATCH_TIMEZONE"`
	MetricsListen          string  `help:"Address of the metrics; empty turns them off." default:"127.0.0.1:9464" env:"DOGWATCH_METRICS_LISTEN"`
	Workers                int     `help:"Images worked on at once; 0 means four per core. Layers are inspected one per core, whatever this is." default:"0" env:"DOGWATCH_WORKERS"`
	RateLimit              float64 `help:"API requests a second per account and action." default:"20" env:"DOGWATCH_RATE_LIMIT"`
	AllowPrivateRegistries bool    `help:"Allow registries on loopback and private addresses." default:"true" negatable:"" env:"DOGWATCH_ALLOW_PRIVATE_REGISTRIES"`
	PublicURL              string  `name:"public-url" help:"Base URL by which registries reach this server, for webhook addresses; empty: made from the listen address." env:"DOGWATCH_PUBLIC_URL"`
	TrustForwardedHost     bool    `help:"Believe X-Forwarded-Host (only behind a proxy that sets it)." env:"DOGWATCH_TRUST_FORWARDED_HOST"`
	NightlySync            bool    `help:"Synchronise all registries every night." default:"true" negatable:"" env:"DOGWATCH_NIGHTLY_SYNC"`
	Hashes                 string  `help:"Malware hash lists (plain, .hdb, .hsb), separated by commas." env:"DOGWATCH_HASHES"`
	LogLevel               string  `help:"Least level of log lines: debug, info, warn or error." default:"info" enum:"debug,info,warn,error" env:"DOGWATCH_LOG_LEVEL"`
}

// Validate refuses what cannot work, with a sentence for each field.
func (c *Config) Validate() error {
	if c.Database != "" {
		return fmt.Errorf("database: %q cannot be used: this version keeps its state in SQLite in the data directory; leave --database empty", redactURL(c.Database))
	}
	if _, err := c.Location(); err != nil {
		return err
	}
	if c.Workers < 0 {
		return fmt.Errorf("workers: %d is negative; give how many images to scan at once, or 0 for four per core", c.Workers)
	}
	if c.RateLimit <= 0 {
		return fmt.Errorf("rate-limit: %v must be above 0", c.RateLimit)
	}
	if c.Listen == "" && c.ListenTLS == "" {
		return fmt.Errorf("listen: both --listen and --listen-tls are empty; give at least one address")
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return fmt.Errorf("tls-cert: a certificate needs both --tls-cert and --tls-key")
	}
	for flag, address := range map[string]string{"listen": c.Listen, "listen-tls": c.ListenTLS, "metrics-listen": c.MetricsListen} {
		if address == "" {
			continue
		}
		if _, _, err := net.SplitHostPort(address); err != nil {
			return fmt.Errorf("%s: %q is not an address of the form host:port: %w", flag, address, err)
		}
	}
	return nil
}

// Lint warns about what is legal but unwise; the warnings are logged at start.
func (c *Config) Lint() []string {
	var warnings []string
	if host, _, err := net.SplitHostPort(c.Listen); err == nil && !loopback(host) {
		warnings = append(warnings, fmt.Sprintf("the API listens in plain HTTP on %s: signatures protect requests, but answers can be read on the way; prefer --listen-tls", c.Listen))
	}
	if c.Workers > 32*runtime.NumCPU() {
		warnings = append(warnings, fmt.Sprintf("%d workers on %d cores: more workers only ask registries for more at once", c.Workers, runtime.NumCPU()))
	}
	return warnings
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// Location is the zone of --timezone.
func (c *Config) Location() (*time.Location, error) {
	loc, err := time.LoadLocation(c.Timezone)
	if err != nil || c.Timezone == "" {
		return nil, fmt.Errorf("timezone: %q is not an IANA zone name, such as Asia/Shanghai or Europe/Berlin", c.Timezone)
	}
	return loc, nil
}

func (c *Config) workers() int {
	if c.Workers > 0 {
		return c.Workers
	}
	return 4 * runtime.NumCPU() // most images bring no unknown layer and only wait for the registry
}

// publicURL is where registries find this server: as configured, else made of
// the address that it listens on.
func (c *Config) publicURL(scheme, listening string) string {
	if c.PublicURL != "" {
		return strings.TrimSuffix(c.PublicURL, "/")
	}
	host, port, err := net.SplitHostPort(listening)
	if ip := net.ParseIP(host); err != nil || ip != nil && !ip.IsUnspecified() {
		return scheme + "://" + listening
	}
	name, err := os.Hostname()
	if err != nil {
		name = "localhost"
	}
	return scheme + "://" + net.JoinHostPort(name, port)
}

func (c *Config) tlsHosts() []string {
	hosts := []string{"localhost", "127.0.0.1", "::1"}
	if host, _, err := net.SplitHostPort(c.ListenTLS); err == nil && host != "" && host != "0.0.0.0" && host != "::" {
		hosts = append(hosts, host)
	}
	for host := range strings.SplitSeq(c.TLSHosts, ",") {
		if host = strings.TrimSpace(host); host != "" {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// redactURL keeps the scheme of a database URL and nothing that may be secret.
func redactURL(s string) string {
	scheme, _, found := strings.Cut(s, "://")
	if !found {
		return "..."
	}
	return scheme + "://..."
}
