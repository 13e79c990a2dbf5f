package shape

import (
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"strings"
)

// variables looks for package state: a package variable is fine as long as it is
// given its value where it stands and nothing ever writes to it (an error value,
// a compiled pattern, a table, an embedded file).
type variables struct {
	declared map[string]map[string]bool // directory, name
	writes   []write
	found    []Violation
}

// write is a place that writes to a name that may be a package variable.
type write struct{ dir, name, where string }

// file collects the package variables of a file and what it writes to.
func (v *variables) file(set *token.FileSet, parsed *ast.File) {
	dir := path.Dir(set.Position(parsed.Package).Filename)
	if v.declared == nil {
		v.declared = map[string]map[string]bool{}
	}
	if v.declared[dir] == nil {
		v.declared[dir] = map[string]bool{}
	}
	top := map[any]bool{}
	for _, d := range parsed.Decls {
		decl, ok := d.(*ast.GenDecl)
		if !ok || decl.Tok != token.VAR {
			continue
		}
		for _, s := range decl.Specs {
			spec := s.(*ast.ValueSpec) //nolint:errcheck // a var declaration holds nothing else
			top[spec] = true
			v.declare(set, dir, decl, spec)
		}
	}
	for _, d := range parsed.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil {
			v.body(set, dir, f.Body, top)
		}
	}
}

func (v *variables) declare(set *token.FileSet, dir string, decl *ast.GenDecl, spec *ast.ValueSpec) {
	for _, name := range spec.Names {
		if name.Name == "_" {
			continue
		}
		v.declared[dir][name.Name] = true
		if len(spec.Values) == 0 && !embedded(decl, spec) || synchronised(spec) {
			v.found = append(v.found, Violation{Where: place(set, name.Pos()),
				What: fmt.Sprintf("package variable %s is state: hang it on a type", name.Name)})
		}
	}
}

// embedded tells a variable that the compiler fills from a file.
func embedded(decl *ast.GenDecl, spec *ast.ValueSpec) bool {
	for _, doc := range []*ast.CommentGroup{decl.Doc, spec.Doc} {
		if doc == nil {
			continue
		}
		for _, line := range doc.List {
			if strings.HasPrefix(line.Text, "//go:embed ") {
				return true
			}
		}
	}
	return false
}

// synchronised tells a variable that exists to be shared and changed. A value
// that is built once, at first use, is a constant for this purpose.
func synchronised(spec *ast.ValueSpec) bool {
	found := false
	ast.Inspect(spec, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			of, ok := s.X.(*ast.Ident)
			found = found || ok && (of.Name == "sync" || of.Name == "atomic") && !(strings.HasPrefix(s.Sel.Name, "Once") && s.Sel.Name != "Once")
		}
		_, function := n.(*ast.FuncLit)
		return !function
	})
	return found
}

// body collects the writes of a function to names that it doesn't declare itself.
func (v *variables) body(set *token.FileSet, dir string, body *ast.BlockStmt, top map[any]bool) {
	note := func(target ast.Expr) {
		name := base(target)
		if name == nil || name.Obj != nil && !top[name.Obj.Decl] {
			return
		}
		v.writes = append(v.writes, write{dir: dir, name: name.Name, where: place(set, target.Pos())})
	}
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok != token.DEFINE {
				for _, target := range n.Lhs {
					note(target)
				}
			}
		case *ast.IncDecStmt:
			note(n.X)
		case *ast.CallExpr:
			if f, ok := n.Fun.(*ast.Ident); ok && (f.Name == "delete" || f.Name == "clear") && len(n.Args) > 0 {
				note(n.Args[0])
			}
		}
		return true
	})
}

// base is the variable at the bottom of an expression such as a.b[c].
func base(e ast.Expr) *ast.Ident {
	switch e := e.(type) {
	case *ast.Ident:
		return e
	case *ast.IndexExpr:
		return base(e.X)
	case *ast.SelectorExpr:
		return base(e.X)
	case *ast.StarExpr:
		return base(e.X)
	case *ast.ParenExpr:
		return base(e.X)
	}
	return nil
}

// violations brings declarations and writes of all files together.
func (v *variables) violations() []Violation {
	found := v.found
	for _, w := range v.writes {
		if v.declared[w.dir][w.name] {
			found = append(found, Violation{Where: w.where,
				What: fmt.Sprintf("writes to the package variable %s: hang the state on a type", w.name)})
		}
	}
	return found
}

func place(set *token.FileSet, at token.Pos) string {
	p := set.Position(at)
	return fmt.Sprintf("%s:%d", p.Filename, p.Line)
}
