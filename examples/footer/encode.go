package footer

import (
	"encoding/base64"
	"errors"
	"io"
	"mime/quotedprintable"
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
		b, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(body)))
		return string(b), err
	case "base64":
		// What is no letter of the alphabet is to be ignored, says RFC 2045
		// §6.8; white space is all that honest software leaves there.
		clean := strings.Map(func(r rune) rune {
			if r == '\r' || r == '\n' || r == ' ' || r == '\t' {
				return -1
			}
			return r
		}, body)
		b, err := base64.StdEncoding.DecodeString(clean)
		return string(b), err
	}
	return "", errForeign
}

// encode is the opposite of decode; the last line ends as that of the original
// did.
func encode(text, encoding string) string {
	switch encoding {
	case "quoted-printable":
		return quoted(text)
	case "base64":
		code := base64.StdEncoding.EncodeToString([]byte(text))
		var b strings.Builder
		for len(code) > 76 {
			b.WriteString(code[:76])
			b.WriteString("\r\n")
			code = code[76:]
		}
		b.WriteString(code)
		return b.String()
	}
	return text
}

// quoted encodes by RFC 2045 §6.7. Only CRLF is a line end; a lone CR or LF is
// an octet like others, which the encoder of the standard library would change.
func quoted(text string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	b.Grow(len(text) + len(text)/8)
	column := 0
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '\r' && i+1 < len(text) && text[i+1] == '\n' {
			b.WriteString("\r\n")
			column = 0
			i++
			continue
		}
		atEnd := i+1 == len(text) || text[i+1] == '\r' && i+2 < len(text) && text[i+2] == '\n'
		plain := c > ' ' && c <= '~' && c != '=' || (c == ' ' || c == '\t') && !atEnd
		// A lone dot, and From at the beginning of a line, do not survive all relays.
		if column == 0 && (c == '.' || c == 'F' && strings.HasPrefix(text[i:], "From ")) {
			plain = false
		}
		width := 3
		if plain {
			width = 1
		}
		if column+width > 75 {
			b.WriteString("=\r\n")
			column = 0
		}
		if plain {
			b.WriteByte(c)
		} else {
			b.WriteByte('=')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
		column += width
	}
	return b.String()
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
