package smtpin

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestOverTheCapIs421AndOthersComeIn(t *testing.T) {
	d := newDoor(t, limits(func(l *Limits) { l.Sessions = 2 }))
	addr := d.listen(t, "mx")
	a, b := dial(t, addr), dial(t, addr)
	a.want("220")
	b.want("220")
	c := dial(t, addr)
	c.want("421 4.7.0")
	c.wantEnd()
	a.say(quit)
	a.want("221")
	a.wantEnd()
	settle(t, func() bool { return d.Sessions() == 1 })
	e := dial(t, addr)
	e.want("220")
	if log := d.logged(t); !strings.Contains(log, "NOQUEUE: reject: CONNECT from unknown[127.0.0.1]: 421 4.7.0") {
		t.Errorf("log %q", log)
	}
}

func TestOneAddressCannotTakeEveryPlace(t *testing.T) {
	d := newDoor(t, limits(func(l *Limits) { l.SessionsPerIP = 1 }))
	addr := d.listen(t, "mx")
	dial(t, addr).want("220")
	dial(t, addr).want("421 4.7.0")
}

// starved is a listener that has no descriptor left for a while.
type starved struct {
	net.Listener
	fails atomic.Int32
}

func (l *starved) Accept() (net.Conn, error) {
	if l.fails.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	return l.Listener.Accept()
}

func TestAcceptingPausesWithoutDescriptorsAndGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t)
		pl := newPipeListener()
		l := &starved{Listener: pl}
		l.fails.Store(300)
		served := make(chan error)
		go func() { served <- d.Serve(l, Listener{Profile: "mx"}) }()
		start := time.Now()
		c := pl.dial(t)
		c.want("220")
		if waited := time.Since(start); waited != 300*acceptPause {
			t.Errorf("came in after %v", waited)
		}
		c.say(quit)
		c.want("221")
		d.Shutdown(context.Background())
		if err := <-served; err != nil {
			t.Error(err)
		}
		if log := d.logged(t); strings.Count(log, "accepting pauses") != 1 {
			t.Errorf("log %q", log)
		}
	})
}

func TestABrokenListenerIsReported(t *testing.T) {
	d := newDoor(t)
	if err := d.Serve(brokenListener{newPipeListener()}, Listener{Profile: "mx"}); err == nil || !strings.Contains(err.Error(), "fell apart") {
		t.Errorf("Serve: %v", err)
	}
	if err := d.Serve(newPipeListener(), Listener{Profile: "pop3"}); err == nil {
		t.Error("an unknown profile was served")
	}
}

type brokenListener struct{ net.Listener }

func (brokenListener) Accept() (net.Conn, error) { return nil, errors.New("fell apart") }

// pipeListener is a listener whose connections are pipes, for synctest.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}
func (l *pipeListener) Close() error   { l.once.Do(func() { close(l.closed) }); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 25} }

// addressed is a pipe that seems to come from somewhere.
type addressed struct{ net.Conn }

func (addressed) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 40000} }

func (l *pipeListener) dial(t testing.TB) *client {
	t.Helper()
	c, s := net.Pipe()
	l.conns <- addressed{s}
	t.Cleanup(func() { c.Close() })
	return newClient(t, c)
}

func TestShutdownTellsTheIdleAndWaitsForTheBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t)
		l := newPipeListener()
		served := make(chan error)
		go func() { served <- d.Serve(l, Listener{Profile: "mx"}) }()
		fresh, idle, busy := l.dial(t), l.dial(t), l.dial(t)
		fresh.want("220")
		idle.want("220")
		idle.say(ehlo)
		idle.want("250")
		busy.want("220")
		busy.say(ehlo)
		busy.want("250")
		busy.say(mail)
		busy.want("250")
		synctest.Wait()
		down := make(chan error)
		go func() { down <- d.Shutdown(context.Background()) }()
		fresh.want("421 4.3.2")
		idle.want("421 4.3.2")
		idle.wantEnd()
		time.Sleep(4 * time.Minute) // within its deadline: it may take its time
		busy.say(rcpt)
		busy.want("250")
		busy.say(data)
		busy.want("354")
		busy.say(text)
		busy.want("250 2.0.0")
		busy.want("421 4.3.2")
		busy.wantEnd()
		if err := <-down; err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
		if len(d.q.messages()) != 1 {
			t.Error("the message of the busy session is lost")
		}
		if err := d.Serve(newPipeListener(), Listener{Profile: "mx"}); err != nil {
			t.Errorf("Serve after Shutdown: %v", err)
		}
	})
}

func TestATransactionThatBeginsWhileTheServerGoesDownIsNoTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		defer here.Close()
		defer there.Close()
		limits := Limits{}.withDefaults()
		var draining atomic.Bool
		w := wire{raw: here, conn: here, limits: &limits, draining: &draining}
		read := func() {
			t.Helper()
			go func() {
				time.Sleep(time.Second)
				there.Write([]byte("x"))
			}()
			if n, err := w.Read(make([]byte, 1)); n != 1 || err != nil {
				t.Errorf("%d octets, %v", n, err)
			}
		}
		read() // MAIL, which leaves a deadline that will do for the next command
		draining.Store(true)
		w.drain()
		w.busy.Store(true)
		w.awaitCommand()
		read() // RCPT
	})
}

func TestShutdownCutsOffWhoDoesNotFinishInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t)
		l := newPipeListener()
		go d.Serve(l, Listener{Profile: "mx"})
		c := l.dial(t)
		c.want("220")
		c.say(ehlo)
		c.want("250")
		c.say(mail)
		c.want("250")
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		start := time.Now()
		if err := d.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Shutdown: %v", err)
		}
		if time.Since(start) != 10*time.Second {
			t.Errorf("after %v", time.Since(start))
		}
		c.wantEnd()
		synctest.Wait()
		if d.Sessions() != 0 {
			t.Error("a session is left")
		}
	})
}

func TestTheNameOfAClientIsConfirmedAndNotWaitedFor(t *testing.T) {
	lookup := func(answer func(ctx context.Context, ip netip.Addr) (string, error)) (string, time.Duration) {
		var body string
		var waited time.Duration
		synctest.Test(t, func(t *testing.T) {
			d := newDoor(t, func(o *Options) { o.PTR = answer })
			l := newPipeListener()
			go d.Serve(l, Listener{Profile: "mx"})
			start := time.Now()
			c := l.dial(t)
			c.want("220")
			waited = time.Since(start)
			c.say(ehlo)
			c.want("250")
			c.say(mail)
			c.want("250")
			c.say(rcpt)
			c.want("250")
			c.say(data)
			c.want("354")
			c.say(text)
			c.want("250")
			body = d.q.messages()[0].body
			d.Shutdown(t.Context())
		})
		line, _, _ := strings.Cut(body, "\r\n")
		return line, waited
	}
	for _, c := range []struct {
		name   string
		answer func(context.Context, netip.Addr) (string, error)
		want   string
		wait   time.Duration
	}{
		{"a name", func(context.Context, netip.Addr) (string, error) { return "Client.Example.", nil }, "client.example", 0},
		{"none", func(context.Context, netip.Addr) (string, error) { return "", nil }, "unknown", 0},
		{"a failure", func(context.Context, netip.Addr) (string, error) { return "x", errors.New("no") }, "unknown", 0},
		{"a name that is none", func(context.Context, netip.Addr) (string, error) { return "evil)\r\nX: y", nil }, "unknown", 0},
		{"an address as a name", func(context.Context, netip.Addr) (string, error) { return "[192.0.2.1]", nil }, "unknown", 0},
		{"silence", func(ctx context.Context, _ netip.Addr) (string, error) { <-ctx.Done(); return "", ctx.Err() }, "unknown", time.Second},
		{"a resolver that does not listen", func(context.Context, netip.Addr) (string, error) {
			time.Sleep(time.Minute)
			return "late.example", nil
		}, "unknown", time.Second},
	} {
		line, waited := lookup(c.answer)
		if want := "Received: from client.example (" + c.want + " [192.0.2.7])"; line != want {
			t.Errorf("%s: %q, want %q", c.name, line, want)
		}
		if waited != c.wait {
			t.Errorf("%s: waited %v", c.name, waited)
		}
	}
}

func TestSpeakingBeforeTheBannerEndsTheSession(t *testing.T) {
	d := newDoor(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := dial(t, l.Addr().String())
	c.say(ehlo + mail)
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	settle(t, func() bool { return spokeEarly(s) })
	ip := remoteIP(s)
	d.gate.enter(ip)
	d.serveConn(s, ip, "mx")
	c.want("554 5.5.0")
	c.wantEnd()
	if d.Sessions() != 0 || d.gate.all != 0 {
		t.Error("still counted")
	}
}
