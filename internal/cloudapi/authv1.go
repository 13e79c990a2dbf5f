package cloudapi

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"slices"
	"strconv"
	"strings"
)

// requireV1 checks that the parameters of a v1 signature are there.
func (x *exchange) requireV1() *Error {
	c := &x.common
	for _, p := range []pair{{"SecretId", c.secretID}, {"Signature", c.signature}, {"Timestamp", c.timestamp}, {"Nonce", c.nonce}} {
		if p.value == "" {
			return errMissing(p.name)
		}
	}
	if n, err := strconv.ParseUint(c.nonce, 10, 64); err != nil || n == 0 {
		return errMalformed("The parameter `%s` has to be a positive integer.", "参数`%s`必须是正整数。", "Nonce")
	}
	return nil
}

// verifyV1 checks a v1 signature. Two SDKs write dots for underscores in the
// names they sign, so that spelling is tried second.
func verifyV1(x *exchange, secretKey string, hosts []string) *Error {
	signature, err := base64.StdEncoding.DecodeString(x.common.signature)
	if err != nil {
		return errSignature()
	}
	plain := paramsV1(x.pairs, false)
	texts := []string{plain}
	if dotted := paramsV1(x.pairs, true); dotted != plain {
		texts = append(texts, dotted)
	}
	for _, text := range texts {
		for _, host := range hosts {
			expected := signV1(x.common.method, secretKey, x.http.Method+host+"/?"+text)
			if hmac.Equal(expected, signature) {
				return nil
			}
		}
	}
	return errSignature()
}

// signV1 is the signature of a text; HmacSHA1 unless HmacSHA256 is named.
func signV1(method, secretKey, text string) []byte {
	algorithm := func() hash.Hash { return sha1.New() }
	if method == "HmacSHA256" {
		algorithm = sha256.New
	}
	h := hmac.New(algorithm, []byte(secretKey))
	h.Write([]byte(text))
	return h.Sum(nil)
}

// paramsV1 is the signed text of the parameters: sorted by name in byte order,
// values decoded, the signature itself left out.
func paramsV1(pairs []pair, dotted bool) string {
	sorted := slices.SortedStableFunc(slices.Values(pairs), func(a, b pair) int { return strings.Compare(a.name, b.name) })
	var b strings.Builder
	for _, p := range sorted {
		if p.name == "Signature" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		name := p.name
		if dotted {
			name = strings.ReplaceAll(name, "_", ".")
		}
		b.WriteString(name + "=" + p.value)
	}
	return b.String()
}
