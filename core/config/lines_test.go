package config

import (
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
)

// flat is the tree of a text as "key" to line.
func flat(p place, n *node, out map[string]int) {
	for k, c := range n.keys {
		at := p.child(k)
		out[at.key] = at.line
		flat(at, c, out)
	}
	for i, c := range n.items {
		at := p.item(i)
		out[at.key] = at.line
		flat(at, c, out)
	}
}

func TestEveryKeyHasItsLine(t *testing.T) {
	const text = `# comment [not] = "a table"
a = 1 # b = 2
b.c.d = "x # y"
"q.r" = 's'
[t]
u = """
v = 1
\""" w = 2"""
x = [1, [2,
 3], { y = 4, z.z = [
 5] }, # six = 6
 "]"]
[t.sub]
k = '''
'' l = 1 '''
m = 1979-05-27 07:32:00
[[l]]
n = 1
[l.sub]
o = 2
[[l.more]]
p = 3
[[l.more]]
p = 4
[[l]]
n = """"quoted""""
z = {}
`
	if _, err := toml.Decode(text, &map[string]any{}); err != nil {
		t.Fatalf("the test itself is wrong: %v", err)
	}
	root, sc := scan(text)
	if sc.tooBig > 0 || len(sc.twice) > 0 {
		t.Errorf("%+v", sc)
	}
	got := map[string]int{}
	flat(place{line: 1, n: root}, root, got)
	want := map[string]int{
		"a": 2, "b": 3, "b.c": 3, "b.c.d": 3, `"q.r"`: 4, "t": 5, "t.u": 6, "t.x": 9, "t.x[0]": 9, "t.x[1]": 9, "t.x[1][0]": 9, "t.x[1][1]": 10,
		"t.x[2]": 10, "t.x[2].y": 10, "t.x[2].z": 10, "t.x[2].z.z": 10, "t.x[2].z.z[0]": 11, "t.x[3]": 12,
		"t.sub": 13, "t.sub.k": 14, "t.sub.m": 16, "l": 17, "l[0]": 17, "l[0].n": 18, "l[0].sub": 19, "l[0].sub.o": 20,
		"l[0].more": 21, "l[0].more[0]": 21, "l[0].more[0].p": 22, "l[0].more[1]": 23, "l[0].more[1].p": 24,
		"l[1]": 25, "l[1].n": 26, "l[1].z": 27,
	}
	for k, line := range want {
		if got[k] != line {
			t.Errorf("%s: line %d, want %d", k, got[k], line)
		}
		delete(got, k)
	}
	if len(got) > 0 {
		t.Errorf("too many: %v", got)
	}
}

func TestAThingThatIsNotThereHasTheLineOfItsTable(t *testing.T) {
	root, _ := scan("\n[[l]]\n\n[[l]]\nk = 1\n")
	p := place{line: 1, n: root}
	for want, at := range map[int]place{1: p.child("none").child("none"), 2: p.child("l").item(0).child("k"), 4: p.child("l").item(1).child("none").item(3)} {
		if at.line != want {
			t.Errorf("%s: line %d, want %d", at.key, at.line, want)
		}
	}
}

// FuzzLoad wants an answer for every text: a configuration that is consistent,
// or faults inside of the text; and no panic.
func FuzzLoad(f *testing.F) {
	for _, ar := range []string{least, "a = 'x\n", "[[[", "a.b.c = {d = [{e = 1}]}", "\"\"\"", "[a]\n[[a]]\n", "[[listen]]\n[listen.x]\n[[listen.y]]"} {
		f.Add(ar)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := named.Parse("mta.toml", text)
		if err == nil {
			if err := c.Validate(named); err != nil {
				t.Errorf("accepted, and then refused: %v", err)
			}
			return
		}
		fs, ok := err.(Faults)
		if !ok || len(fs) == 0 || len(fs) > maxFaults {
			t.Fatalf("%v", err)
		}
		lines := strings.Count(text, "\n") + 1
		for _, fault := range fs {
			if fault.Line < 1 || fault.Line > lines || strings.ContainsAny(fault.String(), "\n\r\x00") || !strings.Contains(fault.Text, "; ") {
				t.Errorf("%+v in %d lines", fault, lines)
			}
		}
	})
}

// FuzzScan wants the reading of lines to end on every text, and to know every
// key that the TOML decoder knows.
func FuzzScan(f *testing.F) {
	f.Add("a.'b' = [ {c = 1}, ]\n[[d.e]]\n\"f\" = \"\"\"\\\n\"\"\"")
	f.Fuzz(func(t *testing.T, text string) {
		root, sc := scan(text)
		m := map[string]any{}
		meta, err := toml.Decode(text, &m)
		if err != nil || sc.tooBig > 0 || strings.Contains(text, "\\") {
			return
		}
		for _, key := range meta.Keys() {
			at := root
			for _, k := range key {
				next := at.keys[k]
				for _, it := range at.items {
					if it.keys[k] != nil {
						next = it.keys[k]
					}
				}
				if at = next; at == nil {
					break
				}
			}
			if at == nil && len(key) < 2 {
				t.Errorf("%q has no line in %q", key, text)
			}
		}
	})
}
