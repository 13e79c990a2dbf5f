package telemetry_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"dogwatch/internal/telemetry"
)

// scrape returns what the metrics handler serves.
func scrape(t *testing.T, m *telemetry.Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("metrics answer with status %d", w.Code)
	}
	return w.Body.String()
}

func TestMetricsCount(t *testing.T) {
	m := telemetry.NewMetrics()
	m.KnowActions("DescribeAssetImageRegistryList")
	m.ObserveRequest("DescribeAssetImageRegistryList", "", time.Millisecond)
	m.ObserveRequest("DescribeAssetImageRegistryList", "ResourceNotFound", time.Millisecond)
	m.ItemEnded("done")
	m.LayerInspected()
	m.LayersReused(3)
	m.BlobRead(1024)
	m.BlobRead(1024)
	m.SyncEnded("success")

	text := scrape(t, m)
	for _, want := range []string{
		`dogwatch_api_requests_total{action="DescribeAssetImageRegistryList",code="OK"} 1`,
		`dogwatch_api_requests_total{action="DescribeAssetImageRegistryList",code="ResourceNotFound"} 1`,
		`dogwatch_api_request_seconds_count{action="DescribeAssetImageRegistryList"} 2`,
		`dogwatch_items_total{state="done"} 1`,
		`dogwatch_layers_total{how="inspected"} 1`,
		`dogwatch_layers_total{how="reused"} 3`,
		`dogwatch_blob_read_bytes_total 2048`,
		`dogwatch_syncs_total{outcome="success"} 1`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("metrics lack the line %s", want)
		}
	}
}

func TestMetricsBoundForeignActions(t *testing.T) {
	m := telemetry.NewMetrics()
	m.ObserveRequest("x1", "InvalidAction", 0)
	m.ObserveRequest("x2", "InvalidAction", 0)
	text := scrape(t, m)
	if want := `dogwatch_api_requests_total{action="other",code="InvalidAction"} 2`; !strings.Contains(text, want) {
		t.Errorf("metrics lack the line %s", want)
	}
	if strings.Contains(text, `"x1"`) {
		t.Error("a foreign action made a time series of its own")
	}
}
