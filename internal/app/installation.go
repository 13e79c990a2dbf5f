package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"dogwatch/internal/account"
	"dogwatch/internal/clock"
	"dogwatch/internal/seal"
	"dogwatch/internal/store"
)

// keyEnv may hold the encryption key instead of the file in the data directory.
const keyEnv = "DOGWATCH_ENCRYPTION_KEY"

// Installation is an open data directory.
type Installation struct {
	Dir      string
	Store    *store.Store
	Box      *seal.Box
	Accounts *account.Service
}

// OpenInstallation opens a data directory and makes it if it does not exist.
func OpenInstallation(ctx context.Context, dir string) (*Installation, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data directory %s cannot be made: %w", dir, err)
	}
	st, err := store.Open(ctx, filepath.Join(dir, "dogwatch.db"))
	if err != nil {
		return nil, err
	}
	box, err := seal.Open(dir, os.Getenv(keyEnv))
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	return &Installation{
		Dir:      dir,
		Store:    st,
		Box:      box,
		Accounts: account.New(st, box, clock.Real{}, rand.Reader),
	}, nil
}

// EnsureAccount makes the account of that name if there is none.
func (in *Installation) EnsureAccount(ctx context.Context, name string) error {
	_, err := in.Accounts.Create(ctx, name)
	if errors.Is(err, store.ErrTaken) {
		return nil
	}
	return err
}

// AdvisoryDir is where the advisory snapshots of a data directory lie.
func AdvisoryDir(dir string) string { return filepath.Join(dir, "advisories") }

// Close closes the installation.
func (in *Installation) Close() error { return in.Store.Close() }
