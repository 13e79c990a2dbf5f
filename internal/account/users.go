package account

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"dogwatch/internal/store"
)

// Lengths of a password: at least so many characters, at most so many bytes.
const (
	minPassword = 10
	maxPassword = 1024
)

// ErrSignIn says that a name or a password is wrong, and not which.
var ErrSignIn = errors.New("account: the user name or the password is wrong")

var validUser = regexp.MustCompile(`^[A-Za-z0-9._@-]{1,64}$`)

// CreateUser adds a console user to the account of that name.
func (s *Service) CreateUser(ctx context.Context, account, name, role, password string) error {
	if !validUser.MatchString(name) {
		return fmt.Errorf("account: user name %q must be 1 to 64 letters, digits and . _ @ -", name)
	}
	r, err := ParseRole(role)
	if err != nil {
		return err
	}
	a, err := s.find(ctx, account)
	if err != nil {
		return err
	}
	hash, err := s.hash(ctx, password)
	if err != nil {
		return err
	}
	err = s.store.InsertUser(ctx, &store.User{
		AccountID: a.ID, Name: name, PasswordHash: hash, Role: r.String(), CreatedAt: store.At(s.clock.Now()),
	})
	if errors.Is(err, store.ErrTaken) {
		return fmt.Errorf("account: a user is called %q already: %w", name, err)
	}
	if err != nil {
		return fmt.Errorf("account: %w", err)
	}
	return nil
}

// ListUsers lists the console users of the account of that name.
func (s *Service) ListUsers(ctx context.Context, account string) ([]store.User, error) {
	a, err := s.find(ctx, account)
	if err != nil {
		return nil, err
	}
	list, err := s.store.Users(ctx, a.ID)
	if err != nil {
		return nil, fmt.Errorf("account: %w", err)
	}
	for i := range list {
		list[i].PasswordHash = ""
	}
	return list, nil
}

// SetPassword replaces the password of a user.
func (s *Service) SetPassword(ctx context.Context, name, password string) error {
	hash, err := s.hash(ctx, password)
	if err != nil {
		return err
	}
	err = s.store.SetUserPassword(ctx, name, hash)
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("account: no user is called %q: %w", name, err)
	}
	if err != nil {
		return fmt.Errorf("account: %w", err)
	}
	return nil
}

// DisableUser stops a user from signing in.
func (s *Service) DisableUser(ctx context.Context, name string) error {
	if err := s.store.SetUserDisabled(ctx, name, true); err != nil {
		return fmt.Errorf("account: %w", err)
	}
	return nil
}

// SignIn is the user with that name and password; ErrSignIn when there is none,
// or none that may sign in. All failures take the same time.
func (s *Service) SignIn(ctx context.Context, name, password string) (*store.User, error) {
	u, err := s.store.UserByName(ctx, name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("account: %w", err)
	}
	stored := nobody
	if err == nil && !u.Disabled {
		stored = u.PasswordHash
	}
	right, err := s.matches(ctx, stored, password)
	if err != nil {
		return nil, err
	}
	if !right || stored == nobody {
		return nil, ErrSignIn
	}
	u.PasswordHash = ""
	return u, nil
}

// Costs of a hash: 19 MiB, two passes, one lane.
const (
	hashMemory = 19 << 10
	hashTime   = 2
	hashSize   = 32
	saltSize   = 16
	hashForm   = "$argon2id$v=19$m=19456,t=2,p=1$"
)

// nobody is the hash that unknown users are checked against.
var nobody = hashForm + base64.RawStdEncoding.EncodeToString(make([]byte, saltSize)) +
	"$" + base64.RawStdEncoding.EncodeToString(make([]byte, hashSize))

func (s *Service) hash(ctx context.Context, password string) (string, error) {
	if utf8.RuneCountInString(password) < minPassword {
		return "", fmt.Errorf("account: a password needs at least %d characters", minPassword)
	}
	if len(password) > maxPassword {
		return "", fmt.Errorf("account: a password has at most %d bytes", maxPassword)
	}
	salt, err := s.bytes(saltSize)
	if err != nil {
		return "", err
	}
	sum, err := s.derive(ctx, password, salt)
	if err != nil {
		return "", err
	}
	return hashForm + base64.RawStdEncoding.EncodeToString(salt) + "$" + base64.RawStdEncoding.EncodeToString(sum), nil
}

// matches tells whether stored is the hash of password.
func (s *Service) matches(ctx context.Context, stored, password string) (bool, error) {
	if len(password) > maxPassword {
		return false, nil
	}
	rest, ok := strings.CutPrefix(stored, hashForm)
	head, tail, also := strings.Cut(rest, "$")
	salt, err := base64.RawStdEncoding.DecodeString(head)
	want, err2 := base64.RawStdEncoding.DecodeString(tail)
	if !ok || !also || err != nil || err2 != nil {
		return false, errors.New("account: a stored password hash has no known form; set the password again")
	}
	sum, err := s.derive(ctx, password, salt)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(sum, want) == 1, nil
}

// derive computes a hash when its turn comes.
func (s *Service) derive(ctx context.Context, password string, salt []byte) ([]byte, error) {
	select {
	case s.hashes <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("account: waiting to check a password: %w", ctx.Err())
	}
	defer func() { <-s.hashes }()
	return argon2.IDKey([]byte(password), salt, hashTime, hashMemory, 1, hashSize), nil
}
