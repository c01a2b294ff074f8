package source

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// conn is one connection behind its EHLO.
type conn struct {
	run  *run
	nc   net.Conn
	br   *bufio.Reader
	out  []byte // what is to be written next
	ctx  context.Context
	stop func() bool
}

// replyError is a reply that ends a connection before its first message.
type replyError struct {
	to   string
	code int
	text string
}

func (e *replyError) Error() string { return fmt.Sprintf("%s: %d %s", e.to, e.code, e.text) }

// connect brings a connection to the point where MAIL may be said.
func (r *run) connect(ctx context.Context) (_ *conn, err error) {
	network, addr := "tcp", r.Addr
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		network, addr = "unix", path
	}
	nc, err := r.Dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	c := &conn{run: r, ctx: ctx}
	// A done context ends every read and write that is under way.
	c.stop = context.AfterFunc(ctx, func() { nc.SetDeadline(time.Unix(1, 0)) })
	defer func() {
		if err != nil {
			c.stop()
			nc.Close()
		}
	}()
	config := r.TLSConfig
	if config.ServerName == "" && r.TLS != Clear {
		config = config.Clone()
		config.ServerName, _, _ = net.SplitHostPort(addr)
	}
	if r.TLS == Implicit {
		nc = tls.Client(nc, config)
	}
	c.use(nc)
	if err := c.want(220, "greeting"); err != nil {
		return nil, err
	}
	if err := c.hello(); err != nil {
		return nil, err
	}
	if r.TLS == StartTLS {
		if err := c.command("STARTTLS", 220); err != nil {
			return nil, err
		}
		c.use(tls.Client(nc, config))
		if err := c.hello(); err != nil {
			return nil, err
		}
	}
	r.connected()
	return c, nil
}

func (c *conn) use(nc net.Conn) {
	c.nc = nc
	c.br = bufio.NewReaderSize(nc, 4096)
}

func (c *conn) hello() error {
	verb := "EHLO "
	if c.run.LMTP {
		verb = "LHLO "
	}
	return c.command(verb+c.run.Helo, 250)
}

func (c *conn) command(line string, code int) error {
	c.out = append(append(c.out, line...), '\r', '\n')
	if err := c.flush(); err != nil {
		return err
	}
	return c.want(code, line)
}

func (c *conn) want(code int, to string) error {
	got, text, err := c.reply(c.run.Timeout)
	if err != nil {
		return err
	}
	if got != code {
		return &replyError{to, got, text}
	}
	return nil
}

// send sends message n and counts what became of it. It tells whether the
// connection is good for another one.
func (c *conn) send(n int64) bool {
	code, accepted, wait, err := c.transaction(n)
	if c.ctx.Err() != nil && err != nil {
		return false // interrupted, which is nobody's fault
	}
	c.run.sent(code, accepted, wait, err)
	if err != nil {
		return false
	}
	if code/100 == 2 {
		return true
	}
	return code != 421 && c.command("RSET", 250) == nil // RFC 5321 §3.8: 421 closes
}

// transaction is one message: the code that decided about it, the recipients
// that took it, and how long the last reply took.
func (c *conn) transaction(n int64) (code, accepted int, wait time.Duration, err error) {
	r := c.run
	c.line("MAIL FROM:<", r.From, n, 0)
	code, err = c.step(250)
	if err != nil || code != 250 && !r.Pipeline {
		return code, 0, 0, err
	}
	var refused int
	for i := range r.Recipients {
		c.line("RCPT TO:<", r.To, n, i+1)
		if !r.Pipeline {
			got, err := c.step(250)
			if err != nil {
				return 0, 0, 0, err
			}
			if got/100 == 2 {
				accepted++
			} else {
				refused = got
			}
		}
	}
	if !r.Pipeline && accepted == 0 {
		return refused, 0, 0, nil
	}
	c.out = append(c.out, "DATA\r\n"...)
	if err := c.flush(); err != nil {
		return 0, 0, 0, err
	}
	if r.Pipeline {
		accepted, refused, err = c.envelopeReplies()
		if err != nil {
			return 0, 0, 0, err
		}
		if refused == 421 {
			return refused, 0, 0, nil
		}
	}
	code, _, err = c.reply(r.Timeout)
	if err != nil || code != 354 {
		if refused != 0 && accepted == 0 {
			code = refused // the reason, of which the reply to DATA is the consequence
		}
		return code, 0, 0, err
	}
	if accepted > 0 {
		c.message(n)
	}
	// RFC 2920 §3.1: a 354 without a good recipient is answered by a lone dot.
	c.out = append(c.out, ".\r\n"...)
	begin := r.Now()
	if err := c.flush(); err != nil {
		return 0, 0, 0, err
	}
	if accepted == 0 {
		_, _, err = c.reply(2 * r.Timeout)
		return refused, 0, 0, err
	}
	code, accepted, err = c.final(accepted)
	return code, accepted, r.Now().Sub(begin), err
}

// step waits for the reply to the line in out, unless lines are gathered.
func (c *conn) step(ok int) (int, error) {
	if c.run.Pipeline {
		return ok, nil
	}
	if err := c.flush(); err != nil {
		return 0, err
	}
	code, _, err := c.reply(c.run.Timeout)
	return code, err
}

// envelopeReplies reads what a pipelined MAIL and its RCPTs are answered.
func (c *conn) envelopeReplies() (accepted, refused int, err error) {
	for i := range 1 + c.run.Recipients {
		code, _, err := c.reply(c.run.Timeout)
		if err != nil {
			return 0, 0, err
		}
		switch {
		case code == 421: // RFC 5321 §3.8: nothing follows
			return 0, code, nil
		case code/100 != 2 && (i == 0 || refused == 0):
			refused = code
		case code/100 == 2 && i > 0:
			accepted++
		}
	}
	return accepted, refused, nil
}

// final reads the reply behind the dot; over LMTP there is one for each
// accepted recipient (RFC 2033 §4.2), and the worst counts if none is good.
func (c *conn) final(rcpts int) (code, accepted int, err error) {
	replies := 1
	if c.run.LMTP {
		replies = rcpts
	}
	for range replies {
		got, _, err := c.reply(2 * c.run.Timeout)
		if err != nil {
			return 0, 0, err
		}
		if got/100 == 2 {
			accepted++
		}
		if code == 0 || code/100 != 2 && got > code || got/100 == 2 {
			code = got
		}
	}
	if accepted > 0 {
		code = 250
		if !c.run.LMTP {
			accepted = rcpts
		}
	}
	return code, accepted, nil
}

func (c *conn) line(verb, tmpl string, n int64, rcpt int) {
	c.out = append(c.out, verb...)
	c.out = appendTemplate(c.out, tmpl, n, rcpt)
	c.out = append(c.out, ">\r\n"...)
}

// message appends message n to what is written next.
func (c *conn) message(n int64) {
	if c.run.body != nil {
		c.out = append(c.out, c.run.body...)
		return
	}
	begin := len(c.out)
	c.out = append(c.out, "From: <"...)
	c.out = appendTemplate(c.out, c.run.From, n, 0)
	c.out = append(c.out, ">\r\nTo: <"...)
	c.out = appendTemplate(c.out, c.run.To, n, 1)
	c.out = append(c.out, ">\r\nSubject: message "...)
	c.out = strconv.AppendInt(c.out, n, 10)
	c.out = append(c.out, "\r\nMessage-ID: <"...)
	c.out = strconv.AppendInt(c.out, c.run.start.UnixNano(), 36)
	c.out = append(c.out, '.')
	c.out = strconv.AppendInt(c.out, n, 10)
	c.out = append(append(c.out, '@'), c.run.Helo...)
	c.out = append(c.out, ">\r\nDate: "...)
	c.out = c.run.start.AppendFormat(c.out, time.RFC1123Z)
	c.out = append(c.out, "\r\n\r\n"...)
	if room := c.run.Size - (len(c.out) - begin) - 2; room > 0 {
		// The cut may not leave a CR without its LF.
		c.out = append(c.out, bytes.TrimRight(c.run.filler[:room], "\r\n")...)
		for len(c.out)-begin < c.run.Size-2 {
			c.out = append(c.out, '-')
		}
		c.out = append(c.out, "\r\n"...)
	}
}

// keepOut is how much of the write buffer a connection keeps.
const keepOut = 256 << 10

func (c *conn) flush() error {
	c.nc.SetDeadline(time.Now().Add(c.run.Timeout))
	if err := c.ctx.Err(); err != nil { // the deadline may have replaced that of the context's end
		return err
	}
	_, err := c.nc.Write(c.out)
	if c.out = c.out[:0]; cap(c.out) > keepOut {
		c.out = nil
	}
	return err
}

// maxReplyLines bounds what a server may say in one reply.
const maxReplyLines = 200

// reply reads one reply; its text is that of the last line.
func (c *conn) reply(timeout time.Duration) (code int, text string, err error) {
	c.nc.SetDeadline(time.Now().Add(timeout))
	if err := c.ctx.Err(); err != nil {
		return 0, "", err
	}
	for range maxReplyLines {
		line, err := c.br.ReadSlice('\n')
		if err != nil {
			return 0, "", err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) < 3 {
			return 0, "", fmt.Errorf("reply %q is too short", line)
		}
		code, err := strconv.Atoi(string(line[:3]))
		if err != nil || code < 200 || code > 599 {
			return 0, "", fmt.Errorf("reply %q has no code", line)
		}
		if len(line) == 3 || line[3] != '-' {
			if code/100 == 2 || code == 354 {
				return code, "", nil // nobody reads it; no need to copy it
			}
			return code, string(bytes.TrimSpace(line[3:])), nil
		}
	}
	return 0, "", fmt.Errorf("reply of more than %d lines", maxReplyLines)
}

// quit says goodbye and does not wait long for the answer.
func (c *conn) quit() {
	c.out = append(c.out[:0], "QUIT\r\n"...)
	if c.flush() == nil {
		c.reply(time.Second)
	}
}

func (c *conn) close() {
	c.stop()
	c.nc.Close()
}
