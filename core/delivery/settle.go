package delivery

import (
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/programmable-mta/mta/core/bounce"
	"github.com/programmable-mta/mta/core/queue"
	"github.com/programmable-mta/mta/sdk"
)

// job is a leased message on its way through a pass.
type job struct {
	*queue.Job
	leased time.Time
	event  sdk.RouteEvent

	mu     sync.Mutex
	open   int       // groups under way, and one while it is routed
	failed []verdict // wait for the end of the pass, to share a notification
	ended  int       // recipients that have ended in this pass
	back   bool      // some recipients go back unchanged
	lost   bool      // the queue took a result not; the rest must not be tried again
}

func (j *job) rcpt(pos int) *sdk.Recipient {
	return &j.Envelope.Recipients[j.Rcpts[pos].Index]
}

// result is a result that leaves everything else as it was.
func (j *job) result(pos int, s queue.State, o sdk.Outcome) queue.Result {
	r := &j.Rcpts[pos]
	return queue.Result{Index: r.Index, State: s, Outcome: o, NextHop: r.NextHop, DelayWarned: r.DelayWarned}
}

func (j *job) giveBack() {
	j.mu.Lock()
	j.back = true
	j.mu.Unlock()
}

// conclude settles what came out for one group of a message, or for those of
// its recipients that were never in one. With the last group the message
// leaves our hands.
func (d *Delivery) conclude(gen *generation, j *job, vs []verdict) {
	kept := vs[:0]
	var failed []verdict
	j.mu.Lock()
	for i := range vs {
		if d.failureWanted(j, &vs[i]) {
			j.failed = append(j.failed, vs[i])
		} else {
			kept = append(kept, vs[i])
		}
	}
	if j.open == 1 {
		// Nobody else is under way, and nobody will be: one transaction does.
		failed, j.failed = j.failed, nil
	}
	j.mu.Unlock()
	d.settle(gen, j, kept, failed)

	// Only now may another one find itself the last, and end the lease.
	j.mu.Lock()
	j.open--
	last := j.open == 0
	if last {
		failed, j.failed = j.failed, nil
	}
	j.mu.Unlock()
	if !last {
		return
	}
	d.settle(gen, j, nil, failed)
	if j.back && !j.lost {
		d.o.Queue.Return(j.Job)
	} else if d.allEnded(j) {
		d.o.Tracer.Removed(j.Envelope.ID)
	}
	d.mu.Lock()
	d.leased--
	d.mu.Unlock()
	select {
	case d.room <- struct{}{}:
	default:
	}
}

func (d *Delivery) failureWanted(j *job, v *verdict) bool {
	return (v.res.State == queue.Failed || v.res.State == queue.Expired) && bounce.Wanted(j.Envelope, *j.rcpt(v.pos), sdk.DSNFailed)
}

// allEnded tells whether the message has left the queue. Those of its recipients
// that were not due are known to the queue only.
func (d *Delivery) allEnded(j *job) bool {
	if j.lost || j.ended != len(j.Rcpts) {
		return false
	}
	if len(j.Rcpts) == len(j.Envelope.Recipients) {
		return true
	}
	e, err := d.o.Queue.Get(j.Envelope.ID)
	if err != nil {
		return errors.Is(err, queue.ErrNotFound)
	}
	// What was settled just now may not show yet, so only the others count.
	next := 0
	for i := range e.Rcpts {
		if next < len(j.Rcpts) && j.Rcpts[next].Index == i {
			next++
		} else if !e.Rcpts[i].State.Ended() {
			return false
		}
	}
	return true
}

// settle writes verdicts down, together with the notifications that they cause.
func (d *Delivery) settle(gen *generation, j *job, kept, failed []verdict) {
	if len(kept)+len(failed) == 0 {
		return
	}
	// In the order of the envelope, not in that in which the next hops answered.
	slices.SortFunc(failed, func(a, b verdict) int { return a.pos - b.pos })
	var notices []*notice
	add := func(n *notice) {
		if n != nil {
			notices = append(notices, n)
		}
	}
	add(d.successNotice(gen, j, kept))
	add(d.delayNotice(gen, j, kept))
	if len(failed) > 0 {
		add(d.failureNotice(gen, j, failed))
	}
	rs := make([]queue.Result, 0, len(kept)+len(failed))
	for i := range kept {
		rs = append(rs, kept[i].res)
	}
	for i := range failed {
		rs = append(rs, failed[i].res)
	}
	var news []*queue.New
	for _, n := range notices {
		news = append(news, n.New)
	}
	err := d.o.Queue.Settle(j.Job, rs, news...)
	if err != nil && len(news) > 0 && !errors.Is(err, queue.ErrStopped) {
		// Perhaps there is no room for the notifications. Without them nobody may
		// fail, but what was delivered must not be delivered again.
		d.o.Tracer.Log(slog.LevelError, "delivery", "a notification could not be queued", "id", j.Envelope.ID, "error", err)
		discard(notices)
		notices = nil
		err = d.o.Queue.Settle(j.Job, d.withoutNotices(j, kept, failed))
	}
	if err != nil {
		discard(notices)
		d.o.Tracer.Log(slog.LevelError, "delivery", "results could not be written down; they count again after a restart",
			"id", j.Envelope.ID, "error", err)
		j.mu.Lock()
		j.lost = true
		j.mu.Unlock()
		return
	}
	for _, n := range notices {
		n.queued(d)
	}
	d.told(j, kept)
	d.told(j, failed)
}

// told tells the tracer of the states that no attempt line shows, and counts
// the recipients that ended.
func (d *Delivery) told(j *job, vs []verdict) {
	n := 0
	for i := range vs {
		v := &vs[i]
		if v.res.State.Ended() {
			n++
		}
		addr := j.rcpt(v.pos).Addr
		switch {
		case v.res.State == queue.Expired, v.res.State == queue.Held:
			d.o.Tracer.Settled(j.Envelope.ID, addr, v.res.State.String(), v.outcome.Reply, v.res.By)
		}
		if (v.res.State == queue.Failed || v.res.State == queue.Expired) && j.Envelope.From == "" {
			// A notification that cannot be delivered makes no other. It ends
			// here, so somebody should be able to see it.
			d.o.Tracer.Log(slog.LevelWarn, "delivery", "mail from the null reverse-path failed; nobody is told",
				"id", j.Envelope.ID, "to", addr, "reply", v.outcome.Reply.String())
		}
	}
	j.mu.Lock()
	j.ended += n
	j.mu.Unlock()
}

// withoutNotices are the results when no notification can be queued: failures
// become delays, the rest stays.
func (d *Delivery) withoutNotices(j *job, kept, failed []verdict) []queue.Result {
	rs := make([]queue.Result, 0, len(kept)+len(failed))
	for i := range kept {
		kept[i].res.DelayWarned = j.Rcpts[kept[i].pos].DelayWarned
		rs = append(rs, kept[i].res)
	}
	for i := range failed {
		d.retryLater(j, &failed[i])
		rs = append(rs, failed[i].res)
	}
	return rs
}

// retryLater turns a failure that cannot be reported now into a delay. The end
// of the lifetime does not count: it is the notification that waits.
func (d *Delivery) retryLater(j *job, v *verdict) {
	v.res.State, v.res.By = queue.Pending, ""
	if v.res.Outcome.Status != sdk.StatusNone {
		v.res.Outcome.Status = sdk.StatusDeferred
	}
	v.res.Next = d.o.Now().Add(d.retry.wait(j.Rcpts[v.pos].Attempts + 1))
}
