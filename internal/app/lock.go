package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// lockData makes sure that one server at a time works on a data directory: with
// SQLite a second one would take the first one's running jobs for leftovers.
// The lock goes with the process, however it ends.
func lockData(dir string) (release func() error, err error) {
	path := filepath.Join(dir, "serve.lock")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock file %s cannot be opened: %w", path, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		closeErr := f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("another dogwatch serves from %s; stop it, or give this one another --data", dir)
		}
		return nil, errors.Join(fmt.Errorf("lock file %s: %w", path, err), closeErr)
	}
	return f.Close, nil
}
