package tcss_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dogwatch/internal/scan"
	"dogwatch/internal/store"
)

const (
	create       = "CreateAssetImageRegistryScanTask"
	createOneKey = "CreateAssetImageRegistryScanTaskOneKey"
	stop         = "ModifyAssetImageRegistryScanStop"
	stopOneKey   = "ModifyAssetImageRegistryScanStopOneKey"
	scanStatus   = "DescribeAssetImageRegistryScanStatusOneKey"
)

// cart names the image that the tests of this file begin with.
const cart = `{"InstanceName":"prod","Namespace":"shop","ImageName":"cart","ImageTag":"1","Force":"%s"}`

// withCart is a rig with image 1, "prod/shop/cart:1", and image 2, its tag 2.
func withCart(t *testing.T) *rig {
	r := newRig(t)
	reg := r.registry(r.own, "prod")
	r.image(reg, "cart", "1")
	r.image(reg, "cart", "2")
	return r
}

func named(force bool) []store.ImageName {
	return []store.ImageName{{InstanceName: "prod", Namespace: "shop", ImageName: "cart", ImageTag: "1", Force: force}}
}

func TestWhatIsScanned(t *testing.T) {
	r := withCart(t)
	conditions := []store.Filter{{Name: "ImageTag", Values: []string{"2"}, Exact: true}}
	const filter = `[{"Name":"ImageTag","Values":["2"],"ExactMatch":true}]`
	for _, c := range []struct {
		action, params string
		want           scan.Request
	}{
		{create, `{"All":true,"Id":[99]}`, scan.Request{Kind: store.RunManual}},
		{create, `{"All":false,"Id":[2,1],"ExcludeImageList":[2]}`, scan.Request{Kind: store.RunManual, Scope: store.Scope{Kind: 1, IDs: []int64{2, 1}, ExcludeIDs: []int64{2}}}},
		{create, `{"Images":[` + fmt.Sprintf(cart, "1") + `]}`, scan.Request{Kind: store.RunManual, Scope: store.Scope{Kind: 1, Names: named(true)}}},
		{create, `{"Images":[` + fmt.Sprintf(cart, "Force") + `],"Filters":` + filter + `}`, scan.Request{Kind: store.RunManual, Scope: store.Scope{Kind: 1, Names: named(false)}}},
		{create, `{"Filters":` + filter + `,"OnlyScanLatest":true}`, scan.Request{Kind: store.RunManual, Scope: store.Scope{Filters: conditions, Latest: true}}},
		{create, `{"Filters":[]}`, scan.Request{Kind: store.RunManual}},
		{create, `{"All":true,"ScanType":["virus"],"Timeout":10}`, scan.Request{Kind: store.RunManual, Parts: store.PartVirus, Timeout: 10 * time.Second}},
		{create, `{"All":true,"Timeout":18446744073709551615}`, scan.Request{Kind: store.RunManual, Timeout: 30 * 24 * time.Hour}},
		{createOneKey, `{}`, scan.Request{Kind: store.RunOneKey}},
		{createOneKey, `{"All":true,"Id":[1]}`, scan.Request{Kind: store.RunOneKey}},
		{createOneKey, `{"ScanScope":1,"Id":[1],"Images":[` + fmt.Sprintf(cart, "false") + `]}`, scan.Request{Kind: store.RunOneKey, Scope: store.Scope{Kind: 1, IDs: []int64{1}, Names: named(false)}}},
		{createOneKey, `{"ScanScope":2,"RegistryType":["harbor"],"IsLatest":true,"ContainerRunning":true,"Namespace":["a"],"ExcludeIDs":[5],"ScanType":["CVE"],"Timeout":60}`,
			scan.Request{Kind: store.RunOneKey, Parts: store.PartCVE, Timeout: time.Minute, Scope: store.Scope{Kind: 2, RegistryTypes: []string{"harbor"},
				Namespaces: []string{"a"}, Latest: true, ContainerRunning: true, ExcludeIDs: []int64{5}}}},
	} {
		r.scans.started = nil
		answer := r.call(operator, c.action, c.params)
		if _, err := answer["TaskID"].(json.Number).Int64(); err != nil {
			t.Errorf("%s: TaskID %v", c.params, answer["TaskID"])
		}
		if c.want.Parts == 0 {
			c.want.Parts = store.AllParts
		}
		if diff := cmp.Diff([]scan.Request{c.want}, r.scans.started, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: %s", c.params, diff)
		}
	}
}

func TestRefusedScans(t *testing.T) {
	r := withCart(t)
	r.refuse(operator, create, `{}`, "InvalidParameter")
	r.refuse(operator, create, `{"Id":[],"ExcludeImageList":[1]}`, "InvalidParameter")
	r.refuse(operator, create, `{"Id":[1,99]}`, "ResourceNotFound")
	r.refuse(operator, createOneKey, `{"ScanScope":1,"Id":[99]}`, "ResourceNotFound")
	r.refuse(operator, createOneKey, `{"ScanScope":3}`, "InvalidParameterValue")
	r.refuse(operator, create, `{"All":true,"ScanType":["cve","CVE"]}`, "InvalidParameterValue")
	r.refuse(operator, create, `{"All":true,"Timeout":-1}`, "InvalidParameterValue")
	r.refuse(reader, create, `{"All":true}`, "AuthFailure.UnauthorizedOperation")
	r.refuse(reader, createOneKey, `{}`, "AuthFailure.UnauthorizedOperation")
	for refusal, code := range map[error]string{
		scan.ErrNothing:         "FailedOperation",
		scan.ErrQuota:           "FailedOperation",
		scan.ErrAlreadyScanning: "FailedOperation.ErrAlreadyScanning",
	} {
		r.scans.refusal = fmt.Errorf("wrapped: %w", refusal)
		r.refuse(operator, create, `{"All":true}`, code)
		r.refuse(operator, createOneKey, `{}`, code)
	}
	if len(r.scans.started) != 0 {
		t.Errorf("started %v", r.scans.started)
	}
}

func TestStop(t *testing.T) {
	r := withCart(t)
	r.call(operator, create, `{"All":true}`) // task 1
	both := []int64{2, 1}
	for _, c := range []struct {
		action, params string
		want           []scan.StopRequest
	}{
		{stop, `{"TaskID":1,"All":true}`, []scan.StopRequest{{RunID: 1}}},
		{stop, `{"All":true}`, []scan.StopRequest{{All: true}}},
		{stop, `{"All":true,"ExcludeImageList":[1]}`, []scan.StopRequest{{ImageIDs: []int64{2}}}},
		{stop, `{"Id":[1,2]}`, []scan.StopRequest{{ImageIDs: both}}},
		{stop, `{"Images":[` + fmt.Sprintf(cart, "") + `]}`, []scan.StopRequest{{ImageIDs: []int64{1}}}},
		{stop, `{"Images":[{"InstanceName":"x","Namespace":"x","ImageName":"x","ImageTag":"x","Force":""}]}`, nil},
		{stop, `{"Filters":[{"Name":"ImageName","Values":["ca"]}]}`, []scan.StopRequest{{ImageIDs: both}}},
		{stop, `{"Filters":[],"OnlyScanLatest":true,"ExcludeImageList":[2]}`, nil},
		{stopOneKey, `{"TaskID":1}`, []scan.StopRequest{{RunID: 1}}},
		{stopOneKey, `{"Id":[1]}`, []scan.StopRequest{{ImageIDs: []int64{1}}}},
		{stopOneKey, `{"All":true}`, []scan.StopRequest{{All: true}}},
	} {
		r.scans.stopped = nil
		r.call(operator, c.action, c.params)
		if diff := cmp.Diff(c.want, r.scans.stopped); diff != "" {
			t.Errorf("%s: %s", c.params, diff)
		}
	}
	for _, action := range []string{stop, stopOneKey} {
		r.refuse(operator, action, `{}`, "InvalidParameter")
		r.refuse(operator, action, `{"All":false}`, "InvalidParameter")
		r.refuse(operator, action, `{"TaskID":99}`, "ResourceNotFound")
		r.refuse(operator, action, `{"Id":[99]}`, "ResourceNotFound")
		r.refuse(reader, action, `{"All":true}`, "AuthFailure.UnauthorizedOperation")
	}
	r.refuse(stranger, stop, `{"TaskID":1}`, "ResourceNotFound")
}

func TestScanStatus(t *testing.T) {
	r := withCart(t)
	check := func(params string, want object, images ...any) {
		t.Helper()
		got := r.call(reader, scanStatus, params)
		tags := []any{}
		for _, row := range got["ImageStatus"].([]any) {
			tags = append(tags, row.(object)["ImageTag"])
		}
		delete(got, "RequestId")
		delete(got, "ImageStatus")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", params, diff)
		}
		if diff := cmp.Diff(images, tags, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: images %s", params, diff)
		}
	}
	status := func(state string, total, done, clean, risky, schedule, remain int) object {
		number := func(n int) json.Number { return json.Number(fmt.Sprint(n)) }
		return object{"Status": state, "ImageTotal": number(total), "ImageScanCnt": number(done), "SuccessCount": number(clean),
			"RiskCount": number(risky), "Schedule": number(schedule), "ScanRemainTime": number(remain)}
	}
	check(`{}`, status("NOT_SCAN", 0, 0, 0, 0, 0, 0))
	check(`{"Id":[1]}`, status("NOT_SCAN", 0, 0, 0, 0, 0, 0), "1")
	first := r.call(operator, create, `{"All":true}`)["TaskID"]
	r.must(r.store.AddRunCounts(t.Context(), 1, store.RunCounts{Finished: 1, Risky: 1}))
	r.call(operator, createOneKey, `{}`)
	r.clock.Advance(time.Minute)
	check(`{}`, status("SCANNING", 4, 0, 0, 0, 0, 0))
	check(fmt.Sprintf(`{"TaskID":%s}`, first), status("SCANNING", 4, 1, 0, 1, 25, 180))
	check(`{"TaskID":1,"All":true}`, status("SCANNING", 4, 1, 0, 1, 25, 180), "2", "1")
	check(`{"TaskID":1,"Images":[`+fmt.Sprintf(cart, "")+`]}`, status("SCANNING", 4, 1, 0, 1, 25, 180), "1")
	for state, schedule := range map[string]int{store.Scanned: 100, store.ScanTimeout: 100, store.Canceled: 25} {
		r := withCart(t)
		r.call(operator, create, `{"All":true}`)
		r.must(r.store.AddRunCounts(t.Context(), 1, store.RunCounts{Finished: 1, Clean: 1}))
		_, err := r.store.EndRun(t.Context(), 1, state, "", store.At(now))
		r.must(err)
		if got := r.call(reader, scanStatus, `{}`); got["Status"] != state || got["Schedule"] != json.Number(fmt.Sprint(schedule)) {
			t.Errorf("%s: %v", state, got)
		}
	}
	for _, unknown := range []string{`{"TaskID":99}`, `{"TaskID":0}`, `{"TaskID":18446744073709551615}`, `{"Id":[1,99]}`} {
		r.refuse(reader, scanStatus, unknown, "ResourceNotFound")
	}
	r.refuse(stranger, scanStatus, `{"TaskID":1}`, "ResourceNotFound")
}
