package match

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/osv-scalibr/semantic"

	"dogwatch/internal/advisory"
)

// order is the order of versions of one ecosystem.
type order struct{ family string }

// orderOf finds the order of an ecosystem, releases and all.
func orderOf(ecosystem string) order {
	family, _, _ := strings.Cut(ecosystem, ":")
	if family == "Azure Linux" {
		family = "Red Hat" // RPM, unknown to the library
	}
	return order{family}
}

// numeric tells whether the ecosystem's versions begin with a number, so that
// anything else ("latest", "(devel)") is no version of it.
func (o order) numeric() bool {
	switch o.family {
	case "npm", "Go", "crates.io", "Debian", "Ubuntu", "Alpine", "Wolfi", "Chainguard":
		return true
	}
	return false
}

// parse reads a version. The library accepts nearly everything for most
// ecosystems, so what cannot be a version is refused before.
func (o order) parse(text string) (v semantic.Version, err error) {
	trimmed := strings.TrimPrefix(text, "v")
	if trimmed == "" {
		return nil, errors.New("the package has no version")
	}
	if o.numeric() && (trimmed[0] < '0' || trimmed[0] > '9') {
		return nil, fmt.Errorf("%.60q is not a version of %s", text, o.family)
	}
	// The parsers are foreign code on foreign text; a panic is one bad version.
	defer func() {
		if r := recover(); r != nil {
			v, err = nil, fmt.Errorf("%.60q is not a version of %s", text, o.family)
		}
	}()
	if v, err = semantic.Parse(text, o.family); err != nil {
		return nil, fmt.Errorf("%.60q is not a version of %s: %w", text, o.family, err)
	}
	return v, nil
}

// compare is -1, 0 or 1; an unparsable or foreign version is an error.
func compare(a, b semantic.Version) (n int, err error) {
	defer func() {
		if r := recover(); r != nil {
			n, err = 0, fmt.Errorf("versions cannot be compared: %v", r)
		}
	}()
	return a.Compare(b)
}

// Kinds of a turn.
const (
	introduced = iota
	fixed
	lastAffected
)

// turn is one event of a range, parsed. A nil version is "0", which lies
// before every version.
type turn struct {
	kind    int
	text    string
	version semantic.Version
}

// hit is how a version falls into an entry.
type hit struct {
	fixed string // smallest fix above the version, "" if none
	text  string // the interval, for the proof
}

// turns parses the events of a range and sorts them. Events at the same
// version keep the order they are written in.
func (o order) turns(r advisory.Range) ([]turn, error) {
	list := make([]turn, 0, 2*len(r.Events))
	add := func(kind int, text string) error {
		if text == "" {
			return nil
		}
		t := turn{kind: kind, text: text}
		if text != "0" {
			v, err := o.parse(text)
			if err != nil {
				return fmt.Errorf("range event: %w", err)
			}
			t.version = v
		}
		list = append(list, t)
		return nil
	}
	for _, e := range r.Events {
		if err := errors.Join(add(introduced, e.Introduced), add(fixed, e.Fixed), add(lastAffected, e.LastAffected)); err != nil {
			return nil, err
		}
	}
	var failed error
	slices.SortStableFunc(list, func(a, b turn) int {
		n, err := compareTurns(a, b)
		if err != nil {
			failed = err
		}
		return n
	})
	return list, failed
}

func compareTurns(a, b turn) (int, error) {
	switch {
	case a.version == nil && b.version == nil:
		return 0, nil
	case a.version == nil:
		return -1, nil
	case b.version == nil:
		return 1, nil
	}
	return compare(a.version, b.version)
}

// inRange tells whether v falls into the range, as the OSV format defines it:
// the last event at or before the version decides.
func (o order) inRange(v semantic.Version, r advisory.Range) (*hit, error) {
	if r.Type == "GIT" {
		return nil, nil
	}
	list, err := o.turns(r)
	if err != nil {
		return nil, err
	}
	var since *turn // begin of the interval v lies in
	var until *turn // its end, beyond v
	var fix string
	for i := range list {
		t := &list[i]
		n, err := compareTurns(turn{version: v}, *t)
		if err != nil {
			return nil, err
		}
		switch {
		case t.kind == introduced && n >= 0:
			since = t
		case t.kind == fixed && n >= 0, t.kind == lastAffected && n > 0:
			since = nil
		case t.kind != introduced && until == nil:
			until = t
		}
		if t.kind == fixed && n < 0 && fix == "" {
			fix = t.text
		}
	}
	if since == nil {
		return nil, nil
	}
	return &hit{fixed: fix, text: interval(since, until)}, nil
}

// interval writes a range for people.
func interval(since, until *turn) string {
	text := ">= " + since.text
	switch {
	case until == nil:
		return text
	case until.kind == fixed:
		return text + ", < " + until.text
	}
	return text + ", <= " + until.text
}

// falls tells whether a version falls into an index entry: into one of its
// ranges or among its listed versions. Ranges that cannot be evaluated do not
// keep the others from being looked at; their fault is returned if nothing hit.
func (o order) falls(text string, v semantic.Version, a *advisory.Affected) (*hit, error) {
	var faults []error
	for _, r := range a.Ranges {
		h, err := o.inRange(v, r)
		if h != nil {
			return h, nil
		}
		faults = append(faults, err)
	}
	listed, err := o.listed(text, v, a)
	if listed {
		return &hit{text: "listed"}, nil
	}
	return nil, errors.Join(append(faults, err)...)
}

// listed looks the version up in the explicit list. Where the list is all the
// record says, another spelling of the same version counts too.
func (o order) listed(text string, v semantic.Version, a *advisory.Affected) (bool, error) {
	bare := strings.TrimPrefix(text, "v")
	for _, s := range a.Versions {
		if strings.TrimPrefix(s, "v") == bare {
			return true, nil
		}
	}
	if len(a.Ranges) > 0 {
		return false, nil
	}
	for _, s := range a.Versions {
		w, err := o.parse(s)
		if err != nil {
			continue // not a version in this order: equal spelling was checked above
		}
		if n, err := compare(v, w); err == nil && n == 0 {
			return true, nil
		}
	}
	return false, nil
}
