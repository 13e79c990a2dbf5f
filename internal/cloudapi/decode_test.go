package cloudapi

import (
	"encoding/json"
	"errors"
	"mime/multipart"
	"net/textproto"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func decodeEcho(n node, fault *Error) (*testEcho, error) {
	if fault != nil {
		return nil, fault
	}
	req := new(testEcho)
	if err := decode(declare(reflect.TypeFor[testEcho](), sideRequest), n, reflect.ValueOf(req).Elem()); err != nil {
		return nil, err
	}
	return req, nil
}

func decodeJSON(body string) (*testEcho, error) { return decodeEcho(parseJSON([]byte(body))) }

func decodeQuery(query string) (*testEcho, error) {
	pairs, fault := parsePairs(query)
	if fault != nil {
		return nil, fault
	}
	return decodeEcho(flattened(pairs, nil))
}

func TestDecodeJSONFaults(t *testing.T) {
	for body, want := range map[string]string{
		`{"Count":"1"}`:                          "InvalidParameter `Count`",
		`{"Count":1.0}`:                          "InvalidParameter `Count`",
		`{"Count":1e3}`:                          "InvalidParameter `Count`",
		`{"Count":true}`:                         "InvalidParameter `Count`",
		`{"Count":[1]}`:                          "InvalidParameter `Count`",
		`{"Count":{}}`:                           "InvalidParameter `Count`",
		`{"Count":-1}`:                           "InvalidParameterValue `Count`",
		`{"Count":18446744073709551616}`:         "InvalidParameterValue `Count`",
		`{"Signed":9223372036854775808}`:         "InvalidParameterValue `Signed`",
		`{"Signed":6}`:                           "InvalidParameterValue `Signed`",
		`{"Signed":-6}`:                          "InvalidParameterValue `Signed`",
		`{"Ratio":1.75}`:                         "InvalidParameterValue `Ratio`",
		`{"Ratio":1e999}`:                        "InvalidParameterValue `Ratio`",
		`{"Ratio":"1"}`:                          "InvalidParameter `Ratio`",
		`{"Flag":1}`:                             "InvalidParameter `Flag`",
		`{"Flag":"true"}`:                        "InvalidParameter `Flag`",
		`{"Text":5}`:                             "InvalidParameter `Text`",
		`{"Text":""}`:                            "InvalidParameterValue `Text`",
		`{"Text":"123456789"}`:                   "InvalidParameterValue `Text`",
		`{"Level":4}`:                            "InvalidParameterValue `Level`",
		`{"Words":"CVE"}`:                        "InvalidParameter `Words`",
		`{"Words":{"0":"CVE"}}`:                  "InvalidParameter `Words`",
		`{"Words":["CVE",null]}`:                 "InvalidParameter `Words.1`",
		`{"Words":["CVE",1]}`:                    "InvalidParameter `Words.1`",
		`{"Words":["CVE","SPAM"]}`:               "InvalidParameterValue `Words.1`",
		`{"Words":["cve","CVE"]}`:                "InvalidParameterValue `Words.1`",
		`{"Words":["CVE","RISK","CVE","x"]}`:     "InvalidParameterValue `Words`",
		`{"Filters":[{"Name":"x","Values":[]}]}`: "InvalidParameterValue `Filters.0.Values`",
		`{"Box":[]}`:                             "InvalidParameter `Box`",
		`{"Box":{}}`:                             "MissingParameter `Box.Label`",
		`{"Box":{"Label":null}}`:                 "MissingParameter `Box.Label`",
		`{"Box":{"Label":"x","Sides":[-1]}}`:     "InvalidParameterValue `Box.Sides.0`",
		`{"Boxes":[{"Label":"x"},{"Label":"x","Inner":{"Bogus":1}}]}`: "UnknownParameter `Boxes.1.Inner.Bogus`",
		`{"Boxes":[{"Label":"x"},{"Label":"y"},{"Label":"x"}]}`:       "InvalidParameterValue `Boxes.2`",
		`{"Filters":[{"Name":"x"}]}`:                                  "MissingParameter `Filters.0.Values`",
		`{"Filters":[{"Name":"x","Values":["a",2]}]}`:                 "InvalidParameter `Filters.0.Values.1`",
		`{"text":"x"}`: "UnknownParameter `text`",
		`{"":1}`:       "UnknownParameter ``",
		`{"Bogus":null,"Text":1,"Box":{},"Level":9}`: "UnknownParameter `Bogus`",
		`{"Text":1,"Box":{},"Level":9}`:              "MissingParameter `Box.Label`",
		`{"Level":9,"Text":1}`:                       "InvalidParameter `Text`",
		`[]`:                                         "InvalidParameter ",
		`"x"`:                                        "InvalidParameter ",
		`{"Text":"x",}`:                              "InvalidParameter ",
		`{'Text':1}`:                                 "InvalidParameter ",
		"\ufeff{}":                                   "InvalidParameter ",
		strings.Repeat(`{"Box":`, 20000):             "InvalidParameter ",
		`{"Bogus":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`: "UnknownParameter `Bogus`",
	} {
		_, err := decodeJSON(body)
		checkFault(t, body, err, want)
	}
}

// checkFault compares an error with its code and the parameter it names.
func checkFault(t *testing.T, input string, err error, want string) {
	t.Helper()
	code, name, _ := strings.Cut(want, " ")
	var fault *Error
	if !errors.As(err, &fault) || fault.Code != code || !strings.Contains(fault.Message, name) || !strings.Contains(fault.MessageZh, name) {
		t.Errorf("%.80s: got %v, want %s", input, err, want)
	}
}

func TestDecodeJSONValues(t *testing.T) {
	for body, want := range map[string]*testEcho{
		``:                                      {},
		" {\n} ":                                {},
		`{"Text":null,"Words":null,"Box":null}`: {},
		`{"Words":[]}`:                          {Words: []string{}},
		`{"Text":"a","Text":"b"}`:               {Text: new("b")},
		`{"Box":{"Label":"a","Sides":[1]},"Box":{"Label":"b"}}`: {Box: &testBox{Label: new("b")}},
		`{"Text":1,"Text":"b"}`:                                 {Text: new("b")},
		`{"Text":"\u6d4b\u8bd5\ud83d\ude00"}`:                   {Text: new("测试😀")},
		`{"Text":"测试<&>"}`:                                      {Text: new("测试<&>")},
		`{"\u0054ext":"a\"}]\\"}`:                               {Text: new(`a"}]\`)},
		`{"Text":"\ud800"}`:                                     {Text: new("\ufffd")},
		"{\"Text\":\"\xff\"}":                                   {Text: new("\ufffd")},
		`{"Text":"测试测试测试测试"}`:                                   {Text: new("测试测试测试测试")},
		`{"Count":18446744073709551615}`:                        {Count: new(uint64(18446744073709551615))},
		`{"Count":0,"Signed":-5}`:                               {Count: new(uint64(0)), Signed: new(int64(-5))},
		`{"Ratio":-1.5e-3}`:                                     {Ratio: new(-0.0015)},
		`{"Ratio":1}`:                                           {Ratio: new(1.0)},
		`{"Words":["cve","Risk"],"Level":2}`:                    {Words: []string{"CVE", "RISK"}, Level: new(uint64(2))},
		`{"All":true,"Flag":false}`:                             {All: new(true), Flag: new(false)},
		`{ "Numbers" : [ 1 , -2 ] , "Boxes" : [ { "Label" : "x" , "Inner" : { "Open" : true } } ] }`: {
			Numbers: []int64{1, -2}, Boxes: []testBox{{Label: new("x"), Inner: &testLid{Open: new(true)}}}},
	} {
		got, err := decodeJSON(body)
		if err != nil {
			t.Errorf("%s: %v", body, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", body, diff)
		}
	}
}

func TestDecodeFlattenedFaults(t *testing.T) {
	for query, want := range map[string]string{
		"Words=CVE":                        "InvalidParameter `Words`",
		"Words.x=CVE":                      "InvalidParameter `Words`",
		"Words.00=CVE":                     "InvalidParameter `Words.00`",
		"Words.99999999999=CVE":            "InvalidParameter `Words.99999999999`",
		"Words.7=CVE&Words.9=SPAM":         "InvalidParameterValue `Words.9`",
		"Boxes=1&Boxes.0.Label=x":          "InvalidParameter `Boxes.0.Label`",
		"Boxes.0.Label=x&Boxes=1":          "InvalidParameter `Boxes`",
		"Text=a&Text=b":                    "InvalidParameter `Text`",
		"Text.0=a":                         "InvalidParameter `Text`",
		"Count=":                           "InvalidParameter `Count`",
		"Count=1.0":                        "InvalidParameter `Count`",
		"Count=0x1":                        "InvalidParameter `Count`",
		"Count=%2B1":                       "InvalidParameter `Count`",
		"Count=1_000":                      "InvalidParameter `Count`",
		"Count=-1":                         "InvalidParameterValue `Count`",
		"Count=18446744073709551616":       "InvalidParameterValue `Count`",
		"Ratio=NaN":                        "InvalidParameter `Ratio`",
		"Ratio=1-2":                        "InvalidParameter `Ratio`",
		"Ratio=-Inf":                       "InvalidParameter `Ratio`",
		"Ratio=1e999":                      "InvalidParameterValue `Ratio`",
		"Flag=1":                           "InvalidParameter `Flag`",
		"Flag=":                            "InvalidParameter `Flag`",
		"Box=x":                            "InvalidParameter `Box`",
		"Box.Sides.0=1":                    "MissingParameter `Box.Label`",
		"Box.Label=x&Box.Inner.Bogus=1":    "UnknownParameter `Box.Inner.Bogus`",
		"Boxes.3.Sides.0=1":                "MissingParameter `Boxes.3.Label`",
		"=x":                               "InvalidParameter ``",
		"Box..Label=x":                     "InvalidParameter `Box..Label`",
		".Text=x":                          "InvalidParameter `.Text`",
		"Text.=x":                          "InvalidParameter `Text.`",
		"0=x":                              "InvalidParameter `0`",
		"Te+xt=x":                          "InvalidParameter `Te xt`",
		"Text":                             "InvalidParameter `Text`",
		"Text=%":                           "InvalidParameter `%`",
		"Action=Echo":                      "UnknownParameter `Action`",
		strings.Repeat("a.", 9000) + "a=1": "UnknownParameter `a`",
	} {
		_, err := decodeQuery(query)
		checkFault(t, query, err, want)
	}
}

func TestDecodeFlattenedValues(t *testing.T) {
	for query, want := range map[string]*testEcho{
		"":                                {},
		"Text=a+b%2Fc":                    {Text: new("a b/c")},
		"Text=%E6%B5%8B&":                 {Text: new("测")},
		"Text=a=b":                        {Text: new("a=b")},
		"Text=%FF":                        {Text: new("\ufffd")},
		"Flag=True&All=FALSE":             {Flag: new(true), All: new(false)},
		"Count=18446744073709551615":      {Count: new(uint64(18446744073709551615))},
		"Signed=-5&Ratio=-1.5e-3":         {Signed: new(int64(-5)), Ratio: new(-0.0015)},
		"Words.1=risk&Words.2=CVE":        {Words: []string{"RISK", "CVE"}},
		"Words.5=CVE&Words.2=RISK":        {Words: []string{"RISK", "CVE"}},
		"Numbers.10=10&Numbers.9=9":       {Numbers: []int64{9, 10}},
		"Box.Label=x&Box.Inner.Open=tRUE": {Box: &testBox{Label: new("x"), Inner: &testLid{Open: new(true)}}},
		"Filters.0.Name=n&Filters.0.Values.0=v&Filters.0.ExactMatch=True&Filters.1.Name=m&Filters.1.Values.0=": {
			Filters: []testFilter{{Name: new("n"), Values: []string{"v"}, ExactMatch: new(true)}, {Name: new("m"), Values: []string{""}}}},
	} {
		got, err := decodeQuery(query)
		if err != nil {
			t.Errorf("%s: %v", query, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
}

// part is one part of a multipart body.
type part struct{ name, contentType, content string }

func multipartBody(t *testing.T, parts []part) (contentType, body string) {
	t.Helper()
	var b strings.Builder
	w := multipart.NewWriter(&b)
	for _, p := range parts {
		h := textproto.MIMEHeader{"Content-Disposition": {`form-data; name="` + p.name + `"`}}
		if p.contentType != "" {
			h.Set("Content-Type", p.contentType)
		}
		out, err := w.CreatePart(h)
		if err != nil {
			t.Fatal(err)
		}
		out.Write([]byte(p.content))
	}
	w.Close()
	return w.FormDataContentType(), b.String()
}

func TestDecodeMultipart(t *testing.T) {
	const asJSON = "application/json"
	for name, c := range map[string]struct {
		parts []part
		want  *testEcho
		fault string
	}{
		"nothing":      {nil, &testEcho{}, ""},
		"texts":        {[]part{{"Text", "", "a b"}, {"Count", "text/plain", "7"}, {"Flag", "", "True"}}, &testEcho{Text: new("a b"), Count: new(uint64(7)), Flag: new(true)}, ""},
		"lists":        {[]part{{"Words", asJSON, `["CVE"]`}, {"Box", asJSON + "; charset=utf-8", ` {"Label":"x"} `}}, &testEcho{Words: []string{"CVE"}, Box: &testBox{Label: new("x")}}, ""},
		"dotted":       {[]part{{"Words.0", "", "CVE"}, {"Boxes.0", asJSON, `{"Label":"y"}`}}, &testEcho{Words: []string{"CVE"}, Boxes: []testBox{{Label: new("y")}}}, ""},
		"null":         {[]part{{"Words", asJSON, `null`}}, &testEcho{}, ""},
		"not JSON":     {[]part{{"Words", asJSON, `[`}}, nil, "InvalidParameter `Words`"},
		"empty JSON":   {[]part{{"Words", asJSON, ``}}, nil, "InvalidParameter `Words`"},
		"strict JSON":  {[]part{{"Count", asJSON, `"7"`}}, nil, "InvalidParameter `Count`"},
		"no name":      {[]part{{"", "", "x"}}, nil, "InvalidRequest "},
		"twice":        {[]part{{"Text", "", "a"}, {"Text", "", "b"}}, nil, "InvalidParameter `Text`"},
		"null element": {[]part{{"Boxes.0", asJSON, `null`}}, nil, "InvalidParameter `Boxes.0`"},
	} {
		t.Run(name, func(t *testing.T) {
			contentType, body := multipartBody(t, c.parts)
			if len(c.parts) == 0 {
				contentType, body = "multipart/form-data; charset=utf-8; boundary=b", "--b--\r\n"
			}
			got, err := decodeEcho(parseMultipart(contentType, []byte(body)))
			if c.fault != "" {
				checkFault(t, body, err, c.fault)
			} else if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
	if _, err := decodeEcho(parseMultipart("multipart/form-data; boundary=b", []byte("--b\r\nContent-Disposition: form-data; name=\"Text\"\r\n\r\ncut"))); err == nil {
		t.Error("a body without its closing line is accepted")
	}
}

// The forms agree: what one can say comes out the same in another.
func TestFormsAgree(t *testing.T) {
	want := &testEcho{Text: new("a b"), Count: new(uint64(7)), Words: []string{"CVE", "RISK"}, Box: &testBox{Label: new("测"), Sides: []uint64{1, 2}}}
	body, err := json.Marshal(map[string]any{"Text": "a b", "Count": 7, "Words": []string{"CVE", "RISK"}, "Box": map[string]any{"Label": "测", "Sides": []int{1, 2}}})
	if err != nil {
		t.Fatal(err)
	}
	fromJSON, err := decodeJSON(string(body))
	if diff := cmp.Diff(want, fromJSON); diff != "" || err != nil {
		t.Errorf("JSON: %v\n%s", err, diff)
	}
	fromQuery, err := decodeQuery("Box.Sides.1=2&Box.Sides.0=1&Box.Label=%E6%B5%8B&Words.0=CVE&Words.1=RISK&Count=7&Text=a%20b")
	if diff := cmp.Diff(want, fromQuery); diff != "" || err != nil {
		t.Errorf("query: %v\n%s", err, diff)
	}
}
