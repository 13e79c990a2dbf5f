package sample

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Eicar is the harmless test file that every antivirus engine reports. It is put
// together when asked for, so that neither the source nor the program contains it.
func Eicar() string {
	return strings.Join([]string{
		`X5O!P%@AP[4\PZX54(P^)7CC)7}$`, "EICAR-STANDARD", "-ANTIVIRUS-", "TEST-FILE!", "$H+H*",
	}, "")
}

func upload() Sample {
	return Sample{
		Repository: "shop/upload", Tag: "legacy",
		About: "a malware test file, a private key and a token in files, a password in ENV and in a build instruction, runs as root",
		Expect: Expectation{
			Malware: []string{"srv/upload/invoice.com"},
			Risks:   []Risk{riskRoot(), riskCredential(), riskSecretFile()},
		},
		build: func() (remote.Taggable, error) {
			password := madeUp("database password", 12)
			files := step{instruction: "/bin/sh -c #(nop) COPY dir:app in / ", files: []file{
				{path: "srv/upload/invoice.com", text: Eicar()},
				{path: "etc/app/tls/server.key", text: fakeKey(), mode: 0o600},
				{path: "srv/app/.env", text: "MODE=production\nGITHUB_TOKEN=" + fakeToken() + "\n"},
			}}
			return recipe{day: 15, user: "root", env: []string{"MODE=production", "DB_PASSWORD=" + password}, steps: []step{
				files,
				{instruction: "/bin/sh -c #(nop)  ENV DB_PASSWORD=" + password},
				{instruction: "/bin/sh -c echo 'root:" + madeUp("root password", 10) + "' | chpasswd",
					files: []file{{path: "etc/shadow", text: "root:*:19700:0:99999:7:::\n", mode: 0o600}}},
				{instruction: "/bin/sh -c #(nop)  USER root"},
			}}.image()
		},
	}
}

// cleaned deletes in its second layer what is wrong with its first.
func cleaned() Sample {
	return Sample{
		Repository: "shop/cleaned", Tag: "1.0",
		About:  "an old package and a key that a later layer deletes: nothing to see",
		Expect: Expectation{},
		build: func() (remote.Taggable, error) {
			dirty := step{instruction: "COPY . /app # buildkit", files: []file{
				npmPackage{"lodash", "4.17.15"}.installed("app/node_modules"),
				npmPackage{"minimist", "1.2.0"}.installed("app/node_modules"),
				{path: "app/deploy.key", text: fakeKey(), mode: 0o600},
			}}
			tidy := step{instruction: "RUN /bin/sh -c rm -rf deploy.key node_modules && npm ci # buildkit", files: []file{
				whiteout("app/deploy.key"),
				opaque("app/node_modules"),
				npmPackage{"lodash", "4.17.21"}.installed("app/node_modules"),
			}}
			return recipe{oci: true, day: 20, user: appUser, steps: []step{dirty, tidy}}.image()
		},
	}
}

// fakeKey has the form of a private key and the content of none.
func fakeKey() string {
	var body strings.Builder
	for i := range 24 {
		sum := sha256.Sum256([]byte{byte(i)})
		body.WriteString(base64.StdEncoding.EncodeToString(sum[:]))
	}
	lines := []string{"-----BEGIN " + "RSA PRIVATE KEY-----"}
	for text := body.String(); text != ""; {
		n := min(64, len(text))
		lines = append(lines, text[:n])
		text = text[n:]
	}
	return strings.Join(append(lines, "-----END "+"RSA PRIVATE KEY-----", ""), "\n")
}

// fakeToken has the form of a GitHub token: the prefix and 36 letters and digits.
func fakeToken() string { return "ghp" + "_" + madeUp("token", 36) }

// madeUp is n hexadecimal digits that depend on a name and open nothing.
func madeUp(name string, n int) string {
	sum := sha256.Sum256([]byte("dogwatch sample " + name))
	return hex.EncodeToString(sum[:])[:n]
}
