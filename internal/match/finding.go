package match

import (
	"cmp"
	"slices"
	"strings"

	"dogwatch/internal/advisory"
)

// finding puts the claims of one vulnerability together.
func (j *judge) finding(id string, claims []claim) (*Finding, error) {
	deciding := j.decide(claims)
	f := &Finding{ID: id, Category: categoryOther}
	for _, c := range deciding {
		f.Components = append(f.Components, j.component(c))
	}
	slices.SortFunc(f.Components, compareComponents)
	f.Components = slices.Compact(f.Components)
	first := f.Components[0]
	f.System = slices.ContainsFunc(f.Components, func(c Component) bool { return c.System })
	f.Package, f.Version, f.FixedVersion = first.Name, first.Version, first.FixedVersion
	f.Path, f.Layer, f.Proof = first.Path, first.Layer, first.Proof
	f.RecordID = first.Proof.Record

	f.rate(deciding)
	if f.Level == LevelUnknown {
		f.rate(claims)
	}
	records, updates := tellers(id, deciding, claims)
	for _, r := range records {
		f.describe(r)
		f.addAliases(r)
	}
	if f.Level == LevelUnknown || f.CVSSVector == "" || f.Description == "" {
		if err := j.enrich(f); err != nil {
			return nil, err
		}
	}
	for _, r := range updates {
		f.describe(r)
		f.addAliases(r)
	}
	if f.Title == "" {
		f.Title = first.Proof.Package + ": " + id
	}
	return f, nil
}

// decide picks one claim for each package: the distribution's own record
// before update advisories, one with a fix before one without, and of several
// fixes the highest, which is the one that leaves nothing open.
func (j *judge) decide(claims []claim) []claim {
	best := map[int]claim{}
	for _, c := range claims {
		if b, ok := best[c.pkg]; !ok || j.better(&c, &b) {
			best[c.pkg] = c
		}
	}
	list := make([]claim, 0, len(best))
	for _, c := range best {
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b claim) int { return cmp.Compare(a.pkg, b.pkg) })
	return list
}

func (j *judge) better(a, b *claim) bool {
	if a.announced != b.announced {
		return b.announced
	}
	if (a.hit.fixed == "") != (b.hit.fixed == "") {
		return b.hit.fixed == ""
	}
	if a.hit.fixed != b.hit.fixed {
		o := orderOf(a.question.ecosystem)
		v, err := o.parse(a.hit.fixed)
		w, err2 := o.parse(b.hit.fixed)
		if err == nil && err2 == nil {
			if n, err := compare(v, w); err == nil && n != 0 {
				return n > 0
			}
		}
	}
	return cmp.Or(strings.Compare(a.record.ID, b.record.ID), strings.Compare(a.question.name, b.question.name),
		strings.Compare(a.question.ecosystem, b.question.ecosystem)) < 0
}

func (j *judge) component(c claim) Component {
	p := &j.inv.Packages[c.pkg]
	path := p.File
	if p.Path != "" {
		path += "!" + p.Path
	}
	return Component{
		Name: p.Name, Version: p.Version, FixedVersion: c.hit.fixed, Path: path, System: p.System(), Layer: p.Layer,
		Proof: Proof{Record: c.record.ID, Ecosystem: c.ecosystem, Package: c.name, Compared: c.question.version, Range: c.hit.text},
	}
}

func compareComponents(a, b Component) int {
	if a.System != b.System {
		if a.System {
			return -1
		}
		return 1
	}
	return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Version, b.Version),
		strings.Compare(a.Path, b.Path), cmp.Compare(a.Layer, b.Layer), strings.Compare(a.FixedVersion, b.FixedVersion))
}

// tellers lists the records of the claims, the best to quote first: the one
// the vulnerability is named by, those that decided, the others. Update
// advisories come apart: their texts are about the update.
func tellers(id string, deciding, claims []claim) (records, updates []*advisory.Record) {
	rank := map[*advisory.Record]int{}
	for _, c := range claims {
		rank[c.record] = 2
	}
	for _, c := range deciding {
		rank[c.record] = 1
	}
	for r := range rank {
		if r.ID == id {
			rank[r] = 0
		}
		if updateAdvisory.MatchString(r.ID) {
			updates = append(updates, r)
		} else {
			records = append(records, r)
		}
	}
	order := func(a, b *advisory.Record) int {
		return cmp.Or(cmp.Compare(rank[a], rank[b]), strings.Compare(a.ID, b.ID))
	}
	slices.SortFunc(records, order)
	slices.SortFunc(updates, order)
	return records, updates
}

// rate takes the highest level among the claims, and the vector with the
// highest score.
func (f *Finding) rate(claims []claim) {
	for _, c := range claims {
		f.rateWith(rate(c.record, c.ecosystem, c.name))
	}
}

func (f *Finding) rateWith(r rating) {
	f.Level = max(f.Level, r.level)
	if r.vector != "" && (r.score > f.CVSSScore || f.CVSSVector == "" || r.score == f.CVSSScore && r.vector < f.CVSSVector) {
		f.CVSSScore, f.CVSSVector = r.score, r.vector
	}
}

// enrich asks the records of other packages and distributions about the same
// CVE for what is still missing. Their vectors and texts are about the
// vulnerability; their own words of severity are not ours to use.
func (j *judge) enrich(f *Finding) error {
	if !cveID.MatchString(f.ID) {
		return nil
	}
	others, err := j.mentioning(f.ID)
	if err != nil {
		return err
	}
	lacksVector := f.CVSSVector == ""
	for _, r := range others {
		if updateAdvisory.MatchString(r.ID) || len(cvesOf(r)) != 1 {
			continue
		}
		if lacksVector {
			if v := bestVector(r.Severity); v.vector != "" {
				f.rateWith(rating{score: v.score, vector: v.vector})
			}
		}
		f.describe(r)
	}
	if f.Level == LevelUnknown {
		f.Level = levelOfScore(f.CVSSScore)
	}
	return nil
}
