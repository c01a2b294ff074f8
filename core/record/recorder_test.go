package record

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

// rcpt is a plugin with one hook.
func rcpt(f func(context.Context, *sdk.RcptEvent) (sdk.Answer, error)) *sdk.Handlers {
	return &sdk.Handlers{Rcpt: f}
}

// yes accepts.
func yes(context.Context, *sdk.RcptEvent) (sdk.Answer, error) { return sdk.Accepted(), nil }

func event(addr string) *sdk.RcptEvent {
	return &sdk.RcptEvent{Session: plugintest.Session(), Envelope: plugintest.Envelope("s@example.com"), Recipient: sdk.Recipient{Addr: addr}}
}

// closed ends a recording and reads it.
func closed(t *testing.T, r *Recorder, file *bytes.Buffer) *Recording {
	t.Helper()
	if _, err := r.Close(); err != nil {
		t.Fatal(err)
	}
	rec, err := Read(bytes.NewReader(file.Bytes()))
	if err != nil {
		t.Fatalf("%v\n%s", err, file)
	}
	return rec
}

func TestEveryCallOfTheHostIsRecordedAndAnsweredAgain(t *testing.T) {
	host := plugintest.NewHost()
	host.SetDNS(sdk.RecordTXT, "example.org", "caf\xe9", "b")
	host.FailDNS(sdk.RecordA, "slow.example", "timeout", true)
	host.FailDNS("MX", "gone.example", "no", false)
	host.SetMX("example.org", sdk.MX{Hosts: []string{"mx1"}})
	host.SetHTTP("POST https://api.example.net/x", plugintest.HTTPAnswer{Response: sdk.HTTPResponse{Status: 201, Body: []byte{0, 255}}})
	host.SetHTTP("GET https://me:hush@api.example.net/", plugintest.HTTPAnswer{Err: errors.New("plain")})
	var seen []string
	ask := func(h sdk.Host) *sdk.Handlers {
		see := func(v ...any) { seen = append(seen, strings.ReplaceAll(fmt.Sprintf("%#v", v), "0x", "")) }
		fail := func(err error) {
			var call *sdk.CallError
			var dns *sdk.DNSError
			see(err.Error(), errors.As(err, &call), errors.As(err, &dns))
		}
		return &sdk.Handlers{Deliver: func(ctx context.Context, e *sdk.DeliverEvent) (sdk.DeliverAnswer, error) {
			kv := h.KV()
			see(h.Hostname(), h.Now(ctx).UTC().String())
			h.Log(ctx, slog.LevelWarn, "text", "k", 1, "odd")
			p := make([]byte, 16)
			h.Random(ctx, p)
			see(p)
			h.Count(ctx, "n", math.NaN())
			h.Gauge(ctx, "g", 2.5)
			see(kv.Set(ctx, "a", []byte("1"), time.Minute))
			v, found, err := kv.Get(ctx, "a")
			see(v, found, err)
			v, found, err = kv.Get(ctx, "none")
			see(v, found, err)
			_, _, err = kv.Get(ctx, "")
			fail(err)
			ok, err := kv.Swap(ctx, "a", []byte("1"), []byte{}, 0)
			see(ok, err)
			ok, err = kv.Swap(ctx, "a", nil, []byte("3"), 0)
			see(ok, err)
			n, err := kv.Add(ctx, "c", 5, time.Hour)
			see(n, err)
			see(kv.Delete(ctx, "a"))
			values, err := h.Lookup(ctx, sdk.RecordTXT, "example.org")
			see(values, err)
			_, err = h.Lookup(ctx, sdk.RecordA, "slow.example")
			fail(err)
			mx, err := h.MX(ctx, "example.org")
			see(mx, err)
			_, err = h.MX(ctx, "gone.example")
			fail(err)
			resp, err := h.HTTP(ctx, &sdk.HTTPRequest{Method: "POST", URL: "https://api.example.net/x", Body: []byte("q"),
				Header: []sdk.HTTPField{{Name: "Authorization", Value: "Bearer hush"}, {Name: "X-API-Key", Value: "hush"}}})
			see(*resp, err)
			_, err = h.HTTP(ctx, &sdk.HTTPRequest{URL: "https://me:hush@api.example.net/"})
			fail(err)
			outs, err := h.Send(ctx, e, sdk.SendOptions{LMTP: true})
			see(outs, err)
			return sdk.DeliverAnswer{Outcomes: outs}, nil
		}}
	}
	var file bytes.Buffer
	r := New(&file, Options{}, Header{Hostname: host.Hostname()})
	hs := r.Wrap(ask(r.Host(host)))
	e := &sdk.DeliverEvent{Envelope: plugintest.Envelope("s@example.com"), Recipients: []sdk.Recipient{{Addr: "a@x"}}, Route: sdk.Route{Via: "lmtp", Hosts: []string{"h"}}}
	if _, err := hs.Deliver(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	first := seen
	seen = nil
	rec := closed(t, r, &file)
	if strings.Contains(file.String(), "hush") {
		t.Error("a credential is in the file")
	}
	rep, err := rec.Replay(t.Context(), func(_ context.Context, h sdk.Host, _ []byte) (*sdk.Handlers, func() error, error) {
		return ask(h), func() error { return nil }, nil
	}, ReplayOptions{Logs: true})
	if err != nil {
		t.Fatal(err)
	}
	if !rep.OK() {
		t.Errorf("%s\n%s", rep.Text(), file.String())
	}
	for i := range first {
		if i < len(seen) && seen[i] != first[i] {
			t.Errorf("%d: %s, and then %s", i, first[i], seen[i])
		}
	}
	if len(seen) != len(first) || len(rec.Calls[0].Calls) < 20 {
		t.Errorf("%d and %d; %d calls", len(first), len(seen), len(rec.Calls[0].Calls))
	}
}

func TestWhatChangesAfterACallIsNotInTheFile(t *testing.T) {
	var file bytes.Buffer
	r := New(&file, Options{}, Header{})
	edits := []sdk.Edit{{Op: sdk.OpNote, Name: "a", Value: "before"}}
	hs := r.Wrap(rcpt(func(context.Context, *sdk.RcptEvent) (sdk.Answer, error) { return sdk.Answer{Edits: edits}, nil }))
	e := event("before@example.org")
	if _, err := hs.Rcpt(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	edits[0].Value, e.Session.Helo, e.Envelope.From = "after", "after", "after"
	closed(t, r, &file)
	if strings.Contains(file.String(), "after") || strings.Count(file.String(), "before") != 2 {
		t.Error(file.String())
	}
}

// stuck is a file that takes nothing until it is told.
type stuck struct {
	mu      sync.Mutex
	file    bytes.Buffer
	blocked chan struct{}
}

func (s *stuck) Write(p []byte) (int, error) {
	<-s.blocked
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.file.Write(p)
}

func TestAFullQueueDropsCallsAndNeverWaits(t *testing.T) {
	s := &stuck{blocked: make(chan struct{})}
	r := New(s, Options{}, Header{})
	hs := r.Wrap(rcpt(yes))
	const calls = 3 * maxQueue // none of them waits, or this test hangs
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range calls / 4 {
				if a, err := hs.Rcpt(t.Context(), event("a@example.org")); err != nil || a.Action != sdk.Accept {
					t.Errorf("%v, %v", a, err)
				}
			}
		})
	}
	wg.Wait()
	close(s.blocked)
	sum, err := r.Close()
	if err != nil || sum.Dropped == 0 || sum.Calls+sum.Dropped != calls {
		t.Errorf("%+v, %v", sum, err)
	}
	rec, err := Read(&s.file)
	if err != nil || int64(len(rec.Calls)) != sum.Calls || rec.End == nil || *rec.End != sum {
		t.Errorf("%d calls, %+v, %v", len(rec.Calls), rec.End, err)
	}
}

func TestAFullQueueOfLargeCallsIsBoundedInOctets(t *testing.T) {
	s := &stuck{blocked: make(chan struct{})}
	r := New(s, Options{}, Header{})
	large := strings.Repeat("x", 1<<20)
	hs := r.Wrap(rcpt(func(context.Context, *sdk.RcptEvent) (sdk.Answer, error) { return sdk.Answer{Reason: large}, nil }))
	for range 100 {
		if _, err := hs.Rcpt(t.Context(), event("a@example.org")); err != nil {
			t.Fatal(err)
		}
	}
	if n := r.pending.Load(); n > maxPending {
		t.Errorf("%d octets wait", n)
	}
	close(s.blocked)
	sum, err := r.Close()
	if err != nil || sum.Dropped < 60 || sum.Calls < 20 {
		t.Errorf("%+v, %v", sum, err)
	}
	if n := r.pending.Load(); n != 0 {
		t.Errorf("%d octets are left", n)
	}
}

func TestACallThatCannotBeRecordedWholeIsDropped(t *testing.T) {
	var file bytes.Buffer
	r := New(&file, Options{}, Header{})
	h := r.Host(plugintest.NewHost())
	hs := r.Wrap(rcpt(func(ctx context.Context, e *sdk.RcptEvent) (sdk.Answer, error) {
		n := maxHost
		if e.Recipient.Addr == "more@example.org" {
			n++
		}
		for range n {
			h.Now(ctx)
		}
		return sdk.Answer{}, nil
	}))
	for _, addr := range []string{"more@example.org", "most@example.org"} {
		if _, err := hs.Rcpt(t.Context(), event(addr)); err != nil {
			t.Fatal(err)
		}
	}
	rec := closed(t, r, &file)
	if len(rec.Calls) != 1 || rec.Calls[0].N != 2 || rec.End.Dropped != 1 {
		t.Errorf("%d calls, %+v", len(rec.Calls), rec.End)
	}
}

func TestARecordingEndsAtItsLimits(t *testing.T) {
	for name, o := range map[string]Options{"3 calls were asked for": {MaxCalls: 3}, "it has reached 4096 octets": {MaxBytes: 4096}} {
		var file bytes.Buffer
		r := New(&file, o, Header{})
		hs := r.Wrap(rcpt(yes))
		for over := false; !over; {
			if _, err := hs.Rcpt(t.Context(), event("a@example.org")); err != nil {
				t.Fatal(err)
			}
			select {
			case <-r.Done():
				over = true
			default:
			}
		}
		rec := closed(t, r, &file)
		if rec.End == nil || rec.End.Why != name || o.MaxCalls > 0 && len(rec.Calls) != o.MaxCalls || int64(file.Len()) > 4096+200 {
			t.Errorf("%s: %d calls, %d octets, %+v", name, len(rec.Calls), file.Len(), rec.End)
		}
	}
}

// full is a disk without room.
type full struct{ left atomic.Int64 }

func (f *full) Write(p []byte) (int, error) {
	if f.left.Add(-int64(len(p))) < 0 {
		return 0, errors.New("no space left")
	}
	return len(p), nil
}

func TestADiskWithoutRoomEndsTheRecordingAndNothingElse(t *testing.T) {
	f := &full{}
	f.left.Store(2000)
	r := New(f, Options{}, Header{})
	hs := r.Wrap(rcpt(yes))
	for range 500 {
		if a, err := hs.Rcpt(t.Context(), event("a@example.org")); err != nil || a.Action != sdk.Accept {
			t.Fatal(a, err)
		}
	}
	if _, err := r.Close(); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Error(err)
	}
}

func TestPasswordsAreNotRecorded(t *testing.T) {
	host := plugintest.NewHost()
	var file bytes.Buffer
	r := New(&file, Options{}, Header{})
	h := r.Host(host)
	hs := r.Wrap(&sdk.Handlers{Auth: func(ctx context.Context, e *sdk.AuthEvent) (sdk.Answer, error) {
		_, err := h.HTTP(ctx, &sdk.HTTPRequest{Method: "POST", URL: "https://x/", Body: []byte(e.Password)})
		return sdk.Answer{Action: sdk.Accept, Identity: e.Username}, err
	}})
	e := &sdk.AuthEvent{Session: plugintest.Session(), Mechanism: "PLAIN", Username: "alice", Password: "open sesame"}
	if a, err := hs.Auth(t.Context(), e); err != nil || a.Identity != "alice" || e.Password != "open sesame" {
		t.Fatal(a, err, e)
	}
	rec := closed(t, r, &file)
	if strings.Contains(file.String(), "sesame") || strings.Contains(file.String(), "b3BlbiB") {
		t.Error(file.String())
	}
	rep, err := rec.Replay(t.Context(), handlers(&sdk.Handlers{Auth: func(context.Context, *sdk.AuthEvent) (sdk.Answer, error) {
		t.Error("asked with a wrong password")
		return sdk.Answer{}, nil
	}}), ReplayOptions{})
	if err != nil || rep.Skipped[skipWithheld] != 1 || rep.OK() {
		t.Errorf("%+v, %v", rep, err)
	}
}

func TestAContentIsRecordedOnce(t *testing.T) {
	data := func(_ context.Context, e *sdk.DataEvent) (sdk.Answer, error) {
		b, err := e.Message.Open()
		if err != nil {
			return sdk.Answer{}, err
		}
		defer b.Close()
		content, err := io.ReadAll(b)
		return sdk.Answer{Reason: string(content)}, err
	}
	for _, bodies := range []bool{false, true} {
		var file bytes.Buffer
		r := New(&file, Options{Bodies: bodies, MaxBody: 100}, Header{})
		hs := r.Wrap(&sdk.Handlers{Data: data})
		for _, text := range []string{"Subject: once\n\n\xff\n", "Subject: once\n\n\xff\n", strings.Repeat("too large", 20)} {
			e := &sdk.DataEvent{Session: plugintest.Session(), Envelope: plugintest.Envelope("a@x"), Message: plugintest.Message(text)}
			if _, err := hs.Data(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		rec := closed(t, r, &file)
		want := 0
		if bodies {
			want = 1
		}
		if n := strings.Count(file.String(), `"body64":`) + strings.Count(file.String(), `"body":`); n != want || rec.Header.Bodies != bodies {
			t.Errorf("%d contents\n%s", n, file.String())
		}
		rep, err := rec.Replay(t.Context(), handlers(&sdk.Handlers{Data: data}), ReplayOptions{})
		if err != nil || rep.Same != 2*want || rep.Skipped[skipBody] != 3-2*want || rep.Different != 0 {
			t.Errorf("%+v, %v", rep, err)
		}
	}
}

func TestAPanicPassesAndIsRecorded(t *testing.T) {
	var file bytes.Buffer
	r := New(&file, Options{}, Header{})
	hs := r.Wrap(rcpt(func(context.Context, *sdk.RcptEvent) (sdk.Answer, error) { panic("at the disco") }))
	func() {
		defer func() {
			if v := recover(); v != "at the disco" {
				t.Errorf("recovered %v", v)
			}
		}()
		hs.Rcpt(t.Context(), event("a@x"))
	}()
	if rec := closed(t, r, &file); len(rec.Calls) != 1 || rec.Calls[0].Error != "panic" {
		t.Errorf("%+v", rec.Calls)
	}
}

func TestACallThatIsLeftBehindHarmsNothing(t *testing.T) {
	var file bytes.Buffer
	r := New(&file, Options{}, Header{})
	h := r.Host(plugintest.NewHost())
	release, left := make(chan struct{}), make(chan struct{}, 2)
	hs := r.Wrap(rcpt(func(ctx context.Context, _ *sdk.RcptEvent) (sdk.Answer, error) {
		go func() {
			<-release
			h.Now(ctx) // after its hook has returned, and its recording was closed
			left <- struct{}{}
		}()
		return sdk.Answer{}, nil
	}))
	if _, err := hs.Rcpt(t.Context(), event("a@x")); err != nil {
		t.Fatal(err)
	}
	rec := closed(t, r, &file)
	close(release)
	<-left
	if len(rec.Calls) != 1 || len(rec.Calls[0].Calls) != 0 {
		t.Errorf("%+v", rec.Calls)
	}
	if _, err := hs.Rcpt(t.Context(), event("a@x")); err != nil {
		t.Error(err)
	}
	if _, err := r.Close(); err != nil {
		t.Error(err)
	}
}

func TestATapIsAttachedAndDetachedWhileMailFlows(t *testing.T) {
	tap := &Tap{}
	h := tap.Host(plugintest.NewHost())
	hs := tap.Handlers(rcpt(func(ctx context.Context, _ *sdk.RcptEvent) (sdk.Answer, error) {
		n, err := h.KV().Add(ctx, "n", 1, 0)
		return sdk.Answer{Reason: fmt.Sprint(n)}, err
	}))
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for ctx.Err() == nil {
				if _, err := hs.Rcpt(ctx, event("a@example.org")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 5 {
		var file bytes.Buffer
		r := New(&file, Options{MaxCalls: 50}, Header{})
		if !tap.Attach(r) {
			t.Fatal("not attached")
		}
		if tap.Attach(r) {
			t.Error("attached twice")
		}
		<-r.Done()
		tap.Detach(r)
		for _, c := range closed(t, r, &file).Calls {
			// A call that began before it was attached has no line; one that has a
			// line has all of it.
			if len(c.Calls) != 1 || fmt.Sprint(c.Calls[0].Result.(*sdk.KVAddResult).Value) != c.Answer.(*sdk.Answer).Reason {
				t.Errorf("%+v", c)
			}
		}
	}
	stop()
	wg.Wait()
}

func TestATapThatIsOffAllocatesNothing(t *testing.T) {
	tap := &Tap{}
	h := tap.Host(quietHost{})
	hs := tap.Handlers(rcpt(func(ctx context.Context, _ *sdk.RcptEvent) (sdk.Answer, error) {
		h.Now(ctx)
		_, _, err := h.KV().Get(ctx, "key")
		return sdk.Answer{}, err
	}))
	e, ctx := event("a@example.org"), t.Context()
	if n := testing.AllocsPerRun(100, func() { hs.Rcpt(ctx, e) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// quietHost answers at once.
type quietHost struct{ sdk.Host }

func (quietHost) Now(context.Context) time.Time { return plugintest.Epoch }
func (quietHost) KV() sdk.KV                    { return quietKV{} }

type quietKV struct{ sdk.KV }

func (quietKV) Get(context.Context, string) ([]byte, bool, error) { return nil, false, nil }

func BenchmarkTap(b *testing.B) {
	tap := &Tap{}
	bare := rcpt(yes)
	run := func(name string, hs *sdk.Handlers) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			e, ctx := event("a@example.org"), b.Context()
			for b.Loop() {
				if _, err := hs.Rcpt(ctx, e); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	run("none", bare)
	run("off", tap.Handlers(bare))
	r := New(io.Discard, Options{MaxBytes: 1 << 40}, Header{})
	tap.Attach(r)
	run("on", tap.Handlers(bare))
	tap.Detach(r)
	if _, err := r.Close(); err != nil {
		b.Fatal(err)
	}
}

// handlers is a Load of hooks that need no start.
func handlers(hs *sdk.Handlers) Load {
	return func(context.Context, sdk.Host, []byte) (*sdk.Handlers, func() error, error) {
		return hs, func() error { return nil }, nil
	}
}
