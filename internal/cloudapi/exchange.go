package cloudapi

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	languageChinese = "zh-CN"
	languageEnglish = "en-US"
)

// The largest requests of each kind, in bytes, and how much of a larger one is
// still read so that its client gets to see the answer.
const (
	maxGet     = 32 << 10
	maxPostV1  = 1 << 20
	maxPostV3  = 10 << 20
	maxDiscard = 64 << 20
)

// form is a way to write a request.
type form int

const (
	formJSON form = iota
	formMultipart
	formQuery // flattened, in the query
	formBody  // flattened, in the body
)

// exchange is one request on its way to an answer.
type exchange struct {
	http      *http.Request
	requestID string
	start     time.Time
	v1        bool
	form      form
	body      []byte
	pairs     []pair // of a flattened form
	malformed *Error // what was wrong with the pairs
	common    common
	caller    Caller
	route     *route // nil until the action is known
}

// common are the parameters every request has, wherever they stand.
type common struct {
	action, version, timestamp, secretID   string
	nonce, signature, method, token        string
	language, region, requestClient, trace string
}

// newExchange looks at what a request's headers tell.
func newExchange(r *http.Request, requestID string, start time.Time) *exchange {
	x := &exchange{http: r, requestID: requestID, start: start}
	x.v1 = len(r.Header["Authorization"]) == 0 && len(r.Header["X-Tc-Action"]) == 0
	h := r.Header
	x.common.trace = h.Get("X-TC-TraceId")
	if !x.v1 {
		x.common = common{
			action: h.Get("X-TC-Action"), version: h.Get("X-TC-Version"), timestamp: h.Get("X-TC-Timestamp"),
			token: h.Get("X-TC-Token"), language: language(h.Get("X-TC-Language")), region: h.Get("X-TC-Region"),
			requestClient: h.Get("X-TC-RequestClient"), trace: x.common.trace,
		}
	}
	return x
}

// language is a language the messages exist in, or empty.
func language(s string) string {
	if s == languageChinese || s == languageEnglish {
		return s
	}
	return ""
}

// receive determines the form and reads the body: the checks of method and size.
func (x *exchange) receive() *Error {
	if fault := x.chooseForm(); fault != nil {
		return fault
	}
	if x.form == formQuery {
		if len(x.http.URL.RawQuery) > maxGet {
			return errTooLarge(maxGet)
		}
		x.pairs, x.malformed = parsePairs(x.http.URL.RawQuery)
		return nil
	}
	limit := int64(maxPostV3)
	if x.v1 {
		limit = maxPostV1
	}
	if fault := x.readBody(limit); fault != nil {
		return fault
	}
	if x.form == formBody {
		x.pairs, x.malformed = parsePairs(string(x.body))
	}
	return nil
}

func (x *exchange) chooseForm() *Error {
	switch x.http.Method {
	case http.MethodGet:
		x.form = formQuery
		return nil
	case http.MethodPost:
	default:
		return NewError(codeUnsupportedProtocol, "The method %s is not supported; use POST or GET.",
			"不支持请求方法%s，请使用POST或GET。", Shorten(x.http.Method))
	}
	contentType := x.http.Header.Get("Content-Type")
	media, _, _ := strings.Cut(contentType, ";")
	switch media = strings.ToLower(strings.TrimSpace(media)); {
	case x.v1, media == "application/x-www-form-urlencoded":
		x.form = formBody
	case media == "application/json":
		x.form = formJSON
	case media == "multipart/form-data":
		x.form = formMultipart
	default:
		return NewError(codeUnsupportedProtocol, "The content type `%s` is not supported; use application/json.",
			"不支持内容类型`%s`，请使用application/json。", Shorten(contentType))
	}
	return nil
}

func (x *exchange) readBody(limit int64) *Error {
	body := x.http.Body
	if x.http.ContentLength <= limit {
		var err error
		if x.body, err = readUpTo(body, x.http.ContentLength, limit); err != nil {
			return NewError(codeInvalidRequest, "The request body could not be read completely.", "请求体读取不完整。")
		}
	}
	if x.http.ContentLength <= limit && int64(len(x.body)) <= limit {
		return nil
	}
	x.body = nil
	if x.http.ContentLength < maxDiscard {
		// Of what remains after this, net/http frees itself by closing the connection.
		_, _ = io.CopyN(io.Discard, body, maxDiscard)
	}
	return errTooLarge(limit)
}

// readUpTo reads a body of the announced length (-1: unknown), but not more than
// one byte over the limit.
func readUpTo(r io.Reader, announced, limit int64) ([]byte, error) {
	const trusted = 64 << 10 // memory is not given for an announcement alone
	buffer := make([]byte, 0, max(512, min(announced+1, trusted)))
	r = io.LimitReader(r, limit+1)
	for {
		n, err := r.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		if errors.Is(err, io.EOF) {
			return buffer, nil
		}
		if err != nil {
			return nil, err
		}
		if len(buffer) == cap(buffer) {
			buffer = append(buffer, 0)[:len(buffer)]
		}
	}
}

func errTooLarge(limit int64) *Error {
	return NewError(codeRequestSize, "The request is larger than %d bytes.", "请求大小超过%d字节。", limit)
}

// identify finds the common parameters and checks that the action is named.
func (x *exchange) identify() *Error {
	actionName, versionName := "X-TC-Action", "X-TC-Version"
	if x.v1 {
		x.takeCommon()
		actionName, versionName = "Action", "Version"
	}
	if x.common.action == "" {
		return errMissing(actionName)
	}
	if x.common.version == "" {
		return errMissing(versionName)
	}
	return nil
}

// takeCommon reads the common parameters of a v1 request out of the pairs.
func (x *exchange) takeCommon() {
	for _, p := range x.pairs {
		if field := x.common.field(p.name); field != nil {
			*field = p.value
		}
	}
	x.common.language = language(x.common.language)
}

// field is where a reserved parameter of v1 is kept; nil if the name is not one.
func (c *common) field(name string) *string {
	switch name {
	case "Action":
		return &c.action
	case "Version":
		return &c.version
	case "Timestamp":
		return &c.timestamp
	case "Nonce":
		return &c.nonce
	case "SecretId":
		return &c.secretID
	case "Signature":
		return &c.signature
	case "SignatureMethod":
		return &c.method
	case "Region":
		return &c.region
	case "Token":
		return &c.token
	case "Language":
		return &c.language
	case "RequestClient":
		return &c.requestClient
	}
	return nil
}

// reserved tells whether a name of a v1 request is not a business parameter.
func reserved(name string) bool { return new(common).field(name) != nil }

// parameters is the tree of business parameters.
func (x *exchange) parameters() (node, *Error) {
	switch x.form {
	case formJSON:
		return parseJSON(x.body)
	case formMultipart:
		return parseMultipart(x.http.Header.Get("Content-Type"), x.body)
	}
	if x.malformed != nil {
		return nil, x.malformed
	}
	if x.v1 {
		return flattened(x.pairs, reserved)
	}
	return flattened(x.pairs, nil)
}
