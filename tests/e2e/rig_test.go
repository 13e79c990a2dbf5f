package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	sdkerrors "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/errors"
	sdkhttp "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/http"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"

	"dogwatch/internal/advisory"
	"dogwatch/internal/app"
	"dogwatch/internal/clock"
	"dogwatch/internal/sample/advisories"
)

// zone of every server in these tests; it has daylight saving, so a slip shows.
const zone = "Europe/Berlin"

// server is a running Dogwatch whose schedule follows the test's clock.
type server struct {
	*app.App
	t     *testing.T
	clock *clock.Fake
	log   *buffer
}

// startServer starts a Dogwatch with the sample advisories on a data directory
// of its own. Signatures are judged by the machine's clock, the schedule by the
// one returned, which stands at the machine's time.
func startServer(t *testing.T, change func(*app.Config)) *server {
	t.Helper()
	config := app.Config{
		Listen: "127.0.0.1:0", Data: t.TempDir(), Timezone: zone, RateLimit: 1000,
		AllowPrivateRegistries: true, LogLevel: "info",
	}
	if change != nil {
		change(&config)
	}
	importSamples(t, config.Data)
	s := &server{t: t, clock: clock.NewFake(time.Now()), log: &buffer{}}
	running, err := app.Start(t.Context(), config, app.Options{Log: s.log, Out: &buffer{}, Clock: s.clock})
	if err != nil {
		t.Fatal(err)
	}
	s.App = running
	t.Cleanup(func() {
		if err := running.Stop(context.Background()); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("log of the server:\n%s", s.log)
		}
	})
	return s
}

func importSamples(t *testing.T, data string) {
	t.Helper()
	from := t.TempDir()
	if err := advisories.Write(from); err != nil {
		t.Fatal(err)
	}
	if _, err := advisory.Import(t.Context(), app.AdvisoryDir(data), []string{from}, advisory.Options{}); err != nil {
		t.Fatal(err)
	}
}

// client is the official Go SDK's common client.
type client struct {
	t   *testing.T
	sdk *common.Client
}

func (s *server) client() *client {
	return newClient(s.t, s.Address(), s.FirstKey.SecretID, s.FirstKey.SecretKey)
}

func newClient(t *testing.T, endpoint, id, key string) *client {
	p := profile.NewClientProfile()
	p.HttpProfile.Scheme = "HTTP"
	p.HttpProfile.Endpoint = endpoint
	p.Language = "en-US"
	return &client{t: t, sdk: common.NewCommonClient(common.NewCredential(id, key), "", p)}
}

// try calls an action and decodes its Response into out; the error is the SDK's.
func (c *client) try(action string, params any, out any) error {
	c.t.Helper()
	request := sdkhttp.NewCommonRequest("tcss", "2020-11-01", action)
	request.SetContext(c.t.Context())
	if params == nil {
		params = map[string]any{}
	}
	if err := request.SetActionParameters(params); err != nil {
		c.t.Fatal(err)
	}
	response := sdkhttp.NewCommonResponse()
	if err := c.sdk.Send(request, response); err != nil {
		return err
	}
	if out == nil {
		return nil
	}
	var envelope struct{ Response json.RawMessage }
	if err := json.Unmarshal(response.GetBody(), &envelope); err != nil {
		c.t.Fatal(err)
	}
	return json.Unmarshal(envelope.Response, out)
}

// call is try for calls that must succeed.
func (c *client) call(action string, params any, out any) {
	c.t.Helper()
	if err := c.try(action, params, out); err != nil {
		c.t.Fatalf("%s: %v", action, err)
	}
}

// code is the API code of a call that must fail.
func (c *client) code(action string, params any) string {
	c.t.Helper()
	err := c.try(action, params, nil)
	var refused *sdkerrors.TencentCloudSDKError
	if !errors.As(err, &refused) {
		c.t.Fatalf("%s: %v, want an error of the API", action, err)
	}
	return refused.Code
}

// addRegistry adds a registry, waits for its list and licenses all images.
func (c *client) addRegistry(params map[string]any) int64 {
	c.t.Helper()
	var added struct {
		HealthCheckErr, NameRepeatErr string
		RegistryId                    int64
	}
	c.call("AddAssetImageRegistryRegistryDetail", params, &added)
	if added.RegistryId == 0 {
		c.t.Fatalf("the registry was not added: %s%s", added.HealthCheckErr, added.NameRepeatErr)
	}
	c.waitSync()
	c.call("ModifyImageAuthorized", map[string]any{
		"AllLocalImages": false, "AllRegistryImages": true, "UpdatedLocalImageCnt": 0,
		"UpdatedRegistryImageCnt": 100000, "ImageSourceType": "ASSETIMAGE",
	}, nil)
	return added.RegistryId
}

func (c *client) waitSync() {
	c.t.Helper()
	c.eventually("the synchronisation", func() bool {
		var state struct{ Status, Err string }
		c.call("DescribeAssetImageRegistryAssetStatus", nil, &state)
		if state.Status == "failed" {
			c.t.Fatalf("the synchronisation failed: %s", state.Err)
		}
		return state.Status == "success"
	})
}

// waitRun waits until the latest run, or the one given, has ended, and returns its state.
func (c *client) waitRun(task uint64) string {
	c.t.Helper()
	params := map[string]any{}
	if task != 0 {
		params["TaskID"] = task
	}
	var state struct{ Status string }
	c.eventually("the run", func() bool {
		c.call("DescribeAssetImageRegistryScanStatusOneKey", params, &state)
		return state.Status != "SCANNING" && state.Status != "NOT_SCAN"
	})
	return state.Status
}

// eventually asks until something another process does has happened.
func (c *client) eventually(what string, ok func() bool) {
	c.t.Helper()
	deadline, cancel := context.WithTimeout(c.t.Context(), 3*time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline.Done():
			c.t.Fatalf("waiting for %s: %v", what, deadline.Err())
		case <-tick.C:
		}
	}
}

// repository is the root of the checkout.
func repository(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// sharedData is where a real advisory export lies, "" if there is none.
func sharedData(t *testing.T) string {
	t.Helper()
	for _, dir := range []string{os.Getenv("DOGWATCH_SHARED_DATA"), filepath.Join(repository(t), "..", "shared", "data")} {
		if dir == "" {
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, "osv")); err == nil {
			return dir
		}
	}
	return ""
}

// buffer is a log that several goroutines write.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
