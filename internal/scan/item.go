package scan

import (
	"context"
	"errors"
	"fmt"

	"dogwatch/internal/store"
)

// errOvertaken ends an item whose fence was lost: it was stopped, or another
// worker took it over. Nothing is written then.
var errOvertaken = errors.New("scan: the item was stopped or taken over by another worker")

// maxAttempts bounds how often an item is begun. Each start of the process and
// each fault of our storage takes one; an image that brings the process down
// time and again must not do so for ever.
const maxAttempts = 20

// scanItem works the job of one item, from queued to one of the final states.
// A returned error makes the job engine try again: it is kept for faults of our
// own storage. Whatever the image or the registry does ends the item instead.
func (s *Service) scanItem(ctx context.Context, itemID int64) error {
	item, err := s.begin(ctx, itemID)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, errOvertaken) {
		return nil // it has ended, or its window has
	}
	if err != nil {
		return fmt.Errorf("scan: beginning item %d: %w", itemID, err)
	}
	result, err := s.attempt(ctx, item)
	if err == nil {
		err = s.settle(ctx, item, result)
	}
	if errors.Is(err, errOvertaken) {
		return nil
	}
	return err
}

// attempt is what the image came to. An error means that there is nothing to
// settle now: the process is stopping, the item was ended by somebody else, or
// our own storage failed.
func (s *Service) attempt(ctx context.Context, item *store.Item) (*result, error) {
	if item.Attempt > maxAttempts {
		return givenUp(), nil
	}
	limited, release := s.track(ctx, item.ID)
	defer release()
	result, err := s.examine(limited, item)
	switch {
	case err == nil || errors.Is(err, errOvertaken):
		return result, err
	case ctx.Err() != nil: // the next start goes on
		return nil, ctx.Err()
	case errors.Is(limited.Err(), context.Canceled):
		return nil, errOvertaken
	}
	return s.failure(item, err, limited.Err())
}

func (s *Service) begin(ctx context.Context, itemID int64) (*store.Item, error) {
	var item *store.Item
	err := s.cfg.Store.Tx(ctx, func(ctx context.Context, db *store.DB, _ store.Enqueue) error {
		waiting, err := db.Item(ctx, itemID)
		if err != nil {
			return err
		}
		run, err := db.RunByID(ctx, waiting.RunID)
		if err != nil {
			return err
		}
		if waiting.State == store.ItemQueued && s.windowOver(run) {
			return errOvertaken // the next tick drops it
		}
		item, err = db.BeginItem(ctx, itemID, s.cfg.WorkerID, s.now())
		return err
	})
	return item, err
}
