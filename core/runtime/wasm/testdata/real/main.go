// Command real is a realistic rcpt hook in Go: a table of domains, and a refusal
// with words. The benchmarks ask it.
package main

import (
	"context"
	"strings"

	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/serve"
)

type plugin struct{ ours map[string]string }

func (p *plugin) Start(_ context.Context, _ sdk.Host, _ []byte) error {
	p.ours = map[string]string{"example.org": "a", "example.net": "b", "example.com": "c"}
	return nil
}

func (p *plugin) Close() error { return nil }

func (p *plugin) Describe() sdk.Description {
	return sdk.Description{Name: "real", Hooks: map[string][]string{"rcpt": {"session.remote_ip", "session.login", "envelope.from", "recipient.addr"}}}
}

func (p *plugin) OnRcpt(_ context.Context, e *sdk.RcptEvent) (sdk.Answer, error) {
	if e.Session.Login != "" || strings.HasPrefix(e.Session.RemoteIP, "10.") {
		return sdk.Accepted(), nil
	}
	domain := strings.ToLower(sdk.Domain(e.Recipient.Addr))
	if tenant, ok := p.ours[domain]; ok && !strings.HasPrefix(e.Envelope.From, "spam@") {
		_ = tenant
		return sdk.Accepted(), nil
	}
	return sdk.Rejected("5.7.1", "no mail for "+e.Recipient.Addr+" from "+e.Envelope.From), nil
}

func init() { serve.Register(func() sdk.Plugin { return &plugin{} }) }

func main() { serve.Run() }
