package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"dogwatch/internal/app"
	"dogwatch/internal/cloudapi/client"
	"dogwatch/internal/sample"
)

// runImages is the size of the registry of BenchmarkRun.
const runImages = 500

// BenchmarkRun scans a registry of many images that share their layers, as a
// registry of releases does: once when everything is new, once when nothing
// changed. The figures are processor time per image of this whole process: the
// server, its database, the client, and the registry on loopback.
func BenchmarkRun(b *testing.B) {
	host := serveImages(b)
	for b.Loop() {
		running := startForRun(b)
		api := &client.Client{Endpoint: "http://" + running.Address(), SecretID: running.FirstKey.SecretID, SecretKey: running.FirstKey.SecretKey}
		listed := timed(func() { listImages(b, api, host) })
		first := timed(func() { scanAll(b, api) })
		second := timed(func() { scanAll(b, api) })
		if err := running.Stop(context.Background()); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(listed.Seconds()*1000/runImages, "list-cpu-ms/image")
		b.ReportMetric(first.Seconds()*1000/runImages, "first-cpu-ms/image")
		b.ReportMetric(second.Seconds()*1000/runImages, "second-cpu-ms/image")
	}
}

func timed(work func()) time.Duration {
	start := cpu()
	work()
	return cpu() - start
}

// serveImages serves images made of one sample, each with a label of its own.
func serveImages(b *testing.B) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- sample.Serve(ctx, l) }()
	b.Cleanup(func() {
		cancel()
		<-served
	})
	made, err := sample.All()[0].Build()
	if err != nil {
		b.Fatal(err)
	}
	base := made.(v1.Image)
	for i := range runImages {
		config, err := base.ConfigFile()
		if err != nil {
			b.Fatal(err)
		}
		config = config.DeepCopy()
		config.Config.Labels = map[string]string{"release": fmt.Sprint(i)}
		image, err := mutate.ConfigFile(base, config)
		if err != nil {
			b.Fatal(err)
		}
		ref, err := name.ParseReference(fmt.Sprintf("%s/team-%d/app:%d", l.Addr(), i%20, i))
		if err != nil {
			b.Fatal(err)
		}
		if err := remote.Write(ref, image); err != nil {
			b.Fatal(err)
		}
	}
	return l.Addr().String()
}

func startForRun(b *testing.B) *app.App {
	b.Helper()
	running, err := app.Start(b.Context(), app.Config{
		Listen: "127.0.0.1:0", Data: b.TempDir(), Timezone: "Asia/Shanghai", RateLimit: 1e9, AllowPrivateRegistries: true, LogLevel: "error",
	}, app.Options{Log: io.Discard, Out: io.Discard})
	if err != nil {
		b.Fatal(err)
	}
	return running
}

func listImages(b *testing.B, api *client.Client, host string) {
	b.Helper()
	call(b, api, "AddAssetImageRegistryRegistryDetail",
		`{"Name":"bench","Username":"","Password":"","Url":"http://`+host+`","RegistryType":"oci","NetType":"private"}`)
	await(b, api, "DescribeAssetImageRegistryAssetStatus", "success")
	call(b, api, "ModifyImageAuthorized", `{"AllLocalImages":false,"AllRegistryImages":true,"UpdatedLocalImageCnt":0,
		"UpdatedRegistryImageCnt":100000,"ImageSourceType":"ASSETIMAGE"}`)
}

func scanAll(b *testing.B, api *client.Client) {
	b.Helper()
	call(b, api, "CreateAssetImageRegistryScanTask", `{"All":true,"ScanType":["VIRUS","RISK"]}`)
	await(b, api, "DescribeAssetImageRegistryScanStatusOneKey", "SCANNED")
}

// await asks five times a second until an answer has the status.
func await(b *testing.B, api *client.Client, action, status string) {
	b.Helper()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		if call(b, api, action, `{}`).Status == status {
			return
		}
	}
}

func call(b *testing.B, api *client.Client, action, params string) (answer struct{ Status string }) {
	b.Helper()
	body, err := api.Call(b.Context(), action, json.RawMessage(params))
	if err != nil {
		b.Fatalf("%s: %v", action, err)
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		b.Fatal(err)
	}
	return answer
}
