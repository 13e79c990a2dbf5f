package registrytest

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	// TokenService is the service name in challenges of WithBearer.
	TokenService = "registrytest"
	tokenIssuer  = "registrytest issuer"
)

// TokenServer is a token service for docker-registry: it signs JSON web tokens
// that the registry verifies.
type TokenServer struct {
	Username, Password string

	server *httptest.Server
	key    *ecdsa.PrivateKey
	cert   *x509.Certificate

	mu       sync.Mutex
	requests []url.Values
}

// NewTokenServer starts a token service that knows one user.
func NewTokenServer(t testing.TB, username, password string) *TokenServer {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(3), Subject: pkix.Name{CommonName: tokenIssuer},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	ts := &TokenServer{Username: username, Password: password, key: key, cert: sign(t, template, template, key, key)}
	ts.server = httptest.NewServer(ts)
	t.Cleanup(ts.server.Close)
	return ts
}

// Realm is the address to ask for tokens. It has a query already, as some have.
func (ts *TokenServer) Realm() string { return ts.server.URL + "/token?tenant=a" }

// Requests returns the queries of all requests so far.
func (ts *TokenServer) Requests() []url.Values {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	return append([]url.Values(nil), ts.requests...)
}

func (ts *TokenServer) certPEM() []byte { return certPEM(ts.cert.Raw) }

// ServeHTTP gives everything that is asked for to whom knows the password.
func (ts *TokenServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ts.mu.Lock()
	ts.requests = append(ts.requests, r.URL.Query())
	ts.mu.Unlock()
	name, password, _ := r.BasicAuth()
	if name != ts.Username || password != ts.Password {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	token, err := ts.sign(r.URL.Query()["scope"])
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"access_token": token, "expires_in": 300})
}

type access struct {
	Type    string   `json:"type"`
	Name    string   `json:"name"`
	Actions []string `json:"actions"`
}

func (ts *TokenServer) sign(scopes []string) (string, error) {
	granted := []access{}
	for _, scope := range scopes {
		kind, rest, _ := strings.Cut(scope, ":")
		colon := strings.LastIndexByte(rest, ':')
		granted = append(granted, access{Type: kind, Name: rest[:max(colon, 0)], Actions: strings.Split(rest[colon+1:], ",")})
	}
	now := time.Now()
	header, err := json.Marshal(map[string]any{
		"typ": "JWT", "alg": "ES256", "x5c": []string{base64.StdEncoding.EncodeToString(ts.cert.Raw)},
	})
	if err != nil {
		return "", err
	}
	claims, err := json.Marshal(map[string]any{
		"iss": tokenIssuer, "sub": ts.Username, "aud": TokenService, "jti": "1", "access": granted,
		"iat": now.Unix(), "nbf": now.Add(-time.Minute).Unix(), "exp": now.Add(5 * time.Minute).Unix(),
	})
	if err != nil {
		return "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	payload := encode(header) + "." + encode(claims)
	sum := sha256.Sum256([]byte(payload))
	r, s, err := ecdsa.Sign(rand.Reader, ts.key, sum[:])
	if err != nil {
		return "", err
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return payload + "." + encode(signature), nil
}

// tokenTransport logs pushes in with tokens made on the spot: the library that
// pushes refuses token services on loopback addresses.
type tokenTransport struct {
	tokens *TokenServer
	next   http.RoundTripper
}

func (tt *tokenTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	path, _ := splitV2(r.URL.Path)
	token, err := tt.tokens.sign([]string{"repository:" + path + ":pull,push,delete"})
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+token)
	return tt.next.RoundTrip(r)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client has gone: nothing to do
}
