// Package store keeps the state of Dogwatch in one database. It is the only
// room with SQL, and it knows no room above it: facts, layers and specs are
// opaque bytes here.
//
// # Words
//
// A row type ([Image], [Run], ...) is one table. [DB] is the set of all query
// methods; they work alike inside and outside a transaction. [Store] is the
// open database. [Store.Tx] makes state and jobs commit together: the function
// it calls gets a DB and an [Enqueue], both on the same transaction.
//
// # Accounts
//
// A method that takes an accountID never returns or changes a row of another
// account; such a row does not exist for it ([ErrNotFound]). The methods without
// one are for the machinery (scheduler, workers, synchronisation), which got
// its ids from rows and not from a caller.
//
// # Items
//
// An item is one image within a run. Each arrow is one guarded UPDATE, so two
// workers, a stop and a window end can race and exactly one of them wins:
//
//	             BeginItem              EndItem
//	(insert) ─► queued ────────► running ────────► done | failed | timed-out | canceled
//	               │              │   ▲
//	               │              └───┘ BeginItem: take-over, attempt + 1
//	               └───────┬──────┘
//	                       └ CancelItems ─► canceled | timed-out (or any given end)
//
// The attempt is the fence. BeginItem raises it; TouchItem and EndItem name the
// one they hold and change nothing when it is no longer the current one. A
// worker that lost its lease can therefore not commit. An image has at most one
// queued or running item: a second InsertItem is refused with [ErrTaken].
//
// # Images during a scan
//
// BeginItem keeps the image's state columns in the item (Prior), marks the
// image SCANNING and names itself as holder (Image.ItemID). PutImageOutcome
// writes the result and lets go; RestoreImage and CancelItems put Prior back.
// All of them touch the row only while the item still holds it: when a tag
// moves ([DB.UpsertImage]) the holder is forgotten, and the late outcome for the
// former content is dropped.
//
// # Runs
//
// A run is SCANNING until it ends as SCANNED, CANCELED or SCAN_TIMEOUT, and
// never changes its state again. Its counters only grow, by [DB.AddRunCounts].
package store
