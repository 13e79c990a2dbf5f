package scan_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"dogwatch/internal/scan"
	"dogwatch/internal/store"
)

// retag lets a tag of a repository point to what another one points to.
func (r *rig) retag(repository, tag, to string) {
	r.t.Helper()
	base := "http://" + r.front.host + "/v2/" + repository + "/manifests/"
	const kind = "application/vnd.oci.image.manifest.v1+json"
	get, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, base+to, nil)
	r.must(err)
	get.Header.Set("Accept", kind+", application/vnd.docker.distribution.manifest.v2+json")
	answer, err := http.DefaultClient.Do(get)
	r.must(err)
	defer answer.Body.Close()
	manifest, err := io.ReadAll(answer.Body)
	r.must(err)
	put, err := http.NewRequestWithContext(r.t.Context(), http.MethodPut, base+tag, bytes.NewReader(manifest))
	r.must(err)
	put.Header.Set("Content-Type", answer.Header.Get("Content-Type"))
	stored, err := http.DefaultClient.Do(put)
	r.must(err)
	r.must(stored.Body.Close())
	if stored.StatusCode != http.StatusCreated {
		r.t.Fatalf("moving %s:%s: %s", repository, tag, stored.Status)
	}
}

// sync synchronises the registry and waits for its end.
func (r *rig) sync() {
	r.t.Helper()
	r.must(r.scans.SyncNow(r.t.Context(), r.account, nil))
	r.eventually("the synchronisation", func() bool {
		row, err := r.store.Registry(r.t.Context(), r.account, r.registry)
		r.must(err)
		return row.SyncStatus == store.SyncSuccess
	})
}

// only is a scope of one sample.
func (r *rig) only(name string) store.Scope {
	return store.Scope{Kind: 1, IDs: []int64{r.image(name).ID}}
}

func TestAScanFollowsATagThatMovedSinceItWasListed(t *testing.T) {
	r := newRig(t, options{})
	r.start(scan.Request{Scope: r.only("shop/web:1.4")})
	r.waitRun()
	r.retag("shop/web", "1.4", "1.5")
	want := r.image("shop/web:1.5").Digest
	run := r.start(scan.Request{Parts: store.PartCVE, Scope: r.only("shop/web:1.4")})
	r.waitRun()
	image := r.image("shop/web:1.4")
	if image.Digest != want || image.AssessedDigest != want || image.ScanStatus != store.Scanned || image.ItemID != 0 {
		t.Errorf("image points to %s, assessed %s, %s, held by %d; want the new content %s, scanned and free",
			image.Digest, image.AssessedDigest, image.ScanStatus, image.ItemID, want)
	}
	if image.VirusStatus != store.NotScan || image.VirusCnt != 0 {
		t.Errorf("the malware part of the former content is still shown: %s, %d", image.VirusStatus, image.VirusCnt)
	}
	if done := r.run(run.ID); done.Finished != 1 || done.Failed != 0 {
		t.Errorf("run counts %+v", done)
	}
}

// The scan began with the content that the tag pointed to then. Its outcome
// describes neither the image nor where its tag points to.
func TestASynchronisationMovesATagWhileItIsScanned(t *testing.T) {
	r := newRig(t, options{})
	want := r.image("shop/web:1.5").Digest
	r.front.holdBlobs()
	run := r.start(scan.Request{Scope: r.only("shop/web:1.4")})
	r.eventually("the layer to be read", func() bool { return len(r.itemsOf(run.ID, store.ItemRunning)) == 1 && r.itemsOf(run.ID)[0].Layers > 0 })
	r.retag("shop/web", "1.4", "1.5")
	r.sync()
	if got := r.image("shop/web:1.4").Digest; got != want {
		t.Fatalf("after the synchronisation the image points to %s, want %s", got, want)
	}
	r.front.release()
	if got := r.waitRun(); got != store.Scanned {
		t.Errorf("run ended as %s, want %s", got, store.Scanned)
	}
	image := r.image("shop/web:1.4")
	if image.Digest != want || image.ScanStatus != store.NotScan || image.AssessedDigest != "" || image.ItemID != 0 {
		t.Errorf("image points to %s, %s, assessed %q, held by %d; want %s, %s and nothing assessed",
			image.Digest, image.ScanStatus, image.AssessedDigest, image.ItemID, want, store.NotScan)
	}
}

func TestPartsNotAskedForKeepTheirProgress(t *testing.T) {
	r := newRig(t, options{})
	r.start(scan.Request{Scope: r.only("shop/upload:legacy")})
	r.waitRun()
	r.start(scan.Request{Parts: store.PartCVE, Scope: r.only("shop/upload:legacy")})
	r.waitRun()
	image := r.image("shop/upload:legacy")
	if image.CveProgress != 100 || image.VirusProgress != 100 || image.RiskProgress != 100 {
		t.Errorf("progress %d, %d, %d after a scan for vulnerabilities alone, want 100 for all: the others were scanned before",
			image.CveProgress, image.VirusProgress, image.RiskProgress)
	}
}

// An image that brings the process down is begun again at each start. That must
// come to an end, and the rest of the run must get its turn.
func TestAnItemThatIsBegunTimeAndAgainIsGivenUp(t *testing.T) {
	r := newRig(t, options{workers: 1, ahead: 100})
	r.front.hold()
	run := r.start(scan.Request{Scope: store.Scope{Kind: 0}})
	r.eventually("an item to run", func() bool { return len(r.itemsOf(run.ID, store.ItemRunning)) == 1 })
	poison := r.itemsOf(run.ID, store.ItemQueued)[0]
	for range 20 {
		_, err := r.store.BeginItem(t.Context(), poison.ID, "dead", store.At(start))
		r.must(err)
	}
	r.front.release()
	if got := r.waitRun(); got != store.Scanned {
		t.Errorf("run ended as %s, want %s", got, store.Scanned)
	}
	failed := r.itemsOf(run.ID, store.ItemFailed)
	if len(failed) != 1 || failed[0].ID != poison.ID || failed[0].Error != "GivenUp" {
		t.Errorf("failed items %+v, want the one that was begun too often", failed)
	}
	for _, image := range r.images() {
		if image.ID == poison.ImageID && (image.ScanStatus != store.ScanErr || image.Reason == "" || image.Solution == "") {
			t.Errorf("the image is %s with %q, %q", image.ScanStatus, image.Reason, image.Solution)
		}
	}
}
