package store

import (
	"context"

	"github.com/uptrace/bun"
)

// ItemQuery chooses items; what is zero or nil is no condition, except that a
// query needs an account or a run.
type ItemQuery struct {
	AccountID     int64
	RunID         int64
	ImageIDs      []int64
	States        []string
	Limit, Offset int // Limit 0: all
}

// InsertItem adds an item and sets its ID. It is ErrTaken when the image is in
// the run already, or in any queued or running item.
func (db *DB) InsertItem(ctx context.Context, i *Item) error {
	_, err := db.idb.NewInsert().Model(i).Exec(ctx)
	return wrap(err, "insert item for image %d in run %d", i.ImageID, i.RunID)
}

// Item is the item with that id.
func (db *DB) Item(ctx context.Context, id int64) (*Item, error) {
	i := new(Item)
	if err := db.idb.NewSelect().Model(i).Where("id = ?", id).Scan(ctx); err != nil {
		return nil, wrap(err, "item %d", id)
	}
	return i, nil
}

// Items lists the items that match, oldest first.
func (db *DB) Items(ctx context.Context, q ItemQuery) ([]Item, error) {
	list := []Item{}
	if q.AccountID == 0 && q.RunID == 0 {
		return list, nil
	}
	sel := page(db.idb.NewSelect().Model(&list), q.Limit, q.Offset).Order("id")
	if q.AccountID != 0 {
		sel = sel.Where("account_id = ?", q.AccountID)
	}
	if q.RunID != 0 {
		sel = sel.Where("run_id = ?", q.RunID)
	}
	if q.ImageIDs != nil {
		sel = sel.Where("image_id IN (?)", bun.List(q.ImageIDs))
	}
	if q.States != nil {
		sel = sel.Where("state IN (?)", bun.List(q.States))
	}
	return list, wrap(sel.Scan(ctx), "items of run %d", q.RunID)
}

// CountItems is how many items of a run are in one of the states (none given:
// in any).
func (db *DB) CountItems(ctx context.Context, runID int64, states ...string) (int, error) {
	sel := db.idb.NewSelect().Model((*Item)(nil)).Where("run_id = ?", runID)
	if len(states) > 0 {
		sel = sel.Where("state IN (?)", bun.List(states))
	}
	n, err := sel.Count(ctx)
	return int(n), wrap(err, "count items of run %d", runID)
}

// TouchItem records how many layers of how many are done. It answers false when
// the attempt is no longer the current one, and the worker must stop.
func (db *DB) TouchItem(ctx context.Context, itemID, attempt, layers, done int64) (ok bool, err error) {
	n, err := changed(db.idb.NewUpdate().Model((*Item)(nil)).
		Set("layers = ?", layers).Set("layers_done = ?", done).
		Where("id = ?", itemID).Where("attempt = ?", attempt).Where("state = ?", ItemRunning).Exec(ctx))
	return n == 1, wrap(err, "touch item %d", itemID)
}

// EndItem ends a running item: State, Error and Digest are taken from i, and
// Attempt must be the current one. It answers false, and changes nothing, when
// the item has ended already or another worker has taken it over.
func (db *DB) EndItem(ctx context.Context, i *Item, now Moment) (ok bool, err error) {
	n, err := changed(db.idb.NewUpdate().Model((*Item)(nil)).
		Set("state = ?", i.State).Set("error = ?", text(i.Error)).Set("digest = ?", text(i.Digest)).
		Set("finished_at = ?", now).
		Where("id = ?", i.ID).Where("attempt = ?", i.Attempt).Where("state = ?", ItemRunning).Exec(ctx))
	return n == 1, wrap(err, "end item %d", i.ID)
}

// RefundItem takes back what an item was charged.
func (db *DB) RefundItem(ctx context.Context, itemID int64) error {
	err := one(db.idb.NewUpdate().Model((*Item)(nil)).Set("charged = 0").Where("id = ?", itemID).Exec(ctx))
	return wrap(err, "refund item %d", itemID)
}

// UsedTenths is what the account's items cost since a moment, former items of
// removed images included.
func (db *DB) UsedTenths(ctx context.Context, accountID int64, since Moment) (int64, error) {
	var items, former int64
	err := db.idb.NewSelect().Model((*Item)(nil)).ColumnExpr("COALESCE(SUM(charged), 0)").
		Where("account_id = ?", accountID).Where("queued_at >= ?", since).Scan(ctx, &items)
	if err != nil {
		return 0, wrap(err, "scans used by account %d", accountID)
	}
	err = db.idb.NewSelect().TableExpr("former_cost").ColumnExpr("COALESCE(SUM(tenths), 0)").
		Where("account_id = ?", accountID).Where("queued_at >= ?", since).Scan(ctx, &former)
	return items + former, wrap(err, "scans used by account %d", accountID)
}

// ItemsBusy tells which of the account's images a queued or running item holds:
// image id to the id of its run.
func (db *DB) ItemsBusy(ctx context.Context, accountID int64, imageIDs []int64) (map[int64]int64, error) {
	busy := map[int64]int64{}
	if len(imageIDs) == 0 {
		return busy, nil
	}
	var list []Item
	err := db.idb.NewSelect().Model(&list).Column("image_id", "run_id").
		Where("state IN (?)", bun.List(underWay)).
		Where("account_id = ?", accountID).Where("image_id IN (?)", bun.List(imageIDs)).Scan(ctx)
	for _, i := range list {
		busy[i.ImageID] = i.RunID
	}
	return busy, wrap(err, "busy images of account %d", accountID)
}

// deleteItems removes the items of images in the given states (none: all),
// keeping their costs.
func (db *DB) deleteItems(ctx context.Context, imageIDs *bun.SelectQuery, states []string) error {
	match := func(q bun.QueryBuilder) bun.QueryBuilder {
		q = q.Where("image_id IN (?)", imageIDs)
		if len(states) > 0 {
			q = q.Where("state IN (?)", bun.List(states))
		}
		return q
	}
	costs := db.idb.NewSelect().Model((*Item)(nil)).ColumnExpr("account_id, queued_at, SUM(charged)").
		Where("charged > 0").ApplyQueryBuilder(match).GroupExpr("account_id, queued_at")
	if _, err := db.idb.NewRaw("INSERT INTO former_cost (account_id, queued_at, tenths) ?", costs).Exec(ctx); err != nil {
		return err
	}
	_, err := db.idb.NewDelete().Model((*Item)(nil)).ApplyQueryBuilder(match).Exec(ctx)
	return err
}

// DropItems removes at most limit items of runs that ended before a moment and
// tells how many it removed. The runs stay, with their counters.
func (db *DB) DropItems(ctx context.Context, before Moment, limit int) (int64, error) {
	old := db.idb.NewSelect().TableExpr("run").Join("JOIN item ON item.run_id = run.id").Column("item.id").
		Where("run.finished_at > 0").Where("run.finished_at < ?", before).Limit(int64(limit))
	n, err := changed(db.idb.NewDelete().Model((*Item)(nil)).Where("id IN (?)", old).Exec(ctx))
	return n, wrap(err, "drop items of old runs")
}
