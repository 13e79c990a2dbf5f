package storetest

import (
	"testing"

	"dogwatch/internal/store"

	"github.com/google/go-cmp/cmp"
)

// assessed fills in what a scan leaves behind.
func assessed(i *store.Image) {
	i.ScanStatus, i.CveStatus, i.VirusStatus, i.RiskStatus = store.Scanned, store.Scanned, store.ScanErr, store.NotScan
	i.CveProgress, i.VirusProgress = 100, 100
	i.VirusError, i.Reason, i.Solution = "LayerBroken", "a layer is broken", "push the image again"
	i.ScannedAt, i.CveAt, i.AssessedDigest, i.Snapshot = 77, 77, i.Digest, "snap"
	i.VulCnt, i.CriticalCnt, i.HighCnt, i.MediumCnt, i.LowCnt = 10, 1, 2, 3, 4
	i.VirusCnt, i.RiskCnt, i.SensitiveCnt, i.ComponentCnt, i.NeedFix = 1, 5, 2, 80, true
}

var imageTests = map[string]func(t *testing.T, w *world){
	"image comes back whole": func(t *testing.T, w *world) {
		i := w.image(t, w.mine, "app", "1", assessed)
		want := &store.ImageRow{
			Image: *i, RegistryName: "mine-registry", RegistryType: "harbor",
			RegistryRegion: "region-harbor", InstanceID: "id-mine-registry",
		}
		if diff := cmp.Diff(want, w.row(t, i)); diff != "" {
			t.Errorf("image (-want +got):\n%s", diff)
		}
	},
	"a new image is not scanned": func(t *testing.T, w *world) {
		got := w.row(t, w.image(t, w.mine, "app", "1"))
		if got.ScanStatus != store.NotScan || got.CveStatus != store.NotScan || got.FoundAt != got.SeenAt {
			t.Errorf("state %s/%s, found %d, seen %d", got.ScanStatus, got.CveStatus, got.FoundAt, got.SeenAt)
		}
	},
	"seen again, it keeps what is known": func(t *testing.T, w *world) {
		first := w.image(t, w.mine, "app", "1", assessed, func(i *store.Image) { i.Authorized = true })
		again := sample(w.mine, "app", "1")
		again.SeenAt, again.Size, again.CreatedAt, again.ImageID, again.Address = 2000, 0, 0, "", "moved/team/app"
		moved, err := w.UpsertImage(w.ctx, again)
		must(t, err)
		want := *first
		want.SeenAt, want.Address = 2000, "moved/team/app"
		if diff := cmp.Diff(want, w.row(t, first).Image); diff != "" || moved {
			t.Errorf("moved %v (-want +got):\n%s", moved, diff)
		}
		if diff := cmp.Diff(&want, again); diff != "" {
			t.Errorf("the caller's copy (-want +got):\n%s", diff)
		}
	},
	"a moved tag forgets its assessment":    testMovedTag,
	"a moved tag lets go of its scan":       testMovedWhileScanned,
	"a scan that finds the move keeps hold": testMoveFoundByScan,
	"unseen images go with their results": func(t *testing.T, w *world) {
		old := w.image(t, w.mine, "old", "1", func(i *store.Image) { i.SeenAt, i.AssessedDigest = 10, digest("former") })
		busy := w.image(t, w.mine, "busy", "1", func(i *store.Image) { i.SeenAt = 10 })
		w.image(t, w.mine, "new", "1", func(i *store.Image) { i.SeenAt = 20 })
		w.image(t, w.theirs, "old", "1", func(i *store.Image) { i.SeenAt = 10 })
		for _, d := range []string{old.Digest, old.AssessedDigest} {
			must(t, w.PutContent(w.ctx, &store.Content{AccountID: w.mine.account, Digest: d}))
		}
		r := w.run(t, w.mine)
		done := &store.Item{RunID: r.ID, AccountID: r.AccountID, ImageID: old.ID, State: store.ItemDone, Charged: 1, QueuedAt: 5}
		must(t, w.InsertItem(w.ctx, done))
		going := w.begin(t, w.item(t, r, busy).ID, "w")

		n, err := w.DeleteUnseenImages(w.ctx, w.mine.registry, 20)
		if n != 2 || err != nil {
			t.Fatalf("removed %d, want 2 (%v)", n, err)
		}
		_, err = w.Item(w.ctx, done.ID)
		wantErr(t, err, store.ErrNotFound, "ended item")
		for _, d := range []string{old.Digest, old.AssessedDigest} {
			_, err = w.Content(w.ctx, w.mine.account, d)
			wantErr(t, err, store.ErrNotFound, "content")
		}
		if ok, err := w.EndItem(w.ctx, &store.Item{ID: going.ID, Attempt: going.Attempt, State: store.ItemFailed}, 9); !ok || err != nil {
			t.Errorf("the item under way could not end (%v)", err)
		}
		if n, err := w.CountImages(w.ctx, store.ImageQuery{AccountID: w.theirs.account}); n != 1 || err != nil {
			t.Errorf("another registry has %d images, want 1 (%v)", n, err)
		}
		if n, err := w.DeleteUnseenImages(w.ctx, w.mine.registry, 20); n != 0 || err != nil {
			t.Errorf("removed %d more (%v)", n, err)
		}
	},
	"newest by creation time, ties by tag": testRefreshLatest,
	"licences and containers": func(t *testing.T, w *world) {
		a, b := w.image(t, w.mine, "a", "1"), w.image(t, w.mine, "b", "1", func(i *store.Image) { i.Digest = digest("a1") })
		must(t, w.SetAuthorized(w.ctx, w.mine.account, []int64{a.ID, 999}, true))
		must(t, w.SetAuthorized(w.ctx, w.mine.account, nil, true))
		must(t, w.SetContainers(w.ctx, w.mine.account, a.Digest, 3))
		if ra, rb := w.row(t, a), w.row(t, b); !ra.Authorized || rb.Authorized || ra.Containers != 3 || rb.Containers != 3 {
			t.Errorf("licensed %v %v, containers %d %d", ra.Authorized, rb.Authorized, ra.Containers, rb.Containers)
		}
		must(t, w.SetAuthorized(w.ctx, w.mine.account, []int64{a.ID}, false))
		if w.row(t, a).Authorized {
			t.Error("the licence was not taken back")
		}
	},
	"missing images keep the order asked for": func(t *testing.T, w *world) {
		a, foreign := w.image(t, w.mine, "a", "1"), w.image(t, w.theirs, "a", "1")
		got, err := w.MissingImages(w.ctx, w.mine.account, []int64{999, a.ID, foreign.ID, 0})
		must(t, err)
		if diff := cmp.Diff([]int64{999, foreign.ID, 0}, got); diff != "" {
			t.Errorf("missing (-want +got):\n%s", diff)
		}
	},
	"foreign texts with NUL are storable": func(t *testing.T, w *world) {
		i := w.image(t, w.mine, "app", "1", func(i *store.Image) { i.OSName = "De\x00bian" })
		if got := w.row(t, i).OSName; got != "De\uFFFDbian" {
			t.Errorf("stored %q", got)
		}
	},
}

func testMovedTag(t *testing.T, w *world) {
	i := w.image(t, w.mine, "app", "1", assessed, func(i *store.Image) { i.Authorized, i.Containers, i.FoundAt = true, 2, 5 })
	must(t, w.PutContent(w.ctx, &store.Content{AccountID: i.AccountID, Digest: i.Digest}))
	must(t, w.RefreshLatest(w.ctx, i.RegistryID))
	again := sample(w.mine, "app", "1")
	again.Digest, again.ImageID, again.SeenAt, again.OSName = digest("new"), "", 2000, ""
	moved, err := w.UpsertImage(w.ctx, again)
	must(t, err)
	want := *sample(w.mine, "app", "1")
	want.ID, want.Digest, want.SeenAt, want.FoundAt = i.ID, digest("new"), 2000, 5
	want.ImageID, want.OSName = "", ""
	want.Authorized, want.IsLatest = true, true
	want.ScanStatus, want.CveStatus, want.VirusStatus, want.RiskStatus = store.NotScan, store.NotScan, store.NotScan, store.NotScan
	if diff := cmp.Diff(want, w.row(t, i).Image); diff != "" || !moved {
		t.Errorf("moved %v (-want +got):\n%s", moved, diff)
	}
	_, err = w.Content(w.ctx, i.AccountID, i.Digest)
	wantErr(t, err, store.ErrNotFound, "the former content")
}

func testMovedWhileScanned(t *testing.T, w *world) {
	i := w.image(t, w.mine, "app", "1")
	item := w.begin(t, w.item(t, w.run(t, w.mine), i).ID, "w")
	again := sample(w.mine, "app", "1")
	again.Digest = digest("new")
	moved, err := w.UpsertImage(w.ctx, again)
	must(t, err)
	if !moved || again.ItemID != 0 || again.ScanStatus != store.NotScan {
		t.Fatalf("moved %v, held by %d, state %s", moved, again.ItemID, again.ScanStatus)
	}
	before := w.row(t, i)
	late := *i
	assessed(&late)
	must(t, w.PutImageOutcome(w.ctx, &late, item.ID))
	must(t, w.SetImageProgress(w.ctx, i.ID, item.ID, store.AllParts, 50, 9))
	must(t, w.RestoreImage(w.ctx, item))
	if diff := cmp.Diff(before, w.row(t, i)); diff != "" {
		t.Errorf("the scan of the former content wrote on (-want +got):\n%s", diff)
	}
}

func testMoveFoundByScan(t *testing.T, w *world) {
	i := w.image(t, w.mine, "app", "1")
	item := w.begin(t, w.item(t, w.run(t, w.mine), i).ID, "w")
	again := sample(w.mine, "app", "1")
	again.Digest, again.ItemID = digest("new"), item.ID
	moved, err := w.UpsertImage(w.ctx, again)
	must(t, err)
	if !moved || again.ItemID != item.ID || again.ScanStatus != store.Scanning {
		t.Fatalf("moved %v, held by %d, state %s", moved, again.ItemID, again.ScanStatus)
	}
	out := *again
	assessed(&out)
	must(t, w.PutImageOutcome(w.ctx, &out, item.ID))
	if got := w.row(t, i); got.ScanStatus != store.Scanned || got.AssessedDigest != digest("new") || got.ItemID != 0 {
		t.Errorf("state %s of %s, held by %d", got.ScanStatus, got.AssessedDigest, got.ItemID)
	}
}

func testRefreshLatest(t *testing.T, w *world) {
	at := func(m store.Moment) func(*store.Image) { return func(i *store.Image) { i.CreatedAt = m } }
	w.image(t, w.mine, "app", "1", at(100))
	w.image(t, w.mine, "app", "2", at(300))
	w.image(t, w.mine, "app", "3", at(200))
	w.image(t, w.mine, "tie", "1.0", at(100))
	w.image(t, w.mine, "tie", "1.1", at(100))
	w.image(t, w.mine, "unknown", "a", at(0))
	w.image(t, w.mine, "unknown", "b", at(1))
	w.image(t, w.theirs, "app", "9", at(900))
	newest := func() map[string]string {
		list, _, err := w.Images(w.ctx, store.ImageQuery{AccountID: w.mine.account, Latest: true})
		must(t, err)
		got := map[string]string{}
		for _, i := range list {
			got[i.Name] += i.Tag
		}
		return got
	}
	must(t, w.RefreshLatest(w.ctx, w.mine.registry))
	want := map[string]string{"app": "2", "tie": "1.1", "unknown": "b"}
	if diff := cmp.Diff(want, newest()); diff != "" {
		t.Errorf("newest (-want +got):\n%s", diff)
	}
	w.image(t, w.mine, "app", "4", at(400))
	must(t, w.RefreshLatest(w.ctx, w.mine.registry))
	must(t, w.RefreshLatest(w.ctx, w.mine.registry))
	want["app"] = "4"
	if diff := cmp.Diff(want, newest()); diff != "" {
		t.Errorf("newest after a push (-want +got):\n%s", diff)
	}
}
