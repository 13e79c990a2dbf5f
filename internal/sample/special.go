package sample

import (
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// multi is an index; the linux/amd64 image is the one that counts, though it
// comes second.
func multi() Sample {
	return Sample{
		Repository: "tools/multi", Tag: "1.0",
		About:  "an index for two platforms: old packages in the amd64 image, newer ones in the other",
		Expect: Expectation{Vulnerabilities: []string{"CVE-2020-7598", "CVE-2021-44906"}},
		build: func() (remote.Taggable, error) {
			index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
			for _, p := range []struct{ arch, minimist string }{{"arm64", "1.2.8"}, {"amd64", "1.2.0"}} {
				img, err := toolImage(p.arch, p.minimist)
				if err != nil {
					return nil, err
				}
				index = mutate.AppendManifests(index, mutate.IndexAddendum{
					Add:        img,
					Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: p.arch}},
				})
			}
			return index, nil
		},
	}
}

func toolImage(arch, minimist string) (v1.Image, error) {
	tool := step{instruction: "COPY tool /opt/tool # buildkit", files: []file{
		npmPackage{"minimist", minimist}.installed("opt/tool/node_modules"),
	}}
	return recipe{oci: true, day: 22, arch: arch, user: appUser, steps: []step{tool}}.image()
}

func emptyImage() Sample {
	return Sample{
		Repository: "edge/empty", Tag: "1.0",
		About:  "an image without a single layer",
		Expect: Expectation{},
		build: func() (remote.Taggable, error) {
			return recipe{oci: true, day: 24, user: appUser}.image()
		},
	}
}

func chart() Sample {
	return Sample{
		Repository: "charts/shop", Tag: "0.1.0",
		About:  "a chart, not an image: it is not listed",
		Expect: Expectation{Skipped: true},
		build: func() (remote.Taggable, error) {
			content := static.NewLayer([]byte("name: shop\nversion: 0.1.0\n"), "application/vnd.cncf.helm.chart.content.v1.tar+gzip")
			artefact := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
			artefact = mutate.ConfigMediaType(artefact, "application/vnd.cncf.helm.config.v1+json")
			made, err := mutate.AppendLayers(artefact, content)
			if err != nil {
				return nil, fmt.Errorf("packing the chart: %w", err)
			}
			return made, nil
		},
	}
}
