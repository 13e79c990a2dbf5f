package inventory

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dogwatch/internal/registry"
	"dogwatch/internal/store"
)

// down is what a client says of a registry that does not answer.
func down(op string) error {
	return &registry.Failure{Kind: registry.KindNetwork, Op: op, Reason: "the connection was refused", Solution: "check the address"}
}

func want(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestSyncEntersImages(t *testing.T) {
	r := newRig(t)
	r.fake.push("team/app:v1", "one", 1)
	r.fake.push("team/app:v2", "two", 2)
	r.fake.push("tool:latest", "three", 3)
	report := r.sync()
	want(t, "report", Report{Repositories: 2, Images: 3, New: 3}, report)
	want(t, "images", []string{
		"team/app:v1 sha256:one", "team/app:v2 sha256:two *", "tool:latest sha256:three *",
	}, r.images())
	app, tool := r.image("team/app", "v1"), r.image("tool", "latest")
	if app.Namespace != "team" || app.Name != "app" || app.Address != "registry.test:5000/team/app" {
		t.Errorf("team/app is entered as %q / %q at %q", app.Namespace, app.Name, app.Address)
	}
	if tool.Namespace != "" || tool.Name != "tool" {
		t.Errorf("tool is entered as %q / %q", tool.Namespace, tool.Name)
	}
	if app.ImageID != "sha256:config-one" || app.Size != 1000 || app.OSName != "linux" || app.ScanStatus != store.NotScan {
		t.Errorf("row = %+v", app.Image)
	}
	if row := r.registry(); row.SyncStatus != store.SyncSuccess || row.SyncReason != "" || row.SyncedAt != store.At(r.clock.Now()) {
		t.Errorf("registry row: status %q, reason %q, synced %s", row.SyncStatus, row.SyncReason, row.SyncedAt.Time())
	}
}

func TestSecondSyncReadsNoManifests(t *testing.T) {
	for _, digests := range []bool{false, true} {
		r := newRig(t)
		r.fake.digests = digests
		r.fake.push("team/app:v1", "one", 1)
		r.fake.push("team/app:v2", "two", 2)
		r.sync()
		before, reads, heads := r.images(), r.fake.reads, r.fake.heads
		want(t, "report", Report{Repositories: 1, Images: 2}, r.sync())
		want(t, "images", before, r.images())
		if r.fake.reads != reads {
			t.Errorf("%d manifests were read again", r.fake.reads-reads)
		}
		if digests && r.fake.heads != heads {
			t.Error("asked for digests that the list tells")
		}
	}
}

func TestOneContentUnderManyTagsIsReadOnce(t *testing.T) {
	r := newRig(t)
	for i := range 250 {
		r.fake.push(fmt.Sprintf("team/app%d:v%d", i%5, i), "same", 1)
	}
	want(t, "report", Report{Repositories: 5, Images: 250, New: 250}, r.sync())
	if r.fake.reads > 2 { // a second time if it is written in between
		t.Errorf("the content was read %d times", r.fake.reads)
	}
	if r.fake.peak > defaultParallel {
		t.Errorf("%d requests at a time, want at most %d", r.fake.peak, defaultParallel)
	}
}

func TestMovedTagKeepsItsRowAndLosesItsState(t *testing.T) {
	r := newRig(t)
	r.fake.push("team/app:latest", "one", 1)
	r.sync()
	old := r.image("team/app", "latest")
	if err := r.store.SetAuthorized(t.Context(), r.row.AccountID, []int64{old.ID}, true); err != nil {
		t.Fatal(err)
	}
	scanned := old.Image
	scanned.ScanStatus, scanned.VulCnt, scanned.AssessedDigest = store.Scanned, 7, old.Digest
	if err := r.store.PutImageOutcome(t.Context(), &scanned, 0); err != nil {
		t.Fatal(err)
	}
	r.fake.push("team/app:latest", "two", 2)
	want(t, "report", Report{Repositories: 1, Images: 1, Moved: 1}, r.sync())
	moved := r.image("team/app", "latest")
	if moved.ID != old.ID || moved.Digest != "sha256:two" || moved.ImageID != "sha256:config-two" || !moved.Authorized {
		t.Errorf("moved row = %+v", moved.Image)
	}
	if moved.ScanStatus != store.NotScan || moved.VulCnt != 0 || moved.AssessedDigest != "" {
		t.Errorf("the moved image still has its results: %s, %d", moved.ScanStatus, moved.VulCnt)
	}
}

func TestSyncKeepsTheDistributionAScanFound(t *testing.T) {
	r := newRig(t)
	r.fake.push("team/app:v1", "one", 1)
	r.sync()
	row := r.image("team/app", "v1").Image
	row.OSName = "Debian 12"
	if _, err := r.store.UpsertImage(t.Context(), &row); err != nil {
		t.Fatal(err)
	}
	r.sync()
	if got := r.image("team/app", "v1").OSName; got != "Debian 12" {
		t.Errorf("operating system = %q, want Debian 12", got)
	}
}

func TestVanishedTagGetsASecondLook(t *testing.T) {
	r := newRig(t)
	r.fake.push("team/app:v1", "one", 1)
	r.fake.push("team/app:v2", "two", 2)
	r.fake.push("team/old:v1", "three", 1)
	r.sync()
	delete(r.fake.tags, "team/app:v2")
	delete(r.fake.tags, "team/old:v1")
	r.fake.unlisted["team/app:v1"] = true
	report := r.sync()
	want(t, "report", Report{Repositories: 1, Images: 1, Gone: 2}, report)
	want(t, "images", []string{"team/app:v1 sha256:one *"}, r.images())
	if _, err := r.store.Content(t.Context(), r.row.AccountID, "sha256:two"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("content of an image that has gone: %v", err)
	}
}

func TestFailedRepositoryOrTagKeepsItsRows(t *testing.T) {
	r := newRig(t)
	for _, ref := range []string{"a/ok:v1", "b/list:v1", "b/list:v2", "c/tag:v1", "c/tag:v2", "d/hidden:v1", "d/gone:v1"} {
		r.fake.push(ref, "one", 1)
	}
	r.sync()
	r.fake.errs["b/list"] = down("listing tags of b/list")
	delete(r.fake.tags, "b/list:v2")
	r.fake.errs["c/tag:v1"] = down("reading c/tag:v1")
	r.fake.unlisted["d/hidden:v1"] = true
	r.fake.errs["d/hidden:v1"] = down("reading d/hidden:v1")
	delete(r.fake.tags, "d/gone:v1")
	report := r.sync()
	want(t, "report", Report{Repositories: 4, Images: 2, Failed: 3, Gone: 1}, report)
	want(t, "images", []string{
		"a/ok:v1 sha256:one *", "b/list:v1 sha256:one", "b/list:v2 sha256:one *",
		"c/tag:v1 sha256:one", "c/tag:v2 sha256:one *", "d/hidden:v1 sha256:one *",
	}, r.images())
	row := r.registry()
	if row.SyncStatus != store.SyncSuccess || !strings.HasPrefix(row.SyncReason, "partial: 3 ") ||
		!strings.Contains(row.SyncReason, "the connection was refused") || row.SyncSolution != "check the address" {
		t.Errorf("registry row: %q, %q, %q", row.SyncStatus, row.SyncReason, row.SyncSolution)
	}
}

func TestFailedSyncKeepsTheOldListAndTellsWhy(t *testing.T) {
	for name, fail := range map[string]func(*fakeRegistry){
		"check":                 func(f *fakeRegistry) { f.check = down("connecting") },
		"list of repositories":  func(f *fakeRegistry) { f.tags, f.listing = map[string]string{}, down("listing repositories") },
		"every repository":      func(f *fakeRegistry) { f.errs["a/b"], f.errs["c/d"] = down("listing a/b"), down("listing c/d") },
		"every tag":             func(f *fakeRegistry) { f.errs["a/b:v1"], f.errs["c/d:v1"] = down("reading"), down("reading") },
		"in the middle of it":   func(f *fakeRegistry) { delete(f.tags, "a/b:v1"); f.listing = down("listing repositories") },
		"wrong password listed": func(f *fakeRegistry) { f.tags = map[string]string{}; f.check = down("logging in") },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.fake.push("a/b:v1", "one", 1)
			r.fake.push("c/d:v1", "two", 1)
			r.sync()
			synced, before := r.registry().SyncedAt, r.images()
			fail(r.fake)
			_, err := r.syncer.Sync(t.Context(), r.row.ID)
			var failure *registry.Failure
			if !errors.As(err, &failure) {
				t.Fatalf("error = %v, want the registry's failure", err)
			}
			want(t, "images", before, r.images())
			row := r.registry()
			if row.SyncStatus != store.SyncFailed || row.SyncReason != "the connection was refused" || row.SyncSolution != "check the address" {
				t.Errorf("registry row: %q, %q, %q", row.SyncStatus, row.SyncReason, row.SyncSolution)
			}
			if row.SyncedAt != synced {
				t.Error("a failure moved the time of the last success")
			}
		})
	}
}

func TestManyFailuresInARowEndTheSync(t *testing.T) {
	r := newRig(t)
	r.fake.push("0/ok:v1", "one", 1)
	for i := range 100 {
		ref := fmt.Sprintf("team/app:v%d", i)
		r.fake.push(ref, "one", 1)
		r.fake.errs[ref] = down("reading " + ref)
	}
	_, err := r.syncer.Sync(t.Context(), r.row.ID)
	if registry.KindOf(err) != registry.KindNetwork {
		t.Fatalf("error = %v, want the failure of the network", err)
	}
	// As many as are under way may fail before the one good tag ends their row,
	// and again after the last failure that counts.
	if r.fake.heads > 1+maxFailures+2*defaultParallel {
		t.Errorf("a registry that is down was asked %d times", r.fake.heads)
	}
	if got := r.registry().SyncStatus; got != store.SyncFailed {
		t.Errorf("status = %q", got)
	}
}

func TestWhatIsNoImageIsSkipped(t *testing.T) {
	r := newRig(t)
	r.fake.push("team/app:v1", "one", 1)
	r.fake.push("team/app:chart", "chart", 1)
	r.sync()
	delete(r.fake.images, "sha256:chart")
	r.fake.push("team/app:chart", "chart2", 1)
	delete(r.fake.images, "sha256:chart2") // the tag was moved to a chart
	r.fake.tags["team/app:old"] = "sha256:schema1"
	r.fake.errs["team/app:old"] = fmt.Errorf("manifest: %w", registry.ErrSchema1)
	report := r.sync()
	if report.Images != 1 || report.Gone != 1 || report.Failed != 0 || report.Skipped < 2 {
		t.Errorf("report = %+v", report)
	}
	want(t, "images", []string{"team/app:v1 sha256:one *"}, r.images())
}

func TestRegistryRemovedMeanwhile(t *testing.T) {
	r := newRig(t)
	r.fake.push("team/app:v1", "one", 1)
	r.fake.onTags = func(string) {
		if err := r.store.DeleteRegistry(t.Context(), r.row.AccountID, r.row.ID); err != nil {
			t.Error(err)
		}
	}
	want(t, "report", Report{}, r.sync())
	want(t, "images", []string{}, r.images())
	r.fake.onTags = nil
	want(t, "report of a registry that is not there", Report{}, r.sync())
}

func TestInterruptedSyncSaysSo(t *testing.T) {
	r := newRig(t)
	r.fake.push("a/b:v1", "one", 1)
	r.fake.push("c/d:v1", "two", 1)
	r.sync()
	before := r.images()
	ctx, cancel := context.WithCancel(t.Context())
	r.fake.onTags = func(path string) {
		if path == "c/d" {
			cancel()
		}
	}
	if _, err := r.syncer.Sync(ctx, r.row.ID); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want that of the context", err)
	}
	want(t, "images", before, r.images())
	if row := r.registry(); row.SyncStatus != store.SyncFailed || !strings.Contains(row.SyncReason, "interrupted") {
		t.Errorf("registry row: %q, %q", row.SyncStatus, row.SyncReason)
	}
}

func TestNeedScan(t *testing.T) {
	for _, tt := range []struct {
		name          string
		mode          int64
		first, second []string
	}{
		{"full: the newest of each repository", 0, []string{"a/b:v2", "c/d:v1"}, []string{"a/b:v3", "c/d:v1"}},
		{"incremental: all new and moved ones", 1, []string{"a/b:v1", "a/b:v2", "c/d:v1"}, []string{"a/b:v1", "a/b:v3"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, func(row *store.Registry) { row.NeedScan, row.SyncMode = true, tt.mode })
			r.fake.push("a/b:v1", "one", 1)
			r.fake.push("a/b:v2", "two", 2)
			r.fake.push("c/d:v1", "three", 1)
			want(t, "first", tt.first, r.refs(r.sync().NeedScan))
			r.fake.push("a/b:v1", "moved", 1)
			r.fake.push("a/b:v3", "four", 3)
			want(t, "second", tt.second, r.refs(r.sync().NeedScan))
		})
	}
}

// refs names images by id, sorted.
func (r *rig) refs(ids []int64) []string {
	list := []string{}
	for _, i := range r.rows() {
		for _, id := range ids {
			if i.ID == id {
				list = append(list, i.Repository+":"+i.Tag)
			}
		}
	}
	return sorted(list)
}
