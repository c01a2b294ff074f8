package bounce

import (
	"bytes"
	"mime/quotedprintable"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What others may put on our lines, at the most. An address of RFC 5321 has 320
// octets; a reply of 512 octets a line is cut where nobody reads on.
const (
	maxAddress = 400
	maxWords   = 1000
	foldAt     = 76
	maxLine    = 998 // RFC 5322 §2.1.1
)

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// clean makes s fit for one line: what is no printable character becomes a
// space or a question mark, runs of spaces become one, and max octets remain.
func clean(s string, max int) string {
	if len(s) > 4*max { // no work on what is cut anyway
		s = s[:4*max]
	}
	var b strings.Builder
	b.Grow(min(len(s), max))
	space := true // no space at the beginning
	for _, r := range s {
		switch {
		case r == ' ' || unicode.IsControl(r) || unicode.IsSpace(r):
			if !space && b.Len()+1 <= max {
				b.WriteByte(' ')
			}
			space = true
			continue
		case r == utf8.RuneError || !unicode.IsPrint(r):
			r = '?'
		}
		if b.Len()+utf8.RuneLen(r) > max {
			break
		}
		b.WriteRune(r)
		space = false
	}
	return strings.TrimRight(b.String(), " ")
}

// ascii is clean for a place where only ASCII may stand.
func ascii(s string, max int) string {
	s = clean(s, max)
	if isASCII(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r >= utf8.RuneSelf {
			return '?'
		}
		return r
	}, s)
}

// xtext is the 7-bit form of an address of type utf-8: utf-8-addr-xtext of
// RFC 6533 §3.
func xtext(addr string) string {
	var b strings.Builder
	for _, r := range addr {
		if r < utf8.RuneSelf && r != '\\' && r != '+' && r != '=' {
			b.WriteRune(r)
			continue
		}
		b.WriteString(`\x{` + strings.ToUpper(strconv.FormatInt(int64(r), 16)) + "}")
	}
	return b.String()
}

// appendFolded writes words, breaking lines at spaces and, where there is none,
// anywhere before a line grows too long. cont begins each further line.
func appendFolded(b *bytes.Buffer, words, cont string, column int) {
	for first := true; words != ""; first = false {
		word, rest, _ := strings.Cut(words, " ")
		if len(word) > maxLine/2 {
			cut := maxLine / 2
			for cut > 0 && !utf8.RuneStart(word[cut]) {
				cut--
			}
			word, rest = words[:cut], words[cut:]
		}
		switch {
		case first:
		case column+1+len(word) > foldAt:
			b.WriteString("\r\n" + cont)
			column = len(cont)
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
		words = rest
	}
}

// encode makes text 7-bit: as it is if it can be, otherwise quoted-printable.
func encode(text []byte) (content []byte, encoding string) {
	if sevenBit(text) {
		return text, "7bit"
	}
	return encodeAlways(text), "quoted-printable"
}

func encodeAlways(text []byte) []byte {
	var b bytes.Buffer
	w := quotedprintable.NewWriter(&b)
	w.Write(text) // a bytes.Buffer does not fail
	w.Close()
	if !bytes.HasSuffix(b.Bytes(), []byte("\r\n")) {
		b.WriteString("\r\n")
	}
	return b.Bytes()
}

// sevenBit: RFC 2045 §2.7, so short lines that end in CRLF, without NUL and
// octets above 127.
func sevenBit(text []byte) bool {
	for _, c := range text {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return plainLines(text)
}

// plainLines: nothing but lines of at most 998 octets that end in CRLF, and no NUL.
func plainLines(text []byte) bool {
	for len(text) > 0 {
		i := bytes.IndexByte(text, '\n')
		line := text
		if i >= 0 {
			if i == 0 || text[i-1] != '\r' {
				return false
			}
			line, text = text[:i-1], text[i+1:]
		} else {
			text = nil
		}
		if len(line) > maxLine || bytes.IndexByte(line, '\r') >= 0 || bytes.IndexByte(line, 0) >= 0 {
			return false
		}
	}
	return true
}

func lowerWord(s string) string {
	s, _, _ = strings.Cut(s, ";")
	s, _, _ = strings.Cut(strings.TrimSpace(s), " ")
	return strings.ToLower(s)
}
