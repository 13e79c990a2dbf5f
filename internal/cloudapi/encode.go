package cloudapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"unicode/utf8"
)

// appendValue writes a Go value of the declared shape as JSON. A nil list is
// [], a nil pointer null, and nothing is left out.
func appendValue(out []byte, s *shape, v reflect.Value) ([]byte, error) {
	if s.pointer {
		if v.IsNil() {
			return append(out, "null"...), nil
		}
		v = v.Elem()
	}
	switch s.kind {
	case kindString:
		return appendText(out, v.String()), nil
	case kindBool:
		return strconv.AppendBool(out, v.Bool()), nil
	case kindInt64:
		return strconv.AppendInt(out, v.Int(), 10), nil
	case kindUint64:
		return strconv.AppendUint(out, v.Uint(), 10), nil
	case kindFloat:
		return appendFloat(out, v.Float())
	case kindList:
		return appendList(out, s, v)
	}
	return appendObject(out, s, v, "")
}

func appendList(out []byte, s *shape, v reflect.Value) ([]byte, error) {
	out = append(out, '[')
	for i := range v.Len() {
		if i > 0 {
			out = append(out, ',')
		}
		var err error
		if out, err = appendValue(out, s.element, v.Index(i)); err != nil {
			return nil, err
		}
	}
	return append(out, ']'), nil
}

// appendObject writes an object; a request id, if given, comes last.
func appendObject(out []byte, s *shape, v reflect.Value, requestID string) ([]byte, error) {
	out = append(out, '{')
	for i, m := range s.members {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(appendText(out, m.name), ':')
		field := v.FieldByIndex(m.index)
		if m.nullable && field.Kind() == reflect.Slice && field.IsNil() {
			out = append(out, "null"...)
			continue
		}
		var err error
		if out, err = appendValue(out, m.shape, field); err != nil {
			return nil, err
		}
	}
	if requestID != "" {
		if len(s.members) > 0 {
			out = append(out, ',')
		}
		out = append(out, `"RequestId":`...)
		out = appendText(out, requestID)
	}
	return append(out, '}'), nil
}

func appendFloat(out []byte, f float64) ([]byte, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, fmt.Errorf("the number %v can't be written as JSON", f)
	}
	format := byte('f')
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(out, f, format, -1, 64), nil
}

// appendText writes a JSON string.
func appendText(out []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return appendEscaped(out, text)
		}
	}
	out = append(out, '"')
	out = append(out, text...)
	return append(out, '"')
}

// appendEscaped leaves the less common texts to the standard library.
func appendEscaped(out []byte, text string) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		return append(out, `""`...) // not reached: every string can be written
	}
	return append(out, bytes.TrimRight(b.Bytes(), "\n")...)
}
