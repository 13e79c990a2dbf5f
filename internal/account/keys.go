package account

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"dogwatch/internal/cloudapi"
	"dogwatch/internal/store"
)

// The form of the keys that are made here.
const (
	idPrefix   = "AKID"
	secretSize = 32
	alphabet   = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
)

// minSecret is the least length of a SecretKey that is brought along.
const minSecret = 16

// validID is what a SecretID may be: it stands between slashes and commas in a
// signature header.
var validID = regexp.MustCompile(`^[A-Za-z0-9_-]{4,128}$`)

// KeyInfo is an access key without its secret.
type KeyInfo struct {
	SecretID  string
	Role      string
	Disabled  bool
	Note      string
	CreatedAt store.Moment
}

// CreateKey makes an access key for the account of that name. The secret is
// returned this once.
func (s *Service) CreateKey(ctx context.Context, account, role, note string) (secretID, secretKey string, err error) {
	r, err := ParseRole(role)
	if err != nil {
		return "", "", err
	}
	a, err := s.find(ctx, account)
	if err != nil {
		return "", "", err
	}
	if secretID, secretKey, err = s.newKey(); err != nil {
		return "", "", err
	}
	if err := s.insertKey(ctx, s.store.DB, a.ID, secretID, secretKey, r, note); err != nil {
		return "", "", err
	}
	return secretID, secretKey, nil
}

// ListKeys lists the keys of the account of that name.
func (s *Service) ListKeys(ctx context.Context, account string) ([]KeyInfo, error) {
	a, err := s.find(ctx, account)
	if err != nil {
		return nil, err
	}
	rows, err := s.store.Keys(ctx, a.ID)
	if err != nil {
		return nil, fmt.Errorf("account: %w", err)
	}
	list := make([]KeyInfo, len(rows))
	for i, k := range rows {
		list[i] = KeyInfo{SecretID: k.SecretID, Role: k.Role, Disabled: k.Disabled, Note: k.Note, CreatedAt: k.CreatedAt}
	}
	return list, nil
}

// DisableKey stops a key of the account of that name from signing: at once in
// this process, within two seconds in others.
func (s *Service) DisableKey(ctx context.Context, account, secretID string) error {
	a, err := s.find(ctx, account)
	if err != nil {
		return err
	}
	k, err := s.store.KeyBySecretID(ctx, secretID)
	if err == nil && k.AccountID != a.ID {
		err = store.ErrNotFound
	}
	if err == nil {
		err = s.store.SetKeyDisabled(ctx, secretID, true)
	}
	s.cache.drop(secretID)
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("account: %q has no key %q: %w", account, secretID, store.ErrNotFound)
	}
	if err != nil {
		return fmt.Errorf("account: %w", err)
	}
	return nil
}

// Key finds an access key for the API; it makes the service a cloudapi.KeyStore.
func (s *Service) Key(ctx context.Context, secretID string) (cloudapi.Key, error) {
	k, generation, ok := s.cache.get(secretID)
	if ok {
		return k, nil
	}
	row, err := s.store.KeyBySecretID(ctx, secretID)
	if errors.Is(err, store.ErrNotFound) {
		return cloudapi.Key{}, cloudapi.ErrNoKey
	}
	if err != nil {
		return cloudapi.Key{}, fmt.Errorf("account: %w", err)
	}
	if k, err = s.unseal(row); err != nil {
		return cloudapi.Key{}, err
	}
	s.cache.put(k, generation)
	return k, nil
}

func (s *Service) unseal(row *store.AccessKey) (cloudapi.Key, error) {
	role, err := ParseRole(row.Role)
	if err != nil {
		return cloudapi.Key{}, err
	}
	secret, err := s.box.Open(row.SealedSecret, keyContext(row.AccountID, row.SecretID))
	if err != nil {
		return cloudapi.Key{}, fmt.Errorf("account: %w", err)
	}
	return cloudapi.Key{
		SecretID: row.SecretID, SecretKey: string(secret),
		AccountID: row.AccountID, Role: role, Disabled: row.Disabled,
	}, nil
}

func (s *Service) insertKey(
	ctx context.Context, db *store.DB, accountID int64, id, secret string, role cloudapi.Role, note string,
) error {
	sealed, err := s.box.Seal([]byte(secret), keyContext(accountID, id))
	if err != nil {
		return fmt.Errorf("account: %w", err)
	}
	err = db.InsertKey(ctx, &store.AccessKey{
		AccountID: accountID, SecretID: id, SealedSecret: sealed,
		Role: role.String(), Note: note, CreatedAt: store.At(s.clock.Now()),
	})
	if err != nil {
		return fmt.Errorf("account: %w", err)
	}
	return nil
}

// newKey makes a SecretID and a SecretKey.
func (s *Service) newKey() (id, secret string, err error) {
	if id, err = s.alphanumerics(secretSize); err != nil {
		return "", "", err
	}
	secret, err = s.alphanumerics(secretSize)
	return idPrefix + id, secret, err
}

// alphanumerics is a random text of n letters and digits, each equally likely.
func (s *Service) alphanumerics(n int) (string, error) {
	const fair = 256 - 256%len(alphabet)
	out := make([]byte, 0, n)
	for len(out) < n {
		some, err := s.bytes(n - len(out))
		if err != nil {
			return "", err
		}
		for _, b := range some {
			if int(b) < fair {
				out = append(out, alphabet[int(b)%len(alphabet)])
			}
		}
	}
	return string(out), nil
}

// checkKey tells what is wrong with a key that is brought along.
func checkKey(id, secret string) error {
	if !validID.MatchString(id) {
		return fmt.Errorf("account: DOGWATCH_SECRET_ID %q must be 4 to 128 letters, digits, hyphens and underscores", id)
	}
	if len(secret) < minSecret {
		return fmt.Errorf("account: DOGWATCH_SECRET_KEY must have at least %d characters", minSecret)
	}
	return nil
}

func keyContext(accountID int64, secretID string) string {
	return fmt.Sprintf("access key %s of account %d", secretID, accountID)
}
