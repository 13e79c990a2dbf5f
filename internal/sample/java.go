package sample

import (
	"archive/zip"
	"bytes"
	"fmt"

	"github.com/google/go-containerregistry/pkg/v1/remote"
)

func ledger() Sample {
	return Sample{
		Repository: "team/ledger", Tag: "3.1",
		About:  "a Java application in one archive, with old libraries packed inside it",
		Expect: Expectation{Vulnerabilities: []string{"CVE-2021-44228", "CVE-2021-45046", "CVE-2022-1471"}},
		build: func() (remote.Taggable, error) {
			app, err := fatJar()
			if err != nil {
				return nil, err
			}
			copied := step{instruction: "COPY target/ledger.jar /opt/ledger.jar # buildkit",
				files: []file{{path: "opt/ledger.jar", text: string(app)}}}
			return recipe{oci: true, day: 13, user: appUser, command: []string{"java", "-jar", "/opt/ledger.jar"},
				steps: []step{copied}}.image()
		},
	}
}

// fatJar is an application archive that carries its libraries as archives.
func fatJar() ([]byte, error) {
	log4j, err := jar(pom("org.apache.logging.log4j", "log4j-core", "2.14.1"))
	if err != nil {
		return nil, err
	}
	yaml, err := jar(pom("org.yaml", "snakeyaml", "1.26"))
	if err != nil {
		return nil, err
	}
	return jar(
		file{path: "META-INF/MANIFEST.MF", text: "Manifest-Version: 1.0\r\nMain-Class: org.example.Ledger\r\n"},
		pom("org.example", "ledger", "3.1.0"),
		file{path: "BOOT-INF/lib/log4j-core-2.14.1.jar", text: string(log4j)},
		file{path: "BOOT-INF/lib/snakeyaml-1.26.jar", text: string(yaml)},
	)
}

// pom is the file in which Maven leaves a library's name.
func pom(group, artifact, version string) file {
	return file{
		path: fmt.Sprintf("META-INF/maven/%s/%s/pom.properties", group, artifact),
		text: fmt.Sprintf("groupId=%s\nartifactId=%s\nversion=%s\n", group, artifact, version),
	}
}

// jar packs files into an archive.
func jar(files ...file) ([]byte, error) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range files {
		entry, err := w.CreateHeader(&zip.FileHeader{Name: f.path, Method: zip.Deflate, Modified: fileTime()})
		if err != nil {
			return nil, fmt.Errorf("packing %s: %w", f.path, err)
		}
		if _, err := entry.Write([]byte(f.text)); err != nil {
			return nil, fmt.Errorf("packing %s: %w", f.path, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("packing an archive of %d files: %w", len(files), err)
	}
	return out.Bytes(), nil
}
