package queue

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"
)

// The index is a bbolt file that knows the state of the queue at one place of
// the log, its checkpoint. It is a cache: whatever is wrong with it, the log
// makes it anew.
//
//	meta  "checkpoint" -> where it stands
//	msg   id           -> location, envelope, states of the recipients
//	due   time, id     -> nothing; messages with something to do
var (
	bucketMeta = []byte("meta")
	bucketMsg  = []byte("msg")
	bucketDue  = []byte("due")
	keyCheck   = []byte("checkpoint")
)

// errIndex says that the index cannot be believed.
var errIndex = errors.New("queue: index is damaged")

const indexVersion = 1

// position is a place between two groups of the log.
type position struct {
	seg   uint64
	off   int64
	group uint64
}

// checkpoint is what the index says about itself.
type checkpoint struct {
	position
	nonce    uint64 // of the segment: an index of another log is not ours
	reserved uint64
	messages uint64
	byState  [len(stateNames)]int
	freeTo   uint64 // no message lies in segments below it; not written
	clean    bool   // the queue was closed: nothing was written behind position
}

func (c *checkpoint) encode() []byte {
	le := binary.LittleEndian
	b := make([]byte, 4, 64)
	b = append(b, indexVersion)
	for _, v := range [...]uint64{c.seg, uint64(c.off), c.group, c.nonce, c.reserved, c.messages} {
		b = le.AppendUint64(b, v)
	}
	for _, n := range c.byState {
		b = le.AppendUint64(b, uint64(n))
	}
	if c.clean {
		b = append(b, 1)
	} else {
		b = append(b, 0)
	}
	le.PutUint32(b, crcOf(b[4:]))
	return b
}

func decodeCheckpoint(b []byte) (c checkpoint, ok bool) {
	le := binary.LittleEndian
	const numbers = 6 + len(stateNames)
	if len(b) != 5+8*numbers+1 || le.Uint32(b) != crcOf(b[4:]) || b[4] != indexVersion {
		return c, false
	}
	v := func(i int) uint64 { return le.Uint64(b[5+8*i:]) }
	c.position = position{v(0), int64(v(1)), v(2)}
	c.nonce, c.reserved, c.messages, c.clean = v(3), v(4), v(5), b[len(b)-1] == 1
	for i := range c.byState {
		c.byState[i] = int(v(6 + i))
	}
	return c, true
}

// dueKey is a key of the due bucket.
type dueKey struct {
	due int64
	id  ID
}

func (k dueKey) before(o dueKey) bool {
	return k.due < o.due || k.due == o.due && k.id < o.id
}

func (k dueKey) bytes() []byte {
	b := make([]byte, 16)
	binary.BigEndian.PutUint64(b, uint64(max(k.due, 0)))
	binary.BigEndian.PutUint64(b[8:], uint64(k.id))
	return b
}

func parseDueKey(b []byte) (dueKey, bool) {
	if len(b) != 16 {
		return dueKey{}, false
	}
	return dueKey{int64(binary.BigEndian.Uint64(b)), ID(binary.BigEndian.Uint64(b[8:]))}, true
}

func idKey(id ID) []byte { return binary.BigEndian.AppendUint64(nil, uint64(id)) }

// A value of msg is a checksum over key and rest, due time and location at
// fixed places, then the same bytes as in a recMove.
const valueHead = 4 + 8 + 8 + 4 + 4 + 4

func encodeValue(b []byte, m *message, rcpts []rcpt, loc location, due int64) []byte {
	le := binary.LittleEndian
	b = append(b[:0], 0, 0, 0, 0)
	b = le.AppendUint64(b, uint64(due))
	b = le.AppendUint64(b, loc.seg)
	b = le.AppendUint32(b, loc.off)
	b = le.AppendUint32(b, loc.size)
	b = le.AppendUint32(b, loc.body)
	b = appendMessage(b, m, rcpts, true)
	le.PutUint32(b, valueSum(m.id, b))
	return b
}

func valueSum(id ID, v []byte) uint32 {
	var k [8]byte
	binary.BigEndian.PutUint64(k[:], uint64(id))
	return crcAdd(crcOf(k[:]), v[4:])
}

// valuePlace checks a value and reads what scans need of it.
func valuePlace(k, v []byte) (id ID, due int64, loc location, ok bool) {
	if len(k) != 8 || len(v) < valueHead {
		return
	}
	le := binary.LittleEndian
	id = ID(binary.BigEndian.Uint64(k))
	if valueSum(id, v) != le.Uint32(v) {
		return
	}
	return id, int64(le.Uint64(v[4:])), location{le.Uint64(v[12:]), le.Uint32(v[20:]), le.Uint32(v[24:]), le.Uint32(v[28:])}, true
}

func decodeValue(k, v []byte) (*message, error) {
	id, due, loc, ok := valuePlace(k, v)
	if !ok {
		return nil, errIndex
	}
	m, err := decodeMessage(id, v[valueHead:])
	if err != nil || m.due != due {
		return nil, errIndex
	}
	m.loc, m.indexed = loc, true
	return m, nil
}

// index is the open file.
type index struct {
	db   *bolt.DB
	path string
}

func indexPath(dir string) string { return filepath.Join(dir, "index.bolt") }

func openIndex(disk Disk, path string) (ix *index, err error) {
	defer guard(&err)()
	db, err := bolt.Open(path, 0o600, &bolt.Options{
		Timeout:         5 * time.Second, // the spool's own lock was taken before
		NoFreelistSync:  true,
		FreelistType:    bolt.FreelistMapType,
		InitialMmapSize: 1 << 30, // address space only: growing waits for readers
		NoStatistics:    true,
		OpenFile:        disk.IndexFile,
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errIndex, err)
	}
	db.AllocSize = 32 << 20 // each growth costs a sync of its own
	return &index{db, path}, nil
}

// guard turns a panic of bbolt, and a fault in the mapped file, into an error:
// that is how damage there shows.
func guard(err *error) func() {
	old := debug.SetPanicOnFault(true)
	return func() {
		debug.SetPanicOnFault(old)
		if r := recover(); r != nil {
			*err = fmt.Errorf("%w: %v", errIndex, r)
		}
	}
}

func (ix *index) view(fn func(msg, due *bolt.Bucket) error) (err error) {
	defer guard(&err)()
	return ix.db.View(func(tx *bolt.Tx) error {
		msg, due := tx.Bucket(bucketMsg), tx.Bucket(bucketDue)
		if msg == nil || due == nil {
			return errIndex
		}
		return fn(msg, due)
	})
}

// close may find that bbolt panics once more; the file is given up then.
func (ix *index) close() (err error) {
	defer guard(&err)()
	return ix.db.Close()
}

// create makes the buckets of a new index.
func (ix *index) create() (err error) {
	defer guard(&err)()
	return ix.db.Update(func(tx *bolt.Tx) error {
		for _, b := range [][]byte{bucketMeta, bucketMsg, bucketDue} {
			if _, err := tx.CreateBucketIfNotExists(b); err != nil {
				return err
			}
		}
		return nil
	})
}

// flushed is what the checkpoint needs to know of one message; the recipients
// are frozen.
type flushed struct {
	m     *message
	rcpts []rcpt
	loc   location
	due   int64
	gone  bool
}

// write makes the net change and the checkpoint durable in one transaction.
func (ix *index) write(list []flushed, c *checkpoint) (err error) {
	defer guard(&err)()
	slices.SortFunc(list, func(a, b flushed) int { return cmp.Compare(a.m.id, b.m.id) })
	return ix.db.Update(func(tx *bolt.Tx) error {
		meta, msg, due := tx.Bucket(bucketMeta), tx.Bucket(bucketMsg), tx.Bucket(bucketDue)
		if meta == nil || msg == nil || due == nil {
			return errIndex
		}
		msg.FillPercent = 0.9 // IDs grow, so pages fill from the left
		var buf []byte
		for i := range list {
			e := &list[i]
			k := idKey(e.m.id)
			if old := msg.Get(k); old != nil {
				_, at, _, ok := valuePlace(k, old)
				if !ok {
					return errIndex
				}
				if at != never && (e.gone || at != e.due) {
					if err := due.Delete(dueKey{at, e.m.id}.bytes()); err != nil {
						return err
					}
				}
			}
			if e.gone {
				if err := msg.Delete(k); err != nil {
					return err
				}
				continue
			}
			buf = encodeValue(nil, e.m, e.rcpts, e.loc, e.due)
			if err := msg.Put(k, buf); err != nil {
				return err
			}
			if e.due != never {
				if err := due.Put(dueKey{e.due, e.m.id}.bytes(), nil); err != nil {
					return err
				}
			}
		}
		return meta.Put(keyCheck, c.encode())
	})
}

// load brings messages that are due from the index into memory, as far as
// there is room. The caller holds mu; what is in memory already is newer than
// the index and stays.
func (q *Queue) load(now int64) {
	if q.diskDue.due > now || q.active >= q.o.ActiveLimit {
		return
	}
	from, next := q.diskDue, dueKey{never, 0}
	loaded := 0
	err := q.index.view(func(msg, due *bolt.Bucket) error {
		cur := due.Cursor()
		for k, _ := cur.Seek(from.bytes()); k != nil; k, _ = cur.Next() {
			d, ok := parseDueKey(k)
			if !ok {
				return errIndex
			}
			if d.due > now || loaded >= loadBatch || q.active >= q.o.ActiveLimit {
				next = d
				return nil
			}
			if q.live[d.id] != nil {
				continue
			}
			m, err := decodeValue(idKey(d.id), msg.Get(idKey(d.id)))
			if err != nil {
				return err
			}
			q.remember(m)
			loaded++
		}
		return nil
	})
	q.diskDue = next
	if err != nil {
		q.indexBroken(err)
	}
}

// remember takes a message from the index into memory.
func (q *Queue) remember(m *message) {
	q.live[m.id] = m
	q.activeAdd(m, +1)
	q.schedule(m)
}

// find is a message of the queue, from memory or from the index, or nil. The
// caller holds mu and calls tidy when it is done with it.
func (q *Queue) find(id ID) *message {
	if m := q.live[id]; m != nil {
		if m.gone {
			return nil
		}
		return m
	}
	var m *message
	err := q.index.view(func(msg, _ *bolt.Bucket) (err error) {
		if v := msg.Get(idKey(id)); v != nil {
			m, err = decodeValue(idKey(id), v)
		}
		return err
	})
	if err != nil {
		q.indexBroken(err)
		return nil
	}
	if m != nil {
		q.remember(m)
	}
	return m
}

// indexBroken stops the queue after damage that was found in the index while
// it ran. The file is put aside, so that the next start makes a new one.
func (q *Queue) indexBroken(err error) {
	if q.stopped.Load() || q.readOnly {
		return
	}
	if rerr := q.disk.Rename(indexPath(q.dir), indexPath(q.dir)+".damaged"); rerr != nil && !errors.Is(rerr, os.ErrNotExist) {
		err = errors.Join(err, rerr)
	}
	_ = q.stop(err)
}
