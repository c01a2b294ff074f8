package sdk_test

import (
	"context"
	"fmt"
	"slices"

	"github.com/programmable-mta/mta/sdk"
)

// Suffixes refuses recipients whose local part is not known for a domain, and
// sends the others of that domain to its own next hop.
type Suffixes struct {
	Domain string   `json:"domain"`
	Users  []string `json:"users"`
	Hop    string   `json:"hop"`
}

// Start reads the configuration; what is in s already are the defaults.
func (s *Suffixes) Start(_ context.Context, _ sdk.Host, config []byte) error {
	if err := sdk.DecodeConfig(config, s); err != nil {
		return err
	}
	if s.Domain == "" {
		return fmt.Errorf("config: domain is missing")
	}
	return nil
}

// Close has nothing to close.
func (s *Suffixes) Close() error { return nil }

// HooksNeverBlock: the hooks only compare strings.
func (s *Suffixes) HooksNeverBlock() {}

// OnRcpt narrows what the relay policy accepts.
func (s *Suffixes) OnRcpt(_ context.Context, e *sdk.RcptEvent) (sdk.Answer, error) {
	if sdk.Domain(e.Recipient.Addr) != s.Domain || slices.Contains(s.Users, sdk.LocalPart(e.Recipient.Addr)) {
		return sdk.Answer{}, nil // not mine, or fine: ask the next plugin
	}
	return sdk.Rejected("5.1.1", "no such user here"), nil
}

// OnRoute says where the domain's mail goes.
func (s *Suffixes) OnRoute(_ context.Context, e *sdk.RouteEvent) (sdk.RouteAnswer, error) {
	if sdk.Domain(e.Recipient.Addr) != s.Domain {
		return sdk.RouteAnswer{}, nil
	}
	return sdk.RouteAnswer{Action: sdk.RouteUse, Route: sdk.Route{Via: "smtp", Hosts: []string{s.Hop}, Rule: "domain " + s.Domain}}, nil
}

// A complete plugin: a value with Start, Close, and the hooks that it wants.
func Example() {
	p := &Suffixes{Hop: "localhost:2525"}
	ctx := context.Background()
	if err := p.Start(ctx, nil, []byte(`{"domain": "example.org", "users": ["ann", "bob"]}`)); err != nil {
		fmt.Println(err)
		return
	}
	defer p.Close()
	for _, addr := range []string{"ann@example.org", "eve@example.org", "eve@example.net"} {
		rcpt := sdk.Recipient{Addr: addr}
		a, _ := p.OnRcpt(ctx, &sdk.RcptEvent{Recipient: rcpt})
		r, _ := p.OnRoute(ctx, &sdk.RouteEvent{Recipient: rcpt})
		fmt.Println(addr, a.Action, a.Reply, r.Action, r.Route.Hosts)
	}
	// Output:
	// ann@example.org continue  use [localhost:2525]
	// eve@example.org reject 5.1.1 no such user here use [localhost:2525]
	// eve@example.net continue  continue []
}
