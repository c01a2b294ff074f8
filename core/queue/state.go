package queue

import (
	"math"

	"github.com/programmable-mta/mta/sdk"
)

// never is the due time of a message that waits for nothing but an operator.
const never = math.MaxInt64

// location is where the record of a message lies in the log.
type location struct {
	seg  uint64
	off  uint32 // of the header
	size uint32 // of the whole record, padding included
	body uint32 // of the body, from off
}

// message is one message of the queue in memory. All fields are guarded by
// Queue.mu, except those that never change after it is known: id, env, arrived,
// size, bodyCRC, big.
type message struct {
	id      ID
	env     *sdk.Envelope
	arrived int64 // when it became ours
	size    int64
	bodyCRC uint32
	big     bool
	damaged bool

	loc   location
	rcpts []rcpt
	one   [1]rcpt // what rcpts points to in the usual case
	body  *buffer // in memory as well; nil: read it from the disk
	due   int64

	heapAt   int  // place in Queue.ready, or -1
	job      *Job // leased
	inflight int  // settlements of the job that are not durable yet
	pins     int  // operators' work under way: stay in memory

	dirty    bool // differs from the index; is at dirtyAt in Queue.dirty
	dirtyAt  int
	flushing bool // is being written to the index
	frozen   bool // rcpts is being read by the checkpoint: copy before change
	indexed  bool // the index may know it
	gone     bool // all recipients ended
}

// rcpt is the state of one recipient.
type rcpt struct {
	state    State
	warned   bool
	expire   bool
	attempts uint32
	next     int64
	last     *sdk.Outcome
	by       string
	route    string
	hop      string
}

// fresh gives every recipient of a new message its first state.
func (m *message) fresh() {
	if len(m.env.Recipients) == 1 {
		m.rcpts = m.one[:]
	} else {
		m.rcpts = make([]rcpt, len(m.env.Recipients))
	}
	for i := range m.rcpts {
		m.rcpts[i].next = m.arrived
	}
	m.due = m.arrived
}

func (m *message) nextDue() int64 {
	due := int64(never)
	for i := range m.rcpts {
		if m.rcpts[i].state == Pending && m.rcpts[i].next < due {
			due = m.rcpts[i].next
		}
	}
	return due
}

func (m *message) ended() bool {
	for i := range m.rcpts {
		if !m.rcpts[i].state.Ended() {
			return false
		}
	}
	return true
}

// weight is what a message counts against ActiveLimit: a list of 50,000 costs as
// much memory as many small messages.
func (m *message) weight() int { return 1 + len(m.rcpts)/8 }

// apply makes one change. It depends on nothing but the state and the change,
// because recovery runs it again over the same records.
func (c *rcpt) apply(ch *change) {
	if c.state.Ended() {
		return // a result that came after an operator's delete
	}
	to := &ch.to
	switch ch.kind {
	case chResult:
		c.result(to)
	case chHold:
		if c.state == Pending {
			c.state, c.by = Held, to.by
		}
	case chRelease:
		if c.state == Held {
			c.state, c.next, c.by = Pending, to.next, ""
		}
	case chDiscard:
		c.state, c.by = Discarded, to.by
	case chExpire:
		c.state, c.expire, c.next, c.by = Pending, true, to.next, to.by
	case chFlush:
		if c.state == Pending {
			c.next = to.next
		}
	case chReroute:
		c.route = to.route
		if c.state == Pending {
			c.next = min(c.next, to.next)
		}
	}
}

// result applies what came out of an attempt. An operator's hold or expire that
// was given meanwhile outlives a temporary failure, but not an end.
func (c *rcpt) result(to *rcpt) {
	if to.last != nil {
		c.last, c.attempts = to.last, to.attempts
	}
	if to.hop != "" {
		c.hop = to.hop
	}
	c.warned = to.warned
	if to.state != Pending {
		c.state = to.state
		if to.by != "" {
			c.by = to.by
		}
		return
	}
	if to.by != "" && c.state == Pending && !c.expire {
		c.by = to.by
	}
	c.next = to.next
	if c.expire && !to.expire {
		c.next = 0 // the attempt began before the operator's word
	}
}

// touch notes that m differs from the index, and makes its recipients safe to
// change.
func (q *Queue) touch(m *message) {
	if m.frozen {
		m.rcpts = append([]rcpt(nil), m.rcpts...)
		m.frozen = false
	}
	if !m.dirty {
		q.markDirty(m)
	}
}

func (q *Queue) markDirty(m *message) {
	m.dirty, m.dirtyAt = true, len(q.dirty)
	q.dirty = append(q.dirty, m)
}

// clean takes m out of the list of changed messages.
func (q *Queue) clean(m *message) {
	if !m.dirty {
		return
	}
	last := len(q.dirty) - 1
	q.dirty[m.dirtyAt] = q.dirty[last]
	q.dirty[m.dirtyAt].dirtyAt = m.dirtyAt
	q.dirty[last] = nil
	q.dirty = q.dirty[:last]
	m.dirty = false
}

// admit takes a durable new message into the state.
func (q *Queue) admit(m *message) {
	q.live[m.id] = m
	q.messages++
	q.liveAdd(m.loc, +1)
	for i := range m.rcpts {
		q.byState[m.rcpts[i].state]++
	}
	q.activeAdd(m, +1)
	q.touch(m)
	q.schedule(m)
}

// change applies durable changes.
func (q *Queue) change(m *message, cs []change) {
	if m.gone {
		return
	}
	q.touch(m)
	for i := range cs {
		if int(cs[i].index) >= len(m.rcpts) {
			continue
		}
		c := &m.rcpts[cs[i].index]
		q.byState[c.state]--
		c.apply(&cs[i])
		q.byState[c.state]++
	}
	if m.ended() {
		q.forget(m)
		return
	}
	m.due = m.nextDue()
	if m.due > q.now() && m.body != nil && m.job == nil {
		q.dropBody(m) // it waits for minutes; others need the memory now
	}
	q.schedule(m)
}

// forget removes a message whose recipients have all ended.
func (q *Queue) forget(m *message) {
	m.gone = true
	q.messages--
	for i := range m.rcpts {
		q.byState[m.rcpts[i].state]--
	}
	q.liveAdd(m.loc, -1)
	q.dropBody(m)
	q.unschedule(m)
	q.activeAdd(m, -1) // the index is still to hear of it, but that holds nobody up
	if m.big {
		q.trash = append(q.trash, m.id)
	}
	if !m.indexed && !m.flushing {
		// The index never heard of it and never will: mail that is delivered
		// within a second costs no transaction there.
		q.clean(m)
		q.evict(m)
	}
}

// relocate notes that the record of m was copied to another place.
func (q *Queue) relocate(m *message, loc location) {
	if m.gone {
		return
	}
	q.touch(m)
	q.liveAdd(m.loc, -1)
	m.loc = loc
	q.liveAdd(m.loc, +1)
}

// liveAdd counts what of a segment is needed.
func (q *Queue) liveAdd(l location, sign int) {
	q.liveBytes += int64(sign) * int64(l.size)
	if s := q.log.segs[l.seg]; s != nil {
		s.live += int64(sign) * int64(l.size)
		s.count += sign
	}
}

func (q *Queue) activeAdd(m *message, sign int) {
	q.active += sign * m.weight()
	if sign < 0 && q.diskDue.due != never && q.diskDue.due <= q.now() {
		q.signalLease() // there is room to load more
	}
}

// evict drops a message from memory. From then on the index is asked.
func (q *Queue) evict(m *message) {
	if q.live[m.id] != m {
		return
	}
	q.unschedule(m)
	q.dropBody(m)
	delete(q.live, m.id)
	if m.gone {
		return
	}
	q.activeAdd(m, -1)
	if k := (dueKey{m.due, m.id}); k.before(q.diskDue) {
		q.diskDue = k
	}
}

func (q *Queue) dropBody(m *message) {
	if m.body != nil {
		q.cached -= m.body.footprint()
		m.body.release()
		m.body = nil
	}
}

// tidy evicts m if nothing needs it in memory.
func (q *Queue) tidy(m *message) {
	if m.dirty || m.flushing || m.job != nil || m.pins > 0 || m.inflight > 0 {
		return
	}
	if m.gone || m.due > q.now()+int64(keepAhead) || q.active > q.o.ActiveLimit {
		q.evict(m)
	}
}
