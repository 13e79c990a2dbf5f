package facts_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"dogwatch/internal/facts"
)

func full() *facts.Layer {
	return &facts.Layer{
		Revision: "r1", Digest: "sha256:aa", DiffID: "sha256:bb", CompressedBytes: 3, ExpandedBytes: 9, Entries: 2,
		Gaps: []facts.Gap{{Code: "FileTooLarge", Path: "a/b", Reason: "too large", Parts: "CVE"}},
		OS:   &facts.OSRelease{ID: "debian", VersionID: "12", Path: "etc/os-release"},
		Packages: []facts.PackageFile{{Path: "var/lib/dpkg/status", Kind: facts.KindDpkg, Packages: []facts.Package{
			{Name: "libc6", Version: "2.36-9", SourceName: "glibc"},
		}}},
		Secrets:   []facts.Secret{{Rule: "private-key", Path: "k", Line: 1, Masked: "----****", Level: 4}},
		Whiteouts: []string{"gone"}, Opaques: []string{"dir"},
		Dirs: []uint64{1, 1 << 63}, NonDirs: []uint64{facts.PathHash("a/b")},
	}
}

func TestEncodeAndDecode(t *testing.T) {
	want := full()
	encoded, err := facts.Encode(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := facts.Decode(encoded)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("facts came back changed (-want +got):\n%s", diff)
	}
}

func TestFactsWithAGapAreIncomplete(t *testing.T) {
	if full().Complete() {
		t.Error("facts with a gap read as complete")
	}
	if !(&facts.Layer{}).Complete() {
		t.Error("facts without a gap read as incomplete")
	}
}

func TestOnlyPackageManagersOfTheSystemAreSystem(t *testing.T) {
	for kind, want := range map[string]bool{
		facts.KindDpkg: true, facts.KindDpkgD: true, facts.KindAPK: true, facts.KindRPM: true,
		facts.KindNPM: false, facts.KindNPMLock: false, facts.KindPython: false, facts.KindGo: false, facts.KindJava: false,
	} {
		if got := (&facts.PackageFile{Kind: kind}).System(); got != want {
			t.Errorf("System of kind %q is %v, want %v", kind, got, want)
		}
	}
}

// FuzzDecode: whatever Decode accepts, Encode renders so that it decodes to the same.
func FuzzDecode(f *testing.F) {
	seed, err := facts.Encode(full())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add([]byte("no zstd"))
	f.Fuzz(func(t *testing.T, data []byte) {
		layer, err := facts.Decode(data)
		if err != nil {
			return
		}
		again, err := facts.Encode(layer)
		if err != nil {
			t.Fatalf("decoded facts cannot be encoded: %v", err)
		}
		back, err := facts.Decode(again)
		if err != nil {
			t.Fatalf("encoded facts cannot be decoded: %v", err)
		}
		if diff := cmp.Diff(layer, back); diff != "" {
			t.Errorf("facts came back changed:\n%s", diff)
		}
	})
}
