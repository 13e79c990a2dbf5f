package finding

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"dogwatch/internal/store"
)

func TestParseLevel(t *testing.T) {
	for text, want := range map[string]int{
		"1": Low, "low": Low, "2": Medium, "MEDIUM": Medium, "Middle": Medium, "3": High, "HIGH": High, "4": Critical, "critical": Critical,
		"": 0, "0": 0, "5": 0, "all": 0, "12": 0,
	} {
		if got, ok := ParseLevel(text); got != want || ok != (want != 0) {
			t.Errorf("%q: %d, %v", text, got, ok)
		}
	}
}

// Pages laid end to end are the list, whatever their size.
func TestPagesMakeTheList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.Int(), 0, 50).Draw(t, "rows")
		limit := rapid.IntRange(1, 60).Draw(t, "limit")
		var joined []int
		for offset := 0; ; offset += limit {
			page := cut(rows, Query{Limit: limit, Offset: offset})
			if page.Total != len(rows) || len(page.Rows) > limit || page.Rows == nil {
				t.Fatalf("page %+v of %d rows", page, len(rows))
			}
			if len(page.Rows) == 0 {
				break
			}
			joined = append(joined, page.Rows...)
		}
		if fmt.Sprint(joined) != fmt.Sprint(rows) && len(rows) > 0 {
			t.Fatalf("%v, want %v", joined, rows)
		}
	})
}

func TestCutAtTheEdges(t *testing.T) {
	rows := []int{1, 2, 3}
	for _, q := range []Query{{Limit: 0}, {Limit: 5, Offset: 3}, {Limit: 5, Offset: 1 << 40}, {Limit: 5, Offset: -1}, {Limit: -1}} {
		if page := cut(rows, q); len(page.Rows) != 0 || page.Total != 3 {
			t.Errorf("%+v: %+v", q, page)
		}
	}
}

func TestFilters(t *testing.T) {
	v := &Vulnerability{Level: High, Tags: []string{TagCanBeFixed, TagSystem}}
	v.ID, v.Title, v.Aliases, v.System = "CVE-2025-0001", "Overflow in left", []string{"GHSA-x"}, true
	for _, c := range []struct {
		filters []store.Filter
		want    bool
	}{
		{nil, true},
		{[]store.Filter{{Name: "Level", Values: []string{"1", "HIGH"}}}, true},
		{[]store.Filter{{Name: "Level", Values: []string{"1"}}}, false},
		{[]store.Filter{{Name: "Level", Values: []string{"ALL"}}}, true},
		{[]store.Filter{{Name: "Level", Values: []string{}}}, true},
		{[]store.Filter{{Name: "Level", Values: []string{"all", "1"}}}, false},
		{[]store.Filter{{Name: "Unknown", Values: []string{"x"}}}, true},
		{[]store.Filter{{Name: "Name", Values: []string{"overflow"}}}, true},
		{[]store.Filter{{Name: "Name", Values: []string{"overflow"}, Exact: true}}, false},
		{[]store.Filter{{Name: "Name", Values: []string{"ghsa-X"}, Exact: true}}, true},
		{[]store.Filter{{Name: "Tag", Values: []string{"sys"}}, {Name: "CategoryType", Values: []string{"SYSTEM"}}}, true},
		{[]store.Filter{{Name: "Tag", Values: []string{"sys"}}, {Name: "CVEID", Values: []string{"CVE-2024"}}}, false},
	} {
		if got := passes(c.filters, v.test); got != c.want {
			t.Errorf("%v: %v", c.filters, got)
		}
	}
}

func TestCacheForgetsTheOldest(t *testing.T) {
	c := newCache(2)
	a, b, d := key{manifest: "a"}, key{manifest: "b"}, key{manifest: "d"}
	c.put(a, &judgement{})
	c.put(b, &judgement{})
	if _, ok := c.get(a); !ok {
		t.Fatal("a is gone")
	}
	c.put(d, &judgement{current: true})
	c.put(d, &judgement{})
	for k, want := range map[key]bool{a: true, b: false, d: true} {
		if _, ok := c.get(k); ok != want {
			t.Errorf("%v kept: %v", k, ok)
		}
	}
	if c.order.Len() != 2 || len(c.byKey) != 2 {
		t.Errorf("%d entries, %d keys", c.order.Len(), len(c.byKey))
	}
}
