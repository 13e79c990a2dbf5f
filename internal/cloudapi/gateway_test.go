package cloudapi

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestGatewayErrors(t *testing.T) {
	with := func(name, value string) map[string]string { return map[string]string{name: value} }
	good := testCall{}.request().Header.Get("Authorization")
	for name, c := range map[string]struct {
		request *http.Request
		code    string
		message string // that the English message contains
	}{
		"proper":                {testCall{}.request(), "", ""},
		"method":                {testCall{method: "PUT"}.request(), "UnsupportedProtocol", "PUT"},
		"content type":          {testCall{contentType: "text/plain"}.request(), "UnsupportedProtocol", "text/plain"},
		"octet stream":          {testCall{contentType: "application/octet-stream"}.request(), "UnsupportedProtocol", "octet-stream"},
		"no content type":       {testCall{header: with("Content-Type", "-")}.request(), "UnsupportedProtocol", ""},
		"no action":             {testCall{header: with("X-TC-Action", "-")}.request(), "MissingParameter", "`X-TC-Action`"},
		"no version":            {testCall{header: with("X-TC-Version", "-")}.request(), "MissingParameter", "`X-TC-Version`"},
		"no timestamp":          {testCall{header: with("X-TC-Timestamp", "-")}.request(), "MissingParameter", "`X-TC-Timestamp`"},
		"timestamp a word":      {testCall{header: with("X-TC-Timestamp", "now")}.request(), "InvalidParameter", "`X-TC-Timestamp`"},
		"timestamp signed":      {testCall{header: with("X-TC-Timestamp", "+1700000000")}.request(), "InvalidParameter", "`X-TC-Timestamp`"},
		"no authorization":      {testCall{header: with("Authorization", "-")}.request(), "AuthFailure.InvalidAuthorization", "missing"},
		"skip":                  {testCall{header: with("Authorization", "SKIP")}.request(), "AuthFailure.InvalidAuthorization", ""},
		"other algorithm":       {testCall{header: with("Authorization", strings.Replace(good, "SHA256", "SHA512", 1))}.request(), "AuthFailure.InvalidAuthorization", ""},
		"no host signed":        {testCall{header: with("Authorization", strings.Replace(good, ";host", "", 1))}.request(), "AuthFailure.InvalidAuthorization", "host"},
		"short signature":       {testCall{header: with("Authorization", good[:len(good)-2])}.request(), "AuthFailure.InvalidAuthorization", "64"},
		"white space":           {testCall{header: with("Authorization", strings.ReplaceAll(good, ", ", "  ,\t "))}.request(), "", ""},
		"no space":              {testCall{header: with("Authorization", strings.ReplaceAll(good, ", ", ","))}.request(), "", ""},
		"unknown key":           {testCall{id: "nobody"}.request(), "AuthFailure.SecretIdNotFound", ""},
		"disabled key":          {testCall{id: "disabled"}.request(), "AuthFailure.SecretIdNotFound", ""},
		"wrong kind of key":     {testCall{id: "console"}.request(), "AuthFailure.InvalidSecretId", ""},
		"key store fails":       {testCall{id: "broken"}.request(), "ServiceUnavailable", ""},
		"early":                 {testCall{timestamp: "1699999699"}.request(), "AuthFailure.SignatureExpire", "clock"},
		"just in time":          {testCall{timestamp: "1699999700"}.request(), "", ""},
		"late":                  {testCall{timestamp: "1700000301"}.request(), "AuthFailure.SignatureExpire", "clock"},
		"other secret":          {testCall{secret: "guess"}.request(), "AuthFailure.SignatureFailure", ""},
		"other date":            {testCall{date: "2023-11-15"}.request(), "AuthFailure.SignatureFailure", "date"},
		"other service":         {testCall{service: "cvm"}.request(), "AuthFailure.SignatureFailure", "`cvm`"},
		"token":                 {testCall{header: with("X-TC-Token", "t")}.request(), "AuthFailure.TokenFailure", ""},
		"role":                  {testCall{id: "reader", action: "UpdateImageRegistryTimingScanTask"}.request(), "AuthFailure.UnauthorizedOperation", "operator"},
		"version":               {testCall{version: "2017-03-12"}.request(), "NoSuchVersion", "2020-11-01"},
		"action":                {testCall{action: "echo"}.request(), "InvalidAction", "`echo`"},
		"offline":               {testCall{action: "DescribeClusterSummary"}.request(), "ActionOffline", ""},
		"empty body":            {testCall{}.request(), "", ""},
		"not JSON":              {testCall{body: "{"}.request(), "InvalidParameter", "JSON"},
		"not an object":         {testCall{body: "[]"}.request(), "InvalidParameter", "object"},
		"null":                  {testCall{body: "null"}.request(), "InvalidParameter", "object"},
		"trailing":              {testCall{body: "{} {}"}.request(), "InvalidParameter", "JSON"},
		"no equals sign":        {testCall{method: "GET", query: "Text"}.request(), "InvalidParameter", "`Text`"},
		"broken escape":         {testCall{method: "GET", query: "Text=%zz"}.request(), "InvalidParameter", "%zz"},
		"broken multipart":      {testCall{contentType: "multipart/form-data; boundary=b", body: "--b\r\n"}.request(), "InvalidRequest", ""},
		"multipart, no border":  {testCall{contentType: "multipart/form-data"}.request(), "InvalidRequest", ""},
		"query too long":        {testCall{method: "GET", query: "Text=" + strings.Repeat("x", maxGet)}.request(), "RequestSizeLimitExceeded", ""},
		"action's own error":    {testCall{action: "Refuse"}.request(), "ResourceNotFound", "no image 7"},
		"bug":                   {testCall{action: "Fail"}.request(), "InternalError", "RequestId"},
		"panic":                 {testCall{action: "Panic"}.request(), "InternalError", "RequestId"},
		"v1 nothing":            {httptest.NewRequest("GET", "/", nil), "MissingParameter", "`Action`"},
		"v1 no version":         {callV1("GET", "h", with("Version", "-")), "MissingParameter", "`Version`"},
		"v1 no key":             {callV1("GET", "h", with("SecretId", "-")), "MissingParameter", "`SecretId`"},
		"v1 no signature":       {callV1("POST", "h", with("Signature", "-")), "MissingParameter", "`Signature`"},
		"v1 no timestamp":       {callV1("POST", "h", with("Timestamp", "-")), "MissingParameter", "`Timestamp`"},
		"v1 no nonce":           {callV1("GET", "h", with("Nonce", "-")), "MissingParameter", "`Nonce`"},
		"v1 bad nonce":          {callV1("GET", "h", with("Nonce", "-1")), "InvalidParameter", "`Nonce`"},
		"v1 largest nonce":      {callV1("GET", "h", with("Nonce", "18446744073709551615")), "", ""},
		"v1 expired":            {callV1("GET", "h", with("Timestamp", "1600000000")), "AuthFailure.SignatureExpire", ""},
		"v1 unknown key":        {callV1("GET", "h", with("SecretId", "nobody")), "AuthFailure.SecretIdNotFound", ""},
		"v1 signature":          {callV1("GET", "h", with("Signature", "AAAA")), "AuthFailure.SignatureFailure", ""},
		"v1 not base64":         {callV1("GET", "h", with("Signature", "!")), "AuthFailure.SignatureFailure", ""},
		"v1 blank region":       {callV1("GET", "h", with("Region", "")), "", ""},
		"v1 other method":       {callV1("GET", "h", with("SignatureMethod", "HmacMD5")), "", ""},
		"v1 token":              {callV1("GET", "h", with("Token", "t")), "AuthFailure.TokenFailure", ""},
		"v1 unknown parameter":  {callV1("POST", "h", with("Bogus", "1")), "UnknownParameter", "`Bogus`"},
		"v1 underscore, no dot": {callV1("POST", "h", with("Under_score", "1")), "UnknownParameter", "`Under_score`"},
	} {
		t.Run(name, func(t *testing.T) {
			a := ask(t, testServer(), c.request)
			if a.Code != c.code || !strings.Contains(a.Message, c.message) {
				t.Errorf("answer %s, want %s with %q", a.Raw, c.code, c.message)
			}
		})
	}
}

// Where a request has several faults, the one that is checked first is told.
func TestOrderOfChecks(t *testing.T) {
	worst := testCall{method: "PUT", timestamp: "1", version: "x", action: "x", id: "nobody", secret: "x", body: "{",
		header: map[string]string{"X-TC-Action": "-", "Authorization": "-", "X-TC-Version": "-"}}
	step := func(mend func(*testCall)) testCall { mend(&worst); return worst }
	for _, c := range []struct {
		call testCall
		code string
	}{
		{step(func(c *testCall) { c.header = map[string]string{"X-TC-Action": "-"} }), "UnsupportedProtocol"},
		{step(func(c *testCall) { c.method = "POST" }), "MissingParameter"},
		{step(func(c *testCall) { c.header = map[string]string{"Authorization": "SKIP"} }), "AuthFailure.InvalidAuthorization"},
		{step(func(c *testCall) { c.header = nil; c.date = "1970-01-01" }), "AuthFailure.SignatureExpire"},
		{step(func(c *testCall) { c.timestamp, c.date = "", "" }), "AuthFailure.SecretIdNotFound"},
		{step(func(c *testCall) { c.id = "reader" }), "AuthFailure.SignatureFailure"},
		{step(func(c *testCall) { c.secret = "" }), "NoSuchVersion"},
		{step(func(c *testCall) { c.version = "" }), "InvalidAction"},
		{step(func(c *testCall) { c.action = "UpdateImageRegistryTimingScanTask" }), "AuthFailure.UnauthorizedOperation"},
		{step(func(c *testCall) { c.id = "" }), "InvalidParameter"},
		{step(func(c *testCall) { c.body = `{"ScanPeriod":0,"ScanTime":4,"Bogus":1}` }), "UnknownParameter"},
		{step(func(c *testCall) { c.body = `{"ScanPeriod":0,"ScanTime":4}` }), "MissingParameter"},
		{step(func(c *testCall) { c.body = `{"ScanPeriod":0,"ScanTime":4,"Enable":true}` }), "InvalidParameter"},
		{step(func(c *testCall) { c.body = `{"ScanPeriod":0,"ScanTime":"4","Enable":true}` }), "InvalidParameterValue"},
		{step(func(c *testCall) { c.body = `{"ScanPeriod":1,"ScanTime":"4","Enable":true}` }), ""},
	} {
		if a := ask(t, testServer(), c.call.request()); a.Code != c.code {
			t.Errorf("got %s, want %q", a.Raw, c.code)
		}
	}
}

func TestSpellingsOfHostAndService(t *testing.T) {
	for name, c := range map[string]struct {
		call testCall
		code string
	}{
		"as configured":          {testCall{host: "example.org:8080"}, ""},
		"upper case":             {testCall{host: "Example.ORG:8080", signedHost: "example.org:8080"}, ""},
		"upper case kept":        {testCall{host: "Example.ORG:8080"}, ""},
		"Node on localhost":      {testCall{signedHost: "localhost", service: "localhost:8080"}, ""},
		"Node on an address":     {testCall{host: "127.0.0.1:8080", signedHost: "127.0.0.1", service: "127"}, ""},
		"Node on a name":         {testCall{host: "tcss.example.org:8443", signedHost: "tcss.example.org"}, ""},
		"Java on localhost":      {testCall{service: "localhost:8080"}, ""},
		"TCCLI with a scheme":    {testCall{signedHost: "http://localhost:8080"}, ""},
		"scheme without a port":  {testCall{signedHost: "http://localhost"}, ""},
		"address in brackets":    {testCall{host: "[::1]:8080", signedHost: "[::1]"}, ""},
		"another host":           {testCall{signedHost: "elsewhere"}, "AuthFailure.SignatureFailure"},
		"another port":           {testCall{signedHost: "localhost:8081"}, "AuthFailure.SignatureFailure"},
		"another label":          {testCall{host: "127.0.0.1:8080", service: "128"}, "AuthFailure.SignatureFailure"},
		"part of a label":        {testCall{service: "local"}, "AuthFailure.SignatureFailure"},
		"forwarded, not trusted": {testCall{signedHost: "front:443", header: map[string]string{"X-Forwarded-Host": "front:443"}}, "AuthFailure.SignatureFailure"},
	} {
		t.Run(name, func(t *testing.T) {
			if a := ask(t, testServer(), c.call.request()); a.Code != c.code {
				t.Errorf("answer %s, want %q", a.Raw, c.code)
			}
		})
	}
	trusting := testServer(func(o *Options) { o.TrustForwardedHost = true })
	call := testCall{signedHost: "front", service: "front:443", header: map[string]string{"X-Forwarded-Host": "front:443, inner"}}
	if a := ask(t, trusting, call.request()); a.Code != "" {
		t.Errorf("forwarded and trusted: %s", a.Raw)
	}
}

// Java and Python sign a dot for an underscore in the names of v1.
func TestV1DottedNames(t *testing.T) {
	r := callV1("GET", "h", map[string]string{"Un.der": "1"})
	r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "Un.der", "Un_der", 1)
	if a := ask(t, testServer(), r); a.Code != "UnknownParameter" {
		t.Errorf("answer %s", a.Raw)
	}
}

func TestSizeLimits(t *testing.T) {
	filled := func(n int) string { return `{"Text":"` + strings.Repeat("x", n-11) + `"}` }
	for name, c := range map[string]struct {
		request *http.Request
		code    string
	}{
		"v3 at the limit":   {testCall{body: filled(maxPostV3)}.request(), "InvalidParameterValue"},
		"v3 over the limit": {testCall{body: filled(maxPostV3 + 1)}.request(), "RequestSizeLimitExceeded"},
		"v3 over, no length": {func() *http.Request {
			r := testCall{body: filled(maxPostV3 + 1)}.request()
			r.ContentLength = -1
			return r
		}(), "RequestSizeLimitExceeded"},
		"v1 over the limit": {callV1("POST", "h", map[string]string{"Text": strings.Repeat("x", maxPostV1)}), "RequestSizeLimitExceeded"},
		"v1 query over":     {callV1("GET", "h", map[string]string{"Text": strings.Repeat("x", maxGet)}), "RequestSizeLimitExceeded"},
		"absurd": {func() *http.Request {
			r := testCall{}.request()
			r.ContentLength = 1 << 40
			return r
		}(), "RequestSizeLimitExceeded"},
		"cut off": {func() *http.Request {
			r := testCall{}.request()
			r.Body = io.NopCloser(io.MultiReader(strings.NewReader("{"), brokenReader{}))
			return r
		}(), "InvalidRequest"},
	} {
		t.Run(name, func(t *testing.T) {
			if a := ask(t, testServer(), c.request); a.Code != c.code {
				t.Errorf("answer %.200s, want %s", a.Raw, c.code)
			}
		})
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("cut off") }

func TestResponseTooLarge(t *testing.T) {
	api := NewAPI("tcss", "2020-11-01")
	Handle(api, Action{Name: "Echo"}, func(context.Context, Caller, *testNothing) (*testItem, error) {
		return &testItem{Name: strings.Repeat("x", maxResponse)}, nil
	})
	h := NewServer(api, Options{Keys: testKeys{}, Now: func() time.Time { return time.Unix(testUnix, 0) }})
	if a := ask(t, h, testCall{}.request()); a.Code != "ResponseSizeLimitExceeded" {
		t.Errorf("answer %.200s", a.Raw)
	}
}

func TestLanguage(t *testing.T) {
	for language, want := range map[string]string{"zh-CN": "镜像7不存在", "en-US": "no image 7", "fr-FR": "no image 7", "-": "no image 7"} {
		call := testCall{action: "Refuse", header: map[string]string{"X-TC-Language": language}}
		if a := ask(t, testServer(), call.request()); a.Message != want {
			t.Errorf("%s: %q", language, a.Message)
		}
		if a := ask(t, testServer(), callV1("GET", "h", map[string]string{"Action": "Refuse", "Language": language})); a.Message != want {
			t.Errorf("v1 %s: %q", language, a.Message)
		}
	}
}

func TestEnvelopeHeaders(t *testing.T) {
	const trace = "0d4a7f5e-3b1c-4d0e-9f5b-000000000000"
	random := bytes.NewReader(bytes.Repeat([]byte{0xff}, 64))
	h := testServer(func(o *Options) { o.Random = random })
	a := ask(t, h, testCall{header: map[string]string{"X-TC-TraceId": trace}}.request())
	if a.Header.Get("X-TC-TraceId") != trace {
		t.Errorf("headers %v", a.Header)
	}
	if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(a.RequestID) {
		t.Errorf("request id %s", a.RequestID)
	}
	if first, second := ask(t, testServer(), testCall{}.request()), ask(t, testServer(), testCall{}.request()); first.RequestID == second.RequestID {
		t.Errorf("two requests with the id %s", first.RequestID)
	}
}

func TestGzipOnlyIfAccepted(t *testing.T) {
	body := `{"Numbers":[` + strings.Repeat("1,", 2000) + `1]}`
	for accept, want := range map[string]bool{
		"": false, "gzip": true, "deflate, gzip;q=0.5": true, "gzip;q=0": false, "br": false, "*": true, "identity, *;q=0": false,
	} {
		w := httptest.NewRecorder()
		testServer().ServeHTTP(w, testCall{body: body, header: map[string]string{"Accept-Encoding": accept}}.request())
		result := w.Result()
		if zipped := result.Header.Get("Content-Encoding") == "gzip"; zipped != want {
			t.Errorf("Accept-Encoding %q: zipped %v", accept, zipped)
		}
		if want {
			unzipped, err := gzip.NewReader(result.Body)
			if err != nil {
				t.Fatal(err)
			}
			result.Body = io.NopCloser(unzipped)
		}
		if a := readAnswer(t, result); len(a.Response["Numbers"].([]any)) != 2001 {
			t.Errorf("Accept-Encoding %q: %.100s", accept, a.Raw)
		}
	}
}

// An error that is not meant for the caller goes to the log, with the id the
// caller has seen; and no secret goes anywhere.
func TestInternalErrorsAreLogged(t *testing.T) {
	for _, action := range []string{"Fail", "Panic"} {
		var log bytes.Buffer
		var observed []string
		h := testServer(func(o *Options) {
			o.Logger = slog.New(slog.NewJSONHandler(&log, nil))
			o.Observe = func(action, code string, _ time.Duration) { observed = append(observed, action+" "+code) }
		})
		a := ask(t, h, testCall{action: action}.request())
		ask(t, h, testCall{action: "Unheard"}.request())
		if strings.Contains(a.Raw, "secret detail") || strings.Contains(a.Raw, "bug.go") {
			t.Errorf("the answer tells too much: %s", a.Raw)
		}
		if !strings.Contains(log.String(), a.RequestID) || !strings.Contains(log.String(), `"level":"ERROR"`) {
			t.Errorf("log %s", log.String())
		}
		if strings.Contains(log.String(), testSecret) || strings.Contains(log.String(), "Signature=") {
			t.Errorf("a secret in the log %s", log.String())
		}
		if got := fmt.Sprint(observed); got != "["+action+" InternalError unknown InvalidAction]" {
			t.Errorf("observed %s", got)
		}
	}
}

func TestCallerReachesTheAction(t *testing.T) {
	api := NewAPI("tcss", "2020-11-01")
	var given, found Caller
	Handle(api, Action{Name: "Echo"}, func(ctx context.Context, c Caller, _ *testNothing) (*testNothing, error) {
		given = c
		found, _ = CallerFrom(ctx)
		return &testNothing{}, nil
	})
	h := NewServer(api, Options{Keys: testKeys{}, Now: func() time.Time { return time.Unix(testUnix, 0) }})
	a := ask(t, h, testCall{id: "other", header: map[string]string{"X-TC-Language": "zh-CN"}}.request())
	want := Caller{AccountID: 2, SecretID: "other", Role: RoleAdministrator, RequestID: a.RequestID, Language: "zh-CN"}
	if given != want || found != want {
		t.Errorf("given %+v, found %+v, want %+v", given, found, want)
	}
}

func TestCancelledCallIsNotABug(t *testing.T) {
	api := NewAPI("tcss", "2020-11-01")
	ctx, cancel := context.WithCancel(context.Background())
	Handle(api, Action{Name: "Echo"}, func(ctx context.Context, _ Caller, _ *testNothing) (*testNothing, error) {
		cancel()
		return nil, ctx.Err()
	})
	h := NewServer(api, Options{Keys: testKeys{}, Now: func() time.Time { return time.Unix(testUnix, 0) }})
	if a := ask(t, h, testCall{}.request().WithContext(ctx)); a.Code != "ServiceUnavailable" {
		t.Errorf("answer %s", a.Raw)
	}
}

func TestRateLimit(t *testing.T) {
	now := time.Unix(testUnix, 0)
	h := testServer(func(o *Options) { o.RateLimit, o.Burst, o.Now = 2, 3, func() time.Time { return now } })
	echo := testCall{}
	var codes []string
	for range 4 {
		codes = append(codes, ask(t, h, echo.request()).Code)
	}
	if fmt.Sprint(codes) != "[   RequestLimitExceeded]" {
		t.Errorf("codes %q", codes)
	}
	last := ask(t, h, echo.request())
	if !strings.Contains(last.Message, "5 requests") || !strings.Contains(last.Message, "at most 2 ") {
		t.Errorf("message %q", last.Message)
	}
	if a := ask(t, h, testCall{id: "other"}.request()); a.Code != "" {
		t.Errorf("another account: %s", a.Raw)
	}
	if a := ask(t, h, testCall{id: "reader"}.request()); a.Code != "RequestLimitExceeded" {
		t.Errorf("another key of the account: %s", a.Raw)
	}
	if a := ask(t, h, testCall{action: "DescribeAssetImageRegistryList"}.request()); a.Code != "" {
		t.Errorf("another action: %s", a.Raw)
	}
	now = now.Add(500 * time.Millisecond)
	if a := ask(t, h, echo.request()); a.Code != "" {
		t.Errorf("half a second later: %s", a.Raw)
	}
}

func TestLimiterIsBounded(t *testing.T) {
	l := newLimiter(0, 0)
	now := time.Unix(testUnix, 0)
	for account := range int64(3 * maxBuckets) {
		if fault := l.allow(account, "Echo", now); fault != nil {
			t.Fatal(fault)
		}
	}
	if len(l.buckets) != maxBuckets || l.recent.Len() != maxBuckets {
		t.Errorf("%d buckets, %d in the list", len(l.buckets), l.recent.Len())
	}
	allowed := 0
	for l.allow(1, "Other", now) == nil {
		allowed++
	}
	if allowed != 25 {
		t.Errorf("%d requests at once by default", allowed)
	}
}
