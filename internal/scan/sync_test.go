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
