// Package demo is the main job in one command: a registry with sample images,
// an account with a key, the timing task set through the signed API, the run,
// and the findings.
//
// It is a user of Dogwatch like any other: whatever it asks for goes through
// the API, signed, over TCP.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"

	"dogwatch/internal/advisory"
	"dogwatch/internal/app"
	"dogwatch/internal/cloudapi/client"
	"dogwatch/internal/sample"
	"dogwatch/internal/sample/advisories"
)

// Options of a demo.
type Options struct {
	Config app.Config // Data empty: a directory of its own, removed at the end
	Once   bool       // end after the findings
	Out    io.Writer  // for people
	Log    io.Writer  // JSON lines of the server
	// Live says that Out is a terminal: progress is drawn, not listed.
	Live bool

	temporary bool // the data directory is removed at the end
}

// ErrUnexpected says that the findings are not those the samples were built for.
var ErrUnexpected = errors.New("demo: the findings are not the expected ones")

// stage is a demo in progress.
type stage struct {
	o        Options
	app      *app.App
	api      *client.Client
	registry string // host:port of the sample registry
	stopped  chan error
}

// Run shows Dogwatch at work. With Once it returns after the findings were
// printed, ErrUnexpected if they are not the expected ones; without, it stays up
// until ctx ends.
func Run(ctx context.Context, o Options) (err error) {
	if o.Config.Data == "" {
		dir, err := os.MkdirTemp("", "dogwatch-demo-")
		if err != nil {
			return fmt.Errorf("demo: no directory for the data: %w", err)
		}
		defer os.RemoveAll(dir) //nolint:errcheck // a leftover in the temporary directory
		o.Config.Data, o.temporary = dir, true
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &stage{o: o, stopped: make(chan error, 1)}
	if err := s.openRegistry(ctx); err != nil {
		return err
	}
	if err := s.importAdvisories(ctx); err != nil {
		return err
	}
	if err := s.openApp(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.app.Stop(ctx)) }()
	if err := s.show(ctx); err != nil {
		return err
	}
	if o.Once {
		return nil
	}
	s.howToCall()
	<-ctx.Done()
	return nil
}

// show sets the watch and waits for its findings.
func (s *stage) show(ctx context.Context) error {
	if err := s.addRegistry(ctx); err != nil {
		return err
	}
	if err := s.license(ctx); err != nil {
		return err
	}
	if err := s.setWatch(ctx); err != nil {
		return err
	}
	if err := s.watchRun(ctx); err != nil {
		return err
	}
	differences, err := s.printFindings(ctx)
	if err != nil {
		return err
	}
	return s.judge(differences)
}

func (s *stage) say(format string, args ...any) {
	fmt.Fprintf(s.o.Out, format+"\n", args...) //nolint:errcheck // nobody listens any more
}

func (s *stage) openRegistry(ctx context.Context) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("demo: no port for the sample registry: %w", err)
	}
	s.registry = l.Addr().String()
	go func() { s.stopped <- sample.Serve(ctx, l) }()
	s.say("Sample registry on http://%s; building and pushing the images ...", s.registry)
	if err := sample.Push(ctx, s.registry); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	return nil
}

func (s *stage) importAdvisories(ctx context.Context) error {
	from := filepath.Join(s.o.Config.Data, "sample-advisories")
	if err := advisories.Write(from); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	report, err := advisory.Import(ctx, app.AdvisoryDir(s.o.Config.Data), []string{from}, advisory.Options{})
	if err != nil {
		return fmt.Errorf("demo: importing the sample advisories: %w", err)
	}
	s.say("Imported %d sample advisories (snapshot %s).", report.Total, report.Snapshot)
	return nil
}

func (s *stage) openApp(ctx context.Context) error {
	running, err := app.Start(ctx, s.o.Config, app.Options{Log: s.o.Log, Out: io.Discard})
	if err != nil {
		return fmt.Errorf("demo: starting: %w", err)
	}
	s.app = running
	if running.FirstKey == nil {
		err := fmt.Errorf("demo: the data directory %s is in use by another installation; leave --data out", s.o.Config.Data)
		return errors.Join(err, running.Stop(ctx))
	}
	s.api = &client.Client{
		Endpoint:  "http://" + running.Address(),
		SecretID:  running.FirstKey.SecretID,
		SecretKey: running.FirstKey.SecretKey,
	}
	s.say("Dogwatch on http://%s.", running.Address())
	return nil
}

// soon is how far ahead the demo sets the scan time.
const soon = 3 * time.Second
