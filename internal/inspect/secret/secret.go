// Package secret finds credentials in text.
//
// Words:
//
//   - keyword: a short text that every match of a rule contains, "akia". All
//     keywords are searched at once, in any case, by one automaton.
//   - rule: one kind of credential: its keywords and a narrow expression that
//     is tried only in the window around a keyword.
//   - window: the bytes around a keyword that a match may lie in. It is cut
//     from the file by position, so matches do not depend on how the file is
//     handed over in pieces.
//   - value: the secret part of a match. It is never kept in clear.
//   - placeholder: a value that stands for a credential in an example.
package secret

import (
	"fmt"
	"regexp"
	"strings"

	"dogwatch/internal/facts"
)

// Revision is the version of the rules.
const Revision = "1"

// Bounds of a window: what may come before a keyword and after its end.
const (
	windowBefore = 64
	windowAfter  = 1024
)

// Bounds of one file: findings kept, and windows tried.
const (
	perFile    = 100
	maxWindows = 100_000
)

// Engine searches text for credentials. It is safe for concurrent use.
type Engine struct {
	general *ruleSet
	byName  []namedSet // further rules for files of certain names
}

// namedSet is rules for files of certain names alone.
type namedSet struct {
	names func(base string) bool
	set   *ruleSet
}

// ruleSet is rules and the automaton over their keywords.
type ruleSet struct {
	rules     []rule
	dfa       *automaton
	byKeyword [][]int // rules of each keyword of the automaton
}

// rule is one kind of credential. Exactly one group of the expression, the
// first that matched, is the value.
type rule struct {
	id       string
	title    string
	level    int
	keywords []string
	expr     *regexp.Regexp
	before   int                     // bytes of the window before the keyword; 0: windowBefore
	after    int                     // bytes of the window after the keyword; 0: windowAfter
	token    bool                    // a match begins with the keyword, in exactly this case, where a word begins
	plain    bool                    // the value may be a word of the dictionary: judge placeholders strictly
	accept   func(value string) bool // nil: every value that is no placeholder
}

// New builds the engine with its own rules.
func New() (*Engine, error) {
	general, err := newRuleSet(generalRules())
	if err != nil {
		return nil, err
	}
	e := &Engine{general: general}
	for _, n := range namedRules() {
		set, err := newRuleSet(n.rules)
		if err != nil {
			return nil, err
		}
		e.byName = append(e.byName, namedSet{names: n.names, set: set})
	}
	return e, nil
}

func newRuleSet(rules []rule) (*ruleSet, error) {
	s := &ruleSet{rules: rules}
	index := map[string]int{}
	var words []string
	for i, r := range rules {
		if len(r.keywords) == 0 || r.expr == nil {
			return nil, fmt.Errorf("secret: rule %q has no keyword or expression", r.id)
		}
		rules[i].before, rules[i].after = orDefault(r.before, windowBefore), orDefault(r.after, windowAfter)
		for _, w := range r.keywords {
			w = strings.ToLower(w)
			k, ok := index[w]
			if !ok {
				k = len(words)
				index[w] = k
				words = append(words, w)
				s.byKeyword = append(s.byKeyword, nil)
			}
			s.byKeyword[k] = append(s.byKeyword[k], i)
		}
	}
	s.dfa = newAutomaton(words)
	return s, nil
}

func orDefault(n, most int) int {
	if n <= 0 || n > most {
		return most
	}
	return n
}

// Scan searches a whole file. left is the number of windows that may still be
// tried in this and other files; nil bounds the file alone. whole is false if
// the search was given up; what was found until then counts.
func (e *Engine) Scan(path string, data []byte, left *int) (found []facts.Secret, whole bool) {
	s := e.Scanner(path, left)
	s.scan(data, true)
	return s.found, !s.gaveUp
}

// Mask hides a value: its first four characters, then asterisks. Of short
// values nothing is shown.
func Mask(value string) string {
	const shown = 4
	runes := []rune(value)
	if len(runes) < 3*shown {
		return "****"
	}
	return string(runes[:shown]) + "****"
}

// MaskText hides the value of every credential in a text.
func (e *Engine) MaskText(text string) string { return maskSpans(text, e.Values(text)) }

// Values finds where in a text the values of credentials begin and end.
func (e *Engine) Values(text string) [][2]int {
	s := e.Scanner("", nil)
	var out [][2]int
	s.report = func(m match) { out = append(out, [2]int{int(m.value.from), int(m.value.to)}) }
	s.scan([]byte(text), true)
	return out
}
