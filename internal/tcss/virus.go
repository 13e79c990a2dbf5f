package tcss

import (
	"context"
	"fmt"

	"dogwatch/internal/cloudapi"
	"dogwatch/internal/finding"
)

type virusListAnswer struct {
	List       []ImageVirus `json:"List" doc:"rows of the page"`
	TotalCount uint64       `json:"TotalCount" doc:"rows that match"`
}

// ImageVirus is one malicious file of an image.
type ImageVirus struct {
	Path           string   `json:"Path" doc:"path of the file"`
	RiskLevel      string   `json:"RiskLevel" doc:"4 critical, 3 high, 2 medium, 1 low"`
	Category       string   `json:"Category" doc:"class of malware"`
	VirusName      string   `json:"VirusName" doc:"name of the malware"`
	Tags           []string `json:"Tags" doc:"the engine that named it"`
	Desc           string   `json:"Desc" doc:"what was found and by which engine"`
	Solution       string   `json:"Solution" doc:"advice, for people"`
	FileType       string   `json:"FileType" doc:"type of the file, UNKNOWN if not known"`
	FileName       string   `json:"FileName" doc:"name of the file"`
	FileMd5        string   `json:"FileMd5" doc:"MD5 of the file, empty for packages"`
	FileSize       uint64   `json:"FileSize" doc:"size in bytes"`
	FirstScanTime  string   `json:"FirstScanTime" doc:"when its layer was inspected, ISO 8601 with offset"`
	LatestScanTime string   `json:"LatestScanTime" doc:"last malware scan of the image, ISO 8601 with offset"`
}

func (a *actions) listViruses(ctx context.Context, caller cloudapi.Caller, req *findingsRequest) (*virusListAnswer, error) {
	rows, total, err := findings(ctx, a, caller, req, req.query(), a.Findings.Viruses, a.virus)
	return &virusListAnswer{List: rows, TotalCount: total}, err
}

func (a *actions) virus(v *finding.Virus) ImageVirus {
	row := ImageVirus{
		Path: rooted(v.Path), RiskLevel: finding.LevelText(v.Level), Category: v.Category, VirusName: v.Name,
		Desc:     fmt.Sprintf("%s, named by %s", v.Name, v.Engine),
		Solution: "Remove the file, look for how it came in, and build the image again from a trusted base.",
		FileType: v.FileType, FileName: v.FileName, FileMd5: v.MD5, FileSize: count(v.Size),
		FirstScanTime: a.iso(v.FirstSeen), LatestScanTime: a.iso(v.LastSeen),
	}
	if v.Engine != "" {
		row.Tags = []string{v.Engine}
	}
	return row
}
