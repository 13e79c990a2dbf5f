package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/google/go-cmp/cmp"

	"dogwatch/internal/registry/registrytest"
	"dogwatch/internal/sample"
	"dogwatch/internal/store"
)

// The key of every process of the crash test, set at the first start.
const (
	crashID  = "AKIDcrashcrashcrashcrashcrashcrash00"
	crashKey = "crashcrashcrashcrashcrashcrash00"
)

// process is a `dogwatch serve` that can be killed.
type process struct {
	t       *testing.T
	command *exec.Cmd
	address string
	lines   chan logLine
	done    chan error
}

// logLine is what the tests read of a line of the log.
type logLine struct {
	Msg, Listen string
	Image, Item int64
	Layer       string
}

// build builds the program once for a test.
func build(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "dogwatch")
	command := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./cmd/dogwatch")
	command.Dir = repository(t)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, out)
	}
	return program
}

func startProcess(t *testing.T, program, data string) *process {
	t.Helper()
	command := exec.CommandContext(t.Context(), program, "serve", "--data", data, "--listen", "127.0.0.1:0", "--metrics-listen=",
		"--workers", "2", "--rate-limit", "1000", "--no-nightly-sync")
	command.Env = append(os.Environ(), "DOGWATCH_SECRET_ID="+crashID, "DOGWATCH_SECRET_KEY="+crashKey)
	command.Stdout = io.Discard
	log, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, command: command, lines: make(chan logLine, 10000), done: make(chan error, 1)}
	go p.read(log)
	p.address = p.await("dogwatch started", 1).Listen
	return p
}

// read hands the log on, line by line, and reports the end of the process.
func (p *process) read(log io.Reader) {
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line logLine
		if json.Unmarshal(lines.Bytes(), &line) == nil {
			p.lines <- line
		}
	}
	close(p.lines)
	p.done <- p.command.Wait()
}

// await returns the nth line from here on that says msg; a line without a
// message means that the process ended or a run did.
func (p *process) await(msg string, n int) logLine {
	p.t.Helper()
	limit := time.After(2 * time.Minute)
	for {
		select {
		case line, open := <-p.lines:
			if !open {
				return logLine{}
			}
			if line.Msg == msg {
				if n--; n == 0 {
					return line
				}
			}
			if line.Msg == "run ended" && msg != line.Msg {
				return logLine{}
			}
		case <-limit:
			p.t.Fatalf("the log never said %q", msg)
		}
	}
}

// kill ends the process at once, as a power cut would.
func (p *process) kill() {
	p.t.Helper()
	if err := p.command.Process.Kill(); err != nil {
		p.t.Fatal(err)
	}
	for range p.lines {
	}
	<-p.done
}

// stop ends the process as an operator would.
func (p *process) stop() {
	p.t.Helper()
	if err := p.command.Process.Signal(os.Interrupt); err != nil {
		p.t.Fatal(err)
	}
	for range p.lines {
	}
	if err := <-p.done; err != nil {
		p.t.Errorf("the process did not stop cleanly: %v", err)
	}
}

func (p *process) client() *client { return newClient(p.t, p.address, crashID, crashKey) }

// crashImages pushes images whose layers take a moment to inspect: some shared,
// most their own.
func crashImages(t *testing.T, registry *registrytest.Server) {
	t.Helper()
	for _, s := range sample.All() {
		if err := s.Push(t.Context(), registry.Host); err != nil {
			t.Fatal(err)
		}
	}
	noise := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // reproducible filling
	shared := bulk(t, noise, 0)
	for i := 1; i <= 12; i++ {
		image := registrytest.Image(t, shared, bulk(t, noise, i), bulk(t, noise, 100+i))
		registrytest.PushImage(t, registry, fmt.Sprintf("bulk/app-%02d:1", i), image)
	}
}

// bulk is a layer of a few megabytes of text with one npm package of its own.
func bulk(t *testing.T, noise *rand.Rand, i int) v1.Layer {
	t.Helper()
	files := map[string]string{
		fmt.Sprintf("app/node_modules/minimist-%d/package.json", i): `{"name":"minimist","version":"1.2.0"}`,
	}
	for f := range 20 {
		var text strings.Builder
		for text.Len() < 200_000 {
			fmt.Fprintf(&text, "line %x of the filling %x\n", noise.Uint64(), noise.Uint64())
		}
		files[fmt.Sprintf("srv/%d/%d.txt", i, f)] = text.String()
	}
	return registrytest.Layer(t, files)
}

// TestKillNine kills the server at ten points of a run. After the last restart
// every image was scanned exactly once, with the findings of an undisturbed run.
func TestKillNine(t *testing.T) {
	registry := registrytest.StartDistribution(t)
	crashImages(t, registry)
	program := build(t)

	quiet := filepath.Join(t.TempDir(), "quiet")
	importSamples(t, quiet)
	p := startProcess(t, program, quiet)
	run := p.beginRun(registry.Host)
	if got := p.client().waitRun(run); got != "SCANNED" {
		t.Fatalf("the undisturbed run ended as %s", got)
	}
	want := p.client().allFindings()
	p.stop()

	data := filepath.Join(t.TempDir(), "killed")
	importSamples(t, data)
	p = startProcess(t, program, data)
	run = p.beginRun(registry.Host)
	kills := 0
	for _, point := range []struct {
		line string
		nth  int
	}{
		{"run opened", 1}, {"layer inspected", 1}, {"image scanned", 1}, {"layer inspected", 2}, {"image scanned", 2},
		{"layer inspected", 1}, {"image scanned", 1}, {"layer inspected", 3}, {"layer inspected", 1}, {"image scanned", 2},
	} {
		if point.line != "run opened" && p.await(point.line, point.nth).Msg == "" {
			break
		}
		p.kill()
		kills++
		p = startProcess(t, program, data)
	}
	if kills != 10 {
		t.Fatalf("the run ended after %d kills; it must be long enough for 10", kills)
	}
	if got := p.client().waitRun(run); got != "SCANNED" {
		t.Fatalf("the killed run ended as %s", got)
	}
	got := p.client().allFindings()
	p.stop()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings after the kills (-undisturbed +killed):\n%s", diff)
	}
	checkItems(t, data, run, len(want))
}

// beginRun adds the registry and scans everything; it returns the task.
func (p *process) beginRun(host string) uint64 {
	p.t.Helper()
	api := p.client()
	api.addRegistry(map[string]any{
		"Name": "real", "Username": "", "Password": "", "Url": "http://" + host, "RegistryType": "oci", "NetType": "private",
	})
	var started struct{ TaskID uint64 }
	api.call("CreateAssetImageRegistryScanTask", map[string]any{"All": true}, &started)
	return started.TaskID
}

// findingsOf is what the lists say of one image, without ids and times.
type findingsOf struct {
	Status, Reason          string
	VulCnt, VirusCnt, Risks int
	Vulnerabilities         []string
	Malware                 []string
}

// allFindings reads everything about every image, by name.
func (c *client) allFindings() map[string]findingsOf {
	c.t.Helper()
	var list struct {
		List []struct {
			Id                             uint64
			Namespace, ImageName, ImageTag string
			ScanStatus                     string
			VulCnt, VirusCnt, RiskCnt      int
			Reason                         *string
		}
		TotalCount int
	}
	c.call("DescribeAssetImageRegistryList", map[string]any{"Limit": 100}, &list)
	all := map[string]findingsOf{}
	for _, row := range list.List {
		f := findingsOf{Status: row.ScanStatus, VulCnt: row.VulCnt, VirusCnt: row.VirusCnt, Risks: row.RiskCnt}
		if row.Reason != nil {
			f.Reason = *row.Reason
		}
		var vuls struct{ List []vulnerability }
		c.call("DescribeAssetImageRegistryVulList", map[string]any{"Id": row.Id, "Limit": 100}, &vuls)
		for _, v := range vuls.List {
			f.Vulnerabilities = append(f.Vulnerabilities, v.CVEID+" "+v.Component+" "+v.Version+" "+v.FixedVersions+" "+v.Level)
		}
		var viruses struct {
			List []struct{ Path, FileMd5 string }
		}
		c.call("DescribeAssetImageRegistryVirusList", map[string]any{"Id": row.Id, "Limit": 100}, &viruses)
		for _, v := range viruses.List {
			f.Malware = append(f.Malware, v.Path+" "+v.FileMd5)
		}
		all[row.Namespace+"/"+row.ImageName+":"+row.ImageTag] = f
	}
	return all
}

// checkItems looks into the stopped server's database: every image has exactly
// one item in the run, and every one is done.
func checkItems(t *testing.T, data string, run uint64, images int) {
	t.Helper()
	st, err := store.Open(context.Background(), filepath.Join(data, "dogwatch.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	row, err := st.RunByID(context.Background(), int64(run))
	if err != nil {
		t.Fatal(err)
	}
	items, err := st.Items(context.Background(), store.ItemQuery{AccountID: row.AccountID, RunID: row.ID})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int64]int{}
	for _, item := range items {
		seen[item.ImageID]++
		if item.State != store.ItemDone {
			t.Errorf("the item of image %d is %s (%s), want %s", item.ImageID, item.State, item.Error, store.ItemDone)
		}
	}
	for image, n := range seen {
		if n != 1 {
			t.Errorf("image %d has %d items, want 1", image, n)
		}
	}
	if len(seen) != images || row.Finished != int64(images) {
		t.Errorf("%d images have items and %d were counted, want %d", len(seen), row.Finished, images)
	}
}
