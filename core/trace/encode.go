package trace

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/programmable-mta/mta/sdk"
)

// The encoders append to a buffer, so that a record or a line costs no
// allocation. Field names are those of [Record] and never change meaning.

const hexDigits = "0123456789abcdef"

// Values of peers and plugins are cut, so that a record and a line are bounded
// by the number of their fields.
const (
	valueCap = 2 << 10 // in a record
	angleCap = 1 << 10 // of an address in a line
	lineCap  = 4 << 10 // of free text in a line
)

func short(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}

// appendTime is RFC 3339 with microseconds and zone; time's own formatter costs
// four times as much for this layout.
func appendTime(b []byte, t time.Time) []byte {
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	if year < 0 || year > 9999 {
		year = 0
	}
	b = append(b, byte('0'+year/1000), byte('0'+year/100%10), byte('0'+year/10%10), byte('0'+year%10), '-')
	b = append(two(b, int(month)), '-')
	b = append(two(b, day), 'T')
	b = append(two(b, hour), ':')
	b = append(two(b, minute), ':')
	b = append(two(b, second), '.')
	us := t.Nanosecond() / 1000
	b = append(b, byte('0'+us/100000), byte('0'+us/10000%10), byte('0'+us/1000%10), byte('0'+us/100%10), byte('0'+us/10%10), byte('0'+us%10))
	_, offset := t.Zone()
	sign := byte('+')
	if offset < 0 {
		sign, offset = '-', -offset
	}
	b = append(two(append(b, sign), offset/3600%100), ':')
	return two(b, offset/60%60)
}

func two(b []byte, n int) []byte { return append(b, byte('0'+n/10), byte('0'+n%10)) }

// appendJSON appends a quoted JSON string. What is not UTF-8 becomes U+FFFD.
func appendJSON[S string | []byte](b []byte, s S) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\' && c != 0x7f {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
			if r != utf8.RuneError || n > 1 {
				i += n
				continue
			}
			b = append(append(b, s[start:i]...), `\ufffd`...)
		} else {
			b = append(b, s[start:i]...)
			switch c {
			case '"', '\\':
				b = append(b, '\\', c)
			case '\n':
				b = append(b, '\\', 'n')
			case '\r':
				b = append(b, '\\', 'r')
			case '\t':
				b = append(b, '\\', 't')
			default:
				b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			}
		}
		i++
		start = i
	}
	return append(append(b, s[start:]...), '"')
}

// str appends `,"name":"value"`, or nothing for an empty value.
func str(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	return appendJSON(key(b, name), short(value, valueCap))
}

func num(b []byte, name string, n int64) []byte {
	if n == 0 {
		return b
	}
	return strconv.AppendInt(key(b, name), n, 10)
}

func flag(b []byte, name string, v bool) []byte {
	if !v {
		return b
	}
	return append(key(b, name), "true"...)
}

func key(b []byte, name string) []byte {
	return append(append(append(b, `,"`...), name...), `":`...)
}

func micros(b []byte, name string, d time.Duration) []byte {
	return num(b, name, int64(d/time.Microsecond))
}

func reply(b []byte, r sdk.Reply) []byte {
	if r.Code == 0 && r.Enhanced == "" && r.Text == "" {
		return b
	}
	b = append(b, `,"reply":{`...)
	at := len(b)
	b = num(b, "code", int64(r.Code))
	b = str(b, "enhanced", r.Enhanced)
	b = str(b, "text", r.Text)
	return append(uncomma(b, at), '}')
}

// uncomma removes the comma that a list of fields began with.
func uncomma(b []byte, at int) []byte {
	if at < len(b) && b[at] == ',' {
		b = append(b[:at], b[at+1:]...)
	}
	return b
}

func list(b []byte, name string, vs []string) []byte {
	if len(vs) == 0 {
		return b
	}
	b = append(key(b, name), '[')
	for i, v := range vs {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendJSON(b, v)
	}
	return append(b, ']')
}

// class says which characters of a peer's text may stand in a log line.
type class uint8

const (
	inText  class = iota // anything printable
	inAngle              // not the brackets around it
	inName               // one word: no space, bracket, or mark between fields
)

// appendSafe appends text from a peer so that it cannot end the line or the
// field it stands in, nor deceive a terminal: anything else becomes \xNN.
func appendSafe(b []byte, s string, c class) []byte {
	start := 0
	for i := 0; i < len(s); {
		n, ok := 1, false
		switch ch := s[i]; {
		case ch >= utf8.RuneSelf:
			var r rune
			r, n = utf8.DecodeRuneInString(s[i:])
			ok = (r != utf8.RuneError || n > 1) && unicode.IsPrint(r) && c != inName
		case ch < ' ' || ch == 0x7f:
		case c == inAngle:
			ok = ch != '<' && ch != '>'
		case c == inName:
			ok = strings.IndexByte(" <>[](),;=\"'\\", ch) < 0
		default:
			ok = true
		}
		if !ok {
			b = append(b, s[start:i]...)
			for _, ch := range []byte(s[i : i+n]) {
				b = append(b, '\\', 'x', hexDigits[ch>>4], hexDigits[ch&15])
			}
			start = i + n
		}
		i += n
	}
	return append(b, s[start:]...)
}

func angle(b []byte, name, addr string) []byte {
	return append(appendSafe(append(append(b, name...), "=<"...), short(addr, angleCap), inAngle), '>')
}

// peer is "name[address]", and "unknown[address]" for an unconfirmed name.
func peer(b []byte, name, ip string) []byte {
	if name == "" {
		name = "unknown"
	}
	if ip == "" {
		ip = "unknown"
	}
	return append(appendSafe(append(appendSafe(b, name, inName), '['), ip, inName), ']')
}

func replyText(b []byte, r sdk.Reply) []byte {
	at := len(b)
	if r.Code != 0 {
		b = strconv.AppendInt(b, int64(r.Code), 10)
	}
	for _, s := range [...]string{r.Enhanced, r.Text} {
		if s == "" {
			continue
		}
		if len(b) > at {
			b = append(b, ' ')
		}
		b = appendLine(b, s)
	}
	return b
}

// appendLine is appendSafe for text of several lines, which become one.
func appendLine(b []byte, s string) []byte {
	s = short(s, lineCap)
	for {
		i := 0
		for i < len(s) && s[i] != '\n' {
			i++
		}
		b = appendSafe(b, s[:i], inText)
		if i == len(s) {
			return b
		}
		b = append(b, ' ')
		s = s[i+1:]
	}
}
