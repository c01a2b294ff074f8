package smtpin

import (
	"fmt"
	"strings"
	"testing"

	"github.com/programmable-mta/mta/core/smtp"
)

// smuggled is what an attacker hopes we read as a second message.
const smuggled = "MAIL FROM:<evil@example.com>\r\nRCPT TO:<victim@example.org>\r\nDATA\r\nSubject: smuggled\r\n\r\nevil\r\n"

var falseEnds = map[string]string{
	"LF . LF":           "\n.\n",
	"LF . CRLF":         "\n.\r\n",
	"CRLF . LF":         "\r\n.\n",
	"CR . CR":           "\r.\r",
	"CR . LF":           "\r.\n",
	"LF . CR":           "\n.\r",
	"CR . CRLF":         "\r.\r\n",
	"CRLF . CR":         "\r\n.\r",
	"CRLF . CR CRLF":    "\r\n.\r\r\n",
	"CR CRLF . CR CRLF": "\r\r\n.\r\r\n",
	"CRLF NUL . CRLF":   "\r\n\x00.\r\n",
	"CRLF . NUL CRLF":   "\r\n.\x00\r\n",
}

func TestNoFalseEndOfDataMakesTwoMessages(t *testing.T) {
	for _, policy := range []smtp.NewlinePolicy{smtp.RefuseBareNewlines, smtp.NormalizeBareNewlines, smtp.NormalizeBareNewlines | smtp.AllowNUL} {
		for name, end := range falseEnds {
			t.Run(fmt.Sprint(name, "/", policy), func(t *testing.T) {
				d := newDoor(t, func(o *Options) { o.Newlines = policy })
				body := "Subject: x\r\n\r\nbegin" + end + smuggled + ".\r\n"
				whole := []string{"DATA", fmt.Sprintf("BDAT %d LAST\r\n%s", len(body), body)}
				for _, turn := range whole {
					turns := []string{ehlo, mail, rcpt, turn, quit}
					if turn == "DATA" {
						turns = []string{ehlo, mail, rcpt, data, body, quit}
					}
					got := d.run(t, turns...)
					if last := got[len(got)-1]; !strings.HasPrefix(last, "221") {
						t.Fatalf("%s: out of step: %q", turn, got)
					}
					if policy == smtp.RefuseBareNewlines && !strings.HasPrefix(got[len(got)-2], "55") {
						t.Errorf("%s: taken: %q", turn, got)
					}
				}
				for _, m := range d.q.messages() {
					if m.env.From != "a@example.com" || strings.Contains(strings.ReplaceAll(m.body, "\r\n", ""), "\n") || strings.Contains(strings.ReplaceAll(m.body, "\r\n", ""), "\r") {
						t.Errorf("queued %q from %s", m.body, m.env.From)
					}
				}
				if n := len(d.q.messages()); n > 2 {
					t.Errorf("%d messages from two", n)
				}
			})
		}
	}
}

func TestChunksAreCheckedAcrossTheirBorders(t *testing.T) {
	body := "A: b\r\n\r\n.\r\n..x\r\nend\r\n"
	for a := range len(body) + 1 {
		for b := a; b <= len(body); b++ {
			d := newDoor(t)
			turn := fmt.Sprintf("BDAT %d\r\n%sBDAT %d\r\n%sBDAT %d LAST\r\n%s", a, body[:a], b-a, body[a:b], len(body)-b, body[b:])
			expect(t, d.run(t, ehlo, mail+rcpt+turn, quit), "220", "250", "250", "250", "250", "250", "250 2.0.0 queued", "221")
			if m := d.q.messages(); len(m) != 1 || m[0].text() != body {
				t.Fatalf("cut at %d and %d: %+v", a, b, m)
			}
		}
	}
	for _, c := range []struct{ chunks, want string }{
		{"BDAT 2\r\nx\rBDAT 1 LAST\r\ny", "550 5.5.2"},
		{"BDAT 2\r\nx\rBDAT 0 LAST\r\n", "550 5.5.2"},
		{"BDAT 1\r\nxBDAT 1 LAST\r\n\n", "550 5.5.2"},
		{"BDAT 2\r\nx\x00BDAT 1 LAST\r\ny", "554 5.6.0"},
	} {
		d := newDoor(t)
		got := d.run(t, ehlo, mail+rcpt+c.chunks, "NOOP\r\n")
		if all := strings.Join(got, "|"); !strings.Contains(all, c.want) || len(d.q.messages()) != 0 || !strings.HasPrefix(got[len(got)-1], "250 ") {
			t.Errorf("%q: %q", c.chunks, got)
		}
	}
}

func TestAMessageFromChunksEndsInCRLF(t *testing.T) {
	d := newDoor(t)
	expect(t, d.run(t, ehlo, mail, rcpt, "BDAT 8 LAST\r\nA: b\r\n\r\n", mail, rcpt, "BDAT 9 LAST\r\nA: b\r\n\r\nx"), "220", "250", "250", "250", "250", "250", "250", "250")
	m := d.q.messages()
	if m[0].text() != "A: b\r\n\r\n" || m[1].text() != "A: b\r\n\r\nx\r\n" {
		t.Errorf("%q %q", m[0].text(), m[1].text())
	}
}

func TestBDATReadsItsOctetsInEveryState(t *testing.T) {
	for _, c := range []struct {
		name  string
		turns []string
		want  []string
		kept  int
	}{
		{"before EHLO", []string{"BDAT 6 LAST\r\nQUIT\r\n", "NOOP\r\n"}, []string{"503", "250"}, 0},
		{"before MAIL", []string{ehlo, "BDAT 6\r\nQUIT\r\n", "NOOP\r\n"}, []string{"250", "503", "250"}, 0},
		{"without recipients", []string{ehlo, mail, "BDAT 6 LAST\r\nQUIT\r\n", "NOOP\r\n"}, []string{"250", "250", "554 5.5.1", "250"}, 0},
		{"after LAST", []string{ehlo, mail, rcpt, "BDAT 2 LAST\r\nx\n"[:15] + "\r", "BDAT 6\r\nQUIT\r\n"}, nil, 0},
		{"no octets", []string{ehlo, mail, rcpt, "BDAT 0\r\n", "BDAT 0 LAST\r\n"}, []string{"250", "250", "250", "250", "250 2.0.0 queued"}, 1},
		{"RSET between", []string{ehlo, mail, rcpt, "BDAT 3\r\nx\r\n", "RSET\r\n", "BDAT 3 LAST\r\ny\r\n", "NOOP\r\n"}, []string{"250", "250", "250", "250", "250", "503", "250"}, 0},
		{"MAIL between", []string{ehlo, mail, rcpt, "BDAT 3\r\nx\r\n", mail, rcpt, "DATA\r\n", "BDAT 3 LAST\r\ny\r\n"}, []string{"250", "250", "250", "250", "503", "503", "503", "250 2.0.0"}, 1},
		{"EHLO between", []string{ehlo, mail, rcpt, "BDAT 3\r\nx\r\n", ehlo, "BDAT 3 LAST\r\ny\r\n"}, []string{"250", "250", "250", "250", "250", "503"}, 0},
		{"a minus sign", []string{ehlo, mail, rcpt, "BDAT -1\r\nNOOP\r\n"}, []string{"250", "250", "250", "501 5.5.4"}, 0},
		{"2^63", []string{ehlo, mail, rcpt, "BDAT 9223372036854775808\r\nNOOP\r\n"}, []string{"250", "250", "250", "501 5.5.4"}, 0},
		{"2^63-1", []string{ehlo, mail, rcpt, "BDAT 9223372036854775807 LAST\r\n" + strings.Repeat("NOOP\r\n", 100)}, []string{"250", "250", "250"}, 0},
		{"an unknown word", []string{ehlo, mail, rcpt, "BDAT 1 LATE\r\nxNOOP\r\n"}, []string{"250", "250", "250", "501 5.5.4"}, 0},
		{"no number", []string{ehlo, mail, rcpt, "BDAT\r\n"}, []string{"250", "250", "250", "501 5.5.4"}, 0},
		{"last in lower case", []string{ehlo, mail, rcpt, "bdat 3  last\r\nx\r\n"}, []string{"250", "250", "250", "250"}, 1},
		{"lost in a chunk", []string{ehlo, mail, rcpt, "BDAT 10 LAST\r\nx\r\n"}, []string{"250", "250", "250"}, 0},
		{"lost between chunks", []string{ehlo, mail, rcpt, "BDAT 3\r\nx\r\n"}, []string{"250", "250", "250", "250"}, 0},
	} {
		if c.want == nil {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			d := newDoor(t)
			expect(t, d.run(t, c.turns...), append([]string{"220"}, c.want...)...)
			if n := len(d.q.messages()); n != c.kept {
				t.Errorf("%d messages, want %d", n, c.kept)
			}
		})
	}
}

func TestWhoSpeaksOutOfTurnIsCutOff(t *testing.T) {
	for _, c := range []struct {
		name  string
		turns []string
		want  []string
	}{
		{"behind EHLO", []string{ehlo + mail}, []string{"554 5.5.0"}},
		{"behind HELO", []string{"HELO x\r\n" + mail}, []string{"554 5.5.0"}},
		{"behind DATA", []string{ehlo, mail + rcpt + data + text}, []string{"250", "250", "250", "554 5.5.0"}},
		{"behind DATA without recipients", []string{ehlo, mail + data + text}, []string{"250", "250", "554 5.5.0"}},
		{"behind DATA out of order", []string{ehlo, data + text}, []string{"250", "554 5.5.0"}},
		{"behind STARTTLS", []string{ehlo, "STARTTLS\r\nRSET\r\n"}, []string{"250", "554 5.5.0"}},
		{"behind AUTH", []string{ehlo, "AUTH PLAIN\r\nRSET\r\n"}, []string{"250", "554 5.5.0"}},
		{"half a command behind STARTTLS", []string{ehlo, "STARTTLS\r\nR"}, []string{"250", "554 5.5.0"}},
		{"behind NOOP, RSET and VRFY", []string{ehlo, "NOOP\r\nRSET\r\nVRFY x\r\nNOOP\r\n"}, []string{"250", "250", "250", "252", "250"}},
		{"behind QUIT", []string{ehlo, "QUIT\r\n" + mail}, []string{"250", "221"}},
		{"HTTP", []string{"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + ehlo}, []string{"554 5.5.0"}},
		{"HTTP later", []string{ehlo, "POST / HTTP/1.1\r\n" + mail}, []string{"250", "554 5.5.0"}},
		{"TLS in the first octets", []string{"\x16\x03\x01\x02\x00\x01\r\n" + ehlo}, []string{"554 5.5.0"}},
		{"nothing in the first line", []string{"\r\n" + ehlo}, []string{"554 5.5.0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDoor(t)
			expect(t, d.run(t, append(c.turns, quit)...), append([]string{"220"}, withQuit(c.want)...)...)
			if n := len(d.q.messages()); n != 0 {
				t.Errorf("%d messages", n)
			}
		})
	}
}

// withQuit adds the reply to QUIT where the session still lives.
func withQuit(want []string) []string {
	if last := want[len(want)-1]; last[0] == '2' && last != "221" {
		return append(want, "221")
	}
	return want
}

func TestBadLinesAreAnsweredInStep(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"NOOP\n", "500 5.5.2"},
		{"NOOP\rNOOP\r\n", "500 5.5.2"},
		{"NO\x00OP\r\n", "500 5.5.2"},
		{"NOOP \xff\xfe\r\n", "500 5.5.2"},
		{"NOOP \x7f\r\n", "500 5.5.2"},
		{"\r\n", "500 5.5.2"},
		{" NOOP\r\n", "500 5.5.2"},
		{"WHAT\r\n", "500 5.5.1"},
		{"RSET now\r\n", "501 5.5.4"},
		{"DATA now\r\n", "503"},
		{"QUIT now\r\n", "501 5.5.4"},
		{"STARTTLS now\r\n", "501 5.5.4"},
		{"VRFY\r\n", "501"},
		{"EHLO\r\n", "501"},
		{"HELO\r\n", "501"},
		{"EHLO two words\r\n", "501"},
		{"EHLO \xc3\xa4.example\r\n", "501"},
		{"EXPN list\r\n", "502"},
		{"ETRN x\r\n", "502"},
		{"LHLO x\r\n", "502"},
		{"HELP\r\n", "214"},
		{"noop whatever\r\n", "250"},
		{"MAIL\r\n", "501 5.5.4"},
		{"MAIL FROM:a@example.com\r\n", "501 5.1.7"},
		{"MAIL FROM:<a@example.com\r\n", "501 5.1.7"},
		{"MAIL FROM:<a@example.com> SIZE=x\r\n", "501 5.5.4"},
		{"MAIL FROM:<a@example.com> BODY=BINARYMIME\r\n", "501 5.5.4"},
		{"MAIL FROM:<a@example.com> AUTH=<>\r\n", "555 5.5.4"},
		{"MAIL FROM:<a@example.com> WHAT=x\r\n", "555 5.5.4"},
		{"MAIL FROM:<\xc3\xa4@example.com>\r\n", "553 5.6.7"},
		{"MAIL FROM:<\xc3\xa4@example.com> SMTPUTF8\r\n", "250 2.1.0"},
		{"MAIL FROM: <a@example.com>\r\n", "250 2.1.0"},
		{"RCPT TO:<a@example.com>\r\n", "503"},
	} {
		d := newDoor(t)
		expect(t, d.run(t, ehlo, c.line, "NOOP\r\n"), "220", "250", c.want, "250")
	}
	for _, c := range []struct{ line, want string }{
		{"RCPT TO:<>\r\n", "501 5.1.3"},
		{"RCPT TO:b@example.org\r\n", "501 5.1.3"},
		{"RCPT TO:<b>\r\n", "501 5.1.3"},
		{"RCPT TO:<b@example.org> NOTIFY=NEVER,SUCCESS\r\n", "501 5.5.4"},
		{"RCPT TO:<b@example.org> WHAT\r\n", "555 5.5.4"},
		{"RCPT TO:<\xc3\xa4@example.org>\r\n", "553 5.6.7"},
		{"DATA\r\n", "554 5.5.1"},
	} {
		d := newDoor(t)
		expect(t, d.run(t, ehlo, mail, c.line, "NOOP\r\n"), "220", "250", "250", c.want, "250")
	}
	d := newDoor(t)
	expect(t, d.run(t, "HELO x\r\n", "MAIL FROM:<a@example.com> SIZE=1\r\n"), "220", "250", "555 5.5.4")
}

func TestDotsAndLongLinesArriveAsTheyWereMeant(t *testing.T) {
	long := strings.Repeat("x", 200_000)
	for said, meant := range map[string]string{
		"":                           "",
		"..\r\n":                     ".\r\n",
		"...\r\n":                    "..\r\n",
		".x\r\n":                     "x\r\n",
		"\r\n..\r\n\r\n":             "\r\n.\r\n\r\n",
		long + "\r\n":                long + "\r\n",
		"\xff\xfe\x80\r\n":           "\xff\xfe\x80\r\n",
		"no header here\r\nx: y\r\n": "no header here\r\nx: y\r\n",
	} {
		d := newDoor(t)
		expect(t, d.run(t, ehlo, mail, rcpt, data, said+".\r\n"), "220", "250", "250", "250", "354", "250")
		if got := d.q.messages()[0].text(); got != meant {
			t.Errorf("%.40q arrived as %.40q, want %.40q", said, got, meant)
		}
	}
}

func TestNothingRemainsOfATransactionThatDoesNotEnd(t *testing.T) {
	for name, last := range map[string]string{
		"RSET": "RSET\r\n", "EHLO": ehlo, "HELO": "HELO x\r\n", "QUIT": quit, "drop": "",
	} {
		d := newDoor(t)
		turns := []string{ehlo, from("hold"), to("discard"), rcpt}
		if last != "" {
			turns = append(turns, last)
		}
		if last != quit && last != "" {
			turns = append(turns, data, mail, rcpt, data, text)
			got := d.run(t, turns...)
			expect(t, got[len(got)-5:], "503", "250", "250", "354", "250")
			if m := d.q.messages(); len(m) != 1 || m[0].held != "" || len(m[0].env.Recipients) != 1 {
				t.Errorf("%s: %+v", name, m)
			}
			continue
		}
		d.run(t, turns...)
		if len(d.q.messages()) != 0 {
			t.Errorf("%s: something was queued", name)
		}
	}
	for _, body := range []string{"half a line", "a line\r\n", "a line\r\n.", "a line\r\n.\r", "a line\r\n.\n"} {
		d := newDoor(t)
		expect(t, d.run(t, ehlo, mail, rcpt, data, body), "220", "250", "250", "250", "354")
		if len(d.q.messages()) != 0 {
			t.Errorf("%q was taken for a message", body)
		}
	}
}
