package tcss_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// walk is how one action is tried with what another account owns. Foreign and
// unknown are the same request with an id of the other account and with one that
// nobody has. An action without ids has no such pair; it is called by the
// stranger, who must not see anything of ours.
type walk struct{ foreign, unknown string }

// The ids of the other account on the rig: registry 1, image 1, task 1.
var walks = map[string]walk{
	update: {`{"ScanPeriod":1,"Enable":true,"ScanTime":"03:00","ScanScope":1,"Id":[1]}`,
		`{"ScanPeriod":1,"Enable":true,"ScanTime":"03:00","ScanScope":1,"Id":[99]}`},
	describe:                                {},
	"CheckRepeatAssetImageRegistry":         {`{"Name":"prod"}`, `{"Name":"nobody"}`},
	addRegistry:                             {},
	updateRegistry:                          {registryByID(1), registryByID(99)},
	showRegistry:                            {`{"RegistryId":1}`, `{"RegistryId":99}`},
	removeRegistry:                          {`{"RegistryId":1}`, `{"RegistryId":99}`},
	listRegistries:                          {`{"Filters":[{"Name":"RegistryId","Values":["1"]}]}`, `{"Filters":[{"Name":"RegistryId","Values":["99"]}]}`},
	"SyncAssetImageRegistryAsset":           {`{"RegistryIds":[1]}`, `{"RegistryIds":[99]}`},
	"DescribeAssetImageRegistryAssetStatus": {},
	listImages:                              {`{"Filters":[{"Name":"ImageAssetIds","Values":["1"]}]}`, `{"Filters":[{"Name":"ImageAssetIds","Values":["99"]}]}`},
	showImage:                               {`{"Id":1}`, `{"Id":99}`},
	create:                                  {`{"Id":[1]}`, `{"Id":[99]}`},
	createOneKey:                            {`{"ScanScope":1,"Id":[1]}`, `{"ScanScope":1,"Id":[99]}`},
	scanStatus:                              {`{"TaskID":1}`, `{"TaskID":99}`},
	stop:                                    {`{"TaskID":1}`, `{"TaskID":99}`},
	stopOneKey:                              {`{"Id":[1]}`, `{"Id":[99]}`},
	vulList:                                 {`{"Id":1}`, `{"Id":99}`},
	virusList:                               {`{"Id":1}`, `{"Id":99}`},
	riskList:                                {`{"Id":1}`, `{"Id":99}`},
	license:                                 {licensing("1"), licensing("99")},
	licences:                                {},
}

// more are further ways to reach for what belongs to another account.
var more = map[string][]walk{
	showImage:      {{fmt.Sprintf(`{"ImageId":%q}`, digest("configcart")), fmt.Sprintf(`{"ImageId":%q}`, digest("configno"))}},
	license:        {{licensing(digest("configcart")), licensing(digest("configno"))}},
	updateRegistry: {{strings.Replace(harbor, "prod", "prod", 1), strings.Replace(harbor, "prod", "nobody", 1)}},
	create:         {{`{"Images":[` + fmt.Sprintf(cart, "") + `]}`, `{"Images":[` + strings.Replace(fmt.Sprintf(cart, ""), "cart", "none", 1) + `]}`}},
	vulList:        {{`{"ImageInfo":` + fmt.Sprintf(cart, "") + `}`, `{"ImageInfo":` + strings.Replace(fmt.Sprintf(cart, ""), "cart", "none", 1) + `}`}},
	scanStatus: {{`{"Id":[1]}`, `{"Id":[99]}`},
		{`{"Images":[` + fmt.Sprintf(cart, "") + `]}`, `{"Images":[` + strings.Replace(fmt.Sprintf(cart, ""), "cart", "none", 1) + `]}`}},
	stop: {{`{"Id":[1]}`, `{"Id":[99]}`}},
}

func registryByID(id int) string {
	return strings.Replace(harbor, "{", fmt.Sprintf(`{"RegistryId":%d,`, id), 1)
}

func licensing(id string) string {
	return `{"AllLocalImages":false,"AllRegistryImages":false,"UpdatedLocalImageCnt":0,"UpdatedRegistryImageCnt":9,"ImageSourceType":"ASSETIMAGE","RegistryImageIds":["` + id + `"]}`
}

// Nothing of one account can be seen, changed or even noticed from another.
func TestAccountsAreIsolated(t *testing.T) {
	for _, model := range actionModels() {
		w, ok := walks[model.Name]
		if !ok {
			t.Errorf("%s has no walk; add one", model.Name)
			continue
		}
		t.Run(model.Name, func(t *testing.T) {
			r := withFindings(t)
			r.call(admin, create, `{"All":true}`)
			r.call(admin, update, `{"ScanPeriod":9,"Enable":true,"ScanTime":"03:00","ScanScope":1,"Id":[1]}`)
			before := r.everything()
			for _, w := range append([]walk{w}, more[model.Name]...) {
				r.tryWalk(model.Name, w)
			}
			if after := r.everything(); after != before {
				t.Errorf("the stranger changed something:\n%s\n%s", before, after)
			}
		})
	}
}

func (r *rig) tryWalk(action string, w walk) {
	r.t.Helper()
	if w.foreign == "" {
		answer, code := r.try(stranger, action, answers[action])
		if text := fmt.Sprint(answer); code != "" || strings.Contains(text, "prod") || strings.Contains(text, "cart") {
			r.t.Errorf("%s: %v, %s", action, text, code)
		}
		return
	}
	foreign, foreignCode := r.try(stranger, action, w.foreign)
	unknown, unknownCode := r.try(stranger, action, w.unknown)
	for _, answer := range []object{foreign, unknown} {
		delete(answer, "RequestId")
		delete(answer, "TaskID")
		delete(answer, "RegistryId")
	}
	if foreignCode != unknownCode || !reflect.DeepEqual(foreign, unknown) {
		r.t.Errorf("%s(%s): a foreign id answers %s %v, an unknown one %s %v", action, w.foreign, foreignCode, foreign, unknownCode, unknown)
	}
}

// everything is what the owner of the rig sees.
func (r *rig) everything() string {
	r.t.Helper()
	var b strings.Builder
	for _, read := range [][2]string{{describe, `{}`}, {showRegistry, `{"RegistryId":1}`}, {listRegistries, `{}`}, {listImages, `{}`},
		{scanStatus, `{"All":true}`}, {licences, `{}`}, {vulList, `{"Id":1}`}, {"DescribeAssetImageRegistryAssetStatus", `{}`}} {
		answer := r.call(admin, read[0], read[1])
		delete(answer, "RequestId")
		text, err := json.Marshal(answer)
		r.must(err)
		fmt.Fprintf(&b, "%s: %s\n", read[0], text)
	}
	for _, synced := range r.scans.synced {
		for _, id := range synced {
			if row, err := r.store.RegistryByID(r.t.Context(), id); err == nil && row.AccountID == r.own {
				fmt.Fprintf(&b, "synchronised %d\n", id)
			}
		}
	}
	return b.String()
}
