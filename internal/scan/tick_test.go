package scan_test

import (
	"context"
	"testing"
	"time"

	"dogwatch/internal/scan"
	"dogwatch/internal/store"
)

// setTask stores a timing task that is due at 13:00, an hour after the rig's start.
func (r *rig) setTask(change func(*store.TimingTask)) {
	r.t.Helper()
	task := &store.TimingTask{
		AccountID: r.account, Enabled: true, Period: 1, ScanTime: "13:00", ScanEndTime: "15:00",
		Parts: store.AllParts, NextDue: store.At(start.Add(time.Hour)), UpdatedAt: store.At(start),
	}
	if change != nil {
		change(task)
	}
	r.must(r.store.PutTimingTask(r.t.Context(), task))
}

func (r *rig) task() *store.TimingTask {
	r.t.Helper()
	task, err := r.store.TimingTask(r.t.Context(), r.account)
	r.must(err)
	return task
}

func (r *rig) tickAt(hour, minute int) {
	r.t.Helper()
	r.clock.Set(time.Date(2026, 3, 2, hour, minute, 0, 0, time.UTC))
	r.must(r.scans.Tick(r.t.Context()))
}

func TestADueTaskFiresOnce(t *testing.T) {
	r := newRig(t, options{workers: 2})
	r.setTask(nil)
	r.tickAt(12, 59)
	if runs := r.runs(); len(runs) != 0 {
		t.Fatalf("%d runs before the due moment", len(runs))
	}
	r.tickAt(13, 0)
	r.tickAt(13, 0)
	if got := r.waitRun(); got != store.Scanned {
		t.Errorf("run ended as %s, want %s", got, store.Scanned)
	}
	task := r.task()
	if task.LastResult != store.ResultSuccess || task.LastRunAt != store.At(start.Add(time.Hour)) {
		t.Errorf("result %q of the run at %s, want %q at 13:00", task.LastResult, task.LastRunAt.Time(), store.ResultSuccess)
	}
	if want := store.At(start.Add(25 * time.Hour)); task.NextDue != want {
		t.Errorf("next due %s, want %s", task.NextDue.Time(), want.Time())
	}
	if runs := r.runs(); len(runs) != 1 || runs[0].WindowEnd != store.At(start.Add(3*time.Hour)) {
		t.Errorf("runs %+v, want one with a window to 15:00", runs)
	}
}

// runs are the account's runs, newest first, found through their ids.
func (r *rig) runs() []store.Run {
	r.t.Helper()
	latest, err := r.store.LatestRun(r.t.Context(), r.account)
	if err != nil {
		return nil
	}
	var runs []store.Run
	for id := latest.ID; id > 0; id-- {
		if run, err := r.store.RunByID(r.t.Context(), id); err == nil {
			runs = append(runs, *run)
		}
	}
	return runs
}

func TestADisabledTaskDoesNotFire(t *testing.T) {
	r := newRig(t, options{})
	r.setTask(func(task *store.TimingTask) { task.Enabled = false })
	r.tickAt(14, 0)
	if runs := r.runs(); len(runs) != 0 {
		t.Errorf("%d runs of a disabled task", len(runs))
	}
}

func TestAMissedMomentIsMadeUpForWhileTheWindowIsOpen(t *testing.T) {
	r := newRig(t, options{workers: 2})
	r.setTask(nil)
	r.tickAt(14, 59)
	if got := r.waitRun(); got != store.Scanned {
		t.Errorf("run ended as %s, want %s", got, store.Scanned)
	}
}

func TestAMissedMomentIsSkippedWhenTheWindowIsOver(t *testing.T) {
	r := newRig(t, options{})
	r.setTask(nil)
	r.tickAt(15, 0)
	if runs := r.runs(); len(runs) != 0 {
		t.Errorf("%d runs after the window's end", len(runs))
	}
	if task := r.task(); task.NextDue != store.At(start.Add(25*time.Hour)) || task.LastResult != "" {
		t.Errorf("next due %s, result %q; want tomorrow and none", task.NextDue.Time(), task.LastResult)
	}
}

func TestARunThatComesDueWhileTheLastOneIsGoingIsSkipped(t *testing.T) {
	r := newRig(t, options{workers: 1})
	r.setTask(func(task *store.TimingTask) { task.ScanEndTime = "" })
	r.front.hold()
	r.tickAt(13, 0)
	r.clock.Set(start.Add(24*time.Hour + 59*time.Minute))
	r.clock.Set(start.Add(25 * time.Hour))
	// The run's own time is 24 hours: move its deadline out of the way.
	run := r.runs()[0]
	run.Deadline = store.At(start.Add(48 * time.Hour))
	r.must(r.store.UpdateRun(t.Context(), &run))
	r.must(r.scans.Tick(t.Context()))
	if runs := r.runs(); len(runs) != 1 {
		t.Errorf("%d runs, want the first alone", len(runs))
	}
	if task := r.task(); task.NextDue != store.At(start.Add(49*time.Hour)) {
		t.Errorf("next due %s, want the day after", task.NextDue.Time())
	}
}

func TestNothingChosenIsAResult(t *testing.T) {
	r := newRig(t, options{})
	r.setTask(func(task *store.TimingTask) { task.Scope = store.Scope{Namespaces: []string{"nowhere"}} })
	r.tickAt(13, 0)
	if task := r.task(); task.LastResult != store.ResultImageNeedIsEmpty || len(r.runs()) != 0 {
		t.Errorf("result %q, %d runs; want %q and none", task.LastResult, len(r.runs()), store.ResultImageNeedIsEmpty)
	}
}

func TestTheQuotaOfAScheduledRunIsAResult(t *testing.T) {
	r := newRig(t, options{workers: 1})
	account, err := r.store.Account(t.Context(), r.account)
	r.must(err)
	account.QuotaTenths = 10
	r.must(r.store.UpdateAccount(t.Context(), account))
	r.setTask(nil)
	r.tickAt(13, 0)
	r.waitRun()
	if task := r.task(); task.LastResult != store.ResultInsufficientLicense {
		t.Errorf("result %q of a run the quota covered in part, want %q", task.LastResult, store.ResultInsufficientLicense)
	}
}

func TestTheWindowEndDropsWhatHasNotStarted(t *testing.T) {
	r := newRig(t, options{workers: 1, ahead: 3})
	r.setTask(nil)
	r.front.hold()
	r.tickAt(13, 0)
	run := r.runs()[0]
	r.eventually("an item to run", func() bool { return len(r.itemsOf(run.ID, store.ItemRunning)) == 1 })
	running := r.itemsOf(run.ID, store.ItemRunning)[0].ImageID
	r.tickAt(15, 0)
	r.tickAt(15, 1)
	if got := r.itemsOf(run.ID, store.ItemQueued); len(got) != 0 {
		t.Errorf("%d items still wait after the window's end", len(got))
	}
	r.front.release()
	if got := r.waitRun(); got != store.ScanTimeout {
		t.Errorf("run ended as %s, want %s", got, store.ScanTimeout)
	}
	ended := r.run(run.ID)
	if ended.Finished != 1 || ended.Finished+ended.Dropped != int64(len(r.imageIDs())) {
		t.Errorf("finished %d and dropped %d of %d images, want 1 and the rest", ended.Finished, ended.Dropped, len(r.imageIDs()))
	}
	for _, image := range r.images() {
		want := store.NotScan
		if image.ID == running {
			want = store.Scanned
		}
		if image.ScanStatus != want {
			t.Errorf("image %d is %s, want %s", image.ID, image.ScanStatus, want)
		}
	}
}

func TestTheDeadlineEndsARun(t *testing.T) {
	r := newRig(t, options{workers: 1})
	r.front.hold()
	run := r.start(scan.Request{Scope: store.Scope{Kind: 0}, Timeout: 10 * time.Second})
	r.eventually("an item to run", func() bool { return len(r.itemsOf(run.ID, store.ItemRunning)) == 1 })
	running := r.itemsOf(run.ID, store.ItemRunning)[0].ImageID
	r.clock.Advance(10 * time.Second)
	r.must(r.scans.Tick(t.Context()))
	if got := r.waitRun(); got != store.ScanTimeout {
		t.Errorf("run ended as %s, want %s", got, store.ScanTimeout)
	}
	for _, image := range r.images() {
		want := store.NotScan
		if image.ID == running {
			want = store.ScanErr
		}
		if image.ScanStatus != want {
			t.Errorf("image %d is %s, want %s", image.ID, image.ScanStatus, want)
		}
		if image.ID == running && (image.CveError != "Timeout" || image.Reason == "") {
			t.Errorf("the image that was running says %q, %q", image.CveError, image.Reason)
		}
	}
}

func TestAnAbsurdDueMomentIsRepairedAtTheStart(t *testing.T) {
	r := newRig(t, options{})
	r.setTask(func(task *store.TimingTask) { task.NextDue = store.At(start.AddDate(9, 0, 0)) })
	ctx, cancel := context.WithCancel(t.Context())
	looping := make(chan struct{})
	go func() { defer close(looping); r.scans.Run(ctx) }()
	want := store.At(start.Add(time.Hour))
	r.eventually("the due moment to be repaired", func() bool { return r.task().NextDue == want })
	cancel()
	<-looping
}

func TestAnAbsurdDueMomentIsRepairedWhenTheClockIsSetBack(t *testing.T) {
	r := newRig(t, options{})
	r.clock.Set(start.AddDate(9, 0, 0))
	r.must(r.scans.Tick(t.Context()))
	r.setTask(func(task *store.TimingTask) { task.NextDue = store.At(start.AddDate(9, 0, 1)) })
	r.tickAt(12, 30)
	if got, want := r.task().NextDue, store.At(start.Add(time.Hour)); got != want {
		t.Errorf("next due %s, want %s", got.Time(), want.Time())
	}
}

func TestNightlySynchronisation(t *testing.T) {
	// The decision itself is tested in the schedule room. Here: an account's
	// minute starts a synchronisation, and is remembered.
	r := newRig(t, options{nightly: true})
	account, err := r.store.Account(t.Context(), r.account)
	r.must(err)
	account.SyncMinute = 90
	r.must(r.store.UpdateAccount(t.Context(), account))
	before := r.syncedAt()
	r.clock.Set(time.Date(2026, 3, 3, 1, 29, 0, 0, time.UTC))
	r.must(r.scans.Tick(t.Context()))
	if r.syncedAt() != before {
		t.Fatal("synchronised before its minute")
	}
	r.clock.Set(time.Date(2026, 3, 3, 1, 30, 0, 0, time.UTC))
	r.must(r.scans.Tick(t.Context()))
	r.eventually("the nightly synchronisation", func() bool { return r.syncedAt() != before })
	account, err = r.store.Account(t.Context(), r.account)
	r.must(err)
	if account.SyncedDay != "2026-03-03" {
		t.Errorf("the account was synchronised on %q, want 2026-03-03", account.SyncedDay)
	}
}

func (r *rig) syncedAt() store.Moment {
	row, err := r.store.Registry(r.t.Context(), r.account, r.registry)
	r.must(err)
	return row.SyncedAt
}
