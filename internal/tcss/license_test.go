package tcss_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dogwatch/internal/store"
)

const (
	license  = "ModifyImageAuthorized"
	licences = "DescribeImageAuthorizedInfo"
)

// choosing is a licence request for at most n registry images.
func choosing(t *testing.T, n int, more string) string {
	return with(t, fmt.Sprintf(`{"AllLocalImages":false,"AllRegistryImages":false,"UpdatedLocalImageCnt":0,"UpdatedRegistryImageCnt":%d,"ImageSourceType":"ASSETIMAGE"}`, n), more)
}

// withUnlicensed is a rig with the unlicensed images cart:1, cart:2 (newest of
// the same content) and shop:1 of the account, and one of a stranger.
func withUnlicensed(t *testing.T) *rig {
	r := newRig(t)
	reg := r.registry(r.own, "prod")
	for _, name := range [][2]string{{"cart", "1"}, {"cart", "2"}, {"shop", "1"}} {
		r.image(reg, name[0], name[1])
	}
	r.image(r.registry(r.other, "theirs"), "cart", "1")
	r.must(r.store.SetAuthorized(t.Context(), r.own, []int64{1, 2, 3}, false))
	r.must(r.store.SetAuthorized(t.Context(), r.other, []int64{4}, false))
	return r
}

// licensed are the licensed images of all accounts.
func (r *rig) licensed() []int64 {
	r.t.Helper()
	ids := []int64{}
	for _, account := range []int64{r.own, r.other} {
		yes := true
		rows, _, err := r.store.Images(r.t.Context(), store.ImageQuery{AccountID: account, Licensed: &yes, Ascending: true})
		r.must(err)
		for _, row := range rows {
			ids = append(ids, row.ID)
		}
	}
	return ids
}

func TestLicense(t *testing.T) {
	content := digest("configcart")
	for _, c := range []struct {
		n    int
		more string
		want []int64
	}{
		{0, `{"AllRegistryImages":true}`, []int64{}},
		{9, `{}`, []int64{}},
		{9, `{"AllRegistryImages":true,"RegistryImageIds":["99"]}`, []int64{1, 2, 3}},
		{2, `{"AllRegistryImages":true}`, []int64{1, 2}},
		{9, `{"AllRegistryImages":true,"ExcludeRegistryImageIds":["2","sha256:unknown"]}`, []int64{1, 3}},
		{9, `{"RegistryImageIds":["3"]}`, []int64{3}},
		{9, `{"RegistryImageIds":["` + content + `"]}`, []int64{1, 2}},
		{1, `{"RegistryImageIds":["` + content + `"]}`, []int64{1}},
		{9, `{"RegistryImageIds":["3"],"RegistryImageFilter":[]}`, []int64{3}},
		{9, `{"RegistryImageFilter":[{"Name":"ImageName","Values":["cart"]}]}`, []int64{1, 2}},
		{9, `{"RegistryImageFilter":[{"Name":"ImageName","Values":["cart"]}],"OnlyShowLatest":true}`, []int64{2}},
		{9, `{"RegistryImageFilter":[],"ExcludeRegistryImageIds":["` + content + `"]}`, []int64{3}},
		{9, `{"UpdatedLocalImageCnt":5,"AllLocalImages":true,"LocalImageIds":["sha256:x"],"RegistryImageIds":["1"]}`, []int64{1}},
	} {
		r := withUnlicensed(t)
		r.call(operator, license, choosing(t, c.n, c.more))
		if diff := cmp.Diff(c.want, r.licensed()); diff != "" {
			t.Errorf("at most %d, %s: %s", c.n, c.more, diff)
		}
	}
}

// Images that are licensed already do not use up the number asked for.
func TestLicenseCountsNewOnes(t *testing.T) {
	r := withUnlicensed(t)
	for _, want := range [][]int64{{1}, {1, 2}, {1, 2, 3}, {1, 2, 3}} {
		r.call(operator, license, choosing(t, 1, `{"AllRegistryImages":true}`))
		if diff := cmp.Diff(want, r.licensed()); diff != "" {
			t.Error(diff)
		}
	}
}

func TestLicenseCap(t *testing.T) {
	r := withUnlicensed(t)
	account, err := r.store.Account(t.Context(), r.own)
	r.must(err)
	account.LicenceCap = 2
	r.must(r.store.UpdateAccount(t.Context(), account))
	r.refuse(operator, license, choosing(t, 9, `{"AllRegistryImages":true}`), "FailedOperation.AuthorizedNotEnough")
	if got := r.licensed(); len(got) != 0 {
		t.Errorf("a refused request licensed %v", got)
	}
	r.call(operator, license, choosing(t, 2, `{"AllRegistryImages":true}`))
	r.refuse(operator, license, choosing(t, 1, `{"RegistryImageIds":["3"]}`), "FailedOperation.AuthorizedNotEnough")
	r.call(operator, license, choosing(t, 1, `{"RegistryImageIds":["2"]}`)) // licensed already
}

func TestLicenseBadRequests(t *testing.T) {
	r := withUnlicensed(t)
	for _, c := range []struct{ more, code string }{
		{`{"RegistryImageIds":["4"]}`, "ResourceNotFound"},
		{`{"RegistryImageIds":["1","99"]}`, "ResourceNotFound"},
		{`{"RegistryImageIds":["sha256:unknown"]}`, "ResourceNotFound"},
		{`{"RegistryImageIds":["cart"]}`, "InvalidParameterValue"},
		{`{"RegistryImageIds":[1]}`, "InvalidParameter"},
		{`{"ImageSourceType":"ELSEWHERE"}`, "InvalidParameterValue"},
		{`{"ImageSourceType":null}`, "MissingParameter"},
		{`{"AllLocalImages":null}`, "MissingParameter"},
		{`{"UpdatedRegistryImageCnt":-1}`, "InvalidParameterValue"},
		{`{"UpdatedRegistryImageCnt":null}`, "MissingParameter"},
	} {
		r.refuse(operator, license, choosing(t, 9, c.more), c.code)
	}
	r.refuse(reader, license, choosing(t, 0, `{}`), "AuthFailure.UnauthorizedOperation")
	if got := r.licensed(); len(got) != 0 {
		t.Errorf("bad requests licensed %v", got)
	}
}

func TestLicenceFigures(t *testing.T) {
	r := withUnlicensed(t)
	ctx := t.Context()
	r.must(r.store.SetAuthorized(ctx, r.own, []int64{1}, true))
	check := func(total, used string) {
		t.Helper()
		got := r.call(reader, licences, `{}`)
		item := got["ImageScanInquireInfo"].(object)
		for _, pair := range [][2]any{
			{got["TotalAuthorizedCnt"], total}, {got["PurchasedAuthorizedCnt"], total}, {item["Capcity"], total},
			{got["UsedAuthorizedCnt"], used}, {got["UsedPurchasedAuthorizedCnt"], used}, {item["Useage"], used},
			{got["ScannedImageCnt"], "1"}, {got["NotScannedImageCnt"], "2"}, {got["TrialAuthorizedCnt"], "0"},
		} {
			if pair[0] != json.Number(pair[1].(string)) {
				t.Errorf("%v, want %v in %v", pair[0], pair[1], got)
			}
		}
		// The account was made on 15 December: its month goes from the 15th to the 15th.
		if item["StartTime"] != "2026-02-15 00:00:00" || item["EndTime"] != "2026-03-15 00:00:00" || item["PurchaseStatus"] != "Normal" {
			t.Errorf("month: %v", item)
		}
	}
	check("2147483647", "0")
	account, err := r.store.Account(ctx, r.own)
	r.must(err)
	account.QuotaTenths = 3005
	r.must(r.store.UpdateAccount(ctx, account))
	for _, charged := range []int64{10, 1} {
		r.must(r.store.InsertItem(ctx, &store.Item{AccountID: r.own, RunID: charged, ImageID: charged, State: store.ItemDone, Charged: charged, QueuedAt: store.At(now)}))
	}
	r.must(r.store.InsertItem(ctx, &store.Item{AccountID: r.own, RunID: 5, ImageID: 5, State: store.ItemDone, Charged: 500, QueuedAt: store.At(now.AddDate(0, -1, 0))}))
	check("300", "2")
}
