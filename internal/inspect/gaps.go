package inspect

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"dogwatch/internal/facts"
)

// Parts of a scan that a gap touches.
const (
	partPackages = "CVE"
	partMalware  = "VIRUS"
	partSecrets  = "RISK"
	partContent  = "VIRUS,RISK"
	allParts     = "CVE,VIRUS,RISK"
)

// perCode bounds the gaps of one code; the rest is counted.
const perCode = 20

// gaps collects what was not examined.
type gaps struct {
	kept  []facts.Gap
	count map[string]int
	parts map[string]string
}

// add notes a gap. Paths and reasons are cut to a reasonable length.
func (g *gaps) add(code, path, reason, parts string) {
	if g.count == nil {
		g.count, g.parts = map[string]int{}, map[string]string{}
	}
	g.parts[code] = joinParts(g.parts[code], parts)
	if g.count[code]++; g.count[code] <= perCode {
		g.kept = append(g.kept, facts.Gap{Code: code, Path: shorten(path, 512), Reason: shorten(reason, 512), Parts: parts})
	}
}

// list gives the gaps in the order they were found, and a sum for each code
// that has too many.
func (g *gaps) list() []facts.Gap {
	out := g.kept
	var codes []string
	for code, n := range g.count {
		if n > perCode {
			codes = append(codes, code)
		}
	}
	slices.Sort(codes)
	for _, code := range codes {
		out = append(out, facts.Gap{Code: code, Reason: fmt.Sprintf("%d more of the same", g.count[code]-perCode), Parts: g.parts[code]})
	}
	return out
}

// joinParts is the union of two sets of parts in the fixed order.
func joinParts(a, b string) string {
	var out []string
	for part := range strings.SplitSeq(allParts, ",") {
		if strings.Contains(a, part) || strings.Contains(b, part) {
			out = append(out, part)
		}
	}
	return strings.Join(out, ",")
}

// shorten cuts a text at a character.
func shorten(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most] + "..."
}
