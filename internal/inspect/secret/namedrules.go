package secret

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// named is rules that are tried in files of certain names alone: they would
// find too much elsewhere.
type named struct {
	names func(base string) bool
	rules []rule
}

func namedRules() []named {
	return []named{
		{oneOf(".pgpass", "pgpass.conf"), []rule{{
			id: "pgpass", title: "PostgreSQL password", level: 4, keywords: []string{":"}, before: 60, after: 200, plain: true,
			expr: regexp.MustCompile(`(?m)^[^:\s#]+:[^:\s]*:[^:\s]+:[^:\s]+:(\S+)\s*$`),
		}}},
		{oneOf(".netrc", "_netrc"), []rule{{
			id: "netrc", title: "login of a .netrc", level: 4, keywords: []string{"password"}, before: 1, after: 200, plain: true,
			expr: regexp.MustCompile(`password\s{1,16}(\S+)`),
		}}},
		{oneOf(".git-credentials"), []rule{{
			id: "git-credentials", title: "login of a Git server", level: 4, keywords: []string{"://"}, before: 6, after: 300, plain: true,
			expr: regexp.MustCompile(`https?://[^\s:@/]+:([^\s@/]+)@`),
		}}},
		{historyFile, historyRules()},
		{settingsFile, []rule{settingRule()}},
	}
}

// oneOf selects files by their exact names.
func oneOf(names ...string) func(string) bool {
	return func(base string) bool { return slices.Contains(names, base) }
}

// historyFile selects what shells remember.
func historyFile(base string) bool {
	return strings.HasPrefix(base, ".") && strings.HasSuffix(base, "_history")
}

func historyRules() []rule {
	history := func(expr string, keywords ...string) rule {
		return rule{
			id: "shell-history", title: "password in a shell history", level: 3, keywords: keywords, before: 48, after: 256, plain: true,
			expr: regexp.MustCompile(expr),
		}
	}
	return []rule{
		history(`sshpass\s+-p\s*['"]?([^\s'"]+)`, "sshpass"),
		history(`(?:mysql|mysqldump|mariadb|mysqladmin)\s[^\n]{0,120}?\s-p['"]?([^\s'"-][^\s'"]{3,})`, "mysql", "mariadb"),
		history(`curl\s[^\n]{0,160}?(?:-u|--user)[\s=]+['"]?[^\s:'"]+:([^\s'"]{4,})`, "curl"),
		history(`(?:--|\b)(?i:password|passwd|pwd|secret|token)[= ]+['"]?([^\s'"-][^\s'"]{3,})`, "password", "passwd", "pwd", "secret", "token"),
		history(`echo\s+['"]?[\w.-]+:([^\s'"|]+)['"]?\s*\|\s*chpasswd`, "chpasswd"),
	}
}

// settingsFile selects files of plain settings.
func settingsFile(base string) bool {
	if base == ".env" || strings.HasPrefix(base, ".env.") || base == "wp-config.php" {
		return !strings.HasSuffix(base, ".example") && !strings.HasSuffix(base, ".sample")
	}
	switch path.Ext(base) {
	case ".env", ".tfvars", ".tfstate", ".properties":
		return true
	}
	return false
}

// settingRule finds settings whose name says that they are secret.
func settingRule() rule {
	return rule{
		id: "secret-setting", title: "secret setting", level: 3, before: 40, after: 256, plain: true,
		keywords: []string{"password", "passwd", "secret", "token", "api_key", "apikey", "access_key", "accesskey", "private_key"},
		expr: regexp.MustCompile(`(?i)[\w."'-]{0,32}(?:password|passwd|secret|token|api_?key|access_?key|private_?key)[\w."'-]{0,24}` +
			`\s{0,4}[=:,]\s{0,4}["']?([^\s"'#;,<>(){}\[\]]{6,200})`),
		accept: func(v string) bool { return distinct(v) >= 4 && !strings.HasPrefix(v, "/") },
	}
}
