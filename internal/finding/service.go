package finding

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"dogwatch/internal/advisory"
	"dogwatch/internal/facts"
	"dogwatch/internal/inventory"
	"dogwatch/internal/match"
	"dogwatch/internal/store"
)

// defaultCache bounds the judgements kept: an image of a thousand packages
// takes about a megabyte.
const defaultCache = 64

// Store is what the service reads.
type Store interface {
	Image(ctx context.Context, accountID, id int64) (*store.ImageRow, error)
	Content(ctx context.Context, accountID int64, digest string) (*store.Content, error)
	LayerFacts(ctx context.Context, digest, revision string) (*store.LayerFacts, error)
	NewestLayerFacts(ctx context.Context, digest string) (*store.LayerFacts, error)
}

// Snapshots names the advisory snapshot in force (advisory.ErrNone if there is
// none), and a former one while it is kept (advisory.ErrNotFound after that).
type Snapshots interface {
	Current(ctx context.Context) (*advisory.Snapshot, error)
	Snapshot(id string) (*advisory.Snapshot, error)
}

// Options of a service. All but Cache are required.
type Options struct {
	Store     Store
	Snapshots Snapshots
	Revision  string // inspector revision whose facts are read
	Cache     int    // judgements kept; 0: 64
}

// Service derives findings. It is safe for concurrent use.
type Service struct {
	o     Options
	cache *cache
}

// New returns a service.
func New(o Options) *Service {
	if o.Cache == 0 {
		o.Cache = defaultCache
	}
	return &Service{o: o, cache: newCache(o.Cache)}
}

// judgement is an inventory and what is wrong with it.
type judgement struct {
	inventory *inventory.Inventory // without file hashes
	inspected []store.Moment       // when each layer was inspected
	verdict   *match.Verdict       // nil without advisory data
	current   bool                 // every fact is of the current inspector revision
}

// current is the snapshot in force, nil without advisory data.
func (s *Service) current(ctx context.Context) (*advisory.Snapshot, error) {
	snapshot, err := s.o.Snapshots.Current(ctx)
	if err != nil && !errors.Is(err, advisory.ErrNone) {
		return nil, fmt.Errorf("finding: opening the advisory snapshot: %w", err)
	}
	return snapshot, nil
}

// assessedBy is the snapshot that an image's counts come from, so that its
// lists agree with them until the next scan; the one in force once that one is
// no longer kept.
func (s *Service) assessedBy(ctx context.Context, image *store.ImageRow) (*advisory.Snapshot, error) {
	if image.Snapshot == "" {
		return s.current(ctx)
	}
	snapshot, err := s.o.Snapshots.Snapshot(image.Snapshot)
	if errors.Is(err, advisory.ErrNotFound) {
		return s.current(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("finding: opening the advisory snapshot %s: %w", image.Snapshot, err)
	}
	return snapshot, nil
}

// judge derives the judgement of a content by a snapshot (nil: of what is no
// vulnerability alone), or takes it from the cache. Facts of a former inspector
// revision serve until the layer is inspected again; such a judgement is not kept.
func (s *Service) judge(ctx context.Context, content *store.Content, snapshot *advisory.Snapshot) (*judgement, error) {
	k := key{manifest: content.ManifestDigest, revision: s.o.Revision}
	if snapshot != nil {
		k.snapshot = snapshot.ID()
	}
	if j, ok := s.cache.get(k); ok {
		return j, nil
	}
	j, err := s.assemble(ctx, content)
	if err != nil {
		return nil, err
	}
	if snapshot != nil {
		if j.verdict, err = match.Judge(ctx, j.inventory, snapshot); err != nil {
			return nil, fmt.Errorf("finding: judging %s by snapshot %s: %w", content.ManifestDigest, k.snapshot, err)
		}
	}
	if j.current {
		s.cache.put(k, j)
	}
	return j, nil
}

// assemble lays the stored facts of a content's layers over each other.
func (s *Service) assemble(ctx context.Context, content *store.Content) (*judgement, error) {
	var refs []inventory.LayerRef
	if err := json.Unmarshal(content.Layers, &refs); err != nil {
		return nil, fmt.Errorf("finding: stored layers of %s: %w", content.Digest, err)
	}
	j := &judgement{inspected: make([]store.Moment, len(refs)), current: true}
	layers := make([]inventory.Layer, len(refs))
	for i, ref := range refs {
		row, err := s.layerFacts(ctx, ref.Digest)
		if err != nil {
			return nil, fmt.Errorf("finding: facts of layer %s: %w", ref.Digest, err)
		}
		known, err := facts.Decode(row.Facts)
		if err != nil {
			return nil, fmt.Errorf("finding: facts of layer %s: %w", ref.Digest, err)
		}
		layers[i] = inventory.Layer{Ref: ref, Facts: known}
		j.inspected[i] = row.InspectedAt
		j.current = j.current && row.Revision == s.o.Revision
	}
	j.inventory = inventory.Assemble(layers)
	j.inventory.Hashes = nil
	return j, nil
}

// layerFacts are the facts of the current revision, else the newest.
func (s *Service) layerFacts(ctx context.Context, digest string) (*store.LayerFacts, error) {
	row, err := s.o.Store.LayerFacts(ctx, digest, s.o.Revision)
	if errors.Is(err, store.ErrNotFound) {
		return s.o.Store.NewestLayerFacts(ctx, digest)
	}
	return row, err
}

// risksOf are the risks of a content's configuration.
func risksOf(content *store.Content) ([]facts.Risk, error) {
	if len(content.Risks) == 0 {
		return nil, nil
	}
	var risks []facts.Risk
	if err := json.Unmarshal(content.Risks, &risks); err != nil {
		return nil, fmt.Errorf("finding: stored risks of %s: %w", content.Digest, err)
	}
	return risks, nil
}
