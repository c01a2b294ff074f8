// Package discard is the transport "discard": it says that a message was
// delivered and throws it away, with a line in the log for each recipient. The
// name of the rule stands in that line and in the reply, so that nothing goes
// without a trace.
package discard

import (
	"context"
	"log/slog"
	"strings"

	"github.com/programmable-mta/mta/sdk"
)

// New makes the plugin.
func New() sdk.Plugin { return &plugin{} }

type plugin struct {
	host sdk.Host
	rule string
}

// Start implements [sdk.Plugin].
func (p *plugin) Start(_ context.Context, host sdk.Host, config []byte) error {
	var c struct {
		Rule string `json:"rule"`
	}
	err := sdk.DecodeConfig(config, &c)
	p.host, p.rule = host, strings.TrimSpace(c.Rule)
	return err
}

// Close implements [sdk.Plugin].
func (p *plugin) Close() error { return nil }

// OnDeliver implements [sdk.DeliverHook].
func (p *plugin) OnDeliver(ctx context.Context, e *sdk.DeliverEvent) (sdk.DeliverAnswer, error) {
	rule := p.rule
	if rule == "" {
		rule = e.Route.Rule
	}
	if rule == "" {
		rule = "discard"
	}
	outcomes := make([]sdk.Outcome, len(e.Recipients))
	for i, r := range e.Recipients {
		p.host.Log(ctx, slog.LevelInfo, "discarded", "id", e.Envelope.ID, "from", e.Envelope.From, "to", r.Addr, "rule", rule)
		outcomes[i] = sdk.Outcome{Status: sdk.StatusDelivered, Reply: sdk.Reply{Code: 250, Enhanced: "2.0.0", Text: "discarded by rule " + rule}}
	}
	return sdk.DeliverAnswer{Outcomes: outcomes}, nil
}
