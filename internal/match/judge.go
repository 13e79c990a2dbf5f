package match

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/osv-scalibr/semantic"

	"dogwatch/internal/advisory"
	"dogwatch/internal/inventory"
)

// claim is what one record says of one package of the image.
type claim struct {
	pkg       int // index into the inventory's packages
	record    *advisory.Record
	ecosystem string // as the record writes it
	name      string // as the record writes it
	question  lookup
	hit       hit
	// announced: an update advisory speaks; where the distribution has a record
	// of the vulnerability itself, that one decides.
	announced bool
}

// answer is what the index says to one question.
type answer struct {
	hits  []matched
	owned map[string]bool // CVEs of which the distribution has a record for this package, matching or not
	fault error           // the version cannot be compared with what the index holds
}

// matched is an index entry the version falls into.
type matched struct {
	entry advisory.Affected
	hit   hit
}

// judge is one judgement at work.
type judge struct {
	snap    Snapshot
	inv     *inventory.Inventory
	verdict *Verdict
	records map[string]*advisory.Record
	answers map[lookup]*answer
	claims  map[string][]claim // vulnerability → claims
}

// Judge says which vulnerabilities the snapshot knows of the packages in an
// inventory. The verdict is the same for the same input.
func Judge(ctx context.Context, inv *inventory.Inventory, s Snapshot) (*Verdict, error) {
	j := &judge{
		snap: s, inv: inv, verdict: &Verdict{Snapshot: s.ID()},
		records: map[string]*advisory.Record{}, answers: map[lookup]*answer{}, claims: map[string][]claim{},
	}
	if err := j.gather(ctx); err != nil {
		return nil, fmt.Errorf("match: %w", err)
	}
	for id, claims := range j.claims {
		f, err := j.finding(id, claims)
		if err != nil {
			return nil, fmt.Errorf("match: %w", err)
		}
		if malicious(id) {
			j.verdict.Malicious = append(j.verdict.Malicious, *f)
		} else {
			j.verdict.Findings = append(j.verdict.Findings, *f)
		}
	}
	j.finish()
	return j.verdict, nil
}

// finish sorts and counts.
func (j *judge) finish() {
	v := j.verdict
	order := func(a, b Finding) int { return cmp.Or(cmp.Compare(b.Level, a.Level), cmp.Compare(a.ID, b.ID)) }
	slices.SortFunc(v.Findings, order)
	slices.SortFunc(v.Malicious, order)
	slices.Sort(v.Missing)
	v.Missing = slices.Compact(v.Missing)
	for i := range v.Findings {
		v.Counts.add(&v.Findings[i])
	}
}

func (c *Counts) add(f *Finding) {
	c.Total++
	levels := [...]*int{&c.Unknown, &c.Low, &c.Medium, &c.High, &c.Critical}
	*levels[f.Level]++
	if f.FixedVersion != "" {
		c.Fixable++
	}
	if f.System {
		c.System++
	}
}

// gather puts the questions of all packages and collects the claims.
func (j *judge) gather(ctx context.Context) error {
	info := j.snap.Info()
	distro, uncovered := j.distribution(info)
	for i := range j.inv.Packages {
		if err := ctx.Err(); err != nil {
			return err
		}
		p := &j.inv.Packages[i]
		var questions []lookup
		switch {
		case !p.System() && info.Ecosystems[advisory.NormalEcosystem(p.Ecosystem)] == 0:
			j.verdict.Missing = append(j.verdict.Missing, p.Ecosystem)
			continue
		case !p.System():
			questions = []lookup{languageLookup(p)}
		case uncovered:
			continue
		case !slices.Contains(distro.kinds, p.Kind):
			j.unjudged(p, fmt.Errorf("a package of %s is not of this distribution", p.Kind))
			continue
		default:
			questions = distro.systemLookups(p)
		}
		if err := j.ask(i, questions); err != nil {
			return err
		}
	}
	return nil
}

// distribution finds where to look for system packages; uncovered if nowhere,
// which the verdict then says.
func (j *judge) distribution(info advisory.Info) (d distribution, uncovered bool) {
	system := slices.ContainsFunc(j.inv.Packages, func(p inventory.Package) bool { return p.System() })
	if j.inv.OS == nil && !system {
		return d, true // nothing but applications: there is no distribution to cover
	}
	d, reason := distributionOf(j.inv.OS)
	if reason == "" {
		reason = d.covered(info)
	}
	j.verdict.Uncovered = reason
	return d, reason != ""
}

func (j *judge) unjudged(p *inventory.Package, reason error) {
	j.verdict.Unjudged = append(j.verdict.Unjudged, Unjudged{Package: p.Name, Version: p.Version, Path: p.File, Reason: reason.Error()})
}

// ask puts the questions of one package and turns what matches into claims.
func (j *judge) ask(pkg int, questions []lookup) error {
	p := &j.inv.Packages[pkg]
	var answers []*answer
	var faults []error
	owned := map[string]bool{}
	for _, q := range questions {
		a, err := j.answer(q)
		if err != nil {
			return err
		}
		answers = append(answers, a)
		for cve := range a.owned {
			owned[cve] = true
		}
		faults = append(faults, a.fault)
	}
	if fault := errors.Join(faults...); fault != nil {
		j.unjudged(p, fault)
	} else {
		j.verdict.Counts.Packages++
	}
	for i, a := range answers {
		for _, m := range a.hits {
			if err := j.claim(pkg, questions[i], m, owned); err != nil {
				return err
			}
		}
	}
	return nil
}

// answer looks a question up, once for all packages that ask the same.
func (j *judge) answer(q lookup) (*answer, error) {
	if a, ok := j.answers[q]; ok {
		return a, nil
	}
	entries, err := j.snap.Affected(q.ecosystem, q.name)
	if err != nil {
		return nil, err
	}
	a := &answer{owned: map[string]bool{}}
	j.answers[q] = a
	o := orderOf(q.ecosystem)
	v, err := o.parse(q.version)
	if err != nil && len(entries) > 0 {
		a.fault = err // with nothing to compare with, no harm is done
	}
	for i := range entries {
		if cve := ownedCVE(entries[i].RecordID); cve != "" {
			a.owned[cve] = true
		}
		if a.fault == nil {
			a.try(q, o, v, &entries[i])
		}
	}
	return a, nil
}

// try tests one entry. An entry whose own versions cannot be read says nothing.
func (a *answer) try(q lookup, o order, v semantic.Version, entry *advisory.Affected) {
	h, err := o.falls(q.version, v, entry)
	if err == nil && h != nil && moduleFits(q, h.fixed, entry.Modules) {
		a.hits = append(a.hits, matched{entry: *entry, hit: *h})
	}
}

// claim records what a match means for each vulnerability of its record.
func (j *judge) claim(pkg int, q lookup, m matched, owned map[string]bool) error {
	r, err := j.record(m.entry.RecordID)
	if err != nil {
		return err
	}
	ids, err := j.vulnerabilities(r)
	if err != nil {
		return err
	}
	if malicious(r.ID) {
		ids = []string{r.ID}
	}
	announced := updateAdvisory.MatchString(r.ID)
	for _, id := range ids {
		if announced && owned[id] {
			continue
		}
		j.claims[id] = append(j.claims[id], claim{
			pkg: pkg, record: r, ecosystem: m.entry.Ecosystem, name: m.entry.Name,
			question: q, hit: m.hit, announced: announced,
		})
	}
	return nil
}

// record reads a record once per judgement.
func (j *judge) record(id string) (*advisory.Record, error) {
	if r, ok := j.records[id]; ok {
		return r, nil
	}
	r, err := j.snap.Record(id)
	if err != nil {
		return nil, fmt.Errorf("record %s: %w", id, err)
	}
	j.records[id] = r
	return r, nil
}
