package wire

import "unsafe"

// WebAssembly is little-endian and takes any address, and the compiler does not
// join single octets there: these four are most of what a guest does to read an
// event. The slices are what checks the bounds.

func put32(b []byte, v uint32) { *(*uint32)(unsafe.Pointer(unsafe.SliceData(b[:4]))) = v }

func put64(b []byte, v uint64) { *(*uint64)(unsafe.Pointer(unsafe.SliceData(b[:8]))) = v }

func get32(s string, at int) uint32 {
	return *(*uint32)(unsafe.Pointer(unsafe.StringData(s[at : at+4])))
}

func get64(s string, at int) uint64 {
	return *(*uint64)(unsafe.Pointer(unsafe.StringData(s[at : at+8])))
}

// slot is a slot of a table that lies in the block: table has seen to it, so
// nothing is checked here.
func (b *Block) slot(at int) uint64 {
	return *(*uint64)(unsafe.Add(unsafe.Pointer(unsafe.StringData(b.s)), at))
}
