package advisory

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"
	"go.etcd.io/bbolt"
)

// Buckets of a snapshot file.
var (
	bucketRecords  = []byte("records")  // id → moment of modification, compressed record
	bucketAffected = []byte("affected") // ecosystem \0 name \0 id → packed Affected entries
	bucketMentions = []byte("mentions") // other id \0 id of the record that names it as alias or upstream
	bucketMeta     = []byte("meta")     // "info" → Info
	keyInfo        = []byte("info")
)

// maxRecordExpanded bounds a stored record when it is expanded again.
const maxRecordExpanded = 64 << 20

// Snapshot is one opened state of the advisories. It is safe for concurrent
// use and stays readable after the library has moved on to a newer one.
type Snapshot struct {
	info   Info
	db     *bbolt.DB
	expand *zstd.Decoder

	mu     sync.RWMutex // held for reading while the file is read
	closed bool
}

// openSnapshot opens a published file read-only.
func openSnapshot(path string) (*Snapshot, error) {
	db, err := bbolt.Open(path, 0o444, &bbolt.Options{ReadOnly: true, Timeout: 10 * time.Second})
	if err != nil {
		return nil, fmt.Errorf("advisory: opening snapshot %s: %w", path, err)
	}
	s := &Snapshot{db: db}
	if err := db.View(s.readInfo); err != nil {
		err = fmt.Errorf("advisory: snapshot %s is damaged (%w); import the advisories again", path, err)
		return nil, errors.Join(err, db.Close())
	}
	s.expand, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(maxRecordExpanded))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("advisory: decompressor: %w", err), db.Close())
	}
	return s, nil
}

func (s *Snapshot) readInfo(tx *bbolt.Tx) error {
	for _, name := range [][]byte{bucketRecords, bucketAffected, bucketMentions, bucketMeta} {
		if tx.Bucket(name) == nil {
			return fmt.Errorf("no bucket %q", name)
		}
	}
	return json.Unmarshal(tx.Bucket(bucketMeta).Get(keyInfo), &s.info)
}

// ID names the snapshot: its number and the beginning of its content's digest.
func (s *Snapshot) ID() string { return s.info.ID }

// Info describes the snapshot.
func (s *Snapshot) Info() Info { return s.info }

// view runs fn inside a read transaction.
func (s *Snapshot) view(fn func(tx *bbolt.Tx) error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return ErrClosed
	}
	return s.db.View(fn)
}

// Affected lists what the records say of one package, sorted by record id.
// Both arguments may be in any form that NormalEcosystem and NormalName take.
// Withdrawn records are not among them.
func (s *Snapshot) Affected(ecosystem, name string) ([]Affected, error) {
	ecosystem = NormalEcosystem(ecosystem)
	prefix := joinKey(ecosystem, NormalName(ecosystem, name), "")
	var list []Affected
	err := s.view(func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucketAffected).Cursor()
		for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
			var err error
			if list, err = decodeAffected(list, string(k[len(prefix):]), v); err != nil {
				return fmt.Errorf("%w %q", err, k)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("advisory: looking up %s in %s: %w", name, ecosystem, err)
	}
	return list, nil
}

// Record returns one record, or ErrNotFound.
func (s *Snapshot) Record(id string) (*Record, error) {
	var r *Record
	err := s.view(func(tx *bbolt.Tx) error {
		value := tx.Bucket(bucketRecords).Get([]byte(id))
		if value == nil {
			return ErrNotFound
		}
		var err error
		r, err = unpackRecord(s.expand, value)
		return err
	})
	if err != nil {
		if errors.Is(err, ErrNotFound) {
			return nil, ErrNotFound
		}
		return nil, fmt.Errorf("advisory: reading record %s: %w", id, err)
	}
	return r, nil
}

// Mentions lists the records that name id as an alias or as their upstream, and
// the record of that id itself, sorted. Withdrawn records are not among them.
func (s *Snapshot) Mentions(id string) ([]string, error) {
	prefix := joinKey(id, "")
	var ids []string
	err := s.view(func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucketMentions).Cursor()
		for k, _ := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, _ = c.Next() {
			ids = append(ids, string(k[len(prefix):]))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("advisory: looking up mentions of %s: %w", id, err)
	}
	return ids, nil
}

// Each calls yield with every record in the order of ids, until it returns an
// error. The snapshot stays open while it runs.
func (s *Snapshot) Each(yield func(r *Record) error) error {
	return s.view(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketRecords).ForEach(func(k, v []byte) error {
			r, err := unpackRecord(s.expand, v)
			if err != nil {
				return fmt.Errorf("advisory: reading record %s: %w", k, err)
			}
			return yield(r)
		})
	})
}

// Close closes the file once nobody reads it. Later reads answer ErrClosed.
func (s *Snapshot) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	s.expand.Close()
	return s.db.Close()
}

// joinKey joins key parts with NUL; a last empty part leaves a trailing NUL.
func joinKey(parts ...string) []byte {
	var out []byte
	for i, p := range parts {
		if i > 0 {
			out = append(out, 0)
		}
		out = append(out, p...)
	}
	return out
}

// packRecord renders a record for the store: eight bytes of modification time
// (microseconds), then compressed JSON.
func packRecord(enc *zstd.Encoder, r *Record) ([]byte, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encoding record %s: %w", r.ID, err)
	}
	head := binary.BigEndian.AppendUint64(make([]byte, 0, len(text)/2+16), uint64(r.Modified.UnixMicro()))
	return enc.EncodeAll(text, head), nil
}

func unpackRecord(dec *zstd.Decoder, value []byte) (*Record, error) {
	if len(value) < 8 {
		return nil, errTorn
	}
	text, err := dec.DecodeAll(value[8:], nil)
	if err != nil {
		return nil, err
	}
	var r Record
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, err
	}
	return &r, nil
}

// modifiedOf reads the modification time of a packed record.
func modifiedOf(value []byte) int64 {
	return int64(binary.BigEndian.Uint64(value))
}
