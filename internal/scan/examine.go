package scan

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"dogwatch/internal/finding"
	"dogwatch/internal/inventory"
	"dogwatch/internal/registry"
	"dogwatch/internal/store"
)

// result is what examining an image came to.
type result struct {
	content *store.Content      // nil if not even the manifest could be had
	found   *finding.Assessment // nil on failure
	code    string              // short code of the failure
	reason  string              // cause, for people
	advice  string
	refund  bool // the image could not be fetched: the quota gets the charge back
}

// storageFault marks an error of our own database, which is no outcome of the image.
type storageFault struct{ err error }

func (f *storageFault) Error() string { return f.err.Error() }
func (f *storageFault) Unwrap() error { return f.err }

func fault(format string, args ...any) error { return &storageFault{fmt.Errorf(format, args...)} }

// examine fetches what is not known yet and judges the image. Layers that were
// inspected before, for any image of any account, are not read again.
func (s *Service) examine(ctx context.Context, item *store.Item) (*result, error) {
	image, err := s.cfg.Store.Image(ctx, item.AccountID, item.ImageID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, errImageRemoved
	}
	if err != nil {
		return nil, fault("scan: reading image %d: %w", item.ImageID, err)
	}
	client, err := s.cfg.Clients.Client(ctx, item.AccountID, item.RegistryID)
	if err != nil {
		return nil, fmt.Errorf("scan: opening registry %d: %w", item.RegistryID, err)
	}
	content, err := s.content(ctx, client, image)
	if err != nil {
		return nil, err
	}
	src := source{client: client, registryID: item.RegistryID, path: image.Repository, force: item.Force}
	if err := s.examineLayers(ctx, src, item, content); err != nil {
		return nil, err
	}
	found, err := s.cfg.Assessor.Assess(ctx, content, item.Parts)
	if err != nil {
		return nil, fault("scan: judging image %d: %w", item.ImageID, err)
	}
	return &result{content: content, found: found}, nil
}

// content is what the tag points to now. One HEAD tells whether it is known;
// only a digest that the account has never met is fetched.
func (s *Service) content(ctx context.Context, client registry.Client, image *store.ImageRow) (*store.Content, error) {
	digest, err := client.Head(ctx, image.Repository, image.Tag)
	if err != nil {
		return nil, fmt.Errorf("scan: asking for %s:%s: %w", image.Repository, image.Tag, err)
	}
	known, err := s.cfg.Store.Content(ctx, image.AccountID, digest)
	if err == nil {
		return known, nil
	}
	if !errors.Is(err, store.ErrNotFound) {
		return nil, fault("scan: reading content %s: %w", digest, err)
	}
	content, err := s.cfg.Syncer.Learn(ctx, client, image.AccountID, image.Repository, digest)
	if err != nil {
		return nil, fmt.Errorf("scan: fetching %s@%s: %w", image.Repository, digest, err)
	}
	return content, nil
}

// examineLayers inspects the layers that were never inspected under the current
// rules, one after the other, base first, and reports progress around each. An
// image without such a layer is done at once: it has no progress to report.
func (s *Service) examineLayers(ctx context.Context, src source, item *store.Item, content *store.Content) error {
	var layers []inventory.LayerRef
	if err := json.Unmarshal(content.Layers, &layers); err != nil {
		return fault("scan: stored layers of %s: %w", content.Digest, err)
	}
	known := map[string]bool{}
	if !item.Force {
		var err error
		if known, err = s.cfg.Store.KnownLayers(ctx, digests(layers), s.cfg.Inspector.Revision()); err != nil {
			return fault("scan: looking for known layers: %w", err)
		}
	}
	progress := s.newProgress(item, layers)
	for _, layer := range layers {
		if known[layer.Digest] {
			s.layerReused()
			progress.done(layer)
			continue
		}
		if err := progress.report(ctx); err != nil {
			return err
		}
		if err := s.examineLayer(ctx, src, layer); err != nil {
			return err
		}
		known[layer.Digest] = true // a layer may occur twice in one image
		progress.done(layer)
		if err := progress.report(ctx); err != nil {
			return err
		}
	}
	return nil
}

func digests(layers []inventory.LayerRef) []string {
	out := make([]string, len(layers))
	for i, l := range layers {
		out[i] = l.Digest
	}
	return out
}
