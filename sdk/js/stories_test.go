package js_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

func TestGreylistTellsTheSameStories(t *testing.T) {
	plugintest.RunWith(t, loader(t, pack(t, read(t, "examples/greylist.js"))), root+"/plugins/greylist/testdata/*.txtar")
}

// TestABadScriptIsRefusedWithItsPlace loads what cannot be a plugin.
func TestABadScriptIsRefusedWithItsPlace(t *testing.T) {
	for name, x := range map[string]struct{ script, want string }{
		"syntax":            {"export function onRcpt(e) {\n  return (;\n}", "SyntaxError: unexpected token in expression: ';' (plugin.js:2"},
		"an exception":      {"\n\nboom();", "ReferenceError: boom is not defined (plugin.js:3"},
		"an import":         {`import x from "fs"; export function onRcpt() {}`, "could not load module 'fs': a plugin is one file"},
		"an endless wait":   {`await new Promise(() => {}); export function onRcpt() {}`, "it awaits at its top something that never comes"},
		"no hooks":          {`export const x = 1;`, "it has no hooks at all"},
		"a hook of no kind": {`export function onRecipient() {}`, "its export onRecipient is no hook; the hooks are: connect"},
		"a missing hook":    {`export const plugin = {hooks: {data: []}}; export function onRcpt() {}`, "there is no export onData"},
		"an unknown key":    {`export const plugin = {hook: {}}; export function onRcpt() {}`, "plugin.hook: there is no such key"},
		"an unknown field":  {`export const plugin = {hooks: {rcpt: ["recipient.adr"]}}; export function onRcpt() {}`, `a Recipient has no "adr"`},
		"a missing grant":   {`export const plugin = {needs: ["money"]}; export function onRcpt() {}`, `it needs the grant "money", and there is no such grant`},
		"a start that says": {`export function start() { throw new Error("no such table"); } export function onRcpt() {}`, "start: Error: no such table (plugin.js:1"},
		"a broken start":    {`export async function start() { throw new Error("too late"); } export function onRcpt() {}`, "start: Error: too late"},
		"an unfit plugin":   {`export function selftest() { throw new Error("unfit"); } export function onRcpt() {}`, "its self-test failed: Error: unfit"},
		"a loop":            {`for (;;);`, "it used up its fuel"},
		"a bomb":            {`const a = []; for (;;) a.push(new Array(100000).fill(1));`, "out of memory"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, pack(t, x.script), plugintest.NewHost())
			if err == nil || !strings.Contains(err.Error(), x.want) {
				t.Errorf("got %v, want %q", err, x.want)
			}
		})
	}
}

// TestAHostileScriptEnds asks scripts that do not want to come back.
func TestAHostileScriptEnds(t *testing.T) {
	for name, x := range map[string]struct {
		body, want string
		stays      bool // the instance is fit for the next call
	}{
		"a loop":              {`while (true);`, "it used up its fuel", false},
		"a loop that catches": {`for (;;) { try { for (;;); } catch (e) {} }`, "it used up its fuel", false},
		"microtasks":          {`const again = () => Promise.resolve().then(again); again();`, "", false},
		"a regular bomb":      {`/^(a+)+$/.test("a".repeat(40) + "b");`, "it used up its fuel", false},
		"recursion":           {`(function f() { f(); })();`, "RangeError: Maximum call stack size exceeded", true},
		"deep data":           {`JSON.parse("[".repeat(20000));`, "", false},
		"a long string":       {`let s = "x"; for (;;) s += s;`, "string", true},
		"many objects":        {`const a = []; for (;;) a.push({});`, "", false},
		"a big buffer":        {`new Uint8Array(1e9);`, "out of memory", true},
		"a storm of calls":    {`for (;;) host.log("x");`, "it made more than 10000 calls", false},
		"a sort":              {`Array.from({length: 1e6}, (_, i) => -i).sort();`, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			l, _ := mustLoad(t, `let evil = true; export function onRcpt(e) { if (e.recipient.addr !== "bad@example.org") return "accept"; `+x.body+` }`,
				func(s *runtime.Spec) { s.Limits.Memory = 16 << 20 })
			begin := time.Now()
			e := rcpt()
			e.Recipient.Addr = "bad@example.org"
			_, err := l.Handlers().Rcpt(context.Background(), e)
			if err == nil || !strings.Contains(err.Error(), x.want) {
				t.Errorf("got %v, want %q", err, x.want)
			}
			if n := l.Stats().Discarded; x.stays && n != 0 {
				t.Errorf("%d instances were thrown away", n)
			}
			if l.Stats().Memory > 16<<20 {
				t.Errorf("it holds %d octets", l.Stats().Memory)
			}
			if d := time.Since(begin); d > 3*time.Second {
				t.Errorf("it took %v", d)
			}
			if a, err := l.Handlers().Rcpt(context.Background(), rcpt()); err != nil || a.Action.String() != "accept" {
				t.Errorf("the next call: %v %v", a, err)
			}
		})
	}
}
