package sample

import (
	"fmt"

	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Sample is one artefact of the sample registry.
type Sample struct {
	Repository string // "shop/web"
	Tag        string
	About      string // what is wrong with it, one sentence
	Expect     Expectation

	build func() (remote.Taggable, error)
}

// Name is the sample's repository and tag, "shop/web:1.4".
func (s Sample) Name() string { return s.Repository + ":" + s.Tag }

// Build makes the artefact: a v1.Image or a v1.ImageIndex.
func (s Sample) Build() (remote.Taggable, error) {
	made, err := s.build()
	if err != nil {
		return nil, fmt.Errorf("sample: building %s: %w", s.Name(), err)
	}
	return made, nil
}

// All lists the samples in the order a person would read them.
func All() []Sample {
	return []Sample{
		webOld(), webNew(), api(), payments(), ledger(), reports(), upload(),
		cleaned(), alpineBase(), multi(), emptyImage(), chart(),
	}
}

// Expected is the expectation of every sample that is an image, by name.
func Expected() map[string]Expectation {
	all := map[string]Expectation{}
	for _, s := range All() {
		if !s.Expect.Skipped {
			all[s.Name()] = s.Expect
		}
	}
	return all
}
