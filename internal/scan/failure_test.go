package scan_test

import (
	"testing"
	"time"

	"dogwatch/internal/scan"
	"dogwatch/internal/store"
)

// Each failure leaves the rest of the run untouched, and says why.
func TestFailuresOfOneImage(t *testing.T) {
	const name = "shop/upload:legacy"
	for _, c := range []struct {
		name    string
		breakIt func(r *rig, image store.ImageRow)
		code    string
	}{
		{"corrupted layer", func(r *rig, image store.ImageRow) {
			layers := r.layers(image)
			r.front.set(r.front.broken, layers[len(layers)-1].Digest, true)
		}, "LayerBroken"},
		{"vanished tag", func(r *rig, image store.ImageRow) {
			r.front.set(r.front.hidden, "/v2/shop/upload/manifests/legacy", true)
		}, "ImageGone"},
		{"vanished layer", func(r *rig, image store.ImageRow) {
			layers := r.layers(image)
			r.front.set(r.front.hidden, "/v2/shop/upload/blobs/"+layers[len(layers)-1].Digest, true)
		}, "ImageGone"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, options{workers: 2})
			c.breakIt(r, r.image(name))
			run := r.start(scan.Request{Scope: store.Scope{Kind: 0}})
			if got := r.waitRun(); got != store.Scanned {
				t.Errorf("run ended as %s, want %s", got, store.Scanned)
			}
			image := r.image(name)
			if image.ScanStatus != store.ScanErr || image.CveError != c.code || image.VirusError != c.code {
				t.Errorf("image is %s with codes %q and %q, want %s with %q", image.ScanStatus, image.CveError, image.VirusError, store.ScanErr, c.code)
			}
			if image.Reason == "" || image.Solution == "" {
				t.Errorf("no words for people: reason %q, solution %q", image.Reason, image.Solution)
			}
			if done := r.run(run.ID); done.Failed != 1 || done.Finished != done.Total {
				t.Errorf("%d failed and %d finished of %d, want 1 and all", done.Failed, done.Finished, done.Total)
			}
		})
	}
}

func TestAFailedScanKeepsTheFormerFindings(t *testing.T) {
	const name = "shop/upload:legacy"
	r := newRig(t, options{})
	scope := store.Scope{Kind: 1, IDs: []int64{r.image(name).ID}}
	r.start(scan.Request{Scope: scope})
	r.waitRun()
	before := r.image(name)
	r.front.set(r.front.hidden, "/v2/shop/upload/manifests/legacy", true)
	r.start(scan.Request{Scope: scope})
	r.waitRun()
	after := r.image(name)
	if after.ScanStatus != store.ScanErr {
		t.Fatalf("image is %s, want %s", after.ScanStatus, store.ScanErr)
	}
	if after.VulCnt != before.VulCnt || after.VirusCnt != before.VirusCnt || after.RiskCnt != before.RiskCnt || after.CveAt != before.CveAt {
		t.Errorf("a failed scan changed the findings: %+v, before %+v", after.Image, before.Image)
	}
	if before.VirusCnt == 0 {
		t.Error("the sample has no malware; the test proves nothing")
	}
}

func TestAnImageThatTakesTooLongIsGivenUp(t *testing.T) {
	const name = "shop/upload:legacy"
	r := newRig(t, options{itemLimit: 300 * time.Millisecond})
	r.front.hold()
	r.start(scan.Request{Scope: store.Scope{Kind: 1, IDs: []int64{r.image(name).ID}}})
	r.waitRun()
	if image := r.image(name); image.ScanStatus != store.ScanErr || image.CveError != "Timeout" {
		t.Errorf("image is %s with %q, want %s with Timeout", image.ScanStatus, image.CveError, store.ScanErr)
	}
}
