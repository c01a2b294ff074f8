package record

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Why calls are not compared.
const (
	skipBody     = "needs the body, which was not recorded"
	skipWithheld = "is about a password, which is never recorded"
)

// Report is what came of a replay.
type Report struct {
	Plugin      string         `json:"plugin,omitempty"`
	Recorded    time.Time      `json:"recorded,omitzero"`
	Calls       int            `json:"calls"`
	Same        int            `json:"same"`
	Different   int            `json:"different"`
	Skipped     map[string]int `json:"skipped,omitempty"` // by the reason
	Hooks       []HookReport   `json:"hooks"`
	Differences []*Difference  `json:"differences,omitempty"` // the first ones
	Warnings    []string       `json:"warnings,omitempty"`
}

// HookReport is the part of one hook.
type HookReport struct {
	Hook      string `json:"hook"`
	Calls     int    `json:"calls"`
	Same      int    `json:"same"`
	Different int    `json:"different"`
	Skipped   int    `json:"skipped,omitempty"`
}

// Difference is one call that came out otherwise.
type Difference struct {
	Line    int     `json:"line"` // of the file
	N       int64   `json:"n,omitempty"`
	Session string  `json:"session,omitempty"`
	ID      string  `json:"id,omitempty"`
	Hook    string  `json:"hook"`
	Event   string  `json:"event"` // on one line
	Fields  []Field `json:"fields"`
}

// Field is one value that differs.
type Field struct {
	Path     string `json:"path"` // answer.reply.text, or calls
	Recorded string `json:"recorded"`
	Replayed string `json:"replayed"`
}

// OK tells whether everything that could be compared was the same, and
// something could.
func (r *Report) OK() bool { return r.Different == 0 && r.Same > 0 }

func newReport(rec *Recording) *Report {
	r := &Report{Plugin: rec.Header.Plugin, Recorded: rec.Header.Started}
	if rec.Header.Version != 0 && rec.End == nil {
		r.Warnings = append(r.Warnings, "the recording has no end: it was cut off, and calls may be missing")
	}
	if rec.End != nil && rec.End.Dropped > 0 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("%d calls were dropped while it was recorded: a plugin that remembers them can answer otherwise", rec.End.Dropped))
	}
	if rec.Header.Hashed {
		r.Warnings = append(r.Warnings, "addresses are hashed: a plugin that looks at local parts can answer otherwise")
	}
	return r
}

func (r *Report) count(c *Call, v verdict, keep int) {
	i := 0
	for i < len(r.Hooks) && r.Hooks[i].Hook != c.Hook {
		i++
	}
	if i == len(r.Hooks) {
		r.Hooks = append(r.Hooks, HookReport{Hook: c.Hook})
	}
	h := &r.Hooks[i]
	r.Calls++
	h.Calls++
	switch {
	case v.skipped != "":
		if r.Skipped == nil {
			r.Skipped = map[string]int{}
		}
		r.Skipped[v.skipped]++
		h.Skipped++
	case v.diff != nil:
		r.Different++
		h.Different++
		if len(r.Differences) < keep {
			r.Differences = append(r.Differences, v.diff)
		}
	default:
		r.Same++
		h.Same++
	}
}

// Text is the report for people.
func (r *Report) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s replayed: %d the same, %d different", counted(uint64(r.Calls)), r.Same, r.Different)
	skipped := 0
	for _, n := range r.Skipped {
		skipped += n
	}
	if skipped > 0 {
		fmt.Fprintf(&b, ", %d not compared", skipped)
	}
	b.WriteString("\n")
	hooks := append([]HookReport(nil), r.Hooks...)
	sort.SliceStable(hooks, func(i, j int) bool { return place(hooks[i].Hook) < place(hooks[j].Hook) })
	for _, h := range hooks {
		fmt.Fprintf(&b, "  %-10s %6d asked  %6d the same  %6d different", h.Hook, h.Calls, h.Same, h.Different)
		if h.Skipped > 0 {
			fmt.Fprintf(&b, "  %6d not compared", h.Skipped)
		}
		b.WriteString("\n")
	}
	var reasons []string
	for why, n := range r.Skipped {
		reasons = append(reasons, fmt.Sprintf("%d not compared: the call %s\n", n, why))
	}
	sort.Strings(reasons)
	b.WriteString(strings.Join(reasons, ""))
	for _, w := range r.Warnings {
		b.WriteString("warning: " + w + "\n")
	}
	for i, d := range r.Differences {
		b.WriteString("\n")
		if i == 0 {
			b.WriteString("first difference: ")
		}
		b.WriteString(d.Text())
	}
	return b.String()
}

// counted is a number of calls in words.
func counted(n uint64) string {
	if n == 1 {
		return "1 call"
	}
	return fmt.Sprintf("%d calls", n)
}

// Text shows both sides below each other, so that long values can be compared.
func (d *Difference) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "line %d, %s", d.Line, d.Hook)
	for _, w := range [...][2]string{{"session", d.Session}, {"message", d.ID}} {
		if w[1] != "" {
			b.WriteString(", " + w[0] + " " + oneLine(w[1]))
		}
	}
	b.WriteString("\n  event     " + oneLine(d.Event) + "\n")
	for _, f := range d.Fields {
		fmt.Fprintf(&b, "  %s\n    recorded  %s\n    replayed  %s\n", f.Path, oneLine(f.Recorded), oneLine(f.Replayed))
	}
	return b.String()
}

func difference(c *Call, fields ...Field) *Difference {
	return &Difference{Line: c.Line, N: c.N, Session: c.Session, ID: c.ID, Hook: c.Hook, Event: short(c.Event), Fields: fields}
}

// maxFields is how many differing values of one answer are shown.
const maxFields = 10

// compareValues finds the values that differ between two structs of one type.
func compareValues(path string, want, got any) []Field {
	w, err := marshal(cloned(reflect.ValueOf(want)).Interface())
	if err != nil {
		return []Field{{path, err.Error(), ""}}
	}
	g, err := marshal(cloned(reflect.ValueOf(got)).Interface())
	if err != nil {
		return []Field{{path, "", err.Error()}}
	}
	if bytes.Equal(w, g) {
		return nil
	}
	var out []Field
	compareTrees(path, tree(w), tree(g), &out)
	if len(out) == 0 { // they differ in a way that the trees do not show
		out = append(out, Field{path, clipLine(string(w)), clipLine(string(g))})
	}
	return out
}

func tree(b []byte) any {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		return string(b)
	}
	return v
}

func compareTrees(path string, want, got any, out *[]Field) {
	if len(*out) >= maxFields || reflect.DeepEqual(want, got) {
		return
	}
	switch w := want.(type) {
	case map[string]any:
		if g, ok := got.(map[string]any); ok {
			for _, k := range keysOf(w, g) {
				compareTrees(path+"."+k, w[k], g[k], out)
			}
			return
		}
	case []any:
		if g, ok := got.([]any); ok {
			for i := range max(len(w), len(g)) {
				compareTrees(path+"["+strconv.Itoa(i)+"]", at(w, i), at(g, i), out)
			}
			return
		}
	}
	w, g := leaf(want), leaf(got)
	// Of long values, what is shown begins shortly before they part.
	n := 0
	for n < min(len(w), len(g)) && w[n] == g[n] {
		n++
	}
	if n > 512 {
		n -= 64
		w, g = "..."+strings.ToValidUTF8(w[n:], ""), "..."+strings.ToValidUTF8(g[n:], "")
	}
	*out = append(*out, Field{path, clipLine(w), clipLine(g)})
}

func at(list []any, i int) any {
	if i < len(list) {
		return list[i]
	}
	return nil
}

func keysOf(a, b map[string]any) []string {
	var keys []string
	for k := range a {
		keys = append(keys, k)
	}
	for k := range b {
		if _, both := a[k]; !both {
			keys = append(keys, k)
		}
	}
	sort.Strings(keys)
	return keys
}

// leaf is a value as people read it; what is left out in JSON is its zero value.
func leaf(v any) string {
	if v == nil {
		return "-"
	}
	if s, ok := v.(string); ok {
		return s
	}
	b, err := encode(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func clipLine(s string) string {
	const limit = 2048
	if len(s) > limit {
		return strings.ToValidUTF8(s[:limit], "") + fmt.Sprintf("... (%d octets)", len(s))
	}
	return s
}
