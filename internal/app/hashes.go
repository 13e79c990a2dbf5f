package app

import (
	"fmt"
	"os"
	"strings"

	"dogwatch/internal/inspect/malware"
)

// loadHashes reads the malware hash lists of --hashes on top of the built-in set.
func loadHashes(list string) (*malware.Set, error) {
	sets := []*malware.Set{malware.Builtin()}
	for path := range strings.SplitSeq(list, ",") {
		if path = strings.TrimSpace(path); path == "" {
			continue
		}
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("hash list: %w", err)
		}
		loaded, err := malware.Load(f)
		f.Close() //nolint:errcheck // only read
		if err != nil {
			return nil, fmt.Errorf("hash list %s: %w", path, err)
		}
		sets = append(sets, loaded)
	}
	return malware.Merge(sets...), nil
}
