package facts

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"

	"github.com/klauspost/compress/zstd"
)

// maxExpanded bounds what Decode expands: facts of a layer with a million
// entries take about 20 MB of JSON.
const maxExpanded = 512 << 20

// PathHash is the 64-bit FNV-1a hash of a cleaned path, the form in which a
// layer remembers what it overwrites.
func PathHash(path string) uint64 {
	h := fnv.New64a()
	io.WriteString(h, path) //nolint:errcheck // a hash never fails to write
	return h.Sum64()
}

// Encode renders facts for the store: JSON, compressed with zstd.
func Encode(l *Layer) ([]byte, error) {
	var out bytes.Buffer
	w, err := zstd.NewWriter(&out, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, fmt.Errorf("facts: compressor: %w", err)
	}
	if err := json.NewEncoder(w).Encode(l); err != nil {
		return nil, fmt.Errorf("facts: encoding layer %s: %w", l.Digest, err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("facts: compressing layer %s: %w", l.Digest, err)
	}
	return out.Bytes(), nil
}

// Decode is the reverse of Encode.
func Decode(data []byte) (*Layer, error) {
	r, err := zstd.NewReader(bytes.NewReader(data), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxExpanded))
	if err != nil {
		return nil, fmt.Errorf("facts: stored layer facts are not zstd: %w", err)
	}
	defer r.Close()
	var l Layer
	if err := json.NewDecoder(io.LimitReader(r, maxExpanded)).Decode(&l); err != nil {
		return nil, fmt.Errorf("facts: stored layer facts cannot be read: %w", err)
	}
	return &l, nil
}
