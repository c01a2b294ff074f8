package state

import (
	"bytes"
	"strconv"
)

// entry is a key in memory: as the file has it, or newer.
type entry struct {
	record
	key        string
	version    uint64 // grows with each change
	dirty      bool
	prev, next *entry
}

// entryCost is what an entry takes in memory beside key and value: itself, its
// place in the map, and what the allocator rounds up to.
const entryCost = 240

func (e *entry) cost() int64 { return int64(entryCost + len(e.key) + len(e.data)) }

// is tells whether the value is v, nil being none.
func (e *entry) is(v []byte, now int64) bool {
	switch {
	case !e.lives(now) || v == nil:
		return !e.lives(now) && v == nil
	case e.kind == counter:
		var b [20]byte
		return bytes.Equal(strconv.AppendInt(b[:0], e.num, 10), v)
	}
	return bytes.Equal(e.data, v)
}

// number is the value as a counter. Only the digits that Get would give are one.
func (e *entry) number() (int64, bool) {
	if e.kind == counter {
		return e.num, true
	}
	n, err := strconv.ParseInt(string(e.data), 10, 64)
	var b [20]byte
	return n, err == nil && bytes.Equal(strconv.AppendInt(b[:0], n, 10), e.data)
}

// unlink takes an entry out of its ring.
func (e *entry) unlink() {
	e.prev.next, e.next.prev = e.next, e.prev
	e.prev, e.next = nil, nil
}

// ring is a list of entries in both directions.
type ring struct{ root entry }

func (r *ring) init() { r.root.prev, r.root.next = &r.root, &r.root }

func (r *ring) empty() bool { return r.root.next == &r.root }

// push makes e the first.
func (r *ring) push(e *entry) {
	e.prev, e.next = &r.root, r.root.next
	e.prev.next, e.next.prev = e, e
}

func (r *ring) toFront(e *entry) {
	if r.root.next != e {
		e.unlink()
		r.push(e)
	}
}

// last is the last one, or nil.
func (r *ring) last() *entry {
	if r.empty() {
		return nil
	}
	return r.root.prev
}

// all passes the entries, the first one first; fn may unlink the one it gets.
func (r *ring) all(fn func(*entry)) {
	for e := r.root.next; e != &r.root; {
		next := e.next
		fn(e)
		e = next
	}
}
