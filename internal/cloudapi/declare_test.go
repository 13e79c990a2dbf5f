package cloudapi

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type selfContaining struct {
	Next *selfContaining `json:"Next"`
}

func TestBadDeclarationsPanic(t *testing.T) {
	text := reflect.TypeFor[*string]()
	twice := reflect.Zero(reflect.StructOf([]reflect.StructField{
		{Name: "A", Type: text, Tag: `json:"A"`}, {Name: "B", Type: text, Tag: `json:"A"`},
	})).Interface()
	for want, declaration := range map[string]any{
		"is not a struct": "x",
		"has to be a pointer": struct {
			A string `json:"A"`
		}{},
		"json:\"Name\"": struct{ A *string }{},
		"without options": struct {
			A *string `json:"A,omitempty"`
		}{},
		"unknown word \"long\"": struct {
			A *string `json:"A" api:"long"`
		}{},
		"does not fit its type": struct {
			A *bool `json:"A" api:"min=1"`
		}{},
		"\"unique\"": struct {
			A *string `json:"A" api:"unique"`
		}{},
		"bad bound \"-1\"": struct {
			A *uint64 `json:"A" api:"min=-1"`
		}{},
		"bad count \"x\"": struct {
			A *string `json:"A" api:"maxlen=x"`
		}{},
		"fold without enum": struct {
			A *string `json:"A" api:"fold"`
		}{},
		"pointer to a list": struct {
			A *[]string `json:"A"`
		}{},
		"declares A twice": twice,
		"contains itself":  selfContaining{},
		"map[string]string can't": struct {
			A map[string]string `json:"A"`
		}{},
	} {
		t.Run(want, func(t *testing.T) {
			defer func() {
				if p := fmt.Sprint(recover()); !strings.Contains(p, want) {
					t.Errorf("panic %q, want one with %q", p, want)
				}
			}()
			declare(reflect.TypeOf(declaration), sideRequest)
		})
	}
	defer func() {
		if p := fmt.Sprint(recover()); !strings.Contains(p, "belongs to the envelope") {
			t.Errorf("panic %q", p)
		}
	}()
	declare(reflect.TypeOf(struct {
		RequestID string `json:"RequestId"`
	}{}), sideResponse)
}

type paging struct {
	Limit  *uint64 `json:"Limit" api:"max=100"`
	Offset *uint64 `json:"Offset"`
}

// Embedded structs lend their members, and a scalar that is required may be a
// plain value.
func TestEmbeddedAndPlainMembers(t *testing.T) {
	type request struct {
		paging
		ID     uint32  `json:"Id" api:"required"`
		Hidden float32 `json:"-"`
	}
	s := declare(reflect.TypeFor[request](), sideRequest)
	var got request
	n, _ := parseJSON([]byte(`{"Limit":5,"Id":7}`))
	if err := decode(s, n, reflect.ValueOf(&got).Elem()); err != nil {
		t.Fatal(err)
	}
	if got.ID != 7 || got.Limit == nil || *got.Limit != 5 || got.Offset != nil {
		t.Errorf("got %+v", got)
	}
	n, _ = parseJSON([]byte(`{"Id":4294967296}`))
	checkFault(t, "too large for the Go type", decode(s, n, reflect.ValueOf(&got).Elem()), "InvalidParameterValue `Id`")
	n, _ = parseJSON([]byte(`{"Hidden":1}`))
	checkFault(t, "hidden", decode(s, n, reflect.ValueOf(&got).Elem()), "UnknownParameter `Hidden`")
}

func TestActionsDescribeTheModel(t *testing.T) {
	var update, list ActionModel
	names := []string{}
	for _, a := range testAPI().Actions() {
		names = append(names, a.Name)
		switch a.Name {
		case "UpdateImageRegistryTimingScanTask":
			update = a
		case "DescribeAssetImageRegistryList":
			list = a
		}
	}
	if fmt.Sprint(names) != "[DescribeAssetImageRegistryList DescribeImageRegistryTimingScanTask Echo Fail Panic Refuse UpdateImageRegistryTimingScanTask]" {
		t.Errorf("actions %v", names)
	}
	want := Member{Name: "ScanPeriod", Type: Type{Type: "uint64"}, Doc: "days between two runs", Required: true, Min: "1", Max: "365"}
	if diff := cmp.Diff(want, update.Input[1]); diff != "" || update.Role != "operator" {
		t.Errorf("role %s (-want +got):\n%s", update.Role, diff)
	}
	text, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	const wantText = `{"Name":"DescribeAssetImageRegistryList","Doc":"","Role":"read-only","Errors":[],` +
		`"Input":[{"Name":"Limit","Type":"uint64"},{"Name":"Offset","Type":"uint64"},{"Name":"Filters","Type":"list","Element":{"Type":"object","Members":[` +
		`{"Name":"Name","Type":"string","Required":true},{"Name":"Values","Type":"list","Element":{"Type":"string"},"Required":true,"MinItems":1,"MaxItems":3},{"Name":"ExactMatch","Type":"bool"}]}}],` +
		`"Output":[{"Name":"TotalCount","Type":"uint64"},{"Name":"List","Type":"list","Element":{"Type":"object","Members":[` +
		`{"Name":"Name","Type":"string"},{"Name":"Note","Type":"string","Nullable":true}]}}]}`
	if diff := cmp.Diff(wantText, string(text)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRegisteringTwicePanics(t *testing.T) {
	api := testAPI()
	defer func() {
		if p := fmt.Sprint(recover()); !strings.Contains(p, "Echo is registered twice") {
			t.Errorf("panic %q", p)
		}
	}()
	Handle[testNothing, testNothing](api, Action{Name: "Echo"}, nil)
}

// Lists are never null, pointers are null when nil, and nothing is left out.
func TestEncode(t *testing.T) {
	type inner struct {
		Names []string `json:"Names"`
	}
	type response struct {
		Count  int      `json:"Count"`
		Big    uint64   `json:"Big"`
		Ratio  float64  `json:"Ratio"`
		Text   string   `json:"Text"`
		None   *string  `json:"None"`
		List   []inner  `json:"List"`
		Nested []inner  `json:"Nested"`
		One    *inner   `json:"One"`
		Plain  inner    `json:"Plain"`
		Many   []*inner `json:"Many"`
		Flags  []bool   `json:"Flags"`
	}
	r := response{Count: -1, Big: math.MaxUint64, Ratio: 1e-7, Text: "a\"\n<b>&测\xff\u2028", Nested: []inner{{}}, Many: []*inner{nil, {Names: []string{"x", "y"}}}}
	s := declare(reflect.TypeFor[response](), sideResponse)
	got, err := appendObject(nil, s, reflect.ValueOf(r), "id")
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"Count":-1,"Big":18446744073709551615,"Ratio":1e-07,"Text":"a\"\n<b>&测` + "\\ufffd\\u2028" + `","None":null,"List":[],` +
		`"Nested":[{"Names":[]}],"One":null,"Plain":{"Names":[]},"Many":[null,{"Names":["x","y"]}],"Flags":[],"RequestId":"id"}`
	if diff := cmp.Diff(want, string(got)); diff != "" || !json.Valid(got) {
		t.Errorf("(-want +got):\n%s", diff)
	}
	r.Ratio = math.NaN()
	if _, err := appendObject(nil, s, reflect.ValueOf(r), "id"); err == nil {
		t.Error("a NaN is written")
	}
}
