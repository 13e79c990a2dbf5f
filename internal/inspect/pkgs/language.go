package pkgs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	configpb "github.com/google/osv-scalibr/binary/proto/config_go_proto"
	"github.com/google/osv-scalibr/extractor"
	"github.com/google/osv-scalibr/extractor/filesystem"
	"github.com/google/osv-scalibr/extractor/filesystem/language/golang/gobinary"
	"github.com/google/osv-scalibr/extractor/filesystem/language/java/archive"
	"github.com/google/osv-scalibr/extractor/filesystem/language/javascript/packagejson"
	"github.com/google/osv-scalibr/extractor/filesystem/language/javascript/packagelockjson"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/wheelegg"
	"github.com/google/osv-scalibr/log"

	"dogwatch/internal/facts"
)

// OSV names of the language ecosystems.
const (
	ecosystemNPM   = "npm"
	ecosystemPyPI  = "PyPI"
	ecosystemGo    = "Go"
	ecosystemMaven = "Maven"
)

// languages holds one osv-scalibr extractor for each kind of manifest.
type languages struct {
	byKind map[string]filesystem.Extractor
	jar    filesystem.Extractor
}

// silence takes osv-scalibr's logger away, once: it would repeat text of
// hostile files on standard error.
var silence = sync.OnceFunc(func() { log.SetLogger(quiet{}) })

func newLanguages() (*languages, error) {
	silence()
	l := &languages{byKind: map[string]filesystem.Extractor{}}
	for kind, build := range map[string]func(*configpb.PluginConfig) (filesystem.Extractor, error){
		facts.KindNPM:     packagejson.New,
		facts.KindNPMLock: packagelockjson.New,
		facts.KindPython:  wheelegg.New,
		facts.KindGo:      gobinary.New,
	} {
		e, err := build(&configpb.PluginConfig{})
		if err != nil {
			return nil, fmt.Errorf("extractor for %s: %w", kind, err)
		}
		l.byKind[kind] = e
	}
	var err error
	l.jar, err = archive.New(jarConfig())
	return l, err
}

// jarConfig keeps osv-scalibr to one level of an archive: we descend ourselves,
// within bounds.
func jarConfig() *configpb.PluginConfig {
	hash := false
	return &configpb.PluginConfig{PluginSpecific: []*configpb.PluginSpecificConfig{{
		Config: &configpb.PluginSpecificConfig_JavaArchive{JavaArchive: &configpb.JavaArchiveConfig{
			MaxZipDepth: 1, HashJars: &hash,
		}},
	}}}
}

// extract runs one extractor over one file.
func (l *languages) extract(ctx context.Context, kind, name string, data []byte) ([]facts.Package, error) {
	if bytes.Count(data, []byte(zipMember)) > jarEntries && bytes.HasPrefix(data, []byte("PK")) {
		return nil, broken("archive with too many members")
	}
	found, err := run(ctx, l.byKind[kind], name, data)
	out := convert(kind, name, found)
	if err != nil {
		if ctx.Err() != nil {
			return out, ctx.Err()
		}
		return out, broken("%v", err)
	}
	return out, nil
}

func run(ctx context.Context, e filesystem.Extractor, name string, data []byte) ([]*extractor.Package, error) {
	if e == nil {
		return nil, errors.New("no extractor")
	}
	inv, err := e.Extract(ctx, &filesystem.ScanInput{
		FS:     oneFile{},
		Path:   name,
		Info:   fileInfo{name: path.Base(name), size: int64(len(data))},
		Reader: bytes.NewReader(data),
	})
	return inv.Packages, err
}

// convert turns osv-scalibr's packages into ours, without those that have no version.
func convert(kind, name string, found []*extractor.Package) []facts.Package {
	out := make([]facts.Package, 0, len(found))
	for _, p := range found {
		if p == nil || p.Name == "" || p.Version == "" || p.Name == "unknown" || len(p.Name)+len(p.Version) > maxField {
			continue
		}
		f := facts.Package{Name: p.Name, Version: p.Version, Ecosystem: ecosystemOf(kind)}
		if kind == facts.KindGo && p.Name == "go" {
			f.Name = "stdlib"
		}
		out = append(out, f)
	}
	slices.SortFunc(out, comparePackages)
	return slices.Compact(out)
}

func comparePackages(a, b facts.Package) int {
	for _, c := range [...]int{strings.Compare(a.Path, b.Path), strings.Compare(a.Name, b.Name)} {
		if c != 0 {
			return c
		}
	}
	return strings.Compare(a.Version, b.Version)
}

func ecosystemOf(kind string) string {
	switch kind {
	case facts.KindPython:
		return ecosystemPyPI
	case facts.KindGo:
		return ecosystemGo
	case facts.KindJava:
		return ecosystemMaven
	}
	return ecosystemNPM
}

// goMark opens the block of build information in a Go executable.
const goMark = "\xff Go buildinf:"

// GoExecutable tells whether an executable carries Go build information.
func GoExecutable(data []byte) bool { return bytes.Contains(data, []byte(goMark)) }

// oneFile is the file system that extractors see: nothing but the file they were handed.
type oneFile struct{}

func (oneFile) Open(name string) (fs.File, error) { return nil, absent("open", name) }

func (oneFile) ReadDir(name string) ([]fs.DirEntry, error) { return nil, absent("readdir", name) }

func (oneFile) Stat(name string) (fs.FileInfo, error) { return nil, absent("stat", name) }

func absent(op, name string) error { return &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist} }

// fileInfo describes a file that exists in memory alone.
type fileInfo struct {
	name string
	size int64
}

func (i fileInfo) Name() string     { return i.name }
func (i fileInfo) Size() int64      { return i.size }
func (fileInfo) Mode() fs.FileMode  { return 0o755 }
func (fileInfo) ModTime() time.Time { return time.Time{} }
func (fileInfo) IsDir() bool        { return false }
func (fileInfo) Sys() any           { return nil }

// quiet is a logger that says nothing.
type quiet struct{}

func (quiet) Errorf(string, ...any) {}
func (quiet) Warnf(string, ...any)  {}
func (quiet) Infof(string, ...any)  {}
func (quiet) Debugf(string, ...any) {}
func (quiet) Error(...any)          {}
func (quiet) Warn(...any)           {}
func (quiet) Info(...any)           {}
func (quiet) Debug(...any)          {}
