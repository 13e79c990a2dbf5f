package cloudapi

import (
	"iter"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// pair is one name=value of a query or form body, decoded.
type pair struct{ name, value string }

// parsePairs cuts a query or form body into its pairs, in order and with blank
// values kept. Where something is malformed it reads on as well as it can and
// returns the first fault beside the pairs, because a v1 signature has to be
// looked at before the fault may be told.
func parsePairs(text string) ([]pair, *Error) {
	var fault *Error
	pairs := make([]pair, 0, strings.Count(text, "&")+1)
	for part := range strings.SplitSeq(text, "&") {
		if part == "" {
			continue
		}
		name, value, found := strings.Cut(part, "=")
		if !found && fault == nil {
			fault = errMalformed("The parameter `%s` has no equals sign.", "参数`%s`缺少等号。", Shorten(name))
		}
		p := pair{name: unescape(name, &fault), value: unescape(value, &fault)}
		pairs = append(pairs, p)
	}
	return pairs, fault
}

// unescape decodes percent signs and plus signs.
func unescape(text string, fault **Error) string {
	decoded, err := url.QueryUnescape(text)
	if err == nil {
		return decoded
	}
	if *fault == nil {
		*fault = errMalformed("The text `%s` is not properly percent-encoded.", "文本`%s`的百分号编码不正确。", Shorten(text))
	}
	return text
}

// flatNode is a value of a flattened request: a leaf, or the node of a tree
// whose names may turn out to be members or indexes.
type flatNode struct {
	leaf     node // nil for an inner node
	children map[string]*flatNode
	names    []string // of the children, in the client's order
}

// flatten builds the tree of dotted names. A leaf is a text; multipart requests
// also have leaves of JSON.
type flatten struct{ root flatNode }

// add puts a value at its dotted name.
func (f *flatten) add(name string, leaf node) *Error {
	at := &f.root
	for i, segment := range strings.Split(name, ".") {
		if !validSegment(segment, i == 0) {
			return errMalformed("The parameter name `%s` is malformed.", "参数名`%s`格式不正确。", Shorten(name))
		}
		if at.leaf != nil {
			return contradiction(name)
		}
		next := at.children[segment]
		if next == nil {
			next = &flatNode{}
			if at.children == nil {
				at.children = map[string]*flatNode{}
			}
			at.children[segment] = next
			at.names = append(at.names, segment)
		}
		at = next
	}
	if at.leaf != nil || at.children != nil {
		return contradiction(name)
	}
	at.leaf = leaf
	return nil
}

func contradiction(name string) *Error {
	return errMalformed("The parameter `%s` contradicts another of the request.",
		"参数`%s`与请求中的其他参数冲突。", Shorten(name))
}

// validSegment tells whether a text may stand between the dots of a name: a
// name, or behind the first dot an index.
func validSegment(s string, first bool) bool {
	if s == "" {
		return false
	}
	if s[0] >= '0' && s[0] <= '9' {
		return !first && validIndex(s)
	}
	for _, c := range []byte(s) {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

// validIndex tells whether a text is an index in its only spelling.
func validIndex(s string) bool {
	n, err := strconv.ParseUint(s, 10, 31)
	return err == nil && strconv.FormatUint(n, 10) == s
}

// flattened is the tree of the pairs that are not reserved.
func flattened(pairs []pair, reserved func(name string) bool) (node, *Error) {
	var f flatten
	for _, p := range pairs {
		if reserved != nil && reserved(p.name) {
			continue
		}
		if fault := f.add(p.name, textNode(p.value)); fault != nil {
			return nil, fault
		}
	}
	return &f.root, nil
}

func (n *flatNode) null() bool { return n.leaf != nil && n.leaf.null() }

func (n *flatNode) object() (iter.Seq2[string, node], bool) {
	if n.leaf != nil {
		return n.leaf.object()
	}
	return func(yield func(string, node) bool) {
		for _, name := range n.names {
			if !yield(name, n.children[name]) {
				return
			}
		}
	}, true
}

func (n *flatNode) list() (iter.Seq2[int, node], int, bool) {
	if n.leaf != nil {
		return n.leaf.list()
	}
	indexes := make([]int, 0, len(n.names))
	for _, name := range n.names {
		i, err := strconv.Atoi(name)
		if err != nil {
			return nil, 0, false
		}
		indexes = append(indexes, i)
	}
	slices.Sort(indexes)
	return func(yield func(int, node) bool) {
		for _, i := range indexes {
			if !yield(i, n.children[strconv.Itoa(i)]) {
				return
			}
		}
	}, len(indexes), true
}

func (n *flatNode) scalar(k kind) (scalar, verdict) {
	if n.leaf == nil {
		return scalar{}, badType
	}
	return n.leaf.scalar(k)
}

// textNode is a value that arrived as text and is read by its declared type.
type textNode string

func (textNode) null() bool                              { return false }
func (textNode) object() (iter.Seq2[string, node], bool) { return nil, false }

func (textNode) list() (iter.Seq2[int, node], int, bool) { return nil, 0, false }

func (n textNode) scalar(k kind) (scalar, verdict) {
	text := string(n)
	switch {
	case k == kindString:
		return scalar{s: strings.ToValidUTF8(text, "\uFFFD")}, fits
	case k == kindBool && strings.EqualFold(text, "true"):
		return scalar{b: true}, fits
	case k == kindBool && strings.EqualFold(text, "false"):
		return scalar{}, fits
	case k == kindBool || !decimal(text, k == kindFloat):
		return scalar{}, badType
	}
	return parseNumber(text, k)
}

// decimal tells whether a text is a decimal number, with a fraction and an
// exponent where the type has them.
func decimal(text string, float bool) bool {
	digits := strings.TrimPrefix(text, "-")
	if digits == "" || digits[0] < '0' || digits[0] > '9' {
		return false
	}
	for _, c := range []byte(digits) {
		if (c < '0' || c > '9') && !(float && strings.IndexByte(".eE+-", c) >= 0) {
			return false
		}
	}
	return true
}
