package finding

import (
	"context"
	"fmt"
	"strings"

	"dogwatch/internal/facts"
	"dogwatch/internal/inventory"
	"dogwatch/internal/match"
	"dogwatch/internal/store"
)

// Assessment is what judging an image came to: counts for the image row, and
// what could not be looked at. Counts of a part that was not asked for are 0.
type Assessment struct {
	Snapshot     string // advisory snapshot of the CVE part, "" if it was not judged
	OSName       string
	ComponentCnt int64

	VulCnt      int64 // distinct vulnerabilities; the four levels add up to it
	CriticalCnt int64
	HighCnt     int64
	MediumCnt   int64
	LowCnt      int64 // those of unknown level included
	NeedFix     bool  // a critical or high one has a fix

	VirusCnt     int64
	RiskCnt      int64 // risks of the configuration and secrets
	SensitiveCnt int64 // those of them that are data: secrets and credentials

	Problems []Problem // empty: every part that was asked for was examined whole
}

// Problem is something an assessment could not look at.
type Problem struct {
	Parts    store.Parts // parts it touches, of those asked for
	Code     string      // short word for the API's Scan...Error fields
	Reason   string      // cause, for people
	Solution string      // advice, for people
	Fatal    bool        // the parts have no result at all, else an incomplete one
}

// Codes of problems that are none of an inspector's gaps.
const (
	CodeNoAdvisories = "DatabaseMissing"   // no advisory data was imported
	CodeUncovered    = "Uncovered"         // the advisory data does not cover the distribution or a language
	CodeUnjudged     = "VersionUnreadable" // some versions cannot be compared
)

// Failed are the parts that have no result.
func (a *Assessment) Failed() store.Parts {
	var failed store.Parts
	for _, p := range a.Problems {
		if p.Fatal {
			failed |= p.Parts
		}
	}
	return failed
}

// Risky tells whether anything was found.
func (a *Assessment) Risky() bool { return a.VulCnt+a.VirusCnt+a.RiskCnt > 0 }

// Code is the short word for one part, "" if it was examined whole.
func (a *Assessment) Code(part store.Parts) string {
	for _, p := range a.Problems {
		if p.Parts&part != 0 {
			return p.Code
		}
	}
	return ""
}

// Words are cause and advice of all problems, "" if there is none.
func (a *Assessment) Words() (reason, solution string) {
	var reasons, solutions []string
	for _, p := range a.Problems {
		reasons = append(reasons, p.Reason)
		if p.Solution != "" {
			solutions = append(solutions, p.Solution)
		}
	}
	return strings.Join(reasons, "; "), strings.Join(solutions, "; ")
}

// Assess judges a content whose layer facts are stored, by the snapshot in
// force, in the parts asked for.
// The error is a fault of our own storage; whatever the image lacks is a Problem.
func (s *Service) Assess(ctx context.Context, content *store.Content, parts store.Parts) (*Assessment, error) {
	snapshot, err := s.current(ctx)
	if err != nil {
		return nil, err
	}
	j, err := s.judge(ctx, content, snapshot)
	if err != nil {
		return nil, err
	}
	risks, err := risksOf(content)
	if err != nil {
		return nil, err
	}
	a := &Assessment{OSName: osName(j.inventory.OS), ComponentCnt: int64(len(j.inventory.Packages))}
	if parts.Has(store.PartCVE) {
		a.countVulnerabilities(j.verdict)
	}
	if parts.Has(store.PartVirus) {
		a.VirusCnt = int64(len(j.viruses()))
	}
	if parts.Has(store.PartRisk) {
		a.countRisks(j.inventory, risks)
	}
	a.addGaps(j.inventory, parts)
	return a, nil
}

func (a *Assessment) countVulnerabilities(v *match.Verdict) {
	if v == nil {
		a.Problems = append(a.Problems, Problem{
			Parts:    store.PartCVE,
			Code:     CodeNoAdvisories,
			Reason:   "no vulnerability data was imported",
			Solution: "import advisories (dogwatch advisories pull, or import), then scan again",
			Fatal:    true,
		})
		return
	}
	a.Snapshot = v.Snapshot
	a.VulCnt = int64(len(v.Findings))
	for i := range v.Findings {
		f := &v.Findings[i]
		*a.level(shown(f.Level))++
		a.NeedFix = a.NeedFix || suggested(f)
	}
	a.addUnjudged(v)
}

// addUnjudged tells which packages the verdict says nothing of.
func (a *Assessment) addUnjudged(v *match.Verdict) {
	add := func(code, reason, solution string) {
		a.Problems = append(a.Problems, Problem{Parts: store.PartCVE, Code: code, Reason: reason, Solution: solution})
	}
	if v.Uncovered != "" {
		add(CodeUncovered, v.Uncovered, "import the advisories of this distribution, then scan again")
	}
	if len(v.Missing) > 0 {
		add(CodeUncovered, "the advisory data has nothing on packages of "+strings.Join(v.Missing, ", "),
			"import the advisories of "+strings.Join(v.Missing, ", ")+", then scan again")
	}
	if n := len(v.Unjudged); n > 0 {
		add(CodeUnjudged, fmt.Sprintf("packages with versions that cannot be compared: %d, the first is %s %s: %s",
			n, v.Unjudged[0].Package, v.Unjudged[0].Version, v.Unjudged[0].Reason), "")
	}
}

// level is the counter of a level.
func (a *Assessment) level(level int) *int64 {
	switch level {
	case Critical:
		return &a.CriticalCnt
	case High:
		return &a.HighCnt
	case Medium:
		return &a.MediumCnt
	}
	return &a.LowCnt
}

func (a *Assessment) countRisks(inv *inventory.Inventory, risks []facts.Risk) {
	a.RiskCnt = int64(len(inv.Secrets) + len(risks))
	a.SensitiveCnt = int64(len(inv.Secrets))
	for _, r := range risks {
		if r.Behavior == BehaviorCredentials {
			a.SensitiveCnt++
		}
	}
}

// addGaps tells what the inspector left out, one problem for each code.
func (a *Assessment) addGaps(inv *inventory.Inventory, parts store.Parts) {
	at := map[string]int{}   // code → index of its problem
	more := map[string]int{} // code → gaps beyond the first
	for _, gap := range inv.Gaps {
		touched := gapParts(gap.Parts) & parts
		if touched == 0 {
			continue
		}
		i, ok := at[gap.Code]
		if ok {
			a.Problems[i].Parts |= touched
			more[gap.Code]++
			continue
		}
		at[gap.Code] = len(a.Problems)
		a.Problems = append(a.Problems, Problem{Parts: touched, Code: gap.Code, Reason: gapReason(gap)})
	}
	for code, n := range more {
		p := &a.Problems[at[code]]
		p.Reason = fmt.Sprintf("%s, and %d more like it", p.Reason, n)
	}
}

func gapReason(gap inventory.Gap) string {
	where := fmt.Sprintf("layer %d", gap.Layer+1)
	if gap.Path != "" {
		where = fmt.Sprintf("/%s in %s", gap.Path, where)
	}
	return fmt.Sprintf("incomplete: %s (%s)", gap.Reason, where)
}

// gapParts are the parts a gap touches; one that names none touches all.
func gapParts(names string) store.Parts {
	var parts store.Parts
	for name := range strings.SplitSeq(names, ",") {
		part, _ := store.ParsePart(strings.TrimSpace(name))
		parts |= part
	}
	if parts == 0 {
		return store.AllParts
	}
	return parts
}

// osName is a distribution for people, "linux" if none is visible.
func osName(os *facts.OSRelease) string {
	switch {
	case os == nil:
		return "linux"
	case os.PrettyName != "":
		return os.PrettyName
	}
	return strings.TrimSpace(os.ID + " " + os.VersionID)
}
