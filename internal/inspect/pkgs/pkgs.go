// Package pkgs extracts packages from the files that name them: the databases
// of operating system package managers and the manifests, lock files,
// executables and archives of programming languages.
//
// Words:
//
//   - package file: one file that names packages; its kind is one of facts.Kind*.
//   - database: the package file of an operating system package manager.
//     Databases are read by parsers of our own, which hold to fixed bounds and
//     never trust a length or a page number; language files go to the
//     extractors of osv-scalibr.
//   - manifest: any other package file.
//   - inner path: where in an archive a package was found.
//
// The distribution a database belongs to is not known here: os-release may lie
// in another layer. Packages of databases therefore carry no ecosystem.
package pkgs

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"dogwatch/internal/facts"
)

// Revision is the version of the extraction rules.
const Revision = "2"

// ErrBroken says that a package file could be read in part or not at all.
var ErrBroken = errors.New("package file is broken")

// broken makes an error about a package file.
func broken(format string, args ...any) error {
	return fmt.Errorf("pkgs: %w: %s", ErrBroken, fmt.Sprintf(format, args...))
}

// Want says in which form the extractor takes a file.
type Want int

// Forms a file is wanted in.
const (
	Nothing Want = iota // not a package file by its name
	Content             // the whole content, see Extractor.File
	Spooled             // a reader at any offset, see Extractor.RPM
	Journal             // the write-ahead log of a database wanted Spooled
)

// Extractor turns package files into packages. It is safe for concurrent use.
type Extractor struct{ languages *languages }

// New builds an extractor.
func New() (*Extractor, error) {
	l, err := newLanguages()
	if err != nil {
		return nil, fmt.Errorf("pkgs: %w", err)
	}
	return &Extractor{languages: l}, nil
}

// Classify tells from a cleaned path alone what kind of package file it is.
// Executables have no name of their own: see GoExecutable.
func Classify(name string) (kind string, want Want) {
	base := name[strings.LastIndexByte(name, '/')+1:]
	switch base {
	case "status", "installed":
		return classifyDatabase(name)
	case "package.json":
		if !installedNPM(name) {
			return "", Nothing
		}
		return facts.KindNPM, Content
	case "package-lock.json":
		return facts.KindNPMLock, Content
	case "METADATA":
		return classifySuffix(name, ".dist-info/METADATA", facts.KindPython)
	case "PKG-INFO":
		if strings.HasSuffix(name, ".egg-info/PKG-INFO") || strings.HasSuffix(name, "EGG-INFO/PKG-INFO") {
			return facts.KindPython, Content
		}
		return "", Nothing
	case "Packages", "Packages.db", "rpmdb.sqlite", "rpmdb.sqlite-wal":
		return classifyRPM(name, base)
	}
	return classifyExtension(name, base)
}

func classifyExtension(name, base string) (string, Want) {
	switch strings.ToLower(path.Ext(base)) {
	case ".jar", ".war", ".ear", ".jmod", ".par", ".sar", ".jpi", ".hpi", ".lpkg", ".nar":
		return facts.KindJava, Content
	case ".whl", ".egg", ".egg-info":
		return facts.KindPython, Content
	case ".md5sums":
		return "", Nothing
	}
	if strings.HasPrefix(name, "var/lib/dpkg/status.d/") {
		return facts.KindDpkgD, Content
	}
	return "", Nothing
}

func classifySuffix(name, suffix, kind string) (string, Want) {
	if strings.HasSuffix(name, suffix) {
		return kind, Content
	}
	return "", Nothing
}

func classifyDatabase(name string) (string, Want) {
	switch name {
	case "var/lib/dpkg/status", "usr/lib/dpkg/status":
		return facts.KindDpkg, Content
	case "lib/apk/db/installed", "usr/lib/apk/db/installed", "var/lib/apk/db/installed":
		return facts.KindAPK, Content
	}
	return "", Nothing
}

// rpmDirs are the directories an RPM database lives in.
var rpmDirs = [...]string{"var/lib/rpm/", "usr/lib/sysimage/rpm/", "usr/share/rpm/"}

func classifyRPM(name, base string) (string, Want) {
	for _, dir := range rpmDirs {
		if name != dir+base {
			continue
		}
		if base == "rpmdb.sqlite-wal" {
			return facts.KindRPM, Journal
		}
		return facts.KindRPM, Spooled
	}
	return "", Nothing
}

// installedNPM tells whether a package.json belongs to a package: below
// node_modules only the file right in a package's directory does, the others
// are test fixtures and inner manifests.
func installedNPM(name string) bool {
	i := strings.LastIndex("/"+name, "/node_modules/")
	if i < 0 {
		return true
	}
	inner := strings.Split(("/" + name)[i+len("/node_modules/"):], "/")
	if strings.HasPrefix(inner[0], "@") {
		return len(inner) == 3
	}
	return len(inner) == 2
}

// File extracts the packages of a file wanted as Content. What could be read
// is returned together with the error.
func (e *Extractor) File(ctx context.Context, kind, name string, data []byte) ([]facts.Package, error) {
	switch kind {
	case facts.KindDpkg:
		return parseDpkg(data, true)
	case facts.KindDpkgD:
		return parseDpkg(data, false)
	case facts.KindAPK:
		return parseAPK(data)
	case facts.KindJava:
		return e.languages.java(ctx, name, data)
	case facts.KindNPM, facts.KindNPMLock, facts.KindPython, facts.KindGo:
		return e.languages.extract(ctx, kind, name, data)
	}
	return nil, fmt.Errorf("pkgs: no extractor for files of kind %q", kind)
}
