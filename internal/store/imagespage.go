package store

import "context"

// ImagesPage lists the images that match, like [DB.Images], without counting
// all that match: what a walk through a large scope needs.
func (db *DB) ImagesPage(ctx context.Context, q ImageQuery) ([]ImageRow, error) {
	list := []ImageRow{}
	conds, err := db.conditions(ctx, q)
	if err != nil {
		return nil, err
	}
	ids := page(db.idb.NewSelect().TableExpr("image").Column("image.id"), q.Limit, q.Offset).OrderExpr(order(q))
	for _, c := range conds {
		ids = where(ids, c)
	}
	err = db.rows(&list).Where("image.id IN (?)", ids).OrderExpr(order(q)).Scan(ctx)
	return list, wrap(err, "images of account %d", q.AccountID)
}
