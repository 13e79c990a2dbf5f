package registry

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"unicode"
)

// transportFailure explains why there was no answer.
func transportFailure(op string, err error) error {
	var failure *Failure
	if errors.As(err, &failure) {
		return err
	}
	host, err := withoutURL(err)
	f := certFailure(err)
	if f == nil {
		f = networkFailure(err)
	}
	if host != "" {
		f.Reason = host + ": " + f.Reason
	}
	f.Op, f.Err = op, err
	return f
}

// withoutURL takes off the URL that net/http puts before its errors and keeps
// its host: after a redirect the rest holds a signature that lets anyone read
// the blob.
func withoutURL(err error) (host string, cause error) {
	var u *url.Error
	if !errors.As(err, &u) {
		return "", err
	}
	if at, parseErr := url.Parse(u.URL); parseErr == nil {
		host = at.Host
	}
	return host, u.Err
}

func certFailure(err error) *Failure {
	var (
		unknown x509.UnknownAuthorityError
		invalid x509.CertificateInvalidError
		host    x509.HostnameError
		record  tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return &Failure{Kind: KindCert, Reason: "the certificate has expired or is not valid yet",
			Solution: "renew the registry's certificate and check the clocks"}
	case errors.As(err, &invalid):
		return &Failure{Kind: KindCert, Reason: "the certificate is not valid: " + invalid.Error(),
			Solution: "replace the registry's certificate"}
	case errors.As(err, &host):
		return &Failure{Kind: KindCert, Reason: "the certificate is for another host",
			Solution: "use the host name that is in the certificate, or replace it"}
	case errors.As(err, &unknown):
		return &Failure{Kind: KindCert, Reason: "the certificate is signed by an unknown authority",
			Solution: "add the CA to the trusted certificates, or switch the verification off for this registry"}
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return &Failure{Kind: KindCert, Reason: "the server does not speak TLS on this port",
			Solution: "check the port, or write http:// if the registry has no TLS"}
	case strings.Contains(err.Error(), "tls: "): // alerts have no exported type
		return &Failure{Kind: KindCert, Reason: "the TLS handshake failed: " + err.Error(),
			Solution: "check the TLS versions and client certificates the registry asks for"}
	}
	return nil
}

func networkFailure(err error) *Failure {
	var dns *net.DNSError
	switch {
	case errors.Is(err, errAddress):
		return &Failure{Kind: KindForbiddenAddress, Reason: err.Error(),
			Solution: "use a public address, or allow private registries in the server's settings"}
	case errors.Is(err, errDowngrade):
		return &Failure{Kind: KindNetwork, Reason: err.Error(),
			Solution: "correct the external URL in the registry's settings"}
	case errors.Is(err, errRedirects):
		return &Failure{Kind: KindNetwork, Reason: "the registry redirects in a circle",
			Solution: "check the proxy before the registry"}
	case errors.As(err, &dns) && dns.IsNotFound:
		return &Failure{Kind: KindNetwork, Reason: fmt.Sprintf("the host name %q is unknown", dns.Name),
			Solution: "check the URL and the name server"}
	case errors.Is(err, syscall.ECONNREFUSED):
		return &Failure{Kind: KindNetwork, Reason: "the connection was refused",
			Solution: "check host and port, and whether the registry runs"}
	case isTimeout(err):
		return &Failure{Kind: KindNetwork, Reason: "the registry did not answer in time",
			Solution: "check the network, the firewall and the registry's load"}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return &Failure{Kind: KindNetwork, Reason: "the connection broke",
			Solution: "check the network and the proxy before the registry"}
	}
	return &Failure{Kind: KindNetwork, Reason: "the registry was not reached: " + err.Error(),
		Solution: "check URL and network"}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// answerError is what the body of an error answer says, if it says something.
type answerError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// readError reads the errors of a body. Bodies may be HTML, text or nothing.
func readError(body []byte) answerError {
	var answer struct {
		Errors []answerError `json:"errors"`
	}
	if json.Unmarshal(body, &answer) != nil || len(answer.Errors) == 0 {
		return answerError{}
	}
	first := answer.Errors[0]
	return answerError{Code: printable(first.Code, 64), Message: printable(first.Message, 200)}
}

// printable makes foreign text fit for a log line.
func printable(s string, limit int) string {
	var b strings.Builder
	for _, r := range s {
		if b.Len() >= limit {
			b.WriteString("...")
			break
		}
		if !unicode.IsPrint(r) {
			r = ' '
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}

// statusFailure explains an answer that is no success. It reads the body.
func (s *session) statusFailure(op string, resp *http.Response) error {
	body, _ := readLimited(resp.Body, 64<<10) // a body that can't be read says nothing
	said := readError(body)
	f := s.named(explainStatus(resp.StatusCode, said))
	f.Op = op
	if said.Code != "" || said.Message != "" {
		f.Reason += " (" + strings.TrimSpace(said.Code+" "+said.Message) + ")"
	}
	if f.Kind == KindRateLimited {
		f.RetryAfter, _ = retryAfter(resp.Header, s.options.Now())
	}
	f.Err = &statusError{status: resp.StatusCode, code: said.Code}
	return f
}

// named words a refused log-in for those who gave no credentials at all.
func (s *session) named(f *Failure) *Failure {
	if f.Kind == KindAuth && s.auth.basic() == "" {
		f.Reason, f.Solution = "the registry wants a log-in", "give user and password"
	}
	return f
}

// statusError keeps status and code for those who decide by them.
type statusError struct {
	status int
	code   string
}

func (e *statusError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("status %d %s", e.status, e.code))
}

// statusOf is the HTTP status that made err, 0 if none did.
func statusOf(err error) (status int, code string) {
	var s *statusError
	if errors.As(err, &s) {
		return s.status, s.code
	}
	return 0, ""
}

func explainStatus(status int, said answerError) *Failure {
	switch {
	case status == http.StatusUnauthorized:
		return &Failure{Kind: KindAuth, Reason: "the registry refuses the credentials", Solution: "check user and password"}
	case status == http.StatusForbidden, said.Code == "DENIED", said.Code == "PROJECTPOLICYVIOLATION":
		return &Failure{Kind: KindDenied, Reason: "the registry denies access", Solution: "give the user the right to list and pull"}
	case status == http.StatusNotFound:
		return &Failure{Kind: KindNotFound, Reason: "the registry does not have it, or does not show it to this user",
			Solution: "synchronise the registry and check the user's rights"}
	case status == http.StatusTooManyRequests:
		return &Failure{Kind: KindRateLimited, Reason: "the registry limits the number of requests",
			Solution: "wait, lower the number of concurrent scans, or use an account with a higher limit"}
	case status >= 500:
		return &Failure{Kind: KindServer, Reason: fmt.Sprintf("the registry fails with status %d", status),
			Solution: "look into the registry's log"}
	}
	return &Failure{Kind: KindUnsupported, Reason: fmt.Sprintf("the registry answers with status %d", status),
		Solution: "check the URL and the type of the registry"}
}
