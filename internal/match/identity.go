package match

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"dogwatch/internal/advisory"
)

var (
	cveID = regexp.MustCompile(`^CVE-\d{4}-\d{4,}$`)
	// A distribution's own record of one CVE: DEBIAN-CVE-2024-1, UBUNTU-CVE-...
	ownCVE = regexp.MustCompile(`^[A-Z]+-(CVE-\d{4}-\d{4,})$`)
	// Advisories that announce an update for several vulnerabilities. They list
	// them as upstream, or, the older way, as related.
	updateAdvisory = regexp.MustCompile(`^(DSA|DLA|DTSA|USN|LSN|ALSA|ALBA|ALEA|RLSA|RLBA|RLEA|RXSA|RHSA|RHBA|RHEA|ELSA|SUSE-[A-Z]U|openSUSE-[A-Z]U|MGASA|MGAA|openEuler-SA|OESA|AZL|BELL-SA)-`)
	// Those that fix bugs or bring features, and no vulnerability unless they say so.
	bugfixAdvisory = regexp.MustCompile(`^(ALBA|ALEA|RLBA|RLEA|RHBA|RHEA|SUSE-[ROF]U|openSUSE-[ROF]U|MGAA)-`)
)

// ownedCVE returns the CVE a distribution's own record is about, from its id.
func ownedCVE(recordID string) string {
	if m := ownCVE.FindStringSubmatch(recordID); m != nil {
		return m[1]
	}
	return ""
}

// cvesOf lists the CVEs a record is about, sorted. An update advisory has many,
// most others one or none.
func cvesOf(r *advisory.Record) []string {
	if cveID.MatchString(r.ID) {
		return []string{r.ID}
	}
	if cve := ownedCVE(r.ID); cve != "" {
		return []string{cve}
	}
	ids := slices.Concat(r.Aliases, r.Upstream)
	if updateAdvisory.MatchString(r.ID) {
		ids = append(ids, r.Related...)
	}
	var cves []string
	for _, id := range ids {
		if cveID.MatchString(id) {
			cves = append(cves, id)
		}
	}
	slices.Sort(cves)
	return slices.Compact(cves)
}

// malicious tells whether a record reports malware instead of a vulnerability.
func malicious(recordID string) bool { return strings.HasPrefix(recordID, "MAL-") }

// preferred picks the best known of several names, the same whatever their order.
func preferred(ids []string) string {
	best := []string{"GHSA", "GO", "PYSEC", "RUSTSEC", "DSA", "DLA", "USN", "ALSA", "RHSA"}
	rank := func(id string) int {
		family, _, _ := strings.Cut(id, "-")
		if i := slices.Index(best, family); i >= 0 {
			return i
		}
		return len(best)
	}
	return slices.MinFunc(ids, func(a, b string) int {
		return cmp.Or(rank(a)-rank(b), strings.Compare(a, b))
	})
}

// vulnerabilities names what a record is about: its CVEs, or one other name.
// Where a record without a CVE shares a name with one that has, it takes that
// CVE, whether or not the other record touches this image: a vulnerability has
// the same name in every image.
func (j *judge) vulnerabilities(r *advisory.Record) ([]string, error) {
	cves := cvesOf(r)
	if len(cves) > 0 || malicious(r.ID) {
		return cves, nil
	}
	if bugfixAdvisory.MatchString(r.ID) {
		return nil, nil
	}
	names := append([]string{r.ID}, r.Aliases...)
	if !updateAdvisory.MatchString(r.ID) {
		names = append(names, r.Upstream...)
	}
	for _, name := range slices.Clone(names) {
		others, err := j.mentioning(name)
		if err != nil {
			return nil, err
		}
		for _, o := range others {
			if malicious(o.ID) || updateAdvisory.MatchString(o.ID) {
				continue
			}
			cves = append(cves, cvesOf(o)...)
			names = append(append(names, o.ID), o.Aliases...)
		}
	}
	if len(cves) > 0 {
		return []string{slices.Min(cves)}, nil
	}
	return []string{preferred(names)}, nil
}

// maxMentions bounds how many records of one name are read.
const maxMentions = 32

// mentioning reads the records that name id.
func (j *judge) mentioning(id string) ([]*advisory.Record, error) {
	ids, err := j.snap.Mentions(id)
	if err != nil {
		return nil, err
	}
	var list []*advisory.Record
	for _, other := range ids[:min(len(ids), maxMentions)] {
		r, err := j.record(other)
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, nil
}
