package footer

import (
	"encoding/base64"
	"errors"
	"strings"
	"unicode/utf8"
)

// errForeign: the text cannot hold the footer; it has to stand beside it.
var errForeign = errors.New("a text is in a charset or an encoding that cannot hold the footer")

// decode undoes a transfer encoding (RFC 2045 §6).
func decode(body, encoding string) (string, error) {
	switch encoding {
	case "7bit", "8bit":
		return body, nil
	case "quoted-printable":
		return unquoted(body)
	case "base64":
		// Line ends are passed over by the decoder; other white space is rare.
		if strings.ContainsAny(body, " \t") {
			body = strings.NewReplacer(" ", "", "\t", "").Replace(body)
		}
		b, err := base64.StdEncoding.DecodeString(body)
		return string(b), err
	}
	return "", errForeign
}

var errQuoted = errors.New("no quoted-printable")

// unquoted decodes by RFC 2045 §6.7, strictly: what is not right is left alone.
func unquoted(body string) (string, error) {
	out := make([]byte, 0, len(body))
	for body != "" {
		line, rest, ended := cutLine(body)
		body = rest
		// White space at the end of a line was added on the way.
		line = strings.TrimRight(line, " \t\r\n")
		for {
			at := strings.IndexByte(line, '=')
			if at < 0 {
				break
			}
			out, line = append(out, line[:at]...), line[at+1:]
			if line == "" { // a soft line break
				ended = false
				break
			}
			if len(line) < 2 {
				return "", errQuoted
			}
			high, low := digit(line[0]), digit(line[1])
			if high > 15 || low > 15 {
				return "", errQuoted
			}
			out, line = append(out, high<<4|low), line[2:]
		}
		out = append(out, line...)
		if ended {
			out = append(out, '\r', '\n')
		}
	}
	return string(out), nil
}

// digit is the value of a hexadecimal digit; above 15: it is none.
func digit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	}
	return 255
}

// encode is the opposite of decode; the last line ends as that of the original
// did.
func encode(text, encoding string) string {
	switch encoding {
	case "quoted-printable":
		return quoted(text)
	case "base64":
		const perLine = 57 // octets, 76 letters (RFC 2045 §6.8)
		out := make([]byte, 0, base64.StdEncoding.EncodedLen(len(text))+2*(len(text)/perLine+1))
		for len(text) > perLine {
			out = append(base64.StdEncoding.AppendEncode(out, []byte(text[:perLine])), '\r', '\n')
			text = text[perLine:]
		}
		return string(base64.StdEncoding.AppendEncode(out, []byte(text)))
	}
	return text
}

// quoted encodes by RFC 2045 §6.7. Only CRLF is a line end; a lone CR or LF is
// an octet like others, which the encoder of the standard library would change.
func quoted(text string) string {
	const hex = "0123456789ABCDEF"
	b := make([]byte, 0, len(text)+len(text)/8+16)
	column := 0
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '\r' && i+1 < len(text) && text[i+1] == '\n' {
			b = append(b, '\r', '\n')
			column = 0
			i++
			continue
		}
		plain := c > ' ' && c <= '~' && c != '='
		if c == ' ' || c == '\t' { // but not at the end of a line
			plain = i+1 < len(text) && text[i+1] != '\r'
		}
		// A lone dot, and From at the beginning of a line, do not survive all relays.
		if column == 0 && (c == '.' || c == 'F' && strings.HasPrefix(text[i:], "From ")) {
			plain = false
		}
		if column > 74 || !plain && column > 72 {
			b = append(b, "=\r\n"...)
			column = 0
		}
		if plain {
			b = append(b, c)
			column++
		} else {
			b = append(b, '=', hex[c>>4], hex[c&15])
			column += 3
		}
	}
	return string(b)
}

// latin1 writes UTF-8 in ISO 8859-1; false: it has not all characters.
func latin1(s string) (string, bool) {
	out := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 0xff || r >= 0x7f && r < 0xa0 {
			return "", false
		}
		out = append(out, byte(r))
	}
	return string(out), true
}

// asciiLike tells of a charset in which ASCII octets are ASCII characters, each
// by itself, so that lines of ASCII can be added.
func asciiLike(charset string) bool {
	switch charset {
	case "us-ascii", "utf-8", "koi8-r", "koi8-u":
		return true
	}
	return strings.HasPrefix(charset, "iso-8859-") || strings.HasPrefix(charset, "windows-125")
}

// has8bit tells of octets that are not ASCII.
func has8bit(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return true
		}
	}
	return false
}
