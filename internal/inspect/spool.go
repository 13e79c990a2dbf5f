package inspect

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"dogwatch/internal/facts"
	"dogwatch/internal/inspect/pkgs"
)

// journalSuffix joins an SQLite database and its write-ahead log.
const journalSuffix = "-wal"

// spool puts a package database aside until the walk is over: its journal may
// come later.
func (p *pass) spool(name string, size int64, want pkgs.Want, content io.Reader) error {
	if want == pkgs.Journal {
		if size > p.in.options.Limits.FileBytes {
			p.gaps.add("FileTooLarge", name, "the journal of the package database is too large", partPackages)
			return nil
		}
		data, err := p.read(content, 0, size)
		if err == nil {
			p.found.at(name).spool = &spool{journal: slices.Clone(data)}
		}
		return err
	}
	if p.spooled += size; p.spooled > p.in.options.Limits.SpoolBytes {
		p.gaps.add("FileTooLarge", name, fmt.Sprintf("a package database of %d bytes", size), partPackages)
		return nil
	}
	file, err := unnamedFile(p.in.options.SpoolDir)
	if err != nil {
		p.gaps.add("SpoolFailed", name, "the package database could not be put aside", partPackages)
		return nil
	}
	p.found.at(name).spool = &spool{file: file, size: size}
	return p.copyTo(file, name, size, content)
}

// copyTo copies a database into its spool. Only errors of the layer count:
// a spool that cannot be written is a gap.
func (p *pass) copyTo(file *os.File, name string, size int64, content io.Reader) error {
	for left := size; left > 0; {
		piece, err := p.read(content, 0, min(left, 1<<20))
		if err != nil {
			return err
		}
		if _, err := file.Write(piece); err != nil {
			p.found.forget(name)
			p.gaps.add("SpoolFailed", name, "the package database could not be put aside", partPackages)
			return nil
		}
		left -= int64(len(piece))
	}
	return nil
}

// unnamedFile makes a file that is gone as soon as it is closed.
func unnamedFile(dir string) (*os.File, error) {
	file, err := os.CreateTemp(dir, "dogwatch-spool-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(file.Name()); err != nil {
		file.Close() //nolint:errcheck // the first error tells more
		return nil, err
	}
	return file, nil
}

// databases reads the package databases that were put aside.
func (p *pass) databases() {
	for _, name := range slices.Sorted(maps.Keys(p.found.byPath)) {
		x := p.found.byPath[name]
		if x.spool == nil || x.spool.file == nil {
			continue
		}
		var journal []byte
		if j := p.found.byPath[name+journalSuffix]; j != nil && j.spool != nil {
			journal = j.spool.journal
		}
		p.guard(name, partPackages, func() {
			found, err := p.in.packages.RPM(p.ctx, x.spool.file, x.spool.size, journal)
			p.found.addPackages(name, facts.KindRPM, found)
			p.packageGap(name, facts.KindRPM, err)
		})
	}
}
