package scan

import (
	"context"
	"fmt"
	"time"

	"dogwatch/internal/store"
)

// covered refuses a request that the quota of the month does not cover: a run
// started by hand needs all of its images covered, a timing run at least one.
func (s *Service) covered(ctx context.Context, db *store.DB, accountID int64, req Request) error {
	account, err := db.Account(ctx, accountID)
	if err != nil {
		return fmt.Errorf("scan: reading account %d: %w", accountID, err)
	}
	if account.QuotaTenths == 0 {
		return nil
	}
	used, err := db.UsedTenths(ctx, accountID, s.quotaStart(account))
	if err != nil {
		return fmt.Errorf("scan: reading the quota used: %w", err)
	}
	left := account.QuotaTenths - used
	images, err := db.ImagesPage(ctx, store.ScopeQuery(accountID, req.Scope))
	if err != nil {
		return fmt.Errorf("scan: pricing the scope: %w", err)
	}
	for i := range images {
		left -= price(account, &images[i])
		switch {
		case left < 0 && (i == 0 || req.Kind != store.RunTiming):
			return ErrQuota
		case left < 0:
			return nil
		}
	}
	return nil
}

// charge is what scanning the image costs in tenths, or -1 if the quota does not cover it.
func (s *Service) charge(ctx context.Context, db *store.DB, run *store.Run, image *store.ImageRow) (int64, error) {
	account, err := db.Account(ctx, run.AccountID)
	if err != nil {
		return 0, fmt.Errorf("scan: reading account %d: %w", run.AccountID, err)
	}
	cost := price(account, image)
	if account.QuotaTenths == 0 {
		return cost, nil
	}
	used, err := db.UsedTenths(ctx, run.AccountID, s.quotaStart(account))
	if err != nil {
		return 0, fmt.Errorf("scan: reading the quota used: %w", err)
	}
	if used+cost > account.QuotaTenths {
		return -1, nil
	}
	return cost, nil
}

func (s *Service) outOfQuota(run *store.Run) {
	run.Expanded = true
	run.Reason = store.ResultInsufficientLicense
}

// price is the cost of a scan in tenths: content that has a result already is
// cheaper (tcss-behaviour, graded scans).
func price(account *store.Account, image *store.ImageRow) int64 {
	if image.AssessedDigest != "" && image.AssessedDigest == image.Digest {
		return account.AgainPrice
	}
	return account.FirstPrice
}

// QuotaMonth is the month of the quota that now lies in: it begins each month
// on the day of the account's creation, at local midnight.
func QuotaMonth(created, now time.Time, loc *time.Location) (start, end time.Time) {
	now = now.In(loc)
	day := created.In(loc).Day()
	start = monthDay(now.Year(), now.Month(), day, loc)
	if start.After(now) {
		start = monthDay(now.Year(), now.Month()-1, day, loc)
	}
	return start, monthDay(start.Year(), start.Month()+1, day, loc)
}

// monthDay is the given day of a month, or the month's last day where it has fewer.
func monthDay(year int, month time.Month, day int, loc *time.Location) time.Time {
	last := time.Date(year, month+1, 0, 0, 0, 0, 0, loc).Day()
	return time.Date(year, month, min(day, last), 0, 0, 0, 0, loc)
}

func (s *Service) quotaStart(account *store.Account) store.Moment {
	start, _ := QuotaMonth(account.CreatedAt.Time(), s.cfg.Clock.Now(), s.cfg.Location)
	return store.At(start)
}
