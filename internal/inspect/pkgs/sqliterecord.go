package pkgs

// sqliteColumn is one value of a row: its serial type and its bytes.
type sqliteColumn struct {
	kind uint64
	data []byte
}

// number is the value of an integer column, 0 for others.
func (c sqliteColumn) number() uint64 {
	switch c.kind {
	case 9:
		return 1
	case 1, 2, 3, 4, 5, 6:
		var v uint64
		for _, b := range c.data {
			v = v<<8 | uint64(b)
		}
		return v
	}
	return 0
}

// maxColumns bounds the columns of a row; the tables read have at most five.
const maxColumns = 64

// sqliteRecord takes the columns of a row apart.
func sqliteRecord(b []byte) ([]sqliteColumn, error) {
	length, n := sqliteVarint(b)
	if n == 0 || length < uint64(n) || length > uint64(len(b)) {
		return nil, broken("SQLite row with a head of %d bytes", length)
	}
	head, body := b[n:length], b[length:]
	var columns []sqliteColumn
	for len(head) > 0 && len(columns) < maxColumns {
		kind, n := sqliteVarint(head)
		if n == 0 {
			return nil, broken("SQLite row with a cut head")
		}
		size := sqliteSize(kind)
		if size > uint64(len(body)) {
			return nil, broken("SQLite column of %d bytes in a row with %d left", size, len(body))
		}
		columns = append(columns, sqliteColumn{kind: kind, data: body[:size]})
		head, body = head[n:], body[size:]
	}
	return columns, nil
}

// sqliteSize is the number of bytes that a value of a serial type takes.
func sqliteSize(kind uint64) uint64 {
	switch {
	case kind >= 12:
		return (kind - 12) / 2
	case kind <= 4:
		return kind
	case kind == 5:
		return 6
	case kind <= 7:
		return 8
	}
	return 0
}

// sqliteVarint reads a number of one to nine bytes; n is 0 if b is too short.
func sqliteVarint(b []byte) (v uint64, n int) {
	for i, c := range b {
		if i == 8 {
			return v<<8 | uint64(c), 9
		}
		v = v<<7 | uint64(c&0x7f)
		if c < 0x80 {
			return v, i + 1
		}
	}
	return 0, 0
}
