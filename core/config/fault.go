package config

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Fault is one thing that is wrong with a file.
type Fault struct {
	File string // as it was named to Load
	Line int    // from 1
	Key  string // "listen[0].address"; empty: the file as a whole
	Text string // "what is wrong; what would be right"

	rule rule
}

// String is the fault as people see it: "file:line: key: wrong; right".
func (f Fault) String() string {
	s := f.File + ":" + strconv.Itoa(f.Line) + ": "
	if f.Key != "" {
		s += f.Key + ": "
	}
	return s + f.Text
}

// Faults are all faults of a file, in the order of its lines.
type Faults []Fault

// Error is one fault a line.
func (fs Faults) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// place is where something stands in the file: its name and its line. A thing
// that is not in the file has the line of what it belongs to.
type place struct {
	key  string
	line int
	n    *node
}

func (p place) child(key string) place {
	c := place{key: join(p.key, key), line: p.line}
	if p.n != nil && p.n.keys[key] != nil {
		c.n = p.n.keys[key]
		c.line = c.n.line
	}
	return c
}

func (p place) item(i int) place {
	c := place{key: item(p.key, i), line: p.line}
	if p.n != nil && i < len(p.n.items) {
		c.n = p.n.items[i]
		c.line = c.n.line
	}
	return c
}

// pattern is the key with its indices taken out: "listen[].address".
func (p place) pattern() string {
	var b strings.Builder
	inside := false
	for _, r := range p.key {
		if r == ']' {
			inside = false
		}
		if !inside {
			b.WriteRune(r)
		}
		if r == '[' {
			inside = true
		}
	}
	return b.String()
}

func join(table, key string) string {
	if strings.IndexFunc(key, func(r rune) bool { return r > 127 || !isBare(byte(r)) }) >= 0 || key == "" {
		key = strconv.Quote(key)
	}
	if table == "" {
		return key
	}
	return table + "." + key
}

func item(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }

// checker gathers the faults of one file.
type checker struct {
	file   string
	root   place
	faults Faults
	bad    map[string]bool // keys with a fault: what follows from them is not said too
}

func newChecker(file string, root *node) *checker {
	c := &checker{file: file, bad: map[string]bool{}}
	c.root = place{line: 1, n: root}
	return c
}

// maxFaults bounds what a file that is no configuration at all can cost.
const maxFaults = 1000

// fault notes one; args fill the rule's sentence.
func (c *checker) fault(r rule, p place, args ...any) {
	if len(c.faults) == maxFaults {
		return
	}
	c.faults = append(c.faults, Fault{File: c.file, Line: p.line, Key: p.key, Text: fmt.Sprintf(string(r), args...), rule: r})
	c.bad[p.key] = true
}

// ok tells whether nothing was wrong with a key so far.
func (c *checker) ok(p place) bool { return !c.bad[p.key] }

// result is nil or all faults in the order of their lines.
func (c *checker) result() error {
	if len(c.faults) == 0 {
		return nil
	}
	slices.SortStableFunc(c.faults, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Key, b.Key))
	})
	return c.faults
}

// show quotes a value of a key that holds no secret.
func show(s string) string {
	const most = 60
	if len(s) > most {
		s = s[:most] + "..."
	}
	return strconv.Quote(s)
}

// anyOf is the list of words that may stand somewhere.
func anyOf(words []string) string {
	if len(words) == 1 {
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// nearest is the word that somebody probably meant, or "".
func nearest(word string, words []string) string {
	fold := func(s string) string { return strings.ReplaceAll(strings.ToLower(s), "-", "_") }
	best, least := "", 1+len(word)/3
	for _, w := range words {
		if d := distance(fold(word), fold(w)); d < least || d == least && best == "" {
			best, least = w, d
		}
	}
	return best
}

// distance is that of Levenshtein, in octets.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
