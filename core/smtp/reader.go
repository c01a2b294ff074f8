package smtp

import (
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

// Reader reads command lines and messages from a connection.
type Reader struct{ r io.Reader }

// NewReader makes a reader that fills buf from r.
func NewReader(r io.Reader, buf []byte) *Reader { return &Reader{r: r} }

// Buffered is the number of octets read from the connection and not consumed.
func (r *Reader) Buffered() int { return 0 }

// ReadLine returns the next line without its CRLF; it is valid until the next call.
func (r *Reader) ReadLine(max int) ([]byte, error) { return nil, errStub }

// ReadData copies a message up to CRLF.CRLF to w, without dot stuffing. A
// negative limit is none.
func (r *Reader) ReadData(w io.Writer, limit int64, policy NewlinePolicy) (n int64, err error) {
	return 0, errStub
}

// ReadChunk copies exactly n octets to w (BDAT). A negative limit is none.
func (r *Reader) ReadChunk(w io.Writer, n, limit int64) error { return errStub }

// SwapBuffer gives the reader another buffer, and returns the one that is free
// now: the old one, or buf itself if it cannot hold what is buffered.
func (r *Reader) SwapBuffer(buf []byte) (free []byte) { return buf }

// Reset makes the reader read from another connection (or the same one under
// TLS) and drops what is buffered.
func (r *Reader) Reset(rd io.Reader) { r.r = rd }
