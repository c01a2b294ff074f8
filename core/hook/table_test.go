package hook_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/programmable-mta/mta/core/hook"
	"github.com/programmable-mta/mta/core/trace"
	"github.com/programmable-mta/mta/sdk"
)

// row is a line of the table in doc.go.
type row struct {
	hook, plugins, verdict, by, asked string
	line                              int
}

func readTable(t *testing.T) []row {
	t.Helper()
	src, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	var rows []row
	for n, line := range strings.Split(string(src), "\n") {
		cells := strings.Split(strings.TrimPrefix(line, "//"), "|")
		if len(cells) != 5 {
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if cells[0] != "hook" {
			rows = append(rows, row{cells[0], cells[1], cells[2], cells[3], cells[4], n + 1})
		}
	}
	if len(rows) < 120 {
		t.Fatalf("only %d rows found: has the form of the table changed?", len(rows))
	}
	return rows
}

// actor is a plugin as the table writes it.
type actor struct {
	name               string
	word               string
	relay, shadow      bool
	broken, note, edit bool
	onError            map[string]hook.OnError
	delay              time.Duration
	asked              *[]string
	index              int
}

func (r row) actors(t *testing.T, asked *[]string) []*actor {
	if r.plugins == "-" {
		return nil
	}
	var cast []*actor
	for i, s := range strings.Split(r.plugins, ",") {
		a := &actor{name: "p" + strconv.Itoa(i+1), index: i + 1, asked: asked}
		s = strings.TrimSpace(s)
		for cut := true; cut; {
			var p string
			if p, s, cut = strings.Cut(s, ":"); !cut {
				s = p
			} else if p == "relay" {
				a.relay = true
			} else if p == "shadow" {
				a.shadow = true
			} else {
				t.Fatalf("doc.go:%d: %q", r.line, p)
			}
		}
		for cut := true; cut; {
			var p string
			if p, s, cut = strings.Cut(s, "+"); !cut {
				s = p
			} else {
				a.note, a.edit = a.note || p == "note", a.edit || p == "edit"
			}
		}
		key, value, _ := strings.Cut(s, "=")
		switch key {
		case "note":
			a.note, a.word = true, "continue"
		case "edit":
			a.edit, a.word = true, "continue"
		case "error":
			a.broken = true
			if o, ok := hook.ParseOnError(value); ok {
				a.onError = map[string]hook.OnError{r.hookName(): o}
			} else if value != "" {
				t.Fatalf("doc.go:%d: on_error %q", r.line, value)
			}
		case "delay":
			d, err := time.ParseDuration(value)
			if err != nil {
				t.Fatalf("doc.go:%d: %v", r.line, err)
			}
			a.delay, a.word = d, "continue"
		default:
			a.word = s
		}
		cast = append(cast, a)
	}
	return cast
}

func (r row) hookName() string {
	switch r.hook {
	case "delivered", "deferred", "failed":
		return "outcome"
	}
	return r.hook
}

func (a *actor) called() error {
	*a.asked = append(*a.asked, strconv.Itoa(a.index))
	if a.broken {
		return errors.New("the database is on fire")
	}
	return nil
}

func (a *actor) edits(change sdk.Edit) (es []sdk.Edit) {
	if a.edit {
		es = append(es, change)
	}
	if a.note {
		es = append(es, sdk.Edit{Op: sdk.OpNote, Name: "k", Value: "v"})
	}
	return es
}

// decision makes a handler of a decision hook.
func decision[E any](a *actor, change sdk.Edit) sdk.Handler[E, sdk.Answer] {
	return func(context.Context, *E) (sdk.Answer, error) {
		if err := a.called(); err != nil {
			return sdk.Answer{}, err
		}
		action, ok := sdk.ParseAction(a.word)
		if !ok {
			panic("no action: " + a.word)
		}
		ans := sdk.Answer{Action: action, Edits: a.edits(change)}
		if _, login := any(new(E)).(*sdk.AuthEvent); login && action == sdk.Accept {
			ans.Identity = "user"
		}
		return ans, nil
	}
}

func (a *actor) handlers(hookName string) (hs sdk.Handlers) {
	sender := sdk.Edit{Op: sdk.OpSetSender, Value: ""}
	more := sdk.Edit{Op: sdk.OpAddRecipient, Value: "more@example.org"}
	header := sdk.Edit{Op: sdk.OpPrependHeader, Name: "X-Seen", Value: "yes"}
	switch hookName {
	case "connect":
		hs.Connect = decision[sdk.ConnectEvent](a, sender)
	case "helo":
		hs.Helo = decision[sdk.HeloEvent](a, sender)
	case "auth":
		hs.Auth = decision[sdk.AuthEvent](a, sender)
	case "mail":
		hs.Mail = decision[sdk.MailEvent](a, sender)
	case "rcpt":
		hs.Rcpt = decision[sdk.RcptEvent](a, more)
	case "predata":
		hs.Predata = decision[sdk.PredataEvent](a, sender)
	case "data":
		hs.Data = decision[sdk.DataEvent](a, header)
	case "route":
		hs.Route = func(context.Context, *sdk.RouteEvent) (sdk.RouteAnswer, error) {
			answers := map[string]sdk.RouteAnswer{"continue": {}, "defer": {Action: sdk.RouteDefer}, "fail": {Action: sdk.RouteFail},
				"hold": {Action: sdk.RouteHold}, "use": {Action: sdk.RouteUse, Route: sdk.Route{Via: "smtp", Hosts: []string{"mx.example.org"}}}}
			return answers[a.word], a.called()
		}
	case "deliver":
		hs.Deliver = func(_ context.Context, e *sdk.DeliverEvent) (sdk.DeliverAnswer, error) {
			outs := make([]sdk.Outcome, len(e.Recipients), len(e.Recipients)+1)
			for i := range outs {
				outs[i] = map[string]sdk.Outcome{"delivered": {Status: sdk.StatusDelivered}, "deferred": {Status: sdk.StatusDeferred},
					"failed": {Status: sdk.StatusFailed}, "hold": {Status: sdk.StatusDeferred, Hold: true}}[a.word]
			}
			if a.word == "count" {
				outs = append(outs, sdk.Outcome{})
			}
			return sdk.DeliverAnswer{Outcomes: outs}, a.called()
		}
	case "outcome":
		hs.Outcome = func(context.Context, *sdk.OutcomeEvent) (sdk.OutcomeAnswer, error) {
			answers := map[string]sdk.OutcomeAnswer{"continue": {}, "defer": {Status: sdk.StatusDeferred}, "fail": {Status: sdk.StatusFailed}, "hold": {Hold: true}}
			ans := answers[a.word]
			ans.Delay = a.delay
			return ans, a.called()
		}
	case "bounce":
		hs.Bounce = func(context.Context, *sdk.BounceEvent) (sdk.BounceAnswer, error) {
			return sdk.BounceAnswer{Suppress: a.word == "suppress", Defer: a.word == "defer", Hold: a.word == "hold", Edits: a.edits(header)}, a.called()
		}
	case "disconnect":
		hs.Disconnect = func(context.Context, *sdk.DisconnectEvent) (sdk.None, error) { return sdk.None{}, a.called() }
	}
	return hs
}

// ask runs the hook and writes the verdict as the table does.
func (r row) ask(c *hook.Chains, th *trace.Thread, cast []*actor) (verdict, by string) {
	ctx := context.Background()
	session := &sdk.Session{ID: "s"}
	env := &sdk.Envelope{ID: "e", From: "a@example.net", Recipients: []sdk.Recipient{{Addr: "b@example.org"}}}
	edited := map[string]bool{}
	apply := func(plugin string, edits []sdk.Edit) error { edited[plugin] = true; return nil }
	var v hook.Verdict
	switch r.hook {
	case "connect":
		v = c.Connect(ctx, th, &sdk.ConnectEvent{Session: session})
	case "helo":
		v = c.Helo(ctx, th, &sdk.HeloEvent{Session: session})
	case "auth":
		v = c.Auth(ctx, th, &sdk.AuthEvent{Session: session})
	case "mail":
		v = c.Mail(ctx, th, &sdk.MailEvent{Session: session, Envelope: env}, apply)
	case "rcpt":
		v = c.Rcpt(ctx, th, &sdk.RcptEvent{Session: session, Envelope: env, Recipient: sdk.Recipient{Addr: "c@example.org"}}, apply)
	case "predata":
		v = c.Predata(ctx, th, &sdk.PredataEvent{Session: session, Envelope: env})
	case "data":
		v = c.Data(ctx, th, &sdk.DataEvent{Session: session, Envelope: env}, apply)
	case "route":
		a, plugin := c.Route(ctx, th, &sdk.RouteEvent{Envelope: env, Recipient: env.Recipients[0], Attempt: 1})
		return written(a.Action.String(), a.Reply), plugin
	case "deliver":
		o := c.Deliver(ctx, th, &sdk.DeliverEvent{Envelope: env, Recipients: env.Recipients, Route: sdk.Route{Via: "p1"}})[0]
		if o.Hold {
			return written("hold", o.Reply), ""
		}
		return written(o.Status.String(), o.Reply), ""
	case "delivered", "deferred", "failed":
		return r.askOutcome(c, th, env)
	case "bounce":
		a, plugin := c.Bounce(ctx, th, &sdk.BounceEvent{Envelope: env, Kind: sdk.DSNFailed}, apply)
		verdict, by = "send", plugin
		for word, is := range map[string]bool{"suppress": a.Suppress, "defer": a.Defer, "hold": a.Hold} {
			if is {
				verdict = word
			}
		}
		return verdict + effects(cast, edited, session, env), by
	case "disconnect":
		c.Disconnect(ctx, th, &sdk.DisconnectEvent{Session: session})
		return "-", ""
	}
	verdict = written(v.Action.String(), v.Reply)
	if v.Relay {
		verdict += ", relay"
	}
	return verdict + effects(cast, edited, session, env), v.Plugin
}

func (r row) askOutcome(c *hook.Chains, th *trace.Thread, env *sdk.Envelope) (verdict, by string) {
	was := map[string]sdk.Status{"delivered": sdk.StatusDelivered, "deferred": sdk.StatusDeferred, "failed": sdk.StatusFailed}[r.hook]
	a, plugin := c.Outcome(context.Background(), th, &sdk.OutcomeEvent{Envelope: env, Recipient: env.Recipients[0], Outcome: sdk.Outcome{Status: was}})
	switch {
	case a.Hold:
		verdict = written("hold", a.Reply)
	case a.Delay != 0:
		verdict = "delay " + a.Delay.String()
	case a.Status != sdk.StatusNone:
		verdict = written(a.Status.String(), a.Reply)
	case a == sdk.OutcomeAnswer{}:
		verdict = "unchanged"
	default:
		verdict = fmt.Sprintf("%+v", a)
	}
	return verdict, plugin
}

func written(action string, r sdk.Reply) string {
	if r.Code == 0 {
		return action
	}
	return fmt.Sprintf("%s %d %s", action, r.Code, r.Enhanced)
}

// effects are the edits and notes that were carried out, in order.
func effects(cast []*actor, edited map[string]bool, s *sdk.Session, env *sdk.Envelope) string {
	var words string
	for _, a := range cast {
		if edited[a.name] {
			words += ", edit"
		}
		if s.Notes[a.name+".k"] == "v" || env.Notes[a.name+".k"] == "v" {
			words += ", note"
		}
	}
	return words
}

func TestEveryRowOfTheTableHolds(t *testing.T) {
	for _, r := range readTable(t) {
		for _, inline := range []bool{true, false} {
			t.Run(fmt.Sprintf("line %d %s: %s inline=%v", r.line, r.hook, r.plugins, inline), func(t *testing.T) {
				var asked []string
				cast := r.actors(t, &asked)
				var plugins []hook.Plugin
				for _, a := range cast {
					plugins = append(plugins, hook.Plugin{Name: a.name, Handlers: a.handlers(r.hookName()), Inline: inline,
						OnError: a.onError, MayRelay: a.relay, Shadow: a.shadow})
				}
				c, err := hook.New(plugins, hook.Options{})
				if err != nil {
					t.Fatal(err)
				}
				th := &trace.Thread{}
				verdict, by := r.ask(c, th, cast)
				if by == "" {
					by = "-"
				}
				if verdict != r.verdict || strings.TrimPrefix(by, "p") != r.by {
					t.Errorf("verdict %q by %s, the table says %q by %s", verdict, by, r.verdict, r.by)
				}
				got := strings.Join(asked, " ")
				if got == "" {
					got = "-"
				}
				if got != r.asked {
					t.Errorf("asked %s, the table says %s", got, r.asked)
				}
				r.checkRecords(t, th, asked, cast)
			})
		}
	}
}

// checkRecords: one record a call, with what was effective.
func (r row) checkRecords(t *testing.T, th *trace.Thread, asked []string, cast []*actor) {
	t.Helper()
	records := th.Records()
	if len(records) != len(asked) {
		t.Fatalf("%d records of %d calls", len(records), len(asked))
	}
	for i, rec := range records {
		k, _ := strconv.Atoi(asked[i])
		a := cast[k-1]
		if rec.Hook != r.hookName() || rec.Plugin != a.name || rec.Shadow != a.shadow {
			t.Errorf("record %d: %+v", i+1, rec)
		}
		if a.broken && !strings.Contains(rec.Error, "database is on fire") {
			t.Errorf("record %d does not say what broke: %+v", i+1, rec)
		}
	}
}

func TestTheTableSpeaksOfEveryHookAndEveryAction(t *testing.T) {
	rows := readTable(t)
	for _, h := range sdk.Hooks() {
		var words []string
		for _, r := range rows {
			if r.hookName() == h.Name {
				words = append(words, strings.FieldsFunc(r.plugins, func(c rune) bool { return c == ',' || c == ' ' || c == ':' || c == '+' })...)
			}
		}
		if len(words) == 0 {
			t.Errorf("the table in doc.go has no row for the hook %s: say what comes of its answers", h.Name)
		}
		if h.Name == "rcpt" || h.Name == "connect" {
			for _, a := range h.Actions {
				if !slices.Contains(words, a.String()) {
					t.Errorf("the table in doc.go has no row for %s with %s", h.Name, a)
				}
			}
		}
	}
}
