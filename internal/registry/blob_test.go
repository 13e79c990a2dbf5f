package registry_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"dogwatch/internal/registry"
	"dogwatch/internal/registry/registrytest"
)

// content is n bytes that are the same each time.
func content(n int) []byte {
	b := make([]byte, n)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return b
}

func describe(b []byte) registry.Descriptor {
	return registry.Descriptor{Digest: fmt.Sprintf("sha256:%x", sha256.Sum256(b)), Size: int64(len(b))}
}

// cutter serves one blob and breaks connections on the way.
type cutter struct {
	blob     []byte
	cuts     []int // after how many bytes each of the first answers breaks
	noRanges bool
	requests []string // the Range of each request
}

func (c *cutter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.requests = append(c.requests, r.Header.Get("Range"))
	start := 0
	if text, ok := strings.CutPrefix(r.Header.Get("Range"), "bytes="); ok && !c.noRanges {
		start, _ = strconv.Atoi(strings.TrimSuffix(text, "-"))
		if start >= len(c.blob) {
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
			return
		}
	}
	body := c.blob[start:]
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if start > 0 {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", start, len(c.blob)-1, len(c.blob)))
		w.WriteHeader(http.StatusPartialContent)
	}
	if n := len(c.requests); n <= len(c.cuts) {
		_, _ = w.Write(body[:min(c.cuts[n-1], len(body))])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(body)
}

func TestBlobIsResumed(t *testing.T) {
	blob := content(300_000)
	for name, c := range map[string]*cutter{
		"whole":              {blob: blob},
		"cut once":           {blob: blob, cuts: []int{100_000}},
		"cut at once":        {blob: blob, cuts: []int{0, 0, 10}},
		"cut often":          {blob: blob, cuts: []int{50_000, 50_000, 1, 1, 1}},
		"cut without ranges": {blob: blob, cuts: []int{100_000, 150_000}, noRanges: true},
	} {
		t.Run(name, func(t *testing.T) {
			client := open(t, serve(t, c.ServeHTTP), options(t))
			got, err := readBlob(t.Context(), client, "team/app", describe(blob))
			if err != nil || !bytes.Equal(got, blob) {
				t.Fatalf("%d bytes, %v, want %d", len(got), err, len(blob))
			}
			if len(c.requests) != len(c.cuts)+1 {
				t.Errorf("requests with ranges %q, want %d", c.requests, len(c.cuts)+1)
			}
		})
	}
}

func TestBrokenBlobs(t *testing.T) {
	blob := content(100_000)
	flipped := bytes.Clone(blob)
	flipped[77_777] ^= 1
	endless := make([]int, 100)
	for name, c := range map[string]struct {
		server *cutter
		want   registry.Descriptor
		kind   registry.Kind
	}{
		"flipped bit":              {&cutter{blob: flipped}, describe(blob), registry.KindCorrupt},
		"flipped bit after resume": {&cutter{blob: flipped, cuts: []int{50_000}}, describe(blob), registry.KindCorrupt},
		"too short":                {&cutter{blob: blob[:50_000]}, describe(blob), registry.KindCorrupt},
		"short after resume":       {&cutter{blob: blob[:50_000], cuts: []int{50_000}}, describe(blob), registry.KindCorrupt},
		"too long":                 {&cutter{blob: append(bytes.Clone(blob), 0)}, describe(blob), registry.KindCorrupt},
		"cut for ever":             {&cutter{blob: blob, cuts: endless}, describe(blob), registry.KindNetwork},
		"foreign": {&cutter{blob: blob}, registry.Descriptor{Digest: describe(blob).Digest, Size: 1,
			MediaType: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"}, registry.KindUnsupported},
		"no digest": {&cutter{blob: blob}, registry.Descriptor{Digest: "sha256:../../x", Size: 1}, registry.KindUnsupported},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readBlob(t.Context(), open(t, serve(t, c.server.ServeHTTP), options(t)), "team/app", c.want)
			if registry.KindOf(err) != c.kind {
				t.Errorf("after %d bytes: %v, want kind %d", len(got), err, c.kind)
			}
			if len(c.server.requests) > 10 {
				t.Errorf("%d requests", len(c.server.requests))
			}
		})
	}
}

// A chunked answer without length must not be believed either.
func TestBlobLongerThanAnnounced(t *testing.T) {
	blob := content(1000)
	client := open(t, serve(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(blob)
		_ = http.NewResponseController(w).Flush()
		_, _ = w.Write(blob)
	}), options(t))
	got, err := readBlob(t.Context(), client, "team/app", describe(blob))
	if registry.KindOf(err) != registry.KindCorrupt || len(got) > len(blob) {
		t.Errorf("%d bytes, %v, want KindCorrupt", len(got), err)
	}
}

func TestBlobEndsWithItsContext(t *testing.T) {
	blob := content(1000)
	server := &cutter{blob: blob, cuts: []int{10}}
	ctx, cancel := context.WithCancel(t.Context())
	r, err := open(t, serve(t, server.ServeHTTP), options(t)).Blob(ctx, "team/app", describe(blob))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cancel()
	if _, err := io.ReadAll(r); !errors.Is(err, context.Canceled) {
		t.Errorf("read: %v, want context.Canceled", err)
	}
	if registry.KindOf(err) != 0 {
		t.Errorf("a cancelled context is reported as a failure of the registry: %v", err)
	}
}

func TestClosedBlobIsNotRead(t *testing.T) {
	blob := content(1000)
	r, err := open(t, serve(t, (&cutter{blob: blob}).ServeHTTP), options(t)).Blob(t.Context(), "team/app", describe(blob))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if n, err := r.Read(make([]byte, 10)); n > 0 || err == nil || errors.Is(err, io.EOF) {
		t.Errorf("read after close: %d, %v", n, err)
	}
}

// Each connection breaks, and each time the token has expired meanwhile.
func TestBlobOutlivesItsTokens(t *testing.T) {
	blob := content(200_000)
	c := &cutter{blob: blob, cuts: []int{40_000, 40_000, 40_000}}
	issued := 0
	var target registry.Target
	target = serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			issued++
			fmt.Fprintf(w, `{"token":"t%d","expires_in":3600}`, issued)
			return
		}
		// A token is good for one blob request.
		if issued == 0 || r.Header.Get("Authorization") != fmt.Sprintf("Bearer t%d", issued) || len(c.requests) == issued {
			w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="%s/token",service="s",scope="repository:team/app:pull",error="invalid_token"`, target.URL))
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		c.ServeHTTP(w, r)
	})
	got, err := readBlob(t.Context(), open(t, target, options(t)), "team/app", describe(blob))
	if err != nil || !bytes.Equal(got, blob) {
		t.Errorf("%d bytes, %v, want %d", len(got), err, len(blob))
	}
	if issued != 4 {
		t.Errorf("%d tokens, want 4", issued)
	}
}

func TestSpeedLimit(t *testing.T) {
	blob := content(3_000_000)
	now := time.Unix(0, 0)
	o := options(t)
	o.Now = func() time.Time { return now }
	o.Sleep = func(_ context.Context, d time.Duration) error {
		now = now.Add(d)
		return nil
	}
	asked := 0
	o.Limiter = limiterFunc(func(n int) { asked += n })
	target := serve(t, (&cutter{blob: blob}).ServeHTTP)
	target.SpeedLimit = 1
	if _, err := readBlob(t.Context(), open(t, target, o), "team/app", describe(blob)); err != nil {
		t.Fatal(err)
	}
	if took := now.Sub(time.Unix(0, 0)); took < 2800*time.Millisecond || took > 3100*time.Millisecond {
		t.Errorf("3 MB at 1 MB/s took %v of the clock", took)
	}
	if asked != len(blob) {
		t.Errorf("governor was asked for %d bytes, want %d", asked, len(blob))
	}
}

type limiterFunc func(n int)

func (f limiterFunc) Acquire(_ context.Context, n int) error {
	f(n)
	return nil
}

func TestVanishedTag(t *testing.T) {
	s := registrytest.StartDistribution(t)
	digest := registrytest.PushImage(t, s, "team/app:v1", registrytest.Image(t, registrytest.Layer(t, map[string]string{"a": "b"})))
	client := open(t, targetOf(registry.TypeOCI, s), options(t))
	img, err := client.Image(t.Context(), "team/app", "v1")
	if err != nil {
		t.Fatal(err)
	}
	registrytest.DeleteManifest(t, s, "team/app", digest)
	for _, ref := range []string{"v1", digest} {
		_, err := client.Image(t.Context(), "team/app", ref)
		var f *registry.Failure
		if !errors.As(err, &f) || f.Code() != "ImageGone" {
			t.Errorf("image %s: %v, want ImageGone", ref, err)
		}
	}
	if names := tagNames(t, client, "team/app"); len(names) > 0 {
		t.Errorf("tags %v, want none", names)
	}
	if _, err := readBlob(t.Context(), client, "team/app", img.Layers[0].Descriptor); err != nil {
		t.Errorf("the layer is still there, but: %v", err)
	}
}
