package mtatest

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// client is one SMTP client of a story.
type client struct {
	conn net.Conn
	r    *bufio.Reader
}

var connectAs = regexp.MustCompile(`^as ([A-Z])\s*(.*)$`)

func (s *story) connect(rest string) {
	s.current = "A"
	if m := connectAs.FindStringSubmatch(rest); m != nil {
		s.current, rest = m[1], m[2]
	}
	from, to := "127.0.0.1", "127.0.0.1:25"
	if f := strings.Fields(rest); len(f) > 0 {
		from = f[0]
		if len(f) > 1 {
			to = f[1]
		}
	}
	if old := s.clients[s.current]; old != nil {
		old.conn.Close()
	}
	c, err := s.net.DialFrom(context.Background(), from, "tcp", to)
	if err != nil {
		s.fail("%v", err)
		return
	}
	s.clients[s.current] = &client{conn: c, r: bufio.NewReader(c)}
}

// submit is a whole session that a story does not want to tell word by word.
func (s *story) submit(f []string) {
	if len(f) != 3 {
		s.fail("want submit FROM TO,TO FILE")
		return
	}
	current := s.current
	s.connect("as Z")
	s.current = "Z"
	say := func(line, want string) {
		if !s.t.Failed() {
			s.talk("C:", line)
			s.talk("S:", want)
		}
	}
	s.talk("S:", "220 *")
	say("EHLO client.test", "250*")
	say("MAIL FROM:<"+strings.Trim(f[0], "<>")+">", "250 *")
	for _, to := range strings.Split(f[1], ",") {
		say("RCPT TO:<"+to+">", "250 *")
	}
	say("DATA", "354 *")
	s.talk("send", f[2])
	s.talk("S:", "250 2.0.0 queued as *")
	say("QUIT", "221 *")
	s.clients["Z"].conn.Close()
	s.current = current
}

// crlf gives a text the line ends of the wire.
func crlf(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\r\n")
}

func (s *story) talk(word, rest string) {
	c := s.clients[s.current]
	if c == nil {
		s.fail("no client is connected")
		return
	}
	switch word {
	case "C:":
		io.WriteString(c.conn, rest+"\r\n")
	case "S:":
		got := c.reply()
		if m := queuedAs.FindStringSubmatch(got); m != nil {
			s.ids = append(s.ids, m[1])
		}
		if !match(got, rest) {
			s.fail("the server says %q, want %q", got, rest)
		}
	case "send":
		text := strings.ReplaceAll("\r\n"+crlf(s.text(rest)), "\r\n.", "\r\n..")[2:]
		io.WriteString(c.conn, text+".\r\n")
	case "bdat":
		name, last, _ := strings.Cut(rest, " ")
		text := crlf(s.text(name))
		io.WriteString(c.conn, strings.TrimSpace("BDAT "+strconv.Itoa(len(text))+" "+last)+"\r\n"+text)
	case "raw":
		text, err := strconv.Unquote(rest)
		if err != nil {
			s.fail("raw %s: %v", rest, err)
		}
		io.WriteString(c.conn, text)
	case "starttls":
		// What matters here is what is said inside.
		t := tls.Client(c.conn, &tls.Config{InsecureSkipVerify: true, ServerName: "relay.test"})
		if err := t.Handshake(); err != nil {
			s.fail("the handshake: %v", err)
		}
		c.conn, c.r = t, bufio.NewReader(t)
	case "silent":
		// Less than a second: what a server does after whole seconds must not tie with the deadline.
		c.conn.SetReadDeadline(time.Now().Add(900 * time.Millisecond))
		if b, err := c.r.ReadByte(); err == nil || err == io.EOF {
			s.fail("the server is not silent (%q, %v)", b, err)
		}
	case "closed":
		c.conn.SetReadDeadline(time.Now().Add(time.Second))
		if b, err := c.r.ReadByte(); err != io.EOF {
			s.fail("the server has not closed the connection (%q, %v)", b, err)
		}
	case "close":
		c.conn.Close()
	}
}

// reply reads one reply; the lines of a multi-line one are joined by " / ".
func (c *client) reply() string {
	var lines []string
	c.conn.SetReadDeadline(time.Now().Add(20 * time.Minute))
	for {
		l, err := c.r.ReadString('\n')
		if err != nil {
			return strings.Join(append(lines, "["+err.Error()+"]"), " / ")
		}
		l = strings.TrimRight(l, "\r\n")
		lines = append(lines, l)
		if len(l) < 4 || l[3] != '-' {
			return strings.Join(lines, " / ")
		}
	}
}
