package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/programmable-mta/mta/core/control"
	"github.com/programmable-mta/mta/core/hook"
	"github.com/programmable-mta/mta/core/smtp"
	"github.com/programmable-mta/mta/core/trace"
	"github.com/programmable-mta/mta/sdk"
)

// ExplainDry implements control.Backend: it asks every chain about a message
// that is not sent. Nothing is queued, and no edit is carried out.
func (b *backend) ExplainDry(ctx context.Context, d control.Dry) (*control.DryResult, error) {
	run, err := b.newDryRun(d)
	if err != nil {
		return nil, err
	}
	defer run.th.Release()
	run.ask(ctx, d)
	if run.res.Accepted {
		for i := range run.env.Recipients {
			run.res.Routes = append(run.res.Routes, *b.route(ctx, run.th, run.env, i))
		}
	}
	run.res.Records = run.th.Records()
	return run.res, nil
}

type dryRun struct {
	chains *hook.Chains
	th     *trace.Thread
	s      *sdk.Session
	env    *sdk.Envelope
	body   []byte
	res    *control.DryResult
}

func (b *backend) newDryRun(d control.Dry) (*dryRun, error) {
	now := b.r.w.now()
	if len(d.To) == 0 {
		return nil, fmt.Errorf("%w: no recipient: name one with --to", control.ErrUsage)
	}
	from, err := dryAddress(d.From)
	if err != nil {
		return nil, err
	}
	s := &sdk.Session{
		ID: "DRYRUN", Profile: or(d.Profile, "mx"), LocalAddr: "127.0.0.1:25", RemoteIP: or(d.IP, "127.0.0.1"), RemotePort: 1024,
		RemoteName: d.Name, Helo: or(d.Helo, "client.invalid"), Protocol: "ESMTP", Login: d.Login, Started: now,
	}
	body := d.Message
	if len(body) == 0 {
		body = fmt.Appendf(nil, "From: <%s>\r\nTo: <%s>\r\nSubject: dry run\r\n\r\ndry run\r\n", from, d.To[0])
	}
	env := &sdk.Envelope{ID: "DRYRUN", From: from, Size: int64(len(body)), Arrived: now,
		Origin: sdk.Origin{IP: s.RemoteIP, Name: s.RemoteName, Helo: s.Helo, Protocol: s.Protocol, Login: s.Login, Profile: s.Profile}}
	return &dryRun{chains: b.r.gen.Load().chains, th: b.r.tracer.Thread(), s: s, env: env, body: body, res: &control.DryResult{}}, nil
}

func dryAddress(text string) (string, error) {
	if text == "" || text == "<>" {
		return "", nil
	}
	a, err := smtp.ParseAddress(text, true)
	if err != nil {
		return "", fmt.Errorf("%w: %q is no address: %w", control.ErrUsage, text, err)
	}
	return a.String(), nil
}

// ask goes through the session's hooks in their order, until one says no.
func (r *dryRun) ask(ctx context.Context, d control.Dry) {
	if !r.passes(r.chains.Connect(ctx, r.th, &sdk.ConnectEvent{Session: r.s})) ||
		!r.passes(r.chains.Helo(ctx, r.th, &sdk.HeloEvent{Session: r.s, Extended: true})) ||
		!r.passes(r.chains.Mail(ctx, r.th, &sdk.MailEvent{Session: r.s, Envelope: r.env}, nil)) {
		return
	}
	for _, to := range d.To {
		addr, err := dryAddress(to)
		if err != nil {
			r.res.Reply = trace.Reply{Code: 501, Enhanced: "5.1.3", Text: err.Error()}
			continue
		}
		rc := sdk.Recipient{Addr: addr}
		v := r.chains.Rcpt(ctx, r.th, &sdk.RcptEvent{Session: r.s, Envelope: r.env, Recipient: rc}, nil)
		if r.passes(v) {
			r.env.Recipients = append(r.env.Recipients, rc)
		}
	}
	if len(r.env.Recipients) == 0 || !r.passes(r.chains.Predata(ctx, r.th, &sdk.PredataEvent{Session: r.s, Envelope: r.env})) {
		return
	}
	msg := sdk.NewMessage(r.env.ID, int64(len(r.body)), func() (sdk.Body, error) { return dryBody{bytes.NewReader(r.body)}, nil })
	if r.passes(r.chains.Data(ctx, r.th, &sdk.DataEvent{Session: r.s, Envelope: r.env, Message: msg}, nil)) {
		r.res.Accepted = true
		r.res.Reply = trace.Reply{Code: 250, Enhanced: "2.0.0", Text: "would be queued"}
	}
}

func (r *dryRun) passes(v hook.Verdict) bool {
	switch v.Action {
	case sdk.Continue, sdk.Accept:
		return true
	case sdk.Discard, sdk.Hold:
		r.res.Reply = trace.Reply{Code: 250, Enhanced: "2.0.0", Text: "would be accepted, and then: " + v.Action.String() + " by " + v.Plugin}
		return v.Action == sdk.Hold
	}
	r.res.Reply = trace.Reply{Code: v.Reply.Code, Enhanced: v.Reply.Enhanced, Text: strings.ReplaceAll(v.Reply.Text, "\n", " ")}
	return false
}

type dryBody struct{ *bytes.Reader }

func (dryBody) Close() error { return nil }

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
