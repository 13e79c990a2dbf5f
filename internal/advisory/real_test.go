package advisory_test

import (
	"os"
	"path/filepath"
	"testing"

	"dogwatch/internal/advisory"
)

// realExport finds a copy of the public OSV export: DOGWATCH_SHARED_DATA/osv,
// else ../shared/data/osv beside the repository.
func realExport(t *testing.T) string {
	t.Helper()
	root := os.Getenv("DOGWATCH_SHARED_DATA")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "data")
	}
	dir := filepath.Join(root, "osv")
	if _, err := os.Stat(filepath.Join(dir, "ecosystems.txt")); err != nil {
		t.Skipf("no OSV export at %s (set DOGWATCH_SHARED_DATA)", dir)
	}
	return dir
}

// TestRealExport imports real archives of every shape. All 102,253 records must
// be read; 14 of them occur in two archives, in an older state in one.
func TestRealExport(t *testing.T) {
	in, dir := realExport(t), t.TempDir()
	r := mustImport(t, dir, advisory.Options{}, in)
	if r.Records != 102253 || r.Broken != 0 || r.Total != 102239 || r.Sources != 13 {
		t.Errorf("report %+v", r)
	}
	s := current(t, dir)
	for eco, least := range map[string]int{"Debian:12": 10000, "AlmaLinux:9": 1000, "Ubuntu:22.04": 2000, "Alpine:v3.18": 2000, "npm": 20000, "PyPI": 15000, "Go": 4000} {
		if got := s.Info().Ecosystems[eco]; got < least {
			t.Errorf("%s: %d records, expected at least %d", eco, got, least)
		}
	}
	list, err := s.Affected("Debian:12", "openssl")
	if err != nil || len(list) < 20 {
		t.Errorf("openssl in Debian 12: %d entries, %v", len(list), err)
	}
	again := mustImport(t, dir, advisory.Options{}, filepath.Join(in, "Maven"), filepath.Join(in, "Alpine"))
	if again.Changed || again.Snapshot != r.Snapshot {
		t.Errorf("importing a part again: %+v", again)
	}
}
