package registry_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"dogwatch/internal/registry"
	"dogwatch/internal/registry/registrytest"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// options never really sleep: pauses are only counted.
func options(t *testing.T) registry.Options {
	t.Helper()
	return registry.Options{
		AllowPrivate: true,
		Random:       func() float64 { return 0.5 },
		Sleep:        func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}
}

func open(t *testing.T, target registry.Target, o registry.Options) registry.Client {
	t.Helper()
	c, err := registry.Open(target, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func targetOf(kind string, s *registrytest.Server) registry.Target {
	target := registry.Target{Type: kind, URL: s.URL, Username: s.Username, Password: s.Password}
	if s.CA != nil {
		target.RootCAs = s.CA.Pool()
	}
	return target
}

func TestClientOfDistribution(t *testing.T) {
	t.Run("without log-in", func(t *testing.T) {
		s := registrytest.StartDistribution(t)
		conform(t, s, targetOf(registry.TypeOCI, s))
	})
	t.Run("basic", func(t *testing.T) {
		s := registrytest.StartDistribution(t, registrytest.WithBasic("u", "pässword:x"))
		conform(t, s, targetOf(registry.TypeOCI, s))
	})
	t.Run("bearer", func(t *testing.T) {
		tokens := registrytest.NewTokenServer(t, "u", "secret")
		s := registrytest.StartDistribution(t, registrytest.WithBearer(tokens))
		conform(t, s, targetOf(registry.TypeOCI, s))
	})
	t.Run("tls with small pages", func(t *testing.T) {
		ca := registrytest.NewCA(t)
		cert := ca.Issue(t, "127.0.0.1", time.Now().AddDate(0, 1, 0))
		s := registrytest.StartDistribution(t, registrytest.WithTLS(ca, cert), registrytest.WithCatalogueLimit(1))
		conform(t, s, targetOf(registry.TypeQuay, s))
	})
}

func TestClientOfHarbor(t *testing.T) {
	h := registrytest.FakeHarbor(t)
	h.AddProject("team", false)
	h.AddProject("2", true)
	conform(t, h.Server, targetOf(registry.TypeHarbor, h.Server))
	if h.Cookies() > 0 {
		t.Errorf("%d requests brought a cookie back", h.Cookies())
	}
}

// conform is what every client must do, whatever the registry behind it.
func conform(t *testing.T, s *registrytest.Server, target registry.Target) {
	f := fill(t, s)
	c := open(t, target, options(t))
	t.Run("check", func(t *testing.T) {
		if err := c.Check(t.Context()); err != nil {
			t.Errorf("check: %v", err)
		}
	})
	t.Run("wrong password", func(t *testing.T) { conformPassword(t, target) })
	t.Run("repositories", func(t *testing.T) { conformRepositories(t, c) })
	t.Run("tags", func(t *testing.T) { conformTags(t, c) })
	t.Run("head", func(t *testing.T) { conformHead(t, c, f) })
	t.Run("image", func(t *testing.T) { conformImage(t, c, f) })
	t.Run("index", func(t *testing.T) { conformIndex(t, c, f) })
	t.Run("artefact", func(t *testing.T) {
		if _, err := c.Image(t.Context(), "team/deep/tool", "chart"); !errors.Is(err, registry.ErrNotImage) {
			t.Errorf("chart: %v, want ErrNotImage", err)
		}
	})
	t.Run("empty image", func(t *testing.T) { conformEmpty(t, c) })
	t.Run("missing", func(t *testing.T) { conformMissing(t, c) })
	t.Run("blobs", func(t *testing.T) { conformBlobs(t, c, f) })
	t.Run("host", func(t *testing.T) {
		if c.Host() != s.Host {
			t.Errorf("host %q, want %q", c.Host(), s.Host)
		}
	})
}

// filled is what fill has pushed.
type filled struct {
	app, arm    v1.Image
	appDigest   string
	indexDigest string
}

func fill(t *testing.T, s *registrytest.Server) filled {
	t.Helper()
	base := registrytest.Layer(t, map[string]string{"etc/os-release": "ID=debian\n"})
	f := filled{
		app: registrytest.Image(t, base, registrytest.Layer(t, map[string]string{"app/main": "echo hello\n"})),
		arm: registrytest.PlatformImage(t, v1.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}, base),
	}
	f.appDigest = registrytest.PushImage(t, s, "team/app:v1", f.app)
	registrytest.PushImage(t, s, "team/app:v2", f.app)
	for _, suffix := range []string{"", ".sig", ".att"} {
		registrytest.PushImage(t, s, "team/app:sha256-"+f.appDigest[7:]+suffix, chart(t))
	}
	f.indexDigest = registrytest.PushIndex(t, s, "team/deep/tool:multi", registrytest.Index(t, f.arm, f.app))
	registrytest.PushImage(t, s, "team/deep/tool:chart", chart(t))
	registrytest.PushImage(t, s, "2/app:latest", registrytest.Image(t))
	return f
}

// chart is an artefact that is no image.
func chart(t *testing.T) v1.Image {
	t.Helper()
	img := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
	return mutate.ConfigMediaType(img, "application/vnd.cncf.helm.config.v1+json")
}

func conformPassword(t *testing.T, target registry.Target) {
	if target.Username == "" {
		return // nobody is asked who they are
	}
	target.Password += "x"
	wrong := open(t, target, options(t))
	if err := wrong.Check(t.Context()); registry.KindOf(err) != registry.KindAuth {
		t.Errorf("check: %v, want KindAuth", err)
	}
	err := wrong.Repositories(t.Context(), func(r registry.Repository) error {
		t.Errorf("repository %s shown", r.Path)
		return nil
	})
	if registry.KindOf(err) != registry.KindAuth {
		t.Errorf("repositories: %v, want KindAuth", err)
	}
	if _, err := wrong.Head(t.Context(), "team/app", "v1"); registry.KindOf(err) != registry.KindAuth {
		t.Errorf("head: %v, want KindAuth", err)
	}
}

func conformRepositories(t *testing.T, c registry.Client) {
	var got []registry.Repository
	err := c.Repositories(t.Context(), func(r registry.Repository) error {
		got = append(got, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(got, func(a, b registry.Repository) int { return strings.Compare(a.Path, b.Path) })
	want := []registry.Repository{
		{Namespace: "2", Name: "app", Path: "2/app"},
		{Namespace: "team", Name: "app", Path: "team/app"},
		{Namespace: "team", Name: "deep/tool", Path: "team/deep/tool"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("repositories (-want +got):\n%s", diff)
	}
	stop := errors.New("enough")
	if err := c.Repositories(t.Context(), func(registry.Repository) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("error of yield: got %v", err)
	}
}

func tagNames(t *testing.T, c registry.Client, path string) []string {
	t.Helper()
	names := []string{}
	err := c.Tags(t.Context(), registry.Repository{Path: path}, func(tag registry.Tag) error {
		names = append(names, tag.Name)
		return nil
	})
	if err != nil {
		t.Fatalf("tags of %s: %v", path, err)
	}
	slices.Sort(names)
	return names
}

func conformTags(t *testing.T, c registry.Client) {
	for path, want := range map[string][]string{
		"team/app":   {"v1", "v2"},
		"2/app":      {"latest"},
		"team/empty": {},
	} {
		if diff := cmp.Diff(want, tagNames(t, c, path)); diff != "" {
			t.Errorf("tags of %s (-want +got):\n%s", path, diff)
		}
	}
	if names := tagNames(t, c, "team/deep/tool"); !slices.Contains(names, "multi") {
		t.Errorf("tags of team/deep/tool: %v, want multi among them", names)
	}
}

func conformHead(t *testing.T, c registry.Client, f filled) {
	for ref, want := range map[string]string{"v1": f.appDigest, f.appDigest: f.appDigest} {
		got, err := c.Head(t.Context(), "team/app", ref)
		if err != nil || got != want {
			t.Errorf("head %s: %q, %v, want %q", ref, got, err, want)
		}
	}
}

func conformImage(t *testing.T, c registry.Client, f filled) {
	img, err := c.Image(t.Context(), "team/app", "v1")
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := f.app.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	file, err := f.app.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	want := &registry.Image{
		Digest: f.appDigest, ManifestDigest: f.appDigest, MediaType: string(types.DockerManifestSchema2),
		Config: descriptor(manifest.Config), Platform: "linux/amd64", ConfigFile: img.ConfigFile,
	}
	for i, l := range manifest.Layers {
		want.Layers = append(want.Layers, registry.Layer{Descriptor: descriptor(l), DiffID: file.RootFS.DiffIDs[i].String(), CreatedBy: "COPY . /"})
	}
	want.Size = img.Size
	if diff := cmp.Diff(want, img); diff != "" {
		t.Errorf("image (-want +got):\n%s", diff)
	}
	if raw, _ := f.app.RawManifest(); img.Size != int64(len(raw))+sum(manifest) {
		t.Errorf("size %d, want %d", img.Size, int64(len(raw))+sum(manifest))
	}
	conformConfig(t, img.ConfigFile)
}

func sum(m *v1.Manifest) int64 {
	n := m.Config.Size
	for _, l := range m.Layers {
		n += l.Size
	}
	return n
}

func descriptor(d v1.Descriptor) registry.Descriptor {
	return registry.Descriptor{Digest: d.Digest.String(), MediaType: string(d.MediaType), Size: d.Size}
}

func conformConfig(t *testing.T, got *registry.ConfigFile) {
	want := &registry.ConfigFile{
		Created: registry.Time{Time: registrytest.Epoch}, OS: "linux", Architecture: "amd64",
		Config: registry.RunConfig{User: "app", Env: []string{"PATH=/bin"}, Cmd: []string{"/app"}, Labels: map[string]string{"team": "a"}},
		History: []registry.History{
			{Created: registry.Time{Time: registrytest.Epoch}, CreatedBy: "COPY . /"},
			{Created: registry.Time{Time: registrytest.Epoch}, CreatedBy: "COPY . /"},
			{CreatedBy: "ENV PATH=/bin", EmptyLayer: true},
		},
		RootFS: got.RootFS,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("config (-want +got):\n%s", diff)
	}
}

func conformIndex(t *testing.T, c registry.Client, f filled) {
	img, err := c.Image(t.Context(), "team/deep/tool", "multi")
	if err != nil {
		t.Fatal(err)
	}
	if img.Digest != f.indexDigest || img.ManifestDigest != f.appDigest || img.Platform != "linux/amd64" {
		t.Errorf("index %s, manifest %s, platform %s, want %s, %s, linux/amd64", img.Digest, img.ManifestDigest, img.Platform, f.indexDigest, f.appDigest)
	}
	if want := "linux/amd64 of 2 platforms: linux/arm64/v8, linux/amd64"; img.PlatformNote != want {
		t.Errorf("note %q, want %q", img.PlatformNote, want)
	}
	got, err := c.Head(t.Context(), "team/deep/tool", "multi")
	if err != nil || got != f.indexDigest {
		t.Errorf("head: %q, %v, want %q", got, err, f.indexDigest)
	}
}

func conformEmpty(t *testing.T, c registry.Client) {
	img, err := c.Image(t.Context(), "2/app", "latest")
	if err != nil {
		t.Fatal(err)
	}
	if len(img.Layers) != 0 || img.ConfigFile.Config.User != "app" {
		t.Errorf("layers %v, user %q, want none and app", img.Layers, img.ConfigFile.Config.User)
	}
}

func conformMissing(t *testing.T, c registry.Client) {
	if _, err := c.Head(t.Context(), "team/app", "none"); registry.KindOf(err) != registry.KindNotFound {
		t.Errorf("head: %v, want KindNotFound", err)
	}
	if _, err := c.Image(t.Context(), "team/app", "none"); registry.KindOf(err) != registry.KindNotFound {
		t.Errorf("image: %v, want KindNotFound", err)
	}
	d := registry.Descriptor{Digest: fmt.Sprintf("sha256:%064d", 1), Size: 5}
	if _, err := c.Blob(t.Context(), "team/app", d); registry.KindOf(err) != registry.KindNotFound {
		t.Errorf("blob: %v, want KindNotFound", err)
	}
	for _, path := range []string{"", "..", "a/../b", "a//b", "a?b", "a%2fb"} {
		if _, err := c.Head(t.Context(), path, "v1"); registry.KindOf(err) != registry.KindNotFound {
			t.Errorf("head of %q: %v, want KindNotFound", path, err)
		}
	}
}

func conformBlobs(t *testing.T, c registry.Client, f filled) {
	img, err := c.Image(t.Context(), "team/app", "v1")
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for _, l := range append(img.Layers, img.Layers...) {
		group.Go(func() {
			body, err := readBlob(t.Context(), c, "team/app", l.Descriptor)
			if got := fmt.Sprintf("sha256:%x", sha256.Sum256(body)); err != nil || got != l.Digest {
				t.Errorf("layer %s: got %s, %v", l.Digest, got, err)
			}
		})
	}
	group.Wait()
}

func readBlob(ctx context.Context, c registry.Client, path string, d registry.Descriptor) ([]byte, error) {
	r, err := c.Blob(ctx, path, d)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}
