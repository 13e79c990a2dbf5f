// Package client calls actions of an API 3.0 service: JSON by POST, signed with
// TC3-HMAC-SHA256.
package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"dogwatch/internal/cloudapi/tc3"
)

const (
	contentType = "application/json"
	maxAnswer   = 64 << 20
)

// Client calls actions as one access key.
type Client struct {
	Endpoint  string // http://host:port or https://host:port
	SecretID  string
	SecretKey string
	Service   string // empty: tcss
	Version   string // empty: 2020-11-01
	Region    string
	Language  string // zh-CN or en-US
	// HTTP sends the requests; nil: the default client. See TrustCA.
	HTTP *http.Client
	Now  func() time.Time // nil: the machine's clock
}

// Error is an error answer of the service.
type Error struct {
	Code      string
	Message   string
	RequestID string
}

// Error tells code, message and request id.
func (e *Error) Error() string {
	return fmt.Sprintf("%s: %s (RequestId %s)", e.Code, e.Message, e.RequestID)
}

// TrustCA is an HTTP client that trusts the certificates in a PEM file beside
// those of the system.
func TrustCA(caFile string) (*http.Client, error) {
	text, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fmt.Errorf("client: CA file: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("client: the CA file %s holds no certificate in PEM form", caFile)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	return &http.Client{Transport: transport}, nil
}

// Call calls an action with a JSON object of parameters (empty: none) and
// returns the object under Response. An error answer is an *Error.
func (c *Client) Call(ctx context.Context, action string, params json.RawMessage) (json.RawMessage, error) {
	if len(bytes.TrimSpace(params)) == 0 {
		params = json.RawMessage("{}")
	}
	request, err := c.request(ctx, action, params)
	if err != nil {
		return nil, fmt.Errorf("client: call %s: %w", action, err)
	}
	sender := c.HTTP
	if sender == nil {
		sender = http.DefaultClient
	}
	answer, err := sender.Do(request)
	if err != nil {
		return nil, fmt.Errorf("client: call %s: %w", action, err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("client: call %s: read the answer: %w", action, err)
	}
	response, err := open(body)
	var told *Error
	if err != nil && !errors.As(err, &told) {
		return nil, fmt.Errorf("client: call %s: status %s: %w", action, answer.Status, err)
	}
	return response, err
}

// request makes the signed request.
func (c *Client) request(ctx context.Context, action string, params []byte) (*http.Request, error) {
	endpoint, err := url.Parse(c.Endpoint)
	if err != nil || endpoint.Host == "" || endpoint.Scheme != "http" && endpoint.Scheme != "https" {
		return nil, fmt.Errorf("the endpoint %q is not of the form https://host:port", c.Endpoint)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint.Scheme+"://"+endpoint.Host+"/", bytes.NewReader(params))
	if err != nil {
		return nil, err
	}
	now := time.Now
	if c.Now != nil {
		now = c.Now
	}
	at := now()
	h := request.Header
	h.Set("Content-Type", contentType)
	h.Set("X-TC-Action", action)
	h.Set("X-TC-Version", orElse(c.Version, "2020-11-01"))
	h.Set("X-TC-Timestamp", strconv.FormatInt(at.Unix(), 10))
	h.Set("X-TC-RequestClient", "dogwatch")
	if c.Region != "" {
		h.Set("X-TC-Region", c.Region)
	}
	if c.Language != "" {
		h.Set("X-TC-Language", c.Language)
	}
	h.Set("Authorization", c.authorization(endpoint.Host, params, at))
	return request, nil
}

func (c *Client) authorization(host string, body []byte, at time.Time) string {
	signed := tc3.Request{Method: http.MethodPost, Payload: tc3.HashPayload(body),
		Headers: []tc3.Header{{Name: "content-type", Value: contentType}, {Name: "host", Value: host}}}
	date, service := tc3.Date(at), orElse(c.Service, "tcss")
	scope := tc3.Scope(date, service)
	text := tc3.StringToSign(strconv.FormatInt(at.Unix(), 10), scope, signed.Canonical())
	signature := tc3.Sign(tc3.SigningKey(c.SecretKey, date, service), text)
	return fmt.Sprintf("%s Credential=%s/%s, SignedHeaders=%s, Signature=%s",
		tc3.Algorithm, c.SecretID, scope, signed.SignedHeaders(), hex.EncodeToString(signature))
}

// open takes the envelope off an answer.
func open(body []byte) (json.RawMessage, error) {
	var envelope struct{ Response json.RawMessage }
	if err := json.Unmarshal(body, &envelope); err != nil || envelope.Response == nil {
		return nil, errors.New("the answer is not one of this API; check the endpoint")
	}
	var head struct {
		Error     *Error
		RequestID string `json:"RequestId"`
	}
	if err := json.Unmarshal(envelope.Response, &head); err != nil {
		return nil, fmt.Errorf("the answer is malformed: %w", err)
	}
	if head.Error != nil {
		head.Error.RequestID = head.RequestID
		return nil, head.Error
	}
	return envelope.Response, nil
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
