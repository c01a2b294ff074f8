package answer

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/programmable-mta/mta/sdk"
)

// maxLine is what a line may have without its line end, RFC 5322 §2.1.1.
const maxLine = 998

// ErrHeaderTooLong is returned for a message whose header exceeds
// [sdk.MaxHeader], which is kept in memory while it is edited.
var ErrHeaderTooLong = errors.New("answer: header longer than 1 MiB")

// EditMessage copies a message from src to dst and carries out the edits of
// header and body on the way, in their order; edits of other kinds are passed
// over. The first keep fields are ours: new fields on top go below them.
//
// Whatever is not edited stays as it is, byte for byte, as long as its line ends
// are CRLF. Others are made so on the way, since nothing that leaves here may
// have a bare one: LF becomes CRLF, and a CR alone becomes a space, because as
// a line end it could be the end of the header. New fields are folded at 998
// octets. The body is streamed. A line that can be neither a field nor the
// continuation of one ends the header, as the empty line does.
func EditMessage(dst io.Writer, src io.Reader, edits []sdk.Edit, keep int) error {
	h := &header{}
	var body *sdk.Edit
	touched := false
	for i := range edits {
		e := &edits[i]
		switch e.Op {
		case sdk.OpPrependHeader, sdk.OpAppendHeader, sdk.OpReplaceHeader, sdk.OpRemoveHeader:
			if err := checkField(e); err != nil {
				return fmt.Errorf("answer: edit %d: %s: %w", i+1, e.Op, err)
			}
			touched = true
		case sdk.OpReplaceBody:
			body, touched = e, true
		}
	}
	in := bufio.NewReaderSize(newLines(src), 32<<10)
	out := bufio.NewWriterSize(dst, 32<<10)
	if touched {
		if err := h.read(in); err != nil {
			return err
		}
		h.top = min(max(keep, 0), len(h.fields))
		for i := range edits {
			h.edit(&edits[i])
		}
		for _, f := range h.fields {
			out.Write(f)
		}
		// A body without header that begins with white space would become the
		// continuation of a field that we have added.
		if next, _ := in.Peek(1); body == nil && len(h.fields) > 0 && len(next) > 0 && (next[0] == ' ' || next[0] == '\t') {
			out.WriteString("\r\n")
		}
		if body != nil {
			out.WriteString("\r\n")
			in.Reset(newLines(bytes.NewReader(body.Data)))
		}
	}
	if _, err := io.Copy(out, in); err != nil {
		return fmt.Errorf("answer: edit message: %w", err)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("answer: edit message: %w", err)
	}
	return nil
}

// header is the fields of a message, each with its line ends.
type header struct {
	fields [][]byte
	top    int // fields of ours at the beginning
}

// read takes the fields from in, and leaves there what stands behind them.
func (h *header) read(in *bufio.Reader) error {
	size := 0
	for {
		// An error of Peek comes again with the next read, when it matters.
		start, _ := in.Peek(maxFieldName + 16)
		continued := len(start) > 0 && len(h.fields) > 0 && (start[0] == ' ' || start[0] == '\t')
		if !continued && !beginsField(start) {
			_, err := in.Peek(1)
			if err == io.EOF {
				err = nil
			}
			return err
		}
		line, err := readLine(in, sdk.MaxHeader-size)
		if err != nil {
			return err
		}
		size += len(line)
		if continued {
			last := &h.fields[len(h.fields)-1]
			*last = append(*last, line...)
		} else {
			h.fields = append(h.fields, line)
		}
	}
}

// readLine reads a line and gives it a line end if the message ends without.
func readLine(in *bufio.Reader, limit int) ([]byte, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > limit:
			return nil, ErrHeaderTooLong
		case err == io.EOF:
			return append(line, "\r\n"...), nil
		case err == nil:
			return line, nil
		case err != bufio.ErrBufferFull:
			return nil, fmt.Errorf("answer: edit message: %w", err)
		}
	}
}

// beginsField: a name, and a colon; white space between them is obsolete but
// legal, RFC 5322 §4.5.
func beginsField(b []byte) bool {
	n := nameLength(b)
	rest := bytes.TrimLeft(b[n:], " \t")
	return n > 0 && len(rest) > 0 && rest[0] == ':'
}

func nameLength(b []byte) int {
	n := 0
	for n < len(b) && b[n] > ' ' && b[n] <= '~' && b[n] != ':' {
		n++
	}
	return n
}

func (h *header) edit(e *sdk.Edit) {
	switch e.Op {
	case sdk.OpPrependHeader:
		h.fields = slices.Insert(h.fields, h.top, newField(e.Name, e.Value))
	case sdk.OpAppendHeader:
		h.fields = append(h.fields, newField(e.Name, e.Value))
	case sdk.OpReplaceHeader, sdk.OpRemoveHeader:
		var fresh []byte
		if e.Op == sdk.OpReplaceHeader {
			fresh = newField(e.Name, e.Value)
		}
		if !h.put(e.Name, e.Index, fresh) && e.Index == 0 && fresh != nil {
			h.fields = append(h.fields, fresh)
		}
	}
}

// put replaces the index-th field of a name, or removes it if there is nothing
// to put; index 0 means all of them, of which the first is replaced.
func (h *header) put(name string, index int, fresh []byte) (found bool) {
	kept, top := h.fields[:0], h.top
	nth := 0
	for i, f := range h.fields {
		if n := nameLength(f); n == len(name) && strings.EqualFold(string(f[:n]), name) {
			nth++
			if index == 0 || index == nth {
				found = true
				if f, fresh = fresh, nil; f == nil {
					if i < h.top {
						top--
					}
					continue
				}
			}
		}
		kept = append(kept, f)
	}
	clear(h.fields[len(kept):])
	h.fields, h.top = kept, top
	return found
}

// newField is a field with its line ends, folded where it is too long.
func newField(name, value string) []byte {
	b := make([]byte, 0, len(name)+len(value)+16)
	line := name + ":"
	if value != "" {
		line += " " + value
	}
	for part := range strings.SplitSeq(line, "\r\n") {
		b = appendFolded(b, part)
	}
	return b
}

// appendFolded appends a line, in pieces of at most maxLine octets. It breaks
// before white space, so that unfolding gives the value back; a word that is
// longer than a line has to be broken inside.
func appendFolded(b []byte, line string) []byte {
	for len(line) > maxLine {
		line = strings.TrimRight(line, " \t")
		if len(line) <= maxLine {
			break
		}
		indent := len(line) - len(strings.TrimLeft(line, " \t"))
		if indent >= maxLine/2 {
			line, indent = " "+line[indent:], 1
			continue
		}
		if cut := strings.LastIndexAny(line[indent:maxLine+1], " \t"); cut > 0 {
			// The break goes before the whole run of white space.
			cut = len(strings.TrimRight(line[:indent+cut], " \t"))
			b = append(append(b, line[:cut]...), "\r\n"...)
			line = line[cut:]
			continue
		}
		cut := maxLine
		for cut > maxLine-utf8.UTFMax && !utf8.RuneStart(line[cut]) {
			cut--
		}
		b = append(append(b, line[:cut]...), "\r\n"...)
		line = " " + line[cut:]
	}
	return append(append(b, line...), "\r\n"...)
}

// lines reads with every line end made CRLF.
type lines struct {
	src *bufio.Reader
	lf  bool // the CR of a line end was passed on, its LF comes next
}

func newLines(src io.Reader) *lines { return &lines{src: bufio.NewReaderSize(src, 32<<10)} }

// Read implements [io.Reader].
func (l *lines) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		if l.lf {
			p[n], l.lf = '\n', false
			n++
			continue
		}
		if l.src.Buffered() == 0 {
			if n > 0 {
				break
			}
			if _, err := l.src.Peek(1); err != nil {
				return 0, err
			}
		}
		b, _ := l.src.Peek(min(l.src.Buffered(), len(p)-n))
		run := 0
		for run < len(b) && b[run] != '\r' && b[run] != '\n' {
			run++
		}
		n += copy(p[n:], b[:run])
		l.src.Discard(run)
		if run == len(b) {
			continue
		}
		if n == len(p) {
			break
		}
		pair, _ := l.src.Peek(2) // one byte only at the end of the message
		switch {
		case pair[0] == '\n':
			p[n], l.lf = '\r', true
			l.src.Discard(1)
		case len(pair) == 2 && pair[1] == '\n':
			p[n], l.lf = '\r', true
			l.src.Discard(2)
		default:
			p[n] = ' '
			l.src.Discard(1)
		}
		n++
	}
	return n, nil
}
