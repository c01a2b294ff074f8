package queue

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"
)

// walkBatch messages are looked at while the lock is held once; commits go on
// in between.
const walkBatch = 128

// Get is one message.
func (q *Queue) Get(id string) (*Entry, error) {
	n, err := ParseID(id)
	if err != nil {
		return nil, ErrNotFound
	}
	if q.isClosed() {
		return nil, ErrStopped
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	m := q.find(n)
	if m == nil {
		return nil, ErrNotFound
	}
	s := m.see()
	q.tidy(m)
	return q.entry(&s, nil), nil
}

// List passes all messages that have a matching recipient, in the order of
// their IDs, until yield answers false. It holds no lock while yield runs and
// needs no memory for more than a batch; mail that comes meanwhile may be
// missing.
func (q *Queue) List(f Filter, yield func(*Entry) bool) error {
	return q.match(f, func(f *matcher, s *sight) bool { return yield(q.entry(s, f)) })
}

// Count counts what a filter matches.
func (q *Queue) Count(f Filter) (Counts, error) {
	var c Counts
	err := q.match(f, func(f *matcher, s *sight) bool {
		c.Messages++
		c.Bytes += s.size
		for i := range s.rcpts {
			if f.rcpt(s, i) {
				c.Recipients++
				c.ByState[s.rcpts[i].state]++
			}
		}
		return true
	})
	return c, err
}

// match passes the messages that have a matching recipient.
func (q *Queue) match(filter Filter, yield func(*matcher, *sight) bool) error {
	f, err := q.matcher(filter)
	if err != nil {
		return err
	}
	n := 0
	pass := func(s *sight) bool {
		if !f.message(s) {
			return true
		}
		for i := range s.rcpts {
			if f.rcpt(s, i) {
				n++
				return yield(f, s) && n != f.limit
			}
		}
		return true
	}
	if !f.some {
		return q.walk(pass)
	}
	for _, id := range f.ids {
		if q.isClosed() {
			return ErrStopped
		}
		q.mu.Lock()
		m := q.find(id)
		if m == nil {
			q.mu.Unlock()
			continue
		}
		s := m.see()
		q.tidy(m)
		q.mu.Unlock()
		if !pass(&s) {
			break
		}
	}
	return nil
}

// seen is a message of a batch: taken from memory, or still as the index has it.
type seen struct {
	sight
	key, raw []byte
}

// walk passes every message in the order of the IDs.
func (q *Queue) walk(pass func(*sight) bool) error {
	q.mu.Lock()
	ids := make([]ID, 0, len(q.live))
	for id := range q.live {
		ids = append(ids, id)
	}
	q.mu.Unlock()
	slices.Sort(ids)
	batch := make([]seen, 0, walkBatch)
	for from := ID(0); ; {
		if q.isClosed() {
			return ErrStopped
		}
		for len(ids) > 0 && ids[0] < from {
			ids = ids[1:]
		}
		var err error
		batch, from, err = q.batch(batch[:0], from, ids)
		if err != nil {
			return err
		}
		for i := range batch {
			s := &batch[i]
			if s.raw != nil {
				m, err := decodeValue(s.key, s.raw)
				if err != nil {
					q.mu.Lock()
					q.indexBroken(err)
					q.mu.Unlock()
					return err
				}
				s.sight = m.see()
			}
			if !pass(&s.sight) {
				return nil
			}
		}
		if from == math.MaxUint64 {
			return nil
		}
	}
}

// batch takes the next messages from an ID on, out of the index and out of
// memory, which is newer. Both are looked at under one lock: what is in
// neither is in no place.
func (q *Queue) batch(batch []seen, from ID, ids []ID) ([]seen, ID, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	next := ID(math.MaxUint64)
	err := q.index.view(func(msg, _ *bolt.Bucket) error {
		cur := msg.Cursor()
		k, v := cur.Seek(idKey(from))
		for {
			id := ID(math.MaxUint64)
			if k != nil {
				if len(k) != 8 {
					return errIndex
				}
				id = ID(binary.BigEndian.Uint64(k))
			}
			inIndex := k != nil
			if len(ids) > 0 && ids[0] <= id {
				inIndex = inIndex && id == ids[0]
				id = ids[0]
				ids = ids[1:]
			} else if k == nil {
				return nil
			}
			if len(batch) == walkBatch {
				next = id
				return nil
			}
			if m := q.live[id]; m != nil {
				if !m.gone {
					batch = append(batch, seen{sight: m.see()})
				}
			} else if inIndex {
				batch = append(batch, seen{key: slices.Clone(k), raw: slices.Clone(v)})
			} else if v := msg.Get(idKey(id)); v != nil {
				batch = append(batch, seen{key: idKey(id), raw: slices.Clone(v)})
			}
			if inIndex {
				k, v = cur.Next()
			}
		}
	})
	if err != nil {
		q.indexBroken(err)
	}
	return batch, next, err
}

// oldest is the arrival of the message with the lowest ID. The caller holds mu.
func (q *Queue) oldest() time.Time {
	first := int64(never)
	if q.isClosed() || q.messages == 0 {
		return time.Time{}
	}
	for _, m := range q.dirty {
		if !m.gone {
			first = min(first, m.arrived)
		}
	}
	err := q.index.view(func(msg, _ *bolt.Bucket) error {
		cur := msg.Cursor()
		for k, v := cur.First(); k != nil; k, v = cur.Next() {
			id, _, _, ok := valuePlace(k, v)
			if !ok {
				return errIndex
			}
			if m := q.live[id]; m == nil || !m.gone {
				r := reader{b: v[valueHead+2:]}
				first = min(first, r.int())
				return nil
			}
		}
		return nil
	})
	if err != nil || first == never {
		return time.Time{}
	}
	return time.Unix(0, first)
}

// Hold keeps pending recipients until they are released. It answers, as all of
// these do, how many messages it touched, and what it did is durable when it
// returns. An attempt that is under way goes on, and its end counts.
func (q *Queue) Hold(f Filter, by string) (int, error) {
	return q.act(f, func(c *rcpt, _ int64) (change, bool) {
		return change{kind: chHold, to: rcpt{by: by}}, c.state == Pending
	})
}

// Release makes held recipients pending and due.
func (q *Queue) Release(f Filter, by string) (int, error) {
	return q.act(f, func(c *rcpt, now int64) (change, bool) {
		return change{kind: chRelease, to: rcpt{next: now, by: by}}, c.state == Held
	})
}

// Delete discards recipients, without a DSN; by is recorded.
func (q *Queue) Delete(f Filter, by string) (int, error) {
	return q.act(f, func(c *rcpt, _ int64) (change, bool) {
		return change{kind: chDiscard, to: rcpt{by: by}}, true
	})
}

// Expire gives pending and held recipients up: they are due at once with
// JobRcpt.Expire, so that delivery settles them with the DSN that belongs to it.
func (q *Queue) Expire(f Filter, by string) (int, error) {
	return q.act(f, func(c *rcpt, now int64) (change, bool) {
		return change{kind: chExpire, to: rcpt{next: now, by: by}}, !c.expire || c.state == Held
	})
}

// Flush makes pending recipients due now.
func (q *Queue) Flush(f Filter, by string) (int, error) {
	return q.act(f, func(c *rcpt, now int64) (change, bool) {
		return change{kind: chFlush, to: rcpt{next: now, by: by}}, c.state == Pending && c.next > now
	})
}

// Reroute sets JobRcpt.Route, and makes pending recipients due; "" takes the
// route away.
func (q *Queue) Reroute(f Filter, route string) (int, error) {
	return q.act(f, func(c *rcpt, now int64) (change, bool) {
		return change{kind: chReroute, to: rcpt{next: now, route: route}}, c.route != route
	})
}

// actBatch messages are changed in one transaction.
const actBatch = 256

// act makes a change to all recipients that match, in transactions of bounded
// size.
func (q *Queue) act(filter Filter, decide func(c *rcpt, now int64) (change, bool)) (n int, err error) {
	if q.stopped.Load() {
		return 0, ErrStopped
	}
	if err := q.barrier(); err != nil {
		return 0, err
	}
	limit := filter.Limit
	filter.Limit = 0 // messages that need no change do not count
	var ids []ID
	flush := func(f *matcher) {
		var did int
		did, err = q.actOn(f, ids, limit-n, decide)
		n += did
		ids = ids[:0]
	}
	var last *matcher
	now := q.now()
	werr := q.match(filter, func(f *matcher, s *sight) bool {
		last = f
		if !slices.ContainsFunc(s.rcpts, func(c rcpt) bool { _, ok := decide(&c, now); return ok && !c.state.Ended() }) {
			return true
		}
		ids = append(ids, s.id)
		if len(ids) == actBatch {
			flush(f)
		}
		return err == nil && (limit == 0 || n < limit)
	})
	if err == nil && len(ids) > 0 && (limit == 0 || n < limit) {
		flush(last)
	}
	return n, errors.Join(err, werr)
}

// barrier waits until everything that was settled before is durable and in the
// state, so that a command sees it.
func (q *Queue) barrier() error {
	t := reservation(q.idsUntil.Load())
	t.urgent, t.done = true, make(chan error, 1)
	if err := q.submit(t); err != nil {
		return err
	}
	return <-t.done
}

// actOn changes one batch and waits until that is durable.
func (q *Queue) actOn(f *matcher, ids []ID, most int, decide func(c *rcpt, now int64) (change, bool)) (int, error) {
	t := &tx{urgent: true, done: make(chan error, 1)}
	var pinned []*message
	q.mu.Lock()
	now := q.now()
	for _, id := range ids {
		m := q.find(id)
		if m == nil {
			continue
		}
		m.pins++ // it must be in memory when the change becomes durable
		pinned = append(pinned, m)
		s := m.see()
		var cs []change
		for i := range m.rcpts {
			if m.rcpts[i].state.Ended() || !f.rcpt(&s, i) {
				continue
			}
			if ch, ok := decide(&m.rcpts[i], now); ok {
				ch.index = uint32(i)
				ch.to.by = bounded(ch.to.by, maxWord)
				ch.to.route = bounded(ch.to.route, maxWord)
				cs = append(cs, ch)
			}
		}
		if len(cs) > 0 {
			t.recs = append(t.recs, record{typ: recChange, id: id, changes: cs, meta: appendChanges(nil, cs)})
		}
		if most > 0 && len(t.recs) == most {
			break
		}
	}
	q.mu.Unlock()
	n, err := len(t.recs), error(nil)
	if n > 0 {
		if err = q.submit(t); err == nil {
			err = <-t.done
		}
	}
	q.mu.Lock()
	for _, m := range pinned {
		m.pins--
		q.tidy(m)
	}
	full := len(q.dirty) > 2*q.dirtyLimit()
	q.mu.Unlock()
	if err != nil {
		return 0, err
	}
	for full && !q.stopped.Load() && !q.isClosed() {
		// What was changed stays in memory until the index has it, so a
		// command over a million messages goes no faster than that.
		signal(q.checkpointNow)
		time.Sleep(time.Millisecond)
		q.mu.Lock()
		full = len(q.dirty) > q.dirtyLimit()
		q.mu.Unlock()
	}
	return n, nil
}
