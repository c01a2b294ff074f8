package delivery

import (
	"context"
	"time"

	"github.com/programmable-mta/mta/core/queue"
	"github.com/programmable-mta/mta/core/trace"
	"github.com/programmable-mta/mta/sdk"
)

// confirmed is how many attempts in a row must have failed to reach a
// destination before a message whose time is up may be given up without an
// attempt of its own. One could be our own network at start.
const confirmed = 2

// verdict is what a pass came to for one recipient.
type verdict struct {
	pos     int // in job.Rcpts
	res     queue.Result
	outcome sdk.Outcome // for people; res.Outcome, or the last of an earlier attempt
	at      time.Time   // of the attempt; zero: none in this pass
	relayed bool        // delivered to a next hop that is not the mailbox
	real    bool        // something was tried or decided, so a delay may be told
}

// attempt lets the transport deliver one group.
func (d *Delivery) attempt(gen *generation, g *group) {
	start := d.o.Now()
	g.event = sdk.DeliverEvent{Envelope: g.j.Envelope, Message: g.j.Message, Recipients: g.recipients, Route: g.route, Attempt: g.attempt}
	ctx, cancel := context.WithTimeout(d.base, d.o.MaxAttemptTime)
	heard := func() []byte { return nil }
	if d.o.Context != nil {
		ctx, heard = d.o.Context(ctx)
	}
	outcomes := gen.Deliver(ctx, g.th, &g.event)
	cancel()
	now := d.o.Now()
	outcomes = complete(outcomes, len(g.recipients))

	// First let the next one begin; what follows concerns this message only.
	flushed, parked := d.ended(g, outcomes, start, now)
	d.mu.Lock()
	d.start()
	d.mu.Unlock()

	cut := d.base.Err() != nil
	vs := g.oneVerdict[:0]
	back := false
	for i := range outcomes {
		if cut && outcomes[i].Status == sdk.StatusDeferred {
			// It was we who broke it off: not this recipient's fault.
			back = true
			continue
		}
		v := d.judge(gen, g, i, outcomes[i], now)
		v.at = start
		if n := &v.res.Next; v.res.State == queue.Pending && n.Before(parked.parkedUntil) {
			// Before that it would only be put off, as if it had been tried.
			*n = d.retry.within(now, g.j.Envelope, parked.parkedUntil)
		}
		outcomes[i] = v.outcome
		vs = append(vs, v)
	}
	d.record(g, outcomes, vs, now, heard())
	if back {
		g.j.giveBack()
	}
	d.conclude(gen, g.j, vs)
	for _, w := range flushed {
		d.suspended(gen, w, &parked)
	}
}

// complete makes n outcomes of what a transport answered. The chain promises as
// much; a recipient without an outcome would be lost, so it is not believed.
func complete(outcomes []sdk.Outcome, n int) []sdk.Outcome {
	if len(outcomes) != n {
		outcomes = make([]sdk.Outcome, n)
	}
	for i := range outcomes {
		if s := outcomes[i].Status; s < sdk.StatusDelivered || s > sdk.StatusFailed {
			outcomes[i] = sdk.Outcome{Status: sdk.StatusDeferred,
				Reply: sdk.Reply{Code: 451, Enhanced: "4.3.5", Text: "The transport gave no outcome"}}
		}
	}
	return outcomes
}

// judge asks the outcome hooks what an outcome means.
func (d *Delivery) judge(gen *generation, g *group, i int, o sdk.Outcome, now time.Time) verdict {
	j, pos := g.j, g.positions[i]
	var a sdk.OutcomeAnswer
	var plugin string
	if gen.outcome {
		ev := &sdk.OutcomeEvent{Envelope: j.Envelope, Recipient: g.recipients[i], Route: g.route,
			Attempt: j.Rcpts[pos].Attempts + 1, Outcome: o}
		if o.Status == sdk.StatusDeferred {
			ev.Next = d.retry.next(now, j.Envelope, j.Rcpts[pos].Attempts+1)
		}
		a, plugin = gen.Outcome(d.base, g.th, ev)
	}
	var v verdict
	switch {
	case o.Status == sdk.StatusDelivered:
		v = d.delivered(j, pos, o, g.route.Via)
	default:
		if a.Reply != (sdk.Reply{}) {
			o.Reply, o.RemoteReply = a.Reply, false // no longer the words of the peer
		}
		if a.Status == sdk.StatusDeferred || a.Status == sdk.StatusFailed {
			o.Status = a.Status
		}
		switch {
		case a.Hold:
			v = d.held(j, pos, o, plugin)
		case o.Hold:
			v = d.held(j, pos, o, g.route.Via)
		case o.Status == sdk.StatusFailed:
			v = d.failed(j, pos, o, plugin)
		default:
			v = d.deferred(j, pos, o, a.Delay)
		}
	}
	v.res.NextHop = g.key
	return v
}

// record tells the tracer of an attempt.
func (d *Delivery) record(g *group, outcomes []sdk.Outcome, vs []verdict, now time.Time, conversation []byte) {
	a := &trace.Attempt{Number: g.attempt, Route: g.route, Outcomes: outcomes, Conversation: conversation,
		// From the lease on: the time in this package is the relay's own, and the
		// tracer takes set-up and transfer off it.
		At: g.j.leased, Elapsed: now.Sub(g.j.leased)}
	a.Recipients = make([]string, len(g.recipients))
	for i := range g.recipients {
		a.Recipients[i] = g.recipients[i].Addr
	}
	for i := range vs {
		if vs[i].res.Next.IsZero() {
			continue
		}
		if a.Next == nil {
			a.Next = make([]time.Time, len(outcomes))
		}
		for k, pos := range g.positions {
			if pos == vs[i].pos {
				a.Next[k] = vs[i].res.Next
				break
			}
		}
	}
	d.o.Tracer.Attempted(g.j.Envelope, a, g.th)
	g.th.Release()
	g.th = nil
}

// suspended settles a group whose destination is parked, with the words of the
// attempt that parked it.
func (d *Delivery) suspended(gen *generation, g *group, dst *destination) {
	now := d.o.Now()
	o := dst.last
	o.Status, o.Setup, o.Transfer = sdk.StatusDeferred, 0, 0
	outcomes := make([]sdk.Outcome, len(g.positions))
	vs := make([]verdict, len(g.positions))
	for i, pos := range g.positions {
		if d.retry.expired(now, g.j.Envelope) && dst.failures < confirmed {
			next := dst.parkedUntil.Add(time.Duration(float64(d.retry.park()) * jitter * d.o.Rand()))
			vs[i] = verdict{pos: pos, outcome: o, real: true, res: g.j.result(pos, queue.Pending, o)}
			vs[i].res.Next = next
		} else {
			vs[i] = d.deferred(g.j, pos, o, 0)
			if n := &vs[i].res.Next; vs[i].res.State == queue.Pending && n.Before(dst.parkedUntil) {
				*n = dst.parkedUntil
			}
		}
		vs[i].res.NextHop = g.key
		outcomes[i] = o
	}
	d.record(g, outcomes, vs, now, nil)
	d.conclude(gen, g.j, vs)
}

// putBack settles a group for which there is no room: it comes again soon, as
// if nothing had been.
func (d *Delivery) putBack(gen *generation, g *group) {
	now := d.o.Now()
	vs := make([]verdict, len(g.positions))
	for i, pos := range g.positions {
		vs[i] = verdict{pos: pos, outcome: g.j.Rcpts[pos].Last, res: g.j.result(pos, queue.Pending, sdk.Outcome{})}
		vs[i].res.Next, vs[i].res.NextHop = d.comeBack(g.dest, now), g.key
	}
	g.th.Release()
	g.th = nil
	d.conclude(gen, g.j, vs)
}

// unchanged gives a group back to the queue.
func (d *Delivery) unchanged(gen *generation, g *group) {
	g.th.Release()
	g.th = nil
	g.j.giveBack()
	d.conclude(gen, g.j, nil)
}

func (d *Delivery) delivered(j *job, pos int, o sdk.Outcome, via string) verdict {
	return verdict{pos: pos, outcome: o, real: true,
		// LMTP speaks to the mailbox; SMTP, and a plugin that passes on what a
		// peer said, to somebody who may answer for it or not.
		relayed: via != "lmtp" && (via == "smtp" || o.RemoteReply),
		res:     j.result(pos, queue.Delivered, o)}
}

func (d *Delivery) failed(j *job, pos int, o sdk.Outcome, by string) verdict {
	v := verdict{pos: pos, outcome: o, real: true, res: j.result(pos, queue.Failed, o)}
	v.res.By = by
	return v
}

func (d *Delivery) held(j *job, pos int, o sdk.Outcome, by string) verdict {
	o.Status = sdk.StatusDeferred
	v := verdict{pos: pos, outcome: o, real: true, res: j.result(pos, queue.Held, o)}
	v.res.By = by
	return v
}

// deferred is the verdict on a recipient that could not be delivered now:
// another time, or never if its time is up.
func (d *Delivery) deferred(j *job, pos int, o sdk.Outcome, delay time.Duration) verdict {
	now := d.o.Now()
	jr := &j.Rcpts[pos]
	v := verdict{pos: pos, outcome: o, real: true, res: j.result(pos, queue.Pending, o)}
	switch {
	case d.retry.expired(now, j.Envelope):
		v.res.State = queue.Expired
	case delay > 0:
		v.res.Next = d.retry.within(now, j.Envelope, now.Add(delay))
	default:
		v.res.Next = d.retry.next(now, j.Envelope, jr.Attempts+1)
	}
	return v
}

// givenUp is the verdict on a recipient that an operator gave up.
func (d *Delivery) givenUp(j *job, pos int) verdict {
	jr := &j.Rcpts[pos]
	v := verdict{pos: pos, outcome: jr.Last, real: true, res: j.result(pos, queue.Expired, sdk.Outcome{})}
	v.res.By = "operator"
	if v.outcome.Reply == (sdk.Reply{}) {
		v.outcome.Reply = sdk.Reply{Code: 451, Enhanced: "4.4.7", Text: "The operator of the mail system gave this message up"}
	}
	return v
}
