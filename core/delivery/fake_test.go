package delivery

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sort"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/programmable-mta/mta/core/hook"
	"github.com/programmable-mta/mta/core/queue"
	"github.com/programmable-mta/mta/core/trace"
	"github.com/programmable-mta/mta/sdk"
)

// fakeQueue is a queue in memory that watches over its contract.
type fakeQueue struct {
	puts   []string
	putErr error
	t      testing.TB
	drafts *queue.Queue // makes drafts; nothing is put into it

	mu      sync.Mutex
	seq     int
	msgs    []*fakeMessage
	byJob   map[*queue.Job]*fakeMessage
	wake    chan struct{}
	leased  int
	most    int // leased at once
	settles []settlement
	refuse  func(rs []queue.Result, dsns []*queue.New) error
}

type settlement struct {
	id   string
	rs   []queue.Result
	dsns []*queue.New
}

type fakeMessage struct {
	env   *sdk.Envelope
	msg   sdk.Message
	text  string
	rcpts []fakeRcpt
	job   *queue.Job
	about string // a DSN: kind is told by its content
}

type fakeRcpt struct {
	state    queue.State
	next     time.Time
	attempts int
	last     sdk.Outcome
	route    string
	hop      string
	by       string
	warned   bool
	expire   bool
	leased   bool
}

func newQueue(t testing.TB) *fakeQueue {
	drafts, err := queue.Open(t.TempDir(), queue.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { drafts.Close() })
	return &fakeQueue{t: t, drafts: drafts, byJob: make(map[*queue.Job]*fakeMessage)}
}

// begin is called inside the bubble, where its channel has to be made.
func (q *fakeQueue) begin() { q.wake = make(chan struct{}, 1) }

func (q *fakeQueue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

const text = "From: Ann <ann@example.net>\r\nSubject: Lunch\r\nMessage-ID: <1@example.net>\r\n\r\nToday?\r\n"

// add queues a message; change may set more of the envelope.
func (q *fakeQueue) add(from string, to ...string) *fakeMessage {
	return q.put(from, text, nil, to...)
}

func (q *fakeQueue) put(from, content string, change func(*sdk.Envelope), to ...string) *fakeMessage {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.seq++
	env := &sdk.Envelope{ID: fmt.Sprintf("M%08d", q.seq), From: from, Arrived: time.Now(), Size: int64(len(content))}
	for _, a := range to {
		env.Recipients = append(env.Recipients, sdk.Recipient{Addr: a})
	}
	if change != nil {
		change(env)
	}
	m := &fakeMessage{env: env, text: content, msg: memory(env.ID, []byte(content)), rcpts: make([]fakeRcpt, len(env.Recipients))}
	for i := range m.rcpts {
		m.rcpts[i].next = env.Arrived
	}
	q.msgs = append(q.msgs, m)
	q.signal()
	return m
}

func (q *fakeQueue) NewID() string                { return q.drafts.NewID() }
func (q *fakeQueue) Draft(id string) *queue.Draft { return q.drafts.Draft(id) }

func (q *fakeQueue) Lease(ctx context.Context, max int) ([]*queue.Job, error) {
	for {
		q.mu.Lock()
		now := time.Now()
		var jobs []*queue.Job
		nap := time.Hour
		// The longest due first, as the real one does.
		due := make([]*fakeMessage, 0)
		for _, m := range q.msgs {
			if m.job == nil && m.due(now, &nap) {
				due = append(due, m)
			}
		}
		sort.SliceStable(due, func(i, j int) bool { return due[i].first().Before(due[j].first()) })
		for _, m := range due {
			if len(jobs) == max {
				break
			}
			jobs = append(jobs, q.leaseOne(m, now))
		}
		q.most = max2(q.most, q.leased)
		q.mu.Unlock()
		if len(jobs) > 0 {
			return jobs, nil
		}
		timer := time.NewTimer(nap)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		case <-q.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

func max2(a, b int) int {
	if a > b {
		return a
	}
	return b
}

func (m *fakeMessage) due(now time.Time, nap *time.Duration) bool {
	for i := range m.rcpts {
		if r := &m.rcpts[i]; r.state == queue.Pending {
			if !r.next.After(now) {
				return true
			}
			*nap = min(*nap, r.next.Sub(now))
		}
	}
	return false
}

func (m *fakeMessage) first() time.Time {
	t := time.Unix(1<<40, 0)
	for i := range m.rcpts {
		if r := &m.rcpts[i]; r.state == queue.Pending && r.next.Before(t) {
			t = r.next
		}
	}
	return t
}

func (q *fakeQueue) leaseOne(m *fakeMessage, now time.Time) *queue.Job {
	j := &queue.Job{Envelope: m.env, Message: m.msg}
	for i := range m.rcpts {
		r := &m.rcpts[i]
		if r.state == queue.Pending && !r.next.After(now) {
			r.leased = true
			j.Rcpts = append(j.Rcpts, queue.JobRcpt{Index: i, Attempts: r.attempts, Last: r.last, Route: r.route, NextHop: r.hop, DelayWarned: r.warned, Expire: r.expire})
		}
	}
	m.job = j
	q.byJob[j] = m
	q.leased++
	return j
}

func (q *fakeQueue) Settle(j *queue.Job, rs []queue.Result, dsns ...*queue.New) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.refuse != nil {
		if err := q.refuse(rs, dsns); err != nil {
			return err
		}
	}
	m := q.byJob[j]
	if m == nil {
		q.t.Errorf("%s is settled without a lease", j.Envelope.ID)
		return fmt.Errorf("not leased")
	}
	q.settles = append(q.settles, settlement{j.Envelope.ID, rs, dsns})
	for _, r := range rs {
		c := &m.rcpts[r.Index]
		if !c.leased {
			q.t.Errorf("%s recipient %d has two results", j.Envelope.ID, r.Index)
			continue
		}
		c.leased = false
		c.state, c.next, c.by, c.warned, c.hop = r.State, r.Next, r.By, r.DelayWarned, r.NextHop
		if r.Outcome.Status != sdk.StatusNone {
			c.last = r.Outcome
			c.attempts++
		}
	}
	for _, n := range dsns {
		q.addDSN(m, n)
	}
	q.unlease(m)
	return nil
}

// Put keeps what is put beside settlements.
func (q *fakeQueue) Put(_ context.Context, d *queue.Draft, env *sdk.Envelope) error {
	b, err := d.Open()
	if err != nil {
		return err
	}
	defer b.Close()
	text, err := io.ReadAll(b)
	if err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.puts = append(q.puts, string(text))
	return q.putErr
}

func (q *fakeQueue) addDSN(about *fakeMessage, n *queue.New) {
	body, err := n.Draft.Message().Open()
	if err != nil {
		q.t.Error(err)
		return
	}
	b, _ := io.ReadAll(body)
	body.Close()
	m := &fakeMessage{env: n.Envelope, text: string(b), msg: memory(n.Envelope.ID, b), rcpts: make([]fakeRcpt, len(n.Envelope.Recipients)), about: about.env.ID}
	m.rcpts[0].next = time.Now()
	q.msgs = append(q.msgs, m)
	if about.env.From == "" {
		q.t.Errorf("a notification about the null reverse-path:\n%s", b)
	}
	n.Draft.Discard()
}

func (q *fakeQueue) unlease(m *fakeMessage) {
	for i := range m.rcpts {
		if m.rcpts[i].leased {
			return
		}
	}
	delete(q.byJob, m.job)
	m.job = nil
	q.leased--
	q.signal()
}

func (q *fakeQueue) Return(j *queue.Job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	m := q.byJob[j]
	if m == nil {
		q.t.Errorf("%s is returned without a lease", j.Envelope.ID)
		return
	}
	for i := range m.rcpts {
		m.rcpts[i].leased = false
	}
	q.unlease(m)
}

func (q *fakeQueue) Get(id string) (*queue.Entry, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, m := range q.msgs {
		if m.env.ID == id && !m.over() {
			e := &queue.Entry{ID: id}
			for i := range m.rcpts {
				e.Rcpts = append(e.Rcpts, queue.EntryRcpt{State: m.rcpts[i].state})
			}
			return e, nil
		}
	}
	return nil, queue.ErrNotFound
}

func (m *fakeMessage) over() bool {
	for i := range m.rcpts {
		if !m.rcpts[i].state.Ended() {
			return false
		}
	}
	return true
}

// notices are the DSNs about a message.
func (q *fakeQueue) notices(m *fakeMessage) (out []*fakeMessage) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, n := range q.msgs {
		if n.about == m.env.ID {
			out = append(out, n)
		}
	}
	return out
}

func (q *fakeQueue) states(m *fakeMessage) string {
	q.mu.Lock()
	defer q.mu.Unlock()
	var s []string
	for i := range m.rcpts {
		s = append(s, m.rcpts[i].state.String())
	}
	return strings.Join(s, " ")
}

// fakeChains answers with functions; nil ones say nothing.
type fakeChains struct {
	mu      sync.Mutex // orders what the test reads before what is asked later
	route   func(*sdk.RouteEvent) (sdk.RouteAnswer, string)
	deliver func(context.Context, *sdk.DeliverEvent) []sdk.Outcome
	outcome func(*sdk.OutcomeEvent) (sdk.OutcomeAnswer, string)
	bounce  func(*sdk.BounceEvent, hook.Apply) (sdk.BounceAnswer, string)
}

// byDomain routes to the domain of the recipient.
func byDomain(e *sdk.RouteEvent) (sdk.RouteAnswer, string) {
	return sdk.RouteAnswer{Action: sdk.RouteUse, Route: sdk.Route{Via: "smtp", Key: sdk.Domain(e.Recipient.Addr)}}, "router"
}

func (c *fakeChains) Route(_ context.Context, _ *trace.Thread, e *sdk.RouteEvent) (sdk.RouteAnswer, string) {
	c.order()
	if c.route == nil {
		return byDomain(e)
	}
	return c.route(e)
}

func (c *fakeChains) Deliver(ctx context.Context, _ *trace.Thread, e *sdk.DeliverEvent) []sdk.Outcome {
	c.order()
	if c.deliver == nil {
		return all(e, ok)
	}
	return c.deliver(ctx, e)
}

func (c *fakeChains) Outcome(_ context.Context, _ *trace.Thread, e *sdk.OutcomeEvent) (sdk.OutcomeAnswer, string) {
	c.order()
	return c.outcome(e)
}

func (c *fakeChains) Bounce(_ context.Context, _ *trace.Thread, e *sdk.BounceEvent, apply hook.Apply) (sdk.BounceAnswer, string) {
	c.order()
	return c.bounce(e, apply)
}

func (c *fakeChains) order() {
	c.mu.Lock()
	defer c.mu.Unlock()
}

func (c *fakeChains) Has(h string) bool {
	return h == "outcome" && c.outcome != nil || h == "bounce" && c.bounce != nil
}

var (
	ok          = sdk.Outcome{Status: sdk.StatusDelivered, Remote: "mx[192.0.2.1]:25", RemoteReply: true, Reply: sdk.Reply{Code: 250, Enhanced: "2.0.0", Text: "taken"}}
	later       = sdk.Outcome{Status: sdk.StatusDeferred, Remote: "mx[192.0.2.1]:25", RemoteReply: true, Reply: sdk.Reply{Code: 450, Enhanced: "4.2.1", Text: "greylisted"}}
	never       = sdk.Outcome{Status: sdk.StatusFailed, Remote: "mx[192.0.2.1]:25", RemoteReply: true, Reply: sdk.Reply{Code: 550, Enhanced: "5.1.1", Text: "no such user"}}
	unreachable = sdk.Outcome{Status: sdk.StatusDeferred, Unreachable: true, Remote: "mx[192.0.2.1]:25", Reply: sdk.Reply{Code: 451, Enhanced: "4.4.1", Text: "connection refused"}}
)

func all(e *sdk.DeliverEvent, o sdk.Outcome) []sdk.Outcome {
	out := make([]sdk.Outcome, len(e.Recipients))
	for i := range out {
		out[i] = o
	}
	return out
}

// watcher is a tracer that remembers.
type watcher struct {
	silent
	mu       sync.Mutex
	attempts []*trace.Attempt
	lines    []string
}

func (w *watcher) add(format string, args ...any) {
	w.mu.Lock()
	w.lines = append(w.lines, fmt.Sprintf(format, args...))
	w.mu.Unlock()
}

func (w *watcher) Attempted(env *sdk.Envelope, a *trace.Attempt, _ *trace.Thread) {
	w.mu.Lock()
	w.attempts = append(w.attempts, a)
	w.mu.Unlock()
}
func (w *watcher) Settled(id, rcpt, state string, r sdk.Reply, by string) {
	w.add("settled %s %s %s %s", id, rcpt, state, by)
}
func (w *watcher) Removed(id string) { w.add("removed %s", id) }
func (w *watcher) Bounced(id, dsn, kind, to string) {
	w.add("bounced %s %s %s", id, kind, to)
}
func (w *watcher) Log(l slog.Level, component, msg string, args ...any) {
	w.add("log %s %s %v", l, msg, args)
}
func (w *watcher) has(part string) bool { return w.count(part) > 0 }
func (w *watcher) count(part string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, l := range w.lines {
		if strings.Contains(l, part) {
			n++
		}
	}
	return n
}

// scene runs a delivery in a bubble of its own time.
type scene struct {
	*testing.T
	q *fakeQueue
	c *fakeChains
	w *watcher
	o Options
	d *Delivery

	cancel context.CancelFunc
	done   chan error
	began  time.Time

	mu sync.Mutex // for what deliveries of a test share
}

func play(t *testing.T, change func(*Options), act func(*scene)) {
	t.Helper()
	q := newQueue(t)
	synctest.Test(t, func(t *testing.T) {
		s := &scene{T: t, q: q, c: &fakeChains{}, w: &watcher{}, done: make(chan error, 1), began: time.Now()}
		q.t = t
		q.begin()
		o := Options{Hostname: "mx.example.net", Queue: q, Chains: s.c, Tracer: s.w, Rand: func() float64 { return 0.5 },
			Lifetime: 5 * 24 * time.Hour, BounceLifetime: 24 * time.Hour}
		if change != nil {
			change(&o)
		}
		s.o, s.d = o, New(o)
		act(s)
		if s.cancel != nil {
			s.stop()
		}
	})
}

func (s *scene) start() {
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	s.d = New(s.o) // with what the scene has set since
	go func() { s.done <- s.d.Run(ctx) }()
	synctest.Wait()
}

func (s *scene) stop() error {
	s.c.order()
	s.cancel()
	s.cancel = nil
	err := <-s.done
	synctest.Wait()
	if s.q.leased != 0 {
		s.Errorf("%d messages are still leased", s.q.leased)
	}
	return err
}

// pass lets time go by.
func (s *scene) pass(d time.Duration) {
	s.c.order()
	<-time.After(d)
	synctest.Wait()
}

func (s *scene) want(what, got, want string) {
	s.Helper()
	if got != want {
		s.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// parts checks that text contains all of parts.
func (s *scene) contains(text string, parts ...string) {
	s.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			s.Errorf("%q is missing in\n%s", p, text)
		}
	}
}

func containsAddr(text, addr string) bool { return strings.Contains(text, "rfc822; "+addr+"\r\n") }
func containsLine(text, line string) bool { return strings.Contains(text, "\r\n"+line+"\r\n") }
