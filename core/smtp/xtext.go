package smtp

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

var errXtext = errors.New("smtp: bad xtext")

const hexDigits = "0123456789ABCDEF"

// EncodeXtext encodes s as xtext (RFC 3461 §4).
func EncodeXtext(s string) string {
	for i := 0; i < len(s); i++ {
		if !isXchar(s[i]) {
			return string(AppendXtext(make([]byte, 0, len(s)+16), s))
		}
	}
	return s
}

// AppendXtext appends s as xtext.
func AppendXtext(dst []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if c := s[i]; isXchar(c) {
			dst = append(dst, c)
		} else {
			dst = append(dst, '+', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return dst
}

// DecodeXtext is the inverse of [EncodeXtext]. It refuses encoded control
// characters: decoded text ends up in DSNs and logs, where a CR, LF or NUL would
// be somebody else's line.
func DecodeXtext(s string) (string, error) {
	plain := true
	for i := 0; i < len(s); i++ {
		if s[i] == '+' {
			plain = false
		} else if !isXchar(s[i]) {
			return "", errXtext
		}
	}
	if plain {
		return s, nil
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '+' {
			if i+2 >= len(s) {
				return "", errXtext
			}
			hi, lo := unhex(s[i+1]), unhex(s[i+2])
			if hi > 15 || lo > 15 {
				return "", errXtext
			}
			if c = hi<<4 | lo; c < ' ' || c == 0x7f {
				return "", errXtext
			}
			i += 2
		}
		b = append(b, c)
	}
	return string(b), nil
}

// isXchar checks xchar: printable ASCII but "+" and "=".
func isXchar(c byte) bool { return c > ' ' && c < 0x7f && c != '+' && c != '=' }

// unhex is the value of a digit of hexchar, which is in upper case only.
func unhex(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	}
	return 0xff
}

// AppendORcpt appends the value of ORCPT: an address type and an address in the
// encoding of that type. For "utf-8" this is utf-8-addr-xtext of RFC 6533 §3,
// which every peer can take.
func AppendORcpt(dst []byte, kind, addr string) []byte {
	dst = append(append(dst, kind...), ';')
	if !strings.EqualFold(kind, "utf-8") {
		return AppendXtext(dst, addr)
	}
	for _, r := range addr {
		if r < utf8.RuneSelf && isXchar(byte(r)) && r != '\\' {
			dst = append(dst, byte(r))
			continue
		}
		dst = append(dst, `\x{`...)
		dst = append(dst, strings.ToUpper(strconv.FormatInt(int64(r), 16))...)
		dst = append(dst, '}')
	}
	return dst
}
