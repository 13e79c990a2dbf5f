package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// ErrNotFound says that no such row exists, or none that the account may see.
var ErrNotFound = errors.New("not found")

// ErrTaken says that a name, key or place that must be unique is in use.
var ErrTaken = errors.New("already taken")

// DB holds the query methods. It works on the whole database (as part of a
// [Store]) or inside one transaction (as handed out by [Store.Tx]).
type DB struct {
	idb bun.IDB
}

// Args are the arguments of a job; Kind says which work it is.
type Args interface{ Kind() string }

// Job is work to be done after the transaction that makes it necessary.
type Job struct {
	Args     Args
	RunAt    time.Time // zero: at once
	Priority int       // 1 first to 4 last; 0: the queue's default
}

// Enqueue adds jobs within the transaction it was handed out with.
type Enqueue func(ctx context.Context, jobs ...Job) error

// Inserter is the queue, as the store sees it: it writes jobs with the
// connection of a transaction.
type Inserter interface {
	InsertTx(ctx context.Context, tx *sql.Tx, jobs ...Job) error
}

// BindQueue tells the store where jobs go. Call it once, while wiring.
func (s *Store) BindQueue(q Inserter) { s.queue = q }

// Tx runs fn in one transaction. What fn writes with db and enqueues is
// committed together when fn returns nil, and none of it otherwise. Use only db
// inside: the Store's own methods would wait for this transaction to end.
func (s *Store) Tx(ctx context.Context, fn func(ctx context.Context, db *DB, enqueue Enqueue) error) error {
	return s.bundb.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		enqueue := func(ctx context.Context, jobs ...Job) error {
			if s.queue == nil {
				return errors.New("store: no queue is bound; call BindQueue before the first job")
			}
			return s.queue.InsertTx(ctx, tx.Tx, jobs...)
		}
		return fn(ctx, &DB{idb: tx}, enqueue)
	})
}

// atomically runs fn in a transaction of its own, or in the one db already is.
func (db *DB) atomically(ctx context.Context, fn func(db *DB) error) error {
	if whole, ok := db.idb.(*bun.DB); ok {
		return whole.RunInTx(ctx, nil, func(_ context.Context, tx bun.Tx) error {
			return fn(&DB{idb: tx})
		})
	}
	return fn(db)
}

// wrap names the failed operation and turns the driver's errors into ours.
func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	what := fmt.Sprintf(format, args...)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("store: %s: %w", what, ErrNotFound)
	case isTaken(err):
		return fmt.Errorf("store: %s: %w", what, ErrTaken)
	}
	return fmt.Errorf("store: %s: %w", what, err)
}

func isTaken(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	return e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || e.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
}

// changed is the number of rows a statement changed.
func changed(r sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// one is for statements that must change a row: it answers sql.ErrNoRows when
// none was there.
func one(r sql.Result, err error) error {
	n, err := changed(r, err)
	if err == nil && n == 0 {
		return sql.ErrNoRows
	}
	return err
}

// text makes foreign text storable: databases refuse the NUL character, which
// a registry can put into any string of its JSON.
func text(s string) string {
	return strings.ReplaceAll(s, "\x00", "\uFFFD")
}
