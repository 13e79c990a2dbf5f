package advisory_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dogwatch/internal/advisory"
)

func sourcesFor(t *testing.T) string {
	t.Helper()
	in := t.TempDir()
	writeFile(t, filepath.Join(in, "PyPI", "all.zip"), string(archive(t, "PyPI", 53)))
	writeFile(t, filepath.Join(in, "npm", "all.zip"), string(archive(t, "npm", 47)))
	writeFile(t, filepath.Join(in, "x", "1.json"), record("TEST-X1", noon, "Go", "x", "1"))
	writeFile(t, filepath.Join(in, "x", "2.json"), "{broken")
	return in
}

// An import stopped after any batch goes on from there, and ends in the same
// snapshot and the same report as one that was never disturbed.
func TestStoppedImportGoesOn(t *testing.T) {
	in, calm := sourcesFor(t), t.TempDir()
	want := mustImport(t, calm, advisory.Options{Batch: 10}, in)
	for stopAt := 1; stopAt <= 12; stopAt += 2 {
		dir := t.TempDir()
		ctx, cancel := context.WithCancel(t.Context())
		batches, before := 0, advisory.Progress{}
		_, err := advisory.Import(ctx, dir, []string{in}, advisory.Options{Batch: 10, Progress: func(p advisory.Progress) {
			if batches++; batches == stopAt {
				before = p
				cancel()
			}
		}})
		cancel()
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("stopped after batch %d: %v", stopAt, err)
		}
		if _, err := os.Stat(filepath.Join(dir, "current")); err == nil {
			t.Fatal("a stopped import published a snapshot")
		}
		read := 0
		got := mustImport(t, dir, advisory.Options{Batch: 10, Progress: func(p advisory.Progress) {
			if read++; read == 1 && p.Records < before.Records {
				t.Errorf("stopped at %d records, went on at %d", before.Records, p.Records)
			}
		}}, in)
		if !got.Resumed {
			t.Error("the report does not say that it went on")
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(advisory.Report{}, "Resumed")); diff != "" {
			t.Errorf("stopped after batch %d, report (-undisturbed +resumed):\n%s", stopAt, diff)
		}
		if diff := cmp.Diff(dump(t, current(t, calm)), dump(t, current(t, dir))); diff != "" {
			t.Errorf("stopped after batch %d, records differ:\n%s", stopAt, diff)
		}
	}
}

// Work on a snapshot that is no longer in force is not continued.
func TestStagingOfAnotherSnapshotIsDropped(t *testing.T) {
	in, other, dir := sourcesFor(t), t.TempDir(), t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	_, err := advisory.Import(ctx, dir, []string{in}, advisory.Options{Batch: 10, Progress: func(advisory.Progress) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	staging, err := os.ReadFile(filepath.Join(dir, "staging.db"))
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(other, "1.json"), record("TEST-O", noon, "Go", "o", "1"))
	mustImport(t, dir, advisory.Options{}, other) // publishes, the staging file goes
	writeFile(t, filepath.Join(dir, "staging.db"), string(staging))
	r := mustImport(t, dir, advisory.Options{}, in)
	if r.Resumed || r.Records != 101 || r.Total < 102 {
		t.Errorf("report %+v", r)
	}
}

func TestUnusableStagingIsReplaced(t *testing.T) {
	in, dir := sourcesFor(t), t.TempDir()
	writeFile(t, filepath.Join(dir, "staging.db"), "cut off")
	writeFile(t, filepath.Join(dir, "staging.db.new"), "cut off")
	writeFile(t, filepath.Join(dir, "download-1.zip"), "cut off")
	r := mustImport(t, dir, advisory.Options{}, in)
	if r.Resumed || r.Total != 101 {
		t.Errorf("report %+v", r)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) != 3 {
		t.Errorf("left over: %q", left)
	}
}

func TestConcurrentImportsAreExcluded(t *testing.T) {
	in, dir := sourcesFor(t), t.TempDir()
	var inner error
	mustImport(t, dir, advisory.Options{Batch: 50, Progress: func(advisory.Progress) {
		_, inner = advisory.Import(t.Context(), dir, []string{in}, advisory.Options{})
	}}, in)
	if !errors.Is(inner, advisory.ErrBusy) {
		t.Errorf("a second import: %v", inner)
	}
	mustImport(t, dir, advisory.Options{}, in) // the lock is free again
}

func TestLimitsOfArchives(t *testing.T) {
	in := t.TempDir()
	path := filepath.Join(in, "all.zip")
	writeFile(t, path, string(archive(t, "npm", 30)))
	for name, limits := range map[string]advisory.Limits{
		"archive": {Archive: 100}, "table of contents": {Directory: 100}, "expanded": {Expanded: 1000},
	} {
		if _, err := advisory.Import(t.Context(), t.TempDir(), []string{in}, advisory.Options{Limits: limits}); err == nil {
			t.Errorf("the limit of the %s was not kept", name)
		}
	}
	writeFile(t, path, "PK not really")
	if _, err := advisory.Import(t.Context(), t.TempDir(), []string{in}, advisory.Options{}); err == nil {
		t.Error("rubbish was taken for an archive")
	}
}

func TestPathsThatCannotBeImported(t *testing.T) {
	empty := t.TempDir()
	text := filepath.Join(t.TempDir(), "a.txt")
	writeFile(t, text, "x")
	for _, paths := range [][]string{nil, {empty}, {text}, {filepath.Join(empty, "none")}} {
		if _, err := advisory.Import(t.Context(), t.TempDir(), paths, advisory.Options{}); err == nil {
			t.Errorf("%q was imported", paths)
		}
	}
}
