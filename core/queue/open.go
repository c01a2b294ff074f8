package queue

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// recoverLog opens the segments and the index, and replays what the index does
// not know.
func (q *Queue) recoverLog(progress func(done, total int64)) (*replay, error) {
	if err := q.openSegments(); err != nil {
		return nil, err
	}
	clean, err := q.startIndex()
	if err != nil {
		return nil, err
	}
	r := &replay{q: q}
	from, numbers := q.flushedTo, q.log.numbers()
	if clean {
		if clean, err = q.endsAt(from, numbers); err != nil {
			return nil, err
		}
	}
	q.diskDue = dueKey{} // look at all of the index first
	total, done := q.log.bytes(), int64(0)
	for i, n := range numbers {
		seg, sealed := q.log.segs[n], int64(0)
		if i+1 < len(numbers) {
			next := q.log.segs[numbers[i+1]]
			if next.seq != n+1 || next.prevNonce != seg.nonce {
				if n < from.seg && seg.count == 0 {
					continue // it was given up, and its removal was not durable
				}
				r.fault("between %s and %s something of the log is missing", segName(n), segName(next.seq))
			} else {
				sealed = int64(next.prevEnd)
			}
		}
		q.log.tail = numbers[0]
		q.log.head = seg
		if !clean {
			q.reserved = max(q.reserved, seg.reserved)
		}
		seg.end = sealed
		if n < from.seg {
			continue
		}
		start, group := int64(segData), max(seg.segHeader.group, q.log.group)
		if n == from.seg && from.off > 0 {
			start, group = from.off, from.group
		}
		q.log.group = max(q.log.group, group)
		if clean && n == from.seg {
			seg.end = from.off
			continue
		}
		r.step = func(at int64, group uint64) error {
			q.position = position{n, at, group}
			if progress != nil {
				progress(done+at, total)
			}
			if len(q.dirty) > q.dirtyLimit() && len(r.doubt) == 0 {
				// A rebuild of a large queue must not need memory for all of it.
				// A torn place stays before the checkpoint until it is a void
				// record: else a start that goes on from here never sees it.
				if q.checkpoint(routine); q.stopped.Load() || q.indexFault {
					return errIndex
				}
			}
			return nil
		}
		end, last, err := r.segment(seg, start, group, sealed)
		if err != nil {
			return nil, fmt.Errorf("queue: %s: %w", segName(n), err)
		}
		done += seg.size
		seg.end = end
		q.log.group = max(q.log.group, last)
		q.position = position{n, end, q.log.group}
	}
	return r, nil
}

// endsAt tells whether the log really ends where an index says that it was
// closed: the index may be one of yesterday that somebody put back.
func (q *Queue) endsAt(p position, numbers []uint64) (bool, error) {
	if p.seg != numbers[len(numbers)-1] {
		return false, nil
	}
	seg := q.log.segs[p.seg]
	win := window{f: seg.file, limit: seg.size}
	b, err := win.bytes(p.off, headerLen)
	if err != nil {
		return false, fmt.Errorf("queue: %s: %w", segName(p.seg), err)
	}
	h, more := parseHeader(b, seg.nonce, p.off)
	return !more || h.group <= p.group, nil
}

// openSegments reads the folder of the log: which segments there are, and
// which files can be used for new ones.
func (q *Queue) openSegments() error {
	l := &q.log
	names, err := q.disk.ReadDir(l.dir)
	if err != nil {
		return fmt.Errorf("queue: %w", err)
	}
	// Names that were seen may not be durable yet.
	if err := q.disk.SyncDir(l.dir); err != nil {
		return fmt.Errorf("queue: %w", err)
	}
	l.segs = map[uint64]*segment{}
	for _, name := range names {
		n, ok := parseSegName(name)
		if !ok {
			q.oldSpare(name)
			continue
		}
		f, err := q.disk.Open(l.path(name), false)
		if err != nil {
			return fmt.Errorf("queue: %w", err)
		}
		s := &segment{file: f, end: segData}
		if s.size, err = f.Size(); err != nil {
			return errors.Join(err, f.Close())
		}
		h, ok, err := readSegHeader(f)
		if err != nil {
			return errors.Join(fmt.Errorf("queue: %s: %w", name, err), f.Close())
		}
		s.segHeader = h
		if !ok || h.seq != n {
			q.lostHeaders = append(q.lostHeaders, n)
			s.segHeader = segHeader{seq: n}
		}
		l.segs[n] = s
	}
	if q.readOnly {
		return nil
	}
	return q.mendHeaders()
}

// oldSpare takes over a file that an earlier run prepared, or removes it.
func (q *Queue) oldSpare(name string) {
	digits, ok := strings.CutPrefix(name, "spare-")
	n, err := strconv.ParseUint(digits, 10, 64)
	if !ok || err != nil || q.readOnly {
		return
	}
	q.tmp.Store(max(q.tmp.Load(), n)) // no name is given twice
	l := &q.log
	if f, err := q.disk.Open(l.path(name), false); err == nil {
		size, serr := f.Size()
		if f.Close() == nil && serr == nil && size == l.segSize && len(l.spares) < keptSpares {
			l.spares = append(l.spares, name)
			return
		}
	}
	_ = q.disk.Remove(l.path(name)) // what cannot be removed stays unused
}

// mendHeaders finds the nonce of segments whose header is lost in the segment
// behind them. Without it their records cannot be told from forged ones: the
// whole segment is put aside.
func (q *Queue) mendHeaders() error {
	l := &q.log
	for _, n := range q.lostHeaders {
		s, next := l.segs[n], l.segs[n+1]
		if next != nil && next.prevNonce != 0 {
			s.nonce = next.prevNonce
			q.o.Logf("queue: %s: the header was damaged and is known from the segment behind", segName(n))
			continue
		}
		name := segName(n) + "-whole"
		q.o.Logf("queue: %s: the header is damaged, twice, and so is the way to read the segment; it was moved to quarantine/%s", segName(n), name)
		q.st.quarantined.Add(1)
		delete(l.segs, n)
		if err := errors.Join(s.file.Close(), q.disk.Rename(l.path(segName(n)), filepath.Join(q.dir, "quarantine", name)), q.disk.SyncDir(l.dir)); err != nil {
			return fmt.Errorf("queue: %w", err)
		}
	}
	return nil
}

// startIndex opens the index and believes it, or starts a new one.
func (q *Queue) startIndex() (clean bool, err error) {
	if len(q.log.segs) == 0 {
		// A log that is gone cannot be told from a new spool, except that an
		// index says otherwise.
		c, err := q.tryIndex(func(ID, location) error { return nil })
		if err == nil && c.messages > 0 {
			return false, fmt.Errorf("queue: the log of %s is gone, and the index knows of %d messages in it; bring the log back, or remove the index to start without them", q.dir, c.messages)
		}
		if errors.Is(err, errNoIndex) {
			err = nil
		}
		return false, q.newIndex(err) // one that is damaged knows of nothing
	}
	c, err := q.tryIndex(q.count)
	if err == nil {
		s := q.log.segs[c.seg]
		if s != nil && s.nonce == c.nonce && c.off >= segData && c.off <= s.size {
			q.flushedTo, q.position = c.position, c.position
			q.reserved, q.messages, q.byState = c.reserved, int(c.messages), c.byState
			return c.clean, nil
		}
		err = fmt.Errorf("%w: it belongs to another state of the log", errIndex)
	}
	return false, q.newIndex(err)
}

// tryIndex opens the index that is there and counts what it knows.
func (q *Queue) tryIndex(each func(ID, location) error) (checkpoint, error) {
	names, err := q.disk.ReadDir(q.dir)
	if err != nil {
		return checkpoint{}, err
	}
	if !slices.Contains(names, filepath.Base(indexPath(q.dir))) {
		return checkpoint{}, errNoIndex
	}
	c, err := survey(q.disk, indexPath(q.dir), each)
	if err != nil {
		return checkpoint{}, err
	}
	q.index, err = openIndex(q.disk, indexPath(q.dir))
	return c, err
}

var errNoIndex = errors.New("queue: there is no index")

// count adds one message of the index to the figures.
func (q *Queue) count(id ID, loc location) error {
	q.liveAdd(loc, +1)
	if s := q.log.segs[loc.seg]; s == nil || int64(loc.off)+int64(loc.size) > s.size {
		return fmt.Errorf("%w: message %s lies outside of the log", errIndex, id)
	}
	return nil
}

// newIndex makes an empty index, to be filled from the whole log.
func (q *Queue) newIndex(why error) error {
	path := indexPath(q.dir)
	if q.index != nil {
		_ = q.index.close() // it is being replaced
		q.index = nil
	}
	if why != nil {
		q.o.Logf("queue: %v; it is made anew from the log", why)
		if !errors.Is(why, errNoIndex) {
			if err := q.disk.Rename(path, path+".damaged"); err != nil {
				return fmt.Errorf("queue: %w", err)
			}
		}
	}
	q.resetCounts()
	ix, err := openIndex(q.disk, path)
	if err == nil {
		err = ix.create()
	}
	if err != nil {
		return fmt.Errorf("queue: a new index cannot be made: %w", err)
	}
	q.index = ix
	q.flushedTo = position{}
	return nil
}

func (q *Queue) resetCounts() {
	q.byState = [len(stateNames)]int{}
	q.messages, q.liveBytes = 0, 0
	for _, s := range q.log.segs {
		s.live, s.count = 0, 0
	}
}
