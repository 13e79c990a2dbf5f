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

// scanItem works the job of one item, from queued to one of the final states.
// A returned error makes the job engine try again: it is kept for faults of our
// own storage. Whatever the image or the registry does ends the item instead.
func (s *Service) scanItem(ctx context.Context, itemID int64) error {
	item, err := s.begin(ctx, itemID)
	if errors.Is(err, store.ErrNotFound) {
		return nil // it has ended
	}
	if err != nil {
		return fmt.Errorf("scan: beginning item %d: %w", itemID, err)
	}
	limited, release := s.track(ctx, item.ID)
	result, err := s.examine(limited, item)
	release()
	switch {
	case errors.Is(err, errOvertaken):
		return nil
	case ctx.Err() != nil: // the process is stopping: the next start goes on
		return ctx.Err()
	case err != nil && limited.Err() != nil && !s.stillOurs(ctx, item):
		return nil
	}
	if err != nil {
		result = s.failure(item, err, limited.Err())
	}
	if result.fault != nil {
		return result.fault
	}
	if err := s.settle(ctx, item, result); err != nil && !errors.Is(err, errOvertaken) {
		return err
	}
	return nil
}

func (s *Service) begin(ctx context.Context, itemID int64) (*store.Item, error) {
	var item *store.Item
	err := s.cfg.Store.Tx(ctx, func(ctx context.Context, db *store.DB, _ store.Enqueue) error {
		var err error
		item, err = db.BeginItem(ctx, itemID, s.cfg.WorkerID, s.now())
		return err
	})
	return item, err
}

// stillOurs tells whether the item still waits for this attempt's outcome.
func (s *Service) stillOurs(ctx context.Context, item *store.Item) bool {
	ok, err := s.cfg.Store.TouchItem(ctx, item.ID, item.Attempt, item.Layers, item.LayersDone)
	return err == nil && ok
}
