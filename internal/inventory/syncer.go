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

// Config of a Syncer. Store and Clients are required.
type Config struct {
	Store    *store.Store
	Clients  Clients
	Clock    clock.Clock    // nil: the machine's
	Location *time.Location // zone of times in build histories, nil: UTC
	Logger   *slog.Logger   // nil: none
	Parallel int            // tags read at a time, 0: 4
}

// Syncer brings image rows in line with registries.
type Syncer struct {
	cfg Config
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

// NewSyncer returns a Syncer.
func NewSyncer(c Config) *Syncer {
	if c.Clock == nil {
		c.Clock = clock.Real{}
	}
	if c.Location == nil {
		c.Location = time.UTC
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Parallel <= 0 {
		c.Parallel = defaultParallel
	}
	return &Syncer{cfg: c}
}

// Sync reads a registry once. A failure keeps the rows there are and tells its
// cause in the registry row; a single repository or tag that cannot be read
// keeps its rows and does not fail the whole. A registry that is removed, before
// or meanwhile, is no error: there is nothing left to bring in line.
func (s *Syncer) Sync(ctx context.Context, registryID int64) (Report, error) {
	row, err := s.cfg.Store.RegistryByID(ctx, registryID)
	if errors.Is(err, store.ErrNotFound) {
		return Report{}, nil
	}
	if err != nil {
		return Report{}, fmt.Errorf("inventory: reading registry %d: %w", registryID, err)
	}
	p := newPass(s, row)
	// Whoever asked for this synchronisation may have marked the row already.
	if _, err := s.cfg.Store.BeginSync(ctx, row.ID, p.started); err != nil {
		return Report{}, fmt.Errorf("inventory: marking registry %d: %w", row.ID, err)
	}
	err = p.run(ctx)
	if errors.Is(err, errRemoved) {
		s.cfg.Logger.Info("registry removed while it was read", "registry", row.ID)
		return Report{}, nil
	}
	return s.finish(ctx, p, err)
}

// finish writes how the pass ended. It does so even if the pass was told to
// stop, so that the row does not claim to be at work.
func (s *Syncer) finish(ctx context.Context, p *pass, cause error) (Report, error) {
	ctx = context.WithoutCancel(ctx)
	end := p.outcome(cause)
	err := s.cfg.Store.Tx(ctx, func(ctx context.Context, db *store.DB, _ store.Enqueue) error {
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
		return db.EndSync(ctx, p.row.ID, store.At(s.cfg.Clock.Now()), end.status, end.reason, end.solution)
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
		e.reason = fmt.Sprintf("partial: %d of %d repositories and tags could not be read and keep their former state; the first: %s: %s",
			p.report.Failed, p.report.Failed+p.report.Repositories+p.report.Images+p.report.Skipped, p.firstFailed, e.reason)
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
