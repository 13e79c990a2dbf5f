package scan

import (
	"context"
	"fmt"

	"dogwatch/internal/store"
)

// watch gives a run its timed exits: the window end, the deadline, and the end
// of a run whose last item ended without anybody drawing the next.
func (s *Service) watch(ctx context.Context, runID int64) error {
	var interrupted []store.Item
	var ended *store.Run
	err := s.cfg.Store.Tx(ctx, func(ctx context.Context, db *store.DB, enqueue store.Enqueue) error {
		run, err := db.RunByID(ctx, runID)
		if err != nil {
			return fmt.Errorf("scan: reading run %d: %w", runID, err)
		}
		now := s.now()
		switch {
		case run.State != store.Scanning:
			return nil
		case run.Deadline <= now:
			interrupted, err = s.expire(ctx, db, run)
		case s.windowOver(run):
			err = s.closeWindow(ctx, db, enqueue, run)
		default:
			err = s.resume(ctx, db, enqueue, run)
		}
		if run.State != store.Scanning {
			ended = run
		}
		return err
	})
	if err != nil {
		return err
	}
	s.interrupt(interrupted)
	s.reportRun(ended)
	return nil
}

// windowOver tells whether nothing of a run may start any more.
func (s *Service) windowOver(run *store.Run) bool {
	return !run.WindowEnd.IsZero() && run.WindowEnd <= s.now()
}

const reasonWindow = "the scan window ended"

// closeWindow drops what has not started; what runs is finished.
func (s *Service) closeWindow(ctx context.Context, db *store.DB, enqueue store.Enqueue, run *store.Run) error {
	was := countersOf(run)
	waiting, err := s.cancel(ctx, db, run.ID, nil, true)
	if err != nil {
		return err
	}
	left, err := s.notDrawn(ctx, db, run)
	if err != nil {
		return err
	}
	drop(run, waiting, left)
	if run.Dropped == was.Dropped {
		return s.draw(ctx, db, enqueue, run) // ends the run if nothing is running any more
	}
	if run.Reason == "" {
		run.Reason = reasonWindow
	}
	s.cfg.Logger.Info("window closed", "account", run.AccountID, "run", run.ID, "finished", run.Finished, "dropped", run.Dropped)
	if err := writeRun(ctx, db, run, was); err != nil {
		return err
	}
	return s.draw(ctx, db, enqueue, run)
}

// expire ends a run whose own time is over: waiting images go back to their
// former state, running ones failed for lack of time.
func (s *Service) expire(ctx context.Context, db *store.DB, run *store.Run) ([]store.Item, error) {
	running, err := db.Items(ctx, store.ItemQuery{AccountID: run.AccountID, RunID: run.ID, States: []string{store.ItemRunning}})
	if err != nil {
		return nil, fmt.Errorf("scan: reading the running items of run %d: %w", run.ID, err)
	}
	for i := range running {
		if err := s.expireItem(ctx, db, &running[i]); err != nil {
			return nil, err
		}
	}
	n := int64(len(running))
	if err := db.AddRunCounts(ctx, run.ID, store.RunCounts{Finished: n, Failed: n}); err != nil {
		return nil, fmt.Errorf("scan: counting in run %d: %w", run.ID, err)
	}
	run.Finished, run.Failed = run.Finished+n, run.Failed+n
	if _, err := s.endRun(ctx, db, run, store.ScanTimeout, "the time allowed for the run was over"); err != nil {
		return nil, err
	}
	return running, nil
}

func (s *Service) expireItem(ctx context.Context, db *store.DB, item *store.Item) error {
	r := &result{
		code:   "Timeout",
		reason: "the time allowed for the whole run was over before the image was done",
		advice: "allow more time; layers that were finished are not read again",
	}
	item.State, item.Error = store.ItemTimedOut, r.code
	ok, err := db.EndItem(ctx, item, s.now())
	if err != nil || !ok {
		return err
	}
	return s.writeOutcome(ctx, db, item, r)
}

// resume draws for a run that has room, so that nothing ever sticks.
func (s *Service) resume(ctx context.Context, db *store.DB, enqueue store.Enqueue, run *store.Run) error {
	outstanding, err := db.CountItems(ctx, run.ID, unfinished()...)
	if err != nil {
		return fmt.Errorf("scan: counting items of run %d: %w", run.ID, err)
	}
	if outstanding > 0 {
		return nil
	}
	return s.draw(ctx, db, enqueue, run)
}
