package inspect

import (
	"archive/tar"
	"path"
	"slices"
	"strings"

	"dogwatch/internal/facts"
)

// Marks of the layer format.
const (
	whiteoutMark = ".wh."
	metaMark     = ".wh..wh." // aufs's own files, ".wh..wh..opq" apart
	opaqueMark   = ".wh..wh..opq"
	linkDepth    = 3 // symbolic links this deep may stand for a directory of the root
)

// record is what a layer does to the paths below it.
type record struct {
	most      int
	text      *int64 // bytes of text that may still be kept
	dirs      []uint64
	nonDirs   []uint64
	whiteouts []string
	opaques   []string
	symlinks  []facts.Link
	hardlinks []facts.Link
	dropped   map[string]int // entries that were not kept, by gap code
}

func newRecord(most int, text *int64) record {
	return record{most: most, text: text, dropped: map[string]int{}}
}

// whiteout records an entry that deletes; false if the entry is none.
func (r *record) whiteout(name string) bool {
	base := path.Base(name)
	if !strings.HasPrefix(base, whiteoutMark) {
		return false
	}
	dir := strings.TrimPrefix(path.Dir("/"+name), "/")
	victim := base[len(whiteoutMark):]
	switch {
	case base == opaqueMark:
		r.keep(&r.opaques, dir)
	case strings.HasPrefix(base, metaMark):
	case victim == "" || victim == "." || victim == "..":
		r.dropped["BadWhiteout"]++
	default:
		r.keep(&r.whiteouts, strings.TrimPrefix(dir+"/"+victim, "/"))
	}
	return true
}

func (r *record) keep(list *[]string, name string) {
	if r.fits(len(*list), len(name)) {
		*list = append(*list, name)
	}
}

func (r *record) keepLink(list *[]facts.Link, name, target string) {
	if r.fits(len(*list), len(name)+len(target)) {
		*list = append(*list, facts.Link{Path: name, Target: target})
	}
}

// fits tells whether a list that has n entries may have one more with so much text.
func (r *record) fits(n, text int) bool {
	if n >= r.most || int64(text) > *r.text {
		r.dropped["TooManyLinks"]++
		return false
	}
	*r.text -= int64(text)
	return true
}

// entry records an entry that is no whiteout.
func (r *record) entry(h *tar.Header, name string) {
	hash := facts.PathHash(name)
	if h.Typeflag == tar.TypeDir {
		r.dirs = append(r.dirs, hash)
		return
	}
	r.nonDirs = append(r.nonDirs, hash)
	switch h.Typeflag {
	case tar.TypeSymlink:
		if depth(name) <= linkDepth {
			r.keepLink(&r.symlinks, name, linkTarget(name, h.Linkname))
		}
	case tar.TypeLink:
		r.keepLink(&r.hardlinks, name, cleanPath(h.Linkname))
	}
}

// into closes the record: sorted, without doubles, hard links only where they
// repeat something found.
func (r *record) into(f *facts.Layer) {
	f.Dirs, f.NonDirs = sorted(r.dirs), sorted(r.nonDirs)
	f.Whiteouts, f.Opaques = sorted(r.whiteouts), sorted(r.opaques)
	f.Symlinks = lastOf(r.symlinks)
	telling := tellingPaths(f)
	for _, l := range lastOf(r.hardlinks) {
		if telling[l.Target] {
			f.Hardlinks = append(f.Hardlinks, l)
		}
	}
}

func sorted[T uint64 | string](list []T) []T {
	slices.Sort(list)
	return slices.Compact(list)
}

// lastOf keeps the last link of each path, sorted by path.
func lastOf(links []facts.Link) []facts.Link {
	slices.SortStableFunc(links, func(a, b facts.Link) int { return strings.Compare(a.Path, b.Path) })
	out := links[:0]
	for i, l := range links {
		if i+1 == len(links) || links[i+1].Path != l.Path {
			out = append(out, l)
		}
	}
	return out
}

// tellingPaths are the paths that carry facts.
func tellingPaths(f *facts.Layer) map[string]bool {
	telling := map[string]bool{}
	if f.OS != nil {
		telling[f.OS.Path] = true
	}
	for i := range f.Packages {
		telling[f.Packages[i].Path] = true
	}
	for i := range f.Secrets {
		telling[f.Secrets[i].Path] = true
	}
	for i := range f.Malware {
		telling[f.Malware[i].Path] = true
	}
	for i := range f.Hashes {
		telling[f.Hashes[i].Path] = true
	}
	return telling
}
