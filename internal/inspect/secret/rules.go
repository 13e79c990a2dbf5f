package secret

import (
	"encoding/base64"
	"regexp"
	"strings"
	"unicode/utf8"
)

// token makes a rule for credentials that begin with a fixed prefix.
func token(id, title string, level int, expr string, prefixes ...string) rule {
	return rule{
		id: id, title: title, level: level, keywords: prefixes, token: true, before: 1, after: 300,
		expr: regexp.MustCompile(expr),
	}
}

// assigned makes a rule for a value that follows a name: "name = value",
// "name": "value", name: value.
func assigned(id, title string, level int, name, value string, keywords ...string) rule {
	const between = `["']?\]?\s{0,4}(?::=|=>|[:=,])\s{0,4}["']?`
	return rule{
		id: id, title: title, level: level, keywords: keywords, before: 24, after: 256,
		expr: regexp.MustCompile(`(?i:` + name + `)` + between + `(` + value + `)(?:[^A-Za-z0-9/+=_-]|$)`),
	}
}

// generalRules are tried in every text.
func generalRules() []rule {
	rules := append(tokenRules(), assignedRules()...)
	return append(rules, keyRules()...)
}

// tokenRules are credentials that say by their prefix what they are.
func tokenRules() []rule {
	const end = `(?:[^A-Za-z0-9]|$)`
	return []rule{
		token("aws-access-key-id", "AWS access key id", 3, `((?:AKIA|ASIA)[A-Z2-7]{16})`+end, "AKIA", "ASIA"),
		token("tencent-secret-id", "Tencent Cloud SecretId", 3, `(AKID[A-Za-z0-9]{32})`+end, "AKID"),
		token("aliyun-access-key-id", "Alibaba Cloud AccessKey id", 3, `(LTAI[A-Za-z0-9]{12,26})`+end, "LTAI"),
		token("github-token", "GitHub token", 4, `(gh[pousr]_[A-Za-z0-9]{36,251})`+end, "ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
		token("github-fine-grained-token", "GitHub fine-grained token", 4, `(github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59})`+end, "github_pat_"),
		token("gitlab-token", "GitLab personal access token", 4, `(glpat-[A-Za-z0-9_-]{20,64})(?:[^A-Za-z0-9_-]|$)`, "glpat-"),
		token("slack-token", "Slack token", 4, `(xox[abeoprs]-[0-9A-Za-z-]{20,250})`, "xoxa-", "xoxb-", "xoxe-", "xoxo-", "xoxp-", "xoxr-", "xoxs-"),
		token("stripe-key", "Stripe live key", 4, `((?:sk|rk)_live_[0-9a-zA-Z]{16,250})`+end, "sk_live_", "rk_live_"),
		token("google-api-key", "Google API key", 3, `(AIza[0-9A-Za-z_-]{35})(?:[^0-9A-Za-z_-]|$)`, "AIza"),
		token("npm-token", "npm access token", 4, `(npm_[A-Za-z0-9]{36})`+end, "npm_"),
		token("pypi-token", "PyPI upload token", 4, `(pypi-AgE[A-Za-z0-9_-]{50,250})`, "pypi-AgE"),
		token("sendgrid-key", "SendGrid API key", 4, `(SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43})(?:[^A-Za-z0-9_-]|$)`, "SG."),
		token("vault-token", "HashiCorp Vault token", 4, `(hv[sb]\.[A-Za-z0-9_-]{24,250})`, "hvs.", "hvb."),
		token("digitalocean-token", "DigitalOcean token", 4, `(do[opr]_v1_[a-f0-9]{64})`+end, "dop_v1_", "doo_v1_", "dor_v1_"),
		token("openai-key", "OpenAI API key", 4, `(sk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{40,250})`, "sk-proj-", "sk-svcacct-", "sk-admin-"),
		token("anthropic-key", "Anthropic API key", 4, `(sk-ant-[a-z0-9]{3,12}-[A-Za-z0-9_-]{80,250})`, "sk-ant-"),
		token("docker-hub-token", "Docker Hub access token", 4, `(dckr_pat_[A-Za-z0-9_-]{27,64})`, "dckr_pat_"),
		token("slack-webhook", "Slack webhook", 2, `hooks\.slack\.com/services/(T[A-Z0-9]{8,12}/B[A-Z0-9]{8,12}/[A-Za-z0-9]{20,32})`, "hooks.slack.com/services/"),
		token("jwt", "JSON web token", 2, `(eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,})`, "eyJ"),
	}
}

// assignedRules are credentials known by the name they are assigned to.
func assignedRules() []rule {
	rules := []rule{
		assigned("aws-secret-key", "AWS secret access key", 4, `secret_?access_?key|aws_?secret(?:_?key)?`, `[A-Za-z0-9/+]{40}`,
			"secretaccesskey", "secret_access_key", "aws_secret", "awssecret"),
		assigned("tencent-secret-key", "Tencent Cloud SecretKey", 4, `secret[_-]?key`, `[A-Za-z0-9]{32}`, "secretkey", "secret_key", "secret-key"),
		assigned("aliyun-access-key-secret", "Alibaba Cloud AccessKey secret", 4, `access_?key_?secret`, `[A-Za-z0-9]{30}`,
			"accesskeysecret", "access_key_secret", "accesskey_secret"),
		assigned("huawei-secret-key", "Huawei Cloud secret key", 4, `(?:hw|huawei(?:cloud)?|obs)_(?:sdk_)?(?:sk|secret(?:_access)?_key)`, `[A-Za-z0-9]{40}`,
			"hw_secret", "huaweicloud_s", "huawei_s", "obs_s"),
		assigned("wechat-secret", "WeChat application secret", 3, `app_?secret`, `[0-9a-f]{32}`, "appsecret", "app_secret"),
		assigned("twilio-token", "Twilio auth token", 4, `twilio_?(?:account_)?auth_?token`, `[0-9a-f]{32}`, "twilio_auth", "twilioauth", "twilio_account_auth"),
		assigned("azure-storage-key", "Azure storage account key", 4, `account_?key`, `[A-Za-z0-9+/]{86}==`, "accountkey", "account_key"),
		assigned("npmrc-token", "npm registry token", 4, `_authtoken`, `[A-Za-z0-9+/=_.-]{16,250}`, "_authtoken"),
		assigned("docker-auth", "registry login", 4, `"auth`, `[A-Za-z0-9+/]{8,500}={0,2}`, `"auth"`),
	}
	for i := range rules {
		switch rules[i].id {
		case "tencent-secret-key", "aliyun-access-key-secret", "huawei-secret-key", "aws-secret-key":
			rules[i].accept = mixed
		case "docker-auth":
			rules[i].accept, rules[i].after = login, 600
		}
	}
	return rules
}

// keyRules are private keys and URLs with a password.
func keyRules() []rule {
	return []rule{
		{
			id: "private-key", title: "private key", level: 4, keywords: []string{"-----begin "}, before: 1, after: 600,
			expr: regexp.MustCompile(`-----BEGIN (?:(?:RSA|DSA|EC|OPENSSH|SSH2 ENCRYPTED|ENCRYPTED|ANY) )?PRIVATE KEY-----` +
				`(?:\\[rn]|\s|(?:Proc-Type|DEK-Info)[^\n]{1,100}\n){1,8}"?([A-Za-z0-9+/=\r\n\\]{32,})`),
		},
		{
			id: "pgp-private-key", title: "PGP private key", level: 4, keywords: []string{"-----begin pgp private"}, before: 1, after: 600,
			expr: regexp.MustCompile(`-----BEGIN PGP PRIVATE KEY BLOCK-----(?:\s{1,4}(?:Version|Comment)[^\n]{0,100}){0,3}\s{1,6}([A-Za-z0-9+/=\r\n]{32,})`),
		},
		{
			id: "putty-private-key", title: "PuTTY private key", level: 4, keywords: []string{"putty-user-key-file-"}, before: 1, after: 600,
			expr: regexp.MustCompile(`(?s)PuTTY-User-Key-File-[23]: .{10,400}?Public-Lines: \d+\r?\n([A-Za-z0-9+/=]{32,})`),
		},
		{
			id: "url-password", title: "password in a URL", level: 3, before: 1, after: 260, plain: true,
			keywords: []string{"postgres://", "postgresql://", "postgresql+", "mysql://", "mysql+", "mariadb://", "mongodb://", "mongodb+srv://",
				"redis://", "rediss://", "amqp://", "amqps://", "mssql://", "mssql+", "sqlserver://", "clickhouse://", "ldap://", "ldaps://"},
			expr: regexp.MustCompile(`(?i)[a-z]{4,10}(?:\+[a-z0-9]{1,16})?://[^\s:/@'"<>]{0,64}:([^\s/@'"<>]{4,128})@[A-Za-z0-9\[_]`),
		},
	}
}

// mixed accepts values with capitals, small letters and digits, as generated
// keys have them and hashes have not.
func mixed(v string) bool {
	return strings.ContainsAny(v, "0123456789") && strings.ToUpper(v) != v && strings.ToLower(v) != v
}

// login accepts the base64 form of "user:password".
func login(v string) bool {
	raw, err := base64.StdEncoding.DecodeString(v)
	if err != nil || !utf8.Valid(raw) {
		return false
	}
	user, password, ok := strings.Cut(string(raw), ":")
	return ok && user != "" && !placeholder(password, true)
}
