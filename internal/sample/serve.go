package sample

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// stopTime is how long Serve lets running requests end.
const stopTime = time.Second

// Serve answers as a distribution registry on the listener until the context
// ends. It keeps everything in memory, wants no credentials, and closes the
// listener. It is meant for loopback.
func Serve(ctx context.Context, l net.Listener) error {
	quiet := log.New(io.Discard, "", 0)
	server := &http.Server{
		Handler:           paged{registry.New(registry.Logger(quiet))},
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
		ErrorLog:          quiet,
	}
	stopped := make(chan error, 1)
	go func() { stopped <- stopWith(ctx, server) }()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("sample: serving the sample registry on %s: %w", l.Addr(), err)
	}
	return <-stopped
}

// stopWith shuts the server down when the context ends. A connection that was
// opened and never used does not count as idle, so what is left after the grace
// is cut.
func stopWith(ctx context.Context, server *http.Server) error {
	<-ctx.Done()
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	err := server.Shutdown(grace)
	if errors.Is(err, context.DeadlineExceeded) {
		err = server.Close()
	}
	if err != nil {
		return fmt.Errorf("sample: stopping the sample registry: %w", err)
	}
	return nil
}

// Push builds every sample and pushes it to the registry at host ("127.0.0.1:5000").
// The options are those of the registry library, for credentials or transport.
func Push(ctx context.Context, host string, options ...remote.Option) error {
	for _, s := range All() {
		if err := s.Push(ctx, host, options...); err != nil {
			return err
		}
	}
	return nil
}

// Push builds one sample and pushes it to the registry at host.
func (s Sample) Push(ctx context.Context, host string, options ...remote.Option) error {
	ref, err := name.ParseReference(host+"/"+s.Name(), name.StrictValidation)
	if err != nil {
		return fmt.Errorf("sample: %q is not a registry host: %w", host, err)
	}
	made, err := s.Build()
	if err != nil {
		return err
	}
	options = append([]remote.Option{remote.WithContext(ctx)}, options...)
	if err := remote.Push(ref, made, options...); err != nil {
		return fmt.Errorf("sample: pushing %s: %w", ref, err)
	}
	return nil
}
