package plugintest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

// Reference is a plugin with every hook. It answers what it is told to, so that
// a test of a runtime, of the chains, or of the whole relay can make it say
// anything a plugin can say.
//
// It is told in a name that the event holds, written HOOK-WHAT: at connect in
// the client's host name, at helo in the HELO name, at auth in the user name, at
// mail, predata and data in the sender, at rcpt, route, deliver and outcome in
// the recipient, at bounce in the address that the DSN goes to. A name counts up
// to its first "." or "@", and only at its hook. So "rcpt-reject@example.org" is
// rejected at rcpt and nothing else.
//
// WHAT, at every hook:
//
//	error     a Go error
//	panic     a panic
//	hang      no answer before the context is done
//	note      goes on and leaves the note "seen" with the value of the hook
//
// At the decisions (connect to data) also every action by its name, at auth
// with the user name as the identity, and
//
//	invalid   a reply of the wrong class
//	edit      goes on with every edit of the hook that is not a note
//	each      data: verdicts on single recipients, by "each-WHAT" in their names
//	read      data: reads the message and leaves its size as the note "size"
//	recall    rcpt: leaves its own note "seen" of the session as "recalled", too
//
// At the others use, defer, fail and hold (route); delivered, deferred and
// failed (deliver, one by one; others are delivered); defer, fail, hold and
// slow, which asks for an hour (outcome); suppress, defer, hold and edit
// (bounce). Everything else is answered with the zero value.
type Reference struct {
	// Greeting is the text of its refusals, from its configuration.
	Greeting string `json:"greeting"`

	host     sdk.Host
	sessions atomic.Int64
}

// NewReference makes the reference plugin.
func NewReference() sdk.Plugin { return &Reference{Greeting: "the reference plugin says no"} }

// Start implements [sdk.Plugin].
func (r *Reference) Start(_ context.Context, host sdk.Host, config []byte) error {
	r.host = host
	return sdk.DecodeConfig(config, r)
}

// Close implements [sdk.Plugin].
func (r *Reference) Close() error { return nil }

// told is what a name says to a hook; empty: nothing.
func told(hook, name string) string {
	name, _, _ = strings.Cut(name, "@")
	name, _, _ = strings.Cut(name, ".")
	what, ok := strings.CutPrefix(name, hook+"-")
	if !ok {
		return ""
	}
	return what
}

// trouble carries out what every hook can be told.
func trouble(ctx context.Context, what string) error {
	switch what {
	case "error":
		return errors.New("the reference plugin was told to fail")
	case "panic":
		panic("the reference plugin was told to panic")
	case "hang":
		<-ctx.Done()
		return ctx.Err()
	}
	return nil
}

func noted(hook string) []sdk.Edit { return []sdk.Edit{{Op: sdk.OpNote, Name: "seen", Value: hook}} }

// decide answers a decision hook; edits are those of the hook.
func (r *Reference) decide(ctx context.Context, hook, name string, edits ...sdk.Edit) (sdk.Answer, error) {
	what := told(hook, name)
	if err := trouble(ctx, what); err != nil {
		return sdk.Answer{}, err
	}
	switch what {
	case "note":
		return sdk.Answer{Edits: noted(hook)}, nil
	case "edit":
		return sdk.Answer{Edits: edits}, nil
	case "invalid":
		return sdk.Answer{Action: sdk.Reject, Reply: sdk.Reply{Code: 250}}, nil
	}
	a := sdk.Answer{}
	a.Action, _ = sdk.ParseAction(what)
	switch a.Action {
	case sdk.Continue:
		return a, nil
	case sdk.Defer, sdk.Reject, sdk.Disconnect:
		a.Reply.Text = r.Greeting
	}
	a.Reason = "told to " + what
	return a, nil
}

// OnConnect implements [sdk.ConnectHook].
func (r *Reference) OnConnect(ctx context.Context, e *sdk.ConnectEvent) (sdk.Answer, error) {
	return r.decide(ctx, "connect", e.Session.RemoteName)
}

// OnHelo implements [sdk.HeloHook].
func (r *Reference) OnHelo(ctx context.Context, e *sdk.HeloEvent) (sdk.Answer, error) {
	return r.decide(ctx, "helo", e.Session.Helo)
}

// OnAuth implements [sdk.AuthHook].
func (r *Reference) OnAuth(ctx context.Context, e *sdk.AuthEvent) (sdk.Answer, error) {
	a, err := r.decide(ctx, "auth", e.Username)
	if a.Action == sdk.Accept {
		a.Identity = e.Username
	}
	return a, err
}

// OnMail implements [sdk.MailHook].
func (r *Reference) OnMail(ctx context.Context, e *sdk.MailEvent) (sdk.Answer, error) {
	return r.decide(ctx, "mail", e.Envelope.From, sdk.Edit{Op: sdk.OpSetSender, Value: "edited@example.org"})
}

// OnRcpt implements [sdk.RcptHook].
func (r *Reference) OnRcpt(ctx context.Context, e *sdk.RcptEvent) (sdk.Answer, error) {
	if told("rcpt", e.Recipient.Addr) == "recall" {
		return sdk.Noted("recalled", e.Session.Notes[r.host.Name()+".seen"]), nil
	}
	return r.decide(ctx, "rcpt", e.Recipient.Addr,
		sdk.Edit{Op: sdk.OpAddRecipient, Value: "added@example.org"},
		sdk.Edit{Op: sdk.OpReplaceRecipient, Name: e.Recipient.Addr, Value: "replaced@example.org"})
}

// OnPredata implements [sdk.PredataHook].
func (r *Reference) OnPredata(ctx context.Context, e *sdk.PredataEvent) (sdk.Answer, error) {
	return r.decide(ctx, "predata", e.Envelope.From)
}

// OnData implements [sdk.DataHook].
func (r *Reference) OnData(ctx context.Context, e *sdk.DataEvent) (sdk.Answer, error) {
	switch told("data", e.Envelope.From) {
	case "each":
		var a sdk.Answer
		for _, rcpt := range e.Envelope.Recipients {
			action, _ := sdk.ParseAction(told("each", rcpt.Addr))
			a.Recipients = append(a.Recipients, sdk.Verdict{Action: action})
		}
		return a, nil
	case "read":
		return readSize(e.Message)
	}
	edits := []sdk.Edit{
		{Op: sdk.OpSetSender, Value: "edited@example.org"},
		{Op: sdk.OpAddRecipient, Value: "added@example.org"},
		{Op: sdk.OpAddRecipient, Value: "going@example.org"},
		{Op: sdk.OpRemoveRecipient, Name: "going@example.org"},
		{Op: sdk.OpReplaceRecipient, Name: "added@example.org", Value: "replaced@example.org"},
		{Op: sdk.OpPrependHeader, Name: "X-First", Value: "1"},
		{Op: sdk.OpAppendHeader, Name: "X-Last", Value: "a long value,\r\n folded"},
		{Op: sdk.OpReplaceHeader, Name: "Subject", Value: "edited"},
		{Op: sdk.OpRemoveHeader, Name: "X-Remove"},
		{Op: sdk.OpReplaceBody, Data: []byte("edited\r\n")},
	}
	return r.decide(ctx, "data", e.Envelope.From, edits...)
}

func readSize(m sdk.Message) (sdk.Answer, error) {
	body, err := m.Open()
	if err != nil {
		return sdk.Answer{}, err
	}
	defer body.Close()
	n, err := io.Copy(io.Discard, body)
	if err != nil {
		return sdk.Answer{}, err
	}
	// What was read in order is there at any place, too.
	first := make([]byte, min(n, 64))
	if _, err := body.ReadAt(first, 0); err != nil && err != io.EOF {
		return sdk.Answer{}, err
	}
	lines := bytes.Count(first, []byte("\r\n"))
	return sdk.Answer{Edits: []sdk.Edit{
		{Op: sdk.OpNote, Name: "size", Value: strconv.FormatInt(n, 10)},
		{Op: sdk.OpNote, Name: "lines-in-64", Value: strconv.Itoa(lines)},
	}}, nil
}

// OnRoute implements [sdk.RouteHook].
func (r *Reference) OnRoute(ctx context.Context, e *sdk.RouteEvent) (sdk.RouteAnswer, error) {
	what := told("route", e.Recipient.Addr)
	actions := map[string]sdk.RouteAction{"use": sdk.RouteUse, "defer": sdk.RouteDefer, "fail": sdk.RouteFail, "hold": sdk.RouteHold}
	a := sdk.RouteAnswer{Action: actions[what]}
	switch a.Action {
	case sdk.RouteUse:
		a.Route = sdk.Route{Via: "smtp", Hosts: []string{"mx1.example.org", "[2001:db8::1]:2525"}, TLS: "may", Rule: "told to use it"}
	case sdk.RouteDefer:
		a.NotBefore = r.host.Now(ctx).Add(time.Hour)
		a.Reply.Text = r.Greeting
	case sdk.RouteFail:
		a.Reply.Text = r.Greeting
	}
	return a, trouble(ctx, what)
}

// OnDeliver implements [sdk.DeliverHook].
func (r *Reference) OnDeliver(ctx context.Context, e *sdk.DeliverEvent) (sdk.DeliverAnswer, error) {
	var a sdk.DeliverAnswer
	for _, rcpt := range e.Recipients {
		o := sdk.Outcome{Status: sdk.StatusDelivered, Remote: "reference"}
		switch what := told("deliver", rcpt.Addr); what {
		case "deferred":
			o.Status = sdk.StatusDeferred
		case "failed":
			o.Status = sdk.StatusFailed
		default:
			if err := trouble(ctx, what); err != nil {
				return a, err
			}
		}
		a.Outcomes = append(a.Outcomes, o)
	}
	return a, nil
}

// OnOutcome implements [sdk.OutcomeHook].
func (r *Reference) OnOutcome(ctx context.Context, e *sdk.OutcomeEvent) (sdk.OutcomeAnswer, error) {
	what := told("outcome", e.Recipient.Addr)
	answers := map[string]sdk.OutcomeAnswer{
		"defer": {Status: sdk.StatusDeferred}, "fail": {Status: sdk.StatusFailed},
		"hold": {Hold: true}, "slow": {Delay: time.Hour},
	}
	return answers[what], trouble(ctx, what)
}

// OnBounce implements [sdk.BounceHook].
func (r *Reference) OnBounce(ctx context.Context, e *sdk.BounceEvent) (sdk.BounceAnswer, error) {
	what := told("bounce", e.To)
	a := sdk.BounceAnswer{Suppress: what == "suppress", Defer: what == "defer", Hold: what == "hold"}
	switch what {
	case "note":
		a.Edits = noted("bounce")
	case "edit":
		a.Edits = []sdk.Edit{
			{Op: sdk.OpPrependHeader, Name: "X-First", Value: "1"},
			{Op: sdk.OpAppendHeader, Name: "X-Last", Value: "2"},
			{Op: sdk.OpReplaceHeader, Name: "Subject", Value: "edited"},
		}
	}
	return a, trouble(ctx, what)
}

// OnDisconnect implements [sdk.DisconnectHook].
func (r *Reference) OnDisconnect(ctx context.Context, e *sdk.DisconnectEvent) error {
	n := r.sessions.Add(1)
	if r.host != nil {
		r.host.Log(ctx, slog.LevelInfo, "session over", "reason", e.Reason, "messages", e.Messages, "sessions", n)
	}
	return trouble(ctx, told("disconnect", e.Session.Helo))
}
