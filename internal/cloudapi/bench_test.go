package cloudapi

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// BenchmarkSignedCall is a signed call of a list action through the whole
// gateway, without the network: JSON as the SDKs send it, and from Node, whose
// spelling of the host is not the first that is tried.
func BenchmarkSignedCall(b *testing.B) {
	api := NewAPI("tcss", "2020-11-01")
	page := &testList{TotalCount: 1000, List: make([]testItem, 20)}
	for i := range page.List {
		page.List[i].Name = fmt.Sprintf("library/image-%d", i)
	}
	Handle(api, Action{Name: "Echo"}, func(context.Context, Caller, *testPage) (*testList, error) { return page, nil })
	h := NewServer(api, Options{Keys: testKeys{}, Now: func() time.Time { return time.Unix(testUnix, 0) }, RateLimit: -1})
	const body = `{"Limit":20,"Offset":0,"Filters":[{"Name":"Namespace","Values":["library"]}]}`
	for name, call := range map[string]testCall{
		"Go":   {body: body},
		"Node": {body: body, signedHost: "localhost", service: "localhost:8080"},
	} {
		b.Run(name, func(b *testing.B) {
			request := call.request()
			b.ReportAllocs()
			for b.Loop() {
				request.Body = io.NopCloser(strings.NewReader(body))
				h.ServeHTTP(&discard{header: http.Header{}}, request)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
			if a := ask(b, h, call.request()); a.Code != "" {
				b.Fatal(a.Raw)
			}
		})
	}
}

// BenchmarkServedCall is the same over a TCP connection with the server's and
// the client's side on it.
func BenchmarkServedCall(b *testing.B) {
	server := httptest.NewServer(testServer())
	defer server.Close()
	const body = `{"Text":"x"}`
	call := testCall{host: strings.TrimPrefix(server.URL, "http://"), body: body}
	for b.Loop() {
		r := call.request()
		r.RequestURI, r.URL.Scheme, r.URL.Host = "", "http", r.Host
		result, err := http.DefaultClient.Do(r)
		if err != nil {
			b.Fatal(err)
		}
		if a := readAnswer(b, result); a.Code != "" {
			b.Fatal(a.Raw)
		}
		result.Body.Close()
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}

// discard is an answer that nobody reads.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             {}
