package bench

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"dogwatch/internal/inspect"

	"github.com/klauspost/compress/gzip"
)

// layerBytes is about how much the benchmark's layer expands to.
const layerBytes = 80 << 20

// benchLayer makes a layer with the mix of a real one: shared objects, scripts,
// JavaScript and Python packages, documentation, a dpkg database. It is made
// once, of the same bytes every time but for the program it takes as a sample
// of machine code. DOGWATCH_BENCH_LAYER names a gzip layer to measure instead.
var benchLayer = sync.OnceValues(func() ([]byte, error) {
	if path := os.Getenv("DOGWATCH_BENCH_LAYER"); path != "" {
		return os.ReadFile(path)
	}
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	code, err := os.ReadFile(program)
	if err != nil {
		return nil, err
	}
	m := &mixer{random: rand.New(rand.NewPCG(1, 2)), code: code}
	z, err := gzip.NewWriterLevel(&m.out, 6)
	if err != nil {
		return nil, err
	}
	m.tar = tar.NewWriter(z)
	if err := m.fill(); err != nil {
		return nil, err
	}
	if err := m.tar.Close(); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return m.out.Bytes(), nil
})

// mixer writes the layer.
type mixer struct {
	random *rand.Rand
	code   []byte
	out    bytes.Buffer
	tar    *tar.Writer
	n      int64
}

func (m *mixer) add(name, content string) error {
	h := &tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o755, Size: int64(len(content)), ModTime: time.Unix(1700000000, 0)}
	if err := m.tar.WriteHeader(h); err != nil {
		return err
	}
	m.n += int64(len(content)) + 1024
	_, err := io.WriteString(m.tar, content)
	return err
}

// fill adds files until the layer is large enough.
func (m *mixer) fill() error {
	var status strings.Builder
	for i := range 300 {
		fmt.Fprintf(&status, "Package: lib%d\nStatus: install ok installed\nVersion: %d.2-1\nArchitecture: amd64\nDescription: %s\n\n", i, i, strings.ReplaceAll(m.prose(300), "\n", "\n "))
	}
	if err := m.add("var/lib/dpkg/status", status.String()); err != nil {
		return err
	}
	for i := 0; m.n < layerBytes; i++ {
		for _, f := range [][2]string{
			{fmt.Sprintf("usr/lib/x86_64-linux-gnu/lib%d.so", i), "\x7fELF" + m.object(200_000)},
			{fmt.Sprintf("usr/bin/tool%d", i), "#!/bin/sh\n" + m.prose(2000)},
			{fmt.Sprintf("app/node_modules/p%d/package.json", i), fmt.Sprintf(`{"name":"p%d","version":"1.%d.0","description":"%s"}`, i, i, "some words")},
			{fmt.Sprintf("app/node_modules/p%d/index.js", i), m.source(60_000)},
			{fmt.Sprintf("app/src/module%d.js", i), m.source(60_000)},
			{fmt.Sprintf("usr/lib/python3/dist-packages/m%d/__init__.py", i), m.source(40_000)},
			{fmt.Sprintf("usr/share/doc/lib%d/copyright", i), m.prose(8000)},
			{fmt.Sprintf("etc/conf.d/%d.conf", i), m.prose(1500)},
		} {
			if err := m.add(f[0], f[1]); err != nil {
				return err
			}
		}
	}
	return nil
}

// object is a piece of machine code.
func (m *mixer) object(n int) string {
	at := m.random.IntN(max(len(m.code)-n, 1))
	piece := m.code[at:min(at+n, len(m.code))]
	return strings.ReplaceAll(string(piece), "\xff Go buildinf:", "")
}

// source looks like a program's text.
func (m *mixer) source(n int) string {
	var b strings.Builder
	for b.Len() < n {
		fmt.Fprintf(&b, "  const v%x = require('%s').%s(%d, \"%s\");\n", m.random.Uint32(), m.word(), m.word(), m.random.IntN(1000), m.word())
		if m.random.IntN(12) == 0 {
			fmt.Fprintf(&b, "  // the %s token of the %s, see secret storage\n  if (msg.%s) { throw new Error('%s'); }\n", m.word(), m.word(), m.word(), m.word())
		}
	}
	return b.String()
}

// prose looks like documentation.
func (m *mixer) prose(n int) string {
	var b strings.Builder
	for b.Len() < n {
		b.WriteString(m.word())
		if b.WriteByte(' '); m.random.IntN(10) == 0 {
			b.WriteByte('\n')
		}
	}
	return strings.ReplaceAll(b.String(), "\n\n", "\n")
}

// words is what prose is made of.
const words = "the of and to in is that for it as was with be by on not he his but at are this have from or had an they which one you were all " +
	"license package version function return value option default password user system directory library configuration server request"

func (m *mixer) word() string {
	list := strings.Fields(words)
	if m.random.IntN(3) == 0 {
		return fmt.Sprintf("w%x", m.random.Uint32()>>8)
	}
	return list[m.random.IntN(len(list))]
}

// floor does what no inspection can leave out: expand, hash both streams, walk
// the archive, hash every file.
func floor(blob []byte) error {
	compressed, expanded := sha256.New(), sha256.New()
	z, err := gzip.NewReader(io.TeeReader(bytes.NewReader(blob), compressed))
	if err != nil {
		return err
	}
	archive := tar.NewReader(io.TeeReader(z, expanded))
	for {
		h, err := archive.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := io.Copy(sha256.New(), archive); err != nil {
				return err
			}
		}
	}
	_, err = io.Copy(expanded, z)
	return err
}

// cpu is the processor time the process has used: other processes on a busy
// machine do not count.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkFloor measures the floor alone.
func BenchmarkFloor(b *testing.B) {
	blob := layerOf(b)
	b.SetBytes(int64(len(blob)))
	for b.Loop() {
		if err := floor(blob); err != nil {
			b.Fatal(err)
		}
	}
}

func layerOf(b *testing.B) []byte {
	b.Helper()
	blob, err := benchLayer()
	if err != nil {
		b.Fatal(err)
	}
	return blob
}

// BenchmarkInspectLayer compares an inspection with the floor, turn by turn in
// the same run: "x-floor" is the ratio of processor time.
func BenchmarkInspectLayer(b *testing.B) {
	for _, c := range []struct {
		name    string
		options inspect.Options
	}{
		{"packages", inspect.Options{NoMalware: true, NoSecrets: true}},
		{"packages+malware", inspect.Options{NoSecrets: true}},
		{"everything", inspect.Options{}},
	} {
		b.Run(c.name, func(b *testing.B) { compareWithFloor(b, c.options) })
	}
}

func compareWithFloor(b *testing.B, o inspect.Options) {
	blob := layerOf(b)
	in, err := inspect.New(o)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(blob)))
	var ours, bare time.Duration
	for b.Loop() {
		start := cpu()
		f, err := in.Inspect(b.Context(), inspect.Layer{}, bytes.NewReader(blob))
		if err != nil {
			b.Fatal(err)
		}
		if !f.Complete() || !o.NoPackages && len(f.Packages) == 0 {
			b.Fatalf("gaps %v, %d package files", f.Gaps, len(f.Packages))
		}
		middle := cpu()
		if err := floor(blob); err != nil {
			b.Fatal(err)
		}
		ours, bare = ours+middle-start, bare+cpu()-middle
	}
	b.ReportMetric(float64(ours)/float64(bare), "x-floor")
	b.ReportMetric(ours.Seconds()/float64(b.N), "cpu-s/op")
}

// TestBenchmarkLayer keeps the benchmark honest: its layer holds what it says.
func TestBenchmarkLayer(t *testing.T) {
	blob, err := benchLayer()
	if err != nil {
		t.Fatal(err)
	}
	in, err := inspect.New(inspect.Options{SpoolDir: filepath.Clean(t.TempDir())})
	if err != nil {
		t.Fatal(err)
	}
	f, err := in.Inspect(t.Context(), inspect.Layer{}, bytes.NewReader(blob))
	if err != nil {
		t.Fatal(err)
	}
	if f.ExpandedBytes < layerBytes*9/10 || len(f.Packages) < 50 || len(f.Hashes) < 50 || !f.Complete() {
		t.Errorf("%d bytes, %d package files, %d hashes, gaps %v", f.ExpandedBytes, len(f.Packages), len(f.Hashes), f.Gaps)
	}
}
