package telemetry

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// Redacted is what stands in the log in place of a credential.
const Redacted = "[redacted]"

// NewLogger writes JSON lines at the given level and above to w. Times are UTC.
//
// Two things never reach w: the value of an attribute whose key names a
// credential (password, secret key, token, authorization, signature, cookie, in
// any spelling), and the password part of a URL inside any text or error.
func NewLogger(w io.Writer, level slog.Leveler) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: clean}))
}

// ParseLevel reads "debug", "info", "warn" or "error" in any case; empty is info.
func ParseLevel(s string) (slog.Level, error) {
	switch strings.ToLower(s) {
	case "", "info":
		return slog.LevelInfo, nil
	case "debug":
		return slog.LevelDebug, nil
	case "warn", "warning":
		return slog.LevelWarn, nil
	case "error":
		return slog.LevelError, nil
	}
	return 0, fmt.Errorf("telemetry: unknown log level %q: use debug, info, warn or error", s)
}

// clean is the ReplaceAttr of the handler: slog calls it for every attribute
// that is not itself a group.
func clean(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindTime {
		return slog.Time(a.Key, a.Value.Time().UTC())
	}
	if credential(a.Key) {
		return slog.String(a.Key, Redacted)
	}
	switch a.Value.Kind() {
	case slog.KindString:
		return slog.String(a.Key, maskURLs(a.Value.String()))
	case slog.KindAny:
		return slog.Any(a.Key, cleanValue(a.Value.Any()))
	}
	return a
}

// cleanValue handles the composite values that may carry a credential.
func cleanValue(v any) any {
	switch v := v.(type) {
	case error:
		return maskURLs(v.Error())
	case *url.URL:
		if v == nil {
			return nil
		}
		return v.Redacted()
	case url.URL:
		return v.Redacted()
	case http.Header:
		return cleanMap(v)
	case url.Values:
		return cleanMap(v)
	case map[string][]string:
		return cleanMap(v)
	case map[string]string:
		out := make(map[string]string, len(v))
		for key, text := range v {
			out[key] = cleanText(key, text)
		}
		return out
	case fmt.Stringer:
		return maskURLs(v.String())
	}
	return v
}

func cleanMap[M ~map[string][]string](m M) map[string][]string {
	out := make(map[string][]string, len(m))
	for key, texts := range m {
		for _, text := range texts {
			out[key] = append(out[key], cleanText(key, text))
		}
	}
	return out
}

func cleanText(key, text string) string {
	if credential(key) {
		return Redacted
	}
	return maskURLs(text)
}

// credential tells whether a key names a value that must not be logged. A
// secret's id is public: it is how an operator finds the key that was refused.
func credential(key string) bool {
	k := strings.Map(dropSeparators, strings.ToLower(key))
	if strings.HasSuffix(k, "secretid") {
		return false
	}
	for _, word := range []string{"password", "passwd", "secret", "token", "authorization", "signature", "cookie", "apikey", "privatekey"} {
		if strings.Contains(k, word) {
			return true
		}
	}
	return false
}

func dropSeparators(r rune) rune {
	if r == '_' || r == '-' || r == '.' || r == ' ' {
		return -1
	}
	return r
}

var userinfo = regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*://[^/\s:@?#]*):[^/\s@?#]+@`)

// maskURLs hides the password of every URL in a text.
func maskURLs(s string) string {
	if !strings.Contains(s, "://") {
		return s
	}
	return userinfo.ReplaceAllString(s, "${1}:"+Redacted+"@")
}
