package inspect

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"dogwatch/internal/facts"
)

// pass is one inspection of one layer.
type pass struct {
	in       *InProcess
	ctx      context.Context
	layer    Layer
	source   *source
	expanded *expanded
	facts    *facts.Layer
	gaps     gaps
	record   record
	scratch  []byte // content of the file at hand
	found    *findings
	spooled  int64
	windows  int // places that may still be looked at for credentials
}

// Inspect makes the one pass over the layer r.
func (in *InProcess) Inspect(ctx context.Context, l Layer, r io.Reader) (f *facts.Layer, err error) {
	p := &pass{in: in, ctx: ctx, layer: l, source: newSource(ctx, l, r), windows: in.options.Limits.Windows}
	p.expanded = &expanded{sum: sha256.New(), source: p.source, limits: &in.options.Limits}
	p.facts = &facts.Layer{Revision: in.revision}
	text := in.options.Limits.TextBytes
	p.record = newRecord(in.options.Limits.Links, &text)
	p.found = newFindings(&in.options.Limits, &text, &p.gaps)
	defer p.found.close()
	defer func() {
		if cause := recover(); cause != nil {
			f, err = nil, p.fail(CodeInspectorFailed, "the inspector failed on it", fmt.Errorf("panic: %v", cause))
		}
	}()
	closeStream, err := p.open(l)
	if err != nil {
		return nil, err
	}
	defer closeStream()
	if err := p.run(); err != nil {
		return nil, err
	}
	done := p.finish()
	if ctx.Err() != nil {
		return nil, fmt.Errorf("inspect: layer %s: %w", l.Digest, ctx.Err())
	}
	return done, nil
}

// run walks the archive, reads both streams to their ends and compares digests.
func (p *pass) run() error {
	in := bufio.NewReaderSize(p.expanded, expandedBuffer)
	err := p.walk(in)
	if err == nil {
		_, err = io.Copy(io.Discard, in)
	}
	var over *overBudget
	if errors.As(err, &over) {
		p.gaps.add(over.code, "", over.reason, allParts)
		return p.drain()
	}
	if err != nil {
		return p.broken("it cannot be read to its end", err)
	}
	p.facts.DiffID = digest(p.expanded.sum.Sum(nil))
	if p.layer.DiffID != "" && p.layer.DiffID != p.facts.DiffID {
		return p.fail(CodeLayerBroken, fmt.Sprintf("it expands to %s, not to %s", p.facts.DiffID, p.layer.DiffID), nil)
	}
	return p.drain()
}

// drain reads the rest of the blob without expanding it and compares its digest.
func (p *pass) drain() error {
	if _, err := io.Copy(io.Discard, p.source); err != nil {
		return p.broken("it cannot be read to its end", err)
	}
	p.facts.Digest = digest(p.source.sum.Sum(nil))
	if p.layer.Digest != "" && p.layer.Digest != p.facts.Digest {
		return p.fail(CodeLayerBroken, "its content is "+p.facts.Digest, nil)
	}
	if p.layer.Size > 0 && p.source.n != p.layer.Size {
		return p.fail(CodeLayerBroken, fmt.Sprintf("it has %d bytes, not %d", p.source.n, p.layer.Size), nil)
	}
	return nil
}

func digest(sum []byte) string { return "sha256:" + hex.EncodeToString(sum) }

// finish judges what had to wait for the whole layer and closes the facts.
func (p *pass) finish() *facts.Layer {
	p.databases()
	p.found.into(p.facts, p.record.symlinks)
	p.facts.CompressedBytes, p.facts.ExpandedBytes = p.source.n, p.expanded.n
	p.record.into(p.facts)
	for _, code := range slices.Sorted(maps.Keys(p.record.dropped)) {
		p.gaps.add(code, "", fmt.Sprintf("%d entries of the layer could not be kept", p.record.dropped[code]), allParts)
	}
	p.facts.Gaps = p.gaps.list()
	return p.facts
}

// fail makes the error that nothing can be said about the layer.
func (p *pass) fail(code, reason string, cause error) error {
	return &Error{Code: code, Digest: p.layer.Digest, Reason: reason, Err: cause}
}

// broken tells a blob that could not be fetched from one that is corrupt.
func (p *pass) broken(reason string, cause error) error {
	if p.source.err != nil {
		return fmt.Errorf("inspect: reading layer %s: %w", p.layer.Digest, p.source.err)
	}
	return p.fail(CodeLayerBroken, reason, cause)
}
