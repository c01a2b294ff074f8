package hook

import (
	"context"
	"slices"
	"time"

	"github.com/programmable-mta/mta/core/answer"
	"github.com/programmable-mta/mta/core/trace"
	"github.com/programmable-mta/mta/sdk"
)

// Connect asks before the banner is sent.
func (c *Chains) Connect(ctx context.Context, th *trace.Thread, e *sdk.ConnectEvent) Verdict {
	return decide(ctx, c, th, &c.connect, e, turn{session: e.Session})
}

// Helo asks at EHLO, HELO and LHLO.
func (c *Chains) Helo(ctx context.Context, th *trace.Thread, e *sdk.HeloEvent) Verdict {
	return decide(ctx, c, th, &c.helo, e, turn{session: e.Session})
}

// Auth asks who the client is. Nobody knows: 535 5.7.8.
func (c *Chains) Auth(ctx context.Context, th *trace.Thread, e *sdk.AuthEvent) Verdict {
	return decide(ctx, c, th, &c.auth, e, turn{session: e.Session})
}

// Mail asks at MAIL FROM.
func (c *Chains) Mail(ctx context.Context, th *trace.Thread, e *sdk.MailEvent, apply Apply) Verdict {
	return decide(ctx, c, th, &c.mail, e, turn{session: e.Session, env: e.Envelope, apply: apply})
}

// Rcpt asks at RCPT TO. Nobody who may grant relaying accepts: 550 5.7.1.
func (c *Chains) Rcpt(ctx context.Context, th *trace.Thread, e *sdk.RcptEvent, apply Apply) Verdict {
	return decide(ctx, c, th, &c.rcpt, e, turn{session: e.Session, env: e.Envelope, rcpt: e.Recipient.Addr, apply: apply})
}

// Predata asks before 354 is said.
func (c *Chains) Predata(ctx context.Context, th *trace.Thread, e *sdk.PredataEvent) Verdict {
	return decide(ctx, c, th, &c.predata, e, turn{session: e.Session, env: e.Envelope})
}

// Data asks about the whole message.
func (c *Chains) Data(ctx context.Context, th *trace.Thread, e *sdk.DataEvent, apply Apply) Verdict {
	return decide(ctx, c, th, &c.data, e, turn{session: e.Session, env: e.Envelope, apply: apply})
}

// decide asks the plugins of a chain of decisions one after the other.
func decide[E any](ctx context.Context, c *Chains, th *trace.Thread, ch *chain[E, sdk.Answer], e *E, on turn) Verdict {
	f := fold{rules: ch.rules}
	var shadows []Comparison
	var at time.Time
	if th != nil {
		at = c.now()
	}
	for _, m := range ch.members {
		if f.yes.Plugin != "" && !m.mayRelay {
			continue
		}
		a, fuel, err := m.asked(ctx, c.now, th, e)
		if err == nil && !answer.Plain(&a) {
			err = on.take(m.owner, ch.rules, &a, f.recipients != nil)
		}
		m.report(ctx, c.now, err)
		if err != nil {
			a = m.standIn(ch.rules.Name, err)
		}
		if th != nil {
			// One reading of the clock is the end of a call and the beginning of
			// the next: it costs as much as the call of a small plugin.
			at = record(c, th, m, trace.HookCall{Hook: ch.rules.Name, Recipient: on.rcpt, Action: a.Action.String(),
				Reply: a.Reply, Reason: a.Reason, Edits: a.Edits, At: at, Fuel: fuel}, err)
		}
		if m.shadow {
			if c.compare != nil {
				shadows = append(shadows, shadowed(m.owner, ch.rules.Name, said(a.Action.String(), a.Reply, len(a.Edits)), err))
			}
			continue
		}
		if f.add(m.owner, &a, err != nil, &on) {
			break
		}
	}
	v := f.end()
	if len(shadows) > 0 {
		c.compared(shadows, said(v.Action.String(), v.Reply, 0), on.id(), on.about())
	}
	return v
}

// record writes a call down. When something broke, Reason is the error already.
func record[E, A any](c *Chains, th *trace.Thread, m *member[E, A], call trace.HookCall, err error) (end time.Time) {
	end = c.now()
	call.Plugin = m.name
	call.Fixed = m.fixed
	call.Shadow = m.shadow
	call.Elapsed = end.Sub(call.At)
	if err != errOpen { // it was not asked, so it took no time
		m.figures.took(call.Elapsed)
	}
	if err != nil {
		call.Reason, call.Err = "", answer.Why(err)
	}
	th.Hook(call)
	return end
}

// standIn is the decision that the operator chose for a broken plugin.
func (m *member[E, A]) standIn(hook string, err error) sdk.Answer {
	action := onErrorActions[m.onError]
	return sdk.Answer{Action: action, Reply: answer.Broken(hook, action), Reason: answer.Why(err)}
}

// turn is what a chain of decisions is about.
type turn struct {
	session *sdk.Session
	env     *sdk.Envelope // nil before MAIL
	rcpt    string
	apply   Apply
	before  []sdk.Recipient // the recipients before the last edits, when verdicts on them must follow
}

// take checks an answer and carries out its edits. An error means that nothing
// of it was done.
func (t *turn) take(o *owner, r *answer.Rules, a *sdk.Answer, verdicts bool) error {
	recipients, smtputf8 := 0, false
	if t.env != nil {
		recipients, smtputf8 = len(t.env.Recipients), t.env.SMTPUTF8
	}
	if len(a.Recipients) > 0 {
		// What the plugin returned may be shared between its calls; the words
		// that the core fills in are for this one.
		a.Recipients = slices.Clone(a.Recipients)
	}
	if err := r.Check(a, recipients, smtputf8); err != nil {
		return err
	}
	if len(a.Edits) == 0 {
		return nil
	}
	if err := o.granted(a.Edits); err != nil || o.shadow {
		return err
	}
	notes, others := answer.Split(a.Edits)
	// What is refused is not edited any more; notes on the reason remain.
	switch a.Action {
	case sdk.Defer, sdk.Reject, sdk.Disconnect:
		others = nil
	}
	return t.edit(o, notes, others, verdicts || len(a.Recipients) > 0)
}

func (t *turn) edit(o *owner, notes, others []sdk.Edit, verdicts bool) error {
	at := t.notes()
	next, err := answer.Noted(at, o.name, notes)
	if err != nil {
		return err
	}
	if len(others) > 0 && t.apply != nil {
		if verdicts {
			t.before = slices.Clone(t.env.Recipients)
		}
		if err := t.apply(o.name, others); err != nil {
			t.before = nil
			return err
		}
	}
	if len(notes) > 0 {
		*at = next
	}
	return nil
}

// notes is where this turn's notes are: on the message, or on the session while
// there is no message yet.
func (t *turn) notes() *sdk.Notes {
	switch {
	case t.env != nil:
		return &t.env.Notes
	case t.session != nil:
		return &t.session.Notes
	}
	return nil
}

// fold is a verdict in the making.
type fold struct {
	rules      *answer.Rules
	v          Verdict
	recipients []sdk.Verdict
	by         []string
	// yes is the accept or hold at rcpt of a plugin that may not grant
	// relaying: the others of its kind are not asked any more, those that may
	// grant it decide.
	yes Verdict
	// broken is a plugin whose failure leaves open whether somebody would have
	// said yes: the answer is "later" then, not "no".
	broken string
}

// add folds one answer in, and tells whether the chain ends with it.
func (f *fold) add(o *owner, a *sdk.Answer, failed bool, on *turn) (done bool) {
	if len(a.Recipients) > 0 {
		f.merge(o.name, a.Recipients)
	}
	if on.before != nil {
		f.realign(on.before, on.env.Recipients)
		on.before = nil
	}
	if failed && (f.rules.Login || f.rules.Relays && o.mayRelay) {
		f.broken = o.name
	}
	switch {
	case a.Action == sdk.Continue:
		return false
	case !f.rules.Relays || a.Action != sdk.Accept && a.Action != sdk.Hold:
	case failed || !o.mayRelay:
		if f.yes.Plugin == "" || f.yes.Action == sdk.Accept {
			f.yes = Verdict{Action: a.Action, Reason: a.Reason, Plugin: o.name}
		}
		return false
	default:
		f.v.Relay = true
		if f.yes.Action == sdk.Hold {
			f.v.Action, f.v.Reason, f.v.Plugin = sdk.Hold, f.yes.Reason, f.yes.Plugin
			return true
		}
	}
	f.v.Action, f.v.Reply, f.v.Reason, f.v.Plugin, f.v.Identity = a.Action, a.Reply, a.Reason, o.name, a.Identity
	return true
}

// end is the verdict; when nobody decided, what the hook means by silence.
func (f *fold) end() Verdict {
	v := f.v
	if v.Plugin == "" && (f.rules.Relays || f.rules.Login) {
		v.Action = sdk.Reject
		switch {
		case f.broken != "":
			v.Action, v.Plugin, v.Reason = sdk.Defer, f.broken, "it is broken, and nobody else said yes"
			v.Reply = answer.Broken(f.rules.Name, sdk.Defer)
		case f.rules.Relays:
			v.Reply = answer.RelayingDenied()
			if f.yes.Plugin != "" {
				v.Reason = "nobody granted relaying; " + f.yes.Plugin + " said " + f.yes.Action.String() + ", and may not grant it"
			}
		default:
			v.Reply = answer.Words(f.rules.Name, sdk.Reject)
		}
	}
	switch v.Action {
	case sdk.Continue, sdk.Accept, sdk.Hold:
		v.Recipients, v.RecipientPlugins = f.recipients, f.by
	}
	return v
}

// merge adds verdicts on single recipients: the first that decides on one stays.
func (f *fold) merge(plugin string, verdicts []sdk.Verdict) {
	if f.recipients == nil {
		f.recipients = make([]sdk.Verdict, len(verdicts))
		f.by = make([]string, len(verdicts))
	}
	for i := range verdicts {
		if f.recipients[i].Action == sdk.Continue && verdicts[i].Action != sdk.Continue {
			f.recipients[i], f.by[i] = verdicts[i], plugin
		}
	}
}

// realign lets verdicts follow their recipients after an edit: to the same
// address, or else to an address that replaced it.
func (f *fold) realign(before, after []sdk.Recipient) {
	byAddr, byOrig := map[string][]int{}, map[string][]int{}
	for k, r := range before {
		byAddr[r.Addr] = append(byAddr[r.Addr], k)
		if r.Orig != "" {
			byOrig[r.Orig] = append(byOrig[r.Orig], k)
		}
	}
	verdicts, by := make([]sdk.Verdict, len(after)), make([]string, len(after))
	used, found := make([]bool, len(before)), make([]bool, len(after))
	// move takes the first of the places that nobody has taken.
	move := func(i int, places map[string][]int, key string) {
		for !found[i] && len(places[key]) > 0 {
			k := places[key][0]
			places[key] = places[key][1:]
			if !used[k] {
				used[k], found[i] = true, true
				verdicts[i], by[i] = f.recipients[k], f.by[k]
			}
		}
	}
	for i := range after {
		move(i, byAddr, after[i].Addr)
	}
	for i := range after {
		if after[i].Orig != "" {
			move(i, byAddr, after[i].Orig)
			move(i, byOrig, after[i].Orig)
		}
	}
	f.recipients, f.by = verdicts, by
}
