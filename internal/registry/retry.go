package registry

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// calm remembers until when a registry wants to be left alone.
type calm struct {
	mu sync.Mutex
	at time.Time
}

func (c *calm) until(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.After(c.at) {
		c.at = t
	}
}

func (c *calm) remaining(now time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at.Sub(now)
}

// retryAfter reads Retry-After in both its forms: seconds, or an HTTP date.
func retryAfter(h http.Header, now time.Time) (time.Duration, bool) {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second, true
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0, false
	}
	return max(at.Sub(now), 0), true
}

// isTransient tells whether a request that got no answer may get one the next
// time: broken connections and timeouts, but not what is refused for a reason.
func isTransient(err error) bool {
	var failure *Failure
	if errors.As(err, &failure) {
		return failure.Kind == KindServer || failure.Kind == KindRateLimited
	}
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, errAddress), errors.Is(err, errRedirects), errors.Is(err, errDowngrade):
		return false
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return true
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return !isDial(err)
	}
	return strings.Contains(err.Error(), "http2: ") // stream resets have no exported type
}

// isDial tells whether the connection was never made.
func isDial(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}
