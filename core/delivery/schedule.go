package delivery

import (
	"time"

	"github.com/programmable-mta/mta/core/trace"
	"github.com/programmable-mta/mta/sdk"
)

// patience is how long the oldest group of a destination may wait before the
// destination counts as slow and its share is enforced.
const patience = 5 * time.Second

// widenAfter is how long a destination that had no room for more is not asked
// for more: each time costs a message the first retry time.
const widenAfter = time.Minute

// minSweep is the number of destinations below which none is forgotten.
const minSweep = 1024

// group is the recipients of one message that share a route.
type group struct {
	j          *job
	key        string // of the destination
	route      sdk.Route
	recipients []sdk.Recipient
	positions  []int // in j.Rcpts
	attempt    int
	th         *trace.Thread

	dest   *destination
	epoch  int       // of the destination when the attempt began
	queued time.Time // when it began to wait

	// Most groups have one recipient; these save it some allocations.
	event        sdk.DeliverEvent
	oneRecipient [1]sdk.Recipient
	onePosition  [1]int
	oneVerdict   [1]verdict
}

// destination is what shares a route key. All of it is guarded by Delivery.mu.
type destination struct {
	key     string
	waiting fifo[*group]
	active  int
	inRing  bool

	failures    int // attempts in a row that did not reach it
	epoch       int // grows with each park, so that attempts begun before one do not count again
	parkedUntil time.Time
	last        sdk.Outcome // the latest outcome that was not a delivery

	window   int       // deliveries at once that it has room for; 0: as many as we like
	narrowed time.Time // when the window was last changed
	reached  time.Time // when the latest attempt ended that did reach it

	done     time.Time     // when the latest delivery ended
	interval time.Duration // between the ends of deliveries while some wait: a moving average
	shed     time.Time     // when the latest group that was put back comes again
}

func (dst *destination) parked(now time.Time) bool {
	return dst.failures > 0 && now.Before(dst.parkedUntil)
}

func (dst *destination) idle(now time.Time) bool {
	return dst.active == 0 && dst.waiting.len() == 0 && (dst.failures == 0 || now.Sub(dst.parkedUntil) > time.Hour)
}

// limit is how many deliveries may run: one, the probe, after a failure.
func (dst *destination) limit(concurrency int) int {
	switch {
	case dst.failures > 0:
		return 1
	case dst.window > 0:
		return min(dst.window, concurrency)
	}
	return concurrency
}

// crowded tells whether an attempt that did not reach the destination was one
// too many, and the destination is not dead: it serves others of ours, and said
// itself that it does not want this one, or got done with one of them meanwhile.
func (dst *destination) crowded(outcomes []sdk.Outcome, began time.Time) bool {
	return dst.active > 0 && (outcomes[0].RemoteReply || dst.reached.After(began))
}

// narrow keeps the deliveries to as many as the destination has room for.
func (dst *destination) narrow(now time.Time) {
	if dst.window == 0 || dst.active < dst.window {
		dst.window = dst.active
	}
	dst.narrowed = now
}

// widen lets a narrowed destination have one more, now and then.
func (dst *destination) widen(now time.Time, concurrency int) {
	if dst.window == 0 || now.Sub(dst.narrowed) < widenAfter {
		return
	}
	dst.narrowed = now
	if dst.window++; dst.window >= concurrency {
		dst.window = 0
	}
}

// slow tells whether the oldest group has waited too long.
func (dst *destination) slow(now time.Time) bool {
	return dst.waiting.len() > 0 && now.Sub(dst.waiting.front().queued) > patience
}

// task is what a worker does: routing one message or delivering one group.
type task struct {
	gen *generation
	j   *job
	g   *group
}

// start lets a worker begin if there is something to do. At most two are on
// their way at once, and each that has arrived starts the next: deliveries that
// wait for the network thus all get a worker, while a few workers do one after
// the other what only computes. The caller holds d.mu.
func (d *Delivery) start() {
	if d.starting < 2 && d.canTake() {
		d.starting++
		d.workers.Add(1)
		go d.work()
	}
}

func (d *Delivery) canTake() bool {
	return !d.stopping && (d.ring.len() > 0 && d.delivering < d.o.Workers || d.unrouted.len() > 0 && d.routing < d.o.Workers)
}

// take is the next thing to do: a delivery, from the destinations in turn, or
// else a message to route. The caller holds d.mu.
func (d *Delivery) take() (task, bool) {
	if !d.canTake() {
		return task{}, false
	}
	t := task{gen: d.gen}
	switch {
	case d.ring.len() > 0 && d.delivering < d.o.Workers:
		dst := d.ring.pop()
		dst.inRing = false
		t.g = dst.waiting.pop()
		t.g.epoch = dst.epoch
		dst.active++
		d.delivering++
		d.enter(dst)
	default:
		t.j = d.unrouted.pop()
		d.routing++
	}
	t.gen.uses++
	return t, true
}

// enter puts a destination at the end of the ring if it could deliver. The
// caller holds d.mu.
func (d *Delivery) enter(dst *destination) {
	if !dst.inRing && !d.stopping && dst.waiting.len() > 0 && dst.active < dst.limit(d.o.Concurrency) {
		dst.inRing = true
		d.ring.push(dst)
	}
}

// work is the life of a worker: it ends when there is nothing to do.
func (d *Delivery) work() {
	defer d.workers.Done()
	d.mu.Lock()
	d.starting--
	for {
		t, ok := d.take()
		d.start()
		d.mu.Unlock()
		if !ok {
			return
		}
		if t.j != nil {
			d.route(t.gen, t.j)
		} else {
			d.attempt(t.gen, t.g)
		}
		d.mu.Lock()
		d.releaseLocked(t.gen)
		if t.j != nil {
			d.routing--
		}
	}
}

// admission is what becomes of a group that wants to wait for its turn.
type admission uint8

const (
	admitted  admission = iota
	isParked            // its destination is parked
	isShed              // its destination has more than its share
	isStopped           // nothing begins any more
)

// enqueue lets a group wait for its turn. For a parked destination it returns
// a copy of it; then the group is the caller's to settle.
func (d *Delivery) enqueue(g *group, now time.Time) (admission, destination) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stopping {
		return isStopped, destination{}
	}
	dst := d.dests[g.key]
	if dst == nil {
		d.sweep(now)
		dst = &destination{key: g.key}
		d.dests[g.key] = dst
	}
	g.dest = dst
	switch {
	case dst.parked(now):
		return isParked, *dst
	case dst.waiting.len() >= d.share && dst.slow(now):
		return isShed, destination{}
	}
	g.queued = now
	dst.waiting.push(g)
	d.enter(dst)
	return admitted, destination{}
}

// ended takes note of how an attempt came out. If the destination could not be
// reached, it is parked and returned, with what waits for it to be settled.
func (d *Delivery) ended(g *group, outcomes []sdk.Outcome, began, now time.Time) (flushed []*group, parked destination) {
	unreachable := len(outcomes) > 0
	d.mu.Lock()
	defer d.mu.Unlock()
	dst := g.dest
	for i := range outcomes {
		if outcomes[i].Status == sdk.StatusDelivered || !outcomes[i].Unreachable {
			unreachable = false
		}
		if outcomes[i].Status != sdk.StatusDelivered {
			dst.last = outcomes[i]
		}
	}
	dst.active--
	d.delivering--
	if dst.waiting.len() > 0 && !dst.done.IsZero() {
		dst.interval += (now.Sub(dst.done) - dst.interval) / 8
	}
	dst.done = now
	switch {
	case !unreachable:
		dst.failures, dst.reached = 0, now
		dst.widen(now, d.o.Concurrency)
	case g.epoch == dst.epoch && dst.crowded(outcomes, began):
		dst.narrow(now)
	case g.epoch == dst.epoch:
		dst.failures++
		dst.epoch++
		dst.window = 0 // what it has room for is another question when it is back
		dst.parkedUntil = now.Add(d.retry.park())
		for dst.waiting.len() > 0 {
			flushed = append(flushed, dst.waiting.pop())
		}
		if dst.inRing {
			dst.inRing = false
			d.ring.remove(dst)
		}
		return flushed, *dst
	}
	d.enter(dst)
	if unreachable && dst.parked(now) { // by another attempt that began with this one
		return nil, *dst
	}
	return nil, destination{}
}

// Unpark ends every park, so that what an operator flushes is tried at once: by
// one probe first, as at the end of a park.
func (d *Delivery) Unpark() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, dst := range d.dests {
		dst.parkedUntil = time.Time{}
	}
}

// relieve takes from slow destinations what is beyond their share, the youngest
// first, and sets the share for those that come. The caller holds d.mu.
func (d *Delivery) relieve(now time.Time) []*group {
	var slow []*destination
	for _, dst := range d.dests {
		if dst.slow(now) {
			slow = append(slow, dst)
		}
	}
	d.share = max(d.o.Concurrency, d.o.Active/2/max(1, len(slow)))
	var over []*group
	for _, dst := range slow {
		for dst.waiting.len() > d.share {
			over = append(over, dst.waiting.popBack())
		}
	}
	return over
}

// comeBack is when a group that was put back shall come again: when what waits
// before it will have gone, at the pace of late.
func (d *Delivery) comeBack(dst *destination, now time.Time) time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	pace := max(dst.interval, time.Millisecond)
	if dst.done.IsZero() {
		pace = time.Second // nothing is known of it but that it is slow
	}
	first := now.Add(max(time.Second, pace*time.Duration(dst.waiting.len())))
	if dst.shed.Before(first) {
		dst.shed = first
	}
	dst.shed = dst.shed.Add(pace)
	if latest := d.retry.park(); dst.shed.Sub(now) > latest {
		// All of these would come at one instant.
		dst.shed = now.Add(latest)
		return now.Add(latest/2 + time.Duration(float64(latest/2)*d.o.Rand()))
	}
	return dst.shed
}

// sweep forgets idle destinations when there are many. The caller holds d.mu.
func (d *Delivery) sweep(now time.Time) {
	if len(d.dests) < d.sweepAt {
		return
	}
	for k, dst := range d.dests {
		if dst.idle(now) {
			delete(d.dests, k)
		}
	}
	d.sweepAt = max(minSweep, 2*len(d.dests))
}

// fifo is a queue that keeps its memory.
type fifo[T comparable] struct {
	items []T
	head  int
}

func (f *fifo[T]) len() int { return len(f.items) - f.head }
func (f *fifo[T]) front() T { return f.items[f.head] }
func (f *fifo[T]) push(v T) { f.items = append(f.items, v) }

func (f *fifo[T]) pop() T {
	var zero T
	v := f.items[f.head]
	f.items[f.head] = zero
	f.head++
	if f.head == len(f.items) {
		f.items, f.head = f.items[:0], 0
	} else if f.head >= 64 && f.head*2 >= len(f.items) {
		n := copy(f.items, f.items[f.head:])
		clear(f.items[n:])
		f.items, f.head = f.items[:n], 0
	}
	return v
}

func (f *fifo[T]) popBack() T {
	var zero T
	i := len(f.items) - 1
	v := f.items[i]
	f.items[i] = zero
	f.items = f.items[:i]
	if f.head == len(f.items) {
		f.items, f.head = f.items[:0], 0
	}
	return v
}

func (f *fifo[T]) remove(v T) {
	for i := f.head; i < len(f.items); i++ {
		if f.items[i] == v {
			f.items = append(f.items[:i], f.items[i+1:]...)
			return
		}
	}
}
