package cloudapi

import "encoding/json"

// ActionModel describes an action to people and programs that do not speak Go,
// for instance an API explorer.
type ActionModel struct {
	Name   string
	Doc    string
	Role   string
	Errors []string
	Input  []Member
	Output []Member
}

// Type is the type of a value.
type Type struct {
	Type    string   // string, bool, int64, uint64, float, list or object
	Element *Type    `json:",omitempty"` // of a list
	Members []Member `json:",omitempty"` // of an object
}

// Member is one named value of an object, with what is demanded of it. On a
// list, Min, Max, Enum, Fold, MinLen and MaxLen speak of the elements.
type Member struct {
	Name string
	Type
	Doc      string      `json:",omitempty"`
	Required bool        `json:",omitempty"`
	Nullable bool        `json:",omitempty"` // may be null in an answer
	Disabled bool        `json:",omitempty"` // accepted, but not for general use
	Min      json.Number `json:",omitempty"`
	Max      json.Number `json:",omitempty"`
	Enum     []string    `json:",omitempty"`
	Fold     bool        `json:",omitempty"` // the enum matches in any case
	MinLen   *int        `json:",omitempty"` // in characters
	MaxLen   *int        `json:",omitempty"`
	MinItems *int        `json:",omitempty"`
	MaxItems *int        `json:",omitempty"`
	Unique   bool        `json:",omitempty"`
}

func (r *route) model() ActionModel {
	errs := r.action.Errors
	if errs == nil {
		errs = []string{}
	}
	return ActionModel{
		Name: r.action.Name, Doc: r.action.Doc, Role: r.action.Role.String(), Errors: errs,
		Input: r.in.describe().Members, Output: r.out.describe().Members,
	}
}

func (s *shape) describe() Type {
	t := Type{Type: s.kind.String()}
	if s.element != nil {
		element := s.element.describe()
		t.Element = &element
	}
	if s.kind == kindObject {
		t.Members = make([]Member, 0, len(s.members))
	}
	for _, m := range s.members {
		t.Members = append(t.Members, m.describe())
	}
	return t
}

func (m *member) describe() Member {
	d := Member{
		Name: m.name, Type: m.shape.describe(), Doc: m.doc,
		Required: m.required, Nullable: m.nullable, Disabled: m.disabled,
		Enum: m.rules.enum, Fold: m.rules.fold, Unique: m.rules.unique,
		MinLen: m.rules.minLen, MaxLen: m.rules.maxLen, MinItems: m.rules.minItems, MaxItems: m.rules.maxItems,
	}
	if m.rules.min != nil {
		d.Min = json.Number(m.rules.min.text)
	}
	if m.rules.max != nil {
		d.Max = json.Number(m.rules.max.text)
	}
	return d
}
