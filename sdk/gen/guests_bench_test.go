package gen_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/core/runtime/wasm"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

// realConfig is the table of realrcpt: 50 domains, of which the last is asked
// for.
func realConfig() string {
	s := `{"domains": [`
	for i := range 50 {
		s += fmt.Sprintf(`"domain%d.example.org",`, i)
	}
	return s + `"example.org"], "senders": ["spam.example", "example.net"], "networks": ["198.51.100.", "203.0.113."]}`
}

func realEvents() map[string]*sdk.RcptEvent {
	event := func(from, to string) *sdk.RcptEvent {
		return &sdk.RcptEvent{Session: plugintest.Session(), Envelope: plugintest.Envelope(from), Recipient: sdk.Recipient{Addr: to}}
	}
	return map[string]*sdk.RcptEvent{
		"accept": event("a@example.com", "b@domain49.example.org"),
		"reject": event("a@example.com", "b@elsewhere.example"),
	}
}

// BenchmarkHook is a rcpt hook of the prebuilt guests: one that does nothing,
// and a typical one.
func BenchmarkHook(b *testing.B) {
	for _, g := range guests {
		for _, what := range []string{"noop", "realrcpt"} {
			path := filepath.Join(top, "testdata/wasm", g.lang+"-"+what+".wasm")
			config := "{}"
			if what == "realrcpt" {
				config = realConfig()
			}
			rt := newRuntime(b)
			l, err := rt.Load(b.Context(), runtime.Spec{Name: what, Source: wasm.Prefix + path, Config: []byte(config)}, plugintest.NewHost())
			if err != nil {
				b.Fatal(err)
			}
			for name, event := range realEvents() {
				if what == "noop" {
					name = "any"
				}
				b.Run(g.lang+"/"+what+"/"+name, func(b *testing.B) {
					b.ReportAllocs()
					before := l.Stats().Fuel
					for b.Loop() {
						if _, err := l.Handlers().Rcpt(b.Context(), event); err != nil {
							b.Fatal(err)
						}
					}
					b.ReportMetric(float64(l.Stats().Fuel-before)/float64(b.N), "fuel/op")
				})
				if what == "noop" {
					break
				}
			}
			if err := l.Close(); err != nil {
				b.Error(err)
			}
		}
	}
}
