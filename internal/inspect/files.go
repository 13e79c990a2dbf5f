package inspect

import (
	"archive/tar"
	"fmt"
	"io"

	"dogwatch/internal/inspect/malware"
	"dogwatch/internal/inspect/pkgs"
	"dogwatch/internal/inspect/secret"
)

// headBytes of a file are read to decide what it is.
const headBytes = 8 << 10

// task is one file at hand and what is wanted of it.
type task struct {
	name     string
	size     int64
	head     []byte
	kind     string // kind of package file; empty: none by its name
	fileType string
	hashed   bool // of the class whose hashes are kept
	sums     malware.Algorithms
	secrets  bool
	eicar    bool
}

// idle tells that nothing is wanted of the file.
func (t *task) idle() bool {
	return t.kind == "" && !t.executable() && !t.hashed && t.sums == 0 && !t.secrets && !t.eicar
}

// executable tells whether the file may be a Go program.
func (t *task) executable() bool {
	switch t.fileType {
	case malware.TypeELF, malware.TypePE, malware.TypeMachO:
		return true
	}
	return false
}

// file examines one file with content.
func (p *pass) file(h *tar.Header, name string, content io.Reader) error {
	if osReleasePath(name) && h.Size <= maxOSRelease {
		data, err := p.read(content, 0, h.Size)
		if err == nil {
			p.found.at(name).os = osRelease(name, data)
		}
		return err
	}
	kind, want := "", pkgs.Nothing
	if !p.in.options.NoPackages {
		kind, want = pkgs.Classify(name)
	}
	if want == pkgs.Spooled || want == pkgs.Journal {
		return p.spool(name, h.Size, want, content)
	}
	head, err := p.read(content, 0, min(h.Size, headBytes))
	if err != nil {
		return err
	}
	t := p.judge(name, h.Size, head, kind)
	if t.idle() {
		return nil
	}
	if h.Size > p.in.options.Limits.FileBytes {
		return p.large(t, content)
	}
	data, err := p.read(content, int64(len(head)), h.Size)
	if err != nil {
		return err
	}
	p.examine(t, data)
	return nil
}

// judge decides from a file's name, size and beginning what is wanted of it.
func (p *pass) judge(name string, size int64, head []byte, kind string) *task {
	o := &p.in.options
	t := &task{name: name, size: size, head: head, kind: kind}
	t.fileType, t.hashed = malware.FileType(head, name)
	if o.NoMalware {
		t.hashed = false
	} else {
		t.sums = o.Malware.Needs(size, t.hashed)
		t.eicar = malware.EICARSize(size)
	}
	if t.hashed {
		t.sums |= malware.SHA256
	}
	if o.NoPackages && t.executable() && !t.hashed {
		t.fileType = malware.TypeUnknown
	}
	t.secrets = !o.NoSecrets && !secret.SkipPath(name) && !secret.Binary(head)
	return t
}

// examine hands a file that is in memory to the analyzers.
func (p *pass) examine(t *task, data []byte) {
	p.packageFile(t, data)
	if t.sums != 0 || t.eicar {
		p.guard(t.name, partMalware, func() { p.malware(t, data) })
	}
	if t.secrets {
		p.guard(t.name, partSecrets, func() {
			found, whole := p.in.secrets.Scan(t.name, data, &p.windows)
			p.secretsFound(t, found, whole)
		})
	}
}

// packageFile extracts packages from a manifest, or from a Go program.
func (p *pass) packageFile(t *task, data []byte) {
	if p.in.options.NoPackages {
		return
	}
	kind := t.kind
	if kind == "" && t.executable() && pkgs.GoExecutable(data) {
		kind = "go"
	}
	if kind == "" {
		return
	}
	p.guard(t.name, partPackages, func() {
		found, err := p.in.packages.File(p.ctx, kind, t.name, data)
		p.found.addPackages(t.name, kind, found)
		p.packageGap(t.name, kind, err)
	})
}

// packageGap notes that a package file could not be read whole.
func (p *pass) packageGap(name, kind string, err error) {
	if err == nil || p.ctx.Err() != nil {
		return
	}
	code := "BrokenManifest"
	if systemKind(kind) {
		code = "BrokenDatabase"
	}
	p.gaps.add(code, name, fmt.Sprintf("packages could not be read whole: %v", err), partPackages)
}

func osReleasePath(name string) bool {
	const others = "usr/lib/os.release.d/"
	return name == etcOSRelease || name == usrOSRelease || len(name) > len(others) && name[:len(others)] == others
}
