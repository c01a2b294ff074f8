// Package host is what a plugin may ask of the relay: an [sdk.Host] for each
// plugin, made of the relay's own parts and of what the configuration grants.
//
// It refuses every call whose grant is not given, also to plugins that are
// compiled in as far as the grant is a bound rather than a trust: HTTP hosts and
// the size of the store. It bounds what a plugin that is not compiled in writes
// to the log. It never panics on what a plugin passes.
package host

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/programmable-mta/mta/core/fetch"
	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/core/state"
	"github.com/programmable-mta/mta/core/trace"
	"github.com/programmable-mta/mta/sdk"
)

// BuiltinKV is how much a plugin that is compiled in may keep when the
// configuration does not say it.
const BuiltinKV = 64 << 20

// Resolver answers questions about names.
type Resolver interface {
	Lookup(ctx context.Context, kind sdk.RecordKind, name string) ([]string, error)
	MX(ctx context.Context, domain string) (sdk.MX, error)
}

// Sender carries out delivery attempts.
type Sender interface {
	Send(ctx context.Context, e *sdk.DeliverEvent, opt sdk.SendOptions) ([]sdk.Outcome, error)
}

// Relay is what all hosts share.
type Relay struct {
	Hostname string
	Now      func() time.Time
	Resolver Resolver
	Client   Sender
	Tracer   *trace.Tracer
	Fetch    *fetch.Client
	// State opens the store when the first plugin needs it.
	State func() (*state.Store, error)
}

// Plugin makes the host of one plugin. The error is a grant that cannot be
// given as it is written.
func (r *Relay) Plugin(name string, g runtime.Grants, compiledIn bool) (*Host, error) {
	h := &Host{Relay: r, name: name, grants: g, component: "plugin/" + name, compiledIn: compiledIn}
	if compiledIn {
		h.grants = runtime.Grants{Relay: g.Relay, DNS: true, HTTP: g.HTTP, KV: g.KV, Body: runtime.Write, Headers: runtime.Write, Clock: true, Send: true, Envelope: true}
		if h.grants.KV == 0 {
			h.grants.KV = BuiltinKV
		}
	}
	if len(g.HTTP) > 0 {
		web, err := r.Fetch.Allow(g.HTTP)
		if err != nil {
			return nil, fmt.Errorf("allow.http: %w", err)
		}
		h.web = web
	}
	return h, nil
}

// Host is the relay as one plugin sees it.
type Host struct {
	*Relay
	name       string
	component  string
	compiledIn bool
	grants     runtime.Grants
	web        *fetch.Access

	once  sync.Once
	space *state.Space
	err   error

	lines lines
}

// What a plugin may write to the log: a burst, and so many lines a second. One
// that is compiled in is trusted to know when to stop.
const (
	logBurst = 1000
	logRate  = 100
)

// lines bounds the log of a plugin, so that what a client sends to it cannot
// fill the disk.
type lines struct {
	mu      sync.Mutex
	left    float64
	at      time.Time // zero: nothing was written yet
	dropped int
}

// take tells whether there is room for a line, and how many there was none for
// since the last one.
func (l *lines) take(now time.Time) (ok bool, dropped int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.at.IsZero() {
		l.left = logBurst
	} else if d := now.Sub(l.at); d > 0 {
		l.left = min(logBurst, l.left+d.Seconds()*logRate)
	}
	l.at = now
	if l.left < 1 {
		l.dropped++
		return false, 0
	}
	l.left--
	dropped, l.dropped = l.dropped, 0
	return true, dropped
}

// Close frees what the host keeps open for its plugin.
func (h *Host) Close() {
	if h.web != nil {
		h.web.Close()
	}
}

// Grants are what the plugin may.
func (h *Host) Grants() *runtime.Grants { return &h.grants }

// Name implements [sdk.Host].
func (h *Host) Name() string { return h.name }

// Hostname implements [sdk.Host].
func (h *Host) Hostname() string { return h.Relay.Hostname }

// Now implements [sdk.Host].
func (h *Host) Now(context.Context) time.Time { return h.Relay.Now() }

// Log implements [sdk.Host].
func (h *Host) Log(_ context.Context, level slog.Level, msg string, args ...any) {
	if !h.compiledIn {
		ok, dropped := h.lines.take(h.Relay.Now())
		if !ok {
			return
		}
		if dropped > 0 {
			h.Tracer.Log(slog.LevelWarn, h.component, "it writes too much: lines were left out", "lines", dropped)
		}
	}
	h.Tracer.Log(level, h.component, msg, args...)
}

// Random implements [sdk.Host].
func (h *Host) Random(_ context.Context, p []byte) { rand.Read(p) }

// Count implements [sdk.Host].
func (h *Host) Count(_ context.Context, name string, delta float64) {
	h.metric(h.Tracer.Metrics().PluginCount(h.name, name, delta))
}

// Gauge implements [sdk.Host].
func (h *Host) Gauge(_ context.Context, name string, value float64) {
	h.metric(h.Tracer.Metrics().PluginGauge(h.name, name, value))
}

func (h *Host) metric(err error) {
	if err != nil {
		h.Tracer.Log(slog.LevelWarn, h.component, err.Error())
	}
}

// KV implements [sdk.Host].
func (h *Host) KV() sdk.KV { return kv{h} }

// Lookup implements [sdk.Host].
func (h *Host) Lookup(ctx context.Context, kind sdk.RecordKind, name string) ([]string, error) {
	if !h.grants.DNS {
		return nil, notGranted("lookup", "dns")
	}
	return h.Resolver.Lookup(ctx, kind, name)
}

// MX implements [sdk.Host].
func (h *Host) MX(ctx context.Context, domain string) (sdk.MX, error) {
	if !h.grants.DNS {
		return sdk.MX{}, notGranted("mx", "dns")
	}
	return h.Resolver.MX(ctx, domain)
}

// Send implements [sdk.Host].
func (h *Host) Send(ctx context.Context, e *sdk.DeliverEvent, opt sdk.SendOptions) ([]sdk.Outcome, error) {
	if !h.grants.Send {
		return nil, notGranted("send", "send")
	}
	return h.Client.Send(ctx, e, opt)
}

// HTTP implements [sdk.Host].
func (h *Host) HTTP(ctx context.Context, r *sdk.HTTPRequest) (*sdk.HTTPResponse, error) {
	if h.web == nil {
		return nil, notGranted("http", "http")
	}
	q := fetch.Request{Method: r.Method, URL: r.URL, Body: r.Body}
	for _, f := range r.Header {
		q.Header = append(q.Header, [2]string{f.Name, f.Value})
	}
	a, err := h.web.Do(ctx, &q)
	if err != nil {
		return nil, webError(err)
	}
	out := &sdk.HTTPResponse{Status: a.Status, Body: a.Body}
	for _, f := range a.Header {
		out.Header = append(out.Header, sdk.HTTPField{Name: f[0], Value: f[1]})
	}
	return out, nil
}

func notGranted(call, grant string) error {
	return &sdk.CallError{Call: call, Code: sdk.NotGranted, Text: "the configuration does not allow it: add allow." + grant}
}

func webError(err error) error {
	out := &sdk.CallError{Call: "http", Code: sdk.CallTemporary, Text: err.Error()}
	var f *fetch.Error
	if errors.As(err, &f) {
		switch f.Kind {
		case fetch.Denied:
			out.Code = sdk.NotGranted
		case fetch.Invalid:
			out.Code = sdk.CallInvalid
		case fetch.TooLarge:
			out.Code = sdk.CallLimit
		case fetch.Timeout:
			out.Code = sdk.CallTimeout
		}
	}
	return out
}

// kv opens the plugin's space when it is first used.
type kv struct{ h *Host }

func (k kv) open(call string) (*state.Space, error) {
	h := k.h
	if h.grants.KV <= 0 {
		return nil, notGranted(call, "kv")
	}
	h.once.Do(func() {
		s, err := h.State()
		if err != nil {
			h.err = &sdk.CallError{Call: call, Code: sdk.CallTemporary, Text: err.Error()}
			return
		}
		h.space = s.Plugin(h.name, h.grants.KV)
	})
	return h.space, h.err
}

func storeError(call string, err error) error {
	if err == nil {
		return nil
	}
	out := &sdk.CallError{Call: call, Code: sdk.CallTemporary, Text: err.Error()}
	switch {
	case errors.Is(err, state.ErrQuota):
		out.Code = sdk.CallLimit
	case errors.Is(err, state.ErrKey), errors.Is(err, state.ErrValue), errors.Is(err, state.ErrNotCounter):
		out.Code = sdk.CallInvalid
	}
	return out
}

// Get implements [sdk.KV].
func (k kv) Get(ctx context.Context, key string) ([]byte, bool, error) {
	s, err := k.open("kv_get")
	if err != nil {
		return nil, false, err
	}
	v, found, err := s.Get(ctx, key)
	return v, found, storeError("kv_get", err)
}

// Set implements [sdk.KV].
func (k kv) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	s, err := k.open("kv_set")
	if err != nil {
		return err
	}
	return storeError("kv_set", s.Set(ctx, key, value, ttl))
}

// Swap implements [sdk.KV].
func (k kv) Swap(ctx context.Context, key string, before, after []byte, ttl time.Duration) (bool, error) {
	s, err := k.open("kv_swap")
	if err != nil {
		return false, err
	}
	ok, err := s.Swap(ctx, key, before, after, ttl)
	return ok, storeError("kv_swap", err)
}

// Add implements [sdk.KV].
func (k kv) Add(ctx context.Context, key string, delta int64, ttl time.Duration) (int64, error) {
	s, err := k.open("kv_add")
	if err != nil {
		return 0, err
	}
	n, err := s.Add(ctx, key, delta, ttl)
	return n, storeError("kv_add", err)
}

// Delete implements [sdk.KV].
func (k kv) Delete(ctx context.Context, key string) error {
	s, err := k.open("kv_delete")
	if err != nil {
		return err
	}
	return storeError("kv_delete", s.Delete(ctx, key))
}
