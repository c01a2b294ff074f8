package hook_test

import (
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/programmable-mta/mta/core/hook"
	"github.com/programmable-mta/mta/core/trace"
	"github.com/programmable-mta/mta/sdk"
)

func chains(tb testing.TB, plugins ...hook.Plugin) *hook.Chains {
	tb.Helper()
	c, err := hook.New(plugins, hook.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// connects makes a plugin with a connect hook.
func connects(f func(context.Context, *sdk.ConnectEvent) (sdk.Answer, error)) hook.Plugin {
	return hook.Plugin{Name: "p", Handlers: sdk.Handlers{Connect: f}}
}

func connect(c *hook.Chains) hook.Verdict {
	return c.Connect(context.Background(), nil, &sdk.ConnectEvent{Session: &sdk.Session{}})
}

func TestAStuckPluginDelaysASessionByItsDeadlineAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		leave := make(chan struct{})
		p := connects(func(context.Context, *sdk.ConnectEvent) (sdk.Answer, error) {
			<-leave
			return sdk.Rejected("", ""), nil
		})
		p.Deadline, p.Slots = 2*time.Second, 3
		c := chains(t, p)
		began := runtime.NumGoroutine()
		// The slots fill up; then the wait is for a slot, and as long.
		for i := range 4 {
			start := time.Now()
			if v := connect(c); v.Action != sdk.Defer || v.Reply.Code != 421 || strings.Contains(v.Reply.Text, "deadline") {
				t.Fatalf("call %d: %+v", i, v)
			}
			if d := time.Since(start); d != 2*time.Second {
				t.Errorf("call %d took %v", i, d)
			}
		}
		if n := runtime.NumGoroutine() - began; n > 3 {
			t.Errorf("%d goroutines more than before", n)
		}
		m := c.Describe()[0].Members[0]
		if m.Busy != 3 || m.Slots != 3 || m.Failures != 4 || m.Breaker != "closed" {
			t.Errorf("described as %+v", m)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		if err := c.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), `"p"`) {
			t.Errorf("drained: %v", err)
		}
		cancel()
		close(leave)
		synctest.Wait()
	})
}

func TestDrainWaitsForCallsThatWereLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var done atomic.Bool
		p := connects(func(context.Context, *sdk.ConnectEvent) (sdk.Answer, error) {
			time.Sleep(time.Minute)
			done.Store(true)
			return sdk.Answer{}, nil
		})
		c := chains(t, p)
		if v := connect(c); v.Action != sdk.Defer {
			t.Fatalf("%+v", v)
		}
		if err := c.Drain(t.Context()); err != nil || !done.Load() {
			t.Errorf("drained before the call returned: %v", err)
		}
	})
}

func TestTheContextOfACallEndsWithItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var saw error
		c := chains(t, connects(func(ctx context.Context, _ *sdk.ConnectEvent) (sdk.Answer, error) {
			<-ctx.Done()
			saw = ctx.Err()
			return sdk.Answer{}, ctx.Err()
		}))
		start := time.Now()
		connect(c)
		synctest.Wait()
		if !errors.Is(saw, context.DeadlineExceeded) || time.Since(start) != hook.DefaultDeadline {
			t.Errorf("%v after %v", saw, time.Since(start))
		}
	})
}

func TestABreakerOpensAfterFiveFailuresAndProbesAfterThirtySeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls, ill := 0, true
		p := connects(func(context.Context, *sdk.ConnectEvent) (sdk.Answer, error) {
			calls++
			if ill {
				return sdk.Answer{}, errors.New("no")
			}
			return sdk.Accepted(), nil
		})
		p.Inline = true
		p.OnError = map[string]hook.OnError{"connect": hook.OnErrorReject}
		c := chains(t, p)
		state := func() string { return c.Describe()[0].Members[0].Breaker }
		expect := func(when string, n int, want string, action sdk.Action) {
			t.Helper()
			if v := connect(c); v.Action != action || calls != n || state() != want {
				t.Errorf("%s: %s, %d calls, breaker %s; want %s, %d, %s", when, v.Action, calls, state(), action, n, want)
			}
		}
		for i := range 4 {
			expect("ill", i+1, "closed", sdk.Reject)
		}
		expect("the fifth", 5, "open", sdk.Reject)
		expect("open", 5, "open", sdk.Reject)
		time.Sleep(29 * time.Second)
		expect("still open", 5, "open", sdk.Reject)
		time.Sleep(time.Second)
		if state() != "half-open" {
			t.Errorf("after 30 s it is %s", state())
		}
		expect("a probe that fails", 6, "open", sdk.Reject)
		expect("open again", 6, "open", sdk.Reject)
		time.Sleep(30 * time.Second)
		ill = false
		expect("a probe that succeeds", 7, "closed", sdk.Accept)
		ill = true
		for i := range 4 {
			expect("ill again", 8+i, "closed", sdk.Reject)
		}
		ill = false
		expect("well in between", 12, "closed", sdk.Accept)
		if f := c.Describe()[0].Members[0].Failures; f != 0 {
			t.Errorf("%d failures after a success", f)
		}
	})
}

func TestOnlyOneProbeGoesThroughAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		release := make(chan struct{})
		c := chains(t, connects(func(context.Context, *sdk.ConnectEvent) (sdk.Answer, error) {
			if calls.Add(1) > 5 {
				<-release
				return sdk.Accepted(), nil
			}
			return sdk.Answer{}, errors.New("no")
		}))
		for range 5 {
			connect(c)
		}
		time.Sleep(31 * time.Second)
		verdicts := make(chan sdk.Action, 4)
		for range 4 {
			go func() { verdicts <- connect(c).Action }()
		}
		synctest.Wait()
		for range 3 {
			if a := <-verdicts; a != sdk.Defer {
				t.Errorf("a call beside the probe: %s", a)
			}
		}
		close(release)
		if a := <-verdicts; a != sdk.Accept || calls.Load() != 6 {
			t.Errorf("the probe: %s after %d calls", a, calls.Load())
		}
	})
}

func TestASessionThatEndsSaysNothingAboutThePlugin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		c := chains(t, connects(func(ctx context.Context, _ *sdk.ConnectEvent) (sdk.Answer, error) {
			if calls++; calls <= 5 {
				return sdk.Answer{}, errors.New("no")
			}
			<-ctx.Done()
			return sdk.Answer{}, ctx.Err()
		}))
		gone := func() string {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			v := c.Connect(ctx, nil, &sdk.ConnectEvent{Session: &sdk.Session{}})
			synctest.Wait()
			return v.Reason
		}
		for range 5 {
			connect(c)
		}
		time.Sleep(31 * time.Second)
		for i := range 3 {
			// Each is a probe, and none of them decides.
			gone()
			if m := c.Describe()[0].Members[0]; calls != 6+i || m.Failures != 5 || m.Breaker != "half-open" {
				t.Fatalf("round %d: %d calls, %+v", i, calls, m)
			}
		}
	})
}

func TestALateAnswerOfACallThatWasLeftBehindIsNotObeyed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := connects(func(context.Context, *sdk.ConnectEvent) (sdk.Answer, error) {
			time.Sleep(11 * time.Second)
			return sdk.Noted("late", "yes"), nil
		})
		p.OnError = map[string]hook.OnError{hook.EveryHook: hook.OnErrorContinue}
		c := chains(t, p)
		s := &sdk.Session{}
		v := c.Connect(t.Context(), nil, &sdk.ConnectEvent{Session: s})
		time.Sleep(time.Minute)
		if v.Action != sdk.Continue || len(s.Notes) != 0 {
			t.Errorf("%+v, notes %v", v, s.Notes)
		}
	})
}

func TestAPanicIsAnErrorOfThePlugin(t *testing.T) {
	for _, inline := range []bool{true, false} {
		p := connects(func(context.Context, *sdk.ConnectEvent) (sdk.Answer, error) { panic("secret: hunter2") })
		p.Inline = inline
		th := &trace.Thread{}
		v := chains(t, p).Connect(t.Context(), th, &sdk.ConnectEvent{Session: &sdk.Session{}})
		if v.Action != sdk.Defer || !strings.Contains(v.Reason, "hunter2") || strings.Contains(v.Reply.Text, "hunter2") {
			t.Errorf("inline %v: %+v", inline, v)
		}
		if r := th.Records(); len(r) != 1 || !strings.Contains(r[0].Error, "panic: secret: hunter2") {
			t.Errorf("inline %v: records %+v", inline, r)
		}
	}
}

func TestAGuardedCallMayReadItsEventForEver(t *testing.T) {
	// Under the race detector this fails if the plugin shares anything with
	// the session that goes on without it.
	synctest.Test(t, func(t *testing.T) {
		stop := make(chan struct{})
		var wg sync.WaitGroup
		wg.Add(4)
		read := func(s *sdk.Session, env *sdk.Envelope) {
			defer wg.Done()
			<-stop
			n := len(s.Helo)
			for k := range s.Notes {
				n += len(k)
			}
			if env != nil {
				for _, r := range env.Recipients {
					n += len(r.Addr)
				}
				for k := range env.Notes {
					n += len(k)
				}
			}
		}
		c := chains(t, hook.Plugin{Name: "p", Deadline: time.Second, Handlers: sdk.Handlers{
			Helo: func(_ context.Context, e *sdk.HeloEvent) (sdk.Answer, error) {
				read(e.Session, nil)
				return sdk.Answer{}, nil
			},
			Rcpt: func(_ context.Context, e *sdk.RcptEvent) (sdk.Answer, error) {
				read(e.Session, e.Envelope)
				return sdk.Answer{}, nil
			},
			Outcome: func(_ context.Context, e *sdk.OutcomeEvent) (sdk.OutcomeAnswer, error) {
				read(&sdk.Session{}, e.Envelope)
				return sdk.OutcomeAnswer{}, nil
			},
			Disconnect: func(_ context.Context, e *sdk.DisconnectEvent) (sdk.None, error) {
				read(e.Session, nil)
				return sdk.None{}, nil
			},
		}})
		s := &sdk.Session{Notes: sdk.Notes{"a.b": "c"}}
		env := &sdk.Envelope{Recipients: []sdk.Recipient{{Addr: "a@example.org"}}, Notes: sdk.Notes{"a.b": "c"}}
		c.Helo(t.Context(), nil, &sdk.HeloEvent{Session: s})
		c.Rcpt(t.Context(), nil, &sdk.RcptEvent{Session: s, Envelope: env}, nil)
		c.Outcome(t.Context(), nil, &sdk.OutcomeEvent{Envelope: env})
		c.Disconnect(t.Context(), nil, &sdk.DisconnectEvent{Session: s})
		close(stop)
		// From here on the reads and these writes are at the same time.
		s.Helo, s.Notes["x.y"], env.Notes["x.y"] = "changed", "z", "z"
		env.Recipients[0].Addr = "changed@example.org"
		wg.Wait()
	})
}

// memory is a body in memory that knows whether it is open.
type memory struct {
	*strings.Reader
	open *atomic.Int32
}

func (m memory) Close() error { m.open.Add(-1); return nil }

func message(text string, open *atomic.Int32) sdk.Message {
	return sdk.NewMessage("id", int64(len(text)), func() (sdk.Body, error) {
		open.Add(1)
		return memory{strings.NewReader(text), open}, nil
	})
}

func TestAMessageCanBeReadUntilTheCallEndsAndNoLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var kept sdk.Body
		var handle sdk.Message
		var errs []error
		c := chains(t, hook.Plugin{Name: "p", Handlers: sdk.Handlers{Data: func(_ context.Context, e *sdk.DataEvent) (sdk.Answer, error) {
			handle = e.Message
			b, err := e.Message.Open()
			if err != nil {
				return sdk.Answer{}, err
			}
			all, err := io.ReadAll(b)
			if err != nil || string(all) != "hello" {
				t.Errorf("read %q, %v", all, err)
			}
			errs = append(errs, b.Close(), b.Close())
			kept, err = e.Message.Open()
			at := make([]byte, 2)
			if n, _ := kept.ReadAt(at, 3); n != 2 || string(at) != "lo" {
				t.Errorf("read %q at 3", at)
			}
			for err == nil {
				_, err = e.Message.Open()
			}
			return sdk.Answer{}, nil
		}}})
		var open atomic.Int32
		v := c.Data(t.Context(), nil, &sdk.DataEvent{Envelope: &sdk.Envelope{}, Message: message("hello", &open)}, nil)
		if v.Action != sdk.Continue || open.Load() != 0 {
			t.Errorf("%+v, %d readers left open", v, open.Load())
		}
		_, err := kept.Read(make([]byte, 1))
		_, errAt := kept.ReadAt(make([]byte, 1), 0)
		_, errOpen := handle.Open()
		if err == nil || errAt == nil || errOpen == nil || kept.Close() != nil || errors.Join(errs...) != nil {
			t.Errorf("after the call: read %v, read at %v, open %v; closes %v", err, errAt, errOpen, errs)
		}
	})
}

func TestAMessageWithoutContentStaysOne(t *testing.T) {
	c := chains(t, hook.Plugin{Name: "p", Handlers: sdk.Handlers{Bounce: func(_ context.Context, e *sdk.BounceEvent) (sdk.BounceAnswer, error) {
		_, err := e.Message.Open()
		return sdk.BounceAnswer{}, err
	}}})
	if a, by := c.Bounce(t.Context(), nil, &sdk.BounceEvent{}, nil); !a.Defer || by != "p" {
		t.Errorf("%+v by %q", a, by)
	}
}

func TestDeliverIsNotCutByADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := chains(t, hook.Plugin{Name: "slow", Deadline: time.Second, Handlers: sdk.Handlers{Deliver: func(ctx context.Context, e *sdk.DeliverEvent) (sdk.DeliverAnswer, error) {
			if _, bounded := ctx.Deadline(); bounded {
				t.Error("the context has a deadline")
			}
			time.Sleep(time.Hour)
			return sdk.DeliverAnswer{Outcomes: make([]sdk.Outcome, 1)}, errors.New("no")
		}}})
		start := time.Now()
		outs := c.Deliver(context.Background(), nil, &sdk.DeliverEvent{Route: sdk.Route{Via: "slow"}, Recipients: make([]sdk.Recipient, 1)})
		if time.Since(start) != time.Hour || len(outs) != 1 || outs[0].Status != sdk.StatusDeferred {
			t.Errorf("%+v after %v", outs, time.Since(start))
		}
	})
}
