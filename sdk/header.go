package sdk

import (
	"bufio"
	"errors"
	"io"
	"strings"
)

// Field is one header field.
type Field struct {
	Name string // as written, without the colon
	Raw  string // the whole field as written, folded lines and line end included
}

// Value is the field's value, unfolded, without white space at both ends.
func (f Field) Value() string {
	_, v, _ := strings.Cut(f.Raw, ":")
	v = strings.NewReplacer("\r\n", "", "\n", "").Replace(v)
	return strings.TrimSpace(v)
}

// Header is a message header in its order.
type Header []Field

// Get is the value of the first field of that name (case does not matter), or "".
func (h Header) Get(name string) string {
	for _, f := range h {
		if strings.EqualFold(f.Name, name) {
			return f.Value()
		}
	}
	return ""
}

// Values are the values of all fields of that name, from top to bottom.
func (h Header) Values(name string) []string {
	var vs []string
	for _, f := range h {
		if strings.EqualFold(f.Name, name) {
			vs = append(vs, f.Value())
		}
	}
	return vs
}

// ErrHeaderTooLong is returned when a header exceeds [MaxHeader].
var ErrHeaderTooLong = errors.New("sdk: header longer than 1 MiB")

// ReadHeader reads a header up to and including the empty line behind it.
func ReadHeader(r io.Reader) (Header, error) {
	br := bufio.NewReader(io.LimitReader(r, MaxHeader+1))
	var h Header
	total := 0
	for {
		line, err := br.ReadString('\n')
		total += len(line)
		if total > MaxHeader {
			return nil, ErrHeaderTooLong
		}
		switch {
		case line == "" || line == "\r\n" || line == "\n":
			if err != nil && err != io.EOF {
				return nil, err
			}
			return h, nil
		case (line[0] == ' ' || line[0] == '\t') && len(h) > 0:
			h[len(h)-1].Raw += line
		default:
			name, _, ok := strings.Cut(line, ":")
			if !ok {
				name = ""
			}
			h = append(h, Field{Name: strings.TrimRight(name, " \t"), Raw: line})
		}
		if err == io.EOF {
			return h, nil
		}
		if err != nil {
			return nil, err
		}
	}
}
