package queue

import (
	"context"
	"time"

	"dogwatch/internal/store"
)

// stayAlive beats the heart and reaps until ctx ends. It runs on the machine's
// clock: a process is alive or dead in real time, whatever clock the schedule
// is tested with.
func (q *Queue) stayAlive(ctx context.Context) {
	defer close(q.done)
	tick := time.NewTicker(heartbeatEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := q.beat(ctx); err != nil && ctx.Err() == nil {
			q.cfg.Logger.Error("heartbeat failed", "error", err.Error())
			continue
		}
		if q.cfg.Exclusive {
			continue
		}
		if err := q.reap(ctx, store.At(q.cfg.Clock.Now().Add(-deadAfter))); err != nil && ctx.Err() == nil {
			q.cfg.Logger.Error("reaping failed", "error", err.Error())
		}
	}
}

func (q *Queue) beat(ctx context.Context) error {
	now := store.At(q.cfg.Clock.Now())
	return q.store.Heartbeat(ctx, &store.Worker{ID: q.cfg.WorkerID, Host: q.cfg.Host, StartedAt: now, HeartbeatAt: now})
}

// reap gives back the jobs of every worker whose last heartbeat is before the
// given moment. Both steps are one transaction: a worker is forgotten only with
// its work given back.
func (q *Queue) reap(ctx context.Context, before store.Moment) error {
	return q.store.Tx(ctx, func(ctx context.Context, db *store.DB, _ store.Enqueue) error {
		dead, err := db.DeadWorkers(ctx, before)
		if err != nil {
			return err
		}
		dead = without(dead, q.cfg.WorkerID)
		if len(dead) == 0 {
			return nil
		}
		n, err := db.ReleaseJobs(ctx, dead)
		if err != nil {
			return err
		}
		q.cfg.Logger.Info("work of dead processes given back", "workers", len(dead), "jobs", n)
		return db.DropWorkers(ctx, dead)
	})
}

func without(ids []string, own string) []string {
	kept := ids[:0]
	for _, id := range ids {
		if id != own {
			kept = append(kept, id)
		}
	}
	return kept
}
