package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"dogwatch/internal/sample"
)

// vulnerability, virus and risk are what the demo reads of the three lists.
type vulnerability struct {
	CVEID, Level, Component, Version, FixedVersions string
}

type virus struct{ Path, RiskLevel, VirusName string }

type risk struct {
	Behavior, Type                  int
	Level, Desc, InstructionContent string
}

// listed is everything found in one image.
type listed struct {
	vulnerabilities []vulnerability
	viruses         []virus
	risks           []risk
}

// printFindings prints a table per image and returns how the findings differ
// from what the samples were built for.
func (s *stage) printFindings(ctx context.Context) ([]string, error) {
	images, err := s.images(ctx)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(images, func(a, b image) int { return strings.Compare(a.name(), b.name()) })
	expected := sample.Expected()
	var differences []string
	for _, image := range images {
		found, err := s.findings(ctx, image.ID)
		if err != nil {
			return nil, err
		}
		s.printImage(image, found)
		want, known := expected[image.name()]
		if !known {
			differences = append(differences, image.name()+": not one of the samples")
			continue
		}
		delete(expected, image.name())
		for _, line := range sample.Diff(want, found.comparable()) {
			differences = append(differences, image.name()+": "+line)
		}
	}
	for name := range expected {
		differences = append(differences, name+": missing from the list")
	}
	slices.Sort(differences)
	return differences, nil
}

func (s *stage) findings(ctx context.Context, id uint64) (*listed, error) {
	found := &listed{}
	var err error
	if found.vulnerabilities, err = all[vulnerability](ctx, s, "DescribeAssetImageRegistryVulList", id); err != nil {
		return nil, err
	}
	if found.viruses, err = all[virus](ctx, s, "DescribeAssetImageRegistryVirusList", id); err != nil {
		return nil, err
	}
	found.risks, err = all[risk](ctx, s, "DescribeAssetImageRegistryRiskInfoList", id)
	return found, err
}

// all reads every page of a list.
func all[T any](ctx context.Context, s *stage, action string, id uint64) ([]T, error) {
	var rows []T
	for {
		var page struct {
			List       []json.RawMessage
			TotalCount int
		}
		err := s.call(ctx, action, map[string]any{"Id": id, "Limit": 100, "Offset": len(rows)}, &page)
		if err != nil {
			return nil, err
		}
		for _, raw := range page.List {
			var row T
			if err := json.Unmarshal(raw, &row); err != nil {
				return nil, fmt.Errorf("demo: row of %s: %w", action, err)
			}
			rows = append(rows, row)
		}
		if len(page.List) == 0 || len(rows) >= page.TotalCount {
			return rows, nil
		}
	}
}

func (f *listed) comparable() sample.Found {
	var got sample.Found
	for _, v := range f.vulnerabilities {
		got.Vulnerabilities = append(got.Vulnerabilities, v.CVEID)
	}
	for _, v := range f.viruses {
		got.Malware = append(got.Malware, v.Path)
	}
	for _, r := range f.risks {
		got.Risks = append(got.Risks, sample.Risk{Behavior: r.Behavior, Type: r.Type})
	}
	return got
}

func (s *stage) printImage(image image, found *listed) {
	s.say("\n%s  (%s)  %d vulnerabilities, %d malware, %d risks", image.name(), image.OsName, image.VulCnt, image.VirusCnt, image.RiskCnt)
	if image.Reason != nil && *image.Reason != "" {
		s.say("  note: %s", *image.Reason)
	}
	table := tabwriter.NewWriter(s.o.Out, 2, 4, 2, ' ', 0)
	row := func(cells ...string) { fmt.Fprintln(table, "  "+strings.Join(cells, "\t")) } //nolint:errcheck // reported by Flush
	for _, v := range found.vulnerabilities {
		row("CVE", level(v.Level), v.CVEID, v.Component+" "+v.Version, fixedIn(v.FixedVersions))
	}
	for _, v := range found.viruses {
		row("VIRUS", level(v.RiskLevel), v.VirusName, v.Path, "")
	}
	for _, r := range found.risks {
		row("RISK", level(r.Level), r.Desc, lastLine(r.InstructionContent), "")
	}
	table.Flush() //nolint:errcheck // nobody listens any more
}

func fixedIn(version string) string {
	if version == "" {
		return "no fix"
	}
	return "fixed in " + version
}

func level(number string) string {
	words := map[string]string{"4": "critical", "3": "high", "2": "medium", "1": "low"}
	if word, ok := words[number]; ok {
		return word
	}
	return number
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}

func (s *stage) judge(differences []string) error {
	if len(differences) == 0 {
		s.say("\nEvery finding is the expected one.")
		return nil
	}
	s.say("\nNot as expected:")
	for _, line := range differences {
		s.say("  %s", line)
	}
	return ErrUnexpected
}

// howToCall tells how to go on by hand.
func (s *stage) howToCall() {
	endpoint := s.app.Address()
	end := "its data stays in " + s.o.Config.Data
	if s.o.temporary {
		end = "its data is removed"
	}
	s.say(`
Dogwatch stays up; Ctrl-C ends it, and %s. To call it yourself:

  export TENCENTCLOUD_SECRET_ID=%s TENCENTCLOUD_SECRET_KEY=%s

  Dogwatch:  bin/dogwatch call DescribeAssetImageRegistryList '{"Limit":10}' --endpoint http://%s
  TCCLI:     tccli tcss DescribeAssetImageRegistryList --endpoint http://%s --region ap-guangzhou
  Go SDK:    profile.HttpProfile{Scheme: "HTTP", Endpoint: "%s"}
  Node SDK:  httpProfile: { endpoint: "%s", protocol: "http://" }
  curl:      curl http://%s/readyz     (calls of the API must be signed; see the README)`,
		end, s.api.SecretID, s.api.SecretKey, endpoint, endpoint, endpoint, endpoint, endpoint)
}
