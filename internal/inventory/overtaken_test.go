package inventory

import (
	"testing"

	"dogwatch/internal/store"
)

// follow is what a scan does when it finds that a tag has moved.
func (r *rig) follow(repository, tag, content string) {
	r.Helper()
	digest := r.fake.push(repository+":"+tag, content, 5)
	if _, err := r.syncer.Learn(r.Context(), r.fake, r.row.AccountID, repository, digest); err != nil {
		r.Fatal(err)
	}
	row := r.image(repository, tag).Image
	row.Digest, row.OSName = digest, "Debian GNU/Linux 12"
	if _, err := r.store.UpsertImage(r.Context(), &row); err != nil {
		r.Fatal(err)
	}
}

// The list told the former digest, and the row moved on before it was written.
func TestAScanFollowsATagThatWasReadBefore(t *testing.T) {
	r := newRig(t)
	r.fake.digests = true
	r.fake.push("a:v1", "one", 1)
	r.fake.push("b:v1", "other", 1)
	r.sync()
	r.fake.onTags = func(path string) {
		if path == "b" {
			r.follow("a", "v1", "two")
		}
	}
	report := r.sync()
	want(t, "images", []string{"a:v1 sha256:two *", "b:v1 sha256:other *"}, r.images())
	want(t, "report", Report{Repositories: 2, Images: 2}, report)
	if row := r.image("a", "v1"); row.OSName != "Debian GNU/Linux 12" || row.SeenAt != store.At(r.clock.Now()) {
		t.Errorf("os %q, seen %s; want what the scan wrote, seen now", row.OSName, row.SeenAt.Time())
	}
}

// A tag that moves on and on is kept as it is, and not deleted as unseen.
func TestATagThatIsOvertakenTwiceIsKept(t *testing.T) {
	r := newRig(t)
	r.fake.digests = true
	r.fake.push("a:v1", "one", 1)
	r.fake.push("b:v1", "other", 1)
	r.sync()
	r.fake.onTags = func(path string) {
		if path == "b" {
			r.follow("a", "v1", "two")
		}
	}
	r.fake.onHead = func(ref string) {
		if ref == "a:v1" {
			r.follow("a", "v1", "three")
		}
	}
	r.sync()
	want(t, "images", []string{"a:v1 sha256:three *", "b:v1 sha256:other *"}, r.images())
}
