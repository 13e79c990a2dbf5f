package cloudapi

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	tencent "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	tcerr "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/errors"
	tchttp "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/http"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"
)

// sdkEndpoint is a running server and how to reach it.
type sdkEndpoint struct {
	address string
	scheme  string
	trust   *x509.CertPool
}

// serveSDK starts a server over TCP with the machine's clock: the SDK has no other.
func serveSDK(t *testing.T, secure bool) sdkEndpoint {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e := sdkEndpoint{address: listener.Addr().String(), scheme: "HTTP"}
	server := &http.Server{Handler: testServer(func(o *Options) { o.Now = time.Now })}
	if secure {
		cert, ca, err := LoadOrMakeCert(t.TempDir(), nil, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(ca)
		if err != nil {
			t.Fatal(err)
		}
		e.scheme, e.trust = "HTTPS", x509.NewCertPool()
		e.trust.AppendCertsFromPEM(text)
		listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{cert}})
	} else {
		listener = QuirkListener(listener)
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() { server.Close(); <-done })
	return e
}

// client is the official client as a user would configure it.
func (e sdkEndpoint) client(change ...func(*profile.ClientProfile)) *tencent.Client {
	p := profile.NewClientProfile()
	p.HttpProfile.Endpoint, p.HttpProfile.Scheme = e.address, e.scheme
	for _, f := range change {
		f(p)
	}
	c := tencent.NewCommonClient(tencent.NewCredential(testID, testSecret), "ap-guangzhou", p)
	if e.trust != nil {
		c.WithHttpTransport(&http.Transport{TLSClientConfig: &tls.Config{RootCAs: e.trust}})
	}
	return c
}

// sdkCall calls an action through the generic client.
func sdkCall(t *testing.T, c *tencent.Client, action, body string) (map[string]any, error) {
	t.Helper()
	request := tchttp.NewCommonRequest("tcss", "2020-11-01", action)
	if err := request.SetActionParameters(body); err != nil {
		t.Fatal(err)
	}
	response := tchttp.NewCommonResponse()
	if err := c.Send(request, response); err != nil {
		return nil, err
	}
	var envelope struct{ Response map[string]any }
	if err := json.Unmarshal(response.GetBody(), &envelope); err != nil {
		t.Fatal(err)
	}
	return envelope.Response, nil
}

func TestOfficialClient(t *testing.T) {
	for _, secure := range []bool{false, true} {
		e := serveSDK(t, secure)
		t.Run(e.scheme, func(t *testing.T) {
			c := e.client()
			response, err := sdkCall(t, c, "Echo", `{"Text":"<测试>","Words":["cve"],"Boxes":[{"Label":"x"}]}`)
			if err != nil || response["Text"] != "<测试>" || len(response["Boxes"].([]any)) != 1 {
				t.Errorf("%v, %v", response, err)
			}
			for body, code := range map[string]string{`{"Bogus":1}`: "UnknownParameter", `{"Text":1}`: "InvalidParameter", `{"Level":7}`: "InvalidParameterValue"} {
				_, err := sdkCall(t, c, "Echo", body)
				var told *tcerr.TencentCloudSDKError
				if !errors.As(err, &told) || told.Code != code || told.RequestId == "" {
					t.Errorf("%s: %v", body, err)
				}
			}
			large := `{"Text":"` + strings.Repeat("x", maxPostV3) + `"}`
			var told *tcerr.TencentCloudSDKError
			if _, err := sdkCall(t, c, "Echo", large); !errors.As(err, &told) || told.Code != "RequestSizeLimitExceeded" {
				t.Errorf("a large request: %v", err)
			}
			many, err := sdkCall(t, c, "Echo", `{"Numbers":[`+strings.Repeat("1,", 9999)+`1]}`)
			if err != nil || len(many["Numbers"].([]any)) != 10000 {
				t.Errorf("a large answer: %v", err)
			}
			unsigned := e.client(func(p *profile.ClientProfile) { p.UnsignedPayload = true })
			if _, err := sdkCall(t, unsigned, "Echo", `{"Text":"x"}`); err != nil {
				t.Errorf("unsigned payload: %v", err)
			}
		})
	}
}

// typedRequest is written like the request types that the SDK generates.
type typedRequest struct {
	*tchttp.BaseRequest
	Enable     *bool     `json:"Enable,omitnil" name:"Enable"`
	ScanPeriod *uint64   `json:"ScanPeriod,omitnil" name:"ScanPeriod"`
	ScanTime   *string   `json:"ScanTime,omitnil" name:"ScanTime"`
	ScanType   []*string `json:"ScanType,omitnil" name:"ScanType"`
	Namespace  []*string `json:"Namespace,omitnil" name:"Namespace"`
}

type typedResponse struct {
	*tchttp.BaseResponse
	Response *struct {
		RequestId *string `json:"RequestId,omitnil" name:"RequestId"`
	} `json:"Response"`
}

// Every method and signature of the SDK gets through, each with flattened or
// JSON parameters as the SDK chooses.
func TestOfficialClientMethods(t *testing.T) {
	e := serveSDK(t, false)
	for _, method := range []string{"GET", "POST"} {
		for _, sign := range []string{"TC3-HMAC-SHA256", "HmacSHA1", "HmacSHA256"} {
			t.Run(method+" "+sign, func(t *testing.T) {
				c := e.client(func(p *profile.ClientProfile) { p.HttpProfile.ReqMethod, p.SignMethod = method, sign })
				request := &typedRequest{BaseRequest: &tchttp.BaseRequest{}, Enable: new(true), ScanPeriod: new(uint64(7)), ScanTime: new("03:30"),
					ScanType: []*string{new("CVE"), new("RISK")}, Namespace: []*string{new("a b/c&d"), new("")}}
				request.Init().WithApiInfo("tcss", "2020-11-01", "UpdateImageRegistryTimingScanTask")
				response := &typedResponse{BaseResponse: &tchttp.BaseResponse{}}
				if err := c.Send(request, response); err != nil || response.Response == nil || len(*response.Response.RequestId) != 36 {
					t.Errorf("%+v, %v", response, err)
				}
				request.ScanPeriod = new(uint64(0))
				var told *tcerr.TencentCloudSDKError
				if err := c.Send(request, response); !errors.As(err, &told) || told.Code != "InvalidParameterValue" {
					t.Errorf("with a bad period: %v", err)
				}
			})
		}
	}
}
