package store

import (
	"context"

	"github.com/uptrace/bun"
)

// Content is what an account learned of one manifest.
func (db *DB) Content(ctx context.Context, accountID int64, digest string) (*Content, error) {
	c := new(Content)
	err := db.idb.NewSelect().Model(c).
		Where("account_id = ?", accountID).Where("digest = ?", text(digest)).Scan(ctx)
	if err != nil {
		return nil, wrap(err, "content %s of account %d", digest, accountID)
	}
	return c, nil
}

// PutContent stores what was learned of a manifest, in place of what was known.
func (db *DB) PutContent(ctx context.Context, c *Content) error {
	row := *c
	row.Platform, row.PlatformNote = text(c.Platform), text(c.PlatformNote)
	row.MediaType, row.History = text(c.MediaType), text(c.History)
	_, err := db.idb.NewInsert().Model(&row).On("CONFLICT (account_id, digest) DO UPDATE").Exec(ctx)
	return wrap(err, "put content %s of account %d", c.Digest, c.AccountID)
}

// LayerFacts are the stored facts of a layer under an inspector revision.
func (db *DB) LayerFacts(ctx context.Context, digest, revision string) (*LayerFacts, error) {
	f := new(LayerFacts)
	err := db.idb.NewSelect().Model(f).
		Where("digest = ?", text(digest)).Where("revision = ?", revision).Scan(ctx)
	if err != nil {
		return nil, wrap(err, "facts of layer %s", digest)
	}
	return f, nil
}

// NewestLayerFacts are the facts of a layer that were stored last, under
// whichever inspector revision: what is known of it until it is inspected again.
func (db *DB) NewestLayerFacts(ctx context.Context, digest string) (*LayerFacts, error) {
	f := new(LayerFacts)
	err := db.idb.NewSelect().Model(f).Where("digest = ?", text(digest)).
		Order("inspected_at DESC", "revision DESC").Limit(1).Scan(ctx)
	if err != nil {
		return nil, wrap(err, "newest facts of layer %s", digest)
	}
	return f, nil
}

// KnownLayers tells which of the layers have facts under the revision.
func (db *DB) KnownLayers(ctx context.Context, digests []string, revision string) (map[string]bool, error) {
	known := make(map[string]bool, len(digests))
	if len(digests) == 0 {
		return known, nil
	}
	var found []string
	err := db.idb.NewSelect().Model((*LayerFacts)(nil)).Column("digest").
		Where("revision = ?", revision).Where("digest IN (?)", bun.List(digests)).Scan(ctx, &found)
	for _, d := range found {
		known[d] = true
	}
	return known, wrap(err, "known layers")
}

// PutLayerFacts stores the facts of a layer. Facts are immutable: the first
// writer wins, and a later one changes nothing.
func (db *DB) PutLayerFacts(ctx context.Context, f *LayerFacts) error {
	_, err := db.idb.NewInsert().Model(f).On("CONFLICT (digest, revision) DO NOTHING").Exec(ctx)
	return wrap(err, "put facts of layer %s", f.Digest)
}

// dropOrphans removes those contents of an account that no image points to.
func (db *DB) dropOrphans(ctx context.Context, accountID int64, digests []string) error {
	if len(digests) == 0 {
		return nil
	}
	_, err := db.idb.NewDelete().Model((*Content)(nil)).
		Where("content.account_id = ?", accountID).
		Where("content.digest IN (?)", bun.List(digests)).
		Where("NOT EXISTS (SELECT 1 FROM image i WHERE i.account_id = content.account_id AND i.digest = content.digest)").
		Where("NOT EXISTS (SELECT 1 FROM image i WHERE i.account_id = content.account_id AND i.assessed_digest = content.digest)").
		Exec(ctx)
	return wrap(err, "drop contents without images of account %d", accountID)
}
