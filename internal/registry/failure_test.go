package registry_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"dogwatch/internal/registry"
	"dogwatch/internal/registry/registrytest"
)

// serve starts a registry made of one handler.
func serve(t *testing.T, h http.HandlerFunc) registry.Target {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return registry.Target{Type: registry.TypeOCI, URL: s.URL}
}

// serveTLS starts one with the given certificate.
func serveTLS(t *testing.T, cert *tls.Certificate, h http.HandlerFunc) registry.Target {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{*cert}}
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // refused handshakes are the point
	s.StartTLS()
	t.Cleanup(s.Close)
	return registry.Target{Type: registry.TypeOCI, URL: s.URL}
}

// works is a registry without log-in and without repositories.
func works(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if r.URL.Path == "/v2/_catalog" {
		fmt.Fprint(w, `{"repositories":[]}`)
		return
	}
	fmt.Fprint(w, `{}`)
}

// answer is a handler that says the same to everything.
func answer(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

// unreachable is an address nobody listens on.
func unreachable(t *testing.T) registry.Target {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return registry.Target{Type: registry.TypeOCI, URL: "http://" + l.Addr().String()}
}

func TestCheckTellsCausesApart(t *testing.T) {
	ca, other := registrytest.NewCA(t), registrytest.NewCA(t)
	valid := time.Now().AddDate(0, 1, 0)
	trusted := func(target registry.Target) registry.Target {
		target.RootCAs = ca.Pool()
		return target
	}
	plain := serve(t, works)
	encrypted := trusted(serveTLS(t, ca.Issue(t, "127.0.0.1", valid), works))
	insecure := serveTLS(t, other.Issue(t, "example.org", time.Now().AddDate(-1, 0, 0)), works)
	insecure.Insecure = true
	html := answer(http.StatusOK, "text/html", "<h1>It works</h1>")

	for name, c := range map[string]struct {
		target registry.Target
		kind   registry.Kind
		status string
		reason string
	}{
		"works":              {target: plain, status: registry.StatusConnected},
		"works with TLS":     {target: encrypted, status: registry.StatusConnected},
		"insecure":           {target: insecure, status: registry.StatusConnected},
		"unreachable":        {unreachable(t), registry.KindNetwork, registry.StatusNetworkFailed, "refused"},
		"expired":            {trusted(serveTLS(t, ca.Issue(t, "127.0.0.1", time.Now().AddDate(0, 0, -1)), works)), registry.KindCert, registry.StatusCertFailed, "expired"},
		"unknown CA":         {trusted(serveTLS(t, other.Issue(t, "127.0.0.1", valid), works)), registry.KindCert, registry.StatusCertFailed, "unknown authority"},
		"wrong host":         {trusted(serveTLS(t, ca.Issue(t, "example.org", valid), works)), registry.KindCert, registry.StatusCertFailed, "another host"},
		"no TLS":             {registry.Target{Type: "oci", URL: strings.Replace(plain.URL, "http:", "https:", 1)}, registry.KindCert, registry.StatusCertFailed, "does not speak TLS"},
		"only TLS":           {registry.Target{Type: "oci", URL: strings.Replace(encrypted.URL, "https:", "http:", 1)}, registry.KindNotRegistry, registry.StatusUnknown, "https"},
		"web page":           {serve(t, html), registry.KindNotRegistry, registry.StatusUnknown, "not a container registry"},
		"nothing there":      {serve(t, http.NotFound), registry.KindNotRegistry, registry.StatusUnknown, "status 404"},
		"JSON of others":     {serve(t, answer(http.StatusOK, "application/json", `[1]`)), registry.KindNotRegistry, registry.StatusUnknown, "not a list"},
		"needs log-in":       {serve(t, basicOnly), registry.KindAuth, registry.StatusAuthFailed, "wants a log-in"},
		"catalogue refused":  {serve(t, catalogueRefused), registry.KindCatalogue, registry.StatusUnknown, "refuses to list"},
		"failing":            {serve(t, answer(http.StatusBadGateway, "text/html", "bad")), registry.KindServer, registry.StatusUnknown, "status 502"},
		"closes connections": {serve(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), registry.KindNetwork, registry.StatusNetworkFailed, "broke"},
		"redirects for ever": {serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path+"x", 307) }), registry.KindNetwork, registry.StatusNetworkFailed, "circle"},
		"not a harbor":       {harborType(plain), registry.KindNotRegistry, registry.StatusUnknown, "not a Harbor"},
	} {
		t.Run(name, func(t *testing.T) {
			err := open(t, c.target, options(t)).Check(t.Context())
			if got := registry.KindOf(err); got != c.kind {
				t.Fatalf("kind %d, want %d: %v", got, c.kind, err)
			}
			if got := registry.ConnStatus(err); got != c.status {
				t.Errorf("status %q, want %q", got, c.status)
			}
			var f *registry.Failure
			if errors.As(err, &f) && (!strings.Contains(f.Reason, c.reason) || f.Solution == "") {
				t.Errorf("reason %q, want %q in it; solution %q", f.Reason, c.reason, f.Solution)
			}
		})
	}
}

func harborType(target registry.Target) registry.Target {
	target.Type = registry.TypeHarbor
	return target
}

func basicOnly(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
	w.WriteHeader(http.StatusUnauthorized)
}

func catalogueRefused(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/v2/_catalog" {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	works(w, r)
}

func TestErrorsHoldNoSecrets(t *testing.T) {
	target := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/signed") {
			panic(http.ErrAbortHandler)
		}
		http.Redirect(w, r, "/signed?signature=topsecret", http.StatusTemporaryRedirect)
	})
	target.Username, target.Password = "user", "hunter2"
	_, err := open(t, target, options(t)).Head(t.Context(), "team/app", "v1")
	if err == nil {
		t.Fatal("no error")
	}
	for _, secret := range []string{"topsecret", "hunter2"} {
		for e := err; e != nil; e = errors.Unwrap(e) {
			if strings.Contains(e.Error(), secret) {
				t.Errorf("%q is in %q", secret, e)
			}
		}
	}
}

func TestRefusedCredentialsAreNotRepeated(t *testing.T) {
	requests := 0
	target := serve(t, func(w http.ResponseWriter, r *http.Request) {
		requests++
		basicOnly(w, r)
	})
	target.Username, target.Password = "user", "wrong"
	if err := open(t, target, options(t)).Check(t.Context()); registry.KindOf(err) != registry.KindAuth {
		t.Errorf("check: %v, want KindAuth", err)
	}
	if requests != 2 { // without and with the password
		t.Errorf("%d requests, want 2: accounts are locked for less", requests)
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, target := range []registry.Target{
		{Type: "ftp", URL: "registry.example.org"},
		{Type: "oci", URL: ""},
		{Type: "oci", URL: "registry.example.org", SpeedLimit: -1},
	} {
		if _, err := registry.Open(target, registry.Options{}); err == nil {
			t.Errorf("open %+v: no error", target)
		}
	}
	for _, name := range registry.Types() {
		if _, err := registry.Open(registry.Target{Type: name, URL: "registry.example.org"}, registry.Options{}); err != nil {
			t.Errorf("open %s: %v", name, err)
		}
	}
}
