package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"dogwatch/internal/cloudapi"
	"dogwatch/internal/telemetry"
)

// Times of the HTTP servers. SDKs keep connections for 60 s (protocol section
// 6) and send bodies of up to 10 MB.
const (
	headerTime = 10 * time.Second
	bodyTime   = 60 * time.Second
	idleTime   = 75 * time.Second
)

// servers are the listeners of an app.
type servers struct {
	logger *slog.Logger
	list   []*server
	done   sync.WaitGroup
}

type server struct {
	name     string
	listener net.Listener
	http     *http.Server
}

func (s *servers) add(name string, l net.Listener, h http.Handler) {
	s.list = append(s.list, &server{name: name, listener: l, http: &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTime,
		ReadTimeout:       bodyTime,
		WriteTimeout:      bodyTime,
		IdleTimeout:       idleTime,
		ErrorLog:          log.New(&serverLog{s.logger, name}, "", 0),
	}})
}

func (s *servers) start() {
	for _, one := range s.list {
		s.done.Go(func() {
			if err := one.http.Serve(one.listener); !errors.Is(err, http.ErrServerClosed) {
				s.logger.Error("server ended", "server", one.name, "error", err.Error())
			}
		})
	}
}

func (s *servers) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	var errs []error
	for _, one := range s.list {
		errs = append(errs, one.http.Shutdown(ctx), closed(one.listener))
	}
	s.done.Wait()
	return errors.Join(errs...)
}

// closed closes a listener that its server may have closed already.
func closed(l net.Listener) error {
	if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

func (s *servers) address(name string) string {
	for _, one := range s.list {
		if one.name == name {
			return one.listener.Addr().String()
		}
	}
	return ""
}

// serverLog brings the HTTP server's own messages into the log's form.
type serverLog struct {
	logger *slog.Logger
	name   string
}

func (l *serverLog) Write(p []byte) (int, error) {
	l.logger.Debug("connection failed", "server", l.name, "detail", string(p))
	return len(p), nil
}

// Names of the listeners.
const (
	plainServer   = "api"
	tlsServer     = "api-tls"
	metricsServer = "metrics"
)

// listen opens every address before anything is served, so that an address in
// use is an error of the start.
func (a *App) listen(ctx context.Context, rooms *apiRooms) (*servers, error) {
	s := &servers{logger: a.logger}
	handler := a.handler(rooms)
	if a.cfg.Listen != "" {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", a.cfg.Listen)
		if err != nil {
			return s, fmt.Errorf("listen: %w", err)
		}
		s.add(plainServer, cloudapi.QuirkListener(l), handler)
	}
	if a.cfg.ListenTLS != "" {
		l, err := a.listenTLS(ctx)
		if err != nil {
			return s, err
		}
		s.add(tlsServer, l, handler)
	}
	if a.cfg.MetricsListen != "" {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", a.cfg.MetricsListen)
		if err != nil {
			return s, fmt.Errorf("metrics-listen: %w", err)
		}
		mux := http.NewServeMux()
		mux.Handle("GET /metrics", a.metrics.Handler())
		s.add(metricsServer, l, mux)
	}
	return s, nil
}

func (a *App) listenTLS(ctx context.Context) (net.Listener, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
	if err := a.certificate(config); err != nil {
		return nil, fmt.Errorf("listen-tls: %w", err)
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", a.cfg.ListenTLS)
	if err != nil {
		return nil, fmt.Errorf("listen-tls: %w", err)
	}
	return tls.NewListener(l, config), nil
}

// certificate takes the operator's certificate, or one of our own CA, which is
// renewed while the process runs.
func (a *App) certificate(config *tls.Config) error {
	if a.cfg.TLSCert != "" {
		cert, err := tls.LoadX509KeyPair(a.cfg.TLSCert, a.cfg.TLSKey)
		config.Certificates = []tls.Certificate{cert}
		return err
	}
	keeper, ca, err := cloudapi.KeepCert(filepath.Dir(a.caPath()), a.cfg.tlsHosts(), time.Now, a.logger)
	if err != nil {
		return err
	}
	config.GetCertificate = keeper.GetCertificate
	a.logger.Info("certificate of our own CA in use", "ca", ca)
	return nil
}

// Address is where the API answers over plain HTTP, "" if it does not.
func (a *App) Address() string { return a.servers.address(plainServer) }

// TLSAddress is where the API answers over TLS, "" if it does not.
func (a *App) TLSAddress() string { return a.servers.address(tlsServer) }

// caPath is where the certificate of our own CA lies.
func (a *App) caPath() string { return filepath.Join(a.Dir, "tls", "ca.pem") }

// handler serves health beside the API. Everything but the two health paths is
// the API's, as it stands: a mux would redirect unclean paths, and the API
// answers every call with 200.
func (a *App) handler(rooms *apiRooms) http.Handler {
	health := &telemetry.Health{}
	health.Add("database", func(ctx context.Context) error { return a.Store.SQL().PingContext(ctx) })
	health.SetReady(true)
	api := a.api(rooms)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/healthz":
			health.Live(w, r)
		case "/readyz":
			health.Ready(w, r)
		default:
			api.ServeHTTP(w, r)
		}
	})
}
