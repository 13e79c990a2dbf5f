package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"crypto/tls"

	"dogwatch/internal/cloudapi"
)

const (
	testID     = "AKIDTESTONLY00000000000000000000test"
	testSecret = "TestOnlySecretKey0123456789abcdef"
)

type keys struct{}

func (keys) Key(_ context.Context, id string) (cloudapi.Key, error) {
	if id != testID {
		return cloudapi.Key{}, cloudapi.ErrNoKey
	}
	return cloudapi.Key{SecretID: id, SecretKey: testSecret, AccountID: 1}, nil
}

type greeting struct {
	Name *string `json:"Name" api:"required"`
}

func service() http.Handler {
	api := cloudapi.NewAPI("tcss", "2020-11-01")
	cloudapi.Handle(api, cloudapi.Action{Name: "Greet"}, func(_ context.Context, _ cloudapi.Caller, r *greeting) (*greeting, error) { return r, nil })
	return cloudapi.NewServer(api, cloudapi.Options{Keys: keys{}})
}

// The authorization is the one all SDKs compute for this key, moment and call.
func TestPublishedAuthorization(t *testing.T) {
	c := &Client{Endpoint: "https://tcss.tencentcloudapi.com/", SecretID: testID, SecretKey: testSecret,
		Now: func() time.Time { return time.Unix(1700000000, 0) }}
	r, err := c.request(context.Background(), "DescribeImageRegistryTimingScanTask", []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	const want = "TC3-HMAC-SHA256 Credential=" + testID + "/2023-11-14/tcss/tc3_request, SignedHeaders=content-type;host, " +
		"Signature=3783eeab7ec26d1665efb72ae423fe5990294afb2a51c68168495b34a9f680ff"
	if got := r.Header.Get("Authorization"); got != want {
		t.Errorf("authorization %s", got)
	}
}

func TestCall(t *testing.T) {
	server := httptest.NewServer(service())
	defer server.Close()
	c := &Client{Endpoint: server.URL, SecretID: testID, SecretKey: testSecret, Language: "zh-CN", Region: "ap-guangzhou"}
	answer, err := c.Call(context.Background(), "Greet", json.RawMessage(`{"Name":"x"}`))
	if err != nil || !bytes.Contains(answer, []byte(`"Name":"x"`)) {
		t.Errorf("%s, %v", answer, err)
	}
	_, err = c.Call(context.Background(), "Greet", nil)
	var told *Error
	if !errors.As(err, &told) || told.Code != "MissingParameter" || !strings.Contains(told.Message, "缺少") || len(told.RequestID) != 36 {
		t.Errorf("error answer: %v", err)
	}
	c.SecretKey = "guess"
	if _, err = c.Call(context.Background(), "Greet", nil); !errors.As(err, &told) || told.Code != "AuthFailure.SignatureFailure" || strings.Contains(err.Error(), "guess") {
		t.Errorf("wrong key: %v", err)
	}
}

func TestCallTrustsItsCA(t *testing.T) {
	cert, ca, err := cloudapi.LoadOrMakeCert(t.TempDir(), nil, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(service())
	server.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	server.StartTLS()
	defer server.Close()
	trusting, err := TrustCA(ca)
	if err != nil {
		t.Fatal(err)
	}
	c := &Client{Endpoint: server.URL, SecretID: testID, SecretKey: testSecret, HTTP: trusting}
	if _, err := c.Call(context.Background(), "Greet", json.RawMessage(`{"Name":"x"}`)); err != nil {
		t.Error(err)
	}
	var told *Error
	c.HTTP = nil
	if _, err := c.Call(context.Background(), "Greet", nil); err == nil || errors.As(err, &told) {
		t.Errorf("without the CA: %v", err)
	}
	for name, text := range map[string]string{"missing": "", "empty.pem": "nothing"} {
		path := filepath.Join(t.TempDir(), name)
		if text != "" {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := TrustCA(path); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnswersOfAnotherServer(t *testing.T) {
	for body, want := range map[string]string{
		"":                     "check the endpoint",
		"<html>":               "check the endpoint",
		`{"code":1}`:           "check the endpoint",
		`{"Response":[]}`:      "malformed",
		`{"Response":{"A":1}}`: "",
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(body)) }))
		c := &Client{Endpoint: server.URL, SecretID: testID, SecretKey: testSecret}
		answer, err := c.Call(context.Background(), "Greet", nil)
		if want == "" && (err != nil || string(answer) != `{"A":1}`) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %s, %v", body, answer, err)
		}
		server.Close()
	}
}

func TestBadEndpoint(t *testing.T) {
	for _, endpoint := range []string{"", "localhost:8080", "ftp://x", "://", "http://"} {
		_, err := (&Client{Endpoint: endpoint}).Call(context.Background(), "Greet", nil)
		var network *url.Error
		if err == nil || errors.As(err, &network) || !strings.Contains(err.Error(), "https://host:port") {
			t.Errorf("%q: %v", endpoint, err)
		}
	}
}
