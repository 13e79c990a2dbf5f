package registry

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"
)

const (
	dialTimeout      = 15 * time.Second
	handshakeTimeout = 15 * time.Second
	// silence is how long a connection may bring nothing. Catalogues of
	// registries on object stores take a minute for each page.
	silence      = 3 * time.Minute
	maxRedirects = 5
)

// transport sends the requests of one client. There is no cookie jar: with a
// session cookie Harbor treats us as a browser.
type transport struct {
	registry *http.Client // the registry and what it redirects to
	strict   *http.Client // token services on other hosts: certificates always verified
	host     string
}

func newTransport(e Endpoint, t Target, o Options) *transport {
	strict := newRoundTripper(t, o, false)
	loose := strict
	if t.Insecure {
		loose = newRoundTripper(t, o, true)
	}
	return &transport{
		registry: &http.Client{Transport: loose, CheckRedirect: checkRedirect},
		strict:   &http.Client{Transport: strict, CheckRedirect: checkRedirect},
		host:     e.hostname(),
	}
}

// do sends req as it is. Requests with credentials for another host go by the
// strict way.
func (t *transport) do(req *http.Request) (*http.Response, error) {
	if hostnameOf(req.URL) != t.host {
		return t.strict.Do(req)
	}
	return t.registry.Do(req)
}

func newRoundTripper(t Target, o Options, insecure bool) http.RoundTripper {
	policy := addressPolicy{allowPrivate: o.AllowPrivate}
	dialer := &net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second, Control: policy.control}
	rt := &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &quietConn{Conn: conn}, nil
		},
		TLSClientConfig:        &tls.Config{RootCAs: t.RootCAs, InsecureSkipVerify: insecure, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    handshakeTimeout,
		ResponseHeaderTimeout:  silence,
		IdleConnTimeout:        time.Minute,
		MaxIdleConnsPerHost:    8,
		MaxResponseHeaderBytes: 256 << 10,
		DisableCompression:     true, // a layer must arrive as it is stored
		ForceAttemptHTTP2:      true,
	}
	if o.AllowPrivate {
		rt.Proxy = http.ProxyFromEnvironment
	}
	return &literalCheck{policy: policy, next: rt}
}

// literalCheck judges addresses written out in URLs, which a proxy would
// otherwise reach for us.
type literalCheck struct {
	policy addressPolicy
	next   http.RoundTripper
}

func (l *literalCheck) RoundTrip(req *http.Request) (*http.Response, error) {
	if addr, err := netip.ParseAddr(req.URL.Hostname()); err == nil {
		if err := l.policy.check(addr); err != nil {
			return nil, err
		}
	}
	return l.next.RoundTrip(req)
}

// CloseIdleConnections lets http.Client close what is idle.
func (l *literalCheck) CloseIdleConnections() {
	if c, ok := l.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// quietConn breaks a connection that has been silent for too long, so that a
// stalled body is resumed like a broken one.
type quietConn struct{ net.Conn }

func (c *quietConn) Read(p []byte) (int, error) {
	if err := c.Conn.SetReadDeadline(time.Now().Add(silence)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

var (
	errRedirects = errors.New("too many redirects")
	errDowngrade = errors.New("redirect from https to http refused")
)

// checkRedirect drops the credentials for good as soon as the way leads to
// another scheme, host or port.
func checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return errRedirects
	}
	last := via[len(via)-1].URL
	if last.Scheme == "https" && req.URL.Scheme != "https" {
		return fmt.Errorf("%w (%s)", errDowngrade, req.URL.Host)
	}
	req.Header.Del("Referer")
	for _, v := range via {
		if !sameOrigin(v.URL, req.URL) || !sameOrigin(v.URL, via[0].URL) {
			dropCredentials(req)
			break
		}
	}
	return nil
}

func dropCredentials(req *http.Request) {
	req.Header.Del("Authorization")
	req.Header.Del("Cookie")
}

// realmURL judges the address of a token service. It may be on another host,
// but credentials go there only over https; over http only if the registry
// itself is reached by http and the host is the same.
func realmURL(e Endpoint, realm string) (*url.URL, error) {
	u, err := url.Parse(realm)
	if err != nil || u.Host == "" || u.User != nil {
		return nil, errors.New("the token service's address (realm) is not a URL")
	}
	switch {
	case u.Scheme == "https":
	case u.Scheme == "http" && e.Scheme == "http" && hostnameOf(u) == e.hostname():
	default:
		return nil, fmt.Errorf("the token service %s://%s is not reached by https, and credentials are not sent in the clear", u.Scheme, u.Host)
	}
	u.Fragment = ""
	return u, nil
}
