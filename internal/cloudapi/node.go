package cloudapi

import (
	"iter"
	"strconv"
)

// node is one value of a request as the client wrote it, before it is known
// whether it fits the declared type. Each form of request has its own.
type node interface {
	// null tells whether the value counts as absent.
	null() bool
	// object yields the members in the client's order; false if it isn't an object.
	object() (iter.Seq2[string, node], bool)
	// list yields the elements with the client's indexes; false if it isn't a list.
	list() (items iter.Seq2[int, node], count int, ok bool)
	// scalar reads the value as the scalar kind k.
	scalar(k kind) (scalar, verdict)
}

// scalar holds a value of one of the scalar kinds.
type scalar struct {
	s string
	b bool
	i int64
	u uint64
	f float64
}

// verdict is whether a value fits.
type verdict int

const (
	fits verdict = iota
	badType
	badValue
)

// path leads to a value within a request. It is linked upwards, so that the
// text is only made for an error.
type path struct {
	parent  *path
	name    string // of a member
	element bool   // it leads to an element, not a member
	index   int    // of the element
}

// String is the path with dots: Filters.0.Name.
func (p *path) String() string {
	if p == nil {
		return ""
	}
	last := p.name
	if p.element {
		last = strconv.Itoa(p.index)
	}
	if p.parent == nil {
		return last
	}
	return p.parent.String() + "." + last
}

// Shorten cuts a text that a client sent, for use in a message.
func Shorten(s string) string {
	const limit = 100
	for i := range s {
		if i > limit {
			return s[:i] + "..."
		}
	}
	return s
}
