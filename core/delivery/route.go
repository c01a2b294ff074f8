package delivery

import (
	"strings"

	"github.com/programmable-mta/mta/core/queue"
	"github.com/programmable-mta/mta/core/trace"
	"github.com/programmable-mta/mta/sdk"
)

// route finds where each recipient of a message goes and lets the groups wait
// for their turn.
func (d *Delivery) route(gen *generation, j *job) {
	th := d.o.Tracer.Thread()
	groups, local := d.groups(gen, j, th)
	j.mu.Lock()
	j.open += len(groups)
	j.mu.Unlock()
	// What the route hooks were asked is kept with the first attempt that
	// follows from it.
	spare := len(groups) == 0 || len(local) > 0
	for i, g := range groups {
		if i > 0 || spare {
			g.th = d.o.Tracer.Thread()
		} else {
			g.th = th
		}
		d.admitGroup(gen, g)
	}
	if spare {
		d.recordLocal(j, local, th)
		th.Release()
	}
	d.conclude(gen, j, local)
}

// admitGroup lets a group wait, or settles it if it may not.
func (d *Delivery) admitGroup(gen *generation, g *group) {
	switch a, dst := d.enqueue(g, d.o.Now()); a {
	case isParked:
		d.suspended(gen, g, &dst)
	case isShed:
		d.putBack(gen, g)
	case isStopped:
		d.unchanged(gen, g)
	case admitted:
		d.mu.Lock()
		d.start()
		d.mu.Unlock()
	}
}

// groups asks about each recipient. Recipients that go nowhere now have a
// verdict instead of a group.
func (d *Delivery) groups(gen *generation, j *job, th *trace.Thread) (groups []*group, local []verdict) {
	var index map[string]*group // by identity; for more than one recipient
	var scratch [256]byte
	ev := &j.event
	ev.Envelope = j.Envelope
	for pos := range j.Rcpts {
		jr := &j.Rcpts[pos]
		rcpt := j.Envelope.Recipients[jr.Index]
		if jr.Expire {
			local = append(local, d.givenUp(j, pos))
			continue
		}
		var route sdk.Route
		if jr.Route != "" {
			r, ok := parseReroute(jr.Route)
			if !ok {
				local = append(local, d.deferred(j, pos, routeFault("the operator's route is not understood: "+jr.Route), 0))
				continue
			}
			route = r
		} else {
			ev.Recipient, ev.Attempt, ev.Last = rcpt, jr.Attempts+1, jr.Last
			a, plugin := gen.Route(d.base, th, ev)
			if d.base.Err() != nil {
				// The answer may be no more than the end of our patience.
				j.giveBack()
				continue
			}
			if a.Action != sdk.RouteUse || a.Route.Via == "" {
				local = append(local, d.withoutRoute(j, pos, &a, plugin))
				continue
			}
			route = a.Route
		}
		key := appendKey(scratch[:0], &route)
		id := appendTerms(key, &route)
		g := index[string(id)]
		if g == nil {
			g = &group{j: j, route: route, key: string(key)}
			g.recipients, g.positions = g.oneRecipient[:0], g.onePosition[:0]
			if len(j.Rcpts) > 1 {
				if index == nil {
					index = make(map[string]*group)
				}
				index[string(id)] = g
			}
			groups = append(groups, g)
		}
		g.recipients = append(g.recipients, rcpt)
		g.positions = append(g.positions, pos)
		g.attempt = max(g.attempt, jr.Attempts+1)
	}
	return groups, local
}

// withoutRoute is the verdict on a recipient to which a route hook gave no route.
func (d *Delivery) withoutRoute(j *job, pos int, a *sdk.RouteAnswer, plugin string) verdict {
	switch a.Action {
	case sdk.RouteFail:
		o := sdk.Outcome{Status: sdk.StatusFailed, Reply: a.Reply}
		if o.Reply == (sdk.Reply{}) {
			o.Reply = sdk.Reply{Code: 550, Enhanced: "5.4.4", Text: "There is no route to this recipient"}
		}
		return d.failed(j, pos, o, plugin)
	case sdk.RouteHold:
		o := sdk.Outcome{Status: sdk.StatusDeferred, Reply: a.Reply}
		return d.held(j, pos, o, plugin)
	case sdk.RouteDefer:
		o := sdk.Outcome{Status: sdk.StatusDeferred, Reply: a.Reply}
		if o.Reply == (sdk.Reply{}) {
			o.Reply = sdk.Reply{Code: 451, Enhanced: "4.4.4", Text: "The route is not known at present"}
		}
		v := d.deferred(j, pos, o, 0)
		if v.res.State == queue.Pending && a.NotBefore.After(v.res.Next) {
			v.res.Next = d.retry.within(d.o.Now(), j.Envelope, a.NotBefore)
		}
		return v
	}
	return d.deferred(j, pos, routeFault("No plugin knows a route to this recipient"), 0)
}

func routeFault(text string) sdk.Outcome {
	return sdk.Outcome{Status: sdk.StatusDeferred, Reply: sdk.Reply{Code: 451, Enhanced: "4.3.5", Text: text}}
}

// recordLocal tells the tracer of recipients that were not attempted, in the
// same form as of the others, so that one search finds all.
func (d *Delivery) recordLocal(j *job, vs []verdict, th *trace.Thread) {
	var a trace.Attempt
	for i := range vs {
		if v := &vs[i]; v.res.State != queue.Held && !j.Rcpts[v.pos].Expire {
			a.Recipients = append(a.Recipients, j.rcpt(v.pos).Addr)
			a.Outcomes = append(a.Outcomes, v.outcome)
			a.Next = append(a.Next, v.res.Next)
			a.Number = max(a.Number, j.Rcpts[v.pos].Attempts+1)
		}
	}
	if len(a.Recipients) == 0 {
		return
	}
	a.Route.Via = "route"
	a.At = j.leased
	a.Elapsed = d.o.Now().Sub(j.leased)
	d.o.Tracer.Attempted(j.Envelope, &a, th)
}

// parseReroute reads an operator's route: "smtp:host:port", "lmtp:unix:/path",
// or the name of a transport.
func parseReroute(s string) (sdk.Route, bool) {
	via, host, _ := strings.Cut(s, ":")
	r := sdk.Route{Via: via, Rule: "rerouted by the operator"}
	if host != "" {
		r.Hosts = []string{host}
	}
	if via == "" || host == "" && (via == "smtp" || via == "lmtp") {
		return sdk.Route{}, false
	}
	return r, true
}

// appendKey appends what names the destination of a route.
func appendKey(b []byte, r *sdk.Route) []byte {
	if r.Key != "" {
		return append(b, r.Key...)
	}
	b = append(b, r.Via...)
	for _, h := range r.Hosts {
		b = append(append(b, ' '), h...)
	}
	for _, t := range [...]struct{ name, value string }{{" tls=", r.TLS}, {" source=", r.Source}, {" pool=", r.Pool}, {" user=", r.User}} {
		if t.value != "" {
			b = append(append(b, t.name...), t.value...)
		}
	}
	return b
}

// appendTerms makes of a key the identity of a group. Whatever key a plugin
// gives, recipients travel together only on the same terms: else one of them
// would lose the TLS policy or login that was chosen for it.
func appendTerms(key []byte, r *sdk.Route) []byte {
	b := key
	for _, t := range [...]string{r.Via, r.TLS, r.Source, r.Pool, r.User, r.PasswordFile} {
		b = append(append(b, 0), t...)
	}
	if r.MX {
		b = append(b, 1)
	}
	return b
}
