package wire

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/programmable-mta/mta/sdk"
)

// The numbers of the fields of ToPlugin, FromPlugin and CallResult in
// sdk/proto/mta.proto. A message has one of those from ProtoDescribe on.
const (
	ProtoSeq  = 1 // which call of a hook it belongs to
	ProtoCall = 2 // the plugin's number of a call of the host
	ProtoNow  = 3 // the time of an event

	ProtoDescribe = 10 // to the plugin; its answer has the same number
	ProtoStart    = 11
	ProtoSelfTest = 12
	ProtoResult   = 13 // to the plugin: of a call of the host
	ProtoError    = 13 // from the plugin
	ProtoCancel   = 14
	ProtoStop     = 15

	ProtoHook     = 100 // + number of the hook: its event, or its answer
	ProtoHostCall = 200 // + number of the call: its request, or in CallResult its result
)

// MaxElements is how many elements the lists of one protobuf message may have
// together: an empty element is two octets on the wire, and hundreds in memory.
const MaxElements = 1 << 17

// ProtoWriter makes protobuf messages. Its zero value is ready. Strings that
// are not UTF-8, which protobuf does not allow, get U+FFFD for what is wrong.
type ProtoWriter struct {
	b    []byte
	want *Want
}

// Reset begins another message, in the same memory.
func (w *ProtoWriter) Reset() { w.b = w.b[:0] }

// Bytes are what was written since Reset; good until the next one.
func (w *ProtoWriter) Bytes() []byte { return w.b }

// Begin opens a field that holds a message; End closes it.
func (w *ProtoWriter) Begin(field int) int {
	w.tag(field, 2)
	w.b = append(w.b, 0)
	return len(w.b)
}

// End closes the field that Begin opened. The length was given one octet; a
// longer one moves the message, which is cheaper than to measure it first.
func (w *ProtoWriter) End(at int) {
	n := len(w.b) - at
	if n < 0x80 {
		w.b[at-1] = byte(n)
		return
	}
	var l [10]byte
	k := len(appendVarint(l[:0], uint64(n)))
	w.b = append(w.b, l[:k-1]...)
	copy(w.b[at+k-1:], w.b[at:at+n])
	appendVarint(w.b[at-1:at-1], uint64(n))
}

// Int writes a field of an integer; 0 is absent.
func (w *ProtoWriter) Int(field int, v int64) {
	if v != 0 {
		w.tag(field, 0)
		w.b = appendVarint(w.b, uint64(v))
	}
}

// Time writes a field of a time; zero is absent.
func (w *ProtoWriter) Time(field int, v time.Time) {
	if !v.IsZero() {
		w.Int(field, v.UnixNano())
	}
}

// String writes a field of a string; the empty one is absent.
func (w *ProtoWriter) String(field int, v string) {
	if v != "" {
		w.text(field, v)
	}
}

// Blob writes a field of bytes; none is absent.
func (w *ProtoWriter) Blob(field int, v []byte) {
	if len(v) != 0 {
		w.tag(field, 2)
		w.b = appendVarint(w.b, uint64(len(v)))
		w.b = append(w.b, v...)
	}
}

// Raw writes what is already protobuf.
func (w *ProtoWriter) Raw(s string) { w.b = append(w.b, s...) }

// Strings writes a repeated field of strings.
func (w *ProtoWriter) Strings(field int, v []string) {
	for _, s := range v {
		w.text(field, s)
	}
}

func (w *ProtoWriter) text(field int, v string) {
	if !utf8.ValidString(v) {
		v = strings.ToValidUTF8(v, "\uFFFD")
	}
	w.tag(field, 2)
	w.b = appendVarint(w.b, uint64(len(v)))
	w.b = append(w.b, v...)
}

func (w *ProtoWriter) tag(field, kind int) {
	w.b = appendVarint(w.b, uint64(field)<<3|uint64(kind))
}

func (w *ProtoWriter) bool(field int, v bool) {
	if v {
		w.Int(field, 1)
	}
}

func (w *ProtoWriter) float(field int, v float64) {
	if v != 0 {
		w.tag(field, 1)
		w.b = append(w.b, 0, 0, 0, 0, 0, 0, 0, 0)
		put64(w.b[len(w.b)-8:], math.Float64bits(v))
	}
}

func (w *ProtoWriter) notes(field int, v sdk.Notes) {
	if len(v) == 0 {
		return
	}
	keys := make([]string, 0, 16)
	for k := range v {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		at := w.Begin(field)
		w.text(1, k)
		w.text(2, v[k])
		w.End(at)
	}
}

// drop takes back a field that Begin opened when nothing was written into it.
func (w *ProtoWriter) drop(start, at int) {
	if len(w.b) == at {
		w.b = w.b[:start]
		return
	}
	w.End(at)
}

func (w *ProtoWriter) wants(want *Want) {
	if want == nil {
		want = everything
	}
	w.want = want
}

func appendVarint(b []byte, v uint64) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

// ProtoReader reads a protobuf message field by field. What it gives shares the
// message's memory.
//
//	for r := NewProtoReader(s); r.Next(); {
//		switch r.Field { ... }
//	}
type ProtoReader struct {
	S     string
	Field int

	kind     int
	n        uint64
	s        string
	elements *int
	err      *error
}

// NewProtoReader reads a message that came from elsewhere.
func NewProtoReader(s string) ProtoReader {
	return ProtoReader{S: s, elements: new(int), err: new(error)}
}

var errProto = errors.New("wire: a protobuf message that is cut off or broken")

// Next goes to the next field; false at the end, and after an error.
func (r *ProtoReader) Next() bool {
	if *r.err != nil || r.S == "" {
		return false
	}
	key := r.varint()
	r.Field, r.kind = int(key>>3), int(key&7)
	if key>>3 == 0 || key>>3 > 1<<29-1 {
		r.fail(errProto)
		return false
	}
	switch r.kind {
	case 0:
		r.n = r.varint()
	case 1:
		if len(r.S) < 8 {
			r.fail(errProto)
			return false
		}
		r.n, r.S = get64(r.S, 0), r.S[8:]
	case 2:
		n := r.varint()
		if n > uint64(len(r.S)) {
			r.fail(errProto)
			return false
		}
		r.s, r.S = r.S[:n], r.S[n:]
	case 5:
		if len(r.S) < 4 {
			r.fail(errProto)
			return false
		}
		r.n, r.S = uint64(get32(r.S, 0)), r.S[4:]
	default:
		r.fail(fmt.Errorf("wire: protobuf groups are not used here"))
	}
	return *r.err == nil
}

// Err is what went wrong.
func (r *ProtoReader) Err() error { return *r.err }

func (r *ProtoReader) fail(err error) {
	if *r.err == nil {
		*r.err = err
	}
}

func (r *ProtoReader) varint() uint64 {
	var v uint64
	for i := 0; i < len(r.S) && i < 10; i++ {
		c := r.S[i]
		v |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			r.S = r.S[i+1:]
			return v
		}
	}
	r.fail(errProto)
	return 0
}

func (r *ProtoReader) is(kind int) bool {
	if r.kind != kind {
		r.fail(fmt.Errorf("wire: field %d of a protobuf message has the wire type %d, not %d", r.Field, r.kind, kind))
	}
	return r.kind == kind
}

// Int is the field as an integer.
func (r *ProtoReader) Int() int64 {
	if !r.is(0) {
		return 0
	}
	return int64(r.n)
}

// Time is the field as a time.
func (r *ProtoReader) Time() time.Time { return moment(r.Int()) }

// Text is the field as a string, bytes, or a message not yet read.
func (r *ProtoReader) Text() string {
	if !r.is(2) {
		return ""
	}
	return r.s
}

// Element is Text of a repeated field; it is counted.
func (r *ProtoReader) Element() string {
	if *r.elements++; *r.elements > MaxElements {
		r.fail(fmt.Errorf("wire: a protobuf message with more than %d elements", MaxElements))
		return ""
	}
	return r.Text()
}

// sub reads the message in the field.
func (r *ProtoReader) sub(s string) ProtoReader {
	return ProtoReader{S: s, elements: r.elements, err: r.err}
}

func (r *ProtoReader) bool() bool { return r.is(0) && r.n != 0 }

func (r *ProtoReader) float() float64 {
	if !r.is(1) {
		return 0
	}
	return math.Float64frombits(r.n)
}

func (r *ProtoReader) bytes() []byte {
	if s := r.Text(); s != "" {
		return []byte(s)
	}
	return nil
}

// enum refuses numbers that would be cut.
func (r *ProtoReader) enum() uint8 {
	n := r.Int()
	if n < 0 || n > math.MaxUint8 {
		r.fail(fmt.Errorf("wire: %d is no value of an enumeration", n))
		return 0
	}
	return uint8(n)
}

// note reads one entry of a map of strings.
func (r *ProtoReader) note(dst *sdk.Notes) {
	var k, v string
	for e := r.sub(r.Element()); e.Next(); {
		switch e.Field {
		case 1:
			k = e.Text()
		case 2:
			v = e.Text()
		}
	}
	if *r.err != nil {
		return
	}
	if *dst == nil {
		*dst = make(sdk.Notes)
	}
	(*dst)[k] = v
}

// Description writes what a plugin says of itself.
func (w *ProtoWriter) Description(d *sdk.Description) {
	w.String(1, d.Name)
	w.String(2, d.Version)
	w.Int(3, int64(d.ABI))
	for _, h := range sdk.Hooks() {
		if fields, ok := d.Hooks[h.Name]; ok {
			at := w.Begin(4)
			w.String(1, h.Name)
			w.Strings(2, fields)
			w.End(at)
		}
	}
	w.Strings(5, d.Needs)
	w.Strings(6, d.Wants)
}

// ReadDescription reads what a plugin says of itself. Hooks is never nil.
func ReadDescription(s string) (sdk.Description, error) {
	d := sdk.Description{Hooks: map[string][]string{}}
	r := NewProtoReader(s)
	for r.Next() {
		switch r.Field {
		case 1:
			d.Name = r.Text()
		case 2:
			d.Version = r.Text()
		case 3:
			d.ABI = int(r.Int())
		case 4:
			var name string
			fields := []string{}
			for h := r.sub(r.Element()); h.Next(); {
				switch h.Field {
				case 1:
					name = h.Text()
				case 2:
					fields = append(fields, h.Element())
				}
			}
			d.Hooks[name] = fields
		case 5:
			d.Needs = append(d.Needs, r.Element())
		case 6:
			d.Wants = append(d.Wants, r.Element())
		}
	}
	return d, r.Err()
}
