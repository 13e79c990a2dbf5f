package registry_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"dogwatch/internal/registry"
	"dogwatch/internal/registry/registrytest"

	"github.com/google/go-cmp/cmp"
)

func harbor(t *testing.T, projects ...string) (*registrytest.Harbor, registry.Client) {
	t.Helper()
	h := registrytest.FakeHarbor(t)
	for _, p := range projects {
		h.AddProject(p, p == "public")
	}
	return h, open(t, targetOf(registry.TypeHarbor, h.Server), options(t))
}

// The second project is named like the id of the first.
func TestHarborProjectWithNumericName(t *testing.T) {
	h, c := harbor(t, "first", "1")
	img := registrytest.Image(t)
	registrytest.PushImage(t, h.Server, "first/a:v1", img)
	registrytest.PushImage(t, h.Server, "1/b/c/d:v1", img)
	got, err := listRepositories(t, c)
	if want := []string{"first/a", "1/b/c/d"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("repositories %v, %v, want %v", got, err, want)
	}
	if got := tagNames(t, c, "1/b/c/d"); !slices.Equal(got, []string{"v1"}) {
		t.Errorf("tags %v, want v1", got)
	}
}

func TestHarborPages(t *testing.T) {
	h, c := harbor(t, names("p", 120)...)
	img := registrytest.Image(t)
	want := []string{}
	for i := range 205 {
		path := fmt.Sprintf("p0119/r%04d", i)
		registrytest.PushImage(t, h.Server, path+":v1", img)
		want = append(want, path)
	}
	got, err := listRepositories(t, c)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%d repositories, %v, want %d", len(got), err, len(want))
	}
}

func TestHarborTagsSayWhatTheyKnow(t *testing.T) {
	h, c := harbor(t, "team")
	img := registrytest.Image(t, registrytest.Layer(t, map[string]string{"a": "b"}))
	digest := registrytest.PushImage(t, h.Server, "team/app:v1", img)
	registrytest.PushImage(t, h.Server, "team/app:v2", img)
	registrytest.PushImage(t, h.Server, "team/app:chart", chart(t))
	index := registrytest.PushIndex(t, h.Server, "team/app:multi", registrytest.Index(t, img))
	full, err := c.Image(t.Context(), "team/app", "v1")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]registry.Tag{}
	err = c.Tags(t.Context(), registry.Repository{Path: "team/app"}, func(tag registry.Tag) error {
		got[tag.Name] = tag
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	pushed := time.Date(2024, 6, 1, 8, 0, 0, 0, time.UTC)
	want := map[string]registry.Tag{
		"v1":    {Name: "v1", Digest: digest, Size: full.Size, CreatedAt: registrytest.Epoch, Kind: registry.TagImage},
		"v2":    {Name: "v2", Digest: digest, Size: full.Size, CreatedAt: registrytest.Epoch, Kind: registry.TagImage},
		"multi": {Name: "multi", Digest: index, Size: got["multi"].Size, CreatedAt: pushed, Kind: registry.TagImage},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
}

// A password that is no longer right must not look like a smaller registry.
func TestHarborWithChangedPasswordListsNothing(t *testing.T) {
	h, c := harbor(t, "public", "private")
	registrytest.PushImage(t, h.Server, "public/a:v1", registrytest.Image(t))
	registrytest.PushImage(t, h.Server, "private/a:v1", registrytest.Image(t))
	h.ChangePassword("another")
	got, err := listRepositories(t, c)
	if registry.KindOf(err) != registry.KindAuth || len(got) > 0 {
		t.Errorf("repositories %v, %v, want none and KindAuth", got, err)
	}
}

func TestHarborThatHidesItsProjects(t *testing.T) {
	h, c := harbor(t, "team")
	h.HideProjects()
	if err := c.Check(t.Context()); registry.KindOf(err) != registry.KindCatalogue {
		t.Errorf("check: %v, want KindCatalogue", err)
	}
	if _, err := listRepositories(t, c); registry.KindOf(err) != registry.KindCatalogue {
		t.Errorf("repositories: %v, want KindCatalogue", err)
	}
}

// Harbor 1.x has another API; it is read like any registry. Its catalogue takes
// the password but no token.
func TestHarborV1IsReadByTheDistributionProtocol(t *testing.T) {
	h := registrytest.FakeHarbor(t)
	h.AddProject("team", false)
	registrytest.PushImage(t, h.Server, "team/app:v1", registrytest.Image(t))
	target := targetOf(registry.TypeHarbor, h.Server)
	target.Version = "v1"
	got, err := listRepositories(t, open(t, target, options(t)))
	if want := []string{"team/app"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("repositories %v, %v, want %v", got, err, want)
	}
}
