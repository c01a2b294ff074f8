package smtpout

import (
	"crypto/tls"
	"strings"
	"testing"
	"testing/synctest"

	gosmtp "github.com/emersion/go-smtp"
)

// TestWhyNotGoSMTPsClient holds the reasons for a client of our own. When it
// fails, go-smtp has been mended, and the decision can be looked at again.
func TestWhyNotGoSMTPsClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		ca := newAuthority(t)
		s := w.host("mx", "192.0.2.1", &server{ehlo: append([]string{"STARTTLS"}, full...), tls: ca.serve(t, []string{"mx"})})
		nc, err := w.dial(t.Context(), "tcp", "192.0.2.1:25")
		if err != nil {
			t.Fatal(err)
		}
		c, err := gosmtp.NewClientStartTLS(nc, &tls.Config{RootCAs: ca.pool, ServerName: "mx"})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.commands()[0]; got != "EHLO localhost" {
			t.Errorf("it says its name before STARTTLS now: %s", got)
		}
		c.Close()
	})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		w.host("mx", "192.0.2.1", &server{ehlo: full})
		nc, err := w.dial(t.Context(), "tcp", "192.0.2.1:25")
		if err != nil {
			t.Fatal(err)
		}
		c := gosmtp.NewClient(nc)
		if err := c.Hello("relay.example"); err != nil {
			t.Fatal(err)
		}
		before := w.writes.Load()
		if err := c.SendMail("a@b", []string{"c@d", "e@f"}, strings.NewReader(hello)); err != nil {
			t.Fatal(err)
		}
		if n := w.writes.Load() - before; n < 5 {
			t.Errorf("it sends a message in %d writes now", n)
		}
		c.Close()
	})
}
