package queue

import (
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// Space comes back at the tail of the log only. When its oldest segment holds
// little that is needed, or the log as a whole too much that is not, the
// messages that are left there are written again at the head, with the states
// their recipients have by now. That costs at most a few bytes written for each
// byte that mail brought, and one message that is held for a year costs its own
// size a few times, not the space of all mail since.
const (
	sparseShare  = 4        // a segment with less than a quarter needed is sparse
	logShare     = 3        // the log is at most that many times what is needed,
	logSlack     = 4        // and so many segments
	sweepBytes   = 16 << 20 // at most, copied in one round: once a second
	sweepGroup   = 1 << 20  // copied with one commit
	keptSpares   = 4
	sweepRecords = 4096 // looked at in one round without any copy
)

// sweep is where compaction stands.
type sweep struct {
	seg uint64
	off int64
}

// move is the copy of one message to the head.
type move struct {
	m    *message
	loc  location // from where; if it is elsewhere by now, nothing happens
	body *buffer
	done chan struct{}
}

func (m *move) finish() { m.done <- struct{}{} }

// buildMoves makes the records of moves. The committer calls it before anything
// else of the group is written, so the states are those of exactly that place
// in the log.
func (q *Queue) buildMoves(ms []*move) []*tx {
	if len(ms) == 0 {
		return nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	var ts []*tx
	for _, v := range ms {
		m := v.m
		if m.gone || m.loc != v.loc {
			continue
		}
		t := &tx{}
		t.recs = t.one[:1]
		t.one[0] = record{typ: recMove, id: m.id, msg: m, meta: appendMessage(nil, m, m.rcpts, true)}
		if v.body != nil && !m.damaged {
			t.one[0].body, t.one[0].bodyCRC = v.body, m.bodyCRC
		}
		ts = append(ts, t)
	}
	return ts
}

// freeTail gives up segments at the tail that nobody needs: not the queue, not
// the index on the disk, not a reader.
func (q *Queue) freeTail() {
	l := &q.log
	for {
		q.mu.Lock()
		s := l.segs[l.tail]
		if q.noFree || l.tail >= q.freeTo || l.tail >= q.flushedTo.seg || s != nil && (s.pins > 0 || s.count > 0) {
			q.mu.Unlock()
			return
		}
		delete(l.segs, l.tail)
		l.tail++
		spares := len(l.spares)
		q.mu.Unlock()
		if s == nil {
			continue
		}
		spare, err := q.recycle(s, spares < keptSpares)
		if err != nil {
			// A later segment must not go before this one: the outcomes in it
			// end messages that are still to be read here.
			q.mu.Lock()
			q.noFree = true
			q.mu.Unlock()
			q.o.Logf("queue: %s: %v; the log grows until the next start", segName(s.seq), err)
			return
		}
		if spare != "" {
			q.mu.Lock()
			l.spares = append(l.spares, spare)
			q.mu.Unlock()
		}
	}
}

// recycle turns a segment into a spare file, or removes it. The folder is
// synced before the next one is given up and before anybody writes into this
// one: after a crash the log has no gap and no strange bytes.
func (q *Queue) recycle(s *segment, keep bool) (spare string, err error) {
	l := &q.log
	if err := s.file.Close(); err != nil {
		return "", err
	}
	if keep && s.size == l.segSize {
		spare = fmt.Sprintf("spare-%d", q.tmp.Add(1))
		err = l.disk.Rename(l.path(segName(s.seq)), l.path(spare))
	} else {
		err = l.disk.Remove(l.path(segName(s.seq)))
	}
	return spare, errors.Join(err, l.disk.SyncDir(l.dir))
}

// compactSome copies what is left in the oldest segment, if that is worth it.
func (q *Queue) compactSome() {
	for budget := int64(sweepBytes); budget > 0; {
		seg := q.sparse()
		if seg == nil {
			return
		}
		n, more := q.sweepOn(seg)
		budget -= n + sweepBytes/sweepRecords
		if !more {
			return
		}
	}
}

// sparse is the oldest segment when it should be emptied.
func (q *Queue) sparse() *segment {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := &q.log
	s := l.segs[l.tail]
	if s == nil || s.seq >= q.flushedTo.seg || s.count == 0 {
		return nil
	}
	used := s.end - segData
	if s.live*sparseShare < used || l.bytes() > logShare*q.liveBytes+logSlack*l.segSize || q.sweepAll && s.live < used {
		if q.sweep.seg != s.seq {
			q.sweep = sweep{s.seq, segData}
		}
		return s
	}
	return nil
}

// sweepOn copies one group of messages out of a segment, and answers how many
// bytes, and whether it makes sense to go on at once.
func (q *Queue) sweepOn(seg *segment) (int64, bool) {
	moves, size, err := q.gather(seg)
	if err != nil {
		q.o.Logf("queue: compaction of %s: %v", segName(seg.seq), err)
		return 0, false
	}
	if len(moves) == 0 {
		return 0, size > 0
	}
	done := make(chan struct{}, len(moves))
	for _, m := range moves {
		m.done = done
	}
	c := &q.com
	c.mu.Lock()
	open := !c.closing
	if open {
		c.moves = append(c.moves, moves...)
	}
	c.mu.Unlock()
	if open {
		signal(c.wake)
		for range moves {
			<-done
		}
	}
	q.mu.Lock()
	moved := false
	for _, v := range moves {
		v.m.pins--
		moved = moved || v.m.loc != v.loc
		if v.body != nil {
			v.body.release()
		}
		q.tidy(v.m)
	}
	q.mu.Unlock()
	return size, moved
}

// gather reads the next messages of a segment that are needed. At the end of
// the segment it looks in the index for those whose record could not be found.
func (q *Queue) gather(seg *segment) (moves []*move, size int64, err error) {
	s := &scanner{win: window{f: seg.file, limit: seg.end}, nonce: seg.nonce, open: true}
	for off, n := q.sweep.off, 0; off < seg.end && size < sweepGroup && n < sweepRecords; n++ {
		s.group = 0
		it, ok, bodyBad, err := s.read(off)
		if err != nil {
			return moves, size, err
		}
		if !ok && !bodyBad {
			at, _, err := s.resync(off + 1)
			if err != nil {
				return moves, size, err
			}
			if at < 0 {
				at = seg.end
			}
			off = at
			q.sweep.off = off
			continue
		}
		if it.typ == recMessage || it.typ == recMove {
			if v := q.pick(seg, ID(it.id), int64(it.offset)); v != nil {
				moves = append(moves, v)
				size += it.size()
			}
		}
		off += it.size()
		q.sweep.off = off
	}
	if q.sweep.off < seg.end {
		return moves, max(size, 1), nil
	}
	if len(moves) == 0 {
		moves, size = q.strays(seg)
		if len(moves) == 0 {
			q.sweep.off = segData // what is left is pinned; begin again later
		}
	}
	return moves, size, nil
}

// pick prepares the copy of a message that lies at that place, or answers nil.
func (q *Queue) pick(seg *segment, id ID, off int64) *move {
	q.mu.Lock()
	m := q.find(id)
	if m == nil {
		q.mu.Unlock()
		return nil
	}
	if m.loc.seg != seg.seq || off >= 0 && int64(m.loc.off) != off {
		q.tidy(m)
		q.mu.Unlock()
		return nil
	}
	m.pins++
	v := &move{m: m, loc: m.loc}
	if !m.big && !m.damaged && m.body != nil {
		v.body = m.body.retain()
	}
	damaged := m.big || m.damaged || v.body != nil
	q.mu.Unlock()
	if damaged {
		return v
	}
	b := newBuffer(&q.pools)
	if err := readChunks(seg.file, b.fill(m.size), int64(v.loc.off)+int64(v.loc.body), m.bodyCRC); err != nil {
		b.release()
		if q.loseBody(seg, v, err) {
			return v
		}
		q.mu.Lock()
		m.pins--
		q.mu.Unlock()
		return nil
	}
	v.body = b
	return v
}

// loseBody puts the remains of a body aside whose segment is about to be used
// for something else, and holds the message.
func (q *Queue) loseBody(seg *segment, v *move, why error) bool {
	from := int64(v.loc.off)
	if _, err := q.copyAside(seg, from, from+int64(v.loc.size)); err != nil {
		q.o.Logf("%v", err)
		return false // the segment stays
	}
	_ = q.damage(v.m.id, why) // says so in the log
	q.mu.Lock()
	q.touch(v.m)
	v.m.damaged = true
	q.mu.Unlock()
	return true
}

// strays finds messages that lie in a segment whose records cannot be found by
// reading it: their headers are damaged, but the index knows where the bodies
// are.
func (q *Queue) strays(seg *segment) (moves []*move, size int64) {
	q.mu.Lock()
	left := seg.count
	q.mu.Unlock()
	if left == 0 {
		return nil, 0
	}
	err := q.walk(func(s *sight) bool {
		if s.seg == seg.seq {
			if v := q.pick(seg, s.id, -1); v != nil {
				moves = append(moves, v)
				size += int64(v.loc.size)
			}
		}
		return size < sweepGroup
	})
	if err != nil && !errors.Is(err, ErrStopped) {
		q.o.Logf("queue: compaction: %v", err)
	}
	return moves, size
}

// compactIndex rewrites the file of the index without its free pages.
func compactIndex(disk Disk, dir string) (err error) {
	defer guard(&err)()
	path := indexPath(dir)
	src, err := openIndex(disk, path)
	if err != nil {
		return err
	}
	dst, err := openIndex(disk, path+".new")
	if err != nil {
		return errors.Join(err, src.close())
	}
	err = bolt.Compact(dst.db, src.db, 4<<20)
	err = errors.Join(err, dst.close(), src.close())
	if err == nil {
		err = disk.Rename(path+".new", path)
	}
	return errors.Join(err, disk.SyncDir(dir))
}
