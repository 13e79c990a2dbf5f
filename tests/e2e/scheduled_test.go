package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"dogwatch/internal/advisory"
	"dogwatch/internal/app"
	"dogwatch/internal/registry/registrytest"
	"dogwatch/internal/sample"
)

// TestScheduledScan is the product in one test: a real registry with a
// password, the official Node SDK sets the timing task, the moment comes, and
// the same SDK reads the findings of every image.
func TestScheduledScan(t *testing.T) {
	registry := registrytest.StartDistribution(t, registrytest.WithBasic("robot", "s3cret-of-the-test"))
	auth := remote.WithAuth(&authn.Basic{Username: "robot", Password: "s3cret-of-the-test"})
	if err := sample.Push(t.Context(), registry.Host, auth); err != nil {
		t.Fatal(err)
	}
	s := startServer(t, nil)
	begin := s.clock.Now().In(location(t)).Add(2 * time.Hour)
	end := begin.Add(90 * time.Minute)
	document := s.nodeWalk(map[string]any{
		"registry": map[string]any{
			"Name": "real", "Username": "robot", "Password": "s3cret-of-the-test", "Url": "http://" + registry.Host,
			"RegistryType": "oci", "NetType": "private",
		},
		"task": map[string]any{
			"Enable": true, "ScanPeriod": 1, "ScanTime": begin.Format("15:04:05"), "ScanEndTime": end.Format("15:04"),
			"ScanType": []string{"CVE", "VIRUS", "RISK"}, "ScanScope": 0,
		},
		"pageSize": 2,
	}, func() { s.clock.Set(begin.Truncate(time.Second)) })

	compareWithSamples(t, document)
	if got := document.Task.ScanResult; got != "Success" {
		t.Errorf("result of the timing task %q, want Success", got)
	}
	if got, want := document.Task.LastScanTime, begin.Format(time.DateTime); got != want {
		t.Errorf("the last scan was at %q, want the scan time %q", got, want)
	}
	s.checkSecrets("s3cret-of-the-test", s.FirstKey.SecretKey)
}

// checkSecrets looks for credentials where none may be: in the log, and in the
// clear in the files of the data directory.
func (s *server) checkSecrets(secrets ...string) {
	s.t.Helper()
	files, err := filepath.Glob(filepath.Join(s.Dir, "dogwatch.db*"))
	if err != nil || len(files) == 0 {
		s.t.Fatalf("no database in %s: %v", s.Dir, err)
	}
	places := map[string]string{"the log": s.log.String()}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			s.t.Fatal(err)
		}
		places[file] = string(content)
	}
	for place, text := range places {
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				s.t.Errorf("a credential stands in the clear in %s", place)
			}
		}
	}
}

// document is what walk.js prints.
type document struct {
	Task   struct{ ScanResult, LastScanTime string }
	Status struct {
		Status                                            string
		ImageTotal, ImageScanCnt, SuccessCount, RiskCount uint64
	}
	Images []imageFindings
	Error  *struct{ Code, Message string }
}

type imageFindings struct {
	Image string
	Row   struct {
		ScanStatus, OsName        string
		VulCnt, VirusCnt, RiskCnt int
		ComponentCnt              *int
	}
	Vulnerabilities []vulnerability
	Viruses         []struct{ Path, VirusName, FileMd5, RiskLevel string }
	Risks           []struct {
		Behavior, Type                  int
		Level, Desc, InstructionContent string
	}
}

type vulnerability struct {
	CVEID, POCID, Level, Des, CvssScore, CvssVector, FixedVersions, Component, Version, Reference, CategoryType string
	Components                                                                                                  []struct{ Name, Version, FixedVersion, Path, Type string }
	LayerInfos                                                                                                  []struct{ LayerId, LayerCmd string }
}

func (f imageFindings) found() sample.Found {
	var got sample.Found
	for _, v := range f.Vulnerabilities {
		got.Vulnerabilities = append(got.Vulnerabilities, v.CVEID)
	}
	for _, v := range f.Viruses {
		got.Malware = append(got.Malware, v.Path)
	}
	for _, r := range f.Risks {
		got.Risks = append(got.Risks, sample.Risk{Behavior: r.Behavior, Type: r.Type})
	}
	return got
}

func compareWithSamples(t *testing.T, d *document) {
	t.Helper()
	expected := sample.Expected()
	for _, image := range d.Images {
		want, known := expected[image.Image]
		if !known {
			t.Errorf("%s is not one of the samples", image.Image)
			continue
		}
		delete(expected, image.Image)
		for _, line := range sample.Diff(want, image.found()) {
			t.Errorf("%s: %s", image.Image, line)
		}
		if image.Row.VulCnt != len(image.Vulnerabilities) || image.Row.VirusCnt != len(image.Viruses) || image.Row.RiskCnt != len(image.Risks) {
			t.Errorf("%s: the row counts %d, %d, %d; the lists hold %d, %d, %d", image.Image, image.Row.VulCnt, image.Row.VirusCnt,
				image.Row.RiskCnt, len(image.Vulnerabilities), len(image.Viruses), len(image.Risks))
		}
	}
	for name := range expected {
		t.Errorf("%s is missing", name)
	}
}

// nodeWalk runs the user's story with the official Node SDK and calls due when
// the task is set.
func (s *server) nodeWalk(story map[string]any, due func()) *document {
	s.t.Helper()
	argument, err := json.Marshal(story)
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), 5*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, "node", "walk.js", string(argument))
	command.Dir = filepath.Join(repository(s.t), "tests", "node")
	command.Env = append(os.Environ(), "DOGWATCH_ENDPOINT=http://"+s.Address(), "DOGWATCH_POLL_MS=50", "DOGWATCH_POLLS=3000",
		"DOGWATCH_SECRET_ID="+s.FirstKey.SecretID, "DOGWATCH_SECRET_KEY="+s.FirstKey.SecretKey)
	var out bytes.Buffer
	command.Stdout = &out
	steps, err := command.StderrPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		s.t.Fatalf("node: %v (run scripts/setup test)", err)
	}
	told := followSteps(steps, due)
	if err := command.Wait(); err != nil {
		s.t.Fatalf("walk.js: %v\n%s\n%s", err, out.String(), told)
	}
	d := &document{}
	if err := json.Unmarshal(out.Bytes(), d); err != nil {
		s.t.Fatalf("walk.js printed no document: %v\n%s", err, out.String())
	}
	return d
}

// followSteps reads the story's progress to its end and returns it.
func followSteps(r io.Reader, due func()) string {
	var all strings.Builder
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		all.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), `"task-set"`) {
			due()
		}
	}
	return all.String()
}

func location(t *testing.T) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// TestDebian scans a real Debian, made with debootstrap, and compares what it
// found with the distribution's own tool.
func TestDebian(t *testing.T) {
	image, status := debianImage(t)
	registry := registrytest.StartDistribution(t)
	registrytest.PushImage(t, registry, "base/debian:bookworm", image)
	s := startServer(t, nil)
	api := s.client()
	api.addRegistry(map[string]any{
		"Name": "real", "Username": "", "Password": "", "Url": "http://" + registry.Host, "RegistryType": "oci", "NetType": "private",
	})
	var started struct{ TaskID uint64 }
	api.call("CreateAssetImageRegistryScanTask", map[string]any{"All": true}, &started)
	if got := api.waitRun(started.TaskID); got != "SCANNED" {
		t.Fatalf("run ended as %s", got)
	}
	var list struct {
		List []struct {
			Id           uint64
			OsName       string
			ComponentCnt int
			ScanStatus   string
			Reason       *string
		}
	}
	api.call("DescribeAssetImageRegistryList", nil, &list)
	if len(list.List) != 1 || list.List[0].ScanStatus != "SCANNED" {
		t.Fatalf("list %+v, want one scanned image", list)
	}
	row := list.List[0]
	if !strings.Contains(row.OsName, "bookworm") {
		t.Errorf("distribution %q, want bookworm", row.OsName)
	}
	installed := strings.Count(status, "\nStatus: install ok installed\n")
	if row.ComponentCnt != installed {
		t.Errorf("%d packages, the package database has %d installed", row.ComponentCnt, installed)
	}
	if row.Reason != nil && *row.Reason != "" {
		t.Errorf("the scan is not whole: %s", *row.Reason)
	}
}

// debianImage is the cached root file system as a one-layer image, and its
// package database.
func debianImage(t *testing.T) (v1.Image, string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), filepath.Join(repository(t), "scripts", "debootstrap-rootfs"))
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("no Debian root file system: %v", err)
	}
	archive := strings.TrimSpace(string(out))
	status, err := exec.CommandContext(t.Context(), "tar", "-xOf", archive, "./var/lib/dpkg/status").Output()
	if err != nil {
		t.Fatalf("package database of %s: %v", archive, err)
	}
	layer, err := tarball.LayerFromFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	image, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		t.Fatal(err)
	}
	return image, "\n" + string(status)
}

// sorted returns the values in order, each once.
func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}

// TestRealAdvisories imports a whole public export and scans a real Debian with
// it: every finding names a package that the image has, in the version it has.
func TestRealAdvisories(t *testing.T) {
	shared := sharedData(t)
	if shared == "" {
		t.Skip("no advisory export: set DOGWATCH_SHARED_DATA to a directory that has osv/")
	}
	image, status := debianImage(t)
	registry := registrytest.StartDistribution(t)
	registrytest.PushImage(t, registry, "base/debian:bookworm", image)
	s := startServer(t, nil)
	report, err := advisory.Import(t.Context(), app.AdvisoryDir(s.Dir), []string{filepath.Join(shared, "osv")}, advisory.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if report.Broken != 0 || report.Records < 100_000 {
		t.Errorf("read %d records, %d of them broken; want more than 100,000 and none: %q", report.Records, report.Broken, report.BrokenNames)
	}
	api := s.client()
	api.addRegistry(map[string]any{
		"Name": "real", "Username": "", "Password": "", "Url": "http://" + registry.Host, "RegistryType": "oci", "NetType": "private",
	})
	var started struct{ TaskID uint64 }
	api.call("CreateAssetImageRegistryScanTask", map[string]any{"All": true, "ScanType": []string{"CVE"}}, &started)
	if got := api.waitRun(started.TaskID); got != "SCANNED" {
		t.Fatalf("run ended as %s", got)
	}
	var list struct {
		List []struct {
			Id     uint64
			VulCnt int
		}
	}
	api.call("DescribeAssetImageRegistryList", nil, &list)
	vulnerabilities := api.vulnerabilities(list.List[0].Id)
	t.Logf("advisory records %d, packages %d, vulnerabilities %d", report.Total, strings.Count(status, "\nPackage: "), len(vulnerabilities))
	if len(vulnerabilities) != list.List[0].VulCnt || len(vulnerabilities) < 20 {
		t.Errorf("%d vulnerabilities listed, the row counts %d; want the same, and 20 at least", len(vulnerabilities), list.List[0].VulCnt)
	}
	for _, v := range vulnerabilities {
		for _, c := range v.Components {
			if !strings.Contains(status, "\nPackage: "+c.Name+"\n") || !strings.Contains(status, "\nVersion: "+c.Version+"\n") {
				t.Errorf("%s names %s %s, which the image does not have", v.CVEID, c.Name, c.Version)
			}
		}
	}
}

// vulnerabilities reads the whole list of one image.
func (c *client) vulnerabilities(id uint64) []vulnerability {
	c.t.Helper()
	var all []vulnerability
	for {
		var page struct {
			List       []vulnerability
			TotalCount int
		}
		c.call("DescribeAssetImageRegistryVulList", map[string]any{"Id": id, "Limit": 100, "Offset": len(all)}, &page)
		all = append(all, page.List...)
		if len(page.List) == 0 {
			if len(all) != page.TotalCount {
				c.t.Errorf("%d rows listed of %d", len(all), page.TotalCount)
			}
			return all
		}
	}
}
