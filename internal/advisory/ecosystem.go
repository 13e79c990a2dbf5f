package advisory

import (
	"regexp"
	"strings"
)

var (
	redHatProduct = regexp.MustCompile(`^Red Hat:enterprise_linux:(\d+)(?:\.\d+)?(?::.*)?$`)
	pypiRun       = regexp.MustCompile(`[-_.]+`)
)

// NormalEcosystem brings an OSV ecosystem into the form the index is keyed by:
// "Ubuntu:22.04:LTS" is "Ubuntu:22.04" (but "Ubuntu:Pro:..." stays apart), the
// repositories of a Red Hat Enterprise Linux release are one "Red Hat:8".
// Everything else, extended support products included, stays as it is.
func NormalEcosystem(ecosystem string) string {
	ecosystem = strings.TrimSpace(ecosystem)
	switch base, _, _ := strings.Cut(ecosystem, ":"); base {
	case "Ubuntu":
		return strings.TrimSuffix(ecosystem, ":LTS")
	case "Red Hat":
		if m := redHatProduct.FindStringSubmatch(ecosystem); m != nil {
			return "Red Hat:" + m[1]
		}
	}
	return ecosystem
}

// NormalName brings a package name into the form its ecosystem compares.
func NormalName(ecosystem, name string) string {
	base, _, _ := strings.Cut(ecosystem, ":")
	switch base {
	case "PyPI":
		return strings.ToLower(pypiRun.ReplaceAllString(name, "-"))
	case "NuGet", "Packagist", "Hex", "Pub":
		return strings.ToLower(name)
	}
	return name
}

// ModuleStreams returns the RPM module streams an advisory is for, such as
// "nodejs:16", as its summary names them. Only advisories whose packages were
// built in a module have any.
func ModuleStreams(r *Record, p *Package) []string {
	if !builtInModule(p) {
		return nil
	}
	return moduleStream.FindAllString(r.Summary, -1)
}

var moduleStream = regexp.MustCompile(`\b[a-zA-Z][\w.+-]*:[\w.+-]*\w`)

func builtInModule(p *Package) bool {
	for _, r := range p.Ranges {
		for _, e := range r.Events {
			if strings.Contains(e.Fixed, ".module") {
				return true
			}
		}
	}
	return false
}
