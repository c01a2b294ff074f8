package hook

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/programmable-mta/mta/core/answer"
	"github.com/programmable-mta/mta/core/trace"
	"github.com/programmable-mta/mta/sdk"
)

// MinDelay is the shortest delay that an outcome hook can ask for.
const MinDelay = 30 * time.Second

// Route asks where one recipient goes. plugin is who answered; empty: nobody,
// and the answer is to defer.
func (c *Chains) Route(ctx context.Context, th *trace.Thread, e *sdk.RouteEvent) (sdk.RouteAnswer, string) {
	a, plugin, shadows := c.findRoute(ctx, th, e)
	if len(shadows) > 0 {
		c.compared(shadows, saidOfRoute(&a), e.Envelope.ID, e.Recipient.Addr)
	}
	return a, plugin
}

func saidOfRoute(a *sdk.RouteAnswer) string {
	said := said(a.Action.String(), a.Reply, 0)
	if r := describeRoute(&a.Route); r != "" {
		said += " " + r
	}
	return said
}

func (c *Chains) findRoute(ctx context.Context, th *trace.Thread, e *sdk.RouteEvent) (a sdk.RouteAnswer, plugin string, shadows []Comparison) {
	for _, m := range c.route.members {
		var at time.Time
		if th != nil {
			at = c.now()
		}
		a, fuel, err := m.asked(ctx, c.now, th, e)
		if err == nil {
			err = answer.CheckRoute(&a, m.compiledIn)
		}
		m.report(ctx, c.now, err)
		if err != nil {
			a = sdk.RouteAnswer{Action: sdk.RouteDefer, Reply: answer.Fault("local problem, try again later"), Reason: answer.Why(err)}
			if m.onError == OnErrorHold {
				a = sdk.RouteAnswer{Action: sdk.RouteHold, Reason: a.Reason}
			}
		}
		if !a.NotBefore.IsZero() {
			if last := c.now().Add(c.lifetime); a.NotBefore.After(last) {
				a.NotBefore = last
			}
		}
		if th != nil {
			record(c, th, m, trace.HookCall{Hook: "route", Recipient: e.Recipient.Addr, Action: a.Action.String(),
				Reply: a.Reply, Reason: a.Reason, Detail: describeRoute(&a.Route), At: at, Fuel: fuel}, err)
		}
		switch {
		case m.shadow && c.compare != nil:
			shadows = append(shadows, shadowed(m.owner, "route", saidOfRoute(&a), err))
		case m.shadow:
		case a.Action != sdk.RouteNone:
			return a, m.name, shadows
		}
	}
	return sdk.RouteAnswer{Action: sdk.RouteDefer, Reply: answer.Fault("no route")}, "", shadows
}

// describeRoute is the route in one line: "smtp to mx1.example.org, mx2.example.org, tls may (route 2)".
func describeRoute(r *sdk.Route) string {
	if r.Via == "" {
		return ""
	}
	var b strings.Builder
	b.WriteString(r.Via)
	for i, h := range r.Hosts {
		b.WriteString([...]string{" to ", ", "}[min(i, 1)])
		b.WriteString(h)
		if b.Len() > answer.MaxReason {
			b.WriteString(" ...")
			break
		}
	}
	if r.TLS != "" {
		b.WriteString(", tls " + r.TLS)
	}
	if r.Rule != "" {
		b.WriteString(" (" + r.Rule + ")")
	}
	return answer.Clean(b.String(), 2*answer.MaxReason)
}

// Deliver lets the plugin that e.Route.Via names deliver. There is always one
// outcome for each recipient, with a status and a reply. The call has no
// deadline of its own: it returns when the transport does, which gets ctx.
func (c *Chains) Deliver(ctx context.Context, th *trace.Thread, e *sdk.DeliverEvent) []sdk.Outcome {
	m := c.transports[e.Route.Via]
	if m == nil {
		return every(len(e.Recipients), sdk.Outcome{Status: sdk.StatusDeferred,
			Reply: answer.Fault(answer.Clean("there is no transport "+strconv.Quote(e.Route.Via), answer.MaxReason))})
	}
	var at time.Time
	if th != nil {
		at = c.now()
	}
	a, fuel, err := m.asked(ctx, c.now, th, e)
	if err == nil && len(a.Outcomes) != len(e.Recipients) {
		err = fmt.Errorf("hook: %d outcomes for %d recipients", len(a.Outcomes), len(e.Recipients))
	}
	standIn := sdk.Outcome{Status: sdk.StatusDeferred, Reply: answer.Fault("local problem, try again later"), Hold: m.onError == OnErrorHold}
	outs := a.Outcomes
	if err != nil {
		outs = every(len(e.Recipients), standIn)
	} else {
		outs = append([]sdk.Outcome(nil), outs...)
		err = answer.Settle(outs, standIn)
	}
	m.report(ctx, c.now, err)
	if th != nil {
		action, reply, detail := summary(outs)
		record(c, th, m, trace.HookCall{Hook: "deliver", Action: action, Reply: reply, Detail: detail, At: at, Fuel: fuel}, err)
	}
	return outs
}

func every(n int, o sdk.Outcome) []sdk.Outcome {
	outs := make([]sdk.Outcome, n)
	for i := range outs {
		outs[i] = o
	}
	return outs
}

// summary is what a record says of many outcomes: the worst, and how many.
func summary(outs []sdk.Outcome) (action string, reply sdk.Reply, detail string) {
	var n [sdk.StatusFailed + 1]int
	worst := sdk.StatusNone
	for i := range outs {
		s := outs[i].Status
		n[s]++
		if s > worst {
			worst, reply = s, outs[i].Reply
		}
	}
	return worst.String(), reply, fmt.Sprintf("%d delivered, %d deferred, %d failed",
		n[sdk.StatusDelivered], n[sdk.StatusDeferred], n[sdk.StatusFailed])
}

// Outcome asks what the attempt meant. plugin is who changed its status, or
// else who first changed anything; empty: nobody.
func (c *Chains) Outcome(ctx context.Context, th *trace.Thread, e *sdk.OutcomeEvent) (a sdk.OutcomeAnswer, plugin string) {
	was := e.Outcome.Status
	var sum sdk.OutcomeAnswer
	decider := ""
	var shadows []Comparison
	for _, m := range c.outcome.members {
		var at time.Time
		if th != nil {
			at = c.now()
		}
		a, fuel, err := m.asked(ctx, c.now, th, e)
		if err == nil {
			err = answer.CheckOutcome(&a, was)
		}
		m.report(ctx, c.now, err)
		if err != nil {
			a = broke(was, m.onError, err)
		} else if a.Delay > 0 {
			a.Delay = min(max(a.Delay, MinDelay), c.lifetime)
		}
		if th != nil {
			record(c, th, m, outcomeCall(e, &a, at, fuel), err)
		}
		if m.shadow && c.compare != nil {
			shadows = append(shadows, shadowed(m.owner, "outcome", saidOfOutcome(&a), err))
		}
		if m.shadow || !changes(&a, was) {
			continue
		}
		if plugin == "" {
			plugin = m.name
		}
		if decider == "" && (a.Hold || a.Status != sdk.StatusNone && a.Status != was) {
			decider = m.name
			sum.Status, sum.Hold = a.Status, a.Hold
		}
		if sum.Delay == 0 {
			sum.Delay = a.Delay
		}
		if sum.Reply == (sdk.Reply{}) {
			sum.Reply = a.Reply
		}
		if sum.Reason == "" {
			sum.Reason = a.Reason
		}
	}
	if decider != "" {
		plugin = decider
	}
	sum = answer.Consistent(sum, was)
	if len(shadows) > 0 {
		c.compared(shadows, saidOfOutcome(&sum), e.Envelope.ID, e.Recipient.Addr)
	}
	return sum, plugin
}

func saidOfOutcome(a *sdk.OutcomeAnswer) string {
	said := said(outcomeAction(a), a.Reply, 0)
	if a.Delay > 0 {
		said += " delay " + a.Delay.String()
	}
	return said
}

func outcomeAction(a *sdk.OutcomeAnswer) string {
	switch {
	case a.Hold:
		return "hold"
	case a.Status != sdk.StatusNone:
		return a.Status.String()
	}
	return "continue"
}

func changes(a *sdk.OutcomeAnswer, was sdk.Status) bool {
	return a.Hold || a.Delay != 0 || a.Reply != (sdk.Reply{}) || a.Status != sdk.StatusNone && a.Status != was
}

// broke is what a broken outcome hook means: the recipient stays in the queue
// unless it was delivered.
func broke(was sdk.Status, o OnError, err error) sdk.OutcomeAnswer {
	if was == sdk.StatusDelivered {
		return sdk.OutcomeAnswer{}
	}
	a := sdk.OutcomeAnswer{Hold: o == OnErrorHold, Reason: answer.Why(err)}
	if was != sdk.StatusDeferred {
		a.Status, a.Reply = sdk.StatusDeferred, answer.Fault("local problem, try again later")
	}
	return a
}

func outcomeCall(e *sdk.OutcomeEvent, a *sdk.OutcomeAnswer, at time.Time, fuel int64) trace.HookCall {
	call := trace.HookCall{Hook: "outcome", Recipient: e.Recipient.Addr, Action: outcomeAction(a), Reply: a.Reply, Reason: a.Reason, At: at, Fuel: fuel}
	if a.Delay > 0 {
		call.Detail = "next attempt in " + a.Delay.String()
	}
	return call
}

// Bounce asks before a DSN is queued. plugin is who suppressed, deferred or
// held it; empty: nobody. Edits in the answer were already given to apply, and
// its notes already left.
func (c *Chains) Bounce(ctx context.Context, th *trace.Thread, e *sdk.BounceEvent, apply Apply) (a sdk.BounceAnswer, plugin string) {
	on := turn{env: e.Envelope, apply: apply}
	var sum sdk.BounceAnswer
	var shadows []Comparison
	defer func() {
		if len(shadows) > 0 {
			c.compared(shadows, said(bounceAction(&a), sdk.Reply{}, len(a.Edits)), e.Envelope.ID, e.To)
		}
	}()
	for _, m := range c.bounce.members {
		var at time.Time
		if th != nil {
			at = c.now()
		}
		a, fuel, err := m.asked(ctx, c.now, th, e)
		if err == nil {
			err = m.rules.CheckBounce(&a, e.Envelope != nil && e.Envelope.SMTPUTF8)
		}
		if err == nil {
			err = m.granted(a.Edits)
		}
		if err == nil && !m.shadow && len(a.Edits) > 0 {
			notes, others := answer.Split(a.Edits)
			if a.Suppress || a.Defer || a.Hold {
				others = nil
			}
			err = on.edit(m.owner, notes, others, false)
		}
		m.report(ctx, c.now, err)
		if err != nil {
			a = sdk.BounceAnswer{Defer: m.onError != OnErrorHold, Hold: m.onError == OnErrorHold, Reason: answer.Why(err)}
		}
		if th != nil {
			record(c, th, m, trace.HookCall{Hook: "bounce", Recipient: e.To, Action: bounceAction(&a), Reason: a.Reason, Edits: a.Edits, At: at, Fuel: fuel}, err)
		}
		if m.shadow {
			if c.compare != nil {
				shadows = append(shadows, shadowed(m.owner, "bounce", said(bounceAction(&a), sdk.Reply{}, len(a.Edits)), err))
			}
			continue
		}
		sum.Edits = append(sum.Edits, a.Edits...)
		if a.Suppress || a.Defer || a.Hold {
			sum.Suppress, sum.Defer, sum.Hold, sum.Reason = a.Suppress, a.Defer, a.Hold, a.Reason
			return sum, m.name
		}
	}
	return sum, ""
}

func bounceAction(a *sdk.BounceAnswer) string {
	switch {
	case a.Suppress:
		return "suppress"
	case a.Defer:
		return "defer"
	case a.Hold:
		return "hold"
	}
	return "continue"
}

// Disconnect tells everybody that a session is over.
func (c *Chains) Disconnect(ctx context.Context, th *trace.Thread, e *sdk.DisconnectEvent) {
	for _, m := range c.disconnect.members {
		var at time.Time
		if th != nil {
			at = c.now()
		}
		_, fuel, err := m.asked(ctx, c.now, th, e)
		m.report(ctx, c.now, err)
		if th != nil {
			record(c, th, m, trace.HookCall{Hook: "disconnect", Action: "continue", At: at, Fuel: fuel}, err)
		}
	}
}
