package shape_test

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"dogwatch/internal/shape"
)

// TestRepository holds this repository to its shape.
func TestRepository(t *testing.T) {
	m, violations, err := shape.Check(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d packages, %d files, %d functions; %d lines of code, %d of test", m.Packages, m.Files, m.Functions, m.Lines, m.TestLines)
	t.Logf("lines of a function: median %d, p90 %d, longest %d; of a file: median %d, p90 %d, longest %d",
		m.FunctionP50, m.FunctionP90, m.FunctionMax, m.FileP50, m.FileP90, m.FileMax)
	for _, v := range violations {
		t.Error(v)
	}
}

// source is a tree with one file.
func source(name, text string) fstest.MapFS {
	return fstest.MapFS{name: &fstest.MapFile{Data: []byte(text)}}
}

func TestRules(t *testing.T) {
	const head = "// Package a is a.\npackage a\n"
	for _, c := range []struct {
		name string
		tree fstest.MapFS
		want []string
	}{
		{"nothing wrong", source("a/a.go", head+"func f() {}\n"), nil},
		{"function at the limit", source("a/a.go", head+"func f() {"+strings.Repeat("\n", 79)+"}\n"), nil},
		{"long function", source("a/a.go", head+"func f() {"+strings.Repeat("\n", 80)+"}\n"),
			[]string{"a/a.go:3: function f has 81 lines, more than 80: split it by step"}},
		{"long file", source("a/a.go", head+strings.Repeat("\n", 600)),
			[]string{"a/a.go: has 602 lines, more than 600: split it by subject"}},
		{"no comment", source("a/a.go", "package a\n"),
			[]string{"a: the package has no comment that says what its words mean"}},
		{"comment in another file", fstest.MapFS{
			"a/a.go": &fstest.MapFile{Data: []byte("package a\n")}, "a/doc.go": &fstest.MapFile{Data: []byte(head)},
		}, nil},
		{"init", source("a/a.go", head+"func init() {}\n"),
			[]string{"a/a.go:3: init function: start-up order belongs where the rooms are put together"}},
		{"method init", source("a/a.go", head+"type t struct{}\nfunc (t) init() {}\n"), nil},
		{"sleeping test", source("a/a_test.go", head+"import \"time\"\nfunc f() { time.Sleep(1) }\n"),
			[]string{"a/a_test.go:4: a test sleeps: wait on a signal, or move a clock"}},
		{"sleep outside tests", source("a/a.go", head+"import \"time\"\nfunc f() { time.Sleep(1) }\n"), nil},
		{"constants of a kind", source("a/a.go", head+"import \"errors\"\nvar errA = errors.New(\"a\")\nvar table = map[string]int{\"a\": 1}\nvar _ = table\n"), nil},
		{"built at first use", source("a/a.go", head+"import \"sync\"\nvar a = sync.OnceValue(func() int { return 1 })\n"), nil},
		{"embedded file", source("a/a.go", head+"import _ \"embed\"\n//go:embed x\nvar text string\n"), nil},
		{"variable without a value", source("a/a.go", head+"var a int\n"),
			[]string{"a/a.go:3: package variable a is state: hang it on a type"}},
		{"lock", source("a/a.go", head+"import \"sync\"\nvar lock = &sync.Mutex{}\n"),
			[]string{"a/a.go:4: package variable lock is state: hang it on a type"}},
		{"written table", source("a/a.go", head+"var a = map[int]int{}\nfunc f() {\n\ta[1] = 2\n\tdelete(a, 1)\n}\n"), []string{
			"a/a.go:5: writes to the package variable a: hang the state on a type",
			"a/a.go:6: writes to the package variable a: hang the state on a type"}},
		{"written from another file", fstest.MapFS{
			"a/a.go": &fstest.MapFile{Data: []byte(head + "var a = 1\n")}, "a/b.go": &fstest.MapFile{Data: []byte("package a\nfunc f() { a++ }\n")},
		}, []string{"a/b.go:2: writes to the package variable a: hang the state on a type"}},
		{"local of the same name", source("a/a.go", head+"var a = 1\nfunc f() {\n\ta := 2\n\ta = 3\n\t_ = a\n}\n"), nil},
		{"empty name", source("util/a.go", "// Package util is.\npackage util\n"),
			[]string{"util/a.go: package util is named after nothing it holds"}},
		{"not ours", source("x/node_modules/a/a.go", "package util\n"), nil},
		{"hidden", source(".cache/a.go", "package util\n"), nil},
	} {
		_, violations, err := shape.Check(c.tree)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		var got []string
		for _, v := range violations {
			got = append(got, v.String())
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestMeasure(t *testing.T) {
	text := "// Package a is a.\npackage a\nfunc f() {}\nfunc g() {\n}\nfunc h() {\n\n}\n"
	m, _, err := shape.Check(fstest.MapFS{
		"a/a.go": &fstest.MapFile{Data: []byte(text)}, "a/a_test.go": &fstest.MapFile{Data: []byte("package a\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := shape.Measure{
		Packages: 1, Files: 1, Functions: 3, Lines: 8, TestLines: 1,
		FunctionP50: 2, FunctionP90: 3, FunctionMax: 3, FileP50: 8, FileP90: 8, FileMax: 8,
	}
	if diff := cmp.Diff(want, m); diff != "" {
		t.Errorf("measure (-want +got):\n%s", diff)
	}
}

func TestBrokenSource(t *testing.T) {
	_, _, err := shape.Check(source("a/a.go", "package\n"))
	if err == nil || !strings.Contains(err.Error(), "a/a.go") {
		t.Errorf("a file that does not parse answers %v, want an error that names it", err)
	}
}
