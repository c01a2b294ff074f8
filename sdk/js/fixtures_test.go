package js_test

import (
	"context"
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

const fixtures = root + "/sdk/testdata/wire/"

// fixture reads one of the golden values.
func fixture[T any](t *testing.T, name string, parse func(string) (T, error)) T {
	t.Helper()
	v, err := parse(read(t, fixtures+name+".bin"))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func event[T any](parse func(string) (T, time.Time, error)) func(string) (T, error) {
	return func(s string) (T, error) {
		v, _, err := parse(s)
		return v, err
	}
}

// told makes JSON comparable: times and durations are milliseconds in scripts.
func told(t *testing.T, v any) any {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return millis(out, "")
}

func millis(v any, name string) any {
	switch x := v.(type) {
	case map[string]any:
		for k, inner := range x {
			x[k] = millis(inner, k)
		}
	case []any:
		for i, inner := range x {
			x[i] = millis(inner, name)
		}
	case string:
		if at, err := time.Parse(time.RFC3339Nano, x); err == nil {
			return float64(at.UnixMicro()) / 1000
		}
	case float64:
		switch name {
		case "setup", "transfer", "delay":
			return x / 1e6
		}
	}
	return v
}

// TestEveryFieldOfEveryEventIsRead gives each golden event to a script that
// tells what it sees.
func TestEveryFieldOfEveryEventIsRead(t *testing.T) {
	script := `const tell = (e) => { const s = JSON.stringify(e); for (let i = 0; i < s.length; i += 300) host.log(s.slice(i, i + 300)); };
`
	for _, h := range sdk.Hooks() {
		answer := ""
		if h.Name == "deliver" {
			answer = ` return [{status: "delivered"}];`
		}
		script += "export function on" + strings.ToUpper(h.Name[:1]) + h.Name[1:] + "(e) { tell(e);" + answer + " }\n"
	}
	l, host := mustLoad(t, script)
	hs, ctx := l.Handlers(), context.Background()
	seen := 0
	check := func(name string, want any, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		text := ""
		for _, line := range host.Logs()[seen:] {
			text += line.Text
		}
		seen = len(host.Logs())
		var got any
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatalf("%s: %v: %s", name, err, text)
		}
		if want = told(t, want); !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\ngot  %v\nwant %v", name, got, want)
		}
	}
	ask(t, "connect", wire.ParseConnectEvent, hs.Connect, ctx, check)
	ask(t, "helo", wire.ParseHeloEvent, hs.Helo, ctx, check)
	ask(t, "auth", wire.ParseAuthEvent, hs.Auth, ctx, check)
	ask(t, "mail", wire.ParseMailEvent, hs.Mail, ctx, check)
	ask(t, "rcpt", wire.ParseRcptEvent, hs.Rcpt, ctx, check)
	ask(t, "predata", wire.ParsePredataEvent, hs.Predata, ctx, check)
	ask(t, "data", wire.ParseDataEvent, hs.Data, ctx, check)
	ask(t, "route", wire.ParseRouteEvent, hs.Route, ctx, check)
	ask(t, "deliver", wire.ParseDeliverEvent, hs.Deliver, ctx, check)
	ask(t, "outcome", wire.ParseOutcomeEvent, hs.Outcome, ctx, check)
	ask(t, "bounce", wire.ParseBounceEvent, hs.Bounce, ctx, check)
	ask(t, "disconnect", wire.ParseDisconnectEvent, hs.Disconnect, ctx, check)
}

func ask[E, A any](t *testing.T, name string, parse func(string) (E, time.Time, error), hook sdk.Handler[E, A], ctx context.Context, check func(string, any, error)) {
	t.Helper()
	e := fixture(t, name+".event", event(parse))
	_, err := hook(ctx, &e)
	check(name, e, err)
}

// TestEveryFieldOfEveryAnswerIsWritten lets a script answer what the golden
// answers say.
func TestEveryFieldOfEveryAnswerIsWritten(t *testing.T) {
	script := ""
	for _, h := range sdk.Hooks() {
		if h.Reports {
			continue
		}
		// What is octets in Go is base64 in JSON.
		b, err := os.ReadFile(filepath.Join(fixtures, h.Name+".answer.json"))
		if err != nil {
			t.Fatal(err)
		}
		var v any
		if err := json.Unmarshal(b, &v); err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(millis(v, ""))
		if err != nil {
			t.Fatal(err)
		}
		script += "export function on" + strings.ToUpper(h.Name[:1]) + h.Name[1:] + "() { return octets(" + string(text) + "); }\n"
	}
	script += `const A = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
function octets(a) {
  for (const e of a.edits || []) {
    const s = e.data.replace(/=/g, ""), out = new Uint8Array(Math.floor(s.length * 3 / 4));
    for (let i = 0, n = 0, bits = 0, at = 0; i < s.length; i++) {
      n = (n << 6) | A.indexOf(s[i]); bits += 6;
      if (bits >= 8) { bits -= 8; out[at++] = (n >> bits) & 255; }
    }
    e.data = out;
  }
  return a;
}`
	l, _ := mustLoad(t, script)
	hs, ctx := l.Handlers(), context.Background()
	answer(t, "connect", wire.ParseConnectAnswer, hs.Connect, ctx)
	answer(t, "helo", wire.ParseHeloAnswer, hs.Helo, ctx)
	answer(t, "auth", wire.ParseAuthAnswer, hs.Auth, ctx)
	answer(t, "mail", wire.ParseMailAnswer, hs.Mail, ctx)
	answer(t, "rcpt", wire.ParseRcptAnswer, hs.Rcpt, ctx)
	answer(t, "predata", wire.ParsePredataAnswer, hs.Predata, ctx)
	answer(t, "data", wire.ParseDataAnswer, hs.Data, ctx)
	answer(t, "route", wire.ParseRouteAnswer, hs.Route, ctx)
	answer(t, "deliver", wire.ParseDeliverAnswer, hs.Deliver, ctx)
	answer(t, "outcome", wire.ParseOutcomeAnswer, hs.Outcome, ctx)
	answer(t, "bounce", wire.ParseBounceAnswer, hs.Bounce, ctx)
}

func answer[E, A any](t *testing.T, name string, parse func(string) (A, error), hook sdk.Handler[E, A], ctx context.Context) {
	t.Helper()
	want := fixture(t, name+".answer", parse)
	got, err := hook(ctx, new(E))
	if err != nil {
		t.Errorf("%s: %v", name, err)
	} else if g, w := told(t, got), told(t, want); !reflect.DeepEqual(g, w) {
		t.Errorf("%s:\ngot  %v\nwant %v", name, g, w)
	}
}

// TestEveryCallIsMade asks the relay for everything.
func TestEveryCallIsMade(t *testing.T) {
	l, h := mustLoad(t, `
const want = (got, expected) => { const g = JSON.stringify(got), e = JSON.stringify(expected); if (g !== e) throw new Error("got " + g + ", want " + e); };
const refused = (f, code) => { try { f(); } catch (e) { want([e instanceof host.HostError, e.code], [true, code]); return; } throw new Error("not refused"); };
export function onData(e) {
  want(host.hostname, "mx.example.org");
  want(host.now(), 1767366245000);
  want(host.random(5).length, 5);
  want(Math.random() < 1, true);
  host.count("seen"); host.count("seen", 2); host.gauge("depth", 1.5);
  want(host.kvGet("a"), null);
  host.kvSet("a", "ä€😀", "5m");
  want(host.kvGet("a"), "ä€😀");
  host.kvSet("b", new Uint8Array(60000).fill(7));
  want(host.kvGetBytes("b").length, 60000);
  want(host.kvSwap("a", "no", "b"), false);
  want(host.kvSwap("a", "ä€😀", null), true);
  want(host.kvGet("a"), null);
  want([host.kvAdd("n"), host.kvAdd("n", -5, 1000)], [1, -4]);
  host.kvDelete("n");
  want(host.kvAdd("n", 2 ** 40), 2 ** 40);
  refused(() => host.kvGet(""), "invalid");
  want(host.lookup("TXT", "example.org"), ["v=spf1 -all", "x"]);
  want(host.lookup("A", "nobody.example"), []);
  refused(() => host.lookup("TXT", "slow.example"), "temporary");
  want(host.mx("example.org").hosts, ["mx1", "mx2"]);
  const r = host.http({ url: "http://api.example.net/x", method: "POST", header: [{ name: "A", value: "b" }], body: "hi" });
  want([r.status, host.decode(r.body)], [201, "made"]);
  want(host.decode(host.read(0, 7)), "Subject");
  want(host.header("subject"), ["héllo"]);
  refused(() => host.send({ recipients: [] }), "not allowed here");
  console.log("one", { two: 2 }, new Error("three")); console.warn("four");
  want(host.duration("1h30m"), 5400000);
  want(host.decode(host.encode("ä")), "ä");
  return { action: "accept", edits: [{ op: "prepend-header", name: "X", value: String(e.message.size) }] };
}`)
	h.SetDNS(sdk.RecordTXT, "example.org", "v=spf1 -all", "x")
	h.FailDNS(sdk.RecordTXT, "slow.example", "timeout", true)
	h.SetMX("example.org", sdk.MX{Hosts: []string{"mx1", "mx2"}})
	h.SetHTTP("POST http://api.example.net/x", plugintest.HTTPAnswer{Response: sdk.HTTPResponse{Status: 201, Body: []byte("made")}})
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
	var logs []string
	for _, l := range h.Logs() {
		logs = append(logs, l.Text)
	}
	if got := strings.Join(logs, "|"); !strings.HasPrefix(got, `one {"two":2} Error: three (plugin.js:`) || !strings.HasSuffix(got, "|four") {
		t.Errorf("logs: %s", got)
	}
}
