package smtpin

import (
	"fmt"
	"strings"
	"testing"
)

func TestAMessageIsQueuedAndAcknowledgedWithItsID(t *testing.T) {
	d := newDoor(t)
	got := d.run(t, ehlo, mail, rcpt, data, "Message-ID: <one@example.com>\r\n"+text, quit)
	msgs := d.q.messages()
	if len(msgs) != 1 {
		t.Fatalf("%d messages, want 1", len(msgs))
	}
	m := msgs[0]
	expect(t, got, "220 "+host+" ESMTP", "250 DSN", "250 2.1.0", "250 2.1.5", "354 ", "250 2.0.0 queued as "+m.env.ID, "221 2.0.0")
	if m.text() != "Message-ID: <one@example.com>\r\nSubject: x\r\n\r\nhello\r\n" {
		t.Errorf("body %q", m.text())
	}
	if m.env.From != "a@example.com" || len(m.env.Recipients) != 1 || m.env.Recipients[0].Addr != "b@example.org" {
		t.Errorf("envelope %+v", m.env)
	}
	if m.env.Size != int64(len(m.body)) {
		t.Errorf("size %d, want %d", m.env.Size, len(m.body))
	}
	o := m.env.Origin
	if o.IP != "192.0.2.7" || o.Helo != "client.example" || o.Protocol != "ESMTP" || o.Profile != "mx" {
		t.Errorf("origin %+v", o)
	}
	log := d.logged(t)
	for _, want := range []string{"client=unknown[192.0.2.7]", m.env.ID, "message-id=<one@example.com>", "disconnect from unknown[192.0.2.7] ehlo=1 mail=1 rcpt=1 data=1 quit=1"} {
		if !strings.Contains(log, want) {
			t.Errorf("log lacks %q:\n%s", want, log)
		}
	}
}

func TestA250ComesAfterPutAndNotBefore(t *testing.T) {
	d := newDoor(t)
	c := &script{turns: []string{ehlo, mail, rcpt, data, text, quit}}
	var events []string
	c.onWrite = func(s string) { events = append(events, "write "+s[:3]) }
	d.q.block = func() { events = append(events, "put") }
	d.talk(c)
	got := strings.Join(events, ",")
	if got != "write 220,write 250,write 250,write 250,write 354,put,write 250,write 221" {
		t.Errorf("order: %s", got)
	}
}

func TestATurnOfTheClientCostsOneWrite(t *testing.T) {
	d := newDoor(t)
	var turns []string
	const n = 50
	turns = append(turns, ehlo)
	for range n {
		turns = append(turns, mail, rcpt, data, text)
	}
	turns = append(turns, quit)
	c := &script{turns: turns}
	d.talk(c)
	if want := 1 + 1 + 4*n + 1; len(c.writes) != want { // banner, EHLO, messages, QUIT
		t.Errorf("%d writes, want %d", len(c.writes), want)
	}
	if c.deadlines > 4 {
		t.Errorf("deadlines were set %d times in one busy session", c.deadlines)
	}
	if len(d.q.messages()) != n {
		t.Errorf("%d messages", len(d.q.messages()))
	}
}

func TestAPipelinedGroupCostsOneWrite(t *testing.T) {
	d := newDoor(t)
	group := mail + strings.Repeat(rcpt, 20) + data
	c := &script{turns: []string{ehlo, group, text + group, text + quit}}
	d.talk(c)
	if len(c.writes) != 5 { // banner, EHLO, group, end of data with the next group, end of data with QUIT
		t.Errorf("%d writes: %q", len(c.writes), c.writes)
	}
	if len(d.q.messages()) != 2 {
		t.Errorf("%d messages", len(d.q.messages()))
	}
}

func TestRepliesGoOutWhileAHugeGroupIsStillBeingAnswered(t *testing.T) {
	d := newDoor(t, limits(func(l *Limits) { l.JunkCommands = -1 }))
	c := &script{turns: []string{ehlo, strings.Repeat("NOOP\r\n", 5000)}}
	d.talk(c)
	for _, w := range c.writes {
		if len(w) > smallBuffer {
			t.Fatalf("a write of %d octets", len(w))
		}
	}
	if got := len(codes(t, strings.Join(c.writes, ""))); got != 5002 {
		t.Errorf("%d replies", got)
	}
}

// model is RFC 5321 §4.1.4 and RFC 3030 §3 in the words of a test.
type model struct {
	helo, mail, chunks bool
	rcpts, messages    int
}

func (m *model) clear() { m.mail, m.chunks, m.rcpts = false, false, 0 }

// step is the code of the reply to a command, the state being what it is.
func (m *model) step(cmd string) int {
	verb, arg, _ := strings.Cut(strings.TrimSpace(cmd), " ")
	switch verb {
	case "EHLO", "HELO":
		m.clear()
		m.helo = true
		return 250
	case "NOOP":
		return 250
	case "VRFY":
		return 252
	case "RSET":
		m.clear()
		return 250
	case "MAIL":
		if !m.helo || m.mail {
			return 503
		}
		m.mail = true
		return 250
	case "RCPT":
		if !m.mail || m.chunks {
			return 503
		}
		m.rcpts++
		return 250
	case "DATA":
		switch {
		case !m.mail || m.chunks:
			return 503
		case m.rcpts == 0:
			return 554
		}
		m.messages++
		m.clear()
		return 250 // after 354
	case "BDAT":
		switch {
		case !m.mail:
			return 503
		case m.rcpts == 0:
			return 554
		}
		m.chunks = true
		if strings.HasPrefix(arg, "3 LAST") {
			m.messages++
			m.clear()
		}
		return 250
	case "AUTH", "STARTTLS":
		if !m.helo || m.mail {
			return 503
		}
		return 502
	case "EXPN":
		return 502
	}
	return 500
}

func TestEveryShortSequenceOfCommandsAgreesWithTheModel(t *testing.T) {
	commands := []string{
		ehlo, "HELO client.example\r\n", mail, rcpt, data, "BDAT 3\r\nx\r\n", "BDAT 3 LAST\r\ny\r\n",
		"RSET\r\n", "NOOP\r\n", "VRFY x\r\n", "STARTTLS\r\n", "AUTH PLAIN\r\n", "WHAT\r\n",
	}
	length := 4
	if testing.Short() {
		length = 3
	}
	d := newDoor(t, limits(func(l *Limits) { l.Errors, l.JunkCommands = -1, -1 }))
	d.q.light = true
	seq := make([]string, length)
	var try func(n int)
	messages := 0
	d.q.block = func() { messages++ }
	try = func(n int) {
		if n < length {
			for _, c := range commands {
				seq[n] = c
				try(n + 1)
			}
			return
		}
		messages = 0
		c := &script{turns: append([]string(nil), seq...), body: ".\r\n"}
		d.talk(c)
		var m model
		want := []string{"220"}
		for _, cmd := range seq {
			code := m.step(cmd)
			if cmd == data && code == 250 {
				want = append(want, "354")
			}
			want = append(want, fmt.Sprint(code))
		}
		got := codes(t, strings.Join(c.writes, ""))
		for i := range want {
			if i >= len(got) || !strings.HasPrefix(got[i], want[i]) {
				t.Fatalf("%q\n got %q\nwant %q", seq, got, want)
			}
		}
		if len(got) != len(want) || messages != m.messages {
			t.Fatalf("%q: %d replies, want %d; %d messages, want %d", seq, len(got), len(want), messages, m.messages)
		}
	}
	try(0)
}

func TestADialogueIsTheSameHoweverItIsCut(t *testing.T) {
	// Where the client has to wait for a reply, it does; everything else may be
	// cut anywhere.
	groups := []string{
		ehlo,
		mail + rcpt + "RCPT TO:<reject@example.org>\r\n" + data,
		"Received: from x\r\n\tby y; z\r\nMessage-Id:\r\n <id@x>\r\n\r\n..dot\r\n.\r\n" + mail + rcpt + "BDAT 7\r\nA: b\r\n\r" + "BDAT 5 LAST\r\n\nxy\r\n" + "NOOP\r\n",
		quit,
	}
	whole := newDoor(t)
	want := whole.run(t, append([]string(nil), groups...)...)
	first := whole.q.messages()
	if len(first) != 2 {
		t.Fatalf("%d messages, replies %q", len(first), want)
	}
	for g, group := range groups {
		for at := 1; at < len(group); at++ {
			d := newDoorLike(t, whole)
			turns := append([]string(nil), groups[:g]...)
			turns = append(turns, group[:at], group[at:])
			turns = append(turns, groups[g+1:]...)
			got := d.run(t, turns...)
			if len(got) != len(want) {
				t.Fatalf("cut %d of group %d: replies %q, want %q", at, g, got, want)
			}
			for i := range got {
				if got[i][:4] != want[i][:4] {
					t.Fatalf("cut %d of group %d: reply %q, want %q", at, g, got[i], want[i])
				}
			}
			msgs := d.q.messages()
			for i := range first {
				if len(msgs) != len(first) || msgs[i].text() != first[i].text() {
					t.Fatalf("cut %d of group %d: messages %+v", at, g, msgs)
				}
			}
		}
	}
	var octets []string
	for _, group := range groups {
		for i := range len(group) {
			octets = append(octets, group[i:i+1])
		}
	}
	d := newDoorLike(t, whole)
	if got := d.run(t, octets...); len(got) != len(want) || len(d.q.messages()) != 2 {
		t.Fatalf("octet by octet: %q", got)
	}
}

// newDoorLike is another server on the same spool directory and log, which is
// cheaper than a new one.
func newDoorLike(t testing.TB, d *door) *door {
	t.Helper()
	n := &door{q: &spool{Queue: d.q.Queue}, log: d.log, tr: d.tr}
	o := d.o
	o.Queue = n.q
	n.Server = New(o)
	return n
}
