package registry

import (
	"context"

	"golang.org/x/time/rate"
)

const (
	// pieceSize is the most a blob reader takes at once, so that limits are kept
	// smoothly.
	pieceSize = 128 << 10
	megabyte  = 1_000_000
)

// speed holds the bytes of all blobs of a client to the target's limit, and
// asks the governor for each piece.
type speed struct {
	limit   *rate.Limiter
	options Options
}

func newSpeed(t Target, o Options) *speed {
	s := &speed{options: o}
	if t.SpeedLimit > 0 {
		s.limit = rate.NewLimiter(rate.Limit(t.SpeedLimit)*megabyte, pieceSize)
	}
	return s
}

// acquire waits until n bytes, at most pieceSize, are paid for.
func (s *speed) acquire(ctx context.Context, n int) error {
	if n == 0 {
		return nil
	}
	if s.options.Limiter != nil {
		if err := s.options.Limiter.Acquire(ctx, n); err != nil {
			return err
		}
	}
	if s.limit == nil {
		return nil
	}
	now := s.options.Now()
	wait := s.limit.ReserveN(now, n).DelayFrom(now)
	if wait <= 0 {
		return nil
	}
	return s.options.Sleep(ctx, wait)
}
