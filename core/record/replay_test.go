package record

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

// replayed plays lines with a plugin of one rcpt hook.
func replayed(t *testing.T, file string, o ReplayOptions, f func(ctx context.Context, h sdk.Host, e *sdk.RcptEvent) (sdk.Answer, error)) *Report {
	t.Helper()
	rep, err := Replay(t.Context(), strings.NewReader(file), func(_ context.Context, h sdk.Host, _ []byte) (*sdk.Handlers, func() error, error) {
		return rcpt(func(ctx context.Context, e *sdk.RcptEvent) (sdk.Answer, error) { return f(ctx, h, e) }), func() error { return nil }, nil
	}, o)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// get reads one key and answers with it.
func get(key string) func(context.Context, sdk.Host, *sdk.RcptEvent) (sdk.Answer, error) {
	return func(ctx context.Context, h sdk.Host, _ *sdk.RcptEvent) (sdk.Answer, error) {
		v, _, err := h.KV().Get(ctx, key)
		return sdk.Answer{Reason: string(v)}, err
	}
}

const kvLine = `{"hook":"rcpt","event":{"recipient":{"addr":"x@example.org"}},"calls":[{"call":"kv_get","request":{"key":"a"},"result":{"found":true,"value":"MQ=="}}],"answer":{"reason":"1"}}` + "\n"

func TestTheFirstDifferenceIsShownSideBySide(t *testing.T) {
	answer := func(a sdk.Answer, err error) func(context.Context, sdk.Host, *sdk.RcptEvent) (sdk.Answer, error) {
		return func(context.Context, sdk.Host, *sdk.RcptEvent) (sdk.Answer, error) { return a, err }
	}
	line := `{"n":4,"session":"S1","id":"Q1","hook":"rcpt","event":{"recipient":{"addr":"x@example.org"}},"calls":[],"answer":{"action":"reject","reply":{"code":550,"text":"no"},"edits":[{"op":"note","name":"a","value":"b"}]}}` + "\n"
	reject := sdk.Answer{Action: sdk.Reject, Reply: sdk.Reply{Code: 550, Text: "no"}, Edits: []sdk.Edit{{Op: sdk.OpNote, Name: "a", Value: "b"}}}
	if rep := replayed(t, line, ReplayOptions{}, answer(reject, nil)); !rep.OK() {
		t.Error(rep.Text())
	}
	text, edit, more := reject, reject, reject
	text.Reply.Text = "go away"
	edit.Edits = nil
	more.Action, more.Identity = sdk.Accept, "x"
	for _, tc := range []struct {
		file string
		f    func(context.Context, sdk.Host, *sdk.RcptEvent) (sdk.Answer, error)
		want []Field
	}{
		{line, answer(text, nil), []Field{{"answer.reply.text", "no", "go away"}}},
		{line, answer(edit, nil), []Field{{"answer.edits", `[{"name":"a","op":"note","value":"b"}]`, "-"}}},
		{line, answer(more, nil), []Field{{"answer.action", "reject", "accept"}, {"answer.identity", "-", "x"}}},
		{line, answer(sdk.Answer{}, errors.New("broken")), []Field{{"answer", short(&reject), "error: broken"}}},
		{`{"hook":"rcpt","error":"trap"}`, answer(sdk.Answer{}, nil), []Field{{"answer", "error: trap", "{}"}}},
		{kvLine, get("b"), []Field{{"calls", `kv_get {"key":"a"}`, `kv_get {"key":"b"}`}, {"answer", `{"reason":"1"}`, "error: kv_get: failed: " + notRecorded}}},
		{kvLine, answer(sdk.Answer{Reason: "1"}, nil), []Field{{"calls", `kv_get {"key":"a"}`, "not made"}}},
		{line, func(ctx context.Context, h sdk.Host, _ *sdk.RcptEvent) (sdk.Answer, error) {
			h.Count(ctx, "n", 1)
			return reject, nil
		}, []Field{{"calls", "no such call", `metric {"name":"n","value":1}`}}},
		{line, func(context.Context, sdk.Host, *sdk.RcptEvent) (sdk.Answer, error) { panic("oh") }, []Field{{"answer", short(&reject), "error: panic: oh"}}},
	} {
		rep := replayed(t, tc.file, ReplayOptions{}, tc.f)
		if rep.Different != 1 || rep.OK() || len(rep.Differences) != 1 {
			t.Errorf("%s", rep.Text())
			continue
		}
		got := rep.Differences[0].Fields
		if len(got) != len(tc.want) {
			t.Errorf("%+v; want %+v", got, tc.want)
			continue
		}
		for i := range got {
			if got[i] != tc.want[i] {
				t.Errorf("%+v; want %+v", got[i], tc.want[i])
			}
			for _, part := range []string{"first difference: line ", "recorded  " + got[i].Recorded, "replayed  " + got[i].Replayed} {
				if !strings.Contains(rep.Text(), part) {
					t.Errorf("%q is not in\n%s", part, rep.Text())
				}
			}
		}
	}
}

func TestACallThatDiffersMakesNoStormOfDifferences(t *testing.T) {
	file := `{"hook":"rcpt","calls":[],"answer":{}}` + "\n"
	rep := replayed(t, file, ReplayOptions{}, func(ctx context.Context, h sdk.Host, _ *sdk.RcptEvent) (sdk.Answer, error) {
		for range 10_000 {
			h.KV().Get(ctx, "x")
		}
		return sdk.Answer{}, nil
	})
	if rep.Different != 1 || len(rep.Differences[0].Fields) != maxExtra+1 || !strings.Contains(rep.Text(), "and 9995 more") {
		t.Error(rep.Text())
	}
}

func TestTheOrderOfCallsWithinOneHookIsNoDifference(t *testing.T) {
	file := `{"hook":"rcpt","calls":[{"call":"kv_get","request":{"key":"a"},"result":{"found":true,"value":"MQ=="}},{"call":"kv_get","request":{"key":"b"},"result":{"found":true,"value":"Mg=="}},{"call":"kv_get","request":{"key":"b"}}],"answer":{"reason":"2 1"}}`
	rep := replayed(t, file, ReplayOptions{}, func(ctx context.Context, h sdk.Host, _ *sdk.RcptEvent) (sdk.Answer, error) {
		b, _, _ := h.KV().Get(ctx, "b")
		a, _, _ := h.KV().Get(ctx, "a")
		again, _, _ := h.KV().Get(ctx, "b") // the same question twice is answered in order
		return sdk.Answer{Reason: string(b) + " " + string(a) + string(again)}, nil
	})
	if !rep.OK() {
		t.Error(rep.Text())
	}
}

func TestTheClockStandsWhereItStood(t *testing.T) {
	at := func(ctx context.Context, h sdk.Host, _ *sdk.RcptEvent) (sdk.Answer, error) {
		first, second := h.Now(ctx), h.Now(ctx)
		return sdk.Answer{Reason: first.Format(time.RFC3339) + " " + second.Format(time.RFC3339)}, nil
	}
	for file, want := range map[string]string{
		`{"hook":"rcpt","calls":[{"call":"now","result":{"time":"2026-01-01T00:00:00Z"}},{"call":"now","result":{"time":"2026-01-01T00:00:09Z"}}],"answer":{"reason":"2026-01-01T00:00:00Z 2026-01-01T00:00:09Z"}}`: "two",
		`{"hook":"rcpt","calls":[{"call":"now","result":{"time":"2026-01-01T00:00:00Z"}}],"answer":{"reason":"2026-01-01T00:00:00Z 2026-01-01T00:00:00Z"}}`:                                                         "one",
		`{"hook":"rcpt","time":"2026-02-02T00:00:00Z","calls":[],"answer":{"reason":"2026-02-02T00:00:00Z 2026-02-02T00:00:00Z"}}`:                                                                                  "none",
		`{"hook":"rcpt","answer":{"reason":"1970-01-01T00:00:00Z 1970-01-01T00:00:00Z"}}`:                                                                                                                           "not told",
	} {
		if rep := replayed(t, file, ReplayOptions{}, at); !rep.OK() {
			t.Errorf("%s: %s", want, rep.Text())
		}
	}
}

func TestALineThatTellsNoCallsAsksTheFallback(t *testing.T) {
	host := plugintest.NewHost()
	host.SetDNS(sdk.RecordTXT, "x", "known")
	lookup := func(ctx context.Context, h sdk.Host, _ *sdk.RcptEvent) (sdk.Answer, error) {
		v, err := h.Lookup(ctx, sdk.RecordTXT, "x")
		var dns *sdk.DNSError
		if errors.As(err, &dns) {
			return sdk.Deferred("", dns.Text), nil
		}
		return sdk.Answer{Reason: strings.Join(v, " ")}, err
	}
	untold := `{"hook":"rcpt","answer":{"reason":"known"}}`
	if rep := replayed(t, untold, ReplayOptions{Host: host}, lookup); !rep.OK() {
		t.Error(rep.Text())
	}
	if rep := replayed(t, untold, ReplayOptions{}, lookup); rep.OK() || !strings.Contains(rep.Text(), notRecorded) {
		t.Error(rep.Text())
	}
	// What is told is told whole.
	if rep := replayed(t, `{"hook":"rcpt","calls":[],"answer":{"reason":"known"}}`, ReplayOptions{Host: host}, lookup); rep.OK() {
		t.Error(rep.Text())
	}
}

func TestWhatIsNotToldIsNotCompared(t *testing.T) {
	rep := replayed(t, `{"hook":"rcpt"}`, ReplayOptions{}, func(context.Context, sdk.Host, *sdk.RcptEvent) (sdk.Answer, error) {
		return sdk.Answer{}, errors.New("whatever")
	})
	if !rep.OK() {
		t.Error(rep.Text())
	}
}

func TestAPluginThatHangsIsOneDifference(t *testing.T) {
	rep := replayed(t, `{"hook":"rcpt","answer":{}}`, ReplayOptions{Deadline: time.Millisecond}, func(ctx context.Context, _ sdk.Host, _ *sdk.RcptEvent) (sdk.Answer, error) {
		<-ctx.Done()
		return sdk.Answer{}, ctx.Err()
	})
	if rep.Different != 1 || !strings.Contains(rep.Text(), "deadline exceeded") {
		t.Error(rep.Text())
	}
}

func TestAPluginWithoutTheHookIsADifference(t *testing.T) {
	rep, err := Replay(t.Context(), strings.NewReader(`{"hook":"mail","answer":{}}`), handlers(rcpt(yes)), ReplayOptions{})
	if err != nil || rep.Different != 1 || !strings.Contains(rep.Text(), "does not have this hook") {
		t.Errorf("%v %v", rep, err)
	}
}

func TestTheConfigurationIsTheRecordedOneOrAnother(t *testing.T) {
	for want, o := range map[string]ReplayOptions{`{"a":1}`: {}, `{"b":2}`: {Config: []byte(`{"b":2}`)}} {
		var got string
		_, err := Replay(t.Context(), strings.NewReader(`{"mta_recording":1,"hashed":false,"bodies":false,"config":{"a":1}}`+"\n"+`{"hook":"rcpt"}`),
			func(_ context.Context, h sdk.Host, config []byte) (*sdk.Handlers, func() error, error) {
				got = string(config)
				return rcpt(yes), func() error { return nil }, nil
			}, o)
		if err != nil || got != want {
			t.Errorf("%s, %v; want %s", got, err, want)
		}
	}
}

func TestWhatKeepsAReplayFromBeginningIsSaid(t *testing.T) {
	_, err := Replay(t.Context(), strings.NewReader(header), handlers(rcpt(yes)), ReplayOptions{})
	if err == nil || !strings.Contains(err.Error(), "no calls") {
		t.Error(err)
	}
	_, err = Replay(t.Context(), strings.NewReader(`{"hook":"rcpt"}`), func(context.Context, sdk.Host, []byte) (*sdk.Handlers, func() error, error) {
		return nil, nil, errors.New("config: nonsense")
	}, ReplayOptions{})
	if err == nil || !strings.Contains(err.Error(), "does not start: config: nonsense") {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err = Replay(ctx, strings.NewReader(`{"hook":"rcpt"}`), handlers(rcpt(yes)), ReplayOptions{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestAPluginThatStartsByAskingFindsAnEmptyRelay(t *testing.T) {
	started := func(ctx context.Context, h sdk.Host, _ []byte) (*sdk.Handlers, func() error, error) {
		kv := h.KV()
		_, found, err := kv.Get(ctx, "x")
		n, e2 := kv.Add(ctx, "n", 2, 0)
		ok, e3 := kv.Swap(ctx, "s", nil, []byte("x"), 0)
		if err := errors.Join(err, e2, e3, kv.Set(ctx, "x", nil, 0), kv.Delete(ctx, "x")); err != nil {
			return nil, nil, err
		}
		if found || n != 2 || !ok || h.Hostname() != "mx.example.org" {
			t.Errorf("%v %d %v", found, n, ok)
		}
		_, err = h.MX(ctx, "example.org")
		var dns *sdk.DNSError
		if !errors.As(err, &dns) || !dns.Temporary {
			t.Error(err)
		}
		if _, err := h.HTTP(ctx, &sdk.HTTPRequest{URL: "https://x/"}); err == nil {
			t.Error("the web answers")
		}
		if _, err := h.Send(ctx, nil, sdk.SendOptions{}); err == nil {
			t.Error("mail leaves")
		}
		return rcpt(yes), func() error { return nil }, nil
	}
	if rep, err := Replay(t.Context(), strings.NewReader(`{"hook":"rcpt","answer":{"action":"accept"}}`), started, ReplayOptions{}); err != nil || !rep.OK() {
		t.Errorf("%v %v", rep, err)
	}
}

func TestAReplayedPluginHasTheNameOfItsRecording(t *testing.T) {
	named := func(_ context.Context, h sdk.Host, e *sdk.RcptEvent) (sdk.Answer, error) {
		return sdk.Answer{Reason: e.Session.Notes[h.Name()+".seen"]}, nil
	}
	file := `{"mta_recording":1,"plugin":"greeter"}` + "\n" +
		`{"hook":"rcpt","event":{"session":{"notes":{"greeter.seen":"yes","plugin.seen":"no"}}},"answer":{"reason":"yes"}}` + "\n"
	if rep := replayed(t, file, ReplayOptions{Host: plugintest.NewHost()}, named); !rep.OK() {
		t.Error(rep.Text())
	}
}

func TestAnIncompleteRecordingIsMentioned(t *testing.T) {
	for file, want := range map[string]string{
		header + `{"hook":"rcpt"}`: "it was cut off",
		header + `{"hook":"rcpt"}` + "\n" + `{"end":{"calls":1,"dropped":7,"bytes":1,"why":"x"}}`: "7 calls were dropped",
		`{"mta_recording":1,"hashed":true,"bodies":false}` + "\n" + `{"hook":"rcpt"}`:             "addresses are hashed",
	} {
		rep, err := Replay(t.Context(), strings.NewReader(file), handlers(rcpt(yes)), ReplayOptions{})
		if err != nil || !strings.Contains(rep.Text(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestLongValuesAreShownWhereTheyPart(t *testing.T) {
	long := strings.Repeat("a", 100_000)
	fields := compareValues("answer", &sdk.Answer{Reason: long + "X"}, &sdk.Answer{Reason: long + "Y"})
	if len(fields) != 1 || len(fields[0].Recorded) > 100 || !strings.HasSuffix(fields[0].Recorded, "aX") || !strings.HasSuffix(fields[0].Replayed, "aY") {
		t.Errorf("%.300v", fields)
	}
}

func TestACopyThatBreaksOffCanBeReplayed(t *testing.T) {
	whole := header + kvLine + kvLine + `{"end":{"calls":2,"dropped":1,"bytes":3,"why":"x"}}` + "\n"
	for n := len(header); n <= len(whole); n++ {
		var out bytes.Buffer
		sum, err := Copy(&out, strings.NewReader(whole[:n]))
		if err != nil {
			t.Fatal(err)
		}
		rec, err := Read(&out)
		if err != nil || int64(len(rec.Calls)) != sum.Calls || rec.End == nil || *rec.End != sum {
			t.Fatalf("%d: %v, %+v", n, err, sum)
		}
		if n == len(whole) && (sum.Why != "x" || sum.Dropped != 1) || n < len(whole) && sum.Why != "broken off" {
			t.Errorf("%d: %+v", n, sum)
		}
	}
}

func TestTheReadingForTheTimeOfTheEventHasNoCounterpart(t *testing.T) {
	for _, tc := range []struct{ recorded, replayed, in, out string }{
		{"wasm", "builtin", "0 1", "1"},
		{"wasm", "builtin", "0 1 2", "1 2"},
		{"wasm", "builtin", "0", "0"},
		{"process", "wasm", "0 1", "0 1"},
		{"builtin", "wasm", "0", "0 0"},
		{"builtin", "process", "0 1", "0 0 1"},
		{"builtin", "builtin", "0 1", "0 1"},
		{"wasm", "", "0 1", "0 1"},
	} {
		var calls []string
		for n := range strings.FieldsSeq(tc.in) {
			calls = append(calls, `{"call":"now","result":{"time":"2026-01-01T00:00:0`+n+`Z"}}`)
		}
		file := `{"mta_recording":1,"runtime":"` + tc.recorded + `","hashed":false,"bodies":false}` + "\n" +
			`{"hook":"rcpt","calls":[` + strings.Join(calls, ",") + `],"answer":{"reason":"` + tc.out + `"}}`
		rep := replayed(t, file, ReplayOptions{Runtime: tc.replayed}, func(ctx context.Context, h sdk.Host, _ *sdk.RcptEvent) (sdk.Answer, error) {
			var seen []string
			for range strings.Fields(tc.out) {
				seen = append(seen, h.Now(ctx).Format("5"))
			}
			return sdk.Answer{Reason: strings.Join(seen, " ")}, nil
		})
		if !rep.OK() {
			t.Errorf("%+v: %s", tc, rep.Text())
		}
	}
}
