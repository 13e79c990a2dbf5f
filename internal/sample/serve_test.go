package sample_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"go.uber.org/goleak"

	"dogwatch/internal/sample"
)

// serve starts the sample registry with every sample in it and returns its host.
func serve(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- sample.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("the registry stopped with: %v", err)
		}
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		remote.DefaultTransport.(*http.Transport).CloseIdleConnections()
	})
	host := l.Addr().String()
	if err := sample.Push(t.Context(), host); err != nil {
		t.Fatal(err)
	}
	return host
}

func TestServeHoldsEverySample(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	t.Run("pull", func(t *testing.T) {
		host := serve(t)
		for _, s := range sample.All() {
			ref, err := name.ParseReference(host + "/" + s.Name())
			if err != nil {
				t.Fatal(err)
			}
			got, err := remote.Get(ref, remote.WithContext(t.Context()))
			if err != nil {
				t.Fatal(err)
			}
			made, err := s.Build()
			if err != nil {
				t.Fatal(err)
			}
			want, err := made.RawManifest()
			if err != nil {
				t.Fatal(err)
			}
			if string(got.Manifest) != string(want) {
				t.Errorf("%s: the registry answers with another manifest", s.Name())
			}
			if err := whole(got, s.Expect.Skipped); err != nil {
				t.Errorf("%s: what the registry holds is not valid: %v", s.Name(), err)
			}
		}
	})
}

// whole reads everything a reference leads to and checks digests and sizes. A
// chart's blob is no archive, so there is nothing to compare in it.
func whole(got *remote.Descriptor, chart bool) error {
	if chart {
		return nil
	}
	if got.MediaType.IsIndex() {
		index, err := got.ImageIndex()
		if err != nil {
			return err
		}
		return validate.Index(index)
	}
	img, err := got.Image()
	if err != nil {
		return err
	}
	if strings.Contains(string(got.Manifest), string(types.OCILayerZStd)) {
		return validate.Image(img, validate.Fast) // the check itself reads gzip only
	}
	return validate.Image(img)
}

func TestCatalogueInPages(t *testing.T) {
	host := serve(t)
	var got []string
	pages := 0
	for next := "/v2/_catalog?n=4"; next != ""; pages++ {
		var page []string
		page, next = catalogue(t, "http://"+host+next)
		got = append(got, page...)
	}
	var want []string
	for _, s := range sample.All() {
		want = append(want, s.Repository)
	}
	slices.Sort(want)
	if diff := cmp.Diff(slices.Compact(want), got); diff != "" {
		t.Errorf("catalogue (-want +got):\n%s", diff)
	}
	if pages != 3 {
		t.Errorf("11 repositories in pages of 4 took %d pages, want 3", pages)
	}
}

// catalogue reads one page and the address of the next one.
func catalogue(t *testing.T, address string) (page []string, next string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var body struct {
		Repositories []string `json:"repositories"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&body); err != nil {
		t.Fatal(err)
	}
	if link := answer.Header.Get("Link"); link != "" {
		next = strings.TrimPrefix(strings.SplitN(link, ">", 2)[0], "<")
	}
	return body.Repositories, next
}

func TestPushNamesABadHost(t *testing.T) {
	err := sample.Push(t.Context(), "no host")
	if err == nil || !strings.Contains(err.Error(), `"no host"`) {
		t.Errorf("Push to a bad host answers %v, want an error that quotes it", err)
	}
}
