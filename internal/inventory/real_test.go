package inventory

import (
	"errors"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"dogwatch/internal/registry"
	"dogwatch/internal/registry/registrytest"
	"dogwatch/internal/store"
)

// served is a rig whose registry is a server that speaks HTTP.
func served(t *testing.T, kind string, server *registrytest.Server) *rig {
	t.Helper()
	box := newBox(t)
	r := newRig(t, func(row *store.Registry) {
		row.Type, row.URL, row.Username = kind, server.URL, server.Username
		if server.Password == "" {
			return
		}
		sealed, err := box.Seal([]byte(server.Password), row.PasswordContext())
		if err != nil {
			t.Fatal(err)
		}
		row.SealedPassword = sealed
	})
	r.syncer = NewSyncer(r.store, NewClients(r.store, box, registry.Options{AllowPrivate: true}), r.clock, nil)
	return r
}

func image(t *testing.T, content string) v1.Image {
	t.Helper()
	return registrytest.Image(t, registrytest.Layer(t, map[string]string{"app": content}))
}

func TestSyncWithDistribution(t *testing.T) {
	server := registrytest.StartDistribution(t, registrytest.WithBasic("reader", "hunter2"), registrytest.WithCatalogueLimit(2))
	one := registrytest.PushImage(t, server, "team/app:v1", image(t, "one"))
	two := registrytest.PushImage(t, server, "team/deep/app:v1", image(t, "two"))
	registrytest.PushImage(t, server, "tool:v1", image(t, "one"))
	index := registrytest.PushIndex(t, server, "team/multi:v1", registrytest.Index(t,
		registrytest.PlatformImage(t, v1.Platform{OS: "linux", Architecture: "arm64"}, registrytest.Layer(t, map[string]string{"a": "arm"})),
		registrytest.PlatformImage(t, v1.Platform{OS: "linux", Architecture: "amd64"}, registrytest.Layer(t, map[string]string{"a": "amd"})),
	))
	r := served(t, registry.TypeOCI, server)

	want(t, "first report", Report{Repositories: 4, Images: 4, New: 4}, r.sync())
	want(t, "images", sorted([]string{
		"team/app:v1 " + one + " *", "team/deep/app:v1 " + two + " *", "team/multi:v1 " + index + " *", "tool:v1 " + one + " *",
	}), r.images())
	if got := r.image("team/deep/app", "v1"); got.Namespace != "team" || got.Name != "deep/app" || got.Address != server.Host+"/team/deep/app" {
		t.Errorf("row = %+v", got.Image)
	}
	content, err := r.store.Content(t.Context(), r.row.AccountID, index)
	if err != nil {
		t.Fatal(err)
	}
	if content.Platform != "linux/amd64" || content.PlatformNote == "" || content.ManifestDigest == index {
		t.Errorf("content of the index: platform %q, note %q", content.Platform, content.PlatformNote)
	}

	moved := registrytest.PushImage(t, server, "team/app:v1", image(t, "moved"))
	registrytest.DeleteManifest(t, server, "team/deep/app", two)
	want(t, "second report", Report{Repositories: 4, Images: 3, Moved: 1, Gone: 1}, r.sync())
	want(t, "images", sorted([]string{
		"team/app:v1 " + moved + " *", "team/multi:v1 " + index + " *", "tool:v1 " + one + " *",
	}), r.images())

	before := r.images()
	row := r.registry()
	row.SealedPassword = nil
	if err := r.store.UpdateRegistry(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	if _, err := r.syncer.Sync(t.Context(), row.ID); registry.KindOf(err) != registry.KindAuth {
		t.Errorf("without a password: %v, want the kind of refused credentials", err)
	}
	want(t, "images after a refused log-in", before, r.images())
	if row := r.registry(); row.SyncStatus != store.SyncFailed || row.SyncReason == "" || row.SyncSolution == "" {
		t.Errorf("registry row: %q, %q, %q", row.SyncStatus, row.SyncReason, row.SyncSolution)
	}
}

func TestSyncWithHarbor(t *testing.T) {
	harbor := registrytest.FakeHarbor(t)
	harbor.AddProject("team", true)
	harbor.AddProject("empty", false)
	digest := registrytest.PushImage(t, harbor.Server, "team/deep/app:v1", image(t, "one"))
	r := served(t, registry.TypeHarbor, harbor.Server)
	want(t, "report", Report{Repositories: 1, Images: 1, New: 1}, r.sync())
	got := r.image("team/deep/app", "v1")
	if got.Digest != digest || got.Namespace != "team" || got.Name != "deep/app" {
		t.Errorf("row = %+v", got.Image)
	}

	// A wrong password shows Harbor's public projects and nothing else; it must
	// not look like a registry that has shrunk.
	harbor.ChangePassword("changed")
	_, err := r.syncer.Sync(t.Context(), r.row.ID)
	var failure *registry.Failure
	if !errors.As(err, &failure) || strings.Contains(err.Error(), harbor.Password) {
		t.Errorf("error = %v, want a failure without the password", err)
	}
	want(t, "images", []string{"team/deep/app:v1 " + digest + " *"}, r.images())
}
