package scan_test

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dogwatch/internal/inventory"
	"dogwatch/internal/sample"
	"dogwatch/internal/scan"
	"dogwatch/internal/store"
)

func TestARunFindsWhatTheSamplesHold(t *testing.T) {
	r := newRig(t, options{workers: 2})
	run := r.start(scan.Request{Scope: store.Scope{Kind: 0}})
	if got := r.waitRun(); got != store.Scanned {
		t.Fatalf("run ended as %s, want %s\n%s", got, store.Scanned, r.log())
	}
	want := sample.Expected()
	got := map[string]int64{}
	for _, image := range r.images() {
		name := image.Repository + ":" + image.Tag
		if image.ScanStatus != store.Scanned {
			t.Errorf("%s is %s (%s)", name, image.ScanStatus, image.Reason)
		}
		expect, known := want[name]
		if !known {
			t.Errorf("%s is no sample", name)
			continue
		}
		got[name] = image.VulCnt
		if image.VulCnt != int64(len(expect.Vulnerabilities)) {
			t.Errorf("%s has %d vulnerabilities, want %d", name, image.VulCnt, len(expect.Vulnerabilities))
		}
		if image.VirusCnt != int64(len(expect.Malware)) {
			t.Errorf("%s has %d malicious files, want %d", name, image.VirusCnt, len(expect.Malware))
		}
	}
	if len(got) != len(want) {
		t.Errorf("scanned %v, want %v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
	done := r.run(run.ID)
	if done.Finished != int64(len(want)) || done.Clean+done.Risky != done.Finished || done.Total != done.Finished {
		t.Errorf("run counts %+v do not add up to %d images", done, len(want))
	}
}

func TestALayerIsReadOnceAcrossImagesAndRuns(t *testing.T) {
	r := newRig(t, options{workers: 2})
	unique := map[string]bool{}
	for _, image := range r.images() {
		for _, layer := range r.layers(image) {
			unique[layer.Digest] = true
		}
	}
	before := r.front.reads() // synchronising read the configurations
	r.start(scan.Request{Scope: store.Scope{Kind: 0}})
	r.waitRun()
	if got := r.front.reads() - before; got != len(unique) {
		t.Errorf("the first run read %d blobs, want the %d distinct layers", got, len(unique))
	}
	before = r.front.reads()
	r.start(scan.Request{Scope: store.Scope{Kind: 0}})
	r.waitRun()
	if got := r.front.reads() - before; got != 0 {
		t.Errorf("the second run over unchanged images read %d blobs, want 0", got)
	}
}

func (r *rig) layers(image store.ImageRow) []inventory.LayerRef {
	r.t.Helper()
	content, err := r.store.Content(r.t.Context(), r.account, image.Digest)
	r.must(err)
	var refs []inventory.LayerRef
	r.must(json.Unmarshal(content.Layers, &refs))
	return refs
}

func TestOnlyThePartsAskedForAreScanned(t *testing.T) {
	for _, parts := range []store.Parts{store.PartCVE, store.PartVirus, store.PartRisk} {
		t.Run(parts.Names()[0], func(t *testing.T) {
			r := newRig(t, options{})
			ids := []int64{r.image("shop/upload:legacy").ID}
			r.start(scan.Request{Parts: parts, Scope: store.Scope{Kind: 1, IDs: ids}})
			r.waitRun()
			image := r.image("shop/upload:legacy")
			want := map[string]bool{"CVE": parts == store.PartCVE, "VIRUS": parts == store.PartVirus, "RISK": parts == store.PartRisk}
			got := map[string]bool{"CVE": image.CveStatus == store.Scanned, "VIRUS": image.VirusStatus == store.Scanned, "RISK": image.RiskStatus == store.Scanned}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("parts scanned (-want +got):\n%s", diff)
			}
			if image.ScanStatus != store.Scanned || image.ItemID != 0 {
				t.Errorf("image is %s, held by item %d; want %s and free", image.ScanStatus, image.ItemID, store.Scanned)
			}
		})
	}
}

func TestARunExpandsLazily(t *testing.T) {
	r := newRig(t, options{ahead: 3, workers: 1})
	r.front.hold()
	run := r.start(scan.Request{Scope: store.Scope{Kind: 0}})
	if got := len(r.itemsOf(run.ID)); got != 3 {
		t.Errorf("%d items in the queue for %d images, want 3", got, run.Total)
	}
	r.front.release()
	r.waitRun()
	if got := len(r.itemsOf(run.ID, store.ItemDone)); int64(got) != run.Total {
		t.Errorf("%d items done, want %d", got, run.Total)
	}
}

func TestImagesInAnotherRunAreLeftToIt(t *testing.T) {
	r := newRig(t, options{workers: 1, ahead: 100})
	r.front.hold()
	first := r.start(scan.Request{Scope: store.Scope{Kind: 1, IDs: r.imageIDs()[:2]}})
	second := r.start(scan.Request{Scope: store.Scope{Kind: 0}})
	if second.Elsewhere != first.Total {
		t.Errorf("second run left %d images to the first, want %d", second.Elsewhere, first.Total)
	}
	_, err := r.scans.Start(t.Context(), r.account, scan.Request{Kind: store.RunManual, Parts: store.AllParts, Scope: store.Scope{Kind: 0}})
	if !errors.Is(err, scan.ErrAlreadyScanning) {
		t.Errorf("a third run over the same images: %v, want %v", err, scan.ErrAlreadyScanning)
	}
	r.front.release()
	r.waitRun()
	r.waitRun()
	for _, image := range r.images() {
		items, err := r.store.Items(t.Context(), store.ItemQuery{AccountID: r.account, ImageIDs: []int64{image.ID}})
		r.must(err)
		if len(items) != 1 {
			t.Errorf("image %d was scanned by %d items, want 1", image.ID, len(items))
		}
	}
}

func TestNothingToScan(t *testing.T) {
	r := newRig(t, options{})
	r.must(r.store.SetAuthorized(t.Context(), r.account, r.imageIDs(), false))
	_, err := r.scans.Start(t.Context(), r.account, scan.Request{Kind: store.RunManual, Parts: store.AllParts, Scope: store.Scope{Kind: 0}})
	if !errors.Is(err, scan.ErrNothing) {
		t.Errorf("scanning unlicensed images: %v, want %v", err, scan.ErrNothing)
	}
}

func TestStopPutsImagesBack(t *testing.T) {
	r := newRig(t, options{workers: 1})
	r.front.hold()
	run := r.start(scan.Request{Scope: store.Scope{Kind: 0}})
	r.eventually("an item to run", func() bool { return len(r.itemsOf(run.ID, store.ItemRunning)) == 1 })
	r.must(r.scans.Stop(t.Context(), r.account, scan.StopRequest{RunID: run.ID}))
	if got := r.waitRun(); got != store.Canceled {
		t.Errorf("run ended as %s, want %s", got, store.Canceled)
	}
	for _, image := range r.images() {
		if image.ScanStatus != store.NotScan || image.ItemID != 0 {
			t.Errorf("image %d is %s, held by %d; want %s and free", image.ID, image.ScanStatus, image.ItemID, store.NotScan)
		}
	}
	r.front.release()
	if left := r.itemsOf(run.ID, store.ItemQueued, store.ItemRunning); len(left) != 0 {
		t.Errorf("%d items are left", len(left))
	}
	if err := r.scans.Stop(t.Context(), r.account+1, scan.StopRequest{RunID: run.ID}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("another account stopping the run: %v, want %v", err, store.ErrNotFound)
	}
}

func TestStopOfOneImageLeavesTheRunGoing(t *testing.T) {
	r := newRig(t, options{workers: 1, ahead: 100})
	r.front.hold()
	run := r.start(scan.Request{Scope: store.Scope{Kind: 0}})
	ids := r.imageIDs()
	last := ids[len(ids)-1]
	r.must(r.scans.Stop(t.Context(), r.account, scan.StopRequest{ImageIDs: []int64{last}}))
	r.front.release()
	if got := r.waitRun(); got != store.Scanned {
		t.Errorf("run ended as %s, want %s", got, store.Scanned)
	}
	if got := len(r.itemsOf(run.ID, store.ItemDone)); got != len(ids)-1 {
		t.Errorf("%d items done, want %d", got, len(ids)-1)
	}
	if got := r.itemsOf(run.ID, store.ItemCanceled); len(got) != 1 || got[0].ImageID != last {
		t.Errorf("canceled items %v, want image %d alone", got, last)
	}
}

func TestRemovingARegistryStopsItsScans(t *testing.T) {
	r := newRig(t, options{workers: 1})
	r.front.hold()
	run := r.start(scan.Request{Scope: store.Scope{Kind: 0}})
	r.eventually("an item to run", func() bool { return len(r.itemsOf(run.ID, store.ItemRunning)) == 1 })
	r.must(r.scans.RemoveRegistry(t.Context(), r.account, r.registry))
	r.waitRun()
	r.front.release()
	if left := r.images(); len(left) != 0 {
		t.Errorf("%d images are left of a removed registry", len(left))
	}
	if err := r.scans.RemoveRegistry(t.Context(), r.account, r.registry); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("removing it again: %v, want %v", err, store.ErrNotFound)
	}
}

func TestARestartGoesOnWithoutLossOrRepetition(t *testing.T) {
	o := options{workers: 2, ahead: 4}
	r := newRig(t, o)
	r.front.hold()
	run := r.start(scan.Request{Scope: store.Scope{Kind: 0}})
	r.eventually("items to run", func() bool { return len(r.itemsOf(run.ID, store.ItemRunning)) == 2 })
	r.close()
	r.open(o)
	if got := r.waitRun(); got != store.Scanned {
		t.Fatalf("run ended as %s, want %s\n%s", got, store.Scanned, r.log())
	}
	items := r.itemsOf(run.ID)
	seen := map[int64]int{}
	for _, item := range items {
		seen[item.ImageID]++
		if item.State != store.ItemDone {
			t.Errorf("item of image %d is %s, want %s", item.ImageID, item.State, store.ItemDone)
		}
	}
	for _, id := range r.imageIDs() {
		if seen[id] != 1 {
			t.Errorf("image %d has %d items, want 1", id, seen[id])
		}
	}
}

func TestMissingAdvisoriesFailOnlyTheCVEPart(t *testing.T) {
	r := newRig(t, options{noAdvisories: true})
	r.start(scan.Request{Scope: store.Scope{Kind: 1, IDs: []int64{r.image("shop/upload:legacy").ID}}})
	r.waitRun()
	image := r.image("shop/upload:legacy")
	if image.CveStatus != store.ScanErr || image.VirusStatus != store.Scanned || image.RiskStatus != store.Scanned || image.ScanStatus != store.Scanned {
		t.Errorf("states CVE %s, VIRUS %s, RISK %s, overall %s", image.CveStatus, image.VirusStatus, image.RiskStatus, image.ScanStatus)
	}
	if image.CveError == "" || image.Reason == "" || image.Solution == "" {
		t.Errorf("no words: code %q, reason %q, solution %q", image.CveError, image.Reason, image.Solution)
	}
}

func TestQuota(t *testing.T) {
	r := newRig(t, options{workers: 1})
	account, err := r.store.Account(t.Context(), r.account)
	r.must(err)
	account.QuotaTenths = 25 // two first scans
	r.must(r.store.UpdateAccount(t.Context(), account))
	_, err = r.scans.Start(t.Context(), r.account, scan.Request{Kind: store.RunManual, Parts: store.AllParts, Scope: store.Scope{Kind: 0}})
	if !errors.Is(err, scan.ErrQuota) {
		t.Fatalf("a run by hand beyond the quota: %v, want %v", err, scan.ErrQuota)
	}
	run := r.start(scan.Request{Kind: store.RunTiming, Scope: store.Scope{Kind: 0}})
	r.waitRun()
	if got := r.run(run.ID); got.Finished != 2 {
		t.Errorf("the scheduled run scanned %d images, want the 2 the quota covers", got.Finished)
	}
	used, err := r.store.UsedTenths(t.Context(), r.account, 0)
	r.must(err)
	if used != 20 {
		t.Errorf("used %d tenths, want 20", used)
	}
	// The two scanned ones cost a tenth each from now on.
	scanned := r.itemsOf(run.ID, store.ItemDone)
	r.start(scan.Request{Scope: store.Scope{Kind: 1, IDs: []int64{scanned[0].ImageID, scanned[1].ImageID}}})
	r.waitRun()
	if used, err = r.store.UsedTenths(t.Context(), r.account, 0); err != nil || used != 22 {
		t.Errorf("used %d tenths (%v), want 22", used, err)
	}
}

func TestQuotaMonth(t *testing.T) {
	day := func(s string) time.Time {
		d, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, c := range []struct{ created, now, start, end string }{
		{"2026-01-15", "2026-03-20", "2026-03-15", "2026-04-15"},
		{"2026-01-15", "2026-03-10", "2026-02-15", "2026-03-15"},
		{"2026-01-15", "2026-03-15", "2026-03-15", "2026-04-15"},
		{"2026-01-31", "2026-03-10", "2026-02-28", "2026-03-31"},
		{"2025-12-31", "2026-01-05", "2025-12-31", "2026-01-31"},
	} {
		start, end := scan.QuotaMonth(day(c.created), day(c.now), time.UTC)
		if got := start.Format(time.DateOnly); got != c.start {
			t.Errorf("created %s, now %s: the month begins on %s, want %s", c.created, c.now, got, c.start)
		}
		if got := end.Format(time.DateOnly); got != c.end {
			t.Errorf("created %s, now %s: the month ends on %s, want %s", c.created, c.now, got, c.end)
		}
	}
}

func TestAnImageThatWasNotExaminedWholeIsNotCountedAsClean(t *testing.T) {
	for _, c := range []struct {
		name string
		o    options
		want int64
	}{{"examined whole", options{}, 1}, {"without advisories", options{noAdvisories: true}, 0}} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, c.o)
			run := r.start(scan.Request{Scope: store.Scope{Kind: 1, IDs: []int64{r.image("shop/cleaned:1.0").ID}}})
			r.waitRun()
			if got := r.run(run.ID); got.Clean != c.want || got.Risky != 0 || got.Finished != 1 {
				t.Errorf("%d clean and %d risky of %d finished, want %d clean of 1", got.Clean, got.Risky, got.Finished, c.want)
			}
		})
	}
}
