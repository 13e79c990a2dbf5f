package cloudapi

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dogwatch/internal/cloudapi/tc3"
)

// Signatures that were published for the test key; every SDK produced them.
func TestPublishedSignaturesV3(t *testing.T) {
	const list = "DescribeAssetImageRegistryList"
	multipartBody := "--0123456789abcdef0123456789abcdef\r\nContent-Disposition: form-data; name=\"ScanTime\"\r\n\r\n04:00:00\r\n" +
		"--0123456789abcdef0123456789abcdef\r\nContent-Disposition: form-data; name=\"ScanType\"\r\nContent-Type: application/json\r\n\r\n[\"CVE\"]\r\n" +
		"--0123456789abcdef0123456789abcdef--\r\n"
	for name, v := range map[string]struct {
		call      testCall
		signed    string
		signature string
		code      string // of what comes after the signature
	}{
		"empty object": {testCall{action: "DescribeImageRegistryTimingScanTask", host: "tcss.tencentcloudapi.com", body: "{}"}, "",
			"3783eeab7ec26d1665efb72ae423fe5990294afb2a51c68168495b34a9f680ff", ""},
		"port": {testCall{action: "UpdateImageRegistryTimingScanTask",
			body: `{"Enable": true, "ScanPeriod": 1, "ScanTime": "04:00:00", "ScanType": ["CVE", "RISK"], "Namespace": ["\u6d4b\u8bd5"]}`}, "",
			"32dba448922fea8332bbcf9ca10f527811ffe185cbf4567ad39bed997b763de3", ""},
		"node": {testCall{action: list, body: `{"Limit":10}`, service: "localhost:8080"}, "",
			"9dfcce137d987e21f20760b3211d611f680e9add78725c21426b5e2b698d7ffb", ""},
		"charset and third header": {testCall{action: list, host: "tcss.tencentcloudapi.com", contentType: "application/json; charset=utf-8",
			body: `{"Limit":10,"Offset":0}`}, "content-type;host;x-tc-action",
			"28a4150f9e6684b3d31943bd0ed4b000e14d617174dbe4b862d6c3320edf713f", ""},
		"query": {testCall{action: list, method: "GET", query: "Filters.0.Name=IsAuthorized&Filters.0.Values.0=1&Limit=10&Offset=0"}, "",
			"e7463b2898bf25b53e9df6d1260b86d7de814b83a10582268fee9d5f53456004", ""},
		"encoded query": {testCall{action: list, method: "GET", query: "Filters.0.Name=Namespace&Filters.0.Values.0=a+b%2Fc"}, "",
			"c7ff8d833a105a3d59321485578f83e841b3e9b5c491d73321c0e43bdcafe65f", ""},
		"unsigned payload": {testCall{action: list, body: `{"Limit":10}`, unsigned: true}, "",
			"64878f7c31f003600309ffa3274793dbc555a6801744513f5088b4028f9d5d79", ""},
		"multipart": {testCall{action: "UpdateImageRegistryTimingScanTask", body: multipartBody,
			contentType: "multipart/form-data; boundary=0123456789abcdef0123456789abcdef"}, "",
			"479102891d739f08bfc4167c4dfefeb59c045c9df1bd9588672fcd024fead332", "MissingParameter"},
	} {
		t.Run(name, func(t *testing.T) {
			authorization := "TC3-HMAC-SHA256 Credential=" + testID + "/" + testDate + "/" + or(v.call.service, "tcss") +
				"/tc3_request, SignedHeaders=" + or(v.signed, "content-type;host") + ", Signature="
			v.call.header = map[string]string{"Authorization": authorization + v.signature}
			if a := ask(t, testServer(), v.call.request()); a.Code != v.code {
				t.Errorf("answer %s", a.Raw)
			}
			v.call.header["Authorization"] = authorization + strings.Repeat("0", 64)
			if a := ask(t, testServer(), v.call.request()); a.Code != "AuthFailure.SignatureFailure" {
				t.Errorf("with another signature: %s", a.Raw)
			}
		})
	}
}

func TestPublishedSignaturesV1(t *testing.T) {
	for name, v := range map[string]struct {
		method, host string
		params       map[string]string
		signature    string
	}{
		"sha1": {"GET", "tcss.tencentcloudapi.com", map[string]string{"Action": "DescribeImageRegistryTimingScanTask",
			"Region": "ap-guangzhou", "SignatureMethod": "HmacSHA1"}, "Dj0NiljbsoY1Rra7O6UiH4MJ6do="},
		"no method": {"GET", "tcss.tencentcloudapi.com", map[string]string{"Action": "DescribeImageRegistryTimingScanTask"},
			"zpoYFfAo/wYCHLy7cP21K8qQWDA="},
		"sha256": {"POST", "localhost:8080", map[string]string{"Action": "UpdateImageRegistryTimingScanTask", "Enable": "true",
			"Namespace.0": "a b/c", "ScanPeriod": "7", "ScanTime": "03:30:00", "ScanType.0": "CVE", "ScanType.1": "RISK",
			"SignatureMethod": "HmacSHA256"}, "ULPTGy5YjcwGKRVE/WvX7hrmVu35wTzKqrt/FJLs17Y="},
	} {
		t.Run(name, func(t *testing.T) {
			v.params["Signature"] = v.signature
			if a := ask(t, testServer(), callV1(v.method, v.host, v.params)); a.Code != "" {
				t.Errorf("answer %s", a.Raw)
			}
			v.params["Region"] = "elsewhere"
			if a := ask(t, testServer(), callV1(v.method, v.host, v.params)); a.Code != "AuthFailure.SignatureFailure" {
				t.Errorf("with another parameter: %s", a.Raw)
			}
		})
	}
}

// vectorFile is the published file of vectors, which is not part of this repository.
type vectorFile struct {
	SecretID  string `json:"secret_id"`
	SecretKey string `json:"secret_key"`
	Date      string
	Vectors   []vector
}

type vector struct {
	Name, Kind, Method, Body, Query, Host string
	CanonicalRequest                      string `json:"canonical_request"`
	StringToSign                          string `json:"string_to_sign"`
	KSigning                              string `json:"k_signing"`
	Signature, Authorization              string
	Params                                map[string]string
}

func TestVectorFile(t *testing.T) {
	shared := os.Getenv("DOGWATCH_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "shared")
	}
	text, err := os.ReadFile(filepath.Join(shared, "reference", "api3-vectors.json"))
	if err != nil {
		t.Skipf("the file of vectors is not here; DOGWATCH_SHARED names its directory: %v", err)
	}
	var file vectorFile
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	for _, v := range file.Vectors {
		t.Run(v.Name, func(t *testing.T) {
			if v.Kind == "v1" {
				v.checkV1(t, file)
				return
			}
			v.checkV3(t, file)
		})
	}
	if len(file.Vectors) == 0 {
		t.Error("no vectors")
	}
}

func (v vector) checkV3(t *testing.T, file vectorFile) {
	c, fault := parseAuthorization([]string{v.Authorization})
	if fault != nil {
		t.Fatal(fault)
	}
	request := tc3.Request{Method: v.Method, Query: v.Query, Payload: v.CanonicalRequest[strings.LastIndex(v.CanonicalRequest, "\n")+1:]}
	r := httptest.NewRequest(v.Method, "/?"+v.Query, strings.NewReader(v.Body))
	for _, line := range strings.Split(v.CanonicalRequest, "\n") {
		if name, value, ok := strings.Cut(line, ":"); ok {
			request.Headers = append(request.Headers, tc3.Header{Name: name, Value: value})
			r.Header.Set(name, value)
		}
	}
	if got := request.Canonical(); got != v.CanonicalRequest {
		t.Errorf("canonical request\n%s\nwant\n%s", got, v.CanonicalRequest)
	}
	text := tc3.StringToSign(testStamp, tc3.Scope(c.date, c.service), v.CanonicalRequest)
	key := tc3.SigningKey(file.SecretKey, c.date, c.service)
	if text != v.StringToSign || hex.EncodeToString(key) != v.KSigning || hex.EncodeToString(tc3.Sign(key, text)) != v.Signature {
		t.Errorf("string to sign %q, key %x", text, key)
	}
	r.Host = r.Header.Get("Host")
	r.Header.Del("Host")
	if v.Name == "post-json-node" {
		r.Host = "localhost:8080" // what is on the wire, beside what was signed
	}
	if v.Name == "post-unsigned-payload" {
		r.Header.Set("X-TC-Content-SHA256", "UNSIGNED-PAYLOAD")
	}
	r.Header.Set("Authorization", v.Authorization)
	r.Header.Set("X-TC-Action", or(map[bool]string{true: "DescribeAssetImageRegistryList"}[r.Header.Get("X-TC-Action") != ""], "UpdateImageRegistryTimingScanTask"))
	r.Header.Set("X-TC-Version", "2020-11-01")
	r.Header.Set("X-TC-Timestamp", testStamp)
	v.pass(t, r)
}

func (v vector) checkV1(t *testing.T, file vectorFile) {
	form := url.Values{"Signature": {v.Signature}}
	for name, value := range v.Params {
		form.Set(name, value)
	}
	pairs, fault := parsePairs(form.Encode())
	if fault != nil {
		t.Fatal(fault)
	}
	text := v.Method + v.Host + "/?" + paramsV1(pairs, false)
	if text != v.StringToSign {
		t.Errorf("string to sign %q\nwant %q", text, v.StringToSign)
	}
	if got := base64.StdEncoding.EncodeToString(signV1(v.Params["SignatureMethod"], file.SecretKey, text)); got != v.Signature {
		t.Errorf("signature %s, want %s", got, v.Signature)
	}
	v.pass(t, callV1(v.Method, v.Host, mapWith(v.Params, "Signature", v.Signature)))
}

func mapWith(m map[string]string, name, value string) map[string]string {
	m[name] = value
	return m
}

// pass checks that a request gets past the signature.
func (v vector) pass(t *testing.T, r *http.Request) {
	if a := ask(t, testServer(), r); strings.HasPrefix(a.Code, "AuthFailure") {
		t.Errorf("answer %s", a.Raw)
	}
}
