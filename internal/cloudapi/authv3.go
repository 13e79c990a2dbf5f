package cloudapi

import (
	"crypto/hmac"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"

	"dogwatch/internal/cloudapi/tc3"
)

// credential is a parsed Authorization header.
type credential struct {
	secretID  string
	date      string
	service   string
	signed    []string // lower-case names, sorted
	signature []byte
}

// parseAuthorization reads the Authorization header of a v3 request:
//
//	TC3-HMAC-SHA256 Credential=<SecretId>/<date>/<service>/tc3_request, SignedHeaders=<names>, Signature=<64 hex>
func parseAuthorization(headers []string) (credential, *Error) {
	if len(headers) == 0 {
		return credential{}, badAuthorization("is missing", "缺失")
	}
	algorithm, rest, found := strings.Cut(strings.TrimSpace(headers[0]), " ")
	if len(headers) > 1 || !found || algorithm != tc3.Algorithm {
		return credential{}, badAuthorization("does not begin with "+tc3.Algorithm, "未以"+tc3.Algorithm+"开头")
	}
	parts := strings.Split(rest, ",")
	if len(parts) != 3 {
		return credential{}, badAuthorization("does not consist of Credential, SignedHeaders and Signature",
			"必须由Credential、SignedHeaders和Signature组成")
	}
	values := make([]string, len(parts))
	for i, name := range []string{"Credential=", "SignedHeaders=", "Signature="} {
		value, ok := strings.CutPrefix(strings.TrimSpace(parts[i]), name)
		if !ok {
			return credential{}, badAuthorization("has no "+name+" where it belongs", "缺少"+name)
		}
		values[i] = value
	}
	return newCredential(values[0], values[1], values[2])
}

func newCredential(scope, names, signature string) (credential, *Error) {
	var c credential
	var ok bool
	if c.secretID, c.date, c.service, ok = splitScope(scope); !ok {
		return credential{}, badAuthorization("has a malformed Credential", "的Credential格式不正确")
	}
	c.signed = strings.Split(strings.ToLower(names), ";")
	slices.Sort(c.signed)
	if slices.Contains(c.signed, "") || len(slices.Compact(slices.Clone(c.signed))) != len(c.signed) {
		return credential{}, badAuthorization("has malformed SignedHeaders", "的SignedHeaders格式不正确")
	}
	if !slices.Contains(c.signed, "content-type") || !slices.Contains(c.signed, "host") {
		return credential{}, badAuthorization("does not sign content-type and host", "未对content-type和host签名")
	}
	var err error
	if c.signature, err = hex.DecodeString(signature); err != nil || len(c.signature) != 32 {
		return credential{}, badAuthorization("has a Signature that is not 64 hexadecimal digits", "的Signature不是64位十六进制数")
	}
	return c, nil
}

// splitScope cuts SecretId/date/service/tc3_request. The service is what a
// client makes of its endpoint, so it may hold colons and even slashes.
func splitScope(scope string) (secretID, date, service string, ok bool) {
	secretID, rest, _ := strings.Cut(scope, "/")
	date, rest, _ = strings.Cut(rest, "/")
	service, ok = strings.CutSuffix(rest, "/"+tc3.Terminator)
	return secretID, date, service, ok && secretID != "" && date != "" && service != "" && !strings.ContainsAny(scope, " \t")
}

func badAuthorization(en, zh string) *Error {
	return &Error{Code: codeInvalidAuthorization,
		Message: "The header Authorization " + en + ".", MessageZh: "Authorization请求头" + zh + "。"}
}

// verifyV3 checks the signature against every spelling a client may have signed.
func verifyV3(x *exchange, c credential, secretKey, service string, hosts []string) *Error {
	seconds, err := strconv.ParseInt(x.common.timestamp, 10, 64)
	if err != nil || c.date != tc3.Date(time.Unix(seconds, 0)) {
		return NewError(codeSignatureFailure,
			"The date of the credential scope is not the date of the timestamp in UTC.", "凭证范围中的日期与时间戳的UTC日期不一致。")
	}
	if !serviceFits(c.service, service, hosts) {
		return NewError(codeSignatureFailure,
			"The service `%s` of the credential scope does not fit; use `%s`.", "凭证范围中的服务名`%s`不正确，请使用`%s`。",
			Shorten(c.service), service)
	}
	request := tc3.Request{Method: x.http.Method, Query: x.http.URL.RawQuery, Payload: x.payloadHash(), Headers: x.signedHeaders(c.signed)}
	at := slices.IndexFunc(request.Headers, func(h tc3.Header) bool { return h.Name == "host" })
	scope := tc3.Scope(c.date, c.service)
	key := tc3.SigningKey(secretKey, c.date, c.service)
	verifies := func(r tc3.Request) bool {
		expected := tc3.Sign(key, tc3.StringToSign(x.common.timestamp, scope, r.Canonical()))
		return hmac.Equal(expected, c.signature)
	}
	for _, host := range hosts {
		request.Headers[at].Value = host
		if verifies(request) || verifies(lowerValues(request)) {
			return nil
		}
	}
	return errSignature()
}

// payloadHash is the hash of the body, or of what stands for it.
func (x *exchange) payloadHash() string {
	switch {
	case x.http.Header.Get("X-TC-Content-SHA256") == tc3.UnsignedPayload:
		return tc3.HashPayload([]byte(tc3.UnsignedPayload))
	case x.form == formQuery:
		return tc3.HashPayload(nil)
	}
	return tc3.HashPayload(x.body)
}

// signedHeaders are the headers as received; the host is filled in later.
func (x *exchange) signedHeaders(names []string) []tc3.Header {
	headers := make([]tc3.Header, len(names))
	for i, name := range names {
		headers[i] = tc3.Header{Name: name, Value: x.http.Header.Get(name)}
	}
	return headers
}

// lowerValues is the request as the published walk-through canonicalises it.
func lowerValues(r tc3.Request) tc3.Request {
	headers := make([]tc3.Header, len(r.Headers))
	for i, h := range r.Headers {
		headers[i] = tc3.Header{Name: h.Name, Value: strings.ToLower(h.Value)}
	}
	r.Headers = headers
	return r
}
