package inventory

import (
	"path"
	"strings"

	"dogwatch/internal/facts"
)

// maxHops bounds the symbolic links followed while one path is resolved, as
// the kernel does.
const maxHops = 40

// tree is the part of an image's file system that carries facts or leads to
// them: a node for each path with content, for each symbolic link that may
// stand for a directory, and for their ancestors.
type tree struct {
	root   *node
	byHash map[uint64]*node   // by the hash of the node's path
	links  map[*node]struct{} // nodes that are links
	owners owners
	budget int // lookups left for names through links
}

// node is one path. A node without content and link is a directory.
type node struct {
	path     string
	name     string
	parent   *node
	children map[string]*node
	isLink   bool
	link     string // target, when isLink
	linkedBy int    // layer that brought the link
	content  *content
}

// content is what one layer's facts say of one path.
type content struct {
	layer    int
	os       *facts.OSRelease
	packages []facts.PackageFile
	secrets  []facts.Secret
	malware  []facts.Malware
	hashes   []facts.FileHash
}

func newTree() *tree {
	return &tree{
		root:   &node{},
		byHash: map[uint64]*node{},
		links:  map[*node]struct{}{},
		owners: owners{},
		budget: maxLookups,
	}
}

// at finds the node of a path without following links, nil if there is none.
func (t *tree) at(p string) *node {
	n := t.root
	for part := range components(p) {
		if n = n.children[part]; n == nil {
			return nil
		}
	}
	return n
}

// make is at, but makes the nodes that are missing.
func (t *tree) make(p string) *node {
	n := t.root
	for part := range components(p) {
		child := n.children[part]
		if child == nil {
			child = &node{path: path.Join(n.path, part), name: part, parent: n}
			if n.children == nil {
				n.children = map[string]*node{}
			}
			n.children[part] = child
			t.byHash[facts.PathHash(child.path)] = child
		}
		n = child
	}
	return n
}

// clear removes everything below a node and, with self, the node too.
func (t *tree) clear(n *node, self bool) {
	for _, child := range n.children {
		t.clear(child, true)
	}
	if self && n != t.root {
		t.strip(n)
		t.prune(n)
	}
}

// strip takes content and link from a node and leaves its children.
func (t *tree) strip(n *node) {
	if n.content != nil {
		t.owners.drop(n)
	}
	delete(t.links, n)
	n.content, n.link, n.isLink = nil, "", false
}

// prune removes a node that carries nothing, and its ancestors likewise.
func (t *tree) prune(n *node) {
	for n != t.root && n.content == nil && !n.isLink && len(n.children) == 0 {
		delete(t.byHash, facts.PathHash(n.path))
		delete(n.parent.children, n.name)
		n = n.parent
	}
}

// entry is the real path of an archive entry: links on the way are followed,
// the entry itself is not. A path through a loop stays as it is written.
func (t *tree) entry(p string) string {
	dir, base := path.Split(p)
	if dir == "" {
		return p
	}
	return path.Join(t.resolve(path.Clean(dir)), base)
}

// resolve follows every link of a path, the last component included.
func (t *tree) resolve(p string) string {
	rest, hops := p, 0
	n, done := t.root, ""
	for rest != "" {
		part, tail, _ := strings.Cut(rest, "/")
		if n != nil {
			n = n.children[part]
		}
		if n == nil || !n.isLink {
			done, rest = path.Join(done, part), tail
			continue
		}
		if hops++; hops > maxHops {
			return p
		}
		n, done, rest = t.root, "", path.Join(n.link, tail)
	}
	return done
}

// components walks the names of a cleaned relative path.
func components(p string) func(func(string) bool) {
	return func(yield func(string) bool) {
		if p == "" || p == "." {
			return
		}
		for part := range strings.SplitSeq(p, "/") {
			if !yield(part) {
				return
			}
		}
	}
}
