package assemblyscript_test

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	"os"

	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
	"github.com/programmable-mta/mta/sdk/wire"
)

// TestEveryFieldIsReadAndWritten gives the golden events to a guest that
// compares every field, and answers the golden answers.
func TestEveryFieldIsReadAndWritten(t *testing.T) {
	l, err := load(t, build(t, "testdata/selfcheck/index.ts"), plugintest.NewHost())
	if err != nil {
		t.Fatal(err)
	}
	hs := l.Handlers()
	check(t, "connect", wire.ParseConnectEvent, wire.ParseConnectAnswer, hs.Connect)
	check(t, "helo", wire.ParseHeloEvent, wire.ParseHeloAnswer, hs.Helo)
	check(t, "auth", wire.ParseAuthEvent, wire.ParseAuthAnswer, hs.Auth)
	check(t, "mail", wire.ParseMailEvent, wire.ParseMailAnswer, hs.Mail)
	check(t, "rcpt", wire.ParseRcptEvent, wire.ParseRcptAnswer, hs.Rcpt)
	check(t, "predata", wire.ParsePredataEvent, wire.ParsePredataAnswer, hs.Predata)
	check(t, "data", wire.ParseDataEvent, wire.ParseDataAnswer, hs.Data)
	check(t, "route", wire.ParseRouteEvent, wire.ParseRouteAnswer, hs.Route)
	check(t, "deliver", wire.ParseDeliverEvent, wire.ParseDeliverAnswer, hs.Deliver)
	check(t, "outcome", wire.ParseOutcomeEvent, wire.ParseOutcomeAnswer, hs.Outcome)
	check(t, "bounce", wire.ParseBounceEvent, wire.ParseBounceAnswer, hs.Bounce)
	check(t, "disconnect", wire.ParseDisconnectEvent, nil, hs.Disconnect)
}

func golden(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(root + "/sdk/testdata/wire/" + name + ".bin")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func check[E, A any](t *testing.T, name string, event func(string) (E, time.Time, error), answer func(string) (A, error), hook sdk.Handler[E, A]) {
	t.Helper()
	e, _, err := event(golden(t, name+".event"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := hook(context.Background(), &e)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if answer == nil {
		return
	}
	want, err := answer(golden(t, name+".answer"))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\ngot  %+v\nwant %+v", name, got, want)
	}
}

func TestEveryCallIsMade(t *testing.T) {
	h := plugintest.NewHost()
	h.SetDNS(sdk.RecordTXT, "example.org", "v=spf1 -all", "x")
	h.FailDNS(sdk.RecordTXT, "slow.example", "timeout", true)
	h.SetMX("example.org", sdk.MX{Hosts: []string{"mx1", "mx2"}})
	h.SetHTTP("POST http://api.example.net/x", plugintest.HTTPAnswer{Response: sdk.HTTPResponse{Status: 201, Body: []byte("made")}})
	l, err := load(t, build(t, "testdata/calls/index.ts"), h)
	if err != nil {
		t.Fatal(err)
	}
	e := &sdk.DataEvent{Session: plugintest.Session(), Envelope: plugintest.Envelope("a@b"), Message: plugintest.Message("Subject: héllo\n\nbody\n")}
	a, err := l.Handlers().Data(context.Background(), e)
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Edits) != 1 || a.Edits[0].Value != "25" {
		t.Errorf("got %+v", a)
	}
	if h.Metric("seen") != 3 || h.Metric("depth") != 1.5 {
		t.Errorf("metrics: %v %v", h.Metric("seen"), h.Metric("depth"))
	}
	// A failure that nobody has taken is the plugin's error.
	if _, err := l.Handlers().Connect(context.Background(), &sdk.ConnectEvent{Session: plugintest.Session()}); err == nil || !strings.Contains(err.Error(), "kv_get: invalid") {
		t.Errorf("got %v", err)
	}
	if n := l.Stats().Discarded; n != 0 {
		t.Errorf("%d instances were thrown away", n)
	}
}

// TestAHostileGuestEnds asks for what does not come back in good order.
func TestAHostileGuestEnds(t *testing.T) {
	for name, want := range map[string]string{
		"throw": "it trapped", "index": "it trapped", "loop": "it used up its fuel", "bomb": "it ", "recursion": "it ",
	} {
		t.Run(name, func(t *testing.T) {
			h := plugintest.NewHost()
			l, err := load(t, build(t, "testdata/calls/index.ts"), h, func(s *runtime.Spec) { s.Limits.Memory = 4 << 20 })
			if err != nil {
				t.Fatal(err)
			}
			e := &sdk.HeloEvent{Session: plugintest.Session()}
			e.Session.Helo = name
			if _, err := l.Handlers().Helo(context.Background(), e); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
			if name == "throw" && (len(h.Logs()) != 1 || !strings.HasPrefix(h.Logs()[0].Text, "thrown testdata/calls/index.ts:")) {
				t.Errorf("logs: %v", h.Logs())
			}
			e.Session.Helo = "fine"
			if a, err := l.Handlers().Helo(context.Background(), e); err != nil || a.Action != sdk.Accept {
				t.Errorf("the next call: %v %v", a, err)
			}
		})
	}
}
