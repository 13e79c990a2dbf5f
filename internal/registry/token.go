package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

const (
	tokenLife    = 60 * time.Second // when the answer does not say
	maxTokenBody = 1 << 20
	maxTokens    = 1000
)

// tokenSource gets tokens from token services and keeps them by realm, service
// and scope until shortly before they expire.
type tokenSource struct {
	endpoint Endpoint
	options  Options
	wire     *transport
	basic    string

	mu    sync.Mutex
	cache map[string]token
}

type token struct {
	value   string
	renewAt time.Time
}

func newTokenSource(e Endpoint, o Options, wire *transport, basic string) *tokenSource {
	return &tokenSource{endpoint: e, options: o, wire: wire, basic: basic, cache: map[string]token{}}
}

// token returns a token for the challenge and whether it came from the cache;
// with fresh it never does.
func (s *tokenSource) token(ctx context.Context, way challenge, fresh bool) (value string, cached bool, err error) {
	key := way.key()
	if t, ok := s.cached(key); ok && !fresh {
		return t, true, nil
	}
	t, err := s.fetch(ctx, way)
	if err != nil {
		return "", false, err
	}
	s.keep(key, t)
	return t.value, false, nil
}

func (s *tokenSource) cached(key string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.cache[key]
	return t.value, ok && s.options.Now().Before(t.renewAt)
}

func (s *tokenSource) keep(key string, t token) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.cache) >= maxTokens {
		clear(s.cache)
	}
	s.cache[key] = t
}

func (s *tokenSource) fetch(ctx context.Context, way challenge) (token, error) {
	const op = "get a token"
	realm, err := realmURL(s.endpoint, way.params["realm"])
	if err != nil {
		return token{}, &Failure{Kind: KindAuth, Op: op, Reason: err.Error(), Err: err,
			Solution: "correct the token service's address in the registry's settings"}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, withTokenQuery(realm, way), nil)
	if err != nil {
		return token{}, err
	}
	req.Header.Set("User-Agent", s.options.UserAgent)
	if s.basic != "" {
		req.Header.Set("Authorization", s.basic)
	}
	asked := s.options.Now()
	resp, err := s.wire.do(req)
	if err != nil {
		return token{}, err
	}
	defer discard(resp)
	if resp.StatusCode != http.StatusOK {
		return token{}, s.refused(op, realm, resp)
	}
	body, err := readLimited(resp.Body, maxTokenBody)
	if err != nil && !errors.Is(err, errTooLarge) {
		return token{}, err
	}
	return parseToken(body, asked) // what is too large was not read and holds no token
}

// withTokenQuery adds service and scopes to what the realm has already.
func withTokenQuery(realm *url.URL, way challenge) string {
	q := realm.Query()
	if service := way.params["service"]; service != "" {
		q.Set("service", service)
	}
	for scope := range strings.FieldsSeq(way.params["scope"]) {
		q.Add("scope", scope)
	}
	u := *realm
	u.RawQuery = q.Encode()
	return u.String()
}

// refused explains a token service's answer. Its 429 and 5xx are the registry's.
func (s *tokenSource) refused(op string, realm *url.URL, resp *http.Response) error {
	f := explainStatus(resp.StatusCode, answerError{})
	f.Op = op
	f.Err = &statusError{status: resp.StatusCode}
	switch f.Kind {
	case KindAuth, KindDenied:
		f.Kind, f.Reason, f.Solution = KindAuth, "the token service refuses the credentials", "check user and password"
		if s.basic == "" {
			f.Reason, f.Solution = "the token service gives nothing to anonymous users", "give user and password"
		}
	case KindRateLimited:
		f.RetryAfter, _ = retryAfter(resp.Header, s.options.Now())
	case KindNotFound, KindUnsupported:
		f.Kind = KindServer
		f.Reason = fmt.Sprintf("the token service at %s answers with status %d", realm.Host, resp.StatusCode)
	}
	return f
}

// parseToken reads a token service's answer. The token goes by two names, and
// lives for a minute if nothing else is said.
func parseToken(body []byte, asked time.Time) (token, error) {
	var answer struct {
		Token       string  `json:"token"`
		AccessToken string  `json:"access_token"`
		ExpiresIn   float64 `json:"expires_in"`
	}
	err := json.Unmarshal(body, &answer)
	value := answer.Token
	if value == "" {
		value = answer.AccessToken
	}
	if err != nil || value == "" || strings.ContainsFunc(value, isNoTokenRune) {
		return token{}, &Failure{Kind: KindNotRegistry, Op: "get a token", Reason: "the token service's answer holds no token",
			Solution: "check the URL of the registry and the address of its token service"}
	}
	life := tokenLife
	if answer.ExpiresIn > 0 {
		life = time.Duration(min(answer.ExpiresIn, 24*60*60) * float64(time.Second))
	}
	return token{value: value, renewAt: asked.Add(life - min(life/5, 10*time.Second))}, nil
}

// isNoTokenRune finds what would end a header.
func isNoTokenRune(r rune) bool { return r <= ' ' || r > '~' }
