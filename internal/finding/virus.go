package finding

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"

	"dogwatch/internal/facts"
	"dogwatch/internal/inventory"
	"dogwatch/internal/store"
)

// CategoryPackage is the category of a package that advisories report as malware.
const CategoryPackage = "malicious-package"

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
	if subject.judgement != nil && !subject.image.VirusAt.IsZero() {
		for _, v := range subject.judgement.viruses() {
			v.LastSeen = subject.image.VirusAt
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

// viruses are the malicious files of a judgement and the packages that the
// advisories report as malware.
func (j *judgement) viruses() []Virus {
	var rows []Virus
	add := func(m facts.Malware, layer int) {
		m.Level = shown(m.Level)
		rows = append(rows, Virus{
			Malware:   m,
			FileName:  path.Base(m.Path),
			Layer:     j.inventory.Layers[layer],
			FirstSeen: j.inspected[layer],
		})
	}
	for _, m := range j.inventory.Malware {
		add(m.Malware, m.Layer)
	}
	if j.verdict == nil {
		return rows
	}
	for _, f := range j.verdict.Malicious {
		for _, c := range f.Components {
			add(facts.Malware{
				Path:     c.Path,
				Name:     fmt.Sprintf("%s (%s %s)", f.ID, c.Name, c.Version),
				Engine:   "advisories",
				Category: CategoryPackage,
				Level:    Critical,
				FileType: "UNKNOWN",
			}, c.Layer)
		}
	}
	return rows
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
