package router_test

import (
	"context"
	"testing"

	router "github.com/programmable-mta/mta/examples/tenant-router"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

func TestStories(t *testing.T) { plugintest.Run(t, router.New) }

func BenchmarkRoute(b *testing.B) {
	p := router.New()
	config := `{"tenants": {"acme": {"domains": ["acme.example"], "inbound": {"hosts": ["mail.acme.example"]}}}}`
	if err := p.Start(context.Background(), plugintest.NewHost(), []byte(config)); err != nil {
		b.Fatal(err)
	}
	e := &sdk.RouteEvent{Envelope: plugintest.Envelope("a@example.com"), Recipient: sdk.Recipient{Addr: "b@acme.example"}, Attempt: 1}
	b.ReportAllocs()
	for b.Loop() {
		if a, err := p.(sdk.RouteHook).OnRoute(context.Background(), e); err != nil || a.Action != sdk.RouteUse {
			b.Fatal(a, err)
		}
	}
}
