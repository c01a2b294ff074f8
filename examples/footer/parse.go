package footer

import (
	"mime"
	"strings"
)

// Bounds of what is looked at; what is beyond them is left alone.
const (
	maxDepth = 10
	maxParts = 500
)

// entity is a message or a part of one, as it stands in the message.
type entity struct {
	fields     []field
	body       string
	start, end int // of the whole entity in the message
	media      string
	params     map[string]string
	encoding   string // of the transfer; in lower case, "7bit" if none is given
	attachment bool
	bodiless   bool
	kids       []*entity

	content string // of a text, decoded
	err     error  // or why not
}

type field struct {
	name string // in lower case
	raw  string // with its line ends
}

func (f *field) value() string {
	_, v, _ := strings.Cut(f.raw, ":")
	return strings.TrimSpace(strings.ReplaceAll(v, "\r\n", ""))
}

// get is the value of a field, and how many fields have that name.
func (e *entity) get(name string) (value string, n int) {
	for i := range e.fields {
		if e.fields[i].name == name {
			if n++; n == 1 {
				value = e.fields[i].value()
			}
		}
	}
	return value, n
}

// parser counts what it finds, and says why it gives up.
type parser struct {
	text  string
	parts int
	why   string
}

func (p *parser) fail(why string) {
	if p.why == "" {
		p.why = why
	}
}

// entity parses text[start:end]. usual is the media type of one that has none
// (RFC 2045 §5.2, RFC 2046 §5.1.5).
func (p *parser) entity(start, end, depth int, usual string) *entity {
	e := &entity{start: start, end: end, media: usual, encoding: "7bit", params: map[string]string{}}
	if p.parts++; depth > maxDepth || p.parts > maxParts {
		p.fail("it has too many parts")
		return e
	}
	e.fields, e.body, e.bodiless = p.header(p.text[start:end])
	p.content(e)
	if !strings.HasPrefix(e.media, "multipart/") || p.why != "" {
		return e
	}
	// RFC 2045 §6.4: a multipart is never encoded as a whole.
	if e.encoding != "7bit" && e.encoding != "8bit" {
		p.fail("a multipart has the encoding " + e.encoding)
		return e
	}
	p.split(e, depth)
	return e
}

// header takes the fields off; a part may begin with the empty line behind none.
// A part that ends with its header has no body, and no place for one.
func (p *parser) header(text string) (fields []field, body string, bodiless bool) {
	begun := 0 // of the field
	for at := 0; at < len(text); {
		line, _, ended := cutLine(text[at:])
		next := at + len(line)
		switch {
		case line == "\r\n":
			return fields, text[next:], false
		case line[0] == ' ' || line[0] == '\t':
			if len(fields) == 0 {
				p.fail("its header is broken")
				return nil, "", true
			}
			fields[len(fields)-1].raw = text[begun:next]
		default:
			name, _, ok := strings.Cut(line, ":")
			// What the relay may not take for a field would end the header there.
			if !ok || !ended || !validName(name) {
				p.fail("its header is broken")
				return nil, "", true
			}
			begun = at
			fields = append(fields, field{strings.ToLower(strings.TrimRight(name, " \t")), line})
		}
		at = next
	}
	return fields, "", text != ""
}

// validName: RFC 5322 §2.2, and white space before the colon as in §4.5.
func validName(name string) bool {
	name = strings.TrimRight(name, " \t")
	for i := range len(name) {
		if name[i] <= ' ' || name[i] > '~' {
			return false
		}
	}
	return name != ""
}

// cutLine is text up to and with its first CRLF.
func cutLine(text string) (line, rest string, ended bool) {
	if i := strings.Index(text, "\r\n"); i >= 0 {
		return text[:i+2], text[i+2:], true
	}
	return text, "", false
}

// content reads the fields that say what an entity holds. One that is there
// twice means different things to different readers.
func (p *parser) content(e *entity) {
	value, n := e.get("content-type")
	if n > 1 {
		p.fail("a part has two Content-Type fields")
	}
	if n == 1 {
		media, params, err := mime.ParseMediaType(value)
		if err != nil || !strings.Contains(media, "/") {
			p.fail("a Content-Type cannot be read")
			return
		}
		e.media, e.params = media, params
	}
	value, n = e.get("content-transfer-encoding")
	if n > 1 {
		p.fail("a part has two Content-Transfer-Encoding fields")
	}
	if n == 1 {
		e.encoding = strings.ToLower(value)
	}
	if value, n = e.get("content-disposition"); n > 0 {
		disposition, params, err := mime.ParseMediaType(value)
		e.attachment = n > 1 || err != nil || disposition != "inline" || params["filename"] != ""
	}
	if e.params["name"] != "" {
		e.attachment = true
	}
}

// split finds the parts of a multipart, RFC 2046 §5.1.1: the line end in front
// of a delimiter belongs to the delimiter.
func (p *parser) split(e *entity, depth int) {
	boundary := "--" + e.params["boundary"]
	if len(boundary) == 2 || len(boundary) > 200 {
		p.fail("a multipart has no usable boundary")
		return
	}
	usual := "text/plain"
	if e.media == "multipart/digest" {
		usual = "message/rfc822"
	}
	at := e.end - len(e.body)
	begun, closed := -1, false
	for at < e.end && !closed {
		line, _, _ := cutLine(p.text[at:e.end])
		if rest, ok := strings.CutPrefix(line, boundary); ok {
			last, isLast := strings.CutPrefix(rest, "--")
			closed = isLast && strings.Trim(last, " \t\r\n") == ""
			if closed || strings.Trim(rest, " \t\r\n") == "" {
				if begun >= 0 && p.why == "" {
					// Two delimiters one behind the other share a line end.
					e.kids = append(e.kids, p.entity(begun, max(begun, at-2), depth+1, usual))
				}
				begun = at + len(line)
			}
		}
		at += len(line)
	}
	if !closed || len(e.kids) == 0 {
		p.fail("a multipart has no end")
	}
}
