package smtpin

import (
	"crypto/tls"
	"io"
	netsmtp "net/smtp"
	"strings"
	"sync"
	"testing"

	gosmtp "github.com/emersion/go-smtp"

	"github.com/programmable-mta/mta/core/queue"
)

// The clients of other people are the judges of whether we speak SMTP.

func TestTheStandardLibraryDelivers(t *testing.T) {
	d := newDoor(t, withTLS)
	c, err := netsmtp.Dial(d.listen(t, "mx"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Hello("client.example"); err != nil {
		t.Fatal(err)
	}
	if err := c.StartTLS(clientTLS()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := c.Mail("a@example.com"); err != nil {
			t.Fatal(err)
		}
		if err := c.Rcpt("b@example.org"); err != nil {
			t.Fatal(err)
		}
		if err := c.Rcpt("reject@example.org"); err == nil || !strings.HasPrefix(err.Error(), "550 ") {
			t.Errorf("reject: %v", err)
		}
		w, err := c.Data()
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, "Subject: x\n\n.\n.dot\nend\n")
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Verify("b@example.org"); err == nil || !strings.HasPrefix(err.Error(), "252 ") {
		t.Errorf("VRFY: %v", err)
	}
	if err := c.Quit(); err != nil {
		t.Errorf("QUIT: %v", err)
	}
	m := d.q.messages()
	if len(m) != 2 || m[1].text() != "Subject: x\r\n\r\n.\r\n.dot\r\nend\r\n" {
		t.Errorf("%+v", m)
	}
}

func TestGoSMTPDelivers(t *testing.T) {
	d := newDoor(t, withTLS)
	addr := d.listen(t, "mx")
	clear, err := gosmtp.Dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	secure, err := gosmtp.NewClientStartTLS(dial(t, addr).Conn, clientTLS())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []*gosmtp.Client{clear, secure} {
		defer c.Close()
		for _, ext := range []string{"PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES", "CHUNKING", "SMTPUTF8", "DSN", "SIZE"} {
			if ok, _ := c.Extension(ext); !ok {
				t.Errorf("%s is not offered", ext)
			}
		}
		if max, ok := c.MaxMessageSize(); !ok || max != 25<<20 {
			t.Errorf("SIZE %d", max)
		}
		opts := &gosmtp.MailOptions{UTF8: true, Size: 100, Return: gosmtp.DSNReturnHeaders, EnvelopeID: "id+1"}
		if err := c.Mail("jörg@example.com", opts); err != nil {
			t.Fatal(err)
		}
		if err := c.Rcpt("b@bücher.example", &gosmtp.RcptOptions{Notify: []gosmtp.DSNNotify{gosmtp.DSNNotifyNever}}); err != nil {
			t.Fatal(err)
		}
		w, err := c.Data()
		if err != nil {
			t.Fatal(err)
		}
		body := "Subject: x\r\n\r\n" + strings.Repeat("0123456789\r\n.dot\r\n", 50_000)
		io.WriteString(w, body)
		said, err := w.CloseWithResponse()
		if err != nil {
			t.Fatal(err)
		}
		m := d.q.messages()
		last := m[len(m)-1]
		if !strings.Contains(said.StatusText, "queued as "+last.env.ID) {
			t.Errorf("said %q", said.StatusText)
		}
		if last.text() != body {
			t.Error("the body was changed")
		}
		e := last.env
		if e.From != "jörg@example.com" || !e.SMTPUTF8 || e.Ret != "HDRS" || e.EnvID != "id+1" || e.Recipients[0].Addr != "b@xn--bcher-kva.example" {
			t.Errorf("envelope %+v", e)
		}
		if want := map[bool]string{false: "UTF8SMTP", true: "UTF8SMTPS"}[c == secure]; e.Origin.Protocol != want {
			t.Errorf("protocol %s, want %s", e.Origin.Protocol, want)
		}
		err = c.Mail("a@example.com", &gosmtp.MailOptions{Size: 26 << 20})
		if se, ok := err.(*gosmtp.SMTPError); !ok || se.Code != 552 || se.EnhancedCode != (gosmtp.EnhancedCode{5, 3, 4}) {
			t.Errorf("too big: %v", err)
		}
		if err := c.Reset(); err != nil {
			t.Error(err)
		}
		if err := c.Quit(); err != nil {
			t.Error(err)
		}
	}
	if state, ok := secure.TLSConnectionState(); !ok || state.Version < tls.VersionTLS12 {
		t.Error("not under TLS")
	}
}

func TestManyClientsAtOnceLoseNothing(t *testing.T) {
	q, err := queue.Open(t.TempDir(), queue.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	if err := q.Space(0); err != nil { // so that the first of many need not ask the disk
		t.Fatal(err)
	}
	d := newDoor(t, func(o *Options) { o.Queue = q })
	addr := d.listen(t, "mx")
	const clients, each = 20, 20
	ids := make(chan string, clients*each)
	var wg sync.WaitGroup
	for range clients {
		c := dial(t, addr)
		wg.Go(func() {
			c.want("220")
			c.say(ehlo)
			c.want("250")
			for range each {
				c.say(mail + rcpt + data)
				c.want("250")
				c.want("250")
				c.want("354")
				c.say(text)
				_, id, _ := strings.Cut(strings.TrimSpace(c.want("250 2.0.0")), "queued as ")
				ids <- id
			}
			c.say(quit)
			c.want("221")
		})
	}
	wg.Wait()
	close(ids)
	seen := map[string]bool{}
	for id := range ids {
		e, err := q.Get(id)
		if err != nil || e.Envelope.From != "a@example.com" || e.Message.Size != e.Envelope.Size || seen[id] {
			t.Fatalf("%s: %+v, %v", id, e, err)
		}
		seen[id] = true
	}
	if len(seen) != clients*each {
		t.Errorf("%d messages", len(seen))
	}
}
