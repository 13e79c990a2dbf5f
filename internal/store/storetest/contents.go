package storetest

import (
	"encoding/json"
	"testing"

	"dogwatch/internal/store"

	"github.com/google/go-cmp/cmp"
)

var contentTests = map[string]func(t *testing.T, w *world){
	"content comes back whole, the last one": func(t *testing.T, w *world) {
		c := &store.Content{
			AccountID: w.mine.account, Digest: "d", ManifestDigest: "m", ConfigDigest: "c", MediaType: "t", Size: 9, CreatedAt: 8,
			Platform: "linux/amd64", PlatformNote: "note", Layers: json.RawMessage(`[{"d":"'?\u0000"}]`), Risks: json.RawMessage(`[]`),
			RiskRevision: "1", History: "ENV A=***\nRUN ? 'x'", LearnedAt: 7,
		}
		must(t, w.PutContent(w.ctx, &store.Content{AccountID: w.mine.account, Digest: "d", History: "former"}))
		must(t, w.PutContent(w.ctx, c))
		got, err := w.Content(w.ctx, w.mine.account, "d")
		must(t, err)
		if diff := cmp.Diff(c, got); diff != "" {
			t.Errorf("content (-want +got):\n%s", diff)
		}
		_, err = w.Content(w.ctx, w.mine.account, "e")
		wantErr(t, err, store.ErrNotFound, "unknown digest")
	},
	"foreign texts with NUL are storable": func(t *testing.T, w *world) {
		must(t, w.PutContent(w.ctx, &store.Content{AccountID: w.mine.account, Digest: "d", History: "RUN \x00"}))
		got, err := w.Content(w.ctx, w.mine.account, "d")
		must(t, err)
		if got.History != "RUN \uFFFD" {
			t.Errorf("history %q", got.History)
		}
	},
	"the first writer of facts wins": func(t *testing.T, w *world) {
		first := &store.LayerFacts{Digest: "l", Revision: "1", Complete: true, Bytes: 5, Facts: []byte{0, 255, '\''}, InspectedAt: 3, TookMillis: 2}
		must(t, w.PutLayerFacts(w.ctx, first))
		must(t, w.PutLayerFacts(w.ctx, &store.LayerFacts{Digest: "l", Revision: "1", Facts: []byte("late")}))
		got, err := w.LayerFacts(w.ctx, "l", "1")
		must(t, err)
		if diff := cmp.Diff(first, got); diff != "" {
			t.Errorf("facts (-want +got):\n%s", diff)
		}
		_, err = w.LayerFacts(w.ctx, "l", "2")
		wantErr(t, err, store.ErrNotFound, "another revision")
	},
	"known layers are those of the revision": func(t *testing.T, w *world) {
		must(t, w.PutLayerFacts(w.ctx, &store.LayerFacts{Digest: "a", Revision: "1"}))
		must(t, w.PutLayerFacts(w.ctx, &store.LayerFacts{Digest: "b", Revision: "2"}))
		got, err := w.KnownLayers(w.ctx, []string{"a", "b", "c"}, "1")
		must(t, err)
		if diff := cmp.Diff(map[string]bool{"a": true}, got); diff != "" {
			t.Errorf("known (-want +got):\n%s", diff)
		}
		if got, err := w.KnownLayers(w.ctx, nil, "1"); len(got) != 0 || err != nil {
			t.Errorf("known of none: %v (%v)", got, err)
		}
	},
	"the newest facts are those inspected last": func(t *testing.T, w *world) {
		must(t, w.PutLayerFacts(w.ctx, &store.LayerFacts{Digest: "a", Revision: "2", InspectedAt: 1}))
		must(t, w.PutLayerFacts(w.ctx, &store.LayerFacts{Digest: "a", Revision: "1", InspectedAt: 2}))
		got, err := w.NewestLayerFacts(w.ctx, "a")
		if err != nil || got.Revision != "1" {
			t.Errorf("newest %+v (%v)", got, err)
		}
		_, err = w.NewestLayerFacts(w.ctx, "b")
		wantErr(t, err, store.ErrNotFound, "unknown layer")
	},
}

var timingTests = map[string]func(t *testing.T, w *world){
	"none before the first": func(t *testing.T, w *world) {
		_, err := w.TimingTask(w.ctx, w.mine.account)
		wantErr(t, err, store.ErrNotFound, "timing task")
	},
	"a task is replaced, its last result is kept": func(t *testing.T, w *world) {
		scope := store.Scope{
			Kind: 1, IDs: []int64{1, 2}, Names: []store.ImageName{{InstanceName: "a'", Force: true}}, RegistryTypes: []string{"harbor"},
			Namespaces: []string{"?"}, Latest: true, ContainerRunning: true, ExcludeIDs: []int64{3},
			Filters: []store.Filter{{Name: "n", Values: []string{"v"}, Exact: true}},
		}
		task := &store.TimingTask{
			AccountID: w.mine.account, Enabled: true, Period: 7, ScanTime: "01:00", ScanEndTime: "05:00:00", Parts: store.PartCVE | store.PartRisk,
			Scope: scope, Spec: json.RawMessage(`{"a":"?"}`), NextDue: 100, UpdatedAt: 50,
		}
		must(t, w.PutTimingTask(w.ctx, &store.TimingTask{AccountID: w.mine.account, Period: 1}))
		must(t, w.SetTimingResult(w.ctx, w.mine.account, 40, store.ResultSuccess, 60))
		must(t, w.PutTimingTask(w.ctx, task))
		want := *task
		want.LastRunAt, want.LastResult = 40, store.ResultSuccess
		got, err := w.TimingTask(w.ctx, w.mine.account)
		must(t, err)
		if diff := cmp.Diff(&want, got); diff != "" {
			t.Errorf("task (-want +got):\n%s", diff)
		}
	},
	"a result sets only what is given": func(t *testing.T, w *world) {
		must(t, w.PutTimingTask(w.ctx, &store.TimingTask{AccountID: w.mine.account, NextDue: 5}))
		for _, step := range []struct {
			last   store.Moment
			result string
			next   store.Moment
			want   store.TimingTask
		}{
			{0, "", 0, store.TimingTask{NextDue: 5}},
			{0, "", 9, store.TimingTask{NextDue: 9}},
			{8, store.ResultImageNeedIsEmpty, 0, store.TimingTask{NextDue: 9, LastRunAt: 8, LastResult: store.ResultImageNeedIsEmpty}},
		} {
			must(t, w.SetTimingResult(w.ctx, w.mine.account, step.last, step.result, step.next))
			got, err := w.TimingTask(w.ctx, w.mine.account)
			must(t, err)
			step.want.AccountID = w.mine.account
			if diff := cmp.Diff(&step.want, got); diff != "" {
				t.Errorf("after (%d, %q, %d) (-want +got):\n%s", step.last, step.result, step.next, diff)
			}
		}
	},
	"due are enabled tasks whose moment has come": func(t *testing.T, w *world) {
		must(t, w.PutTimingTask(w.ctx, &store.TimingTask{AccountID: 11, Enabled: true, NextDue: 100}))
		must(t, w.PutTimingTask(w.ctx, &store.TimingTask{AccountID: 12, Enabled: true, NextDue: 50}))
		must(t, w.PutTimingTask(w.ctx, &store.TimingTask{AccountID: 13, Enabled: true, NextDue: 101}))
		must(t, w.PutTimingTask(w.ctx, &store.TimingTask{AccountID: 14, Enabled: false, NextDue: 50}))
		must(t, w.PutTimingTask(w.ctx, &store.TimingTask{AccountID: 15, Enabled: true}))
		list, err := w.DueTimingTasks(w.ctx, 100)
		must(t, err)
		var due []int64
		for _, task := range list {
			due = append(due, task.AccountID)
		}
		if diff := cmp.Diff([]int64{12, 11}, due); diff != "" {
			t.Errorf("due (-want +got):\n%s", diff)
		}
	},
}

var workerTests = map[string]func(t *testing.T, w *world){
	"the silent are dead": func(t *testing.T, w *world) {
		must(t, w.Heartbeat(w.ctx, &store.Worker{ID: "a", Host: "h", StartedAt: 1, HeartbeatAt: 10}))
		must(t, w.Heartbeat(w.ctx, &store.Worker{ID: "b", Host: "h", StartedAt: 1, HeartbeatAt: 10}))
		must(t, w.Heartbeat(w.ctx, &store.Worker{ID: "b", Host: "h", StartedAt: 1, HeartbeatAt: 20}))
		dead := func() []string { l, err := w.DeadWorkers(w.ctx, 20); must(t, err); return l }
		if diff := cmp.Diff([]string{"a"}, dead()); diff != "" {
			t.Errorf("dead (-want +got):\n%s", diff)
		}
		must(t, w.DropWorkers(w.ctx, []string{"a", "x"}))
		must(t, w.DropWorkers(w.ctx, nil))
		if left := dead(); len(left) != 0 {
			t.Errorf("still dead: %v", left)
		}
	},
	"the snapshot taken up last is the latest": func(t *testing.T, w *world) {
		_, err := w.LatestSnapshot(w.ctx)
		wantErr(t, err, store.ErrNotFound, "before the first")
		a := &store.Snapshot{ID: "a", File: "f", Records: 5, Source: "s", CreatedAt: 1}
		must(t, w.InsertSnapshot(w.ctx, a))
		must(t, w.InsertSnapshot(w.ctx, &store.Snapshot{ID: "b", CreatedAt: 2}))
		if got, err := w.LatestSnapshot(w.ctx); err != nil || got.ID != "b" {
			t.Errorf("latest %+v (%v)", got, err)
		}
		a.CreatedAt = 3
		must(t, w.InsertSnapshot(w.ctx, a))
		got, err := w.LatestSnapshot(w.ctx)
		must(t, err)
		if diff := cmp.Diff(a, got); diff != "" {
			t.Errorf("latest (-want +got):\n%s", diff)
		}
	},
}
