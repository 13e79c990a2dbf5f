package inventory

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"dogwatch/internal/facts"
	"dogwatch/internal/registry"
	"dogwatch/internal/store"
)

func sorted(list []string) []string {
	slices.Sort(list)
	return list
}

func TestLearnStoresNoSecrets(t *testing.T) {
	r := newRig(t)
	digest := r.fake.push("team/app:v1", "one", 1)
	content, err := r.syncer.Learn(t.Context(), r.fake, r.row.AccountID, "team/app", digest)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := r.store.Content(t.Context(), r.row.AccountID, digest)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "stored content", content, stored)
	text := string(stored.Layers) + string(stored.Risks) + stored.History
	if strings.Contains(text, "hunter2") {
		t.Errorf("a credential is stored in clear: %s", text)
	}
	var layers []LayerRef
	if err := json.Unmarshal(stored.Layers, &layers); err != nil {
		t.Fatal(err)
	}
	if len(layers) != 1 || layers[0].Digest != "sha256:layer" || layers[0].DiffID != "sha256:diff" || layers[0].Size != 7 ||
		!strings.Contains(layers[0].Command, "chpasswd") {
		t.Errorf("layers = %+v", layers)
	}
	var risks []facts.Risk
	if err := json.Unmarshal(stored.Risks, &risks); err != nil {
		t.Fatal(err)
	}
	if len(risks) == 0 {
		t.Error("the password in the environment is no risk")
	}
	if stored.ConfigDigest != "sha256:config-one" || stored.CreatedAt != store.At(noon.AddDate(0, 0, -99)) || stored.Platform != "linux/amd64" {
		t.Errorf("content = %+v", stored)
	}
}

func TestLearnPassesTheRegistrysWordsOn(t *testing.T) {
	r := newRig(t)
	if _, err := r.syncer.Learn(t.Context(), r.fake, r.row.AccountID, "team/app", "sha256:chart"); !errors.Is(err, registry.ErrNotImage) {
		t.Errorf("error = %v, want ErrNotImage", err)
	}
}

func TestUnknownCreationTimes(t *testing.T) {
	for name, c := range map[string]*registry.ConfigFile{
		"no config":          nil,
		"no time":            {},
		"reproducible build": {Created: registry.Time{Time: time.Unix(0, 0)}},
		"Go's zero time":     {Created: registry.Time{Time: time.Time{}}},
	} {
		if got := created(c); !got.IsZero() {
			t.Errorf("%s: created = %s, want unknown", name, got)
		}
	}
}

func TestSplitPath(t *testing.T) {
	for _, tt := range []struct{ kind, path, namespace, name string }{
		{registry.TypeOCI, "team/app", "team", "app"},
		{registry.TypeOCI, "team/deep/app", "team", "deep/app"},
		{registry.TypeOCI, "app", "", "app"},
		{registry.TypeQuay, "org/app", "org", "app"},
		{registry.TypeJFrog, "docker-local/team/app", "docker-local", "team/app"},
		{registry.TypeOtherTCR, "ns/a/b", "ns", "a/b"},
		{registry.TypeAWS, "team/app", "", "team/app"},
		{registry.TypeAzure, "team/app", "", "team/app"},
		{registry.TypeHarbor, "project/deep/app", "project", "deep/app"},
	} {
		namespace, name := splitPath(tt.kind, registry.Repository{Path: tt.path})
		if namespace != tt.namespace || name != tt.name {
			t.Errorf("%s %s = %q, %q; want %q, %q", tt.kind, tt.path, namespace, name, tt.namespace, tt.name)
		}
	}
	namespace, name := splitPath(registry.TypeHarbor, registry.Repository{Namespace: "p", Name: "a/b", Path: "p/a/b"})
	if namespace != "p" || name != "a/b" {
		t.Errorf("harbor's own split = %q, %q", namespace, name)
	}
}
