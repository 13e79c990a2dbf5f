package scan_test

import (
	"slices"
	"testing"
	"time"

	"dogwatch/internal/scan"
	"dogwatch/internal/store"
)

// idle waits until the job engine has nothing left to do.
func (r *rig) idle() {
	r.t.Helper()
	r.eventually("the jobs to end", func() bool {
		var left int
		r.must(r.store.SQL().QueryRowContext(r.t.Context(), "SELECT COUNT(*) FROM river_job WHERE state <> 'completed'").Scan(&left))
		return left == 0
	})
}

// The job engine may take the next job before the scheduler looks at the clock.
func TestNothingStartsAfterTheWindowEndEvenBeforeTheTick(t *testing.T) {
	r := newRig(t, options{workers: 1, ahead: 3})
	r.setTask(nil)
	r.front.hold()
	r.tickAt(13, 0)
	run := r.runs()[0]
	r.eventually("an item to run", func() bool { return len(r.itemsOf(run.ID, store.ItemRunning)) == 1 })
	r.clock.Set(start.Add(3 * time.Hour))
	r.front.release()
	r.idle()
	if done := r.itemsOf(run.ID, store.ItemDone); len(done) != 1 {
		t.Errorf("%d items done, want only the one that ran when the window ended", len(done))
	}
	r.must(r.scans.Tick(t.Context()))
	if got := r.waitRun(); got != store.ScanTimeout {
		t.Errorf("run ended as %s, want %s", got, store.ScanTimeout)
	}
	if ended := r.run(run.ID); ended.Finished != 1 || ended.Finished+ended.Dropped != ended.Total || ended.Total != int64(len(r.imageIDs())) {
		t.Errorf("finished %d and dropped %d of %d, want 1 and the rest", ended.Finished, ended.Dropped, ended.Total)
	}
}

// Each night the window ends while the first image is being scanned. After as
// many nights as that takes every image had its turn, and none had two before.
func TestWhatTheWindowDroppedComesFirstInTheNextRun(t *testing.T) {
	r := newRig(t, options{workers: 1, ahead: 2})
	r.setTask(nil)
	all := r.imageIDs()
	var order []int64
	for night := 0; len(order) < len(all); night++ {
		if night == len(all) {
			t.Fatalf("after %d nights these images had their turn: %v", night, order)
		}
		due := start.AddDate(0, 0, night).Add(time.Hour)
		r.front.hold()
		r.clock.Set(due)
		r.must(r.scans.Tick(t.Context()))
		run := r.runs()[0]
		r.eventually("an item to start", func() bool { return len(r.itemsOf(run.ID, store.ItemRunning, store.ItemDone)) > 0 })
		r.clock.Set(due.Add(2 * time.Hour))
		r.front.release()
		r.idle()
		r.must(r.scans.Tick(t.Context()))
		r.waitRun()
		ended := r.run(run.ID)
		if ended.Finished+ended.Dropped != ended.Total || ended.Total != int64(len(all)) {
			t.Errorf("night %d: finished %d and dropped %d of %d images", night, ended.Finished, ended.Dropped, ended.Total)
		}
		for _, item := range r.itemsOf(run.ID, store.ItemDone) {
			order = append(order, item.ImageID)
		}
	}
	first := slices.Clone(order[:len(all)])
	slices.Sort(first)
	if len(slices.Compact(first)) != len(all) {
		t.Errorf("an image had its turn twice before another had one: %v", order)
	}
}

func TestAScheduledRunLeavesAllItsImagesToAnother(t *testing.T) {
	r := newRig(t, options{workers: 1, ahead: 100})
	r.setTask(nil)
	r.front.hold()
	manual := r.start(scan.Request{Scope: store.Scope{Kind: 0}})
	r.tickAt(13, 0)
	run := r.runs()[0]
	if run.Kind != store.RunTiming || run.State != store.Scanned || run.Elsewhere != manual.Total || run.Total != run.Elsewhere {
		t.Errorf("run %+v, want one that has ended with %d images left to the other", run, manual.Total)
	}
	if task := r.task(); task.LastResult != store.ResultSuccess || task.LastRunAt != store.At(start.Add(time.Hour)) {
		t.Errorf("result %q at %s, want %q at 13:00", task.LastResult, task.LastRunAt.Time(), store.ResultSuccess)
	}
	r.front.release()
	r.waitRun()
}

func TestTheSameContentUnderAnotherTagIsScannedAgain(t *testing.T) {
	r := newRig(t, options{})
	r.retag("shop/web", "1.5", "1.4")
	r.sync()
	for _, step := range []struct {
		image string
		used  int64
	}{{"shop/web:1.4", 10}, {"shop/web:1.5", 11}, {"shop/web:1.5", 12}} {
		r.start(scan.Request{Scope: r.only(step.image)})
		r.waitRun()
		used, err := r.store.UsedTenths(t.Context(), r.account, 0)
		r.must(err)
		if used != step.used {
			t.Errorf("after %s: %d tenths used, want %d", step.image, used, step.used)
		}
	}
}
