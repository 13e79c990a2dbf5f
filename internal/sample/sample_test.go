package sample_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"dogwatch/internal/sample"
)

// find is the sample of a name.
func find(t *testing.T, name string) sample.Sample {
	t.Helper()
	for _, s := range sample.All() {
		if s.Name() == name {
			return s
		}
	}
	t.Fatalf("there is no sample %s", name)
	return sample.Sample{}
}

// image builds a sample that is an image.
func image(t *testing.T, name string) v1.Image {
	t.Helper()
	made, err := find(t, name).Build()
	if err != nil {
		t.Fatal(err)
	}
	img, ok := made.(v1.Image)
	if !ok {
		t.Fatalf("%s is a %T, want an image", name, made)
	}
	return img
}

func layers(t *testing.T, img v1.Image) []v1.Layer {
	t.Helper()
	list, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// contents reads the files of a layer.
func contents(t *testing.T, layer v1.Layer) map[string]string {
	t.Helper()
	r, err := layer.Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	files := map[string]string{}
	for archive := tar.NewReader(r); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		if header.Typeflag == tar.TypeReg {
			files[header.Name] = string(text)
		}
	}
}

func TestSamplesHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range sample.All() {
		if seen[s.Name()] || s.About == "" {
			t.Errorf("%s: named twice or without a description", s.Name())
		}
		seen[s.Name()] = true
	}
}

func TestSamplesAreTheSameEachTime(t *testing.T) {
	for _, s := range sample.All() {
		var manifests [2][]byte
		for i := range manifests {
			made, err := s.Build()
			if err != nil {
				t.Fatal(err)
			}
			if manifests[i], err = made.RawManifest(); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(manifests[0], manifests[1]) {
			t.Errorf("%s differs between two builds", s.Name())
		}
	}
}

func TestSamplesShareLayers(t *testing.T) {
	for _, group := range [][]string{
		{"shop/web:1.4", "shop/web:1.5", "team/reports:0.9"},
		{"base/alpine:3.18", "shop/api:2.0"},
	} {
		digests := map[v1.Hash]bool{}
		for _, name := range group {
			digest, err := layers(t, image(t, name))[0].Digest()
			if err != nil {
				t.Fatal(err)
			}
			digests[digest] = true
		}
		if len(digests) != 1 {
			t.Errorf("%v have %d different base layers, want one", group, len(digests))
		}
	}
}

func TestNewestWebIsTheLaterOne(t *testing.T) {
	var made [2]v1.Time
	for i, name := range []string{"shop/web:1.4", "shop/web:1.5"} {
		config, err := image(t, name).ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		made[i] = config.Created
	}
	if !made[0].Before(made[1].Time) {
		t.Errorf("shop/web:1.4 was made %v, shop/web:1.5 %v: want the latter later", made[0], made[1])
	}
}

func TestGoProgramReadsAsOne(t *testing.T) {
	files := contents(t, layers(t, image(t, "team/payments:1.0"))[0])
	info, err := buildinfo.Read(strings.NewReader(files["payments"]))
	if err != nil {
		t.Fatal(err)
	}
	got := []string{info.GoVersion, info.Main.Path}
	for _, m := range info.Deps {
		got = append(got, m.Path+"@"+m.Version)
	}
	want := []string{"go1.20.2", "example.org/payments", "github.com/dgrijalva/jwt-go@v3.2.0+incompatible", "golang.org/x/text@v0.3.6"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("build information (-want +got):\n%s", diff)
	}
}

func TestWhiteouts(t *testing.T) {
	list := layers(t, image(t, "shop/cleaned:1.0"))
	lower, upper := contents(t, list[0]), contents(t, list[1])
	if _, ok := lower["app/deploy.key"]; !ok {
		t.Error("the first layer lacks the key")
	}
	for _, mark := range []string{"app/.wh.deploy.key", "app/node_modules/.wh..wh..opq"} {
		if _, ok := upper[mark]; !ok {
			t.Errorf("the second layer lacks %s", mark)
		}
	}
}

func TestEmptyImageHasNoLayer(t *testing.T) {
	if n := len(layers(t, image(t, "edge/empty:1.0"))); n != 0 {
		t.Errorf("the empty image has %d layers", n)
	}
}

// eicarSum is the published SHA-256 of the test file.
const eicarSum = "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"

func TestEicarIsTheRealOne(t *testing.T) {
	sum := sha256.Sum256([]byte(sample.Eicar()))
	if got := hex.EncodeToString(sum[:]); got != eicarSum {
		t.Errorf("the test file has SHA-256 %s, want %s", got, eicarSum)
	}
	files := contents(t, layers(t, image(t, "shop/upload:legacy"))[0])
	if files["srv/upload/invoice.com"] != sample.Eicar() {
		t.Error("shop/upload:legacy does not carry the test file")
	}
}

// TestSourceIsClean keeps scanners of the source tree quiet: no file here may
// hold the test file, a key or a token in one piece.
func TestSourceIsClean(t *testing.T) {
	sources, err := filepath.Glob("*.go")
	if err != nil || len(sources) == 0 {
		t.Fatalf("no sources found: %v", err)
	}
	marks := []string{sample.Eicar(), "BEGIN RSA" + " PRIVATE KEY", "ghp" + "_"}
	for _, name := range sources {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, mark := range marks {
			if bytes.Contains(text, []byte(mark)) {
				t.Errorf("%s contains %q in one piece", name, mark)
			}
		}
	}
}
