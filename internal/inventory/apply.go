package inventory

import (
	"cmp"
	"slices"
	"strings"

	"dogwatch/internal/facts"
)

// apply lays one layer over the tree. It returns false if the image has so many
// directory links that some paths of the layer could not be followed.
//
// What the layer overwrites and deletes comes first, then its own links and
// facts: a layer never deletes anything of its own.
func (t *tree) apply(layer int, f *facts.Layer) bool {
	t.overwrite(f.Dirs, f.NonDirs)
	t.delete(f)
	t.addLinks(layer, f.Symlinks)
	real := t.realPaths(f)
	whole := t.overwriteThroughLinks(layer, f)
	t.addFacts(layer, f, real)
	t.addHardlinks(layer, f.Hardlinks, real)
	t.owners.settle(layer)
	return whole
}

// delete carries out the layer's whiteouts and opaque directories. All paths
// are resolved before anything goes, for a whiteout may name a link on the way
// of another.
func (t *tree) delete(f *facts.Layer) {
	gone := make([]*node, 0, len(f.Whiteouts))
	for _, p := range f.Whiteouts {
		if n := t.at(t.entry(p)); n != nil && n != t.root {
			gone = append(gone, n)
		}
	}
	emptied := make([]*node, 0, len(f.Opaques))
	for _, p := range f.Opaques {
		if n := t.at(t.resolve(rootless(p))); n != nil {
			emptied = append(emptied, n)
		}
	}
	for _, n := range emptied {
		t.clear(n, false)
		t.prune(n)
	}
	for _, n := range gone {
		t.clear(n, true)
	}
}

// overwrite removes what the layer's entries take the place of, by the paths
// as the layer writes them.
func (t *tree) overwrite(dirs, nonDirs []uint64) {
	for _, h := range nonDirs {
		if n := t.byHash[h]; n != nil {
			t.clear(n, true)
		}
	}
	for _, h := range dirs {
		if n := t.byHash[h]; n != nil {
			t.makeWay(n)
		}
	}
}

// makeWay lets a directory take a node's place: a file or a link goes, a
// directory keeps what is in it.
func (t *tree) makeWay(n *node) {
	if n.content == nil && !n.isLink {
		return
	}
	t.strip(n)
	t.prune(n)
}

// addLinks adds the layer's links, those nearer to the root first, for they may
// lie on the way of the others.
func (t *tree) addLinks(layer int, links []facts.Link) {
	links = slices.Clone(links)
	slices.SortStableFunc(links, func(a, b facts.Link) int {
		return cmp.Or(
			cmp.Compare(strings.Count(a.Path, "/"), strings.Count(b.Path, "/")),
			strings.Compare(a.Path, b.Path),
		)
	})
	for _, l := range links {
		p := t.entry(l.Path)
		if n := t.at(p); n == t.root {
			continue
		} else if n != nil {
			t.clear(n, true)
		}
		n := t.make(p)
		n.isLink, n.link, n.linkedBy = true, rootless(l.Target), layer
		t.links[n] = struct{}{}
	}
}

// realPaths resolves the paths of the layer's own facts and links, before the
// layer replaces links that those paths lead through (a/a with a -> .).
func (t *tree) realPaths(f *facts.Layer) map[string]string {
	real := make(map[string]string, len(f.Packages)+len(f.Secrets)+len(f.Malware)+len(f.Hashes)+1)
	add := func(p string) {
		if _, known := real[p]; !known {
			real[p] = t.entry(p)
		}
	}
	if f.OS != nil {
		add(f.OS.Path)
	}
	for i := range f.Packages {
		add(f.Packages[i].Path)
	}
	for i := range f.Secrets {
		add(f.Secrets[i].Path)
	}
	for i := range f.Malware {
		add(f.Malware[i].Path)
	}
	for i := range f.Hashes {
		add(f.Hashes[i].Path)
	}
	for _, l := range f.Hardlinks {
		add(l.Path)
		add(l.Target)
	}
	return real
}

// addFacts puts the layer's own facts at their real paths.
func (t *tree) addFacts(layer int, f *facts.Layer, real map[string]string) {
	own := func(p string) *content { return t.own(layer, real[p]) }
	if f.OS != nil {
		own(f.OS.Path).os = f.OS
	}
	for _, p := range f.Packages {
		c := own(p.Path)
		c.packages = append(c.packages, p)
	}
	for _, s := range f.Secrets {
		c := own(s.Path)
		c.secrets = append(c.secrets, s)
	}
	for _, m := range f.Malware {
		c := own(m.Path)
		c.malware = append(c.malware, m)
	}
	for _, h := range f.Hashes {
		c := own(h.Path)
		c.hashes = append(c.hashes, h)
	}
	for _, p := range f.Packages {
		t.owners.touch(t.make(real[p.Path]))
	}
}

// own is the layer's content at a real path. Content a lower layer left there
// gives way: facts come from files, and a file replaces a file.
func (t *tree) own(layer int, p string) *content {
	n := t.make(p)
	if n.content == nil || n.content.layer != layer {
		t.strip(n)
		n.content = &content{layer: layer}
	}
	return n.content
}

// addHardlinks makes the facts at each link's target visible at the link too.
// A chain of links is followed to the file at its end.
func (t *tree) addHardlinks(layer int, links []facts.Link, real map[string]string) {
	target := make(map[string]string, len(links))
	for _, l := range links {
		target[real[l.Path]] = real[l.Target]
	}
	for _, l := range links {
		from := real[l.Path]
		to := target[from]
		for hops := 0; hops < maxHops; hops++ {
			next, isLink := target[to]
			if !isLink {
				break
			}
			to = next
		}
		if n := t.at(to); n != nil && n.content != nil && to != from {
			t.linkContent(layer, n, t.make(from))
		}
	}
}

// linkContent copies the content of one node to another. A database of the
// operating system stays one under the same file name only: status-old, which
// dpkg links to status, is no database.
func (t *tree) linkContent(layer int, from, to *node) {
	if to == t.root {
		return
	}
	c := *from.content
	c.layer = layer
	c.packages = nil
	for _, p := range from.content.packages {
		if p.System() && from.name != to.name {
			continue
		}
		c.packages = append(c.packages, p)
	}
	t.strip(to)
	to.content = &c
	t.owners.touch(to)
}

// rootless is a cleaned path with "." (the image root) as the empty path.
func rootless(p string) string {
	if p == "." || p == "/" {
		return ""
	}
	return p
}
