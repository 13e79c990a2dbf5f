package inventory

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"dogwatch/internal/facts"
)

// entries writes a layer down, one archive entry a line:
//
//	d DIR                       a directory
//	f PATH                      a file with a secret in it
//	l PATH -> TARGET            a symbolic link
//	h PATH -> TARGET            a hard link
//	w PATH                      a whiteout
//	o DIR                       an opaque directory
//	os PATH ID                  an os-release
//	KIND PATH NAME=VERSION ...  a package file
func entries(t testing.TB, text string) *facts.Layer {
	t.Helper()
	l := &facts.Layer{}
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) > 1 {
			addEntry(t, l, words)
		}
	}
	return sealed(l)
}

// sealed sorts the path hashes, as an inspector leaves them.
func sealed(l *facts.Layer) *facts.Layer {
	slices.Sort(l.Dirs)
	slices.Sort(l.NonDirs)
	return l
}

func addEntry(t testing.TB, l *facts.Layer, words []string) {
	t.Helper()
	kind, p := words[0], words[1]
	switch kind {
	case "w":
		l.Whiteouts = append(l.Whiteouts, p)
		return
	case "o":
		l.Opaques = append(l.Opaques, p)
		return
	case "d":
		l.Dirs = append(l.Dirs, facts.PathHash(p))
		return
	}
	l.NonDirs = append(l.NonDirs, facts.PathHash(p))
	switch kind {
	case "f":
		l.Secrets = append(l.Secrets, facts.Secret{Rule: "key", Path: p})
	case "l":
		l.Symlinks = append(l.Symlinks, facts.Link{Path: p, Target: words[3]})
	case "h":
		l.Hardlinks = append(l.Hardlinks, facts.Link{Path: p, Target: words[3]})
	case "os":
		l.OS = &facts.OSRelease{ID: words[2], Path: p}
	case "-": // a file without facts
	default:
		l.Packages = append(l.Packages, packageFile(t, kind, p, words[2:]))
	}
}

func packageFile(t rapid.TB, kind, p string, words []string) facts.PackageFile {
	t.Helper()
	f := facts.PackageFile{Path: p, Kind: kind}
	for _, w := range words {
		name, version, ok := strings.Cut(w, "=")
		if !ok {
			t.Fatalf("package %q is not NAME=VERSION", w)
		}
		f.Packages = append(f.Packages, facts.Package{Name: name, Version: version})
	}
	return f
}

// assemble lays written layers over each other, base first.
func assemble(t testing.TB, layers ...string) *Inventory {
	t.Helper()
	list := make([]Layer, len(layers))
	for i, text := range layers {
		list[i] = Layer{Ref: LayerRef{Digest: fmt.Sprintf("sha256:%d", i)}, Facts: entries(t, text)}
	}
	return Assemble(list)
}

// secretsIn lists the visible files as "PATH@LAYER".
func secretsIn(v *Inventory) []string {
	list := []string{}
	for _, s := range v.Secrets {
		list = append(list, fmt.Sprintf("%s@%d", s.Path, s.Layer))
	}
	return list
}

// packagesIn lists the visible packages as "FILE NAME=VERSION@LAYER".
func packagesIn(v *Inventory) []string {
	list := []string{}
	for _, p := range v.Packages {
		list = append(list, fmt.Sprintf("%s %s=%s@%d", p.File, p.Name, p.Version, p.Layer))
	}
	return list
}

// model is a file system in a map, to which layers are applied entry by entry,
// as the container runtimes do. It shares nothing with the code under test but
// the facts' types.
type model struct {
	files map[string]modelFile
	since map[string]int // "FILE KIND NAME" -> layer
}

type modelFile struct {
	kind     string // "d", "f", "l"
	target   string // of a link
	layer    int
	id       string   // what the file's secret is called
	packages []string // names
}

func newModel() *model {
	return &model{files: map[string]modelFile{"": {kind: "d"}}, since: map[string]int{}}
}

// real follows the links on the way to a path, and with last the path itself.
// ok is false for a loop or a way through a file. The links used are returned.
func (m *model) real(p string, last bool) (real string, through []string, ok bool) {
	done, rest := "", p
	for hops := 0; rest != ""; {
		name, tail, _ := strings.Cut(rest, "/")
		next := path.Join(done, name)
		f, exists := m.files[next]
		if exists && f.kind == "l" && (last || tail != "") {
			if hops++; hops > 20 {
				return "", nil, false
			}
			through = append(through, next)
			done, rest = "", path.Join(f.target, tail)
			continue
		}
		if exists && f.kind == "f" && tail != "" || !exists && tail != "" {
			return "", nil, false
		}
		done, rest = next, tail
	}
	return done, through, true
}

// remove deletes a path and all below it, of layers under one layer only.
func (m *model) remove(p string, self bool, under int) {
	for q, f := range m.files {
		if q != "" && f.layer < under && (self && q == p || isBelow(q, p)) {
			delete(m.files, q)
		}
	}
	for q := range m.files { // what is left keeps the way to it
		for dir := path.Dir(q); dir != "."; dir = path.Dir(dir) {
			if _, exists := m.files[dir]; !exists {
				m.files[dir] = modelFile{kind: "d", layer: under}
			}
		}
	}
}

func isBelow(p, dir string) bool { return dir == "" && p != "" || strings.HasPrefix(p, dir+"/") }

// settle notes since when each package has been there without a break.
func (m *model) settle(layer int) {
	now := map[string]int{}
	for p, f := range m.files {
		for _, name := range f.packages {
			key := p + " " + name
			now[key] = layer
			if first, before := m.since[key]; before {
				now[key] = first
			}
		}
	}
	m.since = now
}

// secrets and packages are what is visible, in the form of secretsIn and packagesIn.
func (m *model) secrets() []string {
	list := []string{}
	for p, f := range m.files {
		if f.kind == "f" {
			list = append(list, fmt.Sprintf("%s %s@%d", p, f.id, f.layer))
		}
	}
	slices.Sort(list)
	return list
}

func (m *model) packages() []string {
	type seenAt struct {
		file, name string
		layer      int
	}
	var all []seenAt
	for key, layer := range m.since {
		file, name, _ := strings.Cut(key, " ")
		all = append(all, seenAt{file, name, layer})
	}
	slices.SortFunc(all, func(a, b seenAt) int {
		return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.name, b.name))
	})
	list, system := []string{}, map[string]bool{}
	for _, s := range all {
		if kindOf(s.file) == facts.KindAPK && system[s.name] {
			continue
		}
		system[s.name] = system[s.name] || kindOf(s.file) == facts.KindAPK
		list = append(list, fmt.Sprintf("%s %s@%d", s.file, s.name, s.layer))
	}
	return list
}

// kindOf is the kind of the package file at a path: c is a database.
func kindOf(p string) string {
	if path.Base(p) == "c" {
		return facts.KindAPK
	}
	return facts.KindNPM
}
