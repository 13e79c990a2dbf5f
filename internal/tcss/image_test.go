package tcss_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dogwatch/internal/store"
)

const (
	listImages = "DescribeAssetImageRegistryList"
	showImage  = "DescribeAssetImageRegistryDetail"
)

// column is one field of every row of a list.
func column(answer object, name string) []any {
	values := []any{}
	for _, row := range answer["List"].([]any) {
		values = append(values, row.(object)[name])
	}
	return values
}

func TestListImages(t *testing.T) {
	r := newRig(t)
	prod := r.registry(r.own, "prod")
	r.image(prod, "cart", "1.0")
	r.image(prod, "cart", "1.1")
	scanned := r.image(prod, "shop", "2")
	r.assessed(scanned)
	r.must(r.store.SetContainers(t.Context(), r.own, scanned.Digest, 2))
	r.must(r.store.SetAuthorized(t.Context(), r.own, []int64{1}, false))
	r.image(r.registry(r.other, "theirs"), "cart", "9")
	for _, c := range []struct {
		params string
		want   []any
	}{
		{`{}`, []any{"2", "1.1", "1.0"}},
		{`{"Limit": 1, "Offset": 1}`, []any{"1.1"}},
		{`{"Limit": 0}`, []any{}},
		{`{"OnlyShowLatest": true}`, []any{"2", "1.1"}},
		{`{"IsRunning": true}`, []any{"2"}},
		{`{"By": "ScanTime", "Order": "desc"}`, []any{"2", "1.1", "1.0"}},
		{`{"By": "ScanTime", "Order": "+"}`, []any{"1.0", "1.1", "2"}},
		{`{"Filters": [{"Name": "IsAuthorized", "Values": ["1"]}]}`, []any{"2", "1.1"}},
		{`{"Filters": [{"Name": "IsAuthorized", "Values": ["0"], "ExactMatch": true}]}`, []any{"1.0"}},
		{`{"Filters": [{"Name": "IsAuthorized", "Values": ["all"]}]}`, []any{"2", "1.1", "1.0"}},
		{`{"Filters": [{"Name": "ImageTag", "Values": ["1."]}, {"Name": "IsAuthorized", "Values": ["1"]}]}`, []any{"1.1"}},
		{`{"Filters": [{"Name": "ImageTag", "Values": ["1."], "ExactMatch": true}]}`, []any{}},
		{`{"Filters": [{"Name": "ScanStatus", "Values": ["notScan"]}]}`, []any{"1.1", "1.0"}},
		{`{"Filters": [{"Name": "Whatever", "Values": ["x"]}]}`, []any{"2", "1.1", "1.0"}},
		{`{"Filters": [{"Name": "ImageTag", "Values": []}]}`, []any{"2", "1.1", "1.0"}},
	} {
		if diff := cmp.Diff(c.want, column(r.call(reader, listImages, c.params), "ImageTag")); diff != "" {
			t.Errorf("%s: %s", c.params, diff)
		}
	}
	for _, bad := range []struct{ params, code string }{
		{`{"Limit": 101}`, "InvalidParameterValue"},
		{`{"Filters": [{"Name": "ImageTag"}]}`, "MissingParameter"},
		{`{"Filters": [{"Values": ["x"]}]}`, "MissingParameter"},
		{`{"Filters": {"Name": "ImageTag", "Values": ["x"]}}`, "InvalidParameter"},
		{`{"Filters": [{"Name": "ImageTag", "Values": ["x"], "Bogus": 1}]}`, "UnknownParameter"},
		{`{"OnlyShowLatest": 1}`, "InvalidParameter"},
	} {
		r.refuse(reader, listImages, bad.params, bad.code)
	}
}

func TestImageDetail(t *testing.T) {
	r := newRig(t)
	image := r.image(r.registry(r.own, "prod"), "cart", "1")
	fresh := r.call(reader, showImage, `{"Id": 1}`)
	if fresh["ScanTime"] != "" || fresh["LayerInfo"] != "" || fresh["Progress"] != json.Number("0") || fresh["ScanStatus"] != "NOT_SCAN" {
		t.Errorf("before a scan: %v", fresh)
	}
	r.assessed(image)
	got := r.call(reader, showImage, fmt.Sprintf(`{"ImageId": %q}`, image.ImageID))
	for name, want := range map[string]any{
		"Id": json.Number("1"), "ScanTime": "2026-03-02T20:00:00+08:00", "ImageCreateTime": "2026-03-02T19:00:00+08:00",
		"LayerInfo":    "2026-03-02 20:00:00\nCOPY . /app\n\n# linux/amd64 of 2 platforms\n\n",
		"Progress":     json.Number("100"),
		"InstanceName": "prod", "Namespace": "shop", "IsAuthorized": json.Number("1"), "OsName": "linux",
	} {
		if diff := cmp.Diff(want, got[name]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if got := r.call(reader, showImage, `{"Id": 1, "ImageId": "sha256:other"}`); got["Id"] != json.Number("1") {
		t.Errorf("Id does not win: %v", got)
	}
	r.refuse(reader, showImage, `{}`, "InvalidParameter")
	for _, unknown := range []string{`{"Id": 99}`, `{"Id": 0}`, `{"Id": 18446744073709551615}`, `{"ImageId": "sha256:other"}`} {
		r.refuse(reader, showImage, unknown, "ResourceNotFound")
	}
}

func TestImageOfUnknownAge(t *testing.T) {
	r := newRig(t)
	reg := r.registry(r.own, "prod")
	_, err := r.store.UpsertImage(t.Context(), &store.Image{AccountID: r.own, RegistryID: reg.ID, Repository: "x", Name: "x", Tag: "1", Digest: "sha256:1"})
	r.must(err)
	if got := r.call(reader, showImage, `{"Id": 1}`)["ImageCreateTime"]; got != "1900-01-01T00:00:00+00:00" {
		t.Errorf("created %v", got)
	}
}
