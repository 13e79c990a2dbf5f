package inventory

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/singleflight"

	"dogwatch/internal/inspect/risk"
	"dogwatch/internal/registry"
	"dogwatch/internal/store"
)

// maxFailures is how many reads may fail in a row before the registry as a
// whole counts as unreadable: it spares one that is down, or has begun to
// refuse us, a request for every image.
const maxFailures = 8

// errRemoved ends a pass over a registry that no longer exists.
var errRemoved = errors.New("the registry was removed")

// pass is one synchronisation under way.
type pass struct {
	*Syncer
	row     *store.Registry
	client  registry.Client
	started store.Moment
	flight  singleflight.Group // one read per digest

	mu      sync.Mutex
	report  Report
	known   map[tagKey]string // digest of the rows there are
	batch   []found           // read, not written yet
	pending map[string]*store.Content
	changed []int64 // ids of new and moved images

	keepRepositories map[string]bool // could not be listed
	keepTags         map[tagKey]bool // could not be read
	asked            map[tagKey]bool // overtaken by a scan once
	inARow           int
	gaveUp           bool // too many failures in a row: nothing more is asked
	firstFailed      string
	firstFailure     error
}

// tagKey names an image within its registry.
type tagKey struct{ repository, tag string }

// found is a tag that was read. The content is nil if it was stored before.
type found struct {
	image   store.Image
	content *store.Content
}

func newPass(s *Syncer, row *store.Registry) *pass {
	return &pass{
		Syncer:           s,
		row:              row,
		started:          store.At(s.clock.Now()),
		known:            map[tagKey]string{},
		pending:          map[string]*store.Content{},
		keepRepositories: map[string]bool{},
		keepTags:         map[tagKey]bool{},
		asked:            map[tagKey]bool{},
	}
}

// run reads the whole registry. Rows are written on the way; what it misses is
// deleted by the caller, and only if run succeeds.
func (p *pass) run(ctx context.Context) error {
	client, err := p.clients.Client(ctx, p.row.AccountID, p.row.ID)
	if errors.Is(err, store.ErrNotFound) {
		return errRemoved
	}
	if err != nil {
		return err
	}
	p.client = client
	// With wrong credentials some registries list what is public, which would
	// look like a registry that has shrunk.
	if err := client.Check(ctx); err != nil {
		return err
	}
	if err := p.loadKnown(ctx); err != nil {
		return err
	}
	if err := p.walk(ctx); err != nil {
		return err
	}
	if err := p.lookAgain(ctx); err != nil {
		return err
	}
	if p.report.Failed > 0 && p.report.Images == 0 && p.report.Skipped == 0 {
		return p.firstFailure
	}
	return nil
}

// walk reads every repository and every tag of it, a few tags at a time.
func (p *pass) walk(ctx context.Context) error {
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(p.parallel())
	listErr := p.client.Repositories(inner, func(r registry.Repository) error {
		return p.walkRepository(inner, group, r)
	})
	if err := group.Wait(); err != nil {
		return err
	}
	if listErr != nil {
		return fmt.Errorf("listing repositories: %w", listErr)
	}
	return p.flushAll(ctx)
}

func (p *pass) walkRepository(ctx context.Context, group *errgroup.Group, r registry.Repository) error {
	p.mu.Lock()
	p.report.Repositories++
	p.mu.Unlock()
	err := p.client.Tags(ctx, r, func(t registry.Tag) error {
		group.Go(func() error { return p.visit(ctx, r, t) })
		return ctx.Err()
	})
	if err == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	return p.failed(tagKey{repository: r.Path}, err)
}

// visit reads one tag and notes what came of it. Its error ends the pass.
func (p *pass) visit(ctx context.Context, r registry.Repository, t registry.Tag) error {
	if p.over() {
		return nil // the failure that ended the pass is on its way
	}
	f, err := p.read(ctx, r, t)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	key := tagKey{r.Path, t.Name}
	switch kind := registry.KindOf(err); {
	case err == nil:
		return p.add(ctx, f)
	case errors.Is(err, registry.ErrNotImage), errors.Is(err, registry.ErrSchema1), kind == registry.KindUnsupported:
		p.skipped(key, err)
		return nil
	case kind == registry.KindNotFound:
		return nil // gone since it was listed; the second look decides
	case kind != 0:
		return p.failed(key, err)
	}
	return err
}

// read finds out what a tag points to, asking the registry only for what
// neither its listing nor the store tells.
func (p *pass) read(ctx context.Context, r registry.Repository, t registry.Tag) (found, error) {
	digest := t.Digest
	if digest == "" {
		var err error
		if digest, err = p.client.Head(ctx, r.Path, t.Name); err != nil {
			return found{}, err
		}
	}
	content, fresh, err := p.content(ctx, r.Path, digest)
	if err != nil {
		return found{}, err
	}
	f := found{image: p.imageRow(r, t, content)}
	if fresh {
		f.content = content
	}
	return f, nil
}

// content is what the account knows of a digest; fresh says that it was read
// just now and is not stored yet.
func (p *pass) content(ctx context.Context, path, digest string) (content *store.Content, fresh bool, err error) {
	known, err := p.store.Content(ctx, p.row.AccountID, digest)
	if err == nil && known.RiskRevision == risk.Revision {
		return known, false, nil
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, false, err
	}
	v, err, _ := p.flight.Do(digest, func() (any, error) {
		if c := p.unwritten(digest); c != nil {
			return c, nil
		}
		c, err := p.Syncer.read(ctx, p.client, p.row.AccountID, path, digest)
		if err == nil {
			p.mu.Lock()
			p.pending[digest] = c
			p.mu.Unlock()
		}
		return c, err
	})
	if err != nil {
		return nil, false, err
	}
	return v.(*store.Content), true, nil
}

func (p *pass) unwritten(digest string) *store.Content {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pending[digest]
}

// imageRow is the row of a tag as a new image has it; the store keeps the id,
// the licence and the results of one that it knows.
func (p *pass) imageRow(r registry.Repository, t registry.Tag, c *store.Content) store.Image {
	namespace, name := splitPath(p.row.Type, r)
	at := c.CreatedAt
	if at.IsZero() && t.CreatedAt.Unix() > 0 {
		at = store.At(t.CreatedAt)
	}
	return store.Image{
		AccountID:   p.row.AccountID,
		RegistryID:  p.row.ID,
		Namespace:   namespace,
		Name:        name,
		Tag:         t.Name,
		Repository:  r.Path,
		Address:     p.client.Host() + "/" + r.Path,
		Digest:      c.Digest,
		ImageID:     c.ConfigDigest,
		Size:        c.Size,
		CreatedAt:   at,
		OSName:      osName(c.Platform),
		FoundAt:     p.started,
		SeenAt:      p.started,
		ScanStatus:  store.NotScan,
		CveStatus:   store.NotScan,
		VirusStatus: store.NotScan,
		RiskStatus:  store.NotScan,
	}
}

// skipped notes a tag that is no image.
func (p *pass) skipped(key tagKey, cause error) {
	p.mu.Lock()
	p.report.Skipped++
	p.inARow = 0
	p.mu.Unlock()
	p.log.Debug("tag skipped", "registry", p.row.ID, "repository", key.repository, "tag", key.tag, "cause", cause.Error())
}

// failed notes a repository or tag that could not be read. It returns the cause
// if too many in a row failed.
func (p *pass) failed(key tagKey, cause error) error {
	p.log.Warn("reading from registry failed", "registry", p.row.ID, "repository", key.repository, "tag", key.tag, "error", cause.Error())
	p.mu.Lock()
	defer p.mu.Unlock()
	p.report.Failed++
	if p.firstFailure == nil {
		p.firstFailure, p.firstFailed = cause, key.String()
	}
	if key.tag == "" {
		p.keepRepositories[key.repository] = true
	} else {
		p.keepTags[key] = true
	}
	if p.inARow++; p.inARow >= maxFailures && registry.KindOf(cause) != registry.KindDenied {
		p.gaveUp = true
		return cause
	}
	return nil
}

func (p *pass) over() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.gaveUp
}

// String is the key as people write it.
func (k tagKey) String() string {
	if k.tag == "" {
		return k.repository
	}
	return k.repository + ":" + k.tag
}
