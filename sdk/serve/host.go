//go:build !wasip1

package serve

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/serve/frames"
	"github.com/programmable-mta/mta/sdk/wire"
)

// The numbers of the calls are those of the table in sdk/calls.go.

// host is the [sdk.Host] of a process plugin: every call goes over the stream of
// the request that its context belongs to.
type host struct{ srv *server }

// ask makes one call and waits for its result. A call with the context of no
// request cannot be judged by the relay, so it is refused here.
func ask[R any](ctx context.Context, number int, fill func(*wire.ProtoWriter), parse func(string) (R, error)) (R, error) {
	var none R
	name := sdk.Calls()[number-1].Name
	r, _ := ctx.Value(requestKey{}).(*request)
	if r == nil {
		return none, &sdk.CallError{Call: name, Code: sdk.CallNotAllowed, Text: "pass the context of the hook"}
	}
	st := r.stream
	id := st.calls.Add(1)
	if id == 0 {
		id = st.calls.Add(1) // 0 means that no result is wanted
	}
	ch := make(chan frames.Message, 1)
	st.mu.Lock()
	st.waiting[id] = ch
	st.mu.Unlock()
	if err := st.send(r.seq, id, wire.ProtoHostCall+number, fill); err != nil {
		return none, &sdk.CallError{Call: name, Code: sdk.CallFailed, Text: err.Error()}
	}
	select {
	case m := <-ch:
		return parseResult(name, m.Body, parse)
	case <-ctx.Done():
		st.mu.Lock()
		delete(st.waiting, id)
		st.mu.Unlock()
		return none, &sdk.CallError{Call: name, Code: sdk.CallTimeout, Text: "the hook is over"}
	}
}

func parseResult[R any](name, body string, parse func(string) (R, error)) (R, error) {
	var none R
	var code sdk.CallCode
	var reason, result string
	r := wire.NewProtoReader(body)
	for r.Next() {
		switch {
		case r.Field == 1:
			code = sdk.CallCode(r.Int())
		case r.Field == 2:
			reason = r.Text()
		case r.Field > wire.ProtoHostCall:
			result = r.Text()
		}
	}
	if err := r.Err(); err != nil {
		return none, err
	}
	if code != sdk.CallOK {
		return none, &sdk.CallError{Call: name, Code: code, Text: reason}
	}
	return parse(result)
}

// quiet is how many calls go out without waiting for a result. The relay drops
// what it cannot keep, so one in that many is waited for.
const quiet = 32

// tell makes a call that has no result worth waiting for.
func tell(ctx context.Context, number int, fill func(*wire.ProtoWriter)) {
	r, _ := ctx.Value(requestKey{}).(*request)
	switch {
	case r == nil:
	case r.told.Add(1)%quiet == 0:
		ask(ctx, number, fill, func(string) (struct{}, error) { return struct{}{}, nil })
	default:
		r.stream.send(r.seq, 0, wire.ProtoHostCall+number, fill)
	}
}

// Name implements [sdk.Host].
func (h *host) Name() string {
	h.srv.mu.RLock()
	defer h.srv.mu.RUnlock()
	return h.srv.name
}

// Hostname implements [sdk.Host].
func (h *host) Hostname() string {
	h.srv.mu.RLock()
	defer h.srv.mu.RUnlock()
	return h.srv.hostname
}

// Now implements [sdk.Host].
func (h *host) Now(ctx context.Context) time.Time {
	h.srv.mu.RLock()
	granted := h.srv.clock
	h.srv.mu.RUnlock()
	if r, _ := ctx.Value(requestKey{}).(*request); r != nil && !granted {
		return r.now
	}
	v, err := ask(ctx, wire.CallNow, func(*wire.ProtoWriter) {}, wire.UnmarshalNowResult)
	if err != nil {
		return time.Now()
	}
	return v.Time
}

// Log implements [sdk.Host].
func (h *host) Log(ctx context.Context, level slog.Level, msg string, args ...any) {
	var b strings.Builder
	b.WriteString(msg)
	rec := slog.NewRecord(time.Time{}, level, "", 0)
	rec.Add(args...)
	rec.Attrs(func(a slog.Attr) bool {
		fmt.Fprintf(&b, " %s=%v", a.Key, a.Value)
		return true
	})
	tell(ctx, wire.CallLog, func(w *wire.ProtoWriter) { w.LogCall(&sdk.LogCall{Level: int(level), Text: b.String()}) })
}

// Random implements [sdk.Host].
func (h *host) Random(ctx context.Context, p []byte) {
	v, err := ask(ctx, wire.CallRandom, func(w *wire.ProtoWriter) { w.RandomCall(&sdk.RandomCall{Size: len(p)}) }, wire.UnmarshalRandomResult)
	if err != nil {
		rand.Read(p) // never zeros: somebody may count on them
		return
	}
	copy(p, v.Data)
}

// Count implements [sdk.Host].
func (h *host) Count(ctx context.Context, name string, delta float64) {
	tell(ctx, wire.CallMetric, func(w *wire.ProtoWriter) { w.MetricCall(&sdk.MetricCall{Name: name, Value: delta}) })
}

// Gauge implements [sdk.Host].
func (h *host) Gauge(ctx context.Context, name string, value float64) {
	tell(ctx, wire.CallMetric, func(w *wire.ProtoWriter) {
		w.MetricCall(&sdk.MetricCall{Name: name, Gauge: true, Value: value})
	})
}

// Lookup implements [sdk.Host].
func (h *host) Lookup(ctx context.Context, kind sdk.RecordKind, name string) ([]string, error) {
	v, err := ask(ctx, wire.CallLookup, func(w *wire.ProtoWriter) { w.LookupCall(&sdk.LookupCall{Kind: string(kind), Name: name}) }, wire.UnmarshalLookupResult)
	return v.Values, dnsError(name, err)
}

// MX implements [sdk.Host].
func (h *host) MX(ctx context.Context, domain string) (sdk.MX, error) {
	v, err := ask(ctx, wire.CallMX, func(w *wire.ProtoWriter) { w.MXCall(&sdk.MXCall{Domain: domain}) }, wire.UnmarshalMXResult)
	return v.MX, dnsError(domain, err)
}

// dnsError gives what the DNS said the form that [sdk.Host] promises.
func dnsError(name string, err error) error {
	c, ok := err.(*sdk.CallError)
	if !ok {
		return err
	}
	switch c.Code {
	case sdk.CallTemporary, sdk.CallTimeout:
		return &sdk.DNSError{Name: name, Temporary: true, Text: c.Text}
	case sdk.CallFailed:
		return &sdk.DNSError{Name: name, Text: c.Text}
	}
	return err
}

// HTTP implements [sdk.Host].
func (h *host) HTTP(ctx context.Context, q *sdk.HTTPRequest) (*sdk.HTTPResponse, error) {
	v, err := ask(ctx, wire.CallHTTP, func(w *wire.ProtoWriter) { w.HTTPCall(&sdk.HTTPCall{Request: *q}) }, wire.UnmarshalHTTPResult)
	if err != nil {
		return nil, err
	}
	return &v.Response, nil
}

// Send implements [sdk.Host].
func (h *host) Send(ctx context.Context, e *sdk.DeliverEvent, opt sdk.SendOptions) ([]sdk.Outcome, error) {
	q := sdk.SendCall{Route: e.Route, Recipients: e.Recipients, LMTP: opt.LMTP}
	if e.Envelope != nil {
		q.From = e.Envelope.From
	}
	v, err := ask(ctx, wire.CallSend, func(w *wire.ProtoWriter) { w.SendCall(&q) }, wire.UnmarshalSendResult)
	return v.Outcomes, err
}

// KV implements [sdk.Host].
func (h *host) KV() sdk.KV { return kv{} }

type kv struct{}

// Get implements [sdk.KV].
func (kv) Get(ctx context.Context, key string) ([]byte, bool, error) {
	v, err := ask(ctx, wire.CallKVGet, func(w *wire.ProtoWriter) { w.KVGetCall(&sdk.KVGetCall{Key: key}) }, wire.UnmarshalKVGetResult)
	if v.Found && v.Value == nil {
		v.Value = []byte{}
	}
	return v.Value, v.Found, err
}

// Set implements [sdk.KV].
func (kv) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	_, err := ask(ctx, wire.CallKVSet, func(w *wire.ProtoWriter) { w.KVSetCall(&sdk.KVSetCall{Key: key, Value: value, TTL: ttl}) }, wire.UnmarshalKVSetResult)
	return err
}

// Swap implements [sdk.KV].
func (kv) Swap(ctx context.Context, key string, before, after []byte, ttl time.Duration) (bool, error) {
	q := sdk.KVSwapCall{Key: key, HasOld: before != nil, Old: before, HasNew: after != nil, New: after, TTL: ttl}
	v, err := ask(ctx, wire.CallKVSwap, func(w *wire.ProtoWriter) { w.KVSwapCall(&q) }, wire.UnmarshalKVSwapResult)
	return v.Swapped, err
}

// Add implements [sdk.KV].
func (kv) Add(ctx context.Context, key string, delta int64, ttl time.Duration) (int64, error) {
	v, err := ask(ctx, wire.CallKVAdd, func(w *wire.ProtoWriter) { w.KVAddCall(&sdk.KVAddCall{Key: key, Delta: delta, TTL: ttl}) }, wire.UnmarshalKVAddResult)
	return v.Value, err
}

// Delete implements [sdk.KV].
func (kv) Delete(ctx context.Context, key string) error {
	_, err := ask(ctx, wire.CallKVDelete, func(w *wire.ProtoWriter) { w.KVDeleteCall(&sdk.KVDeleteCall{Key: key}) }, wire.UnmarshalKVDeleteResult)
	return err
}

// chunk is how much of a message one call reads.
const chunk = 256 << 10

// body reads a message through calls. Its Read keeps one chunk.
type body struct {
	ctx   context.Context
	size  int64
	at    int64 // of the next Read
	piece []byte
	from  int64 // where piece begins
}

func (b *body) load(off int64, n int) ([]byte, error) {
	if off >= b.size {
		return nil, io.EOF
	}
	v, err := ask(b.ctx, wire.CallRead, func(w *wire.ProtoWriter) { w.ReadCall(&sdk.ReadCall{Offset: off, Size: min(n, chunk)}) }, wire.UnmarshalReadResult)
	if err == nil && len(v.Data) == 0 && n > 0 {
		err = io.EOF
	}
	return v.Data, err
}

// Read implements [io.Reader].
func (b *body) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if b.at < b.from || b.at >= b.from+int64(len(b.piece)) {
		piece, err := b.load(b.at, chunk)
		if err != nil {
			return 0, err
		}
		b.piece, b.from = piece, b.at
	}
	n := copy(p, b.piece[b.at-b.from:])
	b.at += int64(n)
	return n, nil
}

// ReadAt implements [io.ReaderAt].
func (b *body) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("serve: a negative offset")
	}
	n := 0
	for n < len(p) {
		piece, err := b.load(off+int64(n), len(p)-n)
		if err != nil {
			return n, err
		}
		n += copy(p[n:], piece)
	}
	return n, nil
}

// Close implements [io.Closer].
func (b *body) Close() error { return nil }
