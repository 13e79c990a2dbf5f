package e2e

import (
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"dogwatch/internal/registry/registrytest"
)

// TestBadCalls: every bad call gets a clear error with the right code.
func TestBadCalls(t *testing.T) {
	s := startServer(t, nil)
	api := s.client()
	for _, c := range []struct {
		name, action string
		params       map[string]any
		want         string
	}{
		{"no such action", "DescribeNothing", nil, "InvalidAction"},
		{"missing parameter", "UpdateImageRegistryTimingScanTask", map[string]any{"Enable": true, "ScanPeriod": 1}, "MissingParameter"},
		{"wrong type", "UpdateImageRegistryTimingScanTask", map[string]any{"Enable": "yes", "ScanPeriod": 1, "ScanTime": "01:00"}, "InvalidParameter"},
		{"unknown name", "DescribeAssetImageRegistryList", map[string]any{"Limits": 1}, "UnknownParameter"},
		{"unknown nested name", "DescribeAssetImageRegistryList", map[string]any{"Filters": []any{map[string]any{"Name": "a", "Values": []string{"b"}, "Bogus": 1}}}, "UnknownParameter"},
		{"page too large", "DescribeAssetImageRegistryList", map[string]any{"Limit": 101}, "InvalidParameterValue"},
		{"period of nought", "UpdateImageRegistryTimingScanTask", map[string]any{"Enable": true, "ScanPeriod": 0, "ScanTime": "01:00"}, "InvalidParameterValue"},
		{"no time of day", "UpdateImageRegistryTimingScanTask", map[string]any{"Enable": true, "ScanPeriod": 1, "ScanTime": "25:00"}, "InvalidParameterValue"},
		{"unknown scan type", "UpdateImageRegistryTimingScanTask", map[string]any{"Enable": true, "ScanPeriod": 1, "ScanTime": "01:00", "ScanType": []string{"SBOM"}}, "InvalidParameterValue"},
		{"unknown image", "DescribeAssetImageRegistryDetail", map[string]any{"Id": 4711}, "ResourceNotFound"},
		{"unknown image of a list", "DescribeAssetImageRegistryVulList", map[string]any{"Id": 4711}, "ResourceNotFound"},
		{"unknown registry", "RemoveAssetImageRegistryRegistryDetail", map[string]any{"RegistryId": 4711}, "ResourceNotFound"},
		{"unknown task", "ModifyAssetImageRegistryScanStop", map[string]any{"TaskID": 4711}, "ResourceNotFound"},
		{"unknown image to scan by schedule", "UpdateImageRegistryTimingScanTask", map[string]any{"Enable": true, "ScanPeriod": 1, "ScanTime": "01:00", "ScanScope": 1, "Id": []int{4711}}, "ResourceNotFound"},
		{"nothing to scan", "CreateAssetImageRegistryScanTask", map[string]any{"All": true}, "FailedOperation"},
		{"unknown registry type", "AddAssetImageRegistryRegistryDetail", map[string]any{"Name": "x", "Username": "", "Password": "", "Url": "http://127.0.0.1", "RegistryType": "ftp", "NetType": "public"}, "InvalidParameterValue"},
		{"bad URL", "AddAssetImageRegistryRegistryDetail", map[string]any{"Name": "x", "Username": "", "Password": "", "Url": "ftp://x", "RegistryType": "oci", "NetType": "public"}, "InvalidParameterValue"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := api.code(c.action, c.params)
			if got != c.want && !strings.HasPrefix(got, c.want+".") {
				t.Errorf("code %s, want %s", got, c.want)
			}
		})
	}
}

// TestBrokenJSON: what no SDK sends is answered in the envelope all the same.
func TestBrokenJSON(t *testing.T) {
	s := startServer(t, nil)
	answer, err := http.Post("http://"+s.Address()+"/", "application/json", bytes.NewReader([]byte(`{"Limit":`)))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(answer.Body); err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != "application/json" {
		t.Errorf("status %d with %q, want 200 with application/json", answer.StatusCode, answer.Header.Get("Content-Type"))
	}
	if !strings.Contains(body.String(), `"RequestId"`) || !strings.Contains(body.String(), `"Error"`) {
		t.Errorf("answer %s holds no error with a RequestId", body.String())
	}
}

// TestRegistriesThatCannotBeAdded: the answer says why, in words, and nothing is stored.
func TestRegistriesThatCannotBeAdded(t *testing.T) {
	s := startServer(t, nil)
	api := s.client()
	guarded := registrytest.StartDistribution(t, registrytest.WithBasic("robot", "right"))
	ca := registrytest.NewCA(t)
	expired := registrytest.StartDistribution(t, registrytest.WithTLS(ca, ca.Issue(t, "127.0.0.1", time.Now().Add(-time.Hour))))
	unknown := registrytest.StartDistribution(t, registrytest.WithTLS(ca, ca.Issue(t, "127.0.0.1", time.Now().Add(time.Hour))))
	website := httptest.NewServer(http.NotFoundHandler())
	defer website.Close()
	for _, c := range []struct{ name, url, password, word string }{
		{"unreachable", "http://" + closedPort(t), "right", "connect"},
		{"wrong password", "http://" + guarded.Host, "wrong", "password"},
		{"expired certificate", "https://" + expired.Host, "right", "certificate"},
		{"unknown certificate authority", "https://" + unknown.Host, "right", "certificate"},
		{"no registry", website.URL, "right", "registry"},
		{"a server that answers everything", "http://" + s.Address(), "right", "registr"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var added struct {
				HealthCheckErr string
				RegistryId     int64
			}
			api.call("AddAssetImageRegistryRegistryDetail", map[string]any{
				"Name": c.name, "Username": "robot", "Password": c.password, "Url": c.url, "RegistryType": "oci", "NetType": "private",
			}, &added)
			if added.RegistryId != 0 || !strings.Contains(strings.ToLower(added.HealthCheckErr), c.word) {
				t.Errorf("id %d, cause %q; want none stored and a cause with the word %q", added.RegistryId, added.HealthCheckErr, c.word)
			}
		})
	}
	var list struct{ TotalCount int }
	api.call("DescribeAssetImageRegistryRegistryList", nil, &list)
	if list.TotalCount != 0 {
		t.Errorf("%d registries are stored, want none", list.TotalCount)
	}
}

// closedPort is an address on which nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestOddImages: images that cannot be examined say so, and leave the others alone.
func TestOddImages(t *testing.T) {
	registry := registrytest.StartDistribution(t)
	good := registrytest.Layer(t, map[string]string{"srv/node_modules/minimist/package.json": `{"name":"minimist","version":"1.2.0"}`})
	registrytest.PushImage(t, registry, "odd/good:1", registrytest.Image(t, good))
	registrytest.PushImage(t, registry, "odd/empty:1", empty.Image)
	registrytest.PushImage(t, registry, "odd/unknown-type:1", odd(t, []byte("not a layer"), "application/vnd.example.layer.v1.tar+lzma"))
	registrytest.PushImage(t, registry, "odd/not-gzip:1", odd(t, []byte("this is no gzip stream"), types.DockerLayer))
	registrytest.PushImage(t, registry, "odd/truncated:1", odd(t, cutLayer(t, good), types.DockerLayer))
	s := startServer(t, nil)
	api := s.client()
	api.addRegistry(map[string]any{"Name": "odd", "Username": "", "Password": "", "Url": "http://" + registry.Host, "RegistryType": "oci", "NetType": "private"})
	var started struct{ TaskID uint64 }
	api.call("CreateAssetImageRegistryScanTask", map[string]any{"All": true}, &started)
	if got := api.waitRun(started.TaskID); got != "SCANNED" {
		t.Errorf("run ended as %s, want SCANNED", got)
	}
	want := map[string]struct{ status, code string }{
		"good": {"SCANNED", ""}, "empty": {"SCANNED", ""}, "unknown-type": {"SCAN_ERR", "UnsupportedMediaType"},
		"not-gzip": {"SCAN_ERR", "LayerBroken"}, "truncated": {"SCAN_ERR", "LayerBroken"},
	}
	var list struct {
		List []struct{ ImageName, ScanStatus, ScanVulError, Reason, Solution string }
	}
	api.call("DescribeAssetImageRegistryList", map[string]any{"Limit": 100}, &list)
	for _, row := range list.List {
		expect := want[row.ImageName]
		delete(want, row.ImageName)
		if row.ScanStatus != expect.status || row.ScanVulError != expect.code {
			t.Errorf("%s is %s with %q (%s), want %s with %q", row.ImageName, row.ScanStatus, row.ScanVulError, row.Reason, expect.status, expect.code)
		}
		if expect.code != "" && (row.Reason == "" || row.Solution == "") {
			t.Errorf("%s: no words: reason %q, solution %q", row.ImageName, row.Reason, row.Solution)
		}
	}
	if len(want) != 0 {
		t.Errorf("not listed: %v", want)
	}
}

// odd is an image whose one layer has the given bytes and media type.
func odd(t *testing.T, content []byte, mediaType types.MediaType) v1.Image {
	t.Helper()
	image, err := mutate.AppendLayers(empty.Image, static.NewLayer(content, mediaType))
	if err != nil {
		t.Fatal(err)
	}
	return image
}

// cutLayer is the first half of a layer's compressed bytes.
func cutLayer(t *testing.T, layer v1.Layer) []byte {
	t.Helper()
	compressed, err := layer.Compressed()
	if err != nil {
		t.Fatal(err)
	}
	defer compressed.Close()
	var all bytes.Buffer
	if _, err := all.ReadFrom(compressed); err != nil {
		t.Fatal(err)
	}
	return all.Bytes()[:all.Len()/2]
}
