package tcss

import (
	"context"
	"fmt"
	"math"

	"dogwatch/internal/cloudapi"
	"dogwatch/internal/scan"
	"dogwatch/internal/store"
)

// unlimited is the total an account without a quota shows.
const unlimited = math.MaxInt32

type licenceAnswer struct {
	TotalAuthorizedCnt         uint64               `json:"TotalAuthorizedCnt" doc:"scans of the month; 2147483647: no limit"`
	UsedAuthorizedCnt          uint64               `json:"UsedAuthorizedCnt" doc:"scans used, rounded up"`
	ScannedImageCnt            uint64               `json:"ScannedImageCnt" doc:"images licensed for scanning"`
	NotScannedImageCnt         uint64               `json:"NotScannedImageCnt" doc:"images not licensed"`
	NotScannedLocalImageCnt    uint64               `json:"NotScannedLocalImageCnt" doc:"local images not licensed, 0"`
	TrialAuthorizedCnt         uint64               `json:"TrialAuthorizedCnt" doc:"trial quota, 0"`
	UsedTrialAuthorizedCnt     uint64               `json:"UsedTrialAuthorizedCnt" doc:"trial quota used, 0"`
	PurchasedAuthorizedCnt     uint64               `json:"PurchasedAuthorizedCnt" doc:"the same as TotalAuthorizedCnt"`
	UsedPurchasedAuthorizedCnt uint64               `json:"UsedPurchasedAuthorizedCnt" doc:"the same as UsedAuthorizedCnt"`
	CanApplyFreeImageAuthorize bool                 `json:"CanApplyFreeImageAuthorize" doc:"false"`
	ImageScanInquireInfo       ImageScanInquireInfo `json:"ImageScanInquireInfo" doc:"the quota as an item"`
	RepeatImageIdCnt           uint64               `json:"RepeatImageIdCnt" doc:"images both local and in a registry, 0"`
}

// ImageScanInquireInfo is the scan quota as a billing item would show it.
type ImageScanInquireInfo struct {
	InquireKey     string  `json:"InquireKey" doc:"name of the item"`
	Capcity        uint64  `json:"Capcity" doc:"scans of the month"`
	Useage         uint64  `json:"Useage" doc:"scans used, rounded up"`
	StartTime      string  `json:"StartTime" doc:"begin of the month that counts"`
	EndTime        string  `json:"EndTime" doc:"end of the month that counts"`
	PurchaseStatus string  `json:"PurchaseStatus" doc:"Normal"`
	ResourceID     string  `json:"ResourceID" doc:"name of the quota"`
	PayNum         *uint64 `json:"PayNum" api:"nullable" doc:"the same as Capcity"`
	TrialNum       *uint64 `json:"TrialNum" api:"nullable" doc:"0"`
	PayUsage       *uint64 `json:"PayUsage" api:"nullable" doc:"the same as Useage"`
}

func (a *actions) describeLicences(ctx context.Context, caller cloudapi.Caller, _ *empty) (*licenceAnswer, error) {
	account, err := a.Store.Account(ctx, caller.AccountID)
	if err != nil {
		return nil, fmt.Errorf("tcss: reading account %d: %w", caller.AccountID, err)
	}
	start, end := scan.QuotaMonth(account.CreatedAt.Time(), a.Clock.Now(), a.Location)
	tenths, err := a.Store.UsedTenths(ctx, caller.AccountID, store.At(start))
	if err != nil {
		return nil, fmt.Errorf("tcss: reading the quota used by account %d: %w", caller.AccountID, err)
	}
	licensed, all, err := a.licensed(ctx, caller.AccountID)
	if err != nil {
		return nil, err
	}
	total, used, none := quota(account), count((tenths+9)/10), uint64(0)
	return &licenceAnswer{
		TotalAuthorizedCnt: total, UsedAuthorizedCnt: used,
		ScannedImageCnt: uint64(licensed), NotScannedImageCnt: uint64(all - licensed),
		PurchasedAuthorizedCnt: total, UsedPurchasedAuthorizedCnt: used,
		ImageScanInquireInfo: ImageScanInquireInfo{
			InquireKey: "sv_yunjing_cssil_image", Capcity: total, Useage: used,
			StartTime: a.plainTime(start), EndTime: a.plainTime(end),
			PurchaseStatus: "Normal", ResourceID: "dogwatch", PayNum: &total, TrialNum: &none, PayUsage: &used,
		},
	}, nil
}

// licensed counts the account's licensed images and all of its images.
func (a *actions) licensed(ctx context.Context, accountID int64) (licensed, all int, err error) {
	yes := true
	licensed, err = a.Store.CountImages(ctx, store.ImageQuery{AccountID: accountID, Licensed: &yes})
	if err == nil {
		all, err = a.Store.CountImages(ctx, store.ImageQuery{AccountID: accountID})
	}
	if err != nil {
		return 0, 0, fmt.Errorf("tcss: counting images of account %d: %w", accountID, err)
	}
	return licensed, all, nil
}

// quota is the account's scans a month.
func quota(account *store.Account) uint64 {
	if account.QuotaTenths == 0 {
		return unlimited
	}
	return count(account.QuotaTenths / 10)
}
