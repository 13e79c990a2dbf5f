package tcss_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dogwatch/internal/store"
)

const (
	update   = "UpdateImageRegistryTimingScanTask"
	describe = "DescribeImageRegistryTimingScanTask"
)

// documented is the example of the published documentation.
const documented = `{"ScanPeriod": 1, "ScanType": ["CVE"], "All": true, "Latest": true, "Enable": true, "ScanTime": "04:00:00", "Id": [1],
 "Images": [{"ImageDigest": "abc", "RegistryType": "abc", "ImageRepoAddress": "abc", "InstanceId": "abc", "InstanceName": "abc",
 "Namespace": "abc", "ImageName": "abc", "ImageTag": "abc", "Force": "abc"}]}`

func (r *rig) task() *store.TimingTask {
	r.t.Helper()
	task, err := r.store.TimingTask(r.t.Context(), r.own)
	r.must(err)
	return task
}

func TestTimingTaskBeforeTheFirstUpdate(t *testing.T) {
	r := newRig(t)
	got := r.call(reader, describe, "{}")
	delete(got, "RequestId")
	list := []any{}
	want := object{"Enable": false, "ScanPeriod": json.Number("1"), "ScanTime": "00:00:00", "ScanType": list, "Images": list,
		"Id": list, "Latest": false, "All": false, "ScanEndTime": nil, "RegistryType": list, "ContainerRunning": nil,
		"ScanScope": nil, "Namespace": list, "ExcludeImageAssetIds": list, "LastScanTime": nil, "ScanResult": nil}
	for _, name := range []string{"RegistryType", "Namespace", "ExcludeImageAssetIds"} {
		if got[name] == nil { // a nullable list may be either
			got[name] = list
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDocumentedExample(t *testing.T) {
	r := newRig(t)
	r.call(operator, update, documented)
	want := store.Scope{Kind: 0, Latest: true}
	if diff := cmp.Diff(want, r.task().Scope); diff != "" {
		t.Error(diff)
	}
	got := r.call(reader, describe, "{}")
	var sent object
	r.must(json.Unmarshal([]byte(documented), &sent))
	for _, name := range []string{"ScanType", "All", "Latest", "Enable", "ScanTime", "Images"} {
		if diff := cmp.Diff(sent[name], got[name]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if got["ScanScope"] != json.Number("0") {
		t.Errorf("ScanScope %v", got["ScanScope"])
	}
}

func TestNewerExample(t *testing.T) {
	r := newRig(t)
	r.call(operator, update, `{"Enable": true, "ScanPeriod": 1, "ScanTime": "18:10", "ScanEndTime": "20:00", "ScanScope": 2, "ContainerRunning": false,
 "Id": [], "Namespace": ["tke-images"], "RegistryType": ["CCR"], "Latest": true, "ScanType": ["cve", "VIRUS", "Risk"]}`)
	task := r.task()
	want := store.Scope{Kind: 2, Latest: true, Namespaces: []string{"tke-images"}, RegistryTypes: []string{"ccr"}}
	if diff := cmp.Diff(want, task.Scope); diff != "" {
		t.Error(diff)
	}
	if task.Parts != store.AllParts || task.ScanTime != "18:10" || task.ScanEndTime != "20:00" {
		t.Errorf("stored %+v", task)
	}
	// It is 20:00 in the zone: 18:10 comes tomorrow.
	if want := time.Date(2026, 3, 3, 10, 10, 0, 0, time.UTC); !task.NextDue.Time().Equal(want) {
		t.Errorf("due %s, want %s", task.NextDue.Time(), want)
	}
	got := r.call(reader, describe, "{}")
	if got["ScanTime"] != "18:10" || got["ScanEndTime"] != "20:00" {
		t.Errorf("answered %v to %v", got["ScanTime"], got["ScanEndTime"])
	}
}

// Each parameter changes what is stored, and leaving it out brings the default back.
func TestEachParameterCounts(t *testing.T) {
	r := newRig(t)
	reg := r.registry(r.own, "prod")
	image := r.image(reg, "cart", "1")
	if image.ID != 1 {
		t.Fatalf("first image has id %d", image.ID)
	}
	info := `{"InstanceName":"prod","Namespace":"shop","ImageName":"cart","ImageTag":"1","Force":"TRUE"}`
	base := func() *store.TimingTask {
		return &store.TimingTask{Enabled: true, Period: 1, ScanTime: "03:00", Parts: store.AllParts}
	}
	for _, c := range []struct {
		more string
		want func(*store.TimingTask)
	}{
		{``, func(*store.TimingTask) {}},
		{`,"ScanType":["RISK"]`, func(t *store.TimingTask) { t.Parts = store.PartRisk }},
		{`,"ScanType":[]`, func(*store.TimingTask) {}},
		{`,"ScanEndTime":"05:00:00"`, func(t *store.TimingTask) { t.ScanEndTime = "05:00:00" }},
		{`,"ScanEndTime":null`, func(*store.TimingTask) {}},
		{`,"Latest":true`, func(t *store.TimingTask) { t.Scope.Latest = true }},
		{`,"ContainerRunning":true`, func(t *store.TimingTask) { t.Scope.ContainerRunning = true }},
		{`,"Namespace":["a","b"]`, func(t *store.TimingTask) { t.Scope.Kind, t.Scope.Namespaces = 2, []string{"a", "b"} }},
		{`,"RegistryType":["oci"]`, func(t *store.TimingTask) { t.Scope.Kind, t.Scope.RegistryTypes = 2, []string{"oci"} }},
		{`,"RegistryType":["oci"],"ScanScope":0`, func(t *store.TimingTask) { t.Scope.RegistryTypes = []string{"oci"} }},
		{`,"ExcludeImageAssetIds":[7,7,9]`, func(t *store.TimingTask) { t.Scope.ExcludeIDs = []int64{7, 9} }},
		{`,"ExcludeImageAssetIds":[18446744073709551615]`, func(*store.TimingTask) {}},
		{`,"Id":[1]`, func(t *store.TimingTask) { t.Scope.Kind, t.Scope.IDs = 1, []int64{1} }},
		{`,"Id":[1],"All":true`, func(*store.TimingTask) {}},
		{`,"Id":[1,99],"ScanScope":0`, func(*store.TimingTask) {}},
		{`,"Id":[1],"All":true,"ScanScope":1`, func(t *store.TimingTask) { t.Scope.Kind, t.Scope.IDs = 1, []int64{1} }},
		{`,"ScanScope":1`, func(t *store.TimingTask) { t.Scope.Kind = 1 }},
		{`,"ScanScope":2`, func(t *store.TimingTask) { t.Scope.Kind = 2 }},
		{`,"Images":[` + info + `]`, func(t *store.TimingTask) {
			t.Scope.Kind = 1
			t.Scope.Names = []store.ImageName{{InstanceName: "prod", Namespace: "shop", ImageName: "cart", ImageTag: "1", Force: true}}
		}},
	} {
		r.call(operator, update, `{"ScanPeriod":1,"Enable":true,"ScanTime":"03:00"`+c.more+`}`)
		want, got := base(), r.task()
		c.want(want)
		got.AccountID, got.Spec, got.NextDue, got.UpdatedAt = 0, nil, 0, 0
		for _, list := range []*[]int64{&got.Scope.IDs, &got.Scope.ExcludeIDs} {
			if len(*list) == 0 {
				*list = nil
			}
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(store.TimingTask{}.BaseModel)); diff != "" {
			t.Errorf("%s: %s", c.more, diff)
		}
	}
}

func TestSelectedImagesHaveToExist(t *testing.T) {
	r := newRig(t)
	r.image(r.registry(r.other, "theirs"), "cart", "1")
	const head = `{"ScanPeriod":1,"Enable":true,"ScanTime":"03:00",`
	for _, ids := range []string{"[1]", "[4711]", "[18446744073709551615]"} { // 1 is the stranger's
		r.refuse(operator, update, head+`"ScanScope":1,"Id":`+ids+`}`, "ResourceNotFound")
		r.refuse(operator, update, head+`"Id":`+ids+`}`, "ResourceNotFound")
	}
	if _, err := r.store.TimingTask(t.Context(), r.own); err == nil {
		t.Error("a refused update was stored")
	}
}

// The count of days starts anew only when period, time or switch change.
func TestWhenTheCountRestarts(t *testing.T) {
	r := newRig(t)
	r.call(operator, update, `{"ScanPeriod":7,"Enable":true,"ScanTime":"03:00"}`)
	first := r.task().NextDue
	if want := time.Date(2026, 3, 2, 19, 0, 0, 0, time.UTC); !first.Time().Equal(want) {
		t.Fatalf("first due %s, want %s", first.Time(), want)
	}
	later := store.At(first.Time().AddDate(0, 0, 7))
	r.must(r.store.SetTimingResult(t.Context(), r.own, first, store.ResultSuccess, later))
	r.clock.Set(first.Time().Add(time.Hour))
	restarted := store.At(first.Time().AddDate(0, 0, 1))
	for _, c := range []struct {
		params string
		want   store.Moment
	}{
		{`{"ScanPeriod":7,"Enable":true,"ScanTime":"03:00","Latest":true,"ScanEndTime":"06:00"}`, later},
		{`{"ScanPeriod":7,"Enable":true,"ScanTime":"03:00:00"}`, later},
		{`{"ScanPeriod":6,"Enable":true,"ScanTime":"03:00"}`, restarted},
		{`{"ScanPeriod":6,"Enable":true,"ScanTime":"02:59:59"}`, restarted - 1000},
		{`{"ScanPeriod":6,"Enable":false,"ScanTime":"02:59:59"}`, 0},
		{`{"ScanPeriod":6,"Enable":true,"ScanTime":"02:59:59"}`, restarted - 1000},
	} {
		r.call(operator, update, c.params)
		if got := r.task().NextDue; got != c.want {
			t.Errorf("%s: due %s, want %s", c.params, got.Time(), c.want.Time())
		}
	}
	got := r.call(reader, describe, "{}")
	if got["LastScanTime"] != "2026-03-03 03:00:00" || got["ScanResult"] != "Success" {
		t.Errorf("last run %v, %v", got["LastScanTime"], got["ScanResult"])
	}
}

func TestTimingTaskBadRequests(t *testing.T) {
	r := newRig(t)
	good := map[string]string{"ScanPeriod": "1", "Enable": "true", "ScanTime": `"03:00"`}
	for _, c := range []struct{ name, value, code string }{
		{"ScanPeriod", "", "MissingParameter"},
		{"ScanPeriod", "null", "MissingParameter"},
		{"ScanPeriod", "0", "InvalidParameterValue"},
		{"ScanPeriod", "366", "InvalidParameterValue"},
		{"ScanPeriod", `"1"`, "InvalidParameter"},
		{"ScanPeriod", "1.0", "InvalidParameter"},
		{"Enable", "", "MissingParameter"},
		{"Enable", `"true"`, "InvalidParameter"},
		{"ScanTime", "", "MissingParameter"},
		{"ScanTime", `""`, "InvalidParameterValue"},
		{"ScanTime", `"24:00"`, "InvalidParameterValue"},
		{"ScanTime", `"3:00"`, "InvalidParameterValue"},
		{"ScanTime", `"03:00:60"`, "InvalidParameterValue"},
		{"ScanEndTime", `"noon"`, "InvalidParameterValue"},
		{"ScanScope", "3", "InvalidParameterValue"},
		{"ScanType", `["CVE","cve"]`, "InvalidParameterValue"},
		{"ScanType", `["BASELINE"]`, "InvalidParameterValue"},
		{"ScanType", `"CVE"`, "InvalidParameter"},
		{"RegistryType", `["gitlab"]`, "InvalidParameterValue"},
		{"Images", `[{"InstanceName":"a","Namespace":"a","ImageName":"a","ImageTag":"a"}]`, "MissingParameter"},
		{"Images", `["sha256:abc"]`, "InvalidParameter"},
		{"Bogus", "1", "UnknownParameter"},
	} {
		fields := map[string]json.RawMessage{}
		for name, value := range good {
			fields[name] = json.RawMessage(value)
		}
		delete(fields, c.name)
		if c.value != "" {
			fields[c.name] = json.RawMessage(c.value)
		}
		params, err := json.Marshal(fields)
		r.must(err)
		r.refuse(operator, update, string(params), c.code)
	}
	r.refuse(reader, update, documented, "AuthFailure.UnauthorizedOperation")
}
