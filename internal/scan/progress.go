package scan

import (
	"context"
	"time"

	"dogwatch/internal/inventory"
	"dogwatch/internal/store"
)

// progress of one item, counted in compressed bytes of its layers.
type progress struct {
	s     *Service
	item  *store.Item
	total int64
	read  int64
	begun time.Time
}

func (s *Service) newProgress(item *store.Item, layers []inventory.LayerRef) *progress {
	p := &progress{s: s, item: item, begun: s.cfg.Clock.Now()}
	for _, l := range layers {
		p.total += l.Size
	}
	item.Layers, item.LayersDone = int64(len(layers)), 0
	return p
}

func (p *progress) done(layer inventory.LayerRef) {
	p.read += layer.Size
	p.item.LayersDone++
}

// report writes the progress under the item's fence; errOvertaken tells that
// the item is no longer this worker's.
func (p *progress) report(ctx context.Context) error {
	ok, err := p.s.cfg.Store.TouchItem(ctx, p.item.ID, p.item.Attempt, p.item.Layers, p.item.LayersDone)
	if err != nil {
		return fault("scan: writing the progress of item %d: %w", p.item.ID, err)
	}
	if !ok {
		return errOvertaken
	}
	err = p.s.cfg.Store.SetImageProgress(ctx, p.item.ImageID, p.item.ID, p.item.Parts, p.percent(), p.remaining())
	if err != nil {
		return fault("scan: writing the progress of image %d: %w", p.item.ImageID, err)
	}
	return nil
}

// percent stays below 100 until the item is settled.
func (p *progress) percent() int64 {
	if p.total == 0 {
		return 99
	}
	return p.read * 99 / p.total
}

// remaining estimates the seconds left from the speed so far.
func (p *progress) remaining() int64 {
	if p.read == 0 {
		return 0
	}
	elapsed := p.s.cfg.Clock.Now().Sub(p.begun)
	return int64(elapsed.Seconds() * float64(p.total-p.read) / float64(p.read))
}

// Remaining estimates the seconds a run still needs, from its pace so far; 0
// when it has ended or when nothing has finished yet.
func Remaining(run *store.Run, now time.Time) int64 {
	if run.State != store.Scanning || run.Finished == 0 {
		return 0
	}
	left := run.Total - run.Finished - run.Elsewhere
	if left <= 0 {
		return 0
	}
	elapsed := now.Sub(run.StartedAt.Time())
	return int64(elapsed.Seconds() * float64(left) / float64(run.Finished))
}
