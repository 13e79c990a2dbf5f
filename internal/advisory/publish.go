package advisory

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"go.etcd.io/bbolt"
)

// compactStep bounds the pages one transaction of a compaction holds in memory.
const compactStep = 16 << 20

// publish turns the staging file into the snapshot in force.
func (s *session) publish(ctx context.Context, from string) (Report, error) {
	if err := ctx.Err(); err != nil {
		return s.state.Report, fmt.Errorf("advisory: import stopped before its snapshot was made; run it again: %w", err)
	}
	if s.state.Total == 0 {
		return s.state.Report, fmt.Errorf("advisory: none of the sources holds a record (%d broken)", s.state.Report.Broken)
	}
	digest, err := contentDigest(s.db)
	if err != nil {
		return s.state.Report, fmt.Errorf("advisory: checking the staging file: %w", err)
	}
	s.state.Report.Total = s.state.Total
	if base := s.state.Base; base != "" && strings.HasSuffix(base, "-"+digest) {
		s.state.Report.Snapshot = base
		return s.state.Report, s.discard()
	}
	info := Info{
		ID:         nextID(s.state.Base, digest),
		Records:    s.state.Total,
		Ecosystems: s.state.Ecosystems,
		CreatedAt:  s.o.Now().UTC(),
		Source:     from,
		Previous:   s.state.Base,
	}
	if err := s.write(info); err != nil {
		return s.state.Report, fmt.Errorf("advisory: writing snapshot %s: %w", info.ID, err)
	}
	s.state.Report.Snapshot, s.state.Report.Changed = info.ID, true
	if err := s.discard(); err != nil {
		return s.state.Report, err
	}
	return s.state.Report, prune(s.dir, info.ID, s.o.Keep)
}

// contentDigest is the beginning of the SHA-256 of all records.
func contentDigest(db *bbolt.DB) (string, error) {
	h := sha256.New()
	err := db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketRecords).ForEach(func(k, v []byte) error {
			fmt.Fprintf(h, "%d %d ", len(k), len(v))
			h.Write(k)
			h.Write(v)
			return nil
		})
	})
	return hex.EncodeToString(h.Sum(nil))[:12], err
}

func nextID(former, digest string) string {
	number, _, _ := strings.Cut(former, "-")
	n, _ := strconv.Atoi(number) // an empty library begins at 1
	return fmt.Sprintf("%06d-%s", n+1, digest)
}

// write packs the staging file into a snapshot file and moves the pointer.
func (s *session) write(info Info) error {
	path := snapshotPath(s.dir, info.ID)
	tmp := path + ".new"
	defer os.Remove(tmp) //nolint:errcheck // gone already after the rename
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := s.compact(tmp, info); err != nil {
		return err
	}
	if err := syncFile(tmp); err != nil {
		return err
	}
	check, err := openSnapshot(tmp)
	if err != nil {
		return err
	}
	if err := check.Close(); err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		return err
	}
	return writeFileAtomic(s.dir, pointerFile, []byte(info.ID+"\n"))
}

func (s *session) compact(path string, info Info) error {
	text, err := json.Marshal(info)
	if err != nil {
		return err
	}
	out, err := bbolt.Open(path, 0o644, &bbolt.Options{NoSync: true, NoGrowSync: true})
	if err != nil {
		return err
	}
	err = bbolt.Compact(out, s.db, compactStep)
	if err == nil {
		err = out.Update(func(tx *bbolt.Tx) error {
			if err := tx.DeleteBucket(bucketProgress); err != nil {
				return err
			}
			return tx.Bucket(bucketMeta).Put(keyInfo, text)
		})
	}
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	return err
}

// discard removes the staging file, which has served.
func (s *session) discard() error {
	err := s.db.Close()
	s.db = nil
	if rerr := os.Remove(filepath.Join(s.dir, stagingFile)); err == nil {
		err = rerr
	}
	if err != nil {
		return fmt.Errorf("advisory: removing the staging file: %w", err)
	}
	return nil
}

// prune removes all but the current snapshot and the newest `keep` before it.
// Whoever has a removed file open goes on reading it.
func prune(dir, current string, keep int) error {
	paths, err := filepath.Glob(snapshotPath(dir, "*"))
	if err != nil {
		return fmt.Errorf("advisory: listing snapshots: %w", err)
	}
	slices.Sort(paths)
	slices.Reverse(paths)
	for _, p := range paths {
		if p == snapshotPath(dir, current) {
			continue
		}
		if keep > 0 {
			keep--
			continue
		}
		if err := os.Remove(p); err != nil {
			return fmt.Errorf("advisory: removing a former snapshot: %w", err)
		}
	}
	return nil
}

// describe names the sources of a snapshot, shortened.
func describe(names []string) string {
	text := strings.Join(names, " ")
	if len(text) > 200 {
		text = text[:197] + "..."
	}
	return text
}
