package store

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/uptrace/bun"
)

// cond is one condition of a WHERE clause; the zero cond is no condition.
type cond struct {
	sql  string
	args []any
}

// never matches nothing.
var never = cond{sql: "1 = 0"}

func where(sel *bun.SelectQuery, c cond) *bun.SelectQuery {
	if c.sql == "" {
		return sel
	}
	return sel.Where(c.sql, c.args...)
}

// anyOf combines conditions with OR. The tree is balanced, because databases
// bound how deep an expression may be.
func anyOf(list []cond) cond {
	switch len(list) {
	case 0:
		return never
	case 1:
		return list[0]
	}
	a, b := anyOf(list[:len(list)/2]), anyOf(list[len(list)/2:])
	args := slices.Concat(a.args, b.args) // nil where neither has any: the query builder warns of empty ones
	return cond{"(" + a.sql + " OR " + b.sql + ")", args}
}

// contains matches rows whose text column has one of the values in it, letters
// A to Z in either case. An exact filter matches the whole text, case included.
func contains(column string, f Filter) cond {
	if len(f.Values) == 0 {
		return cond{}
	}
	if f.Exact {
		return equals(column, f.Values)
	}
	list := make([]cond, 0, len(f.Values))
	for _, v := range f.Values {
		if storable(v) {
			list = append(list, cond{column + ` LIKE ? ESCAPE '\'`, []any{"%" + escapeLike(v) + "%"}})
		}
	}
	return anyOf(list)
}

// equals matches rows whose text column is one of the values.
func equals(column string, values []string) cond {
	if len(values) == 0 {
		return cond{}
	}
	var known []string
	for _, v := range values {
		if storable(v) {
			known = append(known, v)
		}
	}
	return cond{column + " IN (?)", []any{bun.List(known)}}
}

// idIn matches rows whose number column is one of the values; what is no number
// matches nothing.
func idIn(column string, values []string) cond {
	if len(values) == 0 {
		return cond{}
	}
	return cond{column + " IN (?)", []any{bun.List(numbers(values))}}
}

func numbers(values []string) []int64 {
	ids := make([]int64, 0, len(values))
	for _, v := range values {
		if id, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64); err == nil {
			ids = append(ids, id)
		}
	}
	return ids
}

// longest is the length of a search text that can still match: no name in a
// registry is as long, and databases bound the length of a pattern.
const longest = 4096

// storable tells whether a stored text can hold v at all: stored texts are
// valid UTF-8 without NUL.
func storable(v string) bool {
	return utf8.ValidString(v) && !strings.Contains(v, "\x00") && len(v) <= longest
}

// escapeLike makes the wildcards of LIKE mean themselves.
func escapeLike(s string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s)
}
