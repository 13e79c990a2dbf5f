package inspect

import (
	"bytes"
	"errors"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// Whatever the bytes are, the pass ends in facts or in an *Error, and the same
// bytes yield the same however they arrive.
func FuzzInspect(f *testing.F) {
	raw := newLayer(f).file("var/lib/dpkg/status", dpkgStatus).symlink("a", "../b").file("b/.wh.c", "").
		file("x.jar", string(zipOf(f, map[string]string{"META-INF/MANIFEST.MF": "Implementation-Title: x\n"}))).
		file("usr/lib/sysimage/rpm/rpmdb.sqlite", "SQLite format 3\x00").tar()
	f.Add(raw)
	f.Add(gzipBytes(f, raw))
	f.Add(zstdBytes(f, raw))
	f.Add([]byte{0x1f, 0x8b})
	f.Add([]byte{})
	in := inspector(f, Options{Limits: Limits{ExpandedBytes: 8 << 20, FileBytes: 1 << 20, Entries: 1000, SpoolBytes: 4 << 20}, SpoolDir: f.TempDir()})
	f.Fuzz(func(t *testing.T, blob []byte) {
		first, err := in.Inspect(t.Context(), Layer{}, bytes.NewReader(blob))
		second, err2 := in.Inspect(t.Context(), Layer{}, iotest.HalfReader(bytes.NewReader(blob)))
		var broken *Error
		if err != nil && (!errors.As(err, &broken) || broken.Code == CodeInspectorFailed) {
			t.Fatalf("error %v", err)
		}
		if (err == nil) != (err2 == nil) {
			t.Fatalf("%v, then %v", err, err2)
		}
		if diff := cmp.Diff(first, second); diff != "" {
			t.Error(diff)
		}
	})
}

func FuzzCleanPath(f *testing.F) {
	for _, s := range []string{"", "a/../../b", "./x", "/", "a//b", "\xff", "a/.wh..wh..opq", "..", "a/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := cleanPath(s)
		if again := cleanPath(got); again != got && got != "" {
			t.Errorf("%q cleans to %q, and that to %q", s, got, again)
		}
		for part := range bytes.SplitSeq([]byte(got), []byte("/")) {
			if got != "" && (len(part) == 0 || string(part) == "." || string(part) == "..") {
				t.Errorf("%q cleans to %q", s, got)
			}
		}
	})
}
