package scan

import (
	"context"
	"errors"
	"fmt"
	"io"

	"dogwatch/internal/facts"
	"dogwatch/internal/inspect"
	"dogwatch/internal/inventory"
	"dogwatch/internal/registry"
	"dogwatch/internal/store"
)

// source is where an item reads its layers.
type source struct {
	client     registry.Client
	registryID int64
	path       string // repository
	force      bool
}

// examineLayer has one layer inspected and its facts stored. Items that meet
// the same layer at the same moment share one inspection. A shared failure
// counts only for items of the same registry: a stopped item, or a registry
// that serves broken bytes, must not fail anybody else's scan, so the others
// begin anew.
func (s *Service) examineLayer(ctx context.Context, src source, layer inventory.LayerRef) error {
	for {
		shared := s.flight.DoChan(layer.Digest, func() (any, error) {
			return src.registryID, s.inspectLayer(ctx, src, layer)
		})
		select {
		case <-ctx.Done():
			return ctx.Err()
		case r := <-shared:
			if r.Err != nil && r.Shared && ctx.Err() == nil && (interrupted(r.Err) || r.Val != src.registryID) {
				continue
			}
			return r.Err
		}
	}
}

func interrupted(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// inspectLayer reads the blob once, through the inspector, and stores the facts.
func (s *Service) inspectLayer(ctx context.Context, src source, layer inventory.LayerRef) error {
	revision := s.cfg.Inspector.Revision()
	if !src.force {
		known, err := s.cfg.Store.KnownLayers(ctx, []string{layer.Digest}, revision)
		if err != nil {
			return fault("scan: looking for layer %s: %w", layer.Digest, err)
		}
		if known[layer.Digest] {
			s.layerReused()
			return nil
		}
	}
	select {
	case s.seats <- struct{}{}:
		defer func() { <-s.seats }()
	case <-ctx.Done():
		return ctx.Err()
	}
	begun := s.cfg.Clock.Now()
	found, read, err := s.readLayer(ctx, src, layer)
	if err != nil {
		return err
	}
	took := s.cfg.Clock.Now().Sub(begun)
	encoded, err := facts.Encode(found)
	if err != nil {
		return fault("scan: %w", err)
	}
	row := &store.LayerFacts{
		Digest: layer.Digest, Revision: revision, Complete: found.Complete(), Bytes: read,
		Facts: encoded, InspectedAt: s.now(), TookMillis: took.Milliseconds(),
	}
	if err := s.cfg.Store.PutLayerFacts(ctx, row); err != nil {
		return fault("scan: storing the facts of layer %s: %w", layer.Digest, err)
	}
	s.cfg.Logger.Info("layer inspected", "layer", layer.Digest, "bytes", read, "entries", found.Entries,
		"package_files", len(found.Packages), "gaps", len(found.Gaps), "took_ms", took.Milliseconds())
	if observe := s.cfg.Observer.LayerRead; observe != nil {
		observe(read, took)
	}
	return nil
}

func (s *Service) readLayer(ctx context.Context, src source, layer inventory.LayerRef) (*facts.Layer, int64, error) {
	blob, err := src.client.Blob(ctx, src.path, registry.Descriptor{Digest: layer.Digest, MediaType: layer.MediaType, Size: layer.Size})
	if err != nil {
		return nil, 0, fmt.Errorf("scan: reading layer %s of %s: %w", layer.Digest, src.path, err)
	}
	defer blob.Close()
	counted := &countingReader{r: blob}
	found, err := s.cfg.Inspector.Inspect(ctx, inspect.Layer{
		Digest: layer.Digest, MediaType: layer.MediaType, DiffID: layer.DiffID, Size: layer.Size,
	}, counted)
	if err != nil {
		return nil, counted.n, fmt.Errorf("scan: inspecting layer %s of %s: %w", layer.Digest, src.path, err)
	}
	return found, counted.n, nil
}

func (s *Service) layerReused() {
	if s.cfg.Observer.LayerReused != nil {
		s.cfg.Observer.LayerReused()
	}
}

type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
