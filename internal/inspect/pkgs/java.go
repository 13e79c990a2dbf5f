package pkgs

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"path"
	"slices"
	"strings"

	"dogwatch/internal/facts"

	"github.com/google/osv-scalibr/extractor/filesystem/language/java/archive"
)

// Bounds of Java archives. A nested archive lives in memory beside those it lies in.
const (
	jarDepth      = 8         // archives within archives
	jarNested     = 192 << 20 // bytes of nested archives expanded for one file
	jarDescriptor = 1 << 20   // size of a MANIFEST.MF or pom.properties
	jarEntries    = 200_000   // members of one archive
)

// zipMember opens each entry of a zip file's directory.
const zipMember = "PK\x01\x02"

// jarWalk is the descent into one archive file.
type jarWalk struct {
	ctx    context.Context
	l      *languages
	outer  string
	left   int64
	found  []facts.Package
	reason string // the first thing that could not be read
}

// java extracts the packages of a Java archive and of the archives in it.
func (l *languages) java(ctx context.Context, name string, data []byte) ([]facts.Package, error) {
	w := &jarWalk{ctx: ctx, l: l, outer: name, left: jarNested}
	w.archive(name, data, 1)
	if ctx.Err() != nil {
		return w.found, ctx.Err()
	}
	slices.SortFunc(w.found, comparePackages)
	w.found = slices.Compact(w.found)
	if w.reason != "" {
		return w.found, broken("%s", w.reason)
	}
	return w.found, nil
}

func (w *jarWalk) note(reason string) {
	if w.reason == "" {
		w.reason = reason
	}
}

// archive examines one archive, whose path includes those it lies in.
func (w *jarWalk) archive(name string, data []byte, depth int) {
	if bytes.Count(data, []byte(zipMember)) > jarEntries {
		w.note("archive " + name + " has too many members")
		return
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		w.note("archive " + name + ": " + err.Error())
		return
	}
	if !w.modest(name, z) {
		return
	}
	// The error only repeats what modest and nested judge themselves.
	found, _ := run(w.ctx, w.l.jar, name, data)
	inner := strings.TrimPrefix(strings.TrimPrefix(name, w.outer), "/")
	for _, p := range convert(facts.KindJava, name, found) {
		p.Path = inner
		w.found = append(w.found, p)
	}
	w.nested(name, z, depth)
}

// modest refuses archives whose descriptors would fill the memory, and notes
// those that cannot be read.
func (w *jarWalk) modest(name string, z *zip.Reader) bool {
	for _, f := range z.File {
		switch strings.ToUpper(path.Base(f.Name)) {
		case "MANIFEST.MF", "POM.PROPERTIES":
			if f.UncompressedSize64 > jarDescriptor {
				w.note("archive " + name + " has a descriptor that is too large")
				return false
			}
			if f.UncompressedSize64 > uint64(w.left) {
				w.note("archive " + name + " has too many descriptors")
				return false
			}
			w.left -= int64(f.UncompressedSize64)
			if _, err := readMember(f); err != nil {
				w.note("descriptor " + path.Join(name, path.Clean("/"+f.Name)) + ": " + err.Error())
			}
		}
	}
	return true
}

// nested descends into the archives that lie in this one.
func (w *jarWalk) nested(name string, z *zip.Reader, depth int) {
	for _, f := range z.File {
		if w.ctx.Err() != nil || !archive.IsArchive(f.Name) || f.FileInfo().IsDir() {
			continue
		}
		inner := path.Join(name, path.Clean("/"+f.Name))
		if depth >= jarDepth {
			w.note("archive " + inner + " lies too deep")
			continue
		}
		if f.UncompressedSize64 > uint64(w.left) {
			w.note("archive " + inner + " is too large")
			continue
		}
		w.left -= int64(f.UncompressedSize64)
		data, err := readMember(f)
		if err != nil {
			w.note("archive " + inner + ": " + err.Error())
			continue
		}
		w.archive(inner, data, depth+1)
	}
}

// readMember expands a member; the zip reader holds it to its declared size.
func readMember(f *zip.File) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(io.LimitReader(r, int64(f.UncompressedSize64)+1))
}
