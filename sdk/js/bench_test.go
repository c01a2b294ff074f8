package js_test

import (
	"context"
	"testing"

	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

const realConfig = `{"domains": ["example.org", "example.com"], "senders": ["spam.example"], "networks": ["198.51.100."]}`

func BenchmarkRcpt(b *testing.B) {
	for _, x := range []struct{ name, script, config, to string }{
		{"noop", "examples/noop.js", `{}`, "user@example.org"},
		{"table/accept", "testdata/table.js", `{}`, "user@example.org"},
		{"table/reject", "testdata/table.js", `{}`, "user@example.net"},
		{"accept", "examples/realrcpt.js", realConfig, "user@example.org"},
		{"reject", "examples/realrcpt.js", realConfig, "user@example.net"},
	} {
		b.Run(x.name, func(b *testing.B) {
			l, err := load(b, pack(b, read(b, x.script)), plugintest.NewHost(), func(s *runtime.Spec) { s.Config = []byte(x.config) })
			if err != nil {
				b.Fatal(err)
			}
			e := rcpt()
			e.Recipient.Addr = x.to
			ask, ctx := l.Handlers().Rcpt, context.Background()
			before := l.Stats().Fuel
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ask(ctx, e); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(l.Stats().Fuel-before)/float64(b.N), "fuel/op")
		})
	}
}
