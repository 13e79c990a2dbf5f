package scan

import (
	"context"
	"errors"
	"fmt"

	"dogwatch/internal/store"
)

// settle ends an item: its outcome, the image row, the run's counts, the next
// items and, if nothing is left, the end of the run, all in one transaction.
func (s *Service) settle(ctx context.Context, item *store.Item, r *result) error {
	var ended *store.Run
	err := s.cfg.Store.Tx(ctx, func(ctx context.Context, db *store.DB, enqueue store.Enqueue) error {
		s.endItem(item, r)
		ok, err := db.EndItem(ctx, item, s.now())
		if err != nil {
			return fmt.Errorf("scan: ending item %d: %w", item.ID, err)
		}
		if !ok {
			return errOvertaken
		}
		if err := s.writeOutcome(ctx, db, item, r); err != nil {
			return err
		}
		if r.refund && item.Charged > 0 {
			if err := db.RefundItem(ctx, item.ID); err != nil {
				return fmt.Errorf("scan: giving back what item %d was charged: %w", item.ID, err)
			}
		}
		ended, err = s.advance(ctx, db, enqueue, item.RunID, countsOf(r))
		return err
	})
	if err != nil {
		return err
	}
	s.reportItem(item, r)
	s.reportRun(ended)
	return nil
}

func (s *Service) endItem(item *store.Item, r *result) {
	item.State = store.ItemDone
	if r.content != nil {
		item.Digest = r.content.Digest
	}
	if r.found == nil {
		item.State, item.Error = store.ItemFailed, r.code
	}
}

// countsOf is what a result adds to its run. An image without findings is clean
// only if every part that was asked for was examined whole; one that was not is
// finished, and neither clean nor risky.
func countsOf(r *result) store.RunCounts {
	counts := store.RunCounts{Finished: 1}
	switch {
	case r.found == nil:
		counts.Failed = 1
	case r.found.Risky():
		counts.Risky = 1
	case len(r.found.Problems) == 0:
		counts.Clean = 1
	}
	return counts
}

// advance adds to a run's counts and draws its next items. It returns the run
// if that ended it.
func (s *Service) advance(ctx context.Context, db *store.DB, enqueue store.Enqueue, runID int64, counts store.RunCounts) (*store.Run, error) {
	if err := db.AddRunCounts(ctx, runID, counts); err != nil {
		return nil, fmt.Errorf("scan: counting in run %d: %w", runID, err)
	}
	run, err := db.RunByID(ctx, runID)
	if err != nil {
		return nil, fmt.Errorf("scan: reading run %d: %w", runID, err)
	}
	if run.State != store.Scanning {
		return nil, nil
	}
	if err := s.draw(ctx, db, enqueue, run); err != nil {
		return nil, err
	}
	if run.State == store.Scanning {
		return nil, nil
	}
	return run, nil
}

// finish ends a run that has nothing left. Total becomes what was met: images
// may have come or gone since the run was opened.
func (s *Service) finish(run *store.Run) {
	run.State = store.Scanned
	if run.Dropped > 0 {
		run.State = store.ScanTimeout
	}
	run.Total = run.Finished + run.Elsewhere + run.Dropped
	run.FinishedAt = s.now()
}

// recordResult writes the result of a timing run into its task (reference E6).
func (s *Service) recordResult(ctx context.Context, db *store.DB, run *store.Run) error {
	if run.Kind != store.RunTiming {
		return nil
	}
	outcome := store.ResultSuccess
	if run.Reason == store.ResultInsufficientLicense {
		outcome = store.ResultInsufficientLicense
	}
	return s.setResult(ctx, db, run.AccountID, run.StartedAt, outcome)
}

func (s *Service) setResult(ctx context.Context, db *store.DB, accountID int64, started store.Moment, outcome string) error {
	err := db.SetTimingResult(ctx, accountID, started, outcome, 0)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("scan: writing the result of the timing task of account %d: %w", accountID, err)
	}
	return nil
}

func (s *Service) reportItem(item *store.Item, r *result) {
	if observe := s.cfg.Observer.Item; observe != nil {
		observe(item.State)
	}
	attrs := []any{"run", item.RunID, "item", item.ID, "image", item.ImageID, "state", item.State}
	if r.found == nil {
		s.cfg.Logger.Warn("image not scanned", append(attrs, "code", r.code, "reason", r.reason)...)
		return
	}
	s.cfg.Logger.Info("image scanned", append(attrs, "digest", item.Digest, "vulnerabilities", r.found.VulCnt,
		"malware", r.found.VirusCnt, "risks", r.found.RiskCnt)...)
}

func (s *Service) reportRun(run *store.Run) {
	if run == nil {
		return
	}
	if observe := s.cfg.Observer.RunEnded; observe != nil {
		observe(run.Kind, run.State)
	}
	s.cfg.Logger.Info("run ended", "account", run.AccountID, "run", run.ID, "kind", run.Kind, "state", run.State,
		"images", run.Total, "clean", run.Clean, "risky", run.Risky, "failed", run.Failed,
		"elsewhere", run.Elsewhere, "dropped", run.Dropped)
}
