package pkgs

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dogwatch/internal/facts"

	oracle "github.com/erikvarga/go-rpmdb/pkg"
	"github.com/google/go-cmp/cmp"
	_ "modernc.org/sqlite" // go-rpmdb, the oracle, reads SQLite databases with it
)

// samples finds the databases that the go-rpmdb module brings for its own
// tests: real ones of all three formats.
func samples(t testing.TB) []string {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/erikvarga/go-rpmdb").Output()
	if err != nil {
		t.Skip("the go-rpmdb module, whose test databases are compared, cannot be found")
	}
	found, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "pkg/testdata/*/*"))
	if err != nil || len(found) == 0 {
		t.Skip("the go-rpmdb module in this module cache has no test databases")
	}
	return found
}

func readRPM(t testing.TB, name string) []facts.Package {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var journal []byte
	if j, err := os.ReadFile(name + "-wal"); err == nil {
		journal = j
	}
	found, err := newExtractor(t).RPM(context.Background(), bytes.NewReader(data), int64(len(data)), journal)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return found
}

// Our readers agree with go-rpmdb on real databases.
func TestRPMAgreesWithGoRPMDB(t *testing.T) {
	formats := map[string]bool{}
	for _, name := range samples(t) {
		t.Run(filepath.Base(filepath.Dir(name)), func(t *testing.T) {
			db, err := oracle.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			list, err := db.ListPackages()
			if err != nil {
				t.Fatal(err)
			}
			var want, got []string
			for _, p := range list {
				if p.Name != "gpg-pubkey" {
					source, _ := splitSourceRPM(p.SourceRpm)
					want = append(want, fmt.Sprint(p.Name, "|", joinEVR(uint32(p.EpochNum()), p.Version, p.Release), "|", p.Arch, "|", p.Modularitylabel, "|", source))
				}
			}
			for _, p := range readRPM(t, name) {
				got = append(got, fmt.Sprint(p.Name, "|", p.Version, "|", p.Arch, "|", p.Module, "|", p.SourceName))
			}
			slices.Sort(want)
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" || len(got) == 0 {
				t.Errorf("%d packages\n%s", len(got), diff)
			}
		})
		formats[filepath.Base(name)] = true
	}
	if len(formats) < 3 {
		t.Errorf("formats seen: %v", formats)
	}
}

const demoSpec = `Name: %[1]s
Epoch: 2
Version: 1.5
Release: 3.el9
Summary: demo
License: MIT
BuildArch: noarch
ModularityLabel: demo:1:2:abcd
%%description
demo
%%files
`

// A database that the real rpm made reads as rpm reads it.
func TestRPMAgreesWithRPM(t *testing.T) {
	for _, name := range []string{"rpm", "rpmbuild"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("no %s on this machine (Debian package rpm): no database can be made", name)
		}
	}
	dir := t.TempDir()
	db := filepath.Join(dir, "db")
	tool(t, "rpm", "--initdb", "--dbpath", db)
	for i := range 30 {
		buildAndInstall(t, dir, db, fmt.Sprintf("demo%d", i))
	}
	want := strings.Fields(tool(t, "rpm", "--dbpath", db, "-qa", "--qf", `%{NAME}|%{EPOCH}:%{VERSION}-%{RELEASE}|%{ARCH}|%{MODULARITYLABEL}\n`))
	if len(want) != 30 {
		t.Fatalf("rpm lists %d packages", len(want))
	}
	var got []string
	for _, p := range readRPM(t, filepath.Join(db, "rpmdb.sqlite")) {
		got = append(got, strings.Join([]string{p.Name, p.Version, p.Arch, p.Module}, "|"))
		if p.SourceName != p.Name || p.SourceVersion != "" || p.License != "MIT" {
			t.Errorf("%+v", p)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func buildAndInstall(t *testing.T, dir, db, name string) {
	t.Helper()
	spec := filepath.Join(dir, name+".spec")
	if err := os.WriteFile(spec, fmt.Appendf(nil, demoSpec, name), 0o600); err != nil {
		t.Fatal(err)
	}
	tool(t, "rpmbuild", "-bb", "--quiet", "--define", "_topdir "+dir, spec)
	built := filepath.Join(dir, "RPMS/noarch", name+"-1.5-3.el9.noarch.rpm")
	tool(t, "rpm", "--dbpath", db, "-i", "--justdb", "--nodeps", built)
}

func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

func TestSourceRPM(t *testing.T) {
	for file, want := range map[string][2]string{
		"openssl-3.0.7-16.el9.src.rpm": {"openssl", "3.0.7-16.el9"}, "a-b-c-1-2.nosrc.rpm": {"a-b-c", "1-2"}, "": {}, "x": {}, "x-1.src.rpm": {},
	} {
		if name, version := splitSourceRPM(file); name != want[0] || version != want[1] {
			t.Errorf("splitSourceRPM(%q) = %q, %q", file, name, version)
		}
	}
}

// Whatever the bytes, the readers end, do not panic, and name every package.
func FuzzRPM(f *testing.F) {
	f.Add([]byte(sqliteMagic+strings.Repeat("\x02\x00", 600)), []byte(nil))
	f.Add([]byte("RpmP\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00"+strings.Repeat("\x00", 5000)), []byte(nil))
	f.Add([]byte(strings.Repeat("\x00", 12)+"\x61\x15\x06\x00"+strings.Repeat("\x00", 4096)), []byte(nil))
	e := &Extractor{}
	f.Fuzz(func(t *testing.T, db, journal []byte) {
		found, _ := e.RPM(t.Context(), bytes.NewReader(db), int64(len(db)), journal)
		for _, p := range found {
			if p.Name == "" || p.Version == "" {
				t.Errorf("%+v", p)
			}
		}
	})
}

// Real databases with bytes changed here and there are read or refused.
func TestRPMDatabasesWithDamage(t *testing.T) {
	e := newExtractor(t)
	for _, name := range samples(t) {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if len(data) > 8<<20 {
			continue
		}
		for i := range 12 {
			bad := bytes.Clone(data)
			for j := range 1 + i*12 {
				bad[(i*7919+j*104729)%len(bad)] ^= byte(1 + i + j)
			}
			bad[(i*31)%512] ^= 0xff
			e.RPM(t.Context(), bytes.NewReader(bad), int64(len(bad)), nil)                  //nolint:errcheck // either is right
			e.RPM(t.Context(), bytes.NewReader(bad[:len(bad)/(i+2)]), int64(len(bad)), nil) //nolint:errcheck // either is right
		}
	}
}
