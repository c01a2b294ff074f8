package smtp

import (
	"bytes"
	"io"
)

// decoder takes a message out of its dot stuffing, window by window. It works
// on slices: the octets between two stuffed dots are written as they lie in the
// reader's buffer.
type decoder struct {
	w         io.Writer
	limit     int64
	policy    NewlinePolicy
	lineStart bool // the octet before the window ended a line with CRLF
	bare, nul bool // seen
	n         int64
	werr      error
}

var crlf = []byte("\r\n")
var space = []byte(" ")

// scan consumes what it can decide about. It leaves at most two octets at the
// end of the window: a CR, a dot at the start of a line, or both.
func (d *decoder) scan(b []byte) (used int, done bool) {
	i, from, pairs := 0, 0, 0 // from: start of what is not written; pairs: CRLFs seen
	for i < len(b) {
		if d.lineStart && b[i] == '.' {
			end, known := endOfData(b[i:])
			if !known {
				break
			}
			d.put(b[from:i])
			if end {
				d.check(b[:i], pairs)
				return i + 3, true
			}
			i++ // RFC 5321 §4.5.2: the dot goes, what follows is text
			from, d.lineStart = i, false
			continue
		}
		j := bytes.IndexByte(b[i:], '\n')
		if j < 0 {
			i = d.tail(b, i, &from)
			break
		}
		if d.policy&NormalizeBareNewlines != 0 {
			d.strayCR(b, i, i+j-1, &from)
		}
		i += j + 1
		d.lineStart = j > 0 && b[i-2] == '\r'
		if d.lineStart {
			pairs++
			continue
		}
		d.bare = true
		d.put(b[from : i-1])
		d.put(crlf)
		from = i
	}
	d.put(b[from:i])
	d.check(b[:i], pairs)
	return i, false
}

// tail takes the part of a line whose end is not in the window, but for a CR at
// its end: what follows decides what that is.
func (d *decoder) tail(b []byte, i int, from *int) int {
	end := len(b)
	if b[end-1] == '\r' {
		end--
	}
	if end > i {
		d.lineStart = false
	}
	if d.policy&NormalizeBareNewlines != 0 {
		d.strayCR(b, i, end, from)
	}
	return end
}

// endOfData tells whether the dot at the start of a line, b[0], is the last
// line, and whether that is known yet.
func endOfData(b []byte) (end, known bool) {
	if len(b) >= 2 && b[1] != '\r' {
		return false, true
	}
	if len(b) < 3 {
		return false, false
	}
	return b[2] == '\n', true
}

// strayCR writes b[i:end] with each CR as a space.
func (d *decoder) strayCR(b []byte, i, end int, from *int) {
	for i < end {
		j := bytes.IndexByte(b[i:end], '\r')
		if j < 0 {
			return
		}
		d.put(b[*from : i+j])
		d.put(space)
		i += j + 1
		*from = i
	}
}

// check looks at the consumed octets as a whole, which is cheaper than line by
// line: a CR that is not one of a pair is bare.
func (d *decoder) check(b []byte, pairs int) {
	if !d.bare && bytes.Count(b, crlf[:1]) != pairs {
		d.bare = true
	}
	if !d.nul && d.policy&AllowNUL == 0 && bytes.IndexByte(b, 0) >= 0 {
		d.nul = true
	}
}

func (d *decoder) put(b []byte) {
	if len(b) == 0 {
		return
	}
	d.n += int64(len(b))
	if d.werr == nil && (d.limit < 0 || d.n <= d.limit) && d.verdict() == nil {
		_, d.werr = d.w.Write(b)
	}
}

// verdict is what is wrong with the message so far.
func (d *decoder) verdict() error {
	switch {
	case d.bare && d.policy&NormalizeBareNewlines == 0:
		return ErrBareNewline
	case d.nul:
		return ErrNUL
	case d.limit >= 0 && d.n > d.limit:
		return ErrTooLarge
	}
	return d.werr
}
