package sample

import (
	"fmt"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// appUser is the user of every sample that isn't meant to run as root.
const appUser = "10001"

// recipe describes an image: its layers, base first, and its configuration.
type recipe struct {
	oci     bool // OCI media types, else Docker's
	day     int  // day of March 2024 the image was made; a later day is a newer image
	arch    string
	user    string
	env     []string
	command []string
	steps   []step
}

// step is one instruction of the build history, with the layer it made, if any.
type step struct {
	instruction string
	files       []file // nil: the instruction made no layer
	zstd        bool
}

// image builds the image of a recipe.
func (r recipe) image() (v1.Image, error) {
	img := empty.Image
	if r.oci {
		img = mutate.MediaType(img, types.OCIManifestSchema1)
		img = mutate.ConfigMediaType(img, types.OCIConfigJSON)
	}
	for i, s := range r.steps {
		next, err := r.add(img, s, i)
		if err != nil {
			return nil, err
		}
		img = next
	}
	return r.configure(img)
}

// add appends what one step made to an image.
func (r recipe) add(img v1.Image, s step, minute int) (v1.Image, error) {
	addendum := mutate.Addendum{History: v1.History{
		Created:    v1.Time{Time: r.made().Add(time.Duration(minute) * time.Minute)},
		CreatedBy:  s.instruction,
		EmptyLayer: s.files == nil,
	}}
	if s.files != nil {
		layer, err := makeLayer(s.files, r.layerType(s.zstd))
		if err != nil {
			return nil, err
		}
		addendum.Layer = layer
	}
	next, err := mutate.Append(img, addendum)
	if err != nil {
		return nil, fmt.Errorf("appending the layer of %q: %w", s.instruction, err)
	}
	return next, nil
}

// configure writes the image configuration.
func (r recipe) configure(img v1.Image) (v1.Image, error) {
	old, err := img.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	config := old.DeepCopy()
	config.Created = v1.Time{Time: r.made().Add(time.Hour)}
	config.OS = "linux"
	config.Architecture = r.architecture()
	config.Config = v1.Config{
		User: r.user,
		Env:  append([]string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}, r.env...),
		Cmd:  r.command,
	}
	made, err := mutate.ConfigFile(img, config)
	if err != nil {
		return nil, fmt.Errorf("writing the configuration: %w", err)
	}
	return made, nil
}

func (r recipe) made() time.Time {
	return time.Date(2024, time.March, r.day, 3, 0, 0, 0, time.UTC)
}

func (r recipe) architecture() string {
	if r.arch == "" {
		return "amd64"
	}
	return r.arch
}

func (r recipe) layerType(zstd bool) types.MediaType {
	switch {
	case zstd:
		return types.OCILayerZStd
	case r.oci:
		return types.OCILayer
	}
	return types.DockerLayer
}
