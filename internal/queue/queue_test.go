package queue_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"dogwatch/internal/clock"
	"dogwatch/internal/queue"
	"dogwatch/internal/store"
)

type note struct {
	Text string `json:"text"`
}

func (note) Kind() string { return "note" }

type stray struct{}

func (stray) Kind() string { return "stray" }

// bench is a store with a queue whose one handler reports what it works.
type bench struct {
	t      *testing.T
	store  *store.Store
	worked chan string
	block  chan struct{} // nil: handlers return at once
	faults atomic.Int32  // errors the handlers still answer with
	clock  clock.Clock
}

func newBench(t *testing.T) *bench {
	t.Helper()
	st, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "q.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return &bench{t: t, store: st, worked: make(chan string, 100), clock: clock.Real{}}
}

// open makes a queue; it is not started.
func (b *bench) open(worker string, exclusive bool) *queue.Queue {
	b.t.Helper()
	h := queue.NewHandlers()
	queue.On(h, 0, func(ctx context.Context, n note) error {
		b.worked <- n.Text
		if b.faults.Add(-1) >= 0 {
			return errors.New("disk full")
		}
		if b.block == nil {
			return nil
		}
		select {
		case <-b.block:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	q, err := queue.New(b.t.Context(), b.store, h, queue.Config{
		WorkerID: worker, Host: "test", Exclusive: exclusive, Clock: b.clock, Logger: slog.New(slog.DiscardHandler),
		Lanes: []queue.Lane{{Name: "notes", Workers: 1, Kinds: []string{"note"}}},
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return q
}

func (b *bench) start(q *queue.Queue) {
	b.t.Helper()
	if err := q.Start(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) stop(q *queue.Queue) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := q.Stop(ctx); err != nil {
		b.t.Error(err)
	}
}

// next is the next note worked.
func (b *bench) next() string {
	b.t.Helper()
	select {
	case text := <-b.worked:
		return text
	case <-time.After(time.Minute):
		b.t.Fatal("no job was worked")
		return ""
	}
}

func (b *bench) put(jobs ...store.Job) {
	b.t.Helper()
	err := b.store.Tx(b.t.Context(), func(ctx context.Context, _ *store.DB, enqueue store.Enqueue) error {
		return enqueue(ctx, jobs...)
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

func TestAJobOfACommittedTransactionIsWorked(t *testing.T) {
	b := newBench(t)
	q := b.open("worker-1", true)
	b.start(q)
	defer b.stop(q)
	b.put(store.Job{Args: note{"hello"}})
	if got := b.next(); got != "hello" {
		t.Errorf("worked %q, want hello", got)
	}
}

func TestAJobOfARolledBackTransactionIsNot(t *testing.T) {
	b := newBench(t)
	q := b.open("worker-1", true)
	refused := errors.New("refused")
	err := b.store.Tx(t.Context(), func(ctx context.Context, _ *store.DB, enqueue store.Enqueue) error {
		if err := enqueue(ctx, store.Job{Args: note{"never"}}); err != nil {
			return err
		}
		return refused
	})
	if !errors.Is(err, refused) {
		t.Fatalf("transaction: %v, want %v", err, refused)
	}
	b.put(store.Job{Args: note{"after"}})
	b.start(q)
	defer b.stop(q)
	if got := b.next(); got != "after" {
		t.Errorf("worked %q, want only the job that was committed", got)
	}
}

func TestAnUnknownKindIsRefused(t *testing.T) {
	b := newBench(t)
	b.open("worker-1", true)
	err := b.store.Tx(t.Context(), func(ctx context.Context, _ *store.DB, enqueue store.Enqueue) error {
		return enqueue(ctx, store.Job{Args: stray{}})
	})
	if err == nil {
		t.Error("a job without a lane was accepted; nobody would ever work it")
	}
}

func TestPriority(t *testing.T) {
	b := newBench(t)
	q := b.open("worker-1", true)
	b.put(store.Job{Args: note{"scheduled"}, Priority: 2}, store.Job{Args: note{"by hand"}, Priority: 1})
	b.start(q)
	defer b.stop(q)
	got := []string{b.next(), b.next()}
	if want := []string{"by hand", "scheduled"}; !slices.Equal(got, want) {
		t.Errorf("worked %q, want %q", got, want)
	}
}

// A process that dies leaves its job marked as running. The next one gives it
// back at its start and works it.
func TestTheWorkOfADeadProcessIsGivenBack(t *testing.T) {
	b := newBench(t)
	b.block = make(chan struct{})
	first := b.open("worker-1", true)
	b.put(store.Job{Args: note{"half done"}})
	b.start(first)
	b.next()
	// The first process hangs here for ever, as far as the second can see.
	second := b.open("worker-2", true)
	b.start(second)
	if got := b.next(); got != "half done" {
		t.Errorf("worked %q, want the job of the dead process", got)
	}
	close(b.block)
	b.stop(second)
	b.stop(first)
}

// The clock of a machine may be set back between two starts.
func TestTheWorkOfAProcessThatDiedInTheFutureIsGivenBack(t *testing.T) {
	b := newBench(t)
	b.block = make(chan struct{})
	b.clock = clock.NewFake(time.Now().AddDate(1, 0, 0))
	first := b.open("worker-1", true)
	b.put(store.Job{Args: note{"half done"}})
	b.start(first)
	b.next()
	b.clock = clock.Real{}
	second := b.open("worker-2", true)
	b.start(second)
	if got := b.next(); got != "half done" {
		t.Errorf("worked %q, want the job of the dead process", got)
	}
	close(b.block)
	b.stop(second)
	b.stop(first)
}

// However often a handler fails: a job that was given up would leave what it
// was to end waiting for ever.
func TestAJobThatFailsIsWorkedAgain(t *testing.T) {
	b := newBench(t)
	b.faults.Store(1)
	q := b.open("worker-1", true)
	b.start(q)
	defer b.stop(q)
	b.put(store.Job{Args: note{"again"}})
	if got := []string{b.next(), b.next()}; !slices.Equal(got, []string{"again", "again"}) {
		t.Errorf("worked %q, want the failed job twice", got)
	}
	var most int
	if err := b.store.SQL().QueryRowContext(t.Context(), "SELECT MAX(max_attempts) FROM river_job").Scan(&most); err != nil || most < 10_000 {
		t.Errorf("the engine gives a job up after %d attempts (%v), want never", most, err)
	}
}

// A stop that may not wait interrupts the handler; the job is worked again.
func TestAnInterruptedJobIsWorkedAgain(t *testing.T) {
	b := newBench(t)
	b.block = make(chan struct{})
	q := b.open("worker-1", true)
	b.put(store.Job{Args: note{"interrupted"}})
	b.start(q)
	b.next()
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	if err := q.Stop(gone); err != nil {
		t.Fatal(err)
	}
	close(b.block)
	again := b.open("worker-2", true)
	b.start(again)
	defer b.stop(again)
	if got := b.next(); got != "interrupted" {
		t.Errorf("worked %q, want the interrupted job", got)
	}
}
