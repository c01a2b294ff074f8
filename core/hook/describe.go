package hook

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

// Chain is what people see of the plugins of one hook.
type Chain struct {
	Hook    string
	Members []Member
}

// Member is a plugin in a chain.
type Member struct {
	Plugin   string
	Runtime  string
	Mode     string        // active or shadow
	OnError  string        // defer, continue, reject, hold, disconnect; empty: there is nothing to decide
	Deadline time.Duration // 0: not bounded by the chain
	Inline   bool
	MayRelay bool     // rcpt only
	Via      []string // deliver only: the names that reach it
	Breaker  string   // closed, open, half-open
	Failures int      // in a row
	Busy     int      // calls of the plugin, at any hook, that occupy a slot
	Slots    int
	Calls    int64 // since the chains were made
	Errors   int64
	P50, P99 time.Duration // of the calls; 0: none was timed
	Last     string        // error
	Reads    string        // fields of the event; empty: all
}

type describer interface {
	describe(now func() time.Time) Member
}

func (m *member[E, A]) describe(now func() time.Time) Member {
	d := Member{Plugin: m.name, Runtime: m.runtime, Mode: "active", Inline: m.inline,
		MayRelay: m.mayRelay && m.rules.Relays, Busy: len(m.slots), Slots: cap(m.slots)}
	if m.shadow {
		d.Mode = "shadow"
	}
	if !m.rules.Reports {
		d.OnError = m.onError.String()
	}
	if !m.inline && m.copy != nil {
		d.Deadline = m.deadline
	}
	d.Breaker, d.Failures = m.breaker.state(now)
	d.Calls, d.Errors = m.figures.calls.Load(), m.figures.errors.Load()
	if last := m.figures.last.Load(); last != nil {
		d.Last = *last
	}
	d.Reads = m.reads
	d.P50, d.P99 = m.figures.quantile(0.5), m.figures.quantile(0.99)
	return d
}

// Describe lists the chains that have members, in the order of a message's life.
func (c *Chains) Describe() []Chain {
	var chains []Chain
	for _, h := range sdk.Hooks() {
		if len(c.members[h.Name]) == 0 {
			continue
		}
		ch := Chain{Hook: h.Name}
		for _, m := range c.members[h.Name] {
			d := m.describe(c.now)
			if h.Name == "deliver" {
				d.Via = c.reachedBy(d.Plugin)
			}
			ch.Members = append(ch.Members, d)
		}
		chains = append(chains, ch)
	}
	return chains
}

func (c *Chains) reachedBy(plugin string) []string {
	var names []string
	for via, m := range c.transports {
		if m.name == plugin {
			names = append(names, via)
		}
	}
	slices.Sort(names)
	return names
}

// String is the chain as `mta check` shows it: the hook, then a line for each
// plugin in the order in which they are asked.
func (ch Chain) String() string {
	var b strings.Builder
	b.WriteString(ch.Hook)
	for i, m := range ch.Members {
		fmt.Fprintf(&b, "\n  %d. %s", i+1, m)
	}
	return b.String()
}

// String is the member in one line.
func (m Member) String() string {
	words := []string{m.Plugin}
	add := func(ok bool, format string, args ...any) {
		if ok {
			words = append(words, fmt.Sprintf(format, args...))
		}
	}
	add(m.Runtime != "", "(%s)", m.Runtime)
	add(m.OnError != "", "on_error=%s", m.OnError)
	add(m.Deadline > 0, "deadline=%s", m.Deadline)
	add(m.Inline, "inline")
	add(m.MayRelay, "may-relay")
	add(len(m.Via) > 0, "via=%s", strings.Join(m.Via, ","))
	add(m.Mode != "active", "mode=%s", m.Mode)
	add(m.Breaker != "closed", "breaker=%s failures=%d", m.Breaker, m.Failures)
	add(m.Busy > 0, "busy=%d/%d", m.Busy, m.Slots)
	return strings.Join(words, " ")
}

// Has tells whether any plugin, active or shadow, has the hook.
func (c *Chains) Has(hook string) bool { return len(c.members[hook]) > 0 }

// Transports are the names under which a route reaches a plugin, sorted.
func (c *Chains) Transports() []string { return slices.Sorted(maps.Keys(c.transports)) }
