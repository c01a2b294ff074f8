package smtp

import (
	"bytes"
	"errors"
	"io"
)

// Errors of [Reader] that tell what was wrong with what was read. After each of
// them the reader stands behind the line or message, so that the next command
// can be read.
var (
	ErrBareCR      = errors.New("smtp: CR without LF in a line")
	ErrBareLF      = errors.New("smtp: line ends in LF without CR")
	ErrLineTooLong = errors.New("smtp: line too long")
	ErrBareNewline = errors.New("smtp: CR without LF or LF without CR in the message")
	ErrNUL         = errors.New("smtp: NUL in the message")
	ErrTooLarge    = errors.New("smtp: message too large")
)

// NewlinePolicy is what happens to octets that no message may contain.
type NewlinePolicy uint8

// The policies. AllowNUL can be added to the others.
const (
	RefuseBareNewlines    NewlinePolicy = 0      // ErrBareNewline, ErrNUL
	NormalizeBareNewlines NewlinePolicy = 1 << 0 // a bare LF becomes CRLF, a bare CR a space
	AllowNUL              NewlinePolicy = 1 << 1 // NUL is passed on
)

const (
	minBuffer = 128      // what a Reader needs to hold what it cannot decide yet
	maxSkip   = 64 << 10 // of a line that is too long
	maxEmpty  = 100      // reads in a row that bring nothing
)

// Reader reads command lines and messages from a connection. It holds one
// buffer, which can be changed between commands and messages; it allocates
// nothing but for a command line that does not fit into it.
type Reader struct {
	r        io.Reader
	buf      []byte
	own      []byte // the caller's buffer, while buf is one that a long line needed
	pos, end int    // buf[pos:end] was read and not consumed
	err      error  // sticky: the reader lost its place
}

// NewReader makes a reader that fills buf from r. A buffer below 128 octets is
// replaced by a larger one.
func NewReader(r io.Reader, buf []byte) *Reader {
	return &Reader{r: r, buf: roomy(buf)}
}

func roomy(buf []byte) []byte {
	buf = buf[:cap(buf)]
	if len(buf) < minBuffer {
		return make([]byte, minBuffer)
	}
	return buf
}

// Buffered is the number of octets read from the connection and not consumed.
func (r *Reader) Buffered() int { return r.end - r.pos }

// Reset makes the reader read from another connection, or from the same one
// under TLS. What is buffered is dropped: octets sent in the clear behind
// STARTTLS are never commands (RFC 3207 §6).
func (r *Reader) Reset(rd io.Reader) { r.r, r.pos, r.end, r.err = rd, 0, 0, nil }

// SwapBuffer gives the reader another buffer, and returns the one that is free
// now: the old one, or buf itself if it cannot hold what is buffered.
func (r *Reader) SwapBuffer(buf []byte) (free []byte) {
	buf = buf[:cap(buf)]
	if len(buf) < minBuffer || len(buf) <= r.end-r.pos {
		return buf
	}
	n := copy(buf, r.buf[r.pos:r.end])
	free = r.buf
	if r.own != nil {
		free, r.own = r.own, nil
	}
	r.buf, r.pos, r.end = buf, 0, n
	return free
}

// ReadLine returns the next line without its CRLF; it is valid until the next
// call. max counts the CRLF, as the limits of RFC 5321 §4.5.3.1 do.
//
// With ErrBareCR and ErrBareLF the line comes as well. With ErrLineTooLong it
// was skipped; a line that goes on for another 64 KiB is not, and every later
// call fails: close the connection. A connection that ends inside a line is
// io.ErrUnexpectedEOF.
func (r *Reader) ReadLine(max int) ([]byte, error) {
	if r.err != nil {
		return nil, r.err
	}
	seen := 0
	for {
		window := r.buf[r.pos:r.end]
		if i := bytes.IndexByte(window[seen:], '\n'); i >= 0 {
			i += seen
			r.pos += i + 1
			if i+1 > max {
				return nil, ErrLineTooLong
			}
			return checkLine(window[:i])
		}
		if seen = len(window); seen >= max {
			return nil, r.skipLine()
		}
		if err := r.fill(max); err != nil {
			if err == io.EOF && seen > 0 {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
}

// checkLine takes the CR from a line that ended in LF.
func checkLine(line []byte) ([]byte, error) {
	n := len(line) - 1
	if n < 0 || line[n] != '\r' {
		return line, ErrBareLF
	}
	line = line[:n]
	if bytes.IndexByte(line, '\r') >= 0 {
		return line, ErrBareCR
	}
	return line, nil
}

// skipLine reads to the end of a line that is too long.
func (r *Reader) skipLine() error {
	for skipped := 0; skipped <= maxSkip; {
		if i := bytes.IndexByte(r.buf[r.pos:r.end], '\n'); i >= 0 {
			r.pos += i + 1
			return ErrLineTooLong
		}
		skipped += r.end - r.pos
		r.pos = r.end
		if err := r.fill(0); err != nil {
			return err
		}
	}
	r.err = ErrLineTooLong
	return r.err
}

// fill reads once, behind what is buffered. If the buffer is full it grows, up
// to max.
func (r *Reader) fill(max int) error {
	if r.pos == r.end {
		r.pos, r.end = 0, 0
		if r.own != nil {
			r.buf, r.own = r.own, nil
		}
	} else if r.pos > 0 && (r.end == len(r.buf) || r.end-r.pos < minBuffer) {
		r.end = copy(r.buf, r.buf[r.pos:r.end])
		r.pos = 0
	}
	if r.end == len(r.buf) {
		larger := make([]byte, min(2*len(r.buf), max+minBuffer))
		copy(larger, r.buf[:r.end])
		if r.own == nil {
			r.own = r.buf
		}
		r.buf = larger
	}
	for range maxEmpty {
		n, err := r.r.Read(r.buf[r.end:])
		r.end += n
		if n > 0 {
			return nil // an error comes again with the next read
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// ReadData copies a message to w, up to CRLF.CRLF and nothing else
// (RFC 5321 §4.1.1.4), and takes the stuffed dots out: those behind CRLF, and no
// others. Before it, the command's own CRLF was read. n counts the octets of the
// message, written or not.
//
// Whatever is wrong, the message is read to its end before the error is
// returned; only an error of the connection ends it early, and then the
// connection is of no further use. What was written before an error is to be
// thrown away. A negative limit is none.
func (r *Reader) ReadData(w io.Writer, limit int64, policy NewlinePolicy) (n int64, err error) {
	d := decoder{w: w, limit: limit, policy: policy, lineStart: true}
	if r.err != nil {
		return 0, r.err
	}
	for {
		used, done := d.scan(r.buf[r.pos:r.end])
		r.pos += used
		if done {
			return d.n, d.verdict()
		}
		if err := r.fill(minBuffer); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return d.n, err
		}
	}
}

// ReadChunk copies exactly n octets to w (BDAT, RFC 3030 §2). Whatever is wrong,
// it consumes all of them, so that the next octet read is that of a command. A
// negative limit is none; a chunk beyond it is not written at all.
func (r *Reader) ReadChunk(w io.Writer, n, limit int64) error {
	if r.err != nil {
		return r.err
	}
	var failed error
	if limit >= 0 && n > limit {
		failed = ErrTooLarge
	}
	for n > 0 {
		if r.pos == r.end {
			if err := r.fill(minBuffer); err != nil {
				if err == io.EOF {
					err = io.ErrUnexpectedEOF
				}
				return err
			}
		}
		b := r.buf[r.pos:min(int64(r.end), int64(r.pos)+min(n, int64(len(r.buf))))]
		r.pos += len(b)
		n -= int64(len(b))
		if failed == nil {
			_, failed = w.Write(b)
		}
	}
	return failed
}
