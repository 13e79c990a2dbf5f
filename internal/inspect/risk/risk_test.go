package risk

import (
	"strings"
	"testing"
	"time"

	"dogwatch/internal/facts"

	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 2, 27, 8, 40, 39, 0, time.UTC)

func TestRootUser(t *testing.T) {
	for user, root := range map[string]bool{
		"": true, "0": true, "root": true, "0:0": true, "root:app": true, "00": true,
		"1000": false, "app": false, "app:root": false, "10": false,
	} {
		risks := Config(&ImageConfig{User: user})
		if (len(risks) == 1) != root {
			t.Errorf("user %q: %+v", user, risks)
		}
		if root && (risks[0].Behavior != 1 || risks[0].Level != 3 || risks[0].Rule != RuleRoot) {
			t.Errorf("user %q: %+v", user, risks[0])
		}
	}
}

func TestCredentialsInHistoryAndEnvironment(t *testing.T) {
	c := &ImageConfig{
		User: "app",
		Env:  []string{"PATH=/usr/bin", "TOKEN=abc", "DB_PASSWORD=Tr0ub4dor&3-long", "PWD=/srv", "ALLOW_EMPTY_PASSWORD=yes", "TOKENIZERS=on"},
		History: []History{
			{Created: noon, CreatedBy: "/bin/sh -c #(nop) ADD file:1 in / "},
			{Created: noon, CreatedBy: "/bin/sh -c #(nop)  ENV TOKEN=abc"},
			{Created: noon.Add(time.Minute), CreatedBy: `RUN /bin/sh -c echo "root:Sup3rS3cretPw" | chpasswd # buildkit`},
			{CreatedBy: "USER app"},
		},
	}
	want := []facts.Risk{
		{Rule: RuleHistory, Behavior: 3, Level: 3, Desc: "credential in a build instruction", Instruction: "ENV TOKEN=****", At: noon},
		{
			Rule: RuleHistory, Behavior: 3, Level: 3, Desc: "credential in a build instruction",
			Instruction: `RUN /bin/sh -c echo "root:Sup3****" | chpasswd`, At: noon.Add(time.Minute),
		},
		{Rule: RuleEnv, Behavior: 3, Level: 3, Desc: "credential in an environment variable", Instruction: "ENV DB_PASSWORD=Tr0u****"},
	}
	if diff := cmp.Diff(want, Config(c)); diff != "" {
		t.Error(diff)
	}
}

func TestMaskInstruction(t *testing.T) {
	token := "gl" + "pat-" + "q7Rt2LmZ9xKc4VbN8sWd"
	for in, want := range map[string]string{
		"ENV ROOTPASSWD=hunter2":                                "ENV ROOTPASSWD=****",
		"ENV MYSQL_ROOT_PASSWORD hunter2 and more":              "ENV MYSQL_ROOT_PASSWORD hunt****",
		`ENV A=1 B_SECRET="two words here" C=3`:                 `ENV A=1 B_SECRET="two ****" C=3`,
		"ENV A_PASSWORD=correct horse battery B=1":              "ENV A_PASSWORD=corr**** B=1",
		"RUN |1 NPM_TOKEN=abcdefghijklmnop /bin/sh -c npm ci":   "RUN |1 NPM_TOKEN=abcd**** /bin/sh -c npm ci",
		"/bin/sh -c curl -u ci:hunter2 https://x/y":             "RUN curl -u ci:**** https://x/y",
		"RUN git clone https://ci:" + token + "@git.internal/x": "RUN git clone https://ci:glpa****@git.internal/x",
		"RUN deploy --password hunter2 --verbose":               "RUN deploy --password **** --verbose",
		"RUN useradd -m -p $6$salt$hash0123456789 bob":          "RUN useradd -m -p $6$salt$hash0123456789 bob",
		"ENV DB_PASSWORD_FILE=/run/secrets/db":                  "ENV DB_PASSWORD_FILE=/run/secrets/db",
		"ENV API_KEY=$KEY":                                      "ENV API_KEY=$KEY",
		"ENV GPG_KEY=A035C8C19219BA821ECEA86B64E628F8D684696D":  "ENV GPG_KEY=A035C8C19219BA821ECEA86B64E628F8D684696D",
		"RUN apt-get install -y passwd":                         "RUN apt-get install -y passwd",
	} {
		if got := MaskInstruction(in); got != want {
			t.Errorf("%q\n got %q\nwant %q", in, got, want)
		}
	}
}

func TestMaskHistory(t *testing.T) {
	shanghai := time.FixedZone("CST", 8*3600)
	got := MaskHistory(&ImageConfig{History: []History{
		{Created: noon.Add(-38 * time.Second), CreatedBy: "/bin/sh -c #(nop) ADD rootfs.tar / "},
		{Created: noon, CreatedBy: "ENV TOKEN=abc"},
		{CreatedBy: "CMD [\"sh\"]"},
	}}, shanghai)
	want := "2026-02-27 16:40:01\nADD rootfs.tar /\n\n2026-02-27 16:40:39\nENV TOKEN=****\n\n\nCMD [\"sh\"]\n\n"
	if got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestParseConfig(t *testing.T) {
	c, err := ParseConfig([]byte(`{"config":{"User":"app","Env":["A=b"],"Cmd":["sh"]},
		"history":[{"created":"2026-02-27T08:40:39Z","created_by":"ENV A=b","empty_layer":true}]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := &ImageConfig{User: "app", Env: []string{"A=b"}, Cmd: []string{"sh"}, History: []History{{Created: noon, CreatedBy: "ENV A=b", EmptyLayer: true}}}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Error(diff)
	}
	if _, err := ParseConfig([]byte("[")); err == nil {
		t.Error("broken JSON was read")
	}
}

func FuzzMaskInstruction(f *testing.F) {
	f.Add("ENV A_PASSWORD=hunter2hunter2")
	f.Add("/bin/sh -c echo root:pw | chpasswd")
	f.Add(`ENV X_TOKEN="`)
	f.Fuzz(func(t *testing.T, s string) {
		for _, span := range credentials(Instruction(s)) {
			value := Instruction(s)[span.from:span.to]
			if len(value) >= 12 && strings.Contains(MaskInstruction(s), value) && strings.Count(s, value) == 1 {
				t.Errorf("%q shows %q", s, value)
			}
		}
	})
}
