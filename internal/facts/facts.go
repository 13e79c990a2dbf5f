// Package facts holds the vocabulary of inspection: what examining one layer
// yields, and nothing else. The types cross every boundary of the system (from
// the inspector to the store, from the store to the inventory), so they carry
// no behaviour beyond encoding and import nothing of ours.
//
// Words:
//
//   - facts: what inspecting one layer yields. Immutable, keyed by (layer
//     digest, inspector revision).
//   - gap: a part of a layer that could not be examined, with the reason. Facts
//     with a gap are incomplete; they never read as clean.
//   - package file: one file of the layer that names packages, a package
//     database or a single manifest, with the packages it names.
package facts

import "time"

// Layer is what one pass over one layer found. All paths are slash-separated,
// cleaned, relative to the image root and without a leading slash.
type Layer struct {
	Revision        string `json:"revision"` // inspector revision that produced the facts
	Digest          string `json:"digest"`   // digest of the compressed blob, "sha256:..."
	DiffID          string `json:"diff_id"`  // digest of the expanded archive, "sha256:..."
	CompressedBytes int64  `json:"compressed_bytes"`
	ExpandedBytes   int64  `json:"expanded_bytes"`
	Entries         int    `json:"entries"` // archive entries walked

	Gaps []Gap `json:"gaps,omitempty"` // empty: the layer was examined whole

	OS       *OSRelease    `json:"os,omitempty"` // os-release of this layer, if it has one
	Packages []PackageFile `json:"packages,omitempty"`
	Secrets  []Secret      `json:"secrets,omitempty"`
	Malware  []Malware     `json:"malware,omitempty"`
	Risks    []FileRisk    `json:"risks,omitempty"`
	Hashes   []FileHash    `json:"hashes,omitempty"` // executables, scripts, archives, and files of a size that a signature names

	Whiteouts []string `json:"whiteouts,omitempty"` // paths deleted by ".wh.NAME"
	Opaques   []string `json:"opaques,omitempty"`   // directories emptied by ".wh..wh..opq"
	Symlinks  []Link   `json:"symlinks,omitempty"`  // symbolic links that may stand for a directory of the root (at most 3 components deep)
	Hardlinks []Link   `json:"hardlinks,omitempty"` // hard links whose target carries facts

	// Dirs and NonDirs are the sorted 64-bit path hashes (see PathHash) of every
	// entry, directories apart from everything else: what this layer overwrites.
	Dirs    []uint64 `json:"dirs,omitempty"`
	NonDirs []uint64 `json:"non_dirs,omitempty"`
}

// Complete tells whether the whole layer was examined.
func (l *Layer) Complete() bool { return len(l.Gaps) == 0 }

// Gap is a part of a layer that was not examined.
type Gap struct {
	Code   string `json:"code"`   // short code, such as "TooManyEntries", "FileTooLarge", "BrokenDatabase"
	Path   string `json:"path"`   // where, empty for the layer as a whole
	Reason string `json:"reason"` // a sentence for people
	Parts  string `json:"parts"`  // parts of the scan it touches, comma-separated: "CVE", "VIRUS", "RISK"
}

// OSRelease is the part of os-release(5) that names a distribution.
type OSRelease struct {
	ID         string `json:"id"` // lower case, "debian"
	IDLike     string `json:"id_like,omitempty"`
	VersionID  string `json:"version_id,omitempty"`
	Codename   string `json:"codename,omitempty"`
	PrettyName string `json:"pretty_name,omitempty"`
	CPEName    string `json:"cpe_name,omitempty"`
	Path       string `json:"path"`
}

// Kind of a package file.
const (
	KindDpkg    = "dpkg"     // the dpkg status database: the topmost file wins whole
	KindDpkgD   = "dpkg.d"   // one file of status.d (distroless): one package
	KindAPK     = "apk"      // apk installed database
	KindRPM     = "rpm"      // RPM database, any format
	KindNPM     = "npm"      // package.json
	KindNPMLock = "npm-lock" // package-lock.json
	KindPython  = "python"   // METADATA, PKG-INFO, egg-info
	KindGo      = "go"       // Go executable
	KindJava    = "java"     // jar, war, ear
)

// PackageFile is one file that names packages.
type PackageFile struct {
	Path     string    `json:"path"`
	Kind     string    `json:"kind"`
	Packages []Package `json:"packages"`
}

// System tells whether the file is the database of an operating system package manager.
func (f *PackageFile) System() bool {
	switch f.Kind {
	case KindDpkg, KindDpkgD, KindAPK, KindRPM:
		return true
	}
	return false
}

// Package is one package as its file names it. For operating system packages
// Ecosystem is empty: the distribution is known only when the layers are laid
// over each other (the database and os-release may lie in different layers).
type Package struct {
	Ecosystem     string `json:"ecosystem,omitempty"` // OSV name for language packages: "npm", "PyPI", "Go", "Maven"
	Name          string `json:"name"`                // binary package name, module path, "group:artifact"
	Version       string `json:"version"`             // with epoch and release, in the form the ecosystem compares
	Arch          string `json:"arch,omitempty"`
	SourceName    string `json:"source_name,omitempty"`    // source package (dpkg, apk origin, rpm source)
	SourceVersion string `json:"source_version,omitempty"` // its version where it differs
	Module        string `json:"module,omitempty"`         // RPM modularity label
	License       string `json:"license,omitempty"`
	Path          string `json:"path,omitempty"` // inner path, e.g. of a jar in a jar
}

// Secret is a credential found in a file. The value is never kept in clear.
type Secret struct {
	Rule   string `json:"rule"`  // rule id, "private-key"
	Title  string `json:"title"` // "private key"
	Path   string `json:"path"`
	Line   int    `json:"line"`   // from 1
	Masked string `json:"masked"` // the match with its value masked
	Level  int    `json:"level"`  // 1 low to 4 critical

	// Fingerprint is a keyed digest of the value, hex: equal values of one
	// installation have equal fingerprints, and nothing else can be told from it.
	Fingerprint string `json:"fingerprint,omitempty"`
	Encoding    string `json:"encoding,omitempty"` // how the value was wrapped: "base64"; empty: in clear
}

// FileRisk is a risky property of a file or directory: its mode, its presence,
// one of its settings. Level, text and advice follow from the rule.
type FileRisk struct {
	Rule   string `json:"rule"` // rule id, "setuid-file"
	Path   string `json:"path"`
	Line   int    `json:"line,omitempty"`   // from 1; 0: the file as a whole
	Detail string `json:"detail,omitempty"` // what was seen, values masked: "mode 4755, owner 0"
}

// Malware is a malicious file, as an engine that read its content says. What
// hash lists say is not kept: it follows from the hashes when it is asked for.
type Malware struct {
	Path     string `json:"path"`
	Name     string `json:"name"`     // name of the malware
	Engine   string `json:"engine"`   // which engine and rule set said so
	Category string `json:"category"` // class of malware
	Level    int    `json:"level"`    // 1 low to 4 critical
	MD5      string `json:"md5"`
	SHA256   string `json:"sha256"`
	Size     int64  `json:"size"`
	FileType string `json:"file_type"`      // "ELF", "SCRIPT", "ZIP", "TXT", ..., "UNKNOWN"
	Desc     string `json:"desc,omitempty"` // what the rule says of itself
}

// FileHash names the content of a file worth finding again.
type FileHash struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`        // 64 hex digits
	MD5    string `json:"md5,omitempty"` // 32 hex digits
	Size   int64  `json:"size"`
	Type   string `json:"type,omitempty"` // as Malware.FileType
}

// Link is a symbolic or hard link.
type Link struct {
	Path   string `json:"path"`
	Target string `json:"target"` // cleaned and relative to the image root
}

// Risk is a risky setting of an image configuration or of its build history.
type Risk struct {
	Rule        string    `json:"rule"`     // "root-user", "credential-in-env", "credential-in-history"
	Behavior    int       `json:"behavior"` // 1 privilege, 2 network, 3 credentials, 4 other
	Level       int       `json:"level"`
	Desc        string    `json:"desc"`
	Instruction string    `json:"instruction"` // the offending instruction, value masked
	At          time.Time `json:"at"`          // when it was executed, zero if unknown
}
