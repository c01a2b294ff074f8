package process

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

// MaxLines is how many lines that a plugin writes to stdout and stderr are
// logged in one second.
const MaxLines = 100

// maxLine is how much of a line is logged.
const maxLine = 1024

// lineLog makes log lines of what a plugin writes, in bounded number.
type lineLog struct {
	host sdk.Host
	now  func() time.Time

	mu      sync.Mutex
	second  time.Time
	lines   int
	dropped int
}

func newLineLog(host sdk.Host, now func() time.Time) *lineLog {
	return &lineLog{host: host, now: now}
}

// copy logs what it reads, to the end. It always reads on: a plugin never waits
// for our log.
func (l *lineLog) copy(r io.Reader, from string, last *tail) {
	w := &pieces{log: l, from: from, last: last}
	io.Copy(w, r)
	if len(w.line) > 0 {
		w.Write([]byte{'\n'})
	}
}

// line logs one, unless there were too many in this second.
func (l *lineLog) line(b []byte, cut bool, from string, last *tail) {
	text := strings.TrimRight(printable(string(b)), " ")
	if text == "" {
		return
	}
	if cut {
		text += "..."
	}
	if last != nil {
		last.add(text)
	}
	l.mu.Lock()
	now := l.now()
	dropped := 0
	if d := now.Sub(l.second); d >= time.Second || d < 0 {
		dropped, l.dropped = l.dropped, 0
		l.second, l.lines = now, 0
	}
	if l.lines++; l.lines > MaxLines {
		l.dropped++
		l.mu.Unlock()
		return
	}
	l.mu.Unlock()
	if dropped > 0 {
		l.host.Log(context.Background(), slog.LevelWarn, fmt.Sprintf("%d lines were dropped: more than %d in a second", dropped, MaxLines))
	}
	l.host.Log(context.Background(), slog.LevelInfo, text, "output", from)
}

// printable makes one line of whatever a plugin says.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}

// pieces puts lines together from pieces of any length. go-plugin writes into it
// what comes over the connection: the outputs of a plugin in Go.
type pieces struct {
	log  *lineLog
	from string
	last *tail
	mu   sync.Mutex
	line []byte
	cut  bool
}

// Write implements [io.Writer].
func (w *pieces) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(p)
	for len(p) > 0 {
		i := bytes.IndexByte(p, '\n')
		piece := p
		if i >= 0 {
			piece, p = p[:i], p[i+1:]
		} else {
			p = nil
		}
		if room := maxLine - len(w.line); len(piece) > room {
			piece, w.cut = piece[:room], true
		}
		w.line = append(w.line, piece...)
		if i >= 0 {
			w.log.line(w.line, w.cut, w.from, w.last)
			w.line, w.cut = w.line[:0], false
		}
	}
	return n, nil
}
