package registry_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"dogwatch/internal/registry"
	"dogwatch/internal/registry/registrytest"
)

// withBasic wraps h in a log-in.
func withBasic(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if name, password, _ := r.BasicAuth(); name != "user" || password != "secret" {
			basicOnly(w, r)
			return
		}
		h(w, r)
	}
}

func TestRedirectsDoNotCarryCredentials(t *testing.T) {
	blob := content(1000)
	var seen []string
	storage := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header.Get("Authorization")+r.Header.Get("Cookie")+r.Header.Get("Referer"))
		if r.URL.Path == "/first" {
			http.Redirect(w, r, "/second", http.StatusTemporaryRedirect)
			return
		}
		_, _ = w.Write(blob)
	}))
	defer storage.Close()
	target := serve(t, withBasic(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, storage.URL+"/first", http.StatusTemporaryRedirect) // same host, other port
	}))
	target.Username, target.Password = "user", "secret"
	got, err := readBlob(t.Context(), open(t, target, options(t)), "team/app", describe(blob))
	if err != nil || !bytes.Equal(got, blob) {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	if len(seen) != 2 || strings.Join(seen, "") != "" {
		t.Errorf("the storage was sent %q", seen)
	}
}

// A host the registry redirects to cannot ask for the password either.
func TestRedirectedHostMayNotChallenge(t *testing.T) {
	var seen []string
	thief := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header.Get("Authorization"))
		basicOnly(w, r)
	}))
	defer thief.Close()
	target := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, thief.URL+r.URL.Path, http.StatusTemporaryRedirect)
	})
	target.Username, target.Password = "user", "secret"
	if _, err := open(t, target, options(t)).Head(t.Context(), "team/app", "v1"); registry.KindOf(err) != registry.KindAuth {
		t.Errorf("head: %v, want KindAuth", err)
	}
	if len(seen) != 1 || seen[0] != "" {
		t.Errorf("the foreign host was sent %q", seen)
	}
}

func TestRedirectFromTLSToPlainIsRefused(t *testing.T) {
	asked := false
	plain := serve(t, func(http.ResponseWriter, *http.Request) { asked = true })
	ca := registrytest.NewCA(t)
	target := serveTLS(t, ca.Issue(t, "127.0.0.1", time.Now().AddDate(0, 1, 0)), func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, plain.URL, http.StatusTemporaryRedirect)
	})
	target.RootCAs = ca.Pool()
	if _, err := open(t, target, options(t)).Head(t.Context(), "team/app", "v1"); registry.KindOf(err) != registry.KindNetwork || asked {
		t.Errorf("head: %v, plain host asked: %v", err, asked)
	}
}

func TestAddressPolicyFollowsTheWay(t *testing.T) {
	metadata := "http://169.254.169.254/latest/meta-data"
	challenge := func(realm string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", fmt.Sprintf("Bearer realm=%q,service=\"s\"", realm))
			w.WriteHeader(http.StatusUnauthorized)
		}
	}
	redirect := func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, metadata, http.StatusFound) }
	public := options(t)
	public.AllowPrivate = false
	for name, c := range map[string]struct {
		target  registry.Target
		options registry.Options
		kind    registry.Kind
	}{
		"loopback":              {serve(t, works), public, registry.KindForbiddenAddress},
		"loopback by name":      {registry.Target{Type: "oci", URL: "http://localhost:1"}, public, registry.KindForbiddenAddress},
		"private":               {registry.Target{Type: "oci", URL: "http://10.0.0.1"}, public, registry.KindForbiddenAddress},
		"IPv4 in IPv6":          {registry.Target{Type: "oci", URL: "http://[::ffff:169.254.169.254]"}, options(t), registry.KindForbiddenAddress},
		"metadata":              {registry.Target{Type: "oci", URL: metadata}, options(t), registry.KindForbiddenAddress},
		"metadata by IPv6":      {registry.Target{Type: "oci", URL: "http://[fd00:ec2::254]"}, options(t), registry.KindForbiddenAddress},
		"redirect to metadata":  {serve(t, redirect), options(t), registry.KindForbiddenAddress},
		"realm at metadata":     {serve(t, challenge("https://169.254.169.254/token")), options(t), registry.KindForbiddenAddress},
		"realm in the clear":    {serve(t, challenge("http://tokens.example.org/token")), options(t), registry.KindAuth},
		"realm with a password": {serve(t, challenge("https://a:b@127.0.0.1/token")), options(t), registry.KindAuth},
		"realm of a file":       {serve(t, challenge("file:///etc/passwd")), options(t), registry.KindAuth},
	} {
		t.Run(name, func(t *testing.T) {
			c.target.Username, c.target.Password = "user", "secret"
			err := open(t, c.target, c.options).Check(t.Context())
			if registry.KindOf(err) != c.kind {
				t.Errorf("check: %v, want kind %d", err, c.kind)
			}
		})
	}
}

// With Insecure the token service of another host is verified all the same.
func TestForeignTokenServiceIsVerified(t *testing.T) {
	asked := false
	ca := registrytest.NewCA(t)
	valid := time.Now().AddDate(0, 1, 0)
	tokens := serveTLS(t, ca.Issue(t, "localhost", valid), func(http.ResponseWriter, *http.Request) { asked = true })
	realm := strings.Replace(tokens.URL, "127.0.0.1", "localhost", 1)
	target := serveTLS(t, ca.Issue(t, "127.0.0.1", valid), func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("WWW-Authenticate", fmt.Sprintf("Bearer realm=%q", realm))
		w.WriteHeader(http.StatusUnauthorized)
	})
	target.Insecure, target.Username, target.Password = true, "user", "secret"
	if err := open(t, target, options(t)).Check(t.Context()); registry.KindOf(err) != registry.KindCert || asked {
		t.Errorf("check: %v, token service asked: %v", err, asked)
	}
}
