package advisory_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dogwatch/internal/advisory"
)

// record renders a small OSV document.
func record(id, modified, ecosystem, name, fixed string) string {
	return fmt.Sprintf(`{"id":%q,"modified":%q,"summary":"about %s","unknown_field":{"a":[1]},
		"affected":[{"package":{"ecosystem":%q,"name":%q},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":%q}]}]}]}`,
		id, modified, name, ecosystem, name, fixed)
}

const noon = "2026-03-01T12:00:00Z"

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// zipOf packs documents, in order, as NAME.json.
func zipOf(t *testing.T, names []string, documents ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for i, d := range documents {
		w, err := z.Create(names[i] + ".json")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(d)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// archive packs n records of one ecosystem.
func archive(t *testing.T, ecosystem string, n int) []byte {
	t.Helper()
	var names, docs []string
	for i := range n {
		id := fmt.Sprintf("TEST-%s-%04d", ecosystem, i)
		names = append(names, id)
		docs = append(docs, record(id, noon, ecosystem, fmt.Sprintf("pkg%d", i%7), "1.0"))
	}
	return zipOf(t, names, docs...)
}

func mustImport(t *testing.T, dir string, o advisory.Options, paths ...string) advisory.Report {
	t.Helper()
	r, err := advisory.Import(t.Context(), dir, paths, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func current(t *testing.T, dir string) *advisory.Snapshot {
	t.Helper()
	lib, err := advisory.OpenLibrary(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { lib.Close() })
	s, err := lib.Current(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// dump renders all records and lookups of a snapshot, for comparing two.
func dump(t *testing.T, s *advisory.Snapshot) []string {
	t.Helper()
	var lines []string
	err := s.Each(func(r *advisory.Record) error {
		text, err := json.Marshal(r)
		lines = append(lines, string(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func TestImportForms(t *testing.T) {
	in := t.TempDir()
	writeFile(t, filepath.Join(in, "npm", "all.zip"), string(archive(t, "npm", 5)))
	writeFile(t, filepath.Join(in, "loose", "deep", "a.json"), record("TEST-A", noon, "Debian:12", "a", "1"))
	writeFile(t, filepath.Join(in, "loose", "readme.txt"), "not a record")
	single := filepath.Join(t.TempDir(), "single.json")
	writeFile(t, single, record("TEST-B", noon, "Rocky Linux:9", "b", "1"))
	named := filepath.Join(t.TempDir(), "other.zip")
	writeFile(t, named, string(archive(t, "PyPI", 3)))

	dir := t.TempDir()
	now := time.Date(2026, 3, 2, 1, 2, 3, 0, time.UTC)
	r := mustImport(t, dir, advisory.Options{Now: func() time.Time { return now }}, in, single, named)
	if r.Records != 10 || r.Added != 10 || r.Total != 10 || !r.Changed || r.Sources != 4 || r.Broken != 0 {
		t.Errorf("report %+v", r)
	}
	s := current(t, dir)
	want := advisory.Info{
		ID: r.Snapshot, Records: 10, CreatedAt: now,
		Ecosystems: map[string]int{"npm": 5, "PyPI": 3, "Debian:12": 1, "Rocky Linux:9": 1},
	}
	if diff := cmp.Diff(want, s.Info(), cmpopts.IgnoreFields(advisory.Info{}, "Source")); diff != "" {
		t.Errorf("info (-want +got):\n%s", diff)
	}
}

func TestLookups(t *testing.T) {
	in := t.TempDir()
	writeFile(t, filepath.Join(in, "1.json"), `{"id":"TEST-1","modified":"2026-03-01T12:00:00Z","aliases":["CVE-2099-1"],"upstream":["CVE-2099-2"],"affected":[
		{"package":{"ecosystem":"Ubuntu:22.04:LTS","name":"foo"},"versions":["1","2"],"ranges":[{"type":"GIT","events":[{"introduced":"0"}]},{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"last_affected":"3"}]}]},
		{"package":{"ecosystem":"PyPI","name":"Foo_Bar"},"database_specific":{"severity":7,"cwes":[{"cweId":"CWE-79"}]}},
		{"package":{"ecosystem":"Red Hat:enterprise_linux:8::baseos","name":"foo"}},{"package":{"ecosystem":"Red Hat:enterprise_linux:8::appstream","name":"foo"}}]}`)
	writeFile(t, filepath.Join(in, "2.json"), `{"id":"TEST-2","modified":"2026-03-01T12:00:00Z","withdrawn":"2026-03-01T12:00:00Z","aliases":["CVE-2099-1"],"affected":[{"package":{"ecosystem":"PyPI","name":"foo-bar"}}]}`)
	writeFile(t, filepath.Join(in, "3.json"), record("TEST-3", noon, "PyPI", "foo", "1"))
	dir := t.TempDir()
	mustImport(t, dir, advisory.Options{}, in)
	s := current(t, dir)

	got, err := s.Affected("Ubuntu:22.04", "foo")
	if err != nil {
		t.Fatal(err)
	}
	want := []advisory.Affected{{
		RecordID: "TEST-1", Ecosystem: "Ubuntu:22.04:LTS", Name: "foo", Versions: []string{"1", "2"},
		Ranges: []advisory.Range{{Type: "ECOSYSTEM", Events: []advisory.Event{{Introduced: "0"}, {LastAffected: "3"}}}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("affected (-want +got):\n%s", diff)
	}
	for _, tt := range []struct {
		ecosystem, name string
		want            int
	}{{"PyPI", "foo.bar", 1}, {"PyPI", "FOO-BAR", 1}, {"PyPI", "foo", 1}, {"PyPI", "fo", 0}, {"Red Hat:8", "foo", 2}, {"Ubuntu", "foo", 0}, {"", "", 0}} {
		list, err := s.Affected(tt.ecosystem, tt.name)
		if err != nil || len(list) != tt.want {
			t.Errorf("Affected(%q, %q): %d entries, %v; want %d", tt.ecosystem, tt.name, len(list), err, tt.want)
		}
	}
	for id, want := range map[string][]string{"CVE-2099-1": {"TEST-1"}, "CVE-2099-2": {"TEST-1"}, "TEST-3": {"TEST-3"}, "TEST-2": nil, "CVE": nil} {
		if got, err := s.Mentions(id); err != nil || !cmp.Equal(want, got) {
			t.Errorf("Mentions(%s) = %v, %v; want %v", id, got, err, want)
		}
	}
	if r, err := s.Record("TEST-2"); err != nil || !r.IsWithdrawn() {
		t.Errorf("the withdrawn record: %+v, %v", r, err)
	}
	if r, err := s.Record("TEST-1"); err != nil || !cmp.Equal(r.Packages[1].Database, advisory.Extra{CWEs: []string{"CWE-79"}}) {
		t.Errorf("record: %+v, %v", r, err)
	}
	if _, err := s.Record("TEST-9"); !errors.Is(err, advisory.ErrNotFound) {
		t.Errorf("an unknown record: %v", err)
	}
}

func TestBrokenRecordsAreCountedAndNamed(t *testing.T) {
	in := t.TempDir()
	path := filepath.Join(in, "all.zip")
	docs := []string{record("TEST-1", noon, "npm", "a", "1"), `{"id":`, `{"modified":"2026-03-01T12:00:00Z"}`, `{"id":"TEST-4","modified":"yesterday"}`, `[]`, record("TEST-6", noon, "npm", strings.Repeat("x", 5000), "1"), record("TEST-7", noon, "npm", "b", strings.Repeat("9", 4000))}
	names := []string{"TEST-1", "cut", "nameless", "badtime", "list", "longname", "large"}
	writeFile(t, path, string(zipOf(t, names, docs...)))
	r := mustImport(t, t.TempDir(), advisory.Options{Limits: advisory.Limits{Record: 4 << 10}}, in)
	if r.Records != 1 || r.Broken != 6 || len(r.BrokenNames) != 6 {
		t.Fatalf("report %+v", r)
	}
	for i, name := range names[1:] {
		if want := path + "!" + name + ".json: "; !strings.HasPrefix(r.BrokenNames[i], want) {
			t.Errorf("broken record %q, want it to begin with %q", r.BrokenNames[i], want)
		}
	}
}

func TestOnlyTheFirstBrokenRecordsAreNamed(t *testing.T) {
	in := t.TempDir()
	for i := range 130 {
		writeFile(t, filepath.Join(in, fmt.Sprintf("%03d.json", i)), "{")
	}
	writeFile(t, filepath.Join(in, "good.json"), record("TEST-1", noon, "npm", "a", "1"))
	r := mustImport(t, t.TempDir(), advisory.Options{}, in)
	if r.Broken != 130 || len(r.BrokenNames) != 100 || r.Records != 1 {
		t.Errorf("%d broken, %d named, %d read", r.Broken, len(r.BrokenNames), r.Records)
	}
}

func TestNothingButBrokenRecordsMakesNoSnapshot(t *testing.T) {
	in, dir := t.TempDir(), t.TempDir()
	writeFile(t, filepath.Join(in, "bad.json"), "{")
	if _, err := advisory.Import(t.Context(), dir, []string{in}, advisory.Options{}); err == nil || !strings.Contains(err.Error(), "1 broken") {
		t.Errorf("error %v", err)
	}
	lib, _ := advisory.OpenLibrary(dir)
	defer lib.Close()
	if _, err := lib.Current(t.Context()); !errors.Is(err, advisory.ErrNone) {
		t.Errorf("an empty library: %v", err)
	}
}

func TestOlderStateNeverOverwritesANewer(t *testing.T) {
	dir, in := t.TempDir(), t.TempDir()
	file := filepath.Join(in, "r.json")
	write := func(modified, ecosystem, name string) advisory.Report {
		writeFile(t, file, record("TEST-1", modified, ecosystem, name, "1"))
		return mustImport(t, dir, advisory.Options{}, file)
	}
	first := write(noon, "npm", "old")
	second := write("2026-03-02T12:00:00Z", "PyPI", "new")
	third := write("2026-02-01T00:00:00Z", "npm", "older")
	if second.Updated != 1 || !second.Changed || second.Previous != first.Snapshot {
		t.Errorf("the newer state: %+v", second)
	}
	if third.Older != 1 || third.Changed || third.Snapshot != second.Snapshot {
		t.Errorf("the older state: %+v", third)
	}
	s := current(t, dir)
	if list, _ := s.Affected("npm", "old"); len(list) != 0 {
		t.Errorf("the index still has the former state: %+v", list)
	}
	if list, _ := s.Affected("PyPI", "new"); len(list) != 1 {
		t.Errorf("the index lacks the new state: %+v", list)
	}
	if diff := cmp.Diff(map[string]int{"PyPI": 1}, s.Info().Ecosystems); diff != "" {
		t.Error(diff)
	}
}

func TestNewSnapshotKeepsTheFormerRecords(t *testing.T) {
	dir, one, two := t.TempDir(), t.TempDir(), t.TempDir()
	writeFile(t, filepath.Join(one, "all.zip"), string(archive(t, "npm", 9)))
	writeFile(t, filepath.Join(two, "all.zip"), string(archive(t, "PyPI", 4)))
	a, b := mustImport(t, dir, advisory.Options{}, one), mustImport(t, dir, advisory.Options{}, two)
	if b.Total != 13 || b.Added != 4 || b.Previous != a.Snapshot || !strings.HasPrefix(b.Snapshot, "000002-") {
		t.Errorf("report %+v", b)
	}
	again := mustImport(t, dir, advisory.Options{}, one, two)
	if again.Changed || again.Snapshot != b.Snapshot || again.Same != 13 {
		t.Errorf("importing the same again: %+v", again)
	}
	left, _ := filepath.Glob(filepath.Join(dir, "*"))
	if len(left) != 4 { // pointer, lock, two snapshots
		t.Errorf("files left over: %q", left)
	}
}

func TestFormerSnapshotsArePruned(t *testing.T) {
	dir, in := t.TempDir(), t.TempDir()
	for i := range 4 {
		writeFile(t, filepath.Join(in, "r.json"), record(fmt.Sprintf("TEST-%d", i), noon, "npm", "a", "1"))
		mustImport(t, dir, advisory.Options{Keep: 2}, in)
	}
	left, _ := filepath.Glob(filepath.Join(dir, "snapshot-*.db"))
	if len(left) != 3 || !strings.Contains(left[0], "snapshot-000002-") {
		t.Errorf("snapshots left: %q", left)
	}
}

// The library follows the pointer; who holds the former snapshot reads on.
func TestLibraryFollowsThePointer(t *testing.T) {
	dir, in := t.TempDir(), t.TempDir()
	lib, err := advisory.OpenLibrary(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lib.Current(t.Context()); !errors.Is(err, advisory.ErrNone) {
		t.Fatalf("an empty library: %v", err)
	}
	step := func(id string) *advisory.Snapshot {
		writeFile(t, filepath.Join(in, "r.json"), record(id, noon, "npm", "a", "1"))
		mustImport(t, dir, advisory.Options{Keep: -1}, in)
		s, err := lib.Current(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	one, two := step("TEST-1"), step("TEST-2")
	if same, _ := lib.Current(t.Context()); same != two {
		t.Error("the same snapshot was opened twice")
	}
	for s, want := range map[*advisory.Snapshot]int{one: 1, two: 2} {
		if list, err := s.Affected("npm", "a"); err != nil || len(list) != want {
			t.Errorf("snapshot %s: %d entries, %v; want %d", s.ID(), len(list), err, want)
		}
	}
	if err := lib.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := two.Affected("npm", "a"); !errors.Is(err, advisory.ErrClosed) {
		t.Errorf("reading a closed snapshot: %v", err)
	}
	if _, err := lib.Current(t.Context()); !errors.Is(err, advisory.ErrClosed) {
		t.Errorf("asking a closed library: %v", err)
	}
	if err := one.Close(); err != nil {
		t.Error(err)
	}
}

func TestDamagedPointerAndSnapshot(t *testing.T) {
	dir, in := t.TempDir(), t.TempDir()
	writeFile(t, filepath.Join(in, "r.json"), record("TEST-1", noon, "npm", "a", "1"))
	r := mustImport(t, dir, advisory.Options{}, in)
	for _, tt := range []struct{ name, text, want string }{
		{"current", "../../etc/passwd", "does not name a snapshot"},
		{"current", "000009-0123456789ab", "no such file"},
		{"current", r.Snapshot, ""},
		{"snapshot-" + r.Snapshot + ".db", "rubbish", "opening snapshot"},
	} {
		writeFile(t, filepath.Join(dir, tt.name), tt.text)
		lib, _ := advisory.OpenLibrary(dir)
		_, err := lib.Current(context.Background())
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s = %q: %v, want %q", tt.name, tt.text, err, tt.want)
		}
		lib.Close()
	}
}
