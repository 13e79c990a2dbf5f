package storetest

import (
	"testing"

	"dogwatch/internal/store"
)

// isolationTests ask, with the other account's id, for what is mine: every
// method that takes an account must answer as if it did not exist.
var isolationTests = map[string]func(t *testing.T, w *world){
	"nothing can be read": func(t *testing.T, w *world) {
		i, r, foreign := w.owned(t)
		reads := map[string]func() error{
			"Registry":       func() error { _, err := w.Registry(w.ctx, foreign, w.mine.registry); return err },
			"RegistryByName": func() error { _, err := w.RegistryByName(w.ctx, foreign, "mine-registry"); return err },
			"Image":          func() error { _, err := w.Image(w.ctx, foreign, i.ID); return err },
			"Content":        func() error { _, err := w.Content(w.ctx, foreign, i.Digest); return err },
			"TimingTask":     func() error { _, err := w.TimingTask(w.ctx, foreign); return err },
			"Run":            func() error { _, err := w.Run(w.ctx, foreign, r.ID); return err },
			"LatestRun":      func() error { _, err := w.LatestRun(w.ctx, foreign); return err },
		}
		for name, read := range reads {
			wantErr(t, read(), store.ErrNotFound, name)
		}
	},
	"nothing is listed": func(t *testing.T, w *world) {
		i, r, foreign := w.owned(t)
		lists := map[string]func() (int, error){
			"Keys":  func() (int, error) { l, err := w.Keys(w.ctx, foreign); return len(l), err },
			"Users": func() (int, error) { l, err := w.Users(w.ctx, foreign); return len(l), err },
			"Registries": func() (int, error) {
				_, n, err := w.Registries(w.ctx, store.RegistryQuery{AccountID: foreign, Filters: []store.Filter{{Name: "Name", Values: []string{"mine"}}}})
				return n, err
			},
			"Images": func() (int, error) {
				_, n, err := w.Images(w.ctx, store.ImageQuery{AccountID: foreign, IDs: []int64{i.ID}})
				return n, err
			},
			"Images by name": func() (int, error) {
				_, n, err := w.Images(w.ctx, store.ImageQuery{AccountID: foreign, Names: []store.ImageName{
					{InstanceName: "mine-registry", Namespace: "team", ImageName: "app", ImageTag: "1"},
				}})
				return n, err
			},
			"Images by registry": func() (int, error) {
				return w.CountImages(w.ctx, store.ImageQuery{AccountID: foreign, RegistryID: w.mine.registry})
			},
			"Images by registry type": func() (int, error) {
				return w.CountImages(w.ctx, store.ImageQuery{AccountID: foreign, RegistryTypes: []string{"harbor"}})
			},
			"Images by digest": func() (int, error) {
				return w.CountImages(w.ctx, store.ImageQuery{AccountID: foreign, Filters: []store.Filter{{Name: "ImageDigest", Values: []string{i.Digest}}}})
			},
			"ActiveRunsOf": func() (int, error) { l, err := w.ActiveRunsOf(w.ctx, foreign); return len(l), err },
			"Items": func() (int, error) {
				l, err := w.Items(w.ctx, store.ItemQuery{AccountID: foreign, RunID: r.ID})
				return len(l), err
			},
			"ItemsBusy":  func() (int, error) { l, err := w.ItemsBusy(w.ctx, foreign, []int64{i.ID}); return len(l), err },
			"UsedTenths": func() (int, error) { n, err := w.UsedTenths(w.ctx, foreign, 0); return int(n), err },
		}
		for name, list := range lists {
			if n, err := list(); n != 0 || err != nil {
				t.Errorf("%s: %d of the other account's (%v)", name, n, err)
			}
		}
		missing, err := w.MissingImages(w.ctx, foreign, []int64{i.ID})
		if err != nil || len(missing) != 1 {
			t.Errorf("MissingImages: %v (%v), want the foreign image to be missing", missing, err)
		}
		ids, err := w.RegistryIDs(w.ctx, foreign)
		if err != nil || len(ids) != 1 || ids[0] != w.theirs.registry {
			t.Errorf("RegistryIDs: %v (%v)", ids, err)
		}
	},
	"nothing can be changed": func(t *testing.T, w *world) {
		i, r, foreign := w.owned(t)
		before := w.row(t, i)
		wantErr(t, w.DeleteRegistry(w.ctx, foreign, w.mine.registry), store.ErrNotFound, "DeleteRegistry")
		wantErr(t, w.UpdateRegistry(w.ctx, &store.Registry{ID: w.mine.registry, AccountID: foreign, Name: "taken over"}), store.ErrNotFound, "UpdateRegistry")
		wantErr(t, w.UpdateRun(w.ctx, &store.Run{ID: r.ID, AccountID: foreign, State: store.Canceled}), store.ErrNotFound, "UpdateRun")
		wantErr(t, w.SetTimingResult(w.ctx, foreign, 9, store.ResultSuccess, 9), store.ErrNotFound, "SetTimingResult")
		must(t, w.SetAuthorized(w.ctx, foreign, []int64{i.ID}, true))
		must(t, w.SetContainers(w.ctx, foreign, i.Digest, 5))
		if after := w.row(t, i); after.Authorized != before.Authorized || after.Containers != before.Containers {
			t.Errorf("the image was changed: licensed %v, containers %d", after.Authorized, after.Containers)
		}
	},
	"the same content in two accounts is two rows": func(t *testing.T, w *world) {
		must(t, w.PutContent(w.ctx, &store.Content{AccountID: w.mine.account, Digest: "d", History: "mine"}))
		must(t, w.PutContent(w.ctx, &store.Content{AccountID: w.theirs.account, Digest: "d", History: "theirs"}))
		c, err := w.Content(w.ctx, w.mine.account, "d")
		must(t, err)
		if c.History != "mine" {
			t.Errorf("history %q", c.History)
		}
	},
}

// owned fills my account with one of everything and returns the other's id.
func (w *world) owned(t *testing.T) (i *store.Image, r *store.Run, foreign int64) {
	t.Helper()
	i = w.image(t, w.mine, "app", "1")
	r = w.run(t, w.mine)
	w.item(t, r, i)
	must(t, w.PutContent(w.ctx, &store.Content{AccountID: w.mine.account, Digest: i.Digest}))
	must(t, w.PutTimingTask(w.ctx, &store.TimingTask{AccountID: w.mine.account, Enabled: true, NextDue: 5}))
	must(t, w.InsertKey(w.ctx, &store.AccessKey{AccountID: w.mine.account, SecretID: "AKIDmine"}))
	must(t, w.InsertUser(w.ctx, &store.User{AccountID: w.mine.account, Name: "me"}))
	return i, r, w.theirs.account
}
