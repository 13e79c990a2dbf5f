package secret

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	"dogwatch/internal/facts"
)

// span is a part of the file by position.
type span struct{ from, to int64 }

// match is a credential found, before it is masked.
type match struct {
	rule  *rule
	whole span
	value span
	text  []byte // the whole match
	line  int
}

// Scanner searches one file that comes in pieces.
type Scanner struct {
	path   string
	report func(match)
	found  []facts.Secret
	states []scan
	tail   []byte // bytes kept from before: windows reach into them
	start  int64  // position of the first byte of tail
	line   int    // line of the byte at position counted
	upTo   int64  // position up to which lines are counted
	ended  bool
	tried  int  // windows tried
	left   *int // windows that may still be tried in all files together
	gaveUp bool // too many windows
}

// scan is the progress of one set of rules through the file.
type scan struct {
	set    *ruleSet
	state  uint32
	done   int64 // position up to which the automaton ran
	queue  []hit // keywords whose window is not complete yet, from head on
	head   int
	recent map[int64]bool // where values were found lately, against overlapping windows
}

// hit is the end of a keyword.
type hit struct {
	keyword int
	end     int64
}

// Scanner begins a file. left is what Scan takes.
func (e *Engine) Scanner(path string, left *int) *Scanner {
	if left == nil {
		left = new(int)
		*left = maxWindows
	}
	s := &Scanner{path: path, line: 1, left: left}
	s.report = s.keep
	s.states = append(s.states, scan{set: e.general})
	base := path[strings.LastIndexByte(path, '/')+1:]
	for _, n := range e.byName {
		if n.names(base) {
			s.states = append(s.states, scan{set: n.set})
		}
	}
	return s
}

// Write takes the next piece of the file. It never fails.
func (s *Scanner) Write(p []byte) (int, error) {
	s.tail = append(s.tail, p...)
	s.scan(s.tail, false)
	s.forget()
	return len(p), nil
}

// Close ends the file and returns what was found, as Scan does.
func (s *Scanner) Close() (found []facts.Secret, whole bool) {
	if !s.ended {
		s.scan(s.tail, true)
		s.ended, s.tail = true, nil
	}
	return s.found, !s.gaveUp
}

// scan examines data, which begins at position start. last says that the file
// ends with it: then windows are no longer waited for.
func (s *Scanner) scan(data []byte, last bool) {
	for i := range s.states {
		st := &s.states[i]
		end := s.start + int64(len(data))
		for st.done < end && !s.gaveUp {
			state, n, ok := st.set.dfa.run(st.state, data[st.done-s.start:])
			st.state, st.done = state, st.done+int64(n)
			if !ok {
				break
			}
			for _, k := range st.set.dfa.ended(state) {
				st.queue = append(st.queue, hit{keyword: k, end: st.done})
			}
			s.settle(st, data, false)
		}
		s.settle(st, data, last)
	}
}

// settle judges the keywords whose windows are complete.
func (s *Scanner) settle(st *scan, data []byte, last bool) {
	end := s.start + int64(len(data))
	for st.head < len(st.queue) {
		h := st.queue[st.head]
		if h.end+windowAfter > end && !last {
			break
		}
		s.window(st, h, data)
		st.head++
	}
	if st.head == len(st.queue) || st.head > 4*windowAfter {
		st.queue = append(st.queue[:0], st.queue[st.head:]...)
		st.head = 0
	}
}

// forget drops bytes that no window can reach any more.
func (s *Scanner) forget() {
	keep := s.start + int64(len(s.tail)) - windowBefore - maxKeyword
	for i := range s.states {
		if q := s.states[i].queue[s.states[i].head:]; len(q) > 0 {
			keep = min(keep, q[0].end-windowBefore-maxKeyword)
		}
	}
	if n := keep - s.start; n > 4*windowAfter {
		s.count(s.tail, keep)
		s.tail = append(s.tail[:0], s.tail[n:]...)
		s.start = keep
	}
}

// count moves the line counter on to a position.
func (s *Scanner) count(data []byte, to int64) {
	if to > s.upTo {
		s.line += bytes.Count(data[s.upTo-s.start:to-s.start], []byte{'\n'})
		s.upTo = to
	}
}

// lineAt is the line of a position, which may lie a little before what is counted.
func (s *Scanner) lineAt(data []byte, at int64) int {
	if at < s.upTo {
		return s.line - bytes.Count(data[at-s.start:s.upTo-s.start], []byte{'\n'})
	}
	s.count(data, at)
	return s.line
}

// maxKeyword is longer than every keyword.
const maxKeyword = 40

// window tries the rules of one keyword around its place.
func (s *Scanner) window(st *scan, h hit, data []byte) {
	first := h.end - int64(st.set.dfa.length[h.keyword])
	for _, i := range st.set.byKeyword[h.keyword] {
		r := &st.set.rules[i]
		if s.gaveUp || (r.token && !beginsToken(r, data, int(first-s.start), int(h.end-s.start))) {
			continue
		}
		s.tried++
		if *s.left--; s.tried > maxWindows || *s.left < 0 {
			s.gaveUp = true
			return
		}
		from := max(first-int64(r.before), 0)
		to := min(h.end+int64(r.after), s.start+int64(len(data)))
		if m, ok := s.try(st, r, i, from, h.end, data[from-s.start:to-s.start]); ok {
			m.line = s.lineAt(data, m.whole.from)
			s.report(m)
		}
	}
}

// beginsToken tells whether data[from:to], a keyword found in any case, is
// written as the rule has it and begins a word.
func beginsToken(r *rule, data []byte, from, to int) bool {
	if from > 0 && wordByte(data[from-1]) {
		return false
	}
	return slices.Contains(r.keywords, string(data[from:to]))
}

func wordByte(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// try matches one rule in a window; only a match that covers the keyword counts.
func (s *Scanner) try(st *scan, r *rule, index int, from, keywordEnd int64, text []byte) (match, bool) {
	for offset := 0; offset < len(text); {
		m := r.expr.FindSubmatchIndex(text[offset:])
		if m == nil || from+int64(offset+m[0]) >= keywordEnd {
			break
		}
		if from+int64(offset+m[1]) < keywordEnd {
			offset += max(m[1], 1)
			continue
		}
		return matched(st, r, index, from+int64(offset), text[offset:], m)
	}
	return match{}, false
}

// matched judges the value of a match; m are the bounds of its groups in text,
// which begins at position from.
func matched(st *scan, r *rule, index int, from int64, text []byte, m []int) (match, bool) {
	value := span{from + int64(m[0]), from + int64(m[1])}
	for g := 2; g+1 < len(m); g += 2 {
		if m[g] >= 0 {
			value = span{from + int64(m[g]), from + int64(m[g+1])}
			break
		}
	}
	v := string(text[value.from-from : value.to-from])
	if placeholder(v, r.plain) || (r.accept != nil && !r.accept(v)) {
		return match{}, false
	}
	key := value.from*maxRules + int64(index)
	if st.recent[key] {
		return match{}, false
	}
	if st.recent == nil || len(st.recent) > 1000 {
		st.recent = map[int64]bool{}
	}
	st.recent[key] = true
	whole := span{from + int64(m[0]), from + int64(m[1])}
	return match{rule: r, whole: whole, value: value, text: text[m[0]:m[1]]}, true
}

// maxRules is more than there are rules in a set.
const maxRules = 1024

// keep records a match as a fact.
func (s *Scanner) keep(m match) {
	if len(s.found) >= perFile {
		return
	}
	from := m.value.from - m.whole.from
	shown := string(m.text[:from]) + Mask(string(m.text[from:from+m.value.to-m.value.from])) + string(m.text[m.value.to-m.whole.from:])
	s.found = append(s.found, facts.Secret{
		Rule: m.rule.id, Title: m.rule.title, Path: s.path, Line: m.line, Masked: printable(shown), Level: m.rule.level,
	})
}

// printable shortens a match to one line of plain text.
func printable(text string) string {
	const most = 160
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return ' '
		}
		return r
	}, text)
	if r := []rune(text); len(r) > most {
		text = string(r[:most]) + "..."
	}
	return strings.TrimSpace(text)
}
