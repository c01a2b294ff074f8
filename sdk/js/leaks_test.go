package js_test

import (
	"context"
	"testing"
)

// TestWhatAScriptAnswersIsGivenBack asks until a value that is left behind by
// each call would need more memory.
func TestWhatAScriptAnswersIsGivenBack(t *testing.T) {
	for name, body := range map[string]string{
		"a decision":    `return host.reject("5.7.1", "no " + e.recipient.addr + k++, "because " + k);`,
		"an object":     `return {action: "reject", code: 550, text: "no " + k++};`,
		"a made word":   `return {action: "re" + ["ject"].join(), text: "no " + k++};`,
		"an edit":       `return {edits: [{op: "note", name: "a", value: "v" + k++}]};`,
		"calls":         `host.kvSet("k", "v" + k++); host.kvGet("k"); host.kvSwap("k", "a", null); host.domain("a@B" + k);`,
		"a failed call": `host.kvSet("", "v" + k++);`,
		"an exception":  `throw new Error("x" + k++);`,
		"a bad getter":  `return {action: "reject", get text() { throw new Error("x" + k++); }};`,
		"a bad edit":    `return {edits: [{op: "note", get name() { throw new Error("x" + k++); }}]};`,
		"a bad word":    `return {edits: [{op: "nota", name: "x" + k++}]};`,
	} {
		t.Run(name, func(t *testing.T) {
			l, _ := mustLoad(t, `let k = 0; export const plugin = {hooks: {rcpt: ["recipient.addr"]}}; export function onRcpt(e) {`+body+`}`)
			ask, e := l.Handlers().Rcpt, rcpt()
			var before int64
			for i := range 4000 {
				_, _ = ask(context.Background(), e)
				if i == 1000 {
					before = l.Stats().Memory
				}
			}
			if after := l.Stats(); after.Memory != before || after.Discarded != 0 {
				t.Errorf("from %d octets it grew to %d; %d instances were thrown away", before, after.Memory, after.Discarded)
			}
		})
	}
}
