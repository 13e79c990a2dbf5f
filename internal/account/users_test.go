package account

import (
	"context"
	"errors"
	"strings"
	"testing"

	"dogwatch/internal/store"
)

const password = "correct horse battery"

func TestSignIn(t *testing.T) {
	f, _, _ := first(t)
	if err := f.CreateUser(t.Context(), Default, "ann", "operator", password); err != nil {
		t.Fatal(err)
	}
	u, err := f.SignIn(t.Context(), "ann", password)
	if err != nil || u.Name != "ann" || u.Role != "operator" || u.PasswordHash != "" {
		t.Errorf("user %+v (%v)", u, err)
	}
	for _, c := range [][2]string{
		{"ann", "wrong horse battery"}, {"ann", ""}, {"bob", password}, {"", ""}, {"ann\x00", password},
		{"ann", strings.Repeat("x", maxPassword+1)},
	} {
		if u, err := f.SignIn(t.Context(), c[0], c[1]); !errors.Is(err, ErrSignIn) || u != nil {
			t.Errorf("%q signed in as %+v (%v)", c, u, err)
		}
	}
	if err := f.DisableUser(t.Context(), "ann"); err != nil {
		t.Fatal(err)
	}
	if _, err := f.SignIn(t.Context(), "ann", password); !errors.Is(err, ErrSignIn) {
		t.Errorf("a disabled user: error %v", err)
	}
}

func TestNobodyHasNoPassword(t *testing.T) {
	f, _, _ := first(t)
	if right, err := f.matches(t.Context(), nobody, ""); right || err != nil {
		t.Errorf("the hash of nobody matches (%v)", err)
	}
}

func TestSetPassword(t *testing.T) {
	f, _, _ := first(t)
	if err := f.CreateUser(t.Context(), Default, "ann", "read-only", password); err != nil {
		t.Fatal(err)
	}
	if err := f.SetPassword(t.Context(), "ann", "another horse"); err != nil {
		t.Fatal(err)
	}
	if _, err := f.SignIn(t.Context(), "ann", password); !errors.Is(err, ErrSignIn) {
		t.Errorf("the former password: error %v", err)
	}
	if _, err := f.SignIn(t.Context(), "ann", "another horse"); err != nil {
		t.Errorf("the new password: %v", err)
	}
	if err := f.SetPassword(t.Context(), "bob", password); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("unknown user: error %v", err)
	}
}

func TestUserRules(t *testing.T) {
	f, _, _ := first(t)
	for _, c := range []struct{ account, name, role, password string }{
		{Default, "ann", "operator", "short"},
		{Default, "ann", "operator", strings.Repeat("x", maxPassword+1)},
		{Default, "ann", "king", password},
		{Default, "", "operator", password},
		{Default, "a b", "operator", password},
		{"nobody", "ann", "operator", password},
	} {
		err := f.CreateUser(t.Context(), c.account, c.name, c.role, c.password)
		if err == nil {
			t.Errorf("%+v was taken", c)
		}
		if err != nil && strings.Contains(err.Error(), c.password) {
			t.Errorf("the error shows the password: %v", err)
		}
	}
	if err := f.CreateUser(t.Context(), Default, "ann", "operator", "十个字的密码也可以用"); err != nil {
		t.Errorf("ten characters: %v", err)
	}
	if err := f.CreateUser(t.Context(), Default, "ann", "operator", password); !errors.Is(err, store.ErrTaken) {
		t.Errorf("a second ann: error %v", err)
	}
	list, err := f.ListUsers(t.Context(), Default)
	if err != nil || len(list) != 1 || list[0].PasswordHash != "" {
		t.Errorf("users %+v (%v)", list, err)
	}
}

func TestHashes(t *testing.T) {
	f, _, _ := first(t)
	a, err := f.hash(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	b, err := f.hash(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	if a == b || !strings.HasPrefix(a, "$argon2id$v=19$m=19456,t=2,p=1$") || strings.Contains(a, password) {
		t.Errorf("hashes %q and %q", a, b)
	}
	for _, broken := range []string{"", "plain", hashForm, hashForm + "AAAA", strings.Replace(a, "m=19456", "m=1", 1)} {
		if right, err := f.matches(t.Context(), broken, password); right || err == nil {
			t.Errorf("hash %q: right %v, error %v", broken, right, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	f.hashes <- struct{}{}
	f.hashes <- struct{}{}
	cancel()
	if _, err := f.hash(ctx, password); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller who left waits on: %v", err)
	}
}
