package smtpin

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/programmable-mta/mta/core/smtp"
	"github.com/programmable-mta/mta/sdk"
)

// state is where a session stands (RFC 5321 §4.1.4).
type state uint8

const (
	stConnected   state = 1 << iota // no EHLO yet
	stReady                         // between transactions
	stMail                          // MAIL was accepted, no recipient yet
	stRcpt                          // at least one recipient
	stChunks                        // inside a message that comes in chunks
	stTurnedAway                    // the greeting was 554: only QUIT is left
	anyState      = stConnected | stReady | stMail | stRcpt | stChunks | stTurnedAway
	stTransaction = stMail | stRcpt | stChunks
)

// session is one SMTP client.
type session struct {
	visit
	wire
	in       *smtp.Reader
	state    state
	extended bool            // EHLO, not HELO
	large    bool            // the reader has the large buffer
	failed   bool            // the command in hand was refused
	pardoned bool            // and that is no error of the client
	commands int             // since the beginning
	errors   int             // refused commands since the last message
	junk     int             // commands without use for mail since the last message
	counts   [verbs][2]int32 // accepted and all, by verb
	chunked  int64           // octets of the chunks of this message
}

// serveConn serves one client to its end.
func (s *Server) serveConn(c net.Conn, ip netip.Addr, profile string) {
	ss := &session{state: stConnected}
	ss.wire = wire{raw: c, conn: c, limits: &s.o.Limits, draining: &s.draining}
	ss.srv = s
	panicked := false
	defer ss.guard(&panicked)
	if s.enter(ss) {
		defer s.leave(ss)
	}
	defer s.gate.leave(ip)
	defer c.Close()
	if s.draining.Load() {
		ss.put(replyShutdown)
		ss.flush()
		return
	}
	ss.begin(s, c, ip, profile)
	ss.in = smtp.NewReader(ss, smallPool.Get().(*[smallBuffer]byte)[:])
	reason := "error"
	defer func() { ss.close(reason) }()
	reason = ss.serve()
}

// close ends the connection and gives back what the session holds.
func (s *session) close(reason string) {
	if err := s.flush(); err == nil && reason != "quit" {
		s.linger()
	}
	if s.conn != s.raw {
		s.conn.Close() // says close_notify
	}
	s.end(reason, s.verbCounts())
	s.in.Reset(nil)
	recycle(s.in.SwapBuffer(make([]byte, 128)))
}

// linger lets the client read the last reply: a socket that is closed while
// octets of the client are unread takes the reply back with it.
func (s *session) linger() {
	c, ok := s.raw.(interface{ CloseWrite() error })
	if !ok || s.conn != s.raw || c.CloseWrite() != nil {
		return
	}
	s.raw.SetReadDeadline(time.Now().Add(lingerTime))
	io.CopyN(io.Discard, onlyReader{s.raw}, lingerSize)
}

const (
	lingerTime = time.Second
	lingerSize = 256 << 10
)

// onlyReader hides the methods with which io.Copy would look for a short cut.
type onlyReader struct{ io.Reader }

// serve is the conversation; it returns why it ended.
func (s *session) serve() (reason string) {
	panicked := false
	defer func() {
		if panicked {
			s.put(replyFault)
			reason = "fault"
		}
	}()
	defer s.guard(&panicked)
	s.greet()
	for s.over == "" {
		if s.draining.Load() && s.state&stTransaction == 0 {
			s.put(replyShutdown)
			return "shutdown"
		}
		s.shrink()
		s.awaitCommand()
		line, err := s.in.ReadLine(s.limits.CommandLine)
		switch {
		case err == nil:
			s.command(line)
		case !s.badLine(err):
			return s.lost(err)
		}
		s.strikes()
		if s.in.Buffered() > 0 && s.full() {
			if err := s.flush(); err != nil {
				return "lost"
			}
		}
	}
	return s.over
}

// greet says the banner, unless the client may not have one.
func (s *session) greet() {
	r, no := s.connect()
	switch {
	case spokeEarly(s.raw): // RFC 5321 §3.1: the server speaks first
		s.rejected("CONNECT", "", replySync, "", "spoke before the banner")
		s.say(replySync)
		s.over = "protocol"
	case no:
		s.state = stTurnedAway
		s.say(r)
	default:
		s.say(banner(s.srv.o.Hostname))
	}
}

// say gathers the reply to the command in hand.
func (s *session) say(r sdk.Reply) {
	if r.Code >= 400 {
		s.failed = true
		s.pardoned = r == replyNoSpace || r == replyQueueFault // our trouble, not the client's
	}
	s.put(r)
	if r.Code == 421 && s.over == "" { // RFC 5321 §3.8: 421 announces the end
		s.over = "closed"
	}
}

// refuse says a reply and ends the session.
func (s *session) refuse(r sdk.Reply, reason string) {
	s.say(r)
	s.over = reason
}

// command carries out one line.
func (s *session) command(line []byte) {
	s.failed = false
	s.commands++
	if s.commands == 1 && (len(line) == 0 || line[0]|0x20 < 'a' || line[0]|0x20 > 'z') {
		s.refuse(replyNotSMTP, "protocol") // TLS, or a protocol that begins with something else
		return
	}
	c, err := smtp.ParseCommand(line)
	if err != nil {
		s.say(replyOf(err))
		s.counts[vUnknown][1]++
		return
	}
	v := lookup(c.Verb)
	row := &table[v]
	s.counts[v][1]++
	switch {
	case row.last && s.in.Buffered() > 0: // RFC 2920 §3.1
		// In every state: behind a DATA that is refused lies a message, and its
		// lines must not become commands.
		s.rejected(row.verb, "", replySync, "", "pipelined behind "+row.verb)
		s.refuse(replySync, "protocol")
	case row.takes&s.state == 0:
		s.say(s.outOfOrder())
	case row.bare && c.Arg != "":
		s.say(replyNoArgument)
	default:
		row.do(s, c.Arg)
	}
	if row.junk {
		s.junk++
	}
	if !s.failed {
		s.counts[v][0]++
	}
}

// outOfOrder is the reply to a command that the state does not allow.
func (s *session) outOfOrder() sdk.Reply {
	switch s.state {
	case stConnected:
		return replyHeloFirst
	case stReady:
		return replyMailFirst
	case stChunks:
		return replyInChunks
	case stTurnedAway:
		return replyOnlyQuit
	}
	return replyNested
}

// strikes ends a session that only does harm.
func (s *session) strikes() {
	if s.failed && !s.pardoned {
		s.errors++
	}
	s.failed, s.pardoned = false, false
	if s.over != "" {
		return
	}
	switch {
	case over(s.errors, s.limits.Errors):
		s.refuse(replyTooManyErrors, "errors")
	case over(s.junk, s.limits.JunkCommands):
		s.refuse(replyTooMuchJunk, "junk")
	}
}

// badLine answers a line that is no command; false: it is the connection that
// ended.
func (s *session) badLine(err error) bool {
	switch {
	case errors.Is(err, smtp.ErrBareLF):
		s.say(replyBareLF)
	case errors.Is(err, smtp.ErrBareCR):
		s.say(replyBareCR)
	case errors.Is(err, smtp.ErrLineTooLong):
		// Nobody can tell whether the rest of it was meant as commands.
		s.refuse(replyLineTooLong, "protocol")
	default:
		return false
	}
	s.commands++
	s.counts[vUnknown][1]++
	return true
}

// lost is the end of a session whose connection does not go on.
func (s *session) lost(err error) (reason string) {
	switch {
	case errors.Is(err, errDraining), s.draining.Load() && !s.busy.Load() && errors.Is(err, os.ErrDeadlineExceeded):
		s.put(replyShutdown)
		return "shutdown"
	case errors.Is(err, errTooMuch):
		s.put(replyTooBig)
		return "protocol"
	case errors.Is(err, os.ErrDeadlineExceeded):
		if s.inData {
			s.put(replyTooSlow)
		} else {
			s.put(replyTimeout)
		}
		return "timeout"
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return "lost"
	}
	return "lost"
}

// grow gives the reader the large buffer for a message.
func (s *session) grow() {
	if !s.large {
		recycle(s.in.SwapBuffer(largePool.Get().(*[largeBuffer]byte)[:]))
		s.large = true
	}
}

// shrink gives the large buffer back as soon as what the client sent ahead fits
// into the small one.
func (s *session) shrink() {
	if s.large && s.in.Buffered() < smallBuffer {
		recycle(s.in.SwapBuffer(smallPool.Get().(*[smallBuffer]byte)[:]))
		s.large = false
	}
}

// leaveTransaction ends the transaction, if there is one.
func (s *session) leaveTransaction() {
	s.reset()
	s.endData()
	s.busy.Store(false)
	if s.state&stTransaction != 0 {
		s.state = stReady
	}
}

// verbCounts is what the log says about the session's commands.
func (s *session) verbCounts() map[string][2]int {
	m := make(map[string][2]int, 8)
	for i := range table {
		if n := s.counts[i]; n[1] > 0 {
			sum := m[table[i].log]
			m[table[i].log] = [2]int{sum[0] + int(n[0]), sum[1] + int(n[1])}
		}
	}
	return m
}
