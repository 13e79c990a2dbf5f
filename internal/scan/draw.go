package scan

import (
	"context"
	"fmt"

	"dogwatch/internal/store"
)

// draw turns the next images of the scope into queued items until Ahead of
// them wait or run, and writes the run's cursor. It is called in the
// transaction that makes room: when the run is opened and when an item ends. It
// waits until half of them are done, since drawing many at once costs little
// more than drawing one.
func (s *Service) draw(ctx context.Context, db *store.DB, enqueue store.Enqueue, run *store.Run) error {
	if run.State != store.Scanning {
		return nil
	}
	was := countersOf(run)
	outstanding, err := db.CountItems(ctx, run.ID, store.ItemQueued, store.ItemRunning)
	if err != nil {
		return fmt.Errorf("scan: counting items of run %d: %w", run.ID, err)
	}
	if outstanding > s.cfg.Ahead/2 {
		return nil
	}
	for !run.Expanded && !s.windowOver(run) && outstanding < s.cfg.Ahead {
		drawn, err := s.drawBatch(ctx, db, enqueue, run, s.cfg.Ahead-outstanding)
		if err != nil {
			return err
		}
		outstanding += drawn
	}
	if run.Expanded && outstanding == 0 {
		s.finish(run)
		if err := s.recordResult(ctx, db, run); err != nil {
			return err
		}
	}
	return writeRun(ctx, db, run, was)
}

// countersOf are a run's counters, which the store changes by adding only.
func countersOf(run *store.Run) store.RunCounts {
	return store.RunCounts{
		Finished: run.Finished, Clean: run.Clean, Risky: run.Risky, Failed: run.Failed,
		Elsewhere: run.Elsewhere, Dropped: run.Dropped,
	}
}

// writeRun stores a run whose counters stood at was when it was read.
func writeRun(ctx context.Context, db *store.DB, run *store.Run, was store.RunCounts) error {
	now := countersOf(run)
	added := store.RunCounts{
		Finished: now.Finished - was.Finished, Clean: now.Clean - was.Clean, Risky: now.Risky - was.Risky, Failed: now.Failed - was.Failed,
		Elsewhere: now.Elsewhere - was.Elsewhere, Dropped: now.Dropped - was.Dropped,
	}
	if added != (store.RunCounts{}) {
		if err := db.AddRunCounts(ctx, run.ID, added); err != nil {
			return fmt.Errorf("scan: counting in run %d: %w", run.ID, err)
		}
	}
	if err := db.UpdateRun(ctx, run); err != nil {
		return fmt.Errorf("scan: writing run %d: %w", run.ID, err)
	}
	return nil
}

// drawBatch looks at the next n images of the scope and returns how many became items.
func (s *Service) drawBatch(ctx context.Context, db *store.DB, enqueue store.Enqueue, run *store.Run, n int) (int, error) {
	images, err := nextImages(ctx, db, run, n)
	if err != nil {
		return 0, err
	}
	busy, err := db.ItemsBusy(ctx, run.AccountID, ids(images))
	if err != nil {
		return 0, fmt.Errorf("scan: looking for images in other runs: %w", err)
	}
	purse, err := s.purse(ctx, db, run.AccountID)
	if err != nil {
		return 0, err
	}
	known, err := assessed(ctx, db, run.AccountID, images)
	if err != nil {
		return 0, err
	}
	var jobs []store.Job
	for i := range images {
		image := &images[i]
		if _, held := busy[image.ID]; held {
			run.Elsewhere++
			continue
		}
		cost, ok := purse.pay(known[image.ImageID])
		if !ok { // the rest of the scope is left out
			s.outOfQuota(run)
			break
		}
		job, err := s.newItem(ctx, db, run, image, cost)
		if err != nil {
			return 0, err
		}
		jobs = append(jobs, job)
	}
	if err := enqueue(ctx, jobs...); err != nil {
		return 0, fmt.Errorf("scan: enqueueing %d items of run %d: %w", len(jobs), run.ID, err)
	}
	return len(jobs), nil
}

// newItem stores an item and returns the job that scans it.
func (s *Service) newItem(ctx context.Context, db *store.DB, run *store.Run, image *store.ImageRow, cost int64) (store.Job, error) {
	item := &store.Item{
		RunID:      run.ID,
		AccountID:  run.AccountID,
		ImageID:    image.ID,
		RegistryID: image.RegistryID,
		Parts:      run.Parts,
		Force:      forced(run.Scope, image),
		State:      store.ItemQueued,
		Charged:    cost,
		QueuedAt:   s.now(),
	}
	if err := db.InsertItem(ctx, item); err != nil {
		return store.Job{}, fmt.Errorf("scan: storing the item of image %d: %w", image.ID, err)
	}
	return store.Job{Args: ItemJob{ItemID: item.ID}, Priority: priority(run.Kind)}, nil
}

// priority lets what a person asked for go before what the schedule does.
func priority(kind string) int {
	if kind == store.RunManual || kind == store.RunOneKey {
		return 1
	}
	return 2
}

func forced(scope store.Scope, image *store.ImageRow) bool {
	for _, name := range scope.Names {
		if name.Force && name.InstanceName == image.RegistryName && name.Namespace == image.Namespace &&
			name.ImageName == image.Name && name.ImageTag == image.Tag {
			return true
		}
	}
	return false
}

func ids(images []store.ImageRow) []int64 {
	out := make([]int64, len(images))
	for i := range images {
		out[i] = images[i].ID
	}
	return out
}
