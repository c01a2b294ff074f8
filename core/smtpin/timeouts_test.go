package smtpin

import (
	"context"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/programmable-mta/mta/core/hook"
	"github.com/programmable-mta/mta/sdk"
)

// slow runs a session against f and returns how long f took.
func slow(t *testing.T, f func(*testing.T, *client), change ...func(*Options)) (took time.Duration, kept int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t, change...)
		l := newPipeListener()
		go d.Serve(l, Listener{Profile: "mx"})
		start := time.Now()
		c := l.dial(t)
		f(t, c)
		took = time.Since(start)
		c.Close()
		time.Sleep(time.Minute) // for those who drip
		if d.Sessions() != 0 {
			t.Error("the session lives on")
		}
		kept = len(d.q.messages())
		d.Shutdown(context.Background())
	})
	return took, kept
}

func begin(c *client) {
	c.want("220")
	c.say(ehlo)
	c.want("250")
	c.say(mail)
	c.want("250")
	c.say(rcpt)
	c.want("250")
	c.say(data)
	c.want("354")
}

// drip sends one piece after every pause until the server has had enough.
func drip(c *client, piece string, pause time.Duration) {
	go func() {
		for {
			time.Sleep(pause)
			if _, err := io.WriteString(c, piece); err != nil {
				return
			}
		}
	}()
}

func within(t *testing.T, what string, took, from, to time.Duration) {
	t.Helper()
	if took < from || took > to {
		t.Errorf("%s: cut off after %v, want %v to %v", what, took, from, to)
	}
}

func TestSilenceIsCutOff(t *testing.T) {
	took, _ := slow(t, func(t *testing.T, c *client) {
		c.want("220")
		c.want("421 4.4.2")
		c.wantEnd()
	})
	within(t, "between commands", took, 5*time.Minute, 320*time.Second)

	took, kept := slow(t, func(t *testing.T, c *client) {
		begin(c)
		c.want("421 4.4.2")
		c.wantEnd()
	})
	within(t, "behind 354", took, time.Minute, 320*time.Second)
	if kept != 0 {
		t.Error("a message was made of silence")
	}

	took, _ = slow(t, func(t *testing.T, c *client) {
		begin(c)
		c.say(strings.Repeat(strings.Repeat("x", 98)+"\r\n", 10_000)) // fast enough for half an hour
		c.want("421 4.4.2")
		c.wantEnd()
	})
	within(t, "inside a message", took, 3*time.Minute, 192*time.Second)
}

func TestAPeerThatDripsCannotHoldItsPlace(t *testing.T) {
	took, _ := slow(t, func(t *testing.T, c *client) {
		c.want("220")
		drip(c, "N", 10*time.Second)
		c.want("421 4.4.2")
		c.wantEnd()
	})
	within(t, "an octet of a command every ten seconds", took, 5*time.Minute, 320*time.Second)

	took, _ = slow(t, func(t *testing.T, c *client) {
		begin(c)
		drip(c, "x", 10*time.Second)
		c.want("421 4.4.2")
		c.wantEnd()
	})
	within(t, "an octet of a message every ten seconds", took, time.Minute, 61*time.Second)

	took, _ = slow(t, func(t *testing.T, c *client) {
		c.want("220")
		c.say(ehlo)
		c.want("250")
		c.say(mail)
		c.want("250")
		c.say(rcpt)
		c.want("250")
		c.say("BDAT 1000000\r\n")
		drip(c, "x", 10*time.Second)
		c.want("421 4.4.2")
		c.wantEnd()
	})
	within(t, "an octet of a chunk every ten seconds", took, time.Minute, 61*time.Second)

	took, kept := slow(t, func(t *testing.T, c *client) {
		c.want("220")
		c.say(ehlo)
		c.want("250")
		c.say(mail)
		c.want("250")
		c.say(rcpt)
		c.want("250")
		for {
			c.say("BDAT 1\r\nx")
			if r := c.reply(); r[0] != '2' {
				if !strings.HasPrefix(r, "421 4.4.2") {
					t.Errorf("reply %q", r)
				}
				return
			}
			time.Sleep(4 * time.Minute)
		}
	})
	within(t, "a tiny chunk every four minutes", took, time.Hour, time.Hour+4*time.Minute)
	if kept != 0 {
		t.Error("a message was made of it")
	}

	took, _ = slow(t, func(t *testing.T, c *client) {
		begin(c)
		drip(c, strings.Repeat("x", 600), time.Second)
		c.want("421 4.4.2")
		c.wantEnd()
	})
	within(t, "fast enough, and without end", took, time.Hour, time.Hour+time.Second)
}

func TestASlowButSteadyPeerIsServed(t *testing.T) {
	_, kept := slow(t, func(t *testing.T, c *client) {
		begin(c)
		for range 20 * 60 {
			time.Sleep(time.Second)
			c.say(strings.Repeat("x", 598) + "\r\n")
		}
		c.say(".\r\n")
		c.want("250 2.0.0")
		time.Sleep(4 * time.Minute)
		c.say("NOOP\r\n")
		c.want("250")
		c.say(quit)
		c.want("221")
	})
	if kept != 1 {
		t.Errorf("%d messages", kept)
	}
}

func TestCommandsBehindATimeoutAreNotHeard(t *testing.T) {
	_, kept := slow(t, func(t *testing.T, c *client) {
		begin(c)
		c.say("Subject: x\r\n\r\n")
		c.want("421 4.4.2")
		io.WriteString(c, "\r\n.\r\n"+mail+rcpt+data)
		c.wantEnd()
	})
	if kept != 0 {
		t.Errorf("%d messages", kept)
	}
}

func TestAFullDiskAndATimeoutAreNotMistakenForEachOther(t *testing.T) {
	d := newDoor(t)
	d.q.full = true
	for _, body := range []string{text, "QUIT\r\n" + text} {
		expect(t, d.run(t, ehlo, mail, rcpt, data, body, "BDAT 6 LAST\r\nQUIT\r\n", mail, rcpt, "BDAT 6\r\nQUIT\r\n", "NOOP\r\n"),
			"220", "250", "250", "250", "354", "451 4.3.0", "503", "250", "250", "451 4.3.0", "250")
	}
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t)
		d.q.full = true
		l := newPipeListener()
		go d.Serve(l, Listener{Profile: "mx"})
		c := l.dial(t)
		begin(c)
		c.say("Subject: x\r\n")
		c.want("421 4.4.2")
		io.WriteString(c, "MAIL FROM:<smuggled@example.com>\r\n")
		c.wantEnd()
		d.Shutdown(t.Context())
	})
}

func TestAPeerThatTakesNoRepliesIsCutOff(t *testing.T) {
	took, _ := slow(t, func(t *testing.T, c *client) {
		c.want("220")
		for {
			if _, err := io.WriteString(c, "NOOP\r\n"); err != nil {
				return
			}
		}
	}, limits(func(l *Limits) { l.JunkCommands = -1 }))
	within(t, "no reply taken", took, 5*time.Minute, 10*time.Minute)
}

func TestAHandshakeThatStallsIsCutOff(t *testing.T) {
	took, _ := slow(t, func(t *testing.T, c *client) {
		c.want("220")
		c.say(ehlo)
		c.want("250")
		c.say("STARTTLS\r\n")
		c.want("220")
		c.wantEnd()
	}, withTLS)
	within(t, "no handshake", took, 30*time.Second, 31*time.Second)
}

func TestRepliesDoNotWaitBehindSlowHooks(t *testing.T) {
	took, _ := slow(t, func(t *testing.T, c *client) {
		c.want("220")
		c.say(ehlo)
		c.want("250")
		go io.WriteString(c, mail+strings.Repeat(rcpt, 10)+quit)
		start := time.Now()
		c.want("250 2.1.0")
		if waited := time.Since(start); waited > 10*time.Second {
			t.Errorf("the reply to MAIL waited for %v", waited)
		}
		for range 10 {
			c.want("250 2.1.5")
		}
		c.want("221")
	}, withPlugins(t, slowRcpt(3*time.Second)))
	if took != 30*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestARefusedClientThatReadsNothingDelaysNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t, limits(func(l *Limits) { l.Sessions = 1 }))
		l := newPipeListener()
		go d.Serve(l, Listener{Profile: "mx"})
		first := l.dial(t)
		first.want("220")
		for range 3 * refusePlaces { // none of them reads its 421
			l.dial(t)
		}
		synctest.Wait()
		first.say(quit)
		first.want("221")
		synctest.Wait()
		l.dial(t).want("220")
		d.Shutdown(t.Context())
	})
}

// slowRcpt accepts every recipient after a while.
func slowRcpt(d time.Duration) hook.Plugin {
	return hook.Plugin{Name: "slow", Inline: true, MayRelay: true, Handlers: sdk.Handlers{
		Rcpt: func(context.Context, *sdk.RcptEvent) (sdk.Answer, error) {
			time.Sleep(d)
			return sdk.Accepted(), nil
		},
	}}
}
