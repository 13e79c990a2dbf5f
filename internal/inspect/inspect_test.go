package inspect

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"dogwatch/internal/facts"

	"github.com/google/go-cmp/cmp"
)

const dpkgStatus = `Package: libssl3
Status: install ok installed
Architecture: amd64
Source: openssl (3.0.11-1)
Version: 3.0.11-1+b1
Description: library
 more words: and more

Package: gone
Status: deinstall ok config-files
Version: 1

Package: bash
Status: install ok installed
Architecture: amd64
Version: 5.2.15-2
`

func TestOrdinaryLayer(t *testing.T) {
	raw := newLayer(t).
		dir("etc/").symlink("etc/os-release", "../usr/lib/os-release").
		dir("./usr/lib/").file("./usr/lib/os-release", "ID=Debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\nPRETTY_NAME='Debian 12'\n").
		file("var/lib/dpkg/status", dpkgStatus).
		file("app/node_modules/left-pad/package.json", `{"name":"left-pad","version":"1.3.0"}`).
		file("app/node_modules/left-pad/test/package.json", `{"name":"fixture","version":"9.9.9"}`).
		file("usr/bin/run", "#!/bin/sh\necho hello\n").
		hardlink("usr/bin/run2", "usr/bin/run").hardlink("usr/bin/other", "etc/nothing").
		file("app/config.ini", "token=gl"+"pat-q7Rt2LmZ9xKc4VbN8sWd\n").
		file("tmp/eicar.com", eicar()+"\n").
		file("etc/.wh.passwd", "").file("var/cache/.wh..wh..opq", "").file("var/.wh..wh.plnk", "").
		tar()
	blob := gzipBytes(t, raw)
	f := inspect(t, Options{}, blob)

	if f.Digest != digestOf(blob) || f.DiffID != digestOf(raw) || f.CompressedBytes != int64(len(blob)) || f.ExpandedBytes != int64(len(raw)) {
		t.Errorf("sums are wrong: %+v", f)
	}
	if !f.Complete() {
		t.Errorf("gaps: %+v", f.Gaps)
	}
	want := &facts.OSRelease{ID: "debian", VersionID: "12", Codename: "bookworm", PrettyName: "Debian 12", Path: "usr/lib/os-release"}
	if diff := cmp.Diff(want, f.OS); diff != "" {
		t.Error(diff)
	}
	wantPackages := []facts.PackageFile{
		{Path: "app/node_modules/left-pad/package.json", Kind: facts.KindNPM, Packages: []facts.Package{{Ecosystem: "npm", Name: "left-pad", Version: "1.3.0"}}},
		{Path: "var/lib/dpkg/status", Kind: facts.KindDpkg, Packages: []facts.Package{
			{Name: "libssl3", Version: "3.0.11-1+b1", Arch: "amd64", SourceName: "openssl", SourceVersion: "3.0.11-1"},
			{Name: "bash", Version: "5.2.15-2", Arch: "amd64", SourceName: "bash", SourceVersion: "5.2.15-2"},
		}},
	}
	if diff := cmp.Diff(wantPackages, f.Packages); diff != "" {
		t.Error(diff)
	}
	wantMalware := []facts.Malware{{
		Path: "tmp/eicar.com", Name: "Eicar-Test-Signature", Engine: "builtin", Category: "1", Level: 4, MD5: "69630e4574ec6798239b091cda43dca0",
		SHA256: "131f95c51cc819465fa1797f6ccacf9d494aaaff46fa3eac73ae63ffbdfd8267", Size: 69, FileType: "TXT",
	}}
	if diff := cmp.Diff(wantMalware, f.Malware); diff != "" {
		t.Error(diff)
	}
	if len(f.Secrets) != 1 || f.Secrets[0].Rule != "gitlab-token" || f.Secrets[0].Path != "app/config.ini" || f.Secrets[0].Line != 1 {
		t.Errorf("secrets: %+v", f.Secrets)
	}
	if len(f.Hashes) != 1 || f.Hashes[0].Path != "usr/bin/run" || "sha256:"+f.Hashes[0].SHA256 != digestOf([]byte("#!/bin/sh\necho hello\n")) {
		t.Errorf("hashes: %+v", f.Hashes)
	}
	if diff := cmp.Diff([]string{"etc/passwd"}, f.Whiteouts); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"var/cache"}, f.Opaques); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]facts.Link{{Path: "etc/os-release", Target: "usr/lib/os-release"}}, f.Symlinks); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]facts.Link{{Path: "usr/bin/run2", Target: "usr/bin/run"}}, f.Hardlinks); diff != "" {
		t.Error(diff)
	}
	if len(f.Dirs) != 2 || len(f.NonDirs) != 10 {
		t.Errorf("%d directories, %d others", len(f.Dirs), len(f.NonDirs))
	}
}

func TestCompressionsAgree(t *testing.T) {
	raw := newLayer(t).file("var/lib/dpkg/status", dpkgStatus).tar()
	var want *facts.Layer
	for mediaType, blob := range map[string][]byte{
		"application/vnd.oci.image.layer.v1.tar":            raw,
		"application/vnd.oci.image.layer.v1.tar+gzip":       gzipBytes(t, raw),
		"application/vnd.oci.image.layer.v1.tar+zstd":       zstdBytes(t, raw),
		"application/vnd.docker.image.rootfs.diff.tar.gzip": gzipBytes(t, raw),
	} {
		l := Layer{Digest: digestOf(blob), DiffID: digestOf(raw), MediaType: mediaType, Size: int64(len(blob))}
		f, err := inspector(t, Options{}).Inspect(t.Context(), l, iotest.OneByteReader(bytes.NewReader(blob)))
		if err != nil {
			t.Fatalf("%s: %v", mediaType, err)
		}
		f.Digest, f.CompressedBytes = "", 0
		if want == nil {
			want = f
		}
		if diff := cmp.Diff(want, f); diff != "" {
			t.Errorf("%s:\n%s", mediaType, diff)
		}
	}
}

func TestBrokenLayers(t *testing.T) {
	raw := newLayer(t).file("a", strings.Repeat("content ", 5000)).tar()
	blob := gzipBytes(t, raw)
	const gz = "application/vnd.oci.image.layer.v1.tar+gzip"
	for name, c := range map[string]struct {
		layer Layer
		blob  []byte
		code  string
	}{
		"cut gzip":              {Layer{}, blob[:len(blob)-20], CodeLayerBroken},
		"cut zstd":              {Layer{}, zstdBytes(t, raw)[:60], CodeLayerBroken},
		"cut archive":           {Layer{}, gzipBytes(t, raw[:700]), CodeLayerBroken},
		"corrupt gzip":          {Layer{}, append(bytes.Clone(blob[:30]), make([]byte, 50)...), CodeLayerBroken},
		"garbage after gzip":    {Layer{}, append(bytes.Clone(blob), "garbage garbage garbage"...), CodeLayerBroken},
		"not gzip":              {Layer{MediaType: gz}, raw, CodeLayerBroken},
		"gzip but said plain":   {Layer{MediaType: "application/vnd.oci.image.layer.v1.tar"}, blob, CodeLayerBroken},
		"gzip but no archive":   {Layer{}, gzipBytes(t, bytes.Repeat([]byte("no archive "), 300)), CodeLayerBroken},
		"empty blob, said gzip": {Layer{MediaType: gz}, nil, CodeLayerBroken},
		"another digest":        {Layer{Digest: digestOf(nil)}, blob, CodeLayerBroken},
		"another diff id":       {Layer{DiffID: digestOf(nil)}, blob, CodeLayerBroken},
		"too short":             {Layer{Size: int64(len(blob)) + 1}, blob, CodeLayerBroken},
		"too long":              {Layer{Size: int64(len(blob)) - 1}, blob, CodeLayerBroken},
		"encrypted":             {Layer{MediaType: gz + "+encrypted"}, blob, CodeUnsupportedMediaType},
		"a chart":               {Layer{MediaType: "application/vnd.cncf.helm.chart.content.v1.tar+gzip"}, blob, CodeUnsupportedMediaType},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := inspector(t, Options{}).Inspect(t.Context(), c.layer, bytes.NewReader(c.blob))
			var broken *Error
			if !errors.As(err, &broken) || broken.Code != c.code || f != nil {
				t.Errorf("facts %v, error %v", f, err)
			}
		})
	}
}

func TestReaderErrorsPassThrough(t *testing.T) {
	cause := errors.New("registry went away")
	blob := newLayer(t).file("a", strings.Repeat("content ", 5000)).gzip()
	for _, n := range []int{0, 1, 20, len(blob) - 1} {
		r := io.MultiReader(bytes.NewReader(blob[:n]), iotest.ErrReader(cause))
		if _, err := inspector(t, Options{}).Inspect(t.Context(), Layer{}, r); !errors.Is(err, cause) {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := inspector(t, Options{}).Inspect(ctx, Layer{}, bytes.NewReader(blob)); !errors.Is(err, context.Canceled) {
		t.Errorf("after cancellation: %v", err)
	}
}

func TestLastEntryOfAPathWins(t *testing.T) {
	blob := newLayer(t).
		file("var/lib/dpkg/status", dpkgStatus).
		file("bin/a", "#!/bin/sh\n").
		file("tmp/e", eicar()).
		file("./var/lib/dpkg/status", "Package: only\nStatus: install ok installed\nVersion: 2\n").
		symlink("bin/a", "b").
		file("tmp/e", "harmless").gzip()
	f := inspect(t, Options{}, blob)
	if len(f.Packages) != 1 || len(f.Packages[0].Packages) != 1 || f.Packages[0].Packages[0].Name != "only" {
		t.Errorf("packages: %+v", f.Packages)
	}
	if len(f.Hashes) != 0 || len(f.Malware) != 0 {
		t.Errorf("hashes %+v, malware %+v", f.Hashes, f.Malware)
	}
}

func TestPathsStayInTheRoot(t *testing.T) {
	for in, want := range map[string]string{
		"a/b": "a/b", "/a/b": "a/b", "./a": "a", "../../etc/passwd": "etc/passwd", "a/../../b": "b", "a//b/": "a/b", "..": "", "/": "", ".": "",
		"a/..b/c": "a/..b/c", "a\xffb": "a\uFFFDb", "é/x": "é/x", ".wh.a": ".wh.a", "a/./b": "a/b",
	} {
		if got := cleanPath(in); got != want {
			t.Errorf("cleanPath(%q) = %q, want %q", in, got, want)
		}
	}
	f := inspect(t, Options{}, newLayer(t).
		file("../../../var/lib/dpkg/status", dpkgStatus).
		symlink("lib", "../../../usr/lib").symlink("a/b/c/d", "/x").
		file("../.wh.x", "").file("d/.wh...", "").file("d/.wh.", "").gzip())
	if len(f.Packages) != 1 || f.Packages[0].Path != "var/lib/dpkg/status" {
		t.Errorf("packages: %+v", f.Packages)
	}
	if diff := cmp.Diff([]facts.Link{{Path: "lib", Target: "usr/lib"}}, f.Symlinks); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"x"}, f.Whiteouts); diff != "" {
		t.Error(diff)
	}
	if len(f.Gaps) != 1 || f.Gaps[0].Code != "BadWhiteout" {
		t.Errorf("gaps: %+v", f.Gaps)
	}
}

func TestRevisionNamesTheRules(t *testing.T) {
	all := inspector(t, Options{}).Revision()
	if again := inspector(t, Options{}).Revision(); all != again {
		t.Errorf("%q, then %q", all, again)
	}
	for _, o := range []Options{{NoPackages: true}, {NoMalware: true}, {NoSecrets: true}} {
		if inspector(t, o).Revision() == all {
			t.Errorf("%+v has the revision of everything", o)
		}
	}
}

func TestOSReleaseInUnusualPlaces(t *testing.T) {
	f := inspect(t, Options{}, newLayer(t).
		symlink("etc/os-release", "../usr/lib/os-release").
		symlink("usr/lib/os-release", "./os.release.d/os-release-container").
		file("usr/lib/os.release.d/os-release-container", "ID=fedora\n").gzip())
	if f.OS == nil || f.OS.ID != "fedora" {
		t.Errorf("os: %+v", f.OS)
	}
	loop := inspect(t, Options{}, newLayer(t).symlink("etc/os-release", "../usr/lib/os-release").symlink("usr/lib/os-release", "../../etc/os-release").gzip())
	if loop.OS != nil {
		t.Errorf("os: %+v", loop.OS)
	}
}

func TestGlobalHeadersAndDevicesAreNoFiles(t *testing.T) {
	l := newLayer(t)
	if err := l.w.WriteHeader(&tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": "x"}}); err != nil {
		t.Fatal(err)
	}
	f := inspect(t, Options{}, l.add(tar.Header{Name: "dev/null", Typeflag: tar.TypeChar}, "").gzip())
	if len(f.NonDirs) != 1 || len(f.Gaps) != 0 {
		t.Errorf("%+v", f)
	}
}
