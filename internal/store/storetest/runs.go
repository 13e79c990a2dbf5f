package storetest

import (
	"sync"
	"testing"

	"dogwatch/internal/store"

	"github.com/google/go-cmp/cmp"
)

var runTests = map[string]func(t *testing.T, w *world){
	"run comes back whole": func(t *testing.T, w *world) {
		r := &store.Run{
			AccountID: w.mine.account, Kind: store.RunTiming, Parts: store.PartVirus, Scope: store.Scope{Kind: 2, Namespaces: []string{"n"}},
			State: store.Scanning, Total: 9, Cursor: 8, Expanded: true, Finished: 7, Clean: 6, Risky: 5, Failed: 4, Elsewhere: 3, Dropped: 2,
			Reason: "r", DueAt: 1, StartedAt: 2, Deadline: 3, WindowEnd: 4, FinishedAt: 5,
		}
		must(t, w.InsertRun(w.ctx, r))
		for name, read := range map[string]func() (*store.Run, error){
			"Run":       func() (*store.Run, error) { return w.Run(w.ctx, w.mine.account, r.ID) },
			"RunByID":   func() (*store.Run, error) { return w.RunByID(w.ctx, r.ID) },
			"LatestRun": func() (*store.Run, error) { return w.LatestRun(w.ctx, w.mine.account) },
		} {
			got, err := read()
			must(t, err)
			if diff := cmp.Diff(r, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	},
	"counters only grow by adding": func(t *testing.T, w *world) {
		r := w.run(t, w.mine)
		must(t, w.AddRunCounts(w.ctx, r.ID, store.RunCounts{Finished: 3, Clean: 1, Risky: 1, Failed: 1, Elsewhere: 2, Dropped: 4}))
		must(t, w.AddRunCounts(w.ctx, r.ID, store.RunCounts{Finished: 1, Clean: 1}))
		r.Cursor, r.Total, r.Expanded = 50, 60, true
		must(t, w.UpdateRun(w.ctx, r))
		r.Finished, r.Clean, r.Risky, r.Failed, r.Elsewhere, r.Dropped = 4, 2, 1, 1, 2, 4
		got, err := w.RunByID(w.ctx, r.ID)
		must(t, err)
		if diff := cmp.Diff(r, got); diff != "" {
			t.Errorf("run (-want +got):\n%s", diff)
		}
		wantErr(t, w.AddRunCounts(w.ctx, 999, store.RunCounts{}), store.ErrNotFound, "unknown run")
	},
	"a run ends once": func(t *testing.T, w *world) {
		r := w.run(t, w.mine)
		stale := *r
		ok, err := w.EndRun(w.ctx, r.ID, store.Canceled, "stopped", 90)
		if !ok || err != nil {
			t.Fatalf("first end: %v (%v)", ok, err)
		}
		if ok, err := w.EndRun(w.ctx, r.ID, store.Scanned, "", 91); ok || err != nil {
			t.Errorf("second end: %v (%v)", ok, err)
		}
		stale.Cursor = 5
		wantErr(t, w.UpdateRun(w.ctx, &stale), store.ErrNotFound, "an old copy revives the run")
		got, err := w.RunByID(w.ctx, r.ID)
		must(t, err)
		if got.State != store.Canceled || got.FinishedAt != 90 || got.Reason != "stopped" || got.Cursor != 0 {
			t.Errorf("run %+v", got)
		}
		got.Reason = "stopped by ann"
		must(t, w.UpdateRun(w.ctx, got))
	},
	"active runs are those that scan": func(t *testing.T, w *world) {
		a, b, c := w.run(t, w.mine), w.run(t, w.theirs), w.run(t, w.mine)
		_, err := w.EndRun(w.ctx, a.ID, store.Scanned, "", 1)
		must(t, err)
		all, err := w.ActiveRuns(w.ctx)
		must(t, err)
		mine, err := w.ActiveRunsOf(w.ctx, w.mine.account)
		must(t, err)
		if diff := cmp.Diff([]int64{b.ID, c.ID}, runIDs(all)); diff != "" {
			t.Errorf("active (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]int64{c.ID}, runIDs(mine)); diff != "" {
			t.Errorf("mine (-want +got):\n%s", diff)
		}
		if latest, err := w.LatestRun(w.ctx, w.mine.account); err != nil || latest.ID != c.ID {
			t.Errorf("latest %+v (%v)", latest, err)
		}
	},
}

func runIDs(list []store.Run) (ids []int64) {
	for _, r := range list {
		ids = append(ids, r.ID)
	}
	return ids
}

var itemTests = map[string]func(t *testing.T, w *world){
	"an image is in one scan at a time":        testOneScan,
	"begin shows the image as scanning":        testBegin,
	"a take-over fences the former owner":      testTakeOver,
	"an item ends once":                        testEndOnce,
	"many workers, one owner":                  testManyWorkers,
	"a cancelled item puts its image back":     testCancel,
	"a window end takes only what waits":       testCancelQueued,
	"chosen images are cancelled, or none":     testCancelChosen,
	"an image left in the middle is restored":  testLeftInTheMiddle,
	"an outcome is written by the holder":      testOutcome,
	"progress moves only under the fence":      testProgress,
	"items are listed and counted":             testItemList,
	"what was charged counts until refunded":   testCharges,
	"a stop and an end race, exactly one wins": testStopRace,
}

func testOneScan(t *testing.T, w *world) {
	i, first, second := w.image(t, w.mine, "app", "1"), w.run(t, w.mine), w.run(t, w.mine)
	item := w.item(t, first, i)
	again := &store.Item{RunID: second.ID, AccountID: first.AccountID, ImageID: i.ID, State: store.ItemQueued}
	wantErr(t, w.InsertItem(w.ctx, again), store.ErrTaken, "second run")
	busy, err := w.ItemsBusy(w.ctx, w.mine.account, []int64{i.ID, 999})
	must(t, err)
	if diff := cmp.Diff(map[int64]int64{i.ID: first.ID}, busy); diff != "" {
		t.Errorf("busy (-want +got):\n%s", diff)
	}
	_, err = w.CancelItems(w.ctx, first.ID, nil, store.ItemCanceled, 40, false)
	must(t, err)
	must(t, w.InsertItem(w.ctx, again))
	again.RunID, again.ID, again.State = item.RunID, 0, store.ItemDone
	wantErr(t, w.InsertItem(w.ctx, again), store.ErrTaken, "twice in a run")
}

func testBegin(t *testing.T, w *world) {
	i := w.image(t, w.mine, "app", "1", assessed)
	item := w.item(t, w.run(t, w.mine), i)
	_, err := w.SQL().ExecContext(w.ctx, "UPDATE item SET parts = 3")
	must(t, err)
	got := w.begin(t, item.ID, "w1")
	if got.State != store.ItemRunning || got.Attempt != 1 || got.Owner != "w1" || got.StartedAt != 30 {
		t.Errorf("item %+v", got)
	}
	want := *i
	want.ScanStatus, want.CveStatus, want.VirusStatus = store.Scanning, store.Scanning, store.Scanning
	want.CveProgress, want.VirusProgress, want.VirusError, want.Reason, want.Solution = 0, 0, "", "", ""
	want.ItemID = item.ID
	if diff := cmp.Diff(want, w.row(t, i).Image); diff != "" {
		t.Errorf("image: risk was not asked for, counts stay (-want +got):\n%s", diff)
	}
	_, err = w.BeginItem(w.ctx, 999, "w1", 30)
	wantErr(t, err, store.ErrNotFound, "unknown item")
}

func testTakeOver(t *testing.T, w *world) {
	i := w.image(t, w.mine, "app", "1", assessed)
	id := w.item(t, w.run(t, w.mine), i).ID
	first := w.begin(t, id, "w1")
	second, err := w.BeginItem(w.ctx, id, "w2", 60)
	must(t, err)
	if second.Attempt != 2 || second.Owner != "w2" || second.StartedAt != 30 {
		t.Errorf("taken over: %+v", second)
	}
	if diff := cmp.Diff(first.Prior, second.Prior); diff != "" || len(second.Prior) == 0 {
		t.Errorf("the prior state changed (-first +second):\n%s", diff)
	}
	if ok, err := w.TouchItem(w.ctx, id, first.Attempt, 5, 1); ok || err != nil {
		t.Errorf("the former owner touched (%v)", err)
	}
	first.State = store.ItemDone
	if ok, err := w.EndItem(w.ctx, first, 70); ok || err != nil {
		t.Errorf("the former owner ended it (%v)", err)
	}
	second.State = store.ItemDone
	if ok, err := w.EndItem(w.ctx, second, 71); !ok || err != nil {
		t.Errorf("the owner could not end it (%v)", err)
	}
}

func testEndOnce(t *testing.T, w *world) {
	i := w.image(t, w.mine, "app", "1")
	queued := w.item(t, w.run(t, w.mine), i)
	queued.State = store.ItemDone
	if ok, err := w.EndItem(w.ctx, queued, 5); ok || err != nil {
		t.Errorf("an item that did not begin ended (%v)", err)
	}
	item := w.begin(t, queued.ID, "w")
	item.State, item.Error, item.Digest = store.ItemFailed, "ConnFailed", "sha256:x"
	if ok, err := w.EndItem(w.ctx, item, 80); !ok || err != nil {
		t.Fatalf("did not end (%v)", err)
	}
	if ok, err := w.EndItem(w.ctx, item, 81); ok || err != nil {
		t.Errorf("ended twice (%v)", err)
	}
	item.FinishedAt = 80
	got, err := w.Item(w.ctx, item.ID)
	must(t, err)
	if diff := cmp.Diff(item, got); diff != "" {
		t.Errorf("item (-want +got):\n%s", diff)
	}
	_, err = w.BeginItem(w.ctx, item.ID, "w", 82)
	wantErr(t, err, store.ErrNotFound, "begin after the end")
	if ok, err := w.TouchItem(w.ctx, item.ID, item.Attempt, 1, 1); ok || err != nil {
		t.Errorf("touched after the end (%v)", err)
	}
}

func testManyWorkers(t *testing.T, w *world) {
	const workers = 12
	i := w.image(t, w.mine, "app", "1")
	id := w.item(t, w.run(t, w.mine), i).ID
	begun := make([]*store.Item, workers)
	together(workers, func(n int) { begun[n], _ = w.BeginItem(w.ctx, id, string(rune('a'+n)), 30) })
	attempts := map[int64]bool{}
	for _, item := range begun {
		if item == nil {
			t.Fatal("a worker could not begin")
		}
		attempts[item.Attempt] = true
	}
	if len(attempts) != workers {
		t.Errorf("%d different attempts, want %d", len(attempts), workers)
	}
	ended := make([]bool, workers)
	together(workers, func(n int) {
		begun[n].State = store.ItemDone
		ended[n], _ = w.EndItem(w.ctx, begun[n], 90)
	})
	got, err := w.Item(w.ctx, id)
	must(t, err)
	for n, item := range begun {
		if ended[n] != (item.Attempt == workers) {
			t.Errorf("attempt %d ended: %v; only the last one may", item.Attempt, ended[n])
		}
		if item.Attempt == workers && got.Owner != item.Owner {
			t.Errorf("owner %q, want %q", got.Owner, item.Owner)
		}
	}
}

// together calls fn n times at once.
func together(n int, fn func(n int)) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for k := range n {
		all.Go(func() {
			<-start
			fn(k)
		})
	}
	close(start)
	all.Wait()
}
