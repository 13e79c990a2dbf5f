package pkgs

import (
	"bytes"
	"strings"

	"dogwatch/internal/facts"
)

// stanzas walks a file of paragraphs separated by empty lines, each line a
// name, a separator and a value. Lines that begin with a blank continue the
// one before and are skipped: no field we read is folded. It counts lines
// that are neither.
func stanzas(data []byte, each func(fields map[string]string)) (bad int) {
	fields := map[string]string{}
	for len(data) > 0 {
		line, rest, _ := bytes.Cut(data, []byte{'\n'})
		data = rest
		switch {
		case len(bytes.TrimSpace(line)) == 0:
			if len(fields) > 0 {
				each(fields)
				clear(fields)
			}
		case line[0] == ' ' || line[0] == '\t':
		default:
			name, value, ok := bytes.Cut(line, []byte{':'})
			if !ok || len(name) == 0 || len(name) > 64 {
				bad++
				continue
			}
			if len(value) > maxField {
				value = nil
			}
			if wantedFields[string(name)] {
				fields[string(name)] = string(bytes.TrimSpace(value))
			}
		}
	}
	if len(fields) > 0 {
		each(fields)
	}
	return bad
}

// maxField bounds a value: longer ones are no names or versions.
const maxField = 1024

// wantedFields are the fields of dpkg and apk databases that are read.
var wantedFields = map[string]bool{
	"Package": true, "Status": true, "Version": true, "Architecture": true, "Source": true,
	"P": true, "V": true, "A": true, "o": true, "L": true,
}

// parseDpkg reads a dpkg status database. In one with status only installed
// packages count; the files of status.d have none.
func parseDpkg(data []byte, withStatus bool) ([]facts.Package, error) {
	var found []facts.Package
	nameless := 0
	bad := stanzas(data, func(f map[string]string) {
		if withStatus && !installedStatus(f["Status"]) {
			return
		}
		if f["Package"] == "" || f["Version"] == "" {
			nameless++
			return
		}
		p := facts.Package{Name: f["Package"], Version: f["Version"], Arch: f["Architecture"]}
		p.SourceName, p.SourceVersion = dpkgSource(f["Source"], p.Name, p.Version)
		found = append(found, p)
	})
	if bad > 0 || nameless > 0 {
		return found, broken("%d lines without a field, %d paragraphs without name or version", bad, nameless)
	}
	if len(found) == 0 && withStatus && len(bytes.TrimSpace(data)) > 0 && !bytes.Contains(data, []byte("Status:")) {
		return nil, broken("no paragraph of a dpkg status database in it")
	}
	return found, nil
}

// installedStatus tells whether the third word of a Status field is "installed".
func installedStatus(status string) bool {
	words := strings.Fields(status)
	return len(words) == 3 && words[2] == "installed"
}

// dpkgSource reads a Source field: "name", "name (version)" or nothing, which
// means that the source has the name and version of the package.
func dpkgSource(field, name, version string) (string, string) {
	if field == "" {
		return name, version
	}
	source, rest, ok := strings.Cut(field, " ")
	if !ok {
		return source, version
	}
	rest = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(rest), "("), ")")
	if rest == "" {
		return source, version
	}
	return source, rest
}

// parseAPK reads the installed database of apk.
func parseAPK(data []byte) ([]facts.Package, error) {
	var found []facts.Package
	nameless := 0
	bad := stanzas(data, func(f map[string]string) {
		if f["P"] == "" || f["V"] == "" {
			nameless++
			return
		}
		p := facts.Package{Name: f["P"], Version: f["V"], Arch: f["A"], License: f["L"], SourceName: f["o"]}
		if p.SourceName == "" {
			p.SourceName = p.Name
		}
		found = append(found, p)
	})
	if bad > 0 || nameless > 0 {
		return found, broken("%d lines without a field, %d paragraphs without name or version", bad, nameless)
	}
	return found, nil
}
