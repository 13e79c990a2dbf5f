package cloudapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"iter"
	"strconv"
	"unicode/utf8"
)

// jsonNode is a JSON value as the bytes of a text that is known to be valid.
// Values are cut out when asked for, so a value that the model does not declare
// is never built in memory.
type jsonNode []byte

// parseJSON checks that a body is one JSON object. An empty body counts as {}.
func parseJSON(body []byte) (node, *Error) {
	body = bytes.TrimLeft(body, " \t\r\n")
	if len(body) == 0 {
		return jsonNode("{}"), nil
	}
	if !json.Valid(body) {
		return nil, errMalformed("The request body is not valid JSON.", "请求体不是合法的JSON。")
	}
	if body[0] != '{' {
		return nil, errMalformed("The request body has to be a JSON object.", "请求体必须是JSON对象。")
	}
	return jsonNode(body), nil
}

func (n jsonNode) null() bool { return n[0] == 'n' }

func (n jsonNode) object() (iter.Seq2[string, node], bool) {
	if n[0] != '{' {
		return nil, false
	}
	return func(yield func(string, node) bool) {
		for at := skipSpace(n, 1); n[at] != '}'; {
			end := skipValue(n, at)
			name := unquote(n[at:end])
			at = skipSpace(n, skipSpace(n, end)+1) // past the colon
			end = skipValue(n, at)
			if !yield(name, n[at:end]) {
				return
			}
			at = skipComma(n, end)
		}
	}, true
}

func (n jsonNode) list() (iter.Seq2[int, node], int, bool) {
	if n[0] != '[' {
		return nil, 0, false
	}
	count := 0
	for at := skipSpace(n, 1); n[at] != ']'; at = skipComma(n, skipValue(n, at)) {
		count++
	}
	return func(yield func(int, node) bool) {
		for i, at := 0, skipSpace(n, 1); n[at] != ']'; i++ {
			end := skipValue(n, at)
			if !yield(i, n[at:end]) {
				return
			}
			at = skipComma(n, end)
		}
	}, count, true
}

// skipSpace is the position of the first byte from at on that isn't white space.
func skipSpace(b []byte, at int) int {
	for at < len(b) && (b[at] == ' ' || b[at] == '\t' || b[at] == '\r' || b[at] == '\n') {
		at++
	}
	return at
}

// skipComma is the position of the next member, element or closing bracket.
func skipComma(b []byte, at int) int {
	at = skipSpace(b, at)
	if b[at] == ',' {
		at = skipSpace(b, at+1)
	}
	return at
}

// skipValue is the position after the value that begins at at.
func skipValue(b []byte, at int) int {
	switch b[at] {
	case '"':
		return skipString(b, at)
	case '{', '[':
		return skipNested(b, at)
	}
	for at < len(b) && bytes.IndexByte([]byte(",]} \t\r\n"), b[at]) < 0 {
		at++
	}
	return at
}

func skipString(b []byte, at int) int {
	for at++; b[at] != '"'; at++ {
		if b[at] == '\\' {
			at++
		}
	}
	return at + 1
}

func skipNested(b []byte, at int) int {
	for depth := 0; ; {
		switch b[at] {
		case '"':
			at = skipString(b, at)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		if at++; depth == 0 {
			return at
		}
	}
}

// unquote is the text of a JSON string.
func unquote(quoted []byte) string {
	inner := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
		return string(inner)
	}
	var s string
	if err := json.Unmarshal(quoted, &s); err != nil {
		return string(inner) // not reached: the text is valid JSON
	}
	return s
}

func (n jsonNode) scalar(k kind) (scalar, verdict) {
	switch c := n[0]; {
	case k == kindString && c == '"':
		return scalar{s: unquote(n)}, fits
	case k == kindBool && (c == 't' || c == 'f'):
		return scalar{b: c == 't'}, fits
	case c != '-' && (c < '0' || c > '9'):
		return scalar{}, badType
	}
	if (k == kindInt64 || k == kindUint64) && bytes.ContainsAny(n, ".eE") {
		return scalar{}, badType
	}
	return parseNumber(string(n), k)
}

// parseNumber reads a decimal literal that is known to be well formed.
func parseNumber(text string, k kind) (scalar, verdict) {
	var v scalar
	var err error
	switch k {
	case kindInt64:
		v.i, err = strconv.ParseInt(text, 10, 64)
	case kindUint64:
		v.u, err = strconv.ParseUint(text, 10, 64)
		if err != nil && text[0] == '-' {
			return v, badValue
		}
	case kindFloat:
		v.f, err = strconv.ParseFloat(text, 64)
	default:
		return v, badType
	}
	if errors.Is(err, strconv.ErrRange) {
		return v, badValue
	}
	if err != nil {
		return v, badType
	}
	return v, fits
}
