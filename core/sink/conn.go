package sink

import (
	"bytes"
	"io"
	"net"
	"sync"
	"time"
)

// listener counts connections and wraps them.
type listener struct {
	net.Listener
	sink *Sink
}

func (l *listener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: nc, sink: l.sink}
	if !l.sink.admit(c) {
		nc.Close()
		return nil, net.ErrClosed
	}
	return c, nil
}

// conn stands between go-smtp and the socket. It does what go-smtp's interface
// does not allow: it answers the connection and the DATA command, cuts the
// line, and sends the replies to a pipelined group in one packet instead of
// one each.
type conn struct {
	net.Conn
	sink *Sink
	full bool // over MaxConnections: greeted with 421

	mu       sync.Mutex // go-smtp's Close may come from another goroutine
	out      []byte     // replies not sent yet
	greeted  bool
	leaving  bool   // the next read ends the connection
	finished bool   // nothing more is read or written
	refusal  string // the reply in place of the next one to VRFY
	opaque   bool   // between 354 and the next reply: message, not commands
	tls      bool   // nothing is readable any more
	gone     sync.Once
}

// vrfyReply begins go-smtp's reply to VRFY, for which a refused DATA is
// swapped: same length, no effect.
const vrfyReply = "252 2.5.0 "

func (c *conn) Read(b []byte) (int, error) {
	if err := c.flush(); err != nil {
		return 0, err
	}
	if c.left() {
		return 0, io.EOF
	}
	n, err := c.Conn.Read(b)
	if n > 0 && !c.command(b[:n]) {
		return 0, io.EOF
	}
	return n, err
}

// command looks for a DATA command at the end of what was read. It can stand
// nowhere else: the client has to wait for its reply (RFC 2920 §3.1).
func (c *conn) command(b []byte) bool {
	if c.sink.opt.Faults[Data] == (Fault{}) {
		return true
	}
	line, ok := bytes.CutSuffix(b, []byte("\r\n"))
	if !ok {
		return true
	}
	line = line[bytes.LastIndexByte(line, '\n')+1:]
	c.mu.Lock()
	opaque := c.opaque || c.tls
	c.mu.Unlock()
	if opaque || !bytes.EqualFold(line, []byte("DATA")) {
		return true
	}
	refusal := ""
	switch c.sink.roll(Data) {
	case deferIt:
		refusal = "451 4.3.0 deferred by request at data\r\n"
	case rejectIt:
		refusal = "554 5.3.0 rejected by request at data\r\n"
	case dropIt:
		c.abort()
		return false
	default:
		return true
	}
	copy(line, "VRFY")
	c.mu.Lock()
	c.refusal = refusal
	c.mu.Unlock()
	return true
}

func (c *conn) Write(b []byte) (int, error) {
	n := len(b)
	c.mu.Lock()
	first := !c.greeted
	c.greeted = true
	c.mu.Unlock()
	if first {
		b = c.greeting(b)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.finished {
		return 0, net.ErrClosed
	}
	if c.refusal != "" && bytes.HasPrefix(b, []byte(vrfyReply)) {
		b, c.refusal = []byte(c.refusal), ""
	}
	c.out = append(c.out, b...)
	if !c.tls {
		c.opaque = bytes.HasPrefix(b, []byte("354"))
		c.tls = bytes.HasPrefix(b, []byte("220 2.0.0 Ready to start TLS"))
	}
	if len(c.out) < 4096 {
		return n, nil // Read or Close sends it
	}
	return n, c.send()
}

// greeting is what the client gets to see instead of go-smtp's greeting.
func (c *conn) greeting(own []byte) []byte {
	if c.full {
		c.sink.mu.Lock()
		c.sink.stats.Deferred++
		c.sink.mu.Unlock()
		defer c.leave()
		return []byte("421 4.3.2 too many connections\r\n")
	}
	switch c.sink.roll(Connect) {
	case deferIt:
		defer c.leave()
		return []byte("421 4.3.2 deferred by request at connect\r\n")
	case rejectIt:
		defer c.leave()
		return []byte("554 5.3.2 rejected by request at connect\r\n")
	case dropIt:
		c.abort()
	}
	return own
}

// left tells whether the connection is over for us.
func (c *conn) left() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.leaving
}

// leave ends the connection behind the reply that is being written.
func (c *conn) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leaving = true
}

// flush sends the replies that wait.
func (c *conn) flush() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.finished {
		return net.ErrClosed
	}
	return c.send()
}

// send writes out; the caller has mu.
func (c *conn) send() error {
	if len(c.out) == 0 {
		return nil
	}
	_, err := c.Conn.Write(c.out)
	c.out = c.out[:0]
	return err
}

// abort closes the socket and forgets what waits to be sent.
func (c *conn) abort() {
	c.mu.Lock()
	c.finished = true
	c.out = nil
	c.mu.Unlock()
	c.Conn.Close()
}

// Close sends what waits (the 221), but does not wait for a peer that does not
// read.
func (c *conn) Close() error {
	c.Conn.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
	c.mu.Lock()
	if !c.finished {
		c.send() // the peer may be gone already, and that is no news
		c.finished = true
	}
	c.mu.Unlock()
	err := c.Conn.Close()
	c.gone.Do(func() { c.sink.forget(c) })
	return err
}
