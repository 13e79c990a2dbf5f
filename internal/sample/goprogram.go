package sample

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"strings"
)

// goProgram describes the build information of a Go program.
type goProgram struct {
	goVersion string // "go1.20.2"
	path      string // module path of the program itself
	modules   []goModule
}

type goModule struct{ path, version string }

// Layout of the file: the ELF header, one program header, the build
// information, the section names, three section headers.
const (
	elfHeaderSize  = 64
	progHeaderSize = 56
	infoOffset     = 128 // aligned to 16, behind both headers
	infoAddress    = 0x400000 + infoOffset
)

// elf makes a file that every reader of Go build information takes for a Go
// program: a loadable segment with the section .go.buildinfo. It has no code and
// cannot be run.
func (p goProgram) elf() []byte {
	info := p.buildInfo()
	names := []byte("\x00.go.buildinfo\x00.shstrtab\x00")
	namesOffset := uint64(infoOffset + len(info))
	sectionsOffset := (namesOffset + uint64(len(names)) + 7) &^ 7

	var out bytes.Buffer
	write(&out, elfHeader(sectionsOffset))
	write(&out, elf.Prog64{
		Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_W),
		Off: infoOffset, Vaddr: infoAddress, Paddr: infoAddress,
		Filesz: uint64(len(info)), Memsz: uint64(len(info)), Align: 16,
	})
	pad(&out, infoOffset)
	out.Write(info)
	out.Write(names)
	pad(&out, int(sectionsOffset))
	write(&out, elf.Section64{})
	write(&out, elf.Section64{
		Name: 1, Type: uint32(elf.SHT_PROGBITS), Flags: uint64(elf.SHF_ALLOC | elf.SHF_WRITE),
		Addr: infoAddress, Off: infoOffset, Size: uint64(len(info)), Addralign: 16,
	})
	write(&out, elf.Section64{
		Name: uint32(bytes.Index(names, []byte(".shstrtab"))), Type: uint32(elf.SHT_STRTAB),
		Off: namesOffset, Size: uint64(len(names)), Addralign: 1,
	})
	return out.Bytes()
}

func elfHeader(sections uint64) elf.Header64 {
	header := elf.Header64{
		Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: uint32(elf.EV_CURRENT),
		Entry: infoAddress, Phoff: elfHeaderSize, Shoff: sections,
		Ehsize: elfHeaderSize, Phentsize: progHeaderSize, Phnum: 1,
		Shentsize: 64, Shnum: 3, Shstrndx: 2,
	}
	copy(header.Ident[:], elf.ELFMAG)
	header.Ident[elf.EI_CLASS] = byte(elf.ELFCLASS64)
	header.Ident[elf.EI_DATA] = byte(elf.ELFDATA2LSB)
	header.Ident[elf.EI_VERSION] = byte(elf.EV_CURRENT)
	return header
}

// buildInfo is the content of .go.buildinfo in the form of Go 1.18 and later: a
// header of 32 bytes, then two strings, each behind its length.
func (p goProgram) buildInfo() []byte {
	var out bytes.Buffer
	out.WriteString("\xff Go buildinf:")
	out.Write([]byte{8, 2}) // pointer size; flag "strings are inline"
	pad(&out, 32)
	for _, s := range []string{p.goVersion, p.moduleText()} {
		out.Write(binary.AppendUvarint(nil, uint64(len(s))))
		out.WriteString(s)
	}
	pad(&out, (out.Len()+15)&^15)
	return out.Bytes()
}

// moduleText lists the modules between two marks of 16 bytes, as the linker does.
func (p goProgram) moduleText() string {
	var b strings.Builder
	fmt.Fprintf(&b, "path\t%s\nmod\t%s\t(devel)\t\n", p.path, p.path)
	for _, m := range p.modules {
		fmt.Fprintf(&b, "dep\t%s\t%s\th1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", m.path, m.version)
	}
	b.WriteString("build\t-compiler=gc\nbuild\tCGO_ENABLED=0\nbuild\tGOARCH=amd64\nbuild\tGOOS=linux\n")
	const mark = "0123456789abcdef"
	return mark + b.String() + mark
}

// write appends a structure of fixed size.
func write(out *bytes.Buffer, structure any) {
	binary.Write(out, binary.LittleEndian, structure) //nolint:errcheck // a buffer takes everything, the structures have a fixed size
}

// pad appends zeros up to an offset.
func pad(out *bytes.Buffer, offset int) { out.Write(make([]byte, offset-out.Len())) }
