package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"
)

// syncLease is how long a synchronisation may stay "doing" before another one
// may take its place: the process that ran it must have died.
const syncLease = 6 * time.Hour

// RegistryQuery chooses registries. Filters: Name and Url (contains unless
// exact), RegistryType and RegistryId (exact); others are ignored. By is
// "InsertTime" or empty; the default order is newest first.
type RegistryQuery struct {
	AccountID     int64
	Filters       []Filter
	By            string
	Desc          bool
	Limit, Offset int // Limit 0: all
}

// InsertRegistry adds a registry and sets its ID. A name in use in the account
// is ErrTaken.
func (db *DB) InsertRegistry(ctx context.Context, r *Registry) error {
	_, err := db.idb.NewInsert().Model(r).Exec(ctx)
	return wrap(err, "insert registry %q", r.Name)
}

// Registry is a registry of the account.
func (db *DB) Registry(ctx context.Context, accountID, id int64) (*Registry, error) {
	r := new(Registry)
	err := db.idb.NewSelect().Model(r).Where("account_id = ?", accountID).Where("id = ?", id).Scan(ctx)
	if err != nil {
		return nil, wrap(err, "registry %d of account %d", id, accountID)
	}
	return r, nil
}

// RegistryByID is the registry with that id, whosever it is.
func (db *DB) RegistryByID(ctx context.Context, id int64) (*Registry, error) {
	r := new(Registry)
	if err := db.idb.NewSelect().Model(r).Where("id = ?", id).Scan(ctx); err != nil {
		return nil, wrap(err, "registry %d", id)
	}
	return r, nil
}

// RegistryByName is the account's registry of that name.
func (db *DB) RegistryByName(ctx context.Context, accountID int64, name string) (*Registry, error) {
	r := new(Registry)
	err := db.idb.NewSelect().Model(r).
		Where("account_id = ?", accountID).Where("name = ?", text(name)).Scan(ctx)
	if err != nil {
		return nil, wrap(err, "registry %q of account %d", name, accountID)
	}
	return r, nil
}

// UpdateRegistry writes the columns of a registry that people and connection
// tests set. The state of its synchronisation belongs to BeginSync and EndSync.
func (db *DB) UpdateRegistry(ctx context.Context, r *Registry) error {
	err := one(db.idb.NewUpdate().Model(r).
		ExcludeColumn("id", "account_id", "created_at", "sync_status", "sync_started_at", "synced_at", "sync_reason", "sync_solution").
		Where("id = ?", r.ID).Where("account_id = ?", r.AccountID).Exec(ctx))
	return wrap(err, "update registry %d", r.ID)
}

// DeleteRegistry removes a registry with its images, their items, and the
// contents that no other image of the account points to. What its items cost
// stays charged.
func (db *DB) DeleteRegistry(ctx context.Context, accountID, id int64) error {
	err := db.atomically(ctx, func(db *DB) error {
		err := one(db.idb.NewDelete().Model((*Registry)(nil)).
			Where("id = ?", id).Where("account_id = ?", accountID).Exec(ctx))
		if err != nil {
			return err
		}
		return db.deleteImages(ctx, accountID, imagesOf(id))
	})
	return wrap(err, "delete registry %d of account %d", id, accountID)
}

// Registries lists the registries of an account that match, and how many match
// before Limit and Offset.
func (db *DB) Registries(ctx context.Context, q RegistryQuery) ([]Registry, int, error) {
	list := []Registry{}
	sel := db.idb.NewSelect().Model(&list).Where("registry.account_id = ?", q.AccountID)
	for _, f := range q.Filters {
		sel = where(sel, registryFilter(f))
	}
	total, err := sel.Count(ctx)
	if err != nil {
		return nil, 0, wrap(err, "count registries of account %d", q.AccountID)
	}
	direction := "DESC"
	if q.By == "InsertTime" && !q.Desc {
		direction = "ASC"
	}
	err = page(sel, q.Limit, q.Offset).
		OrderExpr("registry.created_at " + direction + ", registry.id " + direction).Scan(ctx)
	return list, int(total), wrap(err, "registries of account %d", q.AccountID)
}

func registryFilter(f Filter) cond {
	switch f.Name {
	case "Name", "InstanceName":
		return contains("registry.name", f)
	case "Url":
		return contains("registry.url", f)
	case "RegistryType":
		return equals("registry.type", lower(f.Values))
	case "RegistryId":
		return idIn("registry.id", f.Values)
	}
	return cond{}
}

// RegistryIDs are the ids of the account's registries.
func (db *DB) RegistryIDs(ctx context.Context, accountID int64) ([]int64, error) {
	var ids []int64
	err := db.idb.NewSelect().Model((*Registry)(nil)).Column("id").
		Where("account_id = ?", accountID).Order("id").Scan(ctx, &ids)
	return ids, wrap(err, "registry ids of account %d", accountID)
}

// BeginSync marks a synchronisation of the registry as going on. It answers
// false when one is going on already.
func (db *DB) BeginSync(ctx context.Context, id int64, now Moment) (started bool, err error) {
	dead := now - Moment(syncLease.Milliseconds())
	n, err := changed(db.idb.NewUpdate().Model((*Registry)(nil)).
		Set("sync_status = ?", SyncDoing).Set("sync_started_at = ?", now).
		Where("id = ?", id).Where("sync_status <> ? OR sync_started_at < ?", SyncDoing, dead).Exec(ctx))
	return n == 1, wrap(err, "begin synchronisation of registry %d", id)
}

// EndSync records how the synchronisation of the registry ended.
func (db *DB) EndSync(ctx context.Context, id int64, now Moment, status, reason, solution string) error {
	up := db.idb.NewUpdate().Model((*Registry)(nil)).
		Set("sync_status = ?", status).
		Set("sync_reason = ?", text(reason)).
		Set("sync_solution = ?", text(solution)).
		Where("id = ?", id)
	if status == SyncSuccess {
		up = up.Set("synced_at = ?", now)
	}
	return wrap(one(up.Exec(ctx)), "end synchronisation of registry %d", id)
}

// AbandonSyncs ends as failed every synchronisation that began before a moment.
// A process that runs alone calls it when it starts: whatever is "doing" then
// has died with its predecessor.
func (db *DB) AbandonSyncs(ctx context.Context, before Moment, reason, solution string) (int64, error) {
	n, err := changed(db.idb.NewUpdate().Model((*Registry)(nil)).
		Set("sync_status = ?", SyncFailed).
		Set("sync_reason = ?", text(reason)).
		Set("sync_solution = ?", text(solution)).
		Where("sync_status = ?", SyncDoing).Where("sync_started_at < ?", before).Exec(ctx))
	return n, wrap(err, "abandon synchronisations")
}

// page applies Limit and Offset; SQLite knows no OFFSET without a LIMIT.
func page(sel *bun.SelectQuery, limit, offset int) *bun.SelectQuery {
	if limit > 0 {
		sel = sel.Limit(int64(limit))
	} else if offset > 0 {
		sel = sel.Limit(1 << 40)
	}
	return sel.Offset(int64(offset))
}
