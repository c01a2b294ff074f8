package record

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

// tapHost writes down what a plugin asks of the relay.
type tapHost struct {
	sdk.Host
	t  *Tap
	kv tapKV
}

func newTapHost(t *Tap, h sdk.Host) *tapHost {
	th := &tapHost{Host: h, t: t}
	th.kv.h = th
	return th
}

// on is the hook call to which a call of the host belongs; nil: nobody records.
func (h *tapHost) on(ctx context.Context) *call {
	if h.t.rec.Load() == nil {
		return nil
	}
	return callOf(ctx)
}

// Now implements [sdk.Host].
func (h *tapHost) Now(ctx context.Context) time.Time {
	at := h.Host.Now(ctx)
	if c := h.on(ctx); c != nil {
		c.add("now", &sdk.NowCall{}, &sdk.NowResult{Time: at}, nil)
	}
	return at
}

// Log implements [sdk.Host].
func (h *tapHost) Log(ctx context.Context, level slog.Level, msg string, args ...any) {
	if c := h.on(ctx); c != nil {
		c.add("log", &sdk.LogCall{Level: int(level), Text: logText(msg, args)}, &sdk.LogResult{}, nil)
	}
	h.Host.Log(ctx, level, msg, args...)
}

// logText is a line of the log as one text. It is cut early, because what a
// plugin logs is of any size.
func logText(msg string, args []any) string {
	const limit = 1024
	var b strings.Builder
	b.WriteString(msg)
	for i := 0; i < len(args) && b.Len() < limit; i += 2 {
		if i+1 == len(args) {
			fmt.Fprintf(&b, " %v", args[i])
			break
		}
		fmt.Fprintf(&b, " %v=%v", args[i], args[i+1])
	}
	s := b.String()
	if len(s) > limit {
		s = s[:limit]
	}
	return strings.ToValidUTF8(s, "?")
}

// Random implements [sdk.Host].
func (h *tapHost) Random(ctx context.Context, p []byte) {
	h.Host.Random(ctx, p)
	if c := h.on(ctx); c != nil {
		c.add("random", &sdk.RandomCall{Size: len(p)}, &sdk.RandomResult{Data: p}, nil)
	}
}

// Count implements [sdk.Host].
func (h *tapHost) Count(ctx context.Context, name string, delta float64) {
	if c := h.on(ctx); c != nil {
		c.add("metric", &sdk.MetricCall{Name: name, Value: delta}, &sdk.MetricResult{}, nil)
	}
	h.Host.Count(ctx, name, delta)
}

// Gauge implements [sdk.Host].
func (h *tapHost) Gauge(ctx context.Context, name string, value float64) {
	if c := h.on(ctx); c != nil {
		c.add("metric", &sdk.MetricCall{Name: name, Gauge: true, Value: value}, &sdk.MetricResult{}, nil)
	}
	h.Host.Gauge(ctx, name, value)
}

// KV implements [sdk.Host].
func (h *tapHost) KV() sdk.KV {
	if h.Host.KV() == nil {
		return nil
	}
	return &h.kv
}

// Lookup implements [sdk.Host].
func (h *tapHost) Lookup(ctx context.Context, kind sdk.RecordKind, name string) ([]string, error) {
	v, err := h.Host.Lookup(ctx, kind, name)
	if c := h.on(ctx); c != nil {
		c.add("lookup", &sdk.LookupCall{Kind: string(kind), Name: name}, &sdk.LookupResult{Values: v}, err)
	}
	return v, err
}

// MX implements [sdk.Host].
func (h *tapHost) MX(ctx context.Context, domain string) (sdk.MX, error) {
	mx, err := h.Host.MX(ctx, domain)
	if c := h.on(ctx); c != nil {
		c.add("mx", &sdk.MXCall{Domain: domain}, &sdk.MXResult{MX: mx}, err)
	}
	return mx, err
}

// HTTP implements [sdk.Host].
func (h *tapHost) HTTP(ctx context.Context, r *sdk.HTTPRequest) (*sdk.HTTPResponse, error) {
	c := h.on(ctx)
	if c == nil {
		return h.Host.HTTP(ctx, r)
	}
	q := &sdk.HTTPCall{}
	if r != nil {
		q.Request = *r
	}
	q = clone(q) // the caller may use it again at once
	resp, err := h.Host.HTTP(ctx, r)
	res := &sdk.HTTPResult{}
	if resp != nil {
		res.Response = *resp
	}
	c.add("http", withoutCredentials(q), res, err)
	return resp, err
}

// withheld is what stands in for a secret.
const withheld = "(withheld)"

// withoutCredentials takes the secrets out of a request that belongs to the
// caller.
func withoutCredentials(q *sdk.HTTPCall) *sdk.HTTPCall {
	for i := range q.Request.Header {
		f := &q.Request.Header[i]
		for _, word := range [...]string{"authorization", "cookie", "token", "secret", "api-key", "apikey", "password"} {
			if strings.Contains(strings.ToLower(f.Name), word) {
				f.Value = withheld
			}
		}
	}
	if u, err := url.Parse(q.Request.URL); err == nil && u.User != nil {
		u.User = url.User("withheld")
		q.Request.URL = u.String()
	}
	return q
}

// Send implements [sdk.Host].
func (h *tapHost) Send(ctx context.Context, e *sdk.DeliverEvent, opt sdk.SendOptions) ([]sdk.Outcome, error) {
	c := h.on(ctx)
	if c == nil {
		return h.Host.Send(ctx, e, opt)
	}
	q := clone(sendCall(e, opt))
	out, err := h.Host.Send(ctx, e, opt)
	c.add("send", q, &sdk.SendResult{Outcomes: out}, err)
	return out, err
}

func sendCall(e *sdk.DeliverEvent, opt sdk.SendOptions) *sdk.SendCall {
	q := &sdk.SendCall{LMTP: opt.LMTP}
	if e != nil {
		q.Route, q.Recipients = e.Route, e.Recipients
		if e.Envelope != nil {
			q.From = e.Envelope.From
		}
	}
	return q
}

// tapKV is the store of a tapHost.
type tapKV struct{ h *tapHost }

// Get implements [sdk.KV].
func (k *tapKV) Get(ctx context.Context, key string) ([]byte, bool, error) {
	v, found, err := k.h.Host.KV().Get(ctx, key)
	if c := k.h.on(ctx); c != nil {
		c.add("kv_get", &sdk.KVGetCall{Key: key}, &sdk.KVGetResult{Found: found, Value: v}, err)
	}
	return v, found, err
}

// Set implements [sdk.KV].
func (k *tapKV) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	err := k.h.Host.KV().Set(ctx, key, value, ttl)
	if c := k.h.on(ctx); c != nil {
		c.add("kv_set", &sdk.KVSetCall{Key: key, Value: value, TTL: ttl}, &sdk.KVSetResult{}, err)
	}
	return err
}

// Swap implements [sdk.KV].
func (k *tapKV) Swap(ctx context.Context, key string, before, after []byte, ttl time.Duration) (bool, error) {
	ok, err := k.h.Host.KV().Swap(ctx, key, before, after, ttl)
	if c := k.h.on(ctx); c != nil {
		c.add("kv_swap", swapCall(key, before, after, ttl), &sdk.KVSwapResult{Swapped: ok}, err)
	}
	return ok, err
}

func swapCall(key string, before, after []byte, ttl time.Duration) *sdk.KVSwapCall {
	return &sdk.KVSwapCall{Key: key, HasOld: before != nil, Old: before, HasNew: after != nil, New: after, TTL: ttl}
}

// Add implements [sdk.KV].
func (k *tapKV) Add(ctx context.Context, key string, delta int64, ttl time.Duration) (int64, error) {
	n, err := k.h.Host.KV().Add(ctx, key, delta, ttl)
	if c := k.h.on(ctx); c != nil {
		c.add("kv_add", &sdk.KVAddCall{Key: key, Delta: delta, TTL: ttl}, &sdk.KVAddResult{Value: n}, err)
	}
	return n, err
}

// Delete implements [sdk.KV].
func (k *tapKV) Delete(ctx context.Context, key string) error {
	err := k.h.Host.KV().Delete(ctx, key)
	if c := k.h.on(ctx); c != nil {
		c.add("kv_delete", &sdk.KVDeleteCall{Key: key}, &sdk.KVDeleteResult{}, err)
	}
	return err
}

// failure is how an error of the host stands in the file.
func failure(err error, asked string) (code, text, name string) {
	var dns *sdk.DNSError
	var call *sdk.CallError
	switch {
	case errors.As(err, &dns):
		if dns.Name != asked {
			name = dns.Name
		}
		if dns.Temporary {
			return sdk.CallTemporary.String(), dns.Text, name
		}
		return sdk.CallFailed.String(), dns.Text, name
	case errors.As(err, &call):
		return call.Code.String(), call.Text, ""
	}
	return plainError, err.Error(), ""
}

// failed makes the error again.
func failed(call, code, text, name string) error {
	c, known := codeOf(code)
	switch {
	case !known:
		return errors.New(text)
	case (call == "lookup" || call == "mx") && (c == sdk.CallTemporary || c == sdk.CallFailed):
		return &sdk.DNSError{Name: name, Temporary: c == sdk.CallTemporary, Text: text}
	}
	return &sdk.CallError{Call: call, Code: c, Text: text}
}
