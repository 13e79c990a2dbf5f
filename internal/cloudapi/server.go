package cloudapi

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
	"time"
)

// answerWithin is how long an action may take: the SDKs hang up after 60 s.
const answerWithin = 55 * time.Second

// server answers the requests of one API.
type server struct {
	api     *API
	options Options
	logger  *slog.Logger
	limiter *limiter
	random  sync.Mutex // guards options.Random
	zippers sync.Pool
}

// NewServer serves the API over the whole protocol: every request form, both
// signatures, the envelope and its errors. The path is not looked at; it is for
// the mux in front to keep other things out.
func NewServer(api *API, o Options) http.Handler {
	if o.Keys == nil {
		panic("cloudapi: a server needs a key store")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.Observe == nil {
		o.Observe = func(string, string, time.Duration) {}
	}
	s := &server{api: api, options: o, logger: o.Logger, limiter: newLimiter(o.RateLimit, o.Burst)}
	if s.logger == nil {
		s.logger = slog.New(slog.DiscardHandler)
	}
	return s
}

// ServeHTTP answers one request.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := newExchange(r, s.newRequestID(), s.options.Now())
	body, fault := s.answer(r.Context(), x)
	if fault == nil && len(body) > maxResponse {
		fault = NewError(codeResponseSize,
			"The answer is larger than %d bytes. Ask for less at once.", "响应大小超过%d字节，请减少单次请求的数据量。", maxResponse)
	}
	if fault != nil {
		body = appendFault(nil, fault, x)
	}
	s.send(w, x, body)
	s.report(r.Context(), x, fault)
}

// answer takes a request through the gateway to its action.
func (s *server) answer(ctx context.Context, x *exchange) ([]byte, *Error) {
	if fault := x.receive(); fault != nil {
		return nil, fault
	}
	if fault := x.identify(); fault != nil {
		return nil, fault
	}
	if fault := s.authenticate(ctx, x); fault != nil {
		return nil, fault
	}
	var fault *Error
	if x.route, fault = s.api.find(x.common.version, x.common.action); fault != nil {
		return nil, fault
	}
	if fault := s.limiter.allow(x.caller.AccountID, x.common.action, x.start); fault != nil {
		return nil, fault
	}
	if need := x.route.action.Role; x.caller.Role < need {
		return nil, NewError(codeUnauthorized,
			"The access key may not call `%s`: it takes the role %s.", "该密钥无权调用`%s`，需要%s角色。", x.common.action, need)
	}
	params, fault := x.parameters()
	if fault != nil {
		return nil, fault
	}
	return s.call(ctx, x, params)
}

// call runs the action and writes its response down. A panic is a bug of the
// action and stays within the request.
func (s *server) call(ctx context.Context, x *exchange, params node) (body []byte, fault *Error) {
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, callerKey{}, x.caller), answerWithin)
	defer cancel()
	defer func() {
		p := recover()
		if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
			panic(p)
		}
		if p != nil {
			s.logger.ErrorContext(ctx, "action panicked", "request_id", x.requestID, "action", x.common.action,
				"panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			body, fault = nil, errInternal()
		}
	}()
	response, err := x.route.call(ctx, x.caller, params)
	if err != nil {
		return nil, s.judge(ctx, x, err)
	}
	body = append(make([]byte, 0, 512), `{"Response":`...)
	body, err = appendObject(body, x.route.out, response, x.requestID)
	if err != nil {
		return nil, s.judge(ctx, x, err)
	}
	return append(body, '}'), nil
}

// judge turns an action's error into what the caller is told.
func (s *server) judge(ctx context.Context, x *exchange, err error) *Error {
	var told *Error
	if errors.As(err, &told) && told != nil {
		return told
	}
	if ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		s.logger.WarnContext(ctx, "action cut short", "request_id", x.requestID, "action", x.common.action, "error", err)
		return errUnavailable()
	}
	s.logger.ErrorContext(ctx, "action failed", "request_id", x.requestID, "action", x.common.action, "error", err)
	return errInternal()
}

// report tells the log and the observer of an answer.
func (s *server) report(ctx context.Context, x *exchange, fault *Error) {
	took := s.options.Now().Sub(x.start)
	action, code := "unknown", ""
	if x.route != nil {
		action = x.route.action.Name
	}
	if fault != nil {
		code = fault.Code
	}
	s.options.Observe(action, code, took)
	s.logger.LogAttrs(ctx, slog.LevelInfo, "api call done",
		slog.String("request_id", x.requestID), slog.String("action", Shorten(x.common.action)), slog.String("code", code),
		slog.Int64("account", x.caller.AccountID), slog.String("client", Shorten(x.common.requestClient)),
		slog.String("region", Shorten(x.common.region)), slog.Duration("took", took))
}

// newRequestID is a random UUID.
func (s *server) newRequestID() string {
	var b [16]byte
	s.random.Lock()
	_, err := io.ReadFull(s.options.Random, b[:])
	s.random.Unlock()
	if err != nil {
		s.logger.Error("request id not random", "error", err)
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	text := make([]byte, 0, 36)
	for i, part := range [][]byte{b[:4], b[4:6], b[6:8], b[8:10], b[10:]} {
		if i > 0 {
			text = append(text, '-')
		}
		text = hex.AppendEncode(text, part)
	}
	return string(text)
}
