package tcss_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"dogwatch/internal/cloudapi/client"
)

// Messages quote what was sent, but not at any length.
func TestMessagesAreShort(t *testing.T) {
	r := newRig(t)
	long := strings.Repeat("长", 5000)
	caller := client.Client{Endpoint: r.url, SecretID: operator, SecretKey: "secret"}
	for action, params := range map[string]string{
		update:      `{"ScanPeriod":1,"Enable":true,"ScanTime":"%s"}`,
		showImage:   `{"ImageId":"%s"}`,
		addRegistry: with(t, harbor, `{"RegistryVersion":"%s"}`),
		vulList:     `{"ImageInfo":{"InstanceName":"a","Namespace":"b","ImageName":"%s","ImageTag":"1","Force":""}}`,
		license:     choosing(t, 1, `{"RegistryImageIds":["%s"]}`),
	} {
		_, err := caller.Call(t.Context(), action, json.RawMessage(fmt.Sprintf(params, long)))
		if err == nil || len(err.Error()) > 1000 {
			t.Errorf("%s: %.200v", action, err)
		}
	}
}

// What a message proposes is a parameter of the action.
func TestProposedParametersExist(t *testing.T) {
	r := newRig(t)
	caller := client.Client{Endpoint: r.url, SecretID: operator, SecretKey: "secret"}
	for _, model := range actionModels() {
		_, err := caller.Call(t.Context(), model.Name, json.RawMessage(`{}`))
		if err == nil || !strings.Contains(err.Error(), "Nothing is chosen") {
			continue
		}
		for i, name := range strings.Split(err.Error(), "`") {
			if i%2 == 0 {
				continue
			}
			known := false
			for _, m := range model.Input {
				known = known || m.Name == name
			}
			if !known {
				t.Errorf("%s proposes %s, which it does not know", model.Name, name)
			}
		}
	}
}
