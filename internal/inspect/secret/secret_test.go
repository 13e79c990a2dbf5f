package secret

import (
	"fmt"
	"strings"
	"testing"

	"dogwatch/internal/facts"

	"github.com/google/go-cmp/cmp"
)

// random letters for planted values; put together at run time so that the
// repository holds no text that looks like a credential.
const letters = "q7Rt2LmZ9xKc4VbN8sWd3FgH6jPy5UeTa1QoBwXiYzJkMnCvDrGhSfLpEuA0"

func planted(prefix string, n int) string {
	return prefix + strings.Repeat(letters, 1+n/len(letters))[:n]
}

func engine(t testing.TB) *Engine {
	t.Helper()
	e, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func rulesOf(found []facts.Secret) []string {
	var ids []string
	for _, f := range found {
		ids = append(ids, f.Rule)
	}
	return ids
}

func TestFindsEachKind(t *testing.T) {
	hex := strings.Repeat("3f9a1c7e5b2d8064", 8)
	key := planted("", 60)
	for _, c := range []struct{ rule, path, text string }{
		{"private-key", "etc/ssl/server.key", "x\n-----BEGIN RSA PRIVATE " + "KEY-----\n" + key + "\n"},
		{"private-key", "app/sa.json", `{"private_key": "-----BEGIN PRIVATE ` + `KEY-----\n` + key + `\n"}`},
		{"private-key", "home/app/.ssh/id_ed25519", "-----BEGIN OPENSSH PRIVATE " + "KEY-----\n" + key},
		{"aws-access-key-id", "app/a.txt", "id=AK" + "IAQ7RTLMZXKC4VBNAB"},
		{"aws-secret-key", "root/.aws/credentials", "aws_secret_access_key = " + planted("", 40)},
		{"tencent-secret-id", "app/a.py", `cred("` + planted("AK"+"ID", 32) + `")`},
		{"tencent-secret-key", "app/a.ini", "SecretKey=" + planted("", 32) + "\n"},
		{"aliyun-access-key-id", "app/a.ini", "ak: " + planted("LT"+"AI", 20)},
		{"github-token", "app/a.sh", "git clone https://x:" + planted("gh"+"p_", 36) + "@github.com/a/b"},
		{"github-fine-grained-token", "a", planted("github"+"_pat_", 22) + "_" + planted("", 59)},
		{"gitlab-token", "a", planted("gl"+"pat-", 20)},
		{"slack-token", "a", "xo" + "xb-2233445566-7788990011-" + planted("", 24)},
		{"stripe-key", "a", planted("sk"+"_live_", 24)},
		{"google-api-key", "a", planted("AI"+"za", 35)},
		{"npm-token", "a", planted("npm"+"_", 36)},
		{"npmrc-token", "root/.npmrc", "//npm.example.org/:_auth" + "Token=" + hex[:36]},
		{"pypi-token", "a", planted("pypi"+"-AgEIcHlwaS5vcmc", 80)},
		{"sendgrid-key", "a", planted("S"+"G.", 22) + "." + planted("", 43)},
		{"vault-token", "a", planted("hv"+"s.", 30)},
		{"digitalocean-token", "a", "do" + "p_v1_" + hex[:64]},
		{"openai-key", "a", planted("sk-"+"proj-", 60)},
		{"anthropic-key", "a", planted("sk-"+"ant-api03-", 90)},
		{"azure-storage-key", "a", "AccountName=x;Account" + "Key=" + planted("", 86) + "==;"},
		{"wechat-secret", "a.js", "appSecret: '" + hex[:32] + "'"},
		{"url-password", "a.yml", "url: postgres://shop:" + "Tr0ub4dor@db:5432/shop"},
		{"docker-auth", "root/.docker/config.json", `{"auths":{"r.io":{"auth": "` + "c2hvcDpUcjB1YjRkb3ImMw==" + `"}}}`},
		{"pgpass", "root/.pgpass", "db.internal:5432:shop:app:Tr0ub4dor\n"},
		{"netrc", "root/.netrc", "machine git.internal login ci password Tr0ub4dor\n"},
		{"git-credentials", "root/.git-credentials", "https://ci:Tr0ub4dor@git.internal\n"},
		{"shell-history", "root/.bash_history", "ls\nsshpass -p Tr0ub4dor ssh h\n"},
		{"secret-setting", "app/.env", "A=1\nDB_PASSWORD=Tr0ub4dor\n"},
		{"secret-setting", "app/terraform.tfstate", `"password": "Tr0ub4dor"`},
		{"jwt", "a", planted("ey"+"J", 20) + "." + planted("ey"+"J", 30) + "." + planted("", 43)},
	} {
		t.Run(c.rule+" "+c.path, func(t *testing.T) {
			found, whole := engine(t).Scan(c.path, []byte(c.text), nil)
			if !whole || len(found) == 0 || found[0].Rule != c.rule {
				t.Fatalf("found %v in %q", rulesOf(found), c.text)
			}
			if strings.Contains(found[0].Masked, "Tr0ub4dor") || strings.Contains(found[0].Masked, key[:20]) || !strings.Contains(found[0].Masked, "****") {
				t.Errorf("value is not masked: %q", found[0].Masked)
			}
		})
	}
}

func TestFindsNothingInPlaceholders(t *testing.T) {
	for _, text := range []string{
		"AKIAIOSFODNN7" + "EXAMPLE", "aws_secret_access_key = <your key here>", "ghp_" + strings.Repeat("x", 36),
		"-----BEGIN PUBLIC KEY-----\n" + planted("", 60), "-----BEGIN CERTIFICATE-----\n" + planted("", 60),
		"-----BEGIN RSA PRIVATE KEY-----", "postgres://user:password@localhost/db", "postgres://user:${DB_PASSWORD}@localhost/db",
		"secretkey = 0123456789abcdef0123456789abcdef", "Asia/Shanghai voltaic msg.send", `"auth": "c29tZXRoaW5n"`,
	} {
		if found, _ := engine(t).Scan("app/a.txt", []byte(text), nil); len(found) > 0 {
			t.Errorf("%q: found %v", text, found)
		}
	}
}

func TestLineNumbers(t *testing.T) {
	text := strings.Repeat("a\n", 4999) + planted("gl"+"pat-", 20) + "\n" + strings.Repeat("b\n", 100) + planted("hv"+"s.", 30)
	found, _ := engine(t).Scan("a", []byte(text), nil)
	if len(found) != 2 || found[0].Line != 5000 || found[1].Line != 5101 {
		t.Errorf("found %+v", found)
	}
}

// pieces feeds data in pieces of n bytes.
func pieces(e *Engine, path string, data []byte, n int) []facts.Secret {
	s := e.Scanner(path, nil)
	for len(data) > 0 {
		k := min(n, len(data))
		s.Write(data[:k]) //nolint:errcheck // never fails
		data = data[k:]
	}
	found, _ := s.Close()
	return found
}

func TestPiecesDoNotChangeMatches(t *testing.T) {
	e := engine(t)
	var b strings.Builder
	for i := range 300 {
		fmt.Fprintf(&b, "line %d %s\n", i, strings.Repeat("filler ", i%90))
		switch i % 3 {
		case 0:
			b.WriteString(planted("gl"+"pat-", 20) + "\n")
		case 1:
			b.WriteString("-----BEGIN RSA PRIVATE " + "KEY-----\n" + planted("", 60) + "\n")
		}
	}
	data := []byte(b.String())
	want, _ := e.Scan("a", data, nil)
	if len(want) != perFile {
		t.Fatalf("found %d", len(want))
	}
	for _, n := range []int{1, 7, 100, 1023, 1024, 1025, 4096, 65536} {
		if diff := cmp.Diff(want, pieces(e, "a", data, n)); diff != "" {
			t.Errorf("pieces of %d:\n%s", n, diff)
		}
	}
}

func TestGivesUpOnTooManyKeywords(t *testing.T) {
	data := []byte(strings.Repeat("redis://", maxWindows+10))
	if _, whole := engine(t).Scan("a", data, nil); whole {
		t.Error("a hostile file was searched to its end")
	}
}

func TestBudgetIsShared(t *testing.T) {
	e, left := engine(t), 3
	data := []byte("redis://a redis://b ")
	if _, whole := e.Scan("a", data, &left); !whole || left != 1 {
		t.Errorf("first file: whole %v, %d left", whole, left)
	}
	if _, whole := e.Scan("b", data, &left); whole {
		t.Error("the second file was searched beyond the budget")
	}
}

func TestMask(t *testing.T) {
	for value, want := range map[string]string{"": "****", "short": "****", "abcdefghijkl": "abcd****", "密码密码密码密码密码密码": "密码密码****"} {
		if got := Mask(value); got != want {
			t.Errorf("Mask(%q) = %q, want %q", value, got, want)
		}
	}
}

func TestMaskText(t *testing.T) {
	token := planted("gl"+"pat-", 20)
	got := engine(t).MaskText("RUN git clone https://ci:" + token + "@git/x && echo done")
	if strings.Contains(got, token) || !strings.HasSuffix(got, "@git/x && echo done") {
		t.Errorf("masked to %q", got)
	}
}

func FuzzPieces(f *testing.F) {
	f.Add([]byte("a "+planted("gl"+"pat-", 20)+" b"), 3, "a")
	f.Add([]byte("-----BEGIN RSA PRIVATE "+"KEY-----\n"+planted("", 60)), 10, "b")
	f.Add([]byte("DB_PASSWORD=Tr0ub4dor\nx:y:z:u:p4ssw0rd\n"), 5, ".env")
	f.Add([]byte("h:1:d:u:p4ssw0rd\n"), 2, ".pgpass")
	e, err := New()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte, n int, path string) {
		want, _ := e.Scan(path, data, nil)
		if diff := cmp.Diff(want, pieces(e, path, data, 1+(n&0xfff))); diff != "" {
			t.Error(diff)
		}
		for _, s := range want {
			if s.Line < 1 || s.Line > 1+strings.Count(string(data), "\n") {
				t.Errorf("line %d", s.Line)
			}
		}
	})
}
