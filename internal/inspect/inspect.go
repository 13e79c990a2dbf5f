// Package inspect examines one image layer in one pass: it expands the
// compressed blob, walks the archive, hashes, hands each wanted file to the
// analyzers and emits facts. Nothing of the image is ever unpacked to disk.
//
// Words:
//
//   - layer: one compressed blob of an image, the unit of inspection.
//   - entry: one member of the layer's archive.
//   - analyzer: what looks at the content of a file: package extraction
//     (pkgs), malware (malware), credentials (secret). Image configurations,
//     which are no part of a layer, are judged by risk.
//   - budget: a limit on what a layer may cost (see Limits). Going over one
//     never fails the layer: it leaves a facts.Gap, and what was found counts.
//   - part: a part of a scan, "CVE", "VIRUS" or "RISK"; a gap names those it touches.
//
// The boundary is a plain reader in and facts out, so that the pass can run in
// another process without a change to its callers. This room and the analyzers
// below it import neither network, store nor credentials.
package inspect

import (
	"context"
	"fmt"
	"io"
	"strings"

	"dogwatch/internal/facts"
	"dogwatch/internal/inspect/malware"
	"dogwatch/internal/inspect/pkgs"
	"dogwatch/internal/inspect/secret"
)

// Revision is the version of the pass itself. Raise it when the same layer and
// the same analyzers may yield other facts.
const Revision = "1"

// Layer names the blob to inspect. Only MediaType and Digest matter to most
// callers; empty fields are not checked.
type Layer struct {
	Digest    string // digest of the compressed blob, "sha256:..."; compared at the end when given
	MediaType string // media type of the blob; empty: judged by content alone
	DiffID    string // digest of the expanded archive, "sha256:..."; compared at the end when given
	Size      int64  // size of the compressed blob; compared when above zero
}

// Inspector turns a layer into facts.
type Inspector interface {
	// Revision names the rules the facts are made by: facts of equal digest
	// and revision are equal.
	Revision() string
	// Inspect reads the compressed blob r once. The error is an *Error when
	// nothing can be said about the layer, the context's error when it ended,
	// or wraps the reader's own error.
	Inspect(ctx context.Context, l Layer, r io.Reader) (*facts.Layer, error)
}

// Options configure New. The zero value inspects for everything.
type Options struct {
	Malware  *malware.Set // nil: malware.Builtin()
	Limits   Limits       // zero fields take their defaults
	SpoolDir string       // where package databases that need a real file are spooled; empty: the system's

	NoPackages bool // leave package extraction out
	NoMalware  bool // leave malware and file hashes out
	NoSecrets  bool // leave the search for credentials out
}

// InProcess is an Inspector that runs in the calling process. It is safe for
// concurrent use; each inspection has its own budget.
type InProcess struct {
	options  Options
	packages *pkgs.Extractor
	secrets  *secret.Engine
	revision string
}

var _ Inspector = (*InProcess)(nil)

// New builds an inspector that runs in the calling process.
func New(o Options) (*InProcess, error) {
	if o.Malware == nil {
		o.Malware = malware.Builtin()
	}
	o.Limits = o.Limits.withDefaults()
	in := &InProcess{options: o}
	var err error
	if in.packages, err = pkgs.New(); err != nil {
		return nil, fmt.Errorf("inspect: %w", err)
	}
	if in.secrets, err = secret.New(); err != nil {
		return nil, fmt.Errorf("inspect: %w", err)
	}
	in.revision = revision(o)
	return in, nil
}

// revision joins the versions of the pass and of every analyzer that is on.
func revision(o Options) string {
	words := []string{"pass-" + Revision}
	if !o.NoPackages {
		words = append(words, "pkgs-"+pkgs.Revision)
	}
	if !o.NoMalware {
		words = append(words, "malware-"+malware.Revision+"-"+o.Malware.Revision())
	}
	if !o.NoSecrets {
		words = append(words, "secret-"+secret.Revision)
	}
	return strings.Join(words, "/")
}

// Revision names the versions of the pass, the analyzers and the malware set.
func (in *InProcess) Revision() string { return in.revision }
