package scan

import (
	"context"
	"errors"
	"fmt"

	"dogwatch/internal/finding"
	"dogwatch/internal/store"
)

// writeOutcome puts what an item came to into its image row. A part that failed
// keeps the findings of its last success; a part that was not asked for stays
// as it was before the scan.
func (s *Service) writeOutcome(ctx context.Context, db *store.DB, item *store.Item, r *result) error {
	row, err := db.Image(ctx, item.AccountID, item.ImageID)
	if errors.Is(err, store.ErrNotFound) {
		return nil // the registry or the tag was removed meanwhile
	}
	if err != nil {
		return fmt.Errorf("scan: reading image %d: %w", item.ImageID, err)
	}
	if row.ItemID != item.ID {
		return nil // a synchronisation saw the tag move: this was the former content
	}
	image, err := s.adopt(ctx, db, item, &row.Image, r.content)
	if err != nil {
		return err
	}
	image.ScannedAt = s.now()
	image.RemainSeconds = 0
	image.Reason, image.Solution = r.reason, r.advice
	if r.found == nil {
		failParts(image, item.Parts, r.code)
	} else {
		s.assessParts(image, item.Parts, r.found)
	}
	image.ScanStatus = overall(image, item.Parts)
	if err := db.PutImageOutcome(ctx, image, item.ID); err != nil {
		return fmt.Errorf("scan: writing the outcome of image %d: %w", item.ImageID, err)
	}
	return nil
}

// adopt follows a tag that moved between the list and the scan: the findings of
// the former content do not describe the new one, so every part begins anew.
func (s *Service) adopt(ctx context.Context, db *store.DB, item *store.Item, image *store.Image, content *store.Content) (*store.Image, error) {
	if content == nil {
		return image, nil
	}
	if image.Digest != content.Digest {
		seen := *image
		seen.Digest, seen.ImageID = content.Digest, content.ConfigDigest
		seen.Size, seen.CreatedAt = content.Size, content.CreatedAt
		seen.ItemID = item.ID
		// The last tag that pointed there may have been removed meanwhile.
		if err := db.PutContent(ctx, content); err != nil {
			return nil, fmt.Errorf("scan: storing content %s: %w", content.Digest, err)
		}
		if _, err := db.UpsertImage(ctx, &seen); err != nil {
			return nil, fmt.Errorf("scan: following the moved tag of image %d: %w", image.ID, err)
		}
		if err := db.RefreshLatest(ctx, image.RegistryID); err != nil {
			return nil, fmt.Errorf("scan: following the moved tag of image %d: %w", image.ID, err)
		}
		image = &seen
		for _, p := range partsOf(image) {
			if !item.Parts.Has(p.part) {
				*p.status, *p.progress = store.NotScan, 0
			}
		}
	}
	image.AssessedDigest = content.Digest
	return image, nil
}

func failParts(image *store.Image, parts store.Parts, code string) {
	for _, p := range partsOf(image) {
		if parts.Has(p.part) {
			p.set(store.ScanErr, code)
		}
	}
}

// assessParts writes a judgement. A part that was examined, but not whole, is
// SCANNED with a code, a reason and an advice beside it: it never reads as clean.
func (s *Service) assessParts(image *store.Image, parts store.Parts, found *finding.Assessment) {
	failed := found.Failed()
	for _, p := range partsOf(image) {
		switch {
		case !parts.Has(p.part):
		case failed.Has(p.part):
			p.set(store.ScanErr, found.Code(p.part))
		default:
			p.set(store.Scanned, found.Code(p.part))
			*p.at = s.now()
		}
	}
	image.OSName, image.ComponentCnt = found.OSName, found.ComponentCnt
	image.Reason, image.Solution = found.Words()
	done := parts &^ failed
	if done.Has(store.PartCVE) {
		writeVulnerabilities(image, found)
	}
	if done.Has(store.PartVirus) {
		image.VirusCnt = found.VirusCnt
	}
	if done.Has(store.PartRisk) {
		image.RiskCnt, image.SensitiveCnt = found.RiskCnt, found.SensitiveCnt
	}
}

func writeVulnerabilities(image *store.Image, found *finding.Assessment) {
	image.Snapshot = found.Snapshot
	image.VulCnt = found.VulCnt
	image.CriticalCnt, image.HighCnt, image.MediumCnt, image.LowCnt = found.CriticalCnt, found.HighCnt, found.MediumCnt, found.LowCnt
	image.NeedFix = found.NeedFix
}

// overall is SCAN_ERR only if every part asked for failed (reference E1).
func overall(image *store.Image, parts store.Parts) string {
	for _, p := range partsOf(image) {
		if parts.Has(p.part) && *p.status == store.Scanned {
			return store.Scanned
		}
	}
	return store.ScanErr
}

// part points at the columns of one part of a scan.
type part struct {
	part     store.Parts
	status   *string
	progress *int64
	code     *string
	at       *store.Moment
}

func (p part) set(status, code string) { *p.status, *p.progress, *p.code = status, 100, code }

func partsOf(image *store.Image) []part {
	return []part{
		{store.PartCVE, &image.CveStatus, &image.CveProgress, &image.CveError, &image.CveAt},
		{store.PartVirus, &image.VirusStatus, &image.VirusProgress, &image.VirusError, &image.VirusAt},
		{store.PartRisk, &image.RiskStatus, &image.RiskProgress, &image.RiskError, &image.RiskAt},
	}
}
