package secret

import (
	"bytes"
	"path"
	"strings"
)

// sniffed is how much of a file's beginning decides whether it is binary.
const sniffed = 8000

// lockFiles hold thousands of hashes and no credentials.
var lockFiles = map[string]bool{
	"package-lock.json": true, "npm-shrinkwrap.json": true, "yarn.lock": true, "pnpm-lock.yaml": true, "composer.lock": true,
	"Cargo.lock": true, "poetry.lock": true, "Pipfile.lock": true, "go.sum": true, "Gemfile.lock": true, "uv.lock": true,
}

// foreign are directories of published software: what looks like a credential
// there is test data or documentation, and no secret of the image.
var foreign = [...]string{
	"usr/share/doc/", "usr/share/man/", "usr/share/info/", "usr/share/locale/", "usr/share/i18n/", "usr/share/zoneinfo/",
	"usr/share/perl", "usr/share/mime/", "usr/share/icons/", "usr/share/fonts/", "usr/include/", "usr/lib/python3", "usr/local/lib/python",
	"usr/local/go/", "usr/lib/go", "usr/share/vim/", "var/lib/dpkg/", "lib/apk/db/", "usr/lib/modules/", "proc/", "sys/",
}

// binaries are extensions of files without text.
var binaries = map[string]bool{
	".gz": true, ".xz": true, ".bz2": true, ".zst": true, ".zip": true, ".jar": true, ".war": true, ".so": true, ".a": true, ".o": true,
	".png": true, ".jpg": true, ".jpeg": true, ".gif": true, ".ico": true, ".woff": true, ".woff2": true, ".ttf": true, ".otf": true,
	".pyc": true, ".pyo": true, ".class": true, ".mo": true, ".wasm": true, ".map": true, ".mp3": true, ".mp4": true, ".svg": true,
	".css": true, ".po": true, ".h": true, ".hpp": true,
}

// SkipPath tells from its path alone that a file is not searched.
func SkipPath(name string) bool {
	base := name[strings.LastIndexByte(name, '/')+1:]
	if lockFiles[base] || binaries[path.Ext(base)] || strings.HasSuffix(base, ".min.js") || strings.HasSuffix(base, ".bundle.js") {
		return true
	}
	for _, dir := range foreign {
		if strings.HasPrefix(name, dir) {
			return true
		}
	}
	return thirdParty(name) && base != ".npmrc" && !strings.HasPrefix(base, ".env")
}

// thirdParty tells whether a path lies in a package that was installed from a
// package registry, or in test data.
func thirdParty(name string) bool {
	for _, dir := range [...]string{"node_modules/", "site-packages/", "dist-packages/", "testdata/", "/pkg/mod/", "/gems/", "test/fixtures/"} {
		if strings.Contains(name, dir) {
			return true
		}
	}
	return false
}

// Binary tells from its beginning that a file is no text.
func Binary(head []byte) bool {
	return bytes.IndexByte(head[:min(len(head), sniffed)], 0) >= 0
}
