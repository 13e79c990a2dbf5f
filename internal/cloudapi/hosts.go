package cloudapi

import (
	"net/http"
	"slices"
	"strings"
)

// hostCandidates are the spellings of the host that a client may have signed,
// likeliest first. Node signs without the port; TCCLI over plain HTTP signs the
// scheme too, which QuirkListener has taken out of the header.
func hostCandidates(r *http.Request, trustForwarded bool) []string {
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	hosts := spellings(nil, r.Host, scheme)
	if forwarded := r.Header.Get("X-Forwarded-Host"); trustForwarded && forwarded != "" {
		first, _, _ := strings.Cut(forwarded, ",")
		hosts = spellings(hosts, strings.TrimSpace(first), scheme)
	}
	return hosts
}

func spellings(hosts []string, host, scheme string) []string {
	lower := strings.ToLower(host)
	bare := strings.TrimPrefix(strings.TrimPrefix(lower, "http://"), "https://")
	for _, h := range []string{host, lower, bare, withoutPort(host), withoutPort(lower), withoutPort(bare), scheme + host, scheme + withoutPort(host)} {
		if !slices.Contains(hosts, h) {
			hosts = append(hosts, h)
		}
	}
	return hosts
}

// withoutPort cuts the port off a host; an IPv6 address keeps its brackets.
func withoutPort(host string) string {
	colon := strings.LastIndexByte(host, ':')
	if colon < 0 || strings.HasSuffix(host, "]") || strings.HasPrefix(host[colon:], "://") {
		return host
	}
	for _, c := range []byte(host[colon+1:]) {
		if c < '0' || c > '9' {
			return host
		}
	}
	return host[:colon]
}

// serviceFits tells whether a scope's service is the API's own, or what the
// Node and Java SDKs make of an endpoint: the text before its first dot.
func serviceFits(service, own string, hosts []string) bool {
	if service == own {
		return true
	}
	return slices.ContainsFunc(hosts, func(host string) bool {
		label, _, _ := strings.Cut(host, ".")
		return label == service
	})
}
