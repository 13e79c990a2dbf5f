package registry

import (
	"net/http"
	"net/url"
	"strings"
)

// nextLink finds the target of rel="next" among all Link headers; empty if
// there is none. Several links can share one header.
func nextLink(h http.Header) string {
	for _, line := range h.Values("Link") {
		if target := nextInLine(line); target != "" {
			return target
		}
	}
	return ""
}

func nextInLine(line string) string {
	for {
		_, rest, found := strings.Cut(line, "<")
		if !found {
			return ""
		}
		target, after, closed := strings.Cut(rest, ">")
		if !closed {
			return ""
		}
		params, remaining := linkParams(after)
		if isNext(params) {
			return strings.TrimSpace(target)
		}
		line = remaining
	}
}

// linkParams reads the parameters up to the comma that begins the next link.
func linkParams(text string) (params []string, rest string) {
	quoted, start := false, 0
	for i := range len(text) {
		switch {
		case text[i] == '"':
			quoted = !quoted
		case quoted:
		case text[i] == ';':
			params, start = append(params, text[start:i]), i+1
		case text[i] == ',':
			return append(params, text[start:i]), text[i+1:]
		}
	}
	return append(params, text[start:]), ""
}

func isNext(params []string) bool {
	for _, p := range params {
		key, value, _ := strings.Cut(p, "=")
		if !strings.EqualFold(strings.TrimSpace(key), "rel") {
			continue
		}
		value = strings.Trim(strings.TrimSpace(value), `"`)
		for word := range strings.FieldsSeq(value) {
			if strings.EqualFold(word, "next") {
				return true
			}
		}
	}
	return false
}

// followLink resolves a Link's target. Path and query are taken as given, but
// scheme and host stay those of the page: behind a proxy registries name hosts
// that only they can see, and no listing continues at another host.
func followLink(page *url.URL, target string) (*url.URL, bool) {
	ref, err := url.Parse(target)
	if err != nil || ref.Opaque != "" {
		return nil, false
	}
	next := page.ResolveReference(ref)
	next.Scheme, next.Host, next.User, next.Fragment, next.RawFragment = page.Scheme, page.Host, nil, "", ""
	return next, true
}
