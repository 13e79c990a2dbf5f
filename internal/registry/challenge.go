package registry

import (
	"net/http"
	"strings"
)

// challenge is one way to log in that a 401 offers.
type challenge struct {
	scheme string // lower case: "basic", "bearer"
	params map[string]string
}

// maxChallenges bounds what is read from one answer.
const maxChallenges = 16

// parseChallenges reads all challenges of all WWW-Authenticate headers. Text
// that follows no grammar ends the reading of its header; what came before it
// is kept.
func parseChallenges(h http.Header) []challenge {
	var all []challenge
	for _, line := range h.Values("WWW-Authenticate") {
		all = append(all, parseChallengeLine(line)...)
		if len(all) >= maxChallenges {
			return all[:maxChallenges]
		}
	}
	return all
}

// parseChallengeLine reads one header. A word followed by "=" is a parameter of
// the challenge before it, any other word opens a new challenge.
func parseChallengeLine(line string) []challenge {
	var found []challenge
	p := scanner{text: line}
	for {
		p.skip(" \t,")
		word := p.token()
		if word == "" {
			return found
		}
		if !p.peekParameter() {
			found = append(found, challenge{scheme: strings.ToLower(word), params: map[string]string{}})
			continue
		}
		p.skip(" \t")
		p.next() // the "="
		p.skip(" \t")
		value, ok := p.value()
		if !ok {
			return found
		}
		if len(found) > 0 {
			setOnce(found[len(found)-1].params, strings.ToLower(word), value)
		}
	}
}

func setOnce(m map[string]string, key, value string) {
	if _, taken := m[key]; !taken {
		m[key] = value
	}
}

// scanner walks over header text.
type scanner struct {
	text string
	at   int
}

func (s *scanner) skip(set string) {
	for s.at < len(s.text) && strings.IndexByte(set, s.text[s.at]) >= 0 {
		s.at++
	}
}

func (s *scanner) next() byte {
	if s.at >= len(s.text) {
		return 0
	}
	s.at++
	return s.text[s.at-1]
}

func (s *scanner) token() string {
	start := s.at
	for s.at < len(s.text) && isTokenByte(s.text[s.at]) {
		s.at++
	}
	return s.text[start:s.at]
}

// peekParameter tells whether "=" follows, blanks aside.
func (s *scanner) peekParameter() bool {
	rest := strings.TrimLeft(s.text[s.at:], " \t")
	return strings.HasPrefix(rest, "=")
}

// value reads a token or a quoted string.
func (s *scanner) value() (string, bool) {
	if s.at < len(s.text) && s.text[s.at] == '"' {
		return s.quoted()
	}
	start := s.at
	for s.at < len(s.text) && strings.IndexByte(" \t,", s.text[s.at]) < 0 {
		s.at++
	}
	return s.text[start:s.at], s.at > start
}

func (s *scanner) quoted() (string, bool) {
	var b strings.Builder
	s.at++
	for s.at < len(s.text) {
		switch c := s.next(); c {
		case '"':
			return b.String(), true
		case '\\':
			if s.at < len(s.text) {
				b.WriteByte(s.next())
			}
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}

func isTokenByte(c byte) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		return true
	}
	return strings.IndexByte("!#$%&'*+-.^_`|~/", c) >= 0
}
