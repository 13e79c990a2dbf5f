package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// request is one read from the registry.
type request struct {
	op     string // for failures: what is tried, on which value
	method string // empty: GET
	url    *url.URL
	header http.Header
	scope  string // what a token has to be good for
	auth   authMode
}

// authMode says how a request proves who we are.
type authMode int

const (
	authChallenge authMode = iota // as the registry's 401 asks
	authBasic                     // name and password at once
	authNone                      // not at all
)

const (
	maxAttempts = 4
	// maxSends bounds how often one attempt answers challenges.
	maxSends   = 4
	firstPause = 500 * time.Millisecond
	longPause  = 20 * time.Second
	// longestWait is the longest Retry-After that is waited for; for longer ones
	// the work is better given back.
	longestWait = 2 * time.Minute
)

// session is the connection of one client to its registry: it sends requests,
// logs in, waits where it is asked to, and tries again what may be tried again.
type session struct {
	endpoint Endpoint
	options  Options
	wire     *transport
	auth     *authorizer
	calm     *calm
}

func newSession(e Endpoint, t Target, o Options) *session {
	wire := newTransport(e, t, o)
	return &session{
		endpoint: e,
		options:  o,
		wire:     wire,
		auth:     newAuthorizer(e, t, o, wire),
		calm:     &calm{},
	}
}

// do sends r until it gets an answer that is final: any but 429 and 5xx. The
// answer's body is the caller's to close.
func (s *session) do(ctx context.Context, r request) (*http.Response, error) {
	for attempt := 1; ; attempt++ {
		resp, err := s.attempt(ctx, r)
		pause, again := s.again(resp, err, attempt)
		if !again {
			return s.final(ctx, r, resp, err)
		}
		if resp != nil {
			discard(resp)
		}
		s.options.Logger.DebugContext(ctx, "registry request is repeated", "op", r.op, "attempt", attempt, "pause", pause)
		if err := s.options.Sleep(ctx, pause); err != nil {
			return nil, s.ended(r.op, err)
		}
	}
}

// attempt sends r once, answering challenges on the way.
func (s *session) attempt(ctx context.Context, r request) (*http.Response, error) {
	if err := s.leave(ctx); err != nil {
		return nil, err
	}
	login := s.auth.begin(r)
	for send := 1; ; send++ {
		credentials, err := login.credentials(ctx)
		if err != nil {
			return nil, err
		}
		resp, err := s.send(ctx, r, credentials)
		if err != nil {
			return nil, err
		}
		if resp.StatusCode != http.StatusUnauthorized || send == maxSends || !login.challenged(resp) {
			return resp, nil
		}
		discard(resp)
	}
}

// leave waits until the registry wants to be asked again and the governor
// gives leave.
func (s *session) leave(ctx context.Context) error {
	if wait := s.calm.remaining(s.options.Now()); wait > 0 {
		if err := s.options.Sleep(ctx, wait); err != nil {
			return err
		}
	}
	if s.options.Limiter == nil {
		return nil
	}
	return s.options.Limiter.Acquire(ctx, 0)
}

func (s *session) send(ctx context.Context, r request, credentials string) (*http.Response, error) {
	method := r.method
	if method == "" {
		method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(ctx, method, r.url.String(), nil)
	if err != nil {
		return nil, err
	}
	for key, values := range r.header {
		req.Header[key] = values
	}
	req.Header.Set("User-Agent", s.options.UserAgent)
	if credentials != "" {
		req.Header.Set("Authorization", credentials)
	}
	return s.wire.do(req)
}

// again decides whether to repeat, and after which pause.
func (s *session) again(resp *http.Response, err error, attempt int) (time.Duration, bool) {
	var failure *Failure
	if errors.As(err, &failure) && failure.RetryAfter > 0 {
		return s.asked(failure.RetryAfter, attempt)
	}
	if err != nil {
		return s.backoff(attempt), attempt < maxAttempts && isTransient(err)
	}
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		if pause, told := retryAfter(resp.Header, s.options.Now()); told {
			return s.asked(pause, attempt)
		}
		return s.backoff(attempt), attempt < maxAttempts
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusGatewayTimeout:
		return s.backoff(attempt), attempt < maxAttempts
	}
	return 0, false
}

// asked obeys a Retry-After as far as it is reasonable.
func (s *session) asked(pause time.Duration, attempt int) (time.Duration, bool) {
	s.quiet(pause)
	return pause, attempt < maxAttempts && pause <= longestWait
}

// quiet keeps the whole client silent: the limit is the account's, not the
// request's.
func (s *session) quiet(pause time.Duration) {
	until := s.options.Now().Add(pause)
	s.calm.until(s.options.Now().Add(min(pause, longestWait)))
	if s.options.OnThrottle != nil {
		s.options.OnThrottle(until)
	}
}

// backoff doubles with each attempt; the jitter keeps clients from returning together.
func (s *session) backoff(attempt int) time.Duration {
	pause := min(firstPause<<(attempt-1), longPause)
	return pause/2 + time.Duration(s.options.Random()*float64(pause/2))
}

// final turns what is no answer into a Failure.
func (s *session) final(ctx context.Context, r request, resp *http.Response, err error) (*http.Response, error) {
	if err != nil {
		if ctx.Err() != nil {
			return nil, s.ended(r.op, ctx.Err())
		}
		return nil, transportFailure(r.op, err)
	}
	if resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500 {
		defer discard(resp)
		return nil, s.statusFailure(r.op, resp)
	}
	return resp, nil
}

// ended reports a context's end, which is nobody's failure.
func (s *session) ended(op string, err error) error {
	return fmt.Errorf("registry: %s: %w", op, err)
}

// fetch sends r and reads the body of a 200 up to limit. Other answers are Failures.
func (s *session) fetch(ctx context.Context, r request, limit int64) ([]byte, *http.Response, error) {
	for attempt := 1; ; attempt++ {
		resp, err := s.do(ctx, r)
		if err != nil {
			return nil, nil, err
		}
		if resp.StatusCode != http.StatusOK {
			defer discard(resp)
			return nil, resp, s.statusFailure(r.op, resp)
		}
		body, err := readLimited(resp.Body, limit)
		resp.Body.Close()
		switch {
		case err == nil:
			return body, resp, nil
		case errors.Is(err, errTooLarge):
			return nil, resp, &Failure{Kind: KindUnsupported, Op: r.op, Err: err,
				Reason:   fmt.Sprintf("the answer is larger than %d bytes", limit),
				Solution: "check the registry's address; content of this size is not read here"}
		case ctx.Err() != nil:
			return nil, resp, s.ended(r.op, ctx.Err())
		case attempt == maxAttempts:
			return nil, resp, transportFailure(r.op, err)
		}
	}
}

var errTooLarge = errors.New("body too large")

func readLimited(r io.Reader, limit int64) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(body)) > limit {
		return nil, errTooLarge
	}
	return body, nil
}

// discard empties a small body, so that the connection can be used again.
func discard(resp *http.Response) {
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10) // what fails here is closed next
	resp.Body.Close()
}
