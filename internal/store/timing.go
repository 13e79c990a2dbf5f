package store

import "context"

// TimingTask is the account's timing task; ErrNotFound before it was first set.
func (db *DB) TimingTask(ctx context.Context, accountID int64) (*TimingTask, error) {
	t := new(TimingTask)
	err := db.idb.NewSelect().Model(t).Where("account_id = ?", accountID).Scan(ctx)
	if err != nil {
		return nil, wrap(err, "timing task of account %d", accountID)
	}
	return t, nil
}

// PutTimingTask sets the account's timing task. The result of the last run is
// kept: it belongs to SetTimingResult.
func (db *DB) PutTimingTask(ctx context.Context, t *TimingTask) error {
	_, err := db.idb.NewInsert().Model(t).On("CONFLICT (account_id) DO UPDATE").
		Set("enabled = EXCLUDED.enabled").
		Set("period = EXCLUDED.period").
		Set("scan_time = EXCLUDED.scan_time").
		Set("scan_end_time = EXCLUDED.scan_end_time").
		Set("parts = EXCLUDED.parts").
		Set("scope = EXCLUDED.scope").
		Set("spec = EXCLUDED.spec").
		Set("next_due = EXCLUDED.next_due").
		Set("updated_at = EXCLUDED.updated_at").
		Exec(ctx)
	return wrap(err, "put timing task of account %d", t.AccountID)
}

// DueTimingTasks are the enabled tasks whose moment has come, longest due first.
func (db *DB) DueTimingTasks(ctx context.Context, now Moment) ([]TimingTask, error) {
	var list []TimingTask
	err := db.idb.NewSelect().Model(&list).
		Where("enabled").Where("next_due > 0").Where("next_due <= ?", now).
		Order("next_due", "account_id").Scan(ctx)
	return list, wrap(err, "due timing tasks")
}

// SetTimingResult records the start and the result of a run and the next due
// moment. A zero or empty value keeps what is stored, so a skipped moment can
// move the due moment alone, and an ending run the result alone.
func (db *DB) SetTimingResult(ctx context.Context, accountID int64, lastRun Moment, result string, nextDue Moment) error {
	up := db.idb.NewUpdate().Model((*TimingTask)(nil)).Where("account_id = ?", accountID)
	none := true
	if lastRun != 0 {
		up, none = up.Set("last_run_at = ?", lastRun), false
	}
	if result != "" {
		up, none = up.Set("last_result = ?", result), false
	}
	if nextDue != 0 {
		up, none = up.Set("next_due = ?", nextDue), false
	}
	if none {
		return nil
	}
	return wrap(one(up.Exec(ctx)), "set timing result of account %d", accountID)
}
