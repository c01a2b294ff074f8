// Package call answers what a plugin outside of the relay's own program asks
// while one of its hooks runs: the border side of [sdk.Host]. WebAssembly and
// process plugins share it, so that a grant means the same in both.
//
// It refuses calls without a grant, requests that do not decode, and sizes above
// the limits of [sdk.Calls]; it never panics on a request.
package call

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/wire"
)

// Limits of single calls.
const (
	MaxRandom = 4096
	MaxRead   = 256 << 10
	MaxLog    = 1024
	MaxResult = 2 << 20 // octets of a result as a block
)

// Scope is one hook call, as far as calls of the host depend on it. It is used
// by one goroutine at a time.
type Scope struct {
	Host   sdk.Host
	Grants *runtime.Grants
	// Now is the time of the event, which stands still without the grant clock.
	Now time.Time
	// Message is what the hook is about; zero: nothing.
	Message sdk.Message
	// Deliver is the event of a deliver hook; nil: another hook.
	Deliver *sdk.DeliverEvent
	// Calls counts what was asked.
	Calls int

	body   sdk.Body
	header sdk.Header
	parsed bool
	end    int64 // of the header in the message; 0: not looked for
}

// Reset makes a scope ready for another hook call.
func (s *Scope) Reset() {
	s.End()
	*s = Scope{Host: s.Host, Grants: s.Grants}
}

// End closes what the calls have opened.
func (s *Scope) End() {
	if s.body != nil {
		s.body.Close()
		s.body = nil
	}
}

// Do answers one call, by its number in [sdk.Calls] from 1 and its request as a
// block. The result is a block in w, or with another code than CallOK the
// reason in words.
func (s *Scope) Do(ctx context.Context, number int, request string, w *wire.Writer) ([]byte, sdk.CallCode) {
	s.Calls++
	if number < 1 || number > len(table) {
		return []byte("there is no such call"), sdk.CallInvalid
	}
	row := &table[number-1]
	if !s.granted(row.grant) {
		return []byte(`the configuration does not allow it: add allow.` + row.grant), sdk.NotGranted
	}
	result, err := row.do(s, ctx, request, w)
	if err != nil {
		return failure(ctx, err)
	}
	if len(result) > MaxResult {
		return []byte("the result is too large"), sdk.CallLimit
	}
	return result, sdk.CallOK
}

// granted tells whether a call can be made at all. The clock answers without a
// grant, and who may see the header may read as far as it goes.
func (s *Scope) granted(grant string) bool {
	return grant == "clock" || s.Grants.Has(grant) || grant == "body" && s.Grants.Has("headers")
}

// failure finds the code of an error.
func failure(ctx context.Context, err error) ([]byte, sdk.CallCode) {
	var call *sdk.CallError
	var dns *sdk.DNSError
	switch {
	case errors.As(err, &call):
		return []byte(call.Text), call.Code
	case errors.As(err, &dns) && dns.Temporary:
		return []byte(dns.Text), sdk.CallTemporary
	case errors.As(err, &dns):
		return []byte(dns.Text), sdk.CallFailed
	case ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded):
		return []byte(err.Error()), sdk.CallTimeout
	}
	return []byte(err.Error()), sdk.CallFailed
}

func invalid(call, text string) error {
	return &sdk.CallError{Call: call, Code: sdk.CallInvalid, Text: text}
}

type row struct {
	grant string
	do    func(s *Scope, ctx context.Context, request string, w *wire.Writer) ([]byte, error)
}

// handle joins a codec and what is done; a request that does not decode is
// invalid.
func handle[Q any](grant string, parse func(string) (Q, error), do func(*Scope, context.Context, *Q, *wire.Writer) ([]byte, error)) row {
	return row{grant, func(s *Scope, ctx context.Context, request string, w *wire.Writer) ([]byte, error) {
		q, err := parse(request)
		if err != nil {
			return nil, invalid("", err.Error())
		}
		return do(s, ctx, &q, w)
	}}
}

// table has the calls in the order of [sdk.Calls]; a test compares them.
var table = [...]row{
	handle("", wire.ParseLogCall, (*Scope).log),
	handle("clock", wire.ParseNowCall, (*Scope).now),
	handle("", wire.ParseRandomCall, (*Scope).random),
	handle("", wire.ParseMetricCall, (*Scope).metric),
	handle("kv", wire.ParseKVGetCall, (*Scope).kvGet),
	handle("kv", wire.ParseKVSetCall, (*Scope).kvSet),
	handle("kv", wire.ParseKVSwapCall, (*Scope).kvSwap),
	handle("kv", wire.ParseKVAddCall, (*Scope).kvAdd),
	handle("kv", wire.ParseKVDeleteCall, (*Scope).kvDelete),
	handle("dns", wire.ParseLookupCall, (*Scope).lookup),
	handle("dns", wire.ParseMXCall, (*Scope).mx),
	handle("http", wire.ParseHTTPCall, (*Scope).http),
	handle("body", wire.ParseReadCall, (*Scope).read),
	handle("headers", wire.ParseHeaderCall, (*Scope).headerOf),
	handle("send", wire.ParseSendCall, (*Scope).send),
}

func (s *Scope) log(ctx context.Context, q *sdk.LogCall, w *wire.Writer) ([]byte, error) {
	text := q.Text
	if len(text) > MaxLog {
		text = text[:MaxLog] + "..."
	}
	// A log line is one line, whatever a plugin writes.
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	s.Host.Log(ctx, slog.Level(max(-4, min(q.Level, 8))), text)
	return w.LogResult(&sdk.LogResult{}), nil
}

func (s *Scope) now(ctx context.Context, _ *sdk.NowCall, w *wire.Writer) ([]byte, error) {
	t := s.Now
	if s.Grants.Clock || t.IsZero() {
		t = s.Host.Now(ctx)
	}
	return w.NowResult(&sdk.NowResult{Time: t}), nil
}

func (s *Scope) random(ctx context.Context, q *sdk.RandomCall, w *wire.Writer) ([]byte, error) {
	if q.Size < 0 || q.Size > MaxRandom {
		return nil, invalid("random", "size is 0 to 4096")
	}
	p := make([]byte, q.Size)
	s.Host.Random(ctx, p)
	return w.RandomResult(&sdk.RandomResult{Data: p}), nil
}

func (s *Scope) metric(ctx context.Context, q *sdk.MetricCall, w *wire.Writer) ([]byte, error) {
	if q.Gauge {
		s.Host.Gauge(ctx, q.Name, q.Value)
	} else {
		s.Host.Count(ctx, q.Name, q.Value)
	}
	return w.MetricResult(&sdk.MetricResult{}), nil
}

func (s *Scope) kvGet(ctx context.Context, q *sdk.KVGetCall, w *wire.Writer) ([]byte, error) {
	v, found, err := s.Host.KV().Get(ctx, q.Key)
	if err != nil {
		return nil, err
	}
	return w.KVGetResult(&sdk.KVGetResult{Found: found, Value: v}), nil
}

func (s *Scope) kvSet(ctx context.Context, q *sdk.KVSetCall, w *wire.Writer) ([]byte, error) {
	if err := s.Host.KV().Set(ctx, q.Key, q.Value, q.TTL); err != nil {
		return nil, err
	}
	return w.KVSetResult(&sdk.KVSetResult{}), nil
}

func (s *Scope) kvSwap(ctx context.Context, q *sdk.KVSwapCall, w *wire.Writer) ([]byte, error) {
	before, after := q.Old, q.New
	if !q.HasOld {
		before = nil
	} else if before == nil {
		before = []byte{}
	}
	if !q.HasNew {
		after = nil
	} else if after == nil {
		after = []byte{}
	}
	ok, err := s.Host.KV().Swap(ctx, q.Key, before, after, q.TTL)
	if err != nil {
		return nil, err
	}
	return w.KVSwapResult(&sdk.KVSwapResult{Swapped: ok}), nil
}

func (s *Scope) kvAdd(ctx context.Context, q *sdk.KVAddCall, w *wire.Writer) ([]byte, error) {
	n, err := s.Host.KV().Add(ctx, q.Key, q.Delta, q.TTL)
	if err != nil {
		return nil, err
	}
	return w.KVAddResult(&sdk.KVAddResult{Value: n}), nil
}

func (s *Scope) kvDelete(ctx context.Context, q *sdk.KVDeleteCall, w *wire.Writer) ([]byte, error) {
	if err := s.Host.KV().Delete(ctx, q.Key); err != nil {
		return nil, err
	}
	return w.KVDeleteResult(&sdk.KVDeleteResult{}), nil
}

func (s *Scope) lookup(ctx context.Context, q *sdk.LookupCall, w *wire.Writer) ([]byte, error) {
	kind := sdk.RecordKind(q.Kind)
	switch kind {
	case sdk.RecordA, sdk.RecordAAAA, sdk.RecordTXT, sdk.RecordPTR:
	default:
		return nil, invalid("lookup", "kind is A, AAAA, TXT or PTR")
	}
	values, err := s.Host.Lookup(ctx, kind, q.Name)
	if err != nil {
		return nil, err
	}
	return w.LookupResult(&sdk.LookupResult{Values: values}), nil
}

func (s *Scope) mx(ctx context.Context, q *sdk.MXCall, w *wire.Writer) ([]byte, error) {
	mx, err := s.Host.MX(ctx, q.Domain)
	if err != nil {
		return nil, err
	}
	return w.MXResult(&sdk.MXResult{MX: mx}), nil
}

func (s *Scope) http(ctx context.Context, q *sdk.HTTPCall, w *wire.Writer) ([]byte, error) {
	r, err := s.Host.HTTP(ctx, &q.Request)
	if err != nil {
		return nil, err
	}
	return w.HTTPResult(&sdk.HTTPResult{Response: *r}), nil
}

// errNoMessage answers read, header and send in hooks that are about no message.
func noMessage(call string) error {
	return &sdk.CallError{Call: call, Code: sdk.CallNotAllowed, Text: "this hook is about no message"}
}

func (s *Scope) open(call string) error {
	if s.Message.ID == "" && s.Message.Size == 0 {
		return noMessage(call)
	}
	if s.body != nil {
		return nil
	}
	b, err := s.Message.Open()
	if err != nil {
		return err
	}
	s.body = b
	return nil
}

func (s *Scope) read(_ context.Context, q *sdk.ReadCall, w *wire.Writer) ([]byte, error) {
	if q.Offset < 0 || q.Size < 0 || q.Size > MaxRead {
		return nil, invalid("read", "offset is not negative, size is 0 to 262144")
	}
	if err := s.open("read"); err != nil {
		return nil, err
	}
	size := s.Message.Size
	if !s.Grants.Has("body") {
		end, err := s.headerEnd()
		if err != nil {
			return nil, err
		}
		if q.Offset >= end && end < size {
			return nil, &sdk.CallError{Call: "read", Code: sdk.NotGranted, Text: `the configuration allows to read the header only: add allow.body = "read"`}
		}
		size = end
	}
	if q.Offset >= size {
		return w.ReadResult(&sdk.ReadResult{}), nil
	}
	p := make([]byte, min(int64(q.Size), size-q.Offset))
	n, err := s.body.ReadAt(p, q.Offset)
	if n == 0 && err != nil && len(p) > 0 {
		return nil, err
	}
	return w.ReadResult(&sdk.ReadResult{Data: p[:n]}), nil
}

// headerEnd finds where the header ends: behind its empty line, or with the
// message.
func (s *Scope) headerEnd() (int64, error) {
	if s.end > 0 {
		return s.end, nil
	}
	r := bufio.NewReader(io.NewSectionReader(s.body, 0, min(s.Message.Size, sdk.MaxHeader)))
	for begin := true; ; {
		line, err := r.ReadSlice('\n')
		s.end += int64(len(line))
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			begin = false
			continue
		case errors.Is(err, io.EOF) || err == nil && begin && (string(line) == "\r\n" || string(line) == "\n"):
			return s.end, nil
		case err != nil:
			s.end = 0
			return 0, err
		}
		begin = true
	}
}

func (s *Scope) headerOf(_ context.Context, q *sdk.HeaderCall, w *wire.Writer) ([]byte, error) {
	if !s.parsed {
		if s.Message.ID == "" && s.Message.Size == 0 {
			return nil, noMessage("header")
		}
		h, err := s.Message.Header()
		if err != nil {
			return nil, err
		}
		s.header, s.parsed = h, true
	}
	return w.HeaderResult(&sdk.HeaderResult{Values: s.header.Values(q.Name)}), nil
}

func (s *Scope) send(ctx context.Context, q *sdk.SendCall, w *wire.Writer) ([]byte, error) {
	if s.Deliver == nil {
		return nil, &sdk.CallError{Call: "send", Code: sdk.CallNotAllowed, Text: "only a deliver hook can send"}
	}
	if q.Route.PasswordFile != "" {
		return nil, invalid("send", "only a plugin that is compiled into the relay may name a password file")
	}
	e := *s.Deliver
	env := *e.Envelope
	env.From = q.From
	e.Envelope, e.Route, e.Recipients = &env, q.Route, q.Recipients
	out, err := s.Host.Send(ctx, &e, sdk.SendOptions{LMTP: q.LMTP})
	if err != nil {
		return nil, err
	}
	return w.SendResult(&sdk.SendResult{Outcomes: out}), nil
}
