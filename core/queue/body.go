package queue

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/programmable-mta/mta/sdk"
)

// openBody reads the content of a message. m may be nil.
func (q *Queue) openBody(id ID, m *message) (sdk.Body, error) {
	q.mu.Lock()
	if m == nil {
		m = q.find(id)
	}
	switch {
	case m == nil || m.gone:
		q.mu.Unlock()
		return nil, ErrNotFound
	case m.damaged:
		q.mu.Unlock()
		return nil, errDamaged
	case m.body != nil:
		b := &memBody{buf: m.body.retain()}
		q.mu.Unlock()
		return b, nil
	}
	big, size, sum, loc := m.big, m.size, m.bodyCRC, m.loc
	seg := q.log.segs[loc.seg]
	if !big && seg != nil {
		seg.pins++ // it is neither recycled nor closed while it is read
	}
	q.tidy(m)
	q.mu.Unlock()
	if big {
		return q.openBig(id, size, sum)
	}
	if seg == nil {
		return nil, q.damage(id, errDamaged)
	}
	buf := newBuffer(&q.pools)
	err := readChunks(seg.file, buf.fill(size), int64(loc.off)+int64(loc.body), sum)
	q.mu.Lock()
	seg.pins--
	q.mu.Unlock()
	if err != nil {
		buf.release()
		if errors.Is(err, errDamaged) {
			err = q.damage(id, err)
		}
		return nil, err
	}
	return &memBody{buf: buf}, nil
}

func readChunks(f File, chunks [][]byte, off int64, sum uint32) error {
	var crc uint32
	for _, c := range chunks {
		n, err := f.ReadAt(c, off)
		if err == io.EOF && n < len(c) {
			return errDamaged
		}
		if err != nil && err != io.EOF {
			return fmt.Errorf("queue: body: %w", err)
		}
		crc = crcAdd(crc, c)
		off += int64(n)
	}
	if crc != sum {
		return errDamaged
	}
	return nil
}

func (q *Queue) openBig(id ID, size int64, sum uint32) (sdk.Body, error) {
	f, err := q.disk.Open(q.bigPath(id.String()), false)
	if errors.Is(err, os.ErrNotExist) {
		q.mu.Lock()
		m := q.find(id)
		q.mu.Unlock()
		if m == nil {
			return nil, ErrNotFound
		}
		return nil, q.damage(id, errDamaged)
	}
	if err != nil {
		return nil, fmt.Errorf("queue: body: %w", err)
	}
	return &fileBody{file: f, size: size, want: sum, bad: func() { _ = q.damage(id, errDamaged) }}, nil
}

// damage holds a message whose body cannot be read any more: it is neither
// handed on in parts nor thrown away.
func (q *Queue) damage(id ID, err error) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	m := q.find(id)
	if m == nil || q.readOnly {
		return err
	}
	var cs []change
	for i := range m.rcpts {
		if m.rcpts[i].state == Pending {
			cs = append(cs, change{index: uint32(i), kind: chHold, to: rcpt{by: damagedBy}})
		}
	}
	if len(cs) == 0 {
		return err
	}
	q.st.quarantined.Add(1)
	q.o.Logf("queue: the body of message %s from <%s> is damaged; the message is held", id, m.env.From)
	t := &tx{recs: []record{{typ: recChange, id: id, changes: cs, meta: appendChanges(nil, cs)}}}
	return errors.Join(err, q.submit(t))
}

// fileBody reads a body that has a file of its own. Reading it from beginning
// to end also checks it: a damaged body ends in an error, never in EOF, so that
// nothing damaged is ever handed on as whole.
type fileBody struct {
	file File
	size int64
	off  int64
	crc  uint32
	want uint32
	bad  func() // told once that the content is damaged
}

func (b *fileBody) Read(p []byte) (int, error) {
	if b.off >= b.size {
		if b.crc != b.want {
			return 0, b.damaged(errDamaged)
		}
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), b.size-b.off)]
	n, err := b.file.ReadAt(p, b.off)
	b.crc = crcAdd(b.crc, p[:n])
	b.off += int64(n)
	if b.off == b.size && b.crc != b.want {
		return 0, b.damaged(errDamaged) // the last octets are not given out
	}
	if err == io.EOF {
		err = nil
		if n == 0 && len(p) > 0 {
			return 0, b.damaged(io.ErrUnexpectedEOF)
		}
	}
	return n, err
}

func (b *fileBody) damaged(err error) error {
	if b.bad != nil {
		b.bad()
		b.bad = nil
	}
	return err
}

func (b *fileBody) ReadAt(p []byte, off int64) (int, error) {
	if off >= b.size {
		return 0, io.EOF
	}
	short := int64(len(p)) > b.size-off
	n, err := b.file.ReadAt(p[:min(int64(len(p)), b.size-off)], off)
	if err == nil && short {
		err = io.EOF
	}
	return n, err
}

func (b *fileBody) Close() error { return b.file.Close() }
