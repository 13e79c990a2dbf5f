// Package scan carries out scans: it opens runs, walks their scope, examines
// images, and settles each one.
//
// Words:
//
//   - run: one execution of a timing task or of a manual scan; the API's TaskID.
//   - item: one image within a run.
//   - scope: which images a run takes (store.Scope).
//   - cursor: the image id that a run's walk through its scope has come to. It
//     is durable: a run goes on from it after a crash, and the next timing run
//     begins with what this one had to drop.
//   - settling: the one transaction that ends an item: its outcome in the image
//     row, the counts of the run, the next items of the cursor, and the end of
//     the run if nothing is left.
//
// # What is authoritative
//
// The run and item rows. Jobs only carry an item's id; a job whose item has
// ended does nothing. An item's Attempt is a fence: BeginItem raises it, and
// every later write must hold the current one, so a worker that was overtaken
// (its process was given up for dead) cannot write.
//
// # States
//
// A run:
//
//	           ┌──────────── Stop ───────────► CANCELED
//	SCANNING ──┼── nothing left, none dropped ► SCANNED
//	           ├── nothing left, some dropped ► SCAN_TIMEOUT   (window end)
//	           └── deadline ────────────────► SCAN_TIMEOUT
//
// An item:
//
//	queued ──► running ──► done       findings committed
//	   │          ├──────► failed     nothing could be said: why is in the image row
//	   │          ├──────► timed-out  the run's deadline passed
//	   └──────────┴──────► canceled   stopped, or dropped at the window end
//
// # Expansion
//
// A run never puts its whole scope into the queue. Opening it draws Ahead
// items; settling one draws the next. So queued rows are proportional to
// workers, and stopping a run of 100,000 images is one small transaction.
//
// # What is not promised
//
// The order of items, and that an image that is added to a registry while a run
// goes on is in it. A layer that two processes meet at the same moment may be
// inspected twice; within one process it is inspected once.
package scan
