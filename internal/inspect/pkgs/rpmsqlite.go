package pkgs

import (
	"encoding/binary"
	"io"
)

// SQLite as a file format (sqlite.org/fileformat2.html), as far as reading one
// table needs it. A database engine is not let near a hostile file.
const (
	sqliteMagic        = "SQLite format 3\x00"
	sqliteLeaf         = 0x0d
	sqliteInterior     = 0x05
	sqliteDepth        = 32
	sqliteSchemaPage   = 1
	sqliteFirstPageGap = 100 // the file header on page 1
	walHead            = 32
	walFrameHead       = 24
)

// sqliteFile is an open database. Every page is used at most once: that bounds
// the work by the size of the file, whatever its pointers say.
type sqliteFile struct {
	r        io.ReaderAt
	pageSize int
	usable   int
	pages    uint32
	used     map[uint32]bool
	journal  []byte
	newer    map[uint32]int // pages whose newest content is in the journal, by offset
	blob     []byte
}

// sqliteRows yields the first blob of every row of a table.
func sqliteRows(r io.ReaderAt, size int64, journal []byte, table string, yield func([]byte) error) error {
	f, err := openSQLite(r, size, journal)
	if err != nil {
		return err
	}
	root := uint32(0)
	err = f.walk(sqliteSchemaPage, 0, func(payload []byte) error {
		c, err := sqliteRecord(payload)
		if err == nil && len(c) >= 4 && string(c[0].data) == "table" && string(c[1].data) == table {
			root = uint32(c[3].number())
		}
		return err
	})
	if err != nil {
		return err
	}
	if root == 0 {
		return broken("SQLite database without a table %q", table)
	}
	return f.walk(root, 0, func(payload []byte) error {
		columns, err := sqliteRecord(payload)
		if err != nil {
			return err
		}
		for _, c := range columns {
			if c.kind >= 12 {
				return yield(c.data)
			}
		}
		return broken("SQLite row without a blob")
	})
}

func openSQLite(r io.ReaderAt, size int64, journal []byte) (*sqliteFile, error) {
	var head [sqliteFirstPageGap]byte
	if _, err := r.ReadAt(head[:], 0); err != nil {
		return nil, broken("SQLite database of %d bytes", size)
	}
	pageSize := int(binary.BigEndian.Uint16(head[16:]))
	if pageSize == 1 {
		pageSize = 65536
	}
	if pageSize < 512 || pageSize&(pageSize-1) != 0 {
		return nil, broken("SQLite database with pages of %d bytes", pageSize)
	}
	f := &sqliteFile{r: r, pageSize: pageSize, usable: pageSize - int(head[20]), used: map[uint32]bool{}, journal: journal}
	if f.usable < 480 {
		return nil, broken("SQLite database with %d usable bytes a page", f.usable)
	}
	f.pages = uint32(min(size/int64(pageSize), 1<<32-1))
	f.newer = f.readJournal()
	return f, nil
}

// readJournal finds the newest committed content of each page in the journal.
func (f *sqliteFile) readJournal() map[uint32]int {
	w := f.journal
	if len(w) < walHead || binary.BigEndian.Uint32(w)&^1 != 0x377f0682 || int(binary.BigEndian.Uint32(w[8:])) != f.pageSize {
		return nil
	}
	salt := string(w[16:24])
	newer, pending := map[uint32]int{}, map[uint32]int{}
	for at := walHead; at+walFrameHead+f.pageSize <= len(w); at += walFrameHead + f.pageSize {
		if string(w[at+8:at+16]) != salt {
			break
		}
		pending[binary.BigEndian.Uint32(w[at:])] = at + walFrameHead
		if pages := binary.BigEndian.Uint32(w[at+4:]); pages != 0 { // a commit
			for page, where := range pending {
				newer[page] = where
			}
			clear(pending)
			f.pages = max(f.pages, pages)
		}
	}
	return newer
}

// page reads a page that was not used before.
func (f *sqliteFile) page(n uint32) ([]byte, error) {
	if n == 0 || n > f.pages || f.used[n] {
		return nil, broken("SQLite database names page %d twice or beyond its end", n)
	}
	f.used[n] = true
	if at, ok := f.newer[n]; ok {
		return f.journal[at : at+f.pageSize], nil
	}
	b := make([]byte, f.pageSize)
	if _, err := f.r.ReadAt(b, int64(n-1)*int64(f.pageSize)); err != nil {
		return nil, broken("SQLite page %d: %v", n, err)
	}
	return b, nil
}

// walk yields the payload of every row of the table rooted at page n.
func (f *sqliteFile) walk(n uint32, depth int, yield func([]byte) error) error {
	if depth > sqliteDepth {
		return broken("SQLite tree deeper than %d pages", sqliteDepth)
	}
	page, err := f.page(n)
	if err != nil {
		return err
	}
	head := 0
	if n == sqliteSchemaPage {
		head = sqliteFirstPageGap
	}
	cells := int(binary.BigEndian.Uint16(page[head+3:]))
	switch page[head] {
	case sqliteLeaf:
		return f.cells(page, head+8, cells, func(at int) error {
			payload, err := f.payload(page, at)
			if err != nil {
				return err
			}
			return yield(payload)
		})
	case sqliteInterior:
		err := f.cells(page, head+12, cells, func(at int) error {
			if at+4 > len(page) {
				return broken("SQLite cell at the end of page %d", n)
			}
			return f.walk(binary.BigEndian.Uint32(page[at:]), depth+1, yield)
		})
		if err != nil {
			return err
		}
		return f.walk(binary.BigEndian.Uint32(page[head+8:]), depth+1, yield)
	}
	return broken("SQLite page %d is of type %d", n, page[head])
}

// cells yields the offset of each cell of a page.
func (f *sqliteFile) cells(page []byte, array, n int, yield func(at int) error) error {
	if array+2*n > len(page) {
		return broken("SQLite page with %d cells", n)
	}
	for i := range n {
		at := int(binary.BigEndian.Uint16(page[array+2*i:]))
		if at >= f.usable {
			return broken("SQLite cell at %d of a page of %d bytes", at, f.usable)
		}
		if err := yield(at); err != nil {
			return err
		}
	}
	return nil
}

// payload reads the row of a leaf cell, its overflow pages included.
func (f *sqliteFile) payload(page []byte, at int) ([]byte, error) {
	size, n := sqliteVarint(page[at:f.usable])
	_, m := sqliteVarint(page[min(at+n, f.usable):f.usable])
	if n == 0 || m == 0 || size > maxHeader {
		return nil, broken("SQLite row of %d bytes", size)
	}
	at += n + m
	local := f.local(int(size))
	if local == int(size) {
		if at+local > f.usable {
			return nil, broken("SQLite row beyond its page")
		}
		return page[at : at+local], nil
	}
	if at+local+4 > f.usable {
		return nil, broken("SQLite row beyond its page")
	}
	f.blob = append(f.blob[:0], page[at:at+local]...)
	next := binary.BigEndian.Uint32(page[at+local:])
	for len(f.blob) < int(size) {
		overflow, err := f.page(next)
		if err != nil {
			return nil, err
		}
		next = binary.BigEndian.Uint32(overflow)
		f.blob = append(f.blob, overflow[4:min(f.usable, 4+int(size)-len(f.blob))]...)
	}
	return f.blob, nil
}

// local is the number of a row's bytes that lie in its leaf page.
func (f *sqliteFile) local(size int) int {
	most, least := f.usable-35, (f.usable-12)*32/255-23
	if size <= most {
		return size
	}
	if k := least + (size-least)%(f.usable-4); k <= most {
		return k
	}
	return least
}
