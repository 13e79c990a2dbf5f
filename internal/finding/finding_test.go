package finding_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dogwatch/internal/facts"
	"dogwatch/internal/finding"
	"dogwatch/internal/store"
)

// everything are records of each level on the package "left".
func everything() []string {
	return []string{
		record("CVE-2025-0001", "left", "2.0.0", critical),
		record("CVE-2025-0002", "left", "", high),
		record("CVE-2025-0003", "left", "2.0.0", medium),
		record("CVE-2025-0004", "left", "2.0.0", ""),
		record("CVE-2025-0005", "left", "1.0.0", critical),
	}
}

func withFaults(t *testing.T) (*rig, *store.Content) {
	r := newRig(t, everything()...)
	first := npm("sha256:a", "left", "1.5.0")
	first.Malware = []facts.Malware{{Path: "bin/bad", Name: "Bad.A", Level: 3}, {Path: "bin/worse", Name: "Worse", Level: 4}}
	first.Secrets = []facts.Secret{{Title: "token", Path: "etc/token", Line: 7, Masked: "ghp_****", Level: 4}}
	first.NonDirs = append(first.NonDirs, facts.PathHash("bin/bad"), facts.PathHash("bin/worse"), facts.PathHash("etc/token"))
	second := facts.Layer{Digest: "sha256:b", Whiteouts: []string{"bin/bad"}}
	content := r.content(revision, []facts.Risk{
		{Rule: "root-user", Behavior: 1, Level: 3, Desc: "runs as root", Instruction: "USER root"},
		{Rule: "credential-in-env", Behavior: 3, Level: 3, Desc: "credential in the environment", Instruction: "ENV A=****", At: inspectedAt},
	}, first, second)
	return r, content
}

func TestAssess(t *testing.T) {
	r, content := withFaults(t)
	snapshot, err := r.library.Current(t.Context())
	r.must(err)
	for parts, want := range map[store.Parts]finding.Assessment{
		store.AllParts: {Snapshot: snapshot.ID(), VulCnt: 4, CriticalCnt: 1, HighCnt: 1, MediumCnt: 1, LowCnt: 1, NeedFix: true,
			VirusCnt: 1, RiskCnt: 3, SensitiveCnt: 2},
		store.PartCVE:   {Snapshot: snapshot.ID(), VulCnt: 4, CriticalCnt: 1, HighCnt: 1, MediumCnt: 1, LowCnt: 1, NeedFix: true},
		store.PartVirus: {VirusCnt: 1},
		store.PartRisk:  {RiskCnt: 3, SensitiveCnt: 2},
	} {
		want.OSName, want.ComponentCnt = "linux", 1
		got, err := r.service.Assess(t.Context(), content, parts)
		r.must(err)
		if diff := cmp.Diff(&want, got); diff != "" {
			t.Errorf("%v: %s", parts.Names(), diff)
		}
		if !got.Risky() || got.Failed() != 0 {
			t.Errorf("%v: risky %v, failed %v", parts.Names(), got.Risky(), got.Failed())
		}
	}
}

// A high finding without a fix does not call for fixing.
func TestNeedFixNeedsAFix(t *testing.T) {
	r := newRig(t, record("CVE-2025-0002", "left", "", high), record("CVE-2025-0003", "left", "2.0.0", medium))
	got, err := r.service.Assess(t.Context(), r.content(revision, nil, npm("sha256:a", "left", "1.5.0")), store.PartCVE)
	r.must(err)
	if got.VulCnt != 2 || got.NeedFix {
		t.Errorf("%+v", got)
	}
}

func TestWithoutAdvisories(t *testing.T) {
	r := newRig(t)
	content := r.content(revision, nil, npm("sha256:a", "left", "1.5.0"))
	got, err := r.service.Assess(t.Context(), content, store.AllParts)
	r.must(err)
	if got.Failed() != store.PartCVE || got.Code(store.PartCVE) != finding.CodeNoAdvisories || got.Code(store.PartVirus) != "" {
		t.Errorf("%+v", got)
	}
	if reason, solution := got.Words(); reason == "" || solution == "" {
		t.Errorf("words %q, %q", reason, solution)
	}
	r.succeeded(store.AllParts)
	page, err := r.service.Vulnerabilities(t.Context(), account, r.image.ID, finding.Query{Limit: 10})
	if err != nil || page.Total != 0 {
		t.Errorf("%+v, %v", page, err)
	}
	// Data that arrives later is seen at once: no entry of the cache stands in its way.
	r.publish(everything()...)
	page, err = r.service.Vulnerabilities(t.Context(), account, r.image.ID, finding.Query{Limit: 10})
	if err != nil || page.Total != 4 {
		t.Errorf("after an import: %+v, %v", page, err)
	}
}

func TestGapsAreTold(t *testing.T) {
	r := newRig(t, everything()[0])
	layer := npm("sha256:a", "left", "3.0.0")
	layer.Gaps = []facts.Gap{
		{Code: "FileTooLarge", Path: "a.jar", Reason: "larger than the limit", Parts: "CVE,VIRUS"},
		{Code: "FileTooLarge", Path: "b.jar", Reason: "larger than the limit", Parts: "CVE"},
		{Code: "TooDeep", Reason: "archives in archives", Parts: "RISK"},
	}
	content := r.content(revision, nil, layer)
	got, err := r.service.Assess(t.Context(), content, store.PartCVE|store.PartVirus)
	r.must(err)
	want := []finding.Problem{{Parts: store.PartCVE | store.PartVirus, Code: "FileTooLarge",
		Reason: "incomplete: larger than the limit (/a.jar in layer 1), and 1 more like it"}}
	if diff := cmp.Diff(want, got.Problems); diff != "" {
		t.Error(diff)
	}
	if got.Risky() || got.Failed() != 0 || got.Code(store.PartVirus) != "FileTooLarge" || got.Code(store.PartRisk) != "" {
		t.Errorf("%+v", got)
	}
}

// A distribution that the data does not cover is not clean.
func TestUncoveredDistribution(t *testing.T) {
	r := newRig(t, everything()...)
	layer := facts.Layer{Digest: "sha256:a", OS: &facts.OSRelease{ID: "debian", VersionID: "12", PrettyName: "Debian GNU/Linux 12", Path: "etc/os-release"},
		Packages: []facts.PackageFile{{Path: "var/lib/dpkg/status", Kind: facts.KindDpkg, Packages: []facts.Package{{Name: "openssl", Version: "3.0.11-1"}}}},
		NonDirs:  []uint64{facts.PathHash("etc/os-release"), facts.PathHash("var/lib/dpkg/status")}}
	got, err := r.service.Assess(t.Context(), r.content(revision, nil, layer), store.PartCVE)
	r.must(err)
	if got.Code(store.PartCVE) != finding.CodeUncovered || got.OSName != "Debian GNU/Linux 12" {
		t.Errorf("%+v", got)
	}
	if reason, _ := got.Words(); !strings.Contains(reason, "ebian") {
		t.Errorf("reason %q does not name the distribution", reason)
	}
}

func TestMissingFactsAreAFault(t *testing.T) {
	r := newRig(t)
	content := r.content(revision, nil)
	content.Layers = []byte(`[{"digest": "sha256:never"}]`)
	if _, err := r.service.Assess(t.Context(), content, store.AllParts); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

// Lists show the parts that have succeeded, and nothing of the others.
func TestListsShowWhatSucceeded(t *testing.T) {
	r, _ := withFaults(t)
	ctx := t.Context()
	q := finding.Query{Limit: 100}
	for _, parts := range []store.Parts{0, store.PartCVE, store.PartVirus, store.PartRisk, store.AllParts} {
		r.succeeded(parts)
		vulnerabilities, err := r.service.Vulnerabilities(ctx, account, r.image.ID, q)
		r.must(err)
		viruses, err := r.service.Viruses(ctx, account, r.image.ID, q)
		r.must(err)
		risks, err := r.service.Risks(ctx, account, r.image.ID, q)
		r.must(err)
		want := [3]int{}
		for i, n := range []int{4, 1, 3} {
			if parts.Has(1 << i) {
				want[i] = n
			}
		}
		if got := [3]int{vulnerabilities.Total, viruses.Total, risks.Total}; got != want {
			t.Errorf("%v: %v, want %v", parts.Names(), got, want)
		}
	}
	for _, who := range [][2]int64{{account, 99}, {2, r.image.ID}} {
		if _, err := r.service.Risks(ctx, who[0], who[1], q); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("image %d of account %d: %v", who[1], who[0], err)
		}
	}
}

func TestRows(t *testing.T) {
	r, _ := withFaults(t)
	r.succeeded(store.AllParts)
	ctx := t.Context()
	vulnerabilities, err := r.service.Vulnerabilities(ctx, account, r.image.ID, finding.Query{Limit: 100})
	r.must(err)
	var order []string
	for _, v := range vulnerabilities.Rows {
		order = append(order, finding.LevelText(v.Level)+" "+v.ID)
	}
	if diff := cmp.Diff([]string{"4 CVE-2025-0001", "3 CVE-2025-0002", "2 CVE-2025-0003", "1 CVE-2025-0004"}, order); diff != "" {
		t.Error(diff)
	}
	worst := vulnerabilities.Rows[0]
	if !worst.Suggest || worst.PocID != "dogwatch-cve-2025-0001" || len(worst.Layers) != 1 || worst.Layers[0].Command != "RUN step sha256:a" {
		t.Errorf("%+v", worst)
	}
	viruses, err := r.service.Viruses(ctx, account, r.image.ID, finding.Query{Limit: 100})
	r.must(err)
	virus := viruses.Rows[0]
	if virus.FileName != "worse" || !virus.FirstSeen.Time().Equal(inspectedAt) || !virus.LastSeen.Time().Equal(inspectedAt.Add(time.Hour)) {
		t.Errorf("%+v", virus)
	}
	risks, err := r.service.Risks(ctx, account, r.image.ID, finding.Query{Limit: 1, Offset: 0})
	r.must(err)
	want := finding.Page[finding.Risk]{Total: 3, Rows: []finding.Risk{{Type: finding.TypeContent, Behavior: finding.BehaviorCredentials, Level: 4,
		Desc: "token in a file", Content: "/etc/token:7\nghp_****"}}}
	if diff := cmp.Diff(want, risks); diff != "" {
		t.Error(diff)
	}
}

// A package that the advisories report as malware is a malicious file.
func TestMaliciousPackage(t *testing.T) {
	r := newRig(t, record("MAL-2025-1", "left", "", ""))
	content := r.content(revision, nil, npm("sha256:a", "left", "1.5.0"))
	got, err := r.service.Assess(t.Context(), content, store.AllParts)
	r.must(err)
	r.succeeded(store.AllParts)
	page, err := r.service.Viruses(t.Context(), account, r.image.ID, finding.Query{Limit: 10})
	r.must(err)
	if got.VulCnt != 0 || got.VirusCnt != 1 || page.Total != 1 {
		t.Fatalf("assessed %+v, listed %+v", got, page)
	}
	row := page.Rows[0]
	if row.Category != finding.CategoryPackage || row.Level != finding.Critical || row.Name != "MAL-2025-1 (left 1.5.0)" || row.FileName != "package.json" {
		t.Errorf("%+v", row)
	}
}

// After the inspector changed, the former facts serve until the layers are
// inspected again, and then no longer.
func TestFormerFactsServe(t *testing.T) {
	r := newRig(t, everything()...)
	r.content("r1", nil, npm("sha256:a", "left", "1.5.0"))
	r.succeeded(store.AllParts)
	total := func() int {
		page, err := r.service.Vulnerabilities(t.Context(), account, r.image.ID, finding.Query{Limit: 10})
		r.must(err)
		return page.Total
	}
	if n := total(); n != 4 {
		t.Errorf("%d vulnerabilities by former facts, want 4", n)
	}
	r.content(revision, nil, npm("sha256:a", "left", "3.0.0"))
	if n := total(); n != 1 { // the one without a fix
		t.Errorf("%d vulnerabilities by current facts, want 1", n)
	}
}
