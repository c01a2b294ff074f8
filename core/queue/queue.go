package queue

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// Errors that callers branch on.
var (
	// ErrNoSpace: the disk is full or nearly so: 452. It passes by itself.
	ErrNoSpace = errors.New("queue: no space left for mail")
	// ErrStopped: the queue was closed, or the disk failed and nothing can be
	// promised any more: 451 until the program is started again.
	ErrStopped = errors.New("queue: stopped")
	// ErrLocked: another process has the spool.
	ErrLocked = errors.New("queue: the spool is in use")
	// ErrNotFound: no such message (any more).
	ErrNotFound = errors.New("queue: no such message")
)

// Options of a queue. The zero value is a working one.
type Options struct {
	Now         func() time.Time // default time.Now
	Logf        func(format string, args ...any)
	SegmentSize int64     // of the log; default 64 MiB
	InlineMax   int64     // bodies above it get a file of their own; default 256 KiB
	CacheBytes  int64     // bodies kept in memory until they are delivered; default 64 MiB
	ActiveLimit int       // messages in memory because they are due; default 20,000
	MinFree     int64     // free bytes of the disk below which no mail is taken; default 64 MiB, negative: off
	Rand        io.Reader // default crypto/rand
	Disk        Disk      // default OS()
}

func (o *Options) defaults() {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logf == nil {
		o.Logf = func(string, ...any) {}
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Disk == nil {
		o.Disk = OS()
	}
	for _, d := range [...]struct {
		v        *int64
		or       int64
		min, max int64
	}{
		{&o.SegmentSize, 64 << 20, 64 << 10, 1 << 30},
		{&o.InlineMax, 256 << 10, 1, 16 << 20},
		{&o.CacheBytes, 64 << 20, 1, 1 << 40},
		{&o.MinFree, 64 << 20, -1, 1 << 50},
	} {
		if *d.v == 0 {
			*d.v = d.or
		}
		*d.v = min(max(*d.v, d.min), d.max)
	}
	if o.ActiveLimit <= 0 {
		o.ActiveLimit = 20_000
	}
}

// Queue is an open spool. Its methods may be called concurrently.
type Queue struct {
	dir  string
	o    Options
	disk Disk
	lock io.Closer
	// readOnly: a check, which changes nothing, not even what is wrong.
	readOnly bool

	nextID    atomic.Uint64
	idsUntil  atomic.Uint64 // IDs below are reserved, durably
	reserving atomic.Bool
	tmp       atomic.Uint64 // numbers names of unfinished files
	pools     pools
	txs       sync.Pool

	com     committer
	log     wal // segs, tail, spares: by mu; head, group: the committer's own
	stopped atomic.Bool
	stopCh  chan struct{} // closed with stopped
	closeCh chan struct{} // closed by Close
	closing sync.Once
	wg      sync.WaitGroup

	spaceAt   atomic.Int64 // when the disk was asked for its room, since opened
	spaceFree atomic.Int64
	opened    time.Time

	leaseWake     chan struct{} // capacity 1
	checkpointNow chan struct{} // capacity 1

	mu          sync.Mutex
	index       *index
	indexFault  bool // said so
	lostHeaders []uint64
	live        map[ID]*message // in memory; it is newer than the index
	dirty       []*message      // differ from the index
	ready       dueHeap
	active      int    // weight of live
	diskDue     dueKey // nothing in the index and not in live is due before
	leased      int
	messages    int
	byState     [len(stateNames)]int
	liveBytes   int64
	cached      int64
	reserved    uint64   // see idsUntil; as the log has it
	position    position // what is applied
	flushedTo   position // what the index knows
	trash       []ID     // files of bodies that are not needed any more
	freeTo      uint64   // segments below it are needed by nobody
	noFree      bool     // a segment could not be given up
	sweep       sweep    // where compaction is
	sweepAll    bool     // an operator wants all that can be had

	st counters
}

// Open opens the spool in dir, makes it if there is none, and brings it into
// order after a crash.
func Open(dir string, o Options) (*Queue, error) {
	o.defaults()
	q, err := prepare(dir, o)
	if err != nil {
		return nil, err
	}
	if _, err := q.start(nil); err != nil {
		return nil, errors.Join(err, q.closeAll())
	}
	q.run(true)
	return q, nil
}

// run starts the goroutines.
func (q *Queue) run(checkpoints bool) {
	q.wg.Add(1)
	go q.commitLoop()
	if checkpoints {
		q.wg.Add(1)
		go q.checkpointLoop()
	}
}

// prepare makes the queue and takes the spool for it. Nothing is read yet.
func prepare(dir string, o Options) (*Queue, error) {
	q := &Queue{
		dir: dir, o: o, disk: o.Disk, opened: time.Now(),
		stopCh: make(chan struct{}), closeCh: make(chan struct{}),
		leaseWake: make(chan struct{}, 1), checkpointNow: make(chan struct{}, 1),
		live: map[ID]*message{},
		log:  wal{disk: o.Disk, dir: filepath.Join(dir, "log"), segSize: o.SegmentSize, rand: o.Rand},
	}
	q.com.wake = make(chan struct{}, 1)
	q.spaceAt.Store(-int64(time.Hour))
	q.spaceFree.Store(math.MaxInt64) // until the first answer is there
	for _, d := range []string{dir, q.log.dir, q.bigDir(), filepath.Join(dir, "quarantine")} {
		if err := q.disk.MkdirAll(d); err != nil {
			return nil, fmt.Errorf("queue: %w", err)
		}
	}
	lock, err := q.disk.Lock(filepath.Join(dir, "lock"))
	if err != nil {
		return nil, err
	}
	q.lock = lock
	return q, nil
}

// start brings the spool into order. Nothing else runs yet.
func (q *Queue) start(progress func(done, total int64)) (*replay, error) {
	if err := q.disk.SyncDir(q.dir); err != nil {
		return nil, fmt.Errorf("queue: %w", err)
	}
	r, err := q.recoverLog(progress)
	if err != nil {
		return nil, err
	}
	l := &q.log
	if l.head == nil {
		if err := q.roll(0, true); err != nil {
			return nil, err
		}
		l.tail = l.head.seq
		q.position = position{l.head.seq, l.head.end, l.group}
	}
	// After a kill without a power cut the last records were read from the
	// kernel's memory: what is built on them now must not outlive them.
	if err := l.head.file.Sync(); err != nil {
		return nil, fmt.Errorf("queue: %w", err)
	}
	if err := q.sweepBig(); err != nil {
		return nil, err
	}
	q.makeSpares() // the reserve for outcomes, before any mail can fill the disk
	// The number of a commit of which no record came through a crash, or that a
	// full disk refused just before the end, is not known any more.
	l.group++
	first := max(q.reserved, 1)
	q.nextID.Store(first)
	q.idsUntil.Store(0)
	q.commit([]*tx{reservation(first + idBlock)}, nil)
	if q.idsUntil.Load() == 0 {
		return nil, fmt.Errorf("queue: %s: %w", q.dir, ErrNoSpace)
	}
	// From here on the index must not say any more that the log was closed.
	q.checkpoint(opening)
	if q.stopped.Load() {
		return nil, ErrStopped
	}
	if q.indexFault {
		return nil, fmt.Errorf("queue: the index in %s cannot be written", q.dir)
	}
	return r, nil
}

const (
	// idBlock IDs are reserved at once. A crash skips the rest of them.
	idBlock = 1_000_000
	idLow   = idBlock / 2
)

func reservation(until uint64) *tx {
	t := &tx{}
	t.recs = t.one[:1]
	t.one[0] = record{typ: recReserve, id: ID(until)}
	return t
}

// NewID is the next queue ID. It costs no disk access: IDs are reserved by the
// million, durably before the first of them is used.
func (q *Queue) NewID() string {
	id := q.nextID.Add(1) - 1
	until := q.idsUntil.Load()
	if id+idLow > until && q.reserving.CompareAndSwap(false, true) {
		t := reservation(until + idBlock)
		t.urgent = true
		if q.submit(t) != nil {
			q.reserving.Store(false)
		}
	}
	// Half a million IDs within one sync do not happen; if they do, wait.
	for id >= q.idsUntil.Load() && !q.stopped.Load() && !q.isClosed() {
		time.Sleep(time.Millisecond)
	}
	return ID(id).String()
}

func (q *Queue) isClosed() bool {
	select {
	case <-q.closeCh:
		return true
	default:
		return false
	}
}

func (q *Queue) now() int64 { return q.o.Now().UnixNano() }

// Space tells with ErrNoSpace that a message of that size (0: unknown) would
// not be taken now: it is for the answer to MAIL. The disk is asked once a
// second at most.
func (q *Queue) Space(size int64) error {
	if q.o.MinFree < 0 {
		return nil
	}
	since, last := int64(time.Since(q.opened)), q.spaceAt.Load()
	if since-last >= int64(time.Second) && q.spaceAt.CompareAndSwap(last, since) {
		free, err := q.disk.Free(q.dir)
		if err != nil {
			return fmt.Errorf("queue: %w", err)
		}
		q.spaceFree.Store(free)
	}
	if q.spaceFree.Load()-size < q.o.MinFree {
		return ErrNoSpace
	}
	return nil
}

// reserveSpares files are left for outcomes when the disk is full: what was
// accepted goes on being delivered, and that makes room.
const reserveSpares = 1

// takeSpare is a file for a new segment with room for need.
func (q *Queue) takeSpare(need int64, mail bool) (string, error) {
	l := &q.log
	if need += segData; need > l.segSize {
		return l.newSpare(q.tmp.Add(1), need)
	}
	keep := 0
	if mail {
		keep = reserveSpares
	}
	q.mu.Lock()
	if n := len(l.spares); n > keep {
		name := l.spares[n-1]
		l.spares = l.spares[:n-1]
		q.mu.Unlock()
		return name, nil
	}
	q.mu.Unlock()
	return l.newSpare(q.tmp.Add(1), l.segSize)
}

// makeSpares prepares files in advance, so that a commit need not wait for it.
func (q *Queue) makeSpares() {
	for {
		q.mu.Lock()
		n := len(q.log.spares)
		q.mu.Unlock()
		if n > reserveSpares {
			return
		}
		name, err := q.log.newSpare(q.tmp.Add(1), q.log.segSize)
		if err != nil {
			return // the commit that needs one says so
		}
		q.mu.Lock()
		q.log.spares = append(q.log.spares, name)
		q.mu.Unlock()
	}
}

// sweepBig removes bodies that no message names: drafts of before the crash,
// and messages whose end was durable before the removal of the file was.
func (q *Queue) sweepBig() error {
	names, err := q.disk.ReadDir(q.bigDir())
	if err != nil {
		return fmt.Errorf("queue: %w", err)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, name := range names {
		if id, err := ParseID(name); err == nil {
			m := q.find(id)
			if m != nil && m.big {
				q.tidy(m)
				continue
			}
		}
		_ = q.disk.Remove(q.bigPath(name)) // else the next start does
	}
	q.trash = nil
	return nil
}

// emptyTrash removes the files of bodies whose message has durably ended.
func (q *Queue) emptyTrash() {
	q.mu.Lock()
	ids := q.trash
	q.trash = nil
	q.mu.Unlock()
	for _, id := range ids {
		_ = q.disk.Remove(q.bigPath(id.String())) // else the next start does
	}
}

// Close writes down everything and closes the spool. Jobs that are still out
// are due again after the next Open.
func (q *Queue) Close() error {
	var err error
	q.closing.Do(func() { err = q.close() })
	return err
}

func (q *Queue) close() error {
	q.com.mu.Lock()
	q.com.closing = true
	q.com.mu.Unlock()
	close(q.closeCh)
	signal(q.com.wake)
	q.wg.Wait()
	if !q.stopped.Load() {
		q.mu.Lock()
		q.reserved = q.nextID.Load() // nothing is skipped after an orderly end
		q.mu.Unlock()
		q.checkpoint(closing)
		q.emptyTrash()
	}
	err := q.closeAll()
	if q.stopped.Load() {
		err = errors.Join(ErrStopped, err) // not everything was written down
	}
	return err
}

func (q *Queue) closeAll() error {
	var errs []error
	if q.index != nil {
		errs = append(errs, q.index.close())
	}
	errs = append(errs, q.log.closeFiles(), q.lock.Close())
	return errors.Join(errs...)
}
