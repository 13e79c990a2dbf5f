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

func (s *servers) add(name string, l net.Listener) {
	s.list = append(s.list, &server{name: name, listener: l, http: &http.Server{
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

// stop lets calls under way be answered for a short while. It may be called
// again.
func (s *servers) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), answerFor)
	defer cancel()
	var errs []error
	for _, one := range s.list {
		err := one.http.Shutdown(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			s.logger.Warn("calls cut off by the stop", "server", one.name)
			err = one.http.Close()
		}
		errs = append(errs, err, closed(one.listener))
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
	listen := func(flag, name, address string, wrap func(net.Listener) (net.Listener, error)) error {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
		if err != nil {
			return fmt.Errorf("%s: %w", flag, err)
		}
		wrapped, err := wrap(l)
		if err != nil {
			return errors.Join(fmt.Errorf("%s: %w", flag, err), l.Close())
		}
		s.add(name, wrapped)
		return nil
	}
	if a.cfg.Listen != "" {
		quirk := func(l net.Listener) (net.Listener, error) { return cloudapi.QuirkListener(l), nil }
		if err := listen("listen", plainServer, a.cfg.Listen, quirk); err != nil {
			return s, err
		}
	}
	if a.cfg.ListenTLS != "" {
		if err := listen("listen-tls", tlsServer, a.cfg.ListenTLS, a.overTLS); err != nil {
			return s, err
		}
	}
	if a.cfg.MetricsListen != "" {
		plain := func(l net.Listener) (net.Listener, error) { return l, nil }
		if err := listen("metrics-listen", metricsServer, a.cfg.MetricsListen, plain); err != nil {
			return s, err
		}
	}
	a.serve(s, rooms)
	return s, nil
}

// serve gives each listener what it serves. The public address is only known
// once the ports are.
func (a *App) serve(s *servers, rooms *apiRooms) {
	public := a.cfg.publicURL("http", s.address(plainServer))
	if over := s.address(tlsServer); over != "" {
		public = a.cfg.publicURL("https", over)
	}
	api := a.handler(rooms, public)
	metrics := http.NewServeMux()
	metrics.Handle("GET /metrics", a.metrics.Handler())
	for _, one := range s.list {
		one.http.Handler = api
		if one.name == metricsServer {
			one.http.Handler = metrics
		}
	}
}

func (a *App) overTLS(l net.Listener) (net.Listener, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
	if err := a.certificate(config); err != nil {
		return nil, err
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
func (a *App) handler(rooms *apiRooms, publicURL string) http.Handler {
	health := &telemetry.Health{}
	health.Add("database", func(ctx context.Context) error { return a.Store.SQL().PingContext(ctx) })
	health.SetReady(true)
	api := a.api(rooms, publicURL)
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
