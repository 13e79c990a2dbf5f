package account

import (
	"crypto/rand"
	"errors"
	"io"
	mathrand "math/rand/v2"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"dogwatch/internal/clock"
	"dogwatch/internal/cloudapi"
	"dogwatch/internal/seal"
	"dogwatch/internal/store"
)

var _ cloudapi.KeyStore = (*Service)(nil)

// fixture is a service over a fresh store.
type fixture struct {
	*Service
	store *store.Store
	clock *clock.Fake
}

func newFixture(t *testing.T, random io.Reader) *fixture {
	t.Helper()
	st, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "dogwatch.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() }) //nolint:errcheck // nothing to lose
	box, err := seal.Open(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	c := clock.NewFake(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC))
	return &fixture{New(st, box, c, random), st, c}
}

// first is a service after its first start, with the key it made.
func first(t *testing.T) (f *fixture, id, secret string) {
	t.Helper()
	f = newFixture(t, rand.Reader)
	created, id, secret, err := f.EnsureDefault(t.Context(), "", "")
	if err != nil || !created {
		t.Fatalf("first start: created %v (%v)", created, err)
	}
	return f, id, secret
}

func TestFirstStart(t *testing.T) {
	f, id, secret := first(t)
	if !regexp.MustCompile(`^AKID[A-Za-z0-9]{32}$`).MatchString(id) || !regexp.MustCompile(`^[A-Za-z0-9]{32}$`).MatchString(secret) {
		t.Errorf("key %q with a secret of %d characters", id, len(secret))
	}
	k, err := f.Key(t.Context(), id)
	if err != nil || k.SecretKey != secret || k.Role != cloudapi.RoleAdministrator || k.Disabled {
		t.Errorf("key %+v (%v)", k, err)
	}
	a, err := f.store.AccountByName(t.Context(), Default)
	if err != nil || a.ID != k.AccountID || a.FirstPrice != 10 || a.AgainPrice != 1 || a.SyncMinute < 0 || a.SyncMinute > 179 {
		t.Errorf("account %+v (%v)", a, err)
	}
	created, id2, secret2, err := f.EnsureDefault(t.Context(), "AKIDother", strings.Repeat("s", 32))
	if created || id2 != "" || secret2 != "" || err != nil {
		t.Errorf("second start: created %v, id %q (%v)", created, id2, err)
	}
}

func TestFirstStartWithAGivenKey(t *testing.T) {
	f := newFixture(t, rand.Reader)
	secret := strings.Repeat("s", 32)
	created, id, got, err := f.EnsureDefault(t.Context(), "AKIDgiven", secret)
	if !created || id != "AKIDgiven" || got != secret || err != nil {
		t.Fatalf("created %v, id %q (%v)", created, id, err)
	}
	if k, err := f.Key(t.Context(), "AKIDgiven"); err != nil || k.SecretKey != secret {
		t.Errorf("key of %q (%v)", k.SecretID, err)
	}
}

func TestFirstStartWithABadKey(t *testing.T) {
	for _, bad := range [][2]string{
		{"", strings.Repeat("s", 32)}, {"AKIDgiven", ""}, {"AKIDgiven", "short"},
		{"a/b/c", strings.Repeat("s", 32)}, {"a, b=c", strings.Repeat("s", 32)}, {"AKID\n1", strings.Repeat("s", 32)},
	} {
		f := newFixture(t, rand.Reader)
		_, _, _, err := f.EnsureDefault(t.Context(), bad[0], bad[1])
		if err == nil {
			t.Errorf("%q was taken", bad)
			continue
		}
		if bad[1] != "" && strings.Contains(err.Error(), bad[1]) {
			t.Errorf("the error shows the secret: %v", err)
		}
		if _, err := f.store.AccountByName(t.Context(), Default); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%q: an account was left behind (%v)", bad, err)
		}
	}
}

func TestTheSecretIsSealedInItsPlace(t *testing.T) {
	f, id, secret := first(t)
	row, err := f.store.KeyBySecretID(t.Context(), id)
	if err != nil || strings.Contains(string(row.SealedSecret), secret) {
		t.Fatalf("the secret lies open (%v)", err)
	}
	// Moved to another account's row, it does not open.
	moved := *row
	moved.ID, moved.SecretID, moved.AccountID = 0, "AKIDmoved", row.AccountID+1
	if err := f.store.InsertKey(t.Context(), &moved); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Key(t.Context(), "AKIDmoved"); !errors.Is(err, seal.ErrDamaged) {
		t.Errorf("a moved secret: error %v", err)
	}
}

func TestKeys(t *testing.T) {
	f, id, _ := first(t)
	reader, secret, err := f.CreateKey(t.Context(), Default, "read-only", "for the dashboard")
	if err != nil {
		t.Fatal(err)
	}
	k, err := f.Key(t.Context(), reader)
	if err != nil || k.Role != cloudapi.RoleReadOnly || k.SecretKey != secret {
		t.Errorf("key %q with role %v (%v)", k.SecretID, k.Role, err)
	}
	list, err := f.ListKeys(t.Context(), Default)
	if err != nil || len(list) != 2 || list[0].SecretID != id || list[1].Note != "for the dashboard" || list[1].Role != "read-only" {
		t.Errorf("list %+v (%v)", list, err)
	}
	if _, err := f.Key(t.Context(), "AKIDunknown"); !errors.Is(err, cloudapi.ErrNoKey) {
		t.Errorf("unknown key: error %v", err)
	}
	if _, _, err := f.CreateKey(t.Context(), Default, "root", ""); err == nil {
		t.Error("an unknown role was taken")
	}
	if _, _, err := f.CreateKey(t.Context(), "nobody", "operator", ""); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("unknown account: error %v", err)
	}
}

func TestADisabledKeyStopsAtOnce(t *testing.T) {
	f, id, _ := first(t)
	if k, err := f.Key(t.Context(), id); err != nil || k.Disabled {
		t.Fatalf("key %q (%v)", k.SecretID, err)
	}
	if _, err := f.Create(t.Context(), "other"); err != nil {
		t.Fatal(err)
	}
	if err := f.DisableKey(t.Context(), "other", id); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("another account disabled it: %v", err)
	}
	if k, err := f.Key(t.Context(), id); err != nil || k.Disabled {
		t.Errorf("after another account's attempt: disabled %v (%v)", k.Disabled, err)
	}
	if err := f.DisableKey(t.Context(), Default, id); err != nil {
		t.Fatal(err)
	}
	if k, err := f.Key(t.Context(), id); err != nil || !k.Disabled {
		t.Errorf("the key still works: disabled %v (%v)", k.Disabled, err)
	}
}

func TestAKeyDisabledElsewhereStopsInTwoSeconds(t *testing.T) {
	f, id, _ := first(t)
	read := func() bool {
		k, err := f.Key(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return k.Disabled
	}
	read()
	if err := f.store.SetKeyDisabled(t.Context(), id, true); err != nil {
		t.Fatal(err)
	}
	f.clock.Advance(cacheLife - time.Millisecond)
	if read() {
		t.Error("the key was read again too early")
	}
	f.clock.Advance(time.Millisecond)
	if !read() {
		t.Error("the key was not read again after two seconds")
	}
}

func TestTheCacheIsBoundedAndForgetsOldReads(t *testing.T) {
	c := newKeyCache(clock.NewFake(time.Unix(0, 0)))
	_, generation, _ := c.get("a")
	for n := range 3 * cacheSize {
		c.put(cloudapi.Key{SecretID: strings.Repeat("k", n+1)}, generation)
	}
	if len(c.keys) > cacheSize {
		t.Errorf("%d keys, want at most %d", len(c.keys), cacheSize)
	}
	c.drop("a")
	c.put(cloudapi.Key{SecretID: "a"}, generation) // read before the drop
	if _, _, ok := c.get("a"); ok {
		t.Error("a key read before it was dropped came back")
	}
}

func TestSecretsComeFromTheGivenSource(t *testing.T) {
	made := func(seed byte) string {
		f := newFixture(t, mathrand.NewChaCha8([32]byte{seed}))
		id, secret, err := f.newKey()
		if err != nil {
			t.Fatal(err)
		}
		return id + secret
	}
	first, again, other := made(1), made(1), made(2)
	if first != again || first == other {
		t.Error("the same source must give the same key, another source another one")
	}
	f := newFixture(t, strings.NewReader("too short"))
	if _, _, err := f.newKey(); err == nil {
		t.Error("a source that ran dry made a key")
	}
}

func TestAlphanumericsAreEvenlySpread(t *testing.T) {
	f := newFixture(t, mathrand.NewChaCha8([32]byte{7}))
	text, err := f.alphanumerics(62_000)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range alphabet {
		if n := strings.Count(text, string(r)); n < 800 || n > 1200 {
			t.Errorf("%q occurs %d times in 62,000; about 1,000 are expected", r, n)
		}
	}
}
