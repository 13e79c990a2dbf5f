package pkgs

import (
	"encoding/binary"
	"io"
)

// Berkeley DB, the hash access method of RPM up to 4.15: pages of hash entries,
// whose values lie in chains of overflow pages.
const (
	bdbMagic        = 0x00061561
	bdbHashUnsorted = 2
	bdbOverflow     = 7
	bdbHash         = 13
	bdbOffPage      = 3
	bdbPageHead     = 26
)

// bdbFile is an open Berkeley DB.
type bdbFile struct {
	r        io.ReaderAt
	order    binary.ByteOrder
	pageSize int
	last     uint32 // number of the last page
	budget   int64  // bytes that values may still have: no honest file holds more than its size
}

// bdbBlobs yields every overflow value of the database.
func bdbBlobs(r io.ReaderAt, size int64, yield func([]byte) error) error {
	f, err := openBDB(r, size)
	if err != nil {
		return err
	}
	page, chain := make([]byte, f.pageSize), make([]byte, f.pageSize)
	var blob []byte
	for n := uint32(0); n <= f.last; n++ {
		if err := f.page(n, page); err != nil {
			return err
		}
		if page[25] != bdbHash && page[25] != bdbHashUnsorted {
			continue
		}
		err := f.values(page, func(first, length uint32) error {
			if blob, err = f.chain(first, length, chain, blob[:0]); err != nil {
				return err
			}
			return yield(blob)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func openBDB(r io.ReaderAt, size int64) (*bdbFile, error) {
	var meta [72]byte
	if _, err := r.ReadAt(meta[:], 0); err != nil {
		return nil, broken("Berkeley DB of %d bytes", size)
	}
	f := &bdbFile{r: r, order: binary.LittleEndian, budget: size}
	if binary.BigEndian.Uint32(meta[12:]) == bdbMagic {
		f.order = binary.BigEndian
	}
	pageSize := f.order.Uint32(meta[20:])
	if pageSize < 512 || pageSize > 65536 || pageSize&(pageSize-1) != 0 {
		return nil, broken("Berkeley DB with pages of %d bytes", pageSize)
	}
	if meta[24] != 0 {
		return nil, broken("Berkeley DB is encrypted")
	}
	f.pageSize, f.last = int(pageSize), f.order.Uint32(meta[32:])
	if int64(f.last) >= size/int64(pageSize) {
		return nil, broken("Berkeley DB is cut: %d bytes for %d pages of %d", size, int64(f.last)+1, pageSize)
	}
	return f, nil
}

func (f *bdbFile) page(n uint32, into []byte) error {
	if n > f.last {
		return broken("Berkeley DB names page %d of %d", n, f.last)
	}
	if _, err := f.r.ReadAt(into, int64(n)*int64(f.pageSize)); err != nil {
		return broken("Berkeley DB page %d: %v", n, err)
	}
	return nil
}

// values yields the first page and length of each overflow value of a hash page.
// Entries come in pairs of a key and a value.
func (f *bdbFile) values(page []byte, yield func(first, length uint32) error) error {
	entries := int(f.order.Uint16(page[20:]))
	if bdbPageHead+2*entries > len(page) {
		return broken("Berkeley DB page with %d entries", entries)
	}
	for i := 1; i < entries; i += 2 {
		at := int(f.order.Uint16(page[bdbPageHead+2*i:]))
		if at >= len(page) {
			return broken("Berkeley DB entry at %d of a page of %d bytes", at, len(page))
		}
		if page[at] != bdbOffPage {
			continue
		}
		if at+12 > len(page) {
			return broken("Berkeley DB entry at %d of a page of %d bytes", at, len(page))
		}
		if err := yield(f.order.Uint32(page[at+4:]), f.order.Uint32(page[at+8:])); err != nil {
			return err
		}
	}
	return nil
}

// chain appends the value of the given length whose overflow pages begin at n.
func (f *bdbFile) chain(n, length uint32, page, into []byte) ([]byte, error) {
	if f.budget -= int64(length); f.budget < 0 || length > maxHeader {
		return into, broken("Berkeley DB value of %d bytes", length)
	}
	for n != 0 && len(into) < int(length) {
		if err := f.page(n, page); err != nil {
			return into, err
		}
		if page[25] != bdbOverflow {
			return into, broken("Berkeley DB page %d is no overflow page", n)
		}
		used := int(f.order.Uint16(page[22:]))
		if used == 0 || bdbPageHead+used > len(page) {
			return into, broken("Berkeley DB page %d uses %d bytes", n, used)
		}
		into = append(into, page[bdbPageHead:bdbPageHead+used]...)
		n = f.order.Uint32(page[16:])
	}
	if len(into) < int(length) {
		return into, broken("Berkeley DB value is cut: %d of %d bytes", len(into), length)
	}
	return into[:length], nil
}
