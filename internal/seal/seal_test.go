package seal

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const context = "password of registry 1"

func open(t *testing.T, dir, env string) *Box {
	t.Helper()
	b, err := Open(dir, env)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func sealed(t *testing.T, b *Box, plain string) []byte {
	t.Helper()
	s, err := b.Seal([]byte(plain), context)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func envKey(b byte) string {
	return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, 32))
}

func TestRoundTrip(t *testing.T) {
	b := open(t, "", envKey(1))
	for _, plain := range []string{"", "s3cret", strings.Repeat("x", 1<<16)} {
		s := sealed(t, b, plain)
		got, err := b.Open(s, context)
		if err != nil || string(got) != plain {
			t.Errorf("%d bytes came back as %d (%v)", len(plain), len(got), err)
		}
		if len(plain) > 0 && bytes.Contains(s, []byte(plain)) {
			t.Error("the sealed bytes show the secret")
		}
	}
}

func TestTheSameSecretNeverLooksTheSame(t *testing.T) {
	b := open(t, "", envKey(1))
	if bytes.Equal(sealed(t, b, "a"), sealed(t, b, "a")) {
		t.Error("two seals are equal")
	}
}

func TestTamper(t *testing.T) {
	b := open(t, "", envKey(1))
	s := sealed(t, b, "s3cret")
	for n := range s {
		changed := bytes.Clone(s)
		changed[n] ^= 1
		if _, err := b.Open(changed, context); err == nil {
			t.Fatalf("opened with byte %d changed", n)
		}
		if _, err := b.Open(s[:n], context); !errors.Is(err, ErrDamaged) {
			t.Fatalf("opened the first %d bytes (%v)", n, err)
		}
	}
	if _, err := b.Open(append(s, 0), context); !errors.Is(err, ErrDamaged) {
		t.Errorf("opened with a byte more (%v)", err)
	}
	if _, err := b.Open(nil, context); !errors.Is(err, ErrDamaged) {
		t.Errorf("opened nothing (%v)", err)
	}
}

func TestAnotherContext(t *testing.T) {
	b := open(t, "", envKey(1))
	_, err := b.Open(sealed(t, b, "s3cret"), "password of registry 2")
	if !errors.Is(err, ErrDamaged) {
		t.Errorf("opened elsewhere (%v)", err)
	}
}

func TestAnotherKey(t *testing.T) {
	s := sealed(t, open(t, "", envKey(1)), "s3cret")
	_, err := open(t, "", envKey(2)).Open(s, context)
	if !errors.Is(err, ErrOtherKey) || !strings.Contains(err.Error(), "cannot be opened with this key") {
		t.Errorf("error %v", err)
	}
}

func TestKeyFile(t *testing.T) {
	dir := t.TempDir()
	s := sealed(t, open(t, dir, ""), "s3cret")
	info, err := os.Stat(filepath.Join(dir, KeyFile))
	if err != nil || info.Mode().Perm() != fs.FileMode(0o600) {
		t.Fatalf("key file %v (%v), want mode 0600", info, err)
	}
	if got, err := open(t, dir, "").Open(s, context); err != nil || string(got) != "s3cret" {
		t.Errorf("after a restart: %q (%v)", got, err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("files left behind: %v (%v)", files, err)
	}
}

func TestTwoFirstStartsMakeOneKey(t *testing.T) {
	dir := t.TempDir()
	boxes := make([]*Box, 8)
	var all sync.WaitGroup
	for n := range boxes {
		all.Go(func() { boxes[n], _ = Open(dir, "") })
	}
	all.Wait()
	s := sealed(t, boxes[0], "s3cret")
	for n, b := range boxes {
		if b == nil {
			t.Fatalf("start %d failed", n)
		}
		if _, err := b.Open(s, context); err != nil {
			t.Errorf("start %d has another key: %v", n, err)
		}
	}
}

func TestTheEnvironmentWins(t *testing.T) {
	dir := t.TempDir()
	s := sealed(t, open(t, dir, envKey(1)), "s3cret")
	if _, err := open(t, "", " "+envKey(1)+"\n").Open(s, context); err != nil {
		t.Error(err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 0 {
		t.Errorf("files made although the key was given: %v (%v)", files, err)
	}
}

func TestBadKeys(t *testing.T) {
	for _, env := range []string{"x", "c2hvcnQ=", envKey(1) + "AAAA", strings.Repeat("!", 44)} {
		_, err := Open(t.TempDir(), env)
		if err == nil || !strings.Contains(err.Error(), "DOGWATCH_ENCRYPTION_KEY is not a key") {
			t.Errorf("key %q: error %v", env, err)
		}
		if err != nil && len(env) > 4 && strings.Contains(err.Error(), env) {
			t.Errorf("the error shows the key: %v", err)
		}
	}
	if _, err := New(make([]byte, 31)); err == nil {
		t.Error("a key of 31 bytes was taken")
	}
}

func TestBadKeyFiles(t *testing.T) {
	for name, file := range map[string]struct {
		text string
		mode fs.FileMode
		want string
	}{
		"open to others": {envKey(1), 0o644, "chmod 600"},
		"empty":          {"", 0o600, "is not a key"},
		"damaged":        {envKey(1)[:40], 0o600, "is not a key"},
	} {
		path := filepath.Join(t.TempDir(), KeyFile)
		if err := os.WriteFile(path, []byte(file.text), file.mode); err != nil {
			t.Fatal(err)
		}
		_, err := Open(filepath.Dir(path), "")
		if err == nil || !strings.Contains(err.Error(), file.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v, want the path and %q", name, err, file.want)
		}
		if text, err := os.ReadFile(path); err != nil || string(text) != file.text {
			t.Errorf("%s: the file was changed (%v)", name, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	b, err := Open("", envKey(1))
	if err != nil {
		f.Fatal(err)
	}
	b.random = bytes.NewReader(make([]byte, nonceSize)) // the same seal in every fuzzing process
	good, err := b.Seal([]byte("s3cret"), context)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good, context)
	f.Add(good[:20], context)
	f.Add([]byte{1}, "")
	f.Fuzz(func(t *testing.T, s []byte, c string) {
		plain, err := b.Open(s, c)
		if err == nil && (!bytes.Equal(s, good) || c != context || string(plain) != "s3cret") {
			t.Errorf("%x opened as %q for %q", s, plain, c)
		}
	})
}
