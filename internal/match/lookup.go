package match

import (
	"regexp"
	"slices"
	"strings"

	"dogwatch/internal/facts"
	"dogwatch/internal/inventory"
)

// lookup is one question to the index.
type lookup struct {
	ecosystem string
	name      string
	version   string // what is compared
	module    string // RPM modularity label
	rpm       bool
}

// languageLookup is the question for a package of a language.
func languageLookup(p *inventory.Package) lookup {
	l := lookup{ecosystem: p.Ecosystem, name: p.Name, version: p.Version}
	if p.Ecosystem == "Go" {
		l.name, l.version = goPackage(p.Name, p.Version)
	}
	return l
}

// systemLookups are the questions for a package of the distribution.
func (d *distribution) systemLookups(p *inventory.Package) []lookup {
	source := lookup{name: p.SourceName, version: p.SourceVersion, module: p.Module}
	if source.name == "" {
		source.name = p.Name
	}
	if source.version == "" {
		source.version = p.Version
	}
	binary := lookup{name: p.Name, version: p.Version, module: p.Module}
	asked := []lookup{source}
	rpm := slices.Contains(d.kinds, facts.KindRPM)
	if rpm {
		asked[0].version = withEpoch(source.version, p.Version)
	}
	switch d.naming {
	case byBinary:
		asked = []lookup{binary}
	case byEither:
		if source.name != binary.name {
			asked = append(asked, binary)
		}
	}
	var list []lookup
	for _, eco := range d.ecosystems {
		for _, l := range asked {
			l.ecosystem, l.rpm = eco, rpm
			list = append(list, l)
		}
	}
	return list
}

// withEpoch gives an RPM source version the epoch of its binary: the file name
// of a source package does not have it.
func withEpoch(source, binary string) string {
	if strings.Contains(source, ":") {
		return source
	}
	if epoch, _, found := strings.Cut(binary, ":"); found {
		return epoch + ":" + source
	}
	return source
}

// goRelease is a Go toolchain version: go1.21, go1.21.5, go1.22rc1.
var goRelease = regexp.MustCompile(`^(\d+)\.(\d+)(?:\.(\d+))?(?:(rc|beta)(\d+))?`)

// goPackage brings the standard library and the toolchain into the form the Go
// advisories use: semantic versions without a prefix.
func goPackage(name, version string) (string, string) {
	if name == "go" || name == "std" {
		name = "stdlib"
	}
	if name != "stdlib" && name != "toolchain" {
		return name, strings.TrimPrefix(version, "v")
	}
	v := strings.TrimPrefix(strings.TrimPrefix(version, "go"), "v")
	m := goRelease.FindStringSubmatch(v)
	if m == nil || strings.Contains(v, "-rc.") || strings.Contains(v, "-beta.") {
		return name, v
	}
	if m[3] == "" {
		m[3] = "0"
	}
	out := m[1] + "." + m[2] + "." + m[3]
	if m[4] != "" {
		out += "-" + m[4] + "." + m[5]
	}
	return name, out
}

// moduleFits tells whether an RPM advisory is for the package's module stream.
// Packages of a module and others of the same name are different packages.
func moduleFits(l lookup, fixed string, streams []string) bool {
	if !l.rpm {
		return true
	}
	const mark = ".module"
	inModule := l.module != "" || strings.Contains(l.version, mark)
	if fixed != "" && inModule != strings.Contains(fixed, mark) {
		return false
	}
	if l.module == "" || len(streams) == 0 {
		return true
	}
	return slices.ContainsFunc(streams, func(s string) bool {
		return l.module == s || strings.HasPrefix(l.module, s+":")
	})
}
