package pkgs

import (
	"archive/zip"
	"bytes"
	"debug/buildinfo"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"dogwatch/internal/facts"

	"github.com/google/go-cmp/cmp"
)

func newExtractor(t testing.TB) *Extractor {
	t.Helper()
	e, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func file(t testing.TB, kind, name string, data []byte) []facts.Package {
	t.Helper()
	found, err := newExtractor(t).File(t.Context(), kind, name, data)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestClassify(t *testing.T) {
	for name, want := range map[string]string{
		"var/lib/dpkg/status": facts.KindDpkg, "var/lib/dpkg/status.d/base-files": facts.KindDpkgD, "var/lib/dpkg/status.d/base-files.md5sums": "",
		"etc/status": "", "lib/apk/db/installed": facts.KindAPK, "usr/lib/apk/db/installed": facts.KindAPK, "srv/installed": "",
		"var/lib/rpm/Packages": facts.KindRPM, "var/lib/rpm/Packages.db": facts.KindRPM, "usr/lib/sysimage/rpm/rpmdb.sqlite": facts.KindRPM,
		"opt/Packages": "", "app/package.json": facts.KindNPM, "app/node_modules/a/package.json": facts.KindNPM,
		"app/node_modules/@s/a/package.json": facts.KindNPM, "app/node_modules/a/lib/package.json": "", "node_modules/@s/a/x/package.json": "",
		"app/node_modules/a/node_modules/b/package.json": facts.KindNPM, "app/package-lock.json": facts.KindNPMLock,
		"usr/lib/python3/x-1.dist-info/METADATA": facts.KindPython, "x.egg-info/PKG-INFO": facts.KindPython, "x/METADATA": "", "x.egg-info": facts.KindPython,
		"opt/a.JAR": facts.KindJava, "opt/a.war": facts.KindJava, "bin/sh": "", "": "",
	} {
		if kind, form := Classify(name); kind != want || (form == Nothing) != (want == "") {
			t.Errorf("Classify(%q) = %q, %v, want %q", name, kind, form, want)
		}
	}
}

func TestAPK(t *testing.T) {
	const db = "C:Q1abc\nP:libssl3\nV:3.1.4-r5\nA:x86_64\nL:Apache-2.0\no:openssl\nF:lib\nR:libssl.so.3\na:0:0:755\n\nP:busybox\nV:1.36.1-r15\n"
	want := []facts.Package{
		{Name: "libssl3", Version: "3.1.4-r5", Arch: "x86_64", License: "Apache-2.0", SourceName: "openssl"},
		{Name: "busybox", Version: "1.36.1-r15", SourceName: "busybox"},
	}
	if diff := cmp.Diff(want, file(t, facts.KindAPK, "lib/apk/db/installed", []byte(db))); diff != "" {
		t.Error(diff)
	}
}

func TestStatusD(t *testing.T) {
	want := []facts.Package{{Name: "tzdata", Version: "2024a-0", Arch: "all", SourceName: "tzdata", SourceVersion: "2024a-0"}}
	got := file(t, facts.KindDpkgD, "var/lib/dpkg/status.d/tzdata", []byte("Package: tzdata\nVersion: 2024a-0\nArchitecture: all\n"))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// The machine's own database reads as dpkg-query reads it.
func TestDpkgAgreesWithDpkgQuery(t *testing.T) {
	const db = "/var/lib/dpkg/status"
	tool, err := exec.LookPath("dpkg-query")
	data, readErr := os.ReadFile(db)
	if err != nil || readErr != nil {
		t.Skip("this machine has no dpkg database or no dpkg-query to compare with")
	}
	out, err := exec.Command(tool, "-W", "-f", "${db:Status-Status}|${Package}|${Version}|${Architecture}|${source:Package}|${source:Version}\n").Output()
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for line := range strings.Lines(string(out)) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "installed|"); ok {
			want = append(want, rest)
		}
	}
	for _, p := range file(t, facts.KindDpkg, db[1:], data) {
		got = append(got, strings.Join([]string{p.Name, p.Version, p.Arch, p.SourceName, p.SourceVersion}, "|"))
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" || len(got) < 40 {
		t.Errorf("%d packages\n%s", len(got), diff)
	}
}

// A Go program names its modules, itself and its standard library.
func TestGoExecutable(t *testing.T) {
	name := filepath.Join(t.TempDir(), "program")
	if out, err := exec.Command("go", "build", "-o", name, "./testdata/program").CombinedOutput(); err != nil {
		t.Fatalf("building a program: %v\n%s", err, out)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	info, err := buildinfo.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !GoExecutable(data) || GoExecutable([]byte("\x7fELF")) {
		t.Error("Go programs are not recognised")
	}
	var want []string
	for _, m := range info.Deps {
		want = append(want, m.Path+"@"+strings.TrimPrefix(m.Version, "v"))
	}
	want = append(want, "stdlib@"+strings.TrimPrefix(strings.Fields(runtime.Version())[0], "go"))
	if info.Main.Path != "" && info.Main.Version != "" {
		want = append(want, info.Main.Path+"@"+strings.TrimPrefix(info.Main.Version, "v"))
	}
	var got []string
	for _, p := range file(t, facts.KindGo, "app/bin", data) {
		if p.Ecosystem != "Go" {
			t.Errorf("%+v", p)
		}
		got = append(got, p.Name+"@"+p.Version)
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" || len(got) < 4 {
		t.Errorf("%d packages\n%s", len(got), diff)
	}
}

func zipOf(t testing.TB, files ...string) []byte {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for i := 0; i < len(files); i += 2 {
		w, err := z.Create(files[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, files[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestJavaArchives(t *testing.T) {
	log4j := zipOf(t, "META-INF/maven/org.apache.logging.log4j/log4j-core/pom.properties",
		"version=2.14.1\ngroupId=org.apache.logging.log4j\nartifactId=log4j-core\n")
	app := zipOf(t, "BOOT-INF/lib/log4j-core-2.14.1.jar", string(log4j),
		"META-INF/maven/shop/cart/pom.properties", "version=1.0\ngroupId=shop\nartifactId=cart\n",
		"BOOT-INF/lib/commons-io-2.6.jar", string(zipOf(t, "META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n")))
	want := []facts.Package{
		{Ecosystem: "Maven", Name: "shop:cart", Version: "1.0"},
		{Ecosystem: "Maven", Name: "commons-io:commons-io", Version: "2.6", Path: "BOOT-INF/lib/commons-io-2.6.jar"},
		{Ecosystem: "Maven", Name: "org.apache.logging.log4j:log4j-core", Version: "2.14.1", Path: "BOOT-INF/lib/log4j-core-2.14.1.jar"},
	}
	if diff := cmp.Diff(want, file(t, facts.KindJava, "app/cart.jar", app)); diff != "" {
		t.Error(diff)
	}
}

func TestPython(t *testing.T) {
	const metadata = "Metadata-Version: 2.1\nName: Jinja2\nVersion: 3.1.2\nSummary: x\n\nName: not this\n"
	want := []facts.Package{{Ecosystem: "PyPI", Name: "Jinja2", Version: "3.1.2"}}
	wheel := zipOf(t, "jinja2/__init__.py", "", "Jinja2-3.1.2.dist-info/METADATA", metadata)
	for name, data := range map[string][]byte{
		"usr/lib/python3/dist-packages/Jinja2-3.1.2.dist-info/METADATA": []byte(metadata),
		"usr/lib/python3/dist-packages/Jinja2.egg-info/PKG-INFO":        []byte(metadata),
		"tmp/Jinja2-3.1.2-py3-none-any.whl":                             wheel,
	} {
		if diff := cmp.Diff(want, file(t, facts.KindPython, name, data)); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

func TestNPMLock(t *testing.T) {
	const lock = `{"name":"app","version":"1.0.0","lockfileVersion":3,"packages":{"":{"name":"app"},
		"node_modules/lodash":{"version":"4.17.20","resolved":"https://npm.example.org/lodash/-/lodash-4.17.20.tgz"},
		"node_modules/@s/x":{"version":"1.2.3","dev":true}}}`
	want := []facts.Package{{Ecosystem: "npm", Name: "@s/x", Version: "1.2.3"}, {Ecosystem: "npm", Name: "lodash", Version: "4.17.20"}}
	if diff := cmp.Diff(want, file(t, facts.KindNPMLock, "app/package-lock.json", []byte(lock))); diff != "" {
		t.Error(diff)
	}
}

func FuzzFile(f *testing.F) {
	f.Add("var/lib/dpkg/status", []byte("Package: a\nStatus: install ok installed\nVersion: 1\nSource: b (\n"))
	f.Add("lib/apk/db/installed", []byte("P:a\nV:1\n\n"))
	f.Add("package.json", []byte(`{"name":"a","version":"1"}`))
	f.Add("package-lock.json", []byte(`{"dependencies":{"a":{"version":"npm:x"}}}`))
	f.Add("a.jar", zipOf(f, "META-INF/MANIFEST.MF", "A: b\n", "b-1.0.jar", string(zipOf(f, "x", "y"))))
	f.Add("x.egg-info", []byte("Name: a\nVersion: 1\n"))
	e, err := New()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		kind, form := Classify(name)
		if form != Content {
			return
		}
		found, _ := safely(t, e, kind, name, data)
		for _, p := range found {
			if p.Name == "" || p.Version == "" {
				t.Errorf("%+v", p)
			}
		}
	})
}

// safely runs an extractor the way the pass does: foreign extractors may panic,
// and a panic is contained there.
func safely(t *testing.T, e *Extractor, kind, name string, data []byte) (found []facts.Package, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			if systemKind := kind == facts.KindDpkg || kind == facts.KindDpkgD || kind == facts.KindAPK; systemKind {
				t.Errorf("our own parser panics: %v", cause)
			}
			found, err = nil, nil
		}
	}()
	return e.File(t.Context(), kind, filepath.ToSlash(name), data)
}

// A descriptor that cannot be read may name anything: the archive is broken, and
// what else it names counts.
func TestAnUnreadableJavaDescriptorIsNotPassedOver(t *testing.T) {
	const properties = "version=2.14.1\ngroupId=org.apache.logging.log4j\nartifactId=log4j-core\n"
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	w, err := z.CreateRaw(&zip.FileHeader{
		Name: "META-INF/maven/org.apache.logging.log4j/log4j-core/pom.properties", Method: zip.Store,
		CRC32: 1, CompressedSize64: uint64(len(properties)), UncompressedSize64: uint64(len(properties)),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, properties); err != nil {
		t.Fatal(err)
	}
	if w, err = z.Create("META-INF/maven/shop/cart/pom.properties"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, "version=1.0\ngroupId=shop\nartifactId=cart\n"); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	e, err := New()
	if err != nil {
		t.Fatal(err)
	}
	got, err := e.File(t.Context(), facts.KindJava, "app/cart.jar", out.Bytes())
	if !errors.Is(err, ErrBroken) || !strings.Contains(err.Error(), "log4j-core") {
		t.Errorf("error %v, want one that names the descriptor", err)
	}
	if len(got) != 1 || got[0].Name != "shop:cart" {
		t.Errorf("packages %+v, want the one that can be read", got)
	}
}
