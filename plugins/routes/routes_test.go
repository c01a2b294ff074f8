package routes_test

import (
	"context"
	"strings"
	"testing"

	"github.com/programmable-mta/mta/plugins/routes"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

func TestStories(t *testing.T) { plugintest.Run(t, routes.New) }

func TestPatternsMatchWhatTheySay(t *testing.T) {
	for _, tt := range []struct {
		pattern, rcpt string
		want          bool
	}{
		{"*", "a@b.example", true},
		{"*", "postmaster", true},
		{"b.example", "a@b.example", true},
		{"b.example", "A@B.Example", true},
		{"B.Example", "a@b.example", true},
		{"b.example", "a@c.b.example", false},
		{"b.example", "a@xb.example", false},
		{"b.example", "b.example", false},
		{"b.example", `"x@b.example"@c.example`, false},
		{".b.example", "a@c.b.example", true},
		{"*.b.example", "a@d.c.B.example", true},
		{".b.example", "a@b.example", false},
		{".b.example", "a@xb.example", false},
		{".b.example", "a@.b.example", false},
		{"a@b.example", "a@b.example", true},
		{"a@b.example", "A@B.example", true},
		{"a@b.example", "aa@b.example", false},
		{"a@b.example", "a@c.b.example", false},
		{"postmaster", "postmaster", true},
		{"postmaster", "postmaster@b.example", false},
		{"[192.0.2.1]", "a@[192.0.2.1]", true},
		{"[192.0.2.1]", "a@[192.0.2.11]", false},
	} {
		p := routes.New()
		config := `{"routes": [{"to": "` + tt.pattern + `", "hosts": ["h"]}]}`
		if err := p.Start(context.Background(), plugintest.NewHost(), []byte(config)); err != nil {
			t.Fatalf("%s: %v", tt.pattern, err)
		}
		e := &sdk.RouteEvent{Envelope: plugintest.Envelope("s@s.example"), Recipient: sdk.Recipient{Addr: tt.rcpt}, Attempt: 1}
		a, err := p.(sdk.RouteHook).OnRoute(context.Background(), e)
		if err != nil || (a.Action == sdk.RouteUse) != tt.want {
			t.Errorf("%q on %q: %v, %v; want a match: %v", tt.pattern, tt.rcpt, a.Action, err, tt.want)
		}
	}
}

func TestAMistakeInTheConfigurationIsNamed(t *testing.T) {
	for _, tt := range []struct{ routes, want string }{
		{`{}`, "route 1: to is missing"},
		{`{"to": "a", "hosts": ["h"]}, {"hosts": ["h"]}`, "route 2: to is missing"},
		{`{"to": "<>", "hosts": ["h"]}`, `to "<>"`},
		{`{"to": "a@", "hosts": ["h"]}`, `to "a@"`},
		{`{"to": "@a", "hosts": ["h"]}`, `to "@a"`},
		{`{"to": ".", "hosts": ["h"]}`, `to "."`},
		{`{"to": "*.", "hosts": ["h"]}`, `to "*."`},
		{`{"to": "*a", "hosts": ["h"]}`, `to "*a"`},
		{`{"to": "a.", "hosts": ["h"]}`, `to "a."`},
		{`{"to": "a.*", "hosts": ["h"]}`, `to "a.*"`},
		{`{"to": "*", "from": "..x", "hosts": ["h"]}`, `from "..x"`},
		{`{"to": "a"}`, "needs hosts"},
		{`{"to": "a", "via": "lmtp"}`, "needs hosts"},
		{`{"to": "a", "hosts": [""]}`, `host ""`},
		{`{"to": "a", "hosts": ["h 25"]}`, `host "h 25"`},
		{`{"to": "a", "hosts": ["unix:/x"]}`, "lmtp"},
		{`{"to": "a", "hosts": ["h"], "tls": "yes"}`, `tls "yes"`},
		{`{"to": "a", "hosts": ["h"], "auth": {"user": "u"}}`, "password_file"},
		{`{"to": "a", "hosts": ["h"], "port": 25}`, `"port"`},
		{`{"to": "*", "hosts": ["h"]}, {"to": "a", "hosts": ["h"]}`, "route 2: it is never reached, route 1"},
	} {
		err := routes.New().Start(context.Background(), plugintest.NewHost(), []byte(`{"routes": [`+tt.routes+`]}`))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want it to say %s", tt.routes, err, tt.want)
		}
	}
}

func BenchmarkRoute(b *testing.B) {
	p := routes.New()
	config := `{"routes": [{"to": "a.example", "hosts": ["h"]}, {"to": ".b.example", "hosts": ["h"]}, {"to": "*", "from": "x.example", "hosts": ["h"]}, {"to": "*", "hosts": ["h"]}]}`
	if err := p.Start(context.Background(), plugintest.NewHost(), []byte(config)); err != nil {
		b.Fatal(err)
	}
	e := &sdk.RouteEvent{Envelope: plugintest.Envelope("s@s.example"), Recipient: sdk.Recipient{Addr: "user@host.example"}}
	b.ReportAllocs()
	for b.Loop() {
		if a, _ := p.(sdk.RouteHook).OnRoute(context.Background(), e); a.Action != sdk.RouteUse {
			b.Fatal(a)
		}
	}
}
