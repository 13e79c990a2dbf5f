package cloudapi

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// What is parsed out of an Authorization header, written again, parses to the same.
func FuzzAuthorizationHeader(f *testing.F) {
	f.Add(testCall{}.request().Header.Get("Authorization"))
	f.Add("SKIP")
	f.Add("TC3-HMAC-SHA256 Credential=a/b/http://x/tc3_request ,SignedHeaders=HOST;content-type,\tSignature=" + strings.Repeat("aF", 32))
	f.Fuzz(func(t *testing.T, header string) {
		c, fault := parseAuthorization([]string{header})
		if fault != nil {
			if fault.Code != codeInvalidAuthorization {
				t.Errorf("fault %v", fault)
			}
			return
		}
		again, fault := parseAuthorization([]string{fmt.Sprintf("TC3-HMAC-SHA256 Credential=%s/%s/%s/tc3_request,SignedHeaders=%s,Signature=%s",
			c.secretID, c.date, c.service, strings.Join(c.signed, ";"), hex.EncodeToString(c.signature))})
		if fault != nil || !reflect.DeepEqual(c, again) {
			t.Errorf("%+v became %+v, %v", c, again, fault)
		}
	})
}

// checkAccepted checks that a request that was accepted survives being written
// as JSON and read again, and that a refused one was refused for a known reason.
func checkAccepted(t *testing.T, got *testEcho, err error) {
	t.Helper()
	if err != nil {
		var fault *Error
		ok := errors.As(err, &fault)
		known := []string{codeInvalidParameter, codeInvalidParameterValue, codeMissingParameter, codeUnknownParameter, codeInvalidRequest}
		if !ok || !slices.Contains(known, fault.Code) {
			t.Fatalf("fault %v", err)
		}
		return
	}
	text, err := appendObject(nil, declare(reflect.TypeFor[testEcho](), sideResponse), reflect.ValueOf(*got), "")
	if err != nil {
		t.Fatalf("%+v can't be written: %v", got, err)
	}
	again, err := decodeJSON(string(text))
	if err != nil {
		t.Fatalf("%s is not accepted again: %v", text, err)
	}
	if diff := cmp.Diff(got, again, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("read again (-before +after):\n%s", diff)
	}
}

func FuzzDecodeJSON(f *testing.F) {
	for _, seed := range []string{
		`{"Text":"\u6d4b\ud83d\ude00","Flag":true,"Signed":-5,"Count":18446744073709551615,"Ratio":1.25e-3,"Words":["cve","RISK"]}`,
		` { "Box" : { "Label" : "x" , "Sides" : [ 1 , 2 ] } , "Boxes":[{"Label":"]}\"\\"}],"Filters":[{"Name":"n","Values":["v"]}]}`,
		`{"Text":null,"Text":"a","Bogus":[[{}],"\u005d"]}`, `{"Count":1.0}`, `{"Ratio":1e1000}`, `[]`, `{`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		n, fault := parseJSON(body)
		var want map[string]any
		if fault == nil && len(bytes.TrimSpace(body)) > 0 {
			// Depth aside, the nodes are what the standard library reads. A number
			// that no float64 holds is well-formed; what it is worth, the model says.
			var tooLarge *json.UnmarshalTypeError
			err := json.Unmarshal(body, &want)
			if err != nil && !errors.As(err, &tooLarge) {
				t.Fatalf("accepted, but: %v", err)
			}
			if err == nil {
				if diff := cmp.Diff(any(want), generic(t, n)); diff != "" {
					t.Errorf("(-standard library +nodes):\n%s", diff)
				}
			}
		}
		got, err := decodeEcho(n, fault)
		checkAccepted(t, got, err)
	})
}

// generic is a JSON node as the standard library would decode it.
func generic(t *testing.T, n node) any {
	if members, ok := n.object(); ok {
		object := map[string]any{}
		for name, member := range members {
			object[name] = generic(t, member)
		}
		return object
	}
	if items, count, ok := n.list(); ok {
		list := []any{}
		for i, item := range items {
			if i != len(list) {
				t.Errorf("index %d of element %d", i, len(list))
			}
			list = append(list, generic(t, item))
		}
		if len(list) != count {
			t.Errorf("%d elements, %d announced", len(list), count)
		}
		return list
	}
	for _, k := range []kind{kindString, kindBool, kindFloat} {
		if v, verdict := n.scalar(k); verdict == fits {
			return map[kind]any{kindString: v.s, kindBool: v.b, kindFloat: v.f}[k]
		}
	}
	if n.null() {
		return nil
	}
	t.Errorf("a node that is nothing: %s", n)
	return nil
}

func FuzzFlatten(f *testing.F) {
	for _, seed := range []string{
		"Text=a+b%2Fc&Flag=True&Signed=-5&Count=7&Ratio=1e-3&Words.1=cve&Words.7=RISK", "Box.Label=x&Box.Sides.10=1&Box.Sides.9=2&Box.Inner.Open=FALSE",
		"Filters.0.Name=n&Filters.0.Values.0=v", "Boxes=1&Boxes.0.Label=x", "Text", "a.a.a.0.0=%", "&&=",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		got, err := decodeQuery(query)
		checkAccepted(t, got, err)
		pairs, fault := parsePairs(query)
		if err != nil || fault != nil {
			return
		}
		slices.Reverse(pairs)
		reversed, err := decodeEcho(flattened(pairs, nil))
		if diff := cmp.Diff(got, reversed); diff != "" || err != nil {
			t.Errorf("in another order: %v\n%s", err, diff)
		}
	})
}

func FuzzMultipart(f *testing.F) {
	f.Add("multipart/form-data; boundary=b", []byte("--b\r\nContent-Disposition: form-data; name=\"Text\"\r\n\r\nx\r\n"+
		"--b\r\nContent-Disposition: form-data; name=\"Words\"\r\nContent-Type: application/json\r\n\r\n[\"CVE\"]\r\n--b--\r\n"))
	f.Add("multipart/form-data; charset=utf-8; boundary=\"b c\"", []byte("--b c--"))
	f.Add("multipart/form-data", []byte("--"))
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		got, err := decodeEcho(parseMultipart(contentType, body))
		checkAccepted(t, got, err)
	})
}

// The parameters of v1 agree with the standard library's reading, keep blanks,
// and their signed text does not depend on their order.
func FuzzV1Parameters(f *testing.F) {
	f.Add("Action=Echo&Region=&Nonce=1&Text=a+b%2Fc&Signature=x")
	f.Add("A.10=1&A.2=2&A_1=3")
	f.Add("a&%zz=1&&=")
	f.Fuzz(func(t *testing.T, body string) {
		pairs, fault := parsePairs(body)
		want, err := url.ParseQuery(body)
		if fault != nil {
			return
		}
		if err == nil {
			got := url.Values{}
			for _, p := range pairs {
				got.Add(p.name, p.value)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-standard library +pairs):\n%s", diff)
			}
		}
		names := map[string]bool{}
		for _, p := range pairs {
			names[p.name] = true
		}
		if len(names) < len(pairs) {
			return
		}
		text := paramsV1(pairs, false)
		slices.Reverse(pairs)
		if again := paramsV1(pairs, false); again != text {
			t.Errorf("%q in another order: %q", text, again)
		}
	})
}

// Whatever the bytes and however they are cut into reads, the listener changes
// nothing but a scheme behind Host: at the beginning of a line.
func FuzzQuirkListener(f *testing.F) {
	f.Add([]byte("POST / HTTP/1.1\r\nHost: http://x\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\nhost:\thttps://y\r\n\r\n"), uint8(3), uint8(5))
	f.Add([]byte("POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n3\nabc\n0\n\nGET / HTTP/1.1\nHost: http://"), uint8(1), uint8(1))
	f.Fuzz(func(t *testing.T, in []byte, pieces, reads uint8) {
		whole := repaired(t, in, max(1, len(in)), 4096)
		if got := repaired(t, in, int(pieces)+1, int(reads)+1); !bytes.Equal(got, whole) {
			t.Fatalf("in pieces of %d, read by %d:\n%q\nwhole:\n%q", int(pieces)+1, int(reads)+1, got, whole)
		}
		if len(whole) != len(in) {
			t.Fatalf("%d bytes became %d", len(in), len(whole))
		}
		for i := 0; i < len(in); i++ {
			if in[i] == whole[i] {
				continue
			}
			line := in[bytes.LastIndexByte(in[:i], '\n')+1:]
			scheme := line[:bytes.Index(line, []byte("//"))+2]
			if len(scheme) < len("host:http://") || !strings.EqualFold(string(scheme[:5]), "host:") {
				t.Fatalf("changed at %d in the line %.60q", i, line)
			}
			value := bytes.TrimLeft(scheme[5:], " \t")
			if !strings.EqualFold(string(value), "http://") && !strings.EqualFold(string(value), "https://") {
				t.Fatalf("%q was overwritten", value)
			}
			if len(bytes.TrimSpace(whole[i:i+len(value)])) > 0 {
				t.Fatalf("%q was overwritten with %q", value, whole[i:i+len(value)])
			}
			i += len(value)
		}
	})
}

// No properly signed request reaches an internal error, whatever its body.
func FuzzSignedCall(f *testing.F) {
	f.Add("POST", "application/json", "", `{"Text":"x"}`)
	f.Add("GET", "", "Text=x", "")
	f.Add("POST", "application/x-www-form-urlencoded", "", "Text=x")
	f.Add("POST", "multipart/form-data; boundary=b", "", "--b--")
	h := testServer()
	f.Fuzz(func(t *testing.T, method, contentType, query, body string) {
		if method != "GET" && method != "POST" {
			method = "POST"
		}
		call := testCall{method: method, contentType: strings.TrimSpace(contentType), query: query, body: body}.complete()
		r := testCall{}.request()
		r.Method, r.URL.RawQuery, r.Body, r.ContentLength = method, query, io.NopCloser(strings.NewReader(body)), int64(len(body))
		r.Header.Set("Content-Type", call.contentType)
		r.Header.Set("Authorization", call.authorization())
		if a := ask(t, h, r); a.Code == codeInternalError || strings.HasPrefix(a.Code, "AuthFailure") {
			t.Errorf("answer %s", a.Raw)
		}
	})
}
