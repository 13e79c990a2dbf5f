package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/types"
)

const (
	// maxIndexes bounds the indexes followed for one image, and maxDepth how
	// deep they lie in each other.
	maxIndexes = 16
	maxDepth   = 4
)

// emptyLayers are the blobs of archives without entries, which builders make
// for instructions that change no file.
var emptyLayers = map[string]bool{
	"sha256:a3ed95caeb02ffe68cdd9fd84406680ae93d633cb16422d00e8a7c22955b46d4": true, // gzip
	"sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef": true, // plain
}

// Image reads the manifest ref points to, or the one it chooses from an index,
// and its config.
func (c *ociClient) Image(ctx context.Context, path, ref string) (*Image, error) {
	top, err := c.manifest(ctx, path, ref)
	if err != nil {
		return nil, err
	}
	chosen, note := top, ""
	if top.mediaType.IsIndex() {
		p := &picker{client: c, path: path, left: maxIndexes}
		if chosen, note, err = p.pick(ctx, top); err != nil {
			return nil, err
		}
	}
	config, err := c.config(ctx, path, chosen.config)
	if err != nil {
		return nil, err
	}
	return newImage(top.digest, chosen, config, note), nil
}

// manifest reads one manifest or index and verifies it: against ref if that is
// a digest, else against the digest the registry names.
func (c *ociClient) manifest(ctx context.Context, path, ref string) (*document, error) {
	op := fmt.Sprintf("read manifest %s", address(path, ref))
	r, err := c.manifestRequest(op, path, ref)
	if err != nil {
		return nil, err
	}
	body, resp, err := c.session.fetch(ctx, r, maxManifest)
	if err != nil {
		return nil, err
	}
	digest, err := verifyManifest(op, ref, resp.Header, body)
	if err != nil {
		return nil, err
	}
	d, err := parseDocument(resp.Header.Get("Content-Type"), body)
	if err != nil {
		return nil, manifestFailure(op, err)
	}
	d.digest = digest
	return d, nil
}

func verifyManifest(op, ref string, h http.Header, body []byte) (digest string, err error) {
	named := h.Get("Docker-Content-Digest")
	switch {
	case validDigest(ref):
		digest = ref
	case validDigest(named):
		digest = named
	default:
		return sha256Digest(body), nil
	}
	if !digestMatches(body, digest) {
		return "", &Failure{Kind: KindCorrupt, Op: op, Reason: "the manifest does not have the digest " + digest,
			Solution: "push the image again, and check the registry's storage"}
	}
	return digest, nil
}

// manifestFailure puts what parseDocument found into words.
func manifestFailure(op string, err error) error {
	f := &Failure{Kind: KindUnsupported, Op: op, Reason: err.Error(), Err: err}
	switch {
	case errors.Is(err, ErrNotImage):
		f.Solution = "nothing to do: there is no file system to examine"
	case errors.Is(err, ErrSchema1):
		f.Reason, f.Solution = "the manifest is of docker schema 1", "push the image again with a current client"
	case errors.Is(err, errManifest):
		f.Kind, f.Solution = KindCorrupt, "push the image again"
	default:
		f.Solution = "push the image as an OCI or Docker image"
	}
	return f
}

// config reads and verifies an image's config.
func (c *ociClient) config(ctx context.Context, path string, d Descriptor) (*ConfigFile, error) {
	op := fmt.Sprintf("read config %s of %q", d.Digest, path)
	if d.Size > maxConfig {
		return nil, &Failure{Kind: KindUnsupported, Op: op, Reason: fmt.Sprintf("its %d bytes are more than the %d that are read", d.Size, int64(maxConfig)),
			Solution: "rebuild the image with a smaller config"}
	}
	r, err := c.Blob(ctx, path, d)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	body, err := readLimited(r, maxConfig)
	if err != nil {
		return nil, err
	}
	config := &ConfigFile{}
	if err := json.Unmarshal(body, config); err != nil {
		return nil, &Failure{Kind: KindCorrupt, Op: op, Reason: "the config is not valid JSON of an image", Solution: "push the image again", Err: err}
	}
	return config, nil
}

func newImage(digest string, d *document, config *ConfigFile, note string) *Image {
	image := &Image{
		Digest:         digest,
		ManifestDigest: d.digest,
		MediaType:      string(d.mediaType),
		Config:         d.config,
		ConfigFile:     config,
		Layers:         joinLayers(d.layers, config),
		Size:           d.size + d.config.Size,
		Platform:       platform{config.OS, config.Architecture, config.Variant}.String(),
		PlatformNote:   note,
	}
	for _, l := range d.layers {
		image.Size += l.Size
	}
	return image
}

// joinLayers gives each layer what the config says about it. A config that does
// not speak of as many layers is not believed.
func joinLayers(layers []Descriptor, config *ConfigFile) []Layer {
	commands := layerCommands(config.History)
	joined := make([]Layer, len(layers))
	for i, d := range layers {
		joined[i] = Layer{Descriptor: d, Empty: emptyLayers[d.Digest], Foreign: isForeign(d.MediaType)}
		if len(config.RootFS.DiffIDs) == len(layers) && validDigest(config.RootFS.DiffIDs[i]) {
			joined[i].DiffID = config.RootFS.DiffIDs[i]
		}
		if len(commands) == len(layers) {
			joined[i].CreatedBy = commands[i]
		}
	}
	return joined
}

// layerCommands are the instructions that made a layer.
func layerCommands(history []History) []string {
	var commands []string
	for _, h := range history {
		if !h.EmptyLayer {
			commands = append(commands, h.CreatedBy)
		}
	}
	return commands
}

// picker chooses the one image of an index that is examined.
type picker struct {
	client *ociClient
	path   string
	left   int // indexes that may still be read
}

// pick returns the chosen manifest and says in a note which platforms there are.
func (p *picker) pick(ctx context.Context, index *document) (*document, string, error) {
	images, err := p.images(ctx, index, maxDepth)
	if err != nil {
		return nil, "", err
	}
	if len(images) == 0 {
		return nil, "", manifestFailure(fmt.Sprintf("choose an image of %s", address(p.path, index.digest)), ErrNotImage)
	}
	chosen, note := choose(images)
	d, err := p.client.manifest(ctx, p.path, chosen.Digest)
	if err != nil {
		return nil, "", err
	}
	if d.mediaType.IsIndex() {
		return nil, "", manifestFailure(fmt.Sprintf("read manifest %s", address(p.path, chosen.Digest)),
			fmt.Errorf("%w: an index that was announced as an image", errManifest))
	}
	return d, note, nil
}

// images lists the images of an index and of the indexes in it, in order.
func (p *picker) images(ctx context.Context, index *document, depth int) ([]entry, error) {
	var found []entry
	for _, e := range index.entries {
		switch mediaType := types.MediaType(e.MediaType); {
		case e.artefact || e.platform.OS == "unknown":
		case mediaType.IsImage() || mediaType == "":
			found = append(found, e)
		case mediaType.IsIndex():
			inner, err := p.nested(ctx, index, e, depth)
			if err != nil {
				return nil, err
			}
			found = append(found, inner...)
		}
	}
	return found, nil
}

func (p *picker) nested(ctx context.Context, index *document, e entry, depth int) ([]entry, error) {
	if p.left == 0 || depth == 0 {
		return nil, manifestFailure(fmt.Sprintf("choose an image of %s", address(p.path, index.digest)),
			fmt.Errorf("%w: too many indexes in each other", errMediaType))
	}
	p.left--
	d, err := p.client.manifest(ctx, p.path, e.Digest)
	if err != nil {
		return nil, err
	}
	return p.images(ctx, d, depth-1)
}

// choose takes linux/amd64, else the first.
func choose(images []entry) (entry, string) {
	if len(images) == 1 {
		return images[0], ""
	}
	chosen, names := images[0], make([]string, 0, len(images))
	for i := len(images) - 1; i >= 0; i-- {
		if images[i].platform.preferred() {
			chosen = images[i]
		}
	}
	for _, e := range images[:min(len(images), 20)] {
		names = append(names, printable(e.platform.String(), 60))
	}
	if len(images) > len(names) {
		names = append(names, "...")
	}
	return chosen, fmt.Sprintf("%s of %d platforms: %s", printable(chosen.platform.String(), 60), len(images), strings.Join(names, ", "))
}
