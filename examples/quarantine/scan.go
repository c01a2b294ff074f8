package quarantine

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"mime/quotedprintable"
	"strings"
	"unicode/utf8"
)

// Bounds of what is looked at; what goes beyond is held.
const (
	maxParts  = 1000
	maxHeader = 64 << 10 // of one part
	maxFiles  = 10000    // in one archive
	maxLine   = 64 << 10 // only the beginning of a longer line is looked at
	maxShown  = 200      // octets of a name that people are told
)

// scan looks through one message with all that is in it.
type scan struct {
	*plugin
	parts int
	name  string // of the attachment that is the reason
	why   string
}

func (s *scan) hold(why string) {
	if s.why == "" {
		s.why = why
	}
}

func (s *scan) found(name, where string) {
	if s.why != "" {
		return
	}
	if why := s.judge(name); why != "" {
		s.name = shown(name)
		s.why = fmt.Sprintf("%s %q %s", where, s.name, why)
	}
}

// shown is a name that can be shown to people.
func shown(name string) string {
	name = strings.ToValidUTF8(name, "?")
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || bidi(r) {
			return '?'
		}
		return r
	}, name)
	if len(name) > maxShown {
		name = name[:maxShown]
		for !utf8.ValidString(name) {
			name = name[:len(name)-1]
		}
	}
	return name
}

// part is what is known of the part that is being read.
type part struct {
	depth    int // of multiparts and messages around it
	inHeader bool
	header   []byte
	text     bool   // uuencoded files may stand in it
	keep     bool   // its content is wanted
	content  []byte // encoded
	message  bool   // the content is a message that is encoded
	encoding string
	name     string
}

// multipart is one that is open: its boundary with the hyphens, and how deep
// its parts are.
type multipart struct {
	boundary string
	depth    int
}

// message reads a message line by line. The boundaries of all multiparts that
// are open end what is inside of them, so that a part without an end hides nothing.
func (s *scan) message(r io.Reader, depth int) error {
	in := bufio.NewReaderSize(r, maxLine)
	var open []multipart
	p := &part{inHeader: true, depth: depth}
	goesOn := false // the line is the rest of a long one
	for s.why == "" {
		line, err := in.ReadSlice('\n')
		if err != nil && err != io.EOF && err != bufio.ErrBufferFull {
			return err
		}
		if i, last := delimiter(open, line); i >= 0 && !goesOn {
			s.close(p)
			p = &part{inHeader: !last, depth: open[i].depth}
			if open = open[:i+1]; last {
				open = open[:i] // what follows is nobody's part
			}
			s.parts++
		} else if boundary := s.line(p, line, !goesOn); boundary != "" {
			p.depth++
			open = append(open, multipart{boundary, p.depth})
		}
		switch {
		case s.parts > maxParts:
			s.hold(fmt.Sprintf("it has more than %d parts", maxParts))
		case p.depth > s.MaxDepth:
			s.hold(fmt.Sprintf("it is nested more than %d deep", s.MaxDepth))
		}
		goesOn = err == bufio.ErrBufferFull
		if err == io.EOF {
			s.close(p)
			return nil
		}
	}
	return nil
}

// delimiter finds the multipart of which a line ends a part: any that is open,
// and then it closes those inside of it (RFC 2046 §5.1.2); -1: none.
func delimiter(open []multipart, line []byte) (at int, last bool) {
	if len(line) < 3 || line[0] != '-' || line[1] != '-' {
		return -1, false
	}
	text := strings.TrimRight(string(line), " \t\r\n")
	for i := len(open) - 1; i >= 0; i-- {
		switch text {
		case open[i].boundary:
			return i, false
		case open[i].boundary + "--":
			return i, true
		}
	}
	return -1, false
}

// line takes one line of a part; it returns the boundary of a multipart that
// begins with it.
func (s *scan) line(p *part, line []byte, whole bool) (boundary string) {
	switch {
	case p.inHeader && whole && len(bytes.TrimRight(line, "\r\n")) == 0 && len(line) > 0:
		p.inHeader = false
		return s.begin(p)
	case p.inHeader:
		if p.header = append(p.header, line...); len(p.header) > maxHeader && s.parts > 0 || len(p.header) > 16*maxHeader {
			s.hold("a part has a header that is too long to be looked at")
		}
		return ""
	}
	if p.text && whole {
		if name := uuencoded(line); name != "" {
			s.found(name, "uuencoded file")
		}
	}
	if p.keep && len(p.content) == 0 && !p.message {
		line = bytes.TrimLeft(line, " \t\r\n")
		// The beginning of a zip, plain and in base64; others are not kept.
		p.keep = len(line) == 0 || bytes.HasPrefix(line, []byte("PK")) || bytes.HasPrefix(line, []byte("UEs"))
	}
	if p.keep && len(p.content)+len(line) <= s.ZipSize*3/2 {
		p.content = append(p.content, line...)
	} else if p.keep {
		p.keep, p.content = false, nil
	}
	return ""
}

// begin looks at the header of a part; it may be that of a message inside.
func (s *scan) begin(p *part) (boundary string) {
	h := parseHeader(p.header)
	p.header = nil
	for _, name := range h.names {
		s.found(name, "attachment")
		p.name = name
	}
	p.encoding = h.encoding
	encoded := h.encoding == "base64" || h.encoding == "quoted-printable"
	switch {
	case h.boundary != "" && strings.HasPrefix(h.media, "multipart/"):
		return "--" + h.boundary
	case strings.HasPrefix(h.media, "message/") && !encoded:
		if h.media == "message/rfc822" || h.media == "message/global" || h.media == "message/news" {
			*p = part{inHeader: true, depth: p.depth + 1}
			s.parts++
		}
	case strings.HasPrefix(h.media, "message/"):
		p.message, p.keep = true, true
	default:
		p.text = strings.HasPrefix(h.media, "text/") && !encoded
		p.keep = s.Zip && s.ZipSize > 0 && !strings.HasPrefix(h.media, "text/") || s.Zip && strings.HasSuffix(clean(p.name), ".zip")
	}
	return ""
}

// close looks at the content of a part that was kept.
func (s *scan) close(p *part) {
	if !p.keep || len(p.content) == 0 || s.why != "" {
		return
	}
	content := decode(p.content, p.encoding)
	p.content = nil
	switch {
	case p.message:
		inner := &scan{plugin: s.plugin, parts: s.parts}
		if err := inner.message(bytes.NewReader(content), p.depth+1); err == nil {
			s.parts, s.name = inner.parts, inner.name
			s.hold(inner.why)
		}
	case bytes.HasPrefix(content, []byte("PK")):
		s.archive(content, p.name)
	}
}

// archive lists a zip. One that is broken has no list; whether a program could
// still open it is left to the patterns for its own name.
func (s *scan) archive(content []byte, name string) {
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil && z == nil {
		return
	}
	if len(z.File) > maxFiles {
		s.hold(fmt.Sprintf("an archive has more than %d files", maxFiles))
		return
	}
	for _, f := range z.File {
		s.found(f.Name, fmt.Sprintf("file in %q", shown(name)))
	}
}

// decode undoes a transfer encoding as far as it goes.
func decode(content []byte, encoding string) []byte {
	switch encoding {
	case "base64":
		clean := make([]byte, 0, len(content))
		for _, c := range content {
			if c == '=' {
				break
			}
			if c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/' {
				clean = append(clean, c)
			}
		}
		n, _ := base64.RawStdEncoding.Decode(clean, clean)
		return clean[:n]
	case "quoted-printable":
		out, _ := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(content)))
		return out
	}
	return content
}

// uuencoded is the name in a line "begin 644 name".
func uuencoded(line []byte) string {
	rest, ok := bytes.CutPrefix(line, []byte("begin "))
	if !ok {
		return ""
	}
	mode, name, ok := strings.Cut(strings.TrimSpace(string(rest)), " ")
	if !ok || len(mode) < 3 || len(mode) > 4 || strings.Trim(mode, "01234567") != "" {
		return ""
	}
	return strings.TrimSpace(name)
}
