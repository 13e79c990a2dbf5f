package advisory

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
)

var (
	bucketProgress = []byte("progress") // only in a staging file: state, and how far each source was read
	keyState       = []byte("state")
)

// allEntries marks a source that was read to its end.
const allEntries = ^uint64(0)

// state is what a staging file remembers besides the records.
type state struct {
	Base       string         `json:"base"` // the snapshot the staging file was copied from
	Total      int            `json:"total"`
	Ecosystems map[string]int `json:"ecosystems"`
	Report     Report         `json:"report"`
}

// openStaging opens the staging file of an interrupted import over the same
// base, or makes one from the base.
func openStaging(dir string, base Info) (db *bbolt.DB, st state, err error) {
	path := filepath.Join(dir, stagingFile)
	db, st, err = resumeStaging(path, base.ID)
	if err == nil {
		st.Report.Resumed = true
		return db, st, nil
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, st, fmt.Errorf("advisory: removing an unusable staging file: %w", err)
	}
	st = state{Base: base.ID, Total: base.Records, Ecosystems: map[string]int{}, Report: Report{Previous: base.ID}}
	for k, v := range base.Ecosystems {
		st.Ecosystems[k] = v
	}
	if err := makeStaging(dir, path, st); err != nil {
		return nil, st, fmt.Errorf("advisory: making the staging file: %w", err)
	}
	db, st, err = resumeStaging(path, base.ID)
	if err != nil {
		return nil, st, fmt.Errorf("advisory: opening the staging file: %w", err)
	}
	return db, st, nil
}

// resumeStaging opens the file if it is a whole staging file over base.
func resumeStaging(path, base string) (*bbolt.DB, state, error) {
	var st state
	if _, err := os.Stat(path); err != nil {
		return nil, st, err
	}
	db, err := openWritable(path)
	if err != nil {
		return nil, st, err
	}
	err = db.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucketProgress)
		if b == nil {
			return errors.New("the file has no import state")
		}
		return json.Unmarshal(b.Get(keyState), &st)
	})
	if err == nil && st.Base != base {
		err = fmt.Errorf("the file continues snapshot %q, the current one is %q", st.Base, base)
	}
	if err != nil {
		return nil, state{}, errors.Join(err, db.Close())
	}
	return db, st, nil
}

func openWritable(path string) (*bbolt.DB, error) {
	return bbolt.Open(path, 0o644, &bbolt.Options{
		Timeout:        10 * time.Second,
		NoFreelistSync: true,
		FreelistType:   bbolt.FreelistMapType,
	})
}

// makeStaging builds the file under another name first: a staging file is
// either whole or not there.
func makeStaging(dir, path string, st state) error {
	tmp := path + ".new"
	defer os.Remove(tmp) //nolint:errcheck // gone already after the rename
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if st.Base != "" {
		if err := copyFile(snapshotPath(dir, st.Base), tmp); err != nil {
			return err
		}
	}
	db, err := openWritable(tmp)
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{bucketRecords, bucketAffected, bucketMentions, bucketMeta, bucketProgress} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return putState(tx, &st)
	})
	if cerr := db.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(tmp, path)
	}
	return err
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	return err
}

func putState(tx *bbolt.Tx, st *state) error {
	text, err := json.Marshal(st)
	if err != nil {
		return err
	}
	return tx.Bucket(bucketProgress).Put(keyState, text)
}

func sourceKey(key string) []byte { return joinKey("source", key) }

// entriesDone tells how many entries of a source are in the staging file.
func entriesDone(db *bbolt.DB, key string) (done uint64, err error) {
	err = db.View(func(tx *bbolt.Tx) error {
		if v := tx.Bucket(bucketProgress).Get(sourceKey(key)); len(v) == 8 {
			done = binary.BigEndian.Uint64(v)
		}
		return nil
	})
	return done, err
}

func putEntriesDone(tx *bbolt.Tx, key string, done uint64) error {
	return tx.Bucket(bucketProgress).Put(sourceKey(key), binary.BigEndian.AppendUint64(nil, done))
}
