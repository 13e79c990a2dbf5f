package cloudapi

import (
	"compress/gzip"
	"io"
	"net/http"
	"strconv"
	"strings"
)

const (
	maxResponse = 50 << 20
	minGzip     = 1 << 10 // smaller answers gain nothing from compression
	maxTraceID  = 128
)

// appendFault writes the envelope of a failed call.
func appendFault(out []byte, fault *Error, x *exchange) []byte {
	out = append(out, `{"Response":{"Error":{"Code":`...)
	out = appendText(out, fault.Code)
	out = append(out, `,"Message":`...)
	out = appendText(out, fault.In(x.common.language))
	out = append(out, `},"RequestId":`...)
	out = appendText(out, x.requestID)
	return append(out, `}}`...)
}

// send writes an answer. The status is always 200 and the content type bare:
// with anything else, some of the SDKs do not see the error within.
func (s *server) send(w http.ResponseWriter, x *exchange, body []byte) {
	h := w.Header()
	h["Content-Type"] = []string{"application/json"}
	h.Set("X-TC-RequestId", x.requestID)
	if trace := x.common.trace; trace != "" && len(trace) <= maxTraceID {
		h.Set("X-TC-TraceId", trace)
	}
	// A write fails only when the client is gone, and nobody is left to tell.
	if len(body) < minGzip || !acceptsGzip(x.http.Header.Values("Accept-Encoding")) {
		h.Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body)
		return
	}
	h.Set("Content-Encoding", "gzip")
	zipper, _ := s.zippers.Get().(*gzip.Writer)
	if zipper == nil {
		zipper = gzip.NewWriter(io.Discard)
	}
	zipper.Reset(w)
	_, _ = zipper.Write(body)
	_ = zipper.Close()
	zipper.Reset(io.Discard)
	s.zippers.Put(zipper)
}

// acceptsGzip tells whether a client can read gzip.
func acceptsGzip(headers []string) bool {
	accepted := false
	for coding := range strings.SplitSeq(strings.Join(headers, ","), ",") {
		name, parameters, _ := strings.Cut(coding, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		if name != "gzip" && name != "*" {
			continue
		}
		quality, weighted := strings.CutPrefix(strings.ReplaceAll(parameters, " ", ""), "q=")
		q, err := strconv.ParseFloat(quality, 64)
		wanted := !weighted || err == nil && q > 0
		if name == "gzip" {
			return wanted
		}
		accepted = wanted
	}
	return accepted
}
