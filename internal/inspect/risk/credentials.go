package risk

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"dogwatch/internal/inspect/secret"
)

// names are how variables that hold a credential end.
const names = `(?:PASSWORD|PASSWD|PASSPHRASE|PASS|PWD|SECRET|TOKEN|API_?KEY|ACCESS_?KEY|SECRET_?KEY|PRIVATE_?KEY|CREDENTIALS?)(?:_?[0-9]{1,3})?`

// Patterns of instructions that hold a credential. The last group is the
// value, the first one of two the name of the variable.
var (
	assignment = regexp.MustCompile(`(?i)(?:^|[\s"'|;&(,])(?:--?)?([A-Z0-9_.-]*` + names + `)=("(?:[^"\\]|\\.)*"|'[^']*'|\S+)`)
	variable   = regexp.MustCompile(`(?:^|\s)([A-Za-z_][A-Za-z0-9_.-]*)=`)
	telling    = regexp.MustCompile(`(?i)^[A-Z0-9_.-]*` + names + `$`)
	oldEnv     = regexp.MustCompile(`(?i)^(?:ENV|ARG)\s+([A-Z0-9_.-]*` + names + `)\s+([^\s=].*)$`)
	commands   = []*regexp.Regexp{
		regexp.MustCompile(`(?i)(?:echo|printf)\s+(?:-[a-z]+\s+)?["']?[\w.-]+:([^\s"'|\\]+)(?:\\n)?["']?\s*\|\s*(?:sudo\s+)?(?:/usr/sbin/)?chpasswd`),
		regexp.MustCompile(`(?i)chpasswd\s*<<<\s*["']?[\w.-]+:([^\s"'|\\]+)`),
		regexp.MustCompile(`(?i)(?:echo|printf)\s+(?:-[a-z]+\s+)?["']?([^\s"'|\\]+)(?:\\n)?["']?\s*\|\s*(?:sudo\s+)?passwd\s`),
		regexp.MustCompile(`(?i)--(?:password|passwd|passphrase|token|secret|api-key)\s+["']?([^\s"'-][^\s"']*)`),
		regexp.MustCompile(`sshpass\s+-p\s*["']?([^\s"']+)`),
		regexp.MustCompile(`(?:curl|wget)\s[^|;&]{0,200}?(?:-u|--user)[\s=]+["']?[^\s:"']+:([^\s"']+)`),
		regexp.MustCompile(`(?:useradd|usermod)\s[^|;&]{0,200}?(?:-p|--password)[\s=]+["']?([^\s"']+)`),
		regexp.MustCompile(`(?:mysql|mysqladmin|mysqldump)\s[^|;&]{0,200}?\s-p["']?([^\s"'-][^\s"']*)`),
		regexp.MustCompile(`[a-z][a-z0-9+.-]{2,15}://[^\s:/@"']{0,64}:([^\s/@"']+)@`),
	}
	// harmless are values that are no credential whatever the name says.
	harmless = regexp.MustCompile(`(?i)^(?:true|false|yes|no|on|off|null|none|nil|[0-9]{1,2}|/.*|\$.*|%.*|<.*>|\*+)?$`)
)

// engine finds tokens by their shape. It is built once, at first use.
var engine = sync.OnceValues(secret.New)

// span is the value of a credential in an instruction.
type span struct {
	from, to int
	name     string // variable it is assigned to, if any
}

// credentials finds every credential of an instruction, in order, without overlaps.
func credentials(text string) []span {
	var found []span
	if strings.HasPrefix(text, envWord) {
		found = environment(text)
	} else {
		found = named(found, text, assignment)
	}
	found = named(found, text, oldEnv)
	for _, c := range commands {
		for _, m := range c.FindAllStringSubmatchIndex(text, -1) {
			found = judged(found, text, span{from: m[2], to: m[3]})
		}
	}
	if e, err := engine(); err == nil {
		for _, v := range e.Values(text) {
			found = append(found, span{from: v[0], to: v[1], name: variableBefore(text, v[0])})
		}
	}
	return joined(found)
}

// envWord opens an instruction that sets variables.
const envWord = "ENV "

// environment finds credentials among the variables of an ENV instruction. A
// value reaches to the next variable: builders drop the quotes around blanks.
func environment(text string) []span {
	var found []span
	set := variable.FindAllStringSubmatchIndex(text, -1)
	for i, m := range set {
		end := len(text)
		if i+1 < len(set) {
			end = set[i+1][0]
		}
		name := text[m[2]:m[3]]
		if !telling.MatchString(name) || name == "PWD" || name == "OLDPWD" {
			continue
		}
		found = judged(found, text, unquoted(text, span{from: m[1], to: end, name: name}))
	}
	return found
}

// unquoted leaves the quotes around a value out.
func unquoted(text string, s span) span {
	if s.to-s.from >= 2 && (text[s.from] == '"' || text[s.from] == '\'') && text[s.to-1] == text[s.from] {
		s.from, s.to = s.from+1, s.to-1
	}
	return s
}

// named finds values assigned to a telling name.
func named(found []span, text string, expr *regexp.Regexp) []span {
	for _, m := range expr.FindAllStringSubmatchIndex(text, -1) {
		name := text[m[2]:m[3]]
		if name == "PWD" || name == "OLDPWD" {
			continue
		}
		found = judged(found, text, unquoted(text, span{from: m[4], to: m[5], name: name}))
	}
	return found
}

// judged keeps a value that may be a credential.
func judged(found []span, text string, s span) []span {
	if harmless.MatchString(text[s.from:s.to]) {
		return found
	}
	return append(found, s)
}

// variableBefore is the name of the variable that a value at an offset is assigned to.
func variableBefore(text string, at int) string {
	name, _, ok := strings.Cut(text[strings.LastIndexAny(text[:at], " \t")+1:], "=")
	if !ok {
		return ""
	}
	return name
}

// joined sorts spans and joins those that overlap.
func joined(spans []span) []span {
	slices.SortStableFunc(spans, func(a, b span) int { return a.from - b.from })
	var out []span
	for _, s := range spans {
		if n := len(out); n > 0 && s.from < out[n-1].to {
			out[n-1].to = max(out[n-1].to, s.to)
			continue
		}
		out = append(out, s)
	}
	return out
}

// mask hides the values of an instruction.
func mask(text string, spans []span) string {
	var b strings.Builder
	at := 0
	for _, s := range spans {
		b.WriteString(text[at:s.from] + secret.Mask(text[s.from:s.to]))
		at = s.to
	}
	return b.String() + text[at:]
}
