// Package advisories holds the few advisories the samples need, in OSV form.
//
// Identifiers, packages, versions and scores are the public facts of real
// vulnerabilities; every sentence is our own. The set is far too small to judge
// anything but the samples: import a full one for real images.
package advisories

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

//go:embed osv
var records embed.FS

// FS is the set as a tree of ECOSYSTEM/ID.json files.
func FS() (fs.FS, error) {
	tree, err := fs.Sub(records, "osv")
	if err != nil {
		return nil, fmt.Errorf("advisories: embedded set: %w", err)
	}
	return tree, nil
}

// Write puts the set into a directory as ECOSYSTEM/ID.json, the form that
// "dogwatch advisories import" reads. It overwrites what an earlier call left.
func Write(dir string) error {
	tree, err := FS()
	if err != nil {
		return err
	}
	return fs.WalkDir(tree, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("advisories: reading the embedded set: %w", err)
		}
		if d.IsDir() {
			return nil
		}
		return writeOne(tree, path, filepath.Join(dir, filepath.FromSlash(path)))
	})
}

func writeOne(tree fs.FS, path, target string) error {
	text, err := fs.ReadFile(tree, path)
	if err != nil {
		return fmt.Errorf("advisories: reading the embedded %s: %w", path, err)
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return fmt.Errorf("advisories: making a place for %s: %w", path, err)
	}
	if err := os.WriteFile(target, text, 0o644); err != nil {
		return fmt.Errorf("advisories: writing %s: %w", path, err)
	}
	return nil
}
