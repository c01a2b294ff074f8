package js_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/core/runtime/wasm"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

const root = "../.."

var buildDir string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "js")
	if err != nil {
		panic(err)
	}
	buildDir = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

var everything = runtime.Grants{Relay: true, DNS: true, HTTP: []string{"api.example.net:443"}, KV: 1 << 20,
	Body: runtime.Write, Headers: runtime.Write, Clock: true, Send: true}

// theRuntime compiles the engine once for all tests.
var theRuntime = sync.OnceValues(func() (*wasm.Runtime, error) {
	return wasm.New(context.Background(), wasm.Options{CacheDir: filepath.Join(buildDir, "cache")})
})

// needed is a file that npm brings.
func needed(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err == nil {
		return b
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%v: run sdk/js/build.sh", err)
	}
	t.Skipf("%v: npm install in sdk/js brings the package quickjs-wasi", err)
	return nil
}

// pack makes a plugin of a script.
func pack(t testing.TB, script string) string {
	t.Helper()
	engine := needed(t, "node_modules/quickjs-wasi/quickjs.wasm")
	prelude, err := os.ReadFile("mta.js")
	if err != nil {
		t.Fatal(err)
	}
	b, err := wasm.PackScript(engine, prelude, []byte(script))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "plugin.wasm")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// load starts a plugin with everything granted.
func load(t testing.TB, path string, host sdk.Host, change ...func(*runtime.Spec)) (runtime.Loaded, error) {
	t.Helper()
	r, err := theRuntime()
	if err != nil {
		t.Fatal(err)
	}
	spec := runtime.Spec{Name: "plugin", Source: "file:" + path, Grants: everything}
	for _, f := range change {
		f(&spec)
	}
	l, err := r.Load(context.Background(), spec, host)
	if err == nil {
		t.Cleanup(func() { _ = l.Close() })
	}
	return l, err
}

func loader(t testing.TB, path string) plugintest.Loader {
	return func(ctx context.Context, host sdk.Host, config []byte) (*sdk.Handlers, func() error, error) {
		l, err := load(t, path, host, func(s *runtime.Spec) { s.Config = config })
		if err != nil {
			return nil, nil, err
		}
		return l.Handlers(), l.Close, nil
	}
}

func mustLoad(t testing.TB, script string, change ...func(*runtime.Spec)) (runtime.Loaded, *plugintest.Host) {
	t.Helper()
	h := plugintest.NewHost()
	l, err := load(t, pack(t, script), h, change...)
	if err != nil {
		t.Fatal(err)
	}
	return l, h
}

func rcpt() *sdk.RcptEvent {
	return &sdk.RcptEvent{Session: plugintest.Session(), Envelope: plugintest.Envelope("sender@example.net"), Recipient: sdk.Recipient{Addr: "user@example.org"}}
}

// TestAScriptAnswers asks about one recipient.
func TestAScriptAnswers(t *testing.T) {
	for name, x := range map[string]struct {
		body string
		want string // "ACTION CODE ENHANCED TEXT / REASON", or the end of an error
	}{
		"nothing":             {`return;`, "continue"},
		"a word":              {`return "accept";`, "accept"},
		"an object":           {`return {action: "reject", code: 554, enhanced: "5.7.1", text: "Grüße", reason: "because"};`, "reject 554 5.7.1 Grüße / because"},
		"a nested reply":      {`return {action: "defer", reply: {text: "later"}};`, "defer later"},
		"a helper":            {`return host.reject("5.7.1", "no " + e.recipient.addr);`, "reject 5.7.1 no user@example.org"},
		"a promise":           {`return Promise.resolve("hold");`, "hold"},
		"a field not named":   {`return {action: "reject", text: e.session.helo + "|" + e.envelope.size + "|" + e.envelope.recipients.length};`, "reject |0|0"},
		"an unknown word":     {`return "yes";`, `there is no answer "yes"`},
		"an unknown key":      {`return {acton: "reject"};`, `its answer has no "acton"`},
		"a wrong type":        {`return {action: "reject", text: {}};`, "text is not a string"},
		"a broken promise":    {`return Promise.reject(new Error("broken"));`, "Error: broken (plugin.js:2"},
		"a word that is made": {`return ["acc", "ept"].join("");`, "accept"},
		"an action made":      {`return {action: "re" + "jectx".slice(0, 4), text: "no"};`, "reject no"},
		"a number":            {`return 7;`, "its answer is no object"},
		"nothing in it":       {`return {};`, "continue"},
		"null for a text":     {`return {action: "reject", text: null};`, "reject"},
		"a number for a text": {`return {action: "reject", text: 550};`, "reject 550"},
		"a code only":         {`return {action: "reject", code: 554};`, "reject 554"},
		"a broken code":       {`return {action: "reject", code: 1.5};`, "code is not a whole number"},
		"a getter":            {`return {action: "reject", get text() { return "mine"; }};`, "reject mine"},
		"a getter that fails": {`return {action: "reject", get text() { throw new Error("no"); }};`, "Error: no (plugin.js:2"},
		"a proxy":             {`return new Proxy({action: "reject"}, {});`, "reject"},
		"a proxy that fails":  {`return new Proxy({}, {ownKeys() { throw new Error("keys"); }});`, "Error: keys"},
		"a class":             {`return new (class { get action() { return "reject"; } })();`, "reject"},
		"a class with fields": {`return new (class { text = "mine"; get action() { return "reject"; } })();`, "reject mine"},
		"no prototype":        {`return Object.assign(Object.create(null), {action: "reject", text: "no"});`, "reject no"},
		"a short list":        {`return ["reject"];`, "its answer has no \"0\""},
		"a list that fails":   {`const a = ["reject", undefined, undefined, undefined]; Object.defineProperty(a, 2, {get() { throw new Error("two"); }}); return a;`, "Error: two"},
		"edits":               {`return {edits: [{op: "note", name: "a", value: "1"}, {op: "note", name: "b", value: "2"}]};`, "continue"},
		"an unknown op":       {`return {edits: [{op: "nota", name: "a"}]};`, "there is no \"nota\""},
		"an edit of a key":    {`return {edits: [{op: "note", nme: "a"}]};`, "edit has no \"nme\""},
		"an edit with action": {`return {edits: [{op: "note", action: "accept"}]};`, "edit has no \"action\""},
		"edits that are none": {`return {edits: {}};`, "edits is not a list"},
		"domains":             {`return {action: "reject", text: ["a@B.Example", "x@y@z.example", "none", "@", "u@ÄB.example", 7].map(host.domain).join(" ")};`, "reject b.example z.example äb.example"},
		"a counter that runs": {`host.kvSet("n", ""); host.kvDelete("n"); host.kvAdd("n", 2147483647); return {action: "reject", text: "" + host.kvAdd("n", 2147483647, "1h") + host.kvAdd("n", -4294967295)};`, "reject 4294967294-1"},
		"a key that is none":  {`return {action: "reject", text: "" + host.kvGet("none") + host.kvSwap("none", "a", "b")};`, "reject nullfalse"},
		"a call that fails":   {`try { host.kvSet("", "x"); } catch (x) { return {action: "reject", text: x.constructor.name + " " + x.call + " " + x.code}; }`, "reject HostError kv_set invalid"},
		"a long value":        {`host.kvSet("long", "x".repeat(20000)); const v = host.kvGet("long"); host.kvDelete("long"); return {action: "reject", text: "" + v.length};`, "reject 20000"},
		"a promise of nobody": {`return new Promise(() => {});`, "its promise is still pending"},
		"an exception":        {"\n throw new RangeError('too far');", "RangeError: too far (plugin.js:3"},
		"no Error":            {`throw 7;`, "it threw 7"},
		"what cannot be told": {`throw {toString() { throw 1; }};`, "an exception that cannot be shown"},
		"a missing name":      {`return nobody();`, "ReferenceError: nobody is not defined (plugin.js:2"},
		"code from text":      {`return (() => {}).constructor("return 1")();`, "a plugin makes no code"},
		"eval":                {`return eval("1");`, "eval is not defined"},
		"a grant that is not": {`return {action: "reject", text: host.header("Subject")[0]};`, "header: not allowed here: this hook is about no message"},
	} {
		t.Run(name, func(t *testing.T) {
			l, _ := mustLoad(t, `export const plugin = {hooks: {rcpt: ["recipient.addr", "session.remote_ip"]}}; export function onRcpt(e) {
`+x.body+"}")
			for range 2 { // an error of a script leaves the instance in service
				a, err := l.Handlers().Rcpt(context.Background(), rcpt())
				got := strings.Join(strings.Fields(a.Action.String()+" "+a.Reply.String()+" / "+a.Reason), " ")
				got = strings.TrimSuffix(got, " /")
				if err != nil {
					got = err.Error()
				}
				if got != x.want && (err == nil || !strings.Contains(got, x.want)) {
					t.Errorf("got %q, want %q", got, x.want)
				}
			}
			if n := l.Stats().Discarded; n != 0 {
				t.Errorf("%d instances were thrown away", n)
			}
		})
	}
}

func TestRealrcptTellsItsStories(t *testing.T) {
	plugintest.RunWith(t, loader(t, pack(t, read(t, "examples/realrcpt.js"))), "testdata/realrcpt/*.txtar")
}
