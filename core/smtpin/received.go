package smtpin

import (
	"bytes"
	"strings"
	"time"

	"github.com/programmable-mta/mta/core/queue"
	"github.com/programmable-mta/mta/core/smtp"
	"github.com/programmable-mta/mta/sdk"
)

// appendReceived appends our trace field (RFC 5321 §4.4). The recipient is named
// only when it is the only one: a second name would show a Bcc.
func appendReceived(b []byte, host string, s *sdk.Session, env *sdk.Envelope, now time.Time) []byte {
	b = append(b, "Received: from "...)
	b = appendWord(b, s.Helo)
	b = append(b, " ("...)
	if s.RemoteName == "" {
		b = append(b, "unknown"...)
	} else {
		b = appendWord(b, s.RemoteName)
	}
	b = append(b, " ["...)
	if strings.IndexByte(s.RemoteIP, ':') >= 0 {
		b = append(b, "IPv6:"...) // RFC 5321 §4.1.3
	}
	if s.RemoteIP == "" {
		b = append(b, "local"...)
	}
	b = append(b, s.RemoteIP...)
	b = append(b, "])\r\n\tby "...)
	b = append(b, host...)
	b = append(b, " with "...)
	b = append(b, env.Origin.Protocol...)
	b = append(b, " id "...)
	b = append(b, env.ID...)
	if len(env.Recipients) == 1 {
		b = append(b, "\r\n\tfor <"...)
		b = append(b, env.Recipients[0].Addr...)
		b = append(b, '>')
	}
	if version, cipher, ok := strings.Cut(s.TLS, " "); ok { // RFC 8314 §4.3
		b = append(b, "\r\n\ttls "...)
		b = appendWord(b, cipher)
		b = append(b, " ("...)
		b = appendWord(b, version)
		b = append(b, ')')
	}
	b = append(b, "; "...)
	b = now.AppendFormat(b, "Mon, 2 Jan 2006 15:04:05 -0700")
	return append(b, "\r\n"...)
}

// appendWord appends what a stranger chose, in characters that cannot end a
// comment, a field or a line.
func appendWord(b []byte, s string) []byte {
	const maxWord = 255
	if s == "" {
		return append(b, "unknown"...)
	}
	for i := 0; i < len(s) && i < maxWord; i++ {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9',
			c == '-', c == '.', c == '_', c == ':', c == '[', c == ']':
		default:
			c = '?'
		}
		b = append(b, c)
	}
	return b
}

// inbound takes the message on its way to the draft and looks at it in passing:
// the fields that the relay has to know, and, for chunks, the line ends.
type inbound struct {
	draft *queue.Draft
	err   error // of the draft: the message cannot be kept

	inHeader bool
	wantID   bool   // Message-ID was folded before its value
	line     []byte // the beginning of a header line that is not all here yet
	hops     int    // Received fields
	id       string // of Message-ID

	chunks bool // the line ends were not looked at by the reader
	policy smtp.NewlinePolicy
	cr     bool // the last octet was a CR
	lf     bool // the last octets were CRLF
	bad    error
}

// maxHeaderLine is how much of a header line is looked at.
const maxHeaderLine = 512

func (w *inbound) reset(d *queue.Draft, chunks bool, policy smtp.NewlinePolicy) {
	*w = inbound{draft: d, inHeader: true, line: w.line[:0], chunks: chunks, policy: policy, lf: true}
}

// Write implements io.Writer.
func (w *inbound) Write(p []byte) (int, error) {
	if w.chunks {
		return w.writeChunk(p)
	}
	return w.put(p)
}

func (w *inbound) put(p []byte) (int, error) {
	if w.inHeader {
		w.scan(p)
	}
	if w.err == nil {
		_, w.err = w.draft.Write(p)
	}
	return len(p), w.err
}

// writeChunk checks the line ends of a chunk as the reader does those of DATA.
func (w *inbound) writeChunk(p []byte) (int, error) {
	n := len(p)
	if w.policy&smtp.AllowNUL == 0 && w.bad == nil && bytes.IndexByte(p, 0) >= 0 {
		w.bad = smtp.ErrNUL
	}
	if !w.cr && paired(p) {
		if p[n-1] == '\r' {
			w.cr, p = true, p[:n-1]
		}
		if len(p) > 0 {
			w.put(p)
			w.lf = bytes.HasSuffix(p, crlf)
		}
		return n, w.err
	}
	normalize := w.policy&smtp.NormalizeBareNewlines != 0
	for len(p) > 0 && w.bad == nil && w.err == nil {
		if w.cr {
			w.cr = false
			switch {
			case p[0] == '\n':
				w.put(crlf)
				w.lf = true
				p = p[1:]
				continue
			case normalize:
				w.put(space)
				w.lf = false
			default:
				w.bad = smtp.ErrBareNewline
				continue
			}
		}
		i := bytes.IndexAny(p, "\r\n")
		if i < 0 {
			i = len(p)
		}
		if i > 0 {
			w.put(p[:i])
			w.lf = false
		}
		if p = p[i:]; len(p) == 0 {
			break
		}
		switch {
		case p[0] == '\r':
			w.cr = true
		case normalize:
			w.put(crlf)
			w.lf = true
		default:
			w.bad = smtp.ErrBareNewline
		}
		p = p[1:]
	}
	return n, w.err
}

// paired tells whether every CR and LF in a piece belongs to a CRLF, but for a
// CR at its end. It is what nearly all pieces are.
func paired(p []byte) bool {
	if len(p) == 0 {
		return false
	}
	pairs := bytes.Count(p, crlf)
	crs := bytes.Count(p, crlf[:1])
	if p[len(p)-1] == '\r' {
		crs--
	}
	return crs == pairs && bytes.Count(p, crlf[1:]) == pairs
}

var (
	crlf  = []byte("\r\n")
	space = []byte(" ")
)

// finish ends a message that came in chunks. One that does not end in CRLF gets
// it: it has to, as soon as it is passed on with DATA (RFC 5321 §4.1.1.4).
func (w *inbound) finish() error {
	if w.cr && w.bad == nil {
		w.cr = false
		if w.policy&smtp.NormalizeBareNewlines == 0 {
			w.bad = smtp.ErrBareNewline
		} else {
			w.put(space)
			w.lf = false
		}
	}
	if w.bad == nil && w.chunks && !w.lf {
		w.put(crlf)
	}
	if w.bad != nil {
		return w.bad
	}
	return w.err
}

// scan looks at the header, line by line, however it is cut into pieces.
func (w *inbound) scan(p []byte) {
	for len(p) > 0 && w.inHeader {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			w.line = append(w.line, p[:min(len(p), maxHeaderLine-len(w.line))]...)
			return
		}
		line := p[:i+1]
		p = p[i+1:]
		if len(w.line) > 0 {
			w.line = append(w.line, line[:min(len(line), max(0, maxHeaderLine-len(w.line)))]...)
			line = w.line
		}
		w.field(line)
		w.line = w.line[:0]
	}
}

// field looks at one line of the header.
func (w *inbound) field(line []byte) {
	switch {
	case len(line) <= 2:
		w.inHeader = false
	case line[0] == ' ' || line[0] == '\t':
		if w.wantID {
			w.messageID(line)
		}
	default:
		w.wantID = false
		switch {
		case hasPrefixFold(line, "received:"):
			w.hops++
		case hasPrefixFold(line, "message-id:"):
			w.wantID = w.id == ""
			w.messageID(line[len("message-id:"):])
		case bytes.IndexByte(line, ':') < 0:
			w.inHeader = false // no header field: the body has begun without an empty line
		}
	}
}

func (w *inbound) messageID(value []byte) {
	if value = bytes.TrimSpace(value); len(value) > 0 && w.id == "" {
		w.id, w.wantID = string(value[:min(len(value), maxHeaderLine)]), false
	}
}

func hasPrefixFold(b []byte, lower string) bool {
	if len(b) < len(lower) {
		return false
	}
	for i := range len(lower) {
		c := b[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}
