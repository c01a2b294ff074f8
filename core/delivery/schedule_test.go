package delivery

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/programmable-mta/mta/core/hook"
	"github.com/programmable-mta/mta/core/queue"
	"github.com/programmable-mta/mta/core/trace"
	"github.com/programmable-mta/mta/sdk"
)

// counter counts what runs at once.
type counter struct {
	mu        sync.Mutex
	now, most int
	calls     int
}

func (c *counter) enter() {
	c.mu.Lock()
	c.calls++
	c.now++
	c.most = max(c.most, c.now)
	c.mu.Unlock()
}

func (c *counter) leave() {
	c.mu.Lock()
	c.now--
	c.mu.Unlock()
}

// seen is how many calls there were, and how many at once.
func (c *counter) seen() (calls, most int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls, c.most
}

func (c *counter) reset() {
	c.mu.Lock()
	c.most = 0
	c.mu.Unlock()
}

func TestNeverMoreThanTheConcurrencyOfADestinationRuns(t *testing.T) {
	play(t, func(o *Options) { o.Concurrency = 7 }, func(s *scene) {
		var a, b counter
		s.c.deliver = func(_ context.Context, e *sdk.DeliverEvent) []sdk.Outcome {
			c := &a
			if e.Route.Key == "b.example" {
				c = &b
			}
			c.enter()
			<-time.After(time.Second)
			c.leave()
			return all(e, ok)
		}
		for i := range 350 {
			s.q.add("ann@example.net", fmt.Sprintf("u%d@a.example", i), fmt.Sprintf("u%d@b.example", i))
		}
		s.start()
		s.pass(49*time.Second + time.Millisecond)
		if a.calls != 350 || a.most != 7 || b.calls != 350 || b.most != 7 {
			t.Errorf("a: %d calls, %d at once; b: %d calls, %d at once", a.calls, a.most, b.calls, b.most)
		}
	})
}

func TestNeverMoreThanTheWorkersRun(t *testing.T) {
	play(t, func(o *Options) { o.Workers = 10 }, func(s *scene) {
		var c counter
		s.c.deliver = func(_ context.Context, e *sdk.DeliverEvent) []sdk.Outcome {
			c.enter()
			<-time.After(time.Second)
			c.leave()
			return all(e, ok)
		}
		for i := range 100 {
			s.q.add("ann@example.net", fmt.Sprintf("u@d%d.example", i))
		}
		s.start()
		s.pass(time.Minute)
		if c.calls != 100 || c.most != 10 {
			t.Errorf("%d calls, %d at once", c.calls, c.most)
		}
	})
}

func TestABacklogDoesNotDelayAnotherDestination(t *testing.T) {
	play(t, func(o *Options) { o.Workers = 20 }, func(s *scene) {
		at := map[string]time.Duration{}
		var mu sync.Mutex
		s.c.deliver = func(_ context.Context, e *sdk.DeliverEvent) []sdk.Outcome {
			mu.Lock()
			at[e.Recipients[0].Addr] = time.Since(s.began)
			mu.Unlock()
			<-time.After(time.Second)
			return all(e, ok)
		}
		for i := range 2000 {
			s.q.add("ann@example.net", fmt.Sprintf("u%d@big.example", i))
		}
		s.start()
		s.pass(500 * time.Millisecond)
		s.q.add("ann@example.net", "bob@small.example")
		s.pass(5 * time.Second)
		if got := at["bob@small.example"]; got != time.Second {
			t.Errorf("began after %v, want at the next free worker", got)
		}
	})
}

// slow is a destination that takes one message a minute in each connection.
func TestASlowDestinationCannotFillTheRoomOfAll(t *testing.T) {
	play(t, func(o *Options) { o.Active = 300 }, func(s *scene) {
		at := map[string]time.Duration{}
		var mu sync.Mutex
		var big counter
		s.c.deliver = func(_ context.Context, e *sdk.DeliverEvent) []sdk.Outcome {
			mu.Lock()
			at[e.Recipients[0].Addr] = time.Since(s.began)
			mu.Unlock()
			if e.Route.Key == "tar.example" {
				big.enter()
				<-time.After(time.Minute)
				big.leave()
			}
			return all(e, ok)
		}
		for i := range 1000 {
			s.q.add("ann@example.net", fmt.Sprintf("u%d@tar.example", i))
		}
		s.q.add("ann@example.net", "bob@small.example")
		s.start()
		s.pass(20 * time.Second)
		mu.Lock()
		got, there := at["bob@small.example"]
		mu.Unlock()
		if !there || got > 10*time.Second {
			t.Errorf("began after %v (%v), want within 10s", got, there)
		}
		s.pass(3 * time.Hour)
		s.q.mu.Lock()
		if s.q.most > 300 {
			t.Errorf("%d messages were leased", s.q.most)
		}
		if n := len(s.q.settles); n > 10_000 {
			t.Errorf("%d settlements: the queue is being churned", n)
		}
		s.q.mu.Unlock()
		if len(at) != 1001 || big.most != 20 {
			t.Errorf("%d messages began, %d at once", len(at), big.most)
		}
		for _, m := range s.q.msgs {
			if s.q.states(m) != "delivered" || m.rcpts[0].attempts != 1 {
				t.Fatalf("%s %s after %d attempts", m.env.ID, s.q.states(m), m.rcpts[0].attempts)
			}
		}
		// 1,000 messages, 20 a minute, are 50 minutes if it never idles.
		last := time.Duration(0)
		for _, d := range at {
			last = max(last, d)
		}
		if last > 65*time.Minute {
			t.Errorf("the slow destination was idle: the last began after %v", last)
		}
	})
}

func TestADeadDestinationIsParkedAndProbedOnce(t *testing.T) {
	play(t, nil, func(s *scene) {
		var c counter
		var alive atomic.Bool
		s.c.deliver = func(_ context.Context, e *sdk.DeliverEvent) []sdk.Outcome {
			c.enter()
			defer c.leave()
			<-time.After(30 * time.Second)
			if !alive.Load() {
				return all(e, unreachable)
			}
			return all(e, ok)
		}
		for i := range 1500 {
			s.q.add("ann@example.net", fmt.Sprintf("u%d@dead.example", i))
		}
		s.start()
		s.pass(31 * time.Second)
		calls, most := c.seen()
		if calls != 20 || most != 20 {
			t.Errorf("%d connections at first, %d at once, want one cohort of 20", calls, most)
		}
		m := s.q.msgs[1499]
		s.want("words of one that had no connection", m.rcpts[0].last.Reply.Text, "connection refused")
		ds := s.d.Destinations()
		if len(ds) != 1 || ds[0].Key != "dead.example" || ds[0].Failures != 1 || ds[0].Last.Text != "connection refused" || ds[0].ParkedUntil.Sub(s.began) != 5*time.Minute+30*time.Second {
			t.Errorf("%+v", ds)
		}
		late := s.q.add("ann@example.net", "late@dead.example")
		synctest.Wait()
		calls, _ = c.seen()
		if late.rcpts[0].state != queue.Pending || late.rcpts[0].next.Sub(s.began) < 5*time.Minute+30*time.Second || calls != 20 {
			t.Errorf("one that came during the park: %+v, %d connections", late.rcpts[0], calls)
		}
		c.reset()
		s.pass(time.Hour)
		calls, most = c.seen()
		if n := calls - 20; n > 12 || n < 3 || most != 1 {
			t.Errorf("%d connections in an hour, %d at once; want one each five minutes at most", n, most)
		}
		alive.Store(true)
		s.pass(4 * time.Hour)
		for _, m := range s.q.msgs {
			if s.q.states(m) != "delivered" {
				t.Fatalf("%s %s next %v", m.env.ID, s.q.states(m), m.rcpts[0].next.Sub(s.began))
			}
		}
		if _, most = c.seen(); most != 20 {
			t.Errorf("%d at once after the destination came back, want 20", most)
		}
		if ds := s.d.Destinations(); len(ds) != 0 {
			t.Errorf("%+v", ds)
		}
	})
}

func TestADestinationWithRoomForFewIsNotParked(t *testing.T) {
	play(t, nil, func(s *scene) {
		crowded := unreachable
		crowded.RemoteReply, crowded.Reply = true, sdk.Reply{Code: 421, Enhanced: "4.7.0", Text: "too many connections"}
		var active, refused, most atomic.Int32
		room := int32(5)
		s.c.deliver = func(_ context.Context, e *sdk.DeliverEvent) []sdk.Outcome {
			defer active.Add(-1)
			if n := active.Add(1); n > room {
				refused.Add(1)
				return all(e, crowded)
			} else if n > most.Load() {
				most.Store(n)
			}
			<-time.After(time.Second)
			return all(e, ok)
		}
		for i := range 1000 {
			s.q.add("ann@example.net", fmt.Sprintf("u%d@busy.example", i))
		}
		s.start()
		s.pass(10 * time.Minute) // 1,000 s at one a second, 200 s at five
		for _, m := range s.q.msgs {
			if s.q.states(m) != "delivered" {
				t.Fatalf("%s %s next %v", m.env.ID, s.q.states(m), m.rcpts[0].next.Sub(s.began))
			}
		}
		// At most fifteen of the first twenty, and one a minute.
		if n := refused.Load(); n < 1 || n > 25 || most.Load() != room {
			t.Errorf("%d refused, %d at once", n, most.Load())
		}
		room = 0 // now it is a host that refuses everybody
		refused.Store(0)
		for i := range 100 {
			s.q.add("ann@example.net", fmt.Sprintf("v%d@busy.example", i))
		}
		s.pass(time.Minute)
		if n := refused.Load(); n > 20 {
			t.Errorf("%d connections to a host that refuses all, want one cohort", n)
		}
	})
}

func TestWhoParksADestinationComesBackWhenTheParkEnds(t *testing.T) {
	play(t, func(o *Options) { o.Rand = func() float64 { return 0 } }, func(s *scene) { // retry times a tenth sooner than the park
		var tried []time.Duration
		s.c.deliver = func(_ context.Context, e *sdk.DeliverEvent) []sdk.Outcome {
			tried = append(tried, time.Since(s.began))
			return all(e, unreachable)
		}
		m := s.q.add("ann@example.net", "u@dead.example")
		s.start()
		s.pass(time.Second)
		if next := m.rcpts[0].next.Sub(s.began); next != 5*time.Minute {
			t.Errorf("next attempt after %v, want the end of the park", next)
		}
		s.pass(14*time.Minute + 30*time.Second)
		if len(tried) != 3 || tried[1] != 5*time.Minute || tried[2] != 14*time.Minute {
			t.Errorf("tried at %v: an attempt was counted that was none", tried)
		}
	})
}

func TestAFlushTriesAParkedDestinationAtOnce(t *testing.T) {
	play(t, nil, func(s *scene) {
		var c counter
		var alive atomic.Bool
		s.c.deliver = func(_ context.Context, e *sdk.DeliverEvent) []sdk.Outcome {
			c.enter()
			defer c.leave()
			if !alive.Load() {
				return all(e, unreachable)
			}
			return all(e, ok)
		}
		s.q.add("ann@example.net", "u@dead.example")
		s.start()
		s.pass(time.Second)
		alive.Store(true)
		s.d.Unpark()
		late := s.q.add("ann@example.net", "late@dead.example")
		s.pass(time.Second)
		s.want("state of one that came after the flush", s.q.states(late), "delivered")
	})
}

func TestAReplyOfAnyKindIsContact(t *testing.T) {
	play(t, nil, func(s *scene) {
		n := 0
		s.c.deliver = func(_ context.Context, e *sdk.DeliverEvent) []sdk.Outcome {
			n++
			out := all(e, unreachable)
			out[0] = later // one recipient was answered
			return out
		}
		s.q.add("ann@example.net", "a@example.org", "b@example.org")
		s.start()
		s.q.add("ann@example.net", "c@example.org")
		synctest.Wait()
		if n != 2 || len(s.d.Destinations()) != 0 {
			t.Errorf("%d attempts, destinations %v", n, s.d.Destinations())
		}
	})
}

func TestNobodyIsGivenUpForOneFailedConnection(t *testing.T) {
	play(t, nil, func(s *scene) {
		calls := 0
		s.c.deliver = func(_ context.Context, e *sdk.DeliverEvent) []sdk.Outcome {
			if e.Envelope.From == "" {
				return all(e, ok)
			}
			calls++
			return all(e, unreachable)
		}
		// The relay was down for a week, and so is its network for a moment.
		old := func(e *sdk.Envelope) { e.Arrived = e.Arrived.Add(-7 * 24 * time.Hour) }
		first := s.q.put("ann@example.net", text, old, "a@example.org")
		s.start()
		second := s.q.put("ann@example.net", text, old, "b@example.org")
		third := s.q.put("ann@example.net", text, old, "c@example.org")
		synctest.Wait()
		s.want("states", s.q.states(first)+" "+s.q.states(second)+" "+s.q.states(third), "expired pending pending")
		s.pass(10 * time.Minute)
		s.want("states", s.q.states(second)+" "+s.q.states(third), "expired expired")
		if calls != 2 {
			t.Errorf("%d attempts, want the first and the probe", calls)
		}
		n := s.q.notices(third)
		if len(n) != 1 {
			t.Fatalf("%d notifications", len(n))
		}
		s.contains(n[0].text, "Status: 4.4.7", "connection refused")
	})
}

func TestIdleDestinationsAreForgotten(t *testing.T) {
	play(t, nil, func(s *scene) {
		s.start()
		for i := range 5000 {
			s.q.add("ann@example.net", fmt.Sprintf("u@d%d.example", i))
			if i%500 == 499 {
				synctest.Wait()
			}
		}
		if n := len(s.d.dests); n > 2*minSweep {
			t.Errorf("%d destinations are remembered", n)
		}
	})
}

func TestAFifoGivesWhatItGot(t *testing.T) {
	var f fifo[int]
	var want []int
	r := rand.New(rand.NewPCG(1, 1))
	for i := 1; i < 20_000; i++ {
		switch k := r.IntN(20); {
		case k < 11:
			f.push(i)
			want = append(want, i)
		case k < 18 && len(want) > 0:
			if f.front() != want[0] || f.pop() != want[0] {
				t.Fatal("pop")
			}
			want = want[1:]
		case k == 18 && len(want) > 0:
			if f.popBack() != want[len(want)-1] {
				t.Fatal("popBack")
			}
			want = want[:len(want)-1]
		case k == 19 && len(want) > 0:
			n := r.IntN(len(want))
			f.remove(want[n])
			want = append(append([]int{}, want[:n]...), want[n+1:]...)
		}
		if f.len() != len(want) {
			t.Fatal("len")
		}
	}
}

// TestEveryRecipientEndsExactlyOnce is the model of all the rest: whatever
// plugins, peers and operators do, each recipient ends in one state, and there
// is a notification exactly for those who want one.
func TestEveryRecipientEndsExactlyOnce(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { model(t, seed) })
	}
}

func model(t *testing.T, seed uint64) {
	var mu sync.Mutex
	rng := rand.New(rand.NewPCG(seed, 7))
	draw := func(n int) int { mu.Lock(); defer mu.Unlock(); return rng.IntN(n) }
	change := func(o *Options) {
		o.Concurrency, o.Active, o.Workers = 1+draw(5), 5+draw(100), 1+draw(50)
		o.Lifetime, o.BounceLifetime = time.Duration(draw(3))*12*time.Hour, time.Duration(draw(2))*time.Hour
		o.Grace = time.Duration(draw(3)) * time.Minute
		o.DelayWarning = time.Duration(draw(2)) * 2 * time.Hour
		o.Rand = func() float64 { return float64(draw(1000)) / 1000 }
	}
	play(t, change, func(s *scene) {
		s.c.route = func(e *sdk.RouteEvent) (sdk.RouteAnswer, string) {
			switch draw(30) {
			case 0:
				return sdk.RouteAnswer{}, ""
			case 1:
				return sdk.RouteAnswer{Action: sdk.RouteDefer, NotBefore: time.Now().Add(time.Duration(draw(100)) * time.Minute)}, "r"
			case 2:
				return sdk.RouteAnswer{Action: sdk.RouteFail}, "r"
			}
			return byDomain(e)
		}
		s.c.deliver = func(ctx context.Context, e *sdk.DeliverEvent) []sdk.Outcome {
			if d := draw(3); d > 0 {
				select {
				case <-time.After(time.Duration(d*draw(100)) * time.Second):
				case <-ctx.Done():
					return all(e, later)
				}
			}
			switch draw(12) {
			case 0:
				return nil
			case 1, 2:
				return all(e, unreachable)
			}
			out := make([]sdk.Outcome, len(e.Recipients))
			for i := range out {
				out[i] = [...]sdk.Outcome{ok, ok, later, later, never, {}}[draw(6)]
			}
			return out
		}
		s.c.outcome = func(e *sdk.OutcomeEvent) (sdk.OutcomeAnswer, string) {
			switch draw(10) {
			case 0:
				return sdk.OutcomeAnswer{Status: sdk.StatusFailed}, "o"
			case 1:
				return sdk.OutcomeAnswer{Status: sdk.StatusDeferred, Delay: time.Duration(draw(1000)) * time.Second}, "o"
			}
			return sdk.OutcomeAnswer{}, ""
		}
		s.c.bounce = func(*sdk.BounceEvent, hook.Apply) (sdk.BounceAnswer, string) {
			if draw(20) == 0 {
				return sdk.BounceAnswer{Defer: true}, "b"
			}
			return sdk.BounceAnswer{}, ""
		}
		var ms []*fakeMessage
		for i := range 60 {
			from := "ann@example.net"
			if draw(5) == 0 {
				from = ""
			}
			var to []string
			for k := range 1 + draw(12) {
				to = append(to, fmt.Sprintf("u%d.%d@d%d.example", i, k, draw(6)))
			}
			ms = append(ms, s.q.put(from, text, func(e *sdk.Envelope) {
				for k := range e.Recipients {
					e.Recipients[k].Notify = [...]sdk.Notify{0, 0, sdk.NotifyNever, sdk.NotifySuccess, sdk.NotifyFailure, sdk.NotifyDelay}[draw(6)]
				}
			}, to...))
		}
		s.start()
		s.pass(90 * time.Second)
		s.stop() // in the middle of it all
		s.start()
		s.pass(4 * 24 * time.Hour)
		for _, m := range ms {
			s.checkModel(m)
		}
	})
}

// checkModel compares the end of a message with the notifications about it.
func (s *scene) checkModel(m *fakeMessage) {
	failed, success := map[string]int{}, map[string]int{}
	for _, n := range s.q.notices(m) {
		for i := range m.env.Recipients {
			addr := m.env.Recipients[i].Addr
			switch {
			case !containsAddr(n.text, addr):
			case containsLine(n.text, "Action: failed"):
				failed[addr]++
			case containsLine(n.text, "Action: relayed"):
				success[addr]++
			}
		}
	}
	for i := range m.rcpts {
		r, e := &m.rcpts[i], m.env.Recipients[i]
		wantFailed, wantSuccess := 0, 0
		switch r.state {
		case queue.Failed, queue.Expired:
			if m.env.From != "" && (e.Notify == 0 || e.Notify == sdk.NotifyFailure) {
				wantFailed = 1
			}
		case queue.Delivered:
			if m.env.From != "" && e.Notify == sdk.NotifySuccess {
				wantSuccess = 1
			}
		default:
			s.Errorf("%s %s has not ended: %v", m.env.ID, e.Addr, r.state)
		}
		if failed[e.Addr] != wantFailed || success[e.Addr] != wantSuccess {
			s.Errorf("%s %s from <%s> notify %v %v: %d failure and %d success notices, want %d and %d",
				m.env.ID, e.Addr, m.env.From, e.Notify, r.state, failed[e.Addr], success[e.Addr], wantFailed, wantSuccess)
		}
	}
}

// benchQueue gives out the same message for ever.
type benchQueue struct {
	fakeQueue
	env     *sdk.Envelope
	n       int
	settled chan int
	left    int
	mu2     sync.Mutex
}

func (q *benchQueue) Lease(ctx context.Context, max int) ([]*queue.Job, error) {
	if q.n == 0 {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	max = min(max, q.n)
	q.n -= max
	jobs := make([]*queue.Job, max)
	for i := range jobs {
		jobs[i] = &queue.Job{Envelope: q.env, Rcpts: []queue.JobRcpt{{}}}
	}
	return jobs, nil
}

func (q *benchQueue) Settle(j *queue.Job, rs []queue.Result, _ ...*queue.New) error {
	q.mu2.Lock()
	q.left -= len(rs)
	end := q.left == 0
	q.mu2.Unlock()
	if end {
		close(q.settled)
	}
	return nil
}

// benchChains answer as a plugin that only computes.
type benchChains struct {
	fakeChains
	answer sdk.RouteAnswer
}

func (c *benchChains) Route(context.Context, *trace.Thread, *sdk.RouteEvent) (sdk.RouteAnswer, string) {
	return c.answer, "r"
}

func (c *benchChains) Deliver(_ context.Context, _ *trace.Thread, e *sdk.DeliverEvent) []sdk.Outcome {
	return all(e, ok)
}

func BenchmarkDelivery(b *testing.B) {
	q := &benchQueue{n: b.N, left: b.N, settled: make(chan int),
		env: &sdk.Envelope{ID: "1", From: "ann@example.net", Arrived: time.Now(), Recipients: []sdk.Recipient{{Addr: "bob@example.org"}}}}
	c := &benchChains{answer: sdk.RouteAnswer{Action: sdk.RouteUse, Route: sdk.Route{Via: "smtp", Hosts: []string{"mx1.example.org:25", "mx2.example.org:25"}}}}
	d := New(Options{Queue: q, Chains: c, Lifetime: time.Hour})
	ctx, cancel := context.WithCancel(context.Background())
	b.ReportAllocs()
	b.ResetTimer()
	done := make(chan error)
	go func() { done <- d.Run(ctx) }()
	<-q.settled
	b.StopTimer()
	cancel()
	<-done
}
