package plugintest

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

// Host is an [sdk.Host] without a relay behind it. What it answers is set
// beforehand; what it was asked can be read afterwards.
type Host struct {
	mu       sync.Mutex
	now      time.Time
	records  map[record][]string
	failures map[record]*sdk.DNSError
	mx       map[string]sdk.MX
	script   []sdk.Outcome
	sent     []Sent
	logs     []Log
	kv       *store
	web      map[string][]HTTPAnswer
	asked    []sdk.HTTPRequest
	metrics  map[string]float64
	random   *rand.ChaCha8
}

// HTTPAnswer is what a URL answers: a response, or an error.
type HTTPAnswer struct {
	Response sdk.HTTPResponse
	Err      error
}

type record struct {
	kind sdk.RecordKind // "MX" for [Host.MX]
	name string
}

// Sent is one call of Host.Send.
type Sent struct {
	Event    sdk.DeliverEvent
	Options  sdk.SendOptions
	Outcomes []sdk.Outcome
}

// Log is one line that a plugin logged.
type Log struct {
	Level slog.Level
	Text  string // message and key=value pairs
}

// Epoch is where the clock of a new host stands.
var Epoch = time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)

// NewHost makes a host named mx.example.org whose clock stands at [Epoch],
// whose DNS is empty, and whose next hops accept everything.
func NewHost() *Host {
	h := &Host{
		now:      Epoch,
		records:  make(map[record][]string),
		failures: make(map[record]*sdk.DNSError),
		mx:       make(map[string]sdk.MX),
		web:      make(map[string][]HTTPAnswer),
		metrics:  make(map[string]float64),
		random:   rand.NewChaCha8([32]byte{}),
	}
	h.kv = &store{now: func() time.Time { return h.Now(context.Background()) }, entries: make(map[string]entry)}
	return h
}

// SetHTTP lines up answers for a request, "GET https://api.example.net/x"; the
// last one repeats. What has none answers 404.
func (h *Host) SetHTTP(request string, answers ...HTTPAnswer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.web[request] = append(h.web[request], answers...)
}

// Requests are the HTTP requests so far.
func (h *Host) Requests() []sdk.HTTPRequest {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.asked)
}

// Metric is the value of a counter or gauge.
func (h *Host) Metric(name string) float64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.metrics[name]
}

// Advance moves the clock.
func (h *Host) Advance(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// SetDNS gives a name its records of one kind.
func (h *Host) SetDNS(kind sdk.RecordKind, name string, values ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.records[key(kind, name)] = values
	delete(h.failures, key(kind, name))
}

// SetMX says where mail for a domain goes. A domain without it is NoDomain.
func (h *Host) SetMX(domain string, mx sdk.MX) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.mx[strings.ToLower(domain)] = mx
	delete(h.failures, key("MX", domain))
}

// FailDNS makes questions for a name fail; the kind "MX" stands for [Host.MX].
func (h *Host) FailDNS(kind sdk.RecordKind, name, text string, temporary bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failures[key(kind, name)] = &sdk.DNSError{Name: name, Temporary: temporary, Text: text}
}

// Script lines up outcomes for Send, one for each recipient that it is given.
// When they are used up, everything is delivered.
func (h *Host) Script(outcomes ...sdk.Outcome) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.script = append(h.script, outcomes...)
}

// Sent are the calls of Send so far.
func (h *Host) Sent() []Sent {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.sent)
}

// Logs are the lines logged so far.
func (h *Host) Logs() []Log {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.logs)
}

// Name implements [sdk.Host]: the name under which stories keep the notes of
// the plugin that they are about.
func (h *Host) Name() string { return "plugin" }

// Hostname implements [sdk.Host].
func (h *Host) Hostname() string { return "mx.example.org" }

// Now implements [sdk.Host].
func (h *Host) Now(context.Context) time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

// Log implements [sdk.Host].
func (h *Host) Log(_ context.Context, level slog.Level, msg string, args ...any) {
	var b strings.Builder
	b.WriteString(msg)
	for i := 0; i < len(args); i += 2 {
		if i+1 == len(args) {
			fmt.Fprintf(&b, " %v=!MISSING", args[i])
			break
		}
		fmt.Fprintf(&b, " %v=%v", args[i], args[i+1])
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.logs = append(h.logs, Log{level, b.String()})
}

// Random implements [sdk.Host]: the same octets in every run.
func (h *Host) Random(_ context.Context, p []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.random.Read(p)
}

// Count implements [sdk.Host].
func (h *Host) Count(_ context.Context, name string, delta float64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.metrics[name] += delta
}

// Gauge implements [sdk.Host].
func (h *Host) Gauge(_ context.Context, name string, value float64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.metrics[name] = value
}

// KV implements [sdk.Host]: a store in memory, by the clock of this host.
func (h *Host) KV() sdk.KV { return h.kv }

// HTTP implements [sdk.Host].
func (h *Host) HTTP(ctx context.Context, r *sdk.HTTPRequest) (*sdk.HTTPResponse, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if ctx.Err() != nil {
		return nil, &sdk.CallError{Call: "http", Code: sdk.CallTimeout, Text: ctx.Err().Error()}
	}
	method := r.Method
	if method == "" {
		method = "GET"
	}
	h.asked = append(h.asked, *r)
	key := method + " " + r.URL
	answers := h.web[key]
	if len(answers) == 0 {
		return &sdk.HTTPResponse{Status: 404}, nil
	}
	if len(answers) > 1 {
		h.web[key] = answers[1:]
	}
	if answers[0].Err != nil {
		return nil, answers[0].Err
	}
	resp := answers[0].Response
	return &resp, nil
}

// Lookup implements [sdk.Host].
func (h *Host) Lookup(ctx context.Context, kind sdk.RecordKind, name string) ([]string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.fails(ctx, kind, name); err != nil {
		return nil, err
	}
	return slices.Clone(h.records[key(kind, name)]), nil
}

// MX implements [sdk.Host].
func (h *Host) MX(ctx context.Context, domain string) (sdk.MX, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.fails(ctx, "MX", domain); err != nil {
		return sdk.MX{}, err
	}
	mx, ok := h.mx[strings.ToLower(domain)]
	if !ok {
		return sdk.MX{NoDomain: true}, nil
	}
	mx.Hosts = slices.Clone(mx.Hosts)
	return mx, nil
}

// Send implements [sdk.Host]: the scripted outcomes, or delivered. A done
// context defers, as an attempt that was broken off does.
func (h *Host) Send(ctx context.Context, e *sdk.DeliverEvent, opt sdk.SendOptions) ([]sdk.Outcome, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := make([]sdk.Outcome, len(e.Recipients))
	for i := range out {
		switch {
		case ctx.Err() != nil:
			out[i] = sdk.Outcome{Status: sdk.StatusDeferred, Reply: sdk.Reply{Code: 451, Enhanced: "4.4.2", Text: "attempt broken off"}}
		case len(h.script) > 0:
			out[i], h.script = h.script[0], h.script[1:]
		default:
			out[i] = sdk.Outcome{Status: sdk.StatusDelivered, Reply: sdk.Reply{Code: 250, Enhanced: "2.0.0", Text: "ok"}, RemoteReply: true}
		}
	}
	h.sent = append(h.sent, Sent{*e, opt, slices.Clone(out)})
	return out, nil
}

// fails is the error that a question gets; the caller has mu.
func (h *Host) fails(ctx context.Context, kind sdk.RecordKind, name string) error {
	if ctx.Err() != nil {
		return &sdk.DNSError{Name: name, Temporary: true, Text: ctx.Err().Error()}
	}
	if err := h.failures[key(kind, name)]; err != nil {
		return err
	}
	return nil
}

func key(kind sdk.RecordKind, name string) record {
	return record{kind, strings.ToLower(strings.TrimSuffix(name, "."))}
}
