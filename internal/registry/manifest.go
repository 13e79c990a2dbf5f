package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/types"
)

const (
	maxManifest = 4 << 20
	maxConfig   = 8 << 20
	// maxBlobSize keeps sums of sizes far from overflow.
	maxBlobSize = 1 << 50

	attestationKey = "vnd.docker.reference.type"
	// artifactManifest was in drafts of the specification.
	artifactManifest = types.MediaType("application/vnd.oci.artifact.manifest.v1+json")
)

// manifestAccept names all forms at once; without one of them registries
// convert, refuse, or say the manifest is not there.
var manifestAccept = strings.Join([]string{
	string(types.OCIImageIndex), string(types.DockerManifestList),
	string(types.OCIManifestSchema1), string(types.DockerManifestSchema2),
}, ", ")

// document is a manifest or an index as it was read.
type document struct {
	digest    string
	mediaType types.MediaType
	size      int64

	config  Descriptor
	layers  []Descriptor
	entries []entry // of an index
}

// entry is one member of an index.
type entry struct {
	Descriptor
	platform platform
	artefact bool // an attestation or another thing that is no image
}

// platform is what an index says of a member, empty where it says nothing.
type platform struct {
	OS           string `json:"os"`
	Architecture string `json:"architecture"`
	Variant      string `json:"variant"`
}

func (p platform) String() string {
	if p.OS == "" && p.Architecture == "" {
		return "unnamed platform"
	}
	return strings.TrimSuffix(p.OS+"/"+p.Architecture+"/"+p.Variant, "/")
}

// preferred is the platform that is examined where there are several.
func (p platform) preferred() bool { return p.OS == "linux" && p.Architecture == "amd64" }

// wireDocument is both kinds in one, to see a body that claims to be both.
type wireDocument struct {
	SchemaVersion int              `json:"schemaVersion"`
	MediaType     string           `json:"mediaType"`
	ArtifactType  string           `json:"artifactType"`
	Config        *wireDescriptor  `json:"config"`
	Layers        []wireDescriptor `json:"layers"`
	Manifests     []wireDescriptor `json:"manifests"`
	FSLayers      json.RawMessage  `json:"fsLayers"`
}

type wireDescriptor struct {
	MediaType    string            `json:"mediaType"`
	Digest       string            `json:"digest"`
	Size         int64             `json:"size"`
	ArtifactType string            `json:"artifactType"`
	Annotations  map[string]string `json:"annotations"`
	Platform     *platform         `json:"platform"`
}

// Errors of parseDocument beside ErrNotImage and ErrSchema1.
var (
	errManifest  = errors.New("the manifest is not valid")
	errMediaType = errors.New("the media type is not supported")
)

// parseDocument reads a manifest or an index. contentType is the answer's
// header; the body's own mediaType has to agree with it.
func parseDocument(contentType string, body []byte) (*document, error) {
	served, _, _ := mime.ParseMediaType(contentType) // empty if it can't be read
	if isSchema1(served) {
		return nil, ErrSchema1
	}
	var w wireDocument
	if err := json.Unmarshal(body, &w); err != nil {
		return nil, fmt.Errorf("%w: %w", errManifest, err)
	}
	if isSchema1(w.MediaType) || w.SchemaVersion == 1 || len(w.FSLayers) > 0 {
		return nil, ErrSchema1
	}
	mediaType, err := w.mediaType(served)
	if err != nil {
		return nil, err
	}
	d := &document{mediaType: mediaType, size: int64(len(body))}
	if mediaType.IsIndex() {
		return d, d.readIndex(&w)
	}
	return d, d.readManifest(&w)
}

func isSchema1(mediaType string) bool {
	return mediaType == string(types.DockerManifestSchema1) || mediaType == string(types.DockerManifestSchema1Signed)
}

// mediaType settles what the body is, from header, body and shape.
func (w *wireDocument) mediaType(served string) (types.MediaType, error) {
	if w.Manifests != nil && (w.Config != nil || w.Layers != nil) {
		return "", fmt.Errorf("%w: it claims to be an index and an image at once", errManifest)
	}
	said := served
	if served == "" || served == "application/json" || served == "text/plain" || served == "application/octet-stream" {
		said = w.MediaType
	}
	switch {
	case said == "" && w.Manifests != nil:
		said = string(types.OCIImageIndex)
	case said == "":
		said = string(types.OCIManifestSchema1)
	}
	mediaType := types.MediaType(said)
	if mediaType == artifactManifest {
		return "", ErrNotImage
	}
	if !mediaType.IsIndex() && !mediaType.IsImage() {
		return "", fmt.Errorf("%w: manifest of type %q", errMediaType, printable(said, 100))
	}
	if w.MediaType != "" && w.MediaType != said {
		return "", fmt.Errorf("%w: it calls itself %q but is served as %q", errManifest, printable(w.MediaType, 100), printable(said, 100))
	}
	if mediaType.IsIndex() != (w.Config == nil && w.Layers == nil) {
		return "", fmt.Errorf("%w: its content does not fit its type %q", errManifest, said)
	}
	return mediaType, nil
}

func (d *document) readIndex(w *wireDocument) error {
	for _, m := range w.Manifests {
		one, err := m.descriptor()
		if err != nil {
			return err
		}
		e := entry{Descriptor: one, artefact: m.Annotations[attestationKey] != "" || isArtefact(m.ArtifactType)}
		if m.Platform != nil {
			e.platform = *m.Platform
		}
		d.entries = append(d.entries, e)
	}
	return nil
}

func (d *document) readManifest(w *wireDocument) error {
	if w.Config == nil {
		return fmt.Errorf("%w: it names no config", errManifest)
	}
	var err error
	if d.config, err = w.Config.descriptor(); err != nil {
		return err
	}
	if isArtefact(w.ArtifactType) || !d.isImageConfig() {
		return ErrNotImage
	}
	for _, l := range w.Layers {
		layer, err := l.descriptor()
		if err != nil {
			return err
		}
		d.layers = append(d.layers, layer)
	}
	return nil
}

// isArtefact tells whether an artifactType announces something else than an
// image: some builders put the type of an image's config there.
func isArtefact(artifactType string) bool {
	return artifactType != "" && !types.MediaType(artifactType).IsConfig()
}

// isImageConfig knows the configs of images. Early Docker clients left the
// config's type open.
func (d *document) isImageConfig() bool {
	if types.MediaType(d.config.MediaType).IsConfig() {
		return true
	}
	return d.mediaType == types.DockerManifestSchema2 &&
		(d.config.MediaType == "application/octet-stream" || d.config.MediaType == "application/json")
}

func (w wireDescriptor) descriptor() (Descriptor, error) {
	if !validDigest(w.Digest) {
		return Descriptor{}, fmt.Errorf("%w: %q is no digest", errManifest, printable(w.Digest, 140))
	}
	if w.Size < 0 || w.Size > maxBlobSize {
		return Descriptor{}, fmt.Errorf("%w: size %d of %s is not possible", errManifest, w.Size, w.Digest)
	}
	return Descriptor{Digest: w.Digest, MediaType: w.MediaType, Size: w.Size}, nil
}

// isForeign knows the layers that are kept outside the registry.
func isForeign(mediaType string) bool {
	return strings.Contains(mediaType, ".foreign.") || strings.Contains(mediaType, ".nondistributable.")
}
