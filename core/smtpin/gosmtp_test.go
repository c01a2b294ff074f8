package smtpin

import (
	"bufio"
	"errors"
	"io"
	"log"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	gosmtp "github.com/emersion/go-smtp"
)

// go-smtp keeps the vocabulary, the LMTP listener and the test peers of this
// project, and not the front door. Each test here shows one of the reasons, on
// the version in go.mod. A test that fails is good news.

func mended(t *testing.T, what string) {
	t.Helper()
	t.Errorf("go-smtp has mended %s: revisit the decision in ARCHITECTURE.md", what)
}

// foreign is a go-smtp server and what its backend was told.
type foreign struct {
	mu       sync.Mutex
	sessions int
	bodies   []string
	senders  []string
	bodyErr  error
}

func (f *foreign) note(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *foreign) NewSession(*gosmtp.Conn) (gosmtp.Session, error) {
	f.note(func() { f.sessions++ })
	return f, nil
}
func (f *foreign) Reset()        {}
func (f *foreign) Logout() error { return nil }
func (f *foreign) Mail(from string, _ *gosmtp.MailOptions) error {
	f.note(func() { f.senders = append(f.senders, from) })
	return nil
}
func (f *foreign) Rcpt(string, *gosmtp.RcptOptions) error { return nil }
func (f *foreign) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	f.note(func() { f.bodies, f.bodyErr = append(f.bodies, string(b)), err })
	return err
}

// counted counts the writes of a connection.
type counted struct {
	net.Conn
	mu sync.Mutex
	n  int
}

func (c *counted) Write(p []byte) (int, error) {
	c.mu.Lock()
	c.n++
	c.mu.Unlock()
	return c.Conn.Write(p)
}

func (c *counted) writes() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

// foreignServer serves one pipe with go-smtp; it has to run in a bubble.
func foreignServer(t *testing.T, timeout time.Duration) (*foreign, *client, *counted) {
	t.Helper()
	f := &foreign{}
	s := gosmtp.NewServer(f)
	s.Domain = host
	s.ReadTimeout = timeout
	s.ErrorLog = log.New(io.Discard, "", 0)
	l := newPipeListener()
	go s.Serve(l)
	cc, sc := net.Pipe()
	n := &counted{Conn: sc}
	l.conns <- n
	t.Cleanup(func() { cc.Close(); s.Close(); synctest.Wait() })
	return f, newClient(t, cc), n
}

func TestGoSMTPAsksItsBackendNotBeforeEHLO(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, c, _ := foreignServer(t, 0)
		c.want("220")
		synctest.Wait()
		if f.sessions != 0 {
			mended(t, "that the backend is asked only at EHLO, so that nobody can be turned away at connect")
		}
	})
}

func TestGoSMTPWritesEveryReplyLineByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c, n := foreignServer(t, 0)
		c.want("220")
		c.say(ehlo)
		c.want("250")
		before := n.writes()
		go c.say(mail + rcpt + rcpt + rcpt)
		for range 4 {
			c.want("250")
		}
		if n.writes()-before < 4 {
			mended(t, "one write for every reply line of a pipelined group")
		}
	})
}

// foreignBody sends what stands behind 354 and returns what the backend got.
func foreignBody(t *testing.T, body string, timeout time.Duration) (f *foreign, c *client) {
	f, c, _ = foreignServer(t, timeout)
	c.want("220")
	c.say(ehlo)
	c.want("250")
	c.say(mail)
	c.want("250")
	c.say(rcpt)
	c.want("250")
	c.say(data)
	c.want("354")
	c.say(body)
	return f, c
}

func TestGoSMTPLosesOctetsBehindADotAndACR(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, c := foreignBody(t, "a\r\n.\rx\r\n.\r\n", 0)
		c.want("250")
		if f.bodies[0] != "a\r\nx\r\n" {
			mended(t, "that `CRLF . CR x` loses the dot and the CR")
		}
	})
}

func TestGoSMTPHangsOnACRTooMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, c := foreignBody(t, "a\r\r\n.\r\n", 0)
		go io.Copy(io.Discard, c)
		time.Sleep(time.Hour)
		f.mu.Lock()
		defer f.mu.Unlock()
		if len(f.bodies) != 0 {
			mended(t, "that `CR CR LF . CR LF` does not end a message")
		}
	})
}

func TestGoSMTPReadsCommandsOutOfABodyAfterATimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, c := foreignBody(t, "Subject: x\r\n\r\n", time.Minute)
		r := c.reply() // 554, after the timeout
		c.SetDeadline(time.Now().Add(time.Hour))
		io.WriteString(c, "MAIL FROM:<smuggled@example.com>\r\n")
		bufio.NewReader(c).ReadString('\n')
		f.mu.Lock()
		defer f.mu.Unlock()
		if len(f.senders) != 2 || f.senders[1] != "smuggled@example.com" {
			mended(t, "that it goes on reading commands out of a body after a timeout ("+strings.TrimSpace(r)+")")
		}
	})
}

// foreignClient runs a go-smtp client against a server that answers nothing by
// itself: the test reads what it says.
func foreignClient(t *testing.T, use func(net.Conn) error) (*client, chan error) {
	cc, sc := net.Pipe()
	t.Cleanup(func() { cc.Close(); sc.Close() })
	done := make(chan error, 1)
	go func() { done <- use(cc) }()
	return newClient(t, sc), done
}

func TestGoSMTPsClientDoesNotPipeline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, done := foreignClient(t, func(c net.Conn) error {
			return gosmtp.NewClient(c).SendMail("a@example.com", []string{"b@example.org", "c@example.org"}, strings.NewReader("x\r\n"))
		})
		s.say("220 x\r\n")
		s.r.ReadString('\n')
		s.say("250-x\r\n250 PIPELINING\r\n")
		first, err := s.r.ReadString('\n')
		if err != nil || !strings.HasPrefix(first, "MAIL") {
			t.Fatalf("%q, %v", first, err)
		}
		ahead := make(chan string, 1)
		go func() {
			line, _ := s.r.ReadString('\n')
			ahead <- line
		}()
		synctest.Wait()
		select {
		case line := <-ahead:
			mended(t, "that its client does not pipeline (it said "+strings.TrimSpace(line)+" ahead)")
		default:
		}
		s.Close()
		<-done
	})
}

func TestGoSMTPsClientSaysLocalhostBeforeSTARTTLS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, done := foreignClient(t, func(c net.Conn) error {
			cl, err := gosmtp.NewClientStartTLS(c, clientTLS())
			if err != nil {
				return err
			}
			return errors.Join(cl.Hello("client.example"), cl.Close())
		})
		s.say("220 x\r\n")
		line, err := s.r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if line != "EHLO localhost\r\n" {
			mended(t, "that its client says localhost before STARTTLS")
		}
		s.Close()
		<-done
	})
}

func TestGoSMTPUnquotesLocalParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, c, _ := foreignServer(t, 0)
		c.want("220")
		c.say(ehlo)
		c.want("250")
		c.say("MAIL FROM:<\"x> SIZE=9 \"@example.com>\r\n")
		c.want("250")
		if f.senders[0] != "x> SIZE=9 @example.com" {
			mended(t, "that local parts lose their quotes: lmtp.go need not put them back on")
		}
	})
}
