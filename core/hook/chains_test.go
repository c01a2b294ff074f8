package hook_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/programmable-mta/mta/core/hook"
	"github.com/programmable-mta/mta/core/trace"
	"github.com/programmable-mta/mta/sdk"
)

func nop[E, A any](context.Context, *E) (a A, err error) { return a, nil }

var full = sdk.Handlers{
	Connect: nop[sdk.ConnectEvent, sdk.Answer], Helo: nop[sdk.HeloEvent, sdk.Answer], Auth: nop[sdk.AuthEvent, sdk.Answer],
	Mail: nop[sdk.MailEvent, sdk.Answer], Rcpt: nop[sdk.RcptEvent, sdk.Answer], Predata: nop[sdk.PredataEvent, sdk.Answer],
	Data: nop[sdk.DataEvent, sdk.Answer], Route: nop[sdk.RouteEvent, sdk.RouteAnswer], Deliver: nop[sdk.DeliverEvent, sdk.DeliverAnswer],
	Outcome: nop[sdk.OutcomeEvent, sdk.OutcomeAnswer], Bounce: nop[sdk.BounceEvent, sdk.BounceAnswer], Disconnect: nop[sdk.DisconnectEvent, sdk.None],
}

func TestPluginsThatCannotBeChainedSayWhy(t *testing.T) {
	on := func(h string, o hook.OnError) map[string]hook.OnError { return map[string]hook.OnError{h: o} }
	rcpt := sdk.Handlers{Rcpt: full.Rcpt}
	for _, tc := range []struct {
		name    string
		plugins []hook.Plugin
		via     map[string]string
		want    []string
	}{
		{"no name", []hook.Plugin{{Handlers: rcpt}}, nil, []string{`plugin ""`, "A-Z"}},
		{"a dot in the name", []hook.Plugin{{Name: "a.b"}}, nil, []string{`plugin "a.b"`}},
		{"a name twice", []hook.Plugin{{Name: "a"}, {Name: "a"}}, nil, []string{`two plugins are named "a"`}},
		{"a negative deadline", []hook.Plugin{{Name: "a", Deadline: -1}}, nil, []string{"negative"}},
		{"negative slots", []hook.Plugin{{Name: "a", Slots: -1}}, nil, []string{"negative"}},
		{"a hook it lacks", []hook.Plugin{{Name: "a", Handlers: rcpt, OnError: on("mail", 0)}}, nil, []string{`"mail"`, "it has: rcpt"}},
		{"a hook that is none", []hook.Plugin{{Name: "a", Handlers: rcpt, OnError: on("rcptto", 0)}}, nil, []string{`"rcptto"`, "it has: rcpt"}},
		{"a value that is none", []hook.Plugin{{Name: "a", Handlers: rcpt, OnError: on("rcpt", 77)}}, nil, []string{"on_error(77)"}},
		{"reject of route", []hook.Plugin{{Name: "a", Handlers: full, OnError: on("route", hook.OnErrorReject)}}, nil, []string{"route cannot be reject", "never bounces", "defer, hold"}},
		{"continue of deliver", []hook.Plugin{{Name: "a", Handlers: full, OnError: on("deliver", hook.OnErrorContinue)}}, nil, []string{"deliver cannot be continue", "defer, hold"}},
		{"continue of outcome", []hook.Plugin{{Name: "a", Handlers: full, OnError: on("outcome", hook.OnErrorContinue)}}, nil, []string{"outcome cannot be continue"}},
		{"disconnect of bounce", []hook.Plugin{{Name: "a", Handlers: full, OnError: on("bounce", hook.OnErrorDisconnect)}}, nil, []string{"bounce cannot be disconnect"}},
		{"hold of connect", []hook.Plugin{{Name: "a", Handlers: full, OnError: on("connect", hook.OnErrorHold)}}, nil, []string{"connect cannot be hold", "defer, continue, reject, disconnect"}},
		{"anything of disconnect", []hook.Plugin{{Name: "a", Handlers: full, OnError: on("disconnect", hook.OnErrorContinue)}}, nil, []string{"decides nothing"}},
		{"a transport without plugin", []hook.Plugin{{Name: "a", Handlers: full}}, map[string]string{"smtp": "b"}, []string{`transport "smtp"`, `"b"`, "there are: a"}},
		{"a transport that does not deliver", []hook.Plugin{{Name: "a", Handlers: rcpt}}, map[string]string{"smtp": "a"}, []string{`transport "smtp"`}},
		{"a transport that is a shadow", []hook.Plugin{{Name: "a", Handlers: full, Shadow: true}}, map[string]string{"smtp": "a"}, []string{`no active plugin "a"`}},
		{"a transport that is another plugin", []hook.Plugin{{Name: "a", Handlers: full}, {Name: "b", Handlers: full}}, map[string]string{"a": "b"}, []string{"rename"}},
		{"several faults", []hook.Plugin{{Name: "a.b"}, {Name: "a", Deadline: -1}}, map[string]string{"smtp": "b"}, []string{`"a.b"`, "negative", `"smtp"`}},
	} {
		_, err := hook.New(tc.plugins, hook.Options{Transports: tc.via})
		if err == nil {
			t.Errorf("%s: chained", tc.name)
			continue
		}
		for _, w := range tc.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %q does not say %q", tc.name, err, w)
			}
		}
	}
}

func TestDescribeShowsWhatIsInForce(t *testing.T) {
	c, err := hook.New([]hook.Plugin{
		{Name: "first", Runtime: "wasm", Handlers: full, OnError: map[string]hook.OnError{hook.EveryHook: hook.OnErrorContinue, "data": hook.OnErrorHold}, Deadline: time.Second},
		{Name: "relay", Runtime: "builtin", Handlers: sdk.Handlers{Rcpt: full.Rcpt}, Inline: true, MayRelay: true},
		{Name: "smtp-client", Runtime: "builtin", Handlers: sdk.Handlers{Deliver: full.Deliver}},
		{Name: "new", Handlers: sdk.Handlers{Rcpt: full.Rcpt}, Shadow: true},
	}, hook.Options{Transports: map[string]string{"smtp": "smtp-client", "lmtp": "smtp-client"}})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, ch := range c.Describe() {
		b.WriteString(ch.String() + "\n")
	}
	const want = `connect
  1. first (wasm) on_error=continue deadline=1s
helo
  1. first (wasm) on_error=continue deadline=1s
auth
  1. first (wasm) on_error=continue deadline=1s
mail
  1. first (wasm) on_error=continue deadline=1s
rcpt
  1. first (wasm) on_error=continue deadline=1s
  2. relay (builtin) on_error=defer inline may-relay
  3. new on_error=defer deadline=10s mode=shadow
predata
  1. first (wasm) on_error=continue deadline=1s
data
  1. first (wasm) on_error=hold deadline=1s
route
  1. first (wasm) on_error=defer deadline=1s
deliver
  1. first (wasm) on_error=defer via=first
  2. smtp-client (builtin) on_error=defer via=lmtp,smtp,smtp-client
outcome
  1. first (wasm) on_error=defer deadline=1s
bounce
  1. first (wasm) on_error=defer deadline=1s
disconnect
  1. first (wasm) deadline=1s
`
	if b.String() != want {
		t.Errorf("described as\n%s\nwant\n%s", b.String(), want)
	}
	if got := strings.Join(c.Transports(), " "); got != "first lmtp smtp smtp-client" {
		t.Errorf("transports %s", got)
	}
	if !c.Has("rcpt") || c.Has("nothing") {
		t.Error("Has is wrong")
	}
	m := hook.Member{Plugin: "p", Mode: "active", Breaker: "open", Failures: 5, Busy: 2, Slots: 16}
	if m.String() != "p breaker=open failures=5 busy=2/16" {
		t.Errorf("a broken member is %q", m)
	}
}

func TestOnErrorIsReadAsItIsWritten(t *testing.T) {
	for o := hook.OnErrorDefer; o <= hook.OnErrorDisconnect; o++ {
		if got, ok := hook.ParseOnError(o.String()); !ok || got != o {
			t.Errorf("%s becomes %s", o, got)
		}
	}
	if _, ok := hook.ParseOnError("explode"); ok {
		t.Error("explode is read")
	}
}

func answers(a sdk.Answer) sdk.Handler[sdk.DataEvent, sdk.Answer] {
	return func(context.Context, *sdk.DataEvent) (sdk.Answer, error) { return a, nil }
}

func TestVerdictsOnRecipientsAreFoldedAndFollowThem(t *testing.T) {
	envelope := func(addrs ...string) *sdk.Envelope {
		env := &sdk.Envelope{From: "s@example.net"}
		for _, a := range addrs {
			env.Recipients = append(env.Recipients, sdk.Recipient{Addr: a + "@example.org"})
		}
		return env
	}
	env := envelope("a", "b", "c", "d")
	shared := []sdk.Verdict{{}, {Action: sdk.Reject}, {Action: sdk.Accept}, {Action: sdk.Defer}}
	apply := func(_ string, edits []sdk.Edit) error {
		// a goes, b becomes x, e comes on top.
		env.Recipients = []sdk.Recipient{{Addr: "e@example.org"}, {Addr: "x@example.org", Orig: "b@example.org"}, env.Recipients[2], env.Recipients[3]}
		return nil
	}
	c := chains(t,
		hook.Plugin{Name: "one", Inline: true, Handlers: sdk.Handlers{Data: answers(sdk.Answer{Recipients: shared})}},
		hook.Plugin{Name: "two", Inline: true, Handlers: sdk.Handlers{Data: answers(sdk.Answer{
			Recipients: []sdk.Verdict{{Action: sdk.Discard}, {Action: sdk.Accept}, {Action: sdk.Reject}, {}},
			Edits:      []sdk.Edit{{Op: sdk.OpRemoveRecipient, Name: "a@example.org"}}})}},
		hook.Plugin{Name: "three", Inline: true, Handlers: sdk.Handlers{Data: answers(sdk.Answer{
			Recipients: []sdk.Verdict{{Action: sdk.Defer}, {}, {}, {}}})}})
	v := c.Data(t.Context(), nil, &sdk.DataEvent{Envelope: env}, apply)
	var got []string
	for i, r := range v.Recipients {
		got = append(got, env.Recipients[i].Addr+" "+r.Action.String()+" by "+v.RecipientPlugins[i])
	}
	want := []string{"e@example.org defer by three", "x@example.org reject by one", "c@example.org accept by one", "d@example.org defer by one"}
	if v.Action != sdk.Continue || !reflect.DeepEqual(got, want) {
		t.Errorf("%s: %q, want %q", v.Action, got, want)
	}
	if v.Recipients[1].Reply.Code != 550 || shared[1].Reply.Code != 0 {
		t.Errorf("words %+v, and the plugin's own slice %+v", v.Recipients[1], shared[1])
	}
}

func TestAVerdictStaysWithItsAddressBesideOthersOfTheSameOrigin(t *testing.T) {
	member := func(a string) sdk.Recipient { return sdk.Recipient{Addr: a + "@example.org", Orig: "list@example.org"} }
	env := &sdk.Envelope{Recipients: []sdk.Recipient{member("x"), member("y"), member("y"), {Addr: "z@example.org"}}}
	apply := func(string, []sdk.Edit) error {
		env.Recipients = []sdk.Recipient{member("y"), member("y"), member("new")}
		return nil
	}
	c := chains(t, hook.Plugin{Name: "one", Inline: true, Handlers: sdk.Handlers{Data: answers(sdk.Answer{
		Recipients: []sdk.Verdict{{Action: sdk.Reject}, {Action: sdk.Accept}, {Action: sdk.Defer}, {Action: sdk.Discard}},
		Edits:      []sdk.Edit{{Op: sdk.OpRemoveRecipient, Name: "x@example.org"}}})}})
	v := c.Data(t.Context(), nil, &sdk.DataEvent{Envelope: env}, apply)
	for i, want := range []sdk.Action{sdk.Accept, sdk.Defer, sdk.Reject} {
		if v.Recipients[i].Action != want {
			t.Errorf("%s: %s, want %s", env.Recipients[i].Addr, v.Recipients[i].Action, want)
		}
	}
}

func TestVerdictsOnRecipientsAreGoneWhenTheMessageIsRefused(t *testing.T) {
	c := chains(t, hook.Plugin{Name: "one", Inline: true, Handlers: sdk.Handlers{Data: answers(sdk.Answer{
		Action: sdk.Reject, Recipients: []sdk.Verdict{{Action: sdk.Accept}}})}})
	v := c.Data(t.Context(), nil, &sdk.DataEvent{Envelope: &sdk.Envelope{Recipients: make([]sdk.Recipient, 1)}}, nil)
	if v.Action != sdk.Reject || v.Recipients != nil || v.RecipientPlugins != nil {
		t.Errorf("%+v", v)
	}
}

func TestAnAnswerWhoseEditsCannotBeAppliedIsDroppedWhole(t *testing.T) {
	refuse := func(string, []sdk.Edit) error { return errors.New("no such recipient") }
	edits := []sdk.Edit{{Op: sdk.OpNote, Name: "k", Value: "v"}, {Op: sdk.OpRemoveRecipient, Name: "x@example.org"}}
	env := &sdk.Envelope{Recipients: make([]sdk.Recipient, 1)}
	c := chains(t, hook.Plugin{Name: "one", Inline: true, OnError: map[string]hook.OnError{"data": hook.OnErrorContinue},
		Handlers: sdk.Handlers{Data: answers(sdk.Answer{Action: sdk.Accept, Edits: edits, Recipients: []sdk.Verdict{{Action: sdk.Reject}}})}})
	th := &trace.Thread{}
	v := c.Data(t.Context(), th, &sdk.DataEvent{Envelope: env}, refuse)
	if v.Action != sdk.Continue || v.Recipients != nil || len(env.Notes) != 0 {
		t.Errorf("%+v, notes %v", v, env.Notes)
	}
	if r := th.Records(); len(r) != 1 || !strings.Contains(r[0].Error, "no such recipient") {
		t.Errorf("records %+v", r)
	}
	if m := c.Describe()[0].Members[0]; m.Failures != 1 {
		t.Errorf("%d failures", m.Failures)
	}
}

func TestNotesGoToTheMessageOnceThereIsOne(t *testing.T) {
	noted := func() sdk.Answer { return sdk.Noted("k", "v") }
	c := chains(t, hook.Plugin{Name: "p", Inline: true, Handlers: sdk.Handlers{
		Helo: func(context.Context, *sdk.HeloEvent) (sdk.Answer, error) { return noted(), nil },
		Mail: func(context.Context, *sdk.MailEvent) (sdk.Answer, error) { return noted(), nil },
	}})
	s, env := &sdk.Session{}, &sdk.Envelope{}
	before := s.Notes
	c.Helo(t.Context(), nil, &sdk.HeloEvent{Session: s})
	if s.Notes["p.k"] != "v" || len(before) != 0 {
		t.Errorf("session notes %v", s.Notes)
	}
	held := s.Notes
	s.Notes = nil
	c.Mail(t.Context(), nil, &sdk.MailEvent{Session: s, Envelope: env}, nil)
	if env.Notes["p.k"] != "v" || s.Notes != nil || len(held) != 1 {
		t.Errorf("notes %v and %v", env.Notes, s.Notes)
	}
	if v := c.Helo(t.Context(), nil, &sdk.HeloEvent{}); v.Action != sdk.Defer {
		t.Errorf("a note on nothing: %+v", v)
	}
}

func TestTheEditsThatApplyGetsAreThoseThatAreNoNotes(t *testing.T) {
	edits := []sdk.Edit{{Op: sdk.OpAppendHeader, Name: "X"}, {Op: sdk.OpNote, Name: "k", Value: "v"}, {Op: sdk.OpReplaceBody}}
	var got []sdk.Op
	env := &sdk.Envelope{}
	c := chains(t, hook.Plugin{Name: "p", Handlers: sdk.Handlers{Data: answers(sdk.Answer{Edits: edits})}})
	c.Data(t.Context(), nil, &sdk.DataEvent{Envelope: env}, func(plugin string, es []sdk.Edit) error {
		for _, e := range es {
			got = append(got, e.Op)
		}
		return nil
	})
	if !reflect.DeepEqual(got, []sdk.Op{sdk.OpAppendHeader, sdk.OpReplaceBody}) || env.Notes["p.k"] != "v" {
		t.Errorf("applied %v, notes %v", got, env.Notes)
	}
}

func TestARouteIsHandedOnAndWrittenDown(t *testing.T) {
	far := time.Now().Add(1000 * time.Hour)
	c := chains(t, hook.Plugin{Name: "p", Inline: true, Handlers: sdk.Handlers{Route: func(_ context.Context, e *sdk.RouteEvent) (sdk.RouteAnswer, error) {
		if e.Attempt == 1 {
			return sdk.RouteAnswer{Action: sdk.RouteUse, Route: sdk.Route{Via: "smtp", Hosts: []string{"a", "b:26"}, TLS: "verify", Rule: "rule 7"}}, nil
		}
		return sdk.RouteAnswer{Action: sdk.RouteDefer, NotBefore: far}, nil
	}}})
	th := &trace.Thread{}
	e := &sdk.RouteEvent{Envelope: &sdk.Envelope{}, Recipient: sdk.Recipient{Addr: "a@example.org"}, Attempt: 1}
	a, by := c.Route(t.Context(), th, e)
	if by != "p" || len(a.Route.Hosts) != 2 {
		t.Errorf("%+v by %q", a, by)
	}
	r := th.Records()
	if len(r) != 1 || r[0].Detail != "smtp to a, b:26, tls verify (rule 7)" || r[0].Recipient != "a@example.org" || r[0].Action != "use" {
		t.Errorf("records %+v", r)
	}
	e.Attempt = 2
	if a, _ = c.Route(t.Context(), nil, e); !a.NotBefore.Before(far) || a.NotBefore.Before(time.Now().Add(119*time.Hour)) {
		t.Errorf("not before %v", a.NotBefore)
	}
	many := make([]string, 100)
	for i := range many {
		many[i] = strings.Repeat("x", 60) + ".example"
	}
	c = chains(t, hook.Plugin{Name: "p", Inline: true, Handlers: sdk.Handlers{Route: func(context.Context, *sdk.RouteEvent) (sdk.RouteAnswer, error) {
		return sdk.RouteAnswer{Action: sdk.RouteUse, Route: sdk.Route{Via: "smtp", Hosts: many}}, nil
	}}})
	th = &trace.Thread{}
	c.Route(t.Context(), th, e)
	if d := th.Records()[0].Detail; len(d) > 2000 || !strings.HasSuffix(d, "...") {
		t.Errorf("a detail of %d octets", len(d))
	}
}

func TestOnlyBuiltinPluginsNamePasswordFiles(t *testing.T) {
	for runtime, ok := range map[string]bool{"builtin": true, "wasm": false, "process": false} {
		c := chains(t, hook.Plugin{Name: "p", Runtime: runtime, Handlers: sdk.Handlers{Route: func(context.Context, *sdk.RouteEvent) (sdk.RouteAnswer, error) {
			return sdk.RouteAnswer{Action: sdk.RouteUse, Route: sdk.Route{Via: "smtp", User: "u", PasswordFile: "/etc/secret"}}, nil
		}}})
		if a, _ := c.Route(t.Context(), nil, &sdk.RouteEvent{}); (a.Action == sdk.RouteUse) != ok {
			t.Errorf("%s: %s", runtime, a.Action)
		}
	}
}

func TestADeliveredRecipientStaysDeliveredBesideABadOne(t *testing.T) {
	c := chains(t, hook.Plugin{Name: "p", Handlers: sdk.Handlers{Deliver: func(context.Context, *sdk.DeliverEvent) (sdk.DeliverAnswer, error) {
		return sdk.DeliverAnswer{Outcomes: []sdk.Outcome{{Status: sdk.StatusDelivered}, {}, {Status: sdk.StatusFailed}}}, nil
	}}})
	th := &trace.Thread{}
	outs := c.Deliver(t.Context(), th, &sdk.DeliverEvent{Route: sdk.Route{Via: "p"}, Recipients: make([]sdk.Recipient, 3)})
	if outs[0].Status != sdk.StatusDelivered || outs[1].Status != sdk.StatusDeferred || outs[2].Status != sdk.StatusFailed {
		t.Errorf("%+v", outs)
	}
	r := th.Records()
	if len(r) != 1 || r[0].Action != "failed" || r[0].Detail != "1 delivered, 1 deferred, 1 failed" || r[0].Error == "" {
		t.Errorf("records %+v", r)
	}
	if c.Describe()[0].Members[0].Failures != 1 {
		t.Error("the breaker did not count it")
	}
}

func TestTheFirstToChangeAFieldOfAnOutcomeDecidesOnIt(t *testing.T) {
	says := func(name string, a sdk.OutcomeAnswer) hook.Plugin {
		return hook.Plugin{Name: name, Inline: true, Handlers: sdk.Handlers{Outcome: func(context.Context, *sdk.OutcomeEvent) (sdk.OutcomeAnswer, error) { return a, nil }}}
	}
	c := chains(t,
		says("words", sdk.OutcomeAnswer{Reply: sdk.Reply{Text: "patience"}, Reason: "first"}),
		says("delay", sdk.OutcomeAnswer{Delay: time.Hour, Reason: "second"}),
		says("more", sdk.OutcomeAnswer{Delay: 2 * time.Hour, Reply: sdk.Reply{Text: "other"}}))
	th := &trace.Thread{}
	a, by := c.Outcome(t.Context(), th, &sdk.OutcomeEvent{Outcome: sdk.Outcome{Status: sdk.StatusDeferred}})
	want := sdk.OutcomeAnswer{Delay: time.Hour, Reply: sdk.Reply{Code: 451, Enhanced: "4.0.0", Text: "patience"}, Reason: "first"}
	if a != want || by != "words" {
		t.Errorf("%+v by %s", a, by)
	}
	if r := th.Records(); len(r) != 3 || r[1].Detail != "next attempt in 1h0m0s" {
		t.Errorf("records %+v", r)
	}
}

func TestEditMessageIsAtHand(t *testing.T) {
	var b strings.Builder
	err := hook.EditMessage(&b, strings.NewReader("Received: us\r\n\r\nbody"), []sdk.Edit{{Op: sdk.OpPrependHeader, Name: "X", Value: "v"}}, 1)
	if err != nil || b.String() != "Received: us\r\nX: v\r\n\r\nbody" {
		t.Errorf("%q, %v", b.String(), err)
	}
}

func TestManySessionsAskAtOnce(t *testing.T) {
	c := chains(t, hook.Plugin{Name: "p", Slots: 2, Handlers: sdk.Handlers{Rcpt: func(context.Context, *sdk.RcptEvent) (sdk.Answer, error) {
		return sdk.Noted("k", "v"), nil
	}}}, hook.Plugin{Name: "relay", Inline: true, MayRelay: true, Handlers: sdk.Handlers{Rcpt: func(_ context.Context, e *sdk.RcptEvent) (sdk.Answer, error) {
		return sdk.Accepted(), nil
	}}})
	done := make(chan bool)
	for range 8 {
		go func() {
			ok := true
			for range 50 {
				e := rcptEvent()
				v := c.Rcpt(context.Background(), nil, e, nil)
				ok = ok && v.Relay && e.Envelope.Notes["p.k"] == "v"
			}
			done <- ok
		}()
	}
	for range 8 {
		if !<-done {
			t.Error("a session did not get its own answer")
		}
	}
}
