package inventory

import (
	"slices"
	"strings"

	"dogwatch/internal/facts"
)

// The bounds keep the work that symbolic links to directories cause in one image
// from growing without end. Beyond them a layer counts as incomplete. An ordinary
// image links a handful of directories (bin, sbin, lib, lib64, var/run).
const (
	maxLookups = 64 << 20 // paths tried under other names, all layers together
	maxAliases = 16 << 10 // other names in one layer
	maxThrough = 4        // links that one name leads through
)

// alias is another name of a directory, given by symbolic links.
type alias struct {
	name string // path that leads through the links
	dir  *node
	via  []string // real paths of the links
}

// overwriteThroughLinks removes what the layer's entries take the place of when
// their paths lead through a link: with lib -> usr/lib, the entry lib/x replaces
// usr/lib/x. The layer only has hashes, so each node below a linked directory is
// looked up under the directory's other names.
func (t *tree) overwriteThroughLinks(layer int, f *facts.Layer) bool {
	if len(f.NonDirs) == 0 && len(f.Dirs) == 0 {
		return true
	}
	aliases, whole := t.aliases()
	for _, a := range aliases {
		if t.budget -= size(a.dir); t.budget < 0 {
			return false
		}
		t.overwriteBelow(a.dir, facts.PathHash(a.name), layer, f)
	}
	return whole
}

// overwriteBelow looks everything below a directory up under another name of
// it, of which it has the hash.
func (t *tree) overwriteBelow(dir *node, h uint64, layer int, f *facts.Layer) {
	h = extend(h, "/")
	for _, n := range dir.children {
		if n.isLink && n.linkedBy == layer {
			continue
		}
		h := extend(h, n.name)
		if has(f.NonDirs, h) {
			t.clear(n, true)
			continue
		}
		t.overwriteBelow(n, h, layer, f)
		if has(f.Dirs, h) {
			t.makeWay(n)
		}
	}
}

// extend is the facts.PathHash of a text that goes on: extend(PathHash(a), b)
// is PathHash(a+b).
func extend(h uint64, s string) uint64 {
	const prime = 1099511628211 // of 64-bit FNV-1a
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * prime
	}
	return h
}

// size counts the nodes below a directory.
func size(dir *node) int {
	n := len(dir.children)
	for _, child := range dir.children {
		n += size(child)
	}
	return n
}

// aliases lists the other names of every linked directory that leads to facts.
// A name may lead through several links, but through none twice: loops are not
// followed.
func (t *tree) aliases() (list []alias, whole bool) {
	links := t.dirLinks()
	list = slices.Clone(links)
	seen := make(map[string]bool, len(links))
	for _, l := range links {
		seen[l.name] = true
	}
	for i := 0; i < len(list) && len(list) <= maxAliases; i++ {
		a := list[i]
		if len(a.via) == maxThrough {
			continue
		}
		for _, l := range linksInside(links, a.dir.path) {
			name := join(a.name, within(l.name, a.dir.path))
			if seen[name] || slices.Contains(a.via, l.name) {
				continue
			}
			seen[name] = true
			list = append(list, alias{name: name, dir: l.dir, via: append(slices.Clone(a.via), l.name)})
		}
	}
	if len(list) > maxAliases {
		return list[:maxAliases], false
	}
	return list, true
}

// dirLinks lists the visible links that stand for a directory with facts below
// it, in the order of their paths.
func (t *tree) dirLinks() []alias {
	var list []alias
	for n := range t.links {
		if dir := t.at(t.resolve(n.path)); dir != nil && dir != n && len(dir.children) > 0 {
			list = append(list, alias{name: n.path, dir: dir, via: []string{n.path}})
		}
	}
	slices.SortFunc(list, func(a, b alias) int { return strings.Compare(a.name, b.name) })
	return list
}

// linksInside is the run of a sorted list of links that lies below a directory.
func linksInside(links []alias, dir string) []alias {
	if dir == "" {
		return links
	}
	byName := func(a alias, name string) int { return strings.Compare(a.name, name) }
	from, _ := slices.BinarySearchFunc(links, dir+"/", byName)
	to, _ := slices.BinarySearchFunc(links, dir+"0", byName) // '0' follows '/'
	return links[from:to]
}

// below lists the nodes under a directory.
func below(dir *node) []*node {
	var list []*node
	for _, child := range dir.children {
		list = append(list, child)
		list = append(list, below(child)...)
	}
	return list
}

// has looks a hash up in a sorted list.
func has(sorted []uint64, h uint64) bool {
	_, found := slices.BinarySearch(sorted, h)
	return found
}

// within is the rest of a path below a directory.
func within(p, dir string) string {
	if dir == "" {
		return p
	}
	return p[len(dir)+1:]
}

// join puts a relative path below a directory.
func join(dir, rest string) string {
	if dir == "" {
		return rest
	}
	return dir + "/" + rest
}

// tooManyLinks is the gap of a layer whose paths could not all be followed.
func tooManyLinks(layer int) Gap {
	return Gap{Layer: layer, Gap: facts.Gap{
		Code:   "TooManyLinks",
		Reason: "the image links so many directories to others that not every overwritten path could be followed",
		Parts:  "CVE,VIRUS,RISK",
	}}
}
