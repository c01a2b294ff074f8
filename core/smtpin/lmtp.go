package smtpin

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"

	gosmtp "github.com/emersion/go-smtp"

	"github.com/programmable-mta/mta/core/smtp"
	"github.com/programmable-mta/mta/sdk"
)

// LMTP (RFC 2033) is spoken by go-smtp's server: its clients are few, near and
// well behaved, and what that server lacks at the front door does not matter
// here. This file is the backend, and guards against what does matter: it
// unquotes local parts, lets bare newlines through, takes a body for commands
// after a read error, and lets RSET overtake a message that comes in chunks.

// lmtpLine is the longest line, in commands and in messages: go-smtp has one
// limit for both.
const lmtpLine = 1 << 20

func (s *Server) serveLMTP(l net.Listener) error {
	g := gosmtp.NewServer(gosmtp.BackendFunc(s.lmtpSession))
	g.LMTP = true
	g.Domain = s.o.Hostname
	g.MaxLineLength = lmtpLine
	g.EnableSMTPUTF8 = true
	g.EnableDSN = true
	g.ErrorLog = lmtpLog{s}
	if n := s.o.Limits.MessageSize; n >= 0 {
		g.MaxMessageBytes = n + 1 // go-smtp refuses a message of exactly this size
	}
	if s.o.TLS != nil && s.o.TLS() != nil {
		g.TLSConfig = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			if c := s.o.TLS(); c != nil {
				return c, nil
			}
			return nil, errors.New("smtpin: no certificate")
		}}
	}
	return g.Serve(&lmtpListener{Listener: l, a: acceptor{srv: s, l: l, profile: "lmtp"}})
}

// lmtpListener hands go-smtp the connections that the limits let in.
type lmtpListener struct {
	net.Listener
	a acceptor
}

func (l *lmtpListener) Accept() (net.Conn, error) {
	for {
		c, ip, err := l.a.next()
		if err != nil {
			return nil, err
		}
		lc := &lmtpConn{Conn: c, srv: l.a.srv, ip: ip}
		if l.a.srv.enter(lc) {
			return lc, nil
		}
		l.a.srv.gate.leave(ip)
		c.Close()
	}
}

// lmtpSession finds the session of a connection, or begins it: go-smtp asks at
// the first LHLO, and again at the first one under TLS.
func (s *Server) lmtpSession(c *gosmtp.Conn) (gosmtp.Session, error) {
	nc := c.Conn()
	t, secure := nc.(*tls.Conn)
	if secure {
		nc = t.NetConn()
	}
	lc, ok := nc.(*lmtpConn)
	if !ok {
		return nil, errors.New("smtpin: a stranger's connection")
	}
	first := lc.ses == nil
	if first {
		lc.ses = &lmtpSession{lc: lc}
		lc.ses.begin(s, lc.Conn, lc.ip, "lmtp")
	}
	ls := lc.ses
	ls.c = c
	if secure {
		state := t.ConnectionState()
		ls.ses.TLS = tlsName(&state)
	}
	if first {
		if r, no := ls.connect(); no {
			lc.hangUp()
			return nil, smtpError(r)
		}
	}
	return ls, ls.lhlo()
}

// lmtpSession is go-smtp's view of a visit.
type lmtpSession struct {
	visit
	lc *lmtpConn
	c  *gosmtp.Conn
	// mu joins what go-smtp lets run side by side: a message that comes in
	// chunks, and the RSET that ends it.
	mu    sync.Mutex
	given []lmtpRcpt
}

// lmtpRcpt is a recipient that was accepted at RCPT.
type lmtpRcpt struct {
	said string // as go-smtp passed it, which is how it wants the status
	addr string
}

var _ gosmtp.LMTPSession = (*lmtpSession)(nil)

func (s *lmtpSession) lhlo() error {
	name := s.c.Hostname()
	if !validHelo(name) {
		return smtpError(replyBadHelo)
	}
	r, no := s.helo(name, true)
	return s.answer(r, no)
}

// answer turns a reply into go-smtp's error, and ends the session after a 421.
func (s *lmtpSession) answer(r sdk.Reply, no bool) error {
	if s.over != "" || no && r.Code == 421 {
		s.lc.hangUp()
	}
	if no {
		return smtpError(r)
	}
	return nil
}

// Mail implements gosmtp.Session.
func (s *lmtpSession) Mail(from string, o *gosmtp.MailOptions) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.env != nil {
		return smtpError(replyNested)
	}
	if s.c.Hostname() != s.ses.Helo { // a second LHLO calls Reset and nothing else
		if err := s.lhlo(); err != nil {
			return err
		}
	}
	var a smtp.Address
	if from != "" {
		var err error
		if a, err = requote(from, o.UTF8); err != nil {
			return smtpError(addressReply(err, "5.1.7"))
		}
	}
	size := o.Size
	if size == 0 {
		size = -1
	}
	r, no := s.mail(a, o, size, true)
	s.lc.busy.Store(!no)
	return s.answer(r, no)
}

// Rcpt implements gosmtp.Session.
func (s *lmtpSession) Rcpt(to string, o *gosmtp.RcptOptions) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.env == nil {
		return smtpError(replyMailFirst)
	}
	a, err := requote(to, s.env.SMTPUTF8)
	if err != nil {
		return smtpError(addressReply(err, "5.1.3"))
	}
	r, no := s.rcpt(a, o)
	if !no {
		s.given = append(s.given, lmtpRcpt{said: to, addr: a.String()})
	}
	return s.answer(r, no)
}

// Data implements gosmtp.Session; on LMTP nobody calls it.
func (s *lmtpSession) Data(io.Reader) error { return smtpError(replyNotOffered) }

// LMTPData implements gosmtp.LMTPSession.
func (s *lmtpSession) LMTPData(r io.Reader, status gosmtp.StatusCollector) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.recipients() {
		return smtpError(replyNoRecipients) // RSET came before us
	}
	defer s.reset()
	s.lc.beginData()
	defer s.lc.endData()
	reply, no := s.predata("DATA")
	if no {
		if _, err := io.Copy(io.Discard, r); err != nil {
			s.lc.hangUp()
		}
		return s.answer(reply, true)
	}
	if reply, ok := s.receive(r); !ok {
		return s.answer(reply, true)
	}
	res := s.finish()
	if res.reply.Code >= 400 && len(res.refused) == 0 {
		return s.answer(res.reply, true)
	}
	for _, g := range s.given {
		status.SetStatus(g.said, smtpError(res.forRecipient(g.addr)))
	}
	return s.answer(res.reply, false)
}

// receive reads the message into the draft.
func (s *lmtpSession) receive(r io.Reader) (sdk.Reply, bool) {
	s.open(true) // go-smtp does not look at line ends
	limit := s.srv.o.Limits.MessageSize
	buf := largePool.Get().(*[largeBuffer]byte)
	defer largePool.Put(buf)
	var got int64
	for {
		n, err := r.Read(buf[:])
		if got += int64(n); !over(got, limit) {
			s.body.Write(buf[:n])
		}
		if err == io.EOF {
			break
		}
		var e *gosmtp.SMTPError
		if errors.As(err, &e) && e.Code == replyTooBig.Code {
			break
		}
		if errors.Is(err, gosmtp.ErrDataReset) { // RSET between chunks
			return replyReset, false
		}
		if err != nil {
			s.lc.hangUp() // what follows is still the body, and go-smtp would take it for commands
			return replyTimeout, false
		}
	}
	err := s.body.finish()
	if over(got, limit) {
		err = smtp.ErrTooLarge
	}
	if err != nil {
		if reply, ok := s.unreadable("DATA", err); ok {
			return reply, false
		}
		return replyQueueFault, false
	}
	return sdk.Reply{}, true
}

// forRecipient is the reply for a recipient as the client named it.
func (res *result) forRecipient(addr string) sdk.Reply {
	for _, k := range res.kept {
		if k.Addr == addr || k.Orig == addr {
			return res.reply
		}
	}
	for i := range res.refused {
		if r := &res.refused[i]; r.Recipient.Addr == addr || r.Recipient.Orig == addr {
			return r.Reply
		}
	}
	return res.reply // thrown away by a plugin: that is a yes
}

// Reset implements gosmtp.Session.
func (s *lmtpSession) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reset()
	s.given = nil
	s.lc.busy.Store(false)
}

// Logout implements gosmtp.Session. The end of the connection is the end of the
// session; STARTTLS, which calls this as well, is not. go-smtp calls it where
// nobody recovers from a panic.
func (s *lmtpSession) Logout() error {
	panicked := false
	defer s.guard(&panicked)
	s.Reset()
	return nil
}

// requote makes an address of one whose quotes go-smtp has taken off: at the
// last @, because the others are part of what was quoted.
func requote(s string, utf8 bool) (smtp.Address, error) {
	a, err := smtp.ParseAddress(s, utf8)
	if err == nil {
		return a, nil
	}
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return a, err
	}
	local := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s[:at])
	return smtp.ParseAddress(`"`+local+`"`+s[at:], utf8)
}

func addressReply(err error, enhanced string) sdk.Reply {
	if errors.Is(err, smtp.ErrNeedUTF8) {
		return sdk.Reply{Code: 553, Enhanced: "5.6.7", Text: "Address needs SMTPUTF8"}
	}
	return sdk.Reply{Code: 501, Enhanced: enhanced, Text: strings.TrimPrefix(err.Error(), "smtp: ")}
}

// smtpError is a reply in go-smtp's vocabulary; it takes 250 as well, for the
// words of the final replies.
func smtpError(r sdk.Reply) error {
	e := &gosmtp.SMTPError{Code: r.Code, EnhancedCode: gosmtp.NoEnhancedCode, Message: printable(r.Text)}
	parts := strings.SplitN(r.Enhanced, ".", 3)
	if len(parts) == 3 {
		for i, p := range parts {
			e.EnhancedCode[i], _ = strconv.Atoi(p)
		}
	}
	return e
}

// printable keeps what a plugin said from becoming lines that it did not say:
// go-smtp writes the text as it is.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r >= ' ' && r < 0x7f {
			return r
		}
		return '?'
	}, s)
}

// lmtpLog takes what go-smtp has to say about faults.
type lmtpLog struct{ s *Server }

func (l lmtpLog) Printf(format string, v ...interface{}) {
	l.s.log(slog.LevelWarn, fmt.Sprintf(format, v...))
}

func (l lmtpLog) Println(v ...interface{}) { l.s.log(slog.LevelWarn, fmt.Sprint(v...)) }
