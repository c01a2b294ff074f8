package smtpin

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// lmtpConn is a connection under go-smtp's server. It keeps the deadlines, which
// that server knows only as one for a whole message, and never passes on an
// octet behind an error.
type lmtpConn struct {
	net.Conn
	srv  *Server
	ip   netip.Addr
	ses  *lmtpSession
	busy atomic.Bool // inside a transaction

	mu    sync.Mutex
	start time.Time // of the message that is arriving; zero: none is
	got   int64     // of it
	until time.Time // when the next command has to be there; zero: its wait has not begun
	err   error     // sticky

	once sync.Once
}

// Read implements net.Conn.
func (c *lmtpConn) Read(p []byte) (int, error) {
	for {
		c.mu.Lock()
		err := c.err
		until := c.deadline(time.Now())
		c.mu.Unlock()
		if err != nil {
			return 0, err
		}
		if err := c.Conn.SetReadDeadline(until); err != nil {
			return 0, err
		}
		if c.srv.draining.Load() && !c.busy.Load() {
			return 0, errDraining
		}
		n, err := c.Conn.Read(p)
		if n == 0 && errors.Is(err, os.ErrDeadlineExceeded) && c.busy.Load() && time.Now().Before(until) {
			continue // drain came while a transaction began
		}
		c.mu.Lock()
		c.got += int64(n)
		if err != nil && n == 0 {
			c.err = err
		}
		c.mu.Unlock()
		return n, err
	}
}

// deadline is that of the next read; mu is held. For a command it does not move
// while the line drips in: a reply begins the wait for the next one.
func (c *lmtpConn) deadline(now time.Time) time.Time {
	l := &c.srv.o.Limits
	if c.start.IsZero() {
		if c.until.IsZero() {
			c.until = now.Add(l.CommandTimeout)
		}
		return c.until
	}
	return sooner(now.Add(l.DataTimeout), l.dataEnd(c.start, c.start, c.got))
}

// Write implements net.Conn.
func (c *lmtpConn) Write(p []byte) (int, error) {
	if err := c.Conn.SetWriteDeadline(time.Now().Add(c.srv.o.Limits.WriteTimeout)); err != nil {
		return 0, err
	}
	c.mu.Lock()
	c.until = time.Time{}
	c.mu.Unlock()
	return c.Conn.Write(p)
}

// Close implements net.Conn: the end of the session.
func (c *lmtpConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() {
		if s := c.ses; s != nil {
			panicked := false
			defer s.guard(&panicked)
			s.mu.Lock()
			defer s.mu.Unlock()
			s.end("closed", nil)
		}
		c.srv.gate.leave(c.ip)
		c.srv.leave(c)
	})
	return err
}

// hangUp lets go-smtp say what it has to say, and then find the connection at
// its end.
func (c *lmtpConn) hangUp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = io.EOF
	}
}

func (c *lmtpConn) beginData() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.start, c.got = time.Now(), 0
}

func (c *lmtpConn) endData() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.start, c.until = time.Time{}, time.Time{}
}

// drain implements drainer.
func (c *lmtpConn) drain() {
	if !c.busy.Load() {
		c.Conn.SetReadDeadline(time.Unix(1, 0))
	}
}

// kill implements drainer.
func (c *lmtpConn) kill() { c.Conn.Close() }
