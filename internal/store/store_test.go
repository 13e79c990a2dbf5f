package store_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"dogwatch/internal/store"
	"dogwatch/internal/store/storetest"

	"github.com/google/go-cmp/cmp"
)

func open(t testing.TB, path string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSQLite(t *testing.T) {
	storetest.Suite(t, func(t *testing.T) *store.Store {
		s := open(t, filepath.Join(t.TempDir(), "dogwatch.db"))
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		return s
	})
}

// TestReopen closes a database and opens it again: everything is there, and the
// tables are not made twice.
func TestReopen(t *testing.T) {
	// Characters that mean something in a URL belong to the file's name here.
	path := filepath.Join(t.TempDir(), "a dir", "dog%20watch?#.db")
	s := open(t, path)
	a := &store.Account{Name: "a", CreatedAt: 1}
	if err := s.CreateAccount(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path)
	defer s.Close() //nolint:errcheck // read only
	got, err := s.AccountByName(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(a, got); diff != "" {
		t.Errorf("account after reopening (-want +got):\n%s", diff)
	}
}

func TestFilesAreClosedToOthers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	path := filepath.Join(dir, "dogwatch.db")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o644); err != nil { // made by someone careless
		t.Fatal(err)
	}
	s := open(t, path)
	defer s.Close() //nolint:errcheck // nothing to lose
	if err := s.CreateAccount(t.Context(), &store.Account{Name: "a"}); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) < 2 {
		t.Fatalf("files %v (%v), want the database and its log", files, err)
	}
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != fs.FileMode(0o600) {
			t.Errorf("%s has mode %04o, want 0600", filepath.Base(f), got)
		}
	}
}

func TestOpenNamesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notes.db")
	if err := os.WriteFile(path, []byte("this is no database, it is a page of notes, and a long one"), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := store.Open(t.Context(), path); err == nil {
		s.Close() //nolint:errcheck // it should not have opened
		t.Fatal("opened")
	}
}

// TestReleaseJobs gives back the jobs of dead workers, in the queue's own table.
func TestReleaseJobs(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "dogwatch.db"))
	defer s.Close() //nolint:errcheck // nothing to lose
	for _, q := range []string{
		"CREATE TABLE river_job (id INTEGER PRIMARY KEY, state TEXT, attempted_by BLOB, scheduled_at TEXT)",
		`INSERT INTO river_job VALUES (1, 'running', jsonb('["old","dead"]'), '2000-01-01 00:00:00.000')`,
		`INSERT INTO river_job VALUES (2, 'running', jsonb('["dead","alive"]'), '2000-01-01 00:00:00.000')`,
		`INSERT INTO river_job VALUES (3, 'completed', jsonb('["dead"]'), '2000-01-01 00:00:00.000')`,
		"INSERT INTO river_job VALUES (4, 'available', NULL, '2000-01-01 00:00:00.000')",
	} {
		if _, err := s.SQL().ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := s.ReleaseJobs(t.Context(), nil); n != 0 || err != nil {
		t.Errorf("released %d for nobody (%v)", n, err)
	}
	if n, err := s.ReleaseJobs(t.Context(), []string{"dead", "x"}); n != 1 || err != nil {
		t.Errorf("released %d, want 1 (%v)", n, err)
	}
	var moved int
	var form bool
	row := s.SQL().QueryRowContext(t.Context(),
		"SELECT MAX(id), MAX(scheduled_at) GLOB '20??-??-?? ??:??:??.???' FROM river_job WHERE scheduled_at > '2001' AND state = 'available'")
	if err := row.Scan(&moved, &form); err != nil || moved != 1 || !form {
		t.Errorf("job %d moved, in the queue's form %v (%v)", moved, form, err)
	}
}
