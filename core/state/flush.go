package state

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"
)

const (
	sweepEvery  = time.Second            // that a space is swept at the most
	sweepAgain  = 100 * time.Millisecond // when a sweep left something
	sweepBudget = 4096                   // keys of one space in one sweep
	maxBackoff  = 10 * time.Second       // between flushes that fail
	complainGap = time.Minute            // between log lines about one that goes on failing
)

// change is the state of one entry as it goes to the file.
type change struct {
	record
	space   *Space
	entry   *entry
	version uint64
	kvKey   []byte
}

// flusher is the one goroutine of a store.
type flusher struct {
	*Store
	backoff    time.Duration // 0: the last flush succeeded
	complained time.Time
	swept      time.Time
	more       bool // the last sweep left something
}

func (s *Store) run() {
	f := &flusher{Store: s, swept: s.o.Now()}
	defer close(s.stopped)
	for {
		sweep := time.NewTimer(f.nextSweep())
		select {
		case <-s.kick:
			f.collect()
			f.flush() // reports by itself
		case <-sweep.C:
			f.sweep()
		case <-s.stop:
			sweep.Stop()
			s.closed = f.finish()
			return
		}
		sweep.Stop()
	}
}

// collect waits for more changes to come along with the first. Who waits for
// room shortens it, unless the disk is what everybody waits for.
func (f *flusher) collect() {
	t := time.NewTimer(max(f.o.Flush, f.backoff))
	defer t.Stop()
	hurry := f.hurry
	if f.backoff > 0 {
		hurry = nil
	}
	select {
	case <-t.C:
	case <-hurry:
	case <-f.stop:
	}
}

// flush writes all changes in one transaction. After a failure they stay, and
// it is tried again: an error of a disk that lies about what it kept can damage
// the file, which the survey of the next start will find.
func (f *flusher) flush() error {
	err := f.renew()
	if err == nil {
		err = f.writeAll()
	}
	f.report(err)
	f.mu.Lock()
	f.failure = err
	close(f.flushed)
	f.flushed = make(chan struct{})
	f.mu.Unlock()
	return err
}

func (f *flusher) writeAll() error {
	var batch []change
	for _, sp := range f.list() {
		batch = sp.snapshot(batch)
	}
	if len(batch) == 0 {
		return nil
	}
	slices.SortFunc(batch, func(a, b change) int { return bytes.Compare(a.kvKey, b.kvKey) })
	err := f.commit(batch)
	if err == nil {
		f.settle(batch)
	}
	return err
}

// report sees to the next attempt after a failure, and keeps the log quiet about
// a disk that stays full.
func (f *flusher) report(err error) {
	if err == nil {
		if f.backoff > 0 {
			f.o.Logf("state: changes of plugins are written again")
		}
		f.backoff = 0
		return
	}
	if now := f.o.Now(); f.backoff == 0 || now.Sub(f.complained) >= complainGap {
		f.o.Logf("state: changes of plugins cannot be written and stay in memory: %v", err)
		f.complained = now
	}
	f.backoff = min(max(2*f.backoff, f.o.Flush), maxBackoff)
	signal(f.kick)
}

// snapshot appends what is to be written.
func (sp *Space) snapshot(batch []change) []change {
	sp.mu.Lock()
	defer sp.mu.Unlock()
	sp.dirty.all(func(e *entry) {
		batch = append(batch, change{e.record, sp, e, e.version, kvKey(sp.prefix, e.key)})
	})
	return batch
}

// settle makes clean what was written and has not changed since.
func (f *flusher) settle(batch []change) {
	slices.SortStableFunc(batch, func(a, b change) int { return cmp.Compare(a.space.name, b.space.name) })
	for len(batch) > 0 {
		sp := batch[0].space
		n := slices.IndexFunc(batch, func(c change) bool { return c.space != sp })
		if n < 0 {
			n = len(batch)
		}
		sp.settle(batch[:n])
		batch = batch[n:]
	}
}

func (sp *Space) settle(batch []change) {
	sp.mu.Lock()
	defer sp.mu.Unlock()
	sp.epoch++
	for i := range batch {
		e := batch[i].entry
		sp.diskDue = min(sp.diskDue, batch[i].expires)
		if e.version == batch[i].version {
			e.unlink()
			e.dirty = false
			sp.dirtyMem -= e.cost()
			sp.clean.push(e)
		}
	}
	if sp.dirty.empty() {
		sp.dirtyDue = never
	}
	sp.sweepFrom = nil
	sp.evict(nil)
}

// finish is the last flush. No operation succeeds behind it.
func (f *flusher) finish() error {
	f.mu.Lock()
	f.shut = true
	f.mu.Unlock()
	for _, sp := range f.list() {
		sp.mu.Lock()
		sp.closed = true
		sp.mu.Unlock()
	}
	err := f.flush()
	if f.broken.Load() != nil {
		return err
	}
	if e := closeFile(f.db.Load()); err == nil {
		err = e
	}
	return err
}

// nextSweep is how long it takes until something may have expired.
func (f *flusher) nextSweep() time.Duration {
	due := int64(never)
	for _, sp := range f.list() {
		sp.mu.Lock()
		due = min(due, sp.diskDue, sp.dirtyDue)
		sp.mu.Unlock()
	}
	now, gap := f.o.Now(), sweepEvery
	if f.more {
		gap = sweepAgain
	}
	// A clock that was set back makes the last sweep lie in the future.
	return max(time.Duration(due-now.UnixNano()), min(gap-now.Sub(f.swept), gap))
}

// sweep removes what has expired, a bounded number of keys at a time.
func (f *flusher) sweep() {
	now := f.o.Now()
	f.swept, f.more = now, false
	for _, sp := range f.list() {
		sp.mu.Lock()
		sp.sweep(now.UnixNano(), never, sweepBudget)
		f.more = f.more || sp.diskDue <= now.UnixNano()
		sp.mu.Unlock()
	}
}

// sweep removes keys that have expired, until need octets are free, or budget
// keys were looked at, or enough waits for the disk. The caller holds mu.
func (sp *Space) sweep(now, need int64, budget int) {
	start := sp.bytes
	enough := func() bool { return start-sp.bytes >= need || sp.dirtyMem > sp.store.o.Cache/4*3 }
	if sp.dirtyDue <= now && !enough() {
		due := int64(never)
		sp.dirty.all(func(e *entry) {
			if e.kind != absent && e.expires <= now {
				sp.change(e, record{expires: never})
			}
			due = min(due, e.expires)
		})
		sp.dirtyDue = due
	}
	if sp.diskDue > now || enough() {
		return
	}
	// Damage is reported by view, and then there is nothing to be swept.
	_ = sp.store.view(func(kv, due *bolt.Bucket) error {
		from := sp.sweepFrom
		if from == nil {
			from = sp.prefix
		}
		cur := due.Cursor()
		for k, _ := cur.Seek(from); bytes.HasPrefix(k, sp.prefix); k, _ = cur.Next() {
			_, expires, key, ok := splitDue(k)
			if !ok {
				return errDamaged
			}
			if expires > now || budget == 0 || enough() {
				sp.sweepFrom, sp.diskDue = slices.Clone(k), expires
				return nil
			}
			budget--
			if err := sp.sweepKey(kv, string(key), now); err != nil {
				return err
			}
		}
		sp.diskDue = never
		return nil
	})
}

// sweepKey removes a key that has expired in the file, unless memory knows better.
func (sp *Space) sweepKey(kv *bolt.Bucket, key string, now int64) error {
	e := sp.live[key]
	if e == nil {
		k := kvKey(sp.prefix, key)
		r, err := decodeRecord(k, kv.Get(k))
		if err != nil || r.expires > now {
			return errDamaged
		}
		e = sp.insert(key, r) // its data lies in the file, and goes in the next step
	}
	if e.kind != absent && e.expires <= now {
		sp.change(e, record{expires: never})
	}
	return nil
}

// reportDamage makes the flusher begin a new file.
func (s *Store) reportDamage(db *bolt.DB) {
	if db == s.db.Load() {
		s.broken.Store(db)
		signal(s.kick)
	}
}

// renew replaces a file in which damage was found. What is in memory is all that
// is left, and is written to the new one. Bbolt may hold locks for ever after a
// panic, so the old file is left open and to itself.
func (f *flusher) renew() error {
	broken := f.broken.Load()
	if broken != f.db.Load() { // none, or found in a file that was replaced meanwhile
		f.broken.CompareAndSwap(broken, nil)
		return nil
	}
	if err := f.setAside(errDamaged); err != nil {
		return err
	}
	db, _, err := f.openFile()
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, sp := range f.spaces {
		sp.mu.Lock()
		defer sp.mu.Unlock()
	}
	f.db.Store(db)
	f.broken.Store(nil)
	for _, sp := range f.spaces {
		sp.begin()
	}
	return nil
}

// begin counts a space anew from what is in memory.
func (sp *Space) begin() {
	sp.epoch++
	sp.keys, sp.bytes, sp.diskDue, sp.dirtyDue, sp.sweepFrom = 0, 0, never, never, nil
	for _, e := range sp.live {
		if e.kind != absent {
			sp.keys++
			sp.bytes += e.charge(e.key)
			sp.dirtyDue = min(sp.dirtyDue, e.expires)
		}
		if !e.dirty {
			sp.soil(e)
		}
	}
}
