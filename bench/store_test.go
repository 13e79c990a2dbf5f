// Package bench measures what the design promises. Nothing here asserts a time:
// the figures are printed, for people to compare on one machine.
package bench

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"dogwatch/internal/store"
)

// listed is the size of the inventory that the lists are promised for.
const listed = 100_000

// BenchmarkListImages measures pages of the image list over 100,000 images of
// 20 registries, as the API asks for them. It reports the middle and the 95th
// percentile of single calls, and the middle as a multiple of the floor: one
// walk over an index of all images, which any exact total costs at least. On a
// busy machine only the multiple means something.
func BenchmarkListImages(b *testing.B) {
	ctx := context.Background()
	s, err := store.Open(ctx, filepath.Join(b.TempDir(), "bench.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	account := fill(b, s)
	licensed := true
	for _, c := range []struct {
		name  string
		query store.ImageQuery
	}{
		{"first page", store.ImageQuery{}},
		{"deep page", store.ImageQuery{Offset: 90_000}},
		{"by scan time", store.ImageQuery{By: "ScanTime", Desc: true}},
		{"by malware", store.ImageQuery{By: "VirusCount", Desc: true}},
		{"licensed newest", store.ImageQuery{Licensed: &licensed, Latest: true}},
		{"name contains", filtered("ImageName", "app-77")},
		{"name contains, by scan time", sorted(filtered("ImageName", "app-77"), "ScanTime")},
		{"address contains", filtered("ImageRepoAddress", "team-3/app")},
		{"nothing contains", filtered("ImageTag", "zzz")},
		{"registry name contains", filtered("InstanceName", "registry-1")},
		{"critical", filtered("SecurityRisk", "CriticalLevelVul")},
		{"critical, by scan time", sorted(filtered("SecurityRisk", "CriticalLevelVul"), "ScanTime")},
		{"scan state", filtered("ScanStatus", "scanErr")},
		{"digest", filtered("ImageDigest", digest(4711))},
		{"recommended", store.ImageQuery{Recommended: true, Licensed: &licensed}},
		{"walk", store.ImageQuery{Licensed: &licensed, Ascending: true, AfterID: 50_000, Limit: 100}},
	} {
		b.Run(c.name, func(b *testing.B) {
			floor := countAll(b, s, account)
			q := c.query
			q.AccountID = account
			if q.Limit == 0 {
				q.Limit = 10
			}
			took := make([]time.Duration, 0, b.N)
			for b.Loop() {
				start := time.Now()
				if _, _, err := s.Images(ctx, q); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(start))
			}
			slices.Sort(took)
			b.ReportMetric(percentile(took, 50), "p50-ms")
			b.ReportMetric(percentile(took, 95), "p95-ms")
			b.ReportMetric(percentile(took, 50)/floor, "x-floor")
		})
	}
}

// countAll is the middle time of counting all images, in milliseconds.
func countAll(b *testing.B, s *store.Store, account int64) float64 {
	b.Helper()
	took := make([]time.Duration, 9)
	for n := range took {
		start := time.Now()
		if total, err := s.CountImages(b.Context(), store.ImageQuery{AccountID: account}); err != nil || total != listed {
			b.Fatalf("%d images (%v)", total, err)
		}
		took[n] = time.Since(start)
	}
	slices.Sort(took)
	return percentile(took, 50)
}

func filtered(name, value string) store.ImageQuery {
	return store.ImageQuery{Filters: []store.Filter{{Name: name, Values: []string{value}}}}
}

func sorted(q store.ImageQuery, by string) store.ImageQuery {
	q.By, q.Desc = by, true
	return q
}

func percentile(sorted []time.Duration, p int) float64 {
	return float64(sorted[(len(sorted)-1)*p/100].Microseconds()) / 1000
}

func digest(n int) string { return fmt.Sprintf("sha256:%064x", n) }

// fill makes the inventory: 20 registries, 500 repositories each, 10 tags each.
func fill(b *testing.B, s *store.Store) int64 {
	b.Helper()
	ctx := context.Background()
	account := &store.Account{Name: "bench"}
	err := s.Tx(ctx, func(ctx context.Context, db *store.DB, _ store.Enqueue) error {
		if err := db.CreateAccount(ctx, account); err != nil {
			return err
		}
		for r := range 20 {
			registry := &store.Registry{AccountID: account.ID, Name: fmt.Sprintf("registry-%d", r), Type: "harbor"}
			if err := db.InsertRegistry(ctx, registry); err != nil {
				return err
			}
			for n := range listed / 20 {
				if _, err := db.UpsertImage(ctx, image(account.ID, registry.ID, r*listed/20+n)); err != nil {
					return err
				}
			}
			if err := db.RefreshLatest(ctx, registry.ID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return account.ID
}

// image is the n-th image; its findings are spread as in a real inventory.
func image(accountID, registryID int64, n int) *store.Image {
	space, name := fmt.Sprintf("team-%d", n/100%10), fmt.Sprintf("app-%d", n/10)
	i := &store.Image{
		AccountID: accountID, RegistryID: registryID,
		Namespace: space, Name: name, Tag: fmt.Sprintf("1.%d", n%10), Repository: space + "/" + name,
		Address: "registry.example.com/" + space + "/" + name,
		Digest:  digest(n), ImageID: digest(n + 1_000_000), Size: int64(n) << 10, OSName: "Debian GNU/Linux 12",
		CreatedAt: store.Moment(1_700_000_000_000 + int64(n*7919%1_000_003)*1000), SeenAt: 1_760_000_000_000,
		Authorized: n%3 != 0, ScanStatus: store.Scanned, CveStatus: store.Scanned, VirusStatus: store.Scanned, RiskStatus: store.Scanned,
		CveProgress: 100, VirusProgress: 100, RiskProgress: 100,
		ScannedAt: store.Moment(1_750_000_000_000 + int64(n*104_729%1_000_003)*1000), AssessedDigest: digest(n),
		Snapshot: "0123456789abcdef", VulCnt: int64(n % 97), CriticalCnt: int64(n % 5 / 4), HighCnt: int64(n % 7),
	}
	if n%400 == 0 {
		i.VirusCnt, i.ScanStatus = 1, store.ScanErr
	}
	return i
}
