package smtpin

import (
	"context"
	"crypto/tls"
	"log/slog"
	"strings"
	"time"
)

// offersTLS tells whether STARTTLS stands in the reply to EHLO: not without a
// certificate, and not twice (RFC 3207 §4.2).
func (s *session) offersTLS() bool {
	return s.ses.TLS == "" && s.srv.o.TLS != nil && s.srv.o.TLS() != nil
}

// doStartTLS changes to TLS. Whatever the client sent behind STARTTLS in the
// clear has ended the session already (the row says last): a stranger on the
// line could have put it there (CVE-2011-0411).
func (s *session) doStartTLS(string) {
	if s.ses.TLS != "" {
		s.say(replyAlreadyTLS)
		return
	}
	if s.srv.o.TLS == nil {
		s.say(replyNotOffered)
		return
	}
	conf := s.srv.o.TLS()
	if conf == nil {
		s.say(replyNoTLS)
		return
	}
	s.say(replyStartTLS)
	if err := s.flush(); err != nil {
		s.over = "lost"
		return
	}
	c := tls.Server(s.raw, conf)
	s.raw.SetDeadline(time.Now().Add(s.limits.TLSHandshake))
	if err := c.HandshakeContext(context.Background()); err != nil {
		// No reply: the client is in the middle of a handshake, and may not take
		// plaintext for an answer.
		s.srv.log(slog.LevelInfo, "TLS handshake failed", "session", s.ses.ID, "client", s.ses.RemoteIP, "err", err)
		s.over = "tls"
		return
	}
	s.raw.SetDeadline(time.Time{})
	s.armed, s.armedWrite = time.Time{}, time.Time{}
	s.conn = c
	s.in.Reset(s)
	s.forget()
	state := c.ConnectionState()
	s.ses.TLS = tlsName(&state)
}

// forget wipes what the client said before TLS (RFC 3207 §4.2).
func (s *session) forget() {
	s.leaveTransaction()
	s.state, s.extended = stConnected, false
	s.ses.Helo, s.ses.Protocol, s.ses.Login = "", "", ""
}

// tlsName is version and cipher suite, as logs and Received show them.
func tlsName(c *tls.ConnectionState) string {
	version := strings.ReplaceAll(tls.VersionName(c.Version), "TLS ", "TLSv")
	return version + " " + tls.CipherSuiteName(c.CipherSuite)
}
