package sample_test

import (
	"encoding/json"
	"io/fs"
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dogwatch/internal/sample"
	"dogwatch/internal/sample/advisories"
)

func TestDiff(t *testing.T) {
	want := sample.Expectation{
		Vulnerabilities: []string{"CVE-1", "CVE-2"},
		Malware:         []string{"srv/a"},
		Risks:           []sample.Risk{{Behavior: 1, Type: 2}},
	}
	for _, c := range []struct {
		name string
		got  sample.Found
		want []string
	}{
		{"the same", sample.Found{
			Vulnerabilities: []string{"CVE-2", "CVE-1", "CVE-1"}, Malware: []string{"/srv/a"},
			Risks: []sample.Risk{{Behavior: 1, Type: 2}, {Behavior: 1, Type: 2}},
		}, nil},
		{"less and more", sample.Found{
			Vulnerabilities: []string{"CVE-1", "CVE-3"}, Malware: []string{"srv/b"}, Risks: []sample.Risk{{Behavior: 3, Type: 1}},
		}, []string{
			"vulnerability CVE-2 was not found",
			"vulnerability CVE-3 was found, but is not there",
			"malicious file srv/a was not found",
			"malicious file srv/b was found, but is not there",
			"risk behavior 1 type 2 was not found",
			"risk behavior 3 type 1 was found, but is not there",
		}},
	} {
		if diff := cmp.Diff(c.want, sample.Diff(want, c.got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// record is the part of an OSV record the tests look at.
type record struct {
	ID       string   `json:"id"`
	Aliases  []string `json:"aliases"`
	Upstream []string `json:"upstream"`
	Summary  string   `json:"summary"`
	Details  string   `json:"details"`
	Affected []struct {
		Package struct{ Ecosystem, Name string }
	} `json:"affected"`
}

// records reads the advisory set.
func records(t *testing.T) map[string]record {
	t.Helper()
	tree, err := advisories.FS()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]record{}
	err = fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		var r record
		if err := json.Unmarshal(text, &r); err != nil {
			return err
		}
		all[name] = r
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestAdvisoriesAreWellFormed(t *testing.T) {
	for name, r := range records(t) {
		if path.Base(name) != r.ID+".json" {
			t.Errorf("%s holds the record %s", name, r.ID)
		}
		if r.Summary == "" || r.Details == "" || len(r.Affected) == 0 {
			t.Errorf("%s lacks a summary, details or what it affects", name)
		}
		for _, a := range r.Affected {
			if family := strings.SplitN(a.Package.Ecosystem, ":", 2)[0]; family != path.Dir(name) {
				t.Errorf("%s affects ecosystem %s", name, a.Package.Ecosystem)
			}
		}
	}
}

// TestExpectationsAreInTheSet: what a sample expects must be known, and the set
// must hold records that match nothing, so that matching too much shows.
func TestExpectationsAreInTheSet(t *testing.T) {
	known := map[string]bool{}
	for _, r := range records(t) {
		for _, id := range append(r.Aliases, r.Upstream...) {
			known[id] = true
		}
	}
	expected := map[string]bool{}
	for name, e := range sample.Expected() {
		for _, id := range e.Vulnerabilities {
			expected[id] = true
			if !known[id] {
				t.Errorf("%s expects %s, which no advisory has", name, id)
			}
		}
	}
	for _, id := range []string{"CVE-2022-37434", "CVE-2022-28391", "CVE-2020-14040", "CVE-2020-1747"} {
		if !known[id] || expected[id] {
			t.Errorf("%s should be an advisory that no sample is affected by", id)
		}
	}
}

func TestExpectedLeavesOutWhatIsNoImage(t *testing.T) {
	all := sample.Expected()
	if _, listed := all["charts/shop:0.1.0"]; listed {
		t.Error("the chart is expected in the image list")
	}
	if len(all) != len(sample.All())-1 {
		t.Errorf("%d expectations for %d samples, want one less", len(all), len(sample.All()))
	}
}
