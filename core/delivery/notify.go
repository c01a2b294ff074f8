package delivery

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/programmable-mta/mta/core/bounce"
	"github.com/programmable-mta/mta/core/hook"
	"github.com/programmable-mta/mta/core/queue"
	"github.com/programmable-mta/mta/core/trace"
	"github.com/programmable-mta/mta/sdk"
)

// notice is a notification that is about to be queued.
type notice struct {
	*queue.New
	kind  sdk.DSNKind
	about string // the ID of the message
	id    string // Message-ID of the notification
	th    *trace.Thread
}

// queued tells the tracer that the notification is in the queue.
func (n *notice) queued(d *Delivery) {
	d.o.Tracer.Accepted(nil, n.Envelope, n.id, 0, n.th)
	d.o.Tracer.Bounced(n.about, n.Envelope.ID, n.kind.String(), n.Envelope.Recipients[0].Addr)
	n.th.Release()
}

// discard throws notifications away that the queue did not take.
func discard(ns []*notice) {
	for _, n := range ns {
		n.Draft.Discard()
		n.th.Release()
	}
}

// successNotice reports what was delivered to those who asked.
func (d *Delivery) successNotice(gen *generation, j *job, vs []verdict) *notice {
	var told []*verdict
	for i := range vs {
		v := &vs[i]
		// RFC 3461 §5.2.2: where the next hop took the wish over, it reports.
		if v.res.State == queue.Delivered && !v.outcome.DSNRelayed && bounce.Wanted(j.Envelope, *j.rcpt(v.pos), sdk.DSNSuccess) {
			told = append(told, v)
		}
	}
	if len(told) == 0 {
		return nil
	}
	// Defer and hold cannot undo a delivery, so the report goes out as it was
	// made: the sender has asked for it.
	n, _, _ := d.notice(gen, j, sdk.DSNSuccess, told)
	return n
}

// delayNotice tells of a delay, once for each recipient.
func (d *Delivery) delayNotice(gen *generation, j *job, vs []verdict) *notice {
	if d.o.DelayWarning <= 0 || d.retry.age(d.o.Now(), j.Envelope) < d.o.DelayWarning {
		return nil
	}
	var told []*verdict
	for i := range vs {
		v := &vs[i]
		if v.res.State == queue.Pending && v.real && !j.Rcpts[v.pos].DelayWarned && bounce.Wanted(j.Envelope, *j.rcpt(v.pos), sdk.DSNDelayed) {
			told = append(told, v)
		}
	}
	if len(told) == 0 {
		return nil
	}
	if h, err := j.Message.Header(); err == nil && bounce.Automatic(h) {
		// Nobody waits for such mail, unless it was asked for by name.
		asked := told[:0]
		for _, v := range told {
			if j.rcpt(v.pos).Notify&sdk.NotifyDelay != 0 {
				asked = append(asked, v)
			}
		}
		if told = asked; len(told) == 0 {
			return nil
		}
	}
	n, a, _ := d.notice(gen, j, sdk.DSNDelayed, told)
	if n != nil || a.Suppress {
		for _, v := range told {
			v.res.DelayWarned = true
		}
	}
	return n
}

// failureNotice makes the notification of all failed recipients of a pass. A
// hook may suppress it, which is recorded, or put it off: then the recipients
// have not failed yet.
func (d *Delivery) failureNotice(gen *generation, j *job, vs []verdict) *notice {
	told := make([]*verdict, len(vs))
	for i := range vs {
		told[i] = &vs[i]
	}
	n, a, plugin := d.notice(gen, j, sdk.DSNFailed, told)
	for _, v := range told {
		switch {
		case n != nil:
		case a.Suppress:
			v.res.By = plugin
		case a.Hold:
			v.res.State, v.res.By = queue.Held, plugin
		default:
			d.retryLater(j, v)
		}
	}
	return n
}

// notice makes a notification and asks the bounce hooks about it. Without a
// notice, the answer says why; an answer that says nothing means that it could
// not be made.
func (d *Delivery) notice(gen *generation, j *job, kind sdk.DSNKind, told []*verdict) (*notice, sdk.BounceAnswer, string) {
	now := d.o.Now()
	rep := &bounce.Report{Kind: kind, Envelope: j.Envelope, Message: j.Message, Hostname: d.o.Hostname, Postmaster: d.o.Postmaster,
		ID: d.o.Queue.NewID(), Now: now}
	if kind == sdk.DSNDelayed {
		rep.WillRetryUntil = d.retry.end(j.Envelope)
	}
	for _, v := range told {
		rep.Recipients = append(rep.Recipients, bounce.Rcpt{Recipient: *j.rcpt(v.pos), Outcome: v.outcome,
			Expired: v.res.State == queue.Expired, Relayed: v.relayed, LastAttempt: v.at})
	}
	return d.compose(gen, rep)
}

// compose writes a notification and asks the bounce hooks about it.
func (d *Delivery) compose(gen *generation, rep *bounce.Report) (*notice, sdk.BounceAnswer, string) {
	about, kind := rep.Envelope, rep.Kind
	var content bytes.Buffer
	if err := bounce.Write(&content, rep); err != nil {
		d.o.Tracer.Log(slog.LevelError, "delivery", "no notification can be made", "id", about.ID, "error", err)
		return nil, sdk.BounceAnswer{}, ""
	}
	text := content.Bytes()
	env := bounce.Envelope(rep)
	th := d.o.Tracer.Thread()
	if gen.Has("bounce") {
		a, plugin := d.askBounce(gen, th, rep, env, &text)
		if a.Suppress || (a.Defer || a.Hold) && kind != sdk.DSNSuccess {
			if a.Suppress {
				for _, r := range rep.Recipients {
					d.o.Tracer.Settled(about.ID, r.Addr, "suppressed", r.Reply, plugin)
				}
			}
			th.Release()
			return nil, a, plugin
		}
	}
	draft := d.o.Queue.Draft(rep.ID)
	if _, err := draft.Write(text); err != nil {
		draft.Discard()
		th.Release()
		d.o.Tracer.Log(slog.LevelError, "delivery", "a notification could not be written", "id", about.ID, "error", err)
		return nil, sdk.BounceAnswer{}, ""
	}
	env.Size = int64(len(text))
	return &notice{New: &queue.New{Draft: draft, Envelope: env}, kind: kind, about: about.ID, id: messageID(text), th: th}, sdk.BounceAnswer{}, ""
}

// NotifyRefused tells the sender of a message about recipients that were
// refused when the message had been seen, while others were accepted. The
// message is not ours yet: when this returns nil the notification is durable, or
// nobody is to be told; an error means that the message must be deferred.
func (d *Delivery) NotifyRefused(ctx context.Context, about *sdk.Envelope, m sdk.Message, refused []bounce.Rcpt) error {
	var told []bounce.Rcpt
	for i := range refused {
		if bounce.Wanted(about, refused[i].Recipient, sdk.DSNFailed) {
			told = append(told, refused[i])
		}
	}
	if len(told) == 0 {
		return nil
	}
	d.mu.Lock()
	gen := d.gen
	gen.uses++
	d.mu.Unlock()
	defer d.release(gen)
	n, a, plugin := d.compose(gen, &bounce.Report{Kind: sdk.DSNFailed, Envelope: about, Message: m, Recipients: told,
		Hostname: d.o.Hostname, Postmaster: d.o.Postmaster, ID: d.o.Queue.NewID(), Now: d.o.Now()})
	switch {
	case n == nil && a.Suppress:
		return nil
	case n == nil && plugin != "":
		return fmt.Errorf("delivery: %s does not let the notification go now", plugin)
	case n == nil:
		return errors.New("delivery: no notification can be made")
	}
	if err := d.o.Queue.Put(ctx, n.Draft, n.Envelope); err != nil {
		n.th.Release()
		return err
	}
	n.queued(d)
	return nil
}

var errEdits = errors.New("delivery: the notification would become too large")

// askBounce passes a notification through the bounce hooks, whose edits change
// text.
func (d *Delivery) askBounce(gen *generation, th *trace.Thread, rep *bounce.Report, env *sdk.Envelope, text *[]byte) (sdk.BounceAnswer, string) {
	ev := &sdk.BounceEvent{Envelope: rep.Envelope, Kind: rep.Kind, To: env.Recipients[0].Addr, Message: memory(env.ID, *text)}
	for i := range rep.Recipients {
		ev.Recipients = append(ev.Recipients, rep.Recipients[i].Recipient)
		ev.Outcomes = append(ev.Outcomes, rep.Recipients[i].Outcome)
	}
	return gen.Bounce(d.base, th, ev, func(plugin string, edits []sdk.Edit) error {
		var out bytes.Buffer
		if err := hook.EditMessage(&out, bytes.NewReader(*text), edits, 0); err != nil {
			return fmt.Errorf("delivery: edits of %s: %w", plugin, err)
		}
		if out.Len() >= bounce.MaxSize {
			return errEdits
		}
		*text = out.Bytes()
		ev.Message = memory(env.ID, *text)
		return nil
	})
}

type reader struct{ *bytes.Reader }

func (reader) Close() error { return nil }

// memory is a message that is in memory.
func memory(id string, text []byte) sdk.Message {
	return sdk.NewMessage(id, int64(len(text)), func() (sdk.Body, error) { return reader{bytes.NewReader(text)}, nil })
}

// messageID finds the Message-ID of a notification, which an edit may have changed.
func messageID(text []byte) string {
	h, err := sdk.ReadHeader(bytes.NewReader(text))
	if err != nil {
		return ""
	}
	return strings.Trim(h.Get("Message-ID"), "<>")
}
