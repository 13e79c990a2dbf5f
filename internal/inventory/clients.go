package inventory

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"dogwatch/internal/registry"
	"dogwatch/internal/store"
)

// Clients hands out the client of a registry. An unknown registry, or one of
// another account, is store.ErrNotFound.
type Clients interface {
	Client(ctx context.Context, accountID, registryID int64) (registry.Client, error)
}

// Unsealer opens what is encrypted at rest (seal.Box). Passwords are sealed
// under store.Registry.PasswordContext.
type Unsealer interface {
	Open(sealed []byte, context string) ([]byte, error)
}

// StoredClients opens clients from registry rows and keeps them, with their
// tokens and connections, until the row changes.
type StoredClients struct {
	store   *store.Store
	box     Unsealer
	options registry.Options

	mu   sync.Mutex
	open map[int64]openClient
}

// openClient is a client and what it was opened from.
type openClient struct {
	from   origin
	client registry.Client
}

// origin is all of a row that a client depends on. UpdatedAt alone would not
// do: two updates may fall into one millisecond.
type origin struct {
	updatedAt                   store.Moment
	kind, url, username, sealed string
	insecure                    bool
	speedLimit                  int64
	version, instanceID         string
}

// NewClients returns Clients over the rows of a store. The options are those of
// every client.
func NewClients(s *store.Store, box Unsealer, o registry.Options) *StoredClients {
	return &StoredClients{store: s, box: box, options: o, open: map[int64]openClient{}}
}

// Client is the client of one registry of an account.
func (c *StoredClients) Client(ctx context.Context, accountID, registryID int64) (registry.Client, error) {
	row, err := c.store.Registry(ctx, accountID, registryID)
	if errors.Is(err, store.ErrNotFound) {
		c.forget(registryID)
	}
	if err != nil {
		return nil, fmt.Errorf("inventory: registry %d of account %d: %w", registryID, accountID, err)
	}
	from := originOf(row)
	c.mu.Lock()
	defer c.mu.Unlock()
	if known, ok := c.open[registryID]; ok && known.from == from {
		return known.client, nil
	}
	client, err := c.openRow(row)
	if err != nil {
		return nil, fmt.Errorf("inventory: registry %d (%s): %w", registryID, row.Name, err)
	}
	c.open[registryID] = openClient{from: from, client: client}
	return client, nil
}

// forget drops the client of a registry that is gone. Asked for under the wrong
// account, a registry loses no more than a cached client.
func (c *StoredClients) forget(registryID int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, registryID)
}

func (c *StoredClients) openRow(row *store.Registry) (registry.Client, error) {
	target, err := Target(row, c.box)
	if err != nil {
		return nil, err
	}
	return registry.Open(target, c.options)
}

// Target is a registry row as the registry room reads it, with the password in
// clear.
func Target(row *store.Registry, box Unsealer) (registry.Target, error) {
	t := registry.Target{
		Type:       row.Type,
		URL:        row.URL,
		Username:   row.Username,
		Insecure:   row.Insecure,
		SpeedLimit: row.SpeedLimit,
		Version:    row.Version,
		InstanceID: row.InstanceID,
	}
	if len(row.SealedPassword) == 0 {
		return t, nil
	}
	plain, err := box.Open(row.SealedPassword, row.PasswordContext())
	if err != nil {
		return registry.Target{}, fmt.Errorf("opening the stored password (enter it again if the encryption key was changed): %w", err)
	}
	t.Password = string(plain)
	return t, nil
}

func originOf(row *store.Registry) origin {
	return origin{
		updatedAt:  row.UpdatedAt,
		kind:       row.Type,
		url:        row.URL,
		username:   row.Username,
		sealed:     string(row.SealedPassword),
		insecure:   row.Insecure,
		speedLimit: row.SpeedLimit,
		version:    row.Version,
		instanceID: row.InstanceID,
	}
}
