package e2e

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"dogwatch/internal/app"
	"dogwatch/internal/registry/registrytest"
	"dogwatch/internal/sample"
)

// TestScheduledScanByGo is the scheduled scan through the official Go client:
// set the task, let its moment come, page through the three lists.
func TestScheduledScanByGo(t *testing.T) {
	registry := registrytest.StartDistribution(t)
	if err := sample.Push(t.Context(), registry.Host); err != nil {
		t.Fatal(err)
	}
	s := startServer(t, nil)
	api := s.client()
	api.addRegistry(map[string]any{
		"Name": "real", "Username": "", "Password": "", "Url": "http://" + registry.Host, "RegistryType": "oci", "NetType": "private",
	})
	due := s.clock.Now().In(location(t)).Add(time.Hour).Truncate(time.Second)
	api.call("UpdateImageRegistryTimingScanTask", map[string]any{
		"Enable": true, "ScanPeriod": 1, "ScanTime": due.Format("15:04:05"), "ScanScope": 0,
	}, nil)
	s.clock.Set(due)
	if got := api.waitRun(0); got != "SCANNED" {
		t.Fatalf("run ended as %s", got)
	}
	var list struct {
		List []struct {
			Id                             uint64
			Namespace, ImageName, ImageTag string
		}
	}
	api.call("DescribeAssetImageRegistryList", map[string]any{"Limit": 100}, &list)
	d := &document{}
	for _, row := range list.List {
		found := imageFindings{Image: row.Namespace + "/" + row.ImageName + ":" + row.ImageTag}
		pages(api, "DescribeAssetImageRegistryVulList", row.Id, &found.Vulnerabilities)
		pages(api, "DescribeAssetImageRegistryVirusList", row.Id, &found.Viruses)
		pages(api, "DescribeAssetImageRegistryRiskInfoList", row.Id, &found.Risks)
		api.call("DescribeAssetImageRegistryDetail", map[string]any{"Id": row.Id}, &found.Row)
		d.Images = append(d.Images, found)
	}
	compareWithSamples(t, d)
}

// pages reads a list of one image, two rows at a time.
func pages[T any](c *client, action string, id uint64, all *[]T) {
	c.t.Helper()
	for {
		var page struct {
			List       []T
			TotalCount int
		}
		c.call(action, map[string]any{"Id": id, "Limit": 2, "Offset": len(*all)}, &page)
		*all = append(*all, page.List...)
		if len(page.List) == 0 || len(*all) >= page.TotalCount {
			if len(*all) != page.TotalCount {
				c.t.Errorf("%s lists %d rows of %d", action, len(*all), page.TotalCount)
			}
			return
		}
	}
}

// TestNodeOverTLS: the Node SDK trusts the CA that the server made for itself.
func TestNodeOverTLS(t *testing.T) {
	s := startServer(t, func(c *app.Config) { c.ListenTLS = "127.0.0.1:0" })
	for _, sign := range []string{"TC3-HMAC-SHA256", "HmacSHA256", "HmacSHA1"} {
		t.Run(sign, func(t *testing.T) {
			out, err := s.nodeCall("https://"+s.TLSAddress(), "DOGWATCH_SIGN_METHOD="+sign,
				"NODE_EXTRA_CA_CERTS="+filepath.Join(s.Dir, "tls", "ca.pem"))
			if err != nil {
				t.Fatalf("call.js: %v\n%s", err, out)
			}
			var task struct {
				ScanPeriod int
				RequestId  string
			}
			if err := json.Unmarshal(out, &task); err != nil || task.ScanPeriod != 1 || task.RequestId == "" {
				t.Errorf("answer %s (%v), want the timing task as it is before it was set", out, err)
			}
		})
	}
	if out, err := s.nodeCall("https://" + s.TLSAddress()); err == nil {
		t.Errorf("a client that does not trust the CA was answered: %s", out)
	}
}

// nodeCall runs one call of the Node SDK against an endpoint.
func (s *server) nodeCall(endpoint string, env ...string) ([]byte, error) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, "node", "call.js", "DescribeImageRegistryTimingScanTask")
	command.Dir = filepath.Join(repository(s.t), "tests", "node")
	command.Env = append(os.Environ(), "DOGWATCH_ENDPOINT="+endpoint,
		"DOGWATCH_SECRET_ID="+s.FirstKey.SecretID, "DOGWATCH_SECRET_KEY="+s.FirstKey.SecretKey)
	command.Env = append(command.Env, env...)
	return command.Output()
}
