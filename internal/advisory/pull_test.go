package advisory_test

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dogwatch/internal/advisory"
)

// bucket behaves like the public export: ETags, escaped names, 404.
type bucket struct {
	files   map[string][]byte // by unescaped path
	served  []string          // escaped paths answered with 200
	answers map[string]func(w http.ResponseWriter)
}

func (b *bucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if answer := b.answers[r.URL.Path]; answer != nil {
		answer(w)
		return
	}
	data, ok := b.files[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	etag := fmt.Sprintf(`"%x"`, sha256.Sum256(data))
	w.Header().Set("ETag", etag)
	if r.Header.Get("If-None-Match") == etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	b.served = append(b.served, r.URL.EscapedPath())
	w.Write(data)
}

func startBucket(t *testing.T) (*bucket, string) {
	t.Helper()
	b := &bucket{answers: map[string]func(http.ResponseWriter){}, files: map[string][]byte{
		"/osv/ecosystems.txt":      []byte("npm\nRocky Linux\nRocky Linux:9\n\n"),
		"/osv/npm/all.zip":         archive(t, "npm", 6),
		"/osv/Rocky Linux/all.zip": archive(t, "Rocky Linux:9", 4),
	}}
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	return b, server.URL + "/osv/"
}

func TestPull(t *testing.T) {
	b, mirror := startBucket(t)
	dir := t.TempDir()
	pull := func(ecosystems ...string) advisory.Report {
		t.Helper()
		b.served = nil
		r, err := advisory.Pull(t.Context(), dir, mirror, ecosystems, advisory.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	first := pull()
	if first.Total != 10 || !first.Changed {
		t.Errorf("the first pull: %+v", first)
	}
	if diff := cmp.Diff([]string{"/osv/ecosystems.txt", "/osv/npm/all.zip", "/osv/Rocky%20Linux/all.zip"}, b.served); diff != "" {
		t.Error(diff)
	}
	second := pull("npm", "Rocky Linux")
	if second.Changed || second.Snapshot != first.Snapshot || len(b.served) != 0 {
		t.Errorf("nothing had changed: %+v, served %q", second, b.served)
	}
	if diff := cmp.Diff([]string{"npm", "Rocky Linux"}, second.Untouched); diff != "" {
		t.Error(diff)
	}
	b.files["/osv/npm/all.zip"] = archive(t, "npm", 8)
	third := pull("npm", "Rocky Linux")
	if third.Added != 2 || third.Same != 6 || third.Total != 12 || len(b.served) != 1 {
		t.Errorf("one archive had changed: %+v, served %q", third, b.served)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "download-*")); len(left) > 0 {
		t.Errorf("downloads left over: %q", left)
	}
}

func TestPullErrorsAreClear(t *testing.T) {
	b, mirror := startBucket(t)
	b.answers["/osv/Broken/all.zip"] = func(w http.ResponseWriter) {
		w.Header().Set("Content-Length", "100")
		w.Write([]byte("PK"))
	}
	b.answers["/osv/Denied/all.zip"] = func(w http.ResponseWriter) { w.WriteHeader(http.StatusForbidden) }
	b.files["/osv/Text/all.zip"] = []byte("<html>")
	withPassword := strings.Replace(mirror, "http://", "http://me:secret@", 1)
	tests := []struct{ mirror, ecosystem, want string }{
		{mirror, "NoSuch", "has no"},
		{mirror, "Denied", "403"},
		{mirror, "Broken", "unexpected EOF"},
		{mirror, "Text", "not a zip"},
		{mirror, "..", "not the name of an ecosystem"},
		{withPassword, "NoSuch", "has no"},
		{"ftp://example.org", "npm", "http://"},
		{"http://127.0.0.1:1", "npm", "cannot be reached"},
	}
	for _, tt := range tests {
		_, err := advisory.Pull(t.Context(), t.TempDir(), tt.mirror, []string{tt.ecosystem}, advisory.Options{})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.ecosystem, err, tt.want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
	if _, err := advisory.Pull(t.Context(), t.TempDir(), mirror, []string{"npm"}, advisory.Options{Limits: advisory.Limits{Archive: 10}}); err == nil {
		t.Error("the limit of a download was not kept")
	}
}

// ETags are remembered only once their records are in force: a pull that
// failed fetches again, and so does one into an emptied library.
func TestETagsFollowTheSnapshot(t *testing.T) {
	b, mirror := startBucket(t)
	dir := t.TempDir()
	if _, err := advisory.Pull(t.Context(), dir, mirror, []string{"npm", "NoSuch"}, advisory.Options{}); err == nil {
		t.Fatal("a missing ecosystem was no error")
	}
	b.served = nil
	r, err := advisory.Pull(t.Context(), dir, mirror, []string{"npm"}, advisory.Options{})
	if err != nil || len(b.served) != 1 || r.Total != 6 || r.Records != 6 {
		t.Errorf("after a failed pull: %+v, served %q, %v", r, b.served, err)
	}
}

func TestPullKeepsPasswordsOutOfFiles(t *testing.T) {
	_, mirror := startBucket(t)
	u, err := url.Parse(mirror)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword("me", "secret-word")
	dir := t.TempDir()
	if _, err := advisory.Pull(t.Context(), dir, u.String(), []string{"npm"}, advisory.Options{}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(readAll(t, dir), "secret-word") {
		t.Error("a file of the library holds the mirror's password")
	}
	if source := current(t, dir).Info().Source; strings.Contains(source, "secret-word") || source == "" {
		t.Errorf("source %q", source)
	}
}

// readAll joins the content of all files of a directory.
func readAll(t *testing.T, dir string) string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files in %s: %v", dir, err)
	}
	var all strings.Builder
	for _, p := range paths {
		data, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(data)
	}
	return all.String()
}
