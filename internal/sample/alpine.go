package sample

import (
	"fmt"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/remote"
)

const alpineRelease = `NAME="Alpine Linux"
ID=alpine
VERSION_ID=3.18.0
PRETTY_NAME="Alpine Linux v3.18"
HOME_URL="https://alpinelinux.org/"
`

// apk is one installed Alpine package.
type apk struct{ name, version, origin string }

// apkInstalled renders packages as /lib/apk/db/installed.
func apkInstalled(packages []apk) string {
	var b strings.Builder
	for _, p := range packages {
		fmt.Fprintf(&b, "C:Q1AAAAAAAAAAAAAAAAAAAAAAAAAAA=\nP:%s\nV:%s\nA:x86_64\n", p.name, p.version)
		fmt.Fprintf(&b, "S:1024\nI:4096\nT:sample of %s\nU:https://example.org/\nL:MIT\no:%s\n", p.name, p.origin)
		fmt.Fprintf(&b, "m:Sample Maker <samples@example.org>\nt:1683817520\n\n")
	}
	return b.String()
}

// alpineLayer is the layer that the Alpine-like samples share.
func alpineLayer() step {
	return step{
		instruction: "/bin/sh -c #(nop) ADD file:alpine-minirootfs.tar.gz in / ",
		files: []file{
			{path: "etc/alpine-release", text: "3.18.0\n"},
			{path: "etc/os-release", text: alpineRelease},
			{path: "lib/apk/db/installed", text: apkInstalled([]apk{
				{"alpine-baselayout", "3.4.3-r1", "alpine-baselayout"},
				{"busybox", "1.36.1-r0", "busybox"},
				{"libcrypto3", "3.1.0-r4", "openssl"},
				{"libssl3", "3.1.0-r4", "openssl"},
				{"ssl_client", "1.36.1-r0", "busybox"},
				{"zlib", "1.2.13-r1", "zlib"},
			})},
		},
	}
}

// alpineFaults are what the Alpine layer brings.
func alpineFaults(more ...string) []string {
	return append([]string{"CVE-2022-48174", "CVE-2023-5363"}, more...)
}

func alpineBase() Sample {
	return Sample{
		Repository: "base/alpine", Tag: "3.18",
		About:  "Alpine 3.18 as it was released: old busybox and openssl",
		Expect: Expectation{Vulnerabilities: alpineFaults()},
		build: func() (remote.Taggable, error) {
			return recipe{oci: true, day: 2, user: appUser, steps: []step{alpineLayer()}}.image()
		},
	}
}
