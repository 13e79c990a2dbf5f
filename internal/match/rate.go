package match

import (
	"strings"

	gocvss20 "github.com/pandatix/go-cvss/20"
	gocvss30 "github.com/pandatix/go-cvss/30"
	gocvss31 "github.com/pandatix/go-cvss/31"
	gocvss40 "github.com/pandatix/go-cvss/40"

	"dogwatch/internal/advisory"
)

// rating is how severe a record says its vulnerability is.
type rating struct {
	level  int
	score  float64
	vector string
}

// levelOfWord reads a word of severity, as databases and distributions write
// them; unknown ones ("not yet assigned") give LevelUnknown.
func levelOfWord(word string) int {
	switch strings.ToLower(strings.Trim(word, " *")) {
	case "critical", "emergency":
		return LevelCritical
	case "high", "important":
		return LevelHigh
	case "medium", "moderate", "middle":
		return LevelMedium
	case "low", "minor", "negligible", "unimportant":
		return LevelLow
	}
	return LevelUnknown
}

// levelOfScore reads a CVSS base score.
func levelOfScore(score float64) int {
	switch {
	case score >= 9:
		return LevelCritical
	case score >= 7:
		return LevelHigh
	case score >= 4:
		return LevelMedium
	case score > 0:
		return LevelLow
	}
	return LevelUnknown
}

// rate reads the rating of one package of a record: the database's own word
// before the vector, the newest CVSS version before older ones.
func rate(r *advisory.Record, ecosystem, name string) rating {
	var p *advisory.Package
	for i := range r.Packages {
		if q := &r.Packages[i]; q.Package.Ecosystem == ecosystem && q.Package.Name == name {
			p = q
			break
		}
	}
	var own []string
	var severities []advisory.Severity
	if p != nil {
		own = append(own, p.Ecosystem.Severity, p.Ecosystem.Urgency, p.Database.Severity, p.Database.Urgency)
		severities = append(severities, p.Severity...)
	}
	severities = append(severities, r.Severity...)
	for _, s := range severities {
		if !strings.HasPrefix(s.Type, "CVSS") {
			own = append(own, s.Score)
		}
	}
	own = append(own, r.Extra.Severity, r.Extra.Urgency, summaryWord(r))
	out := bestVector(severities)
	out.level = levelOfScore(out.score)
	for _, word := range own {
		if level := levelOfWord(word); level > 0 {
			out.level = level
			break
		}
	}
	return out
}

// summaryWord is the rating in titles such as "Important: ghostscript security update".
func summaryWord(r *advisory.Record) string {
	if !updateAdvisory.MatchString(r.ID) {
		return ""
	}
	word, _, _ := strings.Cut(r.Summary, ":")
	return word
}

// bestVector picks the vector of the newest CVSS version; of several, the first.
func bestVector(list []advisory.Severity) rating {
	best, version := rating{}, 0
	for _, s := range list {
		score, v, ok := scoreVector(s.Score)
		if ok && v > version {
			best, version = rating{score: score, vector: s.Score}, v
		}
	}
	return best
}

// scoreVector computes the base score of a CVSS vector of any version, which it
// returns as 20, 30, 31 or 40.
func scoreVector(vector string) (score float64, version int, ok bool) {
	switch {
	case strings.HasPrefix(vector, "CVSS:4.0/"):
		if v, err := gocvss40.ParseVector(vector); err == nil {
			return v.Score(), 40, true
		}
	case strings.HasPrefix(vector, "CVSS:3.1/"):
		if v, err := gocvss31.ParseVector(vector); err == nil {
			return v.BaseScore(), 31, true
		}
	case strings.HasPrefix(vector, "CVSS:3.0/"):
		if v, err := gocvss30.ParseVector(vector); err == nil {
			return v.BaseScore(), 30, true
		}
	case strings.HasPrefix(vector, "AV:"):
		if v, err := gocvss20.ParseVector(vector); err == nil {
			return v.BaseScore(), 20, true
		}
	}
	return 0, 0, false
}
