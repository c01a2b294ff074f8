package hook_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/programmable-mta/mta/core/hook"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

func always(a sdk.Answer) sdk.Handlers {
	return sdk.Handlers{
		Mail:  func(context.Context, *sdk.MailEvent) (sdk.Answer, error) { return a, nil },
		Data:  func(context.Context, *sdk.DataEvent) (sdk.Answer, error) { return a, nil },
		Route: func(context.Context, *sdk.RouteEvent) (sdk.RouteAnswer, error) { return sdk.RouteAnswer{}, nil },
	}
}

func TestAShadowIsComparedWithWhatWasDecided(t *testing.T) {
	var got []hook.Comparison
	c, err := hook.New([]hook.Plugin{
		{Name: "next", Handlers: always(sdk.Rejected("5.7.1", "no")), Shadow: true},
		{Name: "now", Handlers: always(sdk.Accepted())},
		{Name: "late", Handlers: always(sdk.Accepted()), Shadow: true}, // never asked: now has ended it
	}, hook.Options{Now: func() time.Time { return plugintest.Epoch }, Compare: func(x hook.Comparison) { got = append(got, x) }})
	if err != nil {
		t.Fatal(err)
	}
	c.Mail(t.Context(), nil, &sdk.MailEvent{Session: &sdk.Session{ID: "S"}, Envelope: &sdk.Envelope{ID: "Q", From: "a@example.org"}}, nil)
	want := hook.Comparison{Plugin: "next", Hook: "mail", ID: "Q", Shadow: "reject 550 5.7.1 no", Active: "accept", About: "<a@example.org>", At: plugintest.Epoch}
	if len(got) != 1 || got[0] != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestAShadowThatGoesOnAgreesWithAYes(t *testing.T) {
	var got []hook.Comparison
	c, err := hook.New([]hook.Plugin{
		{Name: "next", Handlers: always(sdk.Answer{}), Shadow: true},
		{Name: "now", Handlers: always(sdk.Accepted())},
	}, hook.Options{Compare: func(x hook.Comparison) { got = append(got, x) }})
	if err != nil {
		t.Fatal(err)
	}
	c.Mail(t.Context(), nil, &sdk.MailEvent{Session: &sdk.Session{}, Envelope: &sdk.Envelope{}}, nil)
	if len(got) != 1 || got[0].Shadow != got[0].Active {
		t.Errorf("got %+v", got)
	}
}

// What a plugin may not edit is an error of it, in shadow too.
func TestAnEditWithoutItsGrantIsAnErrorOfThePlugin(t *testing.T) {
	for _, op := range []sdk.Op{sdk.OpPrependHeader, sdk.OpReplaceBody, sdk.OpAddRecipient} {
		edit := sdk.Edit{Op: op, Name: "X-Seen", Value: "yes"}
		if op == sdk.OpReplaceBody {
			edit = sdk.Edit{Op: op, Data: []byte("x")}
		}
		if op == sdk.OpAddRecipient {
			edit = sdk.Edit{Op: op, Value: "copy@evil.example"}
		}
		for _, denied := range []bool{true, false} {
			p := hook.Plugin{Name: "edits", Handlers: always(sdk.Answer{Edits: []sdk.Edit{edit}})}
			if denied {
				p.Denied = []sdk.Op{op}
			}
			c, err := hook.New([]hook.Plugin{p}, hook.Options{})
			if err != nil {
				t.Fatal(err)
			}
			applied := 0
			v := c.Data(t.Context(), nil, &sdk.DataEvent{Session: &sdk.Session{}, Envelope: &sdk.Envelope{}},
				func(string, []sdk.Edit) error { applied++; return nil })
			if denied && (v.Action != sdk.Defer || applied != 0) || !denied && (v.Action != sdk.Continue || applied != 1) {
				t.Errorf("%s, denied %v: %v, applied %d times", op, denied, v.Action, applied)
			}
		}
	}
}

func TestAMemberKnowsItsCallsErrorsAndTimes(t *testing.T) {
	c, err := hook.New([]hook.Plugin{{Name: "p", Handlers: always(sdk.Answer{Action: 99})}}, hook.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c.Mail(t.Context(), nil, &sdk.MailEvent{Session: &sdk.Session{}, Envelope: &sdk.Envelope{}}, nil)
	m := c.Describe()[0].Members[0]
	if m.Calls != 1 || m.Errors != 1 || m.Last == "" {
		t.Errorf("%+v", m)
	}
}

// A process that was killed and runs again is asked at once: its breaker does
// not keep mail waiting, or unfiltered, for half a minute more.
func TestABreakerLetsARevivedPluginThroughAtOnce(t *testing.T) {
	dead, lives := true, int64(0)
	p := hook.Plugin{Name: "child", Revivals: func() int64 { return lives }, Handlers: sdk.Handlers{
		Mail: func(context.Context, *sdk.MailEvent) (sdk.Answer, error) {
			if dead {
				return sdk.Answer{}, errors.New("it is dead")
			}
			return sdk.Rejected("5.7.1", "no"), nil
		}}}
	c, err := hook.New([]hook.Plugin{p}, hook.Options{Now: func() time.Time { return plugintest.Epoch }})
	if err != nil {
		t.Fatal(err)
	}
	ask := func() sdk.Action {
		return c.Mail(t.Context(), nil, &sdk.MailEvent{Session: &sdk.Session{}, Envelope: &sdk.Envelope{}}, nil).Action
	}
	for range 10 {
		ask()
	}
	dead = false
	if a := ask(); a != sdk.Defer {
		t.Errorf("the breaker is open, and the plugin answers %v", a)
	}
	lives++
	for range 3 {
		if a := ask(); a != sdk.Reject {
			t.Errorf("after its revival: %v", a)
		}
	}
}
