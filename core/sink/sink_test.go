package sink_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gosmtp "github.com/emersion/go-smtp"

	"github.com/programmable-mta/mta/core/sink"
)

func start(t testing.TB, o sink.Options) (*sink.Sink, string) {
	t.Helper()
	s, err := sink.New(o)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Errorf("Serve after Close: %v", err)
		}
	})
	return s, l.Addr().String()
}

// talk sends lines and returns the replies, the last line of each.
type talk struct {
	t *testing.T
	c net.Conn
	r *bufio.Reader
}

func dial(t *testing.T, addr string) *talk {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(10 * time.Second))
	t.Cleanup(func() { c.Close() })
	return &talk{t, c, bufio.NewReader(c)}
}

func (k *talk) want(prefixes ...string) {
	k.t.Helper()
	for _, p := range prefixes {
		for {
			line, err := k.r.ReadString('\n')
			if err != nil {
				k.t.Fatalf("waiting for %q: %v", p, err)
			}
			if len(line) > 3 && line[3] == '-' {
				continue
			}
			if !strings.HasPrefix(line, p) {
				k.t.Fatalf("got %q, want %q...", line, p)
			}
			break
		}
	}
}

func (k *talk) wantEnd() {
	k.t.Helper()
	if line, err := k.r.ReadString('\n'); err == nil {
		k.t.Fatalf("got %q, want the end of the connection", line)
	}
}

func (k *talk) say(s string) {
	k.t.Helper()
	if _, err := k.c.Write([]byte(s)); err != nil {
		k.t.Fatal(err)
	}
}

const mail = "MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n"

func TestAMessageIsKeptWithItsEnvelope(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s, addr := start(t, sink.Options{Now: func() time.Time { return now }})
	k := dial(t, addr)
	k.want("220 ")
	k.say("EHLO client.example\r\n")
	k.want("250 ")
	k.say("MAIL FROM:<a@example.com> RET=HDRS ENVID=x+2By\r\nRCPT TO:<b@example.org> NOTIFY=NEVER\r\nRCPT TO:<c@example.org>\r\nDATA\r\n")
	k.want("250 ", "250 ", "250 ", "354 ")
	k.say("Subject: hi\r\n\r\n..dot\r\n.\r\nQUIT\r\n")
	k.want("250 ", "221 ")
	k.wantEnd()

	m, ok := s.Get(1)
	if !ok {
		t.Fatal("message 1 was not kept")
	}
	if got, want := string(m.Data), "Subject: hi\r\n\r\n.dot\r\n"; got != want {
		t.Errorf("data %q, want %q", got, want)
	}
	got := fmt.Sprintln(m.N, m.From, m.To, m.Helo, m.TLS, m.Size, m.Received.Equal(now), m.Mail.Return, m.Mail.EnvelopeID, m.Rcpt[0].Notify)
	if want := "1 a@example.com [b@example.org c@example.org] client.example  21 true HDRS x+y [NEVER]\n"; got != want {
		t.Errorf("envelope %s\nwant     %s", got, want)
	}
	if sum := s.Messages(); len(sum) != 1 || sum[0].Subject != "hi" || sum[0].Size != 21 {
		t.Errorf("summaries %+v", sum)
	}
	st := s.Stats()
	if st.Connections != 1 || st.Messages != 1 || st.Recipients != 2 || st.Bytes != 21 {
		t.Errorf("stats %+v", st)
	}
	if n := s.Clear(); n != 1 || len(s.Messages()) != 0 {
		t.Errorf("Clear told %d and left %d", n, len(s.Messages()))
	}
	if _, ok := s.Get(1); ok {
		t.Error("Get finds a message after Clear")
	}
}

func deliver(t testing.TB, addr, data string) error {
	t.Helper()
	c, err := gosmtp.Dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.SendMail("a@example.com", []string{"b@example.org"}, strings.NewReader(data))
}

func TestMemoryIsBoundedByCountAndOctetsAndTheOldestGoes(t *testing.T) {
	s, addr := start(t, sink.Options{KeepMessages: 3, KeepBytes: 240})
	for i := range 5 {
		if err := deliver(t, addr, fmt.Sprintf("Subject: %d\r\n\r\n", i+1)); err != nil {
			t.Fatal(err)
		}
	}
	if got := numbers(s); got != "[3 4 5]" {
		t.Errorf("kept %s, want the newest three", got)
	}
	if err := deliver(t, addr, "Subject: 6\r\n\r\n"+strings.Repeat("x", 200)+"\r\n"); err != nil {
		t.Fatal(err)
	}
	if got := numbers(s); got != "[5 6]" {
		t.Errorf("kept %s, want [5 6]: together at most 240 octets", got)
	}
	if err := deliver(t, addr, strings.Repeat("x", 500)+"\r\n"); err != nil {
		t.Fatal(err)
	}
	m, ok := s.Get(7)
	if !ok || m.Size != 502 || m.Data != nil {
		t.Errorf("a message above the limit: %+v; want it listed without content", m)
	}
	if _, ok := s.Get(2); ok {
		t.Error("Get finds an evicted message")
	}
}

func numbers(s *sink.Sink) string {
	var ns []int
	for _, m := range s.Messages() {
		ns = append(ns, m.N)
	}
	return fmt.Sprint(ns)
}

func TestMessagesAreWrittenToTheFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "eml")
	_, addr := start(t, sink.Options{Dir: dir, KeepMessages: -1})
	if err := deliver(t, addr, "Subject: x\r\n\r\nbody\r\n"); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, "000001.eml"))
	if err != nil {
		t.Fatal(err)
	}
	want := "Return-Path: <a@example.com>\r\nDelivered-To: b@example.org\r\nSubject: x\r\n\r\nbody\r\n"
	if string(got) != want {
		t.Errorf("file %q\nwant %q", got, want)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := deliver(t, addr, "x\r\n"); err == nil || !strings.Contains(err.Error(), "451") {
		t.Errorf("with the folder gone: %v, want 451", err)
	}
}

func TestEachStageDefersAndRejectsOnRequest(t *testing.T) {
	greet := "220 "
	steps := []struct {
		stage sink.Stage
		say   []string // the last one meets the fault
	}{
		{sink.Connect, nil},
		{sink.Mail, []string{"EHLO c\r\n", "MAIL FROM:<a@example.com>\r\n"}},
		{sink.Rcpt, []string{"EHLO c\r\n", "MAIL FROM:<a@example.com>\r\n", "RCPT TO:<b@example.org>\r\n"}},
		{sink.Data, []string{"EHLO c\r\n", "MAIL FROM:<a@example.com>\r\n", "RCPT TO:<b@example.org>\r\n", "DATA\r\n"}},
		{sink.Dot, []string{"EHLO c\r\n", "MAIL FROM:<a@example.com>\r\n", "RCPT TO:<b@example.org>\r\n", "DATA\r\n", "x\r\nDATA\r\n.\r\n"}},
	}
	for _, st := range steps {
		for _, f := range []struct {
			fault sink.Fault
			code  string
		}{{sink.Fault{Defer: 1}, "4"}, {sink.Fault{Reject: 1}, "5"}, {sink.Fault{Drop: 1}, ""}} {
			t.Run(st.stage.String()+f.code, func(t *testing.T) {
				var fs sink.Faults
				fs[st.stage] = f.fault
				s, addr := start(t, sink.Options{Faults: fs})
				k := dial(t, addr)
				expect := func(last bool, good string) {
					switch {
					case !last:
						k.want(good)
					case f.code == "":
						k.wantEnd()
					default:
						k.want(f.code)
					}
				}
				expect(st.say == nil, greet)
				for i, line := range st.say {
					k.say(line)
					good := "250 "
					if line == "DATA\r\n" {
						good = "354 "
					}
					expect(i == len(st.say)-1, good)
				}
				stats := s.Stats()
				if stats.Deferred+stats.Rejected+stats.Dropped != 1 {
					t.Errorf("stats %+v, want one fault", stats)
				}
				kept := len(s.Messages())
				if drop := st.stage == sink.Dot && f.code == ""; (kept == 1) != drop {
					t.Errorf("%d messages kept; only a drop behind the final dot leaves one", kept)
				}
			})
		}
	}
}

func TestADroppedMessageIsMarkedBecauseTheSenderWillRepeatIt(t *testing.T) {
	var fs sink.Faults
	fs[sink.Dot].Drop = 1
	s, addr := start(t, sink.Options{Faults: fs})
	k := dial(t, addr)
	k.say("EHLO c\r\n" + mail)
	k.want("220 ", "250 ", "250 ", "250 ", "354 ")
	k.say("x\r\n.\r\n")
	k.wantEnd()
	if m, ok := s.Get(1); !ok || !m.Dropped {
		t.Errorf("message %+v, want it kept and marked", m)
	}
}

func TestASessionGoesOnAfterARefusedDATA(t *testing.T) {
	var fs sink.Faults
	fs[sink.Data].Defer = 0.5
	s, addr := start(t, sink.Options{Faults: fs, Seed: 3})
	k := dial(t, addr)
	k.say("EHLO c\r\n")
	k.want("220 ", "250 ")
	var refused int
	for range 20 {
		k.say(mail)
		k.want("250 ", "250 ")
		line, err := k.r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(line, "451 ") {
			refused++
			k.say("RSET\r\n")
		} else {
			k.say("VRFY\r\nDATA\r\n.\r\n")
		}
		k.want("250 ")
	}
	if refused == 0 || refused == 20 || int64(refused) != s.Stats().Deferred {
		t.Errorf("%d of 20 refused, stats %+v", refused, s.Stats())
	}
	if m, _ := s.Get(1); m == nil || string(m.Data) != "VRFY\r\nDATA\r\n" {
		t.Errorf("content %q was touched", m.Data)
	}
}

func TestTheSameSeedMakesTheSameFaults(t *testing.T) {
	run := func(seed uint64) string {
		var fs sink.Faults
		fs[sink.Rcpt] = sink.Fault{Defer: 0.3, Reject: 0.3}
		_, addr := start(t, sink.Options{Faults: fs, Seed: seed})
		k := dial(t, addr)
		k.say("EHLO c\r\nMAIL FROM:<>\r\n" + strings.Repeat("RCPT TO:<b@example.org>\r\n", 30))
		k.want("220 ", "250 ", "250 ")
		var codes []byte
		for range 30 {
			line, err := k.r.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			codes = append(codes, line[0])
		}
		return string(codes)
	}
	first := run(7)
	if again := run(7); again != first {
		t.Errorf("seed 7 gave %s, then %s", first, again)
	}
	if other := run(8); other == first {
		t.Errorf("seeds 7 and 8 gave the same %s", first)
	}
	for _, c := range "245" {
		if !strings.ContainsRune(first, c) {
			t.Errorf("no %cxx in %s", c, first)
		}
	}
}

func TestAConnectionOverTheLimitGets421(t *testing.T) {
	s, addr := start(t, sink.Options{MaxConnections: 1})
	one := dial(t, addr)
	one.want("220 ")
	two := dial(t, addr)
	two.want("421 4.3.2 ")
	two.wantEnd()
	one.say("QUIT\r\n")
	one.want("221 ")
	one.wantEnd()
	waitFor(t, func() bool { return s.Stats().Open == 0 })
	three := dial(t, addr)
	three.want("220 ")
}

func waitFor(t *testing.T, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(5 * time.Second); !cond(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatal("condition did not come true in 5 s")
		}
	}
}

func TestLMTPAnswersEachRecipientByItself(t *testing.T) {
	var fs sink.Faults
	fs[sink.Dot].Reject = 0.5
	s, addr := start(t, sink.Options{LMTP: true, Faults: fs, Seed: 1})
	k := dial(t, addr)
	k.say("LHLO c\r\nMAIL FROM:<a@example.com>\r\n")
	k.want("220 ", "250 ", "250 ")
	for i := range 10 {
		k.say(fmt.Sprintf("RCPT TO:<u%d@example.org>\r\n", i))
		k.want("250 ")
	}
	k.say("DATA\r\n")
	k.want("354 ")
	k.say("x\r\n.\r\n")
	var good []string
	for i := range 10 {
		line, err := k.r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if line[0] == '2' {
			good = append(good, fmt.Sprintf("u%d@example.org", i))
		}
	}
	m, ok := s.Get(1)
	if !ok || fmt.Sprint(m.To) != fmt.Sprint(good) || len(good) == 0 || len(good) == 10 {
		t.Errorf("kept %v, accepted %v", m, good)
	}
}

func TestSTARTTLSIsOfferedAndSeenInTheMessage(t *testing.T) {
	var fs sink.Faults
	fs[sink.Data].Reject = 0.5
	s, addr := start(t, sink.Options{StartTLS: true, Faults: fs})
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	c, err := gosmtp.NewClientStartTLS(conn, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var refused int64
	for range 12 {
		if err := c.SendMail("a@example.com", []string{"b@example.org"}, strings.NewReader("x\r\n")); err != nil {
			refused++
		}
	}
	if st := s.Stats(); refused == 0 || refused != st.Rejected || refused+st.Messages != 12 {
		t.Errorf("%d refused inside TLS, stats %+v", refused, st)
	}
	if m := s.Messages(); len(m) == 0 || !strings.HasPrefix(m[0].TLS, "TLS 1.3 ") {
		t.Errorf("messages %+v, want TLS 1.3", m)
	}
}

func TestADelayHoldsTheReplyAndCloseEndsIt(t *testing.T) {
	var fs sink.Faults
	fs[sink.Mail].Delay = time.Hour
	s, addr := start(t, sink.Options{Faults: fs})
	k := dial(t, addr)
	k.say("EHLO c\r\nMAIL FROM:<>\r\n")
	k.want("220 ", "250 ") // the reply to EHLO of the same packet is not late
	k.c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	if line, err := k.r.ReadString('\n'); err == nil {
		t.Errorf("got %q in spite of the delay", line)
	}
	if err := s.Close(); err != nil { // would take an hour
		t.Error(err)
	}
}

func TestRepliesToAGroupLeaveInOnePacket(t *testing.T) {
	_, addr := start(t, sink.Options{})
	k := dial(t, addr)
	k.want("220 ")
	k.say("EHLO c\r\n")
	k.want("250 ")
	k.say("MAIL FROM:<>\r\nRCPT TO:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n")
	b := make([]byte, 4096)
	n, err := k.c.Read(b)
	if err != nil || strings.Count(string(b[:n]), "\r\n") != 4 {
		t.Errorf("first packet %q (%v), want all four replies", b[:n], err)
	}
}

func TestWaitReturnsAtTheNthMessageOrWithTheContext(t *testing.T) {
	s, addr := start(t, sink.Options{})
	done := make(chan error, 1)
	go func() { done <- s.Wait(context.Background(), 2) }()
	for range 2 {
		if err := deliver(t, addr, "x\r\n"); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Wait(ctx, 3); err == nil || !strings.Contains(err.Error(), "2 of 3") {
		t.Errorf("Wait with a done context: %v", err)
	}
}

func TestFaultsAreReadFromText(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"rcpt:defer=10%,reject=0.05,delay=200ms", "rcpt:delay=200ms,defer=0.1,reject=0.05"},
		{"dot:drop=100%", "dot:drop=1"},
		{"connect: delay=1s , drop=1%", "connect:delay=1s,drop=0.01"},
	} {
		var fs sink.Faults
		if err := fs.Set(tt.in); err != nil || fs.String() != tt.want {
			t.Errorf("%q became %q, %v; want %q", tt.in, fs.String(), err, tt.want)
		}
	}
	for _, in := range []string{"", "rcpt", "rcpt:", "ehlo:defer=1", "rcpt:defer=", "rcpt:defer=101%", "rcpt:defer=NaN",
		"rcpt:defer=-0.1", "rcpt:delay=fast", "rcpt:delay=-1s", "rcpt:defer=0.6,reject=0.6", "rcpt:wish=1"} {
		var fs sink.Faults
		if err := fs.Set(in); err == nil {
			t.Errorf("%q was taken as %q", in, fs.String())
		} else if fs != (sink.Faults{}) {
			t.Errorf("%q was refused and left %q", in, fs.String())
		}
	}
}
