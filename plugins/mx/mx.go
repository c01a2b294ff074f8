// Package mx routes a recipient to the mail exchangers of its domain, as
// RFC 5321 §5.1 has it. It is the last resort of the route chain and answers
// for every recipient.
//
// What it refuses, for good: domains that do not exist, that take no mail
// (RFC 7505), or whose best exchanger is this relay. What only might be
// temporary, it defers.
//
// Invariants: a failing DNS never fails a recipient; hosts that the DNS named
// are marked as such, so that nobody's zone makes us connect to ourselves.
package mx

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"

	"github.com/programmable-mta/mta/sdk"
)

// New makes the plugin.
func New() sdk.Plugin { return &plugin{} }

type plugin struct {
	host sdk.Host
	tls  string
}

// Start implements [sdk.Plugin].
func (p *plugin) Start(_ context.Context, host sdk.Host, config []byte) error {
	var c struct {
		TLS string `json:"tls"`
	}
	if err := sdk.DecodeConfig(config, &c); err != nil {
		return err
	}
	if !slices.Contains([]string{"", "none", "may", "encrypt", "verify", "dane"}, c.TLS) {
		return errors.New(`mx: tls "` + c.TLS + `": want none, may, encrypt, verify or dane`)
	}
	p.host, p.tls = host, c.TLS
	return nil
}

// Close implements [sdk.Plugin].
func (p *plugin) Close() error { return nil }

// OnRoute implements [sdk.RouteHook].
func (p *plugin) OnRoute(ctx context.Context, e *sdk.RouteEvent) (sdk.RouteAnswer, error) {
	domain := sdk.Domain(e.Recipient.Addr)
	switch {
	case domain == "":
		// Only postmaster comes without a domain, and bouncing it would be worse
		// than waiting for somebody to say who that is (RFC 5321 §4.5.1).
		return later("4.3.5", "nobody is configured to get mail for "+e.Recipient.Addr+"; an alias or a route is missing"), nil
	case domain[0] == '[':
		return p.literal(domain), nil
	}
	mx, err := p.host.MX(ctx, domain)
	if err != nil {
		return unanswered(domain, err), nil
	}
	switch {
	case mx.Null:
		return never(556, "5.1.10", "domain "+domain+" takes no mail (null MX)"), nil // RFC 7505 §4.2
	case mx.Loops:
		return never(550, "5.4.6", "mail for "+domain+" loops back to me"), nil
	case mx.NoDomain:
		return never(550, "5.1.2", "domain "+domain+" has neither mail exchanger nor address"), nil
	case len(mx.Hosts) == 0:
		return later("4.4.3", "the DNS names no usable mail exchanger for "+domain), nil
	}
	return p.use(mx.Hosts, key(mx.Hosts)), nil
}

// key is the same for all domains that share their exchangers, in whichever
// order equal preferences were shuffled: they share connections and limits.
func key(hosts []string) string {
	if len(hosts) == 1 {
		return "mx:" + hosts[0]
	}
	sorted := slices.Clone(hosts)
	slices.Sort(sorted)
	return "mx:" + strings.Join(sorted, ",")
}

// literal routes to an address literal, without asking the DNS (RFC 5321 §5.1).
func (p *plugin) literal(domain string) sdk.RouteAnswer {
	text := strings.TrimSuffix(strings.TrimPrefix(domain, "["), "]")
	is6 := len(text) > 5 && strings.EqualFold(text[:5], "IPv6:")
	if is6 {
		text = text[5:]
	}
	a, err := netip.ParseAddr(text)
	if err != nil || a.Is6() != is6 || a.Zone() != "" || len(text)+2 > len(domain) {
		return never(550, "5.1.2", "address literal "+domain+" is not usable")
	}
	return p.use([]string{netip.AddrPortFrom(a.Unmap(), 25).String()}, "mx:"+domain)
}

func (p *plugin) use(hosts []string, key string) sdk.RouteAnswer {
	return sdk.RouteAnswer{Action: sdk.RouteUse, Route: sdk.Route{Via: "smtp", Hosts: hosts, MX: true, TLS: p.tls, Key: key, Rule: "mx"}}
}

// unanswered is the answer to a question that the DNS did not answer. Only a
// resolver that is sure makes it permanent.
func unanswered(domain string, err error) sdk.RouteAnswer {
	var dns *sdk.DNSError
	if errors.As(err, &dns) && !dns.Temporary {
		return never(550, "5.4.4", "the mail exchangers of "+domain+" cannot be looked up: "+dns.Text)
	}
	a := later("4.4.3", "the DNS does not answer for "+domain)
	a.Reason = err.Error()
	return a
}

func never(code int, enhanced, text string) sdk.RouteAnswer {
	return sdk.RouteAnswer{Action: sdk.RouteFail, Reply: sdk.Reply{Code: code, Enhanced: enhanced, Text: text}}
}

func later(enhanced, text string) sdk.RouteAnswer {
	return sdk.RouteAnswer{Action: sdk.RouteDefer, Reply: sdk.Reply{Code: 451, Enhanced: enhanced, Text: text}}
}
