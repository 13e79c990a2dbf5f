package advisory

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/klauspost/compress/zstd"
	"go.etcd.io/bbolt"
)

const (
	maxBrokenNames = 100
	maxBatchBytes  = 16 << 20
)

// session is one import at work: the lock, the staging file and what is not
// yet written to it.
type session struct {
	dir  string
	o    Options
	lock *os.File
	db   *bbolt.DB
	enc  *zstd.Encoder
	dec  *zstd.Decoder

	state    state
	sources  int // sources known so far, for Progress
	done     int // sources finished, for Progress
	batch    []*Record
	batchLen int // bytes the records of the batch were read from
}

// begin takes the lock and opens the staging file.
func begin(dir string, o Options) (*session, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("advisory: making the directory of the advisories: %w", err)
	}
	lock, err := lockLibrary(dir)
	if err != nil {
		return nil, err
	}
	s := &session{dir: dir, o: o, lock: lock}
	if err := s.open(); err != nil {
		s.abandon()
		return nil, err
	}
	return s, nil
}

func (s *session) open() error {
	if err := removeLeftovers(s.dir); err != nil {
		return err
	}
	base, err := currentInfo(s.dir)
	if err != nil && !errors.Is(err, ErrNone) {
		return err
	}
	if s.db, s.state, err = openStaging(s.dir, base); err != nil {
		return err
	}
	if s.enc, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1)); err != nil {
		return fmt.Errorf("advisory: compressor: %w", err)
	}
	if s.dec, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxRecordExpanded)); err != nil {
		return fmt.Errorf("advisory: decompressor: %w", err)
	}
	return nil
}

// removeLeftovers clears away what a killed import left half done.
func removeLeftovers(dir string) error {
	for _, pattern := range []string{"download-*.zip", "*.new", "*.new-*"} {
		paths, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return fmt.Errorf("advisory: listing leftovers: %w", err)
		}
		for _, p := range paths {
			if err := os.Remove(p); err != nil {
				return fmt.Errorf("advisory: removing a leftover of a stopped import: %w", err)
			}
		}
	}
	return nil
}

// currentInfo reads what the snapshot in force says of itself.
func currentInfo(dir string) (Info, error) {
	id, err := readPointer(dir)
	if err != nil {
		return Info{}, err
	}
	snap, err := openSnapshot(snapshotPath(dir, id))
	if err != nil {
		return Info{}, err
	}
	defer snap.Close() //nolint:errcheck // only read
	return snap.Info(), nil
}

// abandon lets go of everything; what was written stays for the next import.
func (s *session) abandon() {
	if s.db != nil {
		s.db.Close() //nolint:errcheck // what was committed is on disk; the rest is abandoned
		s.db = nil
	}
	if s.dec != nil {
		s.dec.Close()
	}
	if s.lock != nil {
		s.lock.Close()
		s.lock = nil
	}
}

// read takes in one source, from where a former import stopped.
func (s *session) read(ctx context.Context, src source) error {
	from, err := entriesDone(s.db, src.key)
	if err != nil {
		return fmt.Errorf("advisory: reading the import state: %w", err)
	}
	if from != allEntries {
		err = src.walk(ctx, int(from), s.o.Limits, func(e entry) error { return s.take(src, e) })
		if err == nil {
			s.state.Report.Sources++
			err = s.flush(src, allEntries)
		}
	}
	if err != nil {
		s.batch, s.batchLen = nil, 0
		if ctx.Err() != nil {
			return fmt.Errorf("advisory: import stopped after %d records; run it again to go on from there: %w", s.state.Report.Records, err)
		}
		return err
	}
	s.done++
	s.tell(src)
	return nil
}

// take adds one document to the batch and writes the batch when it is full.
func (s *session) take(src source, e entry) error {
	r, err := (*Record)(nil), e.err
	if err == nil {
		r, err = DecodeRecord(e.data)
	}
	if err != nil {
		s.broken(src, e, err)
	} else {
		s.batch = append(s.batch, r)
		s.batchLen += len(e.data)
		s.state.Report.Records++
		s.state.Report.Bytes += int64(len(e.data))
	}
	if len(s.batch) < s.o.Batch && s.batchLen < maxBatchBytes {
		return nil
	}
	if err := s.flush(src, uint64(e.index)+1); err != nil {
		return err
	}
	s.tell(src)
	return nil
}

func (s *session) broken(src source, e entry, err error) {
	r := &s.state.Report
	r.Broken++
	if len(r.BrokenNames) < maxBrokenNames {
		name := src.name
		if e.name != "" {
			name += "!" + e.name
		}
		r.BrokenNames = append(r.BrokenNames, fmt.Sprintf("%s: %v", name, err))
	}
}

func (s *session) tell(src source) {
	r := &s.state.Report
	s.o.Progress(Progress{Source: src.name, Done: s.done, Sources: s.sources, Records: r.Records, Bytes: r.Bytes, Broken: r.Broken})
}

// flush writes the batch and how far the source was read in one transaction.
func (s *session) flush(src source, done uint64) error {
	err := s.db.Update(func(tx *bbolt.Tx) error {
		for _, r := range s.batch {
			if err := s.put(tx, r); err != nil {
				return fmt.Errorf("record %s: %w", r.ID, err)
			}
		}
		if err := putEntriesDone(tx, src.key, done); err != nil {
			return err
		}
		return putState(tx, &s.state)
	})
	if err != nil {
		return fmt.Errorf("advisory: writing the staging file: %w", err)
	}
	clear(s.batch)
	s.batch, s.batchLen = s.batch[:0], 0
	return nil
}

// put stores a record, unless the library knows it in a newer state.
func (s *session) put(tx *bbolt.Tx, r *Record) error {
	value, err := packRecord(s.enc, r)
	if err != nil {
		return err
	}
	records := tx.Bucket(bucketRecords)
	old := records.Get([]byte(r.ID))
	switch {
	case old == nil:
		s.state.Report.Added++
		s.state.Total++
	case bytes.Equal(old, value):
		s.state.Report.Same++
		return nil
	case modifiedOf(old) > modifiedOf(value):
		s.state.Report.Older++
		return nil
	default:
		s.state.Report.Updated++
		former, err := unpackRecord(s.dec, old)
		if err != nil {
			return err
		}
		if err := s.index(tx, former, false); err != nil {
			return err
		}
	}
	if err := records.Put([]byte(r.ID), value); err != nil {
		return err
	}
	return s.index(tx, r, true)
}

// index adds the index entries of a record, or takes them away.
func (s *session) index(tx *bbolt.Tx, r *Record, add bool) error {
	if r.IsWithdrawn() {
		return nil
	}
	write := func(b *bbolt.Bucket, key, value []byte) error {
		if add {
			return b.Put(key, value)
		}
		return b.Delete(key)
	}
	affected, mentions := tx.Bucket(bucketAffected), tx.Bucket(bucketMentions)
	for _, g := range groupAffected(r) {
		if err := write(affected, g.key, encodeAffected(g.list)); err != nil {
			return err
		}
	}
	for _, id := range slices.Concat([]string{r.ID}, r.Aliases, r.Upstream) {
		if err := write(mentions, joinKey(id, r.ID), nil); err != nil {
			return err
		}
	}
	s.countEcosystems(r, add)
	return nil
}

func (s *session) countEcosystems(r *Record, add bool) {
	seen := map[string]bool{}
	for i := range r.Packages {
		eco := NormalEcosystem(r.Packages[i].Package.Ecosystem)
		if eco == "" || seen[eco] {
			continue
		}
		seen[eco] = true
		if add {
			s.state.Ecosystems[eco]++
		} else if s.state.Ecosystems[eco]--; s.state.Ecosystems[eco] <= 0 {
			delete(s.state.Ecosystems, eco)
		}
	}
}

// group is the entries of one record under one key of the index.
type group struct {
	key  []byte
	list []Affected
}

func groupAffected(r *Record) []group {
	var groups []group
	at := map[string]int{}
	for i := range r.Packages {
		p := &r.Packages[i]
		eco := NormalEcosystem(p.Package.Ecosystem)
		if eco == "" || p.Package.Name == "" {
			continue
		}
		key := joinKey(eco, NormalName(eco, p.Package.Name), r.ID)
		n, ok := at[string(key)]
		if !ok {
			n = len(groups)
			at[string(key)] = n
			groups = append(groups, group{key: key})
		}
		groups[n].list = append(groups[n].list, Affected{
			Ecosystem: p.Package.Ecosystem, Name: p.Package.Name,
			Ranges: p.Ranges, Versions: p.Versions, Modules: ModuleStreams(r, p),
		})
	}
	return groups
}
