package smtpin

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/programmable-mta/mta/core/hook"
	"github.com/programmable-mta/mta/core/queue"
	"github.com/programmable-mta/mta/core/trace"
	"github.com/programmable-mta/mta/sdk"
)

const host = "mx.example.org"

// drafts is the queue that drafts and IDs of all tests come from; nothing is
// ever put into it.
var drafts *queue.Queue

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "smtpin")
	if err != nil {
		panic(err)
	}
	if drafts, err = queue.Open(dir, queue.Options{MinFree: -1}); err != nil {
		panic(err)
	}
	code := m.Run()
	drafts.Close()
	os.RemoveAll(dir)
	os.Exit(code)
}

// kept is a message that the queue was given.
type kept struct {
	env  sdk.Envelope
	body string
	held string
}

// text is the message without our Received field.
func (k kept) text() string {
	rest := k.body
	for {
		_, after, ok := strings.Cut(rest, "\r\n")
		if !ok {
			return ""
		}
		rest = after
		if rest == "" || rest[0] != ' ' && rest[0] != '\t' {
			return rest
		}
	}
}

// spool is a queue that keeps what it is given in memory.
type spool struct {
	*queue.Queue
	mu    sync.Mutex
	msgs  []kept
	fail  error
	light bool   // keeps no bodies
	full  bool   // no draft can be written
	block func() // before a Put
	put   func() // within Put, before it returns nil
}

func (s *spool) Draft(id string) *queue.Draft {
	if s.full {
		id = "no ID"
	}
	return s.Queue.Draft(id)
}

func (s *spool) Put(_ context.Context, d *queue.Draft, env *sdk.Envelope) error {
	return s.take(d, env, "")
}

func (s *spool) PutHeld(_ context.Context, d *queue.Draft, env *sdk.Envelope, by string) error {
	return s.take(d, env, by)
}

func (s *spool) take(d *queue.Draft, env *sdk.Envelope, by string) error {
	if s.block != nil {
		s.block()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	if s.light {
		s.msgs = append(s.msgs[:0], kept{env: *env})
		d.Discard()
		return nil
	}
	b, err := d.Open()
	if err != nil {
		return err
	}
	defer b.Close()
	text, err := io.ReadAll(b)
	if err != nil {
		return err
	}
	s.msgs = append(s.msgs, kept{*env, string(text), by})
	d.Discard()
	if s.put != nil {
		s.put()
	}
	return nil
}

func (s *spool) messages() []kept {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]kept(nil), s.msgs...)
}

// logbuf is the log of a server under test.
type logbuf struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logbuf) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// door is a server under test.
type door struct {
	*Server
	q   *spool
	log *logbuf
	tr  *trace.Tracer
}

// logged closes the tracer and returns what it wrote.
func (d *door) logged(t testing.TB) string {
	t.Helper()
	if err := d.tr.Close(); err != nil {
		t.Fatal(err)
	}
	d.log.mu.Lock()
	defer d.log.mu.Unlock()
	return d.log.b.String()
}

func chains(t testing.TB, ps ...hook.Plugin) *hook.Chains {
	t.Helper()
	c, err := hook.New(ps, hook.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newDoor(t testing.TB, change ...func(*Options)) *door {
	t.Helper()
	d := &door{q: &spool{Queue: drafts}, log: &logbuf{}}
	var err error
	d.tr, err = trace.New(trace.Options{Log: d.log, Hostname: host})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.tr.Close() })
	o := Options{Hostname: host, Queue: d.q, Tracer: d.tr, Chains: chains(t, puppet())}
	for _, f := range change {
		f(&o)
	}
	d.Server = New(o)
	return d
}

func limits(f func(*Limits)) func(*Options) { return func(o *Options) { f(&o.Limits) } }

func withPlugins(t testing.TB, ps ...hook.Plugin) func(*Options) {
	return func(o *Options) { o.Chains = chains(t, ps...) }
}

// listen serves a profile on a loopback port and returns the address.
func (d *door) listen(t testing.TB, profile string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- d.Serve(l, Listener{Profile: profile}) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		d.Shutdown(ctx)
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return l.Addr().String()
}

// puppet is a plugin that does what the addresses ask for: a local part of
// "reject", "defer", "disconnect", "discard", "hold" or "nobody"; for the data hook with "data-"
// in front, in the sender for the whole message, in a recipient for that one.
func puppet() hook.Plugin {
	return hook.Plugin{
		Name: "puppet", Runtime: "builtin", Inline: true, MayRelay: true,
		Handlers: sdk.Handlers{Mail: onMail, Rcpt: onRcpt, Predata: onPredata, Data: onData, Helo: onHelo},
	}
}

func asked(word string) sdk.Action {
	a, _ := sdk.ParseAction(word)
	return a
}

func onHelo(_ context.Context, e *sdk.HeloEvent) (sdk.Answer, error) {
	return sdk.Answer{Action: asked(e.Session.Helo)}, nil
}

func onMail(_ context.Context, e *sdk.MailEvent) (sdk.Answer, error) {
	switch l := sdk.LocalPart(e.Envelope.From); l {
	case "panic":
		panic("asked for")
	case "rewrite":
		return sdk.Answer{Edits: []sdk.Edit{{Op: sdk.OpSetSender, Value: "rewritten@example.net"}}}, nil
	default:
		return sdk.Answer{Action: asked(l)}, nil
	}
}

func onRcpt(_ context.Context, e *sdk.RcptEvent) (sdk.Answer, error) {
	switch l := sdk.LocalPart(e.Recipient.Addr); l {
	case "nobody":
		return sdk.Answer{}, nil
	case "fail":
		return sdk.Answer{}, errors.New("broken")
	case "alias":
		return sdk.Answer{Action: sdk.Accept, Edits: []sdk.Edit{
			{Op: sdk.OpReplaceRecipient, Name: e.Recipient.Addr, Value: "one@example.net"},
			{Op: sdk.OpReplaceRecipient, Name: e.Recipient.Addr, Value: "two@example.net"},
			{Op: sdk.OpAddRecipient, Value: "copy@example.net"},
		}}, nil
	case "reject", "defer", "disconnect", "discard":
		return sdk.Answer{Action: asked(l), Reason: "asked for"}, nil
	default:
		return sdk.Answer{Action: sdk.Accept}, nil
	}
}

func onPredata(_ context.Context, e *sdk.PredataEvent) (sdk.Answer, error) {
	l, _ := strings.CutPrefix(sdk.LocalPart(e.Envelope.From), "predata-")
	if l == sdk.LocalPart(e.Envelope.From) {
		return sdk.Answer{}, nil
	}
	return sdk.Answer{Action: asked(l)}, nil
}

func onData(_ context.Context, e *sdk.DataEvent) (sdk.Answer, error) {
	a := sdk.Answer{}
	if l, ok := strings.CutPrefix(sdk.LocalPart(e.Envelope.From), "data-"); ok {
		a.Action = asked(l)
		if l == "edit" {
			a.Edits = []sdk.Edit{
				{Op: sdk.OpPrependHeader, Name: "X-Seen", Value: "yes"},
				{Op: sdk.OpSetSender, Value: ""},
				{Op: sdk.OpAddRecipient, Value: "copy@example.net"},
			}
		}
	}
	for i, r := range e.Envelope.Recipients {
		if l, ok := strings.CutPrefix(sdk.LocalPart(r.Addr), "data-"); ok {
			if a.Recipients == nil {
				a.Recipients = make([]sdk.Verdict, len(e.Envelope.Recipients))
			}
			a.Recipients[i].Action = asked(l)
		}
	}
	return a, nil
}

// script is a connection whose client has all its turns prepared: a Read gives
// the next one, so a session over it runs on the test's own goroutine.
type script struct {
	turns []string
	body  string // said after 354

	turn      int
	writes    []string
	deadlines int
	closed    bool
	onWrite   func(string)
}

func (c *script) Read(p []byte) (int, error) {
	if c.body != "" && len(c.writes) > 0 && strings.HasPrefix(lastLine(c.writes[len(c.writes)-1]), "354") {
		c.writes = append(c.writes, "") // once
		return copy(p, c.body), nil
	}
	if c.turn == len(c.turns) {
		return 0, io.EOF
	}
	t := c.turns[c.turn]
	n := copy(p, t)
	if n < len(t) {
		c.turns[c.turn] = t[n:]
	} else {
		c.turn++
	}
	return n, nil
}

func lastLine(s string) string {
	s = strings.TrimSuffix(s, "\r\n")
	return s[strings.LastIndexByte(s, '\n')+1:]
}

func (c *script) Write(p []byte) (int, error) {
	if c.closed {
		return 0, net.ErrClosed
	}
	c.writes = append(c.writes, string(p))
	if c.onWrite != nil {
		c.onWrite(string(p))
	}
	return len(p), nil
}

func (c *script) Close() error                       { c.closed = true; return nil }
func (c *script) LocalAddr() net.Addr                { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 25} }
func (c *script) RemoteAddr() net.Addr               { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 40000} }
func (c *script) SetDeadline(time.Time) error        { return nil }
func (c *script) SetReadDeadline(time.Time) error    { c.deadlines++; return nil }
func (c *script) SetWriteDeadline(t time.Time) error { c.deadlines++; return nil }

// run has a session over the turns and returns its replies, banner included: the
// last line of each.
func (d *door) run(t testing.TB, turns ...string) []string {
	t.Helper()
	c := &script{turns: turns}
	d.talk(c)
	return codes(t, strings.Join(c.writes, ""))
}

func (d *door) talk(c *script) {
	ip := netip.MustParseAddr("192.0.2.7")
	if why := d.gate.enter(ip); why != "" {
		panic(why)
	}
	d.serveConn(c, ip, "mx")
}

// codes checks that every line is a reply line and returns the last line of each reply.
func codes(t testing.TB, out string) []string {
	t.Helper()
	var rs []string
	for line := range strings.SplitAfterSeq(out, "\r\n") {
		if line == "" {
			continue
		}
		line, ok := strings.CutSuffix(line, "\r\n")
		if !ok || len(line) < 4 || strings.ContainsAny(line, "\r\n") || line[3] != ' ' && line[3] != '-' {
			t.Fatalf("not a reply line: %q", line)
		}
		if line[3] == ' ' {
			rs = append(rs, line)
		}
	}
	return rs
}

// expect compares the beginnings of replies.
func expect(t testing.TB, got []string, want ...string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			t.Fatalf("reply %d is missing: want %q after %q", i, want[i], got)
		case i >= len(want):
			t.Fatalf("reply %d is one too many: %q", i, got[i])
		case !strings.HasPrefix(got[i], want[i]):
			t.Fatalf("reply %d is %q, want %q (all: %q)", i, got[i], want[i], got)
		}
	}
}

const (
	ehlo = "EHLO client.example\r\n"
	mail = "MAIL FROM:<a@example.com>\r\n"
	rcpt = "RCPT TO:<b@example.org>\r\n"
	data = "DATA\r\n"
	quit = "QUIT\r\n"
	text = "Subject: x\r\n\r\nhello\r\n.\r\n"
)
