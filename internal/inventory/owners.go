package inventory

import (
	"path"

	"dogwatch/internal/facts"
)

// owners knows, for every package, the lowest layer from which it has been
// present without a break.
type owners map[groupID]*group

// groupID tells package files apart that replace each other: the databases of
// one package manager in one directory (a new format takes the place of the old
// one), or one file of any other kind.
type groupID struct {
	kind string
	path string
}

// group is a set of such files and the packages they amount to.
type group struct {
	files map[*node]struct{}
	since map[facts.Package]int // layer a package of the group has been present from
	stale bool                  // files changed since the last settle
}

func idOf(kind, file string) groupID {
	switch kind {
	case facts.KindDpkg, facts.KindAPK, facts.KindRPM:
		return groupID{kind, path.Dir(file)}
	}
	return groupID{kind, file}
}

// identity is what makes two entries of a package file the same package.
func identity(p facts.Package) facts.Package {
	return facts.Package{Ecosystem: p.Ecosystem, Name: p.Name, Version: p.Version, Arch: p.Arch, Path: p.Path}
}

// touch enters the package files of a node.
func (o owners) touch(n *node) {
	if n.content == nil {
		return
	}
	for _, f := range n.content.packages {
		id := idOf(f.Kind, n.path)
		g := o[id]
		if g == nil {
			g = &group{files: map[*node]struct{}{}}
			o[id] = g
		}
		g.files[n], g.stale = struct{}{}, true
	}
}

// drop takes the package files of a node out, before its content goes.
func (o owners) drop(n *node) {
	for _, f := range n.content.packages {
		if g := o[idOf(f.Kind, n.path)]; g != nil {
			delete(g.files, n)
			g.stale = true
		}
	}
}

// settle records the state after a layer. Every package that was there before
// keeps its layer, every other one belongs to this layer.
func (o owners) settle(layer int) {
	for id, g := range o {
		if !g.stale {
			continue
		}
		if len(g.files) == 0 {
			delete(o, id)
			continue
		}
		since := map[facts.Package]int{}
		for _, n := range g.top() {
			for p := range n.packagesOf(id.kind) {
				key := identity(p)
				first, before := g.since[key]
				if !before {
					first = layer
				}
				since[key] = first
			}
		}
		g.since, g.stale = since, false
	}
}

// top lists the files of the group that count: those of the highest layer.
func (g *group) top() []*node {
	var list []*node
	for n := range g.files {
		switch {
		case len(list) == 0 || n.content.layer == list[0].content.layer:
			list = append(list, n)
		case n.content.layer > list[0].content.layer:
			list = append(list[:0], n)
		}
	}
	return list
}

// packagesOf walks the packages that a node's files of one kind name.
func (n *node) packagesOf(kind string) func(func(facts.Package) bool) {
	return func(yield func(facts.Package) bool) {
		for _, f := range n.content.packages {
			if f.Kind != kind {
				continue
			}
			for _, p := range f.Packages {
				if !yield(p) {
					return
				}
			}
		}
	}
}
