package inventory

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"dogwatch/internal/clock"
	"dogwatch/internal/registry"
	"dogwatch/internal/store"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// fakeRegistry is a registry.Client over a map. Errors are keyed by "path" (its
// tag list) or "path:tag"; hooks run when a path's tags are listed and when a tag was asked for.
type fakeRegistry struct {
	mu       sync.Mutex
	images   map[string]*registry.Image // by digest
	tags     map[string]string          // "path:tag" -> digest
	unlisted map[string]bool            // "path:tag" that lists leave out
	errs     map[string]error
	check    error
	listing  error // ends the list of repositories
	onTags   func(path string)
	onHead   func(ref string) // runs once the answer is made
	digests  bool             // lists tell digests

	reads, heads, busy, peak int
}

func newFake() *fakeRegistry {
	return &fakeRegistry{
		images:   map[string]*registry.Image{},
		tags:     map[string]string{},
		unlisted: map[string]bool{},
		errs:     map[string]error{},
	}
}

// push makes a tag point to an image that is told apart by its content's name
// and was built some days after the first.
func (f *fakeRegistry) push(ref, content string, day int) string {
	digest := "sha256:" + content
	f.images[digest] = &registry.Image{
		Digest:         digest,
		ManifestDigest: digest,
		MediaType:      "application/vnd.oci.image.manifest.v1+json",
		Config:         registry.Descriptor{Digest: "sha256:config-" + content},
		ConfigFile: &registry.ConfigFile{
			Created: registry.Time{Time: noon.AddDate(0, 0, day-100)},
			Config:  registry.RunConfig{Env: []string{"ROOTPASSWD=hunter2-hunter2"}},
			History: []registry.History{
				{CreatedBy: "ADD base /"},
				{CreatedBy: "ENV ROOTPASSWD=hunter2-hunter2", EmptyLayer: true},
			},
		},
		Layers: []registry.Layer{{
			Descriptor: registry.Descriptor{Digest: "sha256:layer", MediaType: "tar+gzip", Size: 7},
			DiffID:     "sha256:diff",
			CreatedBy:  "RUN echo root:hunter2-hunter2 | chpasswd",
		}},
		Size:     1000,
		Platform: "linux/amd64",
	}
	f.tags[ref] = digest
	return digest
}

func (f *fakeRegistry) Check(context.Context) error { return f.check }
func (f *fakeRegistry) Host() string                { return "registry.test:5000" }

func (f *fakeRegistry) Repositories(_ context.Context, yield func(registry.Repository) error) error {
	for _, path := range f.paths() {
		if err := yield(registry.Repository{Path: path}); err != nil {
			return err
		}
	}
	return f.listing
}

func (f *fakeRegistry) paths() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	set := map[string]bool{}
	for ref := range f.tags {
		path, _, _ := strings.Cut(ref, ":")
		set[path] = true
	}
	list := []string{}
	for path := range set {
		list = append(list, path)
	}
	slices.Sort(list)
	return list
}

func (f *fakeRegistry) Tags(_ context.Context, r registry.Repository, yield func(registry.Tag) error) error {
	if f.onTags != nil {
		f.onTags(r.Path)
	}
	f.mu.Lock()
	err := f.errs[r.Path]
	var list []registry.Tag
	for ref, digest := range f.tags {
		path, tag, _ := strings.Cut(ref, ":")
		if path != r.Path || f.unlisted[ref] {
			continue
		}
		if !f.digests {
			digest = ""
		}
		list = append(list, registry.Tag{Name: tag, Digest: digest})
	}
	f.mu.Unlock()
	if err != nil {
		return err
	}
	slices.SortFunc(list, func(a, b registry.Tag) int { return cmp.Compare(a.Name, b.Name) })
	for _, t := range list {
		if err := yield(t); err != nil {
			return err
		}
	}
	return nil
}

func (f *fakeRegistry) Head(ctx context.Context, path, ref string) (string, error) {
	digest, err := f.head(ctx, path, ref)
	if f.onHead != nil {
		f.onHead(path + ":" + ref)
	}
	return digest, err
}

func (f *fakeRegistry) head(ctx context.Context, path, ref string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.heads++
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if err := f.errs[path+":"+ref]; err != nil {
		return "", err
	}
	digest, ok := f.tags[path+":"+ref]
	if !ok {
		return "", &registry.Failure{Kind: registry.KindNotFound, Op: "reading " + ref, Reason: "it is not there"}
	}
	return digest, nil
}

func (f *fakeRegistry) Image(ctx context.Context, path, ref string) (*registry.Image, error) {
	f.mu.Lock()
	f.reads++
	f.busy++
	f.peak = max(f.peak, f.busy)
	image, ok := f.images[ref]
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		f.busy--
		f.mu.Unlock()
	}()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("%s@%s: %w", path, ref, registry.ErrNotImage)
	}
	return image, nil
}

func (f *fakeRegistry) Blob(context.Context, string, registry.Descriptor) (io.ReadCloser, error) {
	return nil, &registry.Failure{Kind: registry.KindServer, Op: "reading a blob", Reason: "a synchronisation reads no layers"}
}

// rig is a store with one registry and a Syncer over it.
type rig struct {
	*testing.T
	store  *store.Store
	row    *store.Registry
	clock  *clock.Fake
	fake   *fakeRegistry
	syncer *Syncer
}

// Client makes the rig the Clients of its Syncer.
func (r *rig) Client(ctx context.Context, accountID, registryID int64) (registry.Client, error) {
	if _, err := r.store.Registry(ctx, accountID, registryID); err != nil {
		return nil, err
	}
	return r.fake, nil
}

func newRig(t *testing.T, edit ...func(*store.Registry)) *rig {
	t.Helper()
	s, err := store.Open(t.Context(), t.TempDir()+"/dogwatch.db")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() }) //nolint:errcheck // the test is over
	account := &store.Account{Name: "team"}
	if err := s.CreateAccount(t.Context(), account); err != nil {
		t.Fatal(err)
	}
	row := &store.Registry{AccountID: account.ID, Name: "hub", Type: registry.TypeOCI, URL: "http://registry.test:5000"}
	for _, e := range edit {
		e(row)
	}
	if err := s.InsertRegistry(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	r := &rig{T: t, store: s, row: row, clock: clock.NewFake(noon), fake: newFake()}
	r.syncer = NewSyncer(s, r, r.clock, nil)
	return r
}

// sync synchronises an hour after the last time, and wants it to succeed.
func (r *rig) sync() Report {
	r.Helper()
	r.clock.Advance(time.Hour)
	report, err := r.syncer.Sync(r.Context(), r.row.ID)
	if err != nil {
		r.Fatal(err)
	}
	return report
}

// images lists the rows as "REPOSITORY:TAG DIGEST", with * for the newest.
func (r *rig) images() []string {
	r.Helper()
	list := []string{}
	for _, i := range r.rows() {
		s := i.Repository + ":" + i.Tag + " " + i.Digest
		if i.IsLatest {
			s += " *"
		}
		list = append(list, s)
	}
	slices.Sort(list)
	return list
}

func (r *rig) rows() []store.ImageRow {
	r.Helper()
	rows, _, err := r.store.Images(r.Context(), store.ImageQuery{AccountID: r.row.AccountID})
	if err != nil {
		r.Fatal(err)
	}
	return rows
}

func (r *rig) image(repository, tag string) store.ImageRow {
	r.Helper()
	for _, i := range r.rows() {
		if i.Repository == repository && i.Tag == tag {
			return i
		}
	}
	r.Fatalf("no image %s:%s", repository, tag)
	return store.ImageRow{}
}

// registry is the registry's row as it is now.
func (r *rig) registry() *store.Registry {
	r.Helper()
	row, err := r.store.RegistryByID(r.Context(), r.row.ID)
	if err != nil {
		r.Fatal(err)
	}
	return row
}
