package inspect

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Sizes of the buffers between the stages of the pass.
const (
	compressedBuffer = 64 << 10
	expandedBuffer   = 128 << 10
	zstdWindow       = 128 << 20
)

// source is the compressed blob: it counts and hashes what is read, and
// remembers the reader's own error apart from what decompression makes of it.
type source struct {
	ctx  context.Context
	r    io.Reader
	sum  hash.Hash
	n    int64
	most int64 // bytes the layer should have; 0: unknown
	err  error
}

// errLonger says that the blob goes on after the size it should have.
var errLonger = errors.New("the blob is longer than its descriptor says")

func (s *source) Read(p []byte) (int, error) {
	if s.err == nil {
		s.err = s.ctx.Err()
	}
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.r.Read(p)
	s.sum.Write(p[:n])
	s.n += int64(n)
	if s.most > 0 && s.n > s.most {
		return n, errLonger
	}
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// expanded is the archive: it counts and hashes, and stops at the budget.
type expanded struct {
	r       io.Reader
	sum     hash.Hash
	n       int64
	source  *source
	limits  *Limits
	content int64 // bytes handed to analyzers: sparse files hold more than the archive
	over    *overBudget
	err     error // what ended the stream, io.EOF included
}

// overBudget ends a walk that costs too much.
type overBudget struct{ code, reason string }

func (o *overBudget) Error() string { return "inspect: " + o.reason + " (" + o.code + ")" }

func (e *expanded) Read(p []byte) (int, error) {
	if e.over != nil {
		return 0, e.over
	}
	n, err := e.r.Read(p)
	e.sum.Write(p[:n])
	e.n += int64(n)
	if err != nil {
		e.err = err
		return n, err
	}
	return n, e.judge()
}

// judge compares what the layer cost with its budget.
func (e *expanded) judge() error {
	cost := max(e.n, e.content)
	switch {
	case cost > e.limits.ExpandedBytes:
		e.over = &overBudget{"LayerTooLarge", fmt.Sprintf("the layer expands to more than %d bytes", e.limits.ExpandedBytes)}
	case cost > e.limits.RatioFloor && cost/e.limits.Ratio > e.source.n:
		e.over = &overBudget{"RatioTooHigh", fmt.Sprintf("the layer expands to more than %d times its size", e.limits.Ratio)}
	default:
		return nil
	}
	return e.over
}

// compression is how a layer is compressed.
type compression string

const (
	plain       compression = "tar"
	gzipped     compression = "gzip"
	zstandard   compression = "zstd"
	anyOf       compression = ""
	unsupported compression = "?"
)

// declared reads the compression a media type names.
func declared(mediaType string) compression {
	mediaType, _, _ = strings.Cut(mediaType, ";")
	switch strings.TrimSpace(mediaType) {
	case "", "application/octet-stream":
		return anyOf
	case "application/vnd.oci.image.layer.v1.tar", "application/vnd.oci.image.layer.nondistributable.v1.tar",
		"application/vnd.docker.image.rootfs.diff.tar":
		return plain
	case "application/vnd.oci.image.layer.v1.tar+gzip", "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
		"application/vnd.docker.image.rootfs.diff.tar.gzip", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
		"application/vnd.docker.container.image.rootfs.diff+x-gtar":
		return gzipped
	case "application/vnd.oci.image.layer.v1.tar+zstd", "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
		"application/vnd.docker.image.rootfs.diff.tar.zstd":
		return zstandard
	}
	return unsupported
}

// observed reads the compression from the first bytes.
func observed(head []byte) compression {
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return gzipped
	case len(head) >= 4 && bytes.Equal(head[1:4], []byte{0xb5, 0x2f, 0xfd}) && head[0] == 0x28,
		len(head) >= 4 && head[0]&0xf0 == 0x50 && bytes.Equal(head[1:4], []byte{0x2a, 0x4d, 0x18}):
		return zstandard
	}
	return plain
}

// open begins expanding the layer. The returned function frees what the
// decompressor holds.
func (p *pass) open(l Layer) (func(), error) {
	want := declared(l.MediaType)
	if want == unsupported {
		return nil, p.fail(CodeUnsupportedMediaType, fmt.Sprintf("media type %q is no layer this inspector can read", l.MediaType), nil)
	}
	in := bufio.NewReaderSize(p.source, compressedBuffer)
	head, err := in.Peek(4)
	if err != nil && err != io.EOF {
		return nil, p.broken("its beginning cannot be read", err)
	}
	got := observed(head)
	if want != anyOf && want != got {
		return nil, p.fail(CodeLayerBroken, fmt.Sprintf("media type %q says %s, the content is %s", l.MediaType, want, got), nil)
	}
	p.expanded.r = in
	switch got {
	case gzipped:
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, p.broken("its gzip header is corrupt", err)
		}
		p.expanded.r = z
	case zstandard:
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(zstdWindow))
		if err != nil {
			return nil, p.broken("its zstd header is corrupt", err)
		}
		p.expanded.r = z
		return z.Close, nil
	}
	return func() {}, nil
}

func newSource(ctx context.Context, l Layer, r io.Reader) *source {
	return &source{ctx: ctx, r: r, sum: sha256.New(), most: l.Size}
}
