package quarantine

import (
	"io"
	"mime"
	"sort"
	"strconv"
	"strings"
)

// header is what the header of a part says of it.
type header struct {
	media    string
	encoding string
	boundary string
	names    []string // every name that some program might read
}

// parseHeader reads what it can; nothing in a header keeps it from reading the rest.
func parseHeader(raw []byte) header {
	h := header{media: "text/plain"}
	for _, f := range unfolded(string(raw)) {
		name, value, ok := strings.Cut(f, ":")
		if !ok {
			continue
		}
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "content-type":
			media, params := parameters(value)
			if media != "" {
				h.media = media
			}
			for _, p := range params {
				if p.name == "boundary" && h.boundary == "" {
					h.boundary = strings.TrimRight(p.value, " \t")
				}
			}
			h.names = append(h.names, names(params, "name")...)
		case "content-disposition":
			_, params := parameters(value)
			h.names = append(h.names, names(params, "filename")...)
			h.names = append(h.names, names(params, "name")...)
		case "content-transfer-encoding":
			h.encoding = strings.ToLower(strings.TrimSpace(value))
		}
	}
	return h
}

// unfolded are the fields of a header, each on one line.
func unfolded(raw string) []string {
	var fields []string
	var field strings.Builder
	flush := func() {
		if field.Len() > 0 {
			fields = append(fields, field.String())
			field.Reset()
		}
	}
	for line := range strings.Lines(raw) {
		text := strings.TrimRight(line, "\r\n")
		if text != "" && text[0] != ' ' && text[0] != '\t' {
			flush()
		}
		field.WriteString(text)
	}
	flush()
	return fields
}

// parameter is one attribute of a field, the quotes gone.
type parameter struct{ name, value string }

// parameters splits a field as leniently as the most lenient program does:
// quotes may be missing at the end, a value without quotes goes to the next
// semicolon.
func parameters(value string) (media string, params []parameter) {
	first, rest, _ := strings.Cut(value, ";")
	media = strings.ToLower(strings.TrimSpace(first))
	for rest != "" {
		name, after, ok := strings.Cut(rest, "=")
		if !ok {
			break
		}
		if i := strings.LastIndexByte(name, ';'); i >= 0 { // an attribute without a value stood before
			name = name[i+1:]
		}
		after = strings.TrimLeft(after, " \t")
		var v string
		if strings.HasPrefix(after, `"`) {
			v, after = quotedString(after[1:])
			_, rest, _ = strings.Cut(after, ";")
		} else {
			v, rest, _ = strings.Cut(after, ";")
			v = strings.TrimSpace(v)
		}
		params = append(params, parameter{strings.ToLower(strings.TrimSpace(name)), v})
	}
	return media, params
}

// quotedString reads up to the closing quote, RFC 5322 §3.2.4.
func quotedString(s string) (value, rest string) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case s[i] == '"':
			return b.String(), s[i+1:]
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), ""
}

// names are all values of an attribute: plain ones, those of RFC 2231 put
// together, and those with encoded words (RFC 2047), which stand in them
// although they must not.
func names(params []parameter, attribute string) []string {
	type piece struct {
		number  int
		encoded bool
		value   string
	}
	var out []string
	var pieces []piece
	for _, p := range params {
		if p.name == attribute {
			out = append(out, p.value)
			if word := decodeWords(p.value); word != p.value {
				out = append(out, word)
			}
			continue
		}
		rest, ok := strings.CutPrefix(p.name, attribute+"*")
		if !ok {
			continue
		}
		number, encoded := strings.CutSuffix(rest, "*")
		if rest == "" { // name*=utf-8''...
			out = append(out, percent(charsetOff(p.value)))
			continue
		}
		if n, err := strconv.Atoi(number); err == nil {
			pieces = append(pieces, piece{n, encoded, p.value})
		}
	}
	sort.SliceStable(pieces, func(i, j int) bool { return pieces[i].number < pieces[j].number })
	var joined strings.Builder
	for i, p := range pieces {
		v := p.value
		if p.encoded {
			if i == 0 {
				v = charsetOff(v)
			}
			v = percent(v)
		}
		joined.WriteString(v)
	}
	if joined.Len() > 0 {
		out = append(out, joined.String())
	}
	return out
}

// charsetOff drops "utf-8'en'" in front of a value, RFC 2231 §4. Letters that
// patterns name are the same in every charset that mail uses there.
func charsetOff(v string) string {
	if parts := strings.SplitN(v, "'", 3); len(parts) == 3 {
		return parts[2]
	}
	return v
}

// percent undoes %41; what is none stays.
func percent(v string) string {
	if !strings.Contains(v, "%") {
		return v
	}
	var b strings.Builder
	for i := 0; i < len(v); i++ {
		if v[i] == '%' && i+2 < len(v) {
			if n, err := strconv.ParseUint(v[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(n))
				i += 2
				continue
			}
		}
		b.WriteByte(v[i])
	}
	return b.String()
}

// words decodes RFC 2047. A charset that is not known passes as it is: its
// ASCII letters are what matters here.
var words = mime.WordDecoder{CharsetReader: func(_ string, input io.Reader) (io.Reader, error) { return input, nil }}

func decodeWords(v string) string {
	if !strings.Contains(v, "=?") {
		return v
	}
	if d, err := words.DecodeHeader(v); err == nil {
		return d
	}
	return v
}
