package clock_test

import (
	"testing"
	"time"

	"dogwatch/internal/clock"
)

func TestAFakeClockWakesWhoWaitedLongEnough(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	c := clock.NewFake(start)
	soon, late, now := c.After(time.Minute), c.After(time.Hour), c.After(0)
	if got := <-now; !got.Equal(start) {
		t.Errorf("a wait of nothing delivered %s, want %s", got, start)
	}
	c.Advance(time.Minute)
	if got := <-soon; !got.Equal(start.Add(time.Minute)) {
		t.Errorf("a wait of a minute delivered %s", got)
	}
	select {
	case <-late:
		t.Error("a wait of an hour was over after a minute")
	default:
	}
	c.Set(start.Add(2 * time.Hour))
	if got := <-late; !got.Equal(start.Add(2 * time.Hour)) {
		t.Errorf("a wait of an hour delivered %s", got)
	}
	if got := c.Now(); !got.Equal(start.Add(2 * time.Hour)) {
		t.Errorf("the clock shows %s", got)
	}
}
