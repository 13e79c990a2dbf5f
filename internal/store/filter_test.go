package store_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"dogwatch/internal/store"
)

// FuzzContains states what a filter means: a contains filter with value v finds
// exactly the images whose name contains v, letters A to Z in either case; an
// exact one those whose name is v.
func FuzzContains(f *testing.F) {
	for _, seed := range [][2]string{
		{"web", "WE"}, {"100%", "%"}, {"a_b", "_"}, {`a\b`, `\`}, {"o'neill", "'"}, {"a?b", "?"}, {"中文", "文"}, {"É", "é"}, {"x", ""}, {`a\%`, `\%`},
	} {
		f.Add(seed[0], seed[1])
	}
	s := open(f, filepath.Join(f.TempDir(), "dogwatch.db"))
	f.Cleanup(func() { s.Close() }) //nolint:errcheck // nothing to lose
	ctx := f.Context()
	account := &store.Account{Name: "a"}
	if err := s.CreateAccount(ctx, account); err != nil {
		f.Fatal(err)
	}
	registry := &store.Registry{AccountID: account.ID, Name: "r"}
	if err := s.InsertRegistry(ctx, registry); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name, value string) {
		if !utf8.ValidString(name) || strings.Contains(name, "\x00") || len(name) > 4096 {
			return
		}
		id := put(t, s, account.ID, registry.ID, name)
		for _, exact := range []bool{false, true} {
			want := strings.Contains(fold(name), fold(value)) && len(value) <= 4096
			if exact {
				want = name == value
			}
			list, total, err := s.Images(t.Context(), store.ImageQuery{
				AccountID: account.ID, IDs: []int64{id},
				Filters: []store.Filter{{Name: "ImageName", Values: []string{value}, Exact: exact}},
			})
			if err != nil {
				t.Fatalf("name %q, value %q, exact %v: %v", name, value, exact, err)
			}
			if found := slices.ContainsFunc(list, func(i store.ImageRow) bool { return i.Name == name }); found != want || total != len(list) {
				t.Errorf("name %q, value %q, exact %v: found %v, want %v", name, value, exact, found, want)
			}
		}
	})
}

// put stores the one image of the test under a name and returns its id.
func put(t *testing.T, s *store.Store, accountID, registryID int64, name string) int64 {
	t.Helper()
	i := &store.Image{AccountID: accountID, RegistryID: registryID, Repository: "one", Tag: "one", Name: name}
	if _, err := s.UpsertImage(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	return i.ID
}

// fold makes the letters A to Z small and leaves all others.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

func FuzzScope(f *testing.F) {
	f.Add([]byte(`{"kind":1,"ids":[1,2]}`))
	f.Add([]byte(`{"kind":2,"filters":[{"name":"a","values":["b"]}]}`))
	f.Add([]byte(``))
	f.Fuzz(func(t *testing.T, b []byte) {
		var first, second store.Scope
		if first.Scan(b) != nil {
			return
		}
		v, err := first.Value()
		if err != nil {
			t.Fatal(err)
		}
		if err := second.Scan(v); err != nil {
			t.Fatalf("stored form %q of %q: %v", v, b, err)
		}
		if fmt.Sprint(first) != fmt.Sprint(second) {
			t.Errorf("%+v came back as %+v", first, second)
		}
	})
}
