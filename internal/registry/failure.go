package registry

import (
	"errors"
	"time"
)

// Kind is the cause of a Failure.
type Kind int

// The causes told apart.
const (
	KindNetwork          Kind = iota + 1 // not reached, or the connection broke for good
	KindAuth                             // credentials refused, or needed and not given
	KindCert                             // TLS: unknown CA, expired, wrong host, no TLS at all
	KindNotRegistry                      // something answers, but not this kind of registry
	KindNotFound                         // repository, tag or blob is not there
	KindDenied                           // logged in, but without the right
	KindUnsupported                      // media types and schemas we do not read
	KindRateLimited                      // 429, and waiting was not enough
	KindServer                           // the registry fails
	KindCorrupt                          // content is not what its digest says
	KindForbiddenAddress                 // the address policy refuses the address
	KindCatalogue                        // reached and logged in, but listing repositories is refused
)

// Failure is why a registry could not be read, told to a person: what failed,
// because of what, and what to do about it. It never holds credentials.
type Failure struct {
	Kind Kind
	// Op is what was tried, with the value it was tried on.
	Op string
	// Reason is the cause in words.
	Reason string
	// Solution is advice in words.
	Solution string
	// RetryAfter is how long the registry wants to be left alone (KindRateLimited).
	RetryAfter time.Duration
	// Err is the cause below, if there is one.
	Err error
}

// Error joins operation, reason and advice.
func (f *Failure) Error() string {
	text := "registry: " + f.Op + ": " + f.Reason
	if f.Solution != "" {
		text += ": " + f.Solution
	}
	return text
}

// Unwrap returns the cause below.
func (f *Failure) Unwrap() error { return f.Err }

// Code is the short word for the scan error fields of the API.
func (f *Failure) Code() string {
	switch f.Kind {
	case KindNetwork:
		return "ConnFailed"
	case KindAuth:
		return "AuthFailed"
	case KindCert:
		return "CertFailed"
	case KindNotRegistry:
		return "NotRegistry"
	case KindNotFound:
		return "ImageGone"
	case KindDenied:
		return "AccessDenied"
	case KindUnsupported:
		return "UnsupportedMediaType"
	case KindRateLimited:
		return "RateLimited"
	case KindServer:
		return "RegistryError"
	case KindCorrupt:
		return "LayerBroken"
	case KindForbiddenAddress:
		return "AddressForbidden"
	case KindCatalogue:
		return "CatalogueRefused"
	}
	return "Unknown"
}

// The results of a connection test as the API spells them.
const (
	StatusConnected     = "status_connected"
	StatusAuthFailed    = "status_auth_failed"
	StatusNetworkFailed = "status_network_failed"
	StatusCertFailed    = "status_cert_failed"
	StatusUnknown       = "status_unknown"
)

// ConnStatus is the result of the connection test that f ended. No failure is
// a connection.
func (f *Failure) ConnStatus() string {
	if f == nil {
		return StatusConnected
	}
	switch f.Kind {
	case KindAuth, KindDenied:
		return StatusAuthFailed
	case KindNetwork, KindForbiddenAddress:
		return StatusNetworkFailed
	case KindCert:
		return StatusCertFailed
	}
	return StatusUnknown
}

// ConnStatus is the connection test's result for an error of Check.
func ConnStatus(err error) string {
	if err == nil {
		return StatusConnected
	}
	var f *Failure
	if errors.As(err, &f) {
		return f.ConnStatus()
	}
	return StatusUnknown
}

// KindOf is the kind of the Failure in err, 0 if there is none.
func KindOf(err error) Kind {
	var f *Failure
	if errors.As(err, &f) {
		return f.Kind
	}
	return 0
}
