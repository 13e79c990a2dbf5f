package inventory

import (
	"slices"
	"strings"

	"dogwatch/internal/facts"
)

// maxLookups bounds the work that symbolic links to directories cause in one
// image, so that a hostile image cannot make it grow without end. Beyond it the
// layers that are left count as incomplete. An ordinary image links a handful of
// directories (bin, sbin, lib, lib64, var/run) and needs a few thousand.
const maxLookups = 32 << 20

// alias is another name of a directory, given by a symbolic link.
type alias struct {
	name string // path that leads through a link
	dir  *node
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
		for _, n := range below(a.dir) {
			if !t.spend() {
				return false
			}
			if n.isLink && n.linkedBy == layer {
				continue
			}
			h := facts.PathHash(join(a.name, within(n.path, a.dir.path)))
			if has(f.NonDirs, h) {
				t.clear(n, true)
			} else if has(f.Dirs, h) {
				t.makeWay(n)
			}
		}
	}
	return whole
}

// aliases lists the other names of every linked directory that leads to facts.
// Names that go through several links are found by going round until nothing new
// turns up; the list is whole unless the budget ran out.
func (t *tree) aliases() (list []alias, whole bool) {
	links, whole := t.dirLinks()
	if !whole {
		return nil, false
	}
	seen := make(map[string]bool, len(links))
	for _, l := range links {
		list = append(list, l)
		seen[l.name] = true
	}
	for i := 0; i < len(list); i++ {
		for _, l := range links {
			if !t.spend() {
				return list, false
			}
			if !inside(l.name, list[i].dir.path) || loops(list[i].name, l.name) {
				continue
			}
			name := join(list[i].name, within(l.name, list[i].dir.path))
			if !seen[name] {
				seen[name] = true
				list = append(list, alias{name: name, dir: l.dir})
			}
		}
	}
	return list, true
}

// dirLinks lists the visible links that stand for a directory with facts below
// it, in the order of their paths.
func (t *tree) dirLinks() (list []alias, whole bool) {
	for n := range t.links {
		if !t.spend() {
			return nil, false
		}
		if dir := t.at(t.resolve(n.path)); dir != nil && dir != n && len(dir.children) > 0 {
			list = append(list, alias{name: n.path, dir: dir})
		}
	}
	slices.SortFunc(list, func(a, b alias) int { return strings.Compare(a.name, b.name) })
	return list, true
}

// spend takes one lookup from the budget.
func (t *tree) spend() bool {
	t.budget--
	return t.budget >= 0
}

// loops tells whether a name already went through the link, so that going
// through it again would never end (usr/x -> usr).
func loops(name, link string) bool {
	base := link[strings.LastIndexByte(link, '/')+1:]
	return name == link || strings.HasPrefix(name, link+"/") || strings.HasSuffix(name, "/"+base)
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

// inside tells whether a path lies below a directory; everything lies below the root.
func inside(p, dir string) bool {
	return dir == "" || strings.HasPrefix(p, dir) && len(p) > len(dir) && p[len(dir)] == '/'
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
