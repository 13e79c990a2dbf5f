package scan

import (
	"context"
	"fmt"
	"time"

	"dogwatch/internal/store"
)

// Request asks for a run.
type Request struct {
	Kind      string // store.RunTiming, RunManual, RunOneKey, RunSync
	Parts     store.Parts
	Scope     store.Scope
	Timeout   time.Duration // 0: 24 hours
	DueAt     time.Time     // moment of the schedule, zero for runs started by hand
	WindowEnd time.Time     // zero: no end
}

// Start opens a run over the licensed images of the scope. It returns
// ErrNothing if there is none, ErrQuota if the quota does not cover them all (a
// timing run starts if it covers at least one), and ErrAlreadyScanning if every
// one of them is being scanned by another run. Nothing is stored then. A timing
// run leaves all its images to others without an error, and has ended.
func (s *Service) Start(ctx context.Context, accountID int64, req Request) (*store.Run, error) {
	var run *store.Run
	err := s.cfg.Store.Tx(ctx, func(ctx context.Context, db *store.DB, enqueue store.Enqueue) error {
		var err error
		run, err = s.open(ctx, db, enqueue, accountID, req)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.cfg.Logger.Info("run opened", "account", accountID, "run", run.ID, "kind", run.Kind, "images", run.Total, "parts", run.Parts.Names())
	return run, nil
}

// open is Start inside a transaction.
func (s *Service) open(ctx context.Context, db *store.DB, enqueue store.Enqueue, accountID int64, req Request) (*store.Run, error) {
	total, err := db.CountImages(ctx, store.ScopeQuery(accountID, req.Scope))
	if err != nil {
		return nil, fmt.Errorf("scan: counting the scope: %w", err)
	}
	if total == 0 {
		return nil, ErrNothing
	}
	if err := s.covered(ctx, db, accountID, req); err != nil {
		return nil, err
	}
	run := s.newRun(accountID, req, int64(total))
	if req.Kind == store.RunTiming {
		if run.Origin, err = origin(ctx, db, accountID); err != nil {
			return nil, err
		}
		run.Cursor = run.Origin
	}
	if err := db.InsertRun(ctx, run); err != nil {
		return nil, fmt.Errorf("scan: storing the run: %w", err)
	}
	if err := s.draw(ctx, db, enqueue, run); err != nil {
		return nil, err
	}
	if req.Kind != store.RunTiming && run.Expanded && run.Total == run.Elsewhere {
		return nil, ErrAlreadyScanning
	}
	return run, nil
}

func (s *Service) newRun(accountID int64, req Request, total int64) *store.Run {
	timeout := req.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	now := s.cfg.Clock.Now()
	return &store.Run{
		AccountID: accountID,
		Kind:      req.Kind,
		Parts:     req.Parts,
		Scope:     req.Scope,
		State:     store.Scanning,
		Total:     total,
		DueAt:     store.At(req.DueAt),
		StartedAt: store.At(now),
		Deadline:  store.At(now.Add(timeout)),
		WindowEnd: store.At(req.WindowEnd),
	}
}
