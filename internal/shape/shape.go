// Package shape measures the source tree and says where it outgrows the shape we
// hold it to. Its own test applies it to this repository, so growth is a decision
// and not an accident.
//
// Words:
//
//   - limit: a number that no function or file may pass.
//   - violation: a place where a limit or a rule is not kept.
//   - measure: how long functions and files are, as percentiles.
//
// The rules, besides the limits: every package opens with a comment, its name
// says what it holds, there are no init functions, no package variable is ever
// written to, and no test sleeps.
package shape

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// The limits, in lines.
const (
	MaxFunction = 80
	MaxFile     = 600
)

// Violation is a place where a rule is not kept.
type Violation struct {
	Where string // "internal/scan/run.go:12"
	What  string // a sentence
}

func (v Violation) String() string { return v.Where + ": " + v.What }

// Measure tells how long the functions and files outside tests are.
type Measure struct {
	Packages, Files, Functions            int
	Lines, TestLines                      int
	FunctionP50, FunctionP90, FunctionMax int
	FileP50, FileP90, FileMax             int
}

// Check reads every Go file below a directory tree, leaving out hidden
// directories, test data and other languages' packages.
func Check(tree fs.FS) (Measure, []Violation, error) {
	c := &checker{packages: map[string]bool{}}
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && skipped(d.Name()):
			return fs.SkipDir
		case d.IsDir() || path.Ext(name) != ".go":
			return nil
		}
		text, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		return c.file(name, text)
	})
	if err != nil {
		return Measure{}, nil, fmt.Errorf("shape: reading the source tree: %w", err)
	}
	c.uncommented()
	c.found = append(c.found, c.variables.violations()...)
	slices.SortFunc(c.found, func(a, b Violation) int { return strings.Compare(a.Where, b.Where) })
	return c.measure(), c.found, nil
}

func skipped(dir string) bool {
	return dir == "testdata" || dir == "node_modules" || dir == "vendor" || len(dir) > 1 && dir[0] == '.'
}

type checker struct {
	packages  map[string]bool // directory: has a package comment
	found     []Violation
	functions []int
	files     []int
	testLines int
	variables variables
}

func (c *checker) complain(where, format string, args ...any) {
	c.found = append(c.found, Violation{Where: where, What: fmt.Sprintf(format, args...)})
}

// file applies every rule to one file.
func (c *checker) file(name string, text []byte) error {
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, name, text, parser.ParseComments)
	if err != nil {
		return err
	}
	test := strings.HasSuffix(name, "_test.go")
	c.count(name, set.File(parsed.FileStart).LineCount(), test)
	c.pack(name, parsed)
	c.variables.file(set, parsed)
	for _, d := range parsed.Decls {
		if f, ok := d.(*ast.FuncDecl); ok {
			c.function(set, f, test)
		}
	}
	if test {
		c.sleeps(set, parsed)
	}
	return nil
}

func (c *checker) count(name string, lines int, test bool) {
	if lines > MaxFile {
		c.complain(name, "has %d lines, more than %d: split it by subject", lines, MaxFile)
	}
	if test {
		c.testLines += lines
		return
	}
	c.files = append(c.files, lines)
}

// pack looks at the package clause.
func (c *checker) pack(name string, parsed *ast.File) {
	dir := path.Dir(name)
	c.packages[dir] = c.packages[dir] || parsed.Doc != nil
	switch parsed.Name.Name {
	case "util", "utils", "common", "helper", "helpers", "types", "manager", "misc", "shared":
		c.complain(name, "package %s is named after nothing it holds", parsed.Name.Name)
	}
}

func (c *checker) function(set *token.FileSet, f *ast.FuncDecl, test bool) {
	from, to := set.Position(f.Pos()), set.Position(f.End())
	lines := to.Line - from.Line + 1
	where := place(set, f.Pos())
	if lines > MaxFunction {
		c.complain(where, "function %s has %d lines, more than %d: split it by step", f.Name.Name, lines, MaxFunction)
	}
	if f.Name.Name == "init" && f.Recv == nil {
		c.complain(where, "init function: start-up order belongs where the rooms are put together")
	}
	if !test {
		c.functions = append(c.functions, lines)
	}
}

func (c *checker) sleeps(set *token.FileSet, parsed *ast.File) {
	ast.Inspect(parsed, func(n ast.Node) bool {
		call, ok := n.(*ast.SelectorExpr)
		if !ok || call.Sel.Name != "Sleep" {
			return true
		}
		if of, ok := call.X.(*ast.Ident); ok && of.Name == "time" {
			c.complain(place(set, call.Pos()), "a test sleeps: wait on a signal, or move a clock")
		}
		return true
	})
}

func (c *checker) uncommented() {
	for dir, commented := range c.packages {
		if !commented {
			c.complain(dir, "the package has no comment that says what its words mean")
		}
	}
}

func (c *checker) measure() Measure {
	m := Measure{Packages: len(c.packages), Files: len(c.files), Functions: len(c.functions), TestLines: c.testLines}
	for _, lines := range c.files {
		m.Lines += lines
	}
	slices.Sort(c.functions)
	slices.Sort(c.files)
	m.FunctionP50, m.FunctionP90, m.FunctionMax = percentile(c.functions, 50), percentile(c.functions, 90), percentile(c.functions, 100)
	m.FileP50, m.FileP90, m.FileMax = percentile(c.files, 50), percentile(c.files, 90), percentile(c.files, 100)
	return m
}

// percentile is the smallest value that p of a hundred values do not pass.
func percentile(sorted []int, p int) int {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[(len(sorted)*p+99)/100-1]
}
