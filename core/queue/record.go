package queue

import (
	"encoding/binary"
	"hash/crc32"
)

// A record of the log is a header, its meta part (what to know without reading
// the body) and for messages the body:
//
//	 0 magic    u32
//	 4 crc      u32  crc32c of bytes 8 to the end of the meta part
//	 8 nonce    u64  of the segment: bytes of an earlier use never match
//	16 id       u64
//	24 group    u64  number of the commit; grows
//	32 start    u32  where the group starts in the segment
//	36 metaLen  u32
//	40 bodyLen  u32
//	44 bodyCRC  u32  crc32c of the body
//	48 type     u8
//	49 flags    u8
//	50          u16  zero
//	52 offset   u32  where this record starts
//
// Records start at multiples of eight. All numbers are little-endian.
const (
	recordMagic = 0x3172_746d
	headerLen   = 56
	recordAlign = 8
	// maxMeta bounds what a damaged length can make a reader allocate: the
	// envelope of a million recipients.
	maxMeta = 256 << 20
)

type recordType uint8

const (
	recMessage recordType = 1 + iota // envelope and body of a new message
	recChange                        // recipients of a message changed
	recMove                          // a message with all its states, at a new place
	recReserve                       // IDs below the header's id may be in use
	recVoid                          // a torn place, skipped
)

const (
	flagFirst = 1 << iota // first record of a transaction
	flagLast              // last record of a transaction
	flagEnd               // last record of a group
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func crcOf(b []byte) uint32                { return crc32.Checksum(b, castagnoli) }
func crcAdd(crc uint32, b []byte) uint32   { return crc32.Update(crc, castagnoli, b) }
func padded(n int64) int64                 { return (n + recordAlign - 1) &^ (recordAlign - 1) }
func recordLen(meta int, body int64) int64 { return padded(headerLen + int64(meta) + body) }

type header struct {
	nonce, id, group uint64
	start, offset    uint32
	metaLen, bodyLen uint32
	bodyCRC          uint32
	typ              recordType
	flags            uint8
}

func (h *header) size() int64 { return recordLen(int(h.metaLen), int64(h.bodyLen)) }

// put writes the header in front of the meta part that already stands in b, and
// the checksum over both.
func (h *header) put(b []byte) {
	le := binary.LittleEndian
	le.PutUint32(b[0:], recordMagic)
	le.PutUint64(b[8:], h.nonce)
	le.PutUint64(b[16:], h.id)
	le.PutUint64(b[24:], h.group)
	le.PutUint32(b[32:], h.start)
	le.PutUint32(b[36:], h.metaLen)
	le.PutUint32(b[40:], h.bodyLen)
	le.PutUint32(b[44:], h.bodyCRC)
	b[48], b[49], b[50], b[51] = byte(h.typ), h.flags, 0, 0
	le.PutUint32(b[52:], h.offset)
	le.PutUint32(b[4:], crcOf(b[8:headerLen+int(h.metaLen)]))
}

// parseHeader reads a header without checking its sum. It answers false for
// bytes that cannot be the header of a record at that place.
func parseHeader(b []byte, nonce uint64, offset int64) (header, bool) {
	le := binary.LittleEndian
	if len(b) < headerLen || le.Uint32(b) != recordMagic || le.Uint64(b[8:]) != nonce || int64(le.Uint32(b[52:])) != offset {
		return header{}, false
	}
	h := header{
		nonce: nonce, id: le.Uint64(b[16:]), group: le.Uint64(b[24:]),
		start: le.Uint32(b[32:]), offset: uint32(offset),
		metaLen: le.Uint32(b[36:]), bodyLen: le.Uint32(b[40:]), bodyCRC: le.Uint32(b[44:]),
		typ: recordType(b[48]), flags: b[49],
	}
	ok := h.typ >= recMessage && h.typ <= recVoid && h.metaLen <= maxMeta && h.start <= h.offset
	return h, ok
}

// sumOK checks header and meta part, which must be in b whole.
func sumOK(b []byte, h header) bool {
	return crcOf(b[8:headerLen+int(h.metaLen)]) == binary.LittleEndian.Uint32(b[4:])
}
