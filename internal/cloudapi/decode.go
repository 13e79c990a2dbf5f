package cloudapi

import (
	"cmp"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// decode fills target, a Go value of the declared shape, from a request. It
// walks the whole request once and returns the fault that comes first in the
// protocol's order: names, required parameters, types, values.
func decode(s *shape, n node, target reflect.Value) error {
	var d decoder
	d.object(s, n, target, nil)
	for _, fault := range d.faults {
		if fault != nil {
			return fault
		}
	}
	return nil
}

// rank is a fault's place in the order of checks.
type rank int

const (
	rankName rank = iota
	rankMissing
	rankType
	rankValue
	ranks
)

// decoder keeps the first fault of each rank.
type decoder struct{ faults [ranks]*Error }

// fault notes a fault unless there is one of its rank already; the message is
// only made if it is needed.
func (d *decoder) fault(r rank, make func() *Error) {
	if d.faults[r] == nil {
		d.faults[r] = make()
	}
}

func (d *decoder) badType(s *shape, at *path) {
	d.fault(rankType, func() *Error {
		return errMalformed("The parameter `%s` has to be of type %s.", "参数`%s`的类型必须为%s。", Shorten(at.String()), s.kind)
	})
}

func (d *decoder) badValue(at *path, en, zh string, args ...any) {
	d.fault(rankValue, func() *Error {
		args = append([]any{Shorten(at.String())}, args...)
		return NewError(codeInvalidParameterValue, "The parameter `%s` "+en, "参数`%s`"+zh, args...)
	})
}

// value decodes a value that is present into target.
func (d *decoder) value(s *shape, r *rules, n node, target reflect.Value, at *path) {
	if s.pointer {
		target.Set(reflect.New(s.goType))
		target = target.Elem()
	}
	switch s.kind {
	case kindObject:
		d.object(s, n, target, at)
	case kindList:
		d.list(s, r, n, target, at)
	default:
		d.scalar(s, r, n, target, at)
	}
}

func (d *decoder) object(s *shape, n node, target reflect.Value, at *path) {
	members, ok := n.object()
	if !ok {
		d.badType(s, at)
		return
	}
	values := make([]node, len(s.members))
	for name, value := range members {
		i, known := s.byName[name]
		if !known {
			d.fault(rankName, func() *Error {
				full := (&path{parent: at, name: name}).String()
				return NewError(codeUnknownParameter, "The parameter `%s` is not known.", "未知参数`%s`。", Shorten(full))
			})
			continue
		}
		values[i] = value
	}
	for i, m := range s.members {
		here := &path{parent: at, name: m.name}
		if values[i] != nil && !values[i].null() {
			d.value(m.shape, &m.rules, values[i], target.FieldByIndex(m.index), here)
		} else if m.required {
			d.fault(rankMissing, func() *Error { return errMissing(here.String()) })
		}
	}
}

func (d *decoder) list(s *shape, r *rules, n node, target reflect.Value, at *path) {
	items, count, ok := n.list()
	if !ok {
		d.badType(s, at)
		return
	}
	if r.minItems != nil && count < *r.minItems {
		d.badValue(at, "needs at least %d elements.", "至少需要%d个元素。", *r.minItems)
	}
	if r.maxItems != nil && count > *r.maxItems {
		d.badValue(at, "has more than %d elements.", "的元素不能超过%d个。", *r.maxItems)
	}
	target.Set(reflect.MakeSlice(target.Type(), count, count))
	var seen map[string]bool
	if r.unique {
		seen = make(map[string]bool, count)
	}
	position := 0
	for i, item := range items {
		here := &path{parent: at, element: true, index: i}
		element := target.Index(position)
		position++
		if item.null() {
			d.badType(s.element, here)
			continue
		}
		d.value(s.element, r, item, element, here)
		if r.unique {
			d.once(seen, s.element, element, here)
		}
	}
}

// once checks that an element has not been seen before.
func (d *decoder) once(seen map[string]bool, s *shape, element reflect.Value, at *path) {
	text, err := appendValue(nil, s, element)
	if err != nil {
		return // a value that can't be written has a fault already
	}
	if seen[string(text)] {
		d.badValue(at, "repeats another element of the list.", "与列表中的其他元素重复。")
	}
	seen[string(text)] = true
}

func (d *decoder) scalar(s *shape, r *rules, n node, target reflect.Value, at *path) {
	v, verdict := n.scalar(s.kind)
	if verdict == fits && overflows(s.kind, v, target) {
		verdict = badValue
	}
	switch verdict {
	case badType:
		d.badType(s, at)
		return
	case badValue:
		d.badValue(at, "is outside the range of its type %s.", "超出%s类型的取值范围。", s.kind)
		return
	}
	switch s.kind {
	case kindString:
		d.text(r, &v, at)
		target.SetString(v.s)
	case kindBool:
		target.SetBool(v.b)
	case kindInt64:
		d.number(r, v, strconv.FormatInt(v.i, 10), func(b *bound) int { return cmp.Compare(v.i, b.i) }, at)
		target.SetInt(v.i)
	case kindUint64:
		d.number(r, v, strconv.FormatUint(v.u, 10), func(b *bound) int { return cmp.Compare(v.u, b.u) }, at)
		target.SetUint(v.u)
	case kindFloat:
		d.number(r, v, strconv.FormatFloat(v.f, 'g', -1, 64), func(b *bound) int { return cmp.Compare(v.f, b.f) }, at)
		target.SetFloat(v.f)
	}
}

// overflows tells whether a value does not fit a Go type narrower than its kind.
func overflows(k kind, v scalar, target reflect.Value) bool {
	switch k {
	case kindInt64:
		return target.OverflowInt(v.i)
	case kindUint64:
		return target.OverflowUint(v.u)
	case kindFloat:
		return target.OverflowFloat(v.f)
	}
	return false
}

// text checks a string, and turns an enum's value into the declared spelling.
func (d *decoder) text(r *rules, v *scalar, at *path) {
	if r.minLen != nil && utf8.RuneCountInString(v.s) < *r.minLen {
		d.badValue(at, "needs at least %d characters.", "至少需要%d个字符。", *r.minLen)
	}
	if r.maxLen != nil && utf8.RuneCountInString(v.s) > *r.maxLen {
		d.badValue(at, "is longer than %d characters.", "不能超过%d个字符。", *r.maxLen)
	}
	if r.enum == nil {
		return
	}
	i := slices.IndexFunc(r.enum, func(word string) bool {
		return word == v.s || r.fold && strings.EqualFold(word, v.s)
	})
	if i < 0 {
		d.notOneOf(r, at)
		return
	}
	v.s = r.enum[i]
}

func (d *decoder) notOneOf(r *rules, at *path) {
	d.badValue(at, "has to be one of: %s.", "的取值必须为以下之一：%s。", strings.Join(r.enum, ", "))
}

// number checks a number against its range and enum.
func (d *decoder) number(r *rules, v scalar, text string, against func(*bound) int, at *path) {
	if r.min != nil && against(r.min) < 0 {
		d.badValue(at, "has to be at least %s.", "不能小于%s。", r.min.text)
	}
	if r.max != nil && against(r.max) > 0 {
		d.badValue(at, "has to be at most %s.", "不能大于%s。", r.max.text)
	}
	if r.enum != nil && !slices.Contains(r.enum, text) {
		d.notOneOf(r, at)
	}
}
