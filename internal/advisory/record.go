package advisory

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
)

// Record is the part of an OSV document that Dogwatch uses. Fields it does not
// know are ignored, so that a growing format never loses a record.
type Record struct {
	ID         string      `json:"id"`
	Modified   time.Time   `json:"modified,omitzero"`
	Published  time.Time   `json:"published,omitzero"`
	Withdrawn  time.Time   `json:"withdrawn,omitzero"`
	Aliases    []string    `json:"aliases,omitempty"`
	Upstream   []string    `json:"upstream,omitempty"`
	Related    []string    `json:"related,omitempty"`
	Summary    string      `json:"summary,omitempty"`
	Details    string      `json:"details,omitempty"`
	Severity   []Severity  `json:"severity,omitempty"`
	Packages   []Package   `json:"affected,omitempty"`
	References []Reference `json:"references,omitempty"`
	Extra      Extra       `json:"database_specific,omitzero"`
}

// Severity is one rating: a CVSS vector or a word of a distribution.
type Severity struct {
	Type  string `json:"type"`
	Score string `json:"score"`
}

// Reference is one link of a record.
type Reference struct {
	Type string `json:"type,omitempty"`
	URL  string `json:"url"`
}

// Package is one affected package of a record.
type Package struct {
	Package struct {
		Ecosystem string `json:"ecosystem"`
		Name      string `json:"name"`
	} `json:"package"`
	Ranges    []Range    `json:"ranges,omitempty"`
	Versions  []string   `json:"versions,omitempty"`
	Severity  []Severity `json:"severity,omitempty"`
	Ecosystem Extra      `json:"ecosystem_specific,omitzero"`
	Database  Extra      `json:"database_specific,omitzero"`
}

// Range is a list of events along the versions of a package.
type Range struct {
	Type   string  `json:"type"` // "SEMVER", "ECOSYSTEM"; "GIT" ranges are left out
	Events []Event `json:"events"`
}

// Event is one turn of a range. Exactly one field is set in a valid record.
type Event struct {
	Introduced   string `json:"introduced,omitempty"`
	Fixed        string `json:"fixed,omitempty"`
	LastAffected string `json:"last_affected,omitempty"`
}

// Extra is what Dogwatch reads of the free-form "database_specific" and
// "ecosystem_specific" objects, whose shape each database chooses for itself.
type Extra struct {
	Severity string   `json:"severity,omitempty"`
	Urgency  string   `json:"urgency,omitempty"`
	CWEs     []string `json:"cwe_ids,omitempty"`
}

// UnmarshalJSON takes what it knows and never fails on what it does not.
func (e *Extra) UnmarshalJSON(data []byte) error {
	var fields struct {
		Severity json.RawMessage `json:"severity"`
		Urgency  json.RawMessage `json:"urgency"`
		CWEIDs   json.RawMessage `json:"cwe_ids"`
		CWEs     json.RawMessage `json:"cwes"`
	}
	*e = Extra{}
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil // a string or a list instead of an object: nothing for us
	}
	e.Severity = lenientString(fields.Severity)
	e.Urgency = lenientString(fields.Urgency)
	e.CWEs = append(lenientCWEs(fields.CWEIDs), lenientCWEs(fields.CWEs)...)
	return nil
}

func lenientString(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// lenientCWEs reads ["CWE-79"] and [{"cweId": "CWE-79"}].
func lenientCWEs(raw json.RawMessage) []string {
	if len(raw) == 0 {
		return nil
	}
	var names []string
	if json.Unmarshal(raw, &names) == nil {
		return names
	}
	var objects []struct {
		ID string `json:"cweId"`
	}
	if json.Unmarshal(raw, &objects) != nil {
		return nil
	}
	names = nil // a failed reading leaves empty strings behind
	for _, o := range objects {
		if o.ID != "" {
			names = append(names, o.ID)
		}
	}
	return names
}

// Limits of identifiers: the index is keyed by them.
const (
	maxIDBytes   = 256
	maxNameBytes = 4096
)

// DecodeRecord reads one OSV document. It refuses documents that could not be
// found again: without an id, or with names that do not fit the index.
func DecodeRecord(data []byte) (*Record, error) {
	var r Record
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("not an OSV record: %w", err)
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	r.dropGit()
	return &r, nil
}

func (r *Record) check() error {
	if r.ID == "" {
		return errors.New("the record has no id")
	}
	if !keyable(r.ID, maxIDBytes) {
		return fmt.Errorf("the record id %.40q is too long or has control characters", r.ID)
	}
	for _, list := range [][]string{r.Aliases, r.Upstream} {
		for _, id := range list {
			if !keyable(id, maxIDBytes) {
				return fmt.Errorf("the alias %.40q is too long or has control characters", id)
			}
		}
	}
	for i := range r.Packages {
		p := r.Packages[i].Package
		if !keyable(p.Ecosystem, maxIDBytes) || !keyable(p.Name, maxNameBytes) {
			return fmt.Errorf("the affected package %.40q of %.40q is too long or has control characters", p.Name, p.Ecosystem)
		}
	}
	return nil
}

func keyable(s string, limit int) bool {
	return len(s) <= limit && strings.IndexFunc(s, unicode.IsControl) < 0
}

// dropGit removes commit ranges, which no package version falls into.
func (r *Record) dropGit() {
	for i := range r.Packages {
		p := &r.Packages[i]
		kept := p.Ranges[:0]
		for _, g := range p.Ranges {
			if g.Type != "GIT" {
				kept = append(kept, g)
			}
		}
		p.Ranges = kept
	}
}

// IsWithdrawn tells whether the record was taken back. It stays in the library
// but never matches.
func (r *Record) IsWithdrawn() bool { return !r.Withdrawn.IsZero() }
