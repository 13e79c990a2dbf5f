// Package match judges an inventory against an advisory snapshot.
//
// Words:
//
//   - claim: one record says of one package of the image that it is affected.
//   - finding: one vulnerability of the image, with every package it touches.
//     Records that speak of the same vulnerability under other names (CVE,
//     GHSA, DSA) are one finding, named by its CVE where there is one.
//   - verdict: all findings of an image, and what could not be judged. A
//     distribution without data never reads as clean: the verdict says so.
//
// Judge is a pure function of the inventory and the snapshot: the same input
// gives the same verdict, in the same order.
package match

import (
	"time"

	"dogwatch/internal/advisory"
)

// Snapshot is the part of an advisory snapshot that a judgement reads;
// *advisory.Snapshot is one.
type Snapshot interface {
	ID() string
	Info() advisory.Info
	// Affected lists what the records say of a package.
	Affected(ecosystem, name string) ([]advisory.Affected, error)
	// Record returns one record, advisory.ErrNotFound if there is none.
	Record(id string) (*advisory.Record, error)
	// Mentions lists the records that name id as alias or upstream.
	Mentions(id string) ([]string, error)
}

// Levels of a finding.
const (
	LevelUnknown  = 0
	LevelLow      = 1
	LevelMedium   = 2
	LevelHigh     = 3
	LevelCritical = 4
)

// Finding is one vulnerability of an image.
type Finding struct {
	ID           string   // CVE where there is one, else the best known name
	Aliases      []string // its other names, sorted
	RecordID     string   // the record that decided
	Title        string
	Description  string
	Level        int     // LevelLow to LevelCritical, LevelUnknown if nobody rated it
	CVSSScore    float64 // 0 unknown
	CVSSVector   string
	Category     string // class of weakness in capitals, "OTHER" if unknown
	System       bool   // a package of the operating system is affected
	Package      string // the first affected component
	Version      string
	FixedVersion string // "" if there is no fix
	Path         string
	Layer        int
	Published    time.Time
	References   []string
	Proof        Proof       // why the first component is affected
	Components   []Component // every affected package, sorted
}

// Component is an affected package.
type Component struct {
	Name         string // as the image names it, the binary package
	Version      string
	FixedVersion string
	Path         string // file that names the package
	System       bool
	Layer        int
	Proof        Proof
}

// Proof says why a component counts as affected, so that anyone can check it.
type Proof struct {
	Record    string // id of the record
	Ecosystem string // ecosystem whose order of versions decided
	Package   string // name that was looked up (the source package, where the distribution goes by it)
	Compared  string // version that was compared
	Range     string // the range it falls into, ">= 0, < 1.2.3", or "listed" for an explicit list
}

// Unjudged is a package whose version could not be compared.
type Unjudged struct {
	Package string
	Version string
	Path    string
	Reason  string
}

// Counts sum a verdict up.
type Counts struct {
	Total    int
	Critical int
	High     int
	Medium   int
	Low      int
	Unknown  int
	Fixable  int // findings with a fixed version
	System   int // findings of operating system packages
	Packages int // packages that were judged
}

// Verdict is what a snapshot says of an inventory.
type Verdict struct {
	Snapshot  string
	Findings  []Finding  // level descending, then ID
	Malicious []Finding  // packages reported as malware; not vulnerabilities, counted nowhere
	Uncovered string     // why the distribution's packages could not be judged, "" if they were
	Missing   []string   // language ecosystems of the image the snapshot has nothing of
	Unjudged  []Unjudged // packages with versions that cannot be compared
	Counts    Counts
}
