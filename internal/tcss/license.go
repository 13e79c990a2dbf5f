package tcss

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"dogwatch/internal/cloudapi"
	"dogwatch/internal/store"
)

type licenseRequest struct {
	AllLocalImages          bool           `json:"AllLocalImages" api:"required" doc:"all local images; this server has none"`
	AllRegistryImages       bool           `json:"AllRegistryImages" api:"required" doc:"all registry images; wins over ids and filters"`
	UpdatedLocalImageCnt    uint64         `json:"UpdatedLocalImageCnt" api:"required" doc:"local images to license at most"`
	UpdatedRegistryImageCnt uint64         `json:"UpdatedRegistryImageCnt" api:"required" doc:"registry images to license at most; of more matches those with the lowest list ids are taken. 0: none"`
	ImageSourceType         string         `json:"ImageSourceType" api:"required,enum=ASSETIMAGE|IMAGEALL,fold" doc:"where local images would come from"`
	LocalImageFilter        []AssetFilters `json:"LocalImageFilter" api:"maxitems=50" doc:"local images by filter"`
	RegistryImageFilter     []AssetFilters `json:"RegistryImageFilter" api:"maxitems=50" doc:"registry images by the conditions of the image list"`
	ExcludeLocalImageIds    []string       `json:"ExcludeLocalImageIds" api:"maxitems=10000" doc:"local images to leave out"`
	ExcludeRegistryImageIds []string       `json:"ExcludeRegistryImageIds" api:"maxitems=10000" doc:"registry images to leave out, by list id or sha256: image id"`
	LocalImageIds           []string       `json:"LocalImageIds" api:"maxitems=10000" doc:"local images by id"`
	RegistryImageIds        []string       `json:"RegistryImageIds" api:"maxitems=10000" doc:"registry images by list id or sha256: image id, which may mean several rows"`
	OnlyShowLatest          *bool          `json:"OnlyShowLatest" doc:"with RegistryImageFilter: only the newest image of each repository"`
}

func (a *actions) registerLicences(api *cloudapi.API) {
	cloudapi.Handle(api, cloudapi.Action{
		Name: "ModifyImageAuthorized", Role: cloudapi.RoleOperator,
		Doc: "Licenses images for scanning. The first of AllRegistryImages, RegistryImageIds and RegistryImageFilter that is given chooses. If there are more images than licences, nothing is changed.",
		Errors: []string{codeAuthFailure, codeFailed, codeNotEnough, codeInternal, codeMainDB, codeInvalid, codeInvalidFormat,
			codeInvalidMissing, codeInvalidParsing, codeInvalidValue, codeNotFound},
	}, a.license)
	cloudapi.Handle(api, cloudapi.Action{
		Name: "DescribeImageAuthorizedInfo", Errors: []string{codeInternal, codeMainDB},
		Doc: "Shows the licences and the scan quota of the month.",
	}, a.describeLicences)
}

func (a *actions) license(ctx context.Context, caller cloudapi.Caller, req *licenseRequest) (*empty, error) {
	if req.UpdatedRegistryImageCnt == 0 {
		return &empty{}, nil
	}
	err := a.Store.Tx(ctx, func(ctx context.Context, db *store.DB, _ store.Enqueue) error {
		query, err := req.chosen(ctx, db, caller.AccountID)
		if err != nil || query == nil {
			return err
		}
		ids, err := unlicensed(ctx, db, *query, req.UpdatedRegistryImageCnt)
		if err != nil || len(ids) == 0 {
			return err
		}
		if err := enough(ctx, db, caller.AccountID, len(ids)); err != nil {
			return err
		}
		return db.SetAuthorized(ctx, caller.AccountID, ids, true)
	})
	if err != nil {
		return nil, fmt.Errorf("tcss: licensing images: %w", err)
	}
	return &empty{}, nil
}

// chosen are the images a request means, nil if it names none.
func (req *licenseRequest) chosen(ctx context.Context, db *store.DB, accountID int64) (*store.ImageQuery, error) {
	query := &store.ImageQuery{AccountID: accountID}
	var err error
	switch {
	case req.AllRegistryImages:
	case len(req.RegistryImageIds) > 0:
		if query.IDs, err = imagesMeant(ctx, db, accountID, "RegistryImageIds", req.RegistryImageIds, true); err != nil {
			return nil, err
		}
	case req.RegistryImageFilter != nil || value(req.OnlyShowLatest):
		query.Filters, query.Latest = filters(req.RegistryImageFilter), value(req.OnlyShowLatest)
	default:
		return nil, nil
	}
	query.ExcludeIDs, err = imagesMeant(ctx, db, accountID, "ExcludeRegistryImageIds", req.ExcludeRegistryImageIds, false)
	return query, err
}

// imagesMeant turns ids as text, list ids or image ids, into list ids. With
// must, each has to mean at least one image of the account.
func imagesMeant(ctx context.Context, db *store.DB, accountID int64, parameter string, texts []string, must bool) ([]int64, error) {
	var ids []int64
	var digests []string
	for i, text := range texts {
		if strings.HasPrefix(text, "sha256:") {
			digests = append(digests, text)
			continue
		}
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, badValue(fmt.Sprintf("%s.%d", parameter, i), text, "give a list id or an image id (sha256:...)", "请填写列表ID或镜像ID（sha256:...）")
		}
		ids = append(ids, id)
	}
	if must {
		missing, err := db.MissingImages(ctx, accountID, ids)
		if err != nil {
			return nil, err
		}
		if len(missing) > 0 {
			return nil, noImage(missing[0])
		}
	}
	if len(digests) == 0 {
		return ids, nil
	}
	return appendByDigest(ctx, db, accountID, ids, digests, must)
}

// appendByDigest adds the rows that image ids stand for.
func appendByDigest(ctx context.Context, db *store.DB, accountID int64, ids []int64, digests []string, must bool) ([]int64, error) {
	rows, _, err := db.Images(ctx, store.ImageQuery{AccountID: accountID, ImageIDs: digests})
	if err != nil {
		return nil, err
	}
	met := make(map[string]bool, len(rows))
	for i := range rows {
		ids = append(ids, rows[i].ID)
		met[rows[i].ImageID] = true
	}
	for _, digest := range digests {
		if must && !met[digest] {
			return nil, noImage(digest)
		}
	}
	return ids, nil
}

// unlicensed are the images of a query without a licence, at most so many:
// those with the lowest list ids.
func unlicensed(ctx context.Context, db *store.DB, query store.ImageQuery, most uint64) ([]int64, error) {
	licensed := false
	query.Licensed, query.Ascending = &licensed, true
	query.Limit = int(min(most, math.MaxInt32))
	rows, _, err := db.Images(ctx, query)
	if err != nil {
		return nil, err
	}
	ids := make([]int64, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	slices.Sort(ids)
	return ids, nil
}

// enough refuses more licences than the account may give.
func enough(ctx context.Context, db *store.DB, accountID int64, more int) error {
	account, err := db.Account(ctx, accountID)
	if err != nil || account.LicenceCap == 0 {
		return err
	}
	licensed := true
	used, err := db.CountImages(ctx, store.ImageQuery{AccountID: accountID, Licensed: &licensed})
	if err != nil {
		return err
	}
	if left := account.LicenceCap - int64(used); int64(more) > left {
		return cloudapi.NewError(codeNotEnough,
			"%d licences are needed and %d are left.", "需要%d个授权，剩余%d个，授权数不足。", more, max(left, 0))
	}
	return nil
}
