// Package tc3 computes the signature TC3-HMAC-SHA256 of the API 3.0 protocol,
// for the side that signs and the side that verifies.
//
// Words: the canonical request is the text form of what is signed; the scope is
// date/service/tc3_request, within which a signing key is valid; the payload
// hash covers the body.
package tc3

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
)

const (
	// Algorithm is the name of the signature method.
	Algorithm = "TC3-HMAC-SHA256"
	// Terminator ends a credential scope.
	Terminator = "tc3_request"
	// UnsignedPayload is hashed instead of the body when a client says so in
	// the header X-TC-Content-SHA256.
	UnsignedPayload = "UNSIGNED-PAYLOAD"
)

// Header is a signed header with a lower-case name.
type Header struct{ Name, Value string }

// Request is what a signature covers.
type Request struct {
	Method  string
	Query   string   // as in the request line, still encoded
	Headers []Header // sorted by name
	Payload string   // hash of the body, see HashPayload
}

// HashPayload is the payload hash of a body.
func HashPayload(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// Canonical is the canonical request. The URI is always the root.
func (r Request) Canonical() string {
	var b strings.Builder
	b.WriteString(r.Method + "\n/\n" + r.Query + "\n")
	for _, h := range r.Headers {
		b.WriteString(h.Name + ":" + strings.TrimSpace(h.Value) + "\n")
	}
	b.WriteString("\n" + r.SignedHeaders() + "\n" + r.Payload)
	return b.String()
}

// SignedHeaders is the list of names as it stands in the Authorization header.
func (r Request) SignedHeaders() string {
	names := make([]string, len(r.Headers))
	for i, h := range r.Headers {
		names[i] = h.Name
	}
	return strings.Join(names, ";")
}

// Date is the date of a scope, in UTC.
func Date(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// Scope is the credential scope.
func Scope(date, service string) string { return date + "/" + service + "/" + Terminator }

// StringToSign is what the signing key is applied to. The timestamp is the text
// of the header X-TC-Timestamp.
func StringToSign(timestamp, scope, canonical string) string {
	return Algorithm + "\n" + timestamp + "\n" + scope + "\n" + HashPayload([]byte(canonical))
}

// SigningKey derives the key that is valid within a scope.
func SigningKey(secretKey, date, service string) []byte {
	return sum(sum(sum([]byte("TC3"+secretKey), date), service), Terminator)
}

// Sign is the signature, not yet in hexadecimal digits.
func Sign(key []byte, stringToSign string) []byte { return sum(key, stringToSign) }

func sum(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
