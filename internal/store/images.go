package store

import (
	"context"
	"errors"

	"github.com/uptrace/bun"
)

// outcome are the image columns that a scan's end writes.
var outcome = []string{
	"scan_status", "cve_status", "virus_status", "risk_status",
	"cve_progress", "virus_progress", "risk_progress",
	"cve_error", "virus_error", "risk_error", "reason", "solution",
	"scanned_at", "remain_seconds", "os_name",
	"assessed_digest", "snapshot", "cve_at", "virus_at", "risk_at",
	"vul_cnt", "critical_cnt", "high_cnt", "medium_cnt", "low_cnt",
	"virus_cnt", "risk_cnt", "sensitive_cnt", "component_cnt", "need_fix",
}

// UpsertImage stores what a synchronisation saw of one tag; its key is account,
// registry, repository and tag. A new image gets a row in state NOT_SCAN. A
// known one keeps its id, licence and history; i is filled with the stored row.
//
// moved tells that a known tag points to another digest: its scan state returns
// to NOT_SCAN, counts and assessment are cleared, and the item that was scanning
// it lets go. Only a scan that finds the move itself keeps the image, by naming
// its item in i.ItemID.
func (db *DB) UpsertImage(ctx context.Context, i *Image) (moved bool, err error) {
	tidyImage(i)
	err = db.atomically(ctx, func(db *DB) error {
		old, err := db.TaggedImage(ctx, i.AccountID, i.RegistryID, i.Repository, i.Tag)
		if errors.Is(err, ErrNotFound) {
			return db.insertImage(ctx, i)
		}
		if err != nil {
			return err
		}
		former := old.Digest
		moved = former != i.Digest
		see(old, i, moved)
		*i = *old
		if _, err = db.idb.NewUpdate().Model(i).WherePK().Exec(ctx); err != nil || !moved {
			return err
		}
		return db.dropOrphans(ctx, i.AccountID, []string{former})
	})
	return moved, wrap(err, "upsert image %s:%s of registry %d", i.Repository, i.Tag, i.RegistryID)
}

// TaggedImage is the image of one tag of one repository.
func (db *DB) TaggedImage(ctx context.Context, accountID, registryID int64, repository, tag string) (*Image, error) {
	i := new(Image)
	err := db.idb.NewSelect().Model(i).
		Where("account_id = ?", accountID).Where("registry_id = ?", registryID).
		Where("repository = ?", text(repository)).Where("tag = ?", text(tag)).Scan(ctx)
	if err != nil {
		return nil, wrap(err, "image %s:%s of registry %d", repository, tag, registryID)
	}
	return i, nil
}

func (db *DB) insertImage(ctx context.Context, i *Image) error {
	for _, s := range []*string{&i.ScanStatus, &i.CveStatus, &i.VirusStatus, &i.RiskStatus} {
		if *s == "" {
			*s = NotScan
		}
	}
	if i.FoundAt == 0 {
		i.FoundAt = i.SeenAt
	}
	_, err := db.idb.NewInsert().Model(i).Exec(ctx)
	return err
}

// see brings the stored row up to what was seen now.
func see(old, seen *Image, moved bool) {
	if moved {
		clearAssessment(old, seen.ItemID)
		old.ImageID, old.Size, old.CreatedAt, old.OSName = "", 0, 0, ""
	}
	old.Namespace, old.Name, old.Address = seen.Namespace, seen.Name, seen.Address
	old.Digest, old.SeenAt = seen.Digest, max(old.SeenAt, seen.SeenAt)
	if seen.ImageID != "" {
		old.ImageID = seen.ImageID
	}
	if seen.Size != 0 {
		old.Size = seen.Size
	}
	if seen.CreatedAt != 0 {
		old.CreatedAt = seen.CreatedAt
	}
	if seen.OSName != "" {
		old.OSName = seen.OSName
	}
}

// clearAssessment forgets what is known of the former content. A holder keeps
// the state columns: it writes them itself.
func clearAssessment(i *Image, holder int64) {
	kept := *i
	*i = Image{
		ID: i.ID, AccountID: i.AccountID, RegistryID: i.RegistryID,
		Namespace: i.Namespace, Name: i.Name, Tag: i.Tag, Repository: i.Repository, Address: i.Address,
		IsLatest: i.IsLatest, Authorized: i.Authorized, Trusted: i.Trusted,
		FoundAt: i.FoundAt, SeenAt: i.SeenAt,
		ScanStatus: NotScan, CveStatus: NotScan, VirusStatus: NotScan, RiskStatus: NotScan,
	}
	if holder == 0 || holder != kept.ItemID {
		return
	}
	i.ItemID = holder
	i.ScanStatus, i.CveStatus, i.VirusStatus, i.RiskStatus = kept.ScanStatus, kept.CveStatus, kept.VirusStatus, kept.RiskStatus
	i.CveProgress, i.VirusProgress, i.RiskProgress = kept.CveProgress, kept.VirusProgress, kept.RiskProgress
}

// DeleteUnseenImages removes the images of a registry that no synchronisation
// saw since a moment, with their ended items and the contents that nothing
// points to any more. Items under way stay: they end by themselves.
func (db *DB) DeleteUnseenImages(ctx context.Context, registryID int64, before Moment) (n int64, err error) {
	err = db.atomically(ctx, func(db *DB) error {
		gone := cond{"image.registry_id = ? AND image.seen_at < ?", []any{registryID, before}}
		var accountID int64
		err := db.idb.NewSelect().Model((*Registry)(nil)).Column("account_id").Where("id = ?", registryID).Scan(ctx, &accountID)
		if err != nil {
			return err
		}
		n, err = db.idb.NewSelect().Model((*Image)(nil)).Where(gone.sql, gone.args...).Count(ctx)
		if err != nil || n == 0 {
			return err
		}
		return db.deleteImages(ctx, accountID, gone, ItemDone, ItemFailed, ItemCanceled, ItemTimedOut)
	})
	return n, wrap(err, "delete unseen images of registry %d", registryID)
}

func imagesOf(registryID int64) cond {
	return cond{"image.registry_id = ?", []any{registryID}}
}

// deleteImages removes the images under a condition, their items in the given
// states (none given: all), and the contents left without an image. What the
// items cost moves to the table of former costs.
func (db *DB) deleteImages(ctx context.Context, accountID int64, which cond, states ...string) error {
	var digests []string
	for _, column := range []string{"digest", "assessed_digest"} {
		var some []string
		err := db.idb.NewSelect().Model((*Image)(nil)).ColumnExpr("DISTINCT "+column).
			Where(which.sql, which.args...).Where(column+" <> ''").Scan(ctx, &some)
		if err != nil {
			return err
		}
		digests = append(digests, some...)
	}
	ids := db.idb.NewSelect().Model((*Image)(nil)).Column("id").Where(which.sql, which.args...)
	if err := db.deleteItems(ctx, ids, states); err != nil {
		return err
	}
	if _, err := db.idb.NewDelete().Model((*Image)(nil)).Where(which.sql, which.args...).Exec(ctx); err != nil {
		return err
	}
	return db.dropOrphans(ctx, accountID, digests)
}

// RefreshLatest marks the newest image of each repository of a registry: the
// latest creation time, and of equal ones the tag that sorts last.
func (db *DB) RefreshLatest(ctx context.Context, registryID int64) error {
	const rank = "ROW_NUMBER() OVER (PARTITION BY repository ORDER BY created_at DESC, tag DESC) AS place"
	ranked := db.idb.NewSelect().Model((*Image)(nil)).ColumnExpr("id, "+rank).Where("registry_id = ?", registryID)
	newest := db.idb.NewSelect().TableExpr("(?) AS ranked", ranked).Column("id").Where("place = 1")
	_, err := db.idb.NewUpdate().Model((*Image)(nil)).
		Set("is_latest = NOT is_latest").
		Where("registry_id = ?", registryID).Where("is_latest <> (id IN (?))", newest).Exec(ctx)
	return wrap(err, "refresh the newest images of registry %d", registryID)
}

// AssessedContents tells which of the contents (Image.ImageID) have a result in
// the account, under any tag.
func (db *DB) AssessedContents(ctx context.Context, accountID int64, imageIDs []string) (map[string]bool, error) {
	known := map[string]bool{}
	if len(imageIDs) == 0 {
		return known, nil
	}
	var found []string
	err := db.idb.NewSelect().Model((*Image)(nil)).ColumnExpr("DISTINCT image_id").
		Where("account_id = ?", accountID).Where("image_id IN (?)", bun.List(imageIDs)).Where("image_id <> ''").
		Where("assessed_digest = digest").Scan(ctx, &found)
	for _, id := range found {
		known[id] = true
	}
	return known, wrap(err, "assessed contents of account %d", accountID)
}

// SetAuthorized licenses images of the account, or takes the licences back.
func (db *DB) SetAuthorized(ctx context.Context, accountID int64, ids []int64, authorized bool) error {
	if len(ids) == 0 {
		return nil
	}
	_, err := db.idb.NewUpdate().Model((*Image)(nil)).Set("authorized = ?", authorized).
		Where("account_id = ?", accountID).Where("id IN (?)", bun.List(ids)).Exec(ctx)
	return wrap(err, "license images of account %d", accountID)
}

// SetContainers records how many containers run the content with that digest.
func (db *DB) SetContainers(ctx context.Context, accountID int64, digest string, n int64) error {
	_, err := db.idb.NewUpdate().Model((*Image)(nil)).Set("containers = ?", n).
		Where("account_id = ?", accountID).Where("digest = ?", text(digest)).Exec(ctx)
	return wrap(err, "set containers of %s", digest)
}

// SetImageProgress shows how far the item that holds the image has come with
// the parts it was asked for, and how many seconds it may still take. The other
// parts keep theirs.
func (db *DB) SetImageProgress(ctx context.Context, imageID, itemID int64, parts Parts, percent, remain int64) error {
	up := db.idb.NewUpdate().Model((*Image)(nil)).Set("remain_seconds = ?", remain)
	for part, column := range map[Parts]string{PartCVE: "cve_progress", PartVirus: "virus_progress", PartRisk: "risk_progress"} {
		if parts.Has(part) {
			up = up.Set("? = ?", bun.Ident(column), percent)
		}
	}
	_, err := up.Where("id = ?", imageID).Where("item_id = ?", itemID).Exec(ctx)
	return wrap(err, "set progress of image %d", imageID)
}

// PutImageOutcome writes the outcome columns of an image (states, progress,
// errors, counts, assessment) and lets go of it. It changes nothing when the
// item no longer holds the image: the tag moved or the scan was stopped.
func (db *DB) PutImageOutcome(ctx context.Context, i *Image, itemID int64) error {
	row := *i
	tidyImage(&row)
	_, err := db.idb.NewUpdate().Model(&row).Column(outcome...).
		Set("item_id = 0").
		Where("id = ?", i.ID).Where("item_id = ?", itemID).Exec(ctx)
	return wrap(err, "put outcome of image %d", i.ID)
}

// tidyImage makes foreign texts storable.
func tidyImage(i *Image) {
	for _, s := range []*string{
		&i.Namespace, &i.Name, &i.Tag, &i.Repository, &i.Address, &i.Digest, &i.ImageID, &i.OSName,
		&i.Reason, &i.Solution, &i.CveError, &i.VirusError, &i.RiskError,
	} {
		*s = text(*s)
	}
}
