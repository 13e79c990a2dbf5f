package sample

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

// pageSize is the catalogue page of a request that names none.
const pageSize = 100

// paged answers the catalogue in order and in pages, as the distribution
// protocol wants it; the registry below it lists in any order and ignores
// "last". Everything else goes straight through.
type paged struct{ registry http.Handler }

func (p paged) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/v2/_catalog" || r.Method != http.MethodGet {
		p.registry.ServeHTTP(w, r)
		return
	}
	names, err := p.repositories(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	page, more := cut(names, r.URL.Query())
	if more {
		next := url.Values{"last": {page[len(page)-1]}, "n": {strconv.Itoa(len(page))}}
		w.Header().Set("Link", fmt.Sprintf(`</v2/_catalog?%s>; rel="next"`, next.Encode()))
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string][]string{"repositories": page}) //nolint:errcheck // the client has gone
}

// repositories asks the registry for all its repositories, and sorts them.
func (p paged) repositories(r *http.Request) ([]string, error) {
	ask := r.Clone(r.Context())
	ask.URL.RawQuery = ""
	answer := &buffer{header: http.Header{}}
	p.registry.ServeHTTP(answer, ask)
	var list struct {
		Repositories []string `json:"repositories"`
	}
	if err := json.Unmarshal(answer.body.Bytes(), &list); err != nil {
		return nil, fmt.Errorf("sample: catalogue of the sample registry: %w", err)
	}
	slices.Sort(list.Repositories)
	return list.Repositories, nil
}

// cut takes the page a query asks for and tells whether more follow.
func cut(names []string, query url.Values) (page []string, more bool) {
	if last := query.Get("last"); last != "" {
		i, found := slices.BinarySearch(names, last)
		if found {
			i++
		}
		names = names[i:]
	}
	n, err := strconv.Atoi(query.Get("n"))
	if err != nil || n <= 0 {
		n = pageSize
	}
	if n >= len(names) {
		return append([]string{}, names...), false
	}
	return names[:n], true
}

// buffer is a response kept in memory.
type buffer struct {
	header http.Header
	body   bytes.Buffer
}

func (b *buffer) Header() http.Header         { return b.header }
func (b *buffer) Write(p []byte) (int, error) { return b.body.Write(p) }
func (b *buffer) WriteHeader(int)             {}
