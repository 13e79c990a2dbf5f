package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/pressly/goose/v3"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

//go:embed migrations
var migrations embed.FS

// connections bounds the pool. SQLite has one writer at a time whatever the
// pool; the others read.
const connections = 8

// Store is the open database.
type Store struct {
	*DB
	sqldb *sql.DB
	bundb *bun.DB
	queue Inserter
}

// Open opens the SQLite database at path, makes it when it does not exist
// (readable by its owner only), and brings its tables up to date.
func Open(ctx context.Context, path string) (*Store, error) {
	if err := private(path); err != nil {
		return nil, fmt.Errorf("store: open %s: %w", path, err)
	}
	sqldb, err := sql.Open("sqlite", dsn(path))
	if err != nil {
		return nil, fmt.Errorf("store: open %s: %w", path, err)
	}
	sqldb.SetMaxOpenConns(connections)
	sqldb.SetMaxIdleConns(connections)
	if err := migrate(ctx, sqldb); err != nil {
		sqldb.Close() //nolint:errcheck // the first error says more
		return nil, fmt.Errorf("store: open %s: %w", path, err)
	}
	bundb := bun.NewDB(sqldb, sqlitedialect.New())
	return &Store{DB: &DB{idb: bundb}, sqldb: sqldb, bundb: bundb}, nil
}

// Close closes the database.
func (s *Store) Close() error {
	if err := s.sqldb.Close(); err != nil {
		return fmt.Errorf("store: close: %w", err)
	}
	return nil
}

// SQL is the database itself, for the queue, which keeps its own tables there.
func (s *Store) SQL() *sql.DB { return s.sqldb }

// private makes sure that the file exists and is closed to others. SQLite gives
// the files beside it (-wal, -shm) the same permissions.
func private(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // nothing was written
	return f.Chmod(0o600)
}

// dsn is the data source name under which SQLite never answered "database is
// locked": writers wait for each other, and a transaction takes the write lock
// when it begins instead of failing when it first writes.
func dsn(path string) string {
	q := url.Values{}
	q.Add("_pragma", "busy_timeout(10000)")
	q.Add("_pragma", "journal_mode(wal)")
	q.Add("_pragma", "synchronous(normal)")
	q.Add("_pragma", "cache_size(-32768)")
	q.Add("_txlock", "immediate")
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}
	return u.String()
}

func migrate(ctx context.Context, db *sql.DB) error {
	files, err := fs.Sub(migrations, "migrations/sqlite")
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithTableName("store_migration"))
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	return nil
}
