package queue

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

var (
	errClosedBody = errors.New("queue: read of a closed body")
	errDraftGone  = errors.New("queue: draft was discarded or put before")
	errDamaged    = errors.New("queue: the body is damaged; what was left of it is in quarantine")
)

// Draft is a message that is arriving. It is not ours: a crash forgets it.
// One goroutine at a time uses it.
type Draft struct {
	q    *Queue
	id   ID
	buf  *buffer // the body, or the part of it that is not in the file yet
	size int64
	crc  uint32
	err  error // of an earlier call; kept

	file    File   // body above InlineMax
	name    string // of the file, without folder; "" without one
	filed   int64  // octets in the file
	settled bool   // file is synced and has its final name
	done    bool   // put or discarded
}

// Draft begins a message; id is from [Queue.NewID]. It never fails: what is
// wrong is told by Write and Put. A draft that is not put must be discarded.
func (q *Queue) Draft(id string) *Draft {
	d := &Draft{q: q}
	d.id, d.err = ParseID(id)
	return d
}

// Write appends to the body: CRLF line ends, no dot stuffing. ErrNoSpace and
// ErrStopped may come at any time; the draft is of no use afterwards.
func (d *Draft) Write(p []byte) (int, error) {
	if d.err == nil && d.done {
		d.err = errDraftGone
	}
	if d.err != nil {
		return 0, d.err
	}
	if d.buf == nil {
		d.buf = newBuffer(&d.q.pools)
	}
	d.crc = crcAdd(d.crc, p)
	d.size += int64(len(p))
	d.buf.Write(p)
	if d.size > d.q.o.InlineMax && d.buf.size >= smallChunk+3*largeChunk || d.size > d.q.o.InlineMax && d.file == nil {
		if d.err = d.spill(); d.err != nil {
			return 0, d.err
		}
	}
	return len(p), nil
}

// spill moves what is in memory to the draft's file.
func (d *Draft) spill() error {
	q := d.q
	if q.stopped.Load() {
		return ErrStopped
	}
	if err := q.Space(0); err != nil {
		return err
	}
	if d.file == nil {
		d.name = d.id.String() + "." + strconv.FormatUint(q.tmp.Add(1), 10) + ".tmp"
		f, err := q.disk.Open(q.bigPath(d.name), true)
		if err != nil {
			d.name = ""
			return diskError(err)
		}
		d.file = f
	}
	n, err := d.file.WriteVec(d.buf.chunks, d.filed)
	d.filed += n
	if err != nil {
		return diskError(err)
	}
	d.buf.release()
	d.buf = newBuffer(&q.pools)
	return nil
}

// diskError is what a caller learns of a fault that concerns its message only.
func diskError(err error) error {
	if isNoSpace(err) {
		return ErrNoSpace
	}
	return fmt.Errorf("queue: body: %w", err)
}

// Size is the number of octets written.
func (d *Draft) Size() int64 { return d.size }

// Open reads what was written so far.
func (d *Draft) Open() (sdk.Body, error) {
	if d.err != nil {
		return nil, d.err
	}
	if d.done {
		return nil, errDraftGone
	}
	if d.file == nil {
		if d.buf == nil {
			d.buf = newBuffer(&d.q.pools)
		}
		return &memBody{buf: d.buf.retain()}, nil
	}
	if d.buf.size > 0 {
		if d.err = d.spill(); d.err != nil {
			return nil, d.err
		}
	}
	f, err := d.q.disk.Open(d.q.bigPath(d.name), false)
	if err != nil {
		return nil, diskError(err)
	}
	return &fileBody{file: f, size: d.size, want: d.crc}, nil
}

// Message is a handle on what was written so far.
func (d *Draft) Message() sdk.Message { return sdk.NewMessage(d.id.String(), d.size, d.Open) }

// Discard throws the draft away. After a Put that succeeded it does nothing, so
// it can stand in a defer.
func (d *Draft) Discard() {
	if d.done {
		return
	}
	d.done = true
	if d.buf != nil {
		d.buf.release()
		d.buf = nil
	}
	if d.file != nil {
		_ = d.file.Close()
	}
	// After a fault of the disk nobody knows whether the record that names the
	// file is durable, so the file is left for the next start to decide.
	if d.name != "" && !d.q.stopped.Load() {
		_ = d.q.disk.Remove(d.q.bigPath(d.name)) // else Open removes it
	}
}

// finish makes a body that has a file of its own durable under its final name:
// the record may name it only afterwards.
func (d *Draft) finish() error {
	if d.err != nil {
		return d.err
	}
	if d.done {
		return errDraftGone
	}
	if d.file == nil || d.settled {
		return nil
	}
	if d.buf.size > 0 {
		if d.err = d.spill(); d.err != nil {
			return d.err
		}
	}
	q := d.q
	if err := d.file.Sync(); err != nil {
		// Only this message is in doubt, and nobody was told 250 for it.
		d.err = diskError(err)
		return d.err
	}
	final := d.id.String()
	if err := q.disk.Rename(q.bigPath(d.name), q.bigPath(final)); err != nil {
		d.err = diskError(err)
		return d.err
	}
	d.name = final
	if err := q.disk.SyncDir(q.bigDir()); err != nil {
		d.err = diskError(err)
		return d.err
	}
	d.settled = true
	return nil
}

func (q *Queue) bigDir() string             { return filepath.Join(q.dir, "big") }
func (q *Queue) bigPath(name string) string { return filepath.Join(q.dir, "big", name) }

// Put makes a message ours: when it returns nil, envelope and body are durable,
// and that is the instant at which 250 may be said. The envelope is the queue's
// from the call on and must not be changed any more; its ID becomes that of the
// draft.
//
// ErrNoSpace (452) and ErrStopped (451) mean that the message is not ours.
// ErrStopped after a fault of the disk leaves open whether it will be there
// after the next start, as a lost connection would. A context that is done is
// noticed before the commit, never during it.
func (q *Queue) Put(ctx context.Context, d *Draft, env *sdk.Envelope) error {
	return q.put(ctx, d, env, "")
}

// PutHeld is Put for a message that waits for an operator; by is who says so.
func (q *Queue) PutHeld(ctx context.Context, d *Draft, env *sdk.Envelope, by string) error {
	if by == "" {
		by = "unnamed"
	}
	return q.put(ctx, d, env, by)
}

func (q *Queue) put(ctx context.Context, d *Draft, env *sdk.Envelope, heldBy string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if q.stopped.Load() {
		return ErrStopped
	}
	if err := q.Space(0); err != nil {
		return err
	}
	m, err := q.prepare(d, env)
	if err != nil {
		return err
	}
	if heldBy != "" {
		for i := range m.rcpts {
			m.rcpts[i].state, m.rcpts[i].by = Held, heldBy
		}
		m.due = never
	}
	t := q.newTx()
	t.urgent, t.puts = true, 1
	t.recs = t.one[:1]
	t.one[0] = d.record(m, t.meta[:0], heldBy != "")
	t.meta = t.one[0].meta
	began := time.Now()
	if err := q.submit(t); err != nil {
		return err
	}
	err = <-t.done
	q.st.waiting.Add(int64(time.Since(began)))
	q.freeTx(t)
	if err == nil {
		d.taken()
	}
	return err
}

// prepare makes the message of a draft, with its body where the record can
// name it.
func (q *Queue) prepare(d *Draft, env *sdk.Envelope) (*message, error) {
	if len(env.Recipients) == 0 {
		return nil, errors.New("queue: envelope without recipients")
	}
	if err := d.finish(); err != nil {
		return nil, err
	}
	env.ID = d.id.String()
	env.Size = d.size
	m := &message{id: d.id, env: env, arrived: q.now(), size: d.size, bodyCRC: d.crc, big: d.file != nil, heapAt: -1}
	m.fresh()
	q.mu.Lock()
	_, twice := q.live[d.id]
	q.mu.Unlock()
	if twice || uint64(d.id) >= q.nextID.Load() {
		return nil, fmt.Errorf("queue: %s is not a new ID", env.ID)
	}
	return m, nil
}

func (d *Draft) record(m *message, meta []byte, states bool) record {
	r := record{typ: recMessage, id: d.id, msg: m, bodyCRC: d.crc}
	if m.big {
		r.bodyCRC = 0 // the record has no body; the meta part has the sum
	} else if d.buf != nil {
		r.body = d.buf
	}
	r.meta = appendMessage(meta, m, m.rcpts, states)
	return r
}

// taken notes that the body belongs to the queue now.
func (d *Draft) taken() {
	d.done, d.buf = true, nil
	if d.file != nil {
		_ = d.file.Close()
	}
}

func (q *Queue) newTx() *tx {
	if t, ok := q.txs.Get().(*tx); ok {
		return t
	}
	return &tx{done: make(chan error, 1)}
}

func (q *Queue) freeTx(t *tx) {
	meta, done := t.meta, t.done
	if cap(meta) > 64<<10 {
		meta = nil
	}
	*t = tx{meta: meta, done: done}
	q.txs.Put(t)
}
