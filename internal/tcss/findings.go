package tcss

import (
	"context"

	"dogwatch/internal/cloudapi"
	"dogwatch/internal/finding"
	"dogwatch/internal/store"
)

// findingsRequest asks for what is wrong with one image.
type findingsRequest struct {
	paging
	Filters   []AssetFilters `json:"Filters" api:"maxitems=50" doc:"conditions: Level or RiskLevel (1 to 4, or LOW, MIDDLE, MEDIUM, HIGH, CRITICAL), Name, and Tag for vulnerabilities, Behavior and Type for risks"`
	ImageInfo *ImageInfo     `json:"ImageInfo" doc:"the image by name; used when Id is absent"`
	Id        *uint64        `json:"Id" doc:"the image by list id"`
}

type riskListRequest struct {
	findingsRequest
	ordering
}

func (a *actions) registerFindings(api *cloudapi.API) {
	cloudapi.Handle(api, cloudapi.Action{
		Name: "DescribeAssetImageRegistryVulList", Errors: []string{codeFailed, codeInternal, codeNotFound},
		Doc: "Lists the vulnerabilities of one image, by level and identifier. Give Id or ImageInfo.",
	}, a.listVulnerabilities)
	cloudapi.Handle(api, cloudapi.Action{
		Name: "DescribeAssetImageRegistryVirusList", Errors: []string{codeInternal, codeNotFound},
		Doc: "Lists the malicious files of one image, by level and path. Give Id or ImageInfo.",
	}, a.listViruses)
	cloudapi.Handle(api, cloudapi.Action{
		Name: "DescribeAssetImageRegistryRiskInfoList", Errors: []string{codeFailed, codeInternal, codeInvalidFormat, codeInvalidMissing, codeNotFound},
		Doc: "Lists the sensitive data and risky instructions of one image, by level. Give Id or ImageInfo.",
	}, a.listRisks)
}

// subject is the image a request speaks of.
func (a *actions) subject(ctx context.Context, accountID int64, req *findingsRequest) (*store.ImageRow, error) {
	switch {
	case req.Id != nil:
		return a.image(ctx, accountID, *req.Id)
	case req.ImageInfo != nil:
		return a.imageNamed(ctx, accountID, *req.ImageInfo)
	}
	return nil, nothingChosen("`Id`, `ImageInfo`")
}

func (req *findingsRequest) query() finding.Query {
	limit, offset := req.page()
	return finding.Query{Filters: filters(req.Filters), Limit: limit, Offset: offset}
}

// findings looks the image up, asks for its findings and writes each as a row.
func findings[F, R any](ctx context.Context, a *actions, caller cloudapi.Caller, req *findingsRequest, q finding.Query,
	list func(ctx context.Context, accountID, imageID int64, q finding.Query) (finding.Page[F], error),
	row func(*F) R) (rows []R, total uint64, err error) {
	image, err := a.subject(ctx, caller.AccountID, req)
	if err != nil {
		return nil, 0, err
	}
	page, err := list(ctx, caller.AccountID, image.ID, q)
	if err != nil {
		return nil, 0, notFoundAs(err, noImage(image.ID), "listing the findings of image %d", image.ID)
	}
	rows = make([]R, len(page.Rows))
	for i := range page.Rows {
		rows[i] = row(&page.Rows[i])
	}
	return rows, uint64(page.Total), nil
}
