package tcss_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dogwatch/internal/cloudapi"
	"dogwatch/internal/tcss"
)

// actionModels are the declared models of all actions.
func actionModels() []cloudapi.ActionModel {
	api := cloudapi.NewAPI("tcss", "2020-11-01")
	tcss.Register(api, tcss.Rooms{})
	return api.Actions()
}

// answers are requests that succeed on the rig of TestAnswersAreComplete.
var answers = map[string]string{
	update:                                  documented,
	describe:                                `{}`,
	"CheckRepeatAssetImageRegistry":         `{"Name": "prod"}`,
	addRegistry:                             strings.Replace(harbor, "prod", "new", 1),
	updateRegistry:                          harbor,
	showRegistry:                            `{"RegistryId": 1}`,
	listRegistries:                          `{}`,
	"SyncAssetImageRegistryAsset":           `{}`,
	"DescribeAssetImageRegistryAssetStatus": `{}`,
	listImages:                              `{}`,
	showImage:                               `{"Id": 1}`,
	scanStatus:                              `{"All": true}`,
	create:                                  `{"All": true}`,
	createOneKey:                            `{}`,
	stop:                                    `{"All": true}`,
	stopOneKey:                              `{"All": true}`,
	vulList:                                 `{"Id": 1}`,
	virusList:                               `{"Id": 1}`,
	riskList:                                `{"Id": 1}`,
	license:                                 `{"AllLocalImages":false,"AllRegistryImages":true,"UpdatedLocalImageCnt":0,"UpdatedRegistryImageCnt":1,"ImageSourceType":"IMAGEALL"}`,
	licences:                                `{}`,
	removeRegistry:                          `{"RegistryId": 2}`,
}

// Every answer has every declared field, with its type; only nullable ones may be null.
func TestAnswersAreComplete(t *testing.T) {
	r := withFindings(t)
	r.registry(r.own, "second")
	models := actionModels()
	slices.SortFunc(models, func(a, b cloudapi.ActionModel) int { // what removes comes last
		return strings.Compare(strings.TrimPrefix(a.Name, "Remove"), strings.TrimPrefix(b.Name, "Remove"))
	})
	for _, model := range models {
		params, ok := answers[model.Name]
		if !ok {
			t.Errorf("%s has no request in this test", model.Name)
			continue
		}
		answer := r.call(admin, model.Name, params)
		if id, _ := answer["RequestId"].(string); id == "" {
			t.Errorf("%s: no RequestId", model.Name)
		}
		delete(answer, "RequestId")
		complete(t, model.Name, model.Output, answer)
	}
}

// complete compares an object of an answer with its declared members.
func complete(t *testing.T, at string, members []cloudapi.Member, answer object) {
	t.Helper()
	if len(answer) != len(members) {
		t.Errorf("%s has %d fields, %d are declared", at, len(answer), len(members))
	}
	for _, m := range members {
		value, there := answer[m.Name]
		if !there {
			t.Errorf("%s.%s is missing", at, m.Name)
			continue
		}
		if value == nil {
			if !m.Nullable {
				t.Errorf("%s.%s is null", at, m.Name)
			}
			continue
		}
		typed(t, at+"."+m.Name, m.Type, value)
	}
}

func typed(t *testing.T, at string, want cloudapi.Type, value any) {
	t.Helper()
	ok := false
	switch want.Type {
	case "string":
		_, ok = value.(string)
	case "bool":
		_, ok = value.(bool)
	case "list":
		var list []any
		if list, ok = value.([]any); ok && len(list) > 0 {
			typed(t, at+"[0]", *want.Element, list[0])
		}
	case "object":
		var inner object
		if inner, ok = value.(object); ok {
			complete(t, at, want.Members, inner)
		}
	case "uint64":
		n, isNumber := value.(json.Number)
		ok = isNumber && !strings.ContainsAny(n.String(), "-.eE")
	default:
		_, ok = value.(json.Number)
	}
	if !ok {
		t.Errorf("%s is %T, declared %s", at, value, want.Type)
	}
}

// published is the machine-readable model, reduced to what is compared.
type published struct {
	Objects map[string]struct {
		Members []publishedMember `json:"members"`
	} `json:"objects"`
}

type publishedMember struct {
	Name           string `json:"name"`
	Type           string `json:"type"`   // int, bool, string, list, object, float
	Member         string `json:"member"` // uint64, string, or the name of an object
	Required       bool   `json:"required"`
	Disabled       bool   `json:"disabled"`
	OutputRequired bool   `json:"output_required"`
}

// sharedFile reads a file of the data that is shared with the project.
func sharedFile(t *testing.T, path string) []byte {
	t.Helper()
	dir := os.Getenv("DOGWATCH_SHARED_DATA")
	if dir == "" {
		dir = "../../../shared/data"
	}
	text, err := os.ReadFile(filepath.Join(dir, "..", "reference", path))
	if err != nil {
		t.Skipf("the shared reference is not here: %v", err)
	}
	return text
}

// The declared models are the published ones, field for field.
func TestModelsAreThePublishedOnes(t *testing.T) {
	var want published
	if err := json.Unmarshal(sharedFile(t, "tcss-api.json"), &want); err != nil {
		t.Fatal(err)
	}
	for _, model := range actionModels() {
		want.compare(t, model.Name, model.Name+"Request", model.Input, true)
		want.compare(t, model.Name, model.Name+"Response", model.Output, false)
	}
}

func (p published) compare(t *testing.T, at, name string, declared []cloudapi.Member, input bool) {
	t.Helper()
	byName := map[string]cloudapi.Member{}
	for _, m := range declared {
		byName[m.Name] = m
	}
	for _, want := range p.Objects[name].Members {
		if want.Name == "RequestId" {
			continue
		}
		got, ok := byName[want.Name]
		if !ok {
			t.Errorf("%s: %s is not declared", at, want.Name)
			continue
		}
		delete(byName, want.Name)
		p.compareMember(t, at+"."+want.Name, want, got, input)
	}
	for extra := range byName {
		t.Errorf("%s: %s is not published", at, extra)
	}
}

func (p published) compareMember(t *testing.T, at string, want publishedMember, got cloudapi.Member, input bool) {
	t.Helper()
	if got.Disabled != want.Disabled {
		t.Errorf("%s: disabled %v, published %v", at, got.Disabled, want.Disabled)
	}
	if input && got.Required != want.Required {
		t.Errorf("%s: required %v, published %v", at, got.Required, want.Required)
	}
	if !input && want.OutputRequired && got.Nullable {
		t.Errorf("%s: nullable, published as always there", at)
	}
	if got.Doc == "" {
		t.Errorf("%s: not documented", at)
	}
	element := got.Type
	if want.Type == "list" {
		if got.Element == nil {
			t.Errorf("%s: %s, published as list", at, got.Type.Type)
			return
		}
		element = *got.Element
	}
	if members := p.Objects[want.Member].Members; len(members) > 0 {
		p.compare(t, at, want.Member, element.Members, input)
		return
	}
	if !strings.EqualFold(element.Type, want.Member) && !(want.Member == "datetime_iso" && element.Type == "string") {
		t.Errorf("%s: %s, published %s", at, element.Type, want.Member)
	}
}

// The example requests of the shared reference are accepted or refused for a
// reason of state, never of form.
func TestSharedExamplesAreUnderstood(t *testing.T) {
	var examples map[string]struct {
		Input json.RawMessage `json:"input"`
	}
	if err := json.Unmarshal(sharedFile(t, "tcss-examples.json"), &examples); err != nil {
		t.Fatal(err)
	}
	r := newRig(t)
	for _, model := range actionModels() {
		example, ok := examples[model.Name]
		if !ok {
			t.Errorf("%s has no example", model.Name)
			continue
		}
		if _, code := r.try(admin, model.Name, string(example.Input)); code != "" && code != "ResourceNotFound" {
			t.Errorf("%s(%s): %s", model.Name, example.Input, code)
		}
	}
}
