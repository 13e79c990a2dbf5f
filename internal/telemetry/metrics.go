package telemetry

import (
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// otherAction is the label of calls whose action is not one of ours, so that
// foreign input cannot grow the number of time series.
const otherAction = "other"

// Metrics are the counters of one process, in a registry of their own.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	items    *prometheus.CounterVec
	layers   *prometheus.CounterVec
	blob     prometheus.Counter
	syncs    *prometheus.CounterVec

	mu    sync.RWMutex
	known map[string]bool
}

// NewMetrics makes the counters, all at zero, with those of the Go runtime and
// the process beside them.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		known:    map[string]bool{},
		requests: counters("dogwatch_api_requests_total", "API calls answered, by action and answer code (OK or the error code).", "action", "code"),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "dogwatch_api_request_seconds",
			Help:    "Time taken to answer an API call.",
			Buckets: []float64{.001, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"action"}),
		items:  counters("dogwatch_items_total", "Images of runs that ended, by the state they ended in.", "state"),
		layers: counters("dogwatch_layers_total", "Layers an image needed: inspected now, or reused because their facts were known.", "how"),
		blob: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "dogwatch_blob_read_bytes_total",
			Help: "Compressed layer bytes read from registries.",
		}),
		syncs: counters("dogwatch_syncs_total", "Registry synchronisations that ended, by outcome.", "outcome"),
	}
	m.registry.MustRegister(m.requests, m.seconds, m.items, m.layers, m.blob, m.syncs,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

// KnowActions names the actions that get a label of their own; calls of any
// other are counted together as "other".
func (m *Metrics) KnowActions(names ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, name := range names {
		m.known[name] = true
	}
}

// ObserveRequest counts one answered API call. An empty code means success.
// It has the form of cloudapi.Options.Observe.
func (m *Metrics) ObserveRequest(action, code string, took time.Duration) {
	if code == "" {
		code = "OK"
	}
	action = m.label(action)
	m.requests.WithLabelValues(action, code).Inc()
	m.seconds.WithLabelValues(action).Observe(took.Seconds())
}

func (m *Metrics) label(action string) string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.known[action] {
		return action
	}
	return otherAction
}

// ItemEnded counts one image of a run that ended in a state.
func (m *Metrics) ItemEnded(state string) { m.items.WithLabelValues(state).Inc() }

// LayerInspected counts one layer that was read and inspected.
func (m *Metrics) LayerInspected() { m.layers.WithLabelValues("inspected").Inc() }

// LayersReused counts layers whose facts were already stored.
func (m *Metrics) LayersReused(n int) { m.layers.WithLabelValues("reused").Add(float64(n)) }

// BlobRead counts compressed layer bytes read from a registry.
func (m *Metrics) BlobRead(bytes int64) { m.blob.Add(float64(bytes)) }

// SyncEnded counts one synchronisation; outcome is "success" or "failed".
func (m *Metrics) SyncEnded(outcome string) { m.syncs.WithLabelValues(outcome).Inc() }

// Register adds a collector of another room, such as a gauge of queue depth.
func (m *Metrics) Register(c prometheus.Collector) error { return m.registry.Register(c) }

// Handler serves the metrics in the Prometheus text format.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
