package cloudapi

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Lifetimes of what LoadOrMakeCert makes, and how long before its end a
// certificate is replaced. The authority keeps its key when it is renewed.
const (
	caLifetime   = 10 * 365 * 24 * time.Hour
	caRenewal    = 400 * 24 * time.Hour
	leafLifetime = 397 * 24 * time.Hour
	leafRenewal  = 30 * 24 * time.Hour
)

// certFiles are the files that hold a certificate and its key.
type certFiles struct{ cert, key string }

// LoadOrMakeCert is the server certificate that lies in dir, made and signed by
// an authority of the server's own, for the given hosts and this machine's own
// names. What is missing, ends soon or does not fit is made anew. Clients need
// to trust the file at caPath.
func LoadOrMakeCert(dir string, hosts []string, now time.Time) (cert tls.Certificate, caPath string, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return tls.Certificate{}, "", fmt.Errorf("cloudapi: directory for certificates: %w", err)
	}
	caFiles := certFiles{filepath.Join(dir, "ca.pem"), filepath.Join(dir, "ca-key.pem")}
	leafFiles := certFiles{filepath.Join(dir, "server.pem"), filepath.Join(dir, "server-key.pem")}
	ca, err := loadOrMakeCA(caFiles, now)
	if err != nil {
		return tls.Certificate{}, "", fmt.Errorf("cloudapi: certificate authority in %s: %w", dir, err)
	}
	hosts = certHosts(hosts)
	leaf, err := leafFiles.load()
	if err == nil && leafServes(leaf.Leaf, ca.Leaf, hosts, now) {
		return leaf, caFiles.cert, nil
	}
	if leaf, err = makeLeaf(leafFiles, ca, hosts, now); err != nil {
		return tls.Certificate{}, "", fmt.Errorf("cloudapi: server certificate in %s: %w", dir, err)
	}
	return leaf, caFiles.cert, nil
}

// certHosts are the names a certificate is for, each once.
func certHosts(hosts []string) []string {
	all := append([]string{"localhost", "127.0.0.1", "::1"}, hosts...)
	for i, h := range all {
		all[i] = strings.ToLower(strings.Trim(h, "[]"))
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(h string) bool { return h == "" })
}

// leafServes tells whether a certificate can go on serving the hosts.
func leafServes(leaf, ca *x509.Certificate, hosts []string, now time.Time) bool {
	if now.Before(leaf.NotBefore) || now.Add(leafRenewal).After(leaf.NotAfter) || leaf.CheckSignatureFrom(ca) != nil {
		return false
	}
	return !slices.ContainsFunc(hosts, func(h string) bool { return leaf.VerifyHostname(h) != nil })
}

func loadOrMakeCA(files certFiles, now time.Time) (tls.Certificate, error) {
	ca, err := files.load()
	if err == nil && ca.Leaf.IsCA && !now.Before(ca.Leaf.NotBefore) && now.Add(caRenewal).Before(ca.Leaf.NotAfter) {
		return ca, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		// Clients trust what lies here, so it is not replaced behind their backs.
		return tls.Certificate{}, fmt.Errorf("%w; restore %s and %s, or remove both to begin anew", err, files.cert, files.key)
	}
	key, isSigner := ca.PrivateKey.(crypto.Signer)
	if !isSigner {
		if key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			return tls.Certificate{}, err
		}
	}
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "Dogwatch CA", Organization: []string{"Dogwatch"}},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(caLifetime),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		IsCA:     true, BasicConstraintsValid: true, MaxPathLenZero: true,
	}
	return files.make(template, template, key, key)
}

func makeLeaf(files certFiles, ca tls.Certificate, hosts []string, now time.Time) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "Dogwatch server", Organization: []string{"Dogwatch"}},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(leafLifetime),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true,
	}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, h)
		}
	}
	return files.make(template, ca.Leaf, key, ca.PrivateKey.(crypto.Signer))
}

// load reads a certificate with its key, which no other user may read.
func (f certFiles) load() (tls.Certificate, error) {
	cert, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return cert, os.Chmod(f.key, 0o600)
}

// make signs a certificate and writes it, the key first: a crash in between
// leaves files that do not belong together, and those are made anew.
func (f certFiles) make(template, parent *x509.Certificate, key, signer crypto.Signer) (tls.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return tls.Certificate{}, err
	}
	template.SerialNumber = serial
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return tls.Certificate{}, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return tls.Certificate{}, err
	}
	if err := writePEM(f.key, "PRIVATE KEY", keyDER, 0o600); err != nil {
		return tls.Certificate{}, err
	}
	if err := writePEM(f.cert, "CERTIFICATE", der, 0o644); err != nil {
		return tls.Certificate{}, err
	}
	return f.load()
}

// writePEM replaces a file in one step.
func writePEM(path, kind string, der []byte, mode fs.FileMode) error {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // nothing is left of it after the rename
	err = errors.Join(file.Chmod(mode), pem.Encode(file, &pem.Block{Type: kind, Bytes: der}), file.Sync(), file.Close())
	if err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}
