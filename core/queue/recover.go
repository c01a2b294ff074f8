package queue

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
)

// window reads a file from front to back through a buffer that grows to the
// largest record and no further.
type window struct {
	f     File
	limit int64 // nothing is read behind it
	at    int64 // of buf[0]
	buf   []byte
}

const windowSize = 1 << 20

// bytes answers n bytes from off, or what there is up to the limit. They are
// valid until the next call.
func (w *window) bytes(off, n int64) ([]byte, error) {
	n = min(n, w.limit-off)
	if n <= 0 {
		return nil, nil
	}
	if off >= w.at && off+n <= w.at+int64(len(w.buf)) {
		return w.buf[off-w.at:][:n], nil
	}
	want := min(max(n, windowSize), w.limit-off)
	if int64(cap(w.buf)) < want {
		w.buf = make([]byte, want)
	}
	w.buf = w.buf[:want]
	got, err := w.f.ReadAt(w.buf, off)
	w.at, w.buf = off, w.buf[:got]
	if err != nil && err != io.EOF {
		return nil, err
	}
	return w.buf[:min(n, int64(got))], nil
}

// item is one record that was found whole.
type item struct {
	header
	meta []byte // a copy
}

// scanner finds the records of one segment.
type scanner struct {
	win   window
	nonce uint64
	// group and open are where the log stands: the number of the last group,
	// and whether more of it must follow.
	group uint64
	open  bool
}

// read answers the record at off if there is one, whole, that can follow here.
// bodyBad tells of one whose header is whole and whose body is not.
func (s *scanner) read(off int64) (it item, ok, bodyBad bool, err error) {
	b, err := s.win.bytes(off, headerLen)
	if err != nil {
		return it, false, false, err
	}
	h, ok := parseHeader(b, s.nonce, off)
	if !ok || h.group < s.group || h.group == s.group && !s.open {
		return it, false, false, nil // not a record, or one of a commit that failed
	}
	if off+h.size() > s.win.limit {
		return it, false, false, nil
	}
	b, err = s.win.bytes(off, h.size())
	if err != nil || int64(len(b)) < h.size() || !sumOK(b, h) {
		return it, false, false, err
	}
	it.header = h
	it.meta = bytes.Clone(b[headerLen : headerLen+int(h.metaLen)])
	body := b[headerLen+int(h.metaLen):][:h.bodyLen]
	if h.bodyLen > 0 && crcOf(body) != h.bodyCRC {
		return it, false, true, nil
	}
	return it, true, false, nil
}

// resync finds the next record behind damage. A mail that contains bytes in
// the shape of records does not deceive it: nobody outside knows the nonce.
func (s *scanner) resync(off int64) (int64, item, error) {
	var mark [16]byte
	binary.LittleEndian.PutUint64(mark[8:], s.nonce)
	for off = padded(off); off < s.win.limit; {
		b, err := s.win.bytes(off, windowSize)
		if err != nil {
			return 0, item{}, err
		}
		if len(b) < headerLen {
			break
		}
		i := bytes.Index(b[8:], mark[8:])
		if i < 0 {
			off += int64(len(b)-headerLen+recordAlign) &^ (recordAlign - 1)
			continue
		}
		at := off + int64(i)
		if at%recordAlign == 0 {
			it, ok, _, err := s.read(at)
			if err != nil {
				return 0, item{}, err
			}
			if ok {
				return at, it, nil
			}
		}
		off = padded(at + 1)
	}
	return -1, item{}, nil
}

// hole is a place where records should be and are not.
type hole struct {
	from, to int64
	next     header // of the record behind it
}

// replay is one run over the log.
type replay struct {
	q       *Queue
	seg     *segment
	sealed  bool   // records of seg go to a known end
	items   []item // of the group that is not complete yet
	broken  bool   // the transaction at hand lost a record
	doubt   []hole // in the group at hand: torn or damaged
	records int
	faults  []string
	dry     bool // look, and change nothing
	// step is called behind every group, with the number of it.
	step func(at int64, group uint64) error
}

// segment replays one segment from a place on, and answers where its records
// end and the highest group that was seen. sealed is where they must end, or
// zero for the last segment, whose end is where the last complete group ends.
func (r *replay) segment(seg *segment, from int64, group uint64, sealed int64) (end int64, _ uint64, err error) {
	limit := seg.size
	if sealed > 0 {
		limit = min(sealed, seg.size)
	}
	s := &scanner{win: window{f: seg.file, limit: limit}, nonce: seg.nonce, group: group}
	r.seg, r.sealed, r.items, r.broken, r.doubt = seg, sealed > 0, nil, false, nil
	end = from
	for off := from; off < limit; {
		it, ok, _, err := s.read(off)
		if err != nil {
			return 0, 0, err
		}
		if !ok {
			next, found, err := s.resync(off + 1)
			if err != nil {
				return 0, 0, err
			}
			if next < 0 {
				break
			}
			if err := r.gap(hole{off, next, found.header}); err != nil {
				return 0, 0, err
			}
			it, off = found, next
		}
		if err := r.take(&it, s); err != nil {
			return 0, 0, err
		}
		off += it.size()
		if !s.open {
			end = off
			if err := r.step(end, s.group); err != nil {
				return 0, 0, err
			}
		}
	}
	if sealed == 0 {
		return end, s.group, r.fillDoubt(end)
	}
	r.applyItems() // the group's end was synced, so it was damaged since
	if end < limit {
		err = r.quarantine(hole{from: end, to: limit})
	}
	return limit, s.group, err
}

// take adds one record to the group at hand, and applies the group when it is
// complete.
func (r *replay) take(it *item, s *scanner) error {
	if it.group != s.group {
		// A group is begun after the one before was synced.
		if err := r.convict(it.group); err != nil {
			return err
		}
		r.applyItems()
	}
	// A transaction is what stands from its first record to its last without a
	// gap. A void record may stand in the place of either: what is left of the
	// others did not happen at the start that made it void, nor does it now.
	if it.flags&flagFirst != 0 {
		r.dropPart()
		r.broken = false
	} else if n := len(r.items); n == 0 || r.items[n-1].flags&flagLast != 0 {
		r.broken = true
	}
	if !r.broken {
		r.items = append(r.items, *it)
	}
	s.group, s.open = it.group, it.flags&flagEnd == 0
	if !s.open {
		r.applyItems()
	}
	return nil
}

// dropPart forgets the records of a transaction whose last one is not there.
func (r *replay) dropPart() {
	whole := len(r.items)
	for whole > 0 && r.items[whole-1].flags&flagLast == 0 {
		whole--
	}
	clear(r.items[whole:])
	r.items = r.items[:whole]
}

// gap judges a hole. Behind the last sync a crash leaves anything, and nobody
// was told 250 for it; everything before was durable, so a hole there is
// damage. A hole that begins within the group of the record behind it is in
// doubt until a later group is seen.
func (r *replay) gap(h hole) error {
	r.dropPart()
	r.broken = true
	if r.sealed || int64(h.next.start) > h.from {
		return r.quarantine(h)
	}
	r.doubt = append(r.doubt, h)
	return nil
}

// convict takes the holes in doubt before a group for damage.
func (r *replay) convict(before uint64) error {
	keep := r.doubt[:0]
	for _, h := range r.doubt {
		if h.next.group >= before {
			keep = append(keep, h)
		} else if err := r.quarantine(h); err != nil {
			return err
		}
	}
	r.doubt = keep
	return nil
}

// fillDoubt makes torn places of the last commit into void records, so that no
// later reader takes them for damage.
func (r *replay) fillDoubt(end int64) error {
	for _, h := range r.doubt {
		if r.dry {
			break
		}
		n := h.to - h.from
		if h.from >= end || n < headerLen {
			continue
		}
		b := make([]byte, n)
		if _, err := r.seg.file.ReadAt(b, h.from); err != nil && err != io.EOF {
			return err
		}
		v := header{nonce: r.seg.nonce, group: h.next.group, start: h.next.start, offset: uint32(h.from),
			bodyLen: uint32(n - headerLen), bodyCRC: crcOf(b[headerLen:]), typ: recVoid, flags: flagFirst | flagLast}
		v.put(b)
		if _, err := r.seg.file.WriteAt(b[:headerLen], h.from); err != nil {
			return err
		}
	}
	return nil
}

// applyItems applies the whole transactions of the group at hand.
func (r *replay) applyItems() {
	r.dropPart()
	for i := range r.items {
		if !r.dry {
			r.record(&r.items[i])
		}
	}
	r.records += len(r.items)
	clear(r.items)
	r.items = r.items[:0]
}

// quarantine copies a damaged stretch of the log aside and says what it was.
func (r *replay) quarantine(h hole) error {
	if r.dry {
		r.fault("%s: bytes %d to %d are damaged: %s", segName(r.seg.seq), h.from, h.to, r.describe(h))
		return nil
	}
	name, err := r.q.copyAside(r.seg, h.from, h.to)
	if err != nil {
		return err
	}
	r.fault("%s: bytes %d to %d are damaged: %s; they were copied to %s", segName(r.seg.seq), h.from, h.to, r.describe(h), name)
	return nil
}

// copyAside copies a stretch of a segment to a file in quarantine.
func (q *Queue) copyAside(seg *segment, from, to int64) (name string, err error) {
	name = filepath.Join(q.dir, "quarantine", fmt.Sprintf("%s-%d", segName(seg.seq), from))
	f, err := q.disk.Open(name, true)
	if err != nil {
		return "", fmt.Errorf("queue: quarantine: %w", err)
	}
	defer f.Close()
	win := window{f: seg.file, limit: to}
	for off := from; off < to; off += windowSize {
		b, err := win.bytes(off, windowSize)
		if err == nil {
			_, err = f.WriteAt(b, off-from)
		}
		if err != nil {
			return "", fmt.Errorf("queue: quarantine: %w", err)
		}
	}
	if err := errors.Join(f.Sync(), q.disk.SyncDir(filepath.Dir(name))); err != nil {
		return "", fmt.Errorf("queue: quarantine: %w", err)
	}
	q.st.quarantined.Add(1)
	return name, nil
}

func (r *replay) fault(format string, args ...any) {
	r.faults = append(r.faults, fmt.Sprintf(format, args...))
	if r.dry {
		return
	}
	r.q.o.Logf("queue: %s", r.faults[len(r.faults)-1])
}

// describe says what a damaged stretch was, as far as its records can still be
// read. A message whose envelope is whole stays in the queue, held and without
// body, so that nobody has to miss it in silence.
func (r *replay) describe(h hole) string {
	s := &scanner{win: window{f: r.seg.file, limit: h.to}, nonce: r.seg.nonce}
	var what []string
	for off := h.from; off < h.to; {
		it, ok, bodyBad, err := s.read(off)
		if err != nil || !ok && !bodyBad {
			break
		}
		off += it.size()
		what = append(what, r.describeRecord(&it, bodyBad))
	}
	if len(what) == 0 {
		return "unreadable"
	}
	return strings.Join(what, "; ")
}

func (r *replay) describeRecord(it *item, bodyBad bool) string {
	switch it.typ {
	case recMessage, recMove:
		m, err := decodeMessage(ID(it.id), it.meta)
		if err != nil {
			return "a message with an unreadable envelope"
		}
		addrs := make([]string, 0, 8)
		for i := range m.env.Recipients[:min(len(m.env.Recipients), 8)] {
			addrs = append(addrs, m.env.Recipients[i].Addr)
		}
		if bodyBad && !r.dry && r.q.find(m.id) == nil {
			m.damaged = true
			m.loc = location{r.seg.seq, it.offset, uint32(it.size()), headerLen + it.metaLen}
			m.holdAll(damagedBy)
			r.q.admit(m)
		}
		return fmt.Sprintf("message %s from <%s> to %d recipients (%s)", m.id, m.env.From, len(m.rcpts), strings.Join(addrs, ", "))
	case recChange:
		return "outcomes of message " + ID(it.id).String()
	}
	return "a record without mail"
}

// damagedBy is who holds a message whose body is lost.
const damagedBy = "queue: body damaged, see quarantine"

// holdAll holds what has not ended, of a message that nobody else knows yet.
func (m *message) holdAll(by string) {
	for i := range m.rcpts {
		if !m.rcpts[i].state.Ended() {
			m.rcpts[i].state, m.rcpts[i].by = Held, by
		}
	}
	m.due = never
}

// record brings one record of the log into the state.
func (r *replay) record(it *item) {
	q := r.q
	rec := record{typ: it.typ, id: ID(it.id), loc: location{r.seg.seq, it.offset, uint32(it.size()), headerLen + it.metaLen}}
	var err error
	switch it.typ {
	case recMessage:
		if rec.msg, err = decodeMessage(rec.id, it.meta); err == nil && q.find(rec.id) != nil {
			err = errors.New("it is in the log twice")
		}
	case recMove:
		if rec.msg = q.find(rec.id); rec.msg == nil {
			// Its first place was given up: this record is the message now.
			rec.typ = recMessage
			rec.msg, err = decodeMessage(rec.id, it.meta)
		} else if len(it.meta) > 1 && it.meta[1]&metaDamaged != 0 {
			rec.msg.damaged = true
		}
	case recChange:
		q.find(rec.id) // into memory
		rec.changes, err = decodeChanges(it.meta)
	}
	if err != nil {
		r.fault("%s at %d: message %s: %v", segName(r.seg.seq), it.offset, rec.id, err)
		return
	}
	if it.typ != recReserve {
		q.reserved = max(q.reserved, it.id+1) // even if all reservations were lost
	}
	q.applyRecord(&rec)
}
