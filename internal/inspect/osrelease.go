package inspect

import (
	"strings"

	"dogwatch/internal/facts"
)

// Paths of os-release. The one in etc wins; it is usually a link to the other.
const (
	etcOSRelease = "etc/os-release"
	usrOSRelease = "usr/lib/os-release"
)

// maxOSRelease bounds the file; real ones have a few hundred bytes.
const maxOSRelease = 64 << 10

// osRelease reads os-release(5).
func osRelease(name string, data []byte) *facts.OSRelease {
	o := &facts.OSRelease{Path: name}
	for line := range strings.Lines(string(data)) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok {
			continue
		}
		value = unquote(value)
		switch key {
		case "ID":
			o.ID = strings.ToLower(value)
		case "ID_LIKE":
			o.IDLike = strings.ToLower(value)
		case "VERSION_ID":
			o.VersionID = value
		case "VERSION_CODENAME":
			o.Codename = value
		case "PRETTY_NAME":
			o.PrettyName = value
		case "CPE_NAME":
			o.CPEName = value
		}
	}
	return o
}

// unquote takes shell quotes and the escapes in them off.
func unquote(v string) string {
	v = strings.TrimSpace(v)
	if len(v) >= 2 && (v[0] == '"' || v[0] == '\'') && v[len(v)-1] == v[0] {
		quote := v[0]
		v = v[1 : len(v)-1]
		if quote == '"' {
			v = strings.NewReplacer(`\"`, `"`, `\$`, `$`, "\\`", "`", `\\`, `\`).Replace(v)
		}
	}
	return strings.ToValidUTF8(v, "\uFFFD")
}
