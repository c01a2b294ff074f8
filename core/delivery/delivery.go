package delivery

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sort"
	"sync"
	"time"

	"github.com/programmable-mta/mta/core/hook"
	"github.com/programmable-mta/mta/core/queue"
	"github.com/programmable-mta/mta/core/trace"
	"github.com/programmable-mta/mta/sdk"
)

// Queue is what delivery needs of [queue.Queue].
type Queue interface {
	Lease(ctx context.Context, max int) ([]*queue.Job, error)
	Settle(j *queue.Job, rs []queue.Result, dsns ...*queue.New) error
	Return(j *queue.Job)
	Put(ctx context.Context, d *queue.Draft, env *sdk.Envelope) error
	NewID() string
	Draft(id string) *queue.Draft
	Get(id string) (*queue.Entry, error)
}

// Chains is what delivery needs of [hook.Chains].
type Chains interface {
	Route(ctx context.Context, th *trace.Thread, e *sdk.RouteEvent) (sdk.RouteAnswer, string)
	Deliver(ctx context.Context, th *trace.Thread, e *sdk.DeliverEvent) []sdk.Outcome
	Outcome(ctx context.Context, th *trace.Thread, e *sdk.OutcomeEvent) (sdk.OutcomeAnswer, string)
	Bounce(ctx context.Context, th *trace.Thread, e *sdk.BounceEvent, apply hook.Apply) (sdk.BounceAnswer, string)
	Has(hook string) bool
}

// Tracer is what delivery needs of [trace.Tracer].
type Tracer interface {
	Thread() *trace.Thread
	Accepted(s *sdk.Session, env *sdk.Envelope, messageID string, wait time.Duration, th *trace.Thread)
	Active(env *sdk.Envelope)
	Attempted(env *sdk.Envelope, a *trace.Attempt, th *trace.Thread)
	Settled(id, rcpt string, state string, r sdk.Reply, by string)
	Removed(id string)
	Bounced(id, dsnID, kind, to string)
	Log(level slog.Level, component, msg string, args ...any)
}

// Options of a delivery. Queue and Chains are required.
type Options struct {
	Hostname   string // in notifications
	Postmaster string // whom the reader of a notification may ask
	Queue      Queue
	Chains     Chains
	Tracer     Tracer           // nil: nobody watches
	Now        func() time.Time // nil: time.Now
	Rand       func() float64   // in [0, 1); nil: math/rand
	// Context puts a recorder of the conversation into the context of an
	// attempt and returns how to take out what it heard; nil: none.
	Context func(context.Context) (context.Context, func() []byte)

	Retry []time.Duration // between attempts, the last repeats; none: 5m 10m 20m 40m 1h
	// Lifetime is how long a recipient is tried, BounceLifetime that of
	// messages from the null reverse-path. Zero is one attempt.
	Lifetime       time.Duration
	BounceLifetime time.Duration
	DelayWarning   time.Duration // the sender is told of a delay after it; 0: never

	Concurrency    int           // deliveries to one destination at once; 0: 20
	Active         int           // messages leased at most; 0: 5,000
	Workers        int           // deliveries at once; 0: 1,000. As many may be routed
	MaxAttemptTime time.Duration // of one delivery; 0: 30 minutes
	Grace          time.Duration // what running deliveries get after Run is cancelled; 0: none
}

func (o *Options) defaults() {
	if o.Tracer == nil {
		o.Tracer = silent{}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Float64
	}
	if len(o.Retry) == 0 {
		o.Retry = []time.Duration{5 * time.Minute, 10 * time.Minute, 20 * time.Minute, 40 * time.Minute, time.Hour}
	}
	if o.Concurrency <= 0 {
		o.Concurrency = 20
	}
	if o.Active <= 0 {
		o.Active = 5000
	}
	if o.Workers <= 0 {
		o.Workers = 1000
	}
	if o.MaxAttemptTime <= 0 {
		o.MaxAttemptTime = 30 * time.Minute
	}
}

// leaseBatch is how many messages are taken at once: enough to make the price
// of a lease small, few enough that nothing waits for its neighbours.
const leaseBatch = 128

// stubborn is how long deliveries may go on after their context was cancelled
// before Run returns without them.
const stubborn = 10 * time.Second

// Delivery delivers the messages of one queue.
type Delivery struct {
	o     Options
	retry backoff

	base   context.Context // of all attempts; done when the grace has ended
	cancel context.CancelFunc

	mu         sync.Mutex
	gen        *generation
	stopping   bool
	leased     int // jobs in hand
	unrouted   fifo[*job]
	routing    int
	delivering int
	starting   int // workers that have not begun yet
	dests      map[string]*destination
	ring       fifo[*destination] // those that could deliver now
	sweepAt    int                // number of destinations at which idle ones are forgotten
	share      int                // of a destination that is slow

	room    chan struct{} // a job ended
	workers sync.WaitGroup
}

// New makes a delivery; [Delivery.Run] starts it.
func New(o Options) *Delivery {
	o.defaults()
	d := &Delivery{
		o:       o,
		gen:     &generation{Chains: o.Chains, outcome: o.Chains.Has("outcome"), drained: make(chan struct{})},
		dests:   make(map[string]*destination),
		sweepAt: minSweep,
		share:   o.Active / 2,
		room:    make(chan struct{}, 1),
	}
	d.base, d.cancel = context.WithCancel(context.Background())
	d.retry = newBackoff(&d.o)
	return d
}

// Run delivers until ctx is done. Then nothing more is leased, what waits is
// given back, running deliveries may end within the grace, and what they
// achieved is settled. The error is the queue's, if that is why it ended. Run is
// called once.
func (d *Delivery) Run(ctx context.Context) error {
	defer d.cancel()
	err := d.lease(ctx)
	d.giveBack()

	ended := make(chan struct{})
	go func() { d.workers.Wait(); close(ended) }()
	grace, end := context.WithTimeout(d.base, d.o.Grace)
	defer end()
	select {
	case <-ended:
		return err
	case <-grace.Done(): // it is over, or somebody cut it short
		d.cancel()
	}
	t := time.NewTimer(stubborn)
	defer t.Stop()
	select {
	case <-ended:
		return err
	case <-t.C:
	}
	d.o.Tracer.Log(slog.LevelWarn, "delivery", "deliveries do not end; their messages stay in the queue")
	return err
}

// lease takes messages from the queue as long as there is room for them.
func (d *Delivery) lease(ctx context.Context) error {
	for {
		n := d.waitForRoom(ctx)
		if n == 0 {
			return nil
		}
		jobs, err := d.o.Queue.Lease(ctx, n)
		if len(jobs) > 0 {
			d.admit(jobs)
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, queue.ErrStopped):
			return err
		case err != nil:
			d.o.Tracer.Log(slog.LevelError, "delivery", "nothing can be taken from the queue", "error", err)
			if !pause(ctx, d.room, 5*time.Second) {
				return nil
			}
		}
	}
}

// waitForRoom returns how many messages may be leased; 0 when ctx is done.
// While there is no room, it looks once a second for a destination that holds
// more than its share.
func (d *Delivery) waitForRoom(ctx context.Context) int {
	for ctx.Err() == nil {
		d.mu.Lock()
		n := d.o.Active - d.leased
		var over []*group
		if n <= 0 {
			over = d.relieve(d.o.Now())
		}
		d.mu.Unlock()
		if n > 0 {
			return min(n, leaseBatch)
		}
		if len(over) > 0 {
			gen := d.acquire()
			for _, g := range over {
				d.putBack(gen, g)
			}
			d.release(gen)
		}
		if len(over) == 0 && !pause(ctx, d.room, time.Second) {
			return 0
		}
	}
	return 0
}

// pause waits for a signal, at most some time; false when ctx is done.
func pause(ctx context.Context, signal <-chan struct{}, most time.Duration) bool {
	t := time.NewTimer(most)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-signal:
	case <-t.C:
	}
	return true
}

// admit takes leased messages in hand.
func (d *Delivery) admit(jobs []*queue.Job) {
	now := d.o.Now()
	for _, j := range jobs {
		d.o.Tracer.Active(j.Envelope)
	}
	d.mu.Lock()
	d.leased += len(jobs)
	for _, j := range jobs {
		d.unrouted.push(&job{Job: j, leased: now, open: 1})
	}
	d.start()
	d.mu.Unlock()
}

// Cut ends the running deliveries now, whatever their grace: somebody does not
// want to wait for them. What they leave undone goes back to the queue unchanged.
func (d *Delivery) Cut() { d.cancel() }

// giveBack returns what waits, at the end.
func (d *Delivery) giveBack() {
	d.mu.Lock()
	d.stopping = true
	var groups []*group
	for _, dst := range d.dests {
		for dst.waiting.len() > 0 {
			groups = append(groups, dst.waiting.pop())
		}
	}
	var jobs []*job
	for d.unrouted.len() > 0 {
		jobs = append(jobs, d.unrouted.pop())
	}
	d.ring = fifo[*destination]{}
	for _, dst := range d.dests {
		dst.inRing = false
	}
	d.mu.Unlock()
	// Others of the same message may have failed before, and that is told now.
	gen := d.acquire()
	for _, g := range groups {
		d.unchanged(gen, g)
	}
	for _, j := range jobs {
		j.back = true
		d.conclude(gen, j, nil)
	}
	d.release(gen)
}

// generation is a set of chains and how many workers use it.
type generation struct {
	Chains
	outcome bool // somebody has the outcome hook
	uses    int
	retired bool
	drained chan struct{}
}

// Swap makes new chains answer from now on. What runs ends with the old ones;
// the channel is closed when none of them is used any more.
func (d *Delivery) Swap(c Chains) <-chan struct{} {
	g := &generation{Chains: c, outcome: c.Has("outcome"), drained: make(chan struct{})}
	d.mu.Lock()
	defer d.mu.Unlock()
	old := d.gen
	d.gen = g
	old.retired = true
	if old.uses == 0 {
		close(old.drained)
	}
	return old.drained
}

// acquire begins a use of the chains outside of a worker.
func (d *Delivery) acquire() *generation {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.gen.uses++
	return d.gen
}

func (d *Delivery) release(g *generation) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.releaseLocked(g)
}

// releaseLocked ends the use of a generation. The caller holds d.mu.
func (d *Delivery) releaseLocked(g *generation) {
	if g.uses--; g.uses == 0 && g.retired {
		close(g.drained)
	}
}

// Destination is what people see of a destination.
type Destination struct {
	Key         string
	Active      int       // deliveries under way
	Waiting     int       // groups that wait for their turn
	ParkedUntil time.Time // zero: it is not parked
	Failures    int       // attempts in a row that did not reach it
	Last        sdk.Reply // what the latest attempt ended with
	Remote      string    // who said that
}

// Destinations are those with something to tell: busy, or not reached. They are
// sorted by key.
func (d *Delivery) Destinations() []Destination {
	d.mu.Lock()
	now := d.o.Now()
	var out []Destination
	for _, dst := range d.dests {
		if dst.idle(now) {
			continue
		}
		v := Destination{Key: dst.key, Active: dst.active, Waiting: dst.waiting.len(), Failures: dst.failures,
			Last: dst.last.Reply, Remote: dst.last.Remote}
		if dst.parked(now) {
			v.ParkedUntil = dst.parkedUntil
		}
		out = append(out, v)
	}
	d.mu.Unlock()
	sort.Slice(out, func(i, j int) bool { return out[i].Key < out[j].Key })
	return out
}

// silent is the tracer of nobody.
type silent struct{}

func (silent) Thread() *trace.Thread { return nil }
func (silent) Active(*sdk.Envelope)  {}
func (silent) Accepted(*sdk.Session, *sdk.Envelope, string, time.Duration, *trace.Thread) {
}
func (silent) Attempted(*sdk.Envelope, *trace.Attempt, *trace.Thread) {}
func (silent) Settled(string, string, string, sdk.Reply, string)      {}
func (silent) Removed(string)                                         {}
func (silent) Bounced(string, string, string, string)                 {}
func (silent) Log(slog.Level, string, string, ...any)                 {}
