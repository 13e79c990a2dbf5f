package registry

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// What is accepted reads the same when written out, and leads nowhere but to
// the host it names.
func FuzzParseURL(f *testing.F) {
	for _, s := range []string{"registry.example.org", "https://h:5000/a/v2", "http://[::1]:80/", "docker.io", "https://u:p@h", "h/../x", "h?x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := ParseURL(s)
		if err != nil {
			return
		}
		again, err := ParseURL(e.String())
		if err != nil || again != e {
			t.Fatalf("%q: %+v reads back as %+v, %v", s, e, again, err)
		}
		u, err := url.Parse(e.url("/v2/team/app/tags/list"))
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		if u.Host != e.Host || u.User != nil || u.RawQuery != "" || u.Fragment != "" || !strings.HasSuffix(u.Path, "/v2/team/app/tags/list") {
			t.Fatalf("%q: leads to %q", s, u)
		}
		if strings.Contains(u.Path, "..") && strings.Contains("/"+u.Path+"/", "/../") {
			t.Fatalf("%q: climbs in %q", s, u.Path)
		}
	})
}

func FuzzParseReference(f *testing.F) {
	for _, s := range []string{"alpine", "r.example.org:5000/a/b:v1", "a@sha256:" + strings.Repeat("0", 64), "localhost/x:y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseReference(s)
		if err != nil {
			return
		}
		if !validPath(r.Path) || !validDigest(r.Ref()) && !tagGrammar.MatchString(r.Ref()) {
			t.Fatalf("%q: path %q, ref %q", s, r.Path, r.Ref())
		}
	})
}

// Challenges are bounded and clean, and one that is written properly is read
// whole, whatever stands in the header before it.
func FuzzChallenges(f *testing.F) {
	f.Add(`Bearer realm="https://a/b",service="s"`, "x y")
	f.Add(`Negotiate, NTLM abc==, Basic realm="a\"b"`, `quote " and \`)
	f.Add(`Bearer realm="unclosed`, "")
	f.Fuzz(func(t *testing.T, line, value string) {
		proper := fmt.Sprintf(`Probe one="%s", two=2`, strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value))
		h := http.Header{"Www-Authenticate": {line, proper}}
		all := parseChallenges(h)
		if len(all) > maxChallenges {
			t.Fatalf("%d challenges", len(all))
		}
		for _, c := range all {
			if c.scheme == "" || c.scheme != strings.ToLower(c.scheme) || c.params == nil {
				t.Fatalf("challenge %+v", c)
			}
		}
		last := parseChallenges(http.Header{"Www-Authenticate": {proper}})
		if len(last) != 1 || last[0].scheme != "probe" || last[0].params["one"] != value || last[0].params["two"] != "2" {
			t.Fatalf("%q is read as %+v", proper, last)
		}
	})
}

// A Link never leads away from the registry, and one that is written properly
// is found behind anything well-formed.
func FuzzNextLink(f *testing.F) {
	f.Add(`</v2/_catalog?last=a>; rel="next"`, "b")
	f.Add(`<https://other.example.org/x>; rel=next`, "c,d;e")
	f.Add(`<//other/x>; rel="prev next", <javascript:x>; rel="next"`, `"`)
	f.Fuzz(func(t *testing.T, line, last string) {
		page := &url.URL{Scheme: "https", Host: "registry.example.org", Path: "/v2/_catalog"}
		if next, ok := followLink(page, nextLink(http.Header{"Link": {line}})); ok {
			if next.Scheme != page.Scheme || next.Host != page.Host || next.User != nil {
				t.Fatalf("%q leads to %q", line, next)
			}
		}
		target := "/v2/_catalog?last=" + url.QueryEscape(last)
		header := http.Header{"Link": {fmt.Sprintf(`</first?a,b;c>; title="x, y"; rel="first", <%s>; foo=1; rel="last Next"`, target)}}
		if got := nextLink(header); got != target {
			t.Fatalf("next link of %q is %q, want %q", header, got, target)
		}
	})
}

// A manifest that is accepted holds nothing but usable descriptors, and means
// the same after it is written and read again.
func FuzzManifest(f *testing.F) {
	digest := "sha256:" + strings.Repeat("a", 64)
	f.Add("application/vnd.oci.image.manifest.v1+json", []byte(`{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"`+digest+`","size":2},"layers":[]}`))
	f.Add("application/vnd.oci.image.index.v1+json", []byte(`{"manifests":[{"digest":"`+digest+`","size":1,"platform":{"os":"linux"}}]}`))
	f.Add("", []byte(`{"schemaVersion":1}`))
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		d, err := parseDocument(contentType, body)
		if err != nil {
			return
		}
		all := append([]Descriptor{}, d.layers...)
		for _, e := range d.entries {
			all = append(all, e.Descriptor)
		}
		if d.mediaType.IsImage() {
			all = append(all, d.config)
		}
		if d.mediaType.IsIndex() == d.mediaType.IsImage() || d.mediaType.IsIndex() && len(d.layers) > 0 || d.mediaType.IsImage() && len(d.entries) > 0 {
			t.Fatalf("is of type %q with %d layers and %d entries", d.mediaType, len(d.layers), len(d.entries))
		}
		for _, one := range all {
			if !validDigest(one.Digest) || one.Size < 0 || one.Size > maxBlobSize {
				t.Fatalf("descriptor %+v", one)
			}
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, body); err != nil {
			t.Fatal(err)
		}
		again, err := parseDocument(contentType, compact.Bytes())
		if err != nil || again.mediaType != d.mediaType || len(again.layers) != len(d.layers) || len(again.entries) != len(d.entries) {
			t.Fatalf("reads differently without blanks: %v", err)
		}
	})
}

// A config is read or refused, and what was read survives being stored.
func FuzzConfigFile(f *testing.F) {
	f.Add([]byte(`{"created":"2024-01-01T00:00:00Z","os":"linux","config":{"Env":["A=b"]},"history":[{"created":"nonsense"}],"rootfs":{"diff_ids":["x"]}}`))
	f.Add([]byte(`{"created":5,"config":null}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var c ConfigFile
		if json.Unmarshal(body, &c) != nil {
			return
		}
		stored, err := json.Marshal(c)
		if err != nil {
			t.Fatalf("what was read can't be written: %v", err)
		}
		var again ConfigFile
		if err := json.Unmarshal(stored, &again); err != nil || !again.Created.Equal(c.Created.Time) || len(again.History) != len(c.History) {
			t.Fatalf("stored as %s, %v", stored, err)
		}
	})
}
