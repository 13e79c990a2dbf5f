package match_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"dogwatch/internal/advisory"
	"dogwatch/internal/facts"
	"dogwatch/internal/inventory"
	"dogwatch/internal/match"
)

var update = flag.Bool("update", false, "write the verdicts found into the fixtures, to be read before they are committed")

// TestJudge runs every fixture of testdata: the records go through a real
// import, the image is judged, the verdict is compared line by line. The name
// of a file says which trap it is about.
func TestJudge(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			arc, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			inv := readImage(t, section(t, arc, "image"))
			snap := snapshotOf(t, section(t, arc, "records"))
			v, err := match.Judge(t.Context(), inv, snap)
			if err != nil {
				t.Fatal(err)
			}
			got := strings.ReplaceAll(render(v), snap.ID(), "SNAPSHOT")
			if *update {
				put(t, path, arc, got)
			}
			if diff := cmp.Diff(section(t, arc, "verdict"), got); diff != "" {
				t.Errorf("verdict (-want +got):\n%s", diff)
			}
		})
	}
}

func section(t *testing.T, arc *txtar.Archive, name string) string {
	t.Helper()
	for _, f := range arc.Files {
		if f.Name == name {
			return string(f.Data)
		}
	}
	t.Fatalf("the fixture has no section %q", name)
	return ""
}

func put(t *testing.T, path string, arc *txtar.Archive, verdict string) {
	t.Helper()
	for i := range arc.Files {
		if arc.Files[i].Name == "verdict" {
			arc.Files[i].Data = []byte(verdict)
		}
	}
	if err := os.WriteFile(path, txtar.Format(arc), 0o644); err != nil {
		t.Fatal(err)
	}
}

// snapshotOf imports records, one a line, and opens the snapshot.
func snapshotOf(t *testing.T, lines string) *advisory.Snapshot {
	t.Helper()
	in, dir := t.TempDir(), t.TempDir()
	for i, line := range strings.Split(strings.TrimSpace(lines), "\n") {
		if err := os.WriteFile(filepath.Join(in, fmt.Sprintf("%03d.json", i)), []byte(line), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	report, err := advisory.Import(t.Context(), dir, []string{in}, advisory.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if report.Broken > 0 {
		t.Fatalf("broken records in the fixture: %q", report.BrokenNames)
	}
	lib, err := advisory.OpenLibrary(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { lib.Close() })
	snap, err := lib.Current(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

// readImage reads lines like
//
//	os id=debian version=12
//	pkg dpkg NAME VERSION source=NAME sourceversion=VERSION
//	pkg npm NAME VERSION file=PATH layer=2
func readImage(t *testing.T, text string) *inventory.Inventory {
	t.Helper()
	inv := &inventory.Inventory{}
	for line := range strings.Lines(text) {
		words := splitQuoted(strings.TrimSpace(line))
		if len(words) == 0 {
			continue
		}
		options := map[string]string{}
		for len(words) > 1 && strings.Contains(words[len(words)-1], "=") {
			key, value, _ := strings.Cut(words[len(words)-1], "=")
			options[key], words = strings.Trim(value, `"`), words[:len(words)-1]
		}
		switch {
		case words[0] == "os":
			inv.OS = &facts.OSRelease{
				ID: options["id"], VersionID: options["version"], Codename: options["codename"],
				PrettyName: options["pretty"], IDLike: strings.ReplaceAll(options["like"], ",", " "),
			}
		case words[0] == "pkg" && len(words) == 4:
			inv.Packages = append(inv.Packages, readPackage(words[1:], options))
		default:
			t.Fatalf("cannot read the image line %q", line)
		}
	}
	return inv
}

func readPackage(words []string, options map[string]string) inventory.Package {
	p := inventory.Package{Kind: words[0], File: options["file"]}
	p.Name, p.Version = words[1], words[2]
	p.SourceName, p.SourceVersion, p.Module = options["source"], options["sourceversion"], options["module"]
	p.Path = options["path"]
	p.Layer, _ = strconv.Atoi(options["layer"])
	if !p.System() {
		p.Ecosystem = words[0]
	}
	return p
}

func splitQuoted(s string) []string {
	quoted := false
	return strings.FieldsFunc(s, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return r == ' ' && !quoted
	})
}

// render writes a verdict for comparison.
func render(v *match.Verdict) string {
	var b strings.Builder
	for _, f := range v.Findings {
		renderFinding(&b, "", f)
	}
	for _, f := range v.Malicious {
		renderFinding(&b, "malicious ", f)
	}
	if v.Uncovered != "" {
		fmt.Fprintf(&b, "uncovered: %s\n", v.Uncovered)
	}
	for _, m := range v.Missing {
		fmt.Fprintf(&b, "missing: %s\n", m)
	}
	for _, u := range v.Unjudged {
		fmt.Fprintf(&b, "unjudged: %s %s: %s\n", u.Package, u.Version, u.Reason)
	}
	fmt.Fprintf(&b, "counts: %+v\n", v.Counts)
	return b.String()
}

func renderFinding(b *strings.Builder, kind string, f match.Finding) {
	fmt.Fprintf(b, "%s%s level=%d score=%.1f category=%s title=%q\n", kind, f.ID, f.Level, f.CVSSScore, f.Category, f.Title)
	if len(f.Aliases) > 0 {
		fmt.Fprintf(b, "\taliases %s\n", strings.Join(f.Aliases, " "))
	}
	for _, c := range f.Components {
		fixed := c.FixedVersion
		if fixed == "" {
			fixed = "no fix"
		}
		fmt.Fprintf(b, "\t%s %s -> %s", c.Name, c.Version, fixed)
		if c.Path != "" {
			fmt.Fprintf(b, " in %s layer %d", c.Path, c.Layer)
		}
		p := c.Proof
		fmt.Fprintf(b, " (%s: %s %s %s is %s)\n", p.Record, p.Ecosystem, p.Package, p.Compared, p.Range)
	}
}
