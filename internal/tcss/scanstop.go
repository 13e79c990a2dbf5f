package tcss

import (
	"context"
	"fmt"
	"math"

	"dogwatch/internal/cloudapi"
	"dogwatch/internal/scan"
	"dogwatch/internal/store"
)

type stopRequest struct {
	All              *bool          `json:"All" doc:"all scans of the account"`
	Images           []ImageInfo    `json:"Images" api:"maxitems=500" doc:"images by name"`
	Id               []uint64       `json:"Id" api:"maxitems=10000" doc:"images by list id"`
	Filters          []AssetFilters `json:"Filters" api:"maxitems=50" doc:"images by the conditions of the image list"`
	ExcludeImageList []uint64       `json:"ExcludeImageList" api:"maxitems=10000" doc:"list ids whose scans go on"`
	OnlyScanLatest   *bool          `json:"OnlyScanLatest" doc:"with Filters: only the newest image of each repository"`
	TaskID           *uint64        `json:"TaskID" doc:"the task to stop"`
}

type stopOneKeyRequest struct {
	All    *bool       `json:"All" doc:"all scans of the account"`
	Images []ImageInfo `json:"Images" api:"maxitems=500" doc:"images by name"`
	Id     []uint64    `json:"Id" api:"maxitems=10000" doc:"images by list id"`
	TaskID *uint64     `json:"TaskID" doc:"the task to stop"`
}

func (a *actions) stopOneKeyScan(ctx context.Context, caller cloudapi.Caller, req *stopOneKeyRequest) (*empty, error) {
	if req.TaskID == nil && !value(req.All) && len(req.Id) == 0 && len(req.Images) == 0 {
		return nil, nothingChosen("`TaskID`, `All`, `Id`, `Images`")
	}
	return a.stopScan(ctx, caller, &stopRequest{All: req.All, Images: req.Images, Id: req.Id, TaskID: req.TaskID})
}

func (a *actions) stopScan(ctx context.Context, caller cloudapi.Caller, req *stopRequest) (*empty, error) {
	if req.TaskID != nil {
		return a.stopTask(ctx, caller.AccountID, *req.TaskID)
	}
	everything := value(req.All)
	if everything && len(req.ExcludeImageList) == 0 {
		return a.stop(ctx, caller.AccountID, scan.StopRequest{All: true})
	}
	query := store.ImageQuery{AccountID: caller.AccountID}
	switch {
	case everything:
	case len(req.Id) > 0:
		ids, err := a.existing(ctx, caller.AccountID, req.Id)
		if err != nil {
			return nil, err
		}
		query.IDs = ids
	case len(req.Images) > 0:
		query.Names = names(req.Images)
	case req.Filters != nil || value(req.OnlyScanLatest):
		query.Filters, query.Latest = filters(req.Filters), value(req.OnlyScanLatest)
	default:
		return nil, nothingChosen("`TaskID`, `All`, `Id`, `Images`, `Filters`")
	}
	query.ExcludeIDs, _ = rowIDs(req.ExcludeImageList)
	images, err := a.imageIDs(ctx, query)
	if err != nil || len(images) == 0 {
		return &empty{}, err
	}
	return a.stop(ctx, caller.AccountID, scan.StopRequest{ImageIDs: images})
}

func (a *actions) stopTask(ctx context.Context, accountID int64, taskID uint64) (*empty, error) {
	run, err := a.run(ctx, accountID, taskID)
	if err != nil {
		return nil, err
	}
	return a.stop(ctx, accountID, scan.StopRequest{RunID: run.ID})
}

func (a *actions) stop(ctx context.Context, accountID int64, req scan.StopRequest) (*empty, error) {
	if err := a.Scans.Stop(ctx, accountID, req); err != nil {
		return nil, notFoundAs(err, noTask(req.RunID), "stopping scans")
	}
	return &empty{}, nil
}

// run is a task of the account.
func (a *actions) run(ctx context.Context, accountID int64, taskID uint64) (*store.Run, error) {
	if taskID > math.MaxInt64 {
		return nil, noTask(taskID)
	}
	run, err := a.Store.Run(ctx, accountID, int64(taskID))
	if err != nil {
		return nil, notFoundAs(err, noTask(taskID), "reading task %d", taskID)
	}
	return run, nil
}

// imageIDs are the list ids of all images that match.
func (a *actions) imageIDs(ctx context.Context, query store.ImageQuery) ([]int64, error) {
	rows, _, err := a.Store.Images(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("tcss: looking for images: %w", err)
	}
	ids := make([]int64, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	return ids, nil
}
