package smtpin

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/programmable-mta/mta/core/smtp"
	"github.com/programmable-mta/mta/sdk"
)

// open begins the draft of the message with our trace field.
func (v *visit) open(chunks bool) {
	v.draft = v.srv.o.Queue.Draft(v.env.ID)
	v.body.reset(v.draft, chunks, v.srv.o.Newlines)
	buf := smallPool.Get().(*[smallBuffer]byte)[:0]
	buf = appendReceived(buf, v.srv.o.Hostname, &v.ses, v.env, v.srv.o.Now())
	_, v.body.err = v.draft.Write(buf)
	recycle(buf)
}

// unreadable is the reply to a message that arrived and cannot be taken: err is
// of the reader or of inbound. ok is false when it is about the connection.
func (v *visit) unreadable(verb string, err error) (r sdk.Reply, ok bool) {
	switch {
	case v.body.err != nil && errors.Is(err, v.body.err):
		r = replyPut(err)
		v.srv.log(slog.LevelError, "cannot write the message", "id", v.env.ID, "err", err)
	case errors.Is(err, smtp.ErrTooLarge):
		r = replyTooBig
	case errors.Is(err, smtp.ErrBareNewline):
		r = replyBareNewline
	case errors.Is(err, smtp.ErrNUL):
		r = replyNUL
	default:
		return sdk.Reply{}, false
	}
	v.rejected(verb, "", r, "", "")
	return r, true
}

// result is what is said to a message.
type result struct {
	reply sdk.Reply
	// refused are the recipients that it does not speak for. On SMTP they had
	// a DSN; on LMTP each has its own reply (RFC 2033 §4.2).
	refused []Refused
	kept    []sdk.Recipient // those that it does speak for
}

// finish decides about a message that has arrived. When it returns, the
// transaction is over: the message is durable and has its 250, or nothing is
// left of it.
func (v *visit) finish() (res result) {
	defer v.reset()
	env := v.env
	if over(v.body.hops, v.srv.o.Limits.Hops) {
		v.rejected("DATA", "", replyLoop, "", "")
		return result{reply: replyLoop}
	}
	env.Size = v.draft.Size()
	if len(env.Recipients) > 0 && v.discard == "" && v.chains.Has("data") {
		var no bool
		if res, no = v.data(); no {
			return res
		}
	}
	if len(res.refused) > 0 && v.ses.Profile != "lmtp" {
		if !v.bounce(res.refused) {
			return result{reply: replyQueueFault}
		}
	}
	if v.discard != "" || len(env.Recipients) == 0 {
		v.thrownAway()
		res.reply = replyQueued(env.ID)
		return res
	}
	// From here to the reply nothing slow happens but the sync: a client that
	// gives up in between sends the message again (RFC 1047).
	before := v.srv.o.Now()
	v.srv.o.Tracer.Arriving(&v.ses, env, v.body.id)
	var err error
	if v.held != "" {
		err = v.srv.o.Queue.PutHeld(context.Background(), v.draft, env, v.held)
	} else {
		err = v.srv.o.Queue.Put(context.Background(), v.draft, env)
	}
	if err != nil {
		r := replyPut(err)
		v.srv.log(slog.LevelError, "the queue does not take the message", "id", env.ID, "err", err)
		v.rejected("DATA", "", r, "", err.Error())
		return result{reply: r}
	}
	v.draft = nil // the queue's now
	v.kept(v.since(before))
	res.reply, res.kept = replyQueued(env.ID), env.Recipients
	return res
}

// kept logs a message that is ours.
func (v *visit) kept(wait time.Duration) {
	v.accepted++
	t := v.srv.o.Tracer
	t.Accepted(&v.ses, v.env, v.body.id, wait, v.th)
	for _, d := range v.dropped {
		t.Settled(v.env.ID, d.addr, "discarded", d.reply, d.by)
	}
	if v.held != "" {
		t.Active(v.env) // delivery will not say it before it is released
		for i := range v.env.Recipients {
			t.Settled(v.env.ID, v.env.Recipients[i].Addr, "held", sdk.Reply{}, v.held)
		}
	}
}

// thrownAway logs a message of which nothing is queued: every recipient was
// discarded by a plugin, whose name is in the log and the trace.
func (v *visit) thrownAway() {
	v.accepted++
	t := v.srv.o.Tracer
	t.Arriving(&v.ses, v.env, v.body.id)
	t.Accepted(&v.ses, v.env, v.body.id, 0, v.th)
	t.Active(v.env)
	for i := range v.env.Recipients {
		t.Settled(v.env.ID, v.env.Recipients[i].Addr, "discarded", sdk.Reply{}, v.discard)
	}
	for _, d := range v.dropped {
		t.Settled(v.env.ID, d.addr, "discarded", d.reply, d.by)
	}
	t.Removed(v.env.ID)
}

// data asks the plugins about the message. no: it is refused as a whole.
func (v *visit) data() (res result, no bool) {
	v.stage = inData
	v.dataEvent = sdk.DataEvent{Session: &v.ses, Envelope: v.env, Message: v.draft.Message()}
	d := v.chains.Data(v.srv.ctx, v.thread(), &v.dataEvent, v.applier())
	if r, no := v.judge("DATA", "", &d); no {
		return result{reply: r}, true
	}
	v.env.Size = v.draft.Size()
	if len(d.Recipients) != len(v.env.Recipients) || v.discard != "" {
		return result{}, false
	}
	keep := make([]sdk.Recipient, 0, len(v.env.Recipients))
	for i := range d.Recipients {
		rv, by := &d.Recipients[i], d.Plugin
		if i < len(d.RecipientPlugins) {
			by = d.RecipientPlugins[i]
		}
		rcpt := v.env.Recipients[i]
		if r, no := refusal(rv.Action, rv.Reply); no {
			v.rejected("DATA", rcpt.Addr, r, by, rv.Reason)
			res.refused = append(res.refused, Refused{rcpt, r, by})
		} else if rv.Action == sdk.Discard {
			v.dropped = append(v.dropped, dropped{rcpt.Addr, rv.Reply, by})
		} else {
			keep = append(keep, rcpt)
		}
	}
	if len(keep)+len(v.dropped) == 0 && len(res.refused) > 0 {
		res.reply = together(res.refused)
		return res, true
	}
	v.env.Recipients = keep
	return res, false
}

// together is the one reply for recipients that were all refused: temporary if
// one of them was, because a client that tries again loses nothing.
func together(refused []Refused) sdk.Reply {
	for _, r := range refused {
		if r.Reply.Code < 500 {
			return r.Reply
		}
	}
	return refused[0].Reply
}

// bounce has the DSN about refused recipients made durable. It comes before the
// message: after it, no moment is left at which the relay has said 250 and
// nobody knows of them.
func (v *visit) bounce(refused []Refused) bool {
	err := errors.New("smtpin: nobody makes DSNs")
	if v.srv.o.Bounce != nil {
		err = v.srv.o.Bounce(v.srv.ctx, v.env, v.draft.Message(), refused)
	}
	if err != nil {
		v.srv.log(slog.LevelError, "cannot report refused recipients", "id", v.env.ID, "err", err)
		v.rejected("DATA", "", replyQueueFault, "", err.Error())
	}
	return err == nil
}
