package tcss

import (
	"context"
	"errors"
	"fmt"
	"math"

	"dogwatch/internal/cloudapi"
	"dogwatch/internal/store"
)

func (a *actions) registerImages(api *cloudapi.API) {
	cloudapi.Handle(api, cloudapi.Action{
		Name: "DescribeAssetImageRegistryList", Errors: []string{codeFailed, codeInvalid, codeInvalidTimeout, codeNotFound},
		Doc: "Lists the registry images, one row for each repository and tag, newest list id first. Sorts by ScanTime, VirusCount, SensitiveCount, ImageCreateTime or ContainerCount.",
	}, a.listImages)
	cloudapi.Handle(api, cloudapi.Action{
		Name: "DescribeAssetImageRegistryDetail", Errors: []string{codeInvalid, codeNotFound},
		Doc: "Shows one registry image with its build history.",
	}, a.describeImage)
}

func (a *actions) listImages(ctx context.Context, caller cloudapi.Caller, req *imageListRequest) (*imageListAnswer, error) {
	limit, offset := req.page()
	by, desc := req.order()
	rows, total, err := a.Store.Images(ctx, store.ImageQuery{
		AccountID: caller.AccountID,
		Latest:    value(req.OnlyShowLatest), Running: value(req.IsRunning),
		Filters: filters(req.Filters), By: by, Desc: desc, Limit: max(limit, 1), Offset: offset,
	})
	if err != nil {
		return nil, fmt.Errorf("tcss: listing images: %w", err)
	}
	answer := &imageListAnswer{TotalCount: uint64(total)}
	for i := range rows[:min(limit, len(rows))] {
		answer.List = append(answer.List, a.imageInfo(&rows[i]))
	}
	return answer, nil
}

func (a *actions) imageInfo(row *store.ImageRow) ImageRepoInfo {
	number := func(n int64) *uint64 { c := count(n); return &c }
	running := row.Containers > 0
	return ImageRepoInfo{
		imageCommon: a.imageCommon(row),
		Id:          count(row.ID), IsTrustImage: row.Trusted, IsLatestImage: row.IsLatest,
		LowLevelVulCnt: number(row.LowCnt), MediumLevelVulCnt: number(row.MediumCnt),
		HighLevelVulCnt: number(row.HighCnt), CriticalLevelVulCnt: number(row.CriticalCnt),
		ContainerCnt: number(row.Containers), ComponentCnt: number(row.ComponentCnt),
		IsRunning: &running, HasNeedFixVul: &row.NeedFix, RecommendedFix: &row.NeedFix,
	}
}

func (a *actions) imageCommon(row *store.ImageRow) imageCommon {
	sensitive := count(row.SensitiveCnt)
	return imageCommon{
		ImageDigest: row.Digest, ImageRepoAddress: row.Address, RegistryType: row.RegistryType,
		ImageName: row.Name, ImageTag: row.Tag, ImageSize: count(row.Size), ImageId: row.ImageID,
		ScanTime: a.iso(row.ScannedAt), ScanStatus: row.ScanStatus,
		VulCnt: count(row.VulCnt), VirusCnt: count(row.VirusCnt), RiskCnt: count(row.RiskCnt),
		SentiveInfoCnt: sensitive, SensitiveInfoCnt: &sensitive, OsName: osName(row.OSName),
		ScanVirusError: row.VirusError, ScanVulError: row.CveError, ScanRiskError: row.RiskError,
		InstanceId: row.InstanceID, InstanceName: row.RegistryName, Namespace: row.Namespace,
		ScanVirusProgress: count(row.VirusProgress), ScanVulProgress: count(row.CveProgress),
		ScanRiskProgress: count(row.RiskProgress), ScanRemainTime: count(row.RemainSeconds),
		CveStatus: row.CveStatus, RiskStatus: row.RiskStatus, VirusStatus: row.VirusStatus,
		Progress: progress(&row.Image), IsAuthorized: flag(row.Authorized), RegistryRegion: row.RegistryRegion,
		ImageCreateTime: a.created(row.CreatedAt), Solution: &row.Solution, Reason: &row.Reason,
	}
}

func osName(stored string) string {
	if stored == "" {
		return "linux"
	}
	return stored
}

func (a *actions) created(m store.Moment) string {
	if m.IsZero() {
		return unknownCreation
	}
	return a.iso(m)
}

// progress is the overall progress of an image: the mean of the parts that are
// being scanned, 100 after a scan, 0 before the first.
func progress(i *store.Image) uint64 {
	switch i.ScanStatus {
	case store.Scanning:
	case store.NotScan:
		return 0
	default:
		return 100
	}
	sum, n := int64(0), int64(0)
	for _, part := range []struct {
		status   string
		progress int64
	}{{i.CveStatus, i.CveProgress}, {i.VirusStatus, i.VirusProgress}, {i.RiskStatus, i.RiskProgress}} {
		if part.status == store.Scanning {
			sum, n = sum+part.progress, n+1
		}
	}
	if n == 0 {
		return 0
	}
	return count(sum / n)
}

func (a *actions) describeImage(ctx context.Context, caller cloudapi.Caller, req *imageDetailRequest) (*imageDetail, error) {
	row, err := a.imageByEither(ctx, caller.AccountID, req)
	if err != nil {
		return nil, err
	}
	history, err := a.history(ctx, row)
	if err != nil {
		return nil, err
	}
	id := count(row.ID)
	return &imageDetail{imageCommon: a.imageCommon(row), LayerInfo: history, Id: &id}, nil
}

func (a *actions) imageByEither(ctx context.Context, accountID int64, req *imageDetailRequest) (*store.ImageRow, error) {
	switch {
	case req.Id != nil:
		return a.image(ctx, accountID, *req.Id)
	case value(req.ImageId) != "":
		rows, _, err := a.Store.Images(ctx, store.ImageQuery{AccountID: accountID, ImageIDs: []string{*req.ImageId}, Limit: 1})
		return firstImage(rows, err, *req.ImageId)
	}
	return nil, nothingChosen("`Id`, `ImageId`")
}

// image is an image of the account by list id.
func (a *actions) image(ctx context.Context, accountID int64, id uint64) (*store.ImageRow, error) {
	if id > math.MaxInt64 {
		return nil, noImage(id)
	}
	row, err := a.Store.Image(ctx, accountID, int64(id))
	if err != nil {
		return nil, notFoundAs(err, noImage(id), "reading image %d", id)
	}
	return row, nil
}

// imageNamed is an image of the account by name.
func (a *actions) imageNamed(ctx context.Context, accountID int64, info ImageInfo) (*store.ImageRow, error) {
	rows, _, err := a.Store.Images(ctx, store.ImageQuery{AccountID: accountID, Names: names([]ImageInfo{info}), Limit: 1})
	return firstImage(rows, err, info.ImageName+":"+info.ImageTag)
}

func firstImage(rows []store.ImageRow, err error, asked string) (*store.ImageRow, error) {
	if err != nil {
		return nil, fmt.Errorf("tcss: looking for an image: %w", err)
	}
	if len(rows) == 0 {
		return nil, noImage(asked)
	}
	return &rows[0], nil
}

// history is the build history of an image, empty until its content was fetched.
func (a *actions) history(ctx context.Context, row *store.ImageRow) (string, error) {
	content, err := a.Store.Content(ctx, row.AccountID, row.Digest)
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("tcss: reading the history of image %d: %w", row.ID, err)
	}
	if content.PlatformNote == "" {
		return content.History, nil
	}
	return content.History + "# " + content.PlatformNote + "\n\n", nil
}
