package trace

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

var start = time.Date(2026, 3, 4, 5, 6, 7, 890123000, time.FixedZone("", 3600))

func session() *sdk.Session {
	return &sdk.Session{ID: "s1", Profile: "mx", RemoteIP: "192.0.2.7", RemotePort: 4711, RemoteName: "client.example",
		Helo: "client.example", Protocol: "ESMTP", Started: start}
}

func envelope() *sdk.Envelope {
	return &sdk.Envelope{ID: "0000000001", From: "a@example.org", Size: 4096, Arrived: start,
		Recipients: []sdk.Recipient{{Addr: "u@example.net", Orig: "alias@example.com"}, {Addr: "v@example.net"}}}
}

func attempt() *Attempt {
	return &Attempt{Number: 1, Route: sdk.Route{Via: "smtp", Hosts: []string{"mx.example.net:25"}, TLS: "may", Rule: "route 1: to example.net"},
		Recipients: []string{"u@example.net", "v@example.net"},
		Outcomes: []sdk.Outcome{
			{Status: sdk.StatusDelivered, Reply: sdk.Reply{Code: 250, Enhanced: "2.0.0", Text: "ok"}, Remote: "mx.example.net[198.51.100.2]:25", RemoteReply: true, Setup: 20 * time.Millisecond, Transfer: 100 * time.Millisecond},
			{Status: sdk.StatusDeferred, Reply: sdk.Reply{Code: 450, Enhanced: "4.2.1", Text: "later"}, Remote: "mx.example.net[198.51.100.2]:25", RemoteReply: true},
		},
		Next: []time.Time{{}, start.Add(5 * time.Minute)}, At: start.Add(time.Second), Elapsed: 150 * time.Millisecond,
		Conversation: []byte("<<< 220 mx\r\n>>> EHLO us\r\n"),
	}
}

// buffered is a log that several goroutines may write.
type buffered struct {
	mu sync.Mutex
	b  bytes.Buffer
	n  int // writes
}

func (w *buffered) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.n++
	return w.b.Write(p)
}

func (w *buffered) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.String()
}

func open(t *testing.T, o Options) *Tracer {
	t.Helper()
	if o.Now == nil {
		o.Now = func() time.Time { return start }
	}
	if o.Hostname == "" {
		o.Hostname = "relay"
	}
	tr, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tr.Close() })
	tr.pid = []byte("9")
	return tr
}

// story is the life of one message.
func story(tr *Tracer) {
	s, env := session(), envelope()
	th := tr.Thread()
	tr.Connected(s)
	th.Hook(HookCall{Hook: "connect", Plugin: "blocklist", Action: "continue", At: start.Add(-5 * time.Millisecond), Elapsed: 3 * time.Microsecond})
	th.Hook(HookCall{Hook: "mail", Plugin: "tenant", Action: "continue", At: start.Add(-5 * time.Millisecond)})
	th.Hook(HookCall{Hook: "rcpt", Plugin: "tenant", Recipient: "w@example.net", Action: "reject", Reply: sdk.Reply{Code: 550, Enhanced: "5.1.1", Text: "nobody here"}, Reason: "not in table", At: start.Add(-5 * time.Millisecond)})
	tr.Rejected(s, "RCPT", env.From, "w@example.net", sdk.Reply{Code: 550, Enhanced: "5.1.1", Text: "nobody here"}, "tenant", "not in table", th)
	th.Hook(HookCall{Hook: "data", Plugin: "tenant", Action: "accept", At: start.Add(-5 * time.Millisecond), Edits: []sdk.Edit{{Op: sdk.OpPrependHeader, Name: "X-Tenant", Value: "t1"}}})
	tr.Arriving(s, env, "<m1@example.org>")
	tr.Accepted(s, env, "<m1@example.org>", 3*time.Millisecond, th)
	tr.Active(env)
	th.Release()
	tr.Disconnected(s, "quit", map[string][2]int{"ehlo": {1, 1}, "mail": {1, 1}, "rcpt": {2, 3}, "data": {1, 1}, "quit": {1, 1}})
	th = tr.Thread()
	th.Hook(HookCall{Hook: "route", Plugin: "routes", Recipient: "u@example.net", Action: "use", Detail: "smtp to mx.example.net", At: start})
	tr.Attempted(env, attempt(), th)
	th.Release()
	tr.Settled(env.ID, "v@example.net", "expired", sdk.Reply{Code: 450, Enhanced: "4.4.7", Text: "later"}, "")
	tr.Bounced(env.ID, "0000000002", "failed", env.From)
	tr.Removed(env.ID)
}

const at = "2026-03-04T05:06:07.890123+01:00 relay mta/"

func TestALifeIsLoggedInTheWordsOfPostfix(t *testing.T) {
	var out buffered
	tr := open(t, Options{Log: &out})
	story(tr)
	tr.Log(slog.LevelWarn, "smtp", "certificate expires soon", "id", "0000000001", "host", "mx.example.net", "note", "two words")
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	want := at + strings.ReplaceAll(`smtpd[9]: connect from client.example[192.0.2.7]
smtpd[9]: NOQUEUE: reject: RCPT from client.example[192.0.2.7]: 550 5.1.1 <w@example.net>: nobody here; from=<a@example.org> to=<w@example.net> proto=ESMTP helo=<client.example> session=s1
smtpd[9]: 0000000001: client=client.example[192.0.2.7]
cleanup[9]: 0000000001: message-id=<m1@example.org>
qmgr[9]: 0000000001: from=<a@example.org>, size=4096, nrcpt=2 (queue active)
smtpd[9]: disconnect from client.example[192.0.2.7] ehlo=1 mail=1 rcpt=2/3 data=1 quit=1 commands=6/7
smtp[9]: 0000000001: to=<u@example.net>, orig_to=<alias@example.com>, relay=mx.example.net[198.51.100.2]:25, delay=1.15, delays=1/0.03/0.02/0.1, dsn=2.0.0, status=sent (250 2.0.0 ok)
smtp[9]: 0000000001: to=<v@example.net>, relay=mx.example.net[198.51.100.2]:25, delay=1.15, delays=1/0.15/0/0, dsn=4.2.1, status=deferred (host mx.example.net[198.51.100.2]:25 said: 450 4.2.1 later)
qmgr[9]: 0000000001: to=<v@example.net>, status=expired, returned to sender (450 4.4.7 later)
bounce[9]: 0000000001: sender non-delivery notification: 0000000002
qmgr[9]: 0000000001: removed
smtp[9]: 0000000001: warning: certificate expires soon host=mx.example.net note="two words"`, "\n", "\n"+at) + "\n"
	if got := out.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestJSONLinesAreRecords(t *testing.T) {
	var out buffered
	tr := open(t, Options{Log: &out, Format: "json"})
	story(tr)
	tr.Log(slog.LevelError, "queue", "disk \"full\"", "left", 0)
	tr.Close()
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 10 {
		t.Fatalf("%d lines:\n%s", len(lines), out.String())
	}
	kinds := []string{"connected", "rejected", "accepted", "disconnected", "attempt", "attempt", "settled", "bounced", "removed", "log"}
	for i, line := range lines {
		dec := json.NewDecoder(strings.NewReader(line))
		var r struct {
			Record
			Level, Component, Host, Msg string
			PID                         int
			NRcpt                       int
			Attrs                       map[string]string
		}
		dec.DisallowUnknownFields()
		if err := dec.Decode(&r); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if r.Kind != kinds[i] || r.Component == "" || r.Host != "relay" || r.PID != 9 || !r.At.Equal(start) || strings.Count(line, `"at":`) != 1 {
			t.Errorf("%s", line)
		}
	}
}

func TestExplainTellsALifeAlsoToTheNextProcess(t *testing.T) {
	dir := t.TempDir()
	tr := open(t, Options{Dir: dir})
	story(tr)
	check := func(tr *Tracer) {
		t.Helper()
		rs, err := tr.Explain("0000000001")
		if err != nil {
			t.Fatal(err)
		}
		var kinds []string
		for _, r := range rs {
			kinds = append(kinds, r.Kind)
		}
		want := "hook hook hook hook accepted hook settled bounced removed attempt"
		if got := strings.Join(kinds, " "); got != want {
			t.Errorf("kinds %s, want %s", got, want)
		}
		got := Timeline(rs)
		for _, s := range []string{"blocklist", "3 µs", "because not in table", "edit prepend-header X-Tenant: t1",
			"accepted  from <a@example.org> to 2 recipients, 4096 octets, message-id <m1@example.org>, client client.example[192.0.2.7]",
			"attempt 1 via smtp to mx.example.net:25, tls may, by route 1: to example.net, 150.0 ms",
			"u@example.net delivered: 250 2.0.0 ok, said by mx.example.net[198.51.100.2]:25", "next attempt 2026-03-04 05:11:07",
			"      | >>> EHLO us", "failed notification 0000000002 to <a@example.org>", "every recipient has ended"} {
			if !strings.Contains(got, s) {
				t.Errorf("the timeline lacks %q:\n%s", s, got)
			}
		}
		rs, err = tr.ExplainSession("s1")
		if err != nil || len(rs) != 9 { // 3 hooks and the rejection, then 4 hooks and the message
			t.Errorf("session: %d records, %v", len(rs), err)
		}
		if rs, err := tr.Explain("000000000"); err != nil || len(rs) != 0 {
			t.Errorf("the beginning of an ID finds %v, %v", rs, err)
		}
		if _, err := tr.Explain(`1"`); err == nil {
			t.Error("an ID with a quote is taken")
		}
	}
	check(tr)
	tr.Close()
	check(open(t, Options{Dir: dir}))
}

func TestTheTimelineTellsWhyARecipientWaits(t *testing.T) {
	tr := open(t, Options{Dir: t.TempDir()})
	env := envelope()
	tr.Attempted(env, attempt(), nil)
	tr.Settled(env.ID, "w@example.net", "held", sdk.Reply{}, "plugin quarantine")
	rs, err := tr.Explain(env.ID)
	if err != nil {
		t.Fatal(err)
	}
	got := Timeline(rs)
	for _, s := range []string{"\nv@example.net waits because of: 450 4.2.1 later; it goes on at 2026-03-04 05:11:07", "\nw@example.net waits until an operator releases it: held by plugin quarantine"} {
		if !strings.Contains(got, s) {
			t.Errorf("lacks %q:\n%s", s, got)
		}
	}
	if strings.Contains(got, "\nu@example.net waits") {
		t.Errorf("a delivered recipient waits:\n%s", got)
	}
}

func TestNoPeerCanForgeALine(t *testing.T) {
	evil := "x> to=<y\r\n2026-03-04T05:06:07Z relay mta/smtpd[1]: NOQUEUE: reject: \x1b[2J\xff\u202e\u2028[1.2.3.4]"
	var out buffered
	tr := open(t, Options{Log: &out, Dir: t.TempDir()})
	s := session()
	s.RemoteName, s.Helo, s.Login, s.Protocol = evil, evil, evil, evil
	env := envelope()
	env.From, env.Recipients[0] = evil, sdk.Recipient{Addr: evil, Orig: evil}
	a := attempt()
	a.Recipients[0], a.Outcomes[1].Reply.Text, a.Outcomes[1].Remote, a.Conversation = evil, evil, evil, []byte(evil)
	a.Outcomes[1].Reply.Enhanced = evil
	lines := 0
	tr.Connected(s)
	tr.Disconnected(s, evil, map[string][2]int{evil: {1, 2}})
	for _, verb := range []string{"CONNECT", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", evil} {
		tr.Rejected(s, verb, evil, evil, sdk.Reply{Code: 550, Enhanced: evil, Text: evil}, evil, evil, nil)
	}
	tr.Arriving(s, env, evil)
	tr.Accepted(s, env, evil, 0, nil)
	tr.Active(env)
	tr.Attempted(env, a, nil)
	for _, state := range []string{"held", "discarded", "failed", "expired", evil} {
		tr.Settled(env.ID, evil, state, sdk.Reply{Text: evil}, evil)
	}
	tr.Bounced(env.ID, evil, evil, evil)
	tr.Log(slog.LevelInfo, evil, evil, evil, evil, "odd")
	rs, err := tr.Explain(env.ID)
	if err != nil || len(rs) != 8 {
		t.Fatalf("%d records, %v", len(rs), err)
	}
	tr.Close()
	lines = 2 + 7 + 3 + 2 + 5 + 1 + 1
	text := out.String() + Timeline(rs)
	if n := strings.Count(out.String(), "\n"); n != lines {
		t.Errorf("%d lines, want %d:\n%s", n, lines, out.String())
	}
	for line := range strings.Lines(out.String()) {
		if !strings.HasPrefix(line, at) || strings.Contains(line, "=<x>") || strings.Contains(line, " <x>") {
			t.Errorf("forged: %s", line)
		}
		if i := strings.Index(line, "from "); i > 0 && strings.Contains(line, "mta/smtpd") && !strings.Contains(line[i:], "[192.0.2.7]") {
			t.Errorf("another client: %s", line)
		}
	}
	for _, bad := range []string{"\x1b", "\r", "\xff", "\u202e", "\u2028", "\n2026-03-04T05:06:07Z"} {
		if strings.Contains(text, bad) {
			t.Errorf("%q got through", bad)
		}
	}
}

func TestANilThreadGathersNothing(t *testing.T) {
	var th *Thread
	th.Hook(HookCall{Hook: "mail"})
	th.Attempt(attempt())
	th.Note("x")
	th.Reset()
	th.Release()
	if rs := th.Records(); rs != nil {
		t.Errorf("%v", rs)
	}
}

func TestADryRunKeepsItsRecordsInTheThread(t *testing.T) {
	var th Thread
	th.Hook(HookCall{Hook: "mail", Plugin: "p", Action: "continue", At: start})
	th.Attempt(attempt())
	th.Note("tried \xff nothing")
	rs := th.Records()
	if len(rs) != 3 || rs[0].Plugin != "p" || len(rs[1].Results) != 2 || rs[2].Note != "tried \ufffd nothing" {
		t.Errorf("%+v", rs)
	}
	th.Release()
}

func TestAThreadIsBounded(t *testing.T) {
	tr := open(t, Options{Dir: t.TempDir()})
	th := tr.Thread()
	th.Hook(HookCall{Hook: "connect", Plugin: "p", At: start})
	for range 100 {
		th.Hook(HookCall{Hook: "rcpt", Plugin: "p", At: start, Reason: strings.Repeat("r", 2000)})
	}
	if n := len(th.buf); n > threadCap {
		t.Errorf("%d bytes", n)
	}
	tr.Accepted(session(), envelope(), "", 0, th)
	rs, err := tr.Explain("0000000001")
	if err != nil || len(rs) < 20 || len(rs) > 40 {
		t.Fatalf("%d records, %v", len(rs), err)
	}
	if !strings.Contains(Timeline(rs), "some records were left out") {
		t.Error("nobody says that records were left out")
	}
	if len(th.buf) == 0 || len(th.buf) != th.session {
		t.Errorf("after Accepted the thread holds %d bytes, %d of the session", len(th.buf), th.session)
	}
}

func TestGreetingForEverLeavesRoomForATransaction(t *testing.T) {
	tr := open(t, Options{})
	th := tr.Thread()
	for range 1000 {
		th.Hook(HookCall{Hook: "helo", Plugin: "p", At: start, Reason: strings.Repeat("r", 1000)})
	}
	th.Hook(HookCall{Hook: "mail", Plugin: "last", At: start})
	rs := th.Records()
	if n := len(rs); n < 10 || n > 20 || rs[n-1].Plugin != "last" {
		t.Errorf("%d records, the last of %s", n, rs[n-1].Plugin)
	}
}

func TestValuesAreCut(t *testing.T) {
	long := strings.Repeat("é", 1<<20)
	var out buffered
	tr := open(t, Options{Log: &out, Dir: t.TempDir()})
	env, a := envelope(), attempt()
	a.Outcomes[0].Reply.Text, a.Outcomes[1].Reply.Text = long, long
	tr.Arriving(session(), env, long)
	tr.Accepted(session(), env, long, 0, nil)
	tr.Active(env)
	tr.Attempted(env, a, nil)
	tr.Settled(env.ID, long, "held", sdk.Reply{Text: long}, long)
	rs, err := tr.Explain(env.ID)
	if err != nil || len(rs) != 3 || len(Timeline(rs)) > 64<<10 {
		t.Errorf("%d records, %v, %d octets", len(rs), err, len(Timeline(rs)))
	}
	tr.Close()
	if n := out.b.Len(); n > 32<<10 {
		t.Errorf("%d octets of log", n)
	}
}

func TestResetDropsTheTransactionOnly(t *testing.T) {
	tr := open(t, Options{})
	th := tr.Thread()
	th.Hook(HookCall{Hook: "connect", Plugin: "a", At: start})
	th.Hook(HookCall{Hook: "helo", Plugin: "b", At: start})
	th.Hook(HookCall{Hook: "mail", Plugin: "c", At: start})
	th.Hook(HookCall{Hook: "auth", Plugin: "d", At: start})
	th.Reset()
	rs := th.Records()
	if len(rs) != 2 || rs[1].Plugin != "b" {
		t.Errorf("%+v", rs)
	}
	th.Release()
	if th := tr.Thread(); len(th.Records()) != 0 {
		t.Error("a thread from the pool is not empty")
	}
}

func TestOnlyLinesOfTheLevelAreWritten(t *testing.T) {
	for _, c := range []struct {
		level string
		want  int
	}{{"debug", 15}, {"info", 14}, {"warn", 2}, {"error", 1}} {
		var out buffered
		tr := open(t, Options{Log: &out, Level: c.level})
		story(tr)
		for _, l := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
			tr.Log(l, "mta", "hello")
		}
		tr.Close()
		if n := strings.Count(out.String(), "\n"); n != c.want {
			t.Errorf("%s: %d lines, want %d", c.level, n, c.want)
		}
	}
	for _, o := range []Options{{Format: "xml"}, {Level: "loud"}} {
		if _, err := New(o); err == nil || !strings.HasPrefix(err.Error(), "trace: ") {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func TestLinesGoOutTogetherAndSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out buffered
		tr := open(t, Options{Log: &out, Now: time.Now})
		for range 10 {
			tr.Log(slog.LevelInfo, "mta", "hello")
		}
		synctest.Wait()
		if out.String() != "" {
			t.Error("a line was written alone")
		}
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		if n := strings.Count(out.String(), "\n"); n != 10 || out.n != 1 {
			t.Errorf("%d lines in %d writes after 100 ms", n, out.n)
		}
		for range 33 {
			tr.Log(slog.LevelInfo, "mta", strings.Repeat("x", 1<<10))
		}
		synctest.Wait()
		if out.n != 2 {
			t.Error("32 KiB wait for the clock")
		}
		tr.Close()
	})
}

// stuck is a log that nobody reads until released.
type stuck struct {
	buffered
	release chan struct{}
}

func (w *stuck) Write(p []byte) (int, error) {
	<-w.release
	return w.buffered.Write(p)
}

func TestASlowLogLosesLinesButNotWarnings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &stuck{release: make(chan struct{})}
		tr := open(t, Options{Log: out, Now: time.Now})
		for range 33 {
			tr.Log(slog.LevelInfo, "mta", strings.Repeat("x", 1<<10))
		}
		synctest.Wait() // the writer is stuck now
		for range 3000 {
			tr.Log(slog.LevelInfo, "mta", strings.Repeat("y", 1000))
		}
		tr.Log(slog.LevelWarn, "mta", "the disk is nearly full")
		close(out.release)
		if err := tr.Close(); err != nil {
			t.Fatal(err)
		}
		got := out.String()
		if !strings.Contains(got, "the disk is nearly full") || !strings.Contains(got, " lines lost: the log is read too slowly") {
			t.Errorf("the end is %q", got[max(0, len(got)-300):])
		}
		lines := strings.Count(got, strings.Repeat("y", 1000))
		if lost := tr.log.dropped(); lost == 0 || int(lost)+lines != 3000 {
			t.Errorf("%d lost, %d written", lost, lines)
		}
	})
}

func TestWordsOfOursAreNotPutIntoTheMouthOfThePeer(t *testing.T) {
	lost := Reply{Code: 451, Enhanced: "4.4.2", Text: "connection lost"}
	for _, c := range []struct {
		said bool
		want string
	}{{true, "connection lost, said by mx[192.0.2.1]:25"}, {false, "connection lost, of ours about mx[192.0.2.1]:25"}} {
		got := Timeline([]Record{{Kind: KindAttempt, Attempt: 1, Route: Route{Via: "smtp"},
			Results: []Result{{Recipient: "u@example.net", Status: "deferred", Reply: lost, Remote: "mx[192.0.2.1]:25", RemoteReply: c.said}}}})
		if !strings.Contains(got, c.want) {
			t.Errorf("%q lacks %q", got, c.want)
		}
	}
}

func TestAnAttemptOfManyRecipientsIsLoggedWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		tr := open(t, Options{Log: &out, Now: time.Now})
		a := &Attempt{Number: 1, Route: sdk.Route{Via: "smtp"}}
		for i := range 10_000 {
			a.Recipients = append(a.Recipients, fmt.Sprintf("user%d@example.org", i))
			a.Outcomes = append(a.Outcomes, sdk.Outcome{Status: sdk.StatusDelivered, Reply: sdk.Reply{Code: 250, Enhanced: "2.0.0", Text: strings.Repeat("x", 100)}})
		}
		tr.Attempted(&sdk.Envelope{ID: "1", From: "ann@example.net"}, a, nil)
		if err := tr.Close(); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(out.String(), "status=sent"); n != 10_000 || tr.log.dropped() != 0 {
			t.Errorf("%d lines, %d lost", n, tr.log.dropped())
		}
	})
}

func TestCloseDoesNotWaitForeverForAStuckLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &stuck{release: make(chan struct{})}
		tr := open(t, Options{Log: out, Now: time.Now})
		tr.Log(slog.LevelInfo, "mta", "hello")
		if err := tr.Close(); err == nil || !strings.Contains(err.Error(), "the log did not take the last lines") {
			t.Errorf("%v", err)
		}
		close(out.release)
	})
}

func TestRecordsAreWrittenEachSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		tr := open(t, Options{Dir: dir, Now: time.Now})
		tr.Removed("0000000001")
		time.Sleep(time.Second)
		synctest.Wait()
		if rs, err := Search(dir, "0000000001", false); err != nil || len(rs) != 1 {
			t.Errorf("%v, %v", rs, err)
		}
		tr.Close()
	})
}

func TestADamagedTraceBreaksNothing(t *testing.T) {
	dir := t.TempDir()
	tr := open(t, Options{Dir: dir})
	story(tr)
	tr.Close()
	path := filepath.Join(dir, "trace-0001")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := 0; cut < len(whole); cut += 97 {
		b := append([]byte("garbage\x00\n{\"id\":\"0000000001\"\n"), whole[:cut]...)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		tr := open(t, Options{Dir: dir})
		tr.Removed("0000000001")
		rs, err := tr.Explain("0000000001")
		if err != nil || len(rs) == 0 || rs[len(rs)-1].Kind == "" {
			t.Errorf("cut at %d: %d records, %v", cut, len(rs), err)
		}
		tr.Close()
	}
}

func TestTheTraceIsBoundedBySizeAndAge(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	lost := uint64(0)
	s, err := openStore(dir, 7*24*time.Hour, 3*fileSize, func() time.Time { return now }, func(n uint64, err error) { lost += n })
	if err != nil {
		t.Fatal(err)
	}
	filler := `","at":"2026-03-04T05:06:07Z","kind":"note","text":"` + strings.Repeat("x", 64<<10) + "\"}\n"
	var batch []byte
	put := func(id string) {
		batch = append(append(append(batch[:0], `{"id":"`...), id...), filler...)
		s.write(batch, 0)
	}
	for i := range 5 * fileSize / len(filler) {
		put("F" + strings.Repeat("0", 4) + string(rune('A'+i%26)))
		if i == 0 {
			put("FIRST")
		}
	}
	put("LAST")
	files, err := traceFiles(dir)
	var total int64
	for _, f := range files {
		total += f.size
	}
	if err != nil || len(files) < 3 || total > 3*fileSize {
		t.Fatalf("%d files with %d octets, %v", len(files), total, err)
	}
	for id, want := range map[string]int{"FIRST": 0, "LAST": 1} {
		if rs, err := Search(dir, id, false); err != nil || len(rs) != want {
			t.Errorf("%s: %d records, %v", id, len(rs), err)
		}
	}
	if !files[0].indexed || mayHold(files[0].path+idsSuffix, "NOBODY") || !mayHold(files[0].path+idsSuffix, "F0000A") {
		t.Error("the filter of a full file does not tell what is in it")
	}
	if err := os.WriteFile(files[0].path+idsSuffix, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if !mayHold(files[0].path+idsSuffix, "NOBODY") {
		t.Error("a damaged filter hides a file")
	}
	now = now.Add(8 * 24 * time.Hour)
	s.write(nil, 0)
	if files, err = traceFiles(dir); err != nil || len(files) != 0 {
		t.Errorf("after 8 days: %v, %v", files, err)
	}
	put("AGAIN")
	if rs, err := Search(dir, "AGAIN", false); err != nil || len(rs) != 1 || lost != 0 {
		t.Errorf("%v, %v, %d lost", rs, err, lost)
	}
	s.close()
}

func TestAFullDiskLosesRecordsAndSaysSo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "trace")
	var out buffered
	tr := open(t, Options{Dir: dir, Log: &out})
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	tr.Removed("0000000001")
	tr.trace.drain()
	tr.Removed("0000000002")
	tr.trace.drain()
	if n := tr.trace.dropped(); n != 2 {
		t.Errorf("%d dropped", n)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	tr.Removed("0000000003")
	if rs, err := tr.Explain("0000000003"); err != nil || len(rs) != 1 {
		t.Errorf("after the disk is back: %v, %v", rs, err)
	}
	tr.Close()
	if strings.Count(out.String(), "warning: records are lost") != 1 {
		t.Errorf("%s", out.String())
	}
}

func FuzzTheEncodersMakeWhatParsesAndCannotBreakOut(f *testing.F) {
	f.Add("a", "b")
	f.Add("x\r\n\x00\xff\u2028", `"\`)
	f.Fuzz(func(t *testing.T, s, u string) {
		var th Thread
		th.Hook(HookCall{Hook: "rcpt", Plugin: s, Recipient: u, Reply: sdk.Reply{Code: 450, Text: s}, Reason: u, At: start, Edits: []sdk.Edit{{Op: sdk.OpNote, Name: s, Value: u}}})
		th.Attempt(&Attempt{Route: sdk.Route{Via: s, Hosts: []string{u, s}}, Recipients: []string{s}, Outcomes: []sdk.Outcome{{Status: 9, Remote: u}}, At: start, Conversation: []byte(s + u)})
		n := 2
		if len(s)+len(u) > 1000 {
			n = 0
		}
		rs := th.Records()
		if len(rs) < n {
			t.Fatalf("%d records of %q", len(rs), th.buf)
		}
		if n > 0 && rs[0].Plugin != strings.ToValidUTF8(s, "\ufffd") && !strings.Contains(rs[0].Plugin, "\ufffd") {
			t.Fatalf("%q became %q", s, rs[0].Plugin)
		}
		for c, bad := range map[class]string{inText: "\r\n\x1b\x00", inAngle: "<>\r\n\x1b", inName: " <>[](),;=\"'\n"} {
			if got := string(appendSafe(nil, s, c)); strings.ContainsAny(got, bad) {
				t.Fatalf("%q became %q", s, got)
			}
		}
		if got := Timeline(rs); strings.ContainsAny(got, "\r\x1b\x00") {
			t.Fatalf("%q", got)
		}
	})
}

func FuzzADamagedFileIsSearchedInPeace(f *testing.F) {
	f.Add([]byte(`{"id":"A1","session":"s1","at":"2026-03-04T05:06:07Z","kind":"note"}` + "\n" + `{"id":"A1"`))
	f.Add([]byte(`{"id":"A1","session":"A1","results":[{"recipient":7}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, session := range []bool{false, true} {
			for _, r := range searchLines(nil, b, "A1", session) {
				if !session && r.ID != "A1" || session && r.Session != "A1" {
					t.Errorf("%+v is none of A1", r)
				}
				_ = r.Text()
			}
		}
		var ids bloom
		ids.addLines(b)
		for _, r := range searchLines(nil, b, "A1", false) {
			if bytes.HasPrefix(b, []byte(`{"id":"A1"`)) && !ids.has(r.ID) {
				t.Error("the filter hides what the file holds")
			}
		}
	})
}

func BenchmarkAMessage(b *testing.B) {
	tr, err := New(Options{Dir: b.TempDir(), Log: io.Discard, Hostname: "relay"})
	if err != nil {
		b.Fatal(err)
	}
	defer tr.Close()
	s, env, a := session(), envelope(), attempt()
	env.Recipients, a.Recipients, a.Outcomes, a.Next = env.Recipients[1:], a.Recipients[1:], a.Outcomes[:1], a.Next[:1]
	a.Conversation = bytes.Repeat([]byte(">>> MAIL FROM:<a@example.org>\r\n"), 12)
	b.ReportAllocs()
	for b.Loop() {
		th := tr.Thread()
		th.Hook(HookCall{Hook: "mail", Plugin: "tenant", Action: "continue", At: start, Elapsed: time.Microsecond})
		th.Hook(HookCall{Hook: "rcpt", Plugin: "tenant", Recipient: "v@example.net", Action: "accept", At: start, Elapsed: time.Microsecond})
		th.Hook(HookCall{Hook: "data", Plugin: "tenant", Action: "continue", At: start, Elapsed: time.Microsecond})
		tr.Arriving(s, env, "<m1@example.org>")
		tr.Accepted(s, env, "<m1@example.org>", time.Millisecond, th)
		tr.Active(env)
		th.Hook(HookCall{Hook: "route", Plugin: "routes", Recipient: "v@example.net", Action: "use", Detail: "smtp to mx.example.net:25", At: start, Elapsed: time.Microsecond})
		tr.Attempted(env, a, th)
		tr.Removed(env.ID)
		th.Release()
	}
}

func BenchmarkASearch(b *testing.B) {
	dir := b.TempDir()
	tr, err := New(Options{Dir: dir, MaxBytes: searched << 20})
	if err != nil {
		b.Fatal(err)
	}
	env, id := envelope(), make([]byte, 10)
	for i := 0; ; i++ {
		for k, n := 9, i; k >= 0; k, n = k-1, n/10 {
			id[k] = byte('0' + n%10)
		}
		env.ID = string(id)
		tr.Accepted(session(), env, "<m1@example.org>", 0, nil)
		tr.Attempted(env, attempt(), nil)
		tr.Removed(env.ID)
		if i%1000 == 0 {
			tr.trace.drain()
			if files, _ := traceFiles(dir); int64(len(files))*tr.store.fileSize > (searched-16)<<20 {
				break
			}
		}
	}
	last := env.ID
	b.ReportAllocs()
	for b.Loop() {
		if rs, err := tr.Explain(last); err != nil || len(rs) != 3 {
			b.Fatalf("%d records, %v", len(rs), err)
		}
	}
	tr.Close()
}

// searched is the MiB that BenchmarkASearch looks through.
const searched = 64
