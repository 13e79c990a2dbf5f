package scan

import (
	"context"
	"errors"
	"fmt"

	"dogwatch/internal/store"
)

// StopRequest says what to stop; exactly one field is used, in this order.
type StopRequest struct {
	All      bool    // every run of the account
	RunID    int64   // one run
	ImageIDs []int64 // these images, in whichever run they are
}

// Stop ends runs or single items. Images that were waiting or running go back
// to the state they were in before; finished ones keep their result. Nothing to
// stop is no error; a run that the account does not have is store.ErrNotFound.
func (s *Service) Stop(ctx context.Context, accountID int64, req StopRequest) error {
	var stopped []store.Item
	var ended []*store.Run
	err := s.cfg.Store.Tx(ctx, func(ctx context.Context, db *store.DB, enqueue store.Enqueue) error {
		runs, err := s.runsToStop(ctx, db, accountID, req)
		if err != nil {
			return err
		}
		for i := range runs {
			items, run, err := s.stopIn(ctx, db, enqueue, &runs[i], req)
			if err != nil {
				return err
			}
			stopped = append(stopped, items...)
			if run != nil {
				ended = append(ended, run)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.interrupt(stopped)
	for _, run := range ended {
		s.reportRun(run)
	}
	return nil
}

func (s *Service) runsToStop(ctx context.Context, db *store.DB, accountID int64, req StopRequest) ([]store.Run, error) {
	if req.RunID == 0 || req.All {
		runs, err := db.ActiveRunsOf(ctx, accountID)
		if err != nil {
			return nil, fmt.Errorf("scan: reading active runs: %w", err)
		}
		return runs, nil
	}
	run, err := db.Run(ctx, accountID, req.RunID)
	if err != nil {
		return nil, fmt.Errorf("scan: run %d: %w", req.RunID, err)
	}
	if run.State != store.Scanning {
		return nil, nil
	}
	return []store.Run{*run}, nil
}

// stopIn stops a whole run, or the given images of it. It returns the items
// that it ended, and the run if that ended as well.
func (s *Service) stopIn(ctx context.Context, db *store.DB, enqueue store.Enqueue, run *store.Run, req StopRequest) ([]store.Item, *store.Run, error) {
	if req.All || req.RunID != 0 {
		items, err := s.endRun(ctx, db, run, store.Canceled, "stopped by a user")
		return items, run, err
	}
	items, err := s.cancel(ctx, db, run.ID, req.ImageIDs, false)
	if err != nil || len(items) == 0 {
		return nil, nil, err
	}
	ended, err := s.advance(ctx, db, enqueue, run.ID, store.RunCounts{Finished: int64(len(items))})
	return items, ended, err
}

// endRun ends a run now, with everything in it.
func (s *Service) endRun(ctx context.Context, db *store.DB, run *store.Run, state, reason string) ([]store.Item, error) {
	was := countersOf(run)
	items, err := s.cancel(ctx, db, run.ID, nil, false)
	if err != nil {
		return nil, err
	}
	left, err := s.notDrawn(ctx, db, run)
	if err != nil {
		return nil, err
	}
	drop(run, items, left)
	run.Reason = reason
	s.finish(run)
	run.State = state
	if err := s.recordResult(ctx, db, run); err != nil {
		return nil, err
	}
	return items, writeRun(ctx, db, run, was)
}

// cancel ends items of a run without an outcome (imageIDs nil: all of them) and
// gives back what those that never started were charged.
func (s *Service) cancel(ctx context.Context, db *store.DB, runID int64, imageIDs []int64, onlyQueued bool) ([]store.Item, error) {
	items, err := db.CancelItems(ctx, runID, imageIDs, store.ItemCanceled, s.now(), onlyQueued)
	if err != nil {
		return nil, fmt.Errorf("scan: ending items of run %d: %w", runID, err)
	}
	for i := range items {
		if items[i].StartedAt.IsZero() && items[i].Charged > 0 {
			if err := db.RefundItem(ctx, items[i].ID); err != nil {
				return nil, fmt.Errorf("scan: giving back what item %d was charged: %w", items[i].ID, err)
			}
		}
	}
	return items, nil
}

// notDrawn counts the images of a run's scope that have not become items.
func (s *Service) notDrawn(ctx context.Context, db *store.DB, run *store.Run) (int64, error) {
	if run.Expanded {
		return 0, nil
	}
	var left int64
	for _, query := range ahead(run) {
		n, err := db.CountImages(ctx, query)
		if err != nil {
			return 0, fmt.Errorf("scan: counting the rest of run %d: %w", run.ID, err)
		}
		left += int64(n)
	}
	return left, nil
}

// RemoveRegistry removes a registry with its images and their results, and
// stops what was running on it.
func (s *Service) RemoveRegistry(ctx context.Context, accountID, registryID int64) error {
	var stopped []store.Item
	var ended []*store.Run
	err := s.cfg.Store.Tx(ctx, func(ctx context.Context, db *store.DB, enqueue store.Enqueue) error {
		if _, err := db.Registry(ctx, accountID, registryID); err != nil {
			return err
		}
		runs, err := db.ActiveRunsOf(ctx, accountID)
		if err != nil {
			return err
		}
		lost := make([]int64, len(runs))
		for i := range runs {
			items, err := itemsOn(ctx, db, &runs[i], registryID)
			if err != nil {
				return err
			}
			lost[i] = int64(len(items))
			stopped = append(stopped, items...)
		}
		// The rows go first: drawing the next items must not meet them again.
		if err := db.DeleteRegistry(ctx, accountID, registryID); err != nil {
			return err
		}
		for i := range runs {
			run, err := s.advance(ctx, db, enqueue, runs[i].ID, store.RunCounts{Finished: lost[i]})
			if err != nil {
				return err
			}
			ended = append(ended, run)
		}
		return nil
	})
	if errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err != nil {
		return fmt.Errorf("scan: removing registry %d: %w", registryID, err)
	}
	s.interrupt(stopped)
	for _, run := range ended {
		s.reportRun(run)
	}
	return nil
}

// itemsOn are the unfinished items of a run that read from a registry.
func itemsOn(ctx context.Context, db *store.DB, run *store.Run, registryID int64) ([]store.Item, error) {
	items, err := db.Items(ctx, store.ItemQuery{AccountID: run.AccountID, RunID: run.ID, States: unfinished()})
	if err != nil {
		return nil, err
	}
	kept := items[:0]
	for _, item := range items {
		if item.RegistryID == registryID {
			kept = append(kept, item)
		}
	}
	return kept, nil
}

func unfinished() []string { return []string{store.ItemQueued, store.ItemRunning} }
