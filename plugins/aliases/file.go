package aliases

import (
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"strings"
)

// maxFile is how large an alias file may be.
const maxFile = 64 << 20

// version tells whether a file is still the one that was read.
type version struct {
	info fs.FileInfo
	err  string // why it could not be looked at
}

func look(path string) (v version) {
	info, err := os.Stat(path)
	if err != nil {
		v.err = err.Error()
	}
	v.info = info
	return v
}

func (p *plugin) changed() bool {
	now, then := look(p.path), p.version
	if now.info == nil || then.info == nil {
		return now.err != then.err
	}
	return !os.SameFile(now.info, then.info) || !now.info.ModTime().Equal(then.info.ModTime()) || now.info.Size() != then.info.Size()
}

// read takes the file and the configuration together into a new table.
func (p *plugin) read() error {
	// Looked at before it is read: a change in between is seen the next time.
	p.version = look(p.path)
	f, err := os.Open(p.path)
	if err != nil {
		return err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return err
	}
	if len(b) > maxFile {
		return fmt.Errorf("%s is larger than 64 MiB", p.path)
	}
	t := maps.Clone(p.static)
	if err := t.parse(p.path, string(b)); err != nil {
		return err
	}
	p.table.Store(&t)
	return nil
}

// parse reads lines "key: address, address". A line that begins with white
// space continues the one before; # begins a comment.
func (t table) parse(name, text string) error {
	var entry string
	first := 0
	flush := func() error {
		if strings.TrimSpace(entry) == "" {
			return nil
		}
		key, rest, ok := cutOutsideQuotes(entry, ':')
		if !ok {
			return fmt.Errorf(`%s:%d: write "name: address, address"`, name, first)
		}
		var values []string
		for more := true; more; {
			var v string
			if v, rest, more = cutOutsideQuotes(rest, ','); strings.TrimSpace(v) != "" {
				values = append(values, strings.TrimSpace(v))
			}
		}
		if err := t.add(strings.TrimSpace(key), values); err != nil {
			return fmt.Errorf("%s:%d: %w", name, first, err)
		}
		return nil
	}
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimRight(line, " \t\r\n")
		trimmed := strings.TrimLeft(line, " \t")
		switch {
		case trimmed == "" || trimmed[0] == '#':
		case len(trimmed) < len(line) && entry != "":
			entry += " " + trimmed
		default:
			if err := flush(); err != nil {
				return err
			}
			entry, first = trimmed, n
		}
	}
	return flush()
}

// cutOutsideQuotes cuts at the first sep that is not in quotes.
func cutOutsideQuotes(s string, sep byte) (before, after string, found bool) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == sep && !quoted && (sep != ':' || i > 0): // ":include:" is a value
			return s[:i], s[i+1:], true
		}
	}
	return s, "", false
}
