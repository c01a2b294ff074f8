package state

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

var _ sdk.KV = (*Space)(nil)

// Space is the store of one plugin. It is safe for concurrent use, and keeps
// the contract of [sdk.KV].
type Space struct {
	store  *Store
	name   string
	named  bool
	prefix []byte

	mu       sync.Mutex
	quota    int64
	keys     int64
	bytes    int64
	refused  int64
	closed   bool
	live     map[string]*entry // what is in memory; over it, the file
	clean    ring              // as the file has it; the last used first
	dirty    ring              // not yet written
	mem      int64             // cost of all in live
	dirtyMem int64             // cost of all in dirty
	epoch    uint64            // grows when clean entries may differ from what was read before

	diskDue   int64  // nothing in the file expires before
	dirtyDue  int64  // nothing in dirty expires before
	sweepFrom []byte // keys of the bucket due before it were seen since the last flush
}

// Get is the value of a key; found is false when there is none. The value of a
// counter is its decimal digits. The caller may keep and change it.
func (sp *Space) Get(ctx context.Context, key string) (val []byte, found bool, err error) {
	e, now, err := sp.acquire(ctx, key)
	if err != nil {
		return nil, false, err
	}
	defer sp.mu.Unlock()
	if !e.lives(now) {
		return nil, false, nil
	}
	if e.kind == counter {
		return strconv.AppendInt(nil, e.num, 10), true, nil
	}
	return append(make([]byte, 0, len(e.data)), e.data...), true, nil
}

// Set gives a key a value, for ever when ttl is 0.
func (sp *Space) Set(ctx context.Context, key string, val []byte, ttl time.Duration) error {
	if len(val) > MaxValue || ttl < 0 {
		return ErrValue
	}
	val = bytes.Clone(val)
	for {
		e, now, err := sp.acquire(ctx, key)
		if err != nil {
			return err
		}
		again, err := sp.put(ctx, e, now, record{kind: value, data: val, expires: deadline(now, ttl)})
		if !again || err != nil {
			return err
		}
	}
}

// Swap sets a key to new if it has the value old, and tells whether it did. Nil
// as old: the key must be absent; nil as new: it goes.
func (sp *Space) Swap(ctx context.Context, key string, old, new []byte, ttl time.Duration) (swapped bool, err error) {
	if len(new) > MaxValue || ttl < 0 {
		return false, ErrValue
	}
	next := record{expires: never}
	if new != nil {
		next.kind, next.data = value, append([]byte{}, new...)
	}
	for {
		e, now, err := sp.acquire(ctx, key)
		if err != nil {
			return false, err
		}
		if !e.is(old, now) {
			sp.mu.Unlock()
			return false, nil
		}
		if new != nil {
			next.expires = deadline(now, ttl)
		}
		again, err := sp.put(ctx, e, now, next)
		if !again || err != nil {
			return err == nil, err
		}
	}
}

// Add adds to a counter and is its new value. A counter begins at 0 when there
// is none, and its lifetime with it: later calls do not extend it, as a window
// of a rate limit needs it. A value that is the decimal digits of a number is a
// counter too. At both ends of int64 it stays where it is.
func (sp *Space) Add(ctx context.Context, key string, delta int64, ttl time.Duration) (int64, error) {
	if ttl < 0 {
		return 0, ErrValue
	}
	for {
		e, now, err := sp.acquire(ctx, key)
		if err != nil {
			return 0, err
		}
		next := record{kind: counter, num: delta, expires: never}
		if e.lives(now) {
			n, ok := e.number()
			if !ok {
				sp.mu.Unlock()
				return 0, ErrNotCounter
			}
			next.num, next.expires = saturated(n, delta), e.expires
		} else {
			next.expires = deadline(now, ttl)
		}
		again, err := sp.put(ctx, e, now, next)
		if err != nil {
			return 0, err
		}
		if !again {
			return next.num, nil
		}
	}
}

// Delete removes a key, if it is there.
func (sp *Space) Delete(ctx context.Context, key string) error {
	for {
		e, now, err := sp.acquire(ctx, key)
		if err != nil {
			return err
		}
		again, err := sp.put(ctx, e, now, record{expires: never})
		if !again || err != nil {
			return err
		}
	}
}

func saturated(n, delta int64) int64 {
	switch {
	case delta > 0 && n > math.MaxInt64-delta:
		return math.MaxInt64
	case delta < 0 && n < math.MinInt64-delta:
		return math.MinInt64
	}
	return n + delta
}

// acquire finds the entry of a key. Without an error the caller holds mu.
func (sp *Space) acquire(ctx context.Context, key string) (e *entry, now int64, err error) {
	if len(key) == 0 || len(key) > MaxKey || !sp.named {
		return nil, 0, ErrKey
	}
	if err := ctx.Err(); err != nil {
		return nil, 0, err
	}
	now = sp.store.o.Now().UnixNano()
	sp.mu.Lock()
	if e = sp.live[key]; e == nil {
		e, err = sp.load(key)
	} else if !e.dirty {
		sp.clean.toFront(e)
	}
	if sp.closed {
		err = ErrClosed
	}
	if err != nil {
		sp.mu.Unlock()
		return nil, 0, err
	}
	return e, now, nil
}

// load brings a key into memory. The file is read without mu, so that a slow
// disk delays nobody whose key is in memory; when something was flushed
// meanwhile, what was read may be old, and in the end it is read under mu.
func (sp *Space) load(key string) (*entry, error) {
	kvKey := kvKey(sp.prefix, key)
	for range 3 {
		epoch := sp.epoch
		sp.mu.Unlock()
		r, err := sp.store.read(kvKey)
		sp.mu.Lock()
		if e := sp.live[key]; e != nil {
			return e, nil
		}
		if err != nil {
			return nil, err
		}
		if epoch == sp.epoch {
			return sp.insert(key, r), nil
		}
	}
	r, err := sp.store.read(kvKey)
	if err != nil {
		return nil, err
	}
	return sp.insert(key, r), nil
}

// insert remembers what the file has of a key, nothing being a record too.
func (sp *Space) insert(key string, r record) *entry {
	e := &entry{key: key, record: r}
	sp.live[key] = e
	sp.mem += e.cost()
	sp.clean.push(e)
	sp.evict(e)
	return e
}

// evict forgets clean entries, the longest unused first, until the cache is no
// larger than allowed; keep is in use.
func (sp *Space) evict(keep *entry) {
	for sp.mem > sp.store.o.Cache {
		e := sp.clean.last()
		if e == nil || e == keep {
			return
		}
		e.unlink()
		delete(sp.live, e.key)
		sp.mem -= e.cost()
	}
}

// put makes r the state of an entry, if quota and memory allow, and releases
// mu. Again means that it had to wait for memory, and all may have changed.
func (sp *Space) put(ctx context.Context, e *entry, now int64, r record) (again bool, err error) {
	wait, err := sp.admit(e, now, &r)
	if err == nil && !wait {
		sp.change(e, r)
		sp.evict(nil)
	}
	sp.mu.Unlock()
	if wait {
		return true, sp.store.await(ctx)
	}
	return false, err
}

// admit tells whether r may become the state of an entry, now or after the next
// flush.
func (sp *Space) admit(e *entry, now int64, r *record) (wait bool, err error) {
	if sp.dirtyMem+sp.dirtyGrowth(e, r) > sp.store.o.Cache {
		return true, nil
	}
	over := func() int64 {
		if n := r.charge(e.key) - e.charge(e.key); n > 0 {
			return sp.bytes + n - sp.quota
		}
		return 0
	}
	n := over()
	if n <= 0 {
		return false, nil
	}
	sp.sweep(now, n, math.MaxInt)
	switch { // the sweep may have taken the entry itself
	case over() <= 0:
		return false, nil
	case sp.diskDue <= now:
		return true, nil // it had to stop: too much waits for the disk
	}
	sp.refused++
	return false, ErrQuota
}

// dirtyGrowth is how much more memory waits for the disk after a change. Less
// than before is no reason to wait.
func (sp *Space) dirtyGrowth(e *entry, r *record) int64 {
	grown := int64(len(r.data))
	if e.dirty {
		grown -= int64(len(e.data))
	} else {
		grown += e.cost() - int64(len(e.data))
	}
	return max(grown, 0)
}

// change makes r the state of an entry, unconditionally.
func (sp *Space) change(e *entry, r record) {
	sp.bytes += r.charge(e.key) - e.charge(e.key)
	switch {
	case e.kind == absent && r.kind != absent:
		sp.keys++
	case e.kind != absent && r.kind == absent:
		sp.keys--
	}
	grown := int64(len(r.data) - len(e.data))
	e.record = r
	e.version++
	sp.mem += grown
	if e.dirty {
		sp.dirtyMem += grown
	} else {
		sp.soil(e)
	}
	sp.dirtyDue = min(sp.dirtyDue, r.expires)
	if sp.dirtyMem > sp.store.o.Cache/2 {
		signal(sp.store.hurry)
	}
}

// soil moves a clean entry to those that must be written.
func (sp *Space) soil(e *entry) {
	e.unlink()
	e.dirty = true
	sp.dirty.push(e)
	sp.dirtyMem += e.cost()
	signal(sp.store.kick)
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// await waits for the next flush, when there is too much that is not written.
// It does not wait for a disk that refuses.
func (s *Store) await(ctx context.Context) error {
	s.mu.Lock()
	failure, flushed := s.failure, s.flushed
	s.mu.Unlock()
	if failure != nil {
		return fmt.Errorf("state: changes cannot be written: %w", failure)
	}
	signal(s.kick)
	signal(s.hurry)
	select {
	case <-flushed:
		return nil
	case <-s.stopped:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}
