package inventory

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"dogwatch/internal/clock"
	"dogwatch/internal/registry"
	"dogwatch/internal/store"
)

// defaultParallel is how many tags of one registry are read at a time.
const defaultParallel = 4

// syncFull is the SyncMode that reads everything each time; the other reads
// what is new.
const syncFull = 0

// Syncer brings image rows in line with registries. The exported fields may be
// set before its first use.
type Syncer struct {
	Location *time.Location // zone of times in build histories, nil: UTC
	Parallel int            // tags of one registry read at a time, 0: 4

	store   *store.Store
	clients Clients
	clock   clock.Clock
	log     *slog.Logger
}

// Report tells what a synchronisation did. Images counts the tags that are
// images, Skipped those that are none, Failed the repositories and tags that
// could not be read and whose rows were kept as they were.
type Report struct {
	Repositories, Images, New, Moved, Gone, Skipped, Failed int

	// NeedScan lists the images to license and scan right away, empty unless
	// the registry asks for it: the newest of each repository after a full
	// synchronisation, all new and moved ones after an incremental one.
	NeedScan []int64
}

// NewSyncer returns a Syncer. A nil clock is the machine's, a nil logger discards.
func NewSyncer(s *store.Store, clients Clients, c clock.Clock, logger *slog.Logger) *Syncer {
	if c == nil {
		c = clock.Real{}
	}
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	return &Syncer{store: s, clients: clients, clock: c, log: logger}
}

func (s *Syncer) parallel() int {
	if s.Parallel <= 0 {
		return defaultParallel
	}
	return s.Parallel
}

func (s *Syncer) location() *time.Location {
	if s.Location == nil {
		return time.UTC
	}
	return s.Location
}

// Sync reads a registry once. A failure keeps the rows there are and tells its
// cause in the registry row; a single repository or tag that cannot be read
// keeps its rows and does not fail the whole. A registry that is removed, before
// or meanwhile, is no error: there is nothing left to bring in line.
func (s *Syncer) Sync(ctx context.Context, registryID int64) (Report, error) {
	row, err := s.store.RegistryByID(ctx, registryID)
	if errors.Is(err, store.ErrNotFound) {
		return Report{}, nil
	}
	if err != nil {
		return Report{}, fmt.Errorf("inventory: reading registry %d: %w", registryID, err)
	}
	p := newPass(s, row)
	// Whoever asked for this synchronisation may have marked the row already.
	if _, err := s.store.BeginSync(ctx, row.ID, p.started); err != nil {
		return Report{}, fmt.Errorf("inventory: marking registry %d: %w", row.ID, err)
	}
	err = p.run(ctx)
	if errors.Is(err, errRemoved) {
		s.log.Info("registry removed while it was read", "registry", row.ID)
		return Report{}, nil
	}
	return s.finish(ctx, p, err)
}

// finish writes how the pass ended. It does so even if the pass was told to
// stop, so that the row does not claim to be at work.
func (s *Syncer) finish(ctx context.Context, p *pass, cause error) (Report, error) {
	ctx = context.WithoutCancel(ctx)
	end := p.outcome(cause)
	err := s.store.Tx(ctx, func(ctx context.Context, db *store.DB, _ store.Enqueue) error {
		if cause == nil {
			gone, err := db.DeleteUnseenImages(ctx, p.row.ID, p.started)
			if err != nil {
				return fmt.Errorf("deleting images that are gone: %w", err)
			}
			p.report.Gone = int(gone)
		}
		if err := db.RefreshLatest(ctx, p.row.ID); err != nil {
			return fmt.Errorf("marking the newest images: %w", err)
		}
		return db.EndSync(ctx, p.row.ID, store.At(s.clock.Now()), end.status, end.reason, end.solution)
	})
	if errors.Is(err, store.ErrNotFound) {
		return Report{}, nil // removed at the last moment
	}
	if err == nil && cause == nil {
		err = p.needScan(ctx)
	}
	if err := errors.Join(cause, err); err != nil {
		return p.report, fmt.Errorf("inventory: synchronising registry %d (%s): %w", p.row.ID, p.row.Name, err)
	}
	return p.report, nil
}

// ending is what the registry row says of a synchronisation.
type ending struct {
	status, reason, solution string
}

// outcome puts the end of a pass into words.
func (p *pass) outcome(cause error) ending {
	if cause == nil && p.report.Failed == 0 {
		return ending{status: store.SyncSuccess}
	}
	if cause == nil {
		e := words(p.firstFailure)
		e.status = store.SyncSuccess
		e.reason = fmt.Sprintf("partial: %d repositories or tags could not be read and keep their former state; the first: %s: %s",
			p.report.Failed, p.firstFailed, e.reason)
		return e
	}
	e := words(cause)
	e.status = store.SyncFailed
	return e
}

// words is the cause and the advice of an error, for people.
func words(err error) ending {
	var f *registry.Failure
	switch {
	case errors.As(err, &f):
		return ending{reason: f.Reason, solution: f.Solution}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return ending{reason: "the synchronisation was interrupted", solution: "synchronise the registry again"}
	case errors.Is(err, registry.ErrSchema1):
		return ending{reason: registry.ErrSchema1.Error(), solution: "push the image again with a current client"}
	}
	return ending{reason: "internal error", solution: "see the server's log, then synchronise the registry again"}
}
