package advisory

import (
	"context"
	"net"
	"net/http"
	"time"
)

// defaultClient waits for a mirror to answer, but not for a whole archive.
func defaultClient() *http.Client {
	return &http.Client{Transport: &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 15 * time.Second}).DialContext,
		TLSHandshakeTimeout:   15 * time.Second,
		ResponseHeaderTimeout: 60 * time.Second,
		IdleConnTimeout:       90 * time.Second,
		ForceAttemptHTTP2:     true,
	}}
}

// Pull does what Import does, from a mirror of the public OSV export: the
// archives lie at MIRROR/ECOSYSTEM/all.zip and MIRROR/ecosystems.txt lists
// them. Without ecosystems it takes all of the list. An archive whose ETag has
// not changed since the last pull is not fetched again.
func Pull(ctx context.Context, dir, mirrorURL string, ecosystems []string, o Options) (Report, error) {
	o = o.withDefaults()
	m, err := newMirror(mirrorURL, o)
	if err != nil {
		return Report{}, err
	}
	s, err := begin(dir, o)
	if err != nil {
		return Report{}, err
	}
	defer s.abandon()
	if len(ecosystems) == 0 {
		if ecosystems, err = m.ecosystems(ctx); err != nil {
			return Report{}, err
		}
	}
	return s.pull(ctx, m, ecosystems)
}
