package cloudapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"strings"
)

// parseMultipart reads form B: a part for each parameter, of text or of JSON.
func parseMultipart(contentType string, body []byte) (node, *Error) {
	_, parameters, err := mime.ParseMediaType(contentType)
	if err != nil || parameters["boundary"] == "" {
		return nil, errBrokenMultipart()
	}
	reader := multipart.NewReader(bytes.NewReader(body), parameters["boundary"])
	var f flatten
	for {
		part, err := reader.NextRawPart()
		if errors.Is(err, io.EOF) && closed(body, parameters["boundary"]) {
			return &f.root, nil
		}
		if err != nil {
			return nil, errBrokenMultipart()
		}
		if fault := addPart(&f, part); fault != nil {
			return nil, fault
		}
	}
}

// closed tells whether a body has its closing line: at its end the reader
// reports the same for one that has and one that was cut off behind a boundary.
func closed(body []byte, boundary string) bool {
	end := []byte("--" + boundary + "--")
	return bytes.HasPrefix(body, end) || bytes.Contains(body, append([]byte("\n"), end...))
}

func addPart(f *flatten, part *multipart.Part) *Error {
	name := part.FormName()
	content, err := io.ReadAll(part)
	if err != nil || name == "" {
		return errBrokenMultipart()
	}
	media, _, _ := strings.Cut(part.Header.Get("Content-Type"), ";")
	if !strings.EqualFold(strings.TrimSpace(media), "application/json") {
		return f.add(name, textNode(content))
	}
	if !json.Valid(content) {
		return errMalformed("The part `%s` is not valid JSON.", "参数`%s`不是合法的JSON。", Shorten(name))
	}
	return f.add(name, jsonNode(bytes.TrimSpace(content)))
}

func errBrokenMultipart() *Error {
	return NewError(codeInvalidRequest, "The multipart body is broken.", "multipart请求体格式错误。")
}
