package store

import "strings"

// Parts is a set of the parts of a scan (reference E2).
type Parts uint8

// The parts of a scan.
const (
	PartCVE Parts = 1 << iota
	PartVirus
	PartRisk

	AllParts = PartCVE | PartVirus | PartRisk
)

// Has tells whether every part of q is in p.
func (p Parts) Has(q Parts) bool { return p&q == q }

// Names lists the parts in the API's spelling and fixed order.
func (p Parts) Names() []string {
	names := make([]string, 0, 3)
	for _, part := range []struct {
		bit  Parts
		name string
	}{{PartCVE, "CVE"}, {PartVirus, "VIRUS"}, {PartRisk, "RISK"}} {
		if p.Has(part.bit) {
			names = append(names, part.name)
		}
	}
	return names
}

// ParsePart reads one part in any case; ok is false for anything else.
func ParsePart(s string) (p Parts, ok bool) {
	switch strings.ToUpper(s) {
	case "CVE":
		return PartCVE, true
	case "VIRUS":
		return PartVirus, true
	case "RISK":
		return PartRisk, true
	}
	return 0, false
}
