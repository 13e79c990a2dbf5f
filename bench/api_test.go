package bench

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"dogwatch/internal/app"
	"dogwatch/internal/cloudapi/client"
)

// BenchmarkSignedCallsOverTCP is a whole signed call: client and server in one
// process, real key store, real database, keep-alive connections, as many
// clients as there are cores. The clients' own cost is in the figure.
func BenchmarkSignedCallsOverTCP(b *testing.B) {
	running, err := app.Start(b.Context(), app.Config{
		Listen: "127.0.0.1:0", Data: b.TempDir(), Timezone: "Asia/Shanghai", RateLimit: 1e9, AllowPrivateRegistries: true, LogLevel: "error",
	}, app.Options{Log: io.Discard, Out: io.Discard})
	if err != nil {
		b.Fatal(err)
	}
	defer running.Stop(context.Background()) //nolint:errcheck // the figures are taken
	for _, c := range []struct{ name, action, params string }{
		{"timing task", "DescribeImageRegistryTimingScanTask", `{}`},
		{"empty list", "DescribeAssetImageRegistryList", `{"Limit":10}`},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				transport := http.DefaultTransport.(*http.Transport).Clone()
				defer transport.CloseIdleConnections()
				api := &client.Client{
					Endpoint: "http://" + running.Address(), SecretID: running.FirstKey.SecretID, SecretKey: running.FirstKey.SecretKey,
					HTTP: &http.Client{Transport: transport},
				}
				for pb.Next() {
					if _, err := api.Call(b.Context(), c.action, json.RawMessage(c.params)); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
		})
	}
}
