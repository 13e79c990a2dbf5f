package advisory

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"

	"go.etcd.io/bbolt"
)

const (
	pointerFile = "current"
	stagingFile = "staging.db"
	lockFile    = "import.lock"
	mirrorFile  = "mirrors.json"
)

// snapshotID is the form of an id, checked before it becomes part of a path.
var snapshotID = regexp.MustCompile(`^[0-9]{6,}-[0-9a-f]{12}$`)

// Library is a directory of snapshots. It hands out the snapshot in force and
// follows the pointer when an import, in this process or another, moves it.
type Library struct {
	dir string

	mu      sync.Mutex
	current *Snapshot
	former  *Snapshot // superseded, or asked for by its id
	closed  bool
}

// OpenLibrary opens the library in dir and makes the directory if need be. An
// empty library is fine: Current answers ErrNone until something is imported.
func OpenLibrary(dir string) (*Library, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("advisory: making the directory of the advisories: %w", err)
	}
	return &Library{dir: dir}, nil
}

// Dir is the directory of the library.
func (l *Library) Dir() string { return l.dir }

// Current returns the snapshot in force. Callers keep it for as long as one
// piece of work needs one consistent state and then forget it: a superseded
// snapshot is closed when nobody holds it any more.
func (l *Library) Current(ctx context.Context) (*Snapshot, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	// An import may remove the file between reading the pointer and opening it.
	for attempt := 0; ; attempt++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s, err := l.follow()
		if err == nil || attempt == 2 || !errors.Is(err, fs.ErrNotExist) {
			return s, err
		}
	}
}

// follow opens what the pointer names, unless it is open already.
func (l *Library) follow() (*Snapshot, error) {
	if l.closed {
		return nil, ErrClosed
	}
	id, err := readPointer(l.dir)
	if err != nil {
		return nil, err
	}
	if l.current != nil && l.current.ID() == id {
		return l.current, nil
	}
	s, err := openNamed(l.dir, id)
	if err != nil {
		return nil, err
	}
	if l.current != nil {
		l.former = l.current
	}
	l.current = s
	return s, nil
}

// Snapshot returns a snapshot by its id, be it in force or superseded. It
// answers ErrNotFound once its file is no longer kept (Options.Keep).
func (l *Library) Snapshot(id string) (*Snapshot, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, ErrClosed
	}
	for _, known := range []*Snapshot{l.current, l.former} {
		if known != nil && known.ID() == id {
			return known, nil
		}
	}
	if !snapshotID.MatchString(id) {
		return nil, ErrNotFound
	}
	s, err := openNamed(l.dir, id)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	l.former = s
	return s, nil
}

// openNamed opens the file of a snapshot. It is closed when nobody holds it.
func openNamed(dir, id string) (*Snapshot, error) {
	s, err := openSnapshot(snapshotPath(dir, id))
	if err != nil {
		return nil, err
	}
	if s.ID() != id {
		err := fmt.Errorf("advisory: the file of snapshot %s says it is %q; import the advisories again", id, s.ID())
		return nil, errors.Join(err, s.Close())
	}
	runtime.AddCleanup(s, func(db *bbolt.DB) { db.Close() }, s.db) //nolint:errcheck // read-only, and nobody is left to tell
	return s, nil
}

// Close closes the snapshots that are open; it waits for reads that are under way.
func (l *Library) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	var errs []error
	for _, s := range []*Snapshot{l.current, l.former} {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	l.current, l.former = nil, nil
	return errors.Join(errs...)
}

func snapshotPath(dir, id string) string {
	return filepath.Join(dir, "snapshot-"+id+".db")
}

// readPointer returns the id of the snapshot in force, or ErrNone.
func readPointer(dir string) (string, error) {
	data, err := os.ReadFile(filepath.Join(dir, pointerFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", ErrNone
	}
	if err != nil {
		return "", fmt.Errorf("advisory: reading the pointer to the current snapshot: %w", err)
	}
	id := strings.TrimSpace(string(data))
	if !snapshotID.MatchString(id) {
		return "", fmt.Errorf("advisory: the file %s does not name a snapshot: %.40q", filepath.Join(dir, pointerFile), id)
	}
	return id, nil
}

// writeFileAtomic replaces dir/name as a whole and makes it durable.
func writeFileAtomic(dir, name string, data []byte) error {
	tmp, err := os.CreateTemp(dir, name+".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) //nolint:errcheck // gone already after the rename
	if _, err = tmp.Write(data); err == nil {
		err = tmp.Sync()
	}
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(tmp.Name(), filepath.Join(dir, name))
	}
	if err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir makes renames in dir durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// syncFile makes the content of a file durable.
func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
