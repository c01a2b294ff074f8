package mx_test

import (
	"context"
	"testing"

	"github.com/programmable-mta/mta/plugins/mx"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

func TestStories(t *testing.T) { plugintest.Run(t, mx.New) }

func route(t *testing.T, ctx context.Context, h *plugintest.Host, rcpt string) sdk.RouteAnswer {
	t.Helper()
	p := mx.New()
	if err := p.Start(ctx, h, []byte("{}")); err != nil {
		t.Fatal(err)
	}
	a, err := p.(sdk.RouteHook).OnRoute(ctx, &sdk.RouteEvent{Envelope: plugintest.Envelope("a@b"), Recipient: sdk.Recipient{Addr: rcpt}})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAPermanentFaultOfTheDNSFailsAndATemporaryOneNever(t *testing.T) {
	h := plugintest.NewHost()
	h.FailDNS("MX", "bad.example", "name too long", false)
	h.FailDNS("MX", "slow.example", "timeout", true)
	if a := route(t, t.Context(), h, "u@bad.example"); a.Action != sdk.RouteFail || a.Reply.Enhanced != "5.4.4" {
		t.Errorf("permanent: %v %v", a.Action, a.Reply)
	}
	if a := route(t, t.Context(), h, "u@slow.example"); a.Action != sdk.RouteDefer || a.Reply.Enhanced != "4.4.3" {
		t.Errorf("temporary: %v %v", a.Action, a.Reply)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	h.SetMX("good.example", sdk.MX{Hosts: []string{"mx.good.example"}})
	if a := route(t, ctx, h, "u@good.example"); a.Action != sdk.RouteDefer {
		t.Errorf("with a done context: %v %v", a.Action, a.Reply)
	}
}

func TestNoExchangerWithoutAReasonIsDeferredAndNotBounced(t *testing.T) {
	h := plugintest.NewHost()
	h.SetMX("odd.example", sdk.MX{})
	if a := route(t, t.Context(), h, "u@odd.example"); a.Action != sdk.RouteDefer {
		t.Errorf("%v %v", a.Action, a.Reply)
	}
}

func TestBadAddressLiteralsFail(t *testing.T) {
	for _, d := range []string{"[", "[]", "[1.2.3]", "[1.2.3.4", "[::1]", "[IPv6:1.2.3.4]", "[IPv6:fe80::1%eth0]", "[x:1]", "[IPv6:]"} {
		if a := route(t, t.Context(), plugintest.NewHost(), "u@"+d); a.Action != sdk.RouteFail {
			t.Errorf("%s: %v %v %v", d, a.Action, a.Route.Hosts, a.Reply)
		}
	}
}
