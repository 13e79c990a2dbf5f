package tcss

import (
	"math"
	"strings"

	"dogwatch/internal/store"
)

// defaultLimit is the size of a page when the request does not say.
const defaultLimit = 10

// paging is the part of a request that asks for a page.
type paging struct {
	Limit  *uint64 `json:"Limit" api:"max=100" doc:"rows of the page, 10 if absent; 0 asks for the total only"`
	Offset *uint64 `json:"Offset" doc:"rows to leave out at the beginning"`
}

// page is limit and offset as the rooms below take them.
func (p paging) page() (limit, offset int) {
	limit = defaultLimit
	if p.Limit != nil {
		limit = int(min(*p.Limit, 100))
	}
	return limit, int(min(value(p.Offset), math.MaxInt32))
}

// ordering is the part of a request that asks for an order.
type ordering struct {
	By    *string `json:"By" doc:"what to sort by; unknown names are ignored"`
	Order *string `json:"Order" api:"enum=asc|desc|+|-,fold" doc:"direction, desc if absent"`
}

// order is sort key and direction.
func (o ordering) order() (by string, desc bool) {
	direction := value(o.Order)
	return value(o.By), direction != "asc" && direction != "+"
}

// AssetFilters is one condition of a list. Conditions combine with AND, the
// values of one with OR.
type AssetFilters struct {
	Name       string   `json:"Name" api:"required" doc:"what is compared"`
	Values     []string `json:"Values" api:"required,maxitems=1000" doc:"wanted values; all as the only one means no condition"`
	ExactMatch *bool    `json:"ExactMatch" doc:"true: the whole text, else a part of it; identifiers and enumerations always match whole"`
}

// filters are the conditions that filter anything.
func filters(given []AssetFilters) []store.Filter {
	var out []store.Filter
	for _, f := range given {
		if len(f.Values) == 0 || len(f.Values) == 1 && strings.EqualFold(f.Values[0], "all") {
			continue
		}
		out = append(out, store.Filter{Name: f.Name, Values: f.Values, Exact: value(f.ExactMatch)})
	}
	return out
}

// ImageInfo names an image. Of its fields the first four have to match; the
// others have to where they are given.
type ImageInfo struct {
	InstanceName     string  `json:"InstanceName" api:"required" doc:"name of the registry"`
	Namespace        string  `json:"Namespace" api:"required" doc:"namespace or project in the registry"`
	ImageName        string  `json:"ImageName" api:"required" doc:"repository name inside the namespace"`
	ImageTag         string  `json:"ImageTag" api:"required" doc:"tag"`
	Force            string  `json:"Force" api:"required" doc:"true or 1: scan again even if nothing has changed; any other text: no"`
	ImageDigest      *string `json:"ImageDigest" doc:"digest of the manifest"`
	RegistryType     *string `json:"RegistryType" doc:"type of the registry"`
	ImageRepoAddress *string `json:"ImageRepoAddress" doc:"address of the repository, without tag"`
	InstanceId       *string `json:"InstanceId" doc:"id of the registry instance"`
}

// complete is the info with no field absent, as an answer needs it.
func (i ImageInfo) complete() ImageInfo {
	for _, field := range []**string{&i.ImageDigest, &i.RegistryType, &i.ImageRepoAddress, &i.InstanceId} {
		if *field == nil {
			*field = new(string)
		}
	}
	return i
}

// name is the info as the store looks it up.
func (i ImageInfo) name() store.ImageName {
	return store.ImageName{
		InstanceName: i.InstanceName,
		Namespace:    i.Namespace,
		ImageName:    i.ImageName,
		ImageTag:     i.ImageTag,
		Force:        isForced(i.Force),
		ImageDigest:  value(i.ImageDigest),
		RegistryType: value(i.RegistryType),
		RepoAddress:  value(i.ImageRepoAddress),
		InstanceID:   value(i.InstanceId),
	}
}

// isForced reads the field Force, which is text (reference C4).
func isForced(s string) bool { return strings.EqualFold(s, "true") || s == "1" }

func names(infos []ImageInfo) []store.ImageName {
	out := make([]store.ImageName, len(infos))
	for i, info := range infos {
		out[i] = info.name()
	}
	return out
}

// rowIDs are the ids that a row can have, without repetition. Any larger number
// cannot be an id and is left out; ok tells whether there was none such.
func rowIDs(ids []uint64) (rows []int64, ok bool) {
	rows, ok = make([]int64, 0, len(ids)), true
	seen := make(map[uint64]bool, len(ids))
	for _, id := range ids {
		switch {
		case id > math.MaxInt64:
			ok = false
		case !seen[id]:
			seen[id] = true
			rows = append(rows, int64(id))
		}
	}
	return rows, ok
}

// value is what p points to, or the zero value.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// count is a stored number as the API writes counts.
func count(n int64) uint64 { return uint64(max(n, 0)) }

// flag is a yes or no that the API writes as 1 or 0.
func flag(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// orEmpty is the list, [] instead of null.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
