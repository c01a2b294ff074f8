package smtp

import "bytes"

// AppendDots appends body with its dots stuffed (RFC 5321 §4.5.2). atLineStart
// tells whether the octet before body ended a line, and comes back for what
// follows. body is CRLF text; a dot behind a bare LF is doubled as well, so that
// no receiver, however lenient, can see the end of the message inside it. What
// may hold bare CRs or LFs goes through a [DotEncoder] instead.
func AppendDots(dst, body []byte, atLineStart bool) ([]byte, bool) {
	if len(body) == 0 {
		return dst, atLineStart
	}
	if atLineStart && body[0] == '.' {
		dst = append(dst, '.')
	}
	from := 0
	for i := 0; ; {
		j := bytes.Index(body[i:], lfDot)
		if j < 0 {
			break
		}
		i += j + 1
		dst = append(dst, body[from:i]...)
		dst = append(dst, '.')
		from = i
	}
	return append(dst, body[from:]...), body[len(body)-1] == '\n'
}

var lfDot = []byte("\n.")

// DotEncoder stuffs the dots of a message that comes in pieces, and makes every
// line end CRLF: a bare LF becomes CRLF and a bare CR a space. So whatever a
// message is made of, nothing in it can end it for the receiver. The zero value
// stands at the start of a message.
type DotEncoder struct {
	inLine bool // the last octet did not end a line
	cr     bool // a CR is held back until it is known what follows
}

// Append appends the next piece of the message.
func (e *DotEncoder) Append(dst, body []byte) []byte {
	if len(body) == 0 {
		return dst
	}
	if !e.cr && body[len(body)-1] != '\r' && paired(body) {
		dst, atStart := AppendDots(dst, body, !e.inLine)
		e.inLine = !atStart
		return dst
	}
	for _, c := range body {
		dst = e.octet(dst, c)
	}
	return dst
}

// End appends what ends the message: CRLF if its last line has none, and the
// lone dot.
func (e *DotEncoder) End(dst []byte) []byte {
	if e.cr || e.inLine {
		dst = append(dst, "\r\n"...)
	}
	*e = DotEncoder{}
	return append(dst, ".\r\n"...)
}

func (e *DotEncoder) octet(dst []byte, c byte) []byte {
	if e.cr && c != '\n' {
		dst = append(dst, ' ')
		e.inLine = true
	}
	e.cr = c == '\r'
	switch {
	case c == '\r':
		return dst
	case c == '\n':
		e.inLine = false
		return append(dst, "\r\n"...)
	case c == '.' && !e.inLine:
		dst = append(dst, '.')
	}
	e.inLine = true
	return append(dst, c)
}

// paired tells whether each CR and each LF of b is part of a CRLF.
func paired(b []byte) bool {
	pairs := 0
	for i := 0; ; pairs++ {
		j := bytes.IndexByte(b[i:], '\n')
		if j < 0 {
			break
		}
		if j == 0 || b[i+j-1] != '\r' {
			return false
		}
		i += j + 1
	}
	return bytes.Count(b, crlf[:1]) == pairs
}
