package sample

import (
	"fmt"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/remote"
)

const debianRelease = `PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
VERSION="12 (bookworm)"
VERSION_CODENAME=bookworm
ID=debian
HOME_URL="https://www.debian.org/"
`

// deb is one installed Debian package.
type deb struct{ name, version, source string }

// debianPackages is a small bookworm as it was released, with the openssl the
// caller wants. bsdutils has a version of its own, far above its source's.
func debianPackages(openssl string) []deb {
	return []deb{
		{"base-files", "12.4", ""},
		{"bsdutils", "1:2.38.1-5+b1", "util-linux (2.38.1-5)"},
		{"libc-bin", "2.36-9", "glibc"},
		{"libc6", "2.36-9", "glibc"},
		{"libssl3", openssl, "openssl"},
		{"openssl", openssl, ""},
		{"zlib1g", "1:1.2.13.dfsg-1", "zlib"},
	}
}

// dpkgStatus renders packages as /var/lib/dpkg/status.
func dpkgStatus(packages []deb) string {
	var b strings.Builder
	for _, p := range packages {
		fmt.Fprintf(&b, "Package: %s\nStatus: install ok installed\nPriority: required\nSection: libs\n", p.name)
		fmt.Fprintf(&b, "Maintainer: Sample Maker <samples@example.org>\nArchitecture: amd64\n")
		if p.source != "" {
			fmt.Fprintf(&b, "Source: %s\n", p.source)
		}
		fmt.Fprintf(&b, "Version: %s\nDescription: sample of %s\n\n", p.version, p.name)
	}
	return b.String()
}

const oldOpenSSL, newOpenSSL = "3.0.9-1", "3.0.15-1~deb12u1"

// debianBase is the layer that the Debian-like samples share.
func debianBase() step {
	return step{
		instruction: "/bin/sh -c #(nop) ADD file:rootfs.tar in / ",
		files: []file{
			{path: "etc/debian_version", text: "12.0\n"},
			{path: "usr/lib/os-release", text: debianRelease},
			{path: "etc/os-release", text: debianRelease},
			{path: "var/lib/dpkg/status", text: dpkgStatus(debianPackages(oldOpenSSL))},
		},
	}
}

// debianFaults are what the base brings besides openssl.
func debianFaults(more ...string) []string {
	return append([]string{"CVE-2023-4911", "CVE-2023-6246", "CVE-2023-45853", "CVE-2024-28085"}, more...)
}

// opensslFaults are what the old openssl brings.
func opensslFaults() []string { return []string{"CVE-2023-5363", "CVE-2024-5535"} }

func webOld() Sample {
	return Sample{
		Repository: "shop/web", Tag: "1.4",
		About:  "Debian 12 as it was released: old openssl, C library, zlib and util-linux",
		Expect: Expectation{Vulnerabilities: debianFaults(opensslFaults()...)},
		build: func() (remote.Taggable, error) {
			return recipe{day: 4, user: appUser, steps: []step{debianBase(), webPages("1.4"), expose()}}.image()
		},
	}
}

// webNew shares the base layer with webOld and replaces openssl in a layer of its own.
func webNew() Sample {
	return Sample{
		Repository: "shop/web", Tag: "1.5",
		About:  "the same base layer, with openssl brought up to date in a later layer",
		Expect: Expectation{Vulnerabilities: debianFaults()},
		build: func() (remote.Taggable, error) {
			upgrade := step{
				instruction: "/bin/sh -c apt-get install --only-upgrade -y openssl",
				files:       []file{{path: "var/lib/dpkg/status", text: dpkgStatus(debianPackages(newOpenSSL))}},
			}
			return recipe{day: 18, user: appUser, steps: []step{debianBase(), upgrade, webPages("1.5"), expose()}}.image()
		},
	}
}

func webPages(version string) step {
	return step{
		instruction: "/bin/sh -c #(nop) COPY dir:public in /srv/www ",
		files:       []file{{path: "srv/www/index.html", text: "<h1>shop " + version + "</h1>\n"}},
	}
}

func expose() step { return step{instruction: "/bin/sh -c #(nop)  EXPOSE 8080"} }
