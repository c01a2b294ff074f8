package queue

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
)

// Report is what Check and Compact found.
type Report struct {
	Messages   int
	Recipients int // that have not ended
	Segments   int
	LogBytes   int64
	LiveBytes  int64
	BigFiles   int      // bodies in files of their own
	Behind     int64    // octets of the log that the index does not know yet; the next start reads them
	Faults     []string // empty: all is well
}

// Check reads log, index and bodies whole and says what is wrong, and changes
// nothing. It answers ErrLocked while a daemon runs on the spool.
func Check(dir string) (Report, error) { return check(dir, Options{}) }

func check(dir string, o Options) (rep Report, err error) {
	o.MinFree = -1
	q, err := offline(dir, o)
	if err != nil {
		return rep, err
	}
	defer func() { err = errors.Join(err, q.closeAll()) }()
	q.readOnly = true
	if err := q.openSegments(); err != nil {
		return rep, err
	}
	for _, n := range q.lostHeaders {
		rep.Faults = append(rep.Faults, segName(n)+": the header is damaged")
	}
	c, err := q.tryIndex(q.count)
	if err != nil {
		rep.Faults = append(rep.Faults, err.Error())
	} else {
		q.messages, q.byState = int(c.messages), c.byState
		if err := q.checkBodies(&rep); err != nil {
			return rep, err
		}
	}
	rep.Messages, rep.Recipients = q.messages, q.byState[Pending]+q.byState[Held]
	rep.LogBytes, rep.LiveBytes, rep.Segments = q.log.bytes(), q.liveBytes, len(q.log.segs)
	return rep, q.checkLog(&rep, c)
}

// offline is a queue whose log and index are not open yet.
func offline(dir string, o Options) (*Queue, error) {
	o.defaults()
	names, err := o.Disk.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("queue: %w", err)
	}
	if !slices.Contains(names, "log") {
		return nil, fmt.Errorf("queue: %s is not a spool", dir)
	}
	return prepare(dir, o)
}

// checkBodies reads every body that the index knows of.
func (q *Queue) checkBodies(rep *Report) error {
	ids := make(map[string]bool)
	names, err := q.disk.ReadDir(q.bigDir())
	if err != nil {
		return fmt.Errorf("queue: %w", err)
	}
	for _, n := range names {
		if !strings.HasSuffix(n, ".tmp") {
			ids[n] = true
		}
	}
	rep.BigFiles = len(ids)
	return q.walk(func(s *sight) bool {
		if s.damaged {
			rep.Faults = append(rep.Faults, fmt.Sprintf("message %s: the body is lost", s.id))
			return true
		}
		b, err := q.openBody(s.id, nil)
		if err == nil {
			err = errors.Join(drain(b), b.Close())
		}
		if err != nil {
			rep.Faults = append(rep.Faults, fmt.Sprintf("message %s: %v", s.id, err))
		}
		return true
	})
}

// checkLog reads every record of the log.
func (q *Queue) checkLog(rep *Report, c checkpoint) error {
	numbers := q.log.numbers()
	for i, n := range numbers {
		seg, end := q.log.segs[n], int64(0)
		if i+1 < len(numbers) {
			if next := q.log.segs[numbers[i+1]]; next.seq == n+1 && next.prevNonce == seg.nonce {
				end = int64(next.prevEnd)
			}
		}
		r := &replay{q: q, dry: true, step: func(at int64, _ uint64) error {
			if n > c.seg || n == c.seg && at > c.off {
				rep.Behind += at - max(seg.end, segData)
			}
			seg.end = at
			return nil
		}}
		if n == c.seg {
			seg.end = c.off
		}
		if _, _, err := r.segment(seg, segData, 0, end); err != nil {
			return fmt.Errorf("queue: %s: %w", segName(n), err)
		}
		rep.Faults = append(rep.Faults, r.faults...)
	}
	return nil
}

// Rebuild makes the index anew from the log. The old one is kept beside it
// until the new one is complete.
func Rebuild(dir string, progress func(done, total int64)) error {
	return rebuild(dir, Options{}, progress)
}

func rebuild(dir string, o Options, progress func(done, total int64)) error {
	o.MinFree = -1
	q, err := offline(dir, o)
	if err != nil {
		return err
	}
	path := indexPath(dir)
	names, err := q.disk.ReadDir(dir)
	if err == nil && slices.Contains(names, filepath.Base(path)) {
		err = q.disk.Rename(path, path+".old")
	}
	if err == nil {
		_, err = q.start(progress)
	}
	if err == nil {
		q.checkpoint(closing)
		if names, _ := q.disk.ReadDir(dir); slices.Contains(names, filepath.Base(path)+".old") {
			err = q.disk.Remove(path + ".old")
		}
	}
	return errors.Join(err, q.closeAll())
}

// Compact writes what is needed together and gives the rest of the space back.
func Compact(dir string) (Report, error) { return compact(dir, Options{}) }

func compact(dir string, o Options) (Report, error) {
	o.MinFree = -1
	q, err := offline(dir, o)
	if err != nil {
		return Report{}, err
	}
	if _, err := q.start(nil); err != nil {
		return Report{}, errors.Join(err, q.closeAll())
	}
	q.run(false)
	q.sweepAll = true
	q.checkpoint(opening)
	q.freeTail()
	first := q.log.head.seq // what lies behind was written by this very run
	for at := (sweep{}); !q.stopped.Load() && q.log.tail < first; {
		q.compactSome()
		q.checkpoint(opening)
		q.freeTail()
		now := q.sweep
		now.off += int64(q.log.tail) << 32
		if now == at {
			break // the rest is needed where it is
		}
		at = now
	}
	st := q.Stats()
	for _, s := range q.log.spares {
		err = errors.Join(err, q.disk.Remove(q.log.path(s)))
	}
	q.log.spares = nil
	if q.stopped.Load() {
		err = errors.Join(err, ErrStopped)
	}
	rep := Report{Messages: st.Messages, Recipients: st.ByState[Pending] + st.ByState[Held], Segments: st.Segments, LogBytes: st.LogBytes, LiveBytes: st.LiveBytes}
	if err = errors.Join(err, q.Close()); err != nil {
		return rep, err
	}
	return rep, compactIndex(q.disk, dir)
}

// drain reads a body to its end, which checks it.
func drain(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}
