package store

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestMoment(t *testing.T) {
	at := time.Date(2026, 3, 4, 5, 6, 7, 891_000_000, time.FixedZone("", 8*3600))
	if got := At(at).Time(); !got.Equal(at) || got.Location() != time.UTC {
		t.Errorf("%v came back as %v", at, got)
	}
	if never := At(time.Time{}); !never.IsZero() || !never.Time().IsZero() {
		t.Errorf("never came back as %d, %v", never, never.Time())
	}
}

func TestParts(t *testing.T) {
	for _, word := range []string{"CVE", "cve", "Virus", "RISK"} {
		if _, ok := ParsePart(word); !ok {
			t.Errorf("%q is no part", word)
		}
	}
	if p, ok := ParsePart("CV"); ok {
		t.Errorf(`"CV" is part %d`, p)
	}
	if diff := cmp.Diff([]string{"CVE", "RISK"}, (PartRisk | PartCVE).Names()); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"CVE", "VIRUS", "RISK"}, AllParts.Names()); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}
