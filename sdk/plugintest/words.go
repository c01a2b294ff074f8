package plugintest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

// words are the words of a story line: those with a name (key=value), and the
// others in their order.
type words struct {
	plain []string
	named map[string]string
}

// parseWords splits a line. "Quotes" follow the rules of Go; a word in <angle
// brackets> ends at the bracket that a space or the end follows.
func parseWords(line string) (*words, error) {
	w := &words{named: make(map[string]string)}
	for line = strings.TrimSpace(line); line != ""; line = strings.TrimLeft(line, " \t") {
		name := ""
		if i := strings.IndexAny(line, "= \t\"<"); i > 0 && line[i] == '=' {
			name, line = line[:i], line[i+1:]
		}
		value, rest, err := cutWord(line)
		if err != nil {
			return nil, err
		}
		line = rest
		switch _, twice := w.named[name]; {
		case name == "":
			w.plain = append(w.plain, value)
		case twice:
			return nil, fmt.Errorf("    %s= is there twice", name)
		default:
			w.named[name] = value
		}
	}
	return w, nil
}

func cutWord(s string) (word, rest string, err error) {
	switch {
	case strings.HasPrefix(s, `"`):
		q, err := strconv.QuotedPrefix(s)
		if err != nil {
			return "", "", fmt.Errorf("    quotes are not closed: %s", s)
		}
		word, err = strconv.Unquote(q)
		return word, s[len(q):], err
	case strings.HasPrefix(s, "<"):
		for i := 1; i < len(s); i++ {
			if s[i] == '>' && (i+1 == len(s) || s[i+1] == ' ' || s[i+1] == '\t') {
				return s[1:i], s[i+1:], nil
			}
		}
		return "", "", fmt.Errorf("    bracket is not closed: %s", s)
	}
	if i := strings.IndexAny(s, " \t"); i >= 0 {
		return s[:i], s[i:], nil
	}
	return s, "", nil
}

// next takes the next plain word, or "".
func (w *words) next() string {
	if len(w.plain) == 0 {
		return ""
	}
	word := w.plain[0]
	w.plain = w.plain[1:]
	return word
}

// all takes the plain words that are left.
func (w *words) all() []string {
	rest := w.plain
	w.plain = nil
	return rest
}

// text takes a named word into dst, if it is there.
func (w *words) text(name string, dst *string) {
	if v, ok := w.named[name]; ok {
		*dst = v
		delete(w.named, name)
	}
}

// list takes a named word with commas.
func (w *words) list(name string) (list []string) {
	var v string
	if w.text(name, &v); v != "" {
		list = strings.Split(v, ",")
	}
	return list
}

// number takes a named number.
func (w *words) number(name string, dst *int64) error {
	var v string
	if w.text(name, &v); v == "" {
		return nil
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		return fmt.Errorf("%s=%s is no number", name, v)
	}
	*dst = n
	return nil
}

// prefixed takes the named words with a prefix; an empty value deletes.
func (w *words) prefixed(prefix string, dst sdk.Notes) {
	for name, v := range w.named {
		key, ok := strings.CutPrefix(name, prefix)
		if !ok {
			continue
		}
		if dst[key] = v; v == "" {
			delete(dst, key)
		}
		delete(w.named, name)
	}
}

// rest complains about words that nobody took, which are misspelled.
func (w *words) rest() error {
	if len(w.plain) > 0 {
		return fmt.Errorf("    too many words: %q", w.plain)
	}
	for name := range w.named {
		return fmt.Errorf("    unknown word %s=", name)
	}
	return nil
}

// reply takes "550 5.1.1 some text" from the plain words.
func (w *words) reply() (r sdk.Reply) {
	if len(w.plain) > 0 && len(w.plain[0]) == 3 {
		if n, err := strconv.Atoi(w.plain[0]); err == nil {
			r.Code = n
			w.next()
		}
	}
	if len(w.plain) > 0 && len(w.plain[0]) >= 5 && w.plain[0][1] == '.' {
		r.Enhanced = w.next()
	}
	r.Text = strings.Join(w.all(), " ")
	return r
}

// outcome takes "deferred 451 4.2.0 busy".
func (w *words) outcome() (o sdk.Outcome, err error) {
	name := w.next()
	for s := sdk.StatusDelivered; s <= sdk.StatusFailed; s++ {
		if s.String() == name {
			o.Status = s
		}
	}
	if o.Status == sdk.StatusNone {
		return o, fmt.Errorf("outcome %q: want delivered, deferred or failed", name)
	}
	o.Reply = w.reply()
	return o, nil
}

// recipient takes orig=, notify= and orcpt=.
func (w *words) recipient(addr string) (sdk.Recipient, error) {
	r := sdk.Recipient{Addr: addr}
	w.text("orig", &r.Orig)
	w.text("orcpt", &r.ORcpt)
	for _, n := range w.list("notify") {
		bit := slices.Index([]string{"NEVER", "SUCCESS", "FAILURE", "DELAY"}, strings.ToUpper(n))
		if bit < 0 {
			return r, fmt.Errorf("notify=%s: want never, success, failure, delay", n)
		}
		r.Notify |= 1 << bit
	}
	return r, nil
}

func parseTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, fmt.Errorf("time %q: want 2026-01-02T15:04:05Z", s)
	}
	return t, nil
}
