package smtpout

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

func TestOnlyAnnouncedParametersAreSent(t *testing.T) {
	dsn := func(e *sdk.DeliverEvent) {
		e.Envelope.Ret, e.Envelope.EnvID = "HDRS", "id +1"
		e.Recipients[0].Notify, e.Recipients[0].ORcpt = sdk.NotifySuccess|sdk.NotifyDelay, "rfc822;a+x@b"
	}
	size := fmt.Sprintf(" SIZE=%d", len(hello))
	for _, c := range []struct {
		name       string
		ehlo       string
		change     func(*sdk.DeliverEvent)
		mail, rcpt string
	}{
		{"nothing", "HELP", dsn, "", ""},
		{"SIZE", "SIZE", nil, size, ""},
		{"size in lower case", "size 100000", nil, size, ""},
		{"8BITMIME", "8BITMIME", nil, " BODY=8BITMIME", ""},
		{"7BIT", "8BITMIME", func(e *sdk.DeliverEvent) { e.Envelope.Body = "7BIT" }, "", ""},
		{"DSN", "DSN", dsn, " RET=HDRS ENVID=id+20+2B1", " NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+2Bx@b"},
		{"DSN, nothing asked", "DSN", nil, "", ""},
		{"NEVER", "DSN", func(e *sdk.DeliverEvent) { e.Recipients[0].Notify = sdk.NotifyNever }, "", " NOTIFY=NEVER"},
		{"utf-8 ORCPT", "DSN", func(e *sdk.DeliverEvent) { e.Recipients[0].ORcpt = `utf-8;jö+\@b` }, "", ` ORCPT=utf-8;j\x{F6}\x{2B}\x{5C}@b`},
		{"ORCPT of a plugin", "DSN", func(e *sdk.DeliverEvent) { e.Recipients[0].ORcpt = "x\r\nRSET;y" }, "", ""},
		{"control in ORCPT", "DSN", func(e *sdk.DeliverEvent) { e.Recipients[0].ORcpt = "rfc822;a\nb" }, "", ""},
		{"empty ORCPT", "DSN", func(e *sdk.DeliverEvent) { e.Recipients[0].ORcpt = "rfc822;" }, "", ""},
		{"long ORCPT", "DSN", func(e *sdk.DeliverEvent) { e.Recipients[0].ORcpt = "rfc822;" + strings.Repeat("+", 200) }, "", ""},
		{"NEVER and others", "DSN", func(e *sdk.DeliverEvent) { e.Recipients[0].Notify = sdk.NotifyNever | sdk.NotifyDelay }, "", " NOTIFY=NEVER"},
		{"control in ENVID", "DSN", func(e *sdk.DeliverEvent) { e.Envelope.EnvID = "a\r\nb" }, "", ""},
		{"long ENVID", "DSN", func(e *sdk.DeliverEvent) { e.Envelope.EnvID = strings.Repeat("=", 34) }, "", ""},
		{"RET of a plugin", "DSN", func(e *sdk.DeliverEvent) { e.Envelope.Ret = "FULL\r\nRSET" }, "", ""},
		{"SMTPUTF8", "SMTPUTF8", func(e *sdk.DeliverEvent) { e.Envelope.SMTPUTF8 = true }, " SMTPUTF8", ""},
		{"SMTPUTF8 not needed", "SMTPUTF8", nil, "", ""},
		{"null sender", "SIZE", func(e *sdk.DeliverEvent) { e.Envelope.From = "" }, size, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, Options{})
			s := w.host("mx", "192.0.2.1", &server{ehlo: []string{c.ehlo}})
			e := event(hello)
			if c.change != nil {
				c.change(e)
			}
			o := w.send(e)[0]
			log := s.commands()
			if len(log) < 3 || log[1] != "MAIL FROM:<"+e.Envelope.From+">"+c.mail || log[2] != "RCPT TO:<a@b>"+c.rcpt {
				t.Errorf("%s: %q", c.name, log)
			}
			if o.DSNRelayed != (c.ehlo == "DSN") || o.Status != sdk.StatusDelivered {
				t.Errorf("%s: %+v", c.name, o)
			}
		})
	}
}

func TestWhatANextHopCannotTakeIsNotSentToIt(t *testing.T) {
	utf8Header := "Subject: grüße\r\n\r\nhello\r\n"
	utf8Body := "Subject: x\r\n\r\ngrüße\r\n"
	far := "Subject: x\r\nX-Long: " + strings.Repeat("x", 64<<10-25) + "\r\n\r\n" + strings.Repeat("plain\r\n", 20000)
	utf8 := func(e *sdk.DeliverEvent) { e.Envelope.SMTPUTF8 = true }
	const ok = "delivered 250 2.0.0 queued as 1"
	for _, c := range []struct {
		name, ehlo, text string
		change           func(*sdk.DeliverEvent)
		want             string
	}{
		{"size", "SIZE 10", hello, nil, "failed 552 5.3.4 message of 25 octets, the next hop takes 10"},
		{"size without limit", "SIZE 0", hello, nil, ok},
		{"size just right", "SIZE 25", hello, nil, ok},
		{"8-bit body", "SMTPUTF8", utf8Body, nil, "failed 554 5.6.3 8-bit message, and the next hop does not support 8BITMIME"},
		{"8-bit body, 8BITMIME", "8BITMIME", utf8Body, nil, ok},
		{"7-bit body", "HELP", hello, nil, ok},
		{"8-bit at the end of a large message", "HELP", far + "\xff\r\n", nil, "failed 554 5.6.3 8-bit message, and the next hop does not support 8BITMIME"},
		{"7-bit large message", "HELP", far, nil, ok},
		{"UTF-8 header", "8BITMIME", utf8Header, utf8, "failed 550 5.6.7 the header needs SMTPUTF8, which the next hop does not support"},
		{"UTF-8 header far down", "8BITMIME", "X-Long: " + strings.Repeat("x", 70000) + "\r\nSubject: ü\r\n\r\n", utf8, "failed 550 5.6.7 the header needs SMTPUTF8, which the next hop does not support"},
		{"UTF-8 body, SMTPUTF8 asked", "8BITMIME", utf8Body, utf8, ok},
		{"UTF-8 behind an empty line across blocks", "8BITMIME", far + "ü\r\n", utf8, ok},
		{"ASCII message, SMTPUTF8 asked", "8BITMIME", hello, utf8, ok},
		{"UTF-8 header, SMTPUTF8", "SMTPUTF8\r\n250-8BITMIME", utf8Header, utf8, ok},
		{"UTF-8 sender", "8BITMIME", hello, func(e *sdk.DeliverEvent) { e.Envelope.From = "jörg@b" }, "failed 553 5.6.7 the sender needs SMTPUTF8, which the next hop does not support"},
		{"UTF-8 sender, SMTPUTF8", "SMTPUTF8\r\n250-8BITMIME", hello, func(e *sdk.DeliverEvent) { e.Envelope.From = "jörg@b" }, ok},
		{"UTF-8 recipient", "8BITMIME", hello, func(e *sdk.DeliverEvent) { e.Recipients[0].Addr = "jörg@b" }, "failed 553 5.6.7 the next hop does not take addresses that need SMTPUTF8"},
		{"BINARYMIME", "BINARYMIME\r\n250-CHUNKING", "X: y\r\n\r\n\x00\n.\r\n", func(e *sdk.DeliverEvent) { e.Envelope.Body = "BINARYMIME" }, ok},
		{"BINARYMIME without CHUNKING", "BINARYMIME", hello, func(e *sdk.DeliverEvent) { e.Envelope.Body = "BINARYMIME" }, "failed 554 5.6.3 the next hop does not take BINARYMIME"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, Options{})
				s := w.host("mx", "192.0.2.1", &server{ehlo: []string{"PIPELINING", c.ehlo}})
				e := event(c.text)
				if c.change != nil {
					c.change(e)
				}
				o := w.send(e)[0]
				if brief(o) != c.want || o.RemoteReply != (c.want == ok) || o.Remote != "mx[192.0.2.1]:25" {
					t.Errorf("%+v", o)
				}
				if c.want == ok && (len(s.mail) != 1 || s.mail[0] != c.text) {
					t.Errorf("%d messages, not as sent", len(s.mail))
				}
				if c.want != ok && len(s.mail) != 0 {
					t.Errorf("%q arrived", s.mail)
				}
			})
		})
	}
}

func TestAnotherHostMayTakeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		w.host("mx", "192.0.2.1", &server{ehlo: []string{"8BITMIME"}})
		w.host("mx2", "192.0.2.2", &server{ehlo: full})
		e := event(hello, "jörg@b", "a@b")
		e.Route.Hosts = []string{"mx", "mx2"}
		out := w.send(e)
		if out[0].Remote != "mx2[192.0.2.2]:25" || out[0].Status != sdk.StatusDelivered || out[1].Remote != "mx[192.0.2.1]:25" || out[1].Status != sdk.StatusDelivered {
			t.Errorf("%+v", out)
		}
		e.Route.Hosts = []string{"mx", "192.0.2.3"}
		if got := brief(w.send(e)[0]); got != "deferred 4.4.1 connect to 192.0.2.3[192.0.2.3]:25: connection refused (unreachable)" {
			t.Errorf("while a host that may take it is down: %s", got)
		}
	})
}

func TestMessagesArriveOctetForOctet(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	texts := []string{"", ".\r\n", "..\r\n.\r\n", "\r\n", "\r\n.\r\n.", "no end of line", strings.Repeat("long ", 100_000) + "\r\n", strings.Repeat(".\r\n", 50_000), "\x00\x01\xff\r\n"}
	for range 20 { // lines of any length around the borders of blocks
		var b bytes.Buffer
		for b.Len() < 64<<10-40+rng.IntN(80) || rng.IntN(3) > 0 && b.Len() < 200_000 {
			b.WriteString(strings.Repeat(".", rng.IntN(3)))
			b.WriteString(strings.Repeat("x", rng.IntN(200)))
			b.WriteString("\r\n")
		}
		texts = append(texts, b.String())
	}
	for i, text := range texts {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, Options{MaxRecipients: 1})
			s := w.host("mx", "192.0.2.1", &server{ehlo: full})
			for _, o := range w.send(event(text, "a@b", "c@d")) {
				if o.Status != sdk.StatusDelivered {
					t.Fatalf("text %d: %s", i, brief(o))
				}
			}
			want := text
			if text != "" && !strings.HasSuffix(text, "\r\n") {
				want += "\r\n"
			}
			for n, got := range s.mail {
				if got != want {
					t.Errorf("text %d, transaction %d: %d octets became %d", i, n, len(want), len(got))
				}
			}
			if len(s.mail) != 2 {
				t.Errorf("%d messages", len(s.mail))
			}
		})
	}
}

func TestBareNewlinesDoNotLeaveTheHouse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		s := w.host("mx", "192.0.2.1", &server{ehlo: full})
		w.send(event("Subject: x\r\n\r\na\n.\r\nMAIL FROM:<x@y>\r\nb\r.\rc\r\n"))
		want := "Subject: x\r\n\r\na\r\n.\r\nMAIL FROM:<x@y>\r\nb . c\r\n"
		if len(s.mail) != 1 || s.mail[0] != want {
			t.Errorf("%q", s.mail)
		}
	})
}

func TestAMessageIsTwoWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		s := w.host("mx", "192.0.2.1", &server{ehlo: full})
		w.send(event(hello))
		for _, text := range []string{hello, strings.Repeat("0123456789\r\n", 5400)} {
			writes, reads := w.writes.Load(), w.reads.Load()
			w.send(event(text, "a@b", "c@d", "e@f"))
			writes, reads = w.writes.Load()-writes, w.reads.Load()-reads
			if writes != 2 || reads != 2 {
				t.Errorf("message of %d octets: %d writes, %d reads", len(text), writes, reads)
			}
		}
		writes := w.writes.Load()
		w.send(event(strings.Repeat("0123456789\r\n", 50_000)))
		if n := w.writes.Load() - writes; n != 11 {
			t.Errorf("message of 600,000 octets: %d writes", n)
		}
		if s.conns != 1 {
			t.Errorf("%d connections", s.conns)
		}
	})
}

func TestAPeerThatHasHadEnoughSaysWhy(t *testing.T) {
	for reply, want := range map[string]string{"552 5.3.4 too big": "failed 552 5.3.4 too big", "452 4.3.1 disk": "deferred 452 4.3.1 disk", "": "deferred 4.4.2"} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, Options{})
			s := w.host("mx", "192.0.2.1", &server{ehlo: full, script: map[string][]string{"DATA": {"354 go on\r\n"}}})
			s.script["DATA"] = []string{"!early " + reply}
			o := w.send(event(strings.Repeat("0123456789\r\n", 500_000)))[0]
			if !strings.HasPrefix(brief(o), want) || o.MaybeDuplicate {
				t.Errorf("%s: %s", reply, brief(o))
			}
		})
	}
}

func TestAStalledPeerDoesNotHoldTheMessageForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		w.host("mx", "192.0.2.1", &server{ehlo: full, script: map[string][]string{"DATA": {"!stall"}}})
		start := time.Now()
		o := w.send(event(strings.Repeat("0123456789\r\n", 500_000)))[0]
		if brief(o) != "deferred 4.4.2 timed out while sending the message" || time.Since(start) != 3*time.Minute+time.Second {
			t.Errorf("%s after %v", brief(o), time.Since(start))
		}
	})
}

func TestTheConversationIsWrittenDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		w.host("mx", "192.0.2.1", &server{ehlo: []string{"PIPELINING"}, script: map[string][]string{"RCPT a@b": {"550 5.1.1 no\x1b[2Jbody"}}})
		conv := &Conversation{}
		if _, err := w.client.Send(WithConversation(t.Context(), conv), event(hello, "a@b", "c@d"), sdk.SendOptions{}); err != nil {
			t.Fatal(err)
		}
		want := `* connect to mx[192.0.2.1]:25
< 220 fake ESMTP
> EHLO relay.example
< 250-fake
< 250-PIPELINING
< 250-HELP
< 250 X-END
> MAIL FROM:<sender@example.org>
> RCPT TO:<a@b>
> RCPT TO:<c@d>
> DATA
< 250 2.1.0 ok
< 550 5.1.1 no?[2Jbody
< 250 2.1.5 ok
< 354 go on
* message of 25 octets
< 250 2.0.0 queued as 1
`
		if got := string(conv.Bytes()); got != want {
			t.Errorf("%s", got)
		}
	})
}

func TestALongConversationKeepsItsBeginningAndItsEnd(t *testing.T) {
	c := &Conversation{}
	for i := range 1000 {
		c.add('<', fmt.Appendf(nil, "line %d", i))
	}
	got := string(c.Bytes())
	if len(got) > 4<<10+40 || !strings.HasPrefix(got, "< line 0\n< line 1\n") || !strings.HasSuffix(got, "< line 998\n< line 999\n") || !strings.Contains(got, " octets left out\n") {
		t.Errorf("%d octets:\n%s", len(got), got)
	}
	var none *Conversation
	none.add('<', []byte("x"))
	none.remark("x")
	none.addLines('>', []byte("x\r\n"))
	if n := len((&Conversation{}).Bytes()); n != 0 {
		t.Errorf("an empty one has %d octets", n)
	}
}
