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
