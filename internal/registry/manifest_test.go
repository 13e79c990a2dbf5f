package registry_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"dogwatch/internal/registry"
)

const (
	ociManifest    = "application/vnd.oci.image.manifest.v1+json"
	ociIndex       = "application/vnd.oci.image.index.v1+json"
	ociConfig      = "application/vnd.oci.image.config.v1+json"
	ociLayer       = "application/vnd.oci.image.layer.v1.tar+gzip"
	dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
)

// shelf serves manifests and blobs from memory.
type shelf struct {
	types map[string]string // by tag or digest
	docs  map[string]string
	blobs map[string]string
}

func newShelf() *shelf {
	return &shelf{types: map[string]string{}, docs: map[string]string{}, blobs: map[string]string{}}
}

// put stores a document under its digest and, unless empty, a tag.
func (s *shelf) put(tag, mediaType, body string) string {
	digest := describe([]byte(body)).Digest
	for _, ref := range []string{digest, tag} {
		s.docs[ref], s.types[ref] = body, mediaType
	}
	return digest
}

// image stores an image of one platform with layers of the given types.
func (s *shelf) image(tag, platform string, layerTypes ...string) string {
	os, arch, _ := strings.Cut(platform, "/")
	config := fmt.Sprintf(`{"os":%q,"architecture":%q,"config":{},"rootfs":{"type":"layers","diff_ids":[]}}`, os, arch)
	var layers []string
	for i, mediaType := range layerTypes {
		layers = append(layers, s.descriptor(mediaType, fmt.Sprintf("layer %d", i)))
	}
	return s.put(tag, ociManifest, fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":%s,"layers":[%s]}`,
		ociManifest, s.descriptor(ociConfig, config), strings.Join(layers, ",")))
}

func (s *shelf) descriptor(mediaType, body string) string {
	d := describe([]byte(body))
	s.blobs[d.Digest] = body
	return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d}`, mediaType, d.Digest, d.Size)
}

// member is a descriptor of an index; extra is more JSON.
func (s *shelf) member(digest, extra string) string {
	return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d%s}`, s.types[digest], digest, len(s.docs[digest]), extra)
}

func platformOf(os, arch string) string {
	return fmt.Sprintf(`,"platform":{"os":%q,"architecture":%q}`, os, arch)
}

func index(members ...string) string {
	return fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"manifests":[%s]}`, ociIndex, strings.Join(members, ","))
}

func (s *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	if body, ok := s.docs[name]; ok && strings.Contains(r.URL.Path, "/manifests/") {
		w.Header().Set("Content-Type", s.types[name])
		fmt.Fprint(w, body)
		return
	}
	if body, ok := s.blobs[name]; ok && strings.Contains(r.URL.Path, "/blobs/") {
		fmt.Fprint(w, body)
		return
	}
	http.NotFound(w, r)
}

func TestIndexChoice(t *testing.T) {
	s := newShelf()
	amd := s.image("", "linux/amd64")
	arm := s.image("", "linux/arm64")
	windows := s.image("", "windows/amd64")
	attestation := s.member(s.image("", "unknown/unknown"), `,"platform":{"os":"unknown","architecture":"unknown"},"annotations":{"vnd.docker.reference.type":"attestation-manifest"}`)
	amdMember, armMember := s.member(amd, platformOf("linux", "amd64")), s.member(arm, platformOf("linux", "arm64"))
	windowsMember := s.member(windows, platformOf("windows", "amd64"))
	inner := s.put("", ociIndex, index(armMember, amdMember))
	deep := inner
	for range 6 {
		deep = s.put("", ociIndex, index(s.member(deep, "")))
	}
	c := open(t, serve(t, s.ServeHTTP), options(t))
	for name, tc := range map[string]struct {
		index string
		want  string // digest of the chosen manifest
		note  string
		err   error
		kind  registry.Kind
	}{
		"amd64 is preferred":       {index: index(armMember, windowsMember, amdMember), want: amd, note: "linux/amd64 of 3 platforms: linux/arm64, windows/amd64, linux/amd64"},
		"else the first":           {index: index(attestation, armMember, windowsMember), want: arm, note: "linux/arm64 of 2 platforms: linux/arm64, windows/amd64"},
		"attestations don't count": {index: index(amdMember, attestation), want: amd},
		"no platform":              {index: index(s.member(arm, "")), want: arm},
		"nested":                   {index: index(windowsMember, s.member(inner, "")), want: amd, note: "linux/amd64 of 3 platforms: windows/amd64, linux/arm64, linux/amd64"},
		"empty":                    {index: index(), err: registry.ErrNotImage, kind: registry.KindUnsupported},
		"only attestations":        {index: index(attestation), err: registry.ErrNotImage, kind: registry.KindUnsupported},
		"too deep":                 {index: index(s.member(deep, "")), kind: registry.KindUnsupported},
		"child is missing":         {index: index(fmt.Sprintf(`{"mediaType":%q,"digest":"sha256:%064d","size":1}`, ociManifest, 7)), kind: registry.KindNotFound},
		"child is an index":        {index: index(strings.Replace(s.member(inner, ""), ociIndex, ociManifest, 1)), kind: registry.KindCorrupt},
	} {
		t.Run(name, func(t *testing.T) {
			top := s.put("multi", ociIndex, tc.index)
			img, err := c.Image(t.Context(), "team/app", "multi")
			if registry.KindOf(err) != tc.kind || tc.err != nil && !errors.Is(err, tc.err) {
				t.Fatalf("image: %v, want kind %d, %v", err, tc.kind, tc.err)
			}
			if tc.kind != 0 {
				return
			}
			if img.Digest != top || img.ManifestDigest != tc.want || img.PlatformNote != tc.note {
				t.Errorf("digest %s, manifest %s, note %q\nwant   %s, manifest %s, note %q", img.Digest, img.ManifestDigest, img.PlatformNote, top, tc.want, tc.note)
			}
		})
	}
}

func TestManifestsThatAreNone(t *testing.T) {
	s := newShelf()
	config, layer := s.descriptor(ociConfig, "{}"), s.descriptor(ociLayer, "layer")
	manifest := func(extra string) string {
		return fmt.Sprintf(`{"schemaVersion":2%s,"config":%s,"layers":[%s]}`, extra, config, layer)
	}
	c := open(t, serve(t, s.ServeHTTP), options(t))
	for name, tc := range map[string]struct {
		mediaType, body string
		kind            registry.Kind
		err             error
	}{
		"plain":                    {ociManifest, manifest(""), 0, nil},
		"parameter in the type":    {ociManifest + "; charset=utf-8", manifest(""), 0, nil},
		"type only in the body":    {"application/json", manifest(`,"mediaType":"` + dockerManifest + `"`), 0, nil},
		"no type at all":           {"text/plain", manifest(""), 0, nil},
		"type of others":           {"application/vnd.example+json", manifest(""), registry.KindUnsupported, nil},
		"types disagree":           {ociManifest, manifest(`,"mediaType":"` + dockerManifest + `"`), registry.KindCorrupt, nil},
		"index and image":          {ociIndex, manifest(`,"manifests":[]`), registry.KindCorrupt, nil},
		"image served as index":    {ociIndex, manifest(""), registry.KindCorrupt, nil},
		"index served as image":    {ociManifest, index(), registry.KindCorrupt, nil},
		"not JSON":                 {ociManifest, "<html>", registry.KindCorrupt, nil},
		"no config":                {ociManifest, `{"schemaVersion":2,"layers":[]}`, registry.KindCorrupt, nil},
		"digest of a path":         {ociManifest, strings.Replace(manifest(""), "sha256:", "../../:", 1), registry.KindCorrupt, nil},
		"negative size":            {ociManifest, strings.Replace(manifest(""), `"size":`, `"size":-`, 1), registry.KindCorrupt, nil},
		"huge size":                {ociManifest, strings.Replace(manifest(""), `"size":2`, `"size":9000000000000000000`, 1), registry.KindCorrupt, nil},
		"schema 1 signed":          {"application/vnd.docker.distribution.manifest.v1+prettyjws", `{"schemaVersion":1}`, registry.KindUnsupported, registry.ErrSchema1},
		"schema 1 by its body":     {"application/json", `{"schemaVersion":1,"fsLayers":[]}`, registry.KindUnsupported, registry.ErrSchema1},
		"artifactType":             {ociManifest, manifest(`,"artifactType":"application/spdx+json"`), registry.KindUnsupported, registry.ErrNotImage},
		"artifact of a draft":      {"application/vnd.oci.artifact.manifest.v1+json", `{"blobs":[]}`, registry.KindUnsupported, registry.ErrNotImage},
		"helm":                     {ociManifest, strings.Replace(manifest(""), ociConfig, "application/vnd.cncf.helm.config.v1+json", 1), registry.KindUnsupported, registry.ErrNotImage},
		"larger than 4 MiB":        {ociManifest, manifest(strings.Repeat(" ", 5<<20)), registry.KindUnsupported, nil},
		"config larger than 8 MiB": {ociManifest, strings.Replace(manifest(""), `"size":2`, `"size":9000000`, 1), registry.KindUnsupported, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s.put("tag", tc.mediaType, tc.body)
			_, err := c.Image(t.Context(), "team/app", "tag")
			if registry.KindOf(err) != tc.kind || tc.err != nil && !errors.Is(err, tc.err) || tc.kind == 0 && err != nil {
				t.Errorf("image: %v, want kind %d, %v", err, tc.kind, tc.err)
			}
		})
	}
}

func TestManifestWithTheWrongDigest(t *testing.T) {
	s := newShelf()
	good := s.image("v1", "linux/amd64")
	s.docs[good] += " "
	named := fmt.Sprintf("sha256:%064d", 1)
	target := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/v1") {
			w.Header().Set("Docker-Content-Digest", named)
		}
		s.ServeHTTP(w, r)
	})
	for _, ref := range []string{good, "v1"} {
		if _, err := open(t, target, options(t)).Image(t.Context(), "team/app", ref); registry.KindOf(err) != registry.KindCorrupt {
			t.Errorf("image %s: %v, want KindCorrupt", ref, err)
		}
	}
}

func TestHeadWithoutDigestHeader(t *testing.T) {
	s := newShelf()
	want := s.image("v1", "linux/amd64")
	for name, refuse := range map[string]bool{"header missing": false, "HEAD not allowed": true} {
		t.Run(name, func(t *testing.T) {
			target := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if refuse && r.Method == http.MethodHead {
					w.WriteHeader(http.StatusMethodNotAllowed)
					return
				}
				s.ServeHTTP(w, r)
			})
			got, err := open(t, target, options(t)).Head(t.Context(), "team/app", "v1")
			if err != nil || got != want {
				t.Errorf("head: %q, %v, want %q", got, err, want)
			}
		})
	}
}

func TestForeignLayers(t *testing.T) {
	s := newShelf()
	s.image("v1", "windows/amd64", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", ociLayer)
	c := open(t, serve(t, s.ServeHTTP), options(t))
	img, err := c.Image(t.Context(), "team/app", "v1")
	if err != nil {
		t.Fatal(err)
	}
	if !img.Layers[0].Foreign || img.Layers[1].Foreign {
		t.Errorf("foreign: %v, %v, want true, false", img.Layers[0].Foreign, img.Layers[1].Foreign)
	}
	if _, err := c.Blob(t.Context(), "team/app", img.Layers[0].Descriptor); registry.KindOf(err) != registry.KindUnsupported {
		t.Errorf("foreign layer: %v, want KindUnsupported", err)
	}
	if img.Layers[1].DiffID != "" {
		t.Errorf("diff id %q taken from a config that lists none", img.Layers[1].DiffID)
	}
}
