package cloudapi

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// gatewayCase is a request and the error it meets.
type gatewayCase struct {
	request *http.Request
	code    string
	message string // that the English message contains
}

func (c gatewayCase) check(t *testing.T) {
	a := ask(t, testServer(), c.request)
	if a.Code != c.code || !strings.Contains(a.Message, c.message) {
		t.Errorf("answer %s, want %s with %q", a.Raw, c.code, c.message)
	}
}

func TestGatewayErrors(t *testing.T) {
	with := func(name, value string) map[string]string { return map[string]string{name: value} }
	good := testCall{}.request().Header.Get("Authorization")
	for name, c := range map[string]gatewayCase{
		"proper":               {testCall{}.request(), "", ""},
		"method":               {testCall{method: "PUT"}.request(), "UnsupportedProtocol", "PUT"},
		"content type":         {testCall{contentType: "text/plain"}.request(), "UnsupportedProtocol", "text/plain"},
		"octet stream":         {testCall{contentType: "application/octet-stream"}.request(), "UnsupportedProtocol", "octet-stream"},
		"no content type":      {testCall{header: with("Content-Type", "-")}.request(), "UnsupportedProtocol", ""},
		"no action":            {testCall{header: with("X-TC-Action", "-")}.request(), "MissingParameter", "`X-TC-Action`"},
		"no version":           {testCall{header: with("X-TC-Version", "-")}.request(), "MissingParameter", "`X-TC-Version`"},
		"no timestamp":         {testCall{header: with("X-TC-Timestamp", "-")}.request(), "MissingParameter", "`X-TC-Timestamp`"},
		"timestamp a word":     {testCall{header: with("X-TC-Timestamp", "now")}.request(), "InvalidParameter", "`X-TC-Timestamp`"},
		"timestamp signed":     {testCall{header: with("X-TC-Timestamp", "+1700000000")}.request(), "InvalidParameter", "`X-TC-Timestamp`"},
		"no authorization":     {testCall{header: with("Authorization", "-")}.request(), "AuthFailure.InvalidAuthorization", "missing"},
		"skip":                 {testCall{header: with("Authorization", "SKIP")}.request(), "AuthFailure.InvalidAuthorization", ""},
		"other algorithm":      {testCall{header: with("Authorization", strings.Replace(good, "SHA256", "SHA512", 1))}.request(), "AuthFailure.InvalidAuthorization", ""},
		"no host signed":       {testCall{header: with("Authorization", strings.Replace(good, ";host", "", 1))}.request(), "AuthFailure.InvalidAuthorization", "host"},
		"short signature":      {testCall{header: with("Authorization", good[:len(good)-2])}.request(), "AuthFailure.InvalidAuthorization", "64"},
		"white space":          {testCall{header: with("Authorization", strings.ReplaceAll(good, ", ", "  ,\t "))}.request(), "", ""},
		"no space":             {testCall{header: with("Authorization", strings.ReplaceAll(good, ", ", ","))}.request(), "", ""},
		"unknown key":          {testCall{id: "nobody"}.request(), "AuthFailure.SecretIdNotFound", ""},
		"disabled key":         {testCall{id: "disabled"}.request(), "AuthFailure.SecretIdNotFound", ""},
		"wrong kind of key":    {testCall{id: "console"}.request(), "AuthFailure.InvalidSecretId", ""},
		"key store fails":      {testCall{id: "broken"}.request(), "ServiceUnavailable", ""},
		"early":                {testCall{timestamp: "1699999699"}.request(), "AuthFailure.SignatureExpire", "clock"},
		"just in time":         {testCall{timestamp: "1699999700"}.request(), "", ""},
		"late":                 {testCall{timestamp: "1700000301"}.request(), "AuthFailure.SignatureExpire", "clock"},
		"other secret":         {testCall{secret: "guess"}.request(), "AuthFailure.SignatureFailure", ""},
		"other date":           {testCall{date: "2023-11-15"}.request(), "AuthFailure.SignatureFailure", "date"},
		"other service":        {testCall{service: "cvm"}.request(), "AuthFailure.SignatureFailure", "`cvm`"},
		"token":                {testCall{header: with("X-TC-Token", "t")}.request(), "AuthFailure.TokenFailure", ""},
		"role":                 {testCall{id: "reader", action: "UpdateImageRegistryTimingScanTask"}.request(), "AuthFailure.UnauthorizedOperation", "operator"},
		"version":              {testCall{version: "2017-03-12"}.request(), "NoSuchVersion", "2020-11-01"},
		"action":               {testCall{action: "echo"}.request(), "InvalidAction", "`echo`"},
		"offline":              {testCall{action: "DescribeClusterSummary"}.request(), "ActionOffline", ""},
		"empty body":           {testCall{}.request(), "", ""},
		"not JSON":             {testCall{body: "{"}.request(), "InvalidParameter", "JSON"},
		"not an object":        {testCall{body: "[]"}.request(), "InvalidParameter", "object"},
		"null":                 {testCall{body: "null"}.request(), "InvalidParameter", "object"},
		"trailing":             {testCall{body: "{} {}"}.request(), "InvalidParameter", "JSON"},
		"no equals sign":       {testCall{method: "GET", query: "Text"}.request(), "InvalidParameter", "`Text`"},
		"broken escape":        {testCall{method: "GET", query: "Text=%zz"}.request(), "InvalidParameter", "%zz"},
		"broken multipart":     {testCall{contentType: "multipart/form-data; boundary=b", body: "--b\r\n"}.request(), "InvalidRequest", ""},
		"multipart, no border": {testCall{contentType: "multipart/form-data"}.request(), "InvalidRequest", ""},
		"query too long":       {testCall{method: "GET", query: "Text=" + strings.Repeat("x", maxGet)}.request(), "RequestSizeLimitExceeded", ""},
		"action's own error":   {testCall{action: "Refuse"}.request(), "ResourceNotFound", "no image 7"},
		"bug":                  {testCall{action: "Fail"}.request(), "InternalError", "RequestId"},
		"panic":                {testCall{action: "Panic"}.request(), "InternalError", "RequestId"},
	} {
		t.Run(name, c.check)
	}
}

func TestGatewayErrorsOfV1(t *testing.T) {
	with := func(name, value string) map[string]string { return map[string]string{name: value} }
	for name, c := range map[string]gatewayCase{
		"v1 nothing":            {httptest.NewRequest("GET", "/", nil), "MissingParameter", "`Action`"},
		"v1 no version":         {callV1("GET", "h", with("Version", "-")), "MissingParameter", "`Version`"},
		"v1 no key":             {callV1("GET", "h", with("SecretId", "-")), "MissingParameter", "`SecretId`"},
		"v1 no signature":       {callV1("POST", "h", with("Signature", "-")), "MissingParameter", "`Signature`"},
		"v1 no timestamp":       {callV1("POST", "h", with("Timestamp", "-")), "MissingParameter", "`Timestamp`"},
		"v1 no nonce":           {callV1("GET", "h", with("Nonce", "-")), "MissingParameter", "`Nonce`"},
		"v1 bad nonce":          {callV1("GET", "h", with("Nonce", "-1")), "InvalidParameter", "`Nonce`"},
		"v1 largest nonce":      {callV1("GET", "h", with("Nonce", "18446744073709551615")), "", ""},
		"v1 expired":            {callV1("GET", "h", with("Timestamp", "1600000000")), "AuthFailure.SignatureExpire", ""},
		"v1 unknown key":        {callV1("GET", "h", with("SecretId", "nobody")), "AuthFailure.SecretIdNotFound", ""},
		"v1 signature":          {callV1("GET", "h", with("Signature", "AAAA")), "AuthFailure.SignatureFailure", ""},
		"v1 not base64":         {callV1("GET", "h", with("Signature", "!")), "AuthFailure.SignatureFailure", ""},
		"v1 blank region":       {callV1("GET", "h", with("Region", "")), "", ""},
		"v1 other method":       {callV1("GET", "h", with("SignatureMethod", "HmacMD5")), "", ""},
		"v1 token":              {callV1("GET", "h", with("Token", "t")), "AuthFailure.TokenFailure", ""},
		"v1 unknown parameter":  {callV1("POST", "h", with("Bogus", "1")), "UnknownParameter", "`Bogus`"},
		"v1 underscore, no dot": {callV1("POST", "h", with("Under_score", "1")), "UnknownParameter", "`Under_score`"},
	} {
		t.Run(name, c.check)
	}
}

// Where a request has several faults, the one that is checked first is told.
func TestOrderOfChecks(t *testing.T) {
	worst := testCall{method: "PUT", timestamp: "1", version: "x", action: "x", id: "nobody", secret: "x", body: "{",
		header: map[string]string{"X-TC-Action": "-", "Authorization": "-", "X-TC-Version": "-"}}
	step := func(mend func(*testCall)) testCall { mend(&worst); return worst }
	for _, c := range []struct {
		call testCall
		code string
	}{
		{step(func(c *testCall) { c.header = map[string]string{"X-TC-Action": "-"} }), "UnsupportedProtocol"},
		{step(func(c *testCall) { c.method = "POST" }), "MissingParameter"},
		{step(func(c *testCall) { c.header = map[string]string{"Authorization": "SKIP"} }), "AuthFailure.InvalidAuthorization"},
		{step(func(c *testCall) { c.header = nil; c.date = "1970-01-01" }), "AuthFailure.SignatureExpire"},
		{step(func(c *testCall) { c.timestamp, c.date = "", "" }), "AuthFailure.SecretIdNotFound"},
		{step(func(c *testCall) { c.id = "reader" }), "AuthFailure.SignatureFailure"},
		{step(func(c *testCall) { c.secret = "" }), "NoSuchVersion"},
		{step(func(c *testCall) { c.version = "" }), "InvalidAction"},
		{step(func(c *testCall) { c.action = "UpdateImageRegistryTimingScanTask" }), "AuthFailure.UnauthorizedOperation"},
		{step(func(c *testCall) { c.id = "" }), "InvalidParameter"},
		{step(func(c *testCall) { c.body = `{"ScanPeriod":0,"ScanTime":4,"Bogus":1}` }), "UnknownParameter"},
		{step(func(c *testCall) { c.body = `{"ScanPeriod":0,"ScanTime":4}` }), "MissingParameter"},
		{step(func(c *testCall) { c.body = `{"ScanPeriod":0,"ScanTime":4,"Enable":true}` }), "InvalidParameter"},
		{step(func(c *testCall) { c.body = `{"ScanPeriod":0,"ScanTime":"4","Enable":true}` }), "InvalidParameterValue"},
		{step(func(c *testCall) { c.body = `{"ScanPeriod":1,"ScanTime":"4","Enable":true}` }), ""},
	} {
		if a := ask(t, testServer(), c.call.request()); a.Code != c.code {
			t.Errorf("got %s, want %q", a.Raw, c.code)
		}
	}
}
