package inspect

import (
	"path"
	"strings"
)

// cleanPath makes a name of the archive a path relative to the image root:
// without a leading slash, "." or "..", which never lead out of the root. The
// root itself is "". Bytes that are no UTF-8 are replaced, so that the path and
// its hash stay the same wherever the facts are read.
func cleanPath(name string) string {
	if isClean(name) {
		return name
	}
	return strings.ToValidUTF8(path.Clean("/" + name)[1:], "\uFFFD")
}

// isClean tells whether a name needs no cleaning: plain ASCII, no empty
// component, none that begins with a dot after a slash.
func isClean(name string) bool {
	if name == "" || name[0] == '/' || name[0] == '.' || name[len(name)-1] == '/' {
		return false
	}
	for i := range len(name) {
		if name[i] >= 0x80 || name[i] == '/' && (name[i+1] == '/' || name[i+1] == '.') {
			return false
		}
	}
	return true
}

// linkTarget resolves the target of a symbolic link at name, relative to the root.
func linkTarget(name, target string) string {
	if !strings.HasPrefix(target, "/") {
		target = path.Dir("/"+name) + "/" + target
	}
	return cleanPath(target)
}

// depth counts the components of a path.
func depth(name string) int { return strings.Count(name, "/") + 1 }
