package cloudapi

import (
	"crypto/tls"
	"log/slog"
	"sync"
	"time"
)

// CertKeeper serves the certificate of LoadOrMakeCert for as long as a process
// runs, renewing it when its end comes near.
type CertKeeper struct {
	dir    string
	hosts  []string
	now    func() time.Time
	logger *slog.Logger

	mu    sync.Mutex
	cert  *tls.Certificate
	retry time.Time // after a renewal that failed
}

// KeepCert loads or makes the certificate; caPath is as in LoadOrMakeCert.
func KeepCert(dir string, hosts []string, now func() time.Time, logger *slog.Logger) (keeper *CertKeeper, caPath string, err error) {
	cert, caPath, err := LoadOrMakeCert(dir, hosts, now())
	if err != nil {
		return nil, "", err
	}
	return &CertKeeper{dir: dir, hosts: hosts, now: now, logger: logger, cert: &cert}, caPath, nil
}

// GetCertificate is for tls.Config. A renewal that fails leaves the old
// certificate in use and is tried again after an hour.
func (k *CertKeeper) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	if now.Add(leafRenewal).Before(k.cert.Leaf.NotAfter) || now.Before(k.retry) {
		return k.cert, nil
	}
	cert, _, err := LoadOrMakeCert(k.dir, k.hosts, now)
	if err != nil {
		k.retry = now.Add(time.Hour)
		k.logger.Error("certificate not renewed", "error", err)
		return k.cert, nil
	}
	k.cert = &cert
	return k.cert, nil
}
