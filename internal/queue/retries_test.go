package queue

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/riverqueue/river/rivertype"

	"dogwatch/internal/clock"
)

func TestPausesGrowUpToAMinute(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	policy := retries{clock.NewFake(now)}
	var got []time.Duration
	job := &rivertype.JobRow{}
	for range 9 {
		got = append(got, policy.NextRetry(job).Sub(now)/time.Second)
		job.Errors = append(job.Errors, rivertype.AttemptError{})
	}
	if diff := cmp.Diff([]time.Duration{1, 2, 4, 8, 16, 32, 60, 60, 60}, got); diff != "" {
		t.Errorf("seconds between attempts (-want +got):\n%s", diff)
	}
}
