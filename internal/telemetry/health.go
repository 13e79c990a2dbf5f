package telemetry

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// checkTime is how long one readiness check may take before it counts as failed.
const checkTime = 2 * time.Second

// Check tells whether one thing the service needs is there; nil means yes.
type Check func(ctx context.Context) error

// Health answers the two health questions. The zero value is ready to use and
// not ready to serve until SetReady.
type Health struct {
	mu     sync.RWMutex
	ready  bool
	checks map[string]Check
}

// Add registers a check by name; a second one of the same name replaces it.
func (h *Health) Add(name string, check Check) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.checks == nil {
		h.checks = map[string]Check{}
	}
	h.checks[name] = check
}

// SetReady says that start-up is over (true) or that the service is stopping (false).
func (h *Health) SetReady(ready bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ready = ready
}

// Live answers /healthz: the process lives.
func (h *Health) Live(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]string{"process": "ok"})
}

// Ready answers /readyz: 200 when the service has started and every check
// passes, else 503. The body names the checks that failed, without their
// causes: causes may name inner addresses and belong in the log.
func (h *Health) Ready(w http.ResponseWriter, r *http.Request) {
	states, ok := h.run(r.Context())
	status := http.StatusOK
	if !ok {
		status = http.StatusServiceUnavailable
	}
	answer(w, status, states)
}

// Register puts both answers under their usual paths.
func (h *Health) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", h.Live)
	mux.HandleFunc("GET /readyz", h.Ready)
}

func (h *Health) run(ctx context.Context) (states map[string]string, ok bool) {
	h.mu.RLock()
	ready := h.ready
	checks := make(map[string]Check, len(h.checks))
	for name, check := range h.checks {
		checks[name] = check
	}
	h.mu.RUnlock()

	states = map[string]string{"started": word(ready)}
	ok = ready
	for name, check := range checks {
		passed := runCheck(ctx, check) == nil
		states[name] = word(passed)
		ok = ok && passed
	}
	return states, ok
}

func runCheck(ctx context.Context, check Check) error {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	return check(ctx)
}

func word(ok bool) string {
	if ok {
		return "ok"
	}
	return "failed"
}

func answer(w http.ResponseWriter, status int, body map[string]string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body) //nolint:errcheck // the client has gone; nobody is left to tell
}
