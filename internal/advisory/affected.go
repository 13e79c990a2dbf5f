package advisory

import (
	"encoding/binary"
	"errors"
)

// Affected says which versions of one package one record is about. It is what
// the index holds; text and ratings stay in the Record.
type Affected struct {
	RecordID  string
	Ecosystem string // as the record writes it, "Ubuntu:22.04:LTS"
	Name      string // as the record writes it
	Ranges    []Range
	Versions  []string
	Modules   []string // RPM module streams, see ModuleStreams
}

var errTorn = errors.New("advisory: torn index entry")

// encodeAffected packs the entries of one record for one package. The record's
// id is part of the key and not repeated.
func encodeAffected(list []Affected) []byte {
	out := binary.AppendUvarint(nil, uint64(len(list)))
	for i := range list {
		a := &list[i]
		out = appendText(out, a.Ecosystem)
		out = appendText(out, a.Name)
		out = appendTexts(out, a.Modules)
		out = appendTexts(out, a.Versions)
		out = binary.AppendUvarint(out, uint64(len(a.Ranges)))
		for _, r := range a.Ranges {
			out = appendText(out, r.Type)
			out = binary.AppendUvarint(out, uint64(len(r.Events)))
			for _, e := range r.Events {
				out = appendText(out, e.Introduced)
				out = appendText(out, e.Fixed)
				out = appendText(out, e.LastAffected)
			}
		}
	}
	return out
}

func appendText(out []byte, s string) []byte {
	return append(binary.AppendUvarint(out, uint64(len(s))), s...)
}

func appendTexts(out []byte, list []string) []byte {
	out = binary.AppendUvarint(out, uint64(len(list)))
	for _, s := range list {
		out = appendText(out, s)
	}
	return out
}

// unpacker reads what encodeAffected wrote. After the first fault it yields
// zero values and keeps the error.
type unpacker struct {
	data []byte
	err  error
}

func (u *unpacker) count() int {
	n, size := binary.Uvarint(u.data)
	// every counted thing takes at least one byte
	if u.err != nil || size <= 0 || n > uint64(len(u.data)-size) {
		u.err = errTorn
		return 0
	}
	u.data = u.data[size:]
	return int(n)
}

func (u *unpacker) text() string {
	n := u.count()
	if u.err != nil {
		return ""
	}
	s := string(u.data[:n])
	u.data = u.data[n:]
	return s
}

func (u *unpacker) texts() []string {
	var out []string
	for n := u.count(); n > 0 && u.err == nil; n-- {
		out = append(out, u.text())
	}
	return out
}

func (u *unpacker) ranges() []Range {
	var out []Range
	for n := u.count(); n > 0 && u.err == nil; n-- {
		r := Range{Type: u.text()}
		for m := u.count(); m > 0 && u.err == nil; m-- {
			r.Events = append(r.Events, Event{Introduced: u.text(), Fixed: u.text(), LastAffected: u.text()})
		}
		out = append(out, r)
	}
	return out
}

// decodeAffected appends the entries packed in data to list.
func decodeAffected(list []Affected, recordID string, data []byte) ([]Affected, error) {
	u := unpacker{data: data}
	for n := u.count(); n > 0 && u.err == nil; n-- {
		a := Affected{RecordID: recordID, Ecosystem: u.text(), Name: u.text(), Modules: u.texts(), Versions: u.texts(), Ranges: u.ranges()}
		list = append(list, a)
	}
	if u.err == nil && len(u.data) > 0 {
		u.err = errTorn
	}
	return list, u.err
}
