package tcss_test

import (
	"encoding/json"
	"strings"
	"testing"

	"dogwatch/internal/cloudapi/client"
	"dogwatch/internal/registry"
)

// A registry that anybody may read has no password that could be sent to a wrong
// address, and none to be given again.
func TestPublicRegistryMayMove(t *testing.T) {
	r := newRig(t)
	public := with(t, harbor, `{"Username": "", "Password": ""}`)
	r.call(operator, addRegistry, public)
	var tested registry.Target
	r.check = func(target registry.Target) error { tested = target; return nil }
	for _, password := range []string{"", "********"} {
		moved := "https://" + strings.ReplaceAll("moved"+password, "*", "x") + ".example.org"
		got := r.call(operator, updateRegistry, with(t, public, `{"RegistryId": 1, "Url": "`+moved+`", "Password": "`+password+`"}`))
		if got["HealthCheckErr"] != "" || got["RegistryId"] != json.Number("1") {
			t.Errorf("password %q: %v", password, got)
		}
		if row, err := r.store.Registry(t.Context(), r.own, 1); err != nil || row.URL != moved || tested.Password != "" {
			t.Errorf("stored %+v, %v, tested with %q", row, err, tested.Password)
		}
	}
}

// Another spelling of the same address is no other address.
func TestSameAddressInOtherWords(t *testing.T) {
	r := newRig(t)
	r.registry(r.own, "prod")
	for _, spelling := range []string{"https://prod.example.org/", "HTTPS://Prod.example.org", "prod.example.org", "https://prod.example.org:443"} {
		got := r.call(operator, updateRegistry, with(t, harbor, `{"Url": "`+spelling+`", "Password": ""}`))
		if got["HealthCheckErr"] != "" {
			t.Errorf("%s: %v", spelling, got["HealthCheckErr"])
		}
	}
	for _, other := range []string{"http://prod.example.org", "https://prod.example.org:8443", "https://prod.example.org/x"} {
		got := r.call(operator, updateRegistry, with(t, harbor, `{"Url": "`+other+`", "Password": ""}`))
		if got["HealthCheckErr"] == "" {
			t.Errorf("%s took the stored password", other)
		}
	}
}

// Credentials typed into an address are not repeated in the message.
func TestPasswordInAddressIsNotRepeated(t *testing.T) {
	r := newRig(t)
	caller := client.Client{Endpoint: r.url, SecretID: operator, SecretKey: "secret"}
	for _, params := range []string{
		with(t, harbor, `{"Url": "https://robot:hunter2@harbor.example.org"}`),
		with(t, harbor, `{"Url": "robot:hunter2@harbor.example.org/a@b"}`),
		with(t, harbor, `{"WebhookUrl": "ftp://robot:hunter2@hook.example.org"}`),
	} {
		_, err := caller.Call(t.Context(), addRegistry, json.RawMessage(params))
		if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "InvalidParameterValue") {
			t.Errorf("%s: %v", params, err)
		}
	}
}

// A failed connection test speaks the language of the caller.
func TestFailedTestInChinese(t *testing.T) {
	r := newRig(t)
	r.check = func(registry.Target) error {
		return &registry.Failure{Kind: registry.KindAuth, Reason: "refused", Solution: "check user and password"}
	}
	caller := client.Client{Endpoint: r.url, SecretID: operator, SecretKey: "secret", Language: "zh-CN"}
	answer, err := caller.Call(t.Context(), addRegistry, json.RawMessage(harbor))
	r.must(err)
	var saved struct{ HealthCheckErr string }
	r.must(json.Unmarshal(answer, &saved))
	if saved.HealthCheckErr != "用户名或密码错误，请检查后重试（refused）" {
		t.Errorf("answered %q", saved.HealthCheckErr)
	}
}
