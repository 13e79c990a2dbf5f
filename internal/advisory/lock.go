package advisory

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// lockLibrary excludes other imports, of this process and of others. The lock
// belongs to the open file, so it falls with a killed process.
func lockLibrary(dir string) (*os.File, error) {
	path := filepath.Join(dir, lockFile)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("advisory: opening the import lock: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return f, nil
	}
	f.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, fmt.Errorf("%w (lock file %s)", ErrBusy, path)
	}
	return nil, fmt.Errorf("advisory: locking %s: %w", path, err)
}
