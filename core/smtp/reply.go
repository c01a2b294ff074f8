package smtp

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/programmable-mta/mta/sdk"
)

// Reply is what is said to a client or was said by a server.
type Reply = sdk.Reply

const (
	maxReplyLine  = 512 // RFC 5321 §4.5.3.1.5, with CRLF
	maxReplyLines = 100 // enough for EHLO; a text of a plugin is cut here
)

// AppendReply appends a reply as it goes over the wire. The text may have
// several lines, separated by "\n"; a line that is too long becomes several. The
// enhanced code stands on each line (RFC 2034 §4), and not at all if it is empty
// or the reply is a 3yz. A code that is none becomes 451 4.3.0, an enhanced code
// of another class gets the class of the reply (RFC 3463 §3), and whatever is
// not printable ASCII becomes "?": nobody's text can add a line.
func AppendReply(dst []byte, r sdk.Reply) []byte {
	if r.Code < 200 || r.Code > 599 {
		r = sdk.Reply{Code: 451, Enhanced: "4.3.0", Text: r.Text}
	}
	class := byte('0' + r.Code/100)
	code := [3]byte{class, byte('0' + r.Code/10%10), byte('0' + r.Code%10)}
	enhanced := r.Enhanced
	if enhanced != "" && !ValidEnhanced(enhanced) {
		enhanced = "0.0.0"
	}
	if class == '3' {
		enhanced = ""
	}
	text := strings.TrimRight(r.Text, "\r\n")
	if text == "" && enhanced != "" {
		text = defaultText(class) // a code alone has crashed clients
	}
	room := maxReplyLine - len("250-") - len("\r\n")
	if enhanced != "" {
		room -= len(enhanced) + 1
	}
	for lines := 1; ; lines++ {
		line, rest, more := cutLine(text, room)
		more = more && lines < maxReplyLines
		dst = append(dst, code[:]...)
		switch {
		case more:
			dst = append(dst, '-')
		case line != "" || enhanced != "":
			dst = append(dst, ' ')
		}
		if enhanced != "" {
			dst = append(dst, class)
			dst = append(dst, enhanced[1:]...)
			dst = append(dst, ' ')
		}
		dst = appendPrintable(dst, line)
		dst = append(dst, '\r', '\n')
		if !more {
			return dst
		}
		text = rest
	}
}

func defaultText(class byte) string {
	switch class {
	case '2':
		return "Ok"
	case '4':
		return "Try again later"
	}
	return "Refused"
}

// cutLine takes the first line from text: up to "\n", or up to a space that
// leaves it within room octets.
func cutLine(text string, room int) (line, rest string, more bool) {
	line, rest, more = strings.Cut(text, "\n")
	if more {
		line = strings.TrimSuffix(line, "\r")
	}
	if len(line) <= room {
		return line, rest, more
	}
	cut := room
	if i := strings.LastIndexByte(line[:room+1], ' '); i > 0 {
		cut = i
	}
	return text[:cut], strings.TrimPrefix(text[cut:], " "), true
}

// appendPrintable appends s with "?" for each character that is not printable
// ASCII, and a space for a tab.
func appendPrintable(dst []byte, s string) []byte {
	for i := 0; i < len(s); {
		c, n := s[i], 1
		switch {
		case c == '\t':
			c = ' '
		case c < ' ' || c == 0x7f:
			c = '?'
		case c >= utf8.RuneSelf:
			_, n = utf8.DecodeRuneInString(s[i:])
			c = '?'
		}
		dst = append(dst, c)
		i += n
	}
	return dst
}

// ValidEnhanced tells whether s is an enhanced status code of RFC 3463 §2.
func ValidEnhanced(s string) bool { return s != "" && enhancedLen(s) == len(s) }

// enhancedLen is the length of the enhanced code at the start of s, or 0.
func enhancedLen[T string | []byte](s T) int {
	if len(s) < len("2.0.0") || s[0] != '2' && s[0] != '4' && s[0] != '5' {
		return 0
	}
	i := 1
	for range 2 {
		if i >= len(s) || s[i] != '.' {
			return 0
		}
		i++
		start := i
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		if i == start || i-start > 3 {
			return 0
		}
	}
	if i < len(s) && s[i] != ' ' {
		return 0
	}
	return i
}

var errReplyLine = errors.New("smtp: not a reply line")

// ParseReplyLine takes one line of a reply apart, without its CRLF. more tells
// that another line follows. An enhanced code is one only if its class is that
// of the reply; otherwise it stays in the text. The text is as it came: whoever
// shows it makes it harmless.
func ParseReplyLine(line []byte) (code int, more bool, enhanced, text string, err error) {
	code, more, e, t, err := SplitReplyLine(line)
	if err != nil {
		return 0, false, "", "", err
	}
	return code, more, string(e), string(t), nil
}

// SplitReplyLine is [ParseReplyLine] without a copy: enhanced and text lie in
// line.
func SplitReplyLine(line []byte) (code int, more bool, enhanced, text []byte, err error) {
	if len(line) < 3 || line[0] < '2' || line[0] > '5' || !digit(line[1]) || !digit(line[2]) {
		return 0, false, nil, nil, errReplyLine
	}
	code = int(line[0]-'0')*100 + int(line[1]-'0')*10 + int(line[2]-'0')
	if len(line) == 3 {
		return code, false, nil, nil, nil
	}
	switch line[3] {
	case '-':
		more = true
	case ' ':
	default:
		return 0, false, nil, nil, errReplyLine
	}
	text = line[4:]
	if n := enhancedLen(text); n > 0 && text[0] == line[0] {
		enhanced, text = text[:n], text[n:]
		if len(text) > 0 {
			text = text[1:]
		}
	}
	return code, more, enhanced, text, nil
}

func digit(c byte) bool { return c >= '0' && c <= '9' }
