package registry

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"
	"sync"
)

// authorizer knows how the registry wants to be logged in to. Ways can differ
// between /v2/, the catalogue and the pulls of one host, so it remembers them
// by scope; for a scope it has not met it guesses from the last one.
type authorizer struct {
	endpoint           Endpoint
	username, password string
	tokens             *tokenSource

	mu   sync.Mutex
	ways map[string]challenge // by kind of scope
}

func newAuthorizer(e Endpoint, t Target, o Options, wire *transport) *authorizer {
	a := &authorizer{endpoint: e, username: t.Username, password: t.Password, ways: map[string]challenge{}}
	a.tokens = newTokenSource(e, o, wire, a.basic())
	return a
}

// basic is the Authorization header of name and password, empty without them.
func (a *authorizer) basic() string {
	if a.username == "" && a.password == "" {
		return ""
	}
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(a.username+":"+a.password))
}

// login is one request's way through the challenges.
type login struct {
	auth    *authorizer
	request request
	way     challenge
	fresh   bool            // the next token must not come from the cache
	stale   bool            // the last token came from there
	tried   map[string]bool // ways the registry did not accept for this request
	used    string
}

// begin opens the login of one request.
func (a *authorizer) begin(r request) *login {
	l := &login{auth: a, request: r, tried: map[string]bool{}}
	if r.auth == authChallenge {
		l.way = a.known(r.scope)
	}
	return l
}

// scopeKind is what ways to log in are remembered by: "", "registry" or "repository".
func scopeKind(scope string) string {
	kind, _, _ := strings.Cut(scope, ":")
	return kind
}

// known is the way that worked for this kind of scope, with the scope put in.
func (a *authorizer) known(scope string) challenge {
	a.mu.Lock()
	defer a.mu.Unlock()
	way, ok := a.ways[scopeKind(scope)]
	if !ok || way.scheme != "bearer" {
		return way
	}
	return way.withScope(scope)
}

func (a *authorizer) remember(scope string, way challenge) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ways[scopeKind(scope)] = way
}

func (c challenge) withScope(scope string) challenge {
	params := map[string]string{"realm": c.params["realm"], "service": c.params["service"], "scope": scope}
	return challenge{scheme: c.scheme, params: params}
}

// key tells ways apart.
func (c challenge) key() string {
	if c.scheme == "basic" {
		return c.scheme
	}
	return strings.Join([]string{c.scheme, c.params["realm"], c.params["service"], c.params["scope"]}, "\x00")
}

// credentials is the Authorization header to send now, empty for none.
func (l *login) credentials(ctx context.Context) (string, error) {
	switch {
	case l.request.auth == authNone:
		return "", nil
	case l.request.auth == authBasic, l.way.scheme == "basic":
		l.used = l.auth.basic()
		return l.used, nil
	case l.way.scheme != "bearer":
		return "", nil
	}
	token, cached, err := l.auth.tokens.token(ctx, l.way, l.fresh)
	if err != nil {
		return "", err
	}
	l.stale = cached
	l.used = "Bearer " + token
	return l.used, nil
}

// challenged reads a 401 and tells whether there is another way to try. Only
// the registry itself can ask for credentials, not a host it redirects to.
func (l *login) challenged(resp *http.Response) bool {
	if l.request.auth != authChallenge || !sameOrigin(resp.Request.URL, l.request.url) {
		return false
	}
	if l.used != "" {
		l.failed()
	}
	for _, way := range l.offers(parseChallenges(resp.Header)) {
		if l.tried[way.key()] {
			continue
		}
		l.way = way
		l.auth.remember(l.request.scope, way)
		return true
	}
	return false
}

// failed notes that the way was refused. A token from the cache may just have
// been too old, so that way gets a second chance with a fresh one.
func (l *login) failed() {
	if l.way.scheme == "bearer" && l.stale {
		l.fresh = true
		return
	}
	l.tried[l.way.key()] = true
}

// offers puts what we can answer in order: tokens first, then the password.
func (l *login) offers(all []challenge) []challenge {
	var bearer, basic []challenge
	for _, c := range all {
		switch {
		case c.scheme == "bearer" && c.params["realm"] != "":
			if c.params["scope"] == "" {
				c = c.withScope(l.request.scope)
			}
			bearer = append(bearer, c)
		case c.scheme == "basic" && l.auth.basic() != "":
			basic = append(basic, challenge{scheme: "basic"})
		}
	}
	return append(bearer, basic...)
}
