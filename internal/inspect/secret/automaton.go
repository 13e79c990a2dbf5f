package secret

// automaton finds all keywords at once, ignoring case: an Aho-Corasick machine
// unrolled into a dense table over classes of bytes.
type automaton struct {
	class  [256]uint8
	width  uint32
	next   []uint32 // state*width+class: the next state times width, with hitBit when a keyword ends there
	ends   [][]int  // keywords that end in a state
	length []int    // of each keyword
}

// hitBit marks a transition into a state where a keyword ends.
const hitBit = 1 << 31

// node is a state of the trie that the table is made from.
type node struct {
	child map[uint8]int
	fail  int
	ends  []int
}

// newAutomaton builds the table for keywords in lower case.
func newAutomaton(words []string) *automaton {
	a := &automaton{}
	classes := 1
	for _, w := range words {
		a.length = append(a.length, len(w))
		for i := range len(w) {
			if c := w[i]; a.class[c] == 0 {
				a.class[c] = uint8(classes)
				classes++
			}
		}
	}
	for c := 'A'; c <= 'Z'; c++ {
		a.class[c] = a.class[c-'A'+'a']
	}
	a.width = uint32(classes)
	nodes := a.trie(words)
	a.fill(nodes)
	return a
}

// trie builds the tree of keywords.
func (a *automaton) trie(words []string) []node {
	nodes := []node{{child: map[uint8]int{}}}
	for k, w := range words {
		at := 0
		for i := range len(w) {
			c := a.class[w[i]]
			to, ok := nodes[at].child[c]
			if !ok {
				to = len(nodes)
				nodes = append(nodes, node{child: map[uint8]int{}})
				nodes[at].child[c] = to
			}
			at = to
		}
		nodes[at].ends = append(nodes[at].ends, k)
	}
	return nodes
}

// fill computes failure links breadth first and the table along with them.
func (a *automaton) fill(nodes []node) {
	a.next = make([]uint32, uint32(len(nodes))*a.width)
	a.ends = make([][]int, len(nodes))
	queue := []int{0}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		n := &nodes[at]
		if at != 0 {
			n.ends = append(n.ends, nodes[n.fail].ends...)
		}
		a.ends[at] = n.ends
		for c := range a.width {
			to, ok := n.child[uint8(c)]
			failed := uint32(0)
			if at != 0 {
				failed = a.next[uint32(n.fail)*a.width+c]
			}
			if !ok {
				a.next[uint32(at)*a.width+c] = failed
				continue
			}
			nodes[to].fail = int(failed &^ hitBit / a.width)
			a.next[uint32(at)*a.width+c] = uint32(to) * a.width
			queue = append(queue, to)
		}
	}
	for i, v := range a.next {
		if len(a.ends[v&^hitBit/a.width]) > 0 {
			a.next[i] = v | hitBit
		}
	}
}

// run moves the machine from a state over data until a keyword ends. It
// returns the state and the number of bytes consumed, and whether one ended.
func (a *automaton) run(state uint32, data []byte) (uint32, int, bool) {
	next, class := a.next, &a.class
	for i, c := range data {
		state = next[state+uint32(class[c])]
		if state&hitBit != 0 {
			return state &^ hitBit, i + 1, true
		}
	}
	return state, len(data), false
}

// ended lists the keywords that end in a state.
func (a *automaton) ended(state uint32) []int { return a.ends[state/a.width] }
