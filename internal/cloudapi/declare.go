package cloudapi

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// kind is a type of the wire, independent of Go.
type kind int

const (
	kindString kind = iota
	kindBool
	kindInt64
	kindUint64
	kindFloat
	kindList
	kindObject
)

// String is the kind's published name.
func (k kind) String() string {
	return [...]string{"string", "bool", "int64", "uint64", "float", "list", "object"}[k]
}

// side tells requests from responses: absence is a matter of requests only.
type side int

const (
	sideRequest side = iota
	sideResponse
)

// shape is the declared type of a value and the Go type that holds it.
type shape struct {
	kind    kind
	pointer bool         // the Go value is behind a pointer
	goType  reflect.Type // without the pointer
	element *shape       // of a list
	members []*member    // of an object
	byName  map[string]int
}

// member is one declared field of an object.
type member struct {
	name     string
	doc      string
	index    []int // of the Go field; longer than one through embedded structs
	shape    *shape
	required bool
	nullable bool
	disabled bool
	rules    rules
}

// rules are what is demanded of a value beyond its type.
type rules struct {
	min, max           *bound
	enum               []string
	fold               bool
	unique             bool
	minLen, maxLen     *int
	minItems, maxItems *int
}

// bound is the end of a range, in the type it is compared in.
type bound struct {
	text string
	i    int64
	u    uint64
	f    float64
}

// declare reads the model off a struct type. It panics where the declaration
// does not hold together: that is a mistake of the program, found while wiring.
func declare(t reflect.Type, s side) *shape {
	if t.Kind() != reflect.Struct {
		panic(fmt.Sprintf("cloudapi: %s is not a struct", t))
	}
	return declarer{side: s}.shape(t, nil)
}

// declarer carries what stays the same while a type is walked.
type declarer struct{ side side }

func (d declarer) shape(t reflect.Type, parents []reflect.Type) *shape {
	s := &shape{}
	if t.Kind() == reflect.Pointer {
		s.pointer, t = true, t.Elem()
	}
	s.goType = t
	switch t.Kind() {
	case reflect.String:
		s.kind = kindString
	case reflect.Bool:
		s.kind = kindBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		s.kind = kindInt64
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		s.kind = kindUint64
	case reflect.Float32, reflect.Float64:
		s.kind = kindFloat
	case reflect.Slice:
		s.kind = kindList
		s.element = d.shape(t.Elem(), parents)
	case reflect.Struct:
		s.kind = kindObject
		d.object(s, parents)
	default:
		panic(fmt.Sprintf("cloudapi: the type %s can't be part of a declared model", t))
	}
	return s
}

func (d declarer) object(s *shape, parents []reflect.Type) {
	for _, p := range parents {
		if p == s.goType {
			panic(fmt.Sprintf("cloudapi: the type %s contains itself", p))
		}
	}
	d.fields(s, s.goType, nil, append(parents[:len(parents):len(parents)], s.goType))
	s.byName = make(map[string]int, len(s.members))
	for i, m := range s.members {
		if _, taken := s.byName[m.name]; taken {
			panic(fmt.Sprintf("cloudapi: %s declares %s twice", s.goType, m.name))
		}
		s.byName[m.name] = i
	}
	if len(parents) == 0 && d.side == sideResponse {
		for _, reserved := range []string{"RequestId", "Error", "DeprecatedWarning"} {
			if _, taken := s.byName[reserved]; taken {
				panic(fmt.Sprintf("cloudapi: %s declares %s, which belongs to the envelope", s.goType, reserved))
			}
		}
	}
}

func (d declarer) fields(s *shape, t reflect.Type, prefix []int, parents []reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		index := append(prefix[:len(prefix):len(prefix)], i)
		name, tagged := f.Tag.Lookup("json")
		if f.Anonymous && !tagged && f.Type.Kind() == reflect.Struct {
			d.fields(s, f.Type, index, parents)
			continue
		}
		if name == "-" {
			continue
		}
		if !f.IsExported() || name == "" || strings.Contains(name, ",") {
			panic(fmt.Sprintf("cloudapi: the field %s.%s needs to be exported and to have a tag json:\"Name\" without options", t, f.Name))
		}
		s.members = append(s.members, d.member(t, f, name, index, parents))
	}
}

func (d declarer) member(t reflect.Type, f reflect.StructField, name string, index []int, parents []reflect.Type) *member {
	m := &member{name: name, doc: f.Tag.Get("doc"), index: index, shape: d.shape(f.Type, parents)}
	where := fmt.Sprintf("%s.%s", t, f.Name)
	if m.shape.kind == kindList && m.shape.pointer {
		panic("cloudapi: " + where + " is a pointer to a list; a nil list is absent already")
	}
	if words := f.Tag.Get("api"); words != "" {
		for word := range strings.SplitSeq(words, ",") {
			m.word(where, word)
		}
	}
	if d.side == sideRequest && m.shape.kind != kindList && !m.shape.pointer && !m.required {
		panic("cloudapi: " + where + " has to be a pointer: without one, absent and zero are the same")
	}
	if m.rules.fold && m.rules.enum == nil {
		panic("cloudapi: " + where + " has fold without enum")
	}
	return m
}

// word takes one word of an api tag.
func (m *member) word(where, word string) {
	key, value, _ := strings.Cut(strings.TrimSpace(word), "=")
	scalar, list := m.shape, m.shape.kind == kindList
	if list {
		scalar = m.shape.element
	}
	number := scalar.kind == kindInt64 || scalar.kind == kindUint64 || scalar.kind == kindFloat
	text := scalar.kind == kindString
	fits := true
	switch key {
	case "required":
		m.required = true
	case "nullable":
		m.nullable = true
	case "disabled":
		m.disabled = true
	case "fold":
		m.rules.fold, fits = true, text
	case "unique":
		m.rules.unique, fits = true, list
	case "min":
		m.rules.min, fits = newBound(where, value, scalar.kind), number
	case "max":
		m.rules.max, fits = newBound(where, value, scalar.kind), number
	case "enum":
		m.rules.enum, fits = strings.Split(value, "|"), number || text
	case "minlen":
		m.rules.minLen, fits = count(where, value), text
	case "maxlen":
		m.rules.maxLen, fits = count(where, value), text
	case "minitems":
		m.rules.minItems, fits = count(where, value), list
	case "maxitems":
		m.rules.maxItems, fits = count(where, value), list
	default:
		panic(fmt.Sprintf("cloudapi: %s has the unknown word %q in its api tag", where, word))
	}
	if !fits {
		panic(fmt.Sprintf("cloudapi: %s can't have %q: it does not fit its type", where, word))
	}
}

func newBound(where, value string, k kind) *bound {
	b, err := &bound{text: value}, error(nil)
	switch k {
	case kindInt64:
		b.i, err = strconv.ParseInt(value, 10, 64)
	case kindUint64:
		b.u, err = strconv.ParseUint(value, 10, 64)
	case kindFloat:
		b.f, err = strconv.ParseFloat(value, 64)
	}
	if err != nil {
		panic(fmt.Sprintf("cloudapi: %s has the bad bound %q", where, value))
	}
	return b
}

func count(where, value string) *int {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 {
		panic(fmt.Sprintf("cloudapi: %s has the bad count %q", where, value))
	}
	return &n
}
