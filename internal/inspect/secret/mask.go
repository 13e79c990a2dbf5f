package secret

import (
	"slices"
	"strings"
)

// maskSpans hides parts of a text. Overlapping parts are hidden together.
func maskSpans(text string, spans [][2]int) string {
	slices.SortFunc(spans, func(a, b [2]int) int { return a[0] - b[0] })
	var out strings.Builder
	at := 0
	for i := 0; i < len(spans); i++ {
		from, to := spans[i][0], spans[i][1]
		for i+1 < len(spans) && spans[i+1][0] < to {
			i++
			to = max(to, spans[i][1])
		}
		out.WriteString(text[at:from] + Mask(text[from:to]))
		at = to
	}
	return out.String() + text[at:]
}

// signs are what placeholders contain, in lower case.
var signs = [...]string{
	"example", "changeme", "change_me", "change-me", "placeholder", "xxxx", "****", "....", "your_", "your-", "yourpass",
	"yoursecret", "<", "${", "$(", "{{", "dummy", "0000000000", "1234567890", "abcdefghij", "redacted", "not-a-real", "notreal",
}

// words are values that stand for a password in examples and defaults.
var words = [...]string{
	"password", "passwd", "pass", "pwd", "secret", "token", "user", "username", "test", "null", "none", "nil", "undefined",
	"true", "false", "string", "foo", "bar", "foobar", "mypassword", "mysecret", "pw",
}

// placeholder tells whether a value only stands for a credential. plain values
// may also be words, variables or empty.
func placeholder(value string, plain bool) bool {
	lower := strings.ToLower(value)
	for _, sign := range signs {
		if strings.Contains(lower, sign) {
			return true
		}
	}
	if plain {
		return strings.HasPrefix(value, "$") || strings.HasPrefix(value, "%") || len(value) < 4 || slices.Contains(words[:], lower)
	}
	return distinct(value) < 5
}

// distinct counts the different bytes of a value.
func distinct(value string) int {
	var seen [256]bool
	n := 0
	for i := range len(value) {
		if !seen[value[i]] {
			seen[value[i]] = true
			n++
		}
	}
	return n
}
