package queue

import (
	"context"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"dogwatch/internal/clock"
	"dogwatch/internal/store"
)

// Handlers maps job kinds to what works them.
type Handlers struct {
	workers *river.Workers
}

// NewHandlers returns an empty set.
func NewHandlers() *Handlers { return &Handlers{workers: river.NewWorkers()} }

// On adds the handler of the kind of T. It runs at most limit long (0: no
// limit). An error makes the engine try again, after a second at first and after a
// minute at last; it never gives up.
func On[T store.Args](h *Handlers, limit time.Duration, fn func(ctx context.Context, args T) error) {
	river.AddWorker(h.workers, &worker[T]{limit: limit, fn: fn})
}

type worker[T store.Args] struct {
	river.WorkerDefaults[T]
	limit time.Duration
	fn    func(ctx context.Context, args T) error
}

func (w *worker[T]) Work(ctx context.Context, job *river.Job[T]) error { return w.fn(ctx, job.Args) }

func (w *worker[T]) Timeout(*river.Job[T]) time.Duration {
	if w.limit == 0 {
		return -1
	}
	return w.limit
}

// retries says when a failed job is worked again: after a second, and after
// twice as long each time, up to a minute.
type retries struct{ clock clock.Clock }

// NextRetry is called by the engine.
func (r retries) NextRetry(job *rivertype.JobRow) time.Time {
	pause := longestPause
	if n := len(job.Errors); n < 6 {
		pause = time.Second << n
	}
	return r.clock.Now().Add(pause)
}

// quiet lets only the engine's warnings through: its information lines repeat
// what the rooms that enqueue and work already say in the words of the domain.
func quiet(l *slog.Logger) *slog.Logger { return slog.New(&levelFloor{Handler: l.Handler()}) }

type levelFloor struct{ slog.Handler }

func (f *levelFloor) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && f.Handler.Enabled(ctx, l)
}

func (f *levelFloor) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &levelFloor{Handler: f.Handler.WithAttrs(attrs)}
}

func (f *levelFloor) WithGroup(name string) slog.Handler {
	return &levelFloor{Handler: f.Handler.WithGroup(name)}
}
