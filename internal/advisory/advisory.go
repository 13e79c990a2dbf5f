// Package advisory keeps the vulnerability data: it imports OSV records,
// builds immutable snapshots of them and answers what is known of a package.
//
// Words:
//
//   - record: one OSV document, a vulnerability, an advisory or a report of a
//     malicious package.
//   - snapshot: an immutable, numbered state of all records, one bbolt file
//     "snapshot-ID.db". It is built aside, checked and swapped in by name.
//   - pointer: the file "current", which names the snapshot in force. It only
//     ever changes by rename.
//   - staging: the file "staging.db" an import works on. It survives a killed
//     import, and the next import goes on where that one stopped.
//   - library: the directory that holds all of these.
//   - source: one archive, directory entry or file that records are read from.
//
// Ecosystems are keyed by the full OSV string in a normal form (see
// NormalEcosystem), package names in the normal form of their ecosystem (see
// NormalName).
package advisory

import (
	"errors"
	"time"
)

// Errors that callers tell apart.
var (
	// ErrNone says that the library holds no snapshot yet.
	ErrNone = errors.New("advisory: no advisory data has been imported yet; run `dogwatch advisories import` or `pull`")
	// ErrNotFound says that there is no record, or no snapshot, of that id.
	ErrNotFound = errors.New("advisory: not found")
	// ErrBusy says that another import works on the same library.
	ErrBusy = errors.New("advisory: another import is running on this directory; wait for it to end")
	// ErrClosed says that a library or snapshot was used after Close.
	ErrClosed = errors.New("advisory: the library is closed")
)

// Info describes a snapshot.
type Info struct {
	ID         string         `json:"id"`
	Records    int            `json:"records"`    // all records, withdrawn ones included
	Ecosystems map[string]int `json:"ecosystems"` // normalised ecosystem → records that name it (without withdrawn ones)
	CreatedAt  time.Time      `json:"created_at"`
	Source     string         `json:"source"` // what the last import read
	Previous   string         `json:"previous,omitempty"`
}

// Progress tells how far an import is. Numbers include what an interrupted
// import had done before.
type Progress struct {
	Source  string // the source being read
	Done    int    // sources finished
	Sources int    // sources known so far
	Records int    // records read
	Bytes   int64  // bytes of records read
	Broken  int    // records that could not be read
}

// Report is what an import did.
type Report struct {
	Snapshot    string   // the snapshot in force afterwards
	Previous    string   // the one before, empty at the first import
	Changed     bool     // whether a new snapshot was made
	Resumed     bool     // whether an interrupted import was continued
	Sources     int      // sources read, those before the interruption included
	Untouched   []string // sources a mirror said have not changed
	Records     int      // records read
	Added       int      // records new to the library
	Updated     int      // records that replaced an older state
	Same        int      // records already known in this state
	Older       int      // records older than the known state, left out
	Broken      int      // records that could not be read
	BrokenNames []string // the first of them: "source!entry: reason"
	Bytes       int64    // bytes of records read
	Total       int      // records in the snapshot
}
