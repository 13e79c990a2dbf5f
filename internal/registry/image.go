package registry

import (
	"encoding/json"
	"time"
)

// Descriptor points to content by what it must hash to.
type Descriptor struct {
	Digest    string
	MediaType string
	Size      int64
}

// Layer is one layer of an image.
type Layer struct {
	Descriptor
	// DiffID is the digest of the uncompressed layer as the config claims it;
	// empty if the config doesn't list one for each layer.
	DiffID string
	// CreatedBy is the build instruction that made the layer, unmasked.
	CreatedBy string
	// Empty says that the blob is a well-known archive without entries. It goes
	// by the blob's digest, so it can be relied upon.
	Empty bool
	// Foreign says that the layer lies outside the registry and is not fetched.
	Foreign bool
}

// Image is one image of one platform.
type Image struct {
	// Digest is what the ref points to: the index, if there is one.
	Digest string
	// ManifestDigest is the image's own manifest.
	ManifestDigest string
	// MediaType is that of the image's own manifest.
	MediaType  string
	Config     Descriptor
	ConfigFile *ConfigFile
	Layers     []Layer
	// Size is the sum of manifest, config and compressed layers.
	Size int64
	// Platform is os/architecture[/variant] as the config says.
	Platform string
	// PlatformNote tells which platform of several was taken; else empty.
	PlatformNote string
}

// ConfigFile is what an image says about itself.
type ConfigFile struct {
	Created      Time      `json:"created,omitzero"`
	Author       string    `json:"author,omitempty"`
	OS           string    `json:"os,omitempty"`
	Architecture string    `json:"architecture,omitempty"`
	Variant      string    `json:"variant,omitempty"`
	OSVersion    string    `json:"os.version,omitempty"`
	Config       RunConfig `json:"config"`
	History      []History `json:"history,omitempty"`
	RootFS       RootFS    `json:"rootfs"`
}

// RunConfig is how containers of the image are started.
type RunConfig struct {
	User         string              `json:"User,omitempty"`
	Env          []string            `json:"Env,omitempty"`
	Entrypoint   []string            `json:"Entrypoint,omitempty"`
	Cmd          []string            `json:"Cmd,omitempty"`
	WorkingDir   string              `json:"WorkingDir,omitempty"`
	Labels       map[string]string   `json:"Labels,omitempty"`
	ExposedPorts map[string]struct{} `json:"ExposedPorts,omitempty"`
	Volumes      map[string]struct{} `json:"Volumes,omitempty"`
	Healthcheck  *Healthcheck        `json:"Healthcheck,omitempty"`
	OnBuild      []string            `json:"OnBuild,omitempty"`
	Shell        []string            `json:"Shell,omitempty"`
}

// Healthcheck is how a container's health is asked for.
type Healthcheck struct {
	Test []string `json:"Test,omitempty"`
}

// History is one build instruction.
type History struct {
	Created    Time   `json:"created,omitzero"`
	CreatedBy  string `json:"created_by,omitempty"`
	Comment    string `json:"comment,omitempty"`
	EmptyLayer bool   `json:"empty_layer,omitempty"`
}

// RootFS lists the uncompressed layers.
type RootFS struct {
	DiffIDs []string `json:"diff_ids"`
}

// Time is a moment in a config. Text that is no moment reads as zero instead of
// failing, since builders write what they like.
type Time struct{ time.Time }

// UnmarshalJSON reads RFC 3339.
func (t *Time) UnmarshalJSON(text []byte) error {
	var s string
	if json.Unmarshal(text, &s) != nil {
		return nil
	}
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || at.Year() < 1 || at.Year() > 9998 {
		return nil
	}
	t.Time = at.UTC()
	return nil
}
