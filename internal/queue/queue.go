// Package queue runs jobs on River; it is the only room that knows River.
//
// Words:
//
//   - job: a unit of work with typed arguments (store.Args). It is inserted in
//     the transaction that makes it necessary and runs at least once, so every
//     handler must bear being run again.
//   - lane: a set of job kinds with workers of their own, so that a long scan
//     never keeps a synchronisation waiting.
//   - heartbeat: the sign of life of a process that takes jobs. River takes back
//     the work of a dead process only by age (minutes); the reaper here does it
//     as soon as the heartbeat stops.
//
// What is authoritative: the job table. What is not promised: order between
// jobs of one lane beyond their priority, and that a handler runs only once.
package queue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"

	"dogwatch/internal/clock"
	"dogwatch/internal/store"
)

// Times of the engine.
const (
	heartbeatEvery = 2 * time.Second
	deadAfter      = 15 * time.Second
	fetchCooldown  = 20 * time.Millisecond
	pollEvery      = 500 * time.Millisecond
	keepCompleted  = time.Hour
	keepDiscarded  = 24 * time.Hour
	longestPause   = time.Minute
	interruptTime  = 3 * time.Second
	// maxAttempts is beyond reach: a job ends when its handler says so.
	maxAttempts = math.MaxInt16
)

// Lane is a set of job kinds with workers of their own.
type Lane struct {
	Name    string
	Workers int
	Kinds   []string
}

// Config of a queue.
type Config struct {
	WorkerID string // unique name of this process
	Host     string // for people
	Lanes    []Lane
	// Exclusive says that no other process works on this database (SQLite in
	// the data directory): whatever is marked as running at start was left
	// behind by a process that died.
	Exclusive bool
	Clock     clock.Clock
	Logger    *slog.Logger
}

// Queue inserts jobs and works them.
type Queue struct {
	cfg    Config
	store  *store.Store
	client *river.Client[*sql.Tx]
	lanes  map[string]string // kind → lane
	stop   context.CancelFunc
	done   chan struct{}
}

// New prepares the job tables and binds the queue to the store, so that
// store.Tx can insert jobs. Handlers must hold a handler for every kind of
// every lane.
func New(ctx context.Context, st *store.Store, h *Handlers, cfg Config) (*Queue, error) {
	driver := riversqlite.New(st.SQL())
	if err := migrate(ctx, driver, cfg.Logger); err != nil {
		return nil, err
	}
	q := &Queue{cfg: cfg, store: st, lanes: map[string]string{}}
	queues := map[string]river.QueueConfig{}
	for _, lane := range cfg.Lanes {
		queues[lane.Name] = river.QueueConfig{MaxWorkers: lane.Workers, FetchCooldown: fetchCooldown, FetchPollInterval: pollEvery}
		for _, kind := range lane.Kinds {
			q.lanes[kind] = lane.Name
		}
	}
	client, err := river.NewClient(driver, &river.Config{
		ID:                          cfg.WorkerID,
		Queues:                      queues,
		Workers:                     h.workers,
		Logger:                      quiet(cfg.Logger),
		FetchCooldown:               fetchCooldown,
		FetchPollInterval:           pollEvery,
		CompletedJobRetentionPeriod: keepCompleted,
		CancelledJobRetentionPeriod: keepCompleted,
		DiscardedJobRetentionPeriod: keepDiscarded,
		JobTimeout:                  -1, // handlers set their own limits
		MaxAttempts:                 maxAttempts,
		RetryPolicy:                 retries{cfg.Clock},
	})
	if err != nil {
		return nil, fmt.Errorf("queue: job engine refused its configuration: %w", err)
	}
	q.client = client
	st.BindQueue(q)
	return q, nil
}

func migrate(ctx context.Context, driver *riversqlite.Driver, logger *slog.Logger) error {
	m, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: quiet(logger)})
	if err != nil {
		return fmt.Errorf("queue: preparing the job tables: %w", err)
	}
	if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("queue: migrating the job tables: %w", err)
	}
	return nil
}

// InsertTx inserts jobs in a transaction of the store. The engine's unique jobs
// are left alone on purpose: one that has just returned still counts as running
// for a moment, and what is asked for in that moment would be lost. Rows decide
// what is under way.
func (q *Queue) InsertTx(ctx context.Context, tx *sql.Tx, jobs ...store.Job) error {
	params := make([]river.InsertManyParams, len(jobs))
	for i, job := range jobs {
		lane, ok := q.lanes[job.Args.Kind()]
		if !ok {
			return fmt.Errorf("queue: job kind %q belongs to no lane", job.Args.Kind())
		}
		opts := &river.InsertOpts{Queue: lane, Priority: job.Priority, ScheduledAt: job.RunAt}
		params[i] = river.InsertManyParams{Args: job.Args, InsertOpts: opts}
	}
	if len(params) == 0 {
		return nil
	}
	if _, err := q.client.InsertManyTx(ctx, tx, params); err != nil {
		return fmt.Errorf("queue: inserting %d jobs: %w", len(params), err)
	}
	return nil
}

// Start gives back what dead processes left behind and begins to take jobs.
func (q *Queue) Start(ctx context.Context) error {
	before := store.At(q.cfg.Clock.Now().Add(-deadAfter))
	if q.cfg.Exclusive {
		before = math.MaxInt64 // whatever the clock said when they died
	}
	if err := q.reap(ctx, before); err != nil {
		return err
	}
	if err := q.beat(ctx); err != nil {
		return err
	}
	if err := q.client.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("queue: starting the job engine: %w", err)
	}
	alive, stop := context.WithCancel(context.WithoutCancel(ctx))
	q.stop, q.done = stop, make(chan struct{})
	go q.stayAlive(alive)
	return nil
}

// Stop waits for running jobs until ctx ends, then interrupts them and waits a
// few seconds more; their work is taken up again at the next start.
func (q *Queue) Stop(ctx context.Context) error {
	if q.stop == nil {
		return nil
	}
	err := q.client.Stop(ctx)
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		err = q.cancelAll(context.WithoutCancel(ctx))
	}
	q.stop()
	<-q.done
	if err != nil {
		return fmt.Errorf("queue: stopping the job engine: %w", err)
	}
	return nil
}

func (q *Queue) cancelAll(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, interruptTime)
	defer cancel()
	return q.client.StopAndCancel(ctx)
}
