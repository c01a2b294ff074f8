package wire_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
	"github.com/programmable-mta/mta/sdk/wire"
)

const golden = "../testdata/wire/"

func fixture(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(golden + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// row checks one fixture in every direction; how to make and read blocks and
// protobuf is given.
type row func(t *testing.T, name string)

func both[T any](block func(*wire.Writer, *T) []byte, parse func(string) (T, error), proto func(*wire.ProtoWriter, *T), unmarshal func(string) (T, error)) row {
	return func(t *testing.T, name string) {
		var want T
		dec := json.NewDecoder(strings.NewReader(fixture(t, name+".json")))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&want); err != nil {
			t.Fatal(err)
		}
		var w wire.Writer
		var p wire.ProtoWriter
		proto(&p, &want)
		if !bytes.Equal(block(&w, &want), []byte(fixture(t, name+".bin"))) {
			t.Error("the block is another one")
		}
		if string(p.Bytes()) != fixture(t, name+".pb") {
			t.Errorf("the protobuf is another one\n%q\n%q", p.Bytes(), fixture(t, name+".pb"))
		}
		if got, err := parse(fixture(t, name+".bin")); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("the block becomes %+v, %v, not %+v", got, err, want)
		}
		if got, err := unmarshal(fixture(t, name+".pb")); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("the protobuf becomes %+v, %v, not %+v", got, err, want)
		}
		if reflect.ValueOf(want).IsZero() && reflect.TypeFor[T]().NumField() > 0 {
			t.Error("the fixture is empty")
		}
	}
}

func event[T any](block func(*wire.Writer, time.Time, *T, *wire.Want) []byte, parse func(string) (T, time.Time, error), proto func(*wire.ProtoWriter, *T, *wire.Want), unmarshal func(string) (T, error)) row {
	return both(func(w *wire.Writer, v *T) []byte { return block(w, plugintest.Epoch, v, nil) },
		func(s string) (T, error) { v, _, err := parse(s); return v, err },
		func(p *wire.ProtoWriter, v *T) { proto(p, v, nil) }, unmarshal)
}

type (
	bw = wire.Writer
	pw = wire.ProtoWriter
)

var rows = map[string]row{
	"connect.event":    event((*bw).ConnectEvent, wire.ParseConnectEvent, (*pw).ConnectEvent, wire.UnmarshalConnectEvent),
	"helo.event":       event((*bw).HeloEvent, wire.ParseHeloEvent, (*pw).HeloEvent, wire.UnmarshalHeloEvent),
	"auth.event":       event((*bw).AuthEvent, wire.ParseAuthEvent, (*pw).AuthEvent, wire.UnmarshalAuthEvent),
	"mail.event":       event((*bw).MailEvent, wire.ParseMailEvent, (*pw).MailEvent, wire.UnmarshalMailEvent),
	"rcpt.event":       event((*bw).RcptEvent, wire.ParseRcptEvent, (*pw).RcptEvent, wire.UnmarshalRcptEvent),
	"predata.event":    event((*bw).PredataEvent, wire.ParsePredataEvent, (*pw).PredataEvent, wire.UnmarshalPredataEvent),
	"data.event":       event((*bw).DataEvent, wire.ParseDataEvent, (*pw).DataEvent, wire.UnmarshalDataEvent),
	"route.event":      event((*bw).RouteEvent, wire.ParseRouteEvent, (*pw).RouteEvent, wire.UnmarshalRouteEvent),
	"deliver.event":    event((*bw).DeliverEvent, wire.ParseDeliverEvent, (*pw).DeliverEvent, wire.UnmarshalDeliverEvent),
	"outcome.event":    event((*bw).OutcomeEvent, wire.ParseOutcomeEvent, (*pw).OutcomeEvent, wire.UnmarshalOutcomeEvent),
	"bounce.event":     event((*bw).BounceEvent, wire.ParseBounceEvent, (*pw).BounceEvent, wire.UnmarshalBounceEvent),
	"disconnect.event": event((*bw).DisconnectEvent, wire.ParseDisconnectEvent, (*pw).DisconnectEvent, wire.UnmarshalDisconnectEvent),

	"connect.answer": both((*bw).ConnectAnswer, wire.ParseConnectAnswer, (*pw).Answer, wire.UnmarshalAnswer),
	"helo.answer":    both((*bw).HeloAnswer, wire.ParseHeloAnswer, (*pw).Answer, wire.UnmarshalAnswer),
	"auth.answer":    both((*bw).AuthAnswer, wire.ParseAuthAnswer, (*pw).Answer, wire.UnmarshalAnswer),
	"mail.answer":    both((*bw).MailAnswer, wire.ParseMailAnswer, (*pw).Answer, wire.UnmarshalAnswer),
	"rcpt.answer":    both((*bw).RcptAnswer, wire.ParseRcptAnswer, (*pw).Answer, wire.UnmarshalAnswer),
	"predata.answer": both((*bw).PredataAnswer, wire.ParsePredataAnswer, (*pw).Answer, wire.UnmarshalAnswer),
	"data.answer":    both((*bw).DataAnswer, wire.ParseDataAnswer, (*pw).Answer, wire.UnmarshalAnswer),
	"route.answer":   both((*bw).RouteAnswer, wire.ParseRouteAnswer, (*pw).RouteAnswer, wire.UnmarshalRouteAnswer),
	"deliver.answer": both((*bw).DeliverAnswer, wire.ParseDeliverAnswer, (*pw).DeliverAnswer, wire.UnmarshalDeliverAnswer),
	"outcome.answer": both((*bw).OutcomeAnswer, wire.ParseOutcomeAnswer, (*pw).OutcomeAnswer, wire.UnmarshalOutcomeAnswer),
	"bounce.answer":  both((*bw).BounceAnswer, wire.ParseBounceAnswer, (*pw).BounceAnswer, wire.UnmarshalBounceAnswer),

	"log.call":       both((*bw).LogCall, wire.ParseLogCall, (*pw).LogCall, wire.UnmarshalLogCall),
	"now.call":       both((*bw).NowCall, wire.ParseNowCall, (*pw).NowCall, wire.UnmarshalNowCall),
	"random.call":    both((*bw).RandomCall, wire.ParseRandomCall, (*pw).RandomCall, wire.UnmarshalRandomCall),
	"metric.call":    both((*bw).MetricCall, wire.ParseMetricCall, (*pw).MetricCall, wire.UnmarshalMetricCall),
	"kv_get.call":    both((*bw).KVGetCall, wire.ParseKVGetCall, (*pw).KVGetCall, wire.UnmarshalKVGetCall),
	"kv_set.call":    both((*bw).KVSetCall, wire.ParseKVSetCall, (*pw).KVSetCall, wire.UnmarshalKVSetCall),
	"kv_swap.call":   both((*bw).KVSwapCall, wire.ParseKVSwapCall, (*pw).KVSwapCall, wire.UnmarshalKVSwapCall),
	"kv_add.call":    both((*bw).KVAddCall, wire.ParseKVAddCall, (*pw).KVAddCall, wire.UnmarshalKVAddCall),
	"kv_delete.call": both((*bw).KVDeleteCall, wire.ParseKVDeleteCall, (*pw).KVDeleteCall, wire.UnmarshalKVDeleteCall),
	"lookup.call":    both((*bw).LookupCall, wire.ParseLookupCall, (*pw).LookupCall, wire.UnmarshalLookupCall),
	"mx.call":        both((*bw).MXCall, wire.ParseMXCall, (*pw).MXCall, wire.UnmarshalMXCall),
	"http.call":      both((*bw).HTTPCall, wire.ParseHTTPCall, (*pw).HTTPCall, wire.UnmarshalHTTPCall),
	"read.call":      both((*bw).ReadCall, wire.ParseReadCall, (*pw).ReadCall, wire.UnmarshalReadCall),
	"header.call":    both((*bw).HeaderCall, wire.ParseHeaderCall, (*pw).HeaderCall, wire.UnmarshalHeaderCall),
	"send.call":      both((*bw).SendCall, wire.ParseSendCall, (*pw).SendCall, wire.UnmarshalSendCall),

	"log.result":       both((*bw).LogResult, wire.ParseLogResult, (*pw).LogResult, wire.UnmarshalLogResult),
	"now.result":       both((*bw).NowResult, wire.ParseNowResult, (*pw).NowResult, wire.UnmarshalNowResult),
	"random.result":    both((*bw).RandomResult, wire.ParseRandomResult, (*pw).RandomResult, wire.UnmarshalRandomResult),
	"metric.result":    both((*bw).MetricResult, wire.ParseMetricResult, (*pw).MetricResult, wire.UnmarshalMetricResult),
	"kv_get.result":    both((*bw).KVGetResult, wire.ParseKVGetResult, (*pw).KVGetResult, wire.UnmarshalKVGetResult),
	"kv_set.result":    both((*bw).KVSetResult, wire.ParseKVSetResult, (*pw).KVSetResult, wire.UnmarshalKVSetResult),
	"kv_swap.result":   both((*bw).KVSwapResult, wire.ParseKVSwapResult, (*pw).KVSwapResult, wire.UnmarshalKVSwapResult),
	"kv_add.result":    both((*bw).KVAddResult, wire.ParseKVAddResult, (*pw).KVAddResult, wire.UnmarshalKVAddResult),
	"kv_delete.result": both((*bw).KVDeleteResult, wire.ParseKVDeleteResult, (*pw).KVDeleteResult, wire.UnmarshalKVDeleteResult),
	"lookup.result":    both((*bw).LookupResult, wire.ParseLookupResult, (*pw).LookupResult, wire.UnmarshalLookupResult),
	"mx.result":        both((*bw).MXResult, wire.ParseMXResult, (*pw).MXResult, wire.UnmarshalMXResult),
	"http.result":      both((*bw).HTTPResult, wire.ParseHTTPResult, (*pw).HTTPResult, wire.UnmarshalHTTPResult),
	"read.result":      both((*bw).ReadResult, wire.ParseReadResult, (*pw).ReadResult, wire.UnmarshalReadResult),
	"header.result":    both((*bw).HeaderResult, wire.ParseHeaderResult, (*pw).HeaderResult, wire.UnmarshalHeaderResult),
	"send.result":      both((*bw).SendResult, wire.ParseSendResult, (*pw).SendResult, wire.UnmarshalSendResult),
}

// The fixtures are made from the schema by other code than the codecs.
func TestTheCodecsAgreeWithTheFixtures(t *testing.T) {
	files, err := filepath.Glob(golden + "*.pb")
	if err != nil || len(files) != 2*len(sdk.Hooks())-1+2*len(sdk.Calls()) {
		t.Fatalf("%d fixtures, %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".pb")
		t.Run(name, func(t *testing.T) {
			check := rows[name]
			if check == nil {
				t.Fatal("has no row in this test")
			}
			check(t, name)
		})
	}
}

func TestCallsAndResultsChangeTheirForm(t *testing.T) {
	for i, c := range sdk.Calls() {
		var w wire.Writer
		b, err := wire.CallFromProto(i+1, fixture(t, c.Name+".call.pb"), &w)
		if err != nil || string(b) != fixture(t, c.Name+".call.bin") {
			t.Errorf("%s: another block, %v", c.Name, err)
		}
		var p wire.ProtoWriter
		if err := wire.ResultToProto(i+1, fixture(t, c.Name+".result.bin"), &p); err != nil || string(p.Bytes()) != fixture(t, c.Name+".result.pb") {
			t.Errorf("%s: another message, %v", c.Name, err)
		}
	}
	if _, err := wire.CallFromProto(len(sdk.Calls())+1, "", &wire.Writer{}); err == nil {
		t.Error("a call that does not exist is read")
	}
	if err := wire.ResultToProto(0, "", &wire.ProtoWriter{}); err == nil {
		t.Error("a result that does not exist is made")
	}
}

func TestProtobufHasOnlyWantedFields(t *testing.T) {
	want, err := wire.ParseWant("rcpt", []string{"session.remote_ip", "recipient"})
	if err != nil {
		t.Fatal(err)
	}
	var p wire.ProtoWriter
	p.RcptEvent(rcpt(), want)
	got, err := wire.UnmarshalRcptEvent(string(p.Bytes()))
	if err != nil || !reflect.DeepEqual(got, sdk.RcptEvent{Session: &sdk.Session{RemoteIP: "192.0.2.1"}, Recipient: rcpt().Recipient}) {
		t.Errorf("got %+v %+v %v", got.Session, got, err)
	}
}

func TestAStringThatIsNotUTF8IsMended(t *testing.T) {
	var p wire.ProtoWriter
	p.HeloEvent(&sdk.HeloEvent{Session: &sdk.Session{Helo: "caf\xe9"}}, nil)
	got, err := wire.UnmarshalHeloEvent(string(p.Bytes()))
	if err != nil || got.Session.Helo != "caf\uFFFD" {
		t.Errorf("%+v %v", got.Session, err)
	}
}

// Two octets on the wire are hundreds in memory.
func TestAMessageOfEmptyElementsIsRefused(t *testing.T) {
	for name, bad := range map[string]string{
		"verdicts": strings.Repeat("\x32\x00", wire.MaxElements+1),
		"edits":    strings.Repeat("\x22\x00", wire.MaxElements+1),
	} {
		if _, err := wire.UnmarshalAnswer(bad); err == nil {
			t.Errorf("%s: taken", name)
		}
		if a, err := wire.UnmarshalAnswer(bad[:2*wire.MaxElements]); err != nil || len(a.Recipients)+len(a.Edits) != wire.MaxElements {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBrokenProtobufIsAnErrorAndUnknownFieldsAreNot(t *testing.T) {
	for name, bad := range map[string]string{
		"cut in a tag":     "\x80",
		"cut in a length":  "\x1a\x85",
		"longer than it":   "\x1a\x05ab",
		"field 0":          "\x00\x00",
		"a group":          "\x0b\x0c",
		"wrong wire type":  "\x0a\x00",
		"a long varint":    "\x08" + strings.Repeat("\xff", 11),
		"a cut fixed64":    "\xf9\x3e\x00\x00",
		"a cut fixed32":    "\xfd\x3e\x00\x00",
		"a large action":   "\x08\x80\x02",
		"a minus action":   "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
		"broken far below": "\x32\x04\x12\x02\x0a\x05",
	} {
		if a, err := wire.UnmarshalAnswer(bad); err == nil || !reflect.DeepEqual(a, sdk.Answer{}) {
			t.Errorf("%s: %+v %v", name, a, err)
		}
	}
	a, err := wire.UnmarshalAnswer("\xf8\x3e\x07\xfa\x3e\x02ab\xf9\x3e12345678\xfd\x3e1234\x08\x03")
	if err != nil || !reflect.DeepEqual(a, sdk.Answer{Action: sdk.Reject}) {
		t.Errorf("unknown fields: %+v %v", a, err)
	}
}

func TestADescriptionIsTheSameOnTheOtherSide(t *testing.T) {
	d := sdk.Description{Name: "x", Version: "1.2.3", ABI: 1, Hooks: map[string][]string{"rcpt": {"session.remote_ip", "recipient"}, "route": {}}, Needs: []string{"kv"}, Wants: []string{"dns", "http"}}
	var p wire.ProtoWriter
	p.Description(&d)
	if got, err := wire.ReadDescription(string(p.Bytes())); err != nil || !reflect.DeepEqual(got, d) {
		t.Errorf("%+v %v", got, err)
	}
}

func FuzzProtobufAnswer(f *testing.F) {
	for _, name := range []string{"data.answer", "rcpt.answer"} {
		b, _ := os.ReadFile(golden + name + ".pb")
		f.Add(string(b))
	}
	f.Add("\x08\x03\x12\x04\x08\xa6\x04\x1a")
	f.Fuzz(func(t *testing.T, s string) {
		a, err := wire.UnmarshalAnswer(s)
		if err != nil {
			return
		}
		var p wire.ProtoWriter
		p.Answer(&a)
		first := string(p.Bytes())
		again, err := wire.UnmarshalAnswer(first)
		if err != nil {
			t.Fatal(err)
		}
		p.Reset()
		p.Answer(&again)
		if second := string(p.Bytes()); first != second {
			t.Fatalf("%q and %q", first, second)
		}
	})
}

func BenchmarkProtoRcptEvent(b *testing.B) {
	e := rcpt()
	var p wire.ProtoWriter
	b.ReportAllocs()
	for b.Loop() {
		p.Reset()
		p.RcptEvent(e, nil)
	}
}

func BenchmarkUnmarshalRcptEvent(b *testing.B) {
	var p wire.ProtoWriter
	p.RcptEvent(rcpt(), nil)
	s := string(p.Bytes())
	b.ReportAllocs()
	for b.Loop() {
		wire.UnmarshalRcptEvent(s)
	}
}
