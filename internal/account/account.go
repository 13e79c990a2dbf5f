// Package account keeps who may use Dogwatch.
//
// An account is a tenant. An access key (SecretID and SecretKey) signs API calls
// for one account; a console user signs in with a password. Both have a role:
// read-only, operator or administrator, each of which may do all that the ones
// before it may. Secret keys are sealed at rest, passwords are only kept as
// argon2id hashes, and no secret is ever shown twice.
package account

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math/big"
	"sync"

	"dogwatch/internal/clock"
	"dogwatch/internal/cloudapi"
	"dogwatch/internal/seal"
	"dogwatch/internal/store"
)

// Default is the name of the account that exists from the first start.
const Default = "default"

// Prices and times of a new account: a first scan costs 1, a later one 0.1, and
// the nightly synchronisation is at a random minute before 3:00.
const (
	firstPrice  = 10
	againPrice  = 1
	syncMinutes = 180
)

// Service is the accounts of an installation.
type Service struct {
	store  *store.Store
	box    *seal.Box
	clock  clock.Clock
	cache  *keyCache
	hashes chan struct{} // bounds the memory that password checks take together

	mu     sync.Mutex // guards random
	random io.Reader
}

// New returns the service. random must be unpredictable: secrets come from it.
func New(st *store.Store, box *seal.Box, c clock.Clock, random io.Reader) *Service {
	return &Service{
		store: st, box: box, clock: c, random: random,
		cache:  newKeyCache(c),
		hashes: make(chan struct{}, 2),
	}
}

// ParseRole reads a role by its word.
func ParseRole(word string) (cloudapi.Role, error) {
	for _, r := range []cloudapi.Role{cloudapi.RoleReadOnly, cloudapi.RoleOperator, cloudapi.RoleAdministrator} {
		if word == r.String() {
			return r, nil
		}
	}
	return 0, fmt.Errorf("account: no role is called %q; use read-only, operator or administrator", word)
}

// Create adds an account.
func (s *Service) Create(ctx context.Context, name string) (*store.Account, error) {
	return s.create(ctx, s.store.DB, name)
}

func (s *Service) create(ctx context.Context, db *store.DB, name string) (*store.Account, error) {
	if name == "" {
		return nil, errors.New("account: an account needs a name")
	}
	minute, err := s.number(syncMinutes)
	if err != nil {
		return nil, err
	}
	a := &store.Account{
		Name: name, CreatedAt: store.At(s.clock.Now()),
		FirstPrice: firstPrice, AgainPrice: againPrice, SyncMinute: minute,
	}
	if err := db.CreateAccount(ctx, a); err != nil {
		if errors.Is(err, store.ErrTaken) {
			return nil, fmt.Errorf("account: %q exists already: %w", name, err)
		}
		return nil, fmt.Errorf("account: %w", err)
	}
	return a, nil
}

// EnsureDefault makes the account "default" when it does not exist, and an
// administrator's key for it when it has no key at all: the given one, or a new
// one when both are empty. created tells that the key was made now; only then
// are id and key filled, for the one time they may be shown.
func (s *Service) EnsureDefault(ctx context.Context, secretID, secretKey string) (created bool, id, key string, err error) {
	err = s.store.Tx(ctx, func(ctx context.Context, db *store.DB, _ store.Enqueue) error {
		a, err := db.AccountByName(ctx, Default)
		if errors.Is(err, store.ErrNotFound) {
			a, err = s.create(ctx, db, Default)
		}
		if err != nil {
			return err
		}
		keys, err := db.Keys(ctx, a.ID)
		if err != nil || len(keys) > 0 {
			return err
		}
		id, key, err = s.firstKey(secretID, secretKey)
		if err != nil {
			return err
		}
		created = true
		return s.insertKey(ctx, db, a.ID, id, key, cloudapi.RoleAdministrator, "made at the first start")
	})
	if err != nil {
		return false, "", "", fmt.Errorf("account: first start: %w", err)
	}
	return created, id, key, nil
}

func (s *Service) firstKey(secretID, secretKey string) (id, key string, err error) {
	if secretID == "" && secretKey == "" {
		return s.newKey()
	}
	if err := checkKey(secretID, secretKey); err != nil {
		return "", "", err
	}
	return secretID, secretKey, nil
}

// find is the account with that name.
func (s *Service) find(ctx context.Context, name string) (*store.Account, error) {
	a, err := s.store.AccountByName(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("account: no account is called %q: %w", name, err)
	}
	if err != nil {
		return nil, fmt.Errorf("account: %w", err)
	}
	return a, nil
}

// number is a random number below n.
func (s *Service) number(n int64) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := rand.Int(s.random, big.NewInt(n))
	if err != nil {
		return 0, fmt.Errorf("account: random number: %w", err)
	}
	return v.Int64(), nil
}

// bytes are n random bytes.
func (s *Service) bytes(n int) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := make([]byte, n)
	if _, err := io.ReadFull(s.random, b); err != nil {
		return nil, fmt.Errorf("account: random bytes: %w", err)
	}
	return b, nil
}
