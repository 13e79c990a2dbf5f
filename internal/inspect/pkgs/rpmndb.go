package pkgs

import (
	"encoding/binary"
	"io"
)

// NDB, the format of RPM on SUSE: a page-aligned table of slots, each of which
// points to a block with one package header.
const (
	ndbMagic     = "RpmP"
	ndbSlotMagic = "Slot"
	ndbBlobMagic = "BlbS"
	ndbPage      = 4096
	ndbUnit      = 16 // slots and block offsets count in this many bytes
)

// ndbBlobs yields every package header of the database.
func ndbBlobs(r io.ReaderAt, size int64, yield func([]byte) error) error {
	var head [32]byte
	if _, err := r.ReadAt(head[:], 0); err != nil {
		return broken("NDB of %d bytes", size)
	}
	if version := binary.LittleEndian.Uint32(head[4:]); version != 0 {
		return broken("NDB of version %d", version)
	}
	pages := int64(binary.LittleEndian.Uint32(head[12:]))
	if pages == 0 || pages*ndbPage > size {
		return broken("NDB of %d bytes with %d slot pages", size, pages)
	}
	budget := size
	page := make([]byte, ndbPage)
	var blob []byte
	for n := range pages {
		if _, err := r.ReadAt(page, n*ndbPage); err != nil {
			return broken("NDB slot page %d: %v", n, err)
		}
		slots := page
		if n == 0 {
			slots = page[len(head):]
		}
		for ; len(slots) > 0; slots = slots[ndbUnit:] {
			var err error
			if blob, err = ndbSlot(r, slots[:ndbUnit], blob[:0], &budget); err != nil {
				return err
			}
			if len(blob) == 0 {
				continue
			}
			if err := yield(blob); err != nil {
				return err
			}
		}
	}
	return nil
}

// ndbSlot appends the header one slot points to; nothing for a free slot.
func ndbSlot(r io.ReaderAt, slot, into []byte, budget *int64) ([]byte, error) {
	if string(slot[:4]) != ndbSlotMagic {
		return into, broken("NDB slot without its mark")
	}
	index := binary.LittleEndian.Uint32(slot[4:])
	if index == 0 {
		return into, nil
	}
	at := int64(binary.LittleEndian.Uint32(slot[8:])) * ndbUnit
	var head [16]byte
	if _, err := r.ReadAt(head[:], at); err != nil {
		return into, broken("NDB block %d: %v", index, err)
	}
	length := int64(binary.LittleEndian.Uint32(head[12:]))
	if string(head[:4]) != ndbBlobMagic || binary.LittleEndian.Uint32(head[4:]) != index {
		return into, broken("NDB block %d without its mark", index)
	}
	if *budget -= length; *budget < 0 || length > maxHeader {
		return into, broken("NDB block %d of %d bytes", index, length)
	}
	if int64(cap(into)) < length {
		into = make([]byte, 0, length)
	}
	into = into[:length]
	if _, err := r.ReadAt(into, at+int64(len(head))); err != nil {
		return into[:0], broken("NDB block %d: %v", index, err)
	}
	return into, nil
}
