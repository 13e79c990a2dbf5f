package registry_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"dogwatch/internal/registry"

	"github.com/google/go-cmp/cmp"
)

// names makes prefix0000 and so on.
func names(prefix string, n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("%s%04d", prefix, i)
	}
	return list
}

func writeList(w http.ResponseWriter, key string, list []string) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string][]string{key: list})
}

func listRepositories(t *testing.T, c registry.Client) ([]string, error) {
	t.Helper()
	var paths []string
	err := c.Repositories(t.Context(), func(r registry.Repository) error {
		paths = append(paths, r.Path)
		return nil
	})
	return paths, err
}

func TestPagingInTheWild(t *testing.T) {
	all := names("team/r", 6)
	three := func(w http.ResponseWriter, from int, link string) {
		if link != "" {
			w.Header().Set("Link", link)
		}
		writeList(w, "repositories", all[from:from+3])
	}
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		want    []string
		most    int // requests
	}{
		"link loops to itself": {func(w http.ResponseWriter, r *http.Request) {
			three(w, 0, `<`+r.URL.RequestURI()+`>; rel="next"`)
		}, all[:3], 1},
		"links loop with a counter": {func(w http.ResponseWriter, r *http.Request) {
			n, _ := strconv.Atoi(r.URL.Query().Get("c"))
			three(w, 0, fmt.Sprintf(`</v2/_catalog?c=%d>; rel="next"`, n+1))
		}, all[:3], 2},
		"relative link with opaque query": {func(w http.ResponseWriter, r *http.Request) {
			if r.URL.RawQuery == "next_page=gAAAA%3D%3D&x" {
				three(w, 3, "")
				return
			}
			three(w, 0, `<_catalog?next_page=gAAAA%3D%3D&x>; rel=next`)
		}, all, 2},
		"several links in one header": {func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("last") != "" {
				three(w, 3, `</v2/_catalog?first>; rel="prev"`)
				return
			}
			three(w, 0, `</v2/_catalog?a=1,2>; rel="prev"; title="a, b;c" , </v2/_catalog?last=b>; rel="next"`)
		}, all, 2},
		"link names another host": {func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("last") != "" {
				three(w, 3, "")
				return
			}
			three(w, 0, `<https://internal.invalid:5000/v2/_catalog?last=b>; rel="next"`)
		}, all, 2},
		"link has a wrong prefix": {func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.URL.Path != "/v2/_catalog":
				http.NotFound(w, r)
			case r.URL.Query().Get("last") != "":
				three(w, 3, "")
			default:
				three(w, 0, `</artifactory/v2/_catalog?last=b>; rel="next"`)
			}
		}, all, 3},
		"page size refused": {func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Has("n") {
				w.WriteHeader(http.StatusBadRequest)
				fmt.Fprint(w, `{"errors":[{"code":"PAGINATION_NUMBER_INVALID"}]}`)
				return
			}
			three(w, 0, "")
		}, all[:3], 2},
		"empty": {func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, `{"repositories":null}`) }, nil, 1},
		"unusable names": {func(w http.ResponseWriter, r *http.Request) {
			writeList(w, "repositories", []string{"../../etc", "team/ok", "a b", "", "x?y", "team/ok"})
		}, []string{"team/ok"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			requests := 0
			target := serve(t, func(w http.ResponseWriter, r *http.Request) { requests++; c.handler(w, r) })
			got, err := listRepositories(t, open(t, target, options(t)))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("repositories (-want +got):\n%s", diff)
			}
			if requests > c.most {
				t.Errorf("%d requests, want at most %d", requests, c.most)
			}
		})
	}
}

// Nexus sends no Link for some repositories: a full page is not taken for the end.
func TestFullPageWithoutLink(t *testing.T) {
	all := names("t", 1500)
	target := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("n"))
		from := 0
		if last := r.URL.Query().Get("last"); last != "" {
			from = slices.Index(all, last) + 1
		}
		writeList(w, "tags", all[from:min(from+n, len(all))])
	})
	if got := tagNames(t, open(t, target, options(t)), "team/app"); !slices.Equal(got, all) {
		t.Errorf("%d tags, want %d", len(got), len(all))
	}
}

func TestTagListsThatMeanNothing(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"null":      answer(200, "application/json", `{"name":"team/app","tags":null}`),
		"empty":     answer(200, "application/json", `{"name":"team/app","tags":[]}`),
		"not found": answer(404, "application/json", `{"errors":[{"code":"NAME_UNKNOWN"}]}`),
		"companions": answer(200, "application/json", fmt.Sprintf(`{"tags":["sha256-%s.sig","sha256-%s","sha512-%s.sbom","bad tag"]}`,
			strings.Repeat("a", 64), strings.Repeat("b", 64), strings.Repeat("c", 64))),
	} {
		t.Run(name, func(t *testing.T) {
			if got := tagNames(t, open(t, serve(t, h), options(t)), "team/app"); len(got) > 0 {
				t.Errorf("tags %v, want none", got)
			}
		})
	}
}

// A list that fails on the way must not look complete.
func TestListsThatBreakAreErrors(t *testing.T) {
	for name, c := range map[string]struct {
		second http.HandlerFunc
		kind   registry.Kind
	}{
		"gone":      {http.NotFound, registry.KindCatalogue},
		"forbidden": {answer(403, "text/html", "no"), registry.KindCatalogue},
		"failing":   {answer(500, "text/plain", "no"), registry.KindServer},
		"cut":       {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, registry.KindNetwork},
		"nonsense":  {answer(200, "text/html", "<html>"), registry.KindNotRegistry},
		"too large": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 33<<20)) }, registry.KindUnsupported},
	} {
		t.Run(name, func(t *testing.T) {
			target := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Query().Get("last") == "b" {
					c.second(w, r)
					return
				}
				w.Header().Set("Link", `</v2/_catalog?last=b>; rel="next"`)
				writeList(w, "repositories", []string{"a", "b"})
			})
			got, err := listRepositories(t, open(t, target, options(t)))
			if registry.KindOf(err) != c.kind || len(got) != 2 {
				t.Errorf("%v, %v, want two names and kind %d", got, err, c.kind)
			}
		})
	}
}

func TestYieldEndsTags(t *testing.T) {
	stop := errors.New("enough")
	c := open(t, serve(t, answer(200, "application/json", `{"tags":["a","b"]}`)), options(t))
	calls := 0
	err := c.Tags(t.Context(), registry.Repository{Path: "x"}, func(registry.Tag) error { calls++; return stop })
	if !errors.Is(err, stop) || calls != 1 {
		t.Errorf("%d calls, %v", calls, err)
	}
}

// A next page whose address cannot be read is a failure: a short list would look
// like a registry that has shrunk.
func TestAPageThatCannotBeFollowedIsNoEnd(t *testing.T) {
	target := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", `<http://[::1/v2/_catalog?last=x>; rel="next"`)
		writeList(w, "repositories", names("team/r", 3))
	})
	got, err := listRepositories(t, open(t, target, options(t)))
	if registry.KindOf(err) != registry.KindServer {
		t.Errorf("listed %d repositories with error %v, want a failure of the server", len(got), err)
	}
}
