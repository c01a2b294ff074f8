package queue

import (
	"slices"
	"strings"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

// Filter chooses recipients. Every field that is set must match; the zero value
// matches everything. From and To are an address, a domain ("example.org"),
// everything below a domain (".example.org"), or a pattern with "*" and "?" for
// the whole address ("*@example.org"). Case does not matter.
type Filter struct {
	IDs       []string
	From      string // reverse-path; "<>" is the null reverse-path
	To        string // recipient
	NextHop   string // of the last attempt: whole, or a pattern
	State     []State
	OlderThan time.Duration // by arrival
	Note      string        // "key" or "key=value" of Envelope.Notes
	Limit     int           // messages at most; 0 is no limit
}

// Entry is one message of the queue as people see it.
type Entry struct {
	ID       string
	Envelope *sdk.Envelope // shared, never to be changed
	Message  sdk.Message
	Arrived  time.Time
	Leased   bool // an attempt is under way
	Damaged  bool // the body is lost
	// Rcpts are in the order of the envelope, also those that have ended: they
	// are listed as long as their message is in the queue.
	Rcpts []EntryRcpt
}

// EntryRcpt is one recipient of an entry.
type EntryRcpt struct {
	State       State
	Attempts    int
	Next        time.Time // zero unless pending
	Last        sdk.Outcome
	By          string // who held, discarded or expired it
	Route       string
	NextHop     string
	DelayWarned bool
	Expire      bool
	Matches     bool // the filter
}

// Counts are the totals of a filter.
type Counts struct {
	Messages   int
	Recipients int // that match
	Bytes      int64
	ByState    [len(stateNames)]int // recipients that match, indexed by State
}

// matcher is a filter made ready.
type matcher struct {
	ids      []ID
	some     bool // ids are meant
	from, to func(string) bool
	hop      func(string) bool
	states   []State
	before   int64 // arrival
	key, val string
	anyVal   bool
	limit    int
}

func (q *Queue) matcher(f Filter) (*matcher, error) {
	m := &matcher{from: address(f.From), to: address(f.To), hop: pattern(f.NextHop), states: f.State, limit: f.Limit, some: len(f.IDs) > 0}
	for _, s := range f.IDs {
		id, err := ParseID(s)
		if err != nil {
			return nil, err
		}
		m.ids = append(m.ids, id)
	}
	slices.Sort(m.ids)
	m.ids = slices.Compact(m.ids)
	if f.OlderThan > 0 {
		m.before = q.now() - int64(f.OlderThan)
	}
	if f.Note != "" {
		var ok bool
		m.key, m.val, ok = strings.Cut(f.Note, "=")
		m.anyVal = !ok
	}
	return m, nil
}

// address makes the test for From and To; nil matches all.
func address(s string) func(string) bool {
	switch {
	case s == "":
		return nil
	case s == "<>":
		return func(a string) bool { return a == "" }
	case strings.ContainsAny(s, "*?") || strings.Contains(s, "@"):
		return pattern(s)
	case s[0] == '.':
		s = strings.ToLower(s)
		return func(a string) bool { return strings.HasSuffix(strings.ToLower(sdk.Domain(a)), s) }
	}
	return func(a string) bool { return strings.EqualFold(sdk.Domain(a), s) }
}

// pattern makes the test of a glob; nil matches all.
func pattern(s string) func(string) bool {
	if s == "" {
		return nil
	}
	s = strings.ToLower(s)
	return func(a string) bool { return glob(s, strings.ToLower(a)) }
}

// glob knows * and ?. It goes back to the last star only, so its time is at
// most the product of both lengths.
func glob(pat, s string) bool {
	p, i, star, mark := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pat) && pat[p] == '*':
			star, mark = p, i
			p++
		case p < len(pat) && (pat[p] == '?' || pat[p] == s[i]):
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	for p < len(pat) && pat[p] == '*' {
		p++
	}
	return p == len(pat)
}

// message tests what all recipients have in common.
func (f *matcher) message(s *sight) bool {
	if f.some {
		if _, ok := slices.BinarySearch(f.ids, s.id); !ok {
			return false
		}
	}
	if f.before != 0 && s.arrived > f.before || f.from != nil && !f.from(s.env.From) {
		return false
	}
	if f.key != "" {
		v, ok := s.env.Notes[f.key]
		return ok && (f.anyVal || v == f.val)
	}
	return true
}

func (f *matcher) rcpt(s *sight, i int) bool {
	c := &s.rcpts[i]
	return (f.to == nil || f.to(s.env.Recipients[i].Addr)) &&
		(f.hop == nil || f.hop(c.hop)) &&
		(len(f.states) == 0 || slices.Contains(f.states, c.state))
}

// sight is a message as it was at one moment; nobody changes it.
type sight struct {
	id      ID
	env     *sdk.Envelope
	rcpts   []rcpt
	arrived int64
	size    int64
	seg     uint64
	leased  bool
	damaged bool
}

// see takes a sight. The recipients are frozen: a change copies them first.
func (m *message) see() sight {
	m.frozen = true
	return sight{m.id, m.env, m.rcpts, m.arrived, m.size, m.loc.seg, m.job != nil, m.damaged}
}

func (q *Queue) entry(s *sight, f *matcher) *Entry {
	e := &Entry{ID: s.env.ID, Envelope: s.env, Arrived: time.Unix(0, s.arrived), Leased: s.leased, Damaged: s.damaged}
	id := s.id
	e.Message = sdk.NewMessage(e.ID, s.size, func() (sdk.Body, error) { return q.openBody(id, nil) })
	e.Rcpts = make([]EntryRcpt, len(s.rcpts))
	for i := range s.rcpts {
		c, r := &s.rcpts[i], &e.Rcpts[i]
		*r = EntryRcpt{State: c.state, Attempts: int(c.attempts), By: c.by, Route: c.route, NextHop: c.hop, DelayWarned: c.warned, Expire: c.expire}
		if c.last != nil {
			r.Last = *c.last
		}
		if c.state == Pending {
			r.Next = time.Unix(0, c.next)
		}
		r.Matches = f == nil || f.rcpt(s, i)
	}
	return e
}
