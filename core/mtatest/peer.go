package mtatest

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"path"
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
// STAGE is connect, ehlo, helo, mail, rcpt, data, dot, quit, rset, or lmtp (per
// recipient, after the dot). A GLOB matches the address of mail and rcpt; other
// stages take "*". REPLY is an SMTP reply, or a fault:
//
//	drop          close the connection
//	hang          say nothing more until the client goes
//	slow DURATION wait, then go on as if there were no rule
//
// Without a rule a peer accepts everything. "option NAME" lines choose what EHLO
// offers: "option pipelining", "option 8bitmime", "option size 1000",
// "option dsn", "option smtputf8", "option enhancedstatuscodes", or "option none".
type Peer struct {
	Name string // as in its banner

	mu       sync.Mutex
	rules    []*peerRule
	options  []string
	messages []Delivered
	conns    int
	listener net.Listener
	lmtp     bool
}

// Delivered is a message that a peer has accepted.
type Delivered struct {
	From string
	To   []string
	Data string // without dot stuffing
	At   time.Time
	Mail string // the MAIL command's argument
	Rcpt []string
}

type peerRule struct {
	stage, glob, reply string
	left               int // -1: always
}

// NewPeer parses rules; see [Peer].
func NewPeer(name, rules string) (*Peer, error) {
	p := &Peer{Name: name, options: []string{"PIPELINING", "8BITMIME", "SIZE 0", "DSN", "SMTPUTF8", "ENHANCEDSTATUSCODES"}}
	custom := false
	for i, line := range strings.Split(rules, "\n") {
		f := strings.Fields(line)
		if len(f) == 0 || strings.HasPrefix(f[0], "#") {
			continue
		}
		if f[0] == "option" && len(f) > 1 {
			if !custom {
				p.options, custom = nil, true
			}
			if f[1] != "none" {
				p.options = append(p.options, strings.ToUpper(strings.Join(f[1:], " ")))
			}
			continue
		}
		if f[0] == "lmtp" && len(f) == 1 {
			p.lmtp = true
			continue
		}
		if len(f) < 3 {
			return nil, fmt.Errorf("peer %s: line %d: want STAGE GLOB REPLY, got %q", name, i+1, line)
		}
		r := &peerRule{stage: f[0], glob: strings.ToLower(f[1]), left: -1}
		rest := f[2:]
		if n, err := strconv.Atoi(strings.TrimPrefix(rest[0], "x")); err == nil && rest[0][0] == 'x' {
			r.left, rest = n, rest[1:]
		}
		r.reply = strings.Join(rest, " ")
		p.rules = append(p.rules, r)
	}
	return p, nil
}

// Serve accepts connections until the listener is closed.
func (p *Peer) Serve(l net.Listener) {
	p.mu.Lock()
	p.listener = l
	p.mu.Unlock()
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
	data bool
}

func (p *Peer) session(c net.Conn) {
	defer c.Close()
	s := &peerSession{Peer: p, c: c, r: bufio.NewReader(c)}
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
	reply := s.rule(stage, arg)
	word, rest, _ := strings.Cut(reply, " ")
	switch word {
	case "drop":
		return false
	case "hang":
		for {
			if _, err := s.r.ReadByte(); err != nil {
				return false
			}
		}
	case "slow":
		d, _ := time.ParseDuration(rest)
		time.Sleep(d)
		reply = ""
	}
	if reply == "" {
		reply = usual
	}
	_, err := s.c.Write([]byte(reply + "\r\n"))
	return err == nil && !strings.HasPrefix(reply, "421")
}

func (s *peerSession) command(line string) bool {
	verb, arg, _ := strings.Cut(line, " ")
	switch strings.ToUpper(verb) {
	case "EHLO", "LHLO":
		lines := append([]string{s.Name}, s.options...)
		var b strings.Builder
		for i, l := range lines {
			sep := "-"
			if i == len(lines)-1 {
				sep = " "
			}
			fmt.Fprintf(&b, "250%s%s\r\n", sep, l)
		}
		return s.answer("ehlo", arg, strings.TrimSuffix(b.String(), "\r\n"))
	case "HELO":
		return s.answer("helo", arg, "250 "+s.Name)
	case "MAIL":
		s.tx = Delivered{From: inner(arg), Mail: arg}
		return s.answer("mail", s.tx.From, "250 2.1.0 ok")
	case "RCPT":
		to := inner(arg)
		reply := s.rule("rcpt", to)
		if reply == "" || reply[0] == '2' {
			s.tx.To = append(s.tx.To, to)
			s.tx.Rcpt = append(s.tx.Rcpt, arg)
		}
		if reply == "drop" {
			return false
		}
		if reply == "" {
			reply = "250 2.1.5 ok"
		}
		_, err := s.c.Write([]byte(reply + "\r\n"))
		return err == nil && !strings.HasPrefix(reply, "421")
	case "DATA":
		return s.receive()
	case "RSET":
		s.tx = Delivered{}
		return s.answer("rset", "", "250 2.0.0 ok")
	case "QUIT":
		s.answer("quit", "", "221 2.0.0 bye")
		return false
	}
	return s.answer("other", "", "500 5.5.2 what?")
}

func (s *peerSession) receive() bool {
	usual := "354 go on"
	if len(s.tx.To) == 0 {
		usual = "554 5.5.1 no valid recipients"
	}
	reply := s.rule("data", "")
	if reply != "" && !strings.HasPrefix(reply, "slow") && !strings.HasPrefix(reply, "354") || len(s.tx.To) == 0 {
		if reply == "drop" {
			return false
		}
		if reply == "" {
			reply = usual
		}
		_, err := s.c.Write([]byte(reply + "\r\n"))
		return err == nil
	}
	if _, err := s.c.Write([]byte(usual + "\r\n")); err != nil {
		return false
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
	s.tx.Data, s.tx.At = b.String(), time.Now()
	done := s.tx
	s.tx = Delivered{}
	if s.lmtp {
		return s.eachRecipient(done)
	}
	dot := s.rule("dot", done.From)
	if dot == "drop" || strings.HasPrefix(dot, "keep-drop") {
		if dot != "drop" {
			s.keep(done)
		}
		return false
	}
	if dot == "" || dot[0] == '2' {
		s.keep(done)
	}
	if dot == "" {
		dot = "250 2.0.0 taken"
	}
	_, err := s.c.Write([]byte(dot + "\r\n"))
	return err == nil
}

func (s *peerSession) eachRecipient(d Delivered) bool {
	for _, to := range d.To {
		reply := s.rule("lmtp", to)
		if reply == "drop" {
			return false
		}
		if reply == "" {
			reply = "250 2.0.0 taken"
		}
		if reply[0] == '2' {
			one := d
			one.To = []string{to}
			s.keep(one)
		}
		if _, err := s.c.Write([]byte(reply + "\r\n")); err != nil {
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
