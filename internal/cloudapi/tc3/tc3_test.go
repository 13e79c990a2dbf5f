package tc3

import (
	"encoding/hex"
	"testing"
	"time"
)

// The values are published for this key and moment.
func TestPublishedSteps(t *testing.T) {
	date := Date(time.Unix(1700000000, 0).In(time.FixedZone("east", 8*3600)))
	if date != "2023-11-14" {
		t.Errorf("date %s", date)
	}
	canonical := Request{Method: "POST", Payload: HashPayload([]byte("{}")),
		Headers: []Header{{"content-type", " application/json "}, {"host", "tcss.tencentcloudapi.com"}}}.Canonical()
	const wantCanonical = "POST\n/\n\ncontent-type:application/json\nhost:tcss.tencentcloudapi.com\n\ncontent-type;host\n" +
		"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
	if canonical != wantCanonical {
		t.Errorf("canonical request %q", canonical)
	}
	text := StringToSign("1700000000", Scope(date, "tcss"), canonical)
	const wantText = "TC3-HMAC-SHA256\n1700000000\n2023-11-14/tcss/tc3_request\n8e84243f83bdb81c83489afa75024e46eaca9b682178ff42dce1c39f5470f1be"
	if text != wantText {
		t.Errorf("string to sign %q", text)
	}
	key := SigningKey("TestOnlySecretKey0123456789abcdef", date, "tcss")
	if got := hex.EncodeToString(key); got != "e084e122d84d4b8f5aa9b105d271f22937abc15429103d8a14f17bd289c4ee07" {
		t.Errorf("signing key %s", got)
	}
	if got := hex.EncodeToString(Sign(key, text)); got != "3783eeab7ec26d1665efb72ae423fe5990294afb2a51c68168495b34a9f680ff" {
		t.Errorf("signature %s", got)
	}
}
