package storetest

import (
	"context"
	"fmt"
	"testing"

	"dogwatch/internal/store"

	"github.com/google/go-cmp/cmp"
)

var listTests = map[string]func(t *testing.T, w *world){
	"filters":       testFilters,
	"choices":       testChoices,
	"scopes":        testScopes,
	"order":         testOrder,
	"many names":    testManyNames,
	"walk by id":    testWalk,
	"image page":    testPage,
	"odd wildcards": testWildcards,
	"in a transaction": func(t *testing.T, w *world) {
		w.fleet(t)
		must(t, w.Tx(w.ctx, func(ctx context.Context, db *store.DB, _ store.Enqueue) error {
			list, total, err := db.Images(ctx, store.ImageQuery{AccountID: w.mine.account, Limit: 2})
			if len(list) != 2 || total != 4 {
				t.Errorf("%d of %d images, want 2 of 4", len(list), total)
			}
			return err
		}))
	},
}

// fleet stores the images that the tables below choose from.
func (w *world) fleet(t *testing.T) {
	t.Helper()
	quay := tenant{w.mine.account, w.registry(t, w.mine.account, "Edge", "quay")}
	w.image(t, w.mine, "web", "1.0", assessed, func(i *store.Image) {
		i.Authorized, i.IsLatest = true, true
		i.CriticalCnt, i.VirusCnt, i.ScanStatus = 0, 0, store.Scanned
	})
	w.image(t, w.mine, "web", "0.9", func(i *store.Image) { i.Authorized, i.Containers = true, 2 })
	w.image(t, w.mine, "api", "1.0", func(i *store.Image) {
		i.Namespace, i.OSName, i.IsLatest, i.Trusted = "core", "Alpine 3.20", true, true
		i.ScanStatus, i.VirusCnt, i.CriticalCnt = store.ScanErr, 1, 3
	})
	w.image(t, quay, "job_100%", "1.0", func(i *store.Image) { i.Authorized, i.IsLatest, i.Address = true, true, "quay.io/team/job" })
	w.image(t, w.theirs, "web", "1.0", func(i *store.Image) { i.Authorized, i.IsLatest = true, true })
}

// names lists what a query finds, as name:tag in the order found.
func (w *world) names(t *testing.T, q store.ImageQuery) []string {
	t.Helper()
	q.AccountID = w.mine.account
	list, total, err := w.Images(w.ctx, q)
	must(t, err)
	if n, err := w.CountImages(w.ctx, q); n != total || err != nil {
		t.Errorf("CountImages %d, Images counts %d (%v)", n, total, err)
	}
	got := []string{}
	for _, i := range list {
		got = append(got, i.Name+":"+i.Tag)
	}
	return got
}

func testFilters(t *testing.T, w *world) {
	w.fleet(t)
	all := []string{"job_100%:1.0", "api:1.0", "web:0.9", "web:1.0"}
	for _, c := range []struct {
		name    string
		filters []store.Filter
		want    []string
	}{
		{"none", nil, all},
		{"unknown name", one("Colour", "red"), all},
		{"no values", one("ImageName"), all},
		{"licensed: all", one("IsAuthorized", "all"), all},
		{"licensed: 1", one("IsAuthorized", "1"), []string{"job_100%:1.0", "web:0.9", "web:1.0"}},
		{"licensed: 0", one("IsAuthorized", "0"), []string{"api:1.0"}},
		{"licensed: both", one("IsAuthorized", "0", "1"), all},
		{"licensed: other", one("IsAuthorized", "maybe"), []string{}},
		{"registry name contains", one("InstanceName", "edg"), []string{"job_100%:1.0"}},
		{"registry name exact", exact("InstanceName", "edge"), []string{}},
		{"instance id", one("InstanceId", "id-Edge"), []string{"job_100%:1.0"}},
		{"instance id is exact", one("InstanceId", "id-"), []string{}},
		{"registry type", one("RegistryType", "quay", "aws"), []string{"job_100%:1.0"}},
		{"registry type is exact", one("RegistryType", "qua"), []string{}},
		{"registry type in any case", one("RegistryType", "QUAY"), []string{"job_100%:1.0"}},
		{"registry region", one("RegistryRegion", "region-harbor"), []string{"api:1.0", "web:0.9", "web:1.0"}},
		{"namespace", one("Namespace", "cor"), []string{"api:1.0"}},
		{"image name", one("ImageName", "WEB"), []string{"web:0.9", "web:1.0"}},
		{"image name exact", exact("ImageName", "WEB"), []string{}},
		{"image name, two values", one("ImageName", "web", "api"), []string{"api:1.0", "web:0.9", "web:1.0"}},
		{"percent is itself", one("ImageName", "%"), []string{"job_100%:1.0"}},
		{"underscore is itself", one("ImageName", "b_1"), []string{"job_100%:1.0"}},
		{"tag", one("ImageTag", ".9"), []string{"web:0.9"}},
		{"digest", one("ImageDigest", digest("web0.9")), []string{"web:0.9"}},
		{"digest is exact", one("ImageDigest", "sha256:"), []string{}},
		{"image id", one("ImageId", digest("config web0.9")), []string{"web:0.9"}},
		{"address", one("ImageRepoAddress", "QUAY.io"), []string{"job_100%:1.0"}},
		{"os", one("OsName", "alpine"), []string{"api:1.0"}},
		{"state", one("ScanStatus", "NOT_SCAN"), []string{"job_100%:1.0", "web:0.9"}},
		{"state in the other spelling", one("ScanStatus", "notScan", "scanErr"), []string{"job_100%:1.0", "api:1.0", "web:0.9"}},
		{"scanned", one("ScanStatus", "scanned"), []string{"web:1.0"}},
		{"scanning", one("ScanStatus", "scanning"), []string{}},
		{"state unknown", one("ScanStatus", "SCAN"), []string{}},
		{"vulnerable", one("SecurityRisk", "VulCnt"), []string{"web:1.0"}},
		{"vulnerable in any case", one("SecurityRisk", "vulcnt"), []string{"web:1.0"}},
		{"malware", one("SecurityRisk", "VirusCnt"), []string{"api:1.0"}},
		{"risks", one("SecurityRisk", "RiskCnt"), []string{"web:1.0"}},
		{"trusted", one("SecurityRisk", "IsTrustImage"), []string{"api:1.0"}},
		{"critical or high", one("SecurityRisk", "CriticalLevelVul", "HighLevelVul"), []string{"api:1.0", "web:1.0"}},
		{"medium", one("SecurityRisk", "MediumLevelVul"), []string{"web:1.0"}},
		{"low", one("SecurityRisk", "LowLevelVul"), []string{"web:1.0"}},
		{"risk unknown", one("SecurityRisk", "Other"), []string{}},
		{"newest only", one("OnlyShowLatest", "1"), []string{"job_100%:1.0", "api:1.0", "web:1.0"}},
		{"newest or not", one("OnlyShowLatest", "0"), all},
		{"ids that are no numbers", one("ImageAssetIds", "x"), []string{}},
		{"two filters", append(one("ImageName", "web"), one("ImageTag", "1")...), []string{"web:1.0"}},
		{"same name twice means both", append(one("ImageName", "w"), one("ImageName", "api")...), []string{}},
		{"NUL", one("ImageName", "\x00"), []string{}},
		{"no UTF-8", one("ImageName", "\xff"), []string{}},
		{"quotes", one("ImageName", `' OR 1=1 --`), []string{}},
		{"question mark", one("ImageName", `?`), []string{}},
	} {
		if diff := cmp.Diff(c.want, w.names(t, store.ImageQuery{Filters: c.filters})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func testChoices(t *testing.T, w *world) {
	w.fleet(t)
	ids := w.ids(t)
	web := store.ImageName{InstanceName: "mine-registry", Namespace: "team", ImageName: "web", ImageTag: "1.0"}
	wrong := func(edit func(*store.ImageName)) []store.ImageName { n := web; edit(&n); return []store.ImageName{n} }
	for _, c := range []struct {
		name  string
		query store.ImageQuery
		want  []string
	}{
		{"ids", store.ImageQuery{IDs: []int64{ids["web:1.0"], 999}}, []string{"web:1.0"}},
		{"ids, empty", store.ImageQuery{IDs: []int64{}}, []string{}},
		{"names", store.ImageQuery{Names: []store.ImageName{web}}, []string{"web:1.0"}},
		{"names, empty", store.ImageQuery{Names: []store.ImageName{}}, []string{}},
		{"ids or names", store.ImageQuery{IDs: []int64{ids["api:1.0"]}, Names: []store.ImageName{web}}, []string{"api:1.0", "web:1.0"}},
		{"other registry", store.ImageQuery{Names: wrong(func(n *store.ImageName) { n.InstanceName = "Edge" })}, []string{}},
		{"other tag", store.ImageQuery{Names: wrong(func(n *store.ImageName) { n.ImageTag = "2" })}, []string{}},
		{"right digest", store.ImageQuery{Names: wrong(func(n *store.ImageName) { n.ImageDigest = digest("web1.0") })}, []string{"web:1.0"}},
		{"other digest", store.ImageQuery{Names: wrong(func(n *store.ImageName) { n.ImageDigest = "x" })}, []string{}},
		{"other type", store.ImageQuery{Names: wrong(func(n *store.ImageName) { n.RegistryType = "aws" })}, []string{}},
		{"other address", store.ImageQuery{Names: wrong(func(n *store.ImageName) { n.RepoAddress = "x" })}, []string{}},
		{"other instance", store.ImageQuery{Names: wrong(func(n *store.ImageName) { n.InstanceID = "x" })}, []string{}},
		{"image ids", store.ImageQuery{ImageIDs: []string{digest("config api1.0")}}, []string{"api:1.0"}},
		{"image ids, empty", store.ImageQuery{ImageIDs: []string{}}, []string{}},
		{"excluded", store.ImageQuery{ExcludeIDs: []int64{ids["web:1.0"], ids["api:1.0"]}}, []string{"job_100%:1.0", "web:0.9"}},
		{"none excluded", store.ImageQuery{IDs: []int64{ids["web:1.0"]}, ExcludeIDs: []int64{}}, []string{"web:1.0"}},
		{"registry", store.ImageQuery{RegistryID: w.mine.registry, Latest: true}, []string{"api:1.0", "web:1.0"}},
		{"running", store.ImageQuery{Running: true}, []string{"web:0.9"}},
	} {
		if diff := cmp.Diff(c.want, w.names(t, c.query)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// ids are the ids of my images by name:tag.
func (w *world) ids(t *testing.T) map[string]int64 {
	t.Helper()
	list, _, err := w.Images(w.ctx, store.ImageQuery{AccountID: w.mine.account})
	must(t, err)
	ids := map[string]int64{}
	for _, i := range list {
		ids[i.Name+":"+i.Tag] = i.ID
	}
	return ids
}

func testScopes(t *testing.T, w *world) {
	w.fleet(t)
	ids := w.ids(t)
	licensed := []string{"job_100%:1.0", "web:0.9", "web:1.0"}
	web := store.ImageName{InstanceName: "mine-registry", Namespace: "team", ImageName: "web", ImageTag: "1.0"}
	for _, c := range []struct {
		name  string
		scope store.Scope
		want  []string
	}{
		{"all", store.Scope{}, licensed},
		{"all ignores a choice", store.Scope{IDs: []int64{1}, Names: []store.ImageName{web}}, licensed},
		{"all of a type", store.Scope{RegistryTypes: []string{"quay"}}, []string{"job_100%:1.0"}},
		{"all of a namespace", store.Scope{Namespaces: []string{"core"}}, []string{}},
		{"all newest", store.Scope{Latest: true}, []string{"job_100%:1.0", "web:1.0"}},
		{"all running", store.Scope{ContainerRunning: true}, []string{"web:0.9"}},
		{"all but", store.Scope{ExcludeIDs: []int64{ids["web:0.9"]}}, []string{"job_100%:1.0", "web:1.0"}},
		{"all by filter", store.Scope{Filters: one("ImageTag", "0.9")}, []string{"web:0.9"}},
		{"selected", store.Scope{Kind: 1, IDs: []int64{ids["web:0.9"], ids["api:1.0"]}, Names: []store.ImageName{web}}, []string{"web:0.9", "web:1.0"}},
		{"selected ignores conditions", store.Scope{Kind: 1, IDs: []int64{ids["web:0.9"]}, Latest: true, RegistryTypes: []string{"aws"}}, []string{"web:0.9"}},
		{"selected but", store.Scope{Kind: 1, IDs: []int64{ids["web:0.9"]}, ExcludeIDs: []int64{ids["web:0.9"]}}, []string{}},
		{"nothing selected", store.Scope{Kind: 1}, []string{}},
		{"recommended", store.Scope{Kind: 2}, []string{"job_100%:1.0", "web:0.9", "web:1.0"}},
		{"recommended but", store.Scope{Kind: 2, ExcludeIDs: []int64{ids["web:1.0"]}}, []string{"job_100%:1.0", "web:0.9"}},
		{"recommended, narrowed", store.Scope{Kind: 2, Namespaces: []string{"team"}, RegistryTypes: []string{"harbor"}}, []string{"web:0.9", "web:1.0"}},
		{"recommended, newest", store.Scope{Kind: 2, Latest: true}, []string{"job_100%:1.0", "web:1.0"}},
	} {
		if diff := cmp.Diff(c.want, w.names(t, store.ScopeQuery(w.mine.account, c.scope))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
	w.image(t, w.mine, "web", "0.8", func(i *store.Image) { i.Authorized = true })
	if diff := cmp.Diff(licensed, w.names(t, store.ScopeQuery(w.mine.account, store.Scope{Kind: 2}))); diff != "" {
		t.Errorf("recommended takes an old image that nothing runs (-want +got):\n%s", diff)
	}
}

func testOrder(t *testing.T, w *world) {
	for n, edit := range []func(*store.Image){
		func(i *store.Image) { i.ScannedAt, i.VirusCnt, i.CreatedAt = 3, 1, 30 },
		func(i *store.Image) { i.ScannedAt, i.SensitiveCnt, i.CreatedAt = 1, 5, 10 },
		func(i *store.Image) { i.ScannedAt, i.Containers, i.CreatedAt = 3, 4, 20 },
	} {
		w.image(t, w.mine, fmt.Sprint(n), "t", edit)
	}
	for _, c := range []struct {
		name  string
		query store.ImageQuery
		want  []string
	}{
		{"newest by id", store.ImageQuery{}, []string{"2:t", "1:t", "0:t"}},
		{"oldest by id", store.ImageQuery{Ascending: true}, []string{"0:t", "1:t", "2:t"}},
		{"unknown key", store.ImageQuery{By: "Colour", Desc: true}, []string{"2:t", "1:t", "0:t"}},
		{"scan time up", store.ImageQuery{By: "ScanTime"}, []string{"1:t", "0:t", "2:t"}},
		{"scan time down", store.ImageQuery{By: "ScanTime", Desc: true}, []string{"2:t", "0:t", "1:t"}},
		{"scan time down, filtered", store.ImageQuery{By: "ScanTime", Desc: true, Filters: one("ImageTag", "t")}, []string{"2:t", "0:t", "1:t"}},
		{"malware down", store.ImageQuery{By: "VirusCount", Desc: true}, []string{"0:t", "2:t", "1:t"}},
		{"sensitive down", store.ImageQuery{By: "SensitiveCount", Desc: true}, []string{"1:t", "2:t", "0:t"}},
		{"created up", store.ImageQuery{By: "ImageCreateTime"}, []string{"1:t", "2:t", "0:t"}},
		{"containers down", store.ImageQuery{By: "ContainerCount", Desc: true}, []string{"2:t", "1:t", "0:t"}},
		{"page", store.ImageQuery{By: "ScanTime", Desc: true, Limit: 1, Offset: 1}, []string{"0:t"}},
		{"past the end", store.ImageQuery{Limit: 5, Offset: 3}, []string{}},
		{"offset alone", store.ImageQuery{Offset: 2}, []string{"0:t"}},
	} {
		if diff := cmp.Diff(c.want, w.names(t, c.query)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func testManyNames(t *testing.T, w *world) {
	w.fleet(t)
	names := []store.ImageName{}
	for n := range 3000 {
		names = append(names, store.ImageName{InstanceName: "mine-registry", Namespace: "team", ImageName: fmt.Sprint(n), ImageTag: "1"})
	}
	names = append(names, store.ImageName{InstanceName: "mine-registry", Namespace: "team", ImageName: "web", ImageTag: "0.9"})
	if diff := cmp.Diff([]string{"web:0.9"}, w.names(t, store.ImageQuery{Names: names})); diff != "" {
		t.Errorf("3001 names (-want +got):\n%s", diff)
	}
	values := make([]string, 3000)
	for n := range values {
		values[n] = fmt.Sprint("none", n)
	}
	values = append(values, "api")
	if diff := cmp.Diff([]string{"api:1.0"}, w.names(t, store.ImageQuery{Filters: one("ImageName", values...)})); diff != "" {
		t.Errorf("3001 values (-want +got):\n%s", diff)
	}
}

func testWalk(t *testing.T, w *world) {
	for n := range 7 {
		w.image(t, w.mine, fmt.Sprint(n), "t")
		w.image(t, w.theirs, fmt.Sprint(n), "t")
	}
	var seen []string
	for cursor := int64(0); ; {
		list, err := w.ImagesPage(w.ctx, store.ImageQuery{AccountID: w.mine.account, AfterID: cursor, Ascending: true, Limit: 3})
		must(t, err)
		if len(list) == 0 {
			break
		}
		for _, i := range list {
			seen, cursor = append(seen, i.Name), i.ID
		}
	}
	if diff := cmp.Diff([]string{"0", "1", "2", "3", "4", "5", "6"}, seen); diff != "" {
		t.Errorf("walk (-want +got):\n%s", diff)
	}
}

func testPage(t *testing.T, w *world) {
	w.fleet(t)
	list, total, err := w.Images(w.ctx, store.ImageQuery{AccountID: w.mine.account, Limit: 1, Offset: 1})
	must(t, err)
	if total != 4 || len(list) != 1 || list[0].Name != "api" || list[0].RegistryName != "mine-registry" {
		t.Errorf("total %d, page %+v", total, list)
	}
}

func testWildcards(t *testing.T, w *world) {
	for _, name := range []string{`a\b`, `a%b`, `a_b`, `axb`, `a\%b`, `a'b`} {
		w.image(t, w.mine, name, "t")
	}
	for value, want := range map[string][]string{
		`\`:    {`a\%b:t`, `a\b:t`},
		`%`:    {`a\%b:t`, `a%b:t`},
		`\%`:   {`a\%b:t`},
		`a_b`:  {`a_b:t`},
		`'`:    {`a'b:t`},
		`A`:    {`a'b:t`, `a\%b:t`, `axb:t`, `a_b:t`, `a%b:t`, `a\b:t`},
		`\\`:   {},
		`%%`:   {},
		`a\_b`: {},
	} {
		if diff := cmp.Diff(want, w.names(t, store.ImageQuery{Filters: one("ImageName", value)})); diff != "" {
			t.Errorf("contains %q (-want +got):\n%s", value, diff)
		}
	}
}
