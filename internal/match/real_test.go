package match_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dogwatch/internal/advisory"
	"dogwatch/internal/match"
)

// realSnapshot imports some ecosystems of a copy of the public OSV export.
func realSnapshot(t *testing.T, ecosystems ...string) *advisory.Snapshot {
	t.Helper()
	root := os.Getenv("DOGWATCH_SHARED_DATA")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "data")
	}
	var paths []string
	for _, eco := range ecosystems {
		path := filepath.Join(root, "osv", eco, "all.zip")
		if _, err := os.Stat(path); err != nil {
			t.Skipf("no OSV export at %s (set DOGWATCH_SHARED_DATA)", root)
		}
		paths = append(paths, path)
	}
	dir := t.TempDir()
	if _, err := advisory.Import(t.Context(), dir, paths, advisory.Options{}); err != nil {
		t.Fatal(err)
	}
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

// Facts of well-known vulnerabilities, against real records.
func TestRealRecords(t *testing.T) {
	s := realSnapshot(t, "Debian", "Alpine", "AlmaLinux", "Go", "PyPI", "Maven")
	tests := []struct {
		name, image string
		fixed       map[string]string // CVE → fix of its first component
		absent      []string
	}{
		{
			name:  "Debian 12 goes by the source and its fixes",
			image: "os id=debian version=12\npkg dpkg libssl3 3.0.11-1~deb12u1 source=openssl\npkg dpkg libtiff6 4.5.0-4 source=tiff",
			fixed: map[string]string{"CVE-2023-5363": "3.0.11-1~deb12u2", "CVE-2023-0801": "4.5.0-5", "CVE-2024-5535": "3.0.15-1~deb12u1"},
			// fixed in this very version
			absent: []string{"CVE-2022-0778", "CVE-2023-0286"},
		},
		{
			name:  "Alpine goes by the origin",
			image: "os id=alpine version=3.18.2\npkg apk libcurl 8.1.2-r0 source=curl",
			fixed: map[string]string{"CVE-2023-38545": "8.4.0-r0"},
		},
		{
			name:  "AlmaLinux advisories are expanded to their CVEs",
			image: "os id=almalinux version=8.8\npkg rpm openssl-libs 1:1.1.1k-5.el8",
			fixed: map[string]string{"CVE-2022-0778": "1:1.1.1k-6.el8_5"},
		},
		{
			name:   "the Go standard library by its toolchain",
			image:  "pkg Go stdlib go1.20.4",
			fixed:  map[string]string{"CVE-2023-29403": "1.20.5"},
			absent: []string{"CVE-2023-24538", "CVE-2023-29400"},
		},
		{
			name:  "PyPI records whose first range is of commits",
			image: "pkg PyPI Django 3.2.1",
			fixed: map[string]string{"CVE-2021-35042": "3.2.5", "CVE-2022-28346": "3.2.13"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inv := readImage(t, tt.image)
			v, err := match.Judge(t.Context(), inv, s)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for _, f := range v.Findings {
				got[f.ID] = f.FixedVersion
			}
			for id, fix := range tt.fixed {
				if have, ok := got[id]; !ok || have != fix {
					t.Errorf("%s: found %v, fixed in %q, want %q", id, ok, have, fix)
				}
			}
			for _, id := range tt.absent {
				if _, ok := got[id]; ok {
					t.Errorf("%s is no vulnerability of this image", id)
				}
			}
			again, err := match.Judge(t.Context(), inv, s)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(v, again); diff != "" {
				t.Errorf("two judgements differ:\n%s", diff)
			}
		})
	}
}
