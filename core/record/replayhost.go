package record

import (
	"context"
	"log/slog"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

// replayHost answers from a recording.
type replayHost struct {
	rec      *Recording
	fallback sdk.Host // nil: none
}

const notRecorded = "this call is not in the recording"

// recall finds what a call answered. other is true when the recording does not
// say and the fallback may.
func recall[R any](h *replayHost, ctx context.Context, name string, request any) (result R, err error, other bool) {
	s, _ := ctx.Value(sceneKey{}).(*scene)
	if s == nil {
		return result, nil, true
	}
	found, told := s.find(name, request)
	switch {
	case found == nil && !told:
		return result, nil, true
	case found == nil:
		return result, &sdk.CallError{Call: name, Code: sdk.CallFailed, Text: notRecorded}, false
	case found.Err != nil:
		return result, found.Err, false
	}
	// A copy: what the plugin does to it stays with the plugin.
	r, _ := found.Result.(*R)
	return *clone(r), nil, false
}

// Name implements [sdk.Host]: that of the plugin of the recording, whose events
// hold its notes by that name.
func (h *replayHost) Name() string {
	switch {
	case h.rec.Header.Plugin != "":
		return h.rec.Header.Plugin
	case h.fallback != nil:
		return h.fallback.Name()
	}
	return "plugin"
}

// Hostname implements [sdk.Host].
func (h *replayHost) Hostname() string {
	switch {
	case h.rec.Header.Hostname != "":
		return h.rec.Header.Hostname
	case h.fallback != nil:
		return h.fallback.Hostname()
	}
	return "mx.example.org"
}

// Now implements [sdk.Host].
func (h *replayHost) Now(ctx context.Context) time.Time {
	if s, _ := ctx.Value(sceneKey{}).(*scene); s != nil {
		if at, ok := s.clock(); ok {
			return at
		}
	}
	switch {
	case !h.rec.Header.Started.IsZero():
		return h.rec.Header.Started
	case h.fallback != nil:
		return h.fallback.Now(ctx)
	}
	return time.Unix(0, 0).UTC()
}

// Log implements [sdk.Host].
func (h *replayHost) Log(ctx context.Context, level slog.Level, msg string, args ...any) {
	_, _, other := recall[sdk.LogResult](h, ctx, "log", &sdk.LogCall{Level: int(level), Text: logText(msg, args)})
	if other && h.fallback != nil {
		h.fallback.Log(ctx, level, msg, args...)
	}
}

// Random implements [sdk.Host].
func (h *replayHost) Random(ctx context.Context, p []byte) {
	r, _, other := recall[sdk.RandomResult](h, ctx, "random", &sdk.RandomCall{Size: len(p)})
	if other && h.fallback != nil {
		h.fallback.Random(ctx, p)
		return
	}
	clear(p)
	copy(p, r.Data)
}

// Count implements [sdk.Host].
func (h *replayHost) Count(ctx context.Context, name string, delta float64) {
	_, _, other := recall[sdk.MetricResult](h, ctx, "metric", &sdk.MetricCall{Name: name, Value: delta})
	if other && h.fallback != nil {
		h.fallback.Count(ctx, name, delta)
	}
}

// Gauge implements [sdk.Host].
func (h *replayHost) Gauge(ctx context.Context, name string, value float64) {
	_, _, other := recall[sdk.MetricResult](h, ctx, "metric", &sdk.MetricCall{Name: name, Gauge: true, Value: value})
	if other && h.fallback != nil {
		h.fallback.Gauge(ctx, name, value)
	}
}

// KV implements [sdk.Host].
func (h *replayHost) KV() sdk.KV { return (*replayKV)(h) }

// Lookup implements [sdk.Host].
func (h *replayHost) Lookup(ctx context.Context, kind sdk.RecordKind, name string) ([]string, error) {
	r, err, other := recall[sdk.LookupResult](h, ctx, "lookup", &sdk.LookupCall{Kind: string(kind), Name: name})
	switch {
	case other && h.fallback != nil:
		return h.fallback.Lookup(ctx, kind, name)
	case other:
		err = unknownName(name)
	}
	return r.Values, dnsError(err, name)
}

func unknownName(name string) error {
	return &sdk.DNSError{Name: name, Temporary: true, Text: notRecorded}
}

// dnsError keeps the promise of the contract that these errors have this type.
func dnsError(err error, name string) error {
	if call, ok := err.(*sdk.CallError); ok && call.Text == notRecorded {
		return unknownName(name)
	}
	return err
}

// MX implements [sdk.Host].
func (h *replayHost) MX(ctx context.Context, domain string) (sdk.MX, error) {
	r, err, other := recall[sdk.MXResult](h, ctx, "mx", &sdk.MXCall{Domain: domain})
	switch {
	case other && h.fallback != nil:
		return h.fallback.MX(ctx, domain)
	case other:
		err = unknownName(domain)
	}
	return r.MX, dnsError(err, domain)
}

// HTTP implements [sdk.Host].
func (h *replayHost) HTTP(ctx context.Context, q *sdk.HTTPRequest) (*sdk.HTTPResponse, error) {
	call := &sdk.HTTPCall{}
	if q != nil {
		call.Request = *q
	}
	r, err, other := recall[sdk.HTTPResult](h, ctx, "http", call)
	switch {
	case other && h.fallback != nil:
		return h.fallback.HTTP(ctx, q)
	case other:
		err = &sdk.CallError{Call: "http", Code: sdk.CallTemporary, Text: notRecorded}
	}
	if err != nil {
		return nil, err
	}
	return &r.Response, nil
}

// Send implements [sdk.Host].
func (h *replayHost) Send(ctx context.Context, e *sdk.DeliverEvent, opt sdk.SendOptions) ([]sdk.Outcome, error) {
	r, err, other := recall[sdk.SendResult](h, ctx, "send", sendCall(e, opt))
	switch {
	case other && h.fallback != nil:
		return h.fallback.Send(ctx, e, opt)
	case other:
		err = &sdk.CallError{Call: "send", Code: sdk.CallTemporary, Text: notRecorded}
	}
	return r.Outcomes, err
}

// replayKV is the store of a replayHost. Without a recording and a fallback it
// is empty, and takes what it is given.
type replayKV replayHost

func (k *replayKV) host() *replayHost { return (*replayHost)(k) }

// Get implements [sdk.KV].
func (k *replayKV) Get(ctx context.Context, key string) ([]byte, bool, error) {
	r, err, other := recall[sdk.KVGetResult](k.host(), ctx, "kv_get", &sdk.KVGetCall{Key: key})
	if other && k.fallback != nil {
		return k.fallback.KV().Get(ctx, key)
	}
	return r.Value, r.Found, err
}

// Set implements [sdk.KV].
func (k *replayKV) Set(ctx context.Context, key string, v []byte, ttl time.Duration) error {
	_, err, other := recall[sdk.KVSetResult](k.host(), ctx, "kv_set", &sdk.KVSetCall{Key: key, Value: v, TTL: ttl})
	if other && k.fallback != nil {
		return k.fallback.KV().Set(ctx, key, v, ttl)
	}
	return err
}

// Swap implements [sdk.KV].
func (k *replayKV) Swap(ctx context.Context, key string, before, after []byte, ttl time.Duration) (bool, error) {
	r, err, other := recall[sdk.KVSwapResult](k.host(), ctx, "kv_swap", swapCall(key, before, after, ttl))
	switch {
	case other && k.fallback != nil:
		return k.fallback.KV().Swap(ctx, key, before, after, ttl)
	case other:
		return before == nil, nil
	}
	return r.Swapped, err
}

// Add implements [sdk.KV].
func (k *replayKV) Add(ctx context.Context, key string, delta int64, ttl time.Duration) (int64, error) {
	r, err, other := recall[sdk.KVAddResult](k.host(), ctx, "kv_add", &sdk.KVAddCall{Key: key, Delta: delta, TTL: ttl})
	switch {
	case other && k.fallback != nil:
		return k.fallback.KV().Add(ctx, key, delta, ttl)
	case other:
		return delta, nil
	}
	return r.Value, err
}

// Delete implements [sdk.KV].
func (k *replayKV) Delete(ctx context.Context, key string) error {
	_, err, other := recall[sdk.KVDeleteResult](k.host(), ctx, "kv_delete", &sdk.KVDeleteCall{Key: key})
	if other && k.fallback != nil {
		return k.fallback.KV().Delete(ctx, key)
	}
	return err
}
