package queue

import (
	"errors"
	"fmt"
	"math/bits"
	"sync"
	"time"
)

// lazyDelay is how long outcomes wait for a group to ride with. Losing them
// costs a second delivery of what was in flight, never mail.
const lazyDelay = 50 * time.Millisecond

const (
	maxGroupBytes = 8 << 20 // bounds the wait of the first of a group
	maxLazy       = 512     // outcomes that are written without waiting any longer
	spaceRetry    = time.Second
)

// record is one record of a transaction on its way into the log.
type record struct {
	typ     recordType
	id      ID
	meta    []byte
	body    *buffer
	bodyCRC uint32
	msg     *message // recMessage, recMove
	changes []change // recChange
	loc     location // set when it was written
}

func (r *record) bodyLen() int64 {
	if r.body == nil {
		return 0
	}
	return r.body.size
}

func (r *record) size() int64 { return recordLen(len(r.meta), r.bodyLen()) }

// tx is a transaction: records that are durable together or not at all.
type tx struct {
	recs   []record
	one    [1]record  // what recs points to in the usual case
	meta   []byte     // kept for the next use of this tx
	done   chan error // capacity 1; somebody waits
	urgent bool       // somebody waits, or will soon
	puts   int        // new messages in it that the sender still has
	job    *Job       // whose settlement this is
}

func (t *tx) size() int64 {
	var n int64
	for i := range t.recs {
		n += t.recs[i].size()
	}
	return n
}

// committer collects transactions while the group before them is being synced.
type committer struct {
	mu      sync.Mutex
	fifo    []*tx
	moves   []*move // copies of live messages; they go first in a group
	urgent  int
	closing bool
	wake    chan struct{} // capacity 1

	// owned by the goroutine
	group  []*tx
	arena  []byte
	vec    [][]byte
	taken  []*tx
	ripe   time.Time // when lazy transactions must not wait any longer
	noroom time.Time // no retry for want of space before then
}

// submit queues a transaction. The order of calls is the order in the log.
func (q *Queue) submit(t *tx) error {
	c := &q.com
	c.mu.Lock()
	if c.closing {
		c.mu.Unlock()
		return ErrStopped
	}
	c.fifo = append(c.fifo, t)
	wake := len(c.fifo) == 1 || len(c.fifo) >= maxLazy
	if t.urgent {
		c.urgent++
		wake = wake || c.urgent == 1
	}
	c.mu.Unlock()
	if wake {
		signal(c.wake)
	}
	return nil
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// commitLoop is the committer's goroutine. It has no clock in its way: whatever
// waits when a sync ends is the next group.
func (q *Queue) commitLoop() {
	defer q.wg.Done()
	c := &q.com
	for {
		group, moves, wait, done := q.nextGroup()
		switch {
		case done:
			return
		case len(group)+len(moves) > 0:
			q.commit(group, moves)
		case wait > 0:
			timer := time.NewTimer(wait)
			select {
			case <-c.wake:
			case <-timer.C:
			}
			timer.Stop()
		default:
			<-c.wake
		}
	}
}

// nextGroup takes what is to be written now, or says how long to wait for more
// (zero: until somebody calls).
func (q *Queue) nextGroup() (group []*tx, moves []*move, wait time.Duration, done bool) {
	c := &q.com
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.fifo) == 0 && len(c.moves) == 0 {
		c.ripe = time.Time{}
		return nil, nil, 0, c.closing
	}
	if q.stopped.Load() {
		q.failAll()
		return nil, nil, 0, c.closing
	}
	if c.urgent == 0 && len(c.fifo) < maxLazy && !c.closing && len(c.moves) == 0 {
		if c.ripe.IsZero() {
			c.ripe = time.Now().Add(lazyDelay)
		}
		if d := time.Until(c.ripe); d > 0 {
			return nil, nil, d, false
		}
	}
	if d := time.Until(c.noroom); d > 0 && c.urgent == 0 && !c.closing {
		return nil, nil, d, false
	}
	c.ripe = time.Time{}
	var size int64
	n := 0
	for n < len(c.fifo) {
		size += c.fifo[n].size()
		if n > 0 && size > maxGroupBytes {
			break
		}
		n++
	}
	c.group = append(c.group[:0], c.fifo[:n]...)
	rest := copy(c.fifo, c.fifo[n:])
	clear(c.fifo[rest:])
	c.fifo = c.fifo[:rest]
	for _, t := range c.group {
		if t.urgent {
			c.urgent--
		}
	}
	moves, c.moves = c.moves, nil
	return c.group, moves, 0, false
}

// failAll answers everybody after the disk has failed. The caller holds com.mu.
func (q *Queue) failAll() {
	for _, t := range q.com.fifo {
		t.fail(ErrStopped)
	}
	for _, m := range q.com.moves {
		m.finish()
	}
	clear(q.com.fifo)
	q.com.fifo, q.com.moves, q.com.urgent = q.com.fifo[:0], nil, 0
}

func (t *tx) fail(err error) {
	if t.done != nil {
		t.done <- err
	}
}

// commit makes one group durable and applies it. It returns with everybody of
// the group answered, or put back for another try.
func (q *Queue) commit(group []*tx, moves []*move) {
	began := time.Now()
	c := &q.com
	mtx := q.buildMoves(moves)
	all := append(c.taken[:0], mtx...)
	all = append(all, group...)
	c.taken = all
	for len(all) > 0 {
		n, err := q.writeGroup(all)
		if err == nil {
			q.applyGroup(all[:n])
			all = all[n:]
			continue
		}
		if errors.Is(err, ErrNoSpace) && !q.stopped.Load() {
			q.refuse(all)
		} else {
			for _, t := range all {
				t.fail(ErrStopped)
			}
		}
		break
	}
	clear(c.taken)
	clear(c.group)
	for _, m := range moves {
		m.finish()
	}
	q.st.syncing.Add(int64(time.Since(began)))
}

// refuse answers a group that found no room: who can say 452 says it; outcomes
// stay here and are tried again, because nobody else remembers them.
func (q *Queue) refuse(all []*tx) {
	c := &q.com
	var keep []*tx
	for _, t := range all {
		switch {
		case t.done != nil:
			t.fail(ErrNoSpace)
		case t.job != nil:
			keep = append(keep, t)
		case t.recs[0].typ == recReserve:
			q.reserving.Store(false)
		}
	}
	c.mu.Lock()
	if c.closing && len(keep) > 0 {
		q.o.Logf("queue: closed on a full disk; %d settlements are not written down, and their attempts will be made again", len(keep))
		keep = nil
	}
	c.fifo = append(keep, c.fifo...)
	for _, t := range keep {
		if t.urgent {
			c.urgent++
		}
	}
	c.mu.Unlock()
	c.noroom = time.Now().Add(spaceRetry)
}

// fit is how many of the transactions go into the head segment, at least one.
func (q *Queue) fit(all []*tx) (n int, err error) {
	l := &q.log
	for range 2 {
		room := l.head.size - l.head.end
		var size int64
		for n = 0; n < len(all); n++ {
			size += all[n].size()
			if size > room {
				break
			}
		}
		if n > 0 {
			return n, nil
		}
		puts := 0
		for _, t := range all {
			puts += t.puts
		}
		if err := q.roll(all[0].size(), puts > 0); err != nil {
			return 0, err
		}
	}
	return 0, fmt.Errorf("%w: a transaction larger than its segment", ErrStopped)
}

// writeGroup writes and syncs a prefix of the transactions. It answers
// ErrNoSpace when nothing of them was taken and the log is as before.
func (q *Queue) writeGroup(all []*tx) (int, error) {
	l := &q.log
	n, err := q.fit(all)
	if err != nil {
		return 0, err
	}
	// A number is used once, also by a group that failed: what is left of it on
	// the disk can never be taken for a part of another.
	l.group++
	size := q.assemble(all[:n])
	if _, err := l.head.file.WriteVec(q.com.vec, l.head.end); err != nil {
		if isNoSpace(err) {
			return 0, ErrNoSpace
		}
		return 0, q.stop(err)
	}
	if err := l.head.file.Sync(); err != nil {
		// The kernel has dropped the pages and marked them clean: a second sync
		// would answer success for bytes that are not there.
		return 0, q.stop(err)
	}
	clear(q.com.vec)
	q.mu.Lock()
	l.head.end += size
	q.mu.Unlock()
	q.st.groups.Add(1)
	q.st.syncs.Add(1)
	q.st.bytes.Add(uint64(size))
	return n, nil
}

// assemble lays a group out as buffers for one vectored write: headers and
// meta parts stand in the arena, bodies stay where they are.
func (q *Queue) assemble(group []*tx) int64 {
	c, l := &q.com, &q.log
	need := 0
	for _, t := range group {
		for i := range t.recs {
			need += headerLen + len(t.recs[i].meta) + recordAlign
		}
	}
	if cap(c.arena) < need || cap(c.arena) > 4<<20 && need < 1<<20 {
		c.arena = make([]byte, 0, max(need, 64<<10))
	}
	arena, vec := c.arena[:0], c.vec[:0]
	start, off, from := l.head.end, l.head.end, 0
	for ti, t := range group {
		for i := range t.recs {
			r := &t.recs[i]
			h := header{nonce: l.head.nonce, id: uint64(r.id), group: l.group, start: uint32(start), offset: uint32(off),
				metaLen: uint32(len(r.meta)), bodyLen: uint32(r.bodyLen()), bodyCRC: r.bodyCRC, typ: r.typ}
			if i == 0 {
				h.flags |= flagFirst
			}
			if i == len(t.recs)-1 {
				h.flags |= flagLast
				if ti == len(group)-1 {
					h.flags |= flagEnd
				}
			}
			at := len(arena)
			arena = append(arena[:at+headerLen], r.meta...)
			h.put(arena[at:])
			if r.body != nil {
				vec = append(vec, arena[from:])
				vec = append(vec, r.body.chunks...)
				from = len(arena)
			}
			size := h.size()
			pad := int(size) - headerLen - len(r.meta) - int(r.bodyLen())
			arena = append(arena, make([]byte, recordAlign)[:pad]...)
			r.loc = location{seg: l.head.seq, off: uint32(off), size: uint32(size), body: uint32(headerLen + len(r.meta))}
			off += size
		}
	}
	if from < len(arena) {
		vec = append(vec, arena[from:])
	}
	c.arena, c.vec = arena, vec
	return off - start
}

// applyGroup takes what is durable now into the state, and wakes who waits.
func (q *Queue) applyGroup(group []*tx) {
	puts := 0
	q.mu.Lock()
	for _, t := range group {
		for i := range t.recs {
			q.applyRecord(&t.recs[i])
		}
		puts += t.puts
		if t.job != nil {
			q.unlease(t.job, -1)
		}
	}
	q.position.seg, q.position.off, q.position.group = q.log.head.seq, q.log.head.end, q.log.group
	early := len(q.dirty) > q.dirtyLimit()
	q.mu.Unlock()
	q.st.batch[min(bits.Len(uint(puts)), BatchBuckets-1)].Add(1)
	q.st.puts.Add(uint64(puts))
	if early {
		signal(q.checkpointNow)
	}
	for _, t := range group {
		if t.done != nil {
			t.done <- nil
		}
	}
}

// applyRecord is the one way by which the log becomes state. The caller holds mu.
func (q *Queue) applyRecord(r *record) {
	switch r.typ {
	case recMessage:
		r.msg.loc = r.loc
		q.admit(r.msg)
		q.keepBody(r.msg, r.body)
	case recMove:
		q.relocate(r.msg, r.loc)
	case recChange:
		if m := q.live[r.id]; m != nil {
			q.change(m, r.changes)
		}
	case recReserve:
		q.reserved = max(q.reserved, uint64(r.id))
		q.idsUntil.Store(q.reserved)
		q.reserving.Store(false)
	}
}

// keepBody leaves the body of a new message in memory, if there is room, so
// that delivery does not read the disk. Older mail goes first, so it is the
// newer that is not kept.
func (q *Queue) keepBody(m *message, b *buffer) {
	if b == nil {
		return
	}
	if n := b.footprint(); q.cached+n <= q.o.CacheBytes && m.due != never {
		q.cached += n
		m.body = b
		return
	}
	b.release()
}

// roll goes on to the next segment. Mail may not take the last spare file: that
// one is for outcomes, so that a full disk still drains.
func (q *Queue) roll(need int64, mail bool) error {
	l := &q.log
	spare, err := q.takeSpare(need, mail)
	if err != nil {
		if isNoSpace(err) {
			return ErrNoSpace
		}
		return q.stop(err)
	}
	q.mu.Lock()
	reserved := q.reserved
	q.mu.Unlock()
	s, err := l.install(spare, reserved)
	if err != nil {
		if isNoSpace(err) {
			return ErrNoSpace
		}
		return q.stop(err)
	}
	q.mu.Lock()
	l.segs[s.seq] = s
	l.head = s
	q.mu.Unlock()
	signal(q.checkpointNow) // makes spare files too
	return nil
}

// stop ends the service of this queue after a fault of the disk. What is
// durable stays so; nothing more is promised.
func (q *Queue) stop(err error) error {
	if q.stopped.CompareAndSwap(false, true) {
		q.o.Logf("queue: stopped, because the disk failed: %v. No mail is taken and none delivered; nothing that was accepted is lost. Look at the disk under %s, then start the program again: it recovers by itself", err, q.dir)
		close(q.stopCh)
	}
	return fmt.Errorf("%w: %w", ErrStopped, err)
}
