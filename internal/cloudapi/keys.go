package cloudapi

import (
	"context"
	"io"
	"log/slog"
	"time"
)

// Key is an access key.
type Key struct {
	SecretID  string
	SecretKey string
	AccountID int64
	Role      Role
	Disabled  bool
}

// KeyStore finds access keys. It returns ErrNoKey for an unknown SecretId; any
// other error is answered as a service that is unavailable.
type KeyStore interface {
	Key(ctx context.Context, secretID string) (Key, error)
}

// Options are what a server needs from outside.
type Options struct {
	Keys   KeyStore
	Now    func() time.Time // nil: the machine's clock
	Random io.Reader        // nil: crypto/rand
	// RateLimit is the number of requests a second per account and action;
	// 0 means 20, less than 0 none.
	RateLimit float64
	// Burst is how many requests may come at once; 0 means a quarter more than a
	// second's.
	Burst  int
	Logger *slog.Logger // nil: silence
	// TrustForwardedHost also tries X-Forwarded-Host when looking for the host
	// that was signed. Only for a server that is reached through a proxy alone.
	TrustForwardedHost bool
	// Observe is told of every answer: the action ("unknown" unless it is
	// registered), the error code (empty on success) and the time it took.
	Observe func(action, code string, took time.Duration)
}
