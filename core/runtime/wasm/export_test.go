package wasm

import (
	"encoding/binary"

	"github.com/programmable-mta/mta/core/runtime/wasm/meter"
)

// WithoutFuel makes a runtime whose modules count nothing, so that benchmarks
// can show what counting costs. Nothing ends a guest in it.
func WithoutFuel(r *Runtime) *Runtime {
	r.rewrite = func(module []byte, _ meter.Options) ([]byte, error) { return withGlobal(module), nil }
	return r
}

// withGlobal adds the exported global of meter to a module, and nothing else.
func withGlobal(module []byte) []byte {
	out := append([]byte(nil), module[:8]...)
	name := append([]byte{byte(len(meter.GlobalName))}, meter.GlobalName...)
	index, done := uint32(0), false
	global := func(count uint32, rest []byte) []byte {
		index, done = count, true
		b := append(binary.AppendUvarint(nil, uint64(count+1)), rest...)
		return append(b, 0x7e, 1, 0x42, 0, 0x0b)
	}
	r := &reader{b: module[8:]}
	for len(r.b) > 0 {
		id := r.byte()
		content := r.take(r.u32())
		s := &reader{b: content}
		switch {
		case id == 6:
			n := s.u32()
			content = global(n, s.b)
		case id == 7:
			if !done { // imported globals are none in our guests
				out = section(out, 6, global(0, nil))
			}
			n := s.u32()
			content = append(binary.AppendUvarint(nil, uint64(n+1)), s.b...)
			content = append(append(content, name...), 3)
			content = binary.AppendUvarint(content, uint64(index))
		}
		out = section(out, id, content)
	}
	return out
}

func section(out []byte, id byte, content []byte) []byte {
	out = binary.AppendUvarint(append(out, id), uint64(len(content)))
	return append(out, content...)
}
