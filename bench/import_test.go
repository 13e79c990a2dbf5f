package bench

import (
	"archive/zip"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dogwatch/internal/advisory"
	"dogwatch/internal/facts"
	"dogwatch/internal/inventory"
	"dogwatch/internal/match"
)

// records is the size of the generated archive, that of a large ecosystem.
const records = 20_000

// advisoryArchive writes an archive of Debian records: two releases each, a
// text of some sentences, 3,000 packages.
func advisoryArchive(b *testing.B) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "all.zip")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	z := zip.NewWriter(f)
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range records {
		w, err := z.Create(fmt.Sprintf("DEBIAN-CVE-2099-%05d.json", i))
		if err != nil {
			b.Fatal(err)
		}
		io.WriteString(w, advisoryRecord(rnd, i)) //nolint:errcheck // the archive's Close reports it
	}
	if err := z.Close(); err != nil {
		b.Fatal(err)
	}
	return path
}

func advisoryRecord(rnd *rand.Rand, i int) string {
	words := strings.Fields("a long header makes the parser of this library read beyond its buffer so that a remote sender may stop or steer the process which trusts it")
	var text strings.Builder
	for range 40 + rnd.IntN(120) {
		text.WriteString(words[rnd.IntN(len(words))] + " ")
	}
	name := fmt.Sprintf("package%d", rnd.IntN(3000))
	affected := func(release int) string {
		return fmt.Sprintf(`{"package":{"ecosystem":"Debian:%d","name":%q},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.%d.%d-1+deb%du1"}]}],"ecosystem_specific":{"urgency":"not yet assigned"}}`,
			release, name, rnd.IntN(30), rnd.IntN(9), release)
	}
	return fmt.Sprintf(`{"schema_version":"1.7.3","id":"DEBIAN-CVE-2099-%05d","modified":"2026-03-01T12:00:00Z","published":"2026-02-01T12:00:00Z","upstream":["CVE-2099-%05d"],
"details":%q,"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}],"affected":[%s,%s],
"references":[{"type":"ADVISORY","url":"https://example.org/CVE-2099-%05d"}]}`, i, i, text.String(), affected(12), affected(13), i)
}

// BenchmarkImport measures an import into an empty library. The floor is
// inflating the same archive; "x floor" is the ratio of the two in one run.
func BenchmarkImport(b *testing.B) {
	path := advisoryArchive(b)
	floor := time.Duration(0)
	for b.Loop() {
		b.StopTimer()
		floor += inflate(b, path)
		b.StartTimer()
		r, err := advisory.Import(context.Background(), b.TempDir(), []string{path}, advisory.Options{})
		if err != nil || r.Total != records {
			b.Fatalf("%+v, %v", r, err)
		}
	}
	b.ReportMetric(float64(records*b.N)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(b.Elapsed())/float64(floor), "x_floor")
}

func inflate(b *testing.B, path string) time.Duration {
	b.Helper()
	start := time.Now()
	z, err := zip.OpenReader(path)
	if err != nil {
		b.Fatal(err)
	}
	defer z.Close()
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			b.Fatal(err)
		}
		r.Close()
	}
	return time.Since(start)
}

// BenchmarkJudge measures the judgement of an image of 400 packages.
func BenchmarkJudge(b *testing.B) {
	dir := b.TempDir()
	if _, err := advisory.Import(context.Background(), dir, []string{advisoryArchive(b)}, advisory.Options{}); err != nil {
		b.Fatal(err)
	}
	lib, err := advisory.OpenLibrary(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer lib.Close()
	snap, err := lib.Current(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	inv := &inventory.Inventory{OS: &facts.OSRelease{ID: "debian", VersionID: "12"}}
	for i := range 400 {
		p := facts.Package{Name: fmt.Sprintf("package%d", i*7), Version: "1.27.3-1"}
		inv.Packages = append(inv.Packages, inventory.Package{Package: p, Kind: facts.KindDpkg, File: "var/lib/dpkg/status"})
	}
	findings := 0
	for b.Loop() {
		v, err := match.Judge(context.Background(), inv, snap)
		if err != nil {
			b.Fatal(err)
		}
		findings = len(v.Findings)
	}
	b.ReportMetric(float64(findings), "findings")
}
