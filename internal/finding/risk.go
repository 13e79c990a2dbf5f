package finding

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"dogwatch/internal/facts"
	"dogwatch/internal/inventory"
)

// Behaviour of a risk (reference E9).
const (
	BehaviorPrivilege   = 1
	BehaviorNetwork     = 2
	BehaviorCredentials = 3
	BehaviorOther       = 4
)

// Type of a risk (reference E9).
const (
	TypeContent     = 1 // content of a file
	TypeInstruction = 2 // build instruction or setting of the image
)

// Risk is sensitive data in a file, or a risky setting or instruction.
type Risk struct {
	Type     int
	Behavior int
	Level    int // 1 to 4
	Rule     string
	Desc     string
	Content  string    // the instruction, or "/path:line" and the masked text on the next line
	At       time.Time // when the instruction was executed, zero if unknown or no instruction
}

// Risks lists those of one image. Filters: Level, Behavior, Type, Name
// (description or content). By: Level; otherwise level falling, then as found.
func (s *Service) Risks(ctx context.Context, accountID, imageID int64, q Query) (Page[Risk], error) {
	subject, err := s.subject(ctx, accountID, imageID)
	if err != nil {
		return Page[Risk]{}, err
	}
	rows := []Risk{}
	if subject.judgement != nil && !subject.image.RiskAt.IsZero() {
		settings, err := risksOf(subject.content)
		if err != nil {
			return Page[Risk]{}, err
		}
		for _, r := range risks(subject.judgement.inventory, settings) {
			if passes(q.Filters, r.test) {
				rows = append(rows, r)
			}
		}
	}
	rising := q.By == "Level" && !q.Desc
	slices.SortStableFunc(rows, func(a, b Risk) int {
		if rising {
			a, b = b, a
		}
		return cmp.Compare(b.Level, a.Level)
	})
	return cut(rows, q), nil
}

// risks joins the risks of the configuration with the secrets in files.
func risks(inv *inventory.Inventory, settings []facts.Risk) []Risk {
	rows := make([]Risk, 0, len(settings)+len(inv.Secrets))
	for _, r := range settings {
		rows = append(rows, Risk{
			Type: TypeInstruction, Behavior: r.Behavior, Level: shown(r.Level),
			Rule: r.Rule, Desc: r.Desc, Content: r.Instruction, At: r.At,
		})
	}
	for _, s := range inv.Secrets {
		rows = append(rows, Risk{
			Type: TypeContent, Behavior: BehaviorCredentials, Level: shown(s.Level),
			Rule: s.Rule, Desc: s.Title + " in a file", Content: fmt.Sprintf("/%s:%d\n%s", s.Path, s.Line, s.Masked),
		})
	}
	return rows
}

func (r *Risk) test(name, want string, exact bool) (hit, ok bool) {
	switch name {
	case "Level", "RiskLevel":
		return isLevel(r.Level, want), true
	case "Behavior":
		return strconv.Itoa(r.Behavior) == want, true
	case "Type":
		return strconv.Itoa(r.Type) == want, true
	case "Name":
		return contains(r.Desc, want, exact) || contains(r.Content, want, exact), true
	}
	return false, false
}
