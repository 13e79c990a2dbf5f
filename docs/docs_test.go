// Package docs_test compares the manual with the program: every flag, action and
// metric is in it, and nothing else is.
package docs_test

import (
	"context"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dogwatch/internal/app"
	"dogwatch/internal/cloudapi"
	"dogwatch/internal/tcss"
	"dogwatch/internal/telemetry"
)

// cells returns the given columns of the table rows of a page whose first cell
// matches, without code marks.
func cells(t *testing.T, page, first string, columns ...int) [][]string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("^\\| `(" + first + ")` \\|")
	var rows [][]string
	for line := range strings.Lines(string(text)) {
		if !row.MatchString(line) {
			continue
		}
		parts := strings.Split(line, "|")
		var picked []string
		for _, c := range columns {
			picked = append(picked, strings.Trim(strings.TrimSpace(parts[c]), "`"))
		}
		rows = append(rows, picked)
	}
	slices.SortFunc(rows, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	return rows
}

func TestEveryFlagIsInTheManual(t *testing.T) {
	var want [][]string
	for f := range reflect.TypeFor[app.Config]().Fields() {
		name := f.Tag.Get("name")
		if name == "" {
			name = dashed(f.Name)
		}
		want = append(want, []string{"--" + name, f.Tag.Get("env")})
	}
	slices.SortFunc(want, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	if diff := cmp.Diff(want, cells(t, "operate.md", "--[a-z-]+", 1, 2)); diff != "" {
		t.Errorf("flags: -program +docs/operate.md\n%s", diff)
	}
}

var inner = regexp.MustCompile(`([a-z])([A-Z])`)

// dashed is the flag name of a field, MetricsListen as metrics-listen.
func dashed(field string) string {
	return strings.ToLower(inner.ReplaceAllString(field, "$1-$2"))
}

func TestEveryActionIsInTheManual(t *testing.T) {
	api := cloudapi.NewAPI("tcss", "2020-11-01")
	tcss.Register(api, tcss.Rooms{})
	var want [][]string
	for _, a := range api.Actions() {
		want = append(want, []string{a.Name, a.Role})
	}
	slices.SortFunc(want, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	if diff := cmp.Diff(want, cells(t, "api.md", "[A-Z][A-Za-z]+", 1, 2)); diff != "" {
		t.Errorf("actions: -program +docs/api.md\n%s", diff)
	}
}

func TestEveryMetricIsInTheManual(t *testing.T) {
	m := telemetry.NewMetrics()
	m.ObserveRequest("a", "", 0)
	m.ItemEnded("done")
	m.LayerInspected()
	m.SyncEnded("success")
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	var want [][]string
	for _, found := range regexp.MustCompile(`(?m)^# HELP (dogwatch_\w+) `).FindAllStringSubmatch(w.Body.String(), -1) {
		want = append(want, found[1:])
	}
	slices.SortFunc(want, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	if diff := cmp.Diff(want, cells(t, "operate.md", "dogwatch_[a-z_]+", 1)); diff != "" {
		t.Errorf("metrics: -program +docs/operate.md\n%s", diff)
	}
}

// oneKey is a key store with one key.
type oneKey struct{ key cloudapi.Key }

func (k oneKey) Key(_ context.Context, id string) (cloudapi.Key, error) {
	if id != k.key.SecretID {
		return cloudapi.Key{}, cloudapi.ErrNoKey
	}
	return k.key, nil
}

type echo struct {
	Text *string `json:"Text" api:"required" doc:"any text"`
}

// TestCurlExample runs the example script against a real server, which checks
// the signature.
func TestCurlExample(t *testing.T) {
	for _, tool := range []string{"bash", "curl", "openssl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("the example needs %s, which is not installed", tool)
		}
	}
	api := cloudapi.NewAPI("tcss", "2020-11-01")
	cloudapi.Handle(api, cloudapi.Action{Name: "Echo", Doc: "says it again"},
		func(_ context.Context, _ cloudapi.Caller, r *echo) (*echo, error) { return r, nil })
	key := cloudapi.Key{SecretID: "id-1", SecretKey: "key-1", AccountID: 1, Role: cloudapi.RoleReadOnly}
	server := httptest.NewServer(cloudapi.NewServer(api, cloudapi.Options{Keys: oneKey{key}, Now: time.Now, RateLimit: 20, Burst: 20}))
	defer server.Close()

	for secret, want := range map[string]string{"key-1": `"Text":"half past one"`, "wrong": `"AuthFailure.SignatureFailure"`} {
		call := exec.CommandContext(t.Context(), "examples/call.sh", strings.TrimPrefix(server.URL, "http://"), "Echo", `{"Text": "half past one"}`)
		call.Env = append(os.Environ(), "SECRET_ID=id-1", "SECRET_KEY="+secret)
		call.Stderr = io.Discard
		answer, err := call.Output()
		if err != nil {
			t.Fatalf("the example failed: %v", err)
		}
		if !strings.Contains(string(answer), want) {
			t.Errorf("with key %q the example prints %s, want %s in it", secret, answer, want)
		}
	}
}
