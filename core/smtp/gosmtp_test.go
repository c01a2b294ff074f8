package smtp

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	gosmtp "github.com/emersion/go-smtp"
)

// The reasons for codecs of our own. When one of these tests fails, go-smtp has
// been mended, and the decision can be looked at again.

type theirs struct{ got chan string }

func (b theirs) NewSession(*gosmtp.Conn) (gosmtp.Session, error) { return b, nil }
func (theirs) Reset()                                            {}
func (theirs) Logout() error                                     { return nil }
func (theirs) Mail(string, *gosmtp.MailOptions) error            { return nil }
func (b theirs) Rcpt(to string, _ *gosmtp.RcptOptions) error {
	b.got <- to
	return nil
}
func (b theirs) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err == nil {
		b.got <- string(text)
	}
	return err
}

// onePeer accepts the one connection that it holds.
type onePeer struct{ conns chan net.Conn }

func (l onePeer) Accept() (net.Conn, error) {
	if c, ok := <-l.conns; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (l onePeer) Close() error { close(l.conns); return nil }
func (onePeer) Addr() net.Addr { return &net.TCPAddr{} }

// tell sends RCPT and a message to go-smtp's server and returns what its session
// saw; "" for a message that never ended.
func tell(rcpt, body string) (to, text string) {
	here, there := net.Pipe()
	got := make(chan string, 9)
	srv := gosmtp.NewServer(theirs{got})
	l := onePeer{make(chan net.Conn, 1)}
	l.conns <- there
	go srv.Serve(l)
	in := bufio.NewReader(here)
	in.ReadString('\n')
	for _, line := range []string{"HELO x", "MAIL FROM:<a@b>", "RCPT TO:" + rcpt, "DATA"} {
		io.WriteString(here, line+"\r\n")
		in.ReadString('\n')
	}
	go io.Copy(io.Discard, in)
	go io.WriteString(here, body)
	read := func() string {
		select {
		case s := <-got:
			return s
		case <-time.After(time.Minute):
			return ""
		}
	}
	to, text = read(), read()
	here.Close()
	srv.Close()
	return to, text
}

func TestWhyNotGoSMTP(t *testing.T) {
	for _, c := range []struct{ what, rcpt, body, to, text string }{
		{"bare newlines and NUL pass", "<c@d>", "x\n.\r\ny\rz\x00\r\n.\r\n", "c@d", "x\n.\r\ny\rz\x00\r\n"},
		{"a dot and a CR are lost", "<c@d>", "x\r\n.\rY\r\n.\r\n", "c@d", "x\r\nY\r\n"},
		{"the end behind CR CR LF is not found", "<c@d>", "x\r\r\n.\r\n", "c@d", ""},
		{"a quoted local part is unquoted", `<"x> SIZE=9 "@d>`, "x\r\n.\r\n", "x> SIZE=9 @d", "x\r\n"},
	} {
		synctest.Test(t, func(t *testing.T) {
			to, text := tell(c.rcpt, c.body)
			if to != c.to || text != c.text {
				t.Errorf("%s: no more; it says %q, %q", c.what, to, text)
			}
		})
		if a, _, err := ParsePath(c.rcpt, false); err != nil || "<"+a.String()+">" != c.rcpt {
			t.Errorf("%s: we read %q, %v", c.what, a, err)
		}
		r := NewReader(strings.NewReader(c.body+"QUIT\r\n"), nil)
		if _, err := r.ReadData(io.Discard, -1, 0); (err != nil) != strings.ContainsAny(strings.ReplaceAll(c.body, "\r\n", ""), "\r\n\x00") {
			t.Errorf("%s: we say %v", c.what, err)
		}
		if line, err := r.ReadLine(512); string(line) != "QUIT" || err != nil {
			t.Errorf("%s: we go on with %q, %v", c.what, line, err)
		}
	}
}
