package tcss_test

import (
	"encoding/json"
	"errors"
	"testing"
	"unicode"

	"dogwatch/internal/cloudapi/client"
)

// Messages follow the language of the request.
func TestMessagesInBothLanguages(t *testing.T) {
	r := newRig(t)
	r.registry(r.own, "prod")
	for _, c := range [][2]string{
		{update, `{"ScanPeriod":1,"Enable":true,"ScanTime":"25:00"}`},
		{update, `{"ScanPeriod":1,"Enable":true,"ScanTime":"03:00","Id":[9]}`},
		{showRegistry, `{"RegistryId":9}`},
		{create, `{}`},
		{stop, `{"TaskID":9}`},
		{addRegistry, with(t, harbor, `{"Url":"ftp://x"}`)},
		{license, choosing(t, 1, `{"RegistryImageIds":["x"]}`)},
	} {
		for language, want := range map[string]bool{"zh-CN": true, "en-US": false, "": false} {
			caller := client.Client{Endpoint: r.url, SecretID: operator, SecretKey: "secret", Language: language}
			_, err := caller.Call(t.Context(), c[0], json.RawMessage(c[1]))
			var told *client.Error
			if !errors.As(err, &told) {
				t.Fatalf("%s(%s): %v", c[0], c[1], err)
			}
			if chinese := hasHan(told.Message); chinese != want {
				t.Errorf("%s in %q: %s", c[0], language, told.Message)
			}
		}
	}
	caller := client.Client{Endpoint: r.url, SecretID: operator, SecretKey: "secret", Language: "zh-CN"}
	answer, err := caller.Call(t.Context(), addRegistry, json.RawMessage(harbor))
	r.must(err)
	var saved struct{ NameRepeatErr string }
	r.must(json.Unmarshal(answer, &saved))
	if !hasHan(saved.NameRepeatErr) {
		t.Errorf("name taken: %q", saved.NameRepeatErr)
	}
}

func hasHan(text string) bool {
	for _, letter := range text {
		if unicode.Is(unicode.Han, letter) {
			return true
		}
	}
	return false
}
