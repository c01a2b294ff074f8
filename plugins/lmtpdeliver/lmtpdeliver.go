// Package lmtpdeliver is the transport "lmtp": it hands a message to the next
// hops of its route over LMTP (RFC 2033: LHLO, and after the message one reply for each recipient),
// with the client that the relay has built in.
//
// It decides nothing: who is tried and what comes of it is in the route and in
// the outcomes of the client. It is a plugin so that another one can stand in
// its place.
package lmtpdeliver

import (
	"context"

	"github.com/programmable-mta/mta/sdk"
)

// New makes the plugin.
func New() sdk.Plugin { return &plugin{} }

type plugin struct{ host sdk.Host }

// Start implements [sdk.Plugin].
func (p *plugin) Start(_ context.Context, host sdk.Host, config []byte) error {
	p.host = host
	return sdk.DecodeConfig(config, &struct{}{})
}

// Close implements [sdk.Plugin].
func (p *plugin) Close() error { return nil }

// OnDeliver implements [sdk.DeliverHook].
func (p *plugin) OnDeliver(ctx context.Context, e *sdk.DeliverEvent) (sdk.DeliverAnswer, error) {
	outcomes, err := p.host.Send(ctx, e, sdk.SendOptions{LMTP: true})
	if err != nil {
		// The route cannot be carried out, which is no fault of this transport: it
		// goes on for other mail.
		out := sdk.Outcome{Status: sdk.StatusDeferred, Reply: sdk.Reply{Code: 451, Enhanced: "4.3.5", Text: "the route cannot be used: " + err.Error()}}
		for range e.Recipients {
			outcomes = append(outcomes, out)
		}
	}
	return sdk.DeliverAnswer{Outcomes: outcomes}, nil
}
