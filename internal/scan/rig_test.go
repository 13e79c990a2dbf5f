package scan_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"dogwatch/internal/advisory"
	"dogwatch/internal/clock"
	"dogwatch/internal/finding"
	"dogwatch/internal/inspect"
	"dogwatch/internal/inventory"
	"dogwatch/internal/queue"
	"dogwatch/internal/registry"
	"dogwatch/internal/sample"
	"dogwatch/internal/sample/advisories"
	"dogwatch/internal/scan"
	"dogwatch/internal/seal"
	"dogwatch/internal/store"
)

// rig is a scan service over a real store, a real queue and a real registry,
// with a clock and a registry that the test controls.
type rig struct {
	t        *testing.T
	dir      string
	clock    *clock.Fake
	store    *store.Store
	scans    *scan.Service
	queue    *queue.Queue
	library  *advisory.Library
	box      *seal.Box
	front    *front
	account  int64
	registry int64
	ended    chan string // states of ended runs
	items    chan string // states of ended items

	mu     sync.Mutex
	reused int
	logs   bytes.Buffer
}

// options of a rig; zero is the usual one.
type options struct {
	ahead        int
	workers      int
	noAdvisories bool
	itemLimit    time.Duration
	nightly      bool
	syncer       func(scan.Syncer) scan.Syncer // stands before the real one
}

var start = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func newRig(t *testing.T, o options) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), clock: clock.NewFake(start), ended: make(chan string, 100), items: make(chan string, 1000)}
	r.front = newFront(t)
	r.open(o)
	r.fill(o)
	return r
}

// open opens the store and starts the service on it, as a process would.
func (r *rig) open(o options) {
	r.t.Helper()
	ctx := r.t.Context()
	var err error
	r.store, err = store.Open(ctx, filepath.Join(r.dir, "dogwatch.db"))
	r.must(err)
	r.box, err = seal.Open(r.dir, "")
	r.must(err)
	r.library, err = advisory.OpenLibrary(filepath.Join(r.dir, "advisories"))
	r.must(err)
	inspector, err := inspect.New(inspect.Options{})
	r.must(err)
	logger := slog.New(slog.NewJSONHandler(&lockedWriter{mu: &r.mu, w: &r.logs}, nil))
	clients := inventory.NewClients(r.store, r.box, registry.Options{
		AllowPrivate: true, Sleep: func(context.Context, time.Duration) error { return nil },
	})
	var syncer scan.Syncer = inventory.NewSyncer(r.store, clients, r.clock, logger)
	if o.syncer != nil {
		syncer = o.syncer(syncer)
	}
	r.scans = scan.New(scan.Config{
		Store:     r.store,
		Clients:   clients,
		Syncer:    syncer,
		Inspector: inspector,
		Assessor:  finding.New(finding.Options{Store: r.store, Snapshots: r.library, Revision: inspector.Revision()}),
		Clock:     r.clock,
		Location:  time.UTC,
		Logger:    logger,
		WorkerID:  "worker-" + rand.Text(),
		Ahead:     o.ahead,
		ItemLimit: o.itemLimit,
		Nightly:   o.nightly,
		Observer: scan.Observer{
			Item:        func(state string) { r.items <- state },
			RunEnded:    func(_, state string) { r.ended <- state },
			LayerReused: func() { r.mu.Lock(); r.reused++; r.mu.Unlock() },
		},
	})
	handlers := queue.NewHandlers()
	r.scans.Register(handlers)
	workers := max(o.workers, 1)
	r.queue, err = queue.New(ctx, r.store, handlers, queue.Config{
		WorkerID: r.scans.WorkerID(), Host: "test", Exclusive: true, Clock: clock.Real{}, Logger: logger,
		Lanes: []queue.Lane{
			{Name: "scan", Workers: workers, Kinds: []string{scan.KindItem}},
			{Name: "sync", Workers: 1, Kinds: []string{scan.KindSync}},
		},
	})
	r.must(err)
	r.must(r.queue.Start(ctx))
	r.t.Cleanup(r.close)
}

// close stops the process without letting running items finish.
func (r *rig) close() {
	if r.store == nil {
		return
	}
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	r.front.release()
	r.must(r.queue.Stop(gone))
	r.must(r.library.Close())
	r.must(r.store.Close())
	r.store = nil
}

// fill makes an account with the samples, synchronised and licensed.
func (r *rig) fill(o options) {
	r.t.Helper()
	ctx := r.t.Context()
	if !o.noAdvisories {
		from := filepath.Join(r.dir, "osv")
		r.must(advisories.Write(from))
		_, err := advisory.Import(ctx, filepath.Join(r.dir, "advisories"), []string{from}, advisory.Options{})
		r.must(err)
	}
	account := &store.Account{Name: "default", CreatedAt: store.At(start), FirstPrice: 10, AgainPrice: 1, SyncMinute: -1}
	r.must(r.store.CreateAccount(ctx, account))
	r.account = account.ID
	row := &store.Registry{AccountID: r.account, Name: "samples", Type: registry.TypeOCI, URL: r.front.url}
	sealed, err := r.box.Seal(nil, row.PasswordContext())
	r.must(err)
	row.SealedPassword = sealed
	r.must(r.store.InsertRegistry(ctx, row))
	r.registry = row.ID
	r.must(r.scans.SyncNow(ctx, r.account, nil))
	r.eventually("the synchronisation", func() bool {
		row, err := r.store.Registry(ctx, r.account, r.registry)
		r.must(err)
		if row.SyncStatus == store.SyncFailed {
			r.t.Fatalf("synchronisation failed: %s", row.SyncReason)
		}
		return row.SyncStatus == store.SyncSuccess
	})
	r.must(r.store.SetAuthorized(ctx, r.account, r.imageIDs(), true))
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// eventually polls a condition that another goroutine brings about.
func (r *rig) eventually(what string, ok func() bool) {
	r.t.Helper()
	deadline, cancel := context.WithTimeout(r.t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline.Done():
			r.t.Fatalf("waiting for %s: %v\n%s", what, deadline.Err(), r.log())
		case <-tick.C:
		}
	}
}

func (r *rig) log() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.logs.String()
}

// waitRun waits until a run has ended and returns its state.
func (r *rig) waitRun() string {
	r.t.Helper()
	select {
	case state := <-r.ended:
		return state
	case <-time.After(time.Minute):
		r.t.Fatalf("no run ended\n%s", r.log())
		return ""
	}
}

func (r *rig) images() []store.ImageRow {
	r.t.Helper()
	rows, _, err := r.store.Images(r.t.Context(), store.ImageQuery{AccountID: r.account, Ascending: true})
	r.must(err)
	return rows
}

func (r *rig) imageIDs() []int64 {
	var ids []int64
	for _, row := range r.images() {
		ids = append(ids, row.ID)
	}
	return ids
}

// image is the row of a sample, "shop/web:1.0".
func (r *rig) image(name string) store.ImageRow {
	r.t.Helper()
	for _, row := range r.images() {
		if row.Repository+":"+row.Tag == name {
			return row
		}
	}
	r.t.Fatalf("no image %s", name)
	return store.ImageRow{}
}

func (r *rig) start(req scan.Request) *store.Run {
	r.t.Helper()
	if req.Kind == "" {
		req.Kind = store.RunManual
	}
	if req.Parts == 0 {
		req.Parts = store.AllParts
	}
	run, err := r.scans.Start(r.t.Context(), r.account, req)
	r.must(err)
	return run
}

func (r *rig) run(id int64) *store.Run {
	r.t.Helper()
	run, err := r.store.RunByID(r.t.Context(), id)
	r.must(err)
	return run
}

func (r *rig) itemsOf(run int64, states ...string) []store.Item {
	r.t.Helper()
	items, err := r.store.Items(r.t.Context(), store.ItemQuery{AccountID: r.account, RunID: run, States: states})
	r.must(err)
	return items
}

// front stands before the sample registry: it counts blob reads, holds them
// back, and breaks what it is told to break.
type front struct {
	url    string
	host   string
	mu     sync.Mutex
	blobs  map[string]int // blob reads by digest
	held   chan struct{}  // nil: everything passes
	heads  bool           // questions for a tag's digest are held back too
	broken map[string]bool
	hidden map[string]bool // paths answered 404
}

func newFront(t *testing.T) *front {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- sample.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	if err := sample.Push(ctx, l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	f := &front{host: l.Addr().String(), blobs: map[string]int{}, broken: map[string]bool{}, hidden: map[string]bool{}}
	target := &url.URL{Scheme: "http", Host: f.host}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections) // before the registry is stopped: it waits for open connections
	proxy := &httputil.ReverseProxy{
		Transport:      transport,
		Rewrite:        func(p *httputil.ProxyRequest) { p.SetURL(target); p.Out.Header.Set("Accept-Encoding", "identity") },
		ModifyResponse: f.breakBody,
		ErrorLog:       log.New(io.Discard, "", 0), // requests that a stopped item left behind
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if f.hides(req.URL.Path) {
			http.NotFound(w, req)
			return
		}
		f.gate(req)
		proxy.ServeHTTP(w, req)
	}))
	t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

func (f *front) hides(path string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.hidden[path]
}

// gate counts a blob read and waits while requests of its kind are held back.
func (f *front) gate(req *http.Request) {
	_, digest, isBlob := strings.Cut(req.URL.Path, "/blobs/")
	isBlob = isBlob && req.Method == http.MethodGet
	f.mu.Lock()
	if isBlob {
		f.blobs[digest]++
	}
	held, heads := f.held, f.heads && req.Method == http.MethodHead
	f.mu.Unlock()
	if held == nil || !isBlob && !heads {
		return
	}
	select {
	case <-held:
	case <-req.Context().Done():
	}
}

// hold stops every scan at its first request.
func (f *front) hold() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.held, f.heads = make(chan struct{}), true
}

// holdBlobs stops scans at their first layer; a synchronisation of images that
// are known passes.
func (f *front) holdBlobs() {
	f.hold()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.heads = false
}

func (f *front) release() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.held != nil {
		close(f.held)
		f.held = nil
	}
}

func (f *front) reads() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, c := range f.blobs {
		n += c
	}
	return n
}

func (f *front) set(m map[string]bool, key string, on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	m[key] = on
}

// breakBody flips the last byte of a blob that is to be broken.
func (f *front) breakBody(resp *http.Response) error {
	_, digest, isBlob := strings.Cut(resp.Request.URL.Path, "/blobs/")
	f.mu.Lock()
	broken := isBlob && f.broken[digest]
	f.mu.Unlock()
	if !broken {
		return nil
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if len(body) > 0 {
		body[len(body)-1] ^= 0xff
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return nil
}

type lockedWriter struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}
