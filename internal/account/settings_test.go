package account

import (
	"crypto/rand"
	"errors"
	"math"
	"testing"

	"dogwatch/internal/store"
)

func TestConfigure(t *testing.T) {
	f := newFixture(t, rand.Reader)
	before, err := f.Create(t.Context(), "shop")
	if err != nil {
		t.Fatal(err)
	}
	licences, scans, price, minute := int64(50), 300.0, 0.1, int64(-1)
	got, err := f.Configure(t.Context(), "shop", Settings{LicenceCap: &licences, MonthlyScans: &scans, AgainPrice: &price, SyncMinute: &minute})
	if err != nil {
		t.Fatal(err)
	}
	if got.LicenceCap != 50 || got.QuotaTenths != 3000 || got.AgainPrice != 1 || got.SyncMinute != -1 || got.FirstPrice != before.FirstPrice {
		t.Errorf("configured %+v", got)
	}
	stored, err := f.store.AccountByName(t.Context(), "shop")
	if err != nil || *stored != *got {
		t.Errorf("stored %+v (%v), want %+v", stored, err, got)
	}
	if _, err := f.Configure(t.Context(), "nobody", Settings{}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an unknown account: %v, want %v", err, store.ErrNotFound)
	}
}

func TestConfigureRefuses(t *testing.T) {
	f := newFixture(t, rand.Reader)
	if _, err := f.Create(t.Context(), "shop"); err != nil {
		t.Fatal(err)
	}
	negative, late := int64(-1), int64(180)
	for _, scans := range []float64{-1, math.NaN(), math.Inf(1)} {
		if _, err := f.Configure(t.Context(), "shop", Settings{MonthlyScans: &scans}); err == nil {
			t.Errorf("a quota of %v was accepted", scans)
		}
	}
	if _, err := f.Configure(t.Context(), "shop", Settings{LicenceCap: &negative}); err == nil {
		t.Error("a negative licence cap was accepted")
	}
	if _, err := f.Configure(t.Context(), "shop", Settings{SyncMinute: &late}); err == nil {
		t.Error("a nightly minute after three was accepted")
	}
}
