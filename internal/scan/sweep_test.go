package scan_test

import (
	"testing"
	"time"

	"dogwatch/internal/scan"
	"dogwatch/internal/store"
)

func TestItemsOfOldRunsAreRemoved(t *testing.T) {
	r := newRig(t, options{workers: 2})
	old := r.start(scan.Request{Scope: store.Scope{Kind: 0}})
	r.waitRun()
	r.clock.Advance(34 * 24 * time.Hour)
	fresh := r.start(scan.Request{Scope: store.Scope{Kind: 0}})
	r.waitRun()
	r.must(r.scans.Tick(t.Context()))
	if got := len(r.itemsOf(old.ID)); int64(got) != old.Total {
		t.Errorf("%d items after 34 days, want all %d: the quota of the month counts them", got, old.Total)
	}
	r.clock.Advance(2 * 24 * time.Hour)
	r.must(r.scans.Tick(t.Context()))
	if got := len(r.itemsOf(old.ID)); got != 0 {
		t.Errorf("%d items of a run that ended 36 days ago are left", got)
	}
	if got := len(r.itemsOf(fresh.ID)); int64(got) != fresh.Total {
		t.Errorf("%d items of a recent run, want %d", got, fresh.Total)
	}
	if run := r.run(old.ID); run.Finished != old.Total {
		t.Errorf("the old run counts %d images, want %d", run.Finished, old.Total)
	}
}
