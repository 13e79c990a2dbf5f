package advisory

import (
	"context"
	"net/http"
	"time"
)

// Options of an import. The zero value is usable.
type Options struct {
	Progress func(Progress)   // called after every batch, from the importing goroutine
	Now      func() time.Time // the clock, nil for the machine's
	Client   *http.Client     // for Pull, nil for one with sensible timeouts
	Limits   Limits
	Batch    int // records per transaction, 0 for 1000
	Keep     int // former snapshots kept beside the current one, 0 for 1, negative for none
}

// Limits bound what an import takes in. Zero fields mean the default.
type Limits struct {
	Record    int64 // bytes of one record, 16 MiB
	Archive   int64 // bytes of one archive, 4 GiB
	Directory int64 // bytes of an archive's table of contents, 48 MiB
	Expanded  int64 // bytes all records of one archive expand to, 32 GiB
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Client == nil {
		o.Client = defaultClient()
	}
	if o.Progress == nil {
		o.Progress = func(Progress) {}
	}
	if o.Batch <= 0 {
		o.Batch = 1000
	}
	if o.Keep == 0 {
		o.Keep = 1
	}
	fill := func(v *int64, def int64) {
		if *v <= 0 {
			*v = def
		}
	}
	fill(&o.Limits.Record, 16<<20)
	fill(&o.Limits.Archive, 4<<30)
	fill(&o.Limits.Directory, 48<<20)
	fill(&o.Limits.Expanded, 32<<30)
	return o
}

// Import reads OSV records from paths into the library in dir and puts a new
// snapshot in force: the former one and what was read. A path is an archive, a
// directory (searched for archives named all.zip and for .json files) or a
// .json file. An import that was stopped goes on where it was, as long as the
// snapshot in force is still the same; without a change no snapshot is made.
func Import(ctx context.Context, dir string, paths []string, o Options) (Report, error) {
	o = o.withDefaults()
	sources, err := findSources(paths)
	if err != nil {
		return Report{}, err
	}
	s, err := begin(dir, o)
	if err != nil {
		return Report{}, err
	}
	defer s.abandon()
	s.sources = len(sources)
	for _, src := range sources {
		if err := s.read(ctx, src); err != nil {
			return s.state.Report, err
		}
	}
	return s.publish(ctx, describe(paths))
}
