package tcss

import (
	"context"
	"time"

	"dogwatch/internal/cloudapi"
	"dogwatch/internal/scan"
	"dogwatch/internal/store"
)

// longestTimeout bounds the time a task may be given; more is taken as this.
const longestTimeout = 30 * 24 * time.Hour

type scanRequest struct {
	All              *bool          `json:"All" doc:"all licensed images"`
	Images           []ImageInfo    `json:"Images" api:"maxitems=500" doc:"images by name"`
	ScanType         []string       `json:"ScanType" api:"enum=CVE|VIRUS|RISK,fold,unique" doc:"what to scan for; absent or empty: all three"`
	Id               []uint64       `json:"Id" api:"maxitems=10000" doc:"images by list id"`
	Filters          []AssetFilters `json:"Filters" api:"maxitems=50" doc:"images by the conditions of the image list"`
	ExcludeImageList []uint64       `json:"ExcludeImageList" api:"maxitems=10000" doc:"list ids to leave out"`
	OnlyScanLatest   *bool          `json:"OnlyScanLatest" doc:"with Filters: only the newest image of each repository"`
	Timeout          *uint64        `json:"Timeout" doc:"seconds the task may take; absent or 0: a day"`
}

type oneKeyRequest struct {
	All              *bool       `json:"All" api:"disabled" doc:"the same as scope 0"`
	Images           []ImageInfo `json:"Images" api:"maxitems=500" doc:"images by name, with scope 1"`
	ScanType         []string    `json:"ScanType" api:"enum=CVE|VIRUS|RISK,fold,unique" doc:"what to scan for; absent or empty: all three"`
	Id               []uint64    `json:"Id" api:"maxitems=10000" doc:"images by list id, with scope 1"`
	ExcludeIDs       []uint64    `json:"ExcludeIDs" api:"maxitems=10000" doc:"list ids to leave out"`
	IsLatest         *bool       `json:"IsLatest" doc:"only the newest image of each repository"`
	ScanScope        *uint64     `json:"ScanScope" api:"max=2" doc:"0 all licensed images, 1 the chosen ones, 2 the recommended ones; absent: by the other parameters"`
	RegistryType     []string    `json:"RegistryType" api:"enum=tcr|ccr|harbor|quay|jfrog|aws|azure|other-tcr|oci,fold" doc:"only registries of these types"`
	Namespace        []string    `json:"Namespace" api:"maxitems=1000" doc:"only these namespaces"`
	ContainerRunning *bool       `json:"ContainerRunning" doc:"only images that a running container uses"`
	Timeout          *uint64     `json:"Timeout" doc:"seconds the task may take; absent or 0: a day"`
}

type taskAnswer struct {
	TaskID *uint64 `json:"TaskID" api:"nullable" doc:"id of the new task"`
}

func (a *actions) registerScans(api *cloudapi.API) {
	listed := []string{codeFailed, codeInvalid, codeNotFound}
	cloudapi.Handle(api, cloudapi.Action{
		Name: "CreateAssetImageRegistryScanTask", Role: cloudapi.RoleOperator, Errors: listed,
		Doc: "Scans chosen licensed images now. The first of All, Id, Images and Filters that is given chooses.",
	}, a.createScan)
	cloudapi.Handle(api, cloudapi.Action{
		Name: "CreateAssetImageRegistryScanTaskOneKey", Role: cloudapi.RoleOperator, Errors: listed,
		Doc: "Scans by scope now, as the scheduled scan does. Without any choice it takes all licensed images.",
	}, a.createOneKeyScan)
	cloudapi.Handle(api, cloudapi.Action{
		Name: "ModifyAssetImageRegistryScanStop", Role: cloudapi.RoleOperator, Errors: []string{codeInvalid, codeNotFound},
		Doc: "Stops scans. The first of TaskID, All, Id, Images and Filters that is given chooses. Images that wait or run return to their former state.",
	}, a.stopScan)
	cloudapi.Handle(api, cloudapi.Action{
		Name: "ModifyAssetImageRegistryScanStopOneKey", Role: cloudapi.RoleOperator, Errors: listed,
		Doc: "Stops scans. The first of TaskID, All, Id and Images that is given chooses.",
	}, a.stopOneKeyScan)
	cloudapi.Handle(api, cloudapi.Action{
		Name: "DescribeAssetImageRegistryScanStatusOneKey", Errors: []string{codeInternal, codeMissing, codeNotFound},
		Doc: "Shows the progress of a scan task, the latest one without TaskID, and beside it the state of the images asked for.",
	}, a.describeScan)
}

func (a *actions) createScan(ctx context.Context, caller cloudapi.Caller, req *scanRequest) (*taskAnswer, error) {
	scope, err := a.chosenScope(ctx, caller.AccountID, req)
	if err != nil {
		return nil, err
	}
	scope.ExcludeIDs, _ = rowIDs(req.ExcludeImageList)
	return a.start(ctx, caller, scan.Request{
		Kind: store.RunManual, Parts: parts(req.ScanType), Scope: scope, Timeout: timeout(req.Timeout),
	})
}

// chosenScope is what the first way of choosing in a request means.
func (a *actions) chosenScope(ctx context.Context, accountID int64, req *scanRequest) (store.Scope, error) {
	switch {
	case value(req.All):
		return store.Scope{Kind: scopeAll}, nil
	case len(req.Id) > 0:
		ids, err := a.existing(ctx, accountID, req.Id)
		return store.Scope{Kind: scopeSelected, IDs: ids}, err
	case len(req.Images) > 0:
		return store.Scope{Kind: scopeSelected, Names: names(req.Images)}, nil
	case req.Filters != nil || value(req.OnlyScanLatest):
		return store.Scope{Kind: scopeAll, Filters: filters(req.Filters), Latest: value(req.OnlyScanLatest)}, nil
	}
	return store.Scope{}, nothingChosen("`All`, `Id`, `Images`, `Filters`")
}

func (a *actions) createOneKeyScan(ctx context.Context, caller cloudapi.Caller, req *oneKeyRequest) (*taskAnswer, error) {
	scope, err := a.stored(ctx, caller.AccountID, choice{
		scope:         req.ScanScope,
		all:           value(req.All),
		ids:           req.Id,
		images:        req.Images,
		registryTypes: req.RegistryType,
		namespaces:    req.Namespace,
		latest:        value(req.IsLatest),
		running:       value(req.ContainerRunning),
		exclude:       req.ExcludeIDs,
	})
	if err != nil {
		return nil, err
	}
	return a.start(ctx, caller, scan.Request{
		Kind: store.RunOneKey, Parts: parts(req.ScanType), Scope: scope, Timeout: timeout(req.Timeout),
	})
}

func (a *actions) start(ctx context.Context, caller cloudapi.Caller, req scan.Request) (*taskAnswer, error) {
	run, err := a.Scans.Start(ctx, caller.AccountID, req)
	if err != nil {
		return nil, scanRefused(err)
	}
	id := count(run.ID)
	return &taskAnswer{TaskID: &id}, nil
}

// timeout is the time a task may take, 0 for the default.
func timeout(seconds *uint64) time.Duration {
	return time.Duration(min(value(seconds), uint64(longestTimeout/time.Second))) * time.Second
}
