package scan

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"dogwatch/internal/clock"
	"dogwatch/internal/finding"
	"dogwatch/internal/inspect"
	"dogwatch/internal/inventory"
	"dogwatch/internal/queue"
	"dogwatch/internal/registry"
	"dogwatch/internal/store"
)

// Errors of a request to scan or to stop. They are ordinary answers, not faults.
var (
	ErrNothing         = errors.New("scan: no licensed image matches")
	ErrQuota           = errors.New("scan: the scan quota of this month does not cover the images")
	ErrAlreadyScanning = errors.New("scan: every image that matches is being scanned already")
)

// Default limits.
const (
	defaultTimeout   = 24 * time.Hour
	defaultItemLimit = 30 * time.Minute
	defaultAhead     = 16
)

// Syncer reads a registry's list of images (inventory.Syncer).
type Syncer interface {
	Sync(ctx context.Context, registryID int64) (inventory.Report, error)
	Learn(ctx context.Context, client registry.Client, accountID int64, path, ref string) (*store.Content, error)
}

// Assessor says what is wrong with an image whose layer facts are stored (finding.Service).
type Assessor interface {
	Assess(ctx context.Context, content *store.Content, parts store.Parts) (*finding.Assessment, error)
}

// Observer is told what happens, for metrics. A nil func is not called.
type Observer struct {
	Item         func(state string)
	LayerRead    func(bytes int64, took time.Duration)
	LayerReused  func()
	Synchronised func(outcome string)
	RunEnded     func(kind, state string)
}

// Config of the service. The zero value of a limit means its default.
type Config struct {
	Store     *store.Store
	Clients   inventory.Clients
	Syncer    Syncer
	Inspector inspect.Inspector
	Assessor  Assessor
	Clock     clock.Clock
	Location  *time.Location
	Logger    *slog.Logger
	Observer  Observer
	WorkerID  string
	Ahead     int // items of a run in the queue at once
	// Inspections is how many layers are read and inspected at once; 0: one per
	// core. Items that need none (all layers known) do not wait for each other.
	Inspections int
	ItemLimit   time.Duration // time one image may take
	// Nightly says whether registries are synchronised every night.
	Nightly bool
}

// Service carries out scans.
type Service struct {
	cfg    Config
	flight singleflight.Group // one inspection per layer at a time
	seats  chan struct{}      // bounds the inspections under way

	mu      sync.Mutex
	running map[int64]context.CancelFunc // item id → cancel, for this process
	swept   time.Time                    // when old items were last removed
	ticked  time.Time                    // when Tick was called last
}

// New returns a service; Register must be called before the queue starts.
func New(cfg Config) *Service {
	if cfg.Ahead == 0 {
		cfg.Ahead = defaultAhead
	}
	if cfg.ItemLimit == 0 {
		cfg.ItemLimit = defaultItemLimit
	}
	if cfg.Inspections == 0 {
		cfg.Inspections = runtime.NumCPU()
	}
	return &Service{cfg: cfg, seats: make(chan struct{}, cfg.Inspections), running: map[int64]context.CancelFunc{}}
}

// Job kinds.
const (
	KindItem = "scan_item"
	KindSync = "sync_registry"
)

// ItemJob scans one item.
type ItemJob struct {
	ItemID int64 `json:"item_id"`
}

// Kind names the job.
func (ItemJob) Kind() string { return KindItem }

// SyncJob synchronises one registry.
type SyncJob struct {
	RegistryID int64 `json:"registry_id"`
}

// Kind names the job.
func (SyncJob) Kind() string { return KindSync }

// Register adds the service's handlers.
func (s *Service) Register(h *queue.Handlers) {
	queue.On(h, s.cfg.ItemLimit+time.Minute, func(ctx context.Context, j ItemJob) error { return s.scanItem(ctx, j.ItemID) })
	queue.On(h, syncLimit, func(ctx context.Context, j SyncJob) error { return s.syncRegistry(ctx, j.RegistryID) })
}

func (s *Service) now() store.Moment { return store.At(s.cfg.Clock.Now()) }

// track makes an item's context cancellable by Stop.
func (s *Service) track(ctx context.Context, itemID int64) (context.Context, func()) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.ItemLimit)
	s.mu.Lock()
	s.running[itemID] = cancel
	s.mu.Unlock()
	return ctx, func() {
		s.mu.Lock()
		delete(s.running, itemID)
		s.mu.Unlock()
		cancel()
	}
}

func (s *Service) interrupt(items []store.Item) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, item := range items {
		if cancel := s.running[item.ID]; cancel != nil {
			cancel()
		}
	}
}

// WorkerID is the name under which this process takes items.
func (s *Service) WorkerID() string { return s.cfg.WorkerID }
