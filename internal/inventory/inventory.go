package inventory

import "dogwatch/internal/facts"

// LayerRef names one layer of an image. A list of them, base first, is what
// store.Content keeps in its Layers column.
type LayerRef struct {
	Digest    string `json:"digest"`               // of the compressed blob, "sha256:..."
	MediaType string `json:"media_type,omitempty"` // as the manifest states it
	DiffID    string `json:"diff_id,omitempty"`    // of the expanded archive, "sha256:..."
	Size      int64  `json:"size"`                 // compressed bytes
	Command   string `json:"command,omitempty"`    // masked instruction that made it, "" unknown
}

// Layer is a layer with what is known of its content; Facts is nil for a layer
// that was never inspected.
type Layer struct {
	Ref   LayerRef
	Facts *facts.Layer
}

// Inventory is what is visible in an image, and which layer brought it. Every
// list is in a fixed order, so equal images give equal inventories.
type Inventory struct {
	OS       *facts.OSRelease // the distribution, nil if no os-release is visible
	Packages []Package
	Secrets  []Secret
	Malware  []Malware
	Hashes   []FileHash
	Gaps     []Gap // empty: every layer was examined whole
	Layers   []LayerRef
}

// Package is a visible package.
type Package struct {
	facts.Package
	Kind  string // kind of the package file, facts.KindDpkg and so on
	File  string // path of the package file in the image
	Layer int    // index of the layer that brought it, 0 is the base
}

// System tells whether a package manager of the operating system installed it.
func (p *Package) System() bool { return (&facts.PackageFile{Kind: p.Kind}).System() }

// Secret is a visible credential.
type Secret struct {
	facts.Secret
	Layer int
}

// Malware is a visible malicious file.
type Malware struct {
	facts.Malware
	Layer int
}

// FileHash is a visible file whose content hash is kept.
type FileHash struct {
	facts.FileHash
	Layer int
}

// Gap is a part of the image that was not examined.
type Gap struct {
	facts.Gap
	Layer int
}

// Complete tells whether the whole image was examined.
func (v *Inventory) Complete() bool { return len(v.Gaps) == 0 }
