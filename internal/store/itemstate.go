package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/uptrace/bun"
)

// underWay are the states of an item that has not ended.
var underWay = []string{ItemQueued, ItemRunning}

// BeginItem hands an item to a worker: a queued one starts, a running one is
// taken over. The attempt grows, so the former owner's writes fail from here on.
// The first time the image's state is kept in the item; the image shows
// SCANNING, and so do the parts that are asked for. ErrNotFound means that the
// item has ended or is gone.
func (db *DB) BeginItem(ctx context.Context, itemID int64, owner string, now Moment) (*Item, error) {
	item := new(Item)
	err := db.atomically(ctx, func(db *DB) error {
		err := db.idb.NewUpdate().Model(item).
			Set("state = ?", ItemRunning).Set("owner = ?", owner).
			Set("attempt = attempt + 1").
			Set("started_at = CASE WHEN started_at = 0 THEN ? ELSE started_at END", now).
			Where("id = ?", itemID).Where("state IN (?)", bun.List(underWay)).
			Returning("*").Scan(ctx)
		if err != nil {
			return err
		}
		return db.holdImage(ctx, item)
	})
	if err != nil {
		return nil, wrap(err, "begin item %d", itemID)
	}
	return item, nil
}

// holdImage makes the item the holder of its image. An image that is gone or
// held already needs nothing.
func (db *DB) holdImage(ctx context.Context, item *Item) error {
	var images []Image
	err := db.idb.NewSelect().Model(&images).Where("id = ?", item.ImageID).Scan(ctx)
	if err != nil || len(images) == 0 || images[0].ItemID == item.ID {
		return err
	}
	image := &images[0]
	if item.Prior, err = db.priorState(ctx, image); err != nil {
		return err
	}
	_, err = db.idb.NewUpdate().Model(item).Column("prior").WherePK().Exec(ctx)
	if err != nil {
		return err
	}
	startParts(image, item.Parts)
	image.ItemID, image.RemainSeconds = item.ID, 0
	_, err = db.idb.NewUpdate().Model(image).Column(stateColumns...).WherePK().Exec(ctx)
	return err
}

// stateColumns are the image columns of a ScanState, the holder and the estimate.
var stateColumns = []string{
	"scan_status", "cve_status", "virus_status", "risk_status",
	"cve_progress", "virus_progress", "risk_progress",
	"cve_error", "virus_error", "risk_error", "reason", "solution",
	"item_id", "remain_seconds",
}

// priorState is what to put back when the scan is stopped. An image that a
// former item left in the middle has that item's own prior state.
func (db *DB) priorState(ctx context.Context, image *Image) (json.RawMessage, error) {
	if image.ItemID != 0 {
		var former []Item
		err := db.idb.NewSelect().Model(&former).Column("prior").Where("id = ?", image.ItemID).Scan(ctx)
		if err != nil {
			return nil, err
		}
		if len(former) == 1 && len(former[0].Prior) > 0 {
			return former[0].Prior, nil
		}
	}
	return json.Marshal(ScanState{
		ScanStatus: image.ScanStatus, CveStatus: image.CveStatus, VirusStatus: image.VirusStatus, RiskStatus: image.RiskStatus,
		CveProgress: image.CveProgress, VirusProgress: image.VirusProgress, RiskProgress: image.RiskProgress,
		CveError: image.CveError, VirusError: image.VirusError, RiskError: image.RiskError,
		Reason: image.Reason, Solution: image.Solution,
	})
}

// startParts shows the parts that are asked for as scanning, from zero.
func startParts(i *Image, parts Parts) {
	i.ScanStatus, i.Reason, i.Solution = Scanning, "", ""
	if parts.Has(PartCVE) {
		i.CveStatus, i.CveProgress, i.CveError = Scanning, 0, ""
	}
	if parts.Has(PartVirus) {
		i.VirusStatus, i.VirusProgress, i.VirusError = Scanning, 0, ""
	}
	if parts.Has(PartRisk) {
		i.RiskStatus, i.RiskProgress, i.RiskError = Scanning, 0, ""
	}
}

// CancelItems ends the queued (and, unless onlyQueued, the running) items of a
// run in the given state and puts their images back to what they were. imageIDs
// nil means all images; empty means none. It returns the items it ended.
func (db *DB) CancelItems(
	ctx context.Context, runID int64, imageIDs []int64, state string, now Moment, onlyQueued bool,
) ([]Item, error) {
	from := underWay
	if onlyQueued {
		from = []string{ItemQueued}
	}
	ended := []Item{}
	err := db.atomically(ctx, func(db *DB) error {
		up := db.idb.NewUpdate().Model(&ended).ModelTableExpr("item").
			Set("state = ?", state).Set("finished_at = ?", now).
			Where("run_id = ?", runID).Where("state IN (?)", bun.List(from))
		if imageIDs != nil {
			up = up.Where("image_id IN (?)", bun.List(imageIDs))
		}
		if err := up.Returning("*").Scan(ctx); err != nil {
			return err
		}
		for k := range ended {
			if err := db.RestoreImage(ctx, &ended[k]); err != nil {
				return err
			}
		}
		return nil
	})
	return ended, wrap(err, "cancel items of run %d", runID)
}

// RestoreImage puts the item's image back to the state it had before, if the
// item holds it.
func (db *DB) RestoreImage(ctx context.Context, item *Item) error {
	if len(item.Prior) == 0 {
		return nil
	}
	var s ScanState
	if err := json.Unmarshal(item.Prior, &s); err != nil {
		return fmt.Errorf("store: former state in item %d: %w", item.ID, err)
	}
	image := &Image{
		ScanStatus: s.ScanStatus, CveStatus: s.CveStatus, VirusStatus: s.VirusStatus, RiskStatus: s.RiskStatus,
		CveProgress: s.CveProgress, VirusProgress: s.VirusProgress, RiskProgress: s.RiskProgress,
		CveError: s.CveError, VirusError: s.VirusError, RiskError: s.RiskError,
		Reason: s.Reason, Solution: s.Solution,
	}
	_, err := db.idb.NewUpdate().Model(image).Column(stateColumns...).
		Where("id = ?", item.ImageID).Where("item_id = ?", item.ID).Exec(ctx)
	return wrap(err, "restore image %d", item.ImageID)
}
