package cloudapi

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// certDir makes a certificate and returns what lies in the directory.
func certDir(t *testing.T, dir string, hosts []string, now time.Time) (cert tls.Certificate, ca []byte) {
	t.Helper()
	cert, path, err := LoadOrMakeCert(dir, hosts, now)
	if err != nil {
		t.Fatal(err)
	}
	ca, err = os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return cert, ca
}

// trusted checks that a client that knows only the authority accepts a host.
func trusted(t *testing.T, cert tls.Certificate, ca []byte, host string, now time.Time) error {
	t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca) {
		t.Fatal("no certificate in the CA file")
	}
	_, err := cert.Leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: pool, CurrentTime: now})
	return err
}

func TestCertificateIsMadeAndKept(t *testing.T) {
	dir, now := filepath.Join(t.TempDir(), "tls"), time.Unix(testUnix, 0)
	hosts := []string{"tcss.example.org", "10.0.0.7", "[fd00::1]"}
	cert, ca := certDir(t, dir, hosts, now)
	for _, host := range append(hosts, "localhost", "127.0.0.1", "[::1]") {
		if err := trusted(t, cert, ca, host, now); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	if trusted(t, cert, ca, "elsewhere.org", now) == nil {
		t.Error("good for a host it is not for")
	}
	for _, name := range []string{"ca-key.pem", "server-key.pem"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	again, caAgain := certDir(t, dir, hosts[:1], now.Add(300*24*time.Hour))
	if !bytes.Equal(again.Certificate[0], cert.Certificate[0]) || !bytes.Equal(ca, caAgain) {
		t.Error("the certificate was not kept")
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(left) != 4 {
		t.Errorf("files %v, %v", left, err)
	}
}

func TestCertificateIsRenewed(t *testing.T) {
	dir, now := t.TempDir(), time.Unix(testUnix, 0)
	first, ca := certDir(t, dir, nil, now)

	wider, caWider := certDir(t, dir, []string{"new.example.org"}, now)
	if err := trusted(t, wider, ca, "new.example.org", now); err != nil || !bytes.Equal(ca, caWider) {
		t.Errorf("for another host: %v", err)
	}
	later := now.Add(leafLifetime - leafRenewal + time.Hour)
	renewed, caLater := certDir(t, dir, nil, later)
	if bytes.Equal(renewed.Certificate[0], first.Certificate[0]) || !bytes.Equal(ca, caLater) {
		t.Error("not renewed before its end, or with another authority")
	}
	muchLater := now.Add(caLifetime - caRenewal + time.Hour)
	last, caLast := certDir(t, dir, nil, muchLater)
	if bytes.Equal(ca, caLast) {
		t.Error("the authority was not renewed before its end")
	}
	// The authority kept its key, so clients that trust the old file go on.
	for name, file := range map[string][]byte{"old": ca, "new": caLast} {
		if err := trusted(t, last, file, "localhost", muchLater); err != nil {
			t.Errorf("%s authority: %v", name, err)
		}
	}
}

func TestCertificateFilesAreRepaired(t *testing.T) {
	dir, now := t.TempDir(), time.Unix(testUnix, 0)
	_, ca := certDir(t, dir, nil, now)
	key := filepath.Join(dir, "server-key.pem")
	for name, breakIt := range map[string]func() error{
		"missing":   func() error { return os.Remove(key) },
		"cut off":   func() error { return os.WriteFile(key, []byte("-----BEGIN"), 0o600) },
		"exchanged": func() error { return copyFile(filepath.Join(dir, "ca-key.pem"), key) },
		"readable":  func() error { return os.Chmod(key, 0o644) },
	} {
		if err := breakIt(); err != nil {
			t.Fatal(err)
		}
		cert, caAgain := certDir(t, dir, nil, now)
		if err := trusted(t, cert, ca, "localhost", now); err != nil || !bytes.Equal(ca, caAgain) {
			t.Errorf("%s: %v", name, err)
		}
		if info, err := os.Stat(key); err != nil || info.Mode() != fs.FileMode(0o600) {
			t.Errorf("%s: mode %v, %v", name, info.Mode(), err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "ca-key.pem"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := LoadOrMakeCert(dir, nil, now); err == nil || !strings.Contains(err.Error(), "remove both") {
		t.Errorf("a broken authority: %v", err)
	}
}

func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o600)
}

// Strict verifiers ask for these extensions.
func TestAuthorityExtensions(t *testing.T) {
	cert, ca := certDir(t, t.TempDir(), nil, time.Unix(testUnix, 0))
	block, _ := pem.Decode(ca)
	authority, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if !authority.IsCA || authority.KeyUsage&x509.KeyUsageCertSign == 0 || len(authority.SubjectKeyId) == 0 ||
		!bytes.Equal(cert.Leaf.AuthorityKeyId, authority.SubjectKeyId) || cert.Leaf.IsCA ||
		!slices.Contains(cert.Leaf.ExtKeyUsage, x509.ExtKeyUsageServerAuth) {
		t.Errorf("authority %+v", authority)
	}
}

func TestCertKeeperRenews(t *testing.T) {
	dir, now := t.TempDir(), time.Unix(testUnix, 0)
	var log bytes.Buffer
	keeper, _, err := KeepCert(dir, nil, func() time.Time { return now }, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	serial := func() string {
		cert, err := keeper.GetCertificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		return cert.Leaf.SerialNumber.String()
	}
	first := serial()
	if serial() != first {
		t.Error("renewed without need")
	}
	now = now.Add(leafLifetime - leafRenewal + time.Hour)
	if err := os.WriteFile(filepath.Join(dir, "ca.pem"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if serial() != first || !strings.Contains(log.String(), "certificate not renewed") {
		t.Errorf("with a broken authority: log %s", log.String())
	}
	log.Reset()
	if serial() != first || log.Len() > 0 {
		t.Errorf("tried again at once: log %s", log.String())
	}
	for _, name := range []string{"ca.pem", "ca-key.pem"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	now = now.Add(2 * time.Hour)
	if serial() == first {
		t.Error("not renewed")
	}
}
