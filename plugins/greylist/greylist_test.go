package greylist_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/programmable-mta/mta/plugins/greylist"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

func TestStories(t *testing.T) { plugintest.Run(t, greylist.New) }

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

func (s store) Swap(context.Context, string, []byte, []byte, time.Duration) (bool, error) {
	return false, s.err
}

func start(t testing.TB, host sdk.Host) sdk.RcptHook {
	t.Helper()
	p := greylist.New()
	if err := p.Start(context.Background(), host, []byte("{}")); err != nil {
		t.Fatal(err)
	}
	return p.(sdk.RcptHook)
}

func event() *sdk.RcptEvent {
	return &sdk.RcptEvent{Session: plugintest.Session(), Envelope: plugintest.Envelope("a@example.com"), Recipient: sdk.Recipient{Addr: "b@example.org"}}
}

func TestAFullStoreLetsMailPass(t *testing.T) {
	p := start(t, broken{plugintest.NewHost(), &sdk.CallError{Call: "kv_swap", Code: sdk.CallLimit}})
	if a, err := p.OnRcpt(t.Context(), event()); err != nil || a.Action != sdk.Continue {
		t.Errorf("got %v, %v", a, err)
	}
}

func TestABrokenStoreIsAnError(t *testing.T) {
	gone := errors.New("the disk is gone")
	p := start(t, broken{plugintest.NewHost(), gone})
	if a, err := p.OnRcpt(t.Context(), event()); !errors.Is(err, gone) || a.Action != sdk.Continue {
		t.Errorf("got %v, %v", a, err)
	}
}

func BenchmarkRcpt(b *testing.B) {
	p, e := start(b, plugintest.NewHost()), event()
	b.ReportAllocs()
	for b.Loop() {
		if a, err := p.OnRcpt(context.Background(), e); err != nil || a.Action != sdk.Defer {
			b.Fatal(a, err)
		}
	}
}
