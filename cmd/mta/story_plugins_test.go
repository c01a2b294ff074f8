package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"sync/atomic"
	"time"

	"github.com/programmable-mta/mta/plugins"
	"github.com/programmable-mta/mta/sdk"
)

// storyPlugins are the plugins of a real relay, and two that exist in stories
// only: "broken", which fails as its configuration says, and "says", which
// answers what its configuration says.
func storyPlugins() map[string]func() sdk.Plugin {
	all := maps.Clone(plugins.Builtin)
	all["broken"] = func() sdk.Plugin { return &broken{} }
	all["says"] = func() sdk.Plugin { return &says{} }
	return all
}

// broken fails at every hook; the configuration chooses hooks and the way:
// how = "panic", "error", "sleep" (an hour, whatever the context says),
// "linger" (three seconds), "nonsense", or "start".
type broken struct {
	how  string
	from int32 // so many calls go well
	n    atomic.Int32
	runs atomic.Int32 // calls that have not returned
	host sdk.Host
}

func (b *broken) Start(_ context.Context, host sdk.Host, config []byte) error {
	b.host = host
	c := struct {
		How   string `json:"how"`
		After int32  `json:"after"`
	}{}
	if err := sdk.DecodeConfig(config, &c); err != nil {
		return err
	}
	if c.How == "start" {
		return errors.New("this one never starts")
	}
	b.how, b.from = c.How, c.After
	return nil
}

func (b *broken) Close() error {
	b.host.Log(context.Background(), 0, "closed", "running", b.runs.Load())
	return nil
}

// fails is called once a hook; nonsense is left to the caller.
func (b *broken) fails() (nonsense bool, err error) {
	b.runs.Add(1)
	defer b.runs.Add(-1)
	if b.n.Add(1) <= b.from {
		return false, nil
	}
	switch b.how {
	case "panic":
		var rules []string // the kind of mistake that people make
		_ = rules[b.n.Load()]
	case "error":
		return false, errors.New("the database is away")
	case "sleep":
		time.Sleep(time.Hour)
	case "linger":
		time.Sleep(3 * time.Second)
	case "nonsense":
		return true, nil
	}
	return false, nil
}

func (b *broken) answer() (sdk.Answer, error) {
	nonsense, err := b.fails()
	if nonsense {
		return sdk.Answer{Action: 99, Reply: sdk.Reply{Code: 250, Text: "\r\nRCPT TO:<x>"}}, nil
	}
	return sdk.Answer{}, err
}

func (b *broken) OnConnect(context.Context, *sdk.ConnectEvent) (sdk.Answer, error) {
	return b.answer()
}
func (b *broken) OnMail(context.Context, *sdk.MailEvent) (sdk.Answer, error) { return b.answer() }
func (b *broken) OnRcpt(context.Context, *sdk.RcptEvent) (sdk.Answer, error) { return b.answer() }
func (b *broken) OnData(context.Context, *sdk.DataEvent) (sdk.Answer, error) { return b.answer() }

func (b *broken) OnRoute(context.Context, *sdk.RouteEvent) (sdk.RouteAnswer, error) {
	nonsense, err := b.fails()
	if nonsense {
		return sdk.RouteAnswer{Action: sdk.RouteUse, Route: sdk.Route{Via: "smtp", Hosts: []string{"not a host!"}}}, nil
	}
	return sdk.RouteAnswer{}, err
}

func (b *broken) OnDeliver(context.Context, *sdk.DeliverEvent) (sdk.DeliverAnswer, error) {
	nonsense, err := b.fails()
	if nonsense {
		return sdk.DeliverAnswer{Outcomes: make([]sdk.Outcome, 7)}, nil
	}
	return sdk.DeliverAnswer{}, err
}

func (b *broken) OnOutcome(context.Context, *sdk.OutcomeEvent) (sdk.OutcomeAnswer, error) {
	nonsense, err := b.fails()
	if nonsense {
		return sdk.OutcomeAnswer{Status: 77}, nil
	}
	return sdk.OutcomeAnswer{}, err
}

func (b *broken) OnBounce(context.Context, *sdk.BounceEvent) (sdk.BounceAnswer, error) {
	nonsense, err := b.fails()
	if nonsense {
		return sdk.BounceAnswer{Suppress: true, Hold: true}, nil
	}
	return sdk.BounceAnswer{}, err
}

// says answers what its configuration says at the hooks that it is asked for.
type says struct {
	Action  string            `json:"action"`  // at session hooks and route
	Reply   string            `json:"reply"`   // "550 5.7.1 text"
	To      string            `json:"to"`      // only for recipients that hold this
	Edits   []string          `json:"edits"`   // "prepend X-Tag: yes", "replace Subject: new", "remove X-Bad", "body TEXT", "add a@b", "drop a@b", "rcpt a@b c@d", "sender a@b", "note k=v"
	Each    map[string]string `json:"each"`    // at data: verdict by recipient, "reject 550 5.1.1 text"
	Hosts   []string          `json:"hosts"`   // at route
	Via     string            `json:"via"`     // at route
	Delay   string            `json:"delay"`   // at outcome
	Outcome string            `json:"outcome"` // at outcome: deferred, failed, hold
	Bounce  string            `json:"bounce"`  // suppress, hold, defer
	Body    string            `json:"body"`    // at data: only for messages that hold this

	host sdk.Host
}

func (p *says) Start(_ context.Context, host sdk.Host, config []byte) error {
	p.host = host
	return sdk.DecodeConfig(config, p)
}

func (p *says) Close() error { return nil }

func parseReply(s string) (r sdk.Reply) {
	code, rest, _ := strings.Cut(s, " ")
	fmt.Sscan(code, &r.Code)
	r.Enhanced, r.Text, _ = strings.Cut(rest, " ")
	return r
}

func (p *says) answer() (sdk.Answer, error) {
	a := sdk.Answer{Reply: parseReply(p.Reply), Reason: "the story says so"}
	if p.Action != "" {
		action, ok := sdk.ParseAction(p.Action)
		if !ok {
			return a, fmt.Errorf("no action %q", p.Action)
		}
		a.Action = action
	}
	for _, text := range p.Edits {
		op, rest, _ := strings.Cut(text, " ")
		name, value, _ := strings.Cut(rest, ": ")
		e := sdk.Edit{Name: name, Value: value}
		switch op {
		case "prepend":
			e.Op = sdk.OpPrependHeader
		case "append":
			e.Op = sdk.OpAppendHeader
		case "replace":
			e.Op = sdk.OpReplaceHeader
		case "remove":
			e.Op = sdk.OpRemoveHeader
		case "body":
			e = sdk.Edit{Op: sdk.OpReplaceBody, Data: []byte(rest)}
		case "add":
			e = sdk.Edit{Op: sdk.OpAddRecipient, Value: rest}
		case "drop":
			e = sdk.Edit{Op: sdk.OpRemoveRecipient, Name: rest}
		case "sender":
			e = sdk.Edit{Op: sdk.OpSetSender, Value: rest}
		case "rcpt":
			before, after, _ := strings.Cut(rest, " ")
			e = sdk.Edit{Op: sdk.OpReplaceRecipient, Name: before, Value: after}
		case "note":
			key, value, _ := strings.Cut(rest, "=")
			e = sdk.Edit{Op: sdk.OpNote, Name: key, Value: value}
		default:
			return a, fmt.Errorf("no edit %q", text)
		}
		a.Edits = append(a.Edits, e)
	}
	return a, nil
}

func (p *says) OnConnect(context.Context, *sdk.ConnectEvent) (sdk.Answer, error) { return p.answer() }
func (p *says) OnHelo(context.Context, *sdk.HeloEvent) (sdk.Answer, error)       { return p.answer() }
func (p *says) OnMail(context.Context, *sdk.MailEvent) (sdk.Answer, error)       { return p.answer() }
func (p *says) OnPredata(context.Context, *sdk.PredataEvent) (sdk.Answer, error) { return p.answer() }

func (p *says) OnRcpt(_ context.Context, e *sdk.RcptEvent) (sdk.Answer, error) {
	if !strings.Contains(e.Recipient.Addr, p.To) {
		return sdk.Answer{}, nil
	}
	return p.answer()
}

func (p *says) OnData(_ context.Context, e *sdk.DataEvent) (sdk.Answer, error) {
	if p.Body != "" {
		r, err := e.Message.Open()
		if err != nil {
			return sdk.Answer{}, err
		}
		defer r.Close()
		b, err := io.ReadAll(r)
		if err != nil || !strings.Contains(string(b), p.Body) {
			return sdk.Answer{}, err
		}
	}
	a, err := p.answer()
	if len(p.Each) > 0 {
		a.Recipients = make([]sdk.Verdict, len(e.Envelope.Recipients))
		for i, r := range e.Envelope.Recipients {
			action, reply, _ := strings.Cut(p.Each[r.Addr], " ")
			if action != "" {
				a.Recipients[i].Action, _ = sdk.ParseAction(action)
				a.Recipients[i].Reply = parseReply(reply)
			}
		}
	}
	return a, err
}

func (p *says) OnRoute(_ context.Context, e *sdk.RouteEvent) (sdk.RouteAnswer, error) {
	if !strings.Contains(e.Recipient.Addr, p.To) {
		return sdk.RouteAnswer{}, nil
	}
	a := sdk.RouteAnswer{Reply: parseReply(p.Reply)}
	switch p.Action {
	case "use":
		a = sdk.RouteAnswer{Action: sdk.RouteUse, Route: sdk.Route{Via: p.Via, Hosts: p.Hosts, Rule: "the story"}}
	case "defer":
		a.Action = sdk.RouteDefer
	case "fail":
		a.Action = sdk.RouteFail
	case "hold":
		a.Action = sdk.RouteHold
	}
	return a, nil
}

func (p *says) OnOutcome(_ context.Context, e *sdk.OutcomeEvent) (sdk.OutcomeAnswer, error) {
	var a sdk.OutcomeAnswer
	if e.Outcome.Status == sdk.StatusDelivered {
		return a, nil
	}
	a.Delay, _ = time.ParseDuration(p.Delay)
	switch p.Outcome {
	case "deferred":
		a.Status = sdk.StatusDeferred
	case "failed":
		a.Status = sdk.StatusFailed
	case "hold":
		a.Hold = true
	}
	if p.Reply != "" {
		a.Reply = parseReply(p.Reply)
	}
	return a, nil
}

func (p *says) OnBounce(context.Context, *sdk.BounceEvent) (sdk.BounceAnswer, error) {
	a, err := p.answer()
	return sdk.BounceAnswer{Suppress: p.Bounce == "suppress", Hold: p.Bounce == "hold", Defer: p.Bounce == "defer", Reason: "the story says so", Edits: a.Edits}, err
}

func (p *says) OnDisconnect(ctx context.Context, e *sdk.DisconnectEvent) error {
	p.host.Log(ctx, 0, "a session is over", "reason", e.Reason, "messages", e.Messages)
	return nil
}
