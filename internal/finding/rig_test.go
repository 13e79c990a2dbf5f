package finding_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"dogwatch/internal/advisory"
	"dogwatch/internal/facts"
	"dogwatch/internal/finding"
	"dogwatch/internal/inventory"
	"dogwatch/internal/store"
)

const (
	account  = int64(1)
	revision = "r2"
)

var inspectedAt = time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)

// rig is a service over a real store and a real library, with one image.
type rig struct {
	t       *testing.T
	store   *store.Store
	library *advisory.Library
	service *finding.Service
	image   *store.Image
}

func newRig(t *testing.T, records ...string) *rig {
	t.Helper()
	r := &rig{t: t}
	var err error
	r.store, err = store.Open(t.Context(), filepath.Join(t.TempDir(), "dogwatch.db"))
	r.must(err)
	t.Cleanup(func() { r.must(r.store.Close()) })
	r.library, err = advisory.OpenLibrary(filepath.Join(t.TempDir(), "advisories"))
	r.must(err)
	t.Cleanup(func() { r.must(r.library.Close()) })
	if len(records) > 0 {
		r.publish(records...)
	}
	r.service = finding.New(finding.Options{Store: r.store, Snapshots: r.library, Revision: revision})
	r.must(r.store.CreateAccount(t.Context(), &store.Account{Name: "default"}))
	reg := &store.Registry{AccountID: account, Name: "prod", Type: "oci", ConnHosts: json.RawMessage("[]")}
	r.must(r.store.InsertRegistry(t.Context(), reg))
	r.image = &store.Image{AccountID: account, RegistryID: reg.ID, Repository: "app", Name: "app", Tag: "1", Digest: "sha256:image"}
	_, err = r.store.UpsertImage(t.Context(), r.image)
	r.must(err)
	return r
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// publish imports OSV records as a new snapshot.
func (r *rig) publish(records ...string) {
	r.t.Helper()
	dir := r.t.TempDir()
	var paths []string
	for _, text := range records {
		var record struct{ ID string }
		r.must(json.Unmarshal([]byte(text), &record))
		path := filepath.Join(dir, record.ID+".json")
		r.must(os.WriteFile(path, []byte(text), 0o600))
		paths = append(paths, path)
	}
	_, err := advisory.Import(r.t.Context(), r.library.Dir(), paths, advisory.Options{})
	r.must(err)
}

// reopened is the library as another process opens it.
func (r *rig) reopened() *advisory.Library {
	r.t.Helper()
	library, err := advisory.OpenLibrary(r.library.Dir())
	r.must(err)
	r.t.Cleanup(func() { r.must(library.Close()) })
	return library
}

// assess does what a scan does with an assessment: the row names its snapshot.
func (r *rig) assess(content *store.Content) *finding.Assessment {
	r.t.Helper()
	a, err := r.service.Assess(r.t.Context(), content, store.AllParts)
	r.must(err)
	r.image.Snapshot, r.image.VulCnt = a.Snapshot, a.VulCnt
	r.succeeded(store.AllParts)
	return a
}

// listed is how many vulnerabilities the image's list has.
func (r *rig) listed() int64 {
	r.t.Helper()
	page, err := r.service.Vulnerabilities(r.t.Context(), account, r.image.ID, finding.Query{Limit: 100})
	r.must(err)
	return int64(page.Total)
}

// content stores an image content of the given layers, which are stored under
// a revision, and returns it.
func (r *rig) content(under string, risks []facts.Risk, layers ...facts.Layer) *store.Content {
	r.t.Helper()
	refs := make([]inventory.LayerRef, len(layers))
	for i, l := range layers {
		l.Revision = under
		blob, err := facts.Encode(&l)
		r.must(err)
		r.must(r.store.PutLayerFacts(r.t.Context(), &store.LayerFacts{Digest: l.Digest, Revision: under, Facts: blob, InspectedAt: store.At(inspectedAt)}))
		refs[i] = inventory.LayerRef{Digest: l.Digest, Command: "RUN step " + l.Digest}
	}
	layerList, err := json.Marshal(refs)
	r.must(err)
	riskList, err := json.Marshal(risks)
	r.must(err)
	c := &store.Content{AccountID: account, Digest: "sha256:image", ManifestDigest: "sha256:manifest", Layers: layerList, Risks: riskList}
	r.must(r.store.PutContent(r.t.Context(), c))
	return c
}

// succeeded records that parts of the image's assessment have succeeded.
func (r *rig) succeeded(parts store.Parts) {
	r.t.Helper()
	r.image.AssessedDigest = "sha256:image"
	for part, at := range map[store.Parts]*store.Moment{store.PartCVE: &r.image.CveAt, store.PartVirus: &r.image.VirusAt, store.PartRisk: &r.image.RiskAt} {
		*at = 0
		if parts.Has(part) {
			*at = store.At(inspectedAt.Add(time.Hour))
		}
	}
	r.must(r.store.PutImageOutcome(r.t.Context(), r.image, 0))
}

// npm is a layer with one npm package.
func npm(digest, name, version string) facts.Layer {
	path := "app/node_modules/" + name + "/package.json"
	return facts.Layer{
		Digest:  digest,
		NonDirs: []uint64{facts.PathHash(path)},
		Packages: []facts.PackageFile{{Path: path, Kind: facts.KindNPM, Packages: []facts.Package{
			{Ecosystem: "npm", Name: name, Version: version},
		}}},
	}
}

// record is an OSV record on all versions of an npm package below a fix.
func record(id, name, fixed, vector string) string {
	severity := "[]"
	if vector != "" {
		severity = `[{"type": "CVSS_V3", "score": "` + vector + `"}]`
	}
	events := `[{"introduced": "0"}]`
	if fixed != "" {
		events = `[{"introduced": "0"}, {"fixed": "` + fixed + `"}]`
	}
	return `{"schema_version": "1.6.0", "id": "` + id + `", "modified": "2026-01-01T00:00:00Z", "published": "2025-01-01T00:00:00Z",
 "summary": "fault of ` + name + `", "severity": ` + severity + `,
 "affected": [{"package": {"ecosystem": "npm", "name": "` + name + `"}, "ranges": [{"type": "SEMVER", "events": ` + events + `}]}]}`
}

const (
	critical = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" // 9.8
	high     = "CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H" // 7.2
	medium   = "CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:U/C:N/I:N/A:H" // 5.5
)
