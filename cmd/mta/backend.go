package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/programmable-mta/mta/core/control"
	"github.com/programmable-mta/mta/core/queue"
	"github.com/programmable-mta/mta/core/smtp"
	"github.com/programmable-mta/mta/core/trace"
	"github.com/programmable-mta/mta/sdk"
)

// backend is what a running relay lets its operator do.
type backend struct{ r *relay }

var _ control.Backend = (*backend)(nil)

// rememberingQueue knows the last message that was accepted, for people who
// have just sent one.
type rememberingQueue struct {
	*queue.Queue
	last *atomic.Pointer[string]
}

func (q rememberingQueue) Put(ctx context.Context, d *queue.Draft, env *sdk.Envelope) error {
	id := env.ID
	err := q.Queue.Put(ctx, d, env)
	if err == nil {
		q.last.Store(&id)
	}
	return err
}

// Status implements control.Backend.
func (b *backend) Status(context.Context) (*control.Status, error) {
	r := b.r
	cfg, st := r.cfg.Load(), r.queue.Stats()
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	s := &control.Status{
		Version: version(), Hostname: cfg.Hostname, Config: r.from.path, Spool: cfg.Spool, PID: os.Getpid(), Started: r.started,
		State: "running", Sessions: r.server.Sessions(), Plugins: len(r.gen.Load().services),
		Messages: st.Messages, Recipients: byState(st.ByState[:]), Active: st.Leased, Oldest: st.Oldest,
		Memory: mem.Sys - mem.HeapReleased, Disk: st.LogBytes,
		Counters: map[string]int{"accepted": int(st.Puts), "syncs": int(st.Syncs), "groups": int(st.Groups), "quarantined": int(st.Quarantined)},
	}
	switch {
	case st.Stopped:
		s.State = "stopped: the spool's disk failed; mend it, then start the relay again"
	case r.draining.Load():
		s.State = "draining"
	}
	for _, l := range r.listeners {
		s.Listeners = append(s.Listeners, control.Listener{Address: l.Addr().String(), Profile: l.profile})
	}
	for _, d := range r.delivery.Destinations() {
		s.Destinations = append(s.Destinations, control.Destination{
			Name: d.Key, Active: d.Active, Waiting: d.Waiting, Limit: cfg.Delivery.Concurrency, Paused: d.ParkedUntil, Reason: d.Last.String(),
		})
	}
	if st.Quarantined > 0 {
		s.Warnings = append(s.Warnings, fmt.Sprintf("%d damaged records are in %s/quarantine", st.Quarantined, cfg.Spool))
	}
	if err := r.queue.Space(0); errors.Is(err, queue.ErrNoSpace) {
		s.Warnings = append(s.Warnings, "the disk has less than limits.min_free left: new mail gets 452")
	}
	return s, nil
}

func byState(counts []int) map[string]int {
	m := map[string]int{}
	for i, n := range counts {
		if n > 0 {
			m[queue.State(i).String()] = n
		}
	}
	return m
}

func queueFilter(f control.Filter) (queue.Filter, error) {
	q := queue.Filter{IDs: f.IDs, From: f.From, To: f.To, NextHop: f.NextHop, OlderThan: time.Duration(f.OlderSeconds) * time.Second, Note: f.Note, Limit: f.Limit}
	for _, name := range f.States {
		s, ok := queue.ParseState(name)
		if !ok {
			return q, fmt.Errorf("%w: no state %q: use pending, held, delivered, failed, expired or discarded", control.ErrUsage, name)
		}
		q.State = append(q.State, s)
	}
	return q, nil
}

// QueueList implements control.Backend.
func (b *backend) QueueList(_ context.Context, f control.Filter, yield func(*control.Message) error) error {
	q, err := queueFilter(f)
	if err != nil {
		return err
	}
	var stopped error
	err = b.r.queue.List(q, func(e *queue.Entry) bool {
		stopped = yield(messageOf(e))
		return stopped == nil
	})
	return errors.Join(err, stopped)
}

func messageOf(e *queue.Entry) *control.Message {
	env := e.Envelope
	m := &control.Message{
		ID: e.ID, From: env.From, Size: env.Size, Arrived: e.Arrived, Active: e.Leased,
		ClientIP: env.Origin.IP, Client: env.Origin.Name, Helo: env.Origin.Helo, Protocol: env.Origin.Protocol, Login: env.Origin.Login,
		EnvID: env.EnvID, SMTPUTF8: env.SMTPUTF8, RequireTLS: env.RequireTLS, Notes: env.Notes,
	}
	for i, st := range e.Rcpts {
		rc := env.Recipients[i]
		m.Recipients = append(m.Recipients, control.Recipient{
			Address: rc.Addr, Original: rc.Orig, State: st.State.String(), Attempts: st.Attempts, Next: st.Next,
			Reply:  trace.Reply{Code: st.Last.Reply.Code, Enhanced: st.Last.Reply.Enhanced, Text: st.Last.Reply.Text},
			Remote: st.Last.Remote, RemoteReply: st.Last.RemoteReply, NextHop: st.NextHop, Route: st.Route, By: st.By,
		})
	}
	return m
}

// QueueCount implements control.Backend.
func (b *backend) QueueCount(_ context.Context, f control.Filter) (control.Counts, error) {
	q, err := queueFilter(f)
	if err != nil {
		return control.Counts{}, err
	}
	c, err := b.r.queue.Count(q)
	return control.Counts{Messages: c.Messages, Recipients: c.Recipients, Bytes: c.Bytes, States: byState(c.ByState[:])}, err
}

func (b *backend) entry(id string) (*queue.Entry, error) {
	e, err := b.r.queue.Get(strings.ToUpper(id))
	if errors.Is(err, queue.ErrNotFound) {
		return nil, fmt.Errorf("%w: no message %s in the queue (any more); 'mta explain %s' tells what became of it", control.ErrNotFound, id, id)
	}
	return e, err
}

// QueueShow implements control.Backend.
func (b *backend) QueueShow(_ context.Context, id string) (*control.Message, error) {
	e, err := b.entry(id)
	if err != nil {
		return nil, err
	}
	return messageOf(e), nil
}

// QueueBody implements control.Backend.
func (b *backend) QueueBody(_ context.Context, id string) (io.ReadCloser, error) {
	e, err := b.entry(id)
	if err != nil {
		return nil, err
	}
	return e.Message.Open()
}

// shapeBounds are the columns of `mta queue shape`, as those of Postfix's qshape.
var shapeBounds = [...]time.Duration{5 * time.Minute, 10 * time.Minute, 20 * time.Minute, 40 * time.Minute, 80 * time.Minute,
	160 * time.Minute, 320 * time.Minute, 640 * time.Minute, 1280 * time.Minute}

// QueueShape implements control.Backend.
func (b *backend) QueueShape(context.Context) (*control.Shape, error) {
	s := &control.Shape{}
	for _, d := range shapeBounds {
		s.Bounds = append(s.Bounds, int64(d/time.Second))
	}
	rows := map[string]*control.ShapeRow{}
	now := b.r.w.now()
	err := b.r.queue.List(queue.Filter{}, func(e *queue.Entry) bool {
		col := sort.Search(len(shapeBounds), func(i int) bool { return now.Sub(e.Arrived) < shapeBounds[i] })
		for i, st := range e.Rcpts {
			if st.State.Ended() {
				continue
			}
			name := sdk.Domain(e.Envelope.Recipients[i].Addr)
			row := rows[name]
			if row == nil {
				row = &control.ShapeRow{Destination: name, Recipients: make([]int, len(shapeBounds)+1)}
				rows[name] = row
			}
			row.Total++
			row.Recipients[col]++
		}
		return true
	})
	for _, row := range rows {
		s.Rows = append(s.Rows, *row)
	}
	sort.Slice(s.Rows, func(i, j int) bool {
		if s.Rows[i].Total != s.Rows[j].Total {
			return s.Rows[i].Total > s.Rows[j].Total
		}
		return s.Rows[i].Destination < s.Rows[j].Destination
	})
	return s, err
}

// actBatch is how many messages an action takes at once: enough to share a sync,
// few enough that mail goes on between them and progress is seen.
const actBatch = 500

// QueueAct implements control.Backend.
func (b *backend) QueueAct(_ context.Context, a control.Act, progress func(int) error) (control.Acted, error) {
	var done control.Acted
	f, err := queueFilter(a.Filter)
	if err != nil {
		return done, err
	}
	do, err := b.action(a)
	if err != nil {
		return done, err
	}
	var batch []*queue.Entry
	var stopped error
	carryOut := func() bool {
		var n int
		if n, stopped = b.actOn(f, batch, a, do); stopped != nil {
			return false
		}
		done.Messages += n
		batch = batch[:0]
		stopped = progress(done.Messages)
		return stopped == nil
	}
	err = b.r.queue.List(f, func(e *queue.Entry) bool {
		batch = append(batch, e)
		return len(batch) < actBatch || carryOut()
	})
	if err == nil && stopped == nil && len(batch) > 0 {
		carryOut()
	}
	b.r.tracer.Log(slog.LevelInfo, "queue", "an operator acts on the queue", "action", a.Action, "by", a.By, "messages", done.Messages)
	return done, errors.Join(err, stopped)
}

// action is what the name of an action means.
func (b *backend) action(a control.Act) (func(queue.Filter) (int, error), error) {
	q := b.r.queue
	switch a.Action {
	case "flush":
		b.r.delivery.Unpark()
		return func(f queue.Filter) (int, error) { return q.Flush(f, a.By) }, nil
	case "hold":
		return func(f queue.Filter) (int, error) { return q.Hold(f, a.By) }, nil
	case "release":
		return func(f queue.Filter) (int, error) { return q.Release(f, a.By) }, nil
	case "delete":
		return func(f queue.Filter) (int, error) { return q.Delete(f, a.By) }, nil
	case "expire":
		return func(f queue.Filter) (int, error) { return q.Expire(f, a.By) }, nil
	case "reroute":
		return func(f queue.Filter) (int, error) { return q.Reroute(f, a.Route) }, checkReroute(a.Route)
	}
	return nil, fmt.Errorf("%w: %q is no action", control.ErrUsage, a.Action)
}

// actOn carries an action out on some messages, and leaves in log and trace
// what became of their recipients.
func (b *backend) actOn(f queue.Filter, batch []*queue.Entry, a control.Act, do func(queue.Filter) (int, error)) (int, error) {
	f.IDs, f.Limit = f.IDs[:0:0], 0
	for _, e := range batch {
		f.IDs = append(f.IDs, e.ID)
	}
	n, err := do(f)
	if err != nil || n == 0 {
		return n, err
	}
	by := "operator " + a.By
	for _, e := range batch {
		after, err := b.r.queue.Get(e.ID)
		if err != nil && a.Action != "delete" {
			continue // it ended meanwhile, and delivery has said how
		}
		for i, was := range e.Rcpts {
			now := queue.Discarded
			if err == nil {
				now = after.Rcpts[i].State
			}
			if was.State.Ended() || now == was.State {
				continue
			}
			word := now.String()
			if now == queue.Pending {
				word = "released"
			}
			b.r.tracer.Settled(e.ID, e.Envelope.Recipients[i].Addr, word, sdk.Reply{}, by)
		}
		if errors.Is(err, queue.ErrNotFound) {
			b.r.tracer.Removed(e.ID)
		}
	}
	return n, nil
}

// checkReroute wants what delivery understands: smtp:host:port or lmtp:host:port.
func checkReroute(route string) error {
	via, rest, ok := strings.Cut(route, ":")
	if !ok || via != "smtp" && via != "lmtp" || rest == "" || strings.ContainsAny(rest, " \t,;<>") {
		return fmt.Errorf("%w: %q is no route: write smtp:HOST:PORT or lmtp:HOST:PORT", control.ErrUsage, route)
	}
	return nil
}

// Explain implements control.Backend. The ID "last" is the message accepted last.
func (b *backend) Explain(_ context.Context, id string) ([]trace.Record, error) {
	if id == "last" {
		last := b.r.lastPut.Load()
		if last == nil {
			return nil, fmt.Errorf("%w: no message was accepted since the relay started", control.ErrNotFound)
		}
		id = *last
	}
	if id == "last-refused" {
		if id = b.r.tracer.LastRejected(); id == "" {
			return nil, fmt.Errorf("%w: nothing was refused since the relay started", control.ErrNotFound)
		}
	}
	rs, err := b.r.tracer.Explain(strings.ToUpper(id))
	if err == nil && len(rs) == 0 {
		// What was refused has no queue ID; its session has one.
		rs, err = b.r.tracer.ExplainSession(id)
	}
	if err == nil && len(rs) == 0 {
		cfg := b.r.cfg.Load()
		return nil, fmt.Errorf("%w: no trace of %s: traces are kept for %s and %s (limits.trace_age, limits.trace_size)", control.ErrNotFound, id, cfg.Limits.TraceAge, cfg.Limits.TraceSize)
	}
	return rs, err
}

// ExplainSession implements control.Backend.
func (b *backend) ExplainSession(_ context.Context, id string) ([]trace.Record, error) {
	return b.r.tracer.ExplainSession(id)
}

// Route implements control.Backend.
func (b *backend) Route(ctx context.Context, address string) (*control.Route, error) {
	a, err := smtp.ParseAddress(address, true)
	if err != nil {
		return nil, fmt.Errorf("%w: %q is no address: %w", control.ErrUsage, address, err)
	}
	// From a person: the null sender has routes of its own.
	env := &sdk.Envelope{ID: "DRYRUN", From: "postmaster@" + b.r.cfg.Load().Hostname, Recipients: []sdk.Recipient{{Addr: a.String()}}, Arrived: b.r.w.now()}
	return b.route(ctx, nil, env, 0), nil
}

// route asks the route chain about one recipient and resolves what it says.
func (b *backend) route(ctx context.Context, th *trace.Thread, env *sdk.Envelope, i int) *control.Route {
	answer, plugin := b.r.gen.Load().chains.Route(ctx, th, &sdk.RouteEvent{Envelope: env, Recipient: env.Recipients[i], Attempt: 1})
	out := &control.Route{
		Address: env.Recipients[i].Addr, Action: answer.Action.String(), Via: answer.Route.Via, TLS: answer.Route.TLS,
		Rule: answer.Route.Rule, Plugin: plugin, Reason: strings.TrimSpace(answer.Reply.String() + " " + answer.Reason),
	}
	if answer.Action == sdk.RouteUse && out.TLS == "" {
		out.TLS = "may"
	}
	for _, h := range answer.Route.Hosts {
		out.Hosts = append(out.Hosts, b.resolveHop(ctx, h, answer.Route.MX))
	}
	return out
}

func (b *backend) resolveHop(ctx context.Context, hop string, mx bool) control.Host {
	h := control.Host{Name: hop}
	if strings.HasPrefix(hop, "unix:") {
		return h
	}
	name := hop
	if i := strings.LastIndexByte(hop, ':'); i > 0 && (strings.Count(hop, ":") == 1 || strings.HasSuffix(hop[:i], "]")) {
		if _, err := strconv.Atoi(hop[i+1:]); err == nil {
			name = hop[:i]
		}
	}
	lookup := b.r.resolver.Addrs
	if mx {
		lookup = b.r.resolver.MXAddrs
	}
	addrs, err := lookup(ctx, strings.Trim(name, "[]"))
	if err != nil {
		h.Error = err.Error()
	} else if len(addrs) == 0 {
		h.Error = "no address"
	}
	for _, a := range addrs {
		h.Addresses = append(h.Addresses, a.String())
	}
	return h
}

// Reload implements control.Backend.
func (b *backend) Reload(ctx context.Context, plugin string) (string, error) {
	return b.r.reload(ctx, plugin)
}

// Drain implements control.Backend.
func (b *backend) Drain(context.Context) error { b.r.ask(); return nil }

var errNoSink = fmt.Errorf("%w: this relay has no built-in sink; only 'mta serve --dev' has one", control.ErrNotFound)

// SinkList implements control.Backend.
func (b *backend) SinkList(context.Context) ([]control.SinkMessage, error) {
	if b.r.sink == nil {
		return nil, errNoSink
	}
	out := []control.SinkMessage{}
	for _, m := range b.r.sink.Messages() {
		out = append(out, control.SinkMessage{ID: strconv.Itoa(m.N), From: m.From, To: m.To, Size: m.Size, Subject: m.Subject, Received: m.Received})
	}
	return out, nil
}

// SinkShow implements control.Backend.
func (b *backend) SinkShow(_ context.Context, id string) (io.ReadCloser, error) {
	if b.r.sink == nil {
		return nil, errNoSink
	}
	n, err := strconv.Atoi(id)
	if err != nil {
		return nil, fmt.Errorf("%w: %q is no number; see 'mta sink list'", control.ErrUsage, id)
	}
	m, ok := b.r.sink.Get(n)
	if !ok {
		return nil, fmt.Errorf("%w: the sink has no message %d (any more); see 'mta sink list'", control.ErrNotFound, n)
	}
	return io.NopCloser(bytes.NewReader(m.Data)), nil
}

// SinkClear implements control.Backend.
func (b *backend) SinkClear(context.Context) (int, error) {
	if b.r.sink == nil {
		return 0, errNoSink
	}
	return b.r.sink.Clear(), nil
}
