package inspect

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"strings"
)

// walk goes through the archive entry by entry.
func (p *pass) walk(in io.Reader) error {
	archive := tar.NewReader(in)
	for {
		h, err := archive.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("entry %d: %w", p.facts.Entries+1, err)
		}
		if p.facts.Entries++; p.facts.Entries > p.in.options.Limits.Entries {
			return &overBudget{"TooManyEntries", fmt.Sprintf("the layer has more than %d entries", p.in.options.Limits.Entries)}
		}
		if err := p.entry(h, archive); err != nil {
			return err
		}
	}
}

// entry records one entry and examines it if it is a file.
func (p *pass) entry(h *tar.Header, content io.Reader) error {
	if len(h.Name) > p.in.options.Limits.PathBytes {
		p.gaps.add("PathTooLong", h.Name, fmt.Sprintf("a path of %d bytes", len(h.Name)), allParts)
		return nil
	}
	name := cleanPath(h.Name)
	if name == "" || h.Typeflag == tar.TypeXGlobalHeader || p.record.whiteout(name) {
		return nil
	}
	p.found.forget(name)
	p.record.entry(h, name)
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeRegA, tar.TypeCont, tar.TypeGNUSparse: //nolint:staticcheck // old archives use TypeRegA
		if h.Size > 0 {
			return p.file(h, name, content)
		}
	}
	return nil
}

// read fills the scratch buffer with a file's content up to byte n; the first
// from bytes are in it already. It grows the buffer only as content arrives.
func (p *pass) read(content io.Reader, from, n int64) ([]byte, error) {
	const step = 4 << 20
	for at := from; at < n; {
		if want := min(n, max(at*2, at+step)); int64(len(p.scratch)) < want {
			grown := make([]byte, want)
			copy(grown, p.scratch[:at])
			p.scratch = grown
		}
		m, err := io.ReadFull(content, p.scratch[at:min(n, int64(len(p.scratch)))])
		at += int64(m)
		if err := p.charge(int64(m)); err != nil {
			return nil, err
		}
		if err != nil {
			return nil, unexpected(err)
		}
	}
	return p.scratch[:n], nil
}

// unexpected marks the end of content inside a file as a cut.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// charge counts content against the budget: sparse files hold more than the archive.
func (p *pass) charge(n int64) error {
	p.expanded.content += n
	return p.expanded.judge()
}

// guard runs an analyzer over one file; a panic becomes a gap.
func (p *pass) guard(name, parts string, analyze func()) {
	defer func() {
		if cause := recover(); cause != nil {
			reason := strings.SplitN(fmt.Sprint(cause), "\n", 2)[0]
			p.gaps.add("AnalyzerFailed", name, "an analyzer failed on the file: "+reason, parts)
		}
	}()
	analyze()
}
