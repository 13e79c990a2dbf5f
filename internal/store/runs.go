package store

import "context"

// RunCounts are amounts to add to the counters of a run.
type RunCounts struct {
	Finished, Clean, Risky, Failed, Elsewhere, Dropped int64
}

// InsertRun adds a run and sets its ID.
func (db *DB) InsertRun(ctx context.Context, r *Run) error {
	_, err := db.idb.NewInsert().Model(r).Exec(ctx)
	return wrap(err, "insert run of account %d", r.AccountID)
}

// Run is a run of the account.
func (db *DB) Run(ctx context.Context, accountID, id int64) (*Run, error) {
	r := new(Run)
	err := db.idb.NewSelect().Model(r).Where("account_id = ?", accountID).Where("id = ?", id).Scan(ctx)
	if err != nil {
		return nil, wrap(err, "run %d of account %d", id, accountID)
	}
	return r, nil
}

// RunByID is the run with that id, whosever it is.
func (db *DB) RunByID(ctx context.Context, id int64) (*Run, error) {
	r := new(Run)
	if err := db.idb.NewSelect().Model(r).Where("id = ?", id).Scan(ctx); err != nil {
		return nil, wrap(err, "run %d", id)
	}
	return r, nil
}

// LatestRun is the account's run that was opened last.
func (db *DB) LatestRun(ctx context.Context, accountID int64) (*Run, error) {
	r := new(Run)
	err := db.idb.NewSelect().Model(r).Where("account_id = ?", accountID).Order("id DESC").Limit(1).Scan(ctx)
	if err != nil {
		return nil, wrap(err, "latest run of account %d", accountID)
	}
	return r, nil
}

// LatestRunOf is the account's run of a kind that was opened last.
func (db *DB) LatestRunOf(ctx context.Context, accountID int64, kind string) (*Run, error) {
	r := new(Run)
	err := db.idb.NewSelect().Model(r).
		Where("account_id = ?", accountID).Where("kind = ?", kind).Order("id DESC").Limit(1).Scan(ctx)
	if err != nil {
		return nil, wrap(err, "latest %s run of account %d", kind, accountID)
	}
	return r, nil
}

// ActiveRuns are the runs under way, of all accounts, oldest first.
func (db *DB) ActiveRuns(ctx context.Context) ([]Run, error) {
	var list []Run
	err := db.idb.NewSelect().Model(&list).Where("state = ?", Scanning).Order("id").Scan(ctx)
	return list, wrap(err, "active runs")
}

// ActiveRunsOf are the account's runs under way, oldest first.
func (db *DB) ActiveRunsOf(ctx context.Context, accountID int64) ([]Run, error) {
	var list []Run
	err := db.idb.NewSelect().Model(&list).
		Where("state = ?", Scanning).Where("account_id = ?", accountID).Order("id").Scan(ctx)
	return list, wrap(err, "active runs of account %d", accountID)
}

// UpdateRun writes the columns of a run except its counters, which only
// AddRunCounts changes. A run that ended keeps its state: an update that would
// change it again, as one made from an old copy does, is ErrNotFound.
func (db *DB) UpdateRun(ctx context.Context, r *Run) error {
	err := one(db.idb.NewUpdate().Model(r).
		ExcludeColumn("id", "account_id", "finished", "clean", "risky", "failed", "elsewhere", "dropped").
		Where("id = ?", r.ID).Where("account_id = ?", r.AccountID).
		Where("state = ? OR state = ?", Scanning, r.State).Exec(ctx))
	return wrap(err, "update run %d", r.ID)
}

// EndRun ends a run under way. It answers false when the run has ended already.
func (db *DB) EndRun(ctx context.Context, id int64, state, reason string, now Moment) (ok bool, err error) {
	n, err := changed(db.idb.NewUpdate().Model((*Run)(nil)).
		Set("state = ?", state).Set("reason = ?", text(reason)).Set("finished_at = ?", now).
		Where("id = ?", id).Where("state = ?", Scanning).Exec(ctx))
	return n == 1, wrap(err, "end run %d", id)
}

// AddRunCounts adds to the counters of a run.
func (db *DB) AddRunCounts(ctx context.Context, runID int64, c RunCounts) error {
	err := one(db.idb.NewUpdate().Model((*Run)(nil)).
		Set("finished = finished + ?", c.Finished).
		Set("clean = clean + ?", c.Clean).
		Set("risky = risky + ?", c.Risky).
		Set("failed = failed + ?", c.Failed).
		Set("elsewhere = elsewhere + ?", c.Elsewhere).
		Set("dropped = dropped + ?", c.Dropped).
		Where("id = ?", runID).Exec(ctx))
	return wrap(err, "count in run %d", runID)
}
