package finding

import (
	"cmp"
	"context"
	"path"
	"slices"

	"dogwatch/internal/facts"
	"dogwatch/internal/inventory"
	"dogwatch/internal/store"
)

// Virus is one malicious file of one image.
type Virus struct {
	facts.Malware
	FileName  string
	Layer     inventory.LayerRef // layer that brought it
	FirstSeen store.Moment       // when its layer was inspected
	LastSeen  store.Moment       // last scan of the image for malware
}

// Viruses lists the malicious files of one image. Filters: RiskLevel and Level,
// Name (of the file or of the malware), Path. Order: level, then path.
func (s *Service) Viruses(ctx context.Context, accountID, imageID int64, q Query) (Page[Virus], error) {
	subject, err := s.subject(ctx, accountID, imageID)
	if err != nil {
		return Page[Virus]{}, err
	}
	rows := []Virus{}
	if j := subject.judgement; j != nil && !subject.image.VirusAt.IsZero() {
		for _, m := range j.inventory.Malware {
			v := Virus{
				Malware:   m.Malware,
				FileName:  path.Base(m.Path),
				Layer:     j.inventory.Layers[m.Layer],
				FirstSeen: j.inspected[m.Layer],
				LastSeen:  subject.image.VirusAt,
			}
			v.Malware.Level = shown(m.Malware.Level)
			if passes(q.Filters, v.test) {
				rows = append(rows, v)
			}
		}
	}
	slices.SortStableFunc(rows, func(a, b Virus) int {
		return cmp.Or(cmp.Compare(b.Level, a.Level), cmp.Compare(a.Path, b.Path))
	})
	return cut(rows, q), nil
}

func (v *Virus) test(name, want string, exact bool) (hit, ok bool) {
	switch name {
	case "RiskLevel", "Level":
		return isLevel(v.Level, want), true
	case "Name":
		return contains(v.Malware.Name, want, exact) || contains(v.FileName, want, exact), true
	case "VirusName":
		return contains(v.Malware.Name, want, exact), true
	case "FileName":
		return contains(v.FileName, want, exact), true
	case "Path":
		return contains(v.Path, want, exact), true
	}
	return false, false
}
