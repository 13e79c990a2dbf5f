package e2e

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dogwatch/internal/registry/registrytest"
	"dogwatch/internal/store"
)

// watch is a server with two registries of different types and eight images,
// and a timing task to set.
type watch struct {
	*server
	api *client
	ids map[string]uint64 // "prod/team/app:1" → list id
}

// startWatch fills two registries: in each repository tag 2 is newer than tag 1.
func startWatch(t *testing.T) *watch {
	t.Helper()
	w := &watch{server: startServer(t, nil), ids: map[string]uint64{}}
	w.api = w.client()
	for _, r := range []struct{ name, kind string }{{"prod", "oci"}, {"old", "quay"}} {
		registry := registrytest.StartDistribution(t)
		for _, ref := range []string{"team/app:1", "team/app:2", "shop/web:1", "shop/web:2"} {
			layer := registrytest.Layer(t, map[string]string{
				"srv/name":                               r.name + ref,
				"srv/node_modules/minimist/package.json": `{"name":"minimist","version":"1.2.0"}`,
			})
			registrytest.PushImage(t, registry, ref, registrytest.Image(t, layer))
		}
		w.api.addRegistry(map[string]any{
			"Name": r.name, "Username": "u", "Password": "p", "Url": "http://" + registry.Host, "RegistryType": r.kind, "NetType": "private",
		})
	}
	for _, row := range w.rows() {
		w.ids[row.InstanceName+"/"+row.Namespace+"/"+row.ImageName+":"+row.ImageTag] = row.Id
	}
	if len(w.ids) != 8 {
		t.Fatalf("%d images, want 8: %v", len(w.ids), w.ids)
	}
	return w
}

type imageRow struct {
	Id                                                     uint64
	InstanceName, Namespace, ImageName, ImageTag, ScanTime string
	ScanStatus, CveStatus, VirusStatus, RiskStatus         string
	ImageDigest                                            string
}

func (w *watch) rows() []imageRow {
	w.t.Helper()
	var list struct{ List []imageRow }
	w.api.call("DescribeAssetImageRegistryList", map[string]any{"Limit": 100}, &list)
	return list.List
}

// fire sets the timing task an hour ahead of the clock, moves the clock there,
// waits for the run and returns the names of the images that it scanned.
func (w *watch) fire(params map[string]any) []string {
	w.t.Helper()
	due := w.clock.Now().In(location(w.t)).Add(time.Hour).Truncate(time.Second)
	task := map[string]any{"Enable": true, "ScanPeriod": 1, "ScanTime": due.Format("15:04:05")}
	maps.Copy(task, params)
	w.api.call("UpdateImageRegistryTimingScanTask", task, nil)
	before := w.latestRun()
	w.clock.Set(due)
	var run *store.Run
	w.api.eventually("the run", func() bool {
		w.clock.Advance(time.Second)
		run = w.latestRun()
		done := run != nil && run.State != store.Scanning && (before == nil || run.ID != before.ID)
		var status struct{ ScanResult *string }
		w.api.call("DescribeImageRegistryTimingScanTask", nil, &status)
		empty := status.ScanResult != nil && *status.ScanResult == store.ResultImageNeedIsEmpty
		if empty {
			run = nil
		}
		return done || empty
	})
	if run == nil {
		return nil
	}
	return w.scannedBy(run)
}

func (w *watch) latestRun() *store.Run {
	account, err := w.Store.AccountByName(w.t.Context(), "default")
	if err != nil {
		w.t.Fatal(err)
	}
	run, err := w.Store.LatestRun(w.t.Context(), account.ID)
	if err != nil {
		return nil
	}
	return run
}

func (w *watch) scannedBy(run *store.Run) []string {
	w.t.Helper()
	items, err := w.Store.Items(w.t.Context(), store.ItemQuery{AccountID: run.AccountID, RunID: run.ID})
	if err != nil {
		w.t.Fatal(err)
	}
	names := map[uint64]string{}
	for name, id := range w.ids {
		names[id] = name
	}
	var got []string
	for _, item := range items {
		got = append(got, names[uint64(item.ImageID)])
	}
	return sorted(got)
}

func (w *watch) named(match func(name string) bool) []string {
	var names []string
	for name := range w.ids {
		if match(name) {
			names = append(names, name)
		}
	}
	return sorted(names)
}

// TestEveryParameterOfTheTimingTask shows, for each parameter that chooses
// images, that it changes which images the scheduled run takes.
func TestEveryParameterOfTheTimingTask(t *testing.T) {
	w := startWatch(t)
	all := w.named(func(string) bool { return true })
	newest := w.named(func(n string) bool { return strings.HasSuffix(n, ":2") })
	one := "prod/team/app:1"
	info := map[string]any{"InstanceName": "old", "Namespace": "shop", "ImageName": "web", "ImageTag": "1", "Force": "false"}
	running := "prod/shop/web:1"
	w.markRunning(running)
	for _, c := range []struct {
		name   string
		params map[string]any
		want   []string
	}{
		{"no scope at all", nil, all},
		{"ScanScope 0", map[string]any{"ScanScope": 0}, all},
		{"All", map[string]any{"All": true, "Id": []uint64{w.ids[one]}}, all},
		{"ScanScope 1 with Id", map[string]any{"ScanScope": 1, "Id": []uint64{w.ids[one]}}, []string{one}},
		{"Id alone", map[string]any{"Id": []uint64{w.ids[one]}}, []string{one}},
		{"ScanScope 1 with Images", map[string]any{"ScanScope": 1, "Images": []any{info}}, []string{"old/shop/web:1"}},
		{"Id and Images together", map[string]any{"Id": []uint64{w.ids[one]}, "Images": []any{info}}, []string{"old/shop/web:1", one}},
		{"ScanScope 2 recommended", map[string]any{"ScanScope": 2}, sorted(append([]string{running}, newest...))},
		{"RegistryType", map[string]any{"RegistryType": []string{"quay"}}, w.named(func(n string) bool { return strings.HasPrefix(n, "old/") })},
		{"Namespace", map[string]any{"Namespace": []string{"shop"}}, w.named(func(n string) bool { return strings.Contains(n, "/shop/") })},
		{"Namespace and RegistryType", map[string]any{"ScanScope": 2, "Namespace": []string{"shop"}, "RegistryType": []string{"oci"}},
			[]string{"prod/shop/web:1", "prod/shop/web:2"}},
		{"Latest", map[string]any{"Latest": true}, newest},
		{"ContainerRunning", map[string]any{"ContainerRunning": true}, []string{running}},
		{"ExcludeImageAssetIds", map[string]any{"ExcludeImageAssetIds": []uint64{w.ids[one]}},
			w.named(func(n string) bool { return n != one })},
		{"nothing that matches", map[string]any{"Namespace": []string{"nowhere"}}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, w.fire(c.params)); diff != "" {
				t.Errorf("images of the run (-want +got):\n%s", diff)
			}
		})
	}
}

// markRunning tells the server that a container runs the image.
func (w *watch) markRunning(name string) {
	w.t.Helper()
	run := w.rows()
	i := slices.IndexFunc(run, func(r imageRow) bool { return r.Id == w.ids[name] })
	account, err := w.Store.AccountByName(w.t.Context(), "default")
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.Store.SetContainers(w.t.Context(), account.ID, run[i].ImageDigest, 1); err != nil {
		w.t.Fatal(err)
	}
}

// TestScanTypeOfTheTimingTask: what is not asked for is not scanned.
func TestScanTypeOfTheTimingTask(t *testing.T) {
	w := startWatch(t)
	one := "prod/team/app:1"
	w.fire(map[string]any{"ScanType": []string{"VIRUS"}, "Id": []uint64{w.ids[one]}})
	for _, row := range w.rows() {
		if row.Id != w.ids[one] {
			continue
		}
		got := []string{row.CveStatus, row.VirusStatus, row.RiskStatus}
		if diff := cmp.Diff([]string{"NOT_SCAN", "SCANNED", "NOT_SCAN"}, got); diff != "" {
			t.Errorf("CVE, VIRUS, RISK (-want +got):\n%s", diff)
		}
	}
}

// TestEnableAndPeriodOfTheTimingTask: a task that is off does not run, one with
// a period of two days leaves a day out.
func TestEnableAndPeriodOfTheTimingTask(t *testing.T) {
	w := startWatch(t)
	first := w.fire(map[string]any{"ScanPeriod": 2})
	if len(first) != 8 {
		t.Fatalf("the first run took %d images, want 8", len(first))
	}
	run := w.latestRun()
	account, err := w.Store.AccountByName(t.Context(), "default")
	if err != nil {
		t.Fatal(err)
	}
	task, err := w.Store.TimingTask(t.Context(), account.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got := task.NextDue.Time().Sub(run.DueAt.Time()).Round(24 * time.Hour); got != 48*time.Hour {
		t.Errorf("the next run is due %s after the first, want two days", got)
	}
	w.api.call("UpdateImageRegistryTimingScanTask", map[string]any{"Enable": false, "ScanPeriod": 2, "ScanTime": "03:00"}, nil)
	w.clock.Advance(72 * time.Hour)
	if err := w.Scans.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	if again := w.latestRun(); again.ID != run.ID {
		t.Error("a task that is off ran")
	}
}

// TestScanEndTimeOfTheTimingTask: the run's window ends at ScanEndTime.
func TestScanEndTimeOfTheTimingTask(t *testing.T) {
	w := startWatch(t)
	due := w.clock.Now().In(location(t)).Add(time.Hour)
	w.fire(map[string]any{"ScanEndTime": due.Add(90 * time.Minute).Format("15:04")})
	run := w.latestRun()
	want := due.Add(90 * time.Minute).Truncate(time.Minute)
	if got := run.WindowEnd.Time(); !got.Equal(want) {
		t.Errorf("the window ends at %s, want %s", got, want.UTC())
	}
}

// TestDocumentedExample: the example of the reference is accepted as it stands.
func TestDocumentedExample(t *testing.T) {
	s := startServer(t, nil)
	api := s.client()
	api.call("UpdateImageRegistryTimingScanTask", map[string]any{
		"ScanPeriod": 1, "ScanType": []string{"CVE"}, "All": true, "Latest": true, "Enable": true, "ScanTime": "04:00:00", "Id": []int{1},
		"Images": []any{map[string]any{
			"ImageDigest": "abc", "RegistryType": "abc", "ImageRepoAddress": "abc", "InstanceId": "abc", "InstanceName": "abc",
			"Namespace": "abc", "ImageName": "abc", "ImageTag": "abc", "Force": "abc",
		}},
	}, nil)
	var task struct {
		Enable   bool
		ScanTime string
		ScanType []string
		Id       []uint64
		Images   []map[string]any
		Latest   bool
	}
	api.call("DescribeImageRegistryTimingScanTask", nil, &task)
	if !task.Enable || task.ScanTime != "04:00:00" || !task.Latest || len(task.Id) != 1 || len(task.Images) != 1 || len(task.ScanType) != 1 {
		t.Errorf("the stored task is %+v", task)
	}
}
