package smtpin

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/programmable-mta/mta/core/hook"
	"github.com/programmable-mta/mta/core/smtp"
	"github.com/programmable-mta/mta/sdk"
)

// turnEnd separates the turns of a fuzzed client; no command can hold it.
const turnEnd = "\x1e"

func yes() hook.Plugin {
	return hook.Plugin{Name: "yes", Inline: true, MayRelay: true, Handlers: sdk.Handlers{
		Rcpt: func(context.Context, *sdk.RcptEvent) (sdk.Answer, error) { return sdk.Accepted(), nil },
	}}
}

func FuzzSession(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add([]byte(s), byte(0))
		f.Add([]byte(s), byte(smtp.NormalizeBareNewlines))
	}
	first := newDoor(f, withPlugins(f, yes()), limits(func(l *Limits) { l.MessageSize, l.Recipients = 4<<10, 10 }))
	f.Fuzz(func(t *testing.T, in []byte, policy byte) {
		d := newDoorLike(t, first)
		d.o.Newlines = smtp.NewlinePolicy(policy & 3)
		var turns []string
		for turn := range strings.SplitSeq(string(in), turnEnd) {
			if turn != "" {
				turns = append(turns, turn)
			}
		}
		c := &script{turns: turns}
		said := 0
		c.onWrite = func(s string) {
			said += strings.Count(s, "queued as ")
			if n := len(d.q.msgs); said > n {
				t.Fatalf("250 for %d messages, the queue has %d", said, n)
			}
			if len(s) > 2*smallBuffer {
				t.Fatalf("a write of %d octets", len(s))
			}
		}
		d.talk(c)
		codes(t, strings.Join(c.writes, ""))
		msgs := d.q.messages()
		if said != len(msgs) {
			t.Fatalf("%d messages, 250 for %d", len(msgs), said)
		}
		ends := bytes.Count(in, []byte(".\r\n")) + bytes.Count(bytes.ToUpper(in), []byte("LAST"))
		whole := strings.Join(strings.Split(string(in), turnEnd), "") // an end may lie across turns
		if also := strings.Count(whole, ".\r\n") + strings.Count(strings.ToUpper(whole), "LAST"); also > ends {
			ends = also
		}
		if len(msgs) > ends {
			t.Fatalf("%d messages from %d ends of data", len(msgs), ends)
		}
		for _, m := range msgs {
			body := m.text()
			plain := strings.ReplaceAll(body, "\r\n", "")
			if strings.ContainsAny(plain, "\r\n") || policy&byte(smtp.AllowNUL) == 0 && strings.Contains(plain, "\x00") {
				t.Fatalf("a message with stray octets: %q", body)
			}
			if body != "" && !strings.HasSuffix(body, "\r\n") || len(m.env.Recipients) == 0 || len(m.env.Recipients) > 10 {
				t.Fatalf("message %+v", m)
			}
			if len(body) > 2*(4<<10)+2 {
				t.Fatalf("a message of %d octets", len(body))
			}
		}
		if d.Sessions() != 0 || d.gate.all != 0 {
			t.Fatal("the session is still counted")
		}
	})
}

// seeds are the dialogues of testdata as clients, one turn a group.
func seeds(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no dialogues: %v", err)
	}
	all := []string{strings.Join([]string{ehlo, mail + rcpt + data, text + mail + rcpt, "BDAT 5\r\nA: b\r", "BDAT 4 LAST\r\n\n\r\nx", quit}, turnEnd)}
	for _, end := range falseEnds {
		all = append(all, strings.Join([]string{ehlo, mail + rcpt, data, "x" + end + smuggled + ".\r\n", quit}, turnEnd))
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range txtar.Parse(raw).Files {
			if part.Name != "dialogue" {
				continue
			}
			var s strings.Builder
			for line := range strings.Lines(string(part.Data)) {
				line = strings.TrimSuffix(line, "\n")
				switch {
				case strings.HasPrefix(line, "C:"):
					s.WriteString(strings.TrimPrefix(line[2:], " ") + "\r\n")
				case strings.HasPrefix(line, "R: "):
					raw, err := strconv.Unquote(line[3:])
					if err != nil {
						t.Fatal(err)
					}
					s.WriteString(raw)
				case strings.HasPrefix(line, "S"):
					s.WriteString(turnEnd)
				}
			}
			all = append(all, s.String())
		}
	}
	return all
}

func FuzzChunksEqualData(f *testing.F) {
	f.Add([]byte("A: b\r\n\r\nx\r\n"), uint16(3))
	f.Add([]byte("a\r\rb\n"), uint16(2))
	f.Add([]byte("\r"), uint16(1))
	f.Fuzz(func(t *testing.T, in []byte, cut uint16) {
		// The message in pieces is the message in one piece, and what is
		// refused in one is refused in the other.
		for _, policy := range []smtp.NewlinePolicy{0, smtp.NormalizeBareNewlines} {
			take := func(pieces ...[]byte) (string, error) {
				var w inbound
				d := drafts.Draft(drafts.NewID())
				defer d.Discard()
				w.reset(d, true, policy)
				for _, p := range pieces {
					w.Write(p)
				}
				err := w.finish()
				if err != nil {
					return "", err
				}
				m := spool{Queue: drafts}
				m.take(d, &sdk.Envelope{}, "")
				return m.msgs[0].body, nil
			}
			at := min(int(cut), len(in))
			one, err1 := take(in)
			two, err2 := take(in[:at], in[at:])
			if one != two || (err1 == nil) != (err2 == nil) {
				t.Fatalf("%q: %q (%v); cut at %d: %q (%v)", in, one, err1, at, two, err2)
			}
			if err1 == nil && strings.ContainsAny(strings.ReplaceAll(one, "\r\n", ""), "\r\n") {
				t.Fatalf("stray newline in %q", one)
			}
		}
	})
}
