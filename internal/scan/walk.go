package scan

import (
	"context"
	"errors"
	"fmt"

	"dogwatch/internal/store"
)

// A run walks through its scope by image id, in a circle that begins and ends at
// its origin. A timing run begins where the last one had to drop what was left,
// so that a window that is always too short starves no image.

// ahead are the stretches of the walk that lie before a run: the list after the
// cursor, and then the beginning of the list up to the origin.
func ahead(run *store.Run) []store.ImageQuery {
	rest := store.ScopeQuery(run.AccountID, run.Scope)
	rest.AfterID, rest.Ascending = run.Cursor, true
	switch {
	case run.Origin == 0:
		return []store.ImageQuery{rest}
	case run.Cursor < run.Origin:
		rest.UpToID = run.Origin
		return []store.ImageQuery{rest}
	}
	around := rest
	around.AfterID, around.UpToID = 0, run.Origin
	return []store.ImageQuery{rest, around}
}

// nextImages are the next images of the walk, n at most. It moves the cursor,
// and tells the run when the walk has come around.
func nextImages(ctx context.Context, db *store.DB, run *store.Run, n int) ([]store.ImageRow, error) {
	stretches := ahead(run)
	query := stretches[0]
	query.Limit = n
	images, err := db.ImagesPage(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("scan: reading the scope of run %d after image %d: %w", run.ID, run.Cursor, err)
	}
	if len(images) > 0 {
		run.Cursor = images[len(images)-1].ID
	}
	switch {
	case len(stretches) == 1:
		run.Expanded = len(images) < n || run.Cursor == run.Origin
	case len(images) < n:
		run.Cursor = 0
	}
	return images, nil
}

// drop counts what a run leaves out: items that were ended before they were
// done, and images that have not become items. The cursor goes back to before
// the first of them.
func drop(run *store.Run, items []store.Item, left int64) {
	run.Dropped += int64(len(items)) + left
	run.Expanded = true
	if len(items) == 0 {
		return
	}
	first := items[0]
	for _, item := range items {
		if item.ID < first.ID {
			first = item
		}
	}
	run.Cursor = first.ImageID - 1
}

// origin is where a timing run begins: with what the last one dropped.
func origin(ctx context.Context, db *store.DB, accountID int64) (int64, error) {
	last, err := db.LatestRunOf(ctx, accountID, store.RunTiming)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("scan: reading the last scheduled run of account %d: %w", accountID, err)
	case last.Dropped == 0:
		return 0, nil
	}
	return last.Cursor, nil
}
