package finding

import (
	"strings"

	"dogwatch/internal/store"
)

// Query narrows, orders and pages a list. Filters combine with AND, the values
// of one with OR; names a list does not know are ignored. A Limit of 0 asks for
// the total only.
type Query struct {
	Filters       []store.Filter
	By            string // sort key, "" or unknown: the list's own order
	Desc          bool
	Limit, Offset int
}

// Page is a part of a list and the number of all rows that match.
type Page[T any] struct {
	Rows  []T
	Total int
}

// cut takes the query's page out of the rows that match.
func cut[T any](rows []T, q Query) Page[T] {
	page := Page[T]{Rows: []T{}, Total: len(rows)}
	if q.Offset >= 0 && q.Offset < len(rows) {
		rows = rows[q.Offset:]
		page.Rows = rows[:min(max(q.Limit, 0), len(rows))]
	}
	return page
}

// test tells whether a row has the wanted value under one filter. ok is false
// for a filter name the list does not know.
type test func(name, want string, exact bool) (hit, ok bool)

// passes tells whether a row meets every filter.
func passes(filters []store.Filter, t test) bool {
	for _, f := range filters {
		if !filterPasses(f, t) {
			return false
		}
	}
	return true
}

func filterPasses(f store.Filter, t test) bool {
	if len(f.Values) == 0 || len(f.Values) == 1 && strings.EqualFold(f.Values[0], "all") {
		return true
	}
	for _, want := range f.Values {
		hit, ok := t(f.Name, want, f.Exact)
		if hit || !ok {
			return true
		}
	}
	return false
}

// isLevel tells whether want names the level.
func isLevel(level int, want string) bool {
	l, ok := ParseLevel(want)
	return ok && l == level
}

// contains compares text without regard to case: whole if exact, otherwise a part.
func contains(text, want string, exact bool) bool {
	if exact {
		return strings.EqualFold(text, want)
	}
	return strings.Contains(strings.ToLower(text), strings.ToLower(want))
}
