package hook_test

import (
	"context"
	"testing"

	"github.com/programmable-mta/mta/core/hook"
	"github.com/programmable-mta/mta/core/trace"
	"github.com/programmable-mta/mta/sdk"
)

func rcptChain(tb testing.TB, inline bool, n int) *hook.Chains {
	var plugins []hook.Plugin
	for i := range n {
		last := i == n-1
		plugins = append(plugins, hook.Plugin{Name: string(rune('a' + i)), Inline: inline, MayRelay: last, Handlers: sdk.Handlers{
			Rcpt: func(context.Context, *sdk.RcptEvent) (sdk.Answer, error) {
				if last {
					return sdk.Answer{Action: sdk.Accept}, nil
				}
				return sdk.Answer{}, nil
			}}})
	}
	c, err := hook.New(plugins, hook.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func rcptEvent() *sdk.RcptEvent {
	return &sdk.RcptEvent{Session: &sdk.Session{ID: "s", Notes: sdk.Notes{"a.b": "c"}},
		Envelope:  &sdk.Envelope{ID: "e", From: "a@example.net", Recipients: make([]sdk.Recipient, 3)},
		Recipient: sdk.Recipient{Addr: "b@example.org"}}
}

// The time is that of a chain of four plugins.
func BenchmarkFourPlugins(b *testing.B) {
	for _, bc := range []struct {
		name   string
		inline bool
		thread bool
	}{{"inline", true, false}, {"inline with thread", true, true}, {"guarded", false, false}} {
		b.Run(bc.name, func(b *testing.B) {
			c, e, ctx := rcptChain(b, bc.inline, 4), rcptEvent(), context.Background()
			var th *trace.Thread
			if bc.thread {
				th = &trace.Thread{}
			}
			b.ReportAllocs()
			for b.Loop() {
				if v := c.Rcpt(ctx, th, e, nil); v.Action != sdk.Accept {
					b.Fatal(v)
				}
				th.Reset()
			}
		})
	}
}

func TestAnInlineCallAllocatesNothing(t *testing.T) {
	c, e, ctx := rcptChain(t, true, 4), rcptEvent(), context.Background()
	if n := testing.AllocsPerRun(100, func() { c.Rcpt(ctx, nil, e, nil) }); n != 0 {
		t.Errorf("%v allocations a chain", n)
	}
}
