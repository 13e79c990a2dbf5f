package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"dogwatch/internal/advisory"
	"dogwatch/internal/app"
)

type advisoriesCmd struct {
	Import advisoriesImportCmd `cmd:"" help:"Read OSV records from ECOSYSTEM/all.zip files, directories and single files."`
	Pull   advisoriesPullCmd   `cmd:"" help:"Fetch OSV archives from a mirror with the layout of the public OSV bucket."`
	Status advisoriesStatusCmd `cmd:"" help:"Tell which snapshot is in force."`
}

type advisoriesImportCmd struct {
	dataFlag
	Paths []string `arg:"" name:"path" help:"Archives, directories or files." type:"path"`
}

// Run imports. A running server takes up the new snapshot by itself.
func (c *advisoriesImportCmd) Run(ctx context.Context, p process) error {
	report, err := advisory.Import(ctx, app.AdvisoryDir(c.Data), c.Paths, advisory.Options{Progress: progressTo(p.err)})
	return printReport(p.out, report, err)
}

type advisoriesPullCmd struct {
	dataFlag
	Mirror     string   `help:"Base URL of the mirror." required:"" env:"DOGWATCH_MIRROR"`
	Ecosystems []string `arg:"" optional:"" name:"ecosystem" help:"Ecosystems to fetch; none: all the mirror lists."`
}

// Run pulls.
func (c *advisoriesPullCmd) Run(ctx context.Context, p process) error {
	report, err := advisory.Pull(ctx, app.AdvisoryDir(c.Data), c.Mirror, c.Ecosystems, advisory.Options{Progress: progressTo(p.err)})
	return printReport(p.out, report, err)
}

// progressTo prints at most one line a second.
func progressTo(w io.Writer) func(advisory.Progress) {
	var last time.Time
	return func(now advisory.Progress) {
		if time.Since(last) < time.Second {
			return
		}
		last = time.Now()
		fmt.Fprintf(w, "%d records, %d MB, source %d of %d: %s\n", now.Records, now.Bytes>>20, now.Done+1, now.Sources, now.Source) //nolint:errcheck // progress is a courtesy
	}
}

func printReport(w io.Writer, r advisory.Report, err error) error {
	if err != nil {
		return err
	}
	for _, name := range r.BrokenNames {
		fmt.Fprintf(w, "broken: %s\n", name) //nolint:errcheck // reported by the last line
	}
	if more := r.Broken - len(r.BrokenNames); more > 0 {
		fmt.Fprintf(w, "broken: and %d more\n", more) //nolint:errcheck // reported by the last line
	}
	state := "nothing changed; the snapshot stays " + r.Snapshot
	if r.Changed {
		state = "snapshot " + r.Snapshot + " is in force"
	}
	_, err = fmt.Fprintf(w, "read %d records from %d sources: %d new, %d updated, %d known, %d older, %d broken; %s with %d records\n",
		r.Records, r.Sources, r.Added, r.Updated, r.Same, r.Older, r.Broken, state, r.Total)
	return err
}

type advisoriesStatusCmd struct{ dataFlag }

// Run prints the state of the advisory data.
func (c *advisoriesStatusCmd) Run(ctx context.Context, p process) error {
	library, err := advisory.OpenLibrary(app.AdvisoryDir(c.Data))
	if err != nil {
		return err
	}
	defer library.Close() //nolint:errcheck // only read
	snapshot, err := library.Current(ctx)
	if errors.Is(err, advisory.ErrNone) {
		_, err = fmt.Fprintln(p.out, "no advisory data; run dogwatch advisories import or pull")
		return err
	}
	if err != nil {
		return err
	}
	info := snapshot.Info()
	fmt.Fprintf(p.out, "snapshot %s of %s, %d records, from %s\n", info.ID, info.CreatedAt.Format(time.RFC3339), info.Records, info.Source) //nolint:errcheck // reported by the last line
	names := make([]string, 0, len(info.Ecosystems))
	for name := range info.Ecosystems {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if _, err = fmt.Fprintf(p.out, "  %-30s %d\n", name, info.Ecosystems[name]); err != nil {
			return err
		}
	}
	return nil
}
