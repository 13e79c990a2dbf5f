package scan

import (
	"context"
	"fmt"
	"time"

	"dogwatch/internal/store"
)

// Items are kept longer than a quota month is: what they cost is counted in them.
const (
	keepItems  = 35 * 24 * time.Hour
	sweepEvery = time.Hour
	sweepBatch = 10_000
)

// sweep removes the items of runs that ended long ago, a batch an hour, so that
// rows do not grow with every night.
func (s *Service) sweep(ctx context.Context) error {
	now := s.cfg.Clock.Now()
	s.mu.Lock()
	due := s.swept.IsZero() || now.Sub(s.swept) >= sweepEvery || now.Before(s.swept)
	if due {
		s.swept = now
	}
	s.mu.Unlock()
	if !due {
		return nil
	}
	n, err := s.cfg.Store.DropItems(ctx, store.At(now.Add(-keepItems)), sweepBatch)
	if err != nil {
		return fmt.Errorf("scan: %w", err)
	}
	if n > 0 {
		s.cfg.Logger.Info("old items removed", "items", n)
	}
	return nil
}
