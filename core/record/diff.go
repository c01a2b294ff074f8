package record

import (
	"fmt"
	"sort"
	"strings"
	"sync"
	"time"
)

// Bounds of a [Diff].
const (
	maxPairs    = 64  // of one hook; what comes beyond them is counted only
	maxHooks    = 32  // there are a dozen
	maxExamples = 16  // of one pair: the first half of them, and the latest
	maxText     = 512 // octets of an answer or name that is kept
)

// Diff counts where a shadow plugin answers otherwise than the chain did. Its
// zero value is ready; it takes a bounded amount of memory whatever it is told,
// and may be used from many goroutines.
type Diff struct {
	mu    sync.Mutex
	calls uint64
	same  uint64
	lost  uint64
	since time.Time
	hooks map[string]*hookDiff
}

// Example is one call where the answers differed.
type Example struct {
	At        time.Time `json:"at,omitzero"`
	Session   string    `json:"session,omitempty"`
	ID        string    `json:"id,omitempty"`        // the queue ID
	Recipient string    `json:"recipient,omitempty"` // of hooks about one
	Shadow    string    `json:"shadow"`              // the whole answer; Add fills it in
	Active    string    `json:"active"`              // what was done; Add fills it in
	Reason    string    `json:"reason,omitempty"`    // the shadow's
}

type pairKey struct{ shadow, active string }

type hookDiff struct {
	calls, same uint64
	pairs       map[pairKey]*pairDiff
}

type pairDiff struct {
	count    uint64
	examples []Example
	oldest   int // of the latter half, which goes round
}

// Add counts one call. shadow is what the shadow plugin answered and active
// what the relay did, in words such as "reject 550 5.7.1 go away"; the first
// word of each is its class. Equal words are the same answer, and x is not
// looked at.
func (d *Diff) Add(hook, shadow, active string, x Example) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls++
	if d.since.IsZero() {
		d.since = x.At
	}
	h := d.hooks[hook]
	if h == nil {
		if len(d.hooks) >= maxHooks {
			d.lost++
			return
		}
		if d.hooks == nil {
			d.hooks = make(map[string]*hookDiff)
		}
		h = &hookDiff{pairs: make(map[pairKey]*pairDiff)}
		d.hooks[clip(hook)] = h
	}
	h.calls++
	if shadow == active {
		d.same++
		h.same++
		return
	}
	k := pairKey{class(shadow), class(active)}
	p := h.pairs[k]
	if p == nil {
		if len(h.pairs) >= maxPairs {
			d.lost++
			return
		}
		p = &pairDiff{}
		h.pairs[k] = p
	}
	p.count++
	x.Shadow, x.Active, x.Reason = clip(shadow), clip(active), clip(x.Reason)
	x.Session, x.ID, x.Recipient = clip(x.Session), clip(x.ID), clip(x.Recipient)
	p.keep(x)
}

// keep holds on to the first examples, which show how it began, and to the
// latest, which an operator can still look up.
func (p *pairDiff) keep(x Example) {
	if len(p.examples) < maxExamples {
		p.examples = append(p.examples, x)
		return
	}
	const half = maxExamples / 2
	p.examples[half+p.oldest] = x
	p.oldest = (p.oldest + 1) % (maxExamples - half)
}

// inOrder is the examples from the first to the latest.
func (p *pairDiff) inOrder() []Example {
	if len(p.examples) < maxExamples {
		return append([]Example(nil), p.examples...)
	}
	const half = maxExamples / 2
	out := append([]Example(nil), p.examples[:half]...)
	out = append(out, p.examples[half+p.oldest:]...)
	return append(out, p.examples[half:half+p.oldest]...)
}

func class(answer string) string {
	word, _, _ := strings.Cut(answer, " ")
	return clip(word)
}

// clip also copies, so that a short piece does not hold a long string.
func clip(s string) string {
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + "..."
	}
	return strings.Clone(s)
}

// Differences are the figures of a [Diff].
type Differences struct {
	Plugin string     `json:"plugin,omitempty"`
	Since  time.Time  `json:"since,omitzero"` // the first call
	Calls  uint64     `json:"calls"`
	Same   uint64     `json:"same"`
	Lost   uint64     `json:"lost,omitempty"` // counted in Calls, and of too many kinds to be told apart
	Hooks  []HookPart `json:"hooks,omitempty"`
}

// HookPart is one hook.
type HookPart struct {
	Hook  string     `json:"hook"`
	Calls uint64     `json:"calls"`
	Same  uint64     `json:"same"`
	Pairs []PairPart `json:"pairs,omitempty"` // the most frequent first
}

// PairPart is one kind of difference.
type PairPart struct {
	Shadow   string    `json:"shadow"` // the class of its answers
	Active   string    `json:"active"`
	Count    uint64    `json:"count"`
	Examples []Example `json:"examples,omitempty"`
}

// Snapshot is what was counted so far; hooks are in the order of their table.
func (d *Diff) Snapshot() *Differences {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := &Differences{Since: d.since, Calls: d.calls, Same: d.same, Lost: d.lost}
	for name, h := range d.hooks {
		part := HookPart{Hook: name, Calls: h.calls, Same: h.same}
		for k, p := range h.pairs {
			part.Pairs = append(part.Pairs, PairPart{k.shadow, k.active, p.count, p.inOrder()})
		}
		sort.Slice(part.Pairs, func(i, j int) bool {
			a, b := &part.Pairs[i], &part.Pairs[j]
			if a.Count != b.Count {
				return a.Count > b.Count
			}
			return a.Shadow+" "+a.Active < b.Shadow+" "+b.Active
		})
		s.Hooks = append(s.Hooks, part)
	}
	sort.Slice(s.Hooks, func(i, j int) bool {
		a, b := place(s.Hooks[i].Hook), place(s.Hooks[j].Hook)
		if a != b {
			return a < b
		}
		return s.Hooks[i].Hook < s.Hooks[j].Hook
	})
	return s
}

// Text is the figures for people, with so many examples of each difference: the
// latest ones.
func (s *Differences) Text(examples int) string {
	var b strings.Builder
	if s.Calls == 0 {
		return "no calls yet\n"
	}
	fmt.Fprintf(&b, "%s, %d answered as was done, %d otherwise", counted(s.Calls), s.Same, s.Calls-s.Same)
	if !s.Since.IsZero() {
		fmt.Fprintf(&b, ", since %s", s.Since.UTC().Format(time.RFC3339))
	}
	b.WriteString("\n")
	for _, h := range s.Hooks {
		fmt.Fprintf(&b, "\n%s: %s, %d the same\n", h.Hook, counted(h.Calls), h.Same)
		for _, p := range h.Pairs {
			fmt.Fprintf(&b, "  %8d  shadow %s, active %s\n", p.Count, p.Shadow, p.Active)
			for _, x := range p.Examples[max(0, len(p.Examples)-max(0, examples)):] {
				b.WriteString("            " + x.String() + "\n")
			}
		}
	}
	if s.Lost > 0 {
		fmt.Fprintf(&b, "\n%d more differences of other kinds were not kept apart\n", s.Lost)
	}
	return b.String()
}

// String is the example on one line.
func (x Example) String() string {
	var words []string
	if !x.At.IsZero() {
		words = append(words, x.At.UTC().Format(time.RFC3339))
	}
	for _, w := range [...]string{x.Session, x.ID, x.Recipient} {
		if w != "" {
			words = append(words, w)
		}
	}
	s := strings.Join(words, " ")
	if s != "" {
		s += ": "
	}
	s += "shadow: " + x.Shadow + "; active: " + x.Active
	if x.Reason != "" {
		s += " (" + x.Reason + ")"
	}
	return oneLine(s)
}

// oneLine keeps what strangers have sent from moving the cursor.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}
