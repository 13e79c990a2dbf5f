package store

import (
	"context"
	"slices"
	"strings"

	"github.com/uptrace/bun"
	"golang.org/x/sync/errgroup"
)

// ImageRow is an image with what its registry adds to it.
type ImageRow struct {
	Image          `bun:",extend"`
	RegistryName   string
	RegistryType   string
	RegistryRegion string
	InstanceID     string
}

// ImageQuery chooses images of an account. IDs and Names combine with OR: they
// are the chosen images, and a choice that is empty but not nil matches nothing.
// Everything else combines with AND.
//
// Filters are those of DescribeAssetImageRegistryList; names that are not known
// are ignored. By is ScanTime, VirusCount, SensitiveCount, ImageCreateTime or
// ContainerCount, and Desc its direction; equal rows follow by id in the same
// direction. Any other By means newest first by id, or oldest first with
// Ascending. AfterID and UpToID bound the ids, for a walk with Ascending.
type ImageQuery struct {
	AccountID     int64
	IDs           []int64
	ExcludeIDs    []int64
	ImageIDs      []string // configuration digests
	Names         []ImageName
	RegistryID    int64
	RegistryTypes []string
	Namespaces    []string
	Licensed      *bool
	Latest        bool // only the newest image of each repository
	Running       bool // only images that a container runs
	Recommended   bool // newest of each repository or run by a container
	Filters       []Filter
	By            string
	Desc          bool
	Limit, Offset int // Limit 0: all
	AfterID       int64
	UpToID        int64 // 0: no bound
	Ascending     bool
}

// Images lists the images that match, and how many match before Limit and Offset.
// Counting and choosing the page go side by side: each is a walk of its own.
func (db *DB) Images(ctx context.Context, q ImageQuery) (list []ImageRow, total int, err error) {
	conds, err := db.conditions(ctx, q)
	if err != nil {
		return nil, 0, err
	}
	g, ctx := errgroup.WithContext(ctx)
	if _, whole := db.idb.(*bun.DB); !whole {
		g.SetLimit(1) // a transaction is one connection: one statement at a time
	}
	g.Go(func() (err error) {
		total, err = db.count(ctx, conds)
		return wrap(err, "count images of account %d", q.AccountID)
	})
	g.Go(func() (err error) {
		list, err = db.pick(ctx, q, conds)
		return err
	})
	if err := g.Wait(); err != nil {
		return nil, 0, err
	}
	return list, total, nil
}

// ImagesPage lists the images that match, like [DB.Images], without counting
// all that match: what a walk through a large scope needs.
func (db *DB) ImagesPage(ctx context.Context, q ImageQuery) ([]ImageRow, error) {
	conds, err := db.conditions(ctx, q)
	if err != nil {
		return nil, err
	}
	return db.pick(ctx, q, conds)
}

// pick chooses the ids of a page first, and then reads their rows.
func (db *DB) pick(ctx context.Context, q ImageQuery, conds []cond) ([]ImageRow, error) {
	ids := page(db.idb.NewSelect().TableExpr("image").Column("image.id"), q.Limit, q.Offset).
		OrderExpr(order(q, len(conds) > 1))
	for _, c := range conds {
		ids = where(ids, c)
	}
	list := []ImageRow{}
	err := db.rows(&list).Where("image.id IN (?)", ids).OrderExpr(order(q, true)).Scan(ctx)
	return list, wrap(err, "images of account %d", q.AccountID)
}

// CountImages is how many images match, whatever Limit and Offset.
func (db *DB) CountImages(ctx context.Context, q ImageQuery) (int, error) {
	conds, err := db.conditions(ctx, q)
	if err != nil {
		return 0, err
	}
	n, err := db.count(ctx, conds)
	return n, wrap(err, "count images of account %d", q.AccountID)
}

// Image is an image of the account.
func (db *DB) Image(ctx context.Context, accountID, id int64) (*ImageRow, error) {
	row := new(ImageRow)
	err := db.rows(row).Where("image.account_id = ?", accountID).Where("image.id = ?", id).Scan(ctx)
	if err != nil {
		return nil, wrap(err, "image %d of account %d", id, accountID)
	}
	return row, nil
}

// MissingImages are those of the ids that the account has no image for.
func (db *DB) MissingImages(ctx context.Context, accountID int64, ids []int64) ([]int64, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var found []int64
	err := db.idb.NewSelect().Model((*Image)(nil)).Column("id").
		Where("account_id = ?", accountID).Where("id IN (?)", bun.List(ids)).Order("id").Scan(ctx, &found)
	if err != nil {
		return nil, wrap(err, "look for images of account %d", accountID)
	}
	var missing []int64
	for _, id := range ids {
		if _, ok := slices.BinarySearch(found, id); !ok {
			missing = append(missing, id)
		}
	}
	return missing, nil
}

func (db *DB) rows(dest any) *bun.SelectQuery {
	return db.idb.NewSelect().Model(dest).ModelTableExpr("image").
		ColumnExpr("image.*").
		ColumnExpr("r.name AS registry_name, r.type AS registry_type, r.region AS registry_region, r.instance_id AS instance_id").
		Join("JOIN registry AS r ON r.id = image.registry_id")
}

func (db *DB) count(ctx context.Context, conds []cond) (int, error) {
	var n int
	sel := db.idb.NewSelect().TableExpr("image").ColumnExpr("COUNT(*)")
	for _, c := range conds {
		sel = where(sel, c)
	}
	err := sel.Scan(ctx, &n)
	return n, err
}

// sortKeys are the columns a list may be sorted by.
var sortKeys = map[string]string{
	"ScanTime":        "scanned_at",
	"VirusCount":      "virus_cnt",
	"SensitiveCount":  "sensitive_cnt",
	"ImageCreateTime": "created_at",
	"ContainerCount":  "containers",
}

// order is the ORDER BY clause. The plus keeps a filtered list away from the
// index on its sort key: walking that one means reading the wide row of each
// image to test it, ten times as slow as sorting what the list index yields.
func order(q ImageQuery, filtered bool) string {
	column, known := sortKeys[q.By]
	direction := "DESC"
	if known && !q.Desc || !known && q.Ascending {
		direction = "ASC"
	}
	if !known {
		return "image.id " + direction
	}
	plus := ""
	if filtered {
		plus = "+"
	}
	return plus + "image." + column + " " + direction + ", image.id " + direction
}

// conditions turns a query into the WHERE clause.
func (db *DB) conditions(ctx context.Context, q ImageQuery) ([]cond, error) {
	conds := []cond{{"image.account_id = ?", []any{q.AccountID}}}
	if q.IDs != nil || q.Names != nil {
		ids, err := db.chosen(ctx, q)
		if err != nil {
			return nil, err
		}
		conds = append(conds, cond{"image.id IN (?)", []any{bun.List(ids)}})
	}
	if q.ImageIDs != nil {
		if len(q.ImageIDs) == 0 {
			conds = append(conds, never)
		}
		conds = append(conds, equals("image.image_id", q.ImageIDs))
	}
	if len(q.ExcludeIDs) > 0 {
		conds = append(conds, cond{"image.id NOT IN (?)", []any{bun.List(q.ExcludeIDs)}})
	}
	conds = append(conds, narrowing(q)...)
	for _, f := range q.Filters {
		if c := imageFilter(q.AccountID, f); c.sql != "" {
			conds = append(conds, c)
		}
	}
	return conds, nil
}

// narrowing are the conditions on plain columns.
func narrowing(q ImageQuery) []cond {
	var conds []cond
	if q.RegistryID != 0 {
		conds = append(conds, imagesOf(q.RegistryID))
	}
	if len(q.RegistryTypes) > 0 {
		conds = append(conds, inRegistry(q.AccountID, equals("type", q.RegistryTypes)))
	}
	if len(q.Namespaces) > 0 {
		conds = append(conds, equals("image.namespace", q.Namespaces))
	}
	if q.Licensed != nil {
		conds = append(conds, cond{"image.authorized = ?", []any{*q.Licensed}})
	}
	if q.Latest {
		conds = append(conds, cond{sql: "image.is_latest"})
	}
	if q.Running {
		conds = append(conds, cond{sql: "image.containers > 0"})
	}
	if q.Recommended {
		conds = append(conds, cond{sql: "(image.is_latest OR image.containers > 0)"})
	}
	if q.AfterID != 0 {
		conds = append(conds, cond{"image.id > ?", []any{q.AfterID}})
	}
	if q.UpToID != 0 {
		conds = append(conds, cond{"image.id <= ?", []any{q.UpToID}})
	}
	return conds
}

// nameBatch is how many names are looked up with one statement.
const nameBatch = 50

// chosen resolves IDs and Names to ids.
func (db *DB) chosen(ctx context.Context, q ImageQuery) ([]int64, error) {
	ids := slices.Clone(q.IDs)
	for batch := range slices.Chunk(q.Names, nameBatch) {
		list := make([]cond, len(batch))
		for i, n := range batch {
			list[i] = named(n)
		}
		match := anyOf(list)
		var some []int64
		err := db.idb.NewSelect().TableExpr("image").Column("image.id").
			Join("JOIN registry AS r ON r.id = image.registry_id").
			Where("image.account_id = ?", q.AccountID).Where(match.sql, match.args...).Scan(ctx, &some)
		if err != nil {
			return nil, wrap(err, "look up image names of account %d", q.AccountID)
		}
		ids = append(ids, some...)
	}
	return ids, nil
}

// named matches the image that a name means: the first four fields must match,
// the others where given.
func named(n ImageName) cond {
	parts := []string{"r.name = ?", "image.namespace = ?", "image.name = ?", "image.tag = ?"}
	args := []any{text(n.InstanceName), text(n.Namespace), text(n.ImageName), text(n.ImageTag)}
	if n.ImageDigest != "" { // the model calls it the id of the image: either will do
		parts = append(parts, "? IN (image.digest, image.image_id)")
		args = append(args, text(n.ImageDigest))
	}
	for _, also := range []struct{ column, value string }{
		{"r.type", strings.ToLower(n.RegistryType)},
		{"image.address", n.RepoAddress}, {"r.instance_id", n.InstanceID},
	} {
		if also.value != "" {
			parts = append(parts, also.column+" = ?")
			args = append(args, text(also.value))
		}
	}
	return cond{"(" + strings.Join(parts, " AND ") + ")", args}
}
