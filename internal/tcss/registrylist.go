package tcss

import (
	"context"
	"encoding/json"
	"fmt"

	"dogwatch/internal/cloudapi"
	"dogwatch/internal/store"
)

// backend is the tester that the server itself is.
const backend = "backend"

func (a *actions) describeRegistry(ctx context.Context, caller cloudapi.Caller, req *registryIDRequest) (*registryDetail, error) {
	row, err := a.ownRegistry(ctx, caller.AccountID, req.RegistryId)
	if err != nil {
		return nil, err
	}
	token, err := a.shownToken(caller, row)
	if err != nil {
		return nil, err
	}
	mode := count(row.SyncMode)
	return &registryDetail{
		Name: row.Name, Username: row.Username, Password: mask, Url: row.URL,
		RegistryType: row.Type, RegistryVersion: row.Version, NetType: row.NetType, RegistryRegion: row.Region,
		SpeedLimit: count(row.SpeedLimit), Insecure: flag(row.Insecure),
		ConnDetectDetail: connResults(row), InstanceID: &row.InstanceID, SyncMode: &mode, NeedScan: &row.NeedScan,
		WebhookUrl: &row.WebhookURL, WebhookToken: &token,
	}, nil
}

// shownToken is the webhook token, masked for callers who may not change anything.
func (a *actions) shownToken(caller cloudapi.Caller, row *store.Registry) (string, error) {
	switch {
	case len(row.SealedToken) == 0:
		return "", nil
	case caller.Role < cloudapi.RoleOperator:
		return mask, nil
	}
	token, err := a.Sealer.Open(row.SealedToken, row.TokenContext())
	if err != nil {
		return "", fmt.Errorf("tcss: opening the webhook token of registry %d: %w", row.ID, err)
	}
	return string(token), nil
}

func (a *actions) listRegistries(ctx context.Context, caller cloudapi.Caller, req *registryListRequest) (*registryListAnswer, error) {
	limit, offset := req.page()
	by, desc := req.order()
	rows, total, err := a.Store.Registries(ctx, store.RegistryQuery{
		AccountID: caller.AccountID, Filters: filters(req.Filters), By: by, Desc: desc, Limit: max(limit, 1), Offset: offset,
	})
	if err != nil {
		return nil, fmt.Errorf("tcss: listing registries: %w", err)
	}
	answer := &registryListAnswer{TotalCount: uint64(total)}
	for i := range rows[:min(limit, len(rows))] {
		answer.List = append(answer.List, a.registryInfo(&rows[i]))
	}
	return answer, nil
}

func (a *actions) registryInfo(row *store.Registry) ImageRepoRegistryInfo {
	tester, hosts, mode := backend, uint64(0), count(row.SyncMode)
	info := ImageRepoRegistryInfo{
		RegistryId: count(row.ID), Name: row.Name, RegistryType: row.Type, Url: row.URL,
		NetType: row.NetType, RegistryRegion: row.Region, RegistryVersion: row.Version,
		ConnectMsg: row.ConnReason, ConnDetectType: &tester, ConnDetectHostCount: &hosts,
		ConnDetectDetail: connResults(row), InstanceID: &row.InstanceID,
		SyncFailReason: &row.SyncReason, SyncSolution: &row.SyncSolution, SyncMessage: &row.SyncReason, SyncMode: &mode,
	}
	if !row.SyncedAt.IsZero() {
		at := a.plain(row.SyncedAt)
		info.LatestSyncTime = &at
	}
	if row.SyncStatus != "" {
		info.SyncStatus = &row.SyncStatus
	}
	return info
}

// host is a ConnDetectConfig as it is stored.
type host struct {
	Quuid string `json:"quuid"`
	Uuid  string `json:"uuid"`
}

// storedHosts keeps the hosts that are to test a connection.
func storedHosts(given []ConnDetectConfig) json.RawMessage {
	hosts := make([]host, len(given))
	for i, h := range given {
		hosts[i] = host{Quuid: value(h.Quuid), Uuid: value(h.Uuid)}
	}
	text, err := json.Marshal(hosts)
	if err != nil {
		return json.RawMessage("[]") // not reached: strings can always be written
	}
	return text
}

// connResults is the last connection test: the server's own, then one entry for
// each host that was asked to test and has no agent that could.
func connResults(row *store.Registry) []RegistryConnDetectResult {
	results := []RegistryConnDetectResult{{
		Quuid: backend, Uuid: backend,
		ConnDetectStatus: row.ConnStatus, ConnDetectMessage: row.ConnMessage,
		Solution: row.ConnSolution, FailReason: row.ConnReason,
	}}
	var hosts []host
	if err := json.Unmarshal(row.ConnHosts, &hosts); err != nil {
		return results // rows written before hosts were kept
	}
	for _, h := range hosts {
		if h.Quuid == backend || h.Uuid == backend {
			continue
		}
		results = append(results, RegistryConnDetectResult{
			Quuid: h.Quuid, Uuid: h.Uuid, ConnDetectStatus: "status_unknown", ConnDetectMessage: "AgentOffline",
			FailReason: "this server has no agents on hosts; it tested the connection itself",
		})
	}
	return results
}
