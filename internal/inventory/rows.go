package inventory

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"dogwatch/internal/registry"
	"dogwatch/internal/store"
)

const (
	batchSize = 100 // images written in one transaction
	pageSize  = 500 // rows read at a time
)

// eachRow hands the registry's image rows to yield, in the order of their ids.
func (p *pass) eachRow(ctx context.Context, latestOnly bool, yield func(*store.Image)) error {
	q := store.ImageQuery{
		AccountID:  p.row.AccountID,
		RegistryID: p.row.ID,
		Latest:     latestOnly,
		Ascending:  true,
		Limit:      pageSize,
	}
	for {
		rows, _, err := p.store.Images(ctx, q)
		if err != nil {
			return fmt.Errorf("listing image rows: %w", err)
		}
		for i := range rows {
			yield(&rows[i].Image)
		}
		if len(rows) < pageSize {
			return nil
		}
		q.AfterID = rows[len(rows)-1].ID
	}
}

func (p *pass) loadKnown(ctx context.Context) error {
	return p.eachRow(ctx, false, func(i *store.Image) {
		p.known[tagKey{i.Repository, i.Tag}] = i.Digest
	})
}

// add takes a tag that was read, and writes when enough have gathered.
func (p *pass) add(ctx context.Context, f found) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inARow = 0
	p.batch = append(p.batch, f)
	if len(p.batch) < batchSize {
		return nil
	}
	return p.flush(ctx)
}

func (p *pass) flushAll(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.flush(ctx)
}

// flush writes the batch: contents and the images that point to them together.
// The caller holds the lock.
func (p *pass) flush(ctx context.Context) error {
	if len(p.batch) == 0 {
		return nil
	}
	err := p.store.Tx(ctx, func(ctx context.Context, db *store.DB, _ store.Enqueue) error {
		if _, err := db.RegistryByID(ctx, p.row.ID); errors.Is(err, store.ErrNotFound) {
			return errRemoved
		} else if err != nil {
			return err
		}
		for i := range p.batch {
			if err := p.write(ctx, db, &p.batch[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i := range p.batch {
		if image := &p.batch[i].image; image.ID != 0 {
			p.count(image)
		}
	}
	p.batch = p.batch[:0]
	clear(p.pending)
	return nil
}

// write enters one tag, unless it was overtaken.
func (p *pass) write(ctx context.Context, db *store.DB, f *found) error {
	image := &f.image
	key := tagKey{image.Repository, image.Tag}
	row, err := db.TaggedImage(ctx, image.AccountID, image.RegistryID, image.Repository, image.Tag)
	switch {
	case errors.Is(err, store.ErrNotFound):
	case err != nil:
		return err
	case row.Digest == image.Digest:
		image.OSName = "" // a scan may have put the distribution there
	case row.Digest != p.known[key]:
		p.overtaken(key, row.Digest)
		return nil
	}
	if f.content != nil {
		if err := db.PutContent(ctx, f.content); err != nil {
			return err
		}
	}
	_, err = db.UpsertImage(ctx, image)
	return err
}

// overtaken notes a tag that a scan has followed elsewhere since it was read:
// nobody can tell which of the two is newer, so the second look asks again. The
// next synchronisation decides about one that even then has moved on.
func (p *pass) overtaken(key tagKey, digest string) {
	if p.asked[key] {
		p.keepTags[key] = true
	}
	p.asked[key] = true
	p.known[key] = digest
}

// count notes what a written row was before.
func (p *pass) count(image *store.Image) {
	key := tagKey{image.Repository, image.Tag}
	before, existed := p.known[key]
	p.known[key] = image.Digest
	p.report.Images++
	switch {
	case !existed:
		p.report.New++
	case before != image.Digest:
		p.report.Moved++
	default:
		return
	}
	p.changed = append(p.changed, image.ID)
}

// lookAgain asks for every image that the walk did not come by, since lists
// shift while they are paged. What could not be read keeps its row: the row is
// marked as seen, so that the deletion passes it by.
func (p *pass) lookAgain(ctx context.Context) error {
	var missed []store.Image
	err := p.eachRow(ctx, false, func(i *store.Image) {
		if i.SeenAt < p.started {
			missed = append(missed, *i)
		}
	})
	if err != nil {
		return err
	}
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(p.parallel())
	for i := range missed {
		image := &missed[i]
		if p.keeps(image) {
			continue
		}
		group.Go(func() error {
			r := registry.Repository{Namespace: image.Namespace, Name: image.Name, Path: image.Repository}
			return p.visit(inner, r, registry.Tag{Name: image.Tag})
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if err := p.flushAll(ctx); err != nil {
		return err
	}
	return p.keep(ctx, missed)
}

// keeps tells whether a row belongs to what could not be read.
func (p *pass) keeps(image *store.Image) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.keepRepositories[image.Repository] || p.keepTags[tagKey{image.Repository, image.Tag}]
}

func (p *pass) keep(ctx context.Context, missed []store.Image) error {
	return p.store.Tx(ctx, func(ctx context.Context, db *store.DB, _ store.Enqueue) error {
		for i := range missed {
			if !p.keeps(&missed[i]) {
				continue
			}
			row, err := db.Image(ctx, p.row.AccountID, missed[i].ID)
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			row.SeenAt = p.started
			if _, err := db.UpsertImage(ctx, &row.Image); err != nil {
				return fmt.Errorf("keeping image %d: %w", row.ID, err)
			}
		}
		return nil
	})
}

// needScan lists the images to license and scan, if the registry asks for it.
func (p *pass) needScan(ctx context.Context) error {
	switch {
	case !p.row.NeedScan:
		return nil
	case p.row.SyncMode != syncFull:
		p.report.NeedScan = p.changed
		return nil
	}
	return p.eachRow(ctx, true, func(i *store.Image) {
		p.report.NeedScan = append(p.report.NeedScan, i.ID)
	})
}
