package registry_test

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"dogwatch/internal/registry"
)

// clocked are options whose clock moves only by sleeping; it returns the sleeps.
func clocked(t *testing.T) (registry.Options, *[]time.Duration) {
	t.Helper()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var slept []time.Duration
	o := options(t)
	o.Now = func() time.Time { return now }
	o.Sleep = func(_ context.Context, d time.Duration) error {
		slept = append(slept, d)
		now = now.Add(d)
		return nil
	}
	return o, &slept
}

func TestWaits(t *testing.T) {
	limited := func(retryAfter string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			if retryAfter != "" {
				w.Header().Set("Retry-After", retryAfter)
			}
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}
	broken := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	second := time.Second
	jittered := []time.Duration{375 * time.Millisecond, 750 * time.Millisecond, 1500 * time.Millisecond}
	for name, c := range map[string]struct {
		bad   http.HandlerFunc
		times int // how often bad answers come
		kind  registry.Kind
		slept []time.Duration
	}{
		"seconds":             {limited("3"), 2, 0, []time.Duration{3 * second, 3 * second}},
		"date":                {limited("Thu, 01 Jan 2026 00:00:07 GMT"), 1, 0, []time.Duration{7 * second}},
		"date gone by":        {limited("Thu, 01 Jan 2025 00:00:07 GMT"), 1, 0, []time.Duration{0}},
		"no header":           {limited(""), 3, 0, jittered},
		"nonsense":            {limited("soon"), 1, 0, jittered[:1]},
		"too often":           {limited("1"), 9, registry.KindRateLimited, []time.Duration{second, second, second}},
		"too long":            {limited("3600"), 1, registry.KindRateLimited, nil},
		"failing":             {answer(503, "text/plain", ""), 3, 0, jittered},
		"failing for good":    {answer(500, "text/plain", ""), 9, registry.KindServer, jittered},
		"connections break":   {broken, 3, 0, jittered},
		"forbidden":           {answer(403, "text/plain", ""), 1, registry.KindDenied, nil},
		"not found":           {answer(404, "text/plain", ""), 1, registry.KindNotFound, nil},
		"not implemented yet": {answer(501, "text/plain", ""), 1, registry.KindServer, nil},
	} {
		t.Run(name, func(t *testing.T) {
			requests := 0
			target := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if requests++; requests <= c.times {
					c.bad(w, r)
					return
				}
				w.Header().Set("Docker-Content-Digest", describe(nil).Digest)
			})
			o, slept := clocked(t)
			_, err := open(t, target, o).Head(t.Context(), "team/app", "v1")
			if registry.KindOf(err) != c.kind || c.kind == 0 && err != nil {
				t.Errorf("head: %v, want kind %d", err, c.kind)
			}
			if !slices.Equal(*slept, c.slept) {
				t.Errorf("slept %v, want %v", *slept, c.slept)
			}
		})
	}
}

// The limit is the account's: a request that was not refused waits as well.
func TestRetryAfterSilencesTheWholeClient(t *testing.T) {
	requests := 0
	target := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if requests++; requests == 1 {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		w.Header().Set("Docker-Content-Digest", describe(nil).Digest)
	})
	o, slept := clocked(t)
	start := o.Now()
	var until time.Time
	o.OnThrottle = func(at time.Time) { until = at }
	c := open(t, target, o)
	_, err := c.Head(t.Context(), "team/app", "v1")
	if registry.KindOf(err) != registry.KindRateLimited {
		t.Fatalf("head: %v, want KindRateLimited", err)
	}
	if want := start.Add(time.Hour); !until.Equal(want) {
		t.Errorf("governor told %v, want %v", until, want)
	}
	if _, err := c.Head(t.Context(), "team/other", "v1"); err != nil {
		t.Error(err)
	}
	if want := []time.Duration{2 * time.Minute}; !slices.Equal(*slept, want) {
		t.Errorf("slept %v, want %v", *slept, want)
	}
}
