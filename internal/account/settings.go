package account

import (
	"context"
	"fmt"
	"math"

	"dogwatch/internal/store"
)

// Settings are what an operator decides about an account. Nil leaves a value as
// it is. Scans and prices are counted in tenths of a scan.
type Settings struct {
	LicenceCap   *int64   // licensed images at most; 0: no cap
	MonthlyScans *float64 // scan quota of a month; 0: unlimited
	FirstPrice   *float64 // scans that the first scan of an image costs
	AgainPrice   *float64 // scans that a later one costs
	SyncMinute   *int64   // minute after midnight of the nightly synchronisation, 0 to 179; -1: off
}

// Configure changes the settings of an account and returns it.
func (s *Service) Configure(ctx context.Context, name string, to Settings) (*store.Account, error) {
	var changed *store.Account
	err := s.store.Tx(ctx, func(ctx context.Context, db *store.DB, _ store.Enqueue) error {
		a, err := db.AccountByName(ctx, name)
		if err != nil {
			return err
		}
		if err := to.apply(a); err != nil {
			return err
		}
		changed = a
		return db.UpdateAccount(ctx, a)
	})
	if err != nil {
		return nil, fmt.Errorf("account: settings of %q: %w", name, err)
	}
	return changed, nil
}

// List returns all accounts by id.
func (s *Service) List(ctx context.Context) ([]store.Account, error) {
	list, err := s.store.Accounts(ctx)
	if err != nil {
		return nil, fmt.Errorf("account: %w", err)
	}
	return list, nil
}

func (to Settings) apply(a *store.Account) error {
	if to.LicenceCap != nil {
		if *to.LicenceCap < 0 {
			return fmt.Errorf("the licence cap %d is negative; 0 means none", *to.LicenceCap)
		}
		a.LicenceCap = *to.LicenceCap
	}
	if to.SyncMinute != nil {
		if *to.SyncMinute < -1 || *to.SyncMinute > 179 {
			return fmt.Errorf("the minute %d of the nightly synchronisation is not from 0 to 179, nor -1 for none", *to.SyncMinute)
		}
		a.SyncMinute = *to.SyncMinute
	}
	for _, scans := range []struct {
		what string
		from *float64
		to   *int64
	}{
		{"quota", to.MonthlyScans, &a.QuotaTenths}, {"price of a first scan", to.FirstPrice, &a.FirstPrice}, {"price of a later scan", to.AgainPrice, &a.AgainPrice},
	} {
		if scans.from == nil {
			continue
		}
		n, err := tenths(*scans.from)
		if err != nil {
			return fmt.Errorf("the %s: %w", scans.what, err)
		}
		*scans.to = n
	}
	return nil
}

// maxScans keeps sums of tenths far below the largest integer.
const maxScans = 1e12

func tenths(scans float64) (int64, error) {
	if !(scans >= 0 && scans <= maxScans) {
		return 0, fmt.Errorf("%v is not from 0 to %v scans", scans, maxScans)
	}
	return int64(math.Round(scans * 10)), nil
}
