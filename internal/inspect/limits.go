package inspect

// Limits are the budget of one inspection. A zero field takes its default.
type Limits struct {
	Entries       int   // archive entries walked
	ExpandedBytes int64 // bytes of the expanded archive, and bytes handed to analyzers
	Ratio         int64 // expanded over compressed bytes, judged once RatioFloor is passed
	RatioFloor    int64 // expanded bytes below which no ratio is too high
	PathBytes     int   // length of an entry's path
	FileBytes     int64 // size of a file an analyzer wants in memory
	SpoolBytes    int64 // package databases that need a real file, together
	Packages      int   // packages kept
	Findings      int   // secrets kept, and malware hits kept
	Hashes        int   // file hashes kept
	Links         int   // links, whiteouts and opaque directories kept, each
	Windows       int   // places looked at for credentials
	TextBytes     int64 // text of everything kept: paths, names, versions
}

// DefaultLimits suit an inspector with 512 MiB of memory.
var DefaultLimits = Limits{
	Entries:       2_000_000,
	ExpandedBytes: 64 << 30,
	Ratio:         300,
	RatioFloor:    1 << 30,
	PathBytes:     4096,
	FileBytes:     160 << 20,
	SpoolBytes:    1 << 30,
	Packages:      300_000,
	Findings:      10_000,
	Hashes:        300_000,
	Links:         300_000,
	Windows:       2_000_000,
	TextBytes:     96 << 20,
}

// withDefaults fills the zero fields.
func (l Limits) withDefaults() Limits {
	d := DefaultLimits
	orInt(&l.Entries, d.Entries)
	orInt64(&l.ExpandedBytes, d.ExpandedBytes)
	orInt64(&l.Ratio, d.Ratio)
	orInt64(&l.RatioFloor, d.RatioFloor)
	orInt(&l.PathBytes, d.PathBytes)
	orInt64(&l.FileBytes, d.FileBytes)
	orInt64(&l.SpoolBytes, d.SpoolBytes)
	orInt(&l.Packages, d.Packages)
	orInt(&l.Findings, d.Findings)
	orInt(&l.Hashes, d.Hashes)
	orInt(&l.Links, d.Links)
	orInt(&l.Windows, d.Windows)
	orInt64(&l.TextBytes, d.TextBytes)
	return l
}

func orInt(v *int, d int) {
	if *v == 0 {
		*v = d
	}
}

func orInt64(v *int64, d int64) {
	if *v == 0 {
		*v = d
	}
}
