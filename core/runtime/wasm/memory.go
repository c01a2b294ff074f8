package wasm

import (
	"sync/atomic"

	"github.com/tetratelabs/wazero/experimental"
)

// memory is the linear memory of one instance. It grows up to a limit, and what
// it holds is counted for the plugin.
type memory struct {
	b     []byte
	limit uint64
	held  *atomic.Int64 // by all instances of the plugin
	most  *atomic.Int64 // that one instance ever held
}

var (
	_ experimental.MemoryAllocator = (*memory)(nil)
	_ experimental.LinearMemory    = (*memory)(nil)
)

// Allocate implements [experimental.MemoryAllocator].
func (m *memory) Allocate(_, _ uint64) experimental.LinearMemory { return m }

// Reallocate implements [experimental.LinearMemory]. Nil makes memory.grow fail.
func (m *memory) Reallocate(size uint64) []byte {
	if size > m.limit {
		return nil
	}
	was := cap(m.b)
	if size > uint64(was) {
		room := size
		if was > 0 { // it grows: spare it the next few copies
			room = min(m.limit, size+size/4)
		}
		b := make([]byte, size, room)
		copy(b, m.b)
		m.b = b
	}
	m.b = m.b[:size]
	m.held.Add(int64(cap(m.b) - was))
	raise(m.most, int64(cap(m.b)))
	return m.b
}

// Free implements [experimental.LinearMemory]. A second call does nothing.
func (m *memory) Free() {
	m.held.Add(-int64(cap(m.b)))
	m.b = nil
}

// raise sets a to at least n.
func raise(a *atomic.Int64, n int64) {
	for {
		was := a.Load()
		if n <= was || a.CompareAndSwap(was, n) {
			return
		}
	}
}
