package state

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"time"
)

// kind is what stands under a key.
type kind uint8

const (
	absent kind = iota
	value
	counter
)

// never is a time that does not come: of keys that live for ever.
const never = math.MaxInt64

// record is the state of a key. Expires is in nanoseconds since 1970.
type record struct {
	kind    kind
	data    []byte // of a value; never changed in place
	num     int64  // of a counter
	expires int64  // never: lives for ever
}

// charge is what the quota counts for a record.
func (r *record) charge(key string) int64 {
	switch r.kind {
	case value:
		return int64(Overhead + len(key) + len(r.data))
	case counter:
		return int64(Overhead + len(key) + 8)
	}
	return 0
}

// lives tells whether there is something under the key at a time.
func (r *record) lives(now int64) bool { return r.kind != absent && r.expires > now }

// deadline is when what is written now expires.
func deadline(now int64, ttl time.Duration) int64 {
	if ttl == 0 || now > never-int64(ttl) {
		return never
	}
	return max(now+int64(ttl), 1)
}

// The file has three buckets:
//
//	meta  "version"                    -> 1
//	kv    length of name, name, key    -> crc32c, expires i64, kind, data
//	due   length of name, name,
//	      expires (big endian), key    -> nothing; keys that do not live for ever
//
// The sum goes over the key in kv and all behind the sum.
var (
	bucketMeta = []byte("meta")
	bucketKV   = []byte("kv")
	bucketDue  = []byte("due")
	keyVersion = []byte("version")
	version1   = []byte{1}
)

// errDamaged says that the file cannot be believed.
var errDamaged = errors.New("state: file is damaged")

const (
	maxName    = 255
	recordHead = 4 + 8 + 1
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// spacePrefix begins all keys of a space in both buckets.
func spacePrefix(name string) []byte {
	return append([]byte{byte(len(name))}, name...)
}

func kvKey(prefix []byte, key string) []byte {
	return append(append(make([]byte, 0, len(prefix)+len(key)), prefix...), key...)
}

func dueKey(prefix []byte, expires int64, key string) []byte {
	b := append(make([]byte, 0, len(prefix)+8+len(key)), prefix...)
	b = binary.BigEndian.AppendUint64(b, uint64(expires))
	return append(b, key...)
}

// splitKV takes a key of the bucket kv apart.
func splitKV(k []byte) (name, key []byte, ok bool) {
	name, key, ok = cutName(k)
	return name, key, ok && len(key) >= 1 && len(key) <= MaxKey
}

// splitDue takes a key of the bucket due apart.
func splitDue(k []byte) (name []byte, expires int64, key []byte, ok bool) {
	name, rest, ok := cutName(k)
	if !ok || len(rest) < 9 || len(rest) > 8+MaxKey {
		return nil, 0, nil, false
	}
	at := binary.BigEndian.Uint64(rest)
	if at == 0 || at >= never {
		return nil, 0, nil, false
	}
	return name, int64(at), rest[8:], true
}

func cutName(k []byte) (name, rest []byte, ok bool) {
	if len(k) == 0 || k[0] == 0 || len(k) < 1+int(k[0]) {
		return nil, nil, false
	}
	return k[1 : 1+int(k[0])], k[1+int(k[0]):], true
}

// encode is the value of the bucket kv.
func (r *record) encode(kvKey []byte) []byte {
	b := make([]byte, 4, recordHead+max(8, len(r.data)))
	b = binary.LittleEndian.AppendUint64(b, uint64(r.expires))
	b = append(b, byte(r.kind))
	if r.kind == counter {
		b = binary.LittleEndian.AppendUint64(b, uint64(r.num))
	} else {
		b = append(b, r.data...)
	}
	binary.LittleEndian.PutUint32(b, recordSum(kvKey, b))
	return b
}

func recordSum(kvKey, v []byte) uint32 {
	return crc32.Update(crc32.Checksum(kvKey, castagnoli), castagnoli, v[4:])
}

// decodeRecord reads a value of the bucket kv; its data still lies in v.
func decodeRecord(kvKey, v []byte) (r record, err error) {
	if len(v) < recordHead || len(v) > recordHead+MaxValue || recordSum(kvKey, v) != binary.LittleEndian.Uint32(v) {
		return r, errDamaged
	}
	r.expires, r.kind, r.data = int64(binary.LittleEndian.Uint64(v[4:])), kind(v[12]), v[recordHead:]
	switch {
	case r.expires <= 0:
		return record{}, errDamaged
	case r.kind == value:
		return r, nil
	case r.kind == counter && len(r.data) == 8:
		r.num, r.data = int64(binary.LittleEndian.Uint64(r.data)), nil
		return r, nil
	}
	return record{}, errDamaged
}
