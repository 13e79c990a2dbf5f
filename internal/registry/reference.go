package registry

import (
	"fmt"
	"strings"
)

// Reference is an image's address taken apart.
type Reference struct {
	Endpoint Endpoint
	Path     string
	Tag      string // "latest" if neither tag nor digest was given
	Digest   string
}

// ParseReference reads host[:port]/path[:tag][@digest]. The first component is
// a host only if it holds a dot or a colon or is localhost; without a host the
// image is Docker Hub's.
func ParseReference(s string) (Reference, error) {
	rest, digest, pinned := strings.Cut(s, "@")
	if pinned && !validDigest(digest) {
		return Reference{}, fmt.Errorf("registry: digest %q in image %q is not sha256:<64 hex digits>", digest, s)
	}
	host, path, found := strings.Cut(rest, "/")
	if !found || !(strings.ContainsAny(host, ".:") || host == "localhost") {
		host, path = hubName, rest
	}
	tag := ""
	if colon := strings.LastIndexByte(path, ':'); colon >= 0 {
		path, tag = path[:colon], path[colon+1:]
		if !tagGrammar.MatchString(tag) {
			return Reference{}, fmt.Errorf("registry: tag %q in image %q is not valid: use letters, digits, dots, dashes and underscores", tag, s)
		}
	}
	if !validPath(path) {
		return Reference{}, fmt.Errorf("registry: %q is no image reference: write host/path:tag or host/path@sha256:digest", s)
	}
	endpoint, err := ParseURL(host)
	if err != nil {
		return Reference{}, err
	}
	if tag == "" && !pinned {
		tag = "latest"
	}
	return Reference{Endpoint: endpoint, Path: endpoint.repositoryPath(path), Tag: tag, Digest: digest}, nil
}

// Ref is what to ask the registry for: the digest if there is one, else the tag.
func (r Reference) Ref() string {
	if r.Digest != "" {
		return r.Digest
	}
	return r.Tag
}
