package scan

import (
	"context"
	"errors"
	"fmt"
	"time"

	"dogwatch/internal/inventory"
	"dogwatch/internal/schedule"
	"dogwatch/internal/store"
)

// syncLimit bounds one synchronisation; a catalogue on slow storage takes long.
const syncLimit = 6 * time.Hour

// SyncNow starts reading the lists of the given registries (nil: all of the
// account) and returns at once. A synchronisation that is already running is
// joined. An unknown id is store.ErrNotFound and starts nothing.
func (s *Service) SyncNow(ctx context.Context, accountID int64, registryIDs []int64) error {
	return s.cfg.Store.Tx(ctx, func(ctx context.Context, db *store.DB, enqueue store.Enqueue) error {
		return s.enqueueSync(ctx, db, enqueue, accountID, registryIDs)
	})
}

func (s *Service) enqueueSync(ctx context.Context, db *store.DB, enqueue store.Enqueue, accountID int64, registryIDs []int64) error {
	if registryIDs == nil {
		all, err := db.RegistryIDs(ctx, accountID)
		if err != nil {
			return fmt.Errorf("scan: listing registries: %w", err)
		}
		registryIDs = all
	}
	for _, id := range registryIDs {
		if _, err := db.Registry(ctx, accountID, id); err != nil {
			return fmt.Errorf("scan: registry %d: %w", id, err)
		}
		// The state shows from the moment of the request, not only once a worker is free.
		started, err := db.BeginSync(ctx, id, s.now())
		if err != nil {
			return fmt.Errorf("scan: marking registry %d: %w", id, err)
		}
		if !started {
			continue // it is running already: joined
		}
		if err := enqueue(ctx, store.Job{Args: SyncJob{RegistryID: id}, Priority: 1}); err != nil {
			return fmt.Errorf("scan: enqueueing the synchronisation of registry %d: %w", id, err)
		}
	}
	return nil
}

// abandonSyncs ends synchronisations that claim to run for longer than one may:
// their job is gone.
func (s *Service) abandonSyncs(ctx context.Context) error {
	before := store.At(s.cfg.Clock.Now().Add(-syncLimit))
	n, err := s.cfg.Store.AbandonSyncs(ctx, before, "the synchronisation was interrupted", "synchronise the registry again")
	if err != nil {
		return fmt.Errorf("scan: %w", err)
	}
	if n > 0 {
		s.cfg.Logger.Warn("synchronisations given up", "registries", n)
	}
	return nil
}

// syncRegistry works the job of one synchronisation, and licenses and scans
// what the registry's NeedScan asks for.
func (s *Service) syncRegistry(ctx context.Context, registryID int64) error {
	report, err := s.cfg.Syncer.Sync(ctx, registryID)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	outcome := store.SyncSuccess
	if err != nil {
		outcome = store.SyncFailed
		s.cfg.Logger.Warn("synchronisation failed", "registry", registryID, "error", err.Error())
	} else {
		s.cfg.Logger.Info("registry synchronised", "registry", registryID, "repositories", report.Repositories, "images", report.Images,
			"new", report.New, "moved", report.Moved, "gone", report.Gone, "skipped", report.Skipped, "failed", report.Failed)
	}
	if observe := s.cfg.Observer.Synchronised; observe != nil {
		observe(outcome)
	}
	if err != nil {
		return s.unlessEnded(ctx, registryID, err)
	}
	return s.scanNew(ctx, registryID, report)
}

// unlessEnded drops the error of a synchronisation whose end stands in the
// registry row, with its cause: the next one tries again. One that could not
// even write its end is worked again, or the row would claim for hours that it
// is going on.
func (s *Service) unlessEnded(ctx context.Context, registryID int64, cause error) error {
	row, err := s.cfg.Store.RegistryByID(ctx, registryID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil
	case err != nil || row.SyncStatus == store.SyncDoing:
		return cause
	}
	return nil
}

func (s *Service) scanNew(ctx context.Context, registryID int64, report inventory.Report) error {
	if len(report.NeedScan) == 0 {
		return nil
	}
	row, err := s.cfg.Store.RegistryByID(ctx, registryID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("scan: reading registry %d: %w", registryID, err)
	}
	if err := s.license(ctx, row.AccountID, report.NeedScan); err != nil {
		return fmt.Errorf("scan: licensing new images of registry %d: %w", registryID, err)
	}
	_, err = s.Start(ctx, row.AccountID, Request{Kind: store.RunSync, Parts: store.AllParts, Scope: store.Scope{Kind: 1, IDs: report.NeedScan}})
	if errors.Is(err, ErrNothing) || errors.Is(err, ErrQuota) || errors.Is(err, ErrAlreadyScanning) {
		s.cfg.Logger.Info("new images not scanned", "registry", registryID, "cause", err.Error())
		return nil
	}
	return err
}

// license gives licences to those of the images that have none, oldest rows
// first, as far as the account's cap allows.
func (s *Service) license(ctx context.Context, accountID int64, imageIDs []int64) error {
	return s.cfg.Store.Tx(ctx, func(ctx context.Context, db *store.DB, _ store.Enqueue) error {
		account, err := db.Account(ctx, accountID)
		if err != nil {
			return err
		}
		if account.LicenceCap == 0 {
			return db.SetAuthorized(ctx, accountID, imageIDs, true)
		}
		licensed, unlicensed := true, false
		used, err := db.CountImages(ctx, store.ImageQuery{AccountID: accountID, Licensed: &licensed})
		if err != nil {
			return err
		}
		left := account.LicenceCap - int64(used)
		if left <= 0 {
			return nil
		}
		rows, err := db.ImagesPage(ctx, store.ImageQuery{
			AccountID: accountID, IDs: imageIDs, Licensed: &unlicensed, Ascending: true, Limit: int(left),
		})
		if err != nil {
			return err
		}
		return db.SetAuthorized(ctx, accountID, ids(rows), true)
	})
}

// nightly starts the synchronisation of every account whose minute has come.
func (s *Service) nightly(ctx context.Context) error {
	accounts, err := s.cfg.Store.Accounts(ctx)
	if err != nil {
		return fmt.Errorf("scan: reading accounts: %w", err)
	}
	var errs []error
	for i := range accounts {
		account := &accounts[i]
		if account.SyncMinute < 0 {
			continue
		}
		due, day := schedule.Nightly(int(account.SyncMinute), s.cfg.Clock.Now(), account.SyncedDay, s.cfg.Location)
		if !due {
			continue
		}
		errs = append(errs, s.syncNight(ctx, account.ID, day))
	}
	return errors.Join(errs...)
}

func (s *Service) syncNight(ctx context.Context, accountID int64, day string) error {
	return s.cfg.Store.Tx(ctx, func(ctx context.Context, db *store.DB, enqueue store.Enqueue) error {
		account, err := db.Account(ctx, accountID)
		if err != nil {
			return fmt.Errorf("scan: reading account %d: %w", accountID, err)
		}
		account.SyncedDay = day
		if err := db.UpdateAccount(ctx, account); err != nil {
			return fmt.Errorf("scan: writing account %d: %w", accountID, err)
		}
		return s.enqueueSync(ctx, db, enqueue, accountID, nil)
	})
}
