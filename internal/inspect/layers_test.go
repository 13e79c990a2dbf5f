package inspect

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"dogwatch/internal/facts"

	"github.com/klauspost/compress/zstd"
)

// layer writes small archives for tests, entry by entry.
type layer struct {
	t   testing.TB
	buf bytes.Buffer
	w   *tar.Writer
}

func newLayer(t testing.TB) *layer {
	l := &layer{t: t}
	l.w = tar.NewWriter(&l.buf)
	return l
}

func (l *layer) add(h tar.Header, content string) *layer {
	l.t.Helper()
	if h.Mode == 0 {
		h.Mode = 0o755
	}
	h.Size = int64(len(content))
	if err := l.w.WriteHeader(&h); err != nil {
		l.t.Fatal(err)
	}
	if _, err := l.w.Write([]byte(content)); err != nil {
		l.t.Fatal(err)
	}
	return l
}

func (l *layer) file(name, content string) *layer {
	return l.add(tar.Header{Name: name, Typeflag: tar.TypeReg}, content)
}

func (l *layer) dir(name string) *layer {
	return l.add(tar.Header{Name: name, Typeflag: tar.TypeDir}, "")
}

func (l *layer) symlink(name, target string) *layer {
	return l.add(tar.Header{Name: name, Typeflag: tar.TypeSymlink, Linkname: target}, "")
}

func (l *layer) hardlink(name, target string) *layer {
	return l.add(tar.Header{Name: name, Typeflag: tar.TypeLink, Linkname: target}, "")
}

// tar closes the archive.
func (l *layer) tar() []byte {
	if err := l.w.Close(); err != nil {
		l.t.Fatal(err)
	}
	return l.buf.Bytes()
}

// gzip closes the archive and compresses it.
func (l *layer) gzip() []byte { return gzipBytes(l.t, l.tar()) }

func gzipBytes(t testing.TB, data []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func zstdBytes(t testing.TB, data []byte) []byte {
	w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll(data, nil)
}

func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func inspector(t testing.TB, o Options) *InProcess {
	t.Helper()
	in, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// inspect examines a compressed layer that must be readable.
func inspect(t testing.TB, o Options, blob []byte) *facts.Layer {
	t.Helper()
	f, err := inspector(t, o).Inspect(context.Background(), Layer{Digest: digestOf(blob)}, bytes.NewReader(blob))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// eicar puts the harmless EICAR test string together; no file of the
// repository holds it in one piece.
func eicar() string {
	return `X5O!P%@AP[4\PZX54(P^)7CC)7}` + `$EICAR-STANDARD-` + `ANTIVIRUS-TEST-FILE!` + `$H+H*`
}
