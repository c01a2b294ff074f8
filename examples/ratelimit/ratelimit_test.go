package ratelimit_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/programmable-mta/mta/examples/ratelimit"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

func TestStories(t *testing.T) { plugintest.Run(t, ratelimit.New) }

// broken is a host whose store fails.
type broken struct {
	*plugintest.Host
	err error
}

type store struct {
	sdk.KV
	err error
}

func (b broken) KV() sdk.KV { return store{b.Host.KV(), b.err} }

func (s store) Add(context.Context, string, int64, time.Duration) (int64, error) { return 0, s.err }

func start(t testing.TB, host sdk.Host) sdk.RcptHook {
	t.Helper()
	p := ratelimit.New()
	config := `{"limits": [{"by": "ip", "count": "recipients", "limit": 1000000000, "window": "1h"}]}`
	if err := p.Start(context.Background(), host, []byte(config)); err != nil {
		t.Fatal(err)
	}
	return p.(sdk.RcptHook)
}

func event() *sdk.RcptEvent {
	return &sdk.RcptEvent{Session: plugintest.Session(), Envelope: plugintest.Envelope("a@example.com"), Recipient: sdk.Recipient{Addr: "b@example.org"}}
}

func TestAFullStoreLetsMailPass(t *testing.T) {
	host := plugintest.NewHost()
	p := start(t, broken{host, &sdk.CallError{Call: "kv_add", Code: sdk.CallLimit}})
	if a, err := p.OnRcpt(t.Context(), event()); err != nil || a.Action != sdk.Continue || host.Metric("uncounted") != 1 {
		t.Errorf("got %v, %v, %v uncounted", a, err, host.Metric("uncounted"))
	}
}

func TestABrokenStoreIsAnError(t *testing.T) {
	gone := errors.New("the disk is gone")
	p := start(t, broken{plugintest.NewHost(), gone})
	if _, err := p.OnRcpt(t.Context(), event()); !errors.Is(err, gone) {
		t.Errorf("got %v", err)
	}
}

func BenchmarkRcpt(b *testing.B) {
	p, e := start(b, plugintest.NewHost()), event()
	b.ReportAllocs()
	for b.Loop() {
		if a, err := p.OnRcpt(context.Background(), e); err != nil || a.Action != sdk.Continue {
			b.Fatal(a, err)
		}
	}
}
