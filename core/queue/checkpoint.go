package queue

import (
	"errors"
	"time"
)

// dirtyLimit is how many changed messages are kept before a checkpoint is made
// early: it bounds the memory.
func (q *Queue) dirtyLimit() int { return max(q.o.ActiveLimit, 64) }

// checkpointLoop is a goroutine: the net change goes to the index every
// second, and what this makes free is cleared away.
func (q *Queue) checkpointLoop() {
	defer q.wg.Done()
	timer := time.NewTimer(checkpointEvery)
	defer timer.Stop()
	for {
		select {
		case <-q.closeCh:
			return
		case <-q.checkpointNow:
		case <-timer.C:
			timer.Reset(checkpointEvery)
		}
		if q.stopped.Load() {
			continue
		}
		q.makeSpares()
		q.checkpoint(routine)
		q.emptyTrash()
		q.freeTail()
		q.compactSome()
	}
}

const (
	checkpointEvery = time.Second
	// checkpointBytes of log without any net change are replayed in a moment,
	// so the index need not hear of them.
	checkpointBytes = 16 << 20
)

// why a checkpoint is made.
type why uint8

const (
	routine why = iota // only if there is something to say
	opening            // always: the log is open again
	closing            // always: the log ends here
)

// snapshot takes the net change since the last checkpoint.
func (q *Queue) snapshot(why why) ([]flushed, *checkpoint) {
	q.mu.Lock()
	defer q.mu.Unlock()
	moved := q.position.seg != q.flushedTo.seg || q.position.off-q.flushedTo.off >= checkpointBytes
	if len(q.dirty) == 0 && !moved && why == routine {
		return nil, nil
	}
	list := make([]flushed, 0, len(q.dirty))
	for _, m := range q.dirty {
		m.dirty = false
		m.flushing, m.frozen = true, true
		list = append(list, flushed{m, m.rcpts, m.loc, m.due, m.gone})
	}
	clear(q.dirty)
	q.dirty = q.dirty[:0]
	c := &checkpoint{position: q.position, reserved: q.reserved, messages: uint64(q.messages), byState: q.byState, clean: why == closing}
	c.nonce = q.log.segs[c.seg].nonce
	for c.freeTo = q.log.tail; c.freeTo < c.seg; c.freeTo++ {
		if s := q.log.segs[c.freeTo]; s != nil && s.count > 0 {
			break
		}
	}
	return list, c
}

// checkpoint brings the index up to date. A fault of the index costs nothing
// but a longer start: the changes are kept and tried again.
func (q *Queue) checkpoint(why why) {
	list, c := q.snapshot(why)
	if c == nil {
		return
	}
	err := q.index.write(list, c)
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range list {
		m := list[i].m
		m.flushing = false
		// A commit that failed may have become visible nevertheless.
		m.indexed = true
		if err != nil {
			if !m.dirty {
				q.markDirty(m)
			}
			continue
		}
		q.tidy(m)
	}
	switch {
	case err == nil:
		q.flushedTo, q.freeTo = c.position, c.freeTo
		q.st.checkpoints.Add(1)
		q.indexFault = false
	case errors.Is(err, errIndex):
		q.indexBroken(err)
	default:
		if !q.indexFault {
			q.o.Logf("queue: index: %v; mail goes on by the log alone, and the next start takes longer", err)
		}
		q.indexFault = true
		if !isNoSpace(err) {
			q.reopenIndex()
		}
	}
}

// reopenIndex starts over with the index file: after a commit that failed,
// nobody knows which of its pages are on the disk. The caller holds mu.
func (q *Queue) reopenIndex() {
	_ = q.index.close() // it is being given up
	ix, err := openIndex(q.disk, indexPath(q.dir))
	if err != nil {
		q.indexBroken(err)
		return
	}
	q.index = ix
}
