package inspect

import (
	"bytes"
	"crypto/md5"  //nolint:gosec // signatures of malware come in MD5 and SHA-1
	"crypto/sha1" //nolint:gosec // as above
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"

	"dogwatch/internal/facts"
	"dogwatch/internal/inspect/malware"
	"dogwatch/internal/inspect/pkgs"
	"dogwatch/internal/inspect/secret"
)

// malware looks a file up by its hashes and by its content.
func (p *pass) malware(t *task, data []byte) {
	sums := sumsOf(t.sums, data)
	p.keepHash(t, sums)
	hit, ok := p.in.options.Malware.Find(sums, t.size)
	if !ok && t.eicar {
		hit, ok = malware.Content(data)
	}
	if !ok {
		return
	}
	full := sumsOf(malware.MD5|malware.SHA256, data)
	p.found.addMalware(malwareFact(t, hit, full))
}

// keepHash keeps the hash of a file of the hashed class, so that a new
// signature is answered without reading the layer again.
func (p *pass) keepHash(t *task, sums *malware.Sums) {
	if t.hashed {
		p.found.addHash(facts.FileHash{Path: t.name, SHA256: hex.EncodeToString(sums.SHA256[:]), Size: t.size})
	}
}

func malwareFact(t *task, hit malware.Hit, sums *malware.Sums) facts.Malware {
	m := facts.Malware{
		Path: t.name, Name: hit.Name, Engine: hit.Engine, Category: hit.Category, Level: hit.Level, Size: t.size, FileType: t.fileType,
	}
	if sums.Have&malware.MD5 != 0 {
		m.MD5 = hex.EncodeToString(sums.MD5[:])
	}
	if sums.Have&malware.SHA256 != 0 {
		m.SHA256 = hex.EncodeToString(sums.SHA256[:])
	}
	return m
}

func sumsOf(want malware.Algorithms, data []byte) *malware.Sums {
	s := &malware.Sums{Have: want}
	if want&malware.MD5 != 0 {
		s.MD5 = md5.Sum(data) //nolint:gosec // as above
	}
	if want&malware.SHA1 != 0 {
		s.SHA1 = sha1.Sum(data) //nolint:gosec // as above
	}
	if want&malware.SHA256 != 0 {
		s.SHA256 = sha256.Sum256(data)
	}
	return s
}

func (p *pass) secretsFound(t *task, found []facts.Secret, whole bool) {
	p.found.addSecrets(t.name, found)
	if !whole {
		p.gaps.add("TooManyKeywords", t.name, "the search for credentials was given up: too many places to look at", partSecrets)
	}
}

// large examines a file that is not taken into memory: hashes and credentials
// as it streams by. Packages cannot be had from it.
func (p *pass) large(t *task, content io.Reader) error {
	s := newStreamer(p, t)
	s.piece(t.head)
	for left := t.size - int64(len(t.head)); left > 0; {
		piece, err := p.read(content, 0, min(left, 1<<20))
		if err != nil {
			return err
		}
		s.piece(piece)
		left -= int64(len(piece))
	}
	s.close()
	return nil
}

// streamer is the examination of one large file.
type streamer struct {
	p       *pass
	t       *task
	hashes  map[malware.Algorithms]hash.Hash
	secrets *secret.Scanner
	goTail  []byte // the end of the last piece, against a mark across the edge
	goMark  bool
}

func newStreamer(p *pass, t *task) *streamer {
	s := &streamer{p: p, t: t, hashes: map[malware.Algorithms]hash.Hash{}}
	for algorithm, make := range map[malware.Algorithms]func() hash.Hash{
		malware.MD5: md5.New, malware.SHA1: sha1.New, malware.SHA256: sha256.New,
	} {
		if t.sums&algorithm != 0 {
			s.hashes[algorithm] = make()
		}
	}
	if t.secrets {
		s.secrets = p.in.secrets.Scanner(t.name, &p.windows)
	}
	return s
}

func (s *streamer) piece(b []byte) {
	for _, h := range s.hashes {
		h.Write(b) //nolint:errcheck // never fails
	}
	if s.secrets != nil {
		s.p.guard(s.t.name, partSecrets, func() { s.secrets.Write(b) }) //nolint:errcheck // never fails
	}
	if s.t.executable() && !s.goMark && !s.p.in.options.NoPackages {
		const edge = 64
		s.goTail = append(s.goTail, b[:min(len(b), edge)]...)
		s.goMark = pkgs.GoExecutable(s.goTail) || pkgs.GoExecutable(b)
		s.goTail = bytes.Clone(b[max(0, len(b)-edge):])
	}
}

// close judges the file and says what could not be had from it.
func (s *streamer) close() {
	sums := &malware.Sums{}
	for algorithm, h := range s.hashes {
		sums.Have |= algorithm
		switch algorithm {
		case malware.MD5:
			h.Sum(sums.MD5[:0])
		case malware.SHA1:
			h.Sum(sums.SHA1[:0])
		case malware.SHA256:
			h.Sum(sums.SHA256[:0])
		}
	}
	s.p.keepHash(s.t, sums)
	if hit, ok := s.p.in.options.Malware.Find(sums, s.t.size); ok {
		s.p.found.addMalware(malwareFact(s.t, hit, sums))
	}
	if s.secrets != nil {
		s.p.guard(s.t.name, partSecrets, func() {
			found, whole := s.secrets.Close()
			s.p.secretsFound(s.t, found, whole)
		})
	}
	if s.t.kind != "" || s.goMark {
		s.p.gaps.add("FileTooLarge", s.t.name, "the file is too large to read packages from it", partPackages)
	}
}
