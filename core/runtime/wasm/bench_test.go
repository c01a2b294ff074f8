package wasm_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/core/runtime/wasm"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

func load(t testing.TB, spec runtime.Spec, host sdk.Host) runtime.Loaded {
	t.Helper()
	l, err := theRuntime(t).Load(context.Background(), spec, host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func rcpt() *sdk.RcptEvent {
	return &sdk.RcptEvent{Session: plugintest.Session(), Envelope: plugintest.Envelope("sender@example.com", "first@example.org"),
		Recipient: sdk.Recipient{Addr: "user@example.org"}}
}

// A hook that does nothing, from the handler and back.
func BenchmarkNoop(b *testing.B) {
	l := load(b, runtime.Spec{Name: "noop", Source: "file:testdata/noop.wasm"}, plugintest.NewHost())
	ask, e, ctx := l.Handlers().Rcpt, rcpt(), context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ask(ctx, e); err != nil {
			b.Fatal(err)
		}
	}
}

// askRcpt asks about one recipient again and again.
func askRcpt(b *testing.B, l runtime.Loaded) {
	ask, e, ctx := l.Handlers().Rcpt, rcpt(), context.Background()
	cost := &runtime.Cost{}
	for range 2 { // the first call of an instance is dearer than all others
		*cost = runtime.Cost{}
		if _, err := ask(runtime.WithCost(ctx, cost), e); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ask(ctx, e); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(cost.Fuel), "fuel/op")
}

// The rcpt hook of every guest that lies in testdata/wasm.
func BenchmarkRealRcpt(b *testing.B) {
	paths, err := filepath.Glob(filepath.Join(root, "testdata/wasm/*.wasm"))
	if err != nil {
		b.Fatal(err)
	}
	for _, path := range paths {
		l, err := theRuntime(b).Load(context.Background(), runtime.Spec{Name: "plugin", Source: "file:" + path, Grants: everything}, plugintest.NewHost())
		if err != nil || l.Handlers().Rcpt == nil {
			continue // it wants a configuration, or is asked about something else
		}
		if filepath.Base(path) != "hostile.wasm" {
			b.Run(strings.TrimSuffix(filepath.Base(path), ".wasm"), func(b *testing.B) { askRcpt(b, l) })
		}
		if err := l.Close(); err != nil {
			b.Error(err)
		}
	}
}

// What counting fuel costs: the same hook in modules that do not count.
func BenchmarkFuelOff(b *testing.B) {
	r, err := wasm.New(context.Background(), wasm.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	off := wasm.WithoutFuel(r)
	for _, path := range []string{"testdata/noop.wasm", build(b, "./testdata/real")} {
		for _, rt := range []struct {
			name string
			*wasm.Runtime
		}{{"on", theRuntime(b)}, {"off", off}} {
			l, err := rt.Load(context.Background(), runtime.Spec{Name: "plugin", Source: "file:" + path}, plugintest.NewHost())
			if err != nil {
				b.Fatal(err)
			}
			b.Run(strings.TrimSuffix(filepath.Base(path), ".wasm")+"/"+rt.name, func(b *testing.B) { askRcpt(b, l) })
			if err := l.Close(); err != nil {
				b.Error(err)
			}
		}
	}
}
