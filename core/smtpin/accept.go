package smtpin

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/programmable-mta/mta/core/smtp"
	"github.com/programmable-mta/mta/sdk"
)

const (
	acceptPause  = 100 * time.Millisecond // while the process has no descriptor left
	acceptQuiet  = time.Minute            // between two log lines about that
	refuseTime   = time.Second            // for the reply to a client that is not let in
	refusePlaces = 64                     // of them at once; more are closed without a word
	nameTime     = time.Second            // for the lookup of a client's name
)

// acceptor takes connections from a listener and lets in what the limits allow.
type acceptor struct {
	srv      *Server
	l        net.Listener
	profile  string
	paused   time.Time // when the log said so last
	refusing chan struct{}
}

// next is the next client that may come in; it was counted at the gate.
func (a *acceptor) next() (net.Conn, netip.Addr, error) {
	for {
		c, err := a.l.Accept()
		if err != nil {
			if err := a.failed(err); err != nil {
				return nil, netip.Addr{}, err
			}
			continue
		}
		ip := remoteIP(c) // of the peer; a proxy would name another one here
		if why := a.srv.gate.enter(ip); why != "" {
			a.refuse(c, ip, why)
			continue
		}
		return c, ip, nil
	}
}

// failed waits after an error that passes, and returns one that does not.
func (a *acceptor) failed(err error) error {
	switch {
	case a.srv.draining.Load() || errors.Is(err, net.ErrClosed):
		return err
	case errors.Is(err, syscall.ECONNABORTED):
		return nil
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE),
		errors.Is(err, syscall.ENOBUFS), errors.Is(err, syscall.ENOMEM):
	default:
		var ne net.Error
		if !errors.As(err, &ne) || !ne.Timeout() {
			return err
		}
	}
	if now := time.Now(); now.Sub(a.paused) >= acceptQuiet {
		a.paused = now
		a.srv.log(slog.LevelError, "accepting pauses: no resources for another connection",
			"listener", a.l.Addr().String(), "sessions", a.srv.Sessions(), "err", err)
	}
	t := time.NewTimer(acceptPause)
	defer t.Stop()
	select {
	case <-t.C:
	case <-a.srv.ctx.Done():
	}
	return nil
}

// refuse says 421 without holding up the clients behind.
func (a *acceptor) refuse(c net.Conn, ip netip.Addr, why string) {
	if a.refusing == nil {
		a.refusing = make(chan struct{}, refusePlaces)
	}
	select {
	case a.refusing <- struct{}{}:
	default:
		c.Close()
		return
	}
	go func() {
		defer func() { <-a.refusing }()
		defer c.Close()
		s := sdk.Session{Profile: a.profile, LocalAddr: c.LocalAddr().String(), Started: a.srv.o.Now()}
		if ip.IsValid() {
			s.RemoteIP = ip.String()
		}
		a.srv.o.Tracer.Rejected(&s, "CONNECT", "", "", replyTooManySessions, "", why, nil)
		c.SetWriteDeadline(time.Now().Add(refuseTime))
		c.Write(smtp.AppendReply(nil, replyTooManySessions))
	}()
}

// remoteIP is the client's address; that of a unix socket is not valid.
func remoteIP(c net.Conn) netip.Addr {
	switch a := c.RemoteAddr().(type) {
	case *net.TCPAddr:
		return a.AddrPort().Addr().Unmap().WithZone("")
	case nil:
		return netip.Addr{}
	default:
		ap, err := netip.ParseAddrPort(a.String())
		if err != nil {
			return netip.Addr{}
		}
		return ap.Addr().Unmap().WithZone("")
	}
}

// clientName is the confirmed name of a client, or "" within a second. The
// lookup runs beside the session, which must not hang on a resolver that does
// not heed its context.
func (s *Server) clientName(ip netip.Addr) string {
	if s.o.PTR == nil || !ip.IsValid() || ip.IsLoopback() {
		return ""
	}
	ctx, cancel := context.WithTimeout(s.ctx, nameTime)
	defer cancel()
	found := make(chan string, 1)
	go func() {
		name, err := s.o.PTR(ctx, ip)
		if err != nil {
			name = ""
		}
		found <- name
	}()
	select {
	case name := <-found:
		// Whoever has the reverse zone has chosen the name (RFC 5321 §7.2).
		if ascii, err := smtp.ToASCII(trimDot(name)); err == nil && ascii[0] != '[' {
			return ascii
		}
	case <-ctx.Done():
	}
	return ""
}

func trimDot(s string) string {
	if n := len(s); n > 0 && s[n-1] == '.' {
		return s[:n-1]
	}
	return s
}
