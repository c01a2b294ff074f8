package mtatest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"
)

// Net is a network in memory. The zero value is ready to use.
type Net struct {
	mu        sync.Mutex
	listeners map[string]*listener
	nextPort  int
	dials     []Dialled
}

// Dialled is one attempt to connect, whatever came of it.
type Dialled struct {
	Addr string
	At   time.Time
}

// Listen opens addr ("192.0.2.1:25", or a path for network "unix").
func (n *Net) Listen(network, addr string) (net.Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, taken := n.listeners[addr]; taken {
		return nil, &net.OpError{Op: "listen", Net: network, Addr: address{network, addr}, Err: errors.New("address already in use")}
	}
	l := &listener{net: n, addr: address{network, addr}, conns: make(chan net.Conn, 128), closed: make(chan struct{})}
	if n.listeners == nil {
		n.listeners = map[string]*listener{}
	}
	n.listeners[addr] = l
	return l, nil
}

// Dial connects to a listener from 127.0.0.1. Nobody listening is "connection refused".
func (n *Net) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	return n.DialFrom(ctx, "127.0.0.1", network, addr)
}

// DialFrom is [Net.Dial] with the address from which the connection seems to come.
func (n *Net) DialFrom(ctx context.Context, from, network, addr string) (net.Conn, error) {
	n.mu.Lock()
	l := n.listeners[addr]
	n.nextPort++
	port := 30000 + n.nextPort%30000
	n.dials = append(n.dials, Dialled{addr, time.Now()})
	n.mu.Unlock()
	if l == nil {
		return nil, &net.OpError{Op: "dial", Net: network, Addr: address{network, addr}, Err: errors.New("connection refused")}
	}
	if l.silent {
		<-ctx.Done()
		return nil, &net.OpError{Op: "dial", Net: network, Addr: address{network, addr}, Err: ctx.Err()}
	}
	client, server := Pipe(address{network, net.JoinHostPort(from, fmt.Sprint(port))}, l.addr)
	select {
	case l.conns <- server:
		return client, nil
	case <-l.closed:
		return nil, &net.OpError{Op: "dial", Net: network, Addr: l.addr, Err: errors.New("connection refused")}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Blackhole makes addr an address that never answers: dialling it waits until
// the context is done.
func (n *Net) Blackhole(addr string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.listeners == nil {
		n.listeners = map[string]*listener{}
	}
	n.listeners[addr] = &listener{net: n, addr: address{"tcp", addr}, silent: true, closed: make(chan struct{})}
}

// Dials are all attempts to connect to addr so far, in order.
func (n *Net) Dials(addr string) []Dialled {
	n.mu.Lock()
	defer n.mu.Unlock()
	var out []Dialled
	for _, d := range n.dials {
		if d.Addr == addr {
			out = append(out, d)
		}
	}
	return out
}

type listener struct {
	net    *Net
	addr   address
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
	silent bool
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() {
		close(l.closed)
		l.net.mu.Lock()
		delete(l.net.listeners, l.addr.addr)
		l.net.mu.Unlock()
	})
	return nil
}

func (l *listener) Addr() net.Addr { return l.addr.netAddr() }

// address is a net.Addr; for tcp it turns into a *net.TCPAddr, because servers
// look for one.
type address struct{ network, addr string }

func (a address) Network() string { return a.network }
func (a address) String() string  { return a.addr }

func (a address) netAddr() net.Addr {
	if ap, err := netip.ParseAddrPort(a.addr); err == nil && strings.HasPrefix(a.network, "tcp") {
		return net.TCPAddrFromAddrPort(ap)
	}
	return a
}

// Pipe is a connection between two addresses: buffered, with deadlines.
func Pipe(client, server net.Addr) (net.Conn, net.Conn) {
	up, down := newStream(), newStream()
	return &conn{r: down, w: up, local: plain(client), remote: plain(server)},
		&conn{r: up, w: down, local: plain(server), remote: plain(client)}
}

func plain(a net.Addr) net.Addr {
	if x, ok := a.(address); ok {
		return x.netAddr()
	}
	return a
}

type conn struct {
	r, w          *stream
	local, remote net.Addr
}

func (c *conn) Read(b []byte) (int, error)  { return c.r.read(b) }
func (c *conn) Write(b []byte) (int, error) { return c.w.write(b) }
func (c *conn) LocalAddr() net.Addr         { return c.local }
func (c *conn) RemoteAddr() net.Addr        { return c.remote }

func (c *conn) Close() error {
	c.r.close(true)
	c.w.close(false)
	return nil
}

func (c *conn) SetDeadline(t time.Time) error {
	c.r.setDeadline(&c.r.readBy, t)
	c.w.setDeadline(&c.w.writeBy, t)
	return nil
}

func (c *conn) SetReadDeadline(t time.Time) error {
	c.r.setDeadline(&c.r.readBy, t)
	return nil
}

func (c *conn) SetWriteDeadline(t time.Time) error {
	c.w.setDeadline(&c.w.writeBy, t)
	return nil
}

// streamBuffer is what a direction holds before a writer waits, as a socket's
// buffer does.
const streamBuffer = 64 << 10

// stream is one direction of a connection.
type stream struct {
	mu      sync.Mutex
	change  *sync.Cond
	buf     []byte
	ended   bool // the writer has closed: EOF behind buf
	broken  bool // the reader has closed: writes fail
	readBy  deadline
	writeBy deadline
}

type deadline struct {
	passed bool
	timer  *time.Timer
}

func newStream() *stream {
	s := &stream{}
	s.change = sync.NewCond(&s.mu)
	return s
}

func (s *stream) read(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.broken:
			return 0, net.ErrClosed
		case s.readBy.passed:
			return 0, os.ErrDeadlineExceeded
		case len(s.buf) > 0:
			n := copy(b, s.buf)
			s.buf = append(s.buf[:0], s.buf[n:]...)
			s.change.Broadcast()
			return n, nil
		case s.ended:
			return 0, io.EOF
		case len(b) == 0:
			return 0, nil
		}
		s.change.Wait()
	}
}

func (s *stream) write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sent := 0
	for {
		switch {
		case s.ended:
			return sent, net.ErrClosed
		case s.broken:
			return sent, errors.New("write: broken pipe")
		case s.writeBy.passed:
			return sent, os.ErrDeadlineExceeded
		}
		n := min(len(b)-sent, streamBuffer-len(s.buf))
		s.buf = append(s.buf, b[sent:sent+n]...)
		sent += n
		s.change.Broadcast()
		if sent == len(b) {
			return sent, nil
		}
		s.change.Wait()
	}
}

func (s *stream) close(reader bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if reader {
		s.broken = true
	} else {
		s.ended = true
	}
	for _, d := range []*deadline{&s.readBy, &s.writeBy} {
		if d.timer != nil {
			d.timer.Stop()
		}
	}
	s.change.Broadcast()
}

func (s *stream) setDeadline(d *deadline, t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.passed = false
	if t.IsZero() || s.ended && s.broken {
		return
	}
	wait := time.Until(t)
	if wait <= 0 {
		d.passed = true
		s.change.Broadcast()
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(wait, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if d.timer == timer {
			d.passed = true
			s.change.Broadcast()
		}
	})
	d.timer = timer
}
