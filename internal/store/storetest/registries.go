package storetest

import (
	"encoding/json"
	"testing"
	"time"

	"dogwatch/internal/store"

	"github.com/google/go-cmp/cmp"
)

var registryTests = map[string]func(t *testing.T, w *world){
	"registry comes back whole": func(t *testing.T, w *world) {
		r := &store.Registry{
			AccountID: w.mine.account, Name: "whole", Type: "harbor", URL: "https://h:8443/x?y=1", Username: "u", SealedPassword: []byte("p"),
			NetType: "public", Version: "V2", Region: "default", SpeedLimit: 5, Insecure: true, SyncMode: 1, NeedScan: true,
			WebhookURL: "https://w", SealedToken: []byte{0}, InstanceID: "tcr-1", ConnHosts: json.RawMessage(`[{"a":"'?"}]`),
			ConnStatus: "status_connected", ConnMessage: "success", ConnReason: "r", ConnSolution: "s", CreatedAt: 1, UpdatedAt: 2,
		}
		must(t, w.InsertRegistry(w.ctx, r))
		got, err := w.RegistryByID(w.ctx, r.ID)
		must(t, err)
		if diff := cmp.Diff(r, got); diff != "" {
			t.Errorf("registry (-want +got):\n%s", diff)
		}
	},
	"names are unique in an account only": func(t *testing.T, w *world) {
		again := &store.Registry{AccountID: w.mine.account, Name: "mine-registry"}
		wantErr(t, w.InsertRegistry(w.ctx, again), store.ErrTaken, "same account")
		again.AccountID = w.theirs.account
		must(t, w.InsertRegistry(w.ctx, again))
		again.Name = "theirs-registry"
		wantErr(t, w.UpdateRegistry(w.ctx, again), store.ErrTaken, "rename")
	},
	"an update leaves the synchronisation alone": func(t *testing.T, w *world) {
		r, err := w.Registry(w.ctx, w.mine.account, w.mine.registry)
		must(t, err)
		_, err = w.BeginSync(w.ctx, r.ID, 100)
		must(t, err)
		r.Username, r.SyncStatus = "new", store.SyncFailed
		must(t, w.UpdateRegistry(w.ctx, r))
		got, err := w.RegistryByID(w.ctx, r.ID)
		must(t, err)
		if got.Username != "new" || got.SyncStatus != store.SyncDoing || got.SyncStartedAt != 100 {
			t.Errorf("user %q, synchronisation %q since %d", got.Username, got.SyncStatus, got.SyncStartedAt)
		}
	},
	"a synchronisation runs once at a time": func(t *testing.T, w *world) {
		id, hour := w.mine.registry, store.Moment(time.Hour.Milliseconds())
		for _, step := range []struct {
			now     store.Moment
			started bool
		}{{hour, true}, {2 * hour, false}, {hour + 6*hour, false}, {hour + 6*hour + 1, true}} {
			started, err := w.BeginSync(w.ctx, id, step.now)
			must(t, err)
			if started != step.started {
				t.Errorf("at %d: started %v, want %v", step.now, started, step.started)
			}
		}
		must(t, w.EndSync(w.ctx, id, 10*hour, store.SyncFailed, "why", "what to do"))
		r, err := w.RegistryByID(w.ctx, id)
		must(t, err)
		if r.SyncStatus != store.SyncFailed || r.SyncedAt != 0 || r.SyncReason != "why" || r.SyncSolution != "what to do" {
			t.Errorf("after a failure: %+v", r)
		}
		if started, err := w.BeginSync(w.ctx, id, 10*hour); !started || err != nil {
			t.Errorf("not started again (%v)", err)
		}
		must(t, w.EndSync(w.ctx, id, 11*hour, store.SyncSuccess, "", ""))
		if r, err = w.RegistryByID(w.ctx, id); err != nil || r.SyncedAt != 11*hour || r.SyncReason != "" {
			t.Errorf("after a success: %+v (%v)", r, err)
		}
		wantErr(t, w.EndSync(w.ctx, 999, 1, store.SyncSuccess, "", ""), store.ErrNotFound, "unknown registry")
	},
	"synchronisations of a dead process are abandoned": func(t *testing.T, w *world) {
		_, err := w.BeginSync(w.ctx, w.mine.registry, 100)
		must(t, err)
		if n, err := w.AbandonSyncs(w.ctx, 100, "r", "s"); n != 0 || err != nil {
			t.Errorf("abandoned %d that began later (%v)", n, err)
		}
		if n, err := w.AbandonSyncs(w.ctx, 101, "r", "s"); n != 1 || err != nil {
			t.Errorf("abandoned %d, want 1 (%v)", n, err)
		}
		if started, err := w.BeginSync(w.ctx, w.mine.registry, 102); !started || err != nil {
			t.Errorf("not started again (%v)", err)
		}
	},
	"a removed registry takes its images along": func(t *testing.T, w *world) {
		gone := w.image(t, w.mine, "app", "1")
		other := tenant{w.mine.account, w.registry(t, w.mine.account, "other", "oci")}
		shared := w.image(t, other, "copy", "1", func(i *store.Image) { i.Digest = digest("shared") })
		w.image(t, w.mine, "copy", "1", func(i *store.Image) { i.Digest = digest("shared") })
		for _, d := range []string{gone.Digest, shared.Digest} {
			must(t, w.PutContent(w.ctx, &store.Content{AccountID: w.mine.account, Digest: d}))
		}
		run := w.run(t, w.mine)
		item := &store.Item{RunID: run.ID, AccountID: run.AccountID, ImageID: gone.ID, State: store.ItemDone, Charged: 10, QueuedAt: 50}
		must(t, w.InsertItem(w.ctx, item))
		must(t, w.DeleteRegistry(w.ctx, w.mine.account, w.mine.registry))

		_, err := w.Item(w.ctx, item.ID)
		wantErr(t, err, store.ErrNotFound, "item")
		_, err = w.Content(w.ctx, w.mine.account, gone.Digest)
		wantErr(t, err, store.ErrNotFound, "content of the removed image")
		_, err = w.Content(w.ctx, w.mine.account, shared.Digest)
		must(t, err)
		if n, err := w.CountImages(w.ctx, store.ImageQuery{AccountID: w.mine.account}); n != 1 || err != nil {
			t.Errorf("%d images left, want 1 (%v)", n, err)
		}
		if used, err := w.UsedTenths(w.ctx, w.mine.account, 50); used != 10 || err != nil {
			t.Errorf("used %d, want 10: what was charged stays charged (%v)", used, err)
		}
		if used, err := w.UsedTenths(w.ctx, w.mine.account, 51); used != 0 || err != nil {
			t.Errorf("used %d since later, want 0 (%v)", used, err)
		}
	},
	"the list filters, sorts and pages": testRegistryList,
}

func testRegistryList(t *testing.T, w *world) {
	for _, r := range []store.Registry{
		{Name: "Alpha", Type: "oci", URL: "https://a.example.com", CreatedAt: 30},
		{Name: "beta_1", Type: "harbor", URL: "https://b.example.com", CreatedAt: 20},
	} {
		r.AccountID = w.mine.account
		must(t, w.InsertRegistry(w.ctx, &r))
	}
	for _, c := range []struct {
		name  string
		query store.RegistryQuery
		want  []string
		total int
	}{
		{"newest first", store.RegistryQuery{}, []string{"Alpha", "beta_1", "mine-registry"}, 3},
		{"oldest first", store.RegistryQuery{By: "InsertTime"}, []string{"mine-registry", "beta_1", "Alpha"}, 3},
		{"unknown sort key", store.RegistryQuery{By: "Colour"}, []string{"Alpha", "beta_1", "mine-registry"}, 3},
		{"page", store.RegistryQuery{Limit: 1, Offset: 1}, []string{"beta_1"}, 3},
		{"rest", store.RegistryQuery{Offset: 2}, []string{"mine-registry"}, 3},
		{"name contains", store.RegistryQuery{Filters: one("Name", "ALPH")}, []string{"Alpha"}, 1},
		{"name exact", store.RegistryQuery{Filters: exact("Name", "Alph")}, nil, 0},
		{"underscore is itself", store.RegistryQuery{Filters: one("Name", "a_")}, []string{"beta_1"}, 1},
		{"type", store.RegistryQuery{Filters: one("RegistryType", "harbor")}, []string{"beta_1", "mine-registry"}, 2},
		{"type is exact", store.RegistryQuery{Filters: one("RegistryType", "harb")}, nil, 0},
		{"type in any case", store.RegistryQuery{Filters: one("RegistryType", "Harbor")}, []string{"beta_1", "mine-registry"}, 2},
		{"url", store.RegistryQuery{Filters: one("Url", "b.example")}, []string{"beta_1"}, 1},
		{"licence filter is ignored", store.RegistryQuery{Filters: one("IsAuthorized", "1")}, []string{"Alpha", "beta_1", "mine-registry"}, 3},
		{"no number", store.RegistryQuery{Filters: one("RegistryId", "x")}, nil, 0},
	} {
		c.query.AccountID = w.mine.account
		list, total, err := w.Registries(w.ctx, c.query)
		must(t, err)
		var names []string
		for _, r := range list {
			names = append(names, r.Name)
		}
		if diff := cmp.Diff(c.want, names); diff != "" || total != c.total {
			t.Errorf("%s: total %d, want %d (-want +got):\n%s", c.name, total, c.total, diff)
		}
	}
}

func one(name string, values ...string) []store.Filter {
	return []store.Filter{{Name: name, Values: values}}
}

func exact(name string, values ...string) []store.Filter {
	return []store.Filter{{Name: name, Values: values, Exact: true}}
}
