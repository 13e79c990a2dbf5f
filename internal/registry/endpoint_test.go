package registry_test

import (
	"strings"
	"testing"

	"dogwatch/internal/registry"

	"github.com/google/go-cmp/cmp"
)

func TestParseURL(t *testing.T) {
	for typed, want := range map[string]string{
		"registry.example.org":                                "https://registry.example.org",
		" Registry.Example.ORG/ ":                             "https://registry.example.org",
		"registry.example.org:5000":                           "https://registry.example.org:5000",
		"https://registry.example.org:443/":                   "https://registry.example.org",
		"http://registry.example.org:80":                      "http://registry.example.org",
		"http://registry.example.org:443":                     "http://registry.example.org:443",
		"https://registry.example.org/v2/":                    "https://registry.example.org",
		"https://registry.example.org/some/Prefix":            "https://registry.example.org/some/Prefix",
		"https://h.example.org/artifactory/api/docker/key/v2": "https://h.example.org/artifactory/api/docker/key",
		"localhost:5000":                                      "http://localhost:5000",
		"127.0.0.1:5000":                                      "http://127.0.0.1:5000",
		"https://localhost":                                   "https://localhost",
		"[2001:DB8::1]:5000":                                  "https://[2001:db8::1]:5000",
		"[::1]":                                               "http://[::1]",
		"docker.io":                                           "https://registry-1.docker.io",
		"https://index.docker.io/v1":                          "https://registry-1.docker.io/v1",
	} {
		got, err := registry.ParseURL(typed)
		if err != nil || got.String() != want {
			t.Errorf("%q: %q, %v, want %q", typed, got.String(), err, want)
		}
	}
}

func TestParseURLRefuses(t *testing.T) {
	for _, typed := range []string{
		"", "https://", "ftp://example.org", "https://user:hunter2@example.org", "example.org:0", "example.org:70000", "example.org:",
		"example.org:5000x", "exa mple.org", "example..org", "-example.org", "example.org/../x", "example.org/a//b", "example.org?q=1",
		"example.org/a?q=1", "example.org/#f", "[::1", "[::1]x", "[fe80::1%eth0]", "[1.2.3.4]", "::1", "https://https://x", "exämple.org", "a/%2e%2e",
	} {
		got, err := registry.ParseURL(typed)
		if err == nil {
			t.Errorf("%q: taken for %q", typed, got.String())
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: the error repeats the password", typed)
		}
	}
}

func TestParseReference(t *testing.T) {
	digest := "sha256:" + strings.Repeat("a", 64)
	hub := registry.Endpoint{Scheme: "https", Host: "registry-1.docker.io"}
	for s, want := range map[string]registry.Reference{
		"alpine":                          {Endpoint: hub, Path: "library/alpine", Tag: "latest"},
		"grafana/grafana:11":              {Endpoint: hub, Path: "grafana/grafana", Tag: "11"},
		"docker.io/alpine@" + digest:      {Endpoint: hub, Path: "library/alpine", Digest: digest},
		"r.example.org/team/app:v1":       {Endpoint: registry.Endpoint{Scheme: "https", Host: "r.example.org"}, Path: "team/app", Tag: "v1"},
		"localhost:5000/app:v1@" + digest: {Endpoint: registry.Endpoint{Scheme: "http", Host: "localhost:5000"}, Path: "app", Tag: "v1", Digest: digest},
	} {
		got, err := registry.ParseReference(s)
		if err != nil {
			t.Errorf("%q: %v", s, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", s, diff)
		}
	}
	for _, s := range []string{"", ":", "a:", "a@", "a@sha256:1", "r.example.org/", "r.example.org/../x", "a:b:c"} {
		if got, err := registry.ParseReference(s); err == nil {
			t.Errorf("%q: taken for %+v", s, got)
		}
	}
}

func TestHostOfImages(t *testing.T) {
	for typed, want := range map[string]string{
		"https://harbor.example.org/": "harbor.example.org",
		"localhost:5000":              "localhost:5000",
		"h.example.org/prefix/v2":     "h.example.org/prefix",
		"registry-1.docker.io":        "docker.io",
	} {
		if got := open(t, registry.Target{Type: "oci", URL: typed}, options(t)).Host(); got != want {
			t.Errorf("%q: host %q, want %q", typed, got, want)
		}
	}
}
