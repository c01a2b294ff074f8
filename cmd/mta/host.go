package main

import (
	"context"
	"crypto/rand"
	"log/slog"
	"time"

	"github.com/programmable-mta/mta/core/resolver"
	"github.com/programmable-mta/mta/core/smtpout"
	"github.com/programmable-mta/mta/core/trace"
	"github.com/programmable-mta/mta/sdk"
)

// host is what one plugin may ask of the relay.
type host struct {
	plugin   string
	hostname string
	now      func() time.Time
	resolver *resolver.Resolver
	client   *smtpout.Client
	tracer   *trace.Tracer
}

func (h *host) Hostname() string              { return h.hostname }
func (h *host) Now(context.Context) time.Time { return h.now() }

func (h *host) Log(_ context.Context, level slog.Level, msg string, args ...any) {
	h.tracer.Log(level, "plugin/"+h.plugin, msg, args...)
}

func (h *host) Lookup(ctx context.Context, kind sdk.RecordKind, name string) ([]string, error) {
	return h.resolver.Lookup(ctx, kind, name)
}

func (h *host) MX(ctx context.Context, domain string) (sdk.MX, error) {
	return h.resolver.MX(ctx, domain)
}

func (h *host) Send(ctx context.Context, e *sdk.DeliverEvent, opt sdk.SendOptions) ([]sdk.Outcome, error) {
	return h.client.Send(ctx, e, opt)
}

func (h *host) Random(_ context.Context, p []byte) { rand.Read(p) }

func (h *host) Count(context.Context, string, float64) {}

func (h *host) Gauge(context.Context, string, float64) {}

func (h *host) KV() sdk.KV { return nil }

func (h *host) HTTP(context.Context, *sdk.HTTPRequest) (*sdk.HTTPResponse, error) {
	return nil, &sdk.CallError{Call: "http", Code: sdk.NotGranted}
}
