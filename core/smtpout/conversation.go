package smtpout

import (
	"context"
	"strconv"
	"sync"
)

// The part of a conversation that is kept: its beginning and its end.
const (
	keepFirst = 2 << 10
	keepLast  = 2 << 10
)

// Conversation is what was said in an attempt, for people: "> " before our
// lines, "< " before the peer's, "* " before remarks. Credentials and message
// content are not in it. It is bounded: of a long one, beginning and end are
// kept. The zero value is empty; it is safe for concurrent use.
type Conversation struct {
	mu    sync.Mutex
	first []byte
	last  []byte // a ring once it is full
	at    int    // where the ring begins
	lost  int    // octets that were between the two
}

type conversationKey struct{}

// WithConversation makes [Client.Send] write down what it says and hears.
func WithConversation(ctx context.Context, c *Conversation) context.Context {
	return context.WithValue(ctx, conversationKey{}, c)
}

// Bytes is what was kept.
func (c *Conversation) Bytes() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := append([]byte(nil), c.first...)
	if c.lost > 0 {
		out = append(out, "* "...)
		out = strconv.AppendInt(out, int64(c.lost), 10)
		out = append(out, " octets left out\n"...)
	}
	out = append(out, c.last[c.at:]...)
	return append(out, c.last[:c.at]...)
}

// add writes one line. A nil conversation keeps nothing.
func (c *Conversation) add(mark byte, line []byte) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.write(mark)
	c.write(' ')
	for _, b := range line {
		if b < ' ' && b != '\t' || b == 0x7f {
			b = '?'
		}
		c.write(b)
	}
	c.write('\n')
}

func (c *Conversation) write(b byte) {
	switch {
	case len(c.first) < keepFirst:
		if c.first == nil {
			c.first = make([]byte, 0, 512)
		}
		c.first = append(c.first, b)
	case len(c.last) < keepLast:
		c.last = append(c.last, b)
	default:
		c.last[c.at] = b
		c.at = (c.at + 1) % keepLast
		c.lost++
	}
}

// addLines writes each of the CRLF lines of text.
func (c *Conversation) addLines(mark byte, text []byte) {
	if c == nil {
		return
	}
	for len(text) > 0 {
		i := 0
		for i < len(text) && text[i] != '\n' {
			i++
		}
		line := text[:i]
		if i > 0 && line[i-1] == '\r' {
			line = line[:i-1]
		}
		c.add(mark, line)
		text = text[min(i+1, len(text)):]
	}
}

func (c *Conversation) remark(text string) {
	if c != nil {
		c.add('*', []byte(text))
	}
}
