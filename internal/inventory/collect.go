package inventory

import (
	"cmp"
	"slices"
	"strings"

	"dogwatch/internal/facts"
)

// osReleasePaths is the order in which os-release(5) is looked for.
var osReleasePaths = []string{"etc/os-release", "usr/lib/os-release"}

// addGaps takes over what a layer's inspection left out.
func (v *Inventory) addGaps(layer int, f *facts.Layer) {
	if f == nil {
		v.Gaps = append(v.Gaps, Gap{Layer: layer, Gap: facts.Gap{
			Code:   "NotInspected",
			Reason: "the layer was not inspected",
			Parts:  "CVE,VIRUS,RISK",
		}})
		return
	}
	for _, g := range f.Gaps {
		v.Gaps = append(v.Gaps, Gap{Gap: g, Layer: layer})
	}
}

// collect reads the lists off a finished tree and puts them in order.
func (v *Inventory) collect(t *tree) {
	var releases []*node
	for _, n := range below(t.root) {
		if n.content == nil {
			continue
		}
		if n.content.os != nil {
			releases = append(releases, n)
		}
		v.addFiles(n)
	}
	v.OS = pickRelease(releases)
	for id, g := range t.owners {
		v.addPackages(id, g)
	}
	v.order()
	v.Packages = onceEach(v.Packages)
}

// addFiles takes over what is known of one file, under its visible path.
func (v *Inventory) addFiles(n *node) {
	layer := n.content.layer
	for _, s := range n.content.secrets {
		s.Path = n.path
		v.Secrets = append(v.Secrets, Secret{Secret: s, Layer: layer})
	}
	for _, m := range n.content.malware {
		m.Path = n.path
		v.Malware = append(v.Malware, Malware{Malware: m, Layer: layer})
	}
	for _, h := range n.content.hashes {
		h.Path = n.path
		v.Hashes = append(v.Hashes, FileHash{FileHash: h, Layer: layer})
	}
}

func (v *Inventory) addPackages(id groupID, g *group) {
	for _, n := range g.top() {
		for p := range n.packagesOf(id.kind) {
			v.Packages = append(v.Packages, Package{
				Package: p,
				Kind:    id.kind,
				File:    n.path,
				Layer:   g.since[identity(p)],
			})
		}
	}
}

// pickRelease chooses the os-release that programs in the image would read;
// among files in other places the topmost, ties by path.
func pickRelease(nodes []*node) *facts.OSRelease {
	if len(nodes) == 0 {
		return nil
	}
	rank := func(n *node) int {
		if i := slices.Index(osReleasePaths, n.path); i >= 0 {
			return i
		}
		return len(osReleasePaths)
	}
	n := slices.MinFunc(nodes, func(a, b *node) int {
		return cmp.Or(
			cmp.Compare(rank(a), rank(b)),
			cmp.Compare(b.content.layer, a.content.layer),
			strings.Compare(a.path, b.path),
		)
	})
	release := *n.content.os
	release.Path = n.path
	return &release
}

// order sorts every list; gaps stay in the order of the layers.
func (v *Inventory) order() {
	slices.SortStableFunc(v.Packages, func(a, b Package) int {
		return cmp.Or(
			strings.Compare(a.File, b.File), strings.Compare(a.Kind, b.Kind),
			strings.Compare(a.Name, b.Name), strings.Compare(a.Version, b.Version),
			strings.Compare(a.Arch, b.Arch), strings.Compare(a.Path, b.Path),
			strings.Compare(a.Ecosystem, b.Ecosystem),
			strings.Compare(a.SourceName, b.SourceName), strings.Compare(a.SourceVersion, b.SourceVersion),
			strings.Compare(a.Module, b.Module), strings.Compare(a.License, b.License),
		)
	})
	slices.SortStableFunc(v.Secrets, func(a, b Secret) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line),
			strings.Compare(a.Rule, b.Rule), strings.Compare(a.Masked, b.Masked))
	})
	slices.SortStableFunc(v.Malware, func(a, b Malware) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Name, b.Name),
			strings.Compare(a.Engine, b.Engine))
	})
	slices.SortStableFunc(v.Hashes, func(a, b FileHash) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.SHA256, b.SHA256))
	})
}

// installed is a package of the operating system, whichever file names it.
type installed struct {
	manager, name, version, arch string
}

// onceEach leaves out operating system packages that a second file of the same
// package manager names again: status beside status.d, or a database kept in
// two directories. The list is sorted; the first file wins.
func onceEach(list []Package) []Package {
	seen := map[installed]bool{}
	return slices.DeleteFunc(list, func(p Package) bool {
		if !p.System() {
			return false
		}
		manager, _, _ := strings.Cut(p.Kind, ".")
		key := installed{manager, p.Name, p.Version, p.Arch}
		if seen[key] {
			return true
		}
		seen[key] = true
		return false
	})
}
