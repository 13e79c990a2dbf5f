package storetest

import (
	"testing"

	"dogwatch/internal/store"

	"github.com/google/go-cmp/cmp"
)

func testCancel(t *testing.T, w *world) {
	i := w.image(t, w.mine, "app", "1", assessed)
	before := w.row(t, i)
	r := w.run(t, w.mine)
	item := w.begin(t, w.item(t, r, i).ID, "w")
	must(t, w.SetImageProgress(w.ctx, i.ID, item.ID, store.AllParts, 50, 9))
	ended, err := w.CancelItems(w.ctx, r.ID, nil, store.ItemCanceled, 70, false)
	must(t, err)
	if len(ended) != 1 || ended[0].ID != item.ID || ended[0].State != store.ItemCanceled || ended[0].FinishedAt != 70 {
		t.Errorf("ended %+v", ended)
	}
	if diff := cmp.Diff(before, w.row(t, i)); diff != "" {
		t.Errorf("image (-before +after):\n%s", diff)
	}
	item.State = store.ItemDone
	if ok, err := w.EndItem(w.ctx, item, 71); ok || err != nil {
		t.Errorf("the worker ended a cancelled item (%v)", err)
	}
	if ended, err := w.CancelItems(w.ctx, r.ID, nil, store.ItemCanceled, 72, false); len(ended) != 0 || err != nil {
		t.Errorf("cancelled again: %v (%v)", ended, err)
	}
}

func testCancelQueued(t *testing.T, w *world) {
	r := w.run(t, w.mine)
	waiting, going := w.item(t, r, w.image(t, w.mine, "a", "1")), w.item(t, r, w.image(t, w.mine, "b", "1"))
	w.begin(t, going.ID, "w")
	ended, err := w.CancelItems(w.ctx, r.ID, nil, store.ItemTimedOut, 70, true)
	must(t, err)
	if len(ended) != 1 || ended[0].ID != waiting.ID || ended[0].State != store.ItemTimedOut {
		t.Errorf("ended %+v, want only the one that waited", ended)
	}
	if got, err := w.Item(w.ctx, going.ID); err != nil || got.State != store.ItemRunning {
		t.Errorf("the running one: %+v (%v)", got, err)
	}
}

func testCancelChosen(t *testing.T, w *world) {
	r, other := w.run(t, w.mine), w.run(t, w.mine)
	a, b, c := w.image(t, w.mine, "a", "1"), w.image(t, w.mine, "b", "1"), w.image(t, w.mine, "c", "1")
	w.item(t, r, a)
	w.item(t, r, b)
	w.item(t, other, c)
	if ended, err := w.CancelItems(w.ctx, r.ID, []int64{}, store.ItemCanceled, 70, false); len(ended) != 0 || err != nil {
		t.Errorf("an empty choice ended %v (%v)", ended, err)
	}
	ended, err := w.CancelItems(w.ctx, r.ID, []int64{b.ID, c.ID}, store.ItemCanceled, 70, false)
	must(t, err)
	if len(ended) != 1 || ended[0].ImageID != b.ID {
		t.Errorf("ended %+v", ended)
	}
}

func testLeftInTheMiddle(t *testing.T, w *world) {
	i := w.image(t, w.mine, "app", "1", assessed)
	before := w.row(t, i)
	lost := w.begin(t, w.item(t, w.run(t, w.mine), i).ID, "w")
	lost.State = store.ItemFailed
	if ok, err := w.EndItem(w.ctx, lost, 40); !ok || err != nil {
		t.Fatalf("did not end (%v)", err)
	}
	r := w.run(t, w.mine)
	w.begin(t, w.item(t, r, i).ID, "w")
	_, err := w.CancelItems(w.ctx, r.ID, nil, store.ItemCanceled, 70, false)
	must(t, err)
	if diff := cmp.Diff(before, w.row(t, i)); diff != "" {
		t.Errorf("image (-before the first scan +after the second):\n%s", diff)
	}
}

func testOutcome(t *testing.T, w *world) {
	i := w.image(t, w.mine, "app", "1", func(i *store.Image) { i.Authorized = true })
	item := w.begin(t, w.item(t, w.run(t, w.mine), i).ID, "w")
	out := w.row(t, i).Image
	assessed(&out)
	out.RemainSeconds, out.Authorized, out.Tag = 0, false, "changed"
	must(t, w.PutImageOutcome(w.ctx, &out, item.ID+1))
	if got := w.row(t, i); got.ScanStatus != store.Scanning || got.ItemID != item.ID {
		t.Errorf("another item wrote: state %s, held by %d", got.ScanStatus, got.ItemID)
	}
	must(t, w.PutImageOutcome(w.ctx, &out, item.ID))
	want := out
	want.ItemID, want.Authorized, want.Tag = 0, true, "1"
	if diff := cmp.Diff(want, w.row(t, i).Image); diff != "" {
		t.Errorf("image: only outcome columns change (-want +got):\n%s", diff)
	}
}

func testProgress(t *testing.T, w *world) {
	i := w.image(t, w.mine, "app", "1")
	item := w.begin(t, w.item(t, w.run(t, w.mine), i).ID, "w")
	if ok, err := w.TouchItem(w.ctx, item.ID, item.Attempt, 8, 3); !ok || err != nil {
		t.Errorf("not touched (%v)", err)
	}
	if ok, err := w.TouchItem(w.ctx, item.ID, item.Attempt+1, 8, 7); ok || err != nil {
		t.Errorf("touched with another attempt (%v)", err)
	}
	if got, err := w.Item(w.ctx, item.ID); err != nil || got.Layers != 8 || got.LayersDone != 3 {
		t.Errorf("item %+v (%v)", got, err)
	}
	must(t, w.SetImageProgress(w.ctx, i.ID, item.ID, store.PartVirus, 20, 50))
	must(t, w.SetImageProgress(w.ctx, i.ID, item.ID, store.PartCVE|store.PartRisk, 10, 40))
	must(t, w.SetImageProgress(w.ctx, i.ID, item.ID+1, store.AllParts, 90, 90))
	if got := w.row(t, i); got.CveProgress != 10 || got.VirusProgress != 20 || got.RiskProgress != 10 || got.RemainSeconds != 40 {
		t.Errorf("progress %d %d %d, %d s left", got.CveProgress, got.VirusProgress, got.RiskProgress, got.RemainSeconds)
	}
}

func testItemList(t *testing.T, w *world) {
	r, other := w.run(t, w.mine), w.run(t, w.theirs)
	a, b := w.image(t, w.mine, "a", "1"), w.image(t, w.mine, "b", "1")
	ia, ib := w.item(t, r, a), w.item(t, r, b)
	foreign := w.item(t, other, w.image(t, w.theirs, "a", "1"))
	w.begin(t, ib.ID, "w")
	for _, c := range []struct {
		name  string
		query store.ItemQuery
		want  []int64
	}{
		{"neither account nor run", store.ItemQuery{}, nil},
		{"run", store.ItemQuery{RunID: r.ID}, []int64{ia.ID, ib.ID}},
		{"account", store.ItemQuery{AccountID: w.theirs.account}, []int64{foreign.ID}},
		{"foreign run", store.ItemQuery{AccountID: w.mine.account, RunID: other.ID}, nil},
		{"images", store.ItemQuery{RunID: r.ID, ImageIDs: []int64{b.ID}}, []int64{ib.ID}},
		{"no images", store.ItemQuery{RunID: r.ID, ImageIDs: []int64{}}, nil},
		{"states", store.ItemQuery{RunID: r.ID, States: []string{store.ItemQueued}}, []int64{ia.ID}},
		{"page", store.ItemQuery{RunID: r.ID, Limit: 1, Offset: 1}, []int64{ib.ID}},
	} {
		list, err := w.Items(w.ctx, c.query)
		must(t, err)
		var got []int64
		for _, i := range list {
			got = append(got, i.ID)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
	for want, states := range map[int][]string{2: nil, 1: {store.ItemRunning}, 0: {store.ItemDone, store.ItemFailed}} {
		if n, err := w.CountItems(w.ctx, r.ID, states...); n != want || err != nil {
			t.Errorf("%d items in %v, want %d (%v)", n, states, want, err)
		}
	}
}

func testCharges(t *testing.T, w *world) {
	r := w.run(t, w.mine)
	var items []*store.Item
	for n, name := range []string{"a", "b", "c"} {
		item := &store.Item{
			RunID: r.ID, AccountID: r.AccountID, ImageID: w.image(t, w.mine, name, "1").ID,
			State: store.ItemQueued, Charged: 10, QueuedAt: store.Moment(100 * (n + 1)),
		}
		must(t, w.InsertItem(w.ctx, item))
		items = append(items, item)
	}
	used := func(since store.Moment) int64 {
		n, err := w.UsedTenths(w.ctx, w.mine.account, since)
		must(t, err)
		return n
	}
	if got := []int64{used(0), used(200), used(301)}; !cmp.Equal(got, []int64{30, 20, 0}) {
		t.Errorf("used %v", got)
	}
	must(t, w.RefundItem(w.ctx, items[0].ID))
	if got := used(0); got != 20 {
		t.Errorf("used %d after a refund, want 20", got)
	}
	wantErr(t, w.RefundItem(w.ctx, 999), store.ErrNotFound, "unknown item")
}

func testStopRace(t *testing.T, w *world) {
	for n := range 10 {
		i := w.image(t, w.mine, "app", string(rune('a'+n)))
		before := w.row(t, i)
		r := w.run(t, w.mine)
		item := w.begin(t, w.item(t, r, i).ID, "w")
		var ended bool
		var stopped []store.Item
		together(2, func(k int) {
			if k == 0 {
				item.State = store.ItemDone
				ended, _ = w.EndItem(w.ctx, item, 80)
				return
			}
			stopped, _ = w.CancelItems(w.ctx, r.ID, nil, store.ItemCanceled, 80, false)
		})
		if ended == (len(stopped) == 1) {
			t.Fatalf("round %d: ended %v, stopped %d: exactly one must win", n, ended, len(stopped))
		}
		if got := w.row(t, i); !ended && !cmp.Equal(before, got) {
			t.Errorf("round %d: a stopped image is not what it was", n)
		}
	}
}
