package app

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"dogwatch/internal/advisory"
	"dogwatch/internal/clock"
	"dogwatch/internal/finding"
	"dogwatch/internal/inspect"
	"dogwatch/internal/inventory"
	"dogwatch/internal/queue"
	"dogwatch/internal/registry"
	"dogwatch/internal/scan"
	"dogwatch/internal/telemetry"
)

// A graceful stop takes ten seconds at most: calls and jobs that run may finish
// for as long as this, and the queue waits a few seconds for those that it has to
// interrupt then. They are taken up again at the next start.
const (
	answerFor = 2 * time.Second
	workFor   = 4 * time.Second
)

// Options are what a process gives an app besides its configuration.
type Options struct {
	Log   io.Writer   // JSON lines
	Out   io.Writer   // for people: the first key
	Clock clock.Clock // of the schedule; nil is the machine's
	// SecretID and SecretKey become the administrator's key of the account
	// "default" at the first start; empty: one is made and printed once.
	SecretID, SecretKey string
}

// App is a running Dogwatch.
type App struct {
	*Installation
	Library *advisory.Library
	Scans   *scan.Service
	// FirstKey is set when this start made the first access key.
	FirstKey *FirstKey

	cfg     Config
	logger  *slog.Logger
	metrics *telemetry.Metrics
	queue   *queue.Queue
	servers *servers
	unlock  func() error
	stop    context.CancelFunc
	loops   sync.WaitGroup
}

// FirstKey is the administrator's key of a new installation.
type FirstKey struct{ SecretID, SecretKey string }

// Start brings up an installation with its servers, scheduler and workers. It
// returns once the API answers.
func Start(ctx context.Context, cfg Config, o Options) (*App, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if o.Clock == nil {
		o.Clock = clock.Real{}
	}
	a := &App{cfg: cfg, metrics: telemetry.NewMetrics()}
	if err := a.start(ctx, o); err != nil {
		return nil, errors.Join(err, a.release())
	}
	return a, nil
}

func (a *App) start(ctx context.Context, o Options) error {
	if err := a.openData(ctx, o); err != nil {
		return err
	}
	loc, err := a.cfg.Location()
	if err != nil {
		return err
	}
	rooms, err := a.openRooms(o, loc)
	if err != nil {
		return err
	}
	if err := a.openQueue(ctx); err != nil {
		return err
	}
	if a.servers, err = a.listen(ctx, rooms); err != nil {
		return err
	}
	if err := a.queue.Start(ctx); err != nil {
		return err
	}
	loops, stop := context.WithCancel(context.WithoutCancel(ctx))
	a.stop = stop
	a.loops.Go(func() { a.Scans.Run(loops) })
	a.servers.start()
	a.logger.Info("dogwatch started", "listen", a.Address(), "listen_tls", a.TLSAddress(), "data", a.Dir, "timezone", a.cfg.Timezone, "workers", a.cfg.workers())
	return nil
}

func (a *App) openData(ctx context.Context, o Options) error {
	level, err := telemetry.ParseLevel(a.cfg.LogLevel)
	if err != nil {
		return err
	}
	a.logger = telemetry.NewLogger(o.Log, level)
	for _, warning := range a.cfg.Lint() {
		a.logger.Warn("unwise setting", "detail", warning)
	}
	if err := os.MkdirAll(a.cfg.Data, 0o700); err != nil {
		return fmt.Errorf("data directory %s cannot be made: %w", a.cfg.Data, err)
	}
	if a.unlock, err = lockData(a.cfg.Data); err != nil {
		return err
	}
	if a.Installation, err = OpenInstallation(ctx, a.cfg.Data); err != nil {
		return err
	}
	if a.Library, err = advisory.OpenLibrary(AdvisoryDir(a.cfg.Data)); err != nil {
		return err
	}
	created, id, key, err := a.Accounts.EnsureDefault(ctx, o.SecretID, o.SecretKey)
	if err != nil {
		return err
	}
	if created {
		a.FirstKey = &FirstKey{SecretID: id, SecretKey: key}
		if o.SecretID == "" {
			fmt.Fprintf(o.Out, "First start. The administrator's key of the account \"default\", shown this once:\n  SecretId:  %s\n  SecretKey: %s\n", id, key) //nolint:errcheck // a lost key is replaced with `dogwatch key create`
		}
	}
	return nil
}

// openRooms builds what examines images and what answers about them.
func (a *App) openRooms(o Options, loc *time.Location) (*apiRooms, error) {
	hashes, err := loadHashes(a.cfg.Hashes)
	if err != nil {
		return nil, err
	}
	inspector, err := inspect.New(inspect.Options{Malware: hashes})
	if err != nil {
		return nil, err
	}
	options := registry.Options{AllowPrivate: a.cfg.AllowPrivateRegistries, Logger: a.logger, UserAgent: "dogwatch"}
	clients := inventory.NewClients(a.Store, a.Box, options)
	syncer := inventory.NewSyncer(a.Store, clients, o.Clock, a.logger)
	syncer.Location = loc
	findings := finding.New(finding.Options{Store: a.Store, Snapshots: a.Library, Revision: inspector.Revision()})
	worker, err := workerID()
	if err != nil {
		return nil, err
	}
	a.Scans = scan.New(scan.Config{
		Store: a.Store, Clients: clients, Syncer: syncer, Inspector: inspector, Assessor: findings,
		Clock: o.Clock, Location: loc, Logger: a.logger, Observer: a.observer(),
		WorkerID: worker, Ahead: 4 * a.cfg.workers(), Nightly: a.cfg.NightlySync,
	})
	return &apiRooms{options: options, findings: findings, location: loc, clock: o.Clock}, nil
}

func (a *App) observer() scan.Observer {
	return scan.Observer{
		Item: a.metrics.ItemEnded,
		LayerRead: func(bytes int64, _ time.Duration) {
			a.metrics.LayerInspected()
			a.metrics.BlobRead(bytes)
		},
		LayerReused:  func() { a.metrics.LayersReused(1) },
		Synchronised: a.metrics.SyncEnded,
	}
}

func (a *App) openQueue(ctx context.Context) error {
	handlers := queue.NewHandlers()
	a.Scans.Register(handlers)
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	a.queue, err = queue.New(ctx, a.Store, handlers, queue.Config{
		WorkerID: a.Scans.WorkerID(), Host: host, Exclusive: true, Clock: clock.Real{}, Logger: a.logger,
		Lanes: []queue.Lane{
			{Name: "scan", Workers: a.cfg.workers(), Kinds: []string{scan.KindItem}},
			{Name: "sync", Workers: 2, Kinds: []string{scan.KindSync}},
		},
	})
	return err
}

// Stop ends an app within ten seconds: no new call, no new job; what runs may
// finish for a while and is interrupted then.
func (a *App) Stop(ctx context.Context) error {
	if a.stop != nil {
		a.stop()
	}
	var errs []error
	if a.servers != nil {
		errs = append(errs, a.servers.stop())
	}
	if a.queue != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), workFor)
		defer cancel()
		errs = append(errs, a.queue.Stop(ctx))
	}
	a.loops.Wait()
	errs = append(errs, a.release())
	a.logger.Info("dogwatch stopped")
	return errors.Join(errs...)
}

// release gives back whatever was opened, in reverse order.
func (a *App) release() error {
	var errs []error
	if a.servers != nil {
		errs = append(errs, a.servers.stop())
	}
	if a.Library != nil {
		errs = append(errs, a.Library.Close())
	}
	if a.Installation != nil {
		errs = append(errs, a.Installation.Close())
	}
	if a.unlock != nil {
		errs = append(errs, a.unlock())
	}
	return errors.Join(errs...)
}

// workerID is a name no other process has.
func workerID() (string, error) {
	var b [12]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", fmt.Errorf("randomness is not available: %w", err)
	}
	return "worker-" + hex.EncodeToString(b[:]), nil
}
