package config

import "strings"

// Bounds of a configuration file. They are far above what a person writes, and
// keep a file that is no configuration from taking memory or stack.
const (
	maxFile  = 1 << 20
	maxDepth = 16
	maxKey   = 128
)

// node is the place of one key of the file, with those of the keys and items
// below it. The TOML decoder keeps no places, so that they are found by a
// reading of our own.
type node struct {
	line  int
	set   int // line of its "key = value" or "[key]", which may stand only once
	keys  map[string]*node
	items []*node
}

// twice is a key that was set again.
type twice struct {
	key         string
	line, first int
}

// scanner finds the line of every key of a TOML text. It checks nothing that
// the decoder checks: of a text that is no TOML it makes some tree or other.
type scanner struct {
	s      string
	i      int
	line   int
	twice  []twice
	tooBig int // line at which a bound was passed; 0: none was
}

// scan makes the tree of a text.
func scan(s string) (root *node, sc *scanner) {
	sc = &scanner{s: s, line: 1}
	root = &node{line: 1}
	table, name := root, ""
	for sc.space(true); sc.i < len(s) && sc.tooBig == 0; sc.space(true) {
		start := sc.i
		if s[sc.i] == '[' {
			table, name = sc.header(root)
		} else {
			sc.pair(table, name, 0)
		}
		if sc.i == start {
			sc.i++ // never stand still
		}
	}
	return root, sc
}

// header reads "[a.b]" or "[[a.b]]".
func (sc *scanner) header(root *node) (*node, string) {
	sc.i++
	list := sc.peek() == '['
	if list {
		sc.i++
	}
	keys := sc.key()
	at, name := root, ""
	for n, k := range keys {
		at, name = at.child(k, sc.line), join(name, k)
		last := n == len(keys)-1
		if last && list {
			at.items = append(at.items, &node{line: sc.line})
		}
		if len(at.items) > 0 { // "[a.b]" below "[[a]]" speaks of the last a
			name = item(name, len(at.items)-1)
			at = at.items[len(at.items)-1]
		} else if last {
			sc.once(at, name, sc.line)
		}
	}
	for sc.peek() == ']' {
		sc.i++
	}
	return at, name
}

// pair reads "a.b = value" into a table.
func (sc *scanner) pair(table *node, name string, depth int) {
	line := sc.line
	for _, k := range sc.key() {
		table, name = table.child(k, line), join(name, k)
	}
	sc.space(false)
	if sc.peek() != '=' {
		sc.skipTo("\n")
		return
	}
	sc.once(table, name, line)
	sc.i++
	sc.space(false)
	sc.value(table, name, depth)
}

// once notes where a key was set, and whether it was set before.
func (sc *scanner) once(at *node, name string, line int) {
	if at.set > 0 {
		sc.twice = append(sc.twice, twice{name, line, at.set})
		return
	}
	at.set, at.line = line, line
}

func (sc *scanner) value(at *node, name string, depth int) {
	if depth > maxDepth {
		sc.tooBig = sc.line
		return
	}
	switch sc.peek() {
	case '"', '\'':
		sc.text()
	case '[':
		sc.i++
		for sc.comma(); sc.i < len(sc.s) && sc.s[sc.i] != ']' && sc.tooBig == 0; sc.comma() {
			n := &node{line: sc.line}
			at.items = append(at.items, n)
			start := sc.i
			sc.value(n, item(name, len(at.items)-1), depth+1)
			if sc.i == start {
				sc.i++
			}
		}
		sc.i = min(sc.i+1, len(sc.s))
	case '{':
		sc.i++
		for sc.comma(); sc.i < len(sc.s) && sc.s[sc.i] != '}' && sc.tooBig == 0; sc.comma() {
			start := sc.i
			sc.pair(at, name, depth+1)
			if sc.i == start {
				sc.i++
			}
		}
		sc.i = min(sc.i+1, len(sc.s))
	default:
		sc.skipTo(",]}#\n")
	}
}

// key reads the parts of a dotted key.
func (sc *scanner) key() []string {
	var keys []string
	for {
		sc.space(false)
		var k string
		if c := sc.peek(); c == '"' || c == '\'' {
			k = sc.text()
		} else {
			start := sc.i
			for sc.i < len(sc.s) && isBare(sc.s[sc.i]) {
				sc.i++
			}
			k = sc.s[start:sc.i]
		}
		keys = append(keys, k)
		if len(k) > maxKey || len(keys) > maxDepth {
			sc.tooBig = sc.line
			return keys
		}
		sc.space(false)
		if sc.peek() != '.' {
			return keys
		}
		sc.i++
	}
}

// text reads a string of any of the four kinds. Escapes are left as they are:
// a key that needs them is known to nobody, so that its line may be its
// table's.
func (sc *scanner) text() string {
	quote := sc.s[sc.i : sc.i+1]
	if triple := strings.Repeat(quote, 3); strings.HasPrefix(sc.s[sc.i:], triple) {
		quote = triple
	}
	sc.i += len(quote)
	start := sc.i
	for sc.i < len(sc.s) {
		switch {
		case strings.HasPrefix(sc.s[sc.i:], quote):
			end := sc.i
			sc.i += len(quote)
			for len(quote) == 3 && sc.peek() == quote[0] { // """a""""" ends with quotes of its own
				sc.i++
			}
			return sc.s[start:end]
		case sc.s[sc.i] == '\\' && quote[0] == '"' && sc.i+1 < len(sc.s):
			sc.i++
			if sc.s[sc.i] == '\n' {
				sc.line++
			}
		case sc.s[sc.i] == '\n':
			if len(quote) == 1 {
				return sc.s[start:sc.i]
			}
			sc.line++
		}
		sc.i++
	}
	return sc.s[start:]
}

// comma passes over what may stand between the items of a list.
func (sc *scanner) comma() {
	for sc.space(true); sc.peek() == ','; sc.space(true) {
		sc.i++
	}
}

// space passes over blanks, and over line ends and comments if asked to.
func (sc *scanner) space(lines bool) {
	for sc.i < len(sc.s) {
		switch c := sc.s[sc.i]; {
		case c == '\n' && lines:
			sc.line++
		case c == '#' && lines:
			sc.skipTo("\n")
			continue
		case c != ' ' && c != '\t' && c != '\r':
			return
		}
		sc.i++
	}
}

func (sc *scanner) skipTo(any string) {
	if n := strings.IndexAny(sc.s[sc.i:], any); n >= 0 {
		sc.i += n
		return
	}
	sc.i = len(sc.s)
}

// peek is the next octet, 0 at the end.
func (sc *scanner) peek() byte {
	if sc.i < len(sc.s) {
		return sc.s[sc.i]
	}
	return 0
}

func (n *node) child(key string, line int) *node {
	c := n.keys[key]
	if c == nil {
		c = &node{line: line}
		if n.keys == nil {
			n.keys = map[string]*node{}
		}
		n.keys[key] = c
	}
	return c
}

func isBare(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}
