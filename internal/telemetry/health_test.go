package telemetry_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dogwatch/internal/telemetry"
)

// ask sends a GET to the health paths and returns status and body.
func ask(t *testing.T, h *telemetry.Health, path string) (int, map[string]string) {
	t.Helper()
	mux := http.NewServeMux()
	h.Register(mux)
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	var body map[string]string
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatalf("%s answers with %q: %v", path, w.Body.String(), err)
	}
	return w.Code, body
}

func TestHealth(t *testing.T) {
	var broken error
	h := &telemetry.Health{}
	h.Add("database", func(context.Context) error { return broken })

	check := func(when string, wantStatus int, want map[string]string) {
		t.Helper()
		status, body := ask(t, h, "/readyz")
		if status != wantStatus {
			t.Errorf("%s: /readyz has status %d, want %d", when, status, wantStatus)
		}
		if diff := cmp.Diff(want, body); diff != "" {
			t.Errorf("%s: /readyz (-want +got):\n%s", when, diff)
		}
	}
	check("before start", http.StatusServiceUnavailable, map[string]string{"started": "failed", "database": "ok"})
	h.SetReady(true)
	check("started", http.StatusOK, map[string]string{"started": "ok", "database": "ok"})
	broken = errors.New("disk /var/lib/secret-place is full")
	check("broken", http.StatusServiceUnavailable, map[string]string{"started": "ok", "database": "failed"})

	if status, _ := ask(t, h, "/healthz"); status != http.StatusOK {
		t.Errorf("/healthz has status %d, want 200 while the process lives", status)
	}
}

func TestReadyGivesUpOnASlowCheck(t *testing.T) {
	h := &telemetry.Health{}
	h.SetReady(true)
	bounded := false
	h.Add("slow", func(ctx context.Context) error {
		_, bounded = ctx.Deadline()
		return context.DeadlineExceeded
	})
	if status, _ := ask(t, h, "/readyz"); status != http.StatusServiceUnavailable {
		t.Errorf("/readyz has status %d, want 503", status)
	}
	if !bounded {
		t.Error("a check runs without a deadline")
	}
}
