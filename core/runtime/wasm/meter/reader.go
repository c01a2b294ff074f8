package meter

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

var (
	errShort = errors.New("unexpected end")
	errLEB   = errors.New("number too long or too large")
)

// reader takes values from b. After the first fault every further value is
// zero and err is set, so that callers check once for each element; loops that
// are driven by a count read from b check each time round.
type reader struct {
	b    []byte
	pos  int
	base int // where b begins in the module
	err  error
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = fmt.Errorf("meter: malformed module at byte %d: %w", r.base+r.pos, err)
	}
	r.pos = len(r.b)
}

func (r *reader) failf(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("meter: "+format, args...)
	}
	r.pos = len(r.b)
}

func (r *reader) more() bool { return r.pos < len(r.b) }

func (r *reader) byte() byte {
	if r.pos >= len(r.b) {
		r.fail(errShort)
		return 0
	}
	c := r.b[r.pos]
	r.pos++
	return c
}

func (r *reader) skip(n int) {
	if n < 0 || n > len(r.b)-r.pos {
		r.fail(errShort)
		return
	}
	r.pos += n
}

// u32 reads an unsigned LEB128 number of at most 32 bits: at most five bytes,
// of which the last has no bits beyond the 32nd.
func (r *reader) u32() uint32 {
	if r.pos < len(r.b) && r.b[r.pos] < 0x80 { // nearly all of them
		r.pos++
		return uint32(r.b[r.pos-1])
	}
	var v uint32
	for shift := 0; shift < 35; shift += 7 {
		c := r.byte()
		if r.err != nil {
			return 0
		}
		if shift == 28 && c > 0x0f {
			break
		}
		v |= uint32(c&0x7f) << shift
		if c < 0x80 {
			return v
		}
	}
	r.fail(errLEB)
	return 0
}

// signed passes over a signed LEB128 number of the given number of bits. In
// its last possible byte all bits from the sign on must be equal.
func (r *reader) signed(bits int) {
	for left := bits; left > 0; left -= 7 {
		c := r.byte()
		if r.err != nil {
			return
		}
		if left < 7 {
			if top := c & 0x7f >> (left - 1); c >= 0x80 || top != 0 && top != 0x7f>>(left-1) {
				break
			}
		}
		if c < 0x80 {
			return
		}
	}
	r.fail(errLEB)
}

// count reads the length of a vector whose elements take at least size bytes
// each, so that what is made for them is never larger than the module.
func (r *reader) count(size int) int {
	n := r.u32()
	if int64(n)*int64(size) > int64(len(r.b)-r.pos) {
		r.fail(errShort)
		return 0
	}
	return int(n)
}

func (r *reader) name() []byte {
	n := r.count(1)
	s := r.b[r.pos : r.pos+n]
	r.pos += n
	if !utf8.Valid(s) {
		r.fail(errors.New("name is not UTF-8"))
	}
	return s
}

func appendU32(b []byte, v uint32) []byte {
	for ; v >= 0x80; v >>= 7 {
		b = append(b, byte(v)|0x80)
	}
	return append(b, byte(v))
}

func appendS64(b []byte, v int64) []byte {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if v == 0 && c&0x40 == 0 || v == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}

func appendName(b []byte, s string) []byte {
	return append(appendU32(b, uint32(len(s))), s...)
}
