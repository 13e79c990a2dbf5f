package advisories_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dogwatch/internal/sample/advisories"
)

// files reads a tree into a map.
func files(t *testing.T, tree fs.FS) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(tree, name)
		all[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestWrite(t *testing.T) {
	tree, err := advisories.FS()
	if err != nil {
		t.Fatal(err)
	}
	want := files(t, tree)
	dir := filepath.Join(t.TempDir(), "set")
	for range 2 { // a second time over the first
		if err := advisories.Write(dir); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want, files(t, os.DirFS(dir))); diff != "" {
		t.Errorf("what was written (-want +got):\n%s", diff)
	}
	if len(want) == 0 {
		t.Error("the set is empty")
	}
}

func TestWriteSaysWhere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := advisories.Write(file)
	if err == nil || !strings.Contains(err.Error(), "advisories: ") {
		t.Errorf("Write into a file answers %v, want an error of the room", err)
	}
}
