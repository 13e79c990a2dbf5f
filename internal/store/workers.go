package store

import (
	"context"

	"github.com/uptrace/bun"
)

// InsertSnapshot records an advisory snapshot. One that was there before, and
// is taken up again, becomes the latest.
func (db *DB) InsertSnapshot(ctx context.Context, s *Snapshot) error {
	_, err := db.idb.NewInsert().Model(s).On("CONFLICT (id) DO UPDATE").Exec(ctx)
	return wrap(err, "insert snapshot %q", s.ID)
}

// LatestSnapshot is the snapshot recorded last.
func (db *DB) LatestSnapshot(ctx context.Context) (*Snapshot, error) {
	s := new(Snapshot)
	err := db.idb.NewSelect().Model(s).Order("created_at DESC", "id").Limit(1).Scan(ctx)
	if err != nil {
		return nil, wrap(err, "latest snapshot")
	}
	return s, nil
}

// Heartbeat says that a worker lives.
func (db *DB) Heartbeat(ctx context.Context, w *Worker) error {
	_, err := db.idb.NewInsert().Model(w).On("CONFLICT (id) DO UPDATE").Exec(ctx)
	return wrap(err, "heartbeat of worker %q", w.ID)
}

// DeadWorkers are the workers whose last heartbeat is older than a moment.
func (db *DB) DeadWorkers(ctx context.Context, before Moment) ([]string, error) {
	var ids []string
	err := db.idb.NewSelect().Model((*Worker)(nil)).Column("id").
		Where("heartbeat_at < ?", before).Order("id").Scan(ctx, &ids)
	return ids, wrap(err, "dead workers")
}

// queueTime is how the queue's SQLite driver writes a moment.
const queueTime = "%Y-%m-%d %H:%M:%f"

// ReleaseJobs gives back the queue's jobs that those workers were running, and
// returns how many.
func (db *DB) ReleaseJobs(ctx context.Context, workerIDs []string) (int64, error) {
	if len(workerIDs) == 0 {
		return 0, nil
	}
	n, err := changed(db.idb.NewUpdate().TableExpr("river_job").
		Set("state = 'available'").Set("scheduled_at = strftime(?, 'now')", queueTime).
		Where("state = 'running'").
		Where("json_extract(attempted_by, '$[#-1]') IN (?)", bun.List(workerIDs)).Exec(ctx))
	return n, wrap(err, "release jobs")
}

// DropWorkers forgets workers.
func (db *DB) DropWorkers(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	_, err := db.idb.NewDelete().Model((*Worker)(nil)).Where("id IN (?)", bun.List(ids)).Exec(ctx)
	return wrap(err, "drop workers")
}
