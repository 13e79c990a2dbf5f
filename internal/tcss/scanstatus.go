package tcss

import (
	"context"
	"errors"
	"fmt"

	"dogwatch/internal/cloudapi"
	"dogwatch/internal/scan"
	"dogwatch/internal/store"
)

// statusRows bounds the images an answer shows the state of.
const statusRows = 10000

type scanStatusRequest struct {
	Images []ImageInfo `json:"Images" api:"maxitems=500" doc:"show the state of these images, by name"`
	All    *bool       `json:"All" doc:"show the state of all images, of the newest 10000 at most"`
	Id     []uint64    `json:"Id" api:"maxitems=10000" doc:"show the state of these images, by list id"`
	TaskID *uint64     `json:"TaskID" doc:"the task; absent: the latest one"`
}

type scanStatusAnswer struct {
	ImageTotal     uint64          `json:"ImageTotal" doc:"images of the task"`
	ImageScanCnt   uint64          `json:"ImageScanCnt" doc:"images of the task that are finished"`
	ImageStatus    []ImageProgress `json:"ImageStatus" doc:"state of the images asked for; empty if none were"`
	SuccessCount   uint64          `json:"SuccessCount" doc:"finished images without findings, every part examined whole"`
	RiskCount      uint64          `json:"RiskCount" doc:"finished images with findings"`
	Schedule       uint64          `json:"Schedule" doc:"progress of the task, 0 to 100"`
	Status         string          `json:"Status" doc:"NOT_SCAN, SCANNING, SCANNED, CANCELED or SCAN_TIMEOUT"`
	ScanRemainTime uint64          `json:"ScanRemainTime" doc:"estimated seconds left"`
}

// ImageProgress is how far the scan of one image has come.
type ImageProgress struct {
	ImageId          string `json:"ImageId" doc:"digest of the configuration"`
	RegistryType     string `json:"RegistryType" doc:"kind of registry"`
	ImageRepoAddress string `json:"ImageRepoAddress" doc:"address of the repository, without tag"`
	InstanceId       string `json:"InstanceId" doc:"id of the registry instance"`
	InstanceName     string `json:"InstanceName" doc:"name of the registry"`
	Namespace        string `json:"Namespace" doc:"namespace in the registry"`
	ImageName        string `json:"ImageName" doc:"repository name inside the namespace"`
	ImageTag         string `json:"ImageTag" doc:"tag"`
	ScanStatus       string `json:"ScanStatus" doc:"NOT_SCAN, SCANNING, SCANNED or SCAN_ERR"`
	CveProgress      uint64 `json:"CveProgress" doc:"progress of the vulnerability scan, 0 to 100"`
	RiskProgress     uint64 `json:"RiskProgress" doc:"progress of the scan for sensitive data, 0 to 100"`
	VirusProgress    uint64 `json:"VirusProgress" doc:"progress of the malware scan, 0 to 100"`
}

func (a *actions) describeScan(ctx context.Context, caller cloudapi.Caller, req *scanStatusRequest) (*scanStatusAnswer, error) {
	run, err := a.askedRun(ctx, caller.AccountID, req.TaskID)
	if err != nil {
		return nil, err
	}
	answer := &scanStatusAnswer{Status: store.NotScan}
	if run != nil {
		answer = a.runStatus(run)
	}
	answer.ImageStatus, err = a.imageStates(ctx, caller.AccountID, req)
	return answer, err
}

// askedRun is the task of that id or the latest one, nil if there was none yet.
func (a *actions) askedRun(ctx context.Context, accountID int64, taskID *uint64) (*store.Run, error) {
	if taskID != nil {
		return a.run(ctx, accountID, *taskID)
	}
	run, err := a.Store.LatestRun(ctx, accountID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("tcss: reading the latest task of account %d: %w", accountID, err)
	}
	return run, nil
}

func (a *actions) runStatus(run *store.Run) *scanStatusAnswer {
	return &scanStatusAnswer{
		ImageTotal:     count(run.Total),
		ImageScanCnt:   count(run.Finished),
		SuccessCount:   count(run.Clean),
		RiskCount:      count(run.Risky),
		Schedule:       schedulePercent(run),
		Status:         run.State,
		ScanRemainTime: count(scan.Remaining(run, a.Clock.Now())),
	}
}

// schedulePercent is how much of a task is done. A task that ended by itself or
// ran out of time is at 100; a stopped one stays where it was.
func schedulePercent(run *store.Run) uint64 {
	switch {
	case run.State == store.Scanned || run.State == store.ScanTimeout:
		return 100
	case run.Total <= 0:
		return 0
	}
	return count(min(100*(run.Finished+run.Elsewhere)/run.Total, 100))
}

// imageStates are the states of the images a request asks for.
func (a *actions) imageStates(ctx context.Context, accountID int64, req *scanStatusRequest) ([]ImageProgress, error) {
	query := store.ImageQuery{AccountID: accountID, Limit: statusRows}
	if !value(req.All) {
		if len(req.Id) == 0 && len(req.Images) == 0 {
			return nil, nil
		}
		ids, err := a.existing(ctx, accountID, req.Id)
		if err != nil {
			return nil, err
		}
		query.IDs, query.Names = ids, names(req.Images)
	}
	rows, _, err := a.Store.Images(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("tcss: reading the state of images: %w", err)
	}
	states := make([]ImageProgress, len(rows))
	for i := range rows {
		states[i] = imageProgress(&rows[i])
	}
	return states, nil
}

func imageProgress(row *store.ImageRow) ImageProgress {
	return ImageProgress{
		ImageId: row.ImageID, RegistryType: row.RegistryType, ImageRepoAddress: row.Address,
		InstanceId: row.InstanceID, InstanceName: row.RegistryName, Namespace: row.Namespace,
		ImageName: row.Name, ImageTag: row.Tag, ScanStatus: row.ScanStatus,
		CveProgress: count(row.CveProgress), RiskProgress: count(row.RiskProgress), VirusProgress: count(row.VirusProgress),
	}
}
