package wire_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/gen"
	"github.com/programmable-mta/mta/sdk/plugintest"
	"github.com/programmable-mta/mta/sdk/wire"
)

func rcpt() *sdk.RcptEvent {
	e := &sdk.RcptEvent{Session: plugintest.Session(), Envelope: plugintest.Envelope("a@example.com", "b@example.org"), Recipient: sdk.Recipient{Addr: "c@example.org", Notify: sdk.NotifyFailure}}
	e.Session.Notes = sdk.Notes{"x.y": "z", "a.b": "c"}
	return e
}

func TestAnEventIsTheSameOnTheOtherSide(t *testing.T) {
	var w wire.Writer
	e := rcpt()
	b := w.RcptEvent(plugintest.Epoch, e, nil)
	got, now, err := wire.ParseRcptEvent(string(b))
	if err != nil || !now.Equal(plugintest.Epoch) {
		t.Fatal(now, err)
	}
	e.Envelope.Notes = nil // empty and absent are the same
	if !reflect.DeepEqual(&got, e) {
		t.Errorf("got  %+v %+v\nwant %+v %+v", got.Session, got.Envelope, e.Session, e.Envelope)
	}
}

func TestOnlyWantedFieldsAreSent(t *testing.T) {
	want, err := wire.ParseWant("rcpt", []string{"session.remote_ip", "recipient"})
	if err != nil {
		t.Fatal(err)
	}
	var w wire.Writer
	got, _, err := wire.ParseRcptEvent(string(w.RcptEvent(plugintest.Epoch, rcpt(), want)))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, sdk.RcptEvent{Session: &sdk.Session{RemoteIP: "192.0.2.1"}, Recipient: rcpt().Recipient}) {
		t.Errorf("got %+v %+v", got.Session, got)
	}
}

func TestAnUnknownFieldNamesThoseThereAre(t *testing.T) {
	for _, path := range []string{"session.ip", "sender", "session.helo.x"} {
		if _, err := wire.ParseWant("rcpt", []string{path}); err == nil {
			t.Errorf("%s is taken", path)
		}
	}
}

// The files that are derived from the schema are as go generate makes them.
func TestEveryDerivedFileIsUpToDate(t *testing.T) {
	stale, err := gen.Stale("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range stale {
		t.Errorf("%s is not as it would be: run go generate ./sdk/...", path)
	}
}

func FuzzAnswer(f *testing.F) {
	var w wire.Writer
	f.Add(string(w.DataAnswer(&sdk.Answer{Action: sdk.Reject, Reply: sdk.Reply{Code: 550, Text: "no"}, Edits: []sdk.Edit{{Op: sdk.OpNote, Name: "a", Value: "b"}}, Recipients: []sdk.Verdict{{}, {Action: sdk.Defer}}})))
	f.Fuzz(func(t *testing.T, s string) {
		a, err := wire.ParseDataAnswer(s)
		if err != nil {
			return
		}
		again, err := wire.ParseDataAnswer(string(w.DataAnswer(&a)))
		if err != nil || !reflect.DeepEqual(a, again) {
			t.Fatalf("%v\n%+v\n%+v", err, a, again)
		}
	})
}

func BenchmarkRcptEvent(b *testing.B) {
	e := rcpt()
	few, _ := wire.ParseWant("rcpt", []string{"session.remote_ip", "envelope.from", "recipient.addr"})
	none := &wire.Want{}
	now := time.Now()
	for _, bc := range []struct {
		name string
		want *wire.Want
	}{{"all", nil}, {"three", few}, {"none", none}} {
		b.Run(bc.name, func(b *testing.B) {
			b.ReportAllocs()
			var w wire.Writer
			for b.Loop() {
				w.RcptEvent(now, e, bc.want)
			}
		})
	}
}

func BenchmarkParseRcptEvent(b *testing.B) {
	var w wire.Writer
	s := string(w.RcptEvent(time.Now(), rcpt(), nil))
	b.ReportAllocs()
	for b.Loop() {
		wire.ParseRcptEvent(s)
	}
}
