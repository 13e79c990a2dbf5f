package tcss

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"dogwatch/internal/cloudapi"
	"dogwatch/internal/store"
)

type syncRequest struct {
	All         *bool    `json:"All" doc:"all registries; wins over RegistryIds"`
	RegistryIds []uint64 `json:"RegistryIds" api:"maxitems=10000" doc:"registries to synchronise; absent or empty: all"`
}

type syncStatus struct {
	Status                string `json:"Status" doc:"doing while any registry is being read, else success or failed"`
	Err                   string `json:"Err" doc:"what failed, else empty"`
	LatestSyncSuccessTime string `json:"LatestSyncSuccessTime" doc:"last successful synchronisation of any registry, empty before the first"`
}

func (a *actions) registerSync(api *cloudapi.API) {
	listed := []string{codeInternal, codeInvalid, codeInvalidParsing, codeNotFound}
	cloudapi.Handle(api, cloudapi.Action{
		Name: "SyncAssetImageRegistryAsset", Role: cloudapi.RoleOperator, Errors: listed,
		Doc: "Starts reading repositories, tags and manifests of registries. A synchronisation that is under way is joined.",
	}, a.sync)
	cloudapi.Handle(api, cloudapi.Action{
		Name: "DescribeAssetImageRegistryAssetStatus", Errors: listed,
		Doc: "Shows the state of the synchronisation over all registries.",
	}, a.describeSync)
}

func (a *actions) sync(ctx context.Context, caller cloudapi.Caller, req *syncRequest) (*empty, error) {
	own, err := a.Store.RegistryIDs(ctx, caller.AccountID)
	if err != nil {
		return nil, fmt.Errorf("tcss: reading the registries of account %d: %w", caller.AccountID, err)
	}
	chosen := own
	if !value(req.All) && len(req.RegistryIds) > 0 {
		var ok bool
		if chosen, ok = rowIDs(req.RegistryIds); !ok {
			return nil, noRegistry(tooLarge(req.RegistryIds))
		}
		for _, id := range chosen {
			if !slices.Contains(own, id) {
				return nil, noRegistry(id)
			}
		}
	}
	if len(chosen) == 0 {
		return &empty{}, nil
	}
	if err := a.Scans.SyncNow(ctx, caller.AccountID, chosen); err != nil {
		return nil, fmt.Errorf("tcss: starting a synchronisation: %w", err)
	}
	return &empty{}, nil
}

func (a *actions) describeSync(ctx context.Context, caller cloudapi.Caller, _ *empty) (*syncStatus, error) {
	rows, _, err := a.Store.Registries(ctx, store.RegistryQuery{AccountID: caller.AccountID})
	if err != nil {
		return nil, fmt.Errorf("tcss: reading the registries of account %d: %w", caller.AccountID, err)
	}
	answer := &syncStatus{Status: store.SyncSuccess}
	var failures []string
	var latest store.Moment
	doing := false
	for _, row := range rows {
		latest = max(latest, row.SyncedAt)
		doing = doing || row.SyncStatus == store.SyncDoing
		if row.SyncStatus == store.SyncFailed {
			failures = append(failures, row.Name+": "+row.SyncReason)
		}
	}
	answer.LatestSyncSuccessTime = a.plain(latest)
	if len(failures) > 0 {
		answer.Status, answer.Err = store.SyncFailed, strings.Join(failures, "; ")
	}
	if doing {
		answer.Status = store.SyncDoing
	}
	return answer, nil
}
