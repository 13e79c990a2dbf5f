package inspect

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"dogwatch/internal/facts"

	"github.com/google/go-cmp/cmp"
)

// codes lists the codes of the gaps, each once.
func codes(f *facts.Layer) string {
	var out []string
	seen := map[string]bool{}
	for _, g := range f.Gaps {
		if !seen[g.Code] {
			out = append(out, g.Code)
		}
		seen[g.Code] = true
	}
	return strings.Join(out, " ")
}

func TestBudgets(t *testing.T) {
	first := func() *layer { return newLayer(t).file("var/lib/dpkg/status", dpkgStatus) }
	many := first()
	for i := range 60 {
		many.file(fmt.Sprintf("many/%d", i), "#!/bin/sh\n")
	}
	manyBlob := many.gzip()
	long := strings.Repeat("deep/", 200) + "file"
	for _, c := range []struct {
		name   string
		limits Limits
		blob   []byte
		code   string
	}{
		{"bomb by size", Limits{ExpandedBytes: 1 << 20}, first().file("zeros", string(make([]byte, 4<<20))).gzip(), "LayerTooLarge"},
		{"bomb by ratio", Limits{RatioFloor: 1 << 20, Ratio: 100}, first().file("zeros", string(make([]byte, 8<<20))).gzip(), "RatioTooHigh"},
		{"entries", Limits{Entries: 20}, manyBlob, "TooManyEntries"},
		{"hashes", Limits{Hashes: 20}, manyBlob, "TooManyHashes"},
		{"path", Limits{PathBytes: 500}, first().file(long, "x").gzip(), "PathTooLong"},
		{"file", Limits{FileBytes: 4 << 10}, first().file("app/x.jar", "PK"+strings.Repeat("x", 9<<10)).gzip(), "FileTooLarge"},
		{"packages", Limits{Packages: 2}, first().file("app/package.json", `{"name":"a","version":"1"}`).gzip(), "TooManyPackages"},
		{"links", Limits{Links: 1}, first().file("a/.wh.b", "").file("a/.wh.c", "").gzip(), "TooManyLinks"},
		{"text", Limits{TextBytes: 2000}, newLayer(t).file("a/.wh."+strings.Repeat("b", 1500), "").file("a/.wh."+strings.Repeat("c", 1500), "").
			file("var/lib/dpkg/status", dpkgStatus).gzip(), "TooManyLinks"},
		{"windows", Limits{Windows: 5}, first().file("app/x", strings.Repeat("redis://a ", 10)).gzip(), "TooManyKeywords"},
		{"spool", Limits{SpoolBytes: 100}, first().file("var/lib/rpm/Packages", strings.Repeat("x", 200)).gzip(), "FileTooLarge"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := inspect(t, Options{Limits: c.limits}, c.blob)
			if codes(f) != c.code || f.Gaps[0].Reason == "" || f.Gaps[0].Parts == "" {
				t.Errorf("gaps: %+v", f.Gaps)
			}
			if len(f.Packages) == 0 || len(f.Packages[len(f.Packages)-1].Packages) != 2 {
				t.Errorf("what was found before is gone: %+v", f.Packages)
			}
			if f.Digest != digestOf(c.blob) {
				t.Error("the digest was not compared")
			}
		})
	}
}

func TestBrokenPackageFilesAreGaps(t *testing.T) {
	sqlite := "SQLite format 3\x00" + strings.Repeat("\x10\x00", 2000)
	bdb := strings.Repeat("\x00", 12) + "\x61\x15\x06\x00" + strings.Repeat("\x09", 600)
	ndb := "RpmP" + strings.Repeat("\x00", 8) + "\x01\x00\x00\x00" + strings.Repeat("\x07", 5000)
	for name, c := range map[string]struct{ path, content, code string }{
		"dpkg":        {"var/lib/dpkg/status", "garbage without a colon\n\x00\x01\n", "BrokenDatabase"},
		"dpkg half":   {"var/lib/dpkg/status", dpkgStatus + "\nPackage: x\nStatus: install ok installed\n", "BrokenDatabase"},
		"apk":         {"lib/apk/db/installed", "P:musl\n\n", "BrokenDatabase"},
		"rpm tiny":    {"var/lib/rpm/Packages", "x", "BrokenDatabase"},
		"rpm other":   {"var/lib/rpm/Packages", strings.Repeat("x", 5000), "BrokenDatabase"},
		"rpm sqlite":  {"usr/lib/sysimage/rpm/rpmdb.sqlite", sqlite, "BrokenDatabase"},
		"rpm bdb":     {"var/lib/rpm/Packages", bdb, "BrokenDatabase"},
		"rpm ndb":     {"var/lib/rpm/Packages.db", ndb, "BrokenDatabase"},
		"jar":         {"app/a.jar", "PK\x03\x04 no archive", "BrokenManifest"},
		"package":     {"app/node_modules/a/package.json", `{"name":`, "BrokenManifest"},
		"lock":        {"app/package-lock.json", `[]`, "BrokenManifest"},
		"go program":  {"bin/x", "\x7fELF\xff Go buildinf:", ""},
		"jar entries": {"app/b.jar", strings.Repeat("PK\x01\x02", 200_001), "BrokenManifest"},
	} {
		t.Run(name, func(t *testing.T) {
			f := inspect(t, Options{}, newLayer(t).file(c.path, c.content).gzip())
			if codes(f) != c.code {
				t.Errorf("gaps: %+v", f.Gaps)
			}
			if c.code != "" && (f.Gaps[0].Path != c.path || f.Gaps[0].Parts != "CVE") {
				t.Errorf("gap: %+v", f.Gaps[0])
			}
		})
	}
}

func TestNestedArchivesAreBounded(t *testing.T) {
	inner := zipOf(t, map[string]string{"META-INF/maven/g/a/pom.properties": "groupId=g\nartifactId=a\nversion=1\n"})
	for i := range 12 {
		inner = zipOf(t, map[string]string{fmt.Sprintf("level%d.jar", i): string(inner)})
	}
	f := inspect(t, Options{}, newLayer(t).file("a.jar", string(inner)).gzip())
	if codes(f) != "BrokenManifest" || !strings.Contains(f.Gaps[0].Reason, "too deep") {
		t.Errorf("gaps: %+v", f.Gaps)
	}
	bomb := zipOf(t, map[string]string{"META-INF/MANIFEST.MF": "A: " + string(make([]byte, 8<<20))})
	f = inspect(t, Options{}, newLayer(t).file("b.jar", string(bomb)).gzip())
	if codes(f) != "BrokenManifest" || !strings.Contains(f.Gaps[0].Reason, "too large") {
		t.Errorf("gaps: %+v", f.Gaps)
	}
}

func zipOf(t testing.TB, files map[string]string) []byte {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for name, content := range files {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestHugeLineAndManyGaps(t *testing.T) {
	l := newLayer(t).file("app/one-line.txt", strings.Repeat("abcdefgh ", 1<<20)+"gl"+"pat-q7Rt2LmZ9xKc4VbN8sWd")
	for i := range 100 {
		l.file(fmt.Sprintf("app/%d.jar", i), "broken archive")
	}
	f := inspect(t, Options{}, l.gzip())
	if len(f.Secrets) != 1 || len(f.Secrets[0].Masked) > 200 {
		t.Errorf("secrets: %+v", f.Secrets)
	}
	if len(f.Gaps) != perCode+1 || f.Gaps[perCode].Reason != "80 more of the same" || f.Gaps[perCode].Parts != "CVE" {
		t.Errorf("gaps: %+v", f.Gaps)
	}
}

// A panic while one file is examined costs that file alone.
func TestPanicBecomesAGap(t *testing.T) {
	p := &pass{facts: &facts.Layer{}}
	p.guard("app/evil", partPackages, func() { panic("index out of range\ngoroutine 1") })
	want := []facts.Gap{{Code: "AnalyzerFailed", Path: "app/evil", Reason: "an analyzer failed on the file: index out of range", Parts: "CVE"}}
	if diff := cmp.Diff(want, p.gaps.list()); diff != "" {
		t.Error(diff)
	}
}

// Files beyond the memory cap are still hashed and searched.
func TestLargeFilesStream(t *testing.T) {
	content := "#!/bin/sh\n" + strings.Repeat("filler filler\n", 200_000) + "gl" + "pat-q7Rt2LmZ9xKc4VbN8sWd\n" + strings.Repeat("x\n", 100)
	blob := newLayer(t).file("app/big.sh", content).file("bin/go", "\x7fELF"+strings.Repeat("\x00", 1<<20-10)+"\xff Go buildinf:"+strings.Repeat("\x00", 99)).gzip()
	small, whole := inspect(t, Options{Limits: Limits{FileBytes: 10 << 10}}, blob), inspect(t, Options{}, blob)
	if diff := cmp.Diff(whole.Hashes, small.Hashes); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(whole.Secrets, small.Secrets); diff != "" || len(whole.Secrets) != 1 {
		t.Errorf("%d secrets %s", len(whole.Secrets), diff)
	}
	if codes(small) != "FileTooLarge" || small.Gaps[0].Path != "bin/go" || !whole.Complete() {
		t.Errorf("gaps: %+v and %+v", small.Gaps, whole.Gaps)
	}
}
