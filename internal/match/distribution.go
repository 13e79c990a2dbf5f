package match

import (
	"fmt"
	"regexp"
	"strings"

	"dogwatch/internal/advisory"
	"dogwatch/internal/facts"
)

// naming says which of a package's names its distribution's advisories use.
type naming int

const (
	bySource naming = iota // Debian, Ubuntu, Alpine: the source package and its version
	byBinary               // AlmaLinux, Red Hat: the built package
	byEither               // Rocky Linux, SUSE, openEuler...: mostly the source
)

// distribution is where the advisories of an image's system packages are.
type distribution struct {
	ecosystems []string // keys of the index, all of them looked at
	naming     naming
	kinds      []string // package databases that belong to it
}

var (
	dpkgKinds = []string{facts.KindDpkg, facts.KindDpkgD}
	apkKinds  = []string{facts.KindAPK}
	rpmKinds  = []string{facts.KindRPM}
)

var (
	alpineRelease = regexp.MustCompile(`^(\d+\.\d+)`)
	openEulerName = regexp.MustCompile(`\(([^)]+)\)`)
)

// distributionOf finds the distribution of an image. Reasons are for people:
// they become Verdict.Uncovered.
func distributionOf(os *facts.OSRelease) (distribution, string) {
	if os == nil {
		return distribution{}, "distribution unknown: the image has packages of a package manager, but no os-release"
	}
	d := describeOS(os)
	if d == nil {
		return distribution{}, fmt.Sprintf("distribution not covered: there are no OSV advisories for %s", displayName(os))
	}
	if len(d.ecosystems) == 0 {
		return distribution{}, fmt.Sprintf("distribution not covered: the release of %s is not known", displayName(os))
	}
	return *d, ""
}

func displayName(os *facts.OSRelease) string {
	name := os.PrettyName
	if name == "" {
		name = strings.TrimSpace(os.ID + " " + os.VersionID)
	}
	return fmt.Sprintf("%s (%s)", name, os.ID)
}

// describeOS knows the distributions OSV has data of; nil for any other. Those
// that merely resemble one (ID_LIKE) are not taken for it: their packages
// differ.
func describeOS(os *facts.OSRelease) *distribution {
	major, _, _ := strings.Cut(os.VersionID, ".")
	switch os.ID {
	case "debian":
		return &distribution{release("Debian:", debianRelease(os)), bySource, dpkgKinds}
	case "ubuntu":
		return &distribution{release("Ubuntu:", os.VersionID), bySource, dpkgKinds}
	case "alpine":
		return &distribution{alpineReleases(os), bySource, apkKinds}
	case "wolfi":
		return &distribution{[]string{"Wolfi"}, byEither, apkKinds}
	case "chainguard":
		return &distribution{[]string{"Chainguard"}, byEither, apkKinds}
	case "minimos":
		return &distribution{[]string{"MinimOS"}, byEither, apkKinds}
	case "alpaquita":
		return &distribution{release("Alpaquita:", major), bySource, apkKinds}
	case "almalinux":
		return &distribution{release("AlmaLinux:", major), byBinary, rpmKinds}
	case "rhel":
		return &distribution{release("Red Hat:", major), byBinary, rpmKinds}
	case "rocky":
		return &distribution{release("Rocky Linux:", major), byEither, rpmKinds}
	case "azurelinux":
		return &distribution{release("Azure Linux:", major), byEither, rpmKinds}
	case "mageia":
		return &distribution{release("Mageia:", major), byEither, rpmKinds}
	case "openeuler":
		return &distribution{release("openEuler:", openEulerRelease(os)), byEither, rpmKinds}
	case "opensuse-tumbleweed":
		return &distribution{[]string{"openSUSE:Tumbleweed"}, byEither, rpmKinds}
	case "opensuse-leap":
		return &distribution{release("openSUSE:Leap ", os.VersionID), byEither, rpmKinds}
	case "sles", "sled", "sle-micro":
		return &distribution{suseProducts(os.VersionID), byEither, rpmKinds}
	}
	return nil
}

func release(prefix, version string) []string {
	if version == "" {
		return nil
	}
	return []string{prefix + version}
}

func debianRelease(os *facts.OSRelease) string {
	if os.VersionID != "" {
		major, _, _ := strings.Cut(os.VersionID, ".")
		return major
	}
	// testing and unstable state no version, only the codename of the next release
	switch os.Codename {
	case "jessie":
		return "8"
	case "stretch":
		return "9"
	case "buster":
		return "10"
	case "bullseye":
		return "11"
	case "bookworm":
		return "12"
	case "trixie":
		return "13"
	case "forky":
		return "14"
	case "duke":
		return "15"
	}
	return ""
}

// alpineReleases: 3.20.3 is v3.20. The development branch calls itself
// 3.21.0_alpha...; its packages become v3.21.
func alpineReleases(os *facts.OSRelease) []string {
	var list []string
	if m := alpineRelease.FindString(os.VersionID); m != "" {
		list = append(list, "Alpine:v"+m)
	}
	if strings.Contains(os.VersionID, "_alpha") || strings.Contains(os.PrettyName, "edge") {
		list = append(list, "Alpine:edge")
	}
	return list
}

// openEulerRelease: VERSION_ID says 22.03, the name "openEuler 22.03 (LTS-SP1)".
func openEulerRelease(os *facts.OSRelease) string {
	if m := openEulerName.FindStringSubmatch(os.PrettyName); m != nil && os.VersionID != "" {
		return os.VersionID + "-" + m[1]
	}
	return os.VersionID
}

// suseProducts are the products whose packages a base image is made of.
func suseProducts(version string) []string {
	major, pack, found := strings.Cut(version, ".")
	if major == "" {
		return nil
	}
	if found {
		major += " SP" + pack
	}
	var list []string
	for _, product := range []string{
		"Linux Enterprise Server", "Linux Enterprise Module for Basesystem", "Linux Enterprise Module for Server Applications",
		"Linux Enterprise Module for Development Tools", "Linux Enterprise Module for Python 3", "Linux Enterprise Module for Web and Scripting",
	} {
		list = append(list, "SUSE:"+product+" "+major)
	}
	return list
}

// covered keeps the ecosystems the snapshot knows anything of, and says why if
// there are none.
func (d *distribution) covered(info advisory.Info) string {
	var known []string
	for _, eco := range d.ecosystems {
		if info.Ecosystems[advisory.NormalEcosystem(eco)] > 0 {
			known = append(known, eco)
		}
	}
	if len(known) == 0 {
		return fmt.Sprintf("distribution not covered: snapshot %s has no advisories for %s", info.ID, strings.Join(d.ecosystems, " or "))
	}
	d.ecosystems = known
	return ""
}
