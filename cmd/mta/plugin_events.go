package main

import (
	"context"
	"os"
	"path/filepath"

	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

// asked is the last event of each hook; nil: none.
type asked struct {
	connect    *sdk.ConnectEvent
	helo       *sdk.HeloEvent
	auth       *sdk.AuthEvent
	mail       *sdk.MailEvent
	rcpt       *sdk.RcptEvent
	predata    *sdk.PredataEvent
	data       *sdk.DataEvent
	route      *sdk.RouteEvent
	deliver    *sdk.DeliverEvent
	outcome    *sdk.OutcomeEvent
	bounce     *sdk.BounceEvent
	disconnect *sdk.DisconnectEvent
}

// listen puts an ear in front of the hooks of a plugin.
func (a *asked) listen(hs *sdk.Handlers) *sdk.Handlers {
	return &sdk.Handlers{
		Connect: heard(hs.Connect, &a.connect), Helo: heard(hs.Helo, &a.helo), Auth: heard(hs.Auth, &a.auth),
		Mail: heard(hs.Mail, &a.mail), Rcpt: heard(hs.Rcpt, &a.rcpt), Predata: heard(hs.Predata, &a.predata),
		Data: heard(hs.Data, &a.data), Route: heard(hs.Route, &a.route), Deliver: heard(hs.Deliver, &a.deliver),
		Outcome: heard(hs.Outcome, &a.outcome), Bounce: heard(hs.Bounce, &a.bounce), Disconnect: heard(hs.Disconnect, &a.disconnect),
	}
}

func heard[E, A any](h sdk.Handler[E, A], last **E) sdk.Handler[E, A] {
	if h == nil {
		return nil
	}
	return func(ctx context.Context, e *E) (A, error) {
		*last = e
		return h(ctx, e)
	}
}

// probes are the hooks of a plugin with the events that were heard, and where
// there was none with one of an ordinary stranger.
func probes(hs *sdk.Handlers, a *asked) (all []probe) {
	session := plugintest.Session()
	rcpt := sdk.Recipient{Addr: "ann@example.org"}
	env := plugintest.Envelope("bob@example.com", rcpt.Addr)
	msg := plugintest.Message("From: bob@example.com\nTo: ann@example.org\nSubject: sample\nMessage-ID: <1@example.com>\n\nHello.\n")
	env.Size = msg.Size
	route := sdk.Route{Via: "smtp", Hosts: []string{"mx.example.net"}}
	failed := sdk.Outcome{Status: sdk.StatusDeferred, Reply: sdk.Reply{Code: 451, Enhanced: "4.2.0", Text: "busy"}}
	fresh := *env
	fresh.Recipients = nil
	add := func(p probe) {
		if p.call != nil {
			all = append(all, p)
		}
	}
	add(aim("connect", hs.Connect, a.connect, sdk.ConnectEvent{Session: session}))
	add(aim("helo", hs.Helo, a.helo, sdk.HeloEvent{Session: session, Extended: true}))
	add(aim("auth", hs.Auth, a.auth, sdk.AuthEvent{Session: session, Mechanism: "PLAIN", Username: "ann", Password: "secret"}))
	add(aim("mail", hs.Mail, a.mail, sdk.MailEvent{Session: session, Envelope: &fresh}))
	add(aim("rcpt", hs.Rcpt, a.rcpt, sdk.RcptEvent{Session: session, Envelope: &fresh, Recipient: rcpt}))
	add(aim("predata", hs.Predata, a.predata, sdk.PredataEvent{Session: session, Envelope: env}))
	add(aim("data", hs.Data, a.data, sdk.DataEvent{Session: session, Envelope: env, Message: msg}))
	add(aim("route", hs.Route, a.route, sdk.RouteEvent{Envelope: env, Recipient: rcpt, Attempt: 1}))
	add(aim("deliver", hs.Deliver, a.deliver, sdk.DeliverEvent{Envelope: env, Message: msg, Recipients: env.Recipients, Route: route, Attempt: 1}))
	add(aim("outcome", hs.Outcome, a.outcome, sdk.OutcomeEvent{Envelope: env, Recipient: rcpt, Route: route, Attempt: 1, Outcome: failed}))
	add(aim("bounce", hs.Bounce, a.bounce, sdk.BounceEvent{Envelope: env, Kind: sdk.DSNFailed, Recipients: env.Recipients,
		Outcomes: []sdk.Outcome{failed}, Message: msg, To: env.From}))
	add(aim("disconnect", hs.Disconnect, a.disconnect, sdk.DisconnectEvent{Session: session, Messages: 1, Reason: "quit"}))
	return all
}

func aim[E, A any](hook string, h sdk.Handler[E, A], e *E, sample E) probe {
	if h == nil {
		return probe{}
	}
	if e == nil {
		e = &sample
	}
	return probe{hook, func(ctx context.Context) error {
		_, err := h(ctx, e)
		return err
	}}
}

// inWorkFolder does something in a folder that goes afterwards.
func inWorkFolder(do func(work string) error) error {
	work, err := os.MkdirTemp("", "mta-story-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if work, err = filepath.EvalSymlinks(work); err != nil {
		return err
	}
	return do(work)
}
