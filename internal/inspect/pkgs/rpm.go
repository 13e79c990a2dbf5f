package pkgs

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"strconv"
	"strings"

	"dogwatch/internal/facts"
)

// Tags of an RPM header that are read, and the types they may have.
const (
	tagName            = 1000
	tagVersion         = 1001
	tagRelease         = 1002
	tagEpoch           = 1003
	tagLicense         = 1014
	tagArch            = 1022
	tagSourceRPM       = 1044
	tagModularityLabel = 5096

	typeInt32       = 4
	typeString      = 6
	typeStringArray = 8
	typeI18NString  = 9
)

// maxHeader bounds one package header: the largest known ones, of packages
// with a hundred thousand files, have about 30 MiB.
const maxHeader = 64 << 20

// RPM extracts the packages of an RPM database in any of its three formats.
// The journal is the write-ahead log beside an SQLite database, nil if there
// is none. What could be read is returned together with the error.
func (e *Extractor) RPM(ctx context.Context, db io.ReaderAt, size int64, journal []byte) ([]facts.Package, error) {
	var found []facts.Package
	bad := 0
	err := rpmHeaders(db, size, journal, func(header []byte) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		p, ok := parseRPMHeader(header)
		switch {
		case !ok:
			bad++
		case p.Name != "gpg-pubkey":
			found = append(found, p)
		}
		return nil
	})
	if err == nil && bad > 0 {
		err = broken("%d package headers of the RPM database", bad)
	}
	return found, err
}

// rpmHeaders yields every package header of the database.
func rpmHeaders(db io.ReaderAt, size int64, journal []byte, yield func([]byte) error) error {
	var head [16]byte
	if _, err := db.ReadAt(head[:], 0); err != nil {
		if errors.Is(err, io.EOF) {
			return broken("an RPM database of %d bytes", size)
		}
		return err
	}
	switch {
	case bytes.Equal(head[:], []byte(sqliteMagic)):
		return sqliteRows(db, size, journal, "Packages", yield)
	case string(head[:4]) == ndbMagic:
		return ndbBlobs(db, size, yield)
	case binary.LittleEndian.Uint32(head[12:]) == bdbMagic, binary.BigEndian.Uint32(head[12:]) == bdbMagic:
		return bdbBlobs(db, size, yield)
	}
	return broken("neither SQLite, NDB nor Berkeley DB")
}

// parseRPMHeader reads the package that a header describes.
func parseRPMHeader(b []byte) (facts.Package, bool) {
	h, ok := newRPMHeader(b)
	if !ok {
		return facts.Package{}, false
	}
	name, version, release := h.text(tagName), h.text(tagVersion), h.text(tagRelease)
	if name == "" || version == "" {
		return facts.Package{}, false
	}
	p := facts.Package{Name: name, Version: joinEVR(h.number(tagEpoch), version, release)}
	p.Arch, p.License, p.Module = h.text(tagArch), h.text(tagLicense), h.text(tagModularityLabel)
	sourceName, sourceVersion := splitSourceRPM(h.text(tagSourceRPM))
	p.SourceName = sourceName
	if sourceVersion != joinEVR(0, version, release) {
		p.SourceVersion = sourceVersion
	}
	return p, true
}

func joinEVR(epoch uint32, version, release string) string {
	if release != "" {
		version += "-" + release
	}
	if epoch > 0 {
		version = strconv.FormatUint(uint64(epoch), 10) + ":" + version
	}
	return version
}

// splitSourceRPM takes "name-version-release.src.rpm" apart.
func splitSourceRPM(file string) (name, version string) {
	file = strings.TrimSuffix(file, ".rpm")
	file = strings.TrimSuffix(strings.TrimSuffix(file, ".nosrc"), ".src")
	i := strings.LastIndexByte(file, '-')
	if i < 0 {
		return "", ""
	}
	j := strings.LastIndexByte(file[:i], '-')
	if j <= 0 {
		return "", ""
	}
	return file[:j], file[j+1:]
}

// rpmHeader is an index of tags and the data they point into.
type rpmHeader struct{ index, data []byte }

func newRPMHeader(b []byte) (rpmHeader, bool) {
	if len(b) < 8 {
		return rpmHeader{}, false
	}
	entries := uint64(binary.BigEndian.Uint32(b))
	length := uint64(binary.BigEndian.Uint32(b[4:]))
	if entries == 0 || 8+entries*16+length > uint64(len(b)) {
		return rpmHeader{}, false
	}
	body := b[8:]
	return rpmHeader{index: body[:entries*16], data: body[entries*16 : entries*16+length]}, true
}

// find gives the data from where a tag's value begins.
func (h rpmHeader) find(tag uint32) (kind uint32, value []byte) {
	for e := h.index; len(e) >= 16; e = e[16:] {
		if binary.BigEndian.Uint32(e) != tag {
			continue
		}
		offset := binary.BigEndian.Uint32(e[8:])
		if uint64(offset) >= uint64(len(h.data)) {
			return 0, nil
		}
		return binary.BigEndian.Uint32(e[4:]), h.data[offset:]
	}
	return 0, nil
}

func (h rpmHeader) text(tag uint32) string {
	kind, value := h.find(tag)
	if kind != typeString && kind != typeI18NString && kind != typeStringArray {
		return ""
	}
	end := bytes.IndexByte(value, 0)
	if end < 0 || end > 4096 || string(value[:end]) == "(none)" {
		return ""
	}
	return string(value[:end])
}

func (h rpmHeader) number(tag uint32) uint32 {
	kind, value := h.find(tag)
	if kind != typeInt32 || len(value) < 4 {
		return 0
	}
	return binary.BigEndian.Uint32(value)
}
