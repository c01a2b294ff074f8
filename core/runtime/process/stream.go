package process

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/core/runtime/call"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/serve/frames"
	"github.com/programmable-mta/mta/sdk/wire"
	"google.golang.org/grpc"
)

// What a plugin may leave waiting: maxPending calls of the host in one exchange,
// and maxBytes of calls in all of them. What comes on top is refused.
const (
	maxPending = 64
	maxBytes   = 64 << 20
)

// maxDescription bounds what a plugin says of itself, which is kept.
const maxDescription = 64 << 10

// stream is one kept stream. Exchanges share it by their numbers.
type stream struct {
	c    *child
	grpc grpc.ClientStream
	out  chan *wire.ProtoWriter

	mu   sync.Mutex
	open map[uint64]*exchange
}

// exchange is one request until its answer: what came for it.
type exchange struct {
	in       chan frames.Message
	answered bool // under the mutex of the stream
}

// pools are memory that is used again.
type pools struct{ exchanges, writers sync.Pool }

func (p *pools) exchange() *exchange {
	if x, ok := p.exchanges.Get().(*exchange); ok {
		return x
	}
	return &exchange{in: make(chan frames.Message, maxPending+1)}
}

// writer is an empty one.
func (p *pools) writer() *wire.ProtoWriter {
	w, ok := p.writers.Get().(*wire.ProtoWriter)
	if !ok {
		w = new(wire.ProtoWriter)
	}
	w.Reset()
	return w
}

// open adds a stream.
func (c *child) open(ctx context.Context) error {
	g, err := c.conn.NewStream(ctx, frames.Stream(), frames.Method, grpc.ForceCodecV2(frames.Codec{}),
		grpc.MaxCallRecvMsgSize(frames.MaxFromPlugin), grpc.MaxCallSendMsgSize(frames.MaxToPlugin))
	if err != nil {
		return fmt.Errorf("its stream cannot be opened: %w", err)
	}
	st := &stream{c: c, grpc: g, out: make(chan *wire.ProtoWriter, 64), open: make(map[uint64]*exchange)}
	c.streams = append(c.streams, st)
	go st.write()
	go st.read()
	return nil
}

// write sends what is in the queue. It is a goroutine of its own because gRPC's
// send has no deadline, and a plugin that does not read would keep a call.
func (st *stream) write() {
	for {
		select {
		case w := <-st.out:
			err := st.grpc.SendMsg(&frames.Frame{Out: w.Bytes()})
			st.c.p.pools.writers.Put(w)
			if err != nil {
				// What the stream failed of is said by its receiving side.
				return
			}
		case <-st.c.broken:
			return
		}
	}
}

// read takes what comes to those who wait for it.
func (st *stream) read() {
	for {
		var f frames.Frame
		if err := st.grpc.RecvMsg(&f); err != nil {
			st.c.fail(fmt.Errorf("its stream ended: %w", err))
			return
		}
		m, err := frames.Parse(f.In)
		if err != nil {
			st.c.fail(fmt.Errorf("it sent what is no message: %w", err))
			return
		}
		st.take(m)
	}
}

// take gives a message to its exchange. It never waits. Answers to what is over
// are late, and nobody misses them; calls are told.
func (st *stream) take(m frames.Message) {
	isCall := m.Kind > wire.ProtoHostCall
	size := int64(len(m.Body))
	full := isCall && st.c.bytes.Load()+size > maxBytes
	st.mu.Lock()
	x := st.open[m.Seq]
	switch {
	case x == nil:
	case isCall && !full && len(x.in) < maxPending:
		st.c.bytes.Add(size)
		x.in <- m // has room
	case isCall:
		full = true
	case !x.answered:
		x.answered = true
		x.in <- m
	}
	st.mu.Unlock()
	if !isCall || m.Call == 0 || x != nil && !full {
		return
	}
	w := st.c.p.pools.writer()
	if x == nil {
		st.result(w, m, sdk.CallNotAllowed, "the hook is over", nil)
	} else {
		st.result(w, m, sdk.CallLimit, fmt.Sprintf("more than %d calls, or %d MiB of them, at the same time", maxPending, maxBytes>>20), nil)
	}
	select {
	case st.out <- w:
	default: // it asks without reading: no answer, then
		st.c.p.pools.writers.Put(w)
	}
}

// took is said of a message that an exchange has taken out.
func (st *stream) took(m frames.Message) {
	if m.Kind > wire.ProtoHostCall {
		st.c.bytes.Add(-int64(len(m.Body)))
	}
}

// result begins a message with the result of a call.
func (st *stream) result(w *wire.ProtoWriter, m frames.Message, code sdk.CallCode, reason string, fill func(*wire.ProtoWriter)) {
	w.Int(wire.ProtoSeq, int64(m.Seq))
	w.Int(wire.ProtoCall, int64(m.Call))
	at := w.Begin(wire.ProtoResult)
	w.Int(1, int64(code))
	w.String(2, reason)
	if fill != nil {
		inner := w.Begin(m.Kind)
		fill(w)
		w.End(inner)
	}
	w.End(at)
}

// send puts a message into the queue.
func (st *stream) send(ctx context.Context, w *wire.ProtoWriter) error {
	select {
	case st.out <- w:
		return nil
	case <-ctx.Done():
		return over(ctx)
	case <-st.c.broken:
		return st.c.away()
	}
}

func (c *child) away() error {
	return fmt.Errorf("process: the plugin went away during the call: %w", c.why)
}

func over(ctx context.Context) error {
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return fmt.Errorf("process: no answer in time: %w", cause)
	}
	return ctx.Err()
}

// exchange makes one request and answers the calls of the host that the plugin
// makes meanwhile, until its answer, of the kind reply.
func (st *stream) exchange(ctx context.Context, kind, reply int, scope *call.Scope, fill func(*wire.ProtoWriter)) (string, error) {
	seq := st.c.p.seq.Add(1)
	x := st.c.p.pools.exchange()
	st.mu.Lock()
	st.open[seq] = x
	st.mu.Unlock()
	defer st.forget(seq, x)

	w := st.c.p.pools.writer()
	w.Int(wire.ProtoSeq, int64(seq))
	w.Time(wire.ProtoNow, scope.Now)
	at := w.Begin(kind)
	if fill != nil {
		fill(w)
	}
	w.End(at)
	if err := st.send(ctx, w); err != nil {
		return "", err
	}
	for {
		select {
		case m := <-x.in:
			st.took(m)
			switch {
			case m.Kind == reply:
				return m.Body, nil
			case m.Kind == wire.ProtoError:
				return "", errors.New(errorText(m.Body))
			case m.Kind > wire.ProtoHostCall:
				if err := st.answer(ctx, m, scope); err != nil {
					return "", err
				}
			default:
				return "", fmt.Errorf("process: it answered with field %d of FromPlugin, and %d belongs there", m.Kind, reply)
			}
		case <-ctx.Done():
			st.cancel(seq)
			return "", over(ctx)
		case <-st.c.broken:
			return "", st.c.away()
		}
	}
}

// forget ends an exchange. Nothing is put into it afterwards.
func (st *stream) forget(seq uint64, x *exchange) {
	st.mu.Lock()
	delete(st.open, seq)
	st.mu.Unlock()
	for len(x.in) > 0 {
		st.took(<-x.in)
	}
	x.answered = false
	st.c.p.pools.exchanges.Put(x)
}

// cancel tells the plugin that nobody waits any more, if that costs nothing.
func (st *stream) cancel(seq uint64) {
	w := st.c.p.pools.writer()
	w.Int(wire.ProtoSeq, int64(seq))
	w.End(w.Begin(wire.ProtoCancel))
	select {
	case st.out <- w:
	default:
		st.c.p.pools.writers.Put(w)
	}
}

// answer does one call of the host.
func (st *stream) answer(ctx context.Context, m frames.Message, scope *call.Scope) error {
	number := m.Kind - wire.ProtoHostCall
	var request, reply wire.Writer
	var result []byte
	code := sdk.CallInvalid
	block, err := wire.CallFromProto(number, m.Body, &request)
	if err == nil {
		result, code = scope.Do(ctx, number, string(block), &reply)
	} else {
		result = []byte(err.Error())
	}
	if m.Call == 0 {
		return nil
	}
	w := st.c.p.pools.writer()
	if code != sdk.CallOK {
		st.result(w, m, code, string(result), nil)
	} else {
		st.result(w, m, code, "", func(w *wire.ProtoWriter) { err = wire.ResultToProto(number, string(result), w) })
		if err != nil {
			return err
		}
	}
	return st.send(ctx, w)
}

// errorText is what a plugin said of its fault.
func errorText(body string) string {
	r := wire.NewProtoReader(body)
	text := ""
	for r.Next() {
		if r.Field == 1 {
			text = r.Text()
		}
	}
	if text == "" {
		return "process: an error without words"
	}
	return printable(text[:min(len(text), maxLine)])
}

// hook joins a hook with its messages.
type hook[E, A any] struct {
	name      string
	number    int
	want      *wire.Want
	write     func(*wire.ProtoWriter, *E, *wire.Want)
	unmarshal func(string) (A, error)
	about     func(*E, *call.Scope) // what the calls of the host depend on; nil: nothing
}

// ask makes the handler of a hook.
func ask[E, A any](p *plugin, h *hook[E, A]) sdk.Handler[E, A] {
	return func(ctx context.Context, e *E) (A, error) {
		var none A
		c := p.child.Load()
		if c == nil {
			return none, p.gone()
		}
		if h.number != wire.HookDeliver {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeoutCause(ctx, p.limits.Deadline, errDeadline)
			defer cancel()
		}
		select {
		case p.slots <- struct{}{}:
		case <-c.broken:
			return none, c.away()
		case <-ctx.Done():
			return none, fmt.Errorf("process: all of limits.instances = %d calls are at work: %w", cap(p.slots), context.Cause(ctx))
		}
		defer func() { <-p.slots }()
		scope := call.Scope{Host: p.host, Grants: &p.grants, Now: p.host.Now(ctx)}
		defer scope.End()
		if h.about != nil {
			h.about(e, &scope)
		}
		st := c.streams[int(p.turn.Add(1))%len(c.streams)]
		kind := wire.ProtoHook + h.number
		body, err := st.exchange(ctx, kind, kind, &scope, func(w *wire.ProtoWriter) { h.write(w, e, h.want) })
		if cost := runtime.CostOf(ctx); cost != nil {
			cost.Calls += scope.Calls
		}
		if err != nil {
			return none, err
		}
		a, err := h.unmarshal(body)
		if err != nil {
			return none, fmt.Errorf("process: its answer does not decode: %w", err)
		}
		return a, nil
	}
}

// errDeadline is why a call ended at Limits.Deadline.
var errDeadline = fmt.Errorf("limits.deadline: %w", context.DeadlineExceeded)
