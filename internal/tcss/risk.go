package tcss

import (
	"context"

	"dogwatch/internal/cloudapi"
	"dogwatch/internal/finding"
)

type riskListAnswer struct {
	List       []ImageRisk `json:"List" doc:"rows of the page"`
	TotalCount uint64      `json:"TotalCount" doc:"rows that match"`
}

// ImageRisk is sensitive data in a file, or a risky setting or instruction.
type ImageRisk struct {
	Behavior           uint64 `json:"Behavior" doc:"1 privilege, 2 network, 3 credentials, 4 other"`
	Type               uint64 `json:"Type" doc:"1 content of a file, 2 build instruction or setting"`
	Level              string `json:"Level" doc:"4 critical, 3 high, 2 medium, 1 low"`
	Desc               string `json:"Desc" doc:"what is wrong"`
	InstructionContent string `json:"InstructionContent" doc:"time and instruction, or path with line and text; values masked"`
}

func (a *actions) listRisks(ctx context.Context, caller cloudapi.Caller, req *riskListRequest) (*riskListAnswer, error) {
	query := req.query()
	query.By, query.Desc = req.order()
	rows, total, err := findings(ctx, a, caller, &req.findingsRequest, query, a.Findings.Risks, a.risk)
	return &riskListAnswer{List: rows, TotalCount: total}, err
}

func (a *actions) risk(r *finding.Risk) ImageRisk {
	content := r.Content
	if !r.At.IsZero() {
		content = a.plainTime(r.At) + "\n" + content
	}
	return ImageRisk{
		Behavior: count(int64(r.Behavior)), Type: count(int64(r.Type)), Level: finding.LevelText(r.Level),
		Desc: r.Desc, InstructionContent: content,
	}
}
