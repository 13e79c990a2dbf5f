package tcss

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"dogwatch/internal/cloudapi"
	"dogwatch/internal/finding"
)

type vulListAnswer struct {
	List       []ImageVul `json:"List" doc:"rows of the page"`
	TotalCount uint64     `json:"TotalCount" doc:"rows that match"`
}

// ImageVul is one vulnerability of an image.
type ImageVul struct {
	CVEID            string              `json:"CVEID" doc:"CVE identifier, or another where there is none"`
	POCID            string              `json:"POCID" doc:"key of the vulnerability between lists"`
	Name             string              `json:"Name" doc:"title"`
	Components       []ComponentsInfo    `json:"Components" doc:"affected packages"`
	Category         string              `json:"Category" doc:"class of weakness, OTHER if unknown"`
	CategoryType     string              `json:"CategoryType" doc:"SYSTEM or WEB"`
	Level            string              `json:"Level" doc:"4 critical, 3 high, 2 medium, 1 low or unknown"`
	Des              string              `json:"Des" doc:"description"`
	OfficialSolution string              `json:"OfficialSolution" doc:"how to fix it"`
	Reference        string              `json:"Reference" doc:"links, a JSON array as text"`
	DefenseSolution  string              `json:"DefenseSolution" doc:"how to live with it"`
	SubmitTime       string              `json:"SubmitTime" doc:"when it was published, empty if unknown"`
	CvssScore        string              `json:"CvssScore" doc:"CVSS base score, 0.0 if unknown"`
	CvssVector       string              `json:"CvssVector" doc:"CVSS vector"`
	IsSuggest        string              `json:"IsSuggest" doc:"true for a critical or high one with a fix, else false"`
	FixedVersions    string              `json:"FixedVersions" doc:"version that fixes it, empty if there is none"`
	Tag              []string            `json:"Tag" doc:"CanBeFixed, NETWORK, SYS, APP"`
	Component        string              `json:"Component" doc:"first affected package"`
	Version          string              `json:"Version" doc:"its version"`
	AttackLevel      *int64              `json:"AttackLevel" api:"nullable" doc:"how much it is attacked; null: not known here"`
	LayerInfos       []ImageVulLayerInfo `json:"LayerInfos" api:"nullable" doc:"layers that brought the packages"`
}

// ComponentsInfo is a package affected by a vulnerability.
type ComponentsInfo struct {
	Component    string `json:"Component" api:"disabled" doc:"the same as Name"`
	Version      string `json:"Version" doc:"installed version"`
	FixedVersion string `json:"FixedVersion" doc:"version that fixes it, empty if there is none"`
	Path         string `json:"Path" doc:"file that names the package"`
	Type         string `json:"Type" doc:"SYSTEM or WEB"`
	Name         string `json:"Name" doc:"name"`
}

// ImageVulLayerInfo is a layer that brought an affected package.
type ImageVulLayerInfo struct {
	LayerId  *string `json:"LayerId" api:"nullable" doc:"digest of the layer"`
	LayerCmd *string `json:"LayerCmd" api:"nullable" doc:"instruction that made the layer, values masked"`
}

func (a *actions) listVulnerabilities(ctx context.Context, caller cloudapi.Caller, req *findingsRequest) (*vulListAnswer, error) {
	rows, total, err := findings(ctx, a, caller, req, req.query(), a.Findings.Vulnerabilities, a.vulnerability)
	return &vulListAnswer{List: rows, TotalCount: total}, err
}

func (a *actions) vulnerability(v *finding.Vulnerability) ImageVul {
	row := ImageVul{
		CVEID: v.ID, POCID: v.PocID, Name: v.Title, Category: v.Category, CategoryType: v.CategoryType(),
		Level: finding.LevelText(v.Level), Des: v.Description, OfficialSolution: officialSolution(v),
		Reference: references(v.References), SubmitTime: a.plainTime(v.Published),
		CvssScore: strconv.FormatFloat(v.CVSSScore, 'f', 1, 64), CvssVector: v.CVSSVector,
		IsSuggest: strconv.FormatBool(v.Suggest), FixedVersions: v.FixedVersion, Tag: v.Tags,
		Component: v.Package, Version: v.Version,
	}
	for _, c := range v.Components {
		row.Components = append(row.Components, ComponentsInfo{
			Component: c.Name, Name: c.Name, Version: c.Version, FixedVersion: c.FixedVersion,
			Path: rooted(c.Path), Type: finding.CategoryType(c.System),
		})
	}
	for i := range v.Layers {
		row.LayerInfos = append(row.LayerInfos, ImageVulLayerInfo{LayerId: &v.Layers[i].Digest, LayerCmd: &v.Layers[i].Command})
	}
	return row
}

func officialSolution(v *finding.Vulnerability) string {
	if v.FixedVersion == "" {
		return "No fixed version is known. Follow the links for news."
	}
	return fmt.Sprintf("Upgrade %s to %s or later and build the image again.", v.Package, v.FixedVersion)
}

// references writes links the way the API does: a JSON array inside a string.
func references(links []string) string {
	text, err := json.Marshal(orEmpty(links))
	if err != nil {
		return "[]" // not reached: strings can always be written
	}
	return string(text)
}

// rooted is a path of the image with its leading slash.
func rooted(path string) string {
	if path == "" {
		return ""
	}
	return "/" + path
}
