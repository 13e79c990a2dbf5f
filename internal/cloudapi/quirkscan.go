package cloudapi

import (
	"bytes"
	"math"
	"strconv"
	"strings"
)

// place is where in a stream of requests a scanner stands.
type place int

const (
	atRequest   place = iota // before or within a request line
	inHeader                 // within a header block
	inBody                   // within a body of known length
	inChunkSize              // within the line that gives a chunk's size
	inChunk                  // within a chunk
	afterChunk               // in the line end behind a chunk
	inTrailer                // in the lines behind the last chunk
	through                  // beyond what is understood: everything passes
)

// maxLine is how much of a line is looked at.
const maxLine = 1024

// quirkScanner follows the requests on a connection, so far as to tell headers
// from bodies. Where it meets something it can't follow it passes on everything
// from there; whether that is an error is for net/http to say.
type quirkScanner struct {
	place     place
	line      []byte // beginning of the line, up to maxLine
	held      []byte // end of the line that isn't passed on yet
	decided   bool   // the line is known not to be, or no longer to be, the quirk
	remaining int64  // of the body or chunk
	block     headerBlock
}

// headerBlock is what a header block says about what follows it.
type headerBlock struct {
	length    int64
	hasLength bool
	chunked   bool
	opaque    bool // can't be followed
}

// untouched is how many of the next want bytes need no look.
func (s *quirkScanner) untouched(want int) int {
	switch s.place {
	case through:
		return want
	case inBody, inChunk:
		return int(min(int64(want), s.remaining))
	}
	return 0
}

// skip passes over n untouched bytes.
func (s *quirkScanner) skip(n int) {
	if s.place == through {
		return
	}
	if s.remaining -= int64(n); s.remaining > 0 {
		return
	}
	if s.place == inBody {
		s.place = atRequest
	} else {
		s.place = afterChunk
	}
}

// repair appends the repaired bytes of in to out. Some may be held back until
// the next call: the beginning of a line that may yet turn out to be the quirk.
func (s *quirkScanner) repair(out, in []byte) []byte {
	for len(in) > 0 {
		if n := s.untouched(len(in)); n > 0 {
			out = append(out, in[:n]...)
			in = in[n:]
			s.skip(n)
			continue
		}
		n := 1
		if s.place == inHeader && !s.decided {
			out = s.watch(out, in[0])
		} else {
			if n = bytes.IndexByte(in, '\n') + 1; n == 0 {
				n = len(in)
			}
			out = append(out, in[:n]...)
		}
		s.line = append(s.line, in[:min(n, max(0, maxLine-len(s.line)))]...)
		if in[n-1] == '\n' {
			s.endLine()
		}
		in = in[n:]
	}
	return out
}

// release gives up what is held back.
func (s *quirkScanner) release(out []byte) []byte {
	out = append(out, s.held...)
	s.held = s.held[:0]
	return out
}

// watch holds back a byte of a header line until the line is decided.
func (s *quirkScanner) watch(out []byte, b byte) []byte {
	s.held = append(s.held, b)
	scheme, possible := hostScheme(s.held)
	if possible && scheme == 0 && len(s.held) < maxLine {
		return out
	}
	for i := len(s.held) - scheme; i < len(s.held); i++ {
		s.held[i] = ' '
	}
	s.decided = true
	return s.release(out)
}

// hostScheme looks at the beginning of a header line: whether it may become a
// Host header with a scheme, and if it has, how long the scheme at its end is.
func hostScheme(line []byte) (scheme int, possible bool) {
	const name = "host:"
	if len(line) <= len(name) {
		return 0, strings.EqualFold(string(line), name[:len(line)])
	}
	if !strings.EqualFold(string(line[:len(name)]), name) {
		return 0, false
	}
	value := bytes.TrimLeft(line[len(name):], " \t")
	for _, s := range []string{"http://", "https://"} {
		if len(value) > len(s) || !strings.EqualFold(string(value), s[:len(value)]) {
			continue
		}
		if len(value) == len(s) {
			return len(s), true
		}
		possible = true
	}
	return 0, possible
}

// endLine goes on to the place behind a line.
func (s *quirkScanner) endLine() {
	line := bytes.TrimRight(s.line, "\r\n")
	whole := len(s.line) < maxLine
	switch s.place {
	case atRequest:
		s.beginRequest(line)
	case inHeader:
		if len(line) == 0 {
			s.endHeader()
		} else {
			s.block.note(line, whole)
		}
	case inChunkSize:
		s.beginChunk(line, whole)
	case afterChunk:
		s.place = inChunkSize
		if len(line) > 0 {
			s.place = through
		}
	case inTrailer:
		if len(line) == 0 {
			s.place = atRequest
		}
	}
	s.line, s.decided = s.line[:0], false
}

func (s *quirkScanner) beginRequest(line []byte) {
	switch {
	case len(line) == 0: // tolerated before a request
	case bytes.HasPrefix(line, []byte("PRI ")), bytes.HasPrefix(line, []byte("CONNECT ")):
		s.place = through
	default:
		s.place, s.block = inHeader, headerBlock{}
	}
}

func (s *quirkScanner) endHeader() {
	s.place, s.remaining = atRequest, s.block.length
	switch {
	case s.block.opaque:
		s.place = through
	case s.block.chunked:
		s.place = inChunkSize
	case s.remaining > 0:
		s.place = inBody
	}
}

func (s *quirkScanner) beginChunk(line []byte, whole bool) {
	digits, _, _ := bytes.Cut(line, []byte(";"))
	size, err := strconv.ParseUint(string(bytes.TrimRight(digits, " \t")), 16, 64)
	switch {
	case err != nil || !whole || size > math.MaxInt64:
		s.place = through
	case size == 0:
		s.place = inTrailer
	default:
		s.place, s.remaining = inChunk, int64(size)
	}
}

// note takes down a header line, if it says what follows the block.
func (b *headerBlock) note(line []byte, whole bool) {
	name, value, _ := strings.Cut(string(line), ":")
	value = strings.Trim(value, " \t")
	switch strings.ToLower(name) {
	case "content-length":
		n, err := strconv.ParseInt(value, 10, 64)
		b.opaque = b.opaque || err != nil || n < 0 || !whole || b.hasLength && n != b.length
		b.length, b.hasLength = n, true
	case "transfer-encoding":
		b.opaque = b.opaque || b.chunked || !strings.EqualFold(value, "chunked")
		b.chunked = true
	case "upgrade":
		b.opaque = true
	}
}
