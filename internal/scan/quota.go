package scan

import (
	"context"
	"fmt"
	"time"

	"dogwatch/internal/store"
)

// purse is what is left of an account's quota, as read in one transaction.
type purse struct {
	account *store.Account
	left    int64 // tenths; of no meaning without a quota
}

func (s *Service) purse(ctx context.Context, db *store.DB, accountID int64) (*purse, error) {
	account, err := db.Account(ctx, accountID)
	if err != nil {
		return nil, fmt.Errorf("scan: reading account %d: %w", accountID, err)
	}
	p := &purse{account: account}
	if p.unlimited() {
		return p, nil
	}
	used, err := db.UsedTenths(ctx, accountID, s.quotaStart(account))
	if err != nil {
		return nil, fmt.Errorf("scan: reading the quota used: %w", err)
	}
	p.left = account.QuotaTenths - used
	return p, nil
}

func (p *purse) unlimited() bool { return p.account.QuotaTenths == 0 }

// pay takes what scanning an image costs in tenths: content that has a result
// already is cheaper (tcss-behaviour, graded scans). It answers false, and takes
// nothing, if the quota does not cover it.
func (p *purse) pay(again bool) (cost int64, ok bool) {
	cost = p.account.FirstPrice
	if again {
		cost = p.account.AgainPrice
	}
	if p.unlimited() {
		return cost, true
	}
	if cost > p.left {
		return cost, false
	}
	p.left -= cost
	return cost, true
}

// pricePage is how many images of a scope are priced at a time.
const pricePage = 500

// covered refuses a request that the quota of the month does not cover: a run
// started by hand needs all of its images covered, a timing run at least one.
func (s *Service) covered(ctx context.Context, db *store.DB, accountID int64, req Request) error {
	p, err := s.purse(ctx, db, accountID)
	if err != nil || p.unlimited() {
		return err
	}
	query := store.ScopeQuery(accountID, req.Scope)
	query.Ascending, query.Limit = true, pricePage
	for {
		images, err := db.ImagesPage(ctx, query)
		if err != nil {
			return fmt.Errorf("scan: pricing the scope: %w", err)
		}
		known, err := assessed(ctx, db, accountID, images)
		if err != nil {
			return err
		}
		for i := range images {
			if _, ok := p.pay(known[images[i].ImageID]); !ok {
				return ErrQuota
			}
			if req.Kind == store.RunTiming {
				return nil
			}
		}
		if len(images) < pricePage {
			return nil
		}
		query.AfterID = images[len(images)-1].ID
	}
}

// assessed tells which contents of the images (ImageID) have a result already,
// under whichever tag.
func assessed(ctx context.Context, db *store.DB, accountID int64, images []store.ImageRow) (map[string]bool, error) {
	contents := make([]string, len(images))
	for i := range images {
		contents[i] = images[i].ImageID
	}
	known, err := db.AssessedContents(ctx, accountID, contents)
	if err != nil {
		return nil, fmt.Errorf("scan: looking for results of account %d: %w", accountID, err)
	}
	return known, nil
}

func (s *Service) outOfQuota(run *store.Run) {
	run.Expanded = true
	run.Reason = store.ResultInsufficientLicense
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
