package cloudapi

import (
	"context"
	"errors"
	"strconv"
	"time"
)

// tolerance is how far a request's timestamp may be off.
const tolerance = 300 * time.Second

// authenticate checks who signed the request, v3 or v1, and sets the caller.
func (s *server) authenticate(ctx context.Context, x *exchange) *Error {
	var credential credential
	var fault *Error
	if x.v1 {
		fault = x.requireV1()
	} else {
		credential, fault = parseAuthorization(x.http.Header["Authorization"])
		x.common.secretID = credential.secretID
	}
	if fault != nil {
		return fault
	}
	if fault := s.checkTimestamp(x); fault != nil {
		return fault
	}
	key, fault := s.findKey(ctx, x)
	if fault != nil {
		return fault
	}
	hosts := hostCandidates(x.http, s.options.TrustForwardedHost)
	if x.v1 {
		fault = verifyV1(x, key.SecretKey, hosts)
	} else {
		fault = verifyV3(x, credential, key.SecretKey, s.api.service, hosts)
	}
	if fault != nil {
		return fault
	}
	if x.common.token != "" {
		return NewError(codeTokenFailure,
			"A token came with a permanent key; leave the token out.", "永久密钥不应携带Token，请去掉Token参数。")
	}
	x.caller = Caller{AccountID: key.AccountID, SecretID: key.SecretID, Role: key.Role,
		RequestID: x.requestID, Language: x.common.language}
	return nil
}

func (s *server) findKey(ctx context.Context, x *exchange) (Key, *Error) {
	key, err := s.options.Keys.Key(ctx, x.common.secretID)
	if errors.Is(err, ErrNoKey) || err == nil && key.Disabled {
		return Key{}, NewError(codeSecretIDNotFound,
			"The SecretId does not exist or is disabled.", "SecretId不存在或已被禁用。")
	}
	if err != nil {
		s.logger.ErrorContext(ctx, "access key not read", "request_id", x.requestID, "error", err)
		return Key{}, errUnavailable()
	}
	if key.SecretKey == "" {
		return Key{}, NewError(codeInvalidSecretID,
			"The SecretId is not that of an API key.", "该SecretId不是API密钥。")
	}
	return key, nil
}

func (s *server) checkTimestamp(x *exchange) *Error {
	name := "X-TC-Timestamp"
	if x.v1 {
		name = "Timestamp"
	}
	if x.common.timestamp == "" {
		return errMissing(name)
	}
	sent, err := strconv.ParseInt(x.common.timestamp, 10, 64)
	if err != nil || !decimal(x.common.timestamp, false) {
		return errMalformed("The parameter `%s` has to be a number of Unix seconds.", "参数`%s`必须是Unix时间戳（秒）。", name)
	}
	now := x.start.Unix()
	if sent < now-int64(tolerance/time.Second) || sent > now+int64(tolerance/time.Second) {
		return NewError(codeSignatureExpire,
			"The signature has expired: the timestamp %d is more than %d seconds from the server's time %d. Check the clock of the client.",
			"签名已过期：时间戳%d与服务器时间相差超过%d秒（服务器时间%d），请检查客户端时钟。", sent, int64(tolerance/time.Second), now)
	}
	return nil
}

// errSignature does not tell what would have been right.
func errSignature() *Error {
	return NewError(codeSignatureFailure,
		"The signature does not fit the request. Check the secret key, the signed host and how the signature is computed.",
		"签名验证失败，请检查SecretKey、参与签名的Host以及签名计算方法。")
}
