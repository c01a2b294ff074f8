package smtpout

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"time"

	"github.com/programmable-mta/mta/core/smtp"
	"github.com/programmable-mta/mta/sdk"
)

// Bounds of one reply. RFC 5321 §4.5.3.1.5 allows 512 octets a line; some peers
// say more.
const (
	maxReplyLine  = 4 << 10
	maxReplyLines = 100
	maxReplyBytes = 64 << 10
	maxStatusText = 1000 // of a reply, in an outcome
	readBuffer    = maxReplyLine + 512
)

var (
	errLongReply = errors.New("reply without end")
	errBadReply  = errors.New("not an SMTP reply")
	aLongTimeAgo = time.Unix(1, 0)
)

// conn is one connection to a next hop.
type conn struct {
	net    net.Conn // TLS, once that is agreed
	rd     *smtp.Reader
	key    key
	remote string
	tls    string
	peer   peer

	born      time.Time
	idleSince time.Time
	messages  int
	reused    bool
	dirty     bool // a MAIL was accepted and its transaction never ended
	broken    bool // of no further use

	// Of the attempt that uses it.
	ctx      context.Context
	deadline time.Time
	conv     *Conversation

	// The last reply; the slices are valid until the next one.
	code     int
	enhanced []byte
	text     []byte // lines separated by "\n"
}

// peer is what a next hop said it can do.
type peer struct {
	ext           smtp.Extensions
	size          int64 // 0: no limit said
	rcptMax       int   // RFC 9422; 0: none said
	plain, login  bool
	limitMessages int // RFC 9422 MAILMAX
}

func (p *peer) has(ext smtp.Extensions) bool { return p.ext&ext == ext }

// use binds a connection to an attempt; the function ends that, and is false if
// the attempt was cut short meanwhile.
func (c *conn) use(ctx context.Context, deadline time.Time, conv *Conversation) (release func() bool) {
	c.ctx, c.deadline, c.conv = ctx, deadline, conv
	if ctx.Done() == nil {
		return func() bool { return true }
	}
	nc := c.net
	return context.AfterFunc(ctx, func() { nc.SetDeadline(aLongTimeAgo) })
}

// until is the deadline of a step, which never lies behind that of the attempt.
func (c *conn) until(d time.Duration) time.Time {
	t := time.Now().Add(d)
	if t.After(c.deadline) {
		return c.deadline
	}
	return t
}

func (c *conn) write(b []byte, timeout time.Duration) error {
	c.net.SetWriteDeadline(c.until(timeout))
	if c.ctx.Err() != nil { // its end may have come just before the deadline was set
		return c.ctx.Err()
	}
	_, err := c.net.Write(b)
	return err
}

// say writes a command and reads its reply.
func (c *conn) say(line []byte, timeout time.Duration) error {
	c.conv.addLines('>', line)
	if err := c.write(line, timeout); err != nil {
		return err
	}
	return c.readReply(timeout)
}

// readReply reads one reply, of however many lines, into c.
func (c *conn) readReply(timeout time.Duration) error {
	c.code, c.enhanced, c.text = 0, c.enhanced[:0], c.text[:0]
	if c.rd.Buffered() == 0 {
		// One deadline for the whole of a reply: a peer that trickles gains nothing.
		c.net.SetReadDeadline(c.until(timeout))
		if c.ctx.Err() != nil {
			return c.ctx.Err()
		}
	}
	for lines, total := 0, 0; ; lines++ {
		line, err := c.rd.ReadLine(maxReplyLine)
		switch {
		case err == nil, errors.Is(err, smtp.ErrBareLF), errors.Is(err, smtp.ErrBareCR):
			// A sloppy line end in a reply harms nobody.
		case errors.Is(err, smtp.ErrLineTooLong):
			return errLongReply
		default:
			return err
		}
		if total += len(line); lines >= maxReplyLines || total > maxReplyBytes {
			return errLongReply
		}
		c.conv.add('<', line)
		code, more, enhanced, text, err := smtp.SplitReplyLine(line)
		if err != nil || lines > 0 && code/100 != c.code/100 {
			c.code = 0
			return errBadReply
		}
		c.code = code
		if len(c.enhanced) == 0 {
			c.enhanced = append(c.enhanced, enhanced...)
		}
		if lines > 0 {
			c.text = append(c.text, '\n')
		}
		c.text = append(c.text, text...)
		if !more {
			return nil
		}
	}
}

// good tells whether the last reply is success. A code of the second class that
// belongs to another command is none (RFC 5321 §4.3.2): 211 and 214 are help,
// 220, 221 and 235 answer the greeting, QUIT and AUTH.
func (c *conn) good() bool {
	switch c.code {
	case 211, 214, 220, 221, 235:
		return false
	}
	return c.code/100 == 2
}

// refused tells whether the last reply is a refusal, rather than out of place.
func (c *conn) refused() bool { return c.code/100 == 4 || c.code/100 == 5 }

// reply is the last reply on one line, harmless and not too long.
func (c *conn) reply() sdk.Reply {
	text := c.text
	if len(text) > maxStatusText {
		text = text[:maxStatusText]
	}
	for i, ch := range text {
		switch {
		case ch == '\n' || ch == '\t':
			text[i] = ' '
		case ch < ' ' || ch > '~':
			text[i] = '?'
		}
	}
	return sdk.Reply{Code: c.code, Enhanced: internEnhanced(c.enhanced), Text: string(text)}
}

// internEnhanced saves an allocation for what most replies say.
func internEnhanced(b []byte) string {
	switch string(b) {
	case "":
		return ""
	case "2.0.0":
		return "2.0.0"
	case "2.1.5":
		return "2.1.5"
	case "2.6.0":
		return "2.6.0"
	case "5.1.1":
		return "5.1.1"
	}
	return string(b)
}

// said is the outcome that the last reply means for a recipient: its class
// decides. One that is out of place is temporary.
func (c *conn) said() sdk.Outcome {
	o := sdk.Outcome{Status: sdk.StatusDeferred, Reply: c.reply(), Remote: c.remote, TLS: c.tls, RemoteReply: true}
	switch {
	case c.code/100 == 5:
		o.Status = sdk.StatusFailed
	case c.code/100 == 2 && c.good():
		o.Status = sdk.StatusDelivered
	case c.code/100 != 4:
		o.Reply = sdk.Reply{Enhanced: "4.5.0", Text: "reply out of place: " + o.Reply.String()}
		o.RemoteReply = false
	}
	return o
}

// later is the outcome of a last reply that does not decide about the message:
// temporary, whatever its class.
func (c *conn) later() sdk.Outcome {
	o := c.said()
	if o.Status == sdk.StatusDelivered {
		o.Reply = sdk.Reply{Enhanced: "4.5.0", Text: "reply out of place: " + o.Reply.String()}
		o.RemoteReply = false
	}
	o.Status = sdk.StatusDeferred
	if o.Reply.Enhanced != "" {
		o.Reply.Enhanced = "4" + o.Reply.Enhanced[1:] // RFC 3464 §2.3.4: the class is that of the action
	}
	return o
}

// lost is the outcome of a connection that failed during a step.
func (c *conn) lost(err error, during string) sdk.Outcome {
	c.broken = true
	o := sdk.Outcome{Status: sdk.StatusDeferred, Remote: c.remote, TLS: c.tls}
	o.Reply = sdk.Reply{Enhanced: "4.4.2", Text: "connection lost " + during}
	switch {
	case errors.Is(err, errBadReply), errors.Is(err, errLongReply):
		o.Reply = sdk.Reply{Enhanced: "4.5.0", Text: err.Error() + " " + during}
	case c.ctx.Err() != nil:
		o.Reply = sdk.Reply{Enhanced: "4.3.2", Text: "attempt ended " + during}
	case errors.Is(err, os.ErrDeadlineExceeded):
		o.Reply.Text = "timed out " + during
	case !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		o.Reply.Text += ": " + errorText(err)
	}
	c.conv.remark(o.Reply.Text)
	return o
}

// errorText is the innermost reason of a network error: the rest repeats the
// address, which stands in Remote.
func errorText(err error) string {
	var sys *os.SyscallError
	if errors.As(err, &sys) {
		return sys.Err.Error()
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Err != nil {
		return op.Err.Error()
	}
	return err.Error()
}

func (c *conn) close() {
	c.broken = true
	c.net.Close()
}

// quit says goodbye and does not wait for the answer, nor for long for a peer
// that does not read.
func (c *conn) quit() {
	c.net.SetWriteDeadline(time.Now().Add(time.Second))
	c.net.Write([]byte("QUIT\r\n"))
	c.close()
}
