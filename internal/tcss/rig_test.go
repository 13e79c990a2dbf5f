package tcss_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dogwatch/internal/advisory"
	"dogwatch/internal/clock"
	"dogwatch/internal/cloudapi"
	"dogwatch/internal/cloudapi/client"
	"dogwatch/internal/facts"
	"dogwatch/internal/finding"
	"dogwatch/internal/inventory"
	"dogwatch/internal/registry"
	"dogwatch/internal/sample/advisories"
	"dogwatch/internal/scan"
	"dogwatch/internal/seal"
	"dogwatch/internal/store"
	"dogwatch/internal/tcss"
)

// now is 2026-03-02 20:00:00 in the zone of the tests, UTC+8.
var now = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

const revision = "test-1"

// Callers of a rig.
const (
	admin    = "AKIDadmin"    // of the account "own"
	operator = "AKIDoperator" // of the account "own"
	reader   = "AKIDreader"   // of the account "own"
	stranger = "AKIDstranger" // administrator of the account "other"
)

// rig is the API over a real store, a real signed server and real findings;
// scans and registries, which need a network, are doubles.
type rig struct {
	t       *testing.T
	url     string
	store   *store.Store
	clock   *clock.Fake
	library *advisory.Library
	scans   *scans
	box     *seal.Box
	check   func(registry.Target) error // result of connection tests
	own     int64
	other   int64
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, clock: clock.NewFake(now), check: func(registry.Target) error { return nil }}
	var err error
	r.store, err = store.Open(t.Context(), filepath.Join(t.TempDir(), "dogwatch.db"))
	r.must(err)
	t.Cleanup(func() { r.must(r.store.Close()) })
	r.box, err = seal.New(bytes.Repeat([]byte{7}, 32))
	r.must(err)
	r.own, r.other = r.account("own"), r.account("other")
	r.scans = &scans{store: r.store}
	r.library, err = advisory.OpenLibrary(filepath.Join(t.TempDir(), "advisories"))
	r.must(err)
	t.Cleanup(func() { r.must(r.library.Close()) })
	api := cloudapi.NewAPI("tcss", "2020-11-01")
	tcss.Register(api, tcss.Rooms{
		Store: r.store, Scans: r.scans, Sealer: r.box, Clock: r.clock,
		Findings: finding.New(finding.Options{Store: r.store, Snapshots: r.library, Revision: revision}),
		Open: func(target registry.Target) (registry.Client, error) {
			return doubleClient{rig: r, target: target}, nil
		},
		PublicURL: "https://dogwatch.example.org/",
		Random:    strings.NewReader(strings.Repeat("0123456789abcdef", 100)),
		Location:  time.FixedZone("CST", 8*3600),
	})
	server := httptest.NewServer(cloudapi.NewServer(api, cloudapi.Options{Keys: r, RateLimit: -1}))
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

// importAdvisories makes the snapshot of the samples the one in force.
func (r *rig) importAdvisories() {
	r.t.Helper()
	from := filepath.Join(r.t.TempDir(), "osv")
	r.must(advisories.Write(from))
	_, err := advisory.Import(r.t.Context(), r.library.Dir(), []string{from}, advisory.Options{})
	r.must(err)
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) account(name string) int64 {
	a := &store.Account{Name: name, CreatedAt: store.At(now.AddDate(0, -2, -18)), FirstPrice: 10, AgainPrice: 1, SyncMinute: -1}
	r.must(r.store.CreateAccount(r.t.Context(), a))
	return a.ID
}

// Key makes the rig a cloudapi.KeyStore.
func (r *rig) Key(_ context.Context, secretID string) (cloudapi.Key, error) {
	key := cloudapi.Key{SecretID: secretID, SecretKey: "secret", AccountID: r.own}
	switch secretID {
	case admin:
		key.Role = cloudapi.RoleAdministrator
	case operator:
		key.Role = cloudapi.RoleOperator
	case reader:
	case stranger:
		key.Role, key.AccountID = cloudapi.RoleAdministrator, r.other
	default:
		return key, cloudapi.ErrNoKey
	}
	return key, nil
}

type object = map[string]any

// try calls an action and returns the answer, or the code of the error.
func (r *rig) try(as, action, params string) (object, string) {
	r.t.Helper()
	c := client.Client{Endpoint: r.url, SecretID: as, SecretKey: "secret"}
	raw, err := c.Call(r.t.Context(), action, json.RawMessage(params))
	var told *client.Error
	if errors.As(err, &told) {
		if told.RequestID == "" || told.Message == "" {
			r.t.Errorf("%s: error without message or request id: %v", action, told)
		}
		return nil, told.Code
	}
	r.must(err)
	var answer object
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	r.must(decoder.Decode(&answer))
	return answer, ""
}

// call calls an action that has to succeed.
func (r *rig) call(as, action, params string) object {
	r.t.Helper()
	answer, code := r.try(as, action, params)
	if code != "" {
		r.t.Fatalf("%s(%s): %s", action, params, code)
	}
	return answer
}

// refuse calls an action that has to fail with a code.
func (r *rig) refuse(as, action, params, code string) {
	r.t.Helper()
	if _, got := r.try(as, action, params); got != code {
		r.t.Errorf("%s(%s): code %q, want %q", action, params, got, code)
	}
}

// registry stores a registry of an account.
func (r *rig) registry(account int64, name string) *store.Registry {
	r.t.Helper()
	row := &store.Registry{AccountID: account, Name: name, Type: "harbor", URL: "https://" + name + ".example.org",
		NetType: "public", Region: "default", Version: "V2", ConnStatus: "status_connected", ConnMessage: "success",
		ConnHosts: json.RawMessage("[]"), CreatedAt: store.At(now)}
	var err error
	row.SealedPassword, err = r.box.Seal([]byte("hunter2"), row.PasswordContext())
	r.must(err)
	row.SealedToken, err = r.box.Seal([]byte("hook"), row.TokenContext())
	r.must(err)
	r.must(r.store.InsertRegistry(r.t.Context(), row))
	return row
}

// image stores a licensed image "shop/NAME:TAG" of a registry.
func (r *rig) image(in *store.Registry, name, tag string) *store.Image {
	r.t.Helper()
	i := &store.Image{AccountID: in.AccountID, RegistryID: in.ID, Namespace: "shop", Name: name, Tag: tag,
		Repository: "shop/" + name, Address: in.Name + ".example.org/shop/" + name, Digest: digest(name + tag), ImageID: digest("config" + name),
		Size: 1234, CreatedAt: store.At(now.Add(-time.Hour)), SeenAt: store.At(now), Authorized: true}
	_, err := r.store.UpsertImage(r.t.Context(), i)
	r.must(err)
	r.must(r.store.RefreshLatest(r.t.Context(), in.ID))
	return i
}

func digest(of string) string { return fmt.Sprintf("sha256:%064x", of) }

// assessed makes an image the result of a scan: lodash with known
// vulnerabilities, a test virus, a private key and a password in the build.
func (r *rig) assessed(i *store.Image) {
	r.t.Helper()
	ctx := r.t.Context()
	layer := &facts.Layer{Revision: revision, Digest: digest("layer"), Entries: 3,
		Packages: []facts.PackageFile{{Path: "app/node_modules/lodash/package.json", Kind: facts.KindNPM,
			Packages: []facts.Package{{Ecosystem: "npm", Name: "lodash", Version: "4.17.10"}}}},
		Malware: []facts.Malware{{Path: "tmp/eicar.com", Name: "Eicar-Test-Signature", Engine: "builtin", Category: "test",
			Level: 4, MD5: "44d88612fea8a8f36de82e1278abb02f", Size: 68, FileType: "TXT"}},
		Secrets: []facts.Secret{{Rule: "private-key", Title: "private key", Path: "home/rooted/.ssh/id", Line: 1, Masked: "----", Level: 4}},
		NonDirs: []uint64{facts.PathHash("app/node_modules/lodash/package.json"), facts.PathHash("tmp/eicar.com"), facts.PathHash("home/rooted/.ssh/id")},
	}
	blob, err := facts.Encode(layer)
	r.must(err)
	r.must(r.store.PutLayerFacts(ctx, &store.LayerFacts{Digest: layer.Digest, Revision: revision, Complete: true, Facts: blob, InspectedAt: store.At(now.Add(-time.Minute))}))
	refs, err := json.Marshal([]inventory.LayerRef{{Digest: layer.Digest, Command: "COPY . /app"}})
	r.must(err)
	risks, err := json.Marshal([]facts.Risk{{Rule: "root-user", Behavior: 1, Level: 3, Desc: "runs as root", Instruction: "USER root", At: now}})
	r.must(err)
	r.must(r.store.PutContent(ctx, &store.Content{AccountID: i.AccountID, Digest: i.Digest, ManifestDigest: i.Digest,
		Layers: refs, Risks: risks, History: "2026-03-02 20:00:00\nCOPY . /app\n\n", PlatformNote: "linux/amd64 of 2 platforms"}))
	i.AssessedDigest, i.ScannedAt, i.ItemID = i.Digest, store.At(now), 0
	i.ScanStatus, i.CveStatus, i.VirusStatus, i.RiskStatus = store.Scanned, store.Scanned, store.Scanned, store.Scanned
	i.CveProgress, i.VirusProgress, i.RiskProgress = 100, 100, 100
	i.CveAt, i.VirusAt, i.RiskAt = i.ScannedAt, i.ScannedAt, i.ScannedAt
	r.must(r.store.PutImageOutcome(ctx, i, 0))
}

// doubleClient is a registry whose connection test ends as the rig says. Its
// other methods are never called here.
type doubleClient struct {
	registry.Client
	rig    *rig
	target registry.Target
}

func (c doubleClient) Check(context.Context) error { return c.rig.check(c.target) }

// scans is a double of the scan room: it opens runs in the store and remembers
// what it was asked.
type scans struct {
	store   *store.Store
	refusal error
	started []scan.Request
	stopped []scan.StopRequest
	synced  [][]int64
}

func (s *scans) Start(ctx context.Context, accountID int64, req scan.Request) (*store.Run, error) {
	if s.refusal != nil {
		return nil, s.refusal
	}
	s.started = append(s.started, req)
	run := &store.Run{AccountID: accountID, Kind: req.Kind, Parts: req.Parts, Scope: req.Scope, State: store.Scanning, Total: 4, StartedAt: store.At(now)}
	return run, s.store.InsertRun(ctx, run)
}

func (s *scans) Stop(_ context.Context, _ int64, req scan.StopRequest) error {
	s.stopped = append(s.stopped, req)
	return nil
}

func (s *scans) SyncNow(_ context.Context, _ int64, registryIDs []int64) error {
	s.synced = append(s.synced, registryIDs)
	return nil
}

func (s *scans) RemoveRegistry(ctx context.Context, accountID, registryID int64) error {
	return s.store.DeleteRegistry(ctx, accountID, registryID)
}
