package store

import "context"

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
