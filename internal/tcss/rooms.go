package tcss

import (
	"context"
	"io"
	"time"

	"dogwatch/internal/clock"
	"dogwatch/internal/cloudapi"
	"dogwatch/internal/finding"
	"dogwatch/internal/registry"
	"dogwatch/internal/scan"
	"dogwatch/internal/store"
)

// Scans starts and stops scans, synchronises and removes registries (scan.Service).
type Scans interface {
	Start(ctx context.Context, accountID int64, req scan.Request) (*store.Run, error)
	Stop(ctx context.Context, accountID int64, req scan.StopRequest) error
	SyncNow(ctx context.Context, accountID int64, registryIDs []int64) error
	RemoveRegistry(ctx context.Context, accountID, registryID int64) error
}

// Findings lists what is wrong with an image (finding.Service).
type Findings interface {
	Vulnerabilities(ctx context.Context, accountID, imageID int64, q finding.Query) (finding.Page[finding.Vulnerability], error)
	Viruses(ctx context.Context, accountID, imageID int64, q finding.Query) (finding.Page[finding.Virus], error)
	Risks(ctx context.Context, accountID, imageID int64, q finding.Query) (finding.Page[finding.Risk], error)
}

// Sealer encrypts credentials at rest (seal.Box).
type Sealer interface {
	Seal(plain []byte, context string) ([]byte, error)
	Open(sealed []byte, context string) ([]byte, error)
}

// Rooms are what the actions translate to. Every field is required.
type Rooms struct {
	Store    *store.Store
	Scans    Scans
	Findings Findings
	Sealer   Sealer
	// Open makes the client that tests a connection; it opens none by itself.
	Open func(registry.Target) (registry.Client, error)
	// PublicURL is the base address registries reach this server by, for
	// webhook addresses: "https://dogwatch.example.org".
	PublicURL string
	Clock     clock.Clock
	Random    io.Reader // source of webhook tokens
	Location  *time.Location
}

// actions are the functions behind the API.
type actions struct{ Rooms }

// Register adds the actions to the API.
func Register(api *cloudapi.API, rooms Rooms) {
	a := &actions{rooms}
	a.registerTimingTask(api)
	a.registerRegistries(api)
	a.registerSync(api)
	a.registerImages(api)
	a.registerScans(api)
	a.registerFindings(api)
	a.registerLicences(api)
}

// empty is the answer of actions that only say that they were done.
type empty struct{}
