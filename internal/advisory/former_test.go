package advisory_test

import (
	"errors"
	"path/filepath"
	"testing"

	"dogwatch/internal/advisory"
)

func TestASupersededSnapshotIsFoundByItsNameWhileItIsKept(t *testing.T) {
	dir, in := t.TempDir(), t.TempDir()
	step := func(id string) string {
		writeFile(t, filepath.Join(in, "r.json"), record(id, noon, "npm", "a", "1"))
		return mustImport(t, dir, advisory.Options{}, in).Snapshot
	}
	first, second, third := step("TEST-1"), step("TEST-2"), step("TEST-3")
	lib, err := advisory.OpenLibrary(dir)
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]error{
		first: advisory.ErrNotFound, second: nil, third: nil, "": advisory.ErrNotFound, "../../000001-0123456789ab": advisory.ErrNotFound,
	} {
		s, err := lib.Snapshot(id)
		if !errors.Is(err, want) || err == nil && s.ID() != id {
			t.Errorf("snapshot %q: %v, %v; want %v", id, s, err, want)
		}
	}
	if err := lib.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := lib.Snapshot(second); !errors.Is(err, advisory.ErrClosed) {
		t.Errorf("asking a closed library: %v", err)
	}
}
