package smtpin

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	gosmtp "github.com/emersion/go-smtp"

	"github.com/programmable-mta/mta/core/queue"
)

func TestLMTPAnswersForEachRecipient(t *testing.T) {
	d := newDoor(t)
	c := dial(t, d.listen(t, "lmtp"))
	c.want("220")
	c.say("EHLO x\r\n")
	c.want("500")
	c.say("LHLO client.example\r\n")
	if r := c.want("250"); strings.Contains(r, "STARTTLS") || strings.Contains(r, "BINARYMIME") || !strings.Contains(r, "DSN") {
		t.Errorf("LHLO: %q", r)
	}
	c.say(mail)
	c.want("250")
	for _, r := range []struct{ local, code string }{
		{"b", "250"}, {"reject", "550 5.7.1"}, {"data-reject", "250"}, {"discard", "250"}, {"data-defer", "250"}, {"alias", "250"}, {"data-discard", "250"}, {"b", "250"}, {"nobody", "550 5.7.1"},
	} {
		c.say(to(r.local))
		c.want(r.code)
	}
	c.say(data)
	c.want("354")
	c.say(text)
	id := ""
	for _, want := range []string{"250 2.0.0", "550 5.7.1", "250 2.0.0", "451 4.7.1", "250 2.0.0", "250 2.0.0", "250 2.0.0"} {
		r := c.want(want)
		if _, after, ok := strings.Cut(r, "queued as "); ok {
			id = strings.TrimSpace(after)
		}
	}
	m := d.q.messages()
	if len(m) != 1 || m[0].env.ID != id || m[0].env.Origin.Protocol != "LMTP" || m[0].env.Origin.Profile != "lmtp" {
		t.Fatalf("queued %+v, said %q", m, id)
	}
	var rcpts []string
	for _, r := range m[0].env.Recipients {
		rcpts = append(rcpts, r.Addr)
	}
	if got := strings.Join(rcpts, " "); got != "b@example.org one@example.net two@example.net copy@example.net b@example.org" {
		t.Errorf("recipients %s", got)
	}
	c.say(quit)
	c.want("221")
	c.wantEnd()
	settle(t, func() bool { return d.Sessions() == 0 })
}

func TestLMTPKeepsTheRulesOfTheDoor(t *testing.T) {
	for _, c := range []struct {
		name string
		say  []string // each is one turn
		want []string
		kept int
	}{
		{"a message", []string{mail, rcpt, data, text}, []string{"250", "250", "354", "250 2.0.0"}, 1},
		{"in chunks", []string{mail, rcpt, "BDAT 6\r\nA: b\r\n", "BDAT 3 LAST\r\n\r\nx"}, []string{"250", "250", "250", "250 2.0.0"}, 1},
		{"RSET between chunks", []string{mail, rcpt, "BDAT 6\r\nA: b\r\n", "RSET\r\n", "NOOP\r\n"}, []string{"250", "250", "250", "250", "250"}, 0},
		{"bare LF", []string{mail, rcpt, data, "A: b\n\r\n.\r\n", "NOOP\r\n"}, []string{"250", "250", "354", "550 5.5.2", "250"}, 0},
		{"NUL", []string{mail, rcpt, data, "A: b\x00\r\n.\r\n"}, []string{"250", "250", "354", "554 5.6.0"}, 0},
		{"nested MAIL", []string{mail, mail}, []string{"250", "503 5.5.1"}, 0},
		{"MAIL refused", []string{from("reject"), rcpt}, []string{"550 5.7.1", "50"}, 0},
		{"and out", []string{from("disconnect")}, []string{"421"}, 0},
		{"bare postmaster and the null sender", []string{"MAIL FROM:<>\r\n", "RCPT TO:<b@example.org> NOTIFY=NEVER\r\n", data, text}, []string{"250", "250", "354", "250"}, 1},
		{"predata refused", []string{from("predata-reject"), rcpt, data, text, mail}, []string{"250", "250", "354", "550 5.7.1", "250"}, 0},
		{"data refused", []string{from("data-reject"), rcpt, rcpt, data, text}, []string{"250", "250", "250", "354", "550 5.7.1", "550 5.7.1"}, 0},
		{"data held", []string{from("data-hold"), rcpt, data, text}, []string{"250", "250", "354", "250"}, 1},
		{"too many", []string{mail, rcpt, rcpt, rcpt, rcpt}, []string{"250", "250", "250", "250", "452 4.5.3"}, 0},
		{"too big", []string{mail, rcpt, data, strings.Repeat("x", 1001) + "\r\n.\r\n", mail}, []string{"250", "250", "354", "552 5.3.4", "250"}, 0},
		{"exactly as big as may be", []string{mail, rcpt, data, strings.Repeat("x", 998) + "\r\n.\r\n"}, []string{"250", "250", "354", "250"}, 1},
		{"announced too big", []string{"MAIL FROM:<a@b> SIZE=1002\r\n"}, []string{"552"}, 0},
		{"a quoted local part is quoted again", []string{"MAIL FROM:<\"a@evil\"@example.com>\r\n", "RCPT TO:<\"x> SIZE=9 \"@example.org>\r\n", data, text}, []string{"250", "250", "354", "250"}, 1},
		{"controls in a quoted local part", []string{mail, "RCPT TO:<\"a\x01b\"@example.org>\r\n"}, []string{"250", "501 5.1.3"}, 0},
		{"LHLO again", []string{"LHLO reject\r\n", mail, "LHLO other.example\r\n", mail}, []string{"250", "550 5.7.1", "250", "250"}, 0},
		{"lost inside", []string{mail, rcpt, data, "Subject: x\r\n"}, []string{"250", "250", "354"}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDoor(t, limits(func(l *Limits) { l.MessageSize, l.Recipients = 1000, 3 }))
			cl := dial(t, d.listen(t, "lmtp"))
			cl.want("220")
			cl.say("LHLO client.example\r\n")
			cl.want("250")
			next := 0
			for _, s := range c.say {
				cl.say(s)
				if next < len(c.want) {
					cl.want(c.want[next])
					next++
				}
			}
			for ; next < len(c.want); next++ {
				cl.want(c.want[next])
			}
			cl.Close()
			settle(t, func() bool { return d.Sessions() == 0 })
			if n := len(d.q.messages()); n != c.kept {
				t.Errorf("%d messages, want %d", n, c.kept)
			}
			for _, m := range d.q.messages() {
				for _, a := range []string{m.env.From, m.env.Recipients[0].Addr} {
					if strings.Count(a, "@") > 1 && !strings.HasPrefix(a, `"`) {
						t.Errorf("an address without its quotes: %s", a)
					}
				}
			}
		})
	}
}

func TestLMTPDefersWhatTheQueueRefuses(t *testing.T) {
	d := newDoor(t)
	d.q.fail = queue.ErrNoSpace
	c := dial(t, d.listen(t, "lmtp"))
	c.want("220")
	c.say("LHLO x\r\n")
	c.want("250")
	for _, turn := range []struct{ say, want string }{{mail, "250"}, {rcpt, "250"}, {rcpt, "250"}, {data, "354"}, {text, "452 4.3.1"}, {"", "452 4.3.1"}, {"NOOP\r\n", "250"}} {
		c.say(turn.say)
		c.want(turn.want)
	}
}

func TestLMTPUnderTLS(t *testing.T) {
	d := newDoor(t, withTLS)
	c := dial(t, d.listen(t, "lmtp"))
	c.want("220")
	c.say("LHLO x\r\n")
	c.want("250")
	c.say("STARTTLS\r\n")
	c.want("220")
	c.startTLS()
	c.say("LHLO x\r\n")
	c.want("250")
	c.say(mail)
	c.want("250")
	c.say(rcpt)
	c.want("250")
	c.say(data)
	c.want("354")
	c.say(text)
	c.want("250")
	if m := d.q.messages(); len(m) != 1 || m[0].env.Origin.Protocol != "LMTPS" {
		t.Errorf("%+v", m)
	}
}

func TestLMTPByAnIndependentClient(t *testing.T) {
	d := newDoor(t)
	c := gosmtp.NewClientLMTP(dial(t, d.listen(t, "lmtp")).Conn)
	defer c.Close()
	if err := c.Hello("client.example"); err != nil {
		t.Fatal(err)
	}
	if err := c.Mail("a@example.com", nil); err != nil {
		t.Fatal(err)
	}
	for _, r := range []string{"b@example.org", "data-reject@example.org"} {
		if err := c.Rcpt(r, nil); err != nil {
			t.Fatal(err)
		}
	}
	w, err := c.Data()
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, "Subject: x\r\n\r\nhello\r\n")
	said, err := w.CloseWithLMTPResponse()
	var refused gosmtp.LMTPDataError
	if !errors.As(err, &refused) || len(said) != 1 || refused["data-reject@example.org"] == nil || refused["data-reject@example.org"].Code != 550 {
		t.Errorf("said %v, %v", said, err)
	}
	if len(d.q.messages()) != 1 {
		t.Errorf("%d messages", len(d.q.messages()))
	}
}

func TestAnLMTPPeerThatDripsIsCutOffAndItsBodyIsNoCommand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t)
		l := newPipeListener()
		go d.Serve(l, Listener{Profile: "lmtp"})
		c := l.dial(t)
		c.want("220")
		c.say("LHLO x\r\n")
		c.want("250")
		for _, turn := range []struct{ say, want string }{{mail, "250"}, {rcpt, "250"}, {data, "354"}} {
			c.say(turn.say)
			c.want(turn.want)
		}
		start := time.Now()
		drip(c, "x", 10*time.Second)
		c.want("421 4.4.2")
		within(t, "an octet every ten seconds", time.Since(start), time.Minute, 71*time.Second)
		io.Copy(io.Discard, c)
		c.Close()
		time.Sleep(time.Minute)
		if d.Sessions() != 0 || len(d.q.messages()) != 0 {
			t.Errorf("%d sessions, %d messages", d.Sessions(), len(d.q.messages()))
		}
		d.Shutdown(context.Background())
	})
}

func TestAnLMTPPeerWhoseCommandDripsCannotHoldItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t)
		l := newPipeListener()
		go d.Serve(l, Listener{Profile: "lmtp"})
		c := l.dial(t)
		c.want("220")
		time.Sleep(4 * time.Minute)
		c.say("LHLO x\r\n")
		c.want("250")
		start := time.Now()
		drip(c, "N", time.Second)
		c.want("501") // go-smtp takes what came of the line for one
		c.want("421 4.4.2")
		within(t, "an octet of a command every second", time.Since(start), 5*time.Minute, 5*time.Minute+time.Second)
		c.Close()
		time.Sleep(time.Minute)
		if d.Sessions() != 0 {
			t.Errorf("%d sessions", d.Sessions())
		}
		d.Shutdown(context.Background())
	})
}

func TestShutdownReachesLMTP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t)
		l := newPipeListener()
		served := make(chan error)
		go func() { served <- d.Serve(l, Listener{Profile: "lmtp"}) }()
		idle, busy := l.dial(t), l.dial(t)
		idle.want("220")
		busy.want("220")
		busy.say("LHLO x\r\n")
		busy.want("250")
		busy.say(mail)
		busy.want("250")
		synctest.Wait()
		down := make(chan error)
		go func() { down <- d.Shutdown(context.Background()) }()
		idle.want("421")
		idle.wantEnd()
		time.Sleep(time.Minute)
		for _, turn := range []struct{ say, want string }{{rcpt, "250"}, {data, "354"}, {text, "250"}} {
			busy.say(turn.say)
			busy.want(turn.want)
		}
		busy.want("421")
		busy.wantEnd()
		if err := <-down; err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}
