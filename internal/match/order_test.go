package match

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"dogwatch/internal/advisory"
	"dogwatch/internal/facts"
)

// versions draws versions that every ecosystem can read.
func versions(t *rapid.T, family, label string) string {
	part := rapid.IntRange(0, 12)
	v := fmt.Sprintf("%d.%d.%d", part.Draw(t, label+"major"), part.Draw(t, label+"minor"), part.Draw(t, label+"patch"))
	switch family {
	case "Debian", "Ubuntu", "Red Hat":
		return v + fmt.Sprintf("-%d", part.Draw(t, label+"release"))
	case "Alpine":
		return v + fmt.Sprintf("-r%d", part.Draw(t, label+"release"))
	case "npm", "Go":
		return v + rapid.SampledFrom([]string{"", "", "-rc.1", "-alpha", "+build"}).Draw(t, label+"tail")
	}
	return v
}

func families() *rapid.Generator[string] {
	return rapid.SampledFrom([]string{"Debian", "Ubuntu", "Alpine", "Red Hat", "Azure Linux", "npm", "Go", "PyPI", "Maven"})
}

func mustCompare(t *rapid.T, o order, a, b string) int {
	v, err := o.parse(a)
	if err != nil {
		t.Fatal(err)
	}
	w, err := o.parse(b)
	if err != nil {
		t.Fatal(err)
	}
	n, err := compare(v, w)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func entryOf(events ...advisory.Event) *advisory.Affected {
	return &advisory.Affected{Ranges: []advisory.Range{{Type: "ECOSYSTEM", Events: events}}}
}

func mustFall(t *rapid.T, o order, version string, a *advisory.Affected) *hit {
	v, err := o.parse(version)
	if err != nil {
		t.Fatal(err)
	}
	h, err := o.falls(version, v, a)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// A version is in a range exactly if introduced <= version < fixed, in the
// ecosystem's own order, however the events are written down.
func TestRangeIsHalfOpen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		family := families().Draw(t, "family")
		o := orderOf(family + ":1")
		a, b, v := versions(t, family, "a"), versions(t, family, "b"), versions(t, family, "v")
		if mustCompare(t, o, a, b) > 0 {
			a, b = b, a
		}
		want := mustCompare(t, o, a, v) <= 0 && mustCompare(t, o, v, b) < 0
		events := []advisory.Event{{Introduced: a}, {Fixed: b}}
		if rapid.Bool().Draw(t, "reversed") && mustCompare(t, o, a, b) != 0 {
			events[0], events[1] = events[1], events[0]
		}
		h := mustFall(t, o, v, entryOf(events...))
		if (h != nil) != want {
			t.Fatalf("%s: %s in [%s, %s): got %v, want %v", family, v, a, b, h != nil, want)
		}
		if h != nil && h.fixed != b {
			t.Fatalf("fixed in %q, want %q", h.fixed, b)
		}
	})
}

// last_affected includes the version it names.
func TestLastAffectedIsIncluded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		family := families().Draw(t, "family")
		o := orderOf(family)
		last, v := versions(t, family, "last"), versions(t, family, "v")
		h := mustFall(t, o, v, entryOf(advisory.Event{Introduced: "0"}, advisory.Event{LastAffected: last}))
		if want := mustCompare(t, o, v, last) <= 0; (h != nil) != want {
			t.Fatalf("%s: %s up to %s: got %v, want %v", family, v, last, h != nil, want)
		}
		if h != nil && h.fixed != "" {
			t.Fatalf("a fix %q that no event names", h.fixed)
		}
	})
}

// Several branches are the union of the single ones; the fix is of the branch
// the version is in.
func TestBranchesAreAUnion(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := orderOf("npm")
		v := versions(t, "npm", "v")
		one := []advisory.Event{{Introduced: "0"}, {Fixed: "2.5.0"}}
		two := []advisory.Event{{Introduced: "4.0.0"}, {Fixed: "4.7.3"}}
		h1, h2 := mustFall(t, o, v, entryOf(one...)), mustFall(t, o, v, entryOf(two...))
		joined := mustFall(t, o, v, entryOf(append(two, one...)...))
		apart := mustFall(t, o, v, &advisory.Affected{Ranges: []advisory.Range{{Type: "SEMVER", Events: one}, {Type: "SEMVER", Events: two}}})
		if (joined != nil) != (h1 != nil || h2 != nil) || (apart != nil) != (joined != nil) {
			t.Fatalf("%s: %v %v, joined %v, apart %v", v, h1, h2, joined, apart)
		}
		if joined != nil && *joined != *apart {
			t.Fatalf("%s: joined %v, apart %v", v, *joined, *apart)
		}
	})
}

// The order is an order: antisymmetric, and equal spellings are equal.
func TestCompareIsAntisymmetric(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		family := families().Draw(t, "family")
		o := orderOf(family)
		a, b := versions(t, family, "a"), versions(t, family, "b")
		if n, m := mustCompare(t, o, a, b), mustCompare(t, o, b, a); (n > 0) != (m < 0) || (n == 0) != (m == 0) {
			t.Fatalf("%s: %s against %s is %d, reversed %d", family, a, b, n, m)
		}
		if mustCompare(t, o, a, a) != 0 {
			t.Fatalf("%s differs from itself", a)
		}
	})
}

// Whatever a record says, evaluation neither panics nor matches a version the
// record's own fix is at or below.
func FuzzRange(f *testing.F) {
	f.Add("Debian", "1.0-1", "0", "1.0-2", "")
	f.Add("Alpine", "1.2.3-r4", "1.0-r0", "2.0_rc1-r0", "1.9")
	f.Add("PyPI", "1.0.dev1", "0", "1.0rc1", "")
	f.Add("npm", "1.0.0-", "1..0", "-", "99999999999999999999")
	f.Add("Red Hat", "1:1.0-1.el8", "0", "0:1~rc", "^")
	f.Add("Maven", "1-alpha-1", "0", "1.0", "")
	f.Fuzz(func(t *testing.T, family, version, begin, end, last string) {
		if len(version)+len(begin)+len(end)+len(last) > 200 {
			t.Skip("longer than any version")
		}
		o := orderOf(family)
		v, err := o.parse(version)
		if err != nil {
			return
		}
		h, err := o.falls(version, v, entryOf(advisory.Event{Introduced: begin}, advisory.Event{Fixed: end}, advisory.Event{LastAffected: last}))
		if h != nil && err != nil {
			t.Fatalf("both a hit and an error: %v", err)
		}
		if h == nil || h.fixed == "" {
			return
		}
		if w, err := o.parse(h.fixed); err == nil {
			if n, err := compare(v, w); err == nil && n >= 0 {
				t.Fatalf("%q counts as affected, but its fix %q is not above it", version, h.fixed)
			}
		}
	})
}

func TestScoreVector(t *testing.T) {
	tests := []struct {
		vector  string
		score   float64
		version int
	}{
		{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10, 31},
		{"CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1, 31},
		{"CVSS:3.0/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H", 8.1, 30},
		{"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 9.3, 40},
		{"AV:N/AC:L/Au:N/C:C/I:C/A:C", 10, 20},
		{"CVSS:3.1/AV:N", 0, 0},
		{"medium", 0, 0},
		{"", 0, 0},
	}
	for _, tt := range tests {
		score, version, ok := scoreVector(tt.vector)
		if score != tt.score || version != tt.version || ok != (tt.version > 0) {
			t.Errorf("scoreVector(%q) = %v, %d, %v; want %v, %d", tt.vector, score, version, ok, tt.score, tt.version)
		}
	}
}

func TestLevelOfScoreBounds(t *testing.T) {
	for score, want := range map[float64]int{0: 0, 0.1: 1, 3.9: 1, 4: 2, 6.9: 2, 7: 3, 8.9: 3, 9: 4, 10: 4} {
		if got := levelOfScore(score); got != want {
			t.Errorf("levelOfScore(%v) = %d, want %d", score, got, want)
		}
	}
}

func TestTitleIsTheFirstSentence(t *testing.T) {
	r := &advisory.Record{Details: "One thing\nis wrong. Another too."}
	if got, want := title(r), "One thing is wrong."; got != want {
		t.Errorf("title = %q, want %q", got, want)
	}
	r.Summary = strings.Repeat("长", 300)
	if got := title(r); len([]rune(got)) != maxTitle || !strings.HasSuffix(got, "...") {
		t.Errorf("a long title is not cut: %q", got)
	}
}

func TestOnlyWebAddressesAreReferences(t *testing.T) {
	f := &Finding{Category: categoryOther}
	f.describe(&advisory.Record{References: []advisory.Reference{
		{URL: "javascript:alert(1)"}, {URL: "https://example.org/a"}, {URL: "https://example.org/a"}, {URL: "http://"}, {URL: "::"},
	}})
	if len(f.References) != 1 || f.References[0] != "https://example.org/a" {
		t.Errorf("references %q", f.References)
	}
}

func TestGoPackageForms(t *testing.T) {
	tests := []struct{ name, version, wantName, wantVersion string }{
		{"stdlib", "go1.21", "stdlib", "1.21.0"},
		{"stdlib", "go1.22rc1", "stdlib", "1.22.0-rc.1"},
		{"std", "1.22.3 X:boringcrypto", "stdlib", "1.22.3"},
		{"stdlib", "1.22.0-rc.1", "stdlib", "1.22.0-rc.1"},
		{"example.org/m", "v1.2.3+incompatible", "example.org/m", "1.2.3+incompatible"},
	}
	for _, tt := range tests {
		if n, v := goPackage(tt.name, tt.version); n != tt.wantName || v != tt.wantVersion {
			t.Errorf("goPackage(%q, %q) = %q, %q; want %q, %q", tt.name, tt.version, n, v, tt.wantName, tt.wantVersion)
		}
	}
}

func TestOpenEulerAndSUSEReleases(t *testing.T) {
	tests := []struct{ id, version, pretty, want string }{
		{"openeuler", "22.03", "openEuler 22.03 (LTS-SP1)", "openEuler:22.03-LTS-SP1"},
		{"opensuse-leap", "15.5", "", "openSUSE:Leap 15.5"},
		{"sles", "15.5", "", "SUSE:Linux Enterprise Server 15 SP5"},
		{"sles", "15", "", "SUSE:Linux Enterprise Server 15"},
		{"rhel", "9.4", "", "Red Hat:9"},
		{"azurelinux", "3.0", "", "Azure Linux:3"},
		{"debian", "12", "", "Debian:12"},
	}
	for _, tt := range tests {
		d := describeOS(osRelease(tt.id, tt.version, tt.pretty))
		if d == nil || d.ecosystems[0] != tt.want {
			t.Errorf("%s %s: %v, want %s", tt.id, tt.version, d, tt.want)
		}
	}
}

func osRelease(id, version, pretty string) *facts.OSRelease {
	return &facts.OSRelease{ID: id, VersionID: version, PrettyName: pretty}
}
