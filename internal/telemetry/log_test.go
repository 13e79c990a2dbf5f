package telemetry_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dogwatch/internal/telemetry"
)

// logged writes one line with the attributes and returns it, as text and decoded.
func logged(t *testing.T, args ...any) (string, map[string]any) {
	t.Helper()
	var out bytes.Buffer
	telemetry.NewLogger(&out, slog.LevelInfo).Info("call answered", args...)
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("the line is not JSON: %v\n%s", err, out.String())
	}
	return out.String(), line
}

func TestLoggerRedactsCredentials(t *testing.T) {
	const hidden = "hunter2-very-secret"
	for _, key := range []string{
		"password", "Password", "db_password", "passwd", "secret", "SecretKey", "secret_key", "token",
		"X-TC-Token", "WebhookToken", "authorization", "Authorization", "signature", "set-cookie", "api-key", "private_key",
	} {
		text, line := logged(t, key, hidden)
		if strings.Contains(text, hidden) {
			t.Errorf("%s: the value is in the log: %s", key, text)
		}
		if line[key] != telemetry.Redacted {
			t.Errorf("%s = %v, want %s", key, line[key], telemetry.Redacted)
		}
	}
}

func TestLoggerKeepsWhatIsPublic(t *testing.T) {
	_, line := logged(t, "secret_id", "AKIDEXAMPLE", "action", "Describe", "images", 3)
	delete(line, "time")
	want := map[string]any{"level": "INFO", "msg": "call answered", "secret_id": "AKIDEXAMPLE", "action": "Describe", "images": 3.0}
	if diff := cmp.Diff(want, line); diff != "" {
		t.Errorf("line (-want +got):\n%s", diff)
	}
}

func TestLoggerHidesCredentialsInsideValues(t *testing.T) {
	const hidden = "hunter2-very-secret"
	address, err := url.Parse("https://robot:" + hidden + "@registry.example.org/v2/")
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]any{
		"text":    "get https://robot:" + hidden + "@registry.example.org/v2/: refused",
		"error":   errors.New("get https://robot:" + hidden + "@registry.example.org: refused"),
		"url":     address,
		"value":   *address,
		"header":  http.Header{"Authorization": {"Basic " + hidden}, "Accept": {"*/*"}},
		"query":   url.Values{"token": {hidden}},
		"strings": map[string]string{"password": hidden},
		"group":   slog.GroupValue(slog.String("password", hidden)),
	}
	for name, value := range values {
		if text, _ := logged(t, name, value); strings.Contains(text, hidden) {
			t.Errorf("%s: the credential is in the log: %s", name, text)
		}
	}
	text, _ := logged(t, "text", values["text"])
	if !strings.Contains(text, "robot") || !strings.Contains(text, "registry.example.org/v2/: refused") {
		t.Errorf("more than the password is hidden: %s", text)
	}
}

func TestLoggerWritesUTC(t *testing.T) {
	at := time.Date(2026, 3, 1, 1, 0, 0, 0, time.FixedZone("", 8*3600))
	_, line := logged(t, "due", at)
	if line["due"] != "2026-02-28T17:00:00Z" {
		t.Errorf("due = %v, want 2026-02-28T17:00:00Z", line["due"])
	}
}

func TestLoggerKeepsLevel(t *testing.T) {
	var out bytes.Buffer
	logger := telemetry.NewLogger(&out, slog.LevelWarn)
	logger.Info("quiet")
	logger.Warn("loud")
	if got := out.String(); strings.Contains(got, "quiet") || !strings.Contains(got, "loud") {
		t.Errorf("at level warn the log is %s", got)
	}
}

func TestParseLevel(t *testing.T) {
	for text, want := range map[string]slog.Level{
		"": slog.LevelInfo, "INFO": slog.LevelInfo, "debug": slog.LevelDebug, "Warning": slog.LevelWarn, "error": slog.LevelError,
	} {
		got, err := telemetry.ParseLevel(text)
		if err != nil || got != want {
			t.Errorf("ParseLevel(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	if _, err := telemetry.ParseLevel("loud"); err == nil || !strings.Contains(err.Error(), `"loud"`) {
		t.Errorf("ParseLevel(loud) = %v, want an error that quotes it", err)
	}
}

// FuzzMaskedURL checks that a password never survives, wherever the URL stands.
func FuzzMaskedURL(f *testing.F) {
	f.Add("failed: ", " again")
	f.Add("see http://a/b and ", "")
	f.Fuzz(func(t *testing.T, before, after string) {
		const hidden = "hunter2verysecret"
		if strings.Contains(before+after, hidden) {
			t.Skip("the surrounding text has the password itself")
		}
		if text, _ := logged(t, "text", before+" https://robot:"+hidden+"@host/ "+after); strings.Contains(text, hidden) {
			t.Errorf("the password is in the log: %s", text)
		}
	})
}
