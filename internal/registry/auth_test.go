package registry_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"dogwatch/internal/registry"
	"dogwatch/internal/registry/registrytest"
)

// gate is a registry that wants tokens, and its token service.
type gate struct {
	url     string
	life    int               // expires_in; 0: not said
	answer  string            // field of the token; empty: token
	rights  map[string]string // token → scope it is good for
	asked   []url.Values
	headers func(scope string) []string // WWW-Authenticate, nil: one Bearer
}

func (g *gate) start(t *testing.T) registry.Target {
	g.rights = map[string]string{}
	target := serve(t, g.ServeHTTP)
	g.url = target.URL
	target.Username, target.Password = "user", "secret"
	return target
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/token" {
		g.serveToken(w, r)
		return
	}
	scope := "repository:team/app:pull"
	if r.URL.Path == "/v2/_catalog" {
		scope = "registry:catalog:*"
	}
	name, password, _ := r.BasicAuth()
	token, ok := g.rights[r.Header.Get("Authorization")]
	if !(ok && (token == scope || r.URL.Path == "/v2/")) && !(g.headers != nil && name == "user" && password == "secret") {
		lines := []string{fmt.Sprintf(`bearer Realm="%s/token?tenant=1",service="reg",scope=%q`, g.url, scope)}
		if g.headers != nil {
			lines = g.headers(scope)
		}
		for _, line := range lines {
			w.Header().Add("WWW-Authenticate", line)
		}
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	w.Header().Set("Docker-Content-Digest", describe(nil).Digest)
	works(w, r)
}

func (g *gate) serveToken(w http.ResponseWriter, r *http.Request) {
	if name, password, _ := r.BasicAuth(); name != "user" || password != "secret" {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	g.asked = append(g.asked, r.URL.Query())
	value := fmt.Sprintf("t%d", len(g.asked))
	g.rights["Bearer "+value] = r.URL.Query().Get("scope")
	field := g.answer
	if field == "" {
		field = "token"
	}
	if g.life > 0 {
		fmt.Fprintf(w, `{%q:%q,"expires_in":%d}`, field, value, g.life)
		return
	}
	fmt.Fprintf(w, `{%q:%q}`, field, value)
}

func TestTokensAreKeptAndRenewed(t *testing.T) {
	for name, c := range map[string]struct {
		life   int
		answer string
		pause  time.Duration
		tokens int
	}{
		"kept":               {300, "", 200 * time.Second, 1},
		"renewed in time":    {300, "", 295 * time.Second, 2},
		"a minute if unsaid": {0, "access_token", 55 * time.Second, 2},
		"within that minute": {0, "access_token", 40 * time.Second, 1},
	} {
		t.Run(name, func(t *testing.T) {
			g := &gate{life: c.life, answer: c.answer}
			o, _ := clocked(t)
			client := open(t, g.start(t), o)
			for range 2 {
				for range 3 {
					if _, err := client.Head(t.Context(), "team/app", "v1"); err != nil {
						t.Fatal(err)
					}
				}
				if err := o.Sleep(t.Context(), c.pause); err != nil {
					t.Fatal(err)
				}
			}
			if len(g.asked) != c.tokens {
				t.Errorf("%d tokens, want %d", len(g.asked), c.tokens)
			}
			if q := g.asked[0]; q.Get("tenant") != "1" || q.Get("service") != "reg" || q.Get("scope") != "repository:team/app:pull" {
				t.Errorf("token asked with %v", q)
			}
		})
	}
}

func TestWithdrawnTokenIsRenewedOnce(t *testing.T) {
	g := &gate{life: 3600}
	client := open(t, g.start(t), options(t))
	if _, err := client.Head(t.Context(), "team/app", "v1"); err != nil {
		t.Fatal(err)
	}
	clear(g.rights)
	if _, err := client.Head(t.Context(), "team/app", "v1"); err != nil {
		t.Error(err)
	}
	if len(g.asked) != 2 {
		t.Errorf("%d tokens, want 2", len(g.asked))
	}
}

func TestScopesDiffer(t *testing.T) {
	g := &gate{life: 3600}
	client := open(t, g.start(t), options(t))
	if err := client.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Head(t.Context(), "team/app", "v1"); err != nil {
		t.Fatal(err)
	}
	var scopes []string
	for _, q := range g.asked {
		scopes = append(scopes, q.Get("scope"))
	}
	if want := "repository:team/app:pull"; !slices.Contains(scopes, want) || !slices.Contains(scopes, "registry:catalog:*") {
		t.Errorf("scopes asked for: %v", scopes)
	}
}

// All headers and all challenges in them are read.
func TestChoiceOfChallenge(t *testing.T) {
	for name, headers := range map[string]func(scope string) []string{
		"basic only":           func(string) []string { return []string{`BASIC realm="x"`} },
		"after unknown ones":   func(string) []string { return []string{`Negotiate`, `NTLM abc==, Basic realm="a, b=\"c\""`} },
		"basic without realm":  func(string) []string { return []string{`Basic`} },
		"bearer without realm": func(string) []string { return []string{`Bearer service="x", Basic realm="x"`} },
	} {
		t.Run(name, func(t *testing.T) {
			g := &gate{headers: headers}
			if err := open(t, g.start(t), options(t)).Check(t.Context()); err != nil {
				t.Errorf("check: %v", err)
			}
		})
	}
}

// A token service that gives fewer rights than asked for is found out, and is
// not asked again and again.
func TestTokenWithoutRights(t *testing.T) {
	g := &gate{life: 3600}
	target := g.start(t)
	g.headers = nil
	client := open(t, target, options(t))
	if _, err := client.Head(t.Context(), "team/other", "v1"); err != nil {
		t.Fatal(err) // the challenge names team/app: the scope of the 401 counts
	}
	h := registrytest.FakeHarbor(t)
	h.AddProject("team", false)
	registrytest.PushImage(t, h.Server, "team/app:v1", registrytest.Image(t))
	wrong := targetOf(registry.TypeHarbor, h.Server)
	wrong.Password = "wrong"
	if _, err := open(t, wrong, options(t)).Head(t.Context(), "team/app", "v1"); registry.KindOf(err) != registry.KindAuth {
		t.Errorf("head: %v, want KindAuth", err)
	}
}

func TestTokenServiceThatFails(t *testing.T) {
	for name, c := range map[string]struct {
		token http.HandlerFunc
		kind  registry.Kind
	}{
		"refuses":       {answer(401, "text/plain", ""), registry.KindAuth},
		"forbids":       {answer(403, "text/html", "<p>"), registry.KindAuth},
		"fails":         {answer(502, "text/plain", ""), registry.KindServer},
		"limits":        {answer(429, "text/plain", ""), registry.KindRateLimited},
		"is not there":  {http.NotFound, registry.KindServer},
		"says nothing":  {answer(200, "application/json", `{}`), registry.KindNotRegistry},
		"no JSON":       {answer(200, "text/html", `<html>`), registry.KindNotRegistry},
		"breaks header": {answer(200, "application/json", `{"token":"a\r\nX: y"}`), registry.KindNotRegistry},
		"too large":     {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 2<<20)) }, registry.KindNotRegistry},
	} {
		t.Run(name, func(t *testing.T) {
			var target registry.Target
			target = serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/token" {
					c.token(w, r)
					return
				}
				w.Header().Set("WWW-Authenticate", fmt.Sprintf("Bearer realm=%q", target.URL+"/token"))
				w.WriteHeader(http.StatusUnauthorized)
			})
			target.Username, target.Password = "user", "secret"
			if err := open(t, target, options(t)).Check(t.Context()); registry.KindOf(err) != c.kind {
				t.Errorf("check: %v, want kind %d", err, c.kind)
			}
		})
	}
}
