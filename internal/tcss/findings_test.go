package tcss_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	vulList   = "DescribeAssetImageRegistryVulList"
	virusList = "DescribeAssetImageRegistryVirusList"
	riskList  = "DescribeAssetImageRegistryRiskInfoList"
)

// withFindings is a rig whose image 1 was assessed; image 2 was never scanned.
func withFindings(t *testing.T) *rig {
	r := newRig(t)
	r.importAdvisories()
	reg := r.registry(r.own, "prod")
	r.assessed(r.image(reg, "cart", "1"))
	r.image(reg, "cart", "2")
	return r
}

func TestVulnerabilities(t *testing.T) {
	r := withFindings(t)
	all := r.call(reader, vulList, `{"Id": 1}`)
	rows := all["List"].([]any)
	if len(rows) == 0 {
		t.Fatal("lodash 4.17.10 has no vulnerability")
	}
	var row object
	for _, candidate := range rows {
		if candidate.(object)["CVEID"] == "CVE-2021-23337" {
			row = candidate.(object)
		}
	}
	want := object{
		"CVEID": "CVE-2021-23337", "POCID": "dogwatch-cve-2021-23337", "Name": "lodash: code injection through template",
		"Components": []any{object{"Component": "lodash", "Name": "lodash", "Version": "4.17.10", "FixedVersion": "4.17.21",
			"Path": "/app/node_modules/lodash/package.json", "Type": "WEB"}},
		"Category": "CODE_INJECTION", "CategoryType": "WEB", "Level": "3",
		"Des":              "An option of the template function is put into the generated code unchecked; who sets it runs code.",
		"OfficialSolution": "Upgrade lodash to 4.17.21 or later and build the image again.",
		"Reference":        `["https://nvd.nist.gov/vuln/detail/CVE-2021-23337","https://github.com/advisories/GHSA-35jh-r3h4-6jhm"]`,
		"DefenseSolution":  "", "SubmitTime": "2021-02-15 08:00:00", "CvssScore": "7.2",
		"CvssVector": "CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H", "IsSuggest": "true", "FixedVersions": "4.17.21",
		"Tag": []any{"CanBeFixed", "NETWORK", "APP"}, "Component": "lodash", "Version": "4.17.10", "AttackLevel": nil,
		"LayerInfos": []any{object{"LayerId": digest("layer"), "LayerCmd": "COPY . /app"}},
	}
	if diff := cmp.Diff(want, row); diff != "" {
		t.Error(diff)
	}
	byName := `{"ImageInfo": {"InstanceName":"prod","Namespace":"shop","ImageName":"cart","ImageTag":"1","Force":"false"}}`
	if diff := cmp.Diff(all["List"], r.call(reader, vulList, byName)["List"]); diff != "" {
		t.Errorf("by name: %s", diff)
	}
}

// Every filter narrows, and the parts of a partition add up to the whole.
func TestVulnerabilityFilters(t *testing.T) {
	r := withFindings(t)
	total := func(filters string) int64 {
		t.Helper()
		got := r.call(reader, vulList, `{"Id": 1, "Limit": 100, "Filters": `+filters+`}`)
		n, err := got["TotalCount"].(json.Number).Int64()
		r.must(err)
		if rows := len(got["List"].([]any)); int64(rows) != n {
			t.Errorf("%s: %d rows of %d", filters, rows, n)
		}
		return n
	}
	whole := total(`[]`)
	if sum := total(`[{"Name":"Level","Values":["1","2"]}]`) + total(`[{"Name":"Level","Values":["high","CRITICAL"]}]`); sum != whole {
		t.Errorf("levels add up to %d of %d", sum, whole)
	}
	for _, same := range []string{
		`[{"Name":"Level","Values":["all"]}]`, `[{"Name":"Tag","Values":["all"]}]`, `[{"Name":"Nonsense","Values":["x"]}]`,
		`[{"Name":"Tag","Values":["APP"]}]`,
	} {
		if n := total(same); n != whole {
			t.Errorf("%s: %d of %d", same, n, whole)
		}
	}
	if a, b := total(`[{"Name":"Level","Values":["MIDDLE"]}]`), total(`[{"Name":"RiskLevel","Values":["Medium"]}]`); a != b {
		t.Errorf("two spellings of medium: %d and %d", a, b)
	}
	for filter, want := range map[string]int64{
		`[{"Name":"Name","Values":["2021-23337"]}]`:                                                  1,
		`[{"Name":"Name","Values":["2021-23337"],"ExactMatch":true}]`:                                0,
		`[{"Name":"Name","Values":["cve-2021-23337"],"ExactMatch":true}]`:                            1,
		`[{"Name":"Name","Values":["2021-23337"]},{"Name":"Level","Values":["1"]}]`:                  0,
		`[{"Name":"Level","Values":["9"]}]`:                                                          0,
		`[{"Name":"Tag","Values":["SYS"]}]`:                                                          0,
		`[{"Name":"Name","Values":["2021-23337"]},{"Name":"Tag","Values":["CanBeFixed","NETWORK"]}]`: 1,
	} {
		if n := total(filter); n != want {
			t.Errorf("%s: %d, want %d", filter, n, want)
		}
	}
	page := r.call(reader, vulList, `{"Id": 1, "Limit": 1, "Offset": 1}`)
	if diff := cmp.Diff(r.call(reader, vulList, `{"Id": 1}`)["List"].([]any)[1:2], page["List"]); diff != "" {
		t.Errorf("second page: %s", diff)
	}
}

func TestViruses(t *testing.T) {
	r := withFindings(t)
	want := []any{object{"Path": "/tmp/eicar.com", "RiskLevel": "4", "Category": "test", "VirusName": "Eicar-Test-Signature", "Tags": []any{"builtin"},
		"Desc":     "Eicar-Test-Signature, named by builtin",
		"Solution": "Remove the file, look for how it came in, and build the image again from a trusted base.",
		"FileType": "TXT", "FileName": "eicar.com", "FileMd5": "44d88612fea8a8f36de82e1278abb02f", "FileSize": json.Number("68"),
		"FirstScanTime": "2026-03-02T19:59:00+08:00", "LatestScanTime": "2026-03-02T20:00:00+08:00"}}
	for params, want := range map[string]any{
		`{"Id": 1}`: want,
		`{"Id": 1, "Filters": [{"Name": "RiskLevel", "Values": ["4"]}]}`: want,
		`{"Id": 1, "Filters": [{"Name": "Level", "Values": ["LOW"]}]}`:   []any{},
		`{"Id": 1, "Filters": [{"Name": "Name", "Values": ["EICAR"]}]}`:  want,
		`{"Id": 1, "Filters": [{"Name": "Name", "Values": ["x86"]}]}`:    []any{},
	} {
		if diff := cmp.Diff(want, r.call(reader, virusList, params)["List"]); diff != "" {
			t.Errorf("%s: %s", params, diff)
		}
	}
}

func TestRisks(t *testing.T) {
	r := withFindings(t)
	root := object{"Behavior": json.Number("1"), "Type": json.Number("2"), "Level": "3", "Desc": "runs as root", "InstructionContent": "2026-03-02 20:00:00\nUSER root"}
	key := object{"Behavior": json.Number("3"), "Type": json.Number("1"), "Level": "4", "Desc": "private key in a file", "InstructionContent": "/home/rooted/.ssh/id:1\n----"}
	for params, want := range map[string]any{
		`{"Id": 1}`: []any{key, root},
		`{"Id": 1, "By": "Level", "Order": "asc"}`:                      []any{root, key},
		`{"Id": 1, "By": "Level", "Order": "+"}`:                        []any{root, key},
		`{"Id": 1, "By": "Level", "Order": "DESC"}`:                     []any{key, root},
		`{"Id": 1, "Filters": [{"Name": "Behavior", "Values": ["1"]}]}`: []any{root},
		`{"Id": 1, "Filters": [{"Name": "Type", "Values": ["1"]}]}`:     []any{key},
		`{"Id": 1, "Filters": [{"Name": "Level", "Values": ["3"]}]}`:    []any{root},
		`{"Id": 1, "Filters": [{"Name": "Name", "Values": ["ROOT"]}]}`:  []any{key, root},
	} {
		if diff := cmp.Diff(want, r.call(reader, riskList, params)["List"]); diff != "" {
			t.Errorf("%s: %s", params, diff)
		}
	}
	r.refuse(reader, riskList, `{"Id": 1, "Order": "sideways"}`, "InvalidParameterValue")
}

func TestFindingsOfWhichImage(t *testing.T) {
	r := withFindings(t)
	for _, action := range []string{vulList, virusList, riskList} {
		if got := r.call(reader, action, `{"Id": 2}`); got["TotalCount"] != json.Number("0") || len(got["List"].([]any)) != 0 {
			t.Errorf("%s of an image that was never scanned: %v", action, got)
		}
		r.refuse(reader, action, `{}`, "InvalidParameter")
		r.refuse(reader, action, `{"Id": 99}`, "ResourceNotFound")
		r.refuse(reader, action, `{"ImageInfo": {"InstanceName":"prod","Namespace":"shop","ImageName":"cart","ImageTag":"7","Force":""}}`, "ResourceNotFound")
		r.refuse(reader, action, `{"ImageInfo": {"InstanceName":"prod"}}`, "MissingParameter")
		r.refuse(reader, action, `{"Id": 1, "Limit": 101}`, "InvalidParameterValue")
	}
}
