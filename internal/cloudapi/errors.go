package cloudapi

import (
	"errors"
	"fmt"
)

// Error is a failure the caller is told about: a code of the protocol, of the
// shape Family or Family.Detail, and a message in both languages of the API.
type Error struct {
	Code      string
	Message   string // English
	MessageZh string // Chinese
}

// NewError formats an Error. Both formats use the same arguments.
func NewError(code, en, zh string, args ...any) *Error {
	if len(args) == 0 {
		return &Error{Code: code, Message: en, MessageZh: zh}
	}
	return &Error{Code: code, Message: fmt.Sprintf(en, args...), MessageZh: fmt.Sprintf(zh, args...)}
}

// Error is the code and the English message.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// In is the message in the given language: Chinese for zh-CN, otherwise English.
func (e *Error) In(language string) string {
	if language == languageChinese && e.MessageZh != "" {
		return e.MessageZh
	}
	return e.Message
}

// ErrNoKey is what a KeyStore answers for a SecretId it does not know.
var ErrNoKey = errors.New("no such access key")

// Codes of the gateway itself.
const (
	codeInvalidAuthorization  = "AuthFailure.InvalidAuthorization"
	codeInvalidSecretID       = "AuthFailure.InvalidSecretId"
	codeSecretIDNotFound      = "AuthFailure.SecretIdNotFound"
	codeSignatureExpire       = "AuthFailure.SignatureExpire"
	codeSignatureFailure      = "AuthFailure.SignatureFailure"
	codeTokenFailure          = "AuthFailure.TokenFailure"
	codeUnauthorized          = "AuthFailure.UnauthorizedOperation"
	codeMissingParameter      = "MissingParameter"
	codeInvalidParameter      = "InvalidParameter"
	codeInvalidParameterValue = "InvalidParameterValue"
	codeUnknownParameter      = "UnknownParameter"
	codeInvalidRequest        = "InvalidRequest"
	codeInvalidAction         = "InvalidAction"
	codeNoSuchVersion         = "NoSuchVersion"
	codeActionOffline         = "ActionOffline"
	codeUnsupportedProtocol   = "UnsupportedProtocol"
	codeRequestLimit          = "RequestLimitExceeded"
	codeRequestSize           = "RequestSizeLimitExceeded"
	codeResponseSize          = "ResponseSizeLimitExceeded"
	codeServiceUnavailable    = "ServiceUnavailable"
	codeInternalError         = "InternalError"
)

func errMissing(name string) *Error {
	return NewError(codeMissingParameter, "The parameter `%s` is required.", "缺少必填参数`%s`。", name)
}

func errMalformed(en, zh string, args ...any) *Error {
	return NewError(codeInvalidParameter, en, zh, args...)
}

func errInternal() *Error {
	return NewError(codeInternalError,
		"An internal error occurred. Quote the RequestId when reporting it.",
		"内部错误，请提供RequestId以便排查。")
}

func errUnavailable() *Error {
	return NewError(codeServiceUnavailable,
		"The service is unavailable at the moment. Try again later.",
		"服务暂时不可用，请稍后重试。")
}
