package advisory

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// Any document that is accepted survives the way into a snapshot and back.
func FuzzDecodeRecord(f *testing.F) {
	f.Add([]byte(`{"id":"A-1","modified":"2026-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"a"},"ranges":[{"type":"GIT","events":[{"introduced":"0"}]},{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1"}]}],"versions":["1"]}]}`))
	f.Add([]byte(`{"id":"A-1","database_specific":{"severity":{"a":1},"cwe_ids":"CWE-1","cwes":[{"cweId":"CWE-2"}]},"affected":[{"ecosystem_specific":[1],"database_specific":"x"}]}`))
	f.Add([]byte(`{"id":"A-1","withdrawn":"0001-01-01T00:00:00Z","severity":[{"type":"CVSS_V3","score":"x"}],"references":[{"url":"u"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := DecodeRecord(data)
		if err != nil {
			return
		}
		text, err := json.Marshal(r)
		if err != nil {
			t.Skip("a time that JSON cannot write") // year above 9999 by its zone
		}
		again, err := DecodeRecord(text)
		if err != nil {
			t.Fatalf("refused its own rendering: %v", err)
		}
		if diff := cmp.Diff(r, again, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("changed on the way:\n%s", diff)
		}
		for _, g := range groupAffected(r) {
			list, err := decodeAffected(nil, "", encodeAffected(g.list))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(g.list, list, cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("index entry changed on the way:\n%s", diff)
			}
		}
	})
}

// Torn index entries are errors, never panics or huge allocations.
func FuzzDecodeAffected(f *testing.F) {
	f.Add(encodeAffected([]Affected{{Ecosystem: "npm", Name: "a", Versions: []string{"1"}, Ranges: []Range{{Type: "SEMVER", Events: []Event{{Introduced: "0"}, {Fixed: "1"}}}}}}))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := decodeAffected(nil, "", data)
		if err != nil {
			return
		}
		again, err := decodeAffected(nil, "", encodeAffected(list))
		if err != nil || !cmp.Equal(list, again) {
			t.Fatalf("%v: %+v became %+v", err, list, again)
		}
	})
}

func TestCutIndexEntriesAreRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole := encodeAffected([]Affected{{
			Ecosystem: "npm", Name: rapid.StringN(1, 20, -1).Draw(t, "name"), Versions: rapid.SliceOf(rapid.String()).Draw(t, "versions"),
			Ranges: []Range{{Type: "SEMVER", Events: []Event{{Introduced: "0"}, {Fixed: "1"}}}},
		}})
		cut := rapid.IntRange(0, len(whole)-1).Draw(t, "cut")
		if _, err := decodeAffected(nil, "", whole[:cut]); err == nil {
			t.Fatalf("%d of %d bytes were taken for a whole entry", cut, len(whole))
		}
	})
}

func TestNormalForms(t *testing.T) {
	for in, want := range map[string]string{
		"Ubuntu:22.04:LTS": "Ubuntu:22.04", "Ubuntu:24.10": "Ubuntu:24.10", "Ubuntu:Pro:22.04:LTS": "Ubuntu:Pro:22.04",
		"Red Hat:enterprise_linux:8::baseos": "Red Hat:8", "Red Hat:enterprise_linux:9.2::appstream": "Red Hat:9",
		"Red Hat:rhel_eus:8.4::baseos": "Red Hat:rhel_eus:8.4::baseos", "Alpine:v3.18": "Alpine:v3.18", " npm ": "npm",
	} {
		if got := NormalEcosystem(in); got != want {
			t.Errorf("NormalEcosystem(%q) = %q, want %q", in, got, want)
		}
	}
	for _, tt := range [][3]string{{"PyPI", "Foo__Bar.baz", "foo-bar-baz"}, {"NuGet", "A.B", "a.b"}, {"Go", "example.org/A", "example.org/A"}, {"npm", "@S/x", "@S/x"}} {
		if got := NormalName(tt[0], tt[1]); got != tt[2] {
			t.Errorf("NormalName(%q, %q) = %q, want %q", tt[0], tt[1], got, tt[2])
		}
	}
}

func TestModuleStreams(t *testing.T) {
	modular := &Package{Ranges: []Range{{Events: []Event{{Fixed: "1:16-1.module_el8"}}}}}
	for summary, want := range map[string][]string{
		"Important: nodejs:16 security update":              {"nodejs:16"},
		"Moderate: container-tools:rhel8 security update":   {"container-tools:rhel8"},
		"Important: postgresql:9.6 and perl-DBI:1.641 fix":  {"postgresql:9.6", "perl-DBI:1.641"},
		"Important: nodejs security update":                 nil,
		"Important: virt:rhel and virt-devel:rhel security": {"virt:rhel", "virt-devel:rhel"},
	} {
		if got := ModuleStreams(&Record{Summary: summary}, modular); !cmp.Equal(got, want) {
			t.Errorf("%q: %q, want %q", summary, got, want)
		}
	}
	if got := ModuleStreams(&Record{Summary: "nodejs:16 fix"}, &Package{}); got != nil {
		t.Errorf("a package outside of modules has streams %q", got)
	}
}
