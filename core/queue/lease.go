package queue

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

const (
	// keepAhead: what is due within it stays in memory.
	keepAhead = 2 * time.Second
	// maxNap bounds a timer, so that a step of the clock is noticed.
	maxNap = 30 * time.Second
	// loadBatch messages are loaded from the index at once; the lock is held
	// meanwhile.
	loadBatch = 256
	// Words of peers are kept in memory and log, so they are bounded.
	maxReplyText = 2048
	maxWord      = 512
)

// Lease waits until recipients are due and gives out up to max messages, those
// that are due longest first. It answers ErrStopped when the queue stops or
// closes.
func (q *Queue) Lease(ctx context.Context, max int) ([]*Job, error) {
	if max < 1 {
		max = 1
	}
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if q.stopped.Load() || q.isClosed() {
			return nil, ErrStopped
		}
		jobs, nap := q.take(max)
		if len(jobs) > 0 {
			return jobs, nil
		}
		timer := time.NewTimer(nap)
		select {
		case <-ctx.Done():
		case <-q.leaseWake:
		case <-timer.C:
		case <-q.stopCh:
		case <-q.closeCh:
		}
		timer.Stop()
	}
}

// take leases what is due, or says for how long nothing will be.
func (q *Queue) take(max int) ([]*Job, time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	q.load(now)
	var jobs []*Job
	for len(jobs) < max && len(q.ready) > 0 && q.ready[0].due <= now {
		jobs = append(jobs, q.lease(q.ready[0], now))
	}
	if len(jobs) == 0 && q.diskDue.due <= now && len(q.dirty) > 0 && (q.leased == 0 || 4*len(q.dirty) >= q.o.ActiveLimit) {
		signal(q.checkpointNow) // what is only kept for the index leaves the memory then
	}
	nap := int64(maxNap)
	if len(q.ready) > 0 {
		nap = min(nap, q.ready[0].due-now)
	}
	if q.active < q.o.ActiveLimit {
		nap = min(nap, q.diskDue.due-now)
	}
	if nap <= 0 {
		if len(jobs) > 0 {
			q.signalLease() // more for somebody else
		}
		nap = 1
	}
	return jobs, time.Duration(nap)
}

func (q *Queue) signalLease() { signal(q.leaseWake) }

func (q *Queue) lease(m *message, now int64) *Job {
	j := &Job{Envelope: m.env, Arrived: time.Unix(0, m.arrived), q: q, m: m}
	n := 0
	for i := range m.rcpts {
		if m.rcpts[i].state == Pending && m.rcpts[i].next <= now {
			n++
		}
	}
	j.Rcpts = make([]JobRcpt, 0, n)
	for i := range m.rcpts {
		c := &m.rcpts[i]
		if c.state != Pending || c.next > now {
			continue
		}
		r := JobRcpt{Index: i, Attempts: int(c.attempts), Route: c.route, NextHop: c.hop, DelayWarned: c.warned, Expire: c.expire}
		if c.last != nil {
			r.Last = *c.last
		}
		j.Rcpts = append(j.Rcpts, r)
	}
	j.left = n
	j.Message = sdk.NewMessage(m.env.ID, m.size, j.open)
	m.job = j
	q.unschedule(m)
	q.leased++
	return j
}

func (j *Job) open() (sdk.Body, error) { return j.q.openBody(j.m.id, j.m) }

// schedule puts m where its due time belongs.
func (q *Queue) schedule(m *message) {
	if m.gone || m.job != nil || m.due == never {
		q.unschedule(m)
		return
	}
	if m.heapAt < 0 {
		q.ready.push(m)
	} else {
		q.ready.fix(m.heapAt)
	}
	if m.heapAt == 0 {
		q.signalLease()
	}
}

func (q *Queue) unschedule(m *message) {
	if m.heapAt >= 0 {
		q.ready.remove(m)
	}
}

// unlease ends a lease once all its recipients are settled and all that was
// settled is durable.
func (q *Queue) unlease(j *Job, settled int) {
	m := j.m
	m.inflight += settled
	if j.left > 0 || m.inflight > 0 || m.job != j {
		return
	}
	m.job = nil
	q.leased--
	if !m.gone && m.due > q.now() {
		q.dropBody(m)
	}
	q.schedule(m)
	q.tidy(m)
}

// Return gives back what is not settled of a job: it is due again at once.
func (q *Queue) Return(j *Job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range j.Rcpts {
		j.Rcpts[i].settled = true
	}
	j.left = 0
	q.unlease(j, 0)
}

// Settle writes down what came out for recipients of a job, and the DSNs that
// this causes, all or nothing. It does not wait for the disk: the queue itself
// gives no recipient out again before its outcome is durable, and a crash
// before that repeats the attempt.
//
// It may be called several times for a job, with some of the recipients each
// time; the job ends when every recipient has a result. An error means that
// nothing was taken and the recipients are still the caller's.
func (q *Queue) Settle(j *Job, rs []Result, dsns ...*New) error {
	if q.stopped.Load() {
		return ErrStopped
	}
	t := &tx{recs: make([]record, 0, 1+len(dsns)), job: j}
	for _, n := range dsns {
		m, err := q.prepare(n.Draft, n.Envelope)
		if err != nil {
			return err
		}
		t.recs = append(t.recs, n.Draft.record(m, nil, false))
	}
	if len(rs)+len(dsns) == 0 {
		return nil
	}
	q.mu.Lock()
	cs, err := j.changes(rs, q.now())
	if err != nil {
		q.mu.Unlock()
		return err
	}
	for _, r := range rs {
		j.rcpt(r.Index).settled = true
	}
	j.left -= len(rs)
	j.m.inflight++
	q.mu.Unlock()
	for _, n := range dsns {
		n.Draft.taken()
	}
	if len(cs) > 0 {
		t.recs = append(t.recs, record{typ: recChange, id: j.m.id, changes: cs, meta: appendChanges(nil, cs)})
	}
	return q.submit(t)
}

func (j *Job) rcpt(index int) *JobRcpt {
	i := sort.Search(len(j.Rcpts), func(i int) bool { return j.Rcpts[i].Index >= index })
	if i == len(j.Rcpts) || j.Rcpts[i].Index != index {
		return nil
	}
	return &j.Rcpts[i]
}

var errSettled = errors.New("queue: settle")

// changes turns results into changes, and checks them before anything is taken.
func (j *Job) changes(rs []Result, now int64) ([]change, error) {
	if len(rs) > len(j.Rcpts) {
		return nil, fmt.Errorf("%w: more results than recipients", errSettled)
	}
	cs := make([]change, len(rs))
	for i := range rs {
		r := &rs[i]
		c := j.rcpt(r.Index)
		switch {
		case c == nil || c.settled:
			return nil, fmt.Errorf("%w: recipient %d of %s is not leased", errSettled, r.Index, j.Envelope.ID)
		case i > 0 && r.Index <= rs[i-1].Index && repeated(rs[:i], r.Index):
			return nil, fmt.Errorf("%w: recipient %d of %s has two results", errSettled, r.Index, j.Envelope.ID)
		case int(r.State) >= len(stateNames):
			return nil, fmt.Errorf("%w: recipient %d of %s has no state", errSettled, r.Index, j.Envelope.ID)
		}
		to := rcpt{state: r.State, warned: r.DelayWarned, expire: c.Expire, by: bounded(r.By, maxWord), hop: bounded(r.NextHop, maxWord)}
		if r.State == Pending {
			to.next = now
			if !r.Next.IsZero() {
				to.next = max(r.Next.UnixNano(), 0)
			}
		}
		if r.Outcome.Status != sdk.StatusNone {
			o := r.Outcome
			o.Reply.Text = bounded(o.Reply.Text, maxReplyText)
			o.Reply.Enhanced = bounded(o.Reply.Enhanced, maxWord)
			o.Remote, o.TLS = bounded(o.Remote, maxWord), bounded(o.TLS, maxWord)
			to.last, to.attempts = &o, uint32(c.Attempts)+1
		}
		cs[i] = change{index: uint32(r.Index), kind: chResult, to: to}
	}
	return cs, nil
}

// repeated is asked only when results are out of order, which they rarely are.
func repeated(rs []Result, index int) bool {
	for i := range rs {
		if rs[i].Index == index {
			return true
		}
	}
	return false
}

// bounded shortens s, and copies it then, so that the rest can be freed.
func bounded(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.Clone(s[:n])
}
