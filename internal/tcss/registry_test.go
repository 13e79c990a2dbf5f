package tcss_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dogwatch/internal/registry"
	"dogwatch/internal/store"
)

const (
	addRegistry    = "AddAssetImageRegistryRegistryDetail"
	updateRegistry = "UpdateAssetImageRegistryRegistryDetail"
	showRegistry   = "DescribeAssetImageRegistryRegistryDetail"
	listRegistries = "DescribeAssetImageRegistryRegistryList"
	removeRegistry = "RemoveAssetImageRegistryRegistryDetail"
)

const harbor = `{"Name": "prod", "Username": "robot", "Password": "secret", "Url": "https://harbor.example.org",
 "RegistryType": "harbor", "RegistryVersion": "v2", "NetType": "public", "RegistryRegion": "default"}`

// with is a JSON object with other fields put in.
func with(t *testing.T, params string, more string) string {
	t.Helper()
	fields := map[string]json.RawMessage{}
	for _, text := range []string{params, more} {
		if err := json.Unmarshal([]byte(text), &fields); err != nil {
			t.Fatal(err)
		}
	}
	out, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestAddRegistry(t *testing.T) {
	r := newRig(t)
	var tested registry.Target
	r.check = func(target registry.Target) error { tested = target; return nil }
	got := r.call(operator, addRegistry, with(t, harbor, `{"SpeedLimit": 5, "Insecure": 1, "NeedScan": true, "SyncMode": 1, "ConnDetectConfig": [{"Quuid": "q", "Uuid": "u"}]}`))
	if got["RegistryId"] != json.Number("1") || got["HealthCheckErr"] != "" || got["NameRepeatErr"] != "" {
		t.Fatalf("answered %v", got)
	}
	want := registry.Target{Type: "harbor", URL: "https://harbor.example.org", Username: "robot", Password: "secret", Insecure: true, SpeedLimit: 5, Version: "V2"}
	if diff := cmp.Diff(want, tested); diff != "" {
		t.Errorf("tested: %s", diff)
	}
	row, err := r.store.Registry(t.Context(), r.own, 1)
	r.must(err)
	password, err := r.box.Open(row.SealedPassword, row.PasswordContext())
	r.must(err)
	if string(password) != "secret" || strings.Contains(string(row.SealedPassword), "secret") {
		t.Errorf("password %q, sealed %q", password, row.SealedPassword)
	}
	if diff := cmp.Diff([][]int64{{1}}, r.scans.synced); diff != "" {
		t.Errorf("synchronised: %s", diff)
	}
	detail := r.call(operator, showRegistry, `{"RegistryId": 1}`)
	delete(detail, "RequestId")
	connected := object{"Quuid": "backend", "Uuid": "backend", "ConnDetectStatus": "status_connected", "ConnDetectMessage": "success", "Solution": "", "FailReason": ""}
	offline := object{"Quuid": "q", "Uuid": "u", "ConnDetectStatus": "status_unknown", "ConnDetectMessage": "AgentOffline", "Solution": "",
		"FailReason": "this server has no agents on hosts; it tested the connection itself"}
	if diff := cmp.Diff(object{
		"Name": "prod", "Username": "robot", "Password": "********", "Url": "https://harbor.example.org", "RegistryType": "harbor",
		"RegistryVersion": "V2", "NetType": "public", "RegistryRegion": "default", "SpeedLimit": json.Number("5"), "Insecure": json.Number("1"),
		"ConnDetectDetail": []any{connected, offline}, "InstanceID": "", "SyncMode": json.Number("1"), "NeedScan": true,
		"WebhookUrl": "https://dogwatch.example.org/webhook/1", "WebhookToken": "30313233343536373839616263646566",
	}, detail); diff != "" {
		t.Error(diff)
	}
	if got := r.call(reader, showRegistry, `{"RegistryId": 1}`)["WebhookToken"]; got != "********" {
		t.Errorf("a reader is shown the token %v", got)
	}
}

func TestAddRegistryAnswersWithoutStoring(t *testing.T) {
	r := newRig(t)
	r.registry(r.own, "taken")
	got := r.call(admin, addRegistry, with(t, harbor, `{"Name": "taken"}`))
	if got["NameRepeatErr"] == "" || got["RegistryId"] != json.Number("0") {
		t.Errorf("taken name: %v", got)
	}
	if got := r.call(stranger, addRegistry, with(t, harbor, `{"Name": "taken"}`)); got["NameRepeatErr"] != "" {
		t.Errorf("a name of another account is taken: %v", got)
	}
	for _, c := range []struct {
		err  error
		want string
	}{
		{&registry.Failure{Kind: registry.KindAuth, Reason: "refused", Solution: "check user and password"}, "refused; check user and password"},
		{&registry.Failure{Kind: registry.KindNetwork, Reason: "no route"}, "no route"},
		{errors.New("odd"), "odd"},
	} {
		r.check = func(registry.Target) error { return c.err }
		got := r.call(operator, addRegistry, harbor)
		if got["HealthCheckErr"] != c.want || got["RegistryId"] != json.Number("0") {
			t.Errorf("failed test: %v, want %q", got, c.want)
		}
	}
	if _, total, err := r.store.Registries(t.Context(), store.RegistryQuery{AccountID: r.own}); total != 1 || err != nil {
		t.Errorf("%d registries, %v", total, err)
	}
}

func TestRegistryBadValues(t *testing.T) {
	r := newRig(t)
	row := r.registry(r.own, "prod")
	for _, c := range []struct{ more, code string }{
		{`{"Name": ""}`, "InvalidParameterValue"},
		{`{"Name": "  "}`, "InvalidParameterValue"},
		{`{"Name": null}`, "MissingParameter"},
		{`{"RegistryType": "gitlab"}`, "InvalidParameterValue"},
		{`{"RegistryType": "tcr"}`, "InvalidParameterValue"},
		{`{"Url": ""}`, "InvalidParameterValue"},
		{`{"Url": "ftp://x"}`, "InvalidParameterValue"},
		{`{"Url": "https://"}`, "InvalidParameterValue"},
		{`{"NetType": "intranet"}`, "InvalidParameterValue"},
		{`{"RegistryVersion": "V3"}`, "InvalidParameterValue"},
		{`{"SpeedLimit": -1}`, "InvalidParameterValue"},
		{`{"Insecure": 2}`, "InvalidParameterValue"},
		{`{"SyncMode": 2}`, "InvalidParameterValue"},
		{`{"NeedScan": "true"}`, "InvalidParameter"},
	} {
		r.refuse(operator, addRegistry, with(t, with(t, harbor, `{"Name": "new"}`), c.more), c.code)
		r.refuse(operator, updateRegistry, with(t, with(t, harbor, `{"RegistryId": 1}`), c.more), c.code)
	}
	r.refuse(operator, addRegistry, with(t, harbor, `{"Name": "new", "WebhookUrl": "javascript:x"}`), "InvalidParameterValue")
	r.refuse(operator, addRegistry, with(t, harbor, `{"RegistryId": 1}`), "UnknownParameter")
	if now, err := r.store.Registry(t.Context(), r.own, row.ID); err != nil || now.URL != row.URL {
		t.Errorf("changed to %v, %v", now, err)
	}
}

func TestUpdateRegistry(t *testing.T) {
	r := newRig(t)
	r.registry(r.own, "prod")
	r.registry(r.own, "dev")
	var tested registry.Target
	r.check = func(target registry.Target) error { tested = target; return nil }
	stored, err := r.store.Registry(t.Context(), r.own, 1)
	r.must(err)
	for _, c := range []struct{ password, want string }{{"", "hunter2"}, {"********", "hunter2"}, {"fresh", "fresh"}, {"********", "fresh"}} {
		got := r.call(operator, updateRegistry, with(t, harbor, `{"RegistryId": 1, "Url": "`+stored.URL+`", "Password": "`+c.password+`"}`))
		if got["RegistryId"] != json.Number("1") || tested.Password != c.want {
			t.Errorf("password %q: tested %q, answered %v", c.password, tested.Password, got)
		}
	}
	// The stored password goes to no other address than the one it was given for.
	tested = registry.Target{}
	got := r.call(operator, updateRegistry, with(t, harbor, `{"RegistryId": 1, "Url": "https://elsewhere.example.org", "Password": "********"}`))
	if got["HealthCheckErr"] == "" || got["RegistryId"] != json.Number("0") || tested.Password != "" {
		t.Errorf("another address with the stored password: tested %+v, answered %v", tested, got)
	}
	r.call(operator, updateRegistry, with(t, harbor, `{"RegistryType": "AWS", "SyncMode": 1, "RegistryVersion": ""}`)) // found by name
	r.call(operator, updateRegistry, with(t, harbor, `{"RegistryType": "aws", "RegistryId": 1, "Name": "renamed"}`))
	row, err := r.store.Registry(t.Context(), r.own, 1)
	r.must(err)
	if row.Type != "aws" || row.SyncMode != 1 || row.Name != "renamed" || row.Username != "robot" {
		t.Errorf("stored %+v", row)
	}
	if got := r.call(operator, updateRegistry, with(t, harbor, `{"RegistryId": 1, "Name": "dev", "Password": "again"}`)); got["NameRepeatErr"] == "" {
		t.Errorf("taken name: %v", got)
	}
	r.check = func(registry.Target) error { return context.DeadlineExceeded }
	if got := r.call(operator, updateRegistry, with(t, harbor, `{"RegistryId": 2, "Name": "dev", "Username": "other"}`)); got["HealthCheckErr"] == "" {
		t.Errorf("failed test: %v", got)
	}
	if row, err := r.store.Registry(t.Context(), r.own, 2); err != nil || row.Username != "" {
		t.Errorf("a refused update was stored: %+v, %v", row, err)
	}
	r.refuse(operator, updateRegistry, with(t, harbor, `{"RegistryId": 99}`), "ResourceNotFound")
	r.refuse(operator, updateRegistry, with(t, harbor, `{"Name": "nobody"}`), "ResourceNotFound")
}

func TestListRegistries(t *testing.T) {
	r := newRig(t)
	for _, name := range []string{"a", "b", "c"} {
		r.registry(r.own, name)
	}
	r.must(r.store.EndSync(t.Context(), 1, store.At(now), store.SyncSuccess, "", ""))
	r.registry(r.other, "theirs")
	for _, c := range []struct {
		params string
		total  string
		names  []any
	}{
		{`{}`, "3", []any{"c", "b", "a"}},
		{`{"Limit": 2, "Offset": 1}`, "3", []any{"b", "a"}},
		{`{"Limit": 0}`, "3", []any{}},
		{`{"Offset": 18446744073709551615}`, "3", []any{}},
		{`{"By": "InsertTime", "Order": "ASC"}`, "3", []any{"a", "b", "c"}},
		{`{"By": "NoSuchKey", "Order": "-"}`, "3", []any{"c", "b", "a"}},
		{`{"Filters": [{"Name": "Name", "Values": ["b"]}]}`, "1", []any{"b"}},
		{`{"Filters": [{"Name": "IsAuthorized", "Values": ["1"]}]}`, "3", []any{"c", "b", "a"}},
		{`{"Filters": [{"Name": "Name", "Values": ["all"], "ExactMatch": true}]}`, "3", []any{"c", "b", "a"}},
		{`{"Filters": [{"Name": "RegistryId", "Values": ["1", "4"]}]}`, "1", []any{"a"}},
	} {
		got := r.call(reader, listRegistries, c.params)
		names := []any{}
		for _, row := range got["List"].([]any) {
			names = append(names, row.(object)["Name"])
		}
		if got["TotalCount"] != json.Number(c.total) || !cmp.Equal(c.names, names) {
			t.Errorf("%s: %v of %v, want %v of %s", c.params, names, got["TotalCount"], c.names, c.total)
		}
	}
	row := r.call(reader, listRegistries, `{"Filters": [{"Name": "Name", "Values": ["a"]}]}`)["List"].([]any)[0].(object)
	if row["SyncStatus"] != "success" || row["LatestSyncTime"] != "2026-03-02 20:00:00" {
		t.Errorf("synchronised %v at %v", row["SyncStatus"], row["LatestSyncTime"])
	}
	for _, bad := range []string{`{"Limit": 101}`, `{"Limit": -1}`, `{"Order": "ACS"}`} {
		r.refuse(reader, listRegistries, bad, "InvalidParameterValue")
	}
}

func TestSynchronise(t *testing.T) {
	r := newRig(t)
	a, b := r.registry(r.own, "a"), r.registry(r.own, "b")
	theirs := r.registry(r.other, "theirs")
	r.call(operator, "SyncAssetImageRegistryAsset", `{}`)
	r.call(operator, "SyncAssetImageRegistryAsset", `{"All": true, "RegistryIds": [99]}`)
	r.call(operator, "SyncAssetImageRegistryAsset", `{"RegistryIds": [2, 2]}`)
	if diff := cmp.Diff([][]int64{{a.ID, b.ID}, {a.ID, b.ID}, {b.ID}}, r.scans.synced); diff != "" {
		t.Error(diff)
	}
	for _, ids := range []string{"[1, 99]", "[3]", "[18446744073709551615]"} {
		r.refuse(operator, "SyncAssetImageRegistryAsset", `{"RegistryIds": `+ids+`}`, "ResourceNotFound")
	}
	if theirs.ID != 3 || len(r.scans.synced) != 3 {
		t.Errorf("the stranger's registry is %d, synchronised %v", theirs.ID, r.scans.synced)
	}
}

func TestSynchronisationState(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	a, b := r.registry(r.own, "a"), r.registry(r.own, "b")
	check := func(status, fault, at string) {
		t.Helper()
		got := r.call(reader, "DescribeAssetImageRegistryAssetStatus", `{}`)
		if got["Status"] != status || got["Err"] != fault || got["LatestSyncSuccessTime"] != at {
			t.Errorf("%v, want %s, %q, %q", got, status, fault, at)
		}
	}
	check("success", "", "")
	_, err := r.store.BeginSync(ctx, a.ID, store.At(now))
	r.must(err)
	check("doing", "", "")
	r.must(r.store.EndSync(ctx, a.ID, store.At(now), store.SyncSuccess, "", ""))
	check("success", "", "2026-03-02 20:00:00")
	r.must(r.store.EndSync(ctx, b.ID, store.At(now), store.SyncFailed, "no route", "check the network"))
	check("failed", "b: no route", "2026-03-02 20:00:00")
}

func TestRemoveRegistry(t *testing.T) {
	r := newRig(t)
	r.image(r.registry(r.own, "a"), "cart", "1")
	r.refuse(operator, removeRegistry, `{"RegistryId": 1}`, "AuthFailure.UnauthorizedOperation")
	r.call(admin, removeRegistry, `{"RegistryId": 1}`)
	r.refuse(admin, removeRegistry, `{"RegistryId": 1}`, "ResourceNotFound")
	r.refuse(admin, removeRegistry, `{"RegistryId": -1}`, "ResourceNotFound")
	r.refuse(admin, "DescribeAssetImageRegistryDetail", `{"Id": 1}`, "ResourceNotFound")
}

func TestNameCheck(t *testing.T) {
	r := newRig(t)
	r.registry(r.own, "prod")
	r.registry(r.other, "theirs")
	for name, want := range map[string]bool{"prod": true, "Prod": false, "theirs": false} {
		if got := r.call(reader, "CheckRepeatAssetImageRegistry", `{"Name": "`+name+`"}`); got["IsRepeat"] != want {
			t.Errorf("%s: %v", name, got)
		}
	}
	r.refuse(reader, "CheckRepeatAssetImageRegistry", `{"Name": ""}`, "InvalidParameterValue")
	r.refuse(reader, "CheckRepeatAssetImageRegistry", `{}`, "MissingParameter")
}
