package registry

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash"
	"regexp"
	"strings"
)

var digestGrammar = regexp.MustCompile(`^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$`)

func validDigest(s string) bool { return digestGrammar.MatchString(s) }

// newHash returns the hash function of a valid digest.
func newHash(digest string) hash.Hash {
	if strings.HasPrefix(digest, "sha512:") {
		return sha512.New()
	}
	return sha256.New()
}

// sumMatches tells whether h has arrived at digest.
func sumMatches(h hash.Hash, digest string) bool {
	_, want, _ := strings.Cut(digest, ":")
	return hex.EncodeToString(h.Sum(nil)) == want
}

func digestMatches(body []byte, digest string) bool {
	h := newHash(digest)
	h.Write(body)
	return sumMatches(h, digest)
}

func sha256Digest(body []byte) string {
	sum := sha256.Sum256(body)
	return "sha256:" + hex.EncodeToString(sum[:])
}
