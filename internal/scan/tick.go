package scan

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"dogwatch/internal/schedule"
	"dogwatch/internal/store"
)

// tickEvery is how long the scheduler waits between two looks at the clock.
const tickEvery = time.Second

// Run looks at the clock until ctx ends: it opens the runs that are due, closes
// windows, ends runs whose time is over, and starts the nightly synchronisation.
func (s *Service) Run(ctx context.Context) {
	if err := s.abandonSyncs(ctx); err != nil {
		s.cfg.Logger.Error("abandoned synchronisations could not be ended", "error", err.Error())
	}
	if err := s.repairDue(ctx); err != nil {
		s.cfg.Logger.Error("due moments could not be checked", "error", err.Error())
	}
	for {
		if err := s.Tick(ctx); err != nil && ctx.Err() == nil {
			s.cfg.Logger.Error("tick failed", "error", err.Error())
		}
		select {
		case <-ctx.Done():
			return
		case <-s.cfg.Clock.After(tickEvery):
		}
	}
}

// clockWentBack tells whether it is earlier than at the last tick.
func (s *Service) clockWentBack() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.cfg.Clock.Now()
	back := now.Before(s.ticked)
	s.ticked = now
	return back
}

// repairDue mends due moments that a wrong clock left absurdly far in the future.
func (s *Service) repairDue(ctx context.Context) error {
	tasks, err := s.cfg.Store.DueTimingTasks(ctx, store.Moment(math.MaxInt64))
	if err != nil {
		return fmt.Errorf("scan: reading timing tasks: %w", err)
	}
	for i := range tasks {
		task := &tasks[i]
		plan, err := Plan(task, s.cfg.Location)
		if err != nil {
			return fmt.Errorf("scan: timing task of account %d: %w", task.AccountID, err)
		}
		d := schedule.Decide(plan, task.NextDue.Time(), s.cfg.Clock.Now())
		if d.Action != schedule.Wait || store.At(d.Next) == task.NextDue {
			continue
		}
		s.cfg.Logger.Warn("due moment repaired", "account", task.AccountID, "due", task.NextDue.Time(), "next", d.Next)
		if err := s.cfg.Store.SetTimingResult(ctx, task.AccountID, 0, "", store.At(d.Next)); err != nil {
			return fmt.Errorf("scan: repairing the due moment of account %d: %w", task.AccountID, err)
		}
	}
	return nil
}

// Tick does what is due now. It may be called at any time, any number of times:
// each due moment fires once, in the transaction that moves it on.
func (s *Service) Tick(ctx context.Context) error {
	if s.clockWentBack() {
		if err := s.repairDue(ctx); err != nil {
			return err
		}
	}
	due, err := s.cfg.Store.DueTimingTasks(ctx, s.now())
	if err != nil {
		return fmt.Errorf("scan: looking for due timing tasks: %w", err)
	}
	var errs []error
	for i := range due {
		if err := s.fire(ctx, due[i].AccountID); err != nil {
			errs = append(errs, err)
		}
	}
	runs, err := s.cfg.Store.ActiveRuns(ctx)
	if err != nil {
		return fmt.Errorf("scan: reading active runs: %w", err)
	}
	for i := range runs {
		if err := s.watch(ctx, runs[i].ID); err != nil {
			errs = append(errs, err)
		}
	}
	if s.cfg.Nightly {
		errs = append(errs, s.nightly(ctx))
	}
	return errors.Join(append(errs, s.sweep(ctx))...)
}

// fire decides about one due timing task and, in the same transaction, moves
// its due moment on.
func (s *Service) fire(ctx context.Context, accountID int64) error {
	return s.cfg.Store.Tx(ctx, func(ctx context.Context, db *store.DB, enqueue store.Enqueue) error {
		task, err := db.TimingTask(ctx, accountID)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("scan: reading the timing task of account %d: %w", accountID, err)
		}
		now := s.cfg.Clock.Now()
		if !task.Enabled || task.NextDue.IsZero() || task.NextDue.Time().After(now) {
			return nil // changed since it was listed
		}
		plan, err := Plan(task, s.cfg.Location)
		if err != nil {
			return fmt.Errorf("scan: timing task of account %d: %w", accountID, err)
		}
		decision := schedule.Decide(plan, task.NextDue.Time(), now)
		return s.carryOut(ctx, db, enqueue, task, plan, decision)
	})
}

// Plan is a stored timing task as the schedule room reads it.
func Plan(task *store.TimingTask, loc *time.Location) (schedule.Task, error) {
	start, err := schedule.ParseTimeOfDay(task.ScanTime)
	if err != nil {
		return schedule.Task{}, err
	}
	plan := schedule.Task{Period: int(task.Period), Start: start, Location: loc}
	if task.ScanEndTime == "" {
		return plan, nil
	}
	plan.HasEnd = true
	plan.End, err = schedule.ParseTimeOfDay(task.ScanEndTime)
	return plan, err
}

func (s *Service) carryOut(ctx context.Context, db *store.DB, enqueue store.Enqueue, task *store.TimingTask, plan schedule.Task, d schedule.Decision) error {
	move := func(started store.Moment, outcome string) error {
		return db.SetTimingResult(ctx, task.AccountID, started, outcome, store.At(d.Next))
	}
	if d.Action != schedule.Run {
		s.cfg.Logger.Warn("scheduled run skipped", "account", task.AccountID, "due", task.NextDue.Time(), "next", d.Next, "cause", "missed, and the window is over")
		return move(0, "")
	}
	busy, err := timingRunActive(ctx, db, task.AccountID)
	if err != nil {
		return err
	}
	if busy {
		s.cfg.Logger.Warn("scheduled run skipped", "account", task.AccountID, "due", task.NextDue.Time(), "next", d.Next, "cause", "the last run is still going")
		return move(0, "")
	}
	request := Request{Kind: store.RunTiming, Parts: task.Parts, Scope: task.Scope, DueAt: d.Due}
	if end, bounded := schedule.Window(plan, d.Due); bounded {
		request.WindowEnd = end
	}
	run, err := s.open(ctx, db, enqueue, task.AccountID, request)
	switch {
	case errors.Is(err, ErrNothing):
		return move(s.now(), store.ResultImageNeedIsEmpty)
	case errors.Is(err, ErrQuota):
		return move(s.now(), store.ResultInsufficientLicense)
	case err != nil:
		return fmt.Errorf("scan: opening the scheduled run of account %d: %w", task.AccountID, err)
	}
	s.cfg.Logger.Info("run opened", "account", task.AccountID, "run", run.ID, "kind", run.Kind, "images", run.Total, "due", d.Due)
	return move(s.now(), "") // the run writes its result when it ends, or has done so
}

func timingRunActive(ctx context.Context, db *store.DB, accountID int64) (bool, error) {
	runs, err := db.ActiveRunsOf(ctx, accountID)
	if err != nil {
		return false, fmt.Errorf("scan: reading active runs: %w", err)
	}
	for i := range runs {
		if runs[i].Kind == store.RunTiming {
			return true, nil
		}
	}
	return false, nil
}
