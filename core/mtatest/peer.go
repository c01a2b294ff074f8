package mtatest

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"net"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Peer is a next hop that does what its rules say. A rule is one line:
//
//	STAGE GLOB REPLY...      answer REPLY when the argument matches GLOB
//	STAGE GLOB xN REPLY...   only the first N times
//
// STAGE is connect, ehlo, helo, starttls, mail, rcpt, data, dot, quit, rset, or
// lmtp (per recipient, after the dot). A GLOB matches the address of mail and rcpt; other
// stages take "*". REPLY is an SMTP reply, or a fault:
//
//	drop          close the connection
//	hang          say nothing more until the client goes
//	slow DURATION wait, then go on as if there were no rule
//	keep-drop     at dot only: take the message, and close without a reply
//
// Without a rule a peer accepts everything. "option NAME" lines choose what EHLO
// offers: "option pipelining", "option 8bitmime", "option size 1000",
// "option dsn", "option smtputf8", "option starttls",
// "option enhancedstatuscodes", or "option none". A line "lmtp" makes it speak LMTP.
type Peer struct {
	Name string           // as in its banner
	Cert *tls.Certificate // for STARTTLS

	mu       sync.Mutex
	rules    []*peerRule
	options  []string
	messages []Delivered
	conns    int
	lmtp     bool
}

// Delivered is a message that a peer has accepted.
type Delivered struct {
	From string
	To   []string
	Data string // without dot stuffing
	TLS  bool
	Mail string // the MAIL command's argument
	Rcpt []string
}

type peerRule struct {
	stage, glob, reply string
	left               int // -1: always
}

// NewPeer parses rules; see [Peer].
func NewPeer(name, rules string) (*Peer, error) {
	p := &Peer{Name: name}
	return p, p.SetRules(rules)
}

// SetRules makes the peer follow other rules from now on.
func (p *Peer) SetRules(text string) error {
	options := []string{"PIPELINING", "8BITMIME", "SIZE 0", "DSN", "SMTPUTF8", "ENHANCEDSTATUSCODES"}
	var rules []*peerRule
	custom, lmtp := false, false
	for i, line := range strings.Split(text, "\n") {
		f := strings.Fields(line)
		if len(f) == 0 || strings.HasPrefix(f[0], "#") {
			continue
		}
		if f[0] == "option" && len(f) > 1 {
			if !custom {
				options, custom = nil, true
			}
			if f[1] != "none" {
				options = append(options, strings.ToUpper(strings.Join(f[1:], " ")))
			}
			continue
		}
		if f[0] == "lmtp" && len(f) == 1 {
			lmtp = true
			continue
		}
		if len(f) < 3 {
			return fmt.Errorf("peer %s: line %d: want STAGE GLOB REPLY, got %q", p.Name, i+1, line)
		}
		r := &peerRule{stage: f[0], glob: strings.ToLower(f[1]), left: -1}
		rest := f[2:]
		if n, err := strconv.Atoi(strings.TrimPrefix(rest[0], "x")); err == nil && rest[0][0] == 'x' {
			r.left, rest = n, rest[1:]
		}
		r.reply = strings.Join(rest, " ")
		rules = append(rules, r)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.options, p.rules, p.lmtp = options, rules, lmtp
	return nil
}

// Serve accepts connections until the listener is closed.
func (p *Peer) Serve(l net.Listener) {
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		p.conns++
		p.mu.Unlock()
		wg.Go(func() { p.session(c) })
	}
}

// Messages are those accepted so far.
func (p *Peer) Messages() []Delivered {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Delivered(nil), p.messages...)
}

// Connections counts those accepted so far.
func (p *Peer) Connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.conns
}

func (p *Peer) rule(stage, arg string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.rules {
		if r.stage != stage || r.left == 0 {
			continue
		}
		if ok, _ := path.Match(r.glob, strings.ToLower(arg)); !ok && r.glob != "*" {
			continue
		}
		if r.left > 0 {
			r.left--
		}
		return r.reply
	}
	return ""
}

type peerSession struct {
	*Peer
	c    net.Conn
	r    *bufio.Reader
	tx   Delivered
	mail bool // MAIL was accepted
}

func (p *Peer) session(c net.Conn) {
	s := &peerSession{Peer: p, c: c, r: bufio.NewReader(c)}
	defer func() { s.c.Close() }()
	if !s.answer("connect", "", "220 "+p.Name+" ESMTP") {
		return
	}
	for {
		line, err := s.r.ReadString('\n')
		if err != nil || !s.command(strings.TrimRight(line, "\r\n")) {
			return
		}
	}
}

// answer replies as the rules say, or with usual; false ends the session.
func (s *peerSession) answer(stage, arg, usual string) bool {
	reply, alive := s.ruled(stage, arg, usual)
	return alive && s.say(reply)
}

// ruled is the reply of a stage after the faults that its rule asks for; false
// ends the session.
func (s *peerSession) ruled(stage, arg, usual string) (string, bool) {
	reply := s.rule(stage, arg)
	word, rest, _ := strings.Cut(reply, " ")
	switch word {
	case "":
		return usual, true
	case "drop":
		return "", false
	case "hang":
		for {
			if _, err := s.r.ReadByte(); err != nil {
				return "", false
			}
		}
	case "slow":
		d, err := time.ParseDuration(rest)
		if err != nil {
			return "451 the story's peer has a bad rule: " + err.Error(), true
		}
		time.Sleep(d)
		return usual, true
	}
	return reply, true
}

func (s *peerSession) say(reply string) bool {
	_, err := s.c.Write([]byte(reply + "\r\n"))
	return err == nil && !strings.HasPrefix(reply, "421")
}

func (s *peerSession) command(line string) bool {
	verb, arg, _ := strings.Cut(line, " ")
	switch strings.ToUpper(verb) {
	case "EHLO", "LHLO":
		return s.answer("ehlo", arg, s.hello())
	case "HELO":
		return s.answer("helo", arg, "250 "+s.Name)
	case "STARTTLS":
		return s.startTLS()
	case "MAIL":
		s.tx = Delivered{From: inner(arg), Mail: arg}
		reply, alive := s.ruled("mail", s.tx.From, "250 2.1.0 ok")
		s.mail = alive && reply[0] == '2'
		return alive && s.say(reply)
	case "RCPT":
		if !s.mail {
			return s.say("503 5.5.1 MAIL first")
		}
		to := inner(arg)
		reply, alive := s.ruled("rcpt", to, "250 2.1.5 ok")
		if alive && reply[0] == '2' {
			s.tx.To = append(s.tx.To, to)
			s.tx.Rcpt = append(s.tx.Rcpt, arg)
		}
		return alive && s.say(reply)
	case "DATA":
		return s.receive()
	case "RSET":
		s.tx, s.mail = Delivered{}, false
		return s.answer("rset", "", "250 2.0.0 ok")
	case "QUIT":
		s.answer("quit", "", "221 2.0.0 bye")
		return false
	}
	return s.answer("other", "", "500 5.5.2 what?")
}

// hello is the usual reply to EHLO and LHLO.
func (s *peerSession) hello() string {
	s.mu.Lock()
	lines := append([]string{s.Name}, s.options...)
	s.mu.Unlock()
	if _, secure := s.c.(*tls.Conn); secure {
		lines = slices.DeleteFunc(lines, func(l string) bool { return l == "STARTTLS" })
	}
	for i := range lines {
		sep := "-"
		if i == len(lines)-1 {
			sep = " "
		}
		lines[i] = "250" + sep + lines[i]
	}
	return strings.Join(lines, "\r\n")
}

func (s *peerSession) startTLS() bool {
	reply, alive := s.ruled("starttls", "", "220 2.0.0 go on")
	if !alive || !s.say(reply) {
		return false
	}
	if reply[:3] != "220" || s.Cert == nil {
		return s.Cert != nil
	}
	s.c = tls.Server(s.c, &tls.Config{Certificates: []tls.Certificate{*s.Cert}})
	s.r = bufio.NewReader(s.c)
	return true
}

func (s *peerSession) receive() bool {
	if len(s.tx.To) == 0 {
		return s.say("554 5.5.1 no valid recipients")
	}
	reply, alive := s.ruled("data", "", "354 go on")
	if !alive || !s.say(reply) {
		return false
	}
	if !strings.HasPrefix(reply, "354") {
		return true
	}
	var b bytes.Buffer
	for {
		line, err := s.r.ReadString('\n')
		if err != nil {
			return false
		}
		if line == ".\r\n" {
			break
		}
		b.WriteString(strings.TrimPrefix(line, "."))
	}
	s.tx.Data = b.String()
	_, s.tx.TLS = s.c.(*tls.Conn)
	done := s.tx
	s.tx, s.mail = Delivered{}, false
	if s.speaksLMTP() {
		return s.eachRecipient(done)
	}
	dot, alive := s.ruled("dot", done.From, "250 2.0.0 taken")
	switch {
	case !alive:
		return false
	case dot == "keep-drop":
		s.keep(done)
		return false
	case dot[0] == '2':
		s.keep(done)
	}
	return s.say(dot)
}

func (p *Peer) speaksLMTP() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lmtp
}

func (s *peerSession) eachRecipient(d Delivered) bool {
	for _, to := range d.To {
		reply, alive := s.ruled("lmtp", to, "250 2.0.0 taken")
		if !alive {
			return false
		}
		if reply[0] == '2' {
			one := d
			one.To = []string{to}
			s.keep(one)
		}
		if !s.say(reply) {
			return false
		}
	}
	return true
}

func (s *peerSession) keep(d Delivered) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = append(s.messages, d)
}

// inner is the address between the angle brackets.
func inner(arg string) string {
	_, a, _ := strings.Cut(arg, "<")
	a, _, _ = strings.Cut(a, ">")
	return a
}
