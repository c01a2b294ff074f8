package queue

import (
	"io"
	"sync"
	"sync/atomic"
)

// Bodies lie in chunks from two pools: a small first one, because most mail is
// small, then larger ones. A body is copied once, from the session's buffer
// into its chunks; the commit writes the chunks themselves.
const (
	smallChunk = 8 << 10
	largeChunk = 64 << 10
)

type pools struct{ small, large sync.Pool }

func (p *pools) get(first bool) []byte {
	if first {
		if c, ok := p.small.Get().(*[smallChunk]byte); ok {
			return c[:0]
		}
		return make([]byte, 0, smallChunk)
	}
	if c, ok := p.large.Get().(*[largeChunk]byte); ok {
		return c[:0]
	}
	return make([]byte, 0, largeChunk)
}

func (p *pools) put(c []byte) {
	switch cap(c) {
	case smallChunk:
		p.small.Put((*[smallChunk]byte)(c[:smallChunk]))
	case largeChunk:
		p.large.Put((*[largeChunk]byte)(c[:largeChunk]))
	}
}

// buffer is a body in memory, shared by whoever holds a reference. Only a draft
// writes to it, before it is shared.
type buffer struct {
	pools  *pools
	chunks [][]byte
	few    [2][]byte // what chunks points to in the usual case
	size   int64
	refs   atomic.Int32
}

func newBuffer(p *pools) *buffer {
	b := &buffer{pools: p}
	b.chunks = b.few[:0]
	b.refs.Store(1)
	return b
}

func (b *buffer) Write(p []byte) (int, error) {
	n := len(p)
	b.size += int64(n)
	for len(p) > 0 {
		last := len(b.chunks) - 1
		if last < 0 || len(b.chunks[last]) == cap(b.chunks[last]) {
			b.chunks = append(b.chunks, b.pools.get(last < 0))
			last++
		}
		c := b.chunks[last]
		m := min(len(p), cap(c)-len(c))
		b.chunks[last] = append(c, p[:m]...)
		p = p[m:]
	}
	return n, nil
}

// fill makes the buffer n bytes long for a reader to fill.
func (b *buffer) fill(n int64) [][]byte {
	for b.size < n {
		c := b.pools.get(len(b.chunks) == 0)
		c = c[:min(int64(cap(c)), n-b.size)]
		b.chunks = append(b.chunks, c)
		b.size += int64(len(c))
	}
	return b.chunks
}

func (b *buffer) footprint() int64 {
	var n int64
	for _, c := range b.chunks {
		n += int64(cap(c))
	}
	return n
}

func (b *buffer) retain() *buffer { b.refs.Add(1); return b }

func (b *buffer) release() {
	if b.refs.Add(-1) != 0 {
		return
	}
	for i, c := range b.chunks {
		b.pools.put(c)
		b.chunks[i] = nil
	}
	b.chunks = nil
}

// ReadAt implements io.ReaderAt.
func (b *buffer) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= b.size {
		if len(p) == 0 {
			return 0, nil
		}
		return 0, io.EOF
	}
	n := 0
	for _, c := range b.chunks {
		if off >= int64(len(c)) {
			off -= int64(len(c))
			continue
		}
		m := copy(p[n:], c[off:])
		n += m
		off = 0
		if n == len(p) {
			return n, nil
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// memBody reads a buffer. It holds a reference until it is closed, so the
// chunks cannot be used for another message meanwhile.
type memBody struct {
	buf *buffer
	off int64
}

func (b *memBody) Read(p []byte) (int, error) {
	if b.buf == nil {
		return 0, errClosedBody
	}
	if len(p) == 0 {
		return 0, nil
	}
	n, err := b.buf.ReadAt(p, b.off)
	b.off += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

func (b *memBody) ReadAt(p []byte, off int64) (int, error) {
	if b.buf == nil {
		return 0, errClosedBody
	}
	return b.buf.ReadAt(p, off)
}

// WriteTo spares io.Copy its buffer.
func (b *memBody) WriteTo(w io.Writer) (int64, error) {
	if b.buf == nil {
		return 0, errClosedBody
	}
	var total int64
	skip := b.off
	for _, c := range b.buf.chunks {
		if skip >= int64(len(c)) {
			skip -= int64(len(c))
			continue
		}
		n, err := w.Write(c[skip:])
		skip = 0
		total += int64(n)
		b.off += int64(n)
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

func (b *memBody) Close() error {
	if b.buf != nil {
		b.buf.release()
		b.buf = nil
	}
	return nil
}
