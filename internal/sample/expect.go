package sample

import (
	"fmt"
	"slices"
	"strings"
)

// Expectation is what a scan of one sample must find.
type Expectation struct {
	Skipped         bool     // not an image: the registry holds it, the image list does not
	Vulnerabilities []string // CVE ids
	Malware         []string // paths of malicious files
	Risks           []Risk   // each kind once, however often it occurs
}

// Risk is a kind of sensitive or risky thing, in the numbers of the API.
type Risk struct {
	Behavior int // 1 privilege, 3 credentials
	Type     int // 1 content of a file, 2 build instruction
}

// The kinds of risk the samples carry.
func riskRoot() Risk       { return Risk{Behavior: 1, Type: 2} }
func riskCredential() Risk { return Risk{Behavior: 3, Type: 2} }
func riskSecretFile() Risk { return Risk{Behavior: 3, Type: 1} }

// Found is what a scan found in one sample, as the API lists it. Order and
// repetition do not matter; a leading slash of a path does not either.
type Found struct {
	Vulnerabilities []string
	Malware         []string
	Risks           []Risk
}

// Diff compares an expectation with what was found and returns one line for each
// difference, none if they agree.
func Diff(want Expectation, got Found) []string {
	var lines []string
	lines = append(lines, compare("vulnerability", want.Vulnerabilities, got.Vulnerabilities)...)
	lines = append(lines, compare("malicious file", relative(want.Malware), relative(got.Malware))...)
	return append(lines, compare("risk", riskNames(want.Risks), riskNames(got.Risks))...)
}

func compare(what string, want, got []string) []string {
	var lines []string
	for _, w := range distinct(want) {
		if !slices.Contains(got, w) {
			lines = append(lines, fmt.Sprintf("%s %s was not found", what, w))
		}
	}
	for _, g := range distinct(got) {
		if !slices.Contains(want, g) {
			lines = append(lines, fmt.Sprintf("%s %s was found, but is not there", what, g))
		}
	}
	return lines
}

func distinct(list []string) []string {
	sorted := slices.Clone(list)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}

func relative(paths []string) []string {
	out := make([]string, 0, len(paths))
	for _, p := range paths {
		out = append(out, strings.TrimPrefix(p, "/"))
	}
	return out
}

func riskNames(risks []Risk) []string {
	out := make([]string, 0, len(risks))
	for _, r := range risks {
		out = append(out, fmt.Sprintf("behavior %d type %d", r.Behavior, r.Type))
	}
	return out
}
