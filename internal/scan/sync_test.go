package scan_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"dogwatch/internal/inventory"
	"dogwatch/internal/scan"
	"dogwatch/internal/store"
)

// faultySyncer fails as one does that cannot write to the database: the
// registry row is left as it was.
type faultySyncer struct {
	scan.Syncer
	faults atomic.Int32 // to come
	calls  atomic.Int32
}

func (f *faultySyncer) Sync(ctx context.Context, registryID int64) (inventory.Report, error) {
	f.calls.Add(1)
	if f.faults.Add(-1) >= 0 {
		return inventory.Report{}, errors.New("disk full")
	}
	return f.Syncer.Sync(ctx, registryID)
}

func TestASynchronisationThatCouldNotWriteItsEndIsWorkedAgain(t *testing.T) {
	var faulty *faultySyncer
	r := newRig(t, options{syncer: func(s scan.Syncer) scan.Syncer {
		faulty = &faultySyncer{Syncer: s}
		return faulty
	}})
	before := faulty.calls.Load()
	faulty.faults.Store(1)
	r.sync() // does not return before the registry says success
	if got := faulty.calls.Load() - before; got != 2 {
		t.Errorf("synchronised %d times, want 2: one failed without a trace", got)
	}
}

// A registry that cannot be read is not asked again until somebody wants it.
func TestASynchronisationThatFailedIsNotWorkedAgain(t *testing.T) {
	r := newRig(t, options{})
	r.front.set(r.front.hidden, "/v2/", true)
	r.must(r.scans.SyncNow(t.Context(), r.account, nil))
	r.eventually("the synchronisation to fail", func() bool {
		row, err := r.store.Registry(t.Context(), r.account, r.registry)
		r.must(err)
		return row.SyncStatus == store.SyncFailed && row.SyncReason != ""
	})
	r.eventually("its job to end", func() bool {
		var left int
		r.must(r.store.SQL().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM river_job WHERE kind = ? AND state <> 'completed'", scan.KindSync).Scan(&left))
		return left == 0
	})
}

// NeedScan licenses what it scans, but no more than the operator allows.
func TestNewImagesAreLicensedUpToTheCap(t *testing.T) {
	r := newRig(t, options{workers: 2})
	r.must(r.store.SetAuthorized(t.Context(), r.account, r.imageIDs(), false))
	kept := r.image("shop/web:1.4").ID // not the newest of its repository
	r.must(r.store.SetAuthorized(t.Context(), r.account, []int64{kept}, true))
	account, err := r.store.Account(t.Context(), r.account)
	r.must(err)
	account.LicenceCap = 3
	r.must(r.store.UpdateAccount(t.Context(), account))
	row, err := r.store.Registry(t.Context(), r.account, r.registry)
	r.must(err)
	row.NeedScan = true
	r.must(r.store.UpdateRegistry(t.Context(), row))
	r.sync()
	r.waitRun()
	var licensed, scanned int
	for _, image := range r.images() {
		if image.Authorized {
			licensed++
		}
		if image.ScanStatus == store.Scanned {
			scanned++
		}
	}
	if licensed != 3 || scanned != 2 {
		t.Errorf("%d images are licensed and %d were scanned, want 3 and the 2 new ones", licensed, scanned)
	}
}
