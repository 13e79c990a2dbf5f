package registry

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"
)

const (
	// maxCuts bounds how often in a row a blob is resumed without bringing
	// enoughProgress.
	maxCuts        = 5
	enoughProgress = 1 << 20
)

// blob streams one blob and checks it on the way. A connection that breaks is
// taken up again where it broke; each time the registry itself is asked, so an
// expired token or a signed redirect that ran out is renewed.
type blob struct {
	ctx     context.Context
	cancel  context.CancelFunc
	client  *ociClient
	request request
	want    Descriptor

	body io.ReadCloser // nil between connections
	sum  hash.Hash
	read int64
	cuts int   // in a row
	mark int64 // bytes read at the last cut
	end  error // what Read returns from now on
}

func newBlob(ctx context.Context, c *ociClient, r request, d Descriptor) (*blob, error) {
	ctx, cancel := context.WithCancel(ctx)
	b := &blob{ctx: ctx, cancel: cancel, client: c, request: r, want: d, sum: newHash(d.Digest)}
	if err := b.connect(); err != nil {
		cancel()
		return nil, err
	}
	return b, nil
}

// Read hands on what was received. The last bytes are handed on before io.EOF
// or the Failure that says the blob was not what its digest promised.
func (b *blob) Read(p []byte) (int, error) {
	if b.end != nil {
		return 0, b.end
	}
	if len(p) == 0 {
		return 0, nil
	}
	for {
		n, err := b.piece(p[:min(len(p), pieceSize)])
		if err != nil && b.end == nil {
			b.end = err
		}
		if n > 0 {
			return n, nil
		}
		if b.end != nil {
			return 0, b.end
		}
	}
}

// piece reads once. It returns an error only if the blob ends with it.
func (b *blob) piece(p []byte) (int, error) {
	if b.body == nil {
		if err := b.connect(); err != nil {
			return 0, err
		}
	}
	n, err := b.body.Read(p)
	if stop := b.client.speed.acquire(b.ctx, n); stop != nil {
		return 0, b.client.session.ended(b.request.op, stop)
	}
	if b.read+int64(n) > b.want.Size {
		return 0, b.corrupt(fmt.Sprintf("it is longer than the %d bytes announced", b.want.Size))
	}
	b.read += int64(n)
	b.sum.Write(p[:n])
	switch {
	case err == nil:
		return n, nil
	case errors.Is(err, io.EOF) && b.read == b.want.Size:
		return n, b.verdict()
	}
	return n, b.cut(err)
}

// verdict is io.EOF if the bytes were the right ones.
func (b *blob) verdict() error {
	if !sumMatches(b.sum, b.want.Digest) {
		return b.corrupt("its content does not have the digest it is named by")
	}
	return io.EOF
}

func (b *blob) corrupt(reason string) error {
	return &Failure{Kind: KindCorrupt, Op: b.request.op, Reason: reason, Solution: "push the image again, and check the registry's storage"}
}

// cut notes a broken connection. Only a series of them without progress is an error.
func (b *blob) cut(cause error) error {
	b.body.Close()
	b.body = nil
	if b.ctx.Err() != nil {
		return b.client.session.ended(b.request.op, b.ctx.Err())
	}
	if b.read-b.mark >= enoughProgress {
		b.cuts = 0
	}
	b.cuts, b.mark = b.cuts+1, b.read
	if b.cuts <= maxCuts {
		b.client.session.options.Logger.DebugContext(b.ctx, "blob is resumed", "digest", b.want.Digest, "at", b.read, "of", b.want.Size)
		return nil
	}
	if errors.Is(cause, io.EOF) {
		return b.corrupt(fmt.Sprintf("it ends after %d of %d bytes", b.read, b.want.Size))
	}
	return transportFailure(b.request.op, cause)
}

// connect asks for the blob from where reading stopped.
func (b *blob) connect() error {
	r := b.request
	r.header = http.Header{}
	if b.read > 0 {
		r.header.Set("Range", "bytes="+strconv.FormatInt(b.read, 10)+"-")
	}
	if b.cuts > 1 {
		if err := b.client.session.options.Sleep(b.ctx, b.client.session.backoff(b.cuts-1)); err != nil {
			return b.client.session.ended(r.op, err)
		}
	}
	resp, err := b.client.session.do(b.ctx, r)
	if err != nil {
		return err
	}
	if err := b.accept(resp); err != nil {
		resp.Body.Close()
		return err
	}
	return nil
}

// accept judges the answer to connect and takes its body.
func (b *blob) accept(resp *http.Response) error {
	switch {
	case resp.StatusCode == http.StatusOK:
		return b.acceptWhole(resp)
	case resp.StatusCode == http.StatusPartialContent && startsAt(resp.Header, b.read):
		b.body = resp.Body
		return nil
	case resp.StatusCode == http.StatusPartialContent:
		return &Failure{Kind: KindServer, Op: b.request.op, Reason: "the registry answers with another part than asked for",
			Solution: "check the proxy before the registry"}
	case resp.StatusCode == http.StatusRequestedRangeNotSatisfiable && b.read > 0:
		return b.corrupt(fmt.Sprintf("it ends after %d of %d bytes", b.read, b.want.Size))
	}
	return b.client.session.statusFailure(b.request.op, resp)
}

// acceptWhole takes a whole blob; what is already read of it is skipped, for
// registries that know no ranges.
func (b *blob) acceptWhole(resp *http.Response) error {
	if resp.ContentLength >= 0 && resp.ContentLength != b.want.Size {
		return b.corrupt(fmt.Sprintf("the registry has %d bytes instead of %d", resp.ContentLength, b.want.Size))
	}
	b.body = &skipReader{ReadCloser: resp.Body, left: b.read}
	return nil
}

// skipReader leaves out the first bytes.
type skipReader struct {
	io.ReadCloser
	left int64
}

func (s *skipReader) Read(p []byte) (int, error) {
	for s.left > 0 {
		n, err := s.ReadCloser.Read(p[:min(int64(len(p)), s.left)])
		s.left -= int64(n)
		if err != nil {
			return 0, err
		}
	}
	return s.ReadCloser.Read(p)
}

// startsAt reads Content-Range: bytes start-end/size.
func startsAt(h http.Header, start int64) bool {
	unit, rest, _ := strings.Cut(strings.TrimSpace(h.Get("Content-Range")), " ")
	first, _, found := strings.Cut(rest, "-")
	n, err := strconv.ParseInt(first, 10, 64)
	return strings.EqualFold(unit, "bytes") && found && err == nil && n == start
}

// Close ends the transfer.
func (b *blob) Close() error {
	b.cancel()
	if b.end == nil {
		b.end = &Failure{Kind: KindNetwork, Op: b.request.op, Reason: "read after close"}
	}
	if b.body == nil {
		return nil
	}
	body := b.body
	b.body = nil
	return body.Close()
}
