package inspect

import (
	"fmt"
	"maps"
	"os"
	"slices"

	"dogwatch/internal/facts"
)

// findings are what the files of a layer yielded so far, by path: an entry that
// comes twice counts as it came last.
type findings struct {
	limits *Limits
	text   *int64 // bytes of text that may still be kept
	gaps   *gaps
	byPath map[string]*finding
	total  totals
}

// totals are held against the limits.
type totals struct{ packages, secrets, malware, hashes int }

// finding is what one file yielded.
type finding struct {
	os       *facts.OSRelease
	packages *facts.PackageFile
	secrets  []facts.Secret
	malware  []facts.Malware
	hash     *facts.FileHash
	spool    *spool
}

// spool is a package database that needs a reader at any offset: a file that
// has no name any more. It is judged after the walk.
type spool struct {
	file    *os.File
	size    int64
	journal []byte // content of a journal, when the finding is one
}

func newFindings(l *Limits, text *int64, g *gaps) *findings {
	return &findings{limits: l, text: text, gaps: g, byPath: map[string]*finding{}}
}

// at gives the finding of a path.
func (f *findings) at(name string) *finding {
	x := f.byPath[name]
	if x == nil {
		x = &finding{}
		f.byPath[name] = x
	}
	return x
}

// forget drops what an earlier entry of the same path yielded.
func (f *findings) forget(name string) {
	x, ok := f.byPath[name]
	if !ok {
		return
	}
	delete(f.byPath, name)
	if x.packages != nil {
		f.total.packages -= len(x.packages.Packages)
	}
	if x.hash != nil {
		f.total.hashes--
	}
	f.total.secrets -= len(x.secrets)
	f.total.malware -= len(x.malware)
	x.close()
}

func (x *finding) close() {
	if x.spool != nil && x.spool.file != nil {
		x.spool.file.Close() //nolint:errcheck // it is unlinked and only read
	}
}

// close frees the spools.
func (f *findings) close() {
	for _, x := range f.byPath {
		x.close()
	}
}

// room tells how many of n more may be kept, whose text has the sizes that
// size gives, and notes a gap if not all.
func (f *findings) room(total *int, n, most int, size func(i int) int, code, parts string) int {
	for i := range n {
		text := int64(size(i))
		if *total >= most || text > *f.text {
			f.gaps.add(code, "", fmt.Sprintf("the layer yields more than can be kept: %d", *total), parts)
			return i
		}
		*total++
		*f.text -= text
	}
	return n
}

func (f *findings) addPackages(name, kind string, found []facts.Package) {
	n := f.room(&f.total.packages, len(found), f.limits.Packages, func(i int) int {
		p := &found[i]
		return len(p.Name) + len(p.Version) + len(p.Arch) + len(p.SourceName) + len(p.SourceVersion) + len(p.Module) + len(p.License) + len(p.Path)
	}, "TooManyPackages", partPackages)
	if len(found) > 0 || systemKind(kind) {
		f.at(name).packages = &facts.PackageFile{Path: name, Kind: kind, Packages: found[:n]}
	}
}

// systemKind tells whether an empty file of a kind means something: a package
// database without packages hides the one below it.
func systemKind(kind string) bool { return (&facts.PackageFile{Kind: kind}).System() }

func (f *findings) addSecrets(name string, found []facts.Secret) {
	if n := f.room(&f.total.secrets, len(found), f.limits.Findings, func(i int) int { return len(name) + len(found[i].Masked) }, "TooManySecrets", partSecrets); n > 0 {
		x := f.at(name)
		x.secrets = append(x.secrets, found[:n]...)
	}
}

func (f *findings) addMalware(m facts.Malware) {
	if f.room(&f.total.malware, 1, f.limits.Findings, func(int) int { return len(m.Path) + len(m.Name) }, "TooManyMalware", partMalware) > 0 {
		x := f.at(m.Path)
		x.malware = append(x.malware, m)
	}
}

func (f *findings) addHash(h facts.FileHash) {
	if f.room(&f.total.hashes, 1, f.limits.Hashes, func(int) int { return len(h.Path) + len(h.SHA256) }, "TooManyHashes", partMalware) > 0 {
		f.at(h.Path).hash = &h
	}
}

// into writes the findings in the order of their paths.
func (f *findings) into(l *facts.Layer, links []facts.Link) {
	for _, name := range slices.Sorted(maps.Keys(f.byPath)) {
		x := f.byPath[name]
		if x.packages != nil {
			l.Packages = append(l.Packages, *x.packages)
		}
		l.Secrets = append(l.Secrets, x.secrets...)
		l.Malware = append(l.Malware, x.malware...)
		if x.hash != nil {
			l.Hashes = append(l.Hashes, *x.hash)
		}
	}
	l.OS = f.osRelease(links)
}

// osRelease follows the two well-known names to a file of this layer.
func (f *findings) osRelease(links []facts.Link) *facts.OSRelease {
	targets := map[string]string{}
	for _, l := range links {
		targets[l.Path] = l.Target
	}
	for _, name := range [...]string{etcOSRelease, usrOSRelease} {
		for range 8 {
			if x := f.byPath[name]; x != nil && x.os != nil {
				return x.os
			}
			if name = targets[name]; name == "" {
				break
			}
		}
	}
	return nil
}
