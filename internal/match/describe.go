package match

import (
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"dogwatch/internal/advisory"
)

const (
	maxTitle      = 200 // runes
	maxReferences = 50
)

// describe fills in what the finding does not say yet from a record about it.
func (f *Finding) describe(r *advisory.Record) {
	if f.Description == "" {
		f.Description = strings.TrimSpace(r.Details)
	}
	if f.Title == "" {
		f.Title = title(r)
	}
	if f.Published.IsZero() || f.Published.Year() < 1990 {
		f.Published = r.Published
	}
	if f.Category == categoryOther && !updateAdvisory.MatchString(r.ID) {
		f.Category = categoryOf(cwesOf(r), r.Summary+" "+r.Details)
	}
	for _, ref := range r.References {
		if len(f.References) < maxReferences && webAddress(ref.URL) && !slices.Contains(f.References, ref.URL) {
			f.References = append(f.References, ref.URL)
		}
	}
}

// addAliases collects other names. The other CVEs of an update are not names
// of this one.
func (f *Finding) addAliases(r *advisory.Record) {
	names := []string{r.ID}
	if !updateAdvisory.MatchString(r.ID) && len(cvesOf(r)) <= 1 {
		names = slices.Concat(names, r.Aliases, r.Upstream)
	}
	for _, n := range names {
		if i, found := slices.BinarySearch(f.Aliases, n); !found && n != f.ID {
			f.Aliases = slices.Insert(f.Aliases, i, n)
		}
	}
}

// webAddress lets only links through that a browser may be given.
func webAddress(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// title is the summary of a record, or the first sentence of its text.
func title(r *advisory.Record) string {
	text := strings.Join(strings.Fields(r.Summary), " ")
	if text == "" {
		text = strings.Join(strings.Fields(r.Details), " ")
		if i := strings.Index(text, ". "); i >= 0 {
			text = text[:i+1]
		}
	}
	if utf8.RuneCountInString(text) <= maxTitle {
		return text
	}
	return string([]rune(text)[:maxTitle-3]) + "..."
}

// cwesOf lists the classes of weakness a record names.
func cwesOf(r *advisory.Record) []string {
	list := slices.Clone(r.Extra.CWEs)
	for i := range r.Packages {
		list = append(list, r.Packages[i].Database.CWEs...)
		list = append(list, r.Packages[i].Ecosystem.CWEs...)
	}
	return list
}
