package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"
	"unsafe"

	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/wire"
)

// host is the relay as a module sees it.
type host struct {
	name     string // of the plugin, in the configuration
	hostname string
}

var _ sdk.Host = (*host)(nil)

// One writer and one place for results serve all calls: a call does not let
// another goroutine run before its result was copied.
var (
	requests wire.Writer
	result   = make([]byte, 4096)
)

type call = func(request unsafe.Pointer, n uint32, result unsafe.Pointer, room uint32) uint64

// do makes one call. The result is a copy.
func do(name string, f call, request []byte) (string, error) {
	ret := f(unsafe.Pointer(unsafe.SliceData(request)), uint32(len(request)), unsafe.Pointer(unsafe.SliceData(result)), uint32(len(result)))
	code, n := sdk.CallCode(ret>>32), int(uint32(ret))
	if n > len(result) {
		result = make([]byte, n+n/4)
		n = int(importRest(unsafe.Pointer(unsafe.SliceData(result)), uint32(len(result))))
	}
	text := string(result[:n])
	if code != sdk.CallOK {
		return "", &sdk.CallError{Call: name, Code: code, Text: text}
	}
	return text, nil
}

// done makes a call whose result is empty.
func done(name string, f call, request []byte) error {
	_, err := do(name, f, request)
	return err
}

// Name implements [sdk.Host].
func (h *host) Name() string { return h.name }

// Hostname implements [sdk.Host].
func (h *host) Hostname() string { return h.hostname }

// Now implements [sdk.Host].
func (h *host) Now(context.Context) time.Time {
	text, err := do("now", importNow, requests.NowCall(&sdk.NowCall{}))
	if err != nil {
		return time.Now() // before the start, when nothing can be asked
	}
	r, _ := wire.ParseNowResult(text)
	return r.Time
}

// Log implements [sdk.Host].
func (h *host) Log(_ context.Context, level slog.Level, msg string, args ...any) {
	var b strings.Builder
	b.WriteString(msg)
	for i := 0; i < len(args); i += 2 {
		if i+1 == len(args) {
			fmt.Fprintf(&b, " %v=!MISSING", args[i])
			break
		}
		fmt.Fprintf(&b, " %v=%v", args[i], args[i+1])
	}
	_ = done("log", importLog, requests.LogCall(&sdk.LogCall{Level: int(level), Text: b.String()}))
}

// Random implements [sdk.Host].
func (h *host) Random(_ context.Context, p []byte) {
	text, err := do("random", importRandom, requests.RandomCall(&sdk.RandomCall{Size: len(p)}))
	if err != nil {
		panic(err) // octets that are not random must not be taken for such
	}
	r, _ := wire.ParseRandomResult(text)
	copy(p, r.Data)
}

// Count implements [sdk.Host].
func (h *host) Count(_ context.Context, name string, delta float64) {
	_ = done("metric", importMetric, requests.MetricCall(&sdk.MetricCall{Name: name, Value: delta}))
}

// Gauge implements [sdk.Host].
func (h *host) Gauge(_ context.Context, name string, value float64) {
	_ = done("metric", importMetric, requests.MetricCall(&sdk.MetricCall{Name: name, Gauge: true, Value: value}))
}

// KV implements [sdk.Host].
func (h *host) KV() sdk.KV { return store{} }

// dnsError makes the error that DNS calls promise.
func dnsError(name string, err error) error {
	var call *sdk.CallError
	if !errors.As(err, &call) {
		return &sdk.DNSError{Name: name, Temporary: true, Text: err.Error()}
	}
	switch call.Code {
	case sdk.CallTemporary, sdk.CallTimeout:
		return &sdk.DNSError{Name: name, Temporary: true, Text: call.Text}
	case sdk.CallFailed:
		return &sdk.DNSError{Name: name, Text: call.Text}
	}
	return err
}

// Lookup implements [sdk.Host].
func (h *host) Lookup(_ context.Context, kind sdk.RecordKind, name string) ([]string, error) {
	text, err := do("lookup", importLookup, requests.LookupCall(&sdk.LookupCall{Kind: string(kind), Name: name}))
	if err != nil {
		return nil, dnsError(name, err)
	}
	r, err := wire.ParseLookupResult(text)
	return r.Values, err
}

// MX implements [sdk.Host].
func (h *host) MX(_ context.Context, domain string) (sdk.MX, error) {
	text, err := do("mx", importMX, requests.MXCall(&sdk.MXCall{Domain: domain}))
	if err != nil {
		return sdk.MX{}, dnsError(domain, err)
	}
	r, err := wire.ParseMXResult(text)
	return r.MX, err
}

// HTTP implements [sdk.Host].
func (h *host) HTTP(_ context.Context, r *sdk.HTTPRequest) (*sdk.HTTPResponse, error) {
	text, err := do("http", importHTTP, requests.HTTPCall(&sdk.HTTPCall{Request: *r}))
	if err != nil {
		return nil, err
	}
	q, err := wire.ParseHTTPResult(text)
	if err != nil {
		return nil, err
	}
	return &q.Response, nil
}

// Send implements [sdk.Host].
func (h *host) Send(_ context.Context, e *sdk.DeliverEvent, opt sdk.SendOptions) ([]sdk.Outcome, error) {
	q := sdk.SendCall{Route: e.Route, Recipients: e.Recipients, LMTP: opt.LMTP}
	if e.Envelope != nil {
		q.From = e.Envelope.From
	}
	text, err := do("send", importSend, requests.SendCall(&q))
	if err != nil {
		return nil, err
	}
	r, err := wire.ParseSendResult(text)
	return r.Outcomes, err
}

// store is the plugin's own [sdk.KV].
type store struct{}

// Get implements [sdk.KV].
func (store) Get(_ context.Context, key string) ([]byte, bool, error) {
	text, err := do("kv_get", importKVGet, requests.KVGetCall(&sdk.KVGetCall{Key: key}))
	if err != nil {
		return nil, false, err
	}
	r, err := wire.ParseKVGetResult(text)
	return r.Value, r.Found, err
}

// Set implements [sdk.KV].
func (store) Set(_ context.Context, key string, value []byte, ttl time.Duration) error {
	return done("kv_set", importKVSet, requests.KVSetCall(&sdk.KVSetCall{Key: key, Value: value, TTL: ttl}))
}

// Swap implements [sdk.KV].
func (store) Swap(_ context.Context, key string, old, value []byte, ttl time.Duration) (bool, error) {
	text, err := do("kv_swap", importKVSwap, requests.KVSwapCall(&sdk.KVSwapCall{
		Key: key, HasOld: old != nil, Old: old, HasNew: value != nil, New: value, TTL: ttl}))
	if err != nil {
		return false, err
	}
	r, err := wire.ParseKVSwapResult(text)
	return r.Swapped, err
}

// Add implements [sdk.KV].
func (store) Add(_ context.Context, key string, delta int64, ttl time.Duration) (int64, error) {
	text, err := do("kv_add", importKVAdd, requests.KVAddCall(&sdk.KVAddCall{Key: key, Delta: delta, TTL: ttl}))
	if err != nil {
		return 0, err
	}
	r, err := wire.ParseKVAddResult(text)
	return r.Value, err
}

// Delete implements [sdk.KV].
func (store) Delete(_ context.Context, key string) error {
	return done("kv_delete", importKVDelete, requests.KVDeleteCall(&sdk.KVDeleteCall{Key: key}))
}

// open makes the content of a message readable.
func open(m sdk.Message) sdk.Message {
	if m.ID == "" && m.Size == 0 {
		return m
	}
	size := m.Size
	return sdk.NewMessage(m.ID, size, func() (sdk.Body, error) { return &body{size: size}, nil })
}

// body reads the message that the hook is about, piece by piece.
type body struct {
	size, at int64
}

// maxRead is the most that one call reads.
const maxRead = 256 << 10

// Read implements [io.Reader].
func (b *body) Read(p []byte) (int, error) {
	p = p[:min(len(p), maxRead)]
	n, err := b.ReadAt(p, b.at)
	b.at += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

// ReadAt implements [io.ReaderAt].
func (b *body) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		text, err := do("read", importRead, requests.ReadCall(&sdk.ReadCall{Offset: off + int64(n), Size: min(len(p)-n, maxRead)}))
		if err != nil {
			return n, err
		}
		r, err := wire.ParseReadResult(text)
		if err != nil {
			return n, err
		}
		if len(r.Data) == 0 {
			return n, io.EOF
		}
		n += copy(p[n:], r.Data)
	}
	return n, nil
}

// Close implements [io.Closer].
func (b *body) Close() error { return nil }
