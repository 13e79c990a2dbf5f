package advisory

import (
	"archive/zip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// source is one file that records are read from.
type source struct {
	name string // for people: the path, or the address it was fetched from
	key  string // identity across interruptions: name, size and time of change
	path string
	size int64
	zip  bool
}

// entry is one document of a source.
type entry struct {
	index int
	name  string // within the archive, empty for a plain file
	data  []byte // valid until the next entry
	err   error  // why it could not be read; the source goes on
}

// findSources expands paths to files, in a fixed order.
func findSources(paths []string) ([]source, error) {
	if len(paths) == 0 {
		return nil, errors.New("advisory: nothing to import: name an archive, a directory or a .json file")
	}
	var list []source
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return nil, fmt.Errorf("advisory: import path: %w", err)
		}
		before := len(list)
		if !info.IsDir() {
			list, err = appendSource(list, p, info, true)
		} else {
			list, err = appendDirectory(list, p)
		}
		if err != nil {
			return nil, err
		}
		if len(list) == before {
			return nil, fmt.Errorf("advisory: nothing to import in %s: expected all.zip archives or .json files", p)
		}
	}
	return list, nil
}

func appendDirectory(list []source, root string) ([]source, error) {
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := os.Stat(path) // follows links, as mirrors often use them
		if err != nil {
			return err
		}
		list, err = appendSource(list, path, info, false)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("advisory: walking %s: %w", root, err)
	}
	return list, nil
}

// appendSource adds a file. One that was named by the user must be readable as
// an archive or a record; one found in a directory is passed over if it is not.
func appendSource(list []source, path string, info fs.FileInfo, named bool) ([]source, error) {
	base := strings.ToLower(filepath.Base(path))
	isZip := base == "all.zip" || named && strings.HasSuffix(base, ".zip")
	if !info.Mode().IsRegular() || !isZip && !strings.HasSuffix(base, ".json") {
		if named {
			return nil, fmt.Errorf("advisory: cannot import %s: expected a .zip archive, a .json file or a directory", path)
		}
		return list, nil
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("advisory: %w", err)
	}
	key := fmt.Sprintf("%s\x00%d\x00%d", abs, info.Size(), info.ModTime().UnixNano())
	return append(list, source{name: path, key: key, path: path, size: info.Size(), zip: isZip}), nil
}

// walk hands the documents from number `from` on to yield.
func (s source) walk(ctx context.Context, from int, limits Limits, yield func(entry) error) error {
	if s.zip {
		return s.walkZip(ctx, from, limits, yield)
	}
	if from > 0 {
		return nil
	}
	f, err := os.Open(s.path)
	if err != nil {
		return fmt.Errorf("advisory: %w", err)
	}
	defer f.Close()
	e := entry{}
	e.data, e.err = readBounded(nil, f, limits.Record)
	return yield(e)
}

func (s source) walkZip(ctx context.Context, from int, limits Limits, yield func(entry) error) error {
	f, err := os.Open(s.path)
	if err != nil {
		return fmt.Errorf("advisory: %w", err)
	}
	defer f.Close()
	if s.size > limits.Archive {
		return fmt.Errorf("advisory: archive %s has %d bytes, more than the limit of %d", s.name, s.size, limits.Archive)
	}
	if err := checkDirectory(f, s.size, limits.Directory); err != nil {
		return fmt.Errorf("advisory: archive %s: %w", s.name, err)
	}
	z, err := zip.NewReader(f, s.size)
	if err != nil {
		return fmt.Errorf("advisory: %s is not a readable zip archive: %w", s.name, err)
	}
	var buf []byte
	var expanded int64
	for i, file := range z.File {
		if err := ctx.Err(); err != nil {
			return err
		}
		if i < from || !strings.HasSuffix(strings.ToLower(file.Name), ".json") {
			continue
		}
		e := entry{index: i, name: file.Name}
		buf, e.err = readZipEntry(buf[:0], file, limits.Record)
		e.data = buf
		if expanded += int64(len(buf)); expanded > limits.Expanded {
			return fmt.Errorf("advisory: archive %s expands to more than the limit of %d bytes", s.name, limits.Expanded)
		}
		if err := yield(e); err != nil {
			return err
		}
	}
	return nil
}

func readZipEntry(buf []byte, file *zip.File, limit int64) ([]byte, error) {
	if file.UncompressedSize64 > uint64(limit) {
		return buf, fmt.Errorf("the record has %d bytes, more than the limit of %d", file.UncompressedSize64, limit)
	}
	r, err := file.Open()
	if err != nil {
		return buf, err
	}
	defer r.Close()
	return readBounded(buf, r, limit)
}

// readBounded appends all of r to buf, unless it is longer than limit.
func readBounded(buf []byte, r io.Reader, limit int64) ([]byte, error) {
	r = io.LimitReader(r, limit+1)
	for {
		buf = slices.Grow(buf, 4096)
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if int64(len(buf)) > limit {
			return buf[:0], fmt.Errorf("the record has more than the limit of %d bytes", limit)
		}
		if errors.Is(err, io.EOF) {
			return buf, nil
		}
		if err != nil {
			return buf, err
		}
	}
}

const (
	zipEndLen       = 22
	zipEndSignature = 0x06054b50
	zip64EndLen     = 56
	zip64LocatorLen = 20
)

// checkDirectory refuses an archive whose table of contents alone would fill
// the memory: archive/zip reads it whole.
func checkDirectory(r io.ReaderAt, size, limit int64) error {
	tail := make([]byte, min(size, zipEndLen+1<<16))
	if _, err := r.ReadAt(tail, size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	for i := len(tail) - zipEndLen; i >= 0; i-- {
		if binary.LittleEndian.Uint32(tail[i:]) != zipEndSignature {
			continue
		}
		end := size - int64(len(tail)-i)
		start := int64(binary.LittleEndian.Uint32(tail[i+16:]))
		if start == 0xffffffff {
			start = zip64Start(r, end)
		}
		if end-start > limit {
			return fmt.Errorf("its table of contents has %d bytes, more than the limit of %d", end-start, limit)
		}
		return nil
	}
	return errors.New("it is not a zip archive (no end record)")
}

// zip64Start reads where the table of contents of a large archive begins; 0,
// the most suspicious answer, if that cannot be read.
func zip64Start(r io.ReaderAt, end int64) int64 {
	var locator [zip64LocatorLen]byte
	if _, err := r.ReadAt(locator[:], end-zip64LocatorLen); err != nil {
		return 0
	}
	var record [zip64EndLen]byte
	if _, err := r.ReadAt(record[:], int64(binary.LittleEndian.Uint64(locator[8:]))); err != nil {
		return 0
	}
	return int64(binary.LittleEndian.Uint64(record[48:]))
}
