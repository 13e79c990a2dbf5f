package sample

import (
	"encoding/json"
	"fmt"

	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// npmPackage is one installed npm package.
type npmPackage struct{ name, version string }

// installed is its package.json below a node_modules directory.
func (p npmPackage) installed(modules string) file {
	return file{
		path: modules + "/" + p.name + "/package.json",
		text: fmt.Sprintf("{\n  \"name\": %q,\n  \"version\": %q,\n  \"license\": \"MIT\"\n}\n", p.name, p.version),
	}
}

func api() Sample {
	return Sample{
		Repository: "shop/api", Tag: "2.0",
		About: "an npm application with old packages on Alpine",
		Expect: Expectation{Vulnerabilities: alpineFaults(
			"CVE-2020-7598", "CVE-2020-8203", "CVE-2020-28168", "CVE-2021-3749", "CVE-2021-23337", "CVE-2021-44906")},
		build: func() (remote.Taggable, error) {
			lock, err := npmLock()
			if err != nil {
				return nil, err
			}
			app := step{instruction: "COPY . /app # buildkit", files: []file{
				{path: "app/package.json", text: "{\n  \"name\": \"shop-api\",\n  \"version\": \"2.0.0\",\n  \"private\": true\n}\n"},
				lock,
				{path: "app/server.js", text: "require('http').createServer((_, res) => res.end('shop')).listen(8080)\n"},
			}}
			modules := step{instruction: "RUN /bin/sh -c npm ci --omit=dev # buildkit", files: []file{
				npmPackage{"axios", "0.21.0"}.installed("app/node_modules"),
				npmPackage{"lodash", "4.17.15"}.installed("app/node_modules"),
				npmPackage{"minimist", "1.2.0"}.installed("app/node_modules"),
				npmPackage{"mkdirp", "0.5.1"}.installed("app/node_modules"),
				npmPackage{"minimist", "0.0.8"}.installed("app/node_modules/mkdirp/node_modules"),
			}}
			return recipe{oci: true, day: 6, user: appUser, command: []string{"node", "server.js"},
				steps: []step{alpineLayer(), app, modules}}.image()
		},
	}
}

// npmLock is the lock file of the shop's API.
func npmLock() (file, error) {
	type entry struct {
		Name         string            `json:"name,omitempty"`
		Version      string            `json:"version"`
		Dependencies map[string]string `json:"dependencies,omitempty"`
	}
	text, err := json.MarshalIndent(map[string]any{
		"name": "shop-api", "version": "2.0.0", "lockfileVersion": 3, "requires": true,
		"packages": map[string]entry{
			"": {Name: "shop-api", Version: "2.0.0",
				Dependencies: map[string]string{"axios": "0.21.0", "lodash": "4.17.15", "minimist": "1.2.0", "mkdirp": "0.5.1"}},
			"node_modules/axios":                        {Version: "0.21.0"},
			"node_modules/lodash":                       {Version: "4.17.15"},
			"node_modules/minimist":                     {Version: "1.2.0"},
			"node_modules/mkdirp":                       {Version: "0.5.1", Dependencies: map[string]string{"minimist": "0.0.8"}},
			"node_modules/mkdirp/node_modules/minimist": {Version: "0.0.8"},
		},
	}, "", "  ")
	if err != nil {
		return file{}, fmt.Errorf("writing the lock file: %w", err)
	}
	return file{path: "app/package-lock.json", text: string(text) + "\n"}, nil
}

func payments() Sample {
	return Sample{
		Repository: "team/payments", Tag: "1.0",
		About: "one Go program and nothing else, made with an old Go and old modules",
		Expect: Expectation{Vulnerabilities: []string{
			"CVE-2020-26160", "CVE-2021-38561", "CVE-2022-32149", "CVE-2023-24538"}},
		build: func() (remote.Taggable, error) {
			program := goProgram{goVersion: "go1.20.2", path: "example.org/payments", modules: []goModule{
				{"github.com/dgrijalva/jwt-go", "v3.2.0+incompatible"},
				{"golang.org/x/text", "v0.3.6"},
			}}
			binary := step{instruction: "COPY /out/payments /payments # buildkit",
				files: []file{{path: "payments", text: string(program.elf()), mode: 0o755}}}
			return recipe{oci: true, day: 8, user: appUser, command: []string{"/payments"}, steps: []step{binary}}.image()
		},
	}
}

func reports() Sample {
	return Sample{
		Repository: "team/reports", Tag: "0.9",
		About: "a Python application with old packages on the Debian layer, its own layer packed with zstd",
		Expect: Expectation{Vulnerabilities: append(debianFaults(opensslFaults()...),
			"CVE-2018-18074", "CVE-2019-10906", "CVE-2020-14343")},
		build: func() (remote.Taggable, error) {
			packages := step{instruction: "RUN /bin/sh -c pip install -r requirements.txt # buildkit", zstd: true, files: []file{
				pythonPackage("Jinja2", "2.10"),
				pythonPackage("PyYAML", "5.3.1"),
				pythonPackage("requests", "2.19.1"),
			}}
			return recipe{day: 11, user: appUser, steps: []step{debianBase(), packages}}.image()
		},
	}
}

// pythonPackage is the metadata of an installed Python package.
func pythonPackage(name, version string) file {
	return file{
		path: fmt.Sprintf("usr/local/lib/python3.9/site-packages/%s-%s.dist-info/METADATA", name, version),
		text: fmt.Sprintf("Metadata-Version: 2.1\nName: %s\nVersion: %s\nSummary: sample of %s\n", name, version, name),
	}
}
