package cloudapi

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sort"
	"strings"
	"testing"
	"time"
)

// The key and moment of the published vectors; the key opens nothing.
const (
	testID     = "AKIDTESTONLY00000000000000000000test"
	testSecret = "TestOnlySecretKey0123456789abcdef"
	testUnix   = 1700000000
	testStamp  = "1700000000"
	testDate   = "2023-11-14"
)

type testFilter struct {
	Name       *string  `json:"Name" api:"required"`
	Values     []string `json:"Values" api:"required,minitems=1,maxitems=3"`
	ExactMatch *bool    `json:"ExactMatch"`
}

type testBox struct {
	Label *string  `json:"Label" api:"required,maxlen=8"`
	Sides []uint64 `json:"Sides"`
	Inner *testLid `json:"Inner"`
}

type testLid struct {
	Open *bool `json:"Open"`
}

// testEcho has a member of every type and rule; the response repeats it.
type testEcho struct {
	Text    *string      `json:"Text" api:"minlen=1,maxlen=8" doc:"a short text"`
	Flag    *bool        `json:"Flag"`
	Signed  *int64       `json:"Signed" api:"min=-5,max=5"`
	Count   *uint64      `json:"Count"`
	Ratio   *float64     `json:"Ratio" api:"max=1.5"`
	Words   []string     `json:"Words" api:"enum=CVE|VIRUS|RISK,fold,unique,maxitems=3"`
	Level   *uint64      `json:"Level" api:"enum=1|2|3"`
	Numbers []int64      `json:"Numbers"`
	Box     *testBox     `json:"Box"`
	Boxes   []testBox    `json:"Boxes" api:"unique"`
	Filters []testFilter `json:"Filters"`
	All     *bool        `json:"All" api:"disabled"`
}

type testUpdate struct {
	Enable     *bool    `json:"Enable" api:"required"`
	ScanPeriod *uint64  `json:"ScanPeriod" api:"required,min=1,max=365" doc:"days between two runs"`
	ScanTime   *string  `json:"ScanTime" api:"required"`
	ScanType   []string `json:"ScanType" api:"enum=CVE|VIRUS|RISK,fold"`
	Namespace  []string `json:"Namespace"`
}

type testPage struct {
	Limit   *uint64      `json:"Limit"`
	Offset  *uint64      `json:"Offset"`
	Filters []testFilter `json:"Filters"`
}

type testItem struct {
	Name string  `json:"Name"`
	Note *string `json:"Note" api:"nullable"`
}

type testList struct {
	TotalCount uint64     `json:"TotalCount"`
	List       []testItem `json:"List"`
}

type testNothing struct{}

func testAPI() *API {
	api := NewAPI("tcss", "2020-11-01")
	Handle(api, Action{Name: "Echo", Doc: "answers what it is asked"}, func(_ context.Context, _ Caller, r *testEcho) (*testEcho, error) { return r, nil })
	Handle(api, Action{Name: "UpdateImageRegistryTimingScanTask", Role: RoleOperator},
		func(context.Context, Caller, *testUpdate) (*testNothing, error) { return nil, nil })
	Handle(api, Action{Name: "DescribeImageRegistryTimingScanTask"},
		func(context.Context, Caller, *testNothing) (*testNothing, error) { return nil, nil })
	Handle(api, Action{Name: "DescribeAssetImageRegistryList"},
		func(context.Context, Caller, *testPage) (*testList, error) { return &testList{}, nil })
	Handle(api, Action{Name: "Fail"}, func(context.Context, Caller, *testNothing) (*testNothing, error) {
		return nil, fmt.Errorf("secret detail: %w", io.ErrUnexpectedEOF)
	})
	Handle(api, Action{Name: "Refuse"}, func(context.Context, Caller, *testNothing) (*testNothing, error) {
		return nil, fmt.Errorf("wrapped: %w", NewError("ResourceNotFound", "no image %d", "镜像%d不存在", 7))
	})
	Handle(api, Action{Name: "Panic"}, func(context.Context, Caller, *testNothing) (*testNothing, error) { panic("bug") })
	api.Offline("DescribeClusterSummary")
	return api
}

// testKeys is a store of a few keys; one of them can't be read.
type testKeys struct{}

func (testKeys) Key(_ context.Context, id string) (Key, error) {
	key := Key{SecretID: id, SecretKey: testSecret, AccountID: 1, Role: RoleAdministrator}
	switch id {
	case testID:
	case "disabled":
		key.Disabled = true
	case "reader":
		key.Role = RoleReadOnly
	case "other":
		key.AccountID = 2
	case "console":
		key.SecretKey = ""
	case "broken":
		return Key{}, io.ErrUnexpectedEOF
	default:
		return Key{}, ErrNoKey
	}
	return key, nil
}

func testServer(change ...func(*Options)) http.Handler {
	o := Options{Keys: testKeys{}, Now: func() time.Time { return time.Unix(testUnix, 0) }, RateLimit: -1}
	for _, f := range change {
		f(&o)
	}
	return NewServer(testAPI(), o)
}

// testCall is a v3 request to be signed. Its zero values are those of a proper
// call of Echo.
type testCall struct {
	method, host, contentType, query, body string
	action, version, timestamp             string
	id, secret, date, service, signedHost  string
	header                                 map[string]string
	unsigned                               bool
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// complete sets what a call leaves to the usual values.
func (c testCall) complete() testCall {
	c.method, c.host = or(c.method, "POST"), or(c.host, "localhost:8080")
	if c.contentType == "" {
		c.contentType = map[string]string{"POST": "application/json", "GET": "application/x-www-form-urlencoded"}[c.method]
	}
	c.timestamp, c.date, c.service = or(c.timestamp, testStamp), or(c.date, testDate), or(c.service, "tcss")
	c.id, c.secret, c.signedHost = or(c.id, testID), or(c.secret, testSecret), or(c.signedHost, c.host)
	return c
}

// request signs the call, step by step as the documentation describes it and
// without the code under test.
func (c testCall) request() *http.Request {
	c = c.complete()
	r := httptest.NewRequest(c.method, "/?"+c.query, strings.NewReader(c.body))
	r.Host = c.host
	r.Header.Set("Content-Type", c.contentType)
	r.Header.Set("X-TC-Action", or(c.action, "Echo"))
	r.Header.Set("X-TC-Version", or(c.version, "2020-11-01"))
	r.Header.Set("X-TC-Timestamp", c.timestamp)
	if c.unsigned {
		r.Header.Set("X-TC-Content-SHA256", "UNSIGNED-PAYLOAD")
	}
	r.Header.Set("Authorization", c.authorization())
	for name, value := range c.header {
		if value == "-" {
			r.Header.Del(name)
		} else {
			r.Header.Set(name, value)
		}
	}
	return r
}

// authorization is the header of a call whose members are all set.
func (c testCall) authorization() string {
	payload := c.body
	if c.unsigned {
		payload = "UNSIGNED-PAYLOAD"
	} else if c.method == "GET" {
		payload = ""
	}
	canonical := c.method + "\n/\n" + c.query + "\ncontent-type:" + c.contentType + "\nhost:" + c.signedHost +
		"\n\ncontent-type;host\n" + hexSHA256(payload)
	scope := c.date + "/" + c.service + "/tc3_request"
	text := "TC3-HMAC-SHA256\n" + c.timestamp + "\n" + scope + "\n" + hexSHA256(canonical)
	key := macOf(sha256.New, "TC3"+c.secret, c.date)
	key = macOf(sha256.New, key, c.service)
	key = macOf(sha256.New, key, "tc3_request")
	return "TC3-HMAC-SHA256 Credential=" + c.id + "/" + scope +
		", SignedHeaders=content-type;host, Signature=" + hex.EncodeToString([]byte(macOf(sha256.New, key, text)))
}

func hexSHA256(s string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(s))) }

func macOf(algorithm func() hash.Hash, key, text string) string {
	h := hmac.New(algorithm, []byte(key))
	io.WriteString(h, text)
	return string(h.Sum(nil))
}

// callV1 is a signed v1 request; extra parameters replace the usual ones, and
// "-" leaves one out.
func callV1(method, host string, extra map[string]string) *http.Request {
	params := map[string]string{"Action": "Echo", "Version": "2020-11-01", "Timestamp": testStamp, "Nonce": "11886", "SecretId": testID}
	for name, value := range extra {
		params[name] = value
	}
	var names []string
	for name, value := range params {
		if value == "-" {
			delete(params, name)
		} else if name != "Signature" {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	var signed []string
	form := url.Values{}
	for _, name := range names {
		signed = append(signed, name+"="+params[name])
		form.Set(name, params[name])
	}
	algorithm := func() hash.Hash { return sha1.New() }
	if params["SignatureMethod"] == "HmacSHA256" {
		algorithm = sha256.New
	}
	if extra["Signature"] != "-" {
		mac := macOf(algorithm, testSecret, method+host+"/?"+strings.Join(signed, "&"))
		form.Set("Signature", or(extra["Signature"], base64.StdEncoding.EncodeToString([]byte(mac))))
	}
	var r *http.Request
	if method == "GET" {
		r = httptest.NewRequest(method, "/?"+form.Encode(), nil)
	} else {
		r = httptest.NewRequest(method, "/", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Host = host
	return r
}

// answer is an opened envelope.
type answer struct {
	Code, Message, RequestID string
	Response                 map[string]any
	Raw                      string
	Header                   http.Header
}

// ask sends a request and checks what holds for every answer.
func ask(t testing.TB, h http.Handler, r *http.Request) answer {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return readAnswer(t, w.Result())
}

func readAnswer(t testing.TB, result *http.Response) answer {
	t.Helper()
	body, err := io.ReadAll(result.Body)
	if err != nil {
		t.Fatalf("read answer: %v", err)
	}
	if result.StatusCode != 200 || result.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("status %d, content type %q", result.StatusCode, result.Header.Get("Content-Type"))
	}
	var envelope struct {
		Response map[string]any
	}
	if err := json.Unmarshal(body, &envelope); err != nil || envelope.Response == nil {
		t.Fatalf("answer %q: %v", body, err)
	}
	a := answer{Response: envelope.Response, Raw: string(body), Header: result.Header}
	a.RequestID, _ = envelope.Response["RequestId"].(string)
	if len(a.RequestID) != 36 || a.RequestID != result.Header.Get("X-TC-RequestId") {
		t.Fatalf("request id %q in %s", a.RequestID, body)
	}
	if failed, ok := envelope.Response["Error"].(map[string]any); ok {
		a.Code, _ = failed["Code"].(string)
		a.Message, _ = failed["Message"].(string)
	} else if _, has := envelope.Response["Error"]; has {
		t.Fatalf("an Error that is not an object in %s", body)
	}
	return a
}
