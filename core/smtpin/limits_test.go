package smtpin

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestTheSizeLimitIsToldAndKept(t *testing.T) {
	const limit = 1000
	small := limits(func(l *Limits) { l.MessageSize = limit })
	body := strings.Repeat("x", limit-2) + "\r\n"
	for _, c := range []struct {
		name  string
		turns []string
		want  []string
	}{
		{"announced and fits", []string{ehlo, "MAIL FROM:<a@b> SIZE=1000\r\n"}, []string{"250", "250"}},
		{"announced and too big", []string{ehlo, "MAIL FROM:<a@b> SIZE=1001\r\n"}, []string{"250", "552 5.3.4"}},
		{"announced beyond all numbers", []string{ehlo, "MAIL FROM:<a@b> SIZE=99999999999999999999\r\n"}, []string{"250", "552 5.3.4"}},
		{"exactly the limit", []string{ehlo, mail, rcpt, data, body + ".\r\n"}, []string{"250", "250", "250", "354", "250"}},
		{"one octet more", []string{ehlo, mail, rcpt, data, "x" + body + ".\r\n", "NOOP\r\n"}, []string{"250", "250", "250", "354", "552 5.3.4", "250"}},
		{"a lie", []string{ehlo, "MAIL FROM:<a@b> SIZE=10\r\n", rcpt, data, "x" + body + ".\r\n"}, []string{"250", "250", "250", "354", "552 5.3.4"}},
		{"exactly the limit in chunks", []string{ehlo, mail, rcpt, "BDAT 500\r\n" + body[:500], "BDAT 500 LAST\r\n" + body[500:]}, []string{"250", "250", "250", "250", "250"}},
		{"one octet more in chunks", []string{ehlo, mail, rcpt, "BDAT 500\r\n" + body[:500], "BDAT 501 LAST\r\nx" + body[500:], "NOOP\r\n"}, []string{"250", "250", "250", "250", "552 5.3.4", "250"}},
		{"far beyond", []string{ehlo, mail, rcpt, data, strings.Repeat(body, 2000)}, []string{"250", "250", "250", "354", "552 5.3.4"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDoor(t, small)
			cn := &script{turns: append([]string(nil), c.turns...)}
			d.talk(cn)
			all := strings.Join(cn.writes, "")
			if !strings.Contains(all, "250-SIZE 1000\r\n") {
				t.Errorf("EHLO: %q", all)
			}
			expect(t, codes(t, all), append([]string{"220"}, c.want...)...)
		})
	}
}

func TestTooManyRecipientsLeaveTheFirstOnesStanding(t *testing.T) {
	d := newDoor(t, limits(func(l *Limits) { l.Recipients, l.Errors = 3, 2 }))
	to := func(local string) string { return strings.Replace(rcpt, "<b@", "<"+local+"@", 1) }
	expect(t, d.run(t, ehlo, mail+to("b")+to("c")+to("d")+to("e")+to("f")+to("g")+data, text),
		"220", "250", "250", "250", "250", "250", "452 4.5.3", "452 4.5.3", "452 4.5.3", "354", "250")
	if n := len(d.q.messages()[0].env.Recipients); n != 3 {
		t.Errorf("%d recipients", n)
	}
	// One that is given again counts too: nobody asks for ever.
	expect(t, d.run(t, ehlo, mail+strings.Repeat(rcpt, 8)), "220", "250", "250", "250", "250", "250", "452", "452", "452", "421 4.7.0")
}

func TestLinesAsLongAsTheRFCsDemandAreTaken(t *testing.T) {
	d := newDoor(t)
	orcpt := "rfc822;" + strings.Repeat("x", 480) + "@y"
	line := "RCPT TO:<" + strings.Repeat("l", 64) + "@" + strings.Repeat(strings.Repeat("d", 59)+".", 3) + "example> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=" + orcpt
	line += strings.Repeat(" ", 1034-len(line)) + "\r\n"
	expect(t, d.run(t, ehlo, mail, line, data), "220", "250", "250", "250", "354")
	exact := "NOOP " + strings.Repeat("x", 2048-7) + "\r\n"
	expect(t, d.run(t, exact, exact[:len(exact)-2]+"x\r\n", "NOOP\r\n"), "220", "250", "500 5.5.2")
	expect(t, d.run(t, strings.Repeat("x", 1<<20)), "220", "500 5.5.2")
}

func TestALineWithoutEndCostsBoundedMemory(t *testing.T) {
	d := newDoor(t)
	c := &script{turns: []string{strings.Repeat("x", 50<<20)}}
	d.talk(c)
	if read := 50<<20 - len(c.turns[0]); read > 1<<20 {
		t.Errorf("%d octets of the line were read", read)
	}
}

func TestErrorsAndJunkEndASession(t *testing.T) {
	few := limits(func(l *Limits) { l.Errors, l.JunkCommands = 3, 3 })
	for _, c := range []struct {
		name  string
		turns []string
		want  []string
	}{
		{"unknown commands", []string{"WHAT\r\n", "WHAT\r\n", "WHAT\r\n", "WHAT\r\n", "NOOP\r\n"}, []string{"500", "500", "500", "500", "421 4.7.0"}},
		{"a list of guessed recipients", []string{ehlo, mail, strings.Repeat(to("reject"), 10)}, []string{"250", "250", "550", "550", "550", "550", "421 4.7.0"}},
		{"bad lines", []string{ehlo + "", "\r\n\r\n\r\n\r\n\r\n"}, []string{"250", "500", "500", "500", "500", "421"}},
		{"NOOP for ever", []string{"NOOP\r\n", "RSET\r\n", "VRFY x\r\n", "NOOP\r\n", "NOOP\r\n"}, []string{"250", "250", "252", "250", "421 4.7.0"}},
		{"EHLO for ever", []string{ehlo, ehlo, ehlo, ehlo, ehlo}, []string{"250", "250", "250", "250", "421 4.7.0"}},
		{"a message wipes the slate", []string{ehlo, "WHAT\r\nWHAT\r\nNOOP\r\nNOOP\r\n", mail, rcpt, data, text, "WHAT\r\nWHAT\r\nNOOP\r\nNOOP\r\n", quit},
			[]string{"250", "500", "500", "250", "250", "250", "250", "354", "250", "500", "500", "250", "250", "221"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			expect(t, newDoor(t, few).run(t, c.turns...), append([]string{"220"}, c.want...)...)
		})
	}
}

func TestAMessageWithTooManyHopsIsALoop(t *testing.T) {
	d := newDoor(t)
	hops := func(n int) string {
		return strings.Repeat("Received: from a\r\n\tby b; c\r\n", n) + "Subject: Received: x\r\n\r\nReceived: in the body\r\n.\r\n"
	}
	expect(t, d.run(t, ehlo, mail, rcpt, data, hops(100), mail, rcpt, data, hops(101)), "220", "250", "250", "250", "354", "250", "250", "250", "354", "554 5.4.6")
	one := strings.Repeat("RECEIVED: x\r\n", 101) + "\r\n"
	expect(t, d.run(t, ehlo, mail, rcpt, fmt.Sprintf("BDAT %d LAST\r\n%s", len(one), one)), "220", "250", "250", "250", "554 5.4.6")
}

func TestTheGateCountsSessionsByNetwork(t *testing.T) {
	var g gate
	g.init(Limits{Sessions: 6, SessionsPerIP: 2})
	ip := netip.MustParseAddr
	for _, c := range []struct {
		ip string
		in bool
	}{
		{"192.0.2.1", true}, {"192.0.2.1", true}, {"192.0.2.1", false}, {"192.0.2.2", true},
		{"2001:db8::1", true}, {"2001:db8::ffff", true}, {"2001:db8::2", false}, {"2001:db8:0:1::1", true},
		{"192.0.2.3", false},
	} {
		if why := g.enter(ip(c.ip)); (why == "") != c.in {
			t.Errorf("%s: %q", c.ip, why)
		}
	}
	for _, a := range []string{"192.0.2.1", "192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::ffff", "2001:db8:0:1::1"} {
		g.leave(ip(a))
	}
	if g.all != 0 || len(g.perIP) != 0 {
		t.Errorf("left: %d, %v", g.all, g.perIP)
	}
}

func TestTheEndOfAMessageIsComputable(t *testing.T) {
	l := Limits{DataTotal: time.Hour, DataGrace: time.Minute, MinDataRate: 500}
	start := time.Unix(1000, 0)
	for got, want := range map[int64]time.Duration{0: time.Minute, 500: 61 * time.Second, 50_000: 160 * time.Second, 1 << 40: time.Hour} {
		if d := l.dataEnd(start, start, got).Sub(start); d != want {
			t.Errorf("%d octets: %v, want %v", got, d, want)
		}
	}
	l.MinDataRate = -1
	if d := l.dataEnd(start, start, 0).Sub(start); d != time.Hour {
		t.Errorf("without a rate: %v", d)
	}
}
