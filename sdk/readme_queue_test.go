package sdk_test

import (
	"bytes"
	"context"
	"strings"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

// The plugins of README.md, the second half: accepted mail.

// snippet route
// Tenants sends the mail of each tenant to its own hosts, and to a backup when
// three attempts have failed.
type Tenants struct{ base }

var tenants = map[string][]string{
	"blue.example": {"blue1.internal:25", "blue2.internal:25"},
	"red.example":  {"red.internal:25"},
}

func (p *Tenants) OnRoute(_ context.Context, e *sdk.RouteEvent) (sdk.RouteAnswer, error) {
	domain := sdk.Domain(e.Recipient.Addr)
	hosts, ok := tenants[domain]
	if !ok {
		return sdk.RouteAnswer{}, nil // not mine: ask the next plugin
	}
	if e.Attempt > 3 {
		hosts = []string{"backup.internal:25"}
	}
	return sdk.RouteAnswer{Action: sdk.RouteUse, Route: sdk.Route{Via: "smtp", Hosts: hosts, Rule: "tenant " + domain}}, nil
}

// end snippet

// snippet deliver
// Webhook hands messages to an HTTP service. A route names it: via = "webhook".
type Webhook struct{ base }

func (p *Webhook) OnDeliver(ctx context.Context, e *sdk.DeliverEvent) (sdk.DeliverAnswer, error) {
	content, err := e.Message.Open()
	if err != nil {
		return sdk.DeliverAnswer{}, err // deferred
	}
	defer content.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(content); err != nil {
		return sdk.DeliverAnswer{}, err
	}
	out := sdk.Outcome{Status: sdk.StatusDeferred}
	r, err := p.host.HTTP(ctx, &sdk.HTTPRequest{
		Method: "POST", URL: "https://hooks.example.net/mail", Body: body.Bytes(),
		Header: []sdk.HTTPField{{Name: "Idempotency-Key", Value: e.Envelope.ID}}, // we may come twice
	})
	switch {
	case err != nil:
		out.Reply = sdk.Reply{Code: 451, Enhanced: "4.4.1", Text: err.Error()}
	case r.Status/100 == 2:
		out.Status, out.Reply = sdk.StatusDelivered, sdk.Reply{Code: 250, Enhanced: "2.0.0", Text: "taken"}
	case r.Status == 422:
		out.Status, out.Reply = sdk.StatusFailed, sdk.Reply{Code: 550, Enhanced: "5.6.0", Text: "the service does not want it"}
	}
	a := sdk.DeliverAnswer{Outcomes: make([]sdk.Outcome, len(e.Recipients))}
	for i := range a.Outcomes {
		a.Outcomes[i] = out
	}
	return a, nil
}

// end snippet

// snippet outcome
// Patience comes again soon where a host has greylisted us, and lets an
// operator look before a whole domain fails.
type Patience struct{ base }

func (p *Patience) OnOutcome(_ context.Context, e *sdk.OutcomeEvent) (sdk.OutcomeAnswer, error) {
	switch {
	case e.Outcome.Status == sdk.StatusDeferred && strings.Contains(strings.ToLower(e.Outcome.Reply.Text), "greylist"):
		return sdk.OutcomeAnswer{Delay: 6 * time.Minute, Reason: "greylisted"}, nil
	case e.Outcome.Status == sdk.StatusFailed && e.Outcome.Reply.Enhanced == "5.7.1":
		return sdk.OutcomeAnswer{Hold: true, Reason: "are we on a list?"}, nil
	}
	return sdk.OutcomeAnswer{}, nil
}

// end snippet

// snippet bounce
// Quiet sends no news of delays, and says in other DSNs whom to ask.
type Quiet struct{ base }

func (p *Quiet) OnBounce(_ context.Context, e *sdk.BounceEvent) (sdk.BounceAnswer, error) {
	if e.Kind == sdk.DSNDelayed {
		return sdk.BounceAnswer{Suppress: true, Reason: "nobody reads them"}, nil
	}
	return sdk.BounceAnswer{Edits: []sdk.Edit{{Op: sdk.OpAppendHeader, Name: "Reply-To", Value: "postmaster@example.org"}}}, nil
}

// end snippet

// snippet disconnect
// Idle counts the sessions that brought nothing.
type Idle struct{ base }

func (p *Idle) OnDisconnect(ctx context.Context, e *sdk.DisconnectEvent) error {
	if e.Messages == 0 {
		p.host.Count(ctx, "idle", 1)
	}
	return nil
}

// end snippet
