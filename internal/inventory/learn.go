package inventory

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"dogwatch/internal/inspect/risk"
	"dogwatch/internal/registry"
	"dogwatch/internal/store"
)

// Learn reads manifest and configuration of an image, judges the configuration,
// and stores what an account needs to know of it. Values of credentials are
// masked before anything is kept. The error of a client is wrapped.
func (s *Syncer) Learn(ctx context.Context, client registry.Client, accountID int64, path, ref string) (*store.Content, error) {
	content, err := s.read(ctx, client, accountID, path, ref)
	if err != nil {
		return nil, err
	}
	if err := s.store.PutContent(ctx, content); err != nil {
		return nil, fmt.Errorf("inventory: storing content %s: %w", content.Digest, err)
	}
	return content, nil
}

// read is Learn without the storing.
func (s *Syncer) read(ctx context.Context, client registry.Client, accountID int64, path, ref string) (*store.Content, error) {
	image, err := client.Image(ctx, path, ref)
	if err != nil {
		return nil, fmt.Errorf("inventory: reading image %s at %s: %w", path, ref, err)
	}
	content, err := s.contentOf(image)
	if err != nil {
		return nil, fmt.Errorf("inventory: describing image %s at %s: %w", path, ref, err)
	}
	content.AccountID = accountID
	return content, nil
}

// contentOf is what is kept of an image.
func (s *Syncer) contentOf(image *registry.Image) (*store.Content, error) {
	config := riskConfig(image.ConfigFile)
	risks, err := json.Marshal(risk.Config(config))
	if err != nil {
		return nil, fmt.Errorf("encoding risks: %w", err)
	}
	layers, err := json.Marshal(layerRefs(image.Layers))
	if err != nil {
		return nil, fmt.Errorf("encoding layers: %w", err)
	}
	return &store.Content{
		Digest:         image.Digest,
		ManifestDigest: image.ManifestDigest,
		ConfigDigest:   image.Config.Digest,
		MediaType:      image.MediaType,
		Size:           image.Size,
		CreatedAt:      store.At(created(image.ConfigFile)),
		Platform:       image.Platform,
		PlatformNote:   image.PlatformNote,
		Layers:         layers,
		Risks:          risks,
		RiskRevision:   risk.Revision,
		History:        risk.MaskHistory(config, s.location()),
		LearnedAt:      store.At(s.clock.Now()),
	}, nil
}

// layerRefs names the layers of an image, base first, with masked instructions.
func layerRefs(layers []registry.Layer) []LayerRef {
	refs := make([]LayerRef, len(layers))
	for i, l := range layers {
		refs[i] = LayerRef{
			Digest:    l.Digest,
			MediaType: l.MediaType,
			DiffID:    l.DiffID,
			Size:      l.Size,
			Command:   risk.MaskInstruction(l.CreatedBy),
		}
	}
	return refs
}

// riskConfig is the configuration as the risk rules read it; an image without
// one has nothing to judge.
func riskConfig(c *registry.ConfigFile) *risk.ImageConfig {
	if c == nil {
		return &risk.ImageConfig{}
	}
	out := &risk.ImageConfig{
		User:       c.Config.User,
		Env:        c.Config.Env,
		Entrypoint: c.Config.Entrypoint,
		Cmd:        c.Config.Cmd,
		Labels:     c.Config.Labels,
	}
	for _, h := range c.History {
		out.History = append(out.History, risk.History{
			Created:    h.Created.Time,
			CreatedBy:  h.CreatedBy,
			Comment:    h.Comment,
			EmptyLayer: h.EmptyLayer,
		})
	}
	return out
}

// created is when the image was built, the zero time if that is unknown. The
// first second of 1970 is what reproducible builds write for "unknown".
func created(c *registry.ConfigFile) time.Time {
	if c == nil || c.Created.Unix() <= 0 {
		return time.Time{}
	}
	return c.Created.Time
}

// osName is the operating system family of a platform, "linux" of "linux/amd64".
func osName(platform string) string {
	name, _, _ := strings.Cut(platform, "/")
	return name
}
