package app

import (
	"crypto/rand"
	"net/http"
	"time"

	"dogwatch/internal/clock"
	"dogwatch/internal/cloudapi"
	"dogwatch/internal/finding"
	"dogwatch/internal/registry"
	"dogwatch/internal/tcss"
)

// Service and version of the API that is spoken.
const (
	apiService = "tcss"
	apiVersion = "2020-11-01"
)

// apiRooms is what the API needs besides the installation.
type apiRooms struct {
	options  registry.Options
	findings *finding.Service
	location *time.Location
	clock    clock.Clock
}

// api is the handler of the signed API.
func (a *App) api(rooms *apiRooms, publicURL string) http.Handler {
	api := cloudapi.NewAPI(apiService, apiVersion)
	tcss.Register(api, tcss.Rooms{
		Store:     a.Store,
		Scans:     a.Scans,
		Findings:  rooms.findings,
		Sealer:    a.Box,
		Open:      func(t registry.Target) (registry.Client, error) { return registry.Open(t, rooms.options) },
		PublicURL: publicURL,
		Clock:     rooms.clock,
		Random:    rand.Reader,
		Location:  rooms.location,
	})
	for _, action := range api.Actions() {
		a.metrics.KnowActions(action.Name)
	}
	return cloudapi.NewServer(api, cloudapi.Options{
		Keys:               a.Accounts,
		Now:                time.Now, // signatures are judged by the machine's clock
		Random:             rand.Reader,
		RateLimit:          a.cfg.RateLimit,
		Burst:              burst(a.cfg.RateLimit),
		Logger:             a.logger,
		TrustForwardedHost: a.cfg.TrustForwardedHost,
		Observe:            a.metrics.ObserveRequest,
	})
}

// burst lets a client that was quiet send a little more than a second's share at once.
func burst(rate float64) int { return max(1, int(rate*1.25)) }
