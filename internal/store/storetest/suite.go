// Package storetest is what every implementation of the store must pass: one
// suite, run against each database.
//
// A world is a fresh store with two accounts, each with a registry, so that
// every test can ask whether the one sees what belongs to the other.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"dogwatch/internal/store"
)

// Suite runs all tests. open returns a new, empty store, closed by its cleanup.
func Suite(t *testing.T, open func(t *testing.T) *store.Store) {
	for _, group := range []struct {
		name  string
		tests map[string]func(t *testing.T, w *world)
	}{
		{"transactions", transactionTests},
		{"accounts", accountTests},
		{"isolation", isolationTests},
		{"registries", registryTests},
		{"images", imageTests},
		{"lists", listTests},
		{"contents", contentTests},
		{"timing", timingTests},
		{"runs", runTests},
		{"items", itemTests},
		{"workers", workerTests},
	} {
		t.Run(group.name, func(t *testing.T) {
			for name, test := range group.tests {
				t.Run(name, func(t *testing.T) { test(t, newWorld(t, open(t))) })
			}
		})
	}
}

// world is a store with two accounts.
type world struct {
	*store.Store
	ctx          context.Context
	mine, theirs tenant
}

// tenant is an account with a registry.
type tenant struct {
	account  int64
	registry int64
}

func newWorld(t *testing.T, s *store.Store) *world {
	t.Helper()
	w := &world{Store: s, ctx: t.Context()}
	w.mine = w.tenant(t, "mine", "harbor")
	w.theirs = w.tenant(t, "theirs", "quay")
	return w
}

func (w *world) tenant(t *testing.T, name, kind string) tenant {
	t.Helper()
	a := &store.Account{Name: name, CreatedAt: 1}
	must(t, w.CreateAccount(w.ctx, a))
	return tenant{a.ID, w.registry(t, a.ID, name+"-registry", kind)}
}

func (w *world) registry(t *testing.T, account int64, name, kind string) int64 {
	t.Helper()
	r := &store.Registry{AccountID: account, Name: name, Type: kind, URL: "https://" + name, InstanceID: "id-" + name, Region: "region-" + kind, CreatedAt: 1}
	must(t, w.InsertRegistry(w.ctx, r))
	return r.ID
}

// image stores an image of a tenant, changed by edit, and returns its row.
func (w *world) image(t *testing.T, of tenant, path, tag string, edit ...func(*store.Image)) *store.Image {
	t.Helper()
	i := sample(of, path, tag)
	for _, e := range edit {
		e(i)
	}
	if _, err := w.UpsertImage(w.ctx, i); err != nil {
		t.Fatal(err)
	}
	return i
}

// sample is an image as a synchronisation sees it; its digests follow from path and tag.
func sample(of tenant, path, tag string) *store.Image {
	return &store.Image{
		AccountID: of.account, RegistryID: of.registry,
		Namespace: "team", Name: path, Repository: "team/" + path, Tag: tag, Address: "host/team/" + path,
		Digest: digest(path + tag), ImageID: digest("config " + path + tag),
		Size: 1000, CreatedAt: 500, SeenAt: 1000, OSName: "Debian 12",
	}
}

func digest(s string) string { return fmt.Sprintf("sha256:%x", s) }

// run opens a run of a tenant.
func (w *world) run(t *testing.T, of tenant) *store.Run {
	t.Helper()
	r := &store.Run{AccountID: of.account, Kind: store.RunManual, State: store.Scanning, Parts: store.AllParts, StartedAt: 10}
	must(t, w.InsertRun(w.ctx, r))
	return r
}

// item queues an image in a run.
func (w *world) item(t *testing.T, r *store.Run, i *store.Image) *store.Item {
	t.Helper()
	item := &store.Item{
		RunID: r.ID, AccountID: r.AccountID, ImageID: i.ID, RegistryID: i.RegistryID,
		Parts: store.AllParts, State: store.ItemQueued, Digest: i.Digest, QueuedAt: 20,
	}
	must(t, w.InsertItem(w.ctx, item))
	return item
}

// begin hands an item to an owner.
func (w *world) begin(t *testing.T, id int64, owner string) *store.Item {
	t.Helper()
	item, err := w.BeginItem(w.ctx, id, owner, 30)
	must(t, err)
	return item
}

// row reads an image back.
func (w *world) row(t *testing.T, i *store.Image) *store.ImageRow {
	t.Helper()
	row, err := w.Image(w.ctx, i.AccountID, i.ID)
	must(t, err)
	return row
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantErr(t *testing.T, err, want error, what string) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error %v, want %v", what, err, want)
	}
}
