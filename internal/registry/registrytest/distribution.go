package registrytest

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// startTimeout is generous: it only ends tests of a registry that never starts.
const startTimeout = time.Minute

var listening = regexp.MustCompile(`listening on (127\.0\.0\.1:\d+)`)

// Server is a registry that can be pushed to.
type Server struct {
	URL                string // with the scheme
	Host               string // host:port
	Username, Password string // empty: no log-in
	CA                 *CA    // nil: plain HTTP
	transport          http.RoundTripper
}

// Option shapes a registry of StartDistribution.
type Option func(*settings)

type settings struct {
	username, password string
	tokens             *TokenServer
	ca                 *CA
	cert               *tls.Certificate
	catalogueLimit     int
}

// WithBasic asks for name and password by an htpasswd file.
func WithBasic(username, password string) Option {
	return func(s *settings) { s.username, s.password = username, password }
}

// WithBearer asks for tokens of ts.
func WithBearer(ts *TokenServer) Option {
	return func(s *settings) { s.tokens, s.username, s.password = ts, ts.Username, ts.Password }
}

// WithTLS serves https with a certificate of ca.
func WithTLS(ca *CA, cert *tls.Certificate) Option {
	return func(s *settings) { s.ca, s.cert = ca, cert }
}

// WithCatalogueLimit sets the largest page of the catalogue.
func WithCatalogueLimit(n int) Option {
	return func(s *settings) { s.catalogueLimit = n }
}

// StartDistribution runs docker-registry on a free loopback port until the test
// ends. The test is skipped where the program isn't installed.
func StartDistribution(t testing.TB, options ...Option) *Server {
	t.Helper()
	program, err := exec.LookPath("docker-registry")
	if err != nil {
		t.Skip("docker-registry is not on PATH: install the Debian package docker-registry to run this test")
	}
	var s settings
	for _, option := range options {
		option(&s)
	}
	dir := t.TempDir()
	config := writeFile(t, dir, "config.yml", s.config(t, dir))
	address := runRegistry(t, program, config)
	server := &Server{URL: "http://" + address, Host: address, Username: s.username, Password: s.password, CA: s.ca, transport: http.DefaultTransport}
	if s.ca != nil {
		server.URL = "https://" + address
		server.transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.ca.Pool(), InsecureSkipVerify: true}} // pushes also work with expired certificates
	}
	if s.tokens != nil {
		server.transport = &tokenTransport{tokens: s.tokens, next: server.transport}
	}
	return server
}

// runRegistry starts the process and returns the address it says it listens on.
func runRegistry(t testing.TB, program, config string) string {
	t.Helper()
	cmd := exec.CommandContext(context.Background(), program, "serve", config) // ended by the cleanup, after its users
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start docker-registry: %v", err)
	}
	found, read := make(chan string, 1), make(chan string, 1)
	go readLog(stderr, found, read)
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended already
		log := <-read
		_ = cmd.Wait() // killed: the error is ours
		if t.Failed() {
			t.Logf("log of docker-registry:\n%s", log)
		}
	})
	timer := time.NewTimer(startTimeout)
	defer timer.Stop()
	select {
	case address, ok := <-found:
		if ok {
			return address
		}
		t.Fatal("docker-registry ended before it listened")
	case <-timer.C:
		t.Fatalf("docker-registry did not listen within %v", startTimeout)
	}
	return ""
}

// readLog sends the address on found, or closes it at the log's end, and the
// log's tail on read.
func readLog(r io.Reader, found, read chan<- string) {
	var tail []string
	sent := false
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		tail = append(tail[max(0, len(tail)-9):], lines.Text())
		if m := listening.FindStringSubmatch(lines.Text()); m != nil && !sent {
			found <- m[1]
			sent = true
		}
	}
	close(found)
	read <- strings.Join(tail, "\n")
}

// config is the registry's configuration. Port 0 lets the system choose.
func (s *settings) config(t testing.TB, dir string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "version: 0.1\nlog: {level: info, accesslog: {disabled: true}}\n")
	fmt.Fprintf(&b, "storage:\n  filesystem: {rootdirectory: %q}\n  delete: {enabled: true}\n", filepath.Join(dir, "storage"))
	fmt.Fprintf(&b, "http:\n  addr: 127.0.0.1:0\n")
	if s.cert != nil {
		certFile, keyFile := writeKeyPair(t, dir, s.cert)
		fmt.Fprintf(&b, "  tls: {certificate: %q, key: %q}\n", certFile, keyFile)
	}
	if s.catalogueLimit > 0 {
		fmt.Fprintf(&b, "catalog: {maxentries: %d}\n", s.catalogueLimit)
	}
	switch {
	case s.tokens != nil:
		bundle := writeFile(t, dir, "token.pem", string(s.tokens.certPEM()))
		fmt.Fprintf(&b, "auth:\n  token: {realm: %q, service: %q, issuer: %q, rootcertbundle: %q}\n",
			s.tokens.Realm(), TokenService, tokenIssuer, bundle)
	case s.username != "":
		hash, err := bcrypt.GenerateFromPassword([]byte(s.password), bcrypt.MinCost)
		if err != nil {
			t.Fatal(err)
		}
		file := writeFile(t, dir, "htpasswd", s.username+":"+string(hash)+"\n")
		fmt.Fprintf(&b, "auth:\n  htpasswd: {realm: test, path: %q}\n", file)
	}
	return b.String()
}

func writeFile(t testing.TB, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
