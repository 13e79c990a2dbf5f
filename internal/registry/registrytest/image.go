package registrytest

import (
	"archive/tar"
	"bytes"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Epoch is when images of this package were built.
var Epoch = time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)

// Layer makes a gzip layer of the given files, the same bytes each time.
func Layer(t testing.TB, files map[string]string) v1.Layer {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		header := &tar.Header{Name: name, Mode: 0o644, Size: int64(len(files[name])), ModTime: Epoch}
		if err := w.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, files[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return tarLayer(t, b.Bytes())
}

func tarLayer(t testing.TB, archive []byte) v1.Layer {
	t.Helper()
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(archive)), nil },
		tarball.WithMediaType(types.DockerLayer))
	if err != nil {
		t.Fatal(err)
	}
	return layer
}

// Image makes a linux/amd64 image of Docker's media types from layers, base
// first, with a history of one instruction for each and an ENV at the end.
func Image(t testing.TB, layers ...v1.Layer) v1.Image {
	t.Helper()
	return PlatformImage(t, v1.Platform{OS: "linux", Architecture: "amd64"}, layers...)
}

// PlatformImage makes an image of another platform.
func PlatformImage(t testing.TB, p v1.Platform, layers ...v1.Layer) v1.Image {
	t.Helper()
	var adds []mutate.Addendum
	for _, layer := range layers {
		adds = append(adds, mutate.Addendum{Layer: layer, History: v1.History{CreatedBy: "COPY . /", Created: v1.Time{Time: Epoch}}})
	}
	img, err := mutate.Append(empty.Image, adds...)
	if err != nil {
		t.Fatal(err)
	}
	file, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	file = file.DeepCopy()
	file.OS, file.Architecture, file.Variant, file.Created = p.OS, p.Architecture, p.Variant, v1.Time{Time: Epoch}
	file.Config = v1.Config{User: "app", Env: []string{"PATH=/bin"}, Cmd: []string{"/app"}, Labels: map[string]string{"team": "a"}}
	file.History = append(file.History, v1.History{CreatedBy: "ENV PATH=/bin", EmptyLayer: true})
	img, err = mutate.ConfigFile(img, file)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// Index makes an OCI index whose members carry their platforms.
func Index(t testing.TB, images ...v1.Image) v1.ImageIndex {
	t.Helper()
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, img := range images {
		file, err := img.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: file.Platform()}})
	}
	return index
}

// PushImage pushes img as ref, "team/app:v1", and returns its digest.
func PushImage(t testing.TB, s *Server, ref string, img v1.Image) string {
	t.Helper()
	if err := remote.Write(s.reference(t, ref), img, s.pushOptions()...); err != nil {
		t.Fatalf("push %s: %v", ref, err)
	}
	return digestOf(t, img)
}

// PushIndex pushes an index and its members and returns the index's digest.
func PushIndex(t testing.TB, s *Server, ref string, index v1.ImageIndex) string {
	t.Helper()
	if err := remote.WriteIndex(s.reference(t, ref), index, s.pushOptions()...); err != nil {
		t.Fatalf("push %s: %v", ref, err)
	}
	return digestOf(t, index)
}

// DeleteManifest removes what digest names, with all its tags.
func DeleteManifest(t testing.TB, s *Server, path, digest string) {
	t.Helper()
	if err := remote.Delete(s.reference(t, path+"@"+digest), s.pushOptions()...); err != nil {
		t.Fatalf("delete %s@%s: %v", path, digest, err)
	}
}

func digestOf(t testing.TB, d interface{ Digest() (v1.Hash, error) }) string {
	t.Helper()
	hash, err := d.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return hash.String()
}

func (s *Server) reference(t testing.TB, ref string) name.Reference {
	t.Helper()
	r, err := name.ParseReference(s.Host + "/" + ref)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (s *Server) pushOptions() []remote.Option {
	auth := authn.Anonymous
	if s.Username != "" {
		auth = &authn.Basic{Username: s.Username, Password: s.Password}
	}
	transport := s.transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	return []remote.Option{remote.WithAuth(auth), remote.WithTransport(transport)}
}
