package core_test

import (
	"context"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/programmable-mta/mta/core/hook"
	"github.com/programmable-mta/mta/core/trace"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

// asks calls the chain of each hook about something that the reference plugin
// refuses, defers or fails, and tells whether that is what came out.
var asks = map[string]func(*hook.Chains, *trace.Thread) bool{
	"connect": func(c *hook.Chains, th *trace.Thread) bool {
		s := session()
		s.RemoteName = "connect-reject.example.net"
		return c.Connect(context.Background(), th, &sdk.ConnectEvent{Session: s}).Action == sdk.Reject
	},
	"helo": func(c *hook.Chains, th *trace.Thread) bool {
		s := session()
		s.Helo = "helo-reject.example.net"
		return c.Helo(context.Background(), th, &sdk.HeloEvent{Session: s}).Action == sdk.Reject
	},
	"auth": func(c *hook.Chains, th *trace.Thread) bool {
		v := c.Auth(context.Background(), th, &sdk.AuthEvent{Session: session(), Username: "auth-accept"})
		return v.Action == sdk.Accept && v.Identity == "auth-accept"
	},
	"mail": func(c *hook.Chains, th *trace.Thread) bool {
		return c.Mail(context.Background(), th, &sdk.MailEvent{Session: session(), Envelope: from("mail-hold@example.net")}, nil).Action == sdk.Hold
	},
	"rcpt": func(c *hook.Chains, th *trace.Thread) bool {
		e := &sdk.RcptEvent{Session: session(), Envelope: from("a@example.net"), Recipient: sdk.Recipient{Addr: "rcpt-defer@example.org"}}
		return c.Rcpt(context.Background(), th, e, nil).Action == sdk.Defer
	},
	"predata": func(c *hook.Chains, th *trace.Thread) bool {
		return c.Predata(context.Background(), th, &sdk.PredataEvent{Session: session(), Envelope: from("predata-reject@example.net")}).Action == sdk.Reject
	},
	"data": func(c *hook.Chains, th *trace.Thread) bool {
		return c.Data(context.Background(), th, &sdk.DataEvent{Session: session(), Envelope: from("data-discard@example.net")}, nil).Action == sdk.Discard
	},
	"route": func(c *hook.Chains, th *trace.Thread) bool {
		a, by := c.Route(context.Background(), th, &sdk.RouteEvent{Envelope: from("a@example.net"), Recipient: sdk.Recipient{Addr: "route-use@example.org"}})
		return a.Action == sdk.RouteUse && by == "reference"
	},
	"deliver": func(c *hook.Chains, th *trace.Thread) bool {
		outs := c.Deliver(context.Background(), th, &sdk.DeliverEvent{Envelope: from("a@example.net"), Route: sdk.Route{Via: "reference"},
			Recipients: []sdk.Recipient{{Addr: "a@example.org"}, {Addr: "deliver-failed@example.org"}}})
		return len(outs) == 2 && outs[0].Status == sdk.StatusDelivered && outs[1].Status == sdk.StatusFailed
	},
	"outcome": func(c *hook.Chains, th *trace.Thread) bool {
		a, _ := c.Outcome(context.Background(), th, &sdk.OutcomeEvent{Envelope: from("a@example.net"),
			Recipient: sdk.Recipient{Addr: "outcome-defer@example.org"}, Outcome: sdk.Outcome{Status: sdk.StatusFailed}})
		return a.Status == sdk.StatusDeferred
	},
	"bounce": func(c *hook.Chains, th *trace.Thread) bool {
		a, by := c.Bounce(context.Background(), th, &sdk.BounceEvent{Envelope: from("a@example.net"), To: "bounce-suppress@example.net"}, nil)
		return a.Suppress && by == "reference"
	},
	"disconnect": func(c *hook.Chains, th *trace.Thread) bool {
		c.Disconnect(context.Background(), th, &sdk.DisconnectEvent{Session: session(), Reason: "quit"})
		return true
	},
}

func session() *sdk.Session { return &sdk.Session{ID: "s", RemoteIP: "192.0.2.1"} }

func from(addr string) *sdk.Envelope { return &sdk.Envelope{ID: "e", From: addr} }

func TestEveryHookOfTheTableIsServedFoldedAndDocumented(t *testing.T) {
	p := plugintest.NewReference()
	if err := p.Start(t.Context(), plugintest.NewHost(), []byte("{}")); err != nil {
		t.Fatal(err)
	}
	chains, err := hook.New([]hook.Plugin{{Name: "reference", Handlers: sdk.Local(p), MayRelay: true}}, hook.Options{})
	if err != nil {
		t.Fatal(err)
	}
	described := map[string]bool{}
	for _, ch := range chains.Describe() {
		described[ch.Hook] = true
	}
	readme, err := os.ReadFile("../README.md")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	for _, h := range sdk.Hooks() {
		hs := sdk.Local(p)
		if !h.Implemented(&hs) {
			t.Errorf("%s: the reference plugin does not have it: add it to sdk/plugintest/reference.go, or sdk.Local does not find it: see its row in sdk/hooks.go", h.Name)
		}
		if !chains.Has(h.Name) || !described[h.Name] {
			t.Errorf("%s: no chain has it: add it to Chains, equip and add in core/hook/build.go", h.Name)
		}
		ask, th := asks[h.Name], &trace.Thread{}
		switch {
		case ask == nil:
			t.Errorf("%s: this test does not ask it: add it to `asks` of core/hooks_test.go", h.Name)
		case !ask(chains, th):
			t.Errorf("%s: what the reference plugin answers does not come out of the chain: see core/hook", h.Name)
		case len(th.Records()) != 1 || th.Records()[0].Hook != h.Name:
			t.Errorf("%s: the trace has %+v instead of one record of it", h.Name, th.Records())
		}
		row := regexp.MustCompile(`(?m)^\| *` + "`?" + h.Name + "`?" + ` *\|`)
		if readme != nil && !row.Match(readme) {
			t.Errorf("%s: README.md does not have it: add a row to its hook table", h.Name)
		}
		doc, _ := os.ReadFile("hook/doc.go")
		if !strings.Contains(string(doc), "\n//\t"+h.Name+" ") && h.Name != "outcome" {
			t.Errorf("%s: the table of core/hook/doc.go does not say how its answers are folded", h.Name)
		}
	}
	if len(asks) != len(sdk.Hooks()) {
		t.Errorf("`asks` of core/hooks_test.go has %d hooks, the table %d: take out what is gone", len(asks), len(sdk.Hooks()))
	}
}
