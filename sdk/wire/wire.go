// Package wire is how events, answers and calls cross the border to a plugin
// that is not part of the relay's own program: as a block, which WebAssembly
// guests read in place. It is derived from the Go types of the sdk, which are
// the schema; block_gen.go is generated.
//
// # A block
//
// Little-endian. It begins with a header of 24 octets:
//
//	 0  u32  length of the whole block
//	 4  u32  number of slots of its record
//	 8  u16  what it is: 1.. an event, 256+ an answer, 512+ a call, 768+ a result
//	10  u16  minor version of the contract ([Minor])
//	12  u32  0
//	16  i64  the time of the event, nanoseconds since 1970; else 0
//
// Then the slots of the record, 8 octets each, in the order of the fields in the
// Go struct; then what they point to. Offsets count from the begin of the block.
// A slot of zeros is an absent or zero value. A slot holds:
//
//	bool, integer, enumeration   i64
//	float64                      its 64 bits
//	time, duration               i64 nanoseconds (a time since 1970)
//	string, bytes                u32 offset, u32 length
//	record                       u32 offset of its slots, u32 how many
//	list                         u32 offset of its slots, u32 how many, one an element
//	notes                        a list of strings: key, value, key, value
//
// Fields are only ever added at the end. A reader takes a slot that is not there
// as absent and ignores those that it does not know.
//
// # What a reader refuses
//
// Blocks come from strangers. Every offset is checked, and all that a block
// points to together is no larger than the block, so that reading one costs no
// more than its length; a block that says otherwise is an error.
package wire

//go:generate go run ../gen/write

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

// Minor is the minor version of the contract.
const Minor = 1

// HeaderSize is the length of a block's header.
const HeaderSize = 24

// What a block is: the number of the hook or call is added.
const (
	KindEvent  = 0
	KindAnswer = 256
	KindCall   = 512
	KindResult = 768
)

// Want says which fields of each record are sent: bit n for slot n. Nil: all.
type Want [Records]uint64

// Writer makes blocks. Its zero value is ready; a block is good until the next
// one is begun.
type Writer struct {
	b    []byte
	want *Want
}

var everything = func() *Want {
	var w Want
	for i := range w {
		w[i] = math.MaxUint64
	}
	return &w
}()

// begin starts a block whose record has n slots.
func (w *Writer) begin(kind, n int, at time.Time, want *Want) int {
	if want == nil {
		want = everything
	}
	w.want = want
	size := HeaderSize + 8*n
	if cap(w.b) < size {
		w.b = make([]byte, size, max(4096, 2*size))
	}
	w.b = w.b[:size]
	clear(w.b)
	put32(w.b[4:], uint32(n))
	w.b[8], w.b[9] = byte(kind), byte(kind>>8)
	w.b[10] = Minor
	if !at.IsZero() {
		put64(w.b[16:], uint64(at.UnixNano()))
	}
	return HeaderSize
}

func (w *Writer) end() []byte {
	put32(w.b, uint32(len(w.b)))
	return w.b
}

// slots makes room for n slots and writes where they are into the slot at.
func (w *Writer) slots(at, n int) int {
	for len(w.b)%8 != 0 {
		w.b = append(w.b, 0)
	}
	off := len(w.b)
	if need := off + 8*n; need <= cap(w.b) {
		w.b = w.b[:need]
		clear(w.b[off:])
	} else {
		w.b = append(w.b, make([]byte, 8*n)...)
	}
	w.pair(at, off, n)
	return off
}

func (w *Writer) pair(at, off, n int) {
	put64(w.b[at:], uint64(uint32(off))|uint64(uint32(n))<<32)
}

func (w *Writer) int(at int, v int64) { put64(w.b[at:], uint64(v)) }

func (w *Writer) bool(at int, v bool) {
	if v {
		w.b[at] = 1
	}
}

func (w *Writer) float(at int, v float64) { put64(w.b[at:], math.Float64bits(v)) }

func (w *Writer) time(at int, v time.Time) {
	if !v.IsZero() {
		put64(w.b[at:], uint64(v.UnixNano()))
	}
}

func (w *Writer) string(at int, v string) {
	if v != "" {
		off := len(w.b)
		w.b = append(w.b, v...)
		w.pair(at, off, len(v))
	}
}

func (w *Writer) bytes(at int, v []byte) {
	if len(v) != 0 {
		off := len(w.b)
		w.b = append(w.b, v...)
		w.pair(at, off, len(v))
	}
}

func (w *Writer) strings(at int, v []string) {
	if len(v) == 0 {
		return
	}
	off := w.slots(at, len(v))
	for i, s := range v {
		w.string(off+8*i, s)
	}
}

func (w *Writer) notes(at int, v sdk.Notes) {
	if len(v) == 0 {
		return
	}
	keys := make([]string, 0, 16)
	for k := range v {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	off := w.slots(at, 2*len(keys))
	for i, k := range keys {
		w.string(off+16*i, k)
		w.string(off+16*i+8, v[k])
	}
}

// Block is a block that was received. Reading never changes it.
type Block struct {
	s      string // a string, so that what is read shares it
	kind   int
	budget int // octets that it may still point to
	into   *Reader
	err    error
}

var errShape = errors.New("wire: a block points outside of itself")

// Parse checks the header of a block of the given kind.
func (b *Block) parse(s string, kind int) (off, n int) {
	*b = Block{s: s, kind: kind, budget: len(s)}
	if len(s) < HeaderSize {
		b.err = fmt.Errorf("wire: a block of %d octets is shorter than its header", len(s))
		return 0, 0
	}
	if l := int(get32(s, 0)); l != len(s) {
		b.err = fmt.Errorf("wire: a block of %d octets says that it has %d", len(s), l)
		return 0, 0
	}
	if k := int(s[8]) | int(s[9])<<8; k != kind {
		b.err = fmt.Errorf("wire: a block of kind %d where %d belongs", k, kind)
		return 0, 0
	}
	return b.table(HeaderSize, int(get32(s, 4)))
}

// table checks that n slots at off lie in the block, and pays for them.
func (b *Block) table(off, n int) (int, int) {
	if b.err != nil || n == 0 {
		return 0, 0
	}
	if off < HeaderSize || off > len(b.s) || n > (len(b.s)-off)/8 || 8*n > b.budget {
		b.err = errShape
		return 0, 0
	}
	b.budget -= 8 * n
	return off, n
}

// Time is the time in the header.
func (b *Block) Time() time.Time { return moment(int64(get64(b.s, 16))) }

func (b *Block) sub(at int) (off, n int) {
	v := get64(b.s, at)
	if v>>32 == 0 { // most are absent
		return 0, 0
	}
	return b.table(int(uint32(v)), int(v>>32))
}

// element is sub for the elements of a list, none of which is absent: else a
// list would cost many times what it weighs.
func (b *Block) element(at int) (off, n int) {
	if off, n = b.sub(at); n == 0 && b.err == nil {
		b.err = errors.New("wire: a list with an absent record")
	}
	return off, n
}

func (b *Block) int(at int) int64     { return int64(get64(b.s, at)) }
func (b *Block) float(at int) float64 { return math.Float64frombits(get64(b.s, at)) }
func (b *Block) time(at int) time.Time {
	return moment(int64(get64(b.s, at)))
}

func moment(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

// enum refuses numbers that would be cut.
func (b *Block) enum(at int) uint8 {
	n := get64(b.s, at)
	if n > math.MaxUint8 {
		b.err = fmt.Errorf("wire: %d is no value of an enumeration", n)
		return 0
	}
	return uint8(n)
}

func (b *Block) string(at int) string { return b.text(b.slot(at)) }

// text is what a slot of a string points to.
func (b *Block) text(x uint64) string {
	off, n := int(uint32(x)), int(x>>32)
	if n == 0 || b.err != nil {
		return ""
	}
	if off < HeaderSize || off > len(b.s) || n > len(b.s)-off || n > b.budget {
		b.err = errShape
		return ""
	}
	b.budget -= n
	return b.s[off : off+n]
}

func (b *Block) bytes(at int) []byte {
	if s := b.string(at); s != "" {
		return []byte(s)
	}
	return nil
}

func (b *Block) strings(at int) []string {
	off, n := b.sub(at)
	if n == 0 {
		return nil
	}
	out := make([]string, n)
	for i := range out {
		out[i] = b.string(off + 8*i)
	}
	return out
}

func (b *Block) notes(at int) sdk.Notes {
	off, n := b.sub(at)
	if n == 0 {
		return nil
	}
	if n%2 != 0 {
		b.err = errors.New("wire: notes with a key and no value")
		return nil
	}
	out := make(sdk.Notes, n/2)
	for i := 0; i < n; i += 2 {
		out[b.string(off+8*i)] = b.string(off + 8*i + 8)
	}
	return out
}

// FieldInfo is one row of a field table.
type FieldInfo struct {
	Name   string
	Type   string // for people: "string", "list of Recipient"
	Record int    // of a record, and of a list of them: its place in [Tables]; else -1
	Doc    string
}

// RecordInfo is one field table.
type RecordInfo struct {
	Name   string
	Fields []FieldInfo
}

// ParseWant finds the fields that a plugin names for one event: paths such as
// "session.remote_ip", each of which stands for all that is below it. "*" is
// everything.
func ParseWant(hook string, paths []string) (*Want, error) {
	root, ok := eventRecords[hook]
	if !ok {
		return nil, fmt.Errorf("wire: there is no hook %q", hook)
	}
	w := new(Want)
	for _, p := range paths {
		if p == "*" {
			return nil, nil
		}
		if err := w.add(root, p, p); err != nil {
			return nil, err
		}
	}
	return w, nil
}

func (w *Want) add(record int, path, whole string) error {
	name, rest, deeper := strings.Cut(path, ".")
	for slot, f := range Tables[record].Fields {
		if f.Name != name {
			continue
		}
		w[record] |= 1 << slot
		switch {
		case deeper && f.Record < 0:
			return fmt.Errorf("wire: field %q: there is nothing below %s", whole, name)
		case deeper:
			return w.add(f.Record, rest, whole)
		case f.Record >= 0:
			w.all(f.Record)
		}
		return nil
	}
	names := make([]string, 0, 16)
	for _, f := range Tables[record].Fields {
		names = append(names, f.Name)
	}
	return fmt.Errorf("wire: field %q: a %s has no %q; it has: %s", whole, Tables[record].Name, name, strings.Join(names, ", "))
}

func (w *Want) all(record int) {
	w[record] = math.MaxUint64
	for _, f := range Tables[record].Fields {
		if f.Record >= 0 {
			w.all(f.Record)
		}
	}
}
