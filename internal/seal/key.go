package seal

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"
)

// KeyFile is the name of the key's file in the data directory.
const KeyFile = "encryption.key"

// Open returns the box of an installation. The key is env (32 bytes in base64,
// from DOGWATCH_ENCRYPTION_KEY) unless that is empty; else it is the key file
// in dir, which is made at the first start, readable by its owner only.
func Open(dir, env string) (*Box, error) {
	if env != "" {
		key, err := decode(env)
		if err != nil {
			return nil, fmt.Errorf("seal: DOGWATCH_ENCRYPTION_KEY %w", err)
		}
		return New(key)
	}
	path := filepath.Join(dir, KeyFile)
	key, err := read(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = create(dir, path); err == nil {
			key, err = read(path)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("seal: key file: %w", err)
	}
	return New(key)
}

func decode(s string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(s))
	if err != nil || len(key) != chacha20poly1305.KeySize {
		// The text is not shown: it may be a key with a slip in it.
		return nil, fmt.Errorf("is not a key: it must be %d bytes in base64 (44 characters); make one with: head -c 32 /dev/urandom | base64",
			chacha20poly1305.KeySize)
	}
	return key, nil
}

func read(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if open := info.Mode().Perm() & 0o077; open != 0 {
		return nil, fmt.Errorf("%s is open to others (mode %04o); close it with: chmod 600 %s", path, info.Mode().Perm(), path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	key, err := decode(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s %w", path, err)
	}
	return key, nil
}

// create makes a new key. The file appears whole or not at all, and never in
// place of another one: two processes that start at once end with one key.
func create(dir, path string) error {
	key := make([]byte, chacha20poly1305.KeySize)
	rand.Read(key) //nolint:errcheck // it never fails
	f, err := os.CreateTemp(dir, KeyFile+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // left behind at worst
	_, err = f.WriteString(base64.StdEncoding.EncodeToString(key) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
