// Package router sends the mail of many tenants their own ways: what is for a
// tenant goes to the tenant's servers, what comes from one leaves through the
// tenant's gateway. Who is a tenant stands in its configuration.
//
// It refuses, at start, a tenant without any way, a domain or login that two
// tenants claim, and an unknown TLS policy.
//
// Invariants: an answer depends on the event and the configuration alone. The
// mail of a suspended tenant is held or put off and never lost: an operator
// lets it go when the tenant is back.
package router

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/programmable-mta/mta/sdk"
)

// New makes the plugin.
func New() sdk.Plugin { return &plugin{} }

// tenant is one as it stands in the configuration.
type tenant struct {
	Domains   []string `json:"domains"`   // "example.org", or ".example.org" for all below it
	Logins    []string `json:"logins"`    // who sends for it
	Inbound   *way     `json:"inbound"`   // mail to its domains
	Outbound  *way     `json:"outbound"`  // mail from its logins, and its domains
	Suspended bool     `json:"suspended"` // nothing of it moves

	name string
}

// way is how mail is handed on.
type way struct {
	Via   string   `json:"via"` // smtp is the default
	Hosts []string `json:"hosts"`
	TLS   string   `json:"tls"`
	Pool  string   `json:"pool"` // of the addresses that it leaves from
}

type plugin struct {
	Tenants map[string]*tenant `json:"tenants"`

	domains map[string]*tenant // ".example.org" for those below
	logins  map[string]*tenant
}

// HooksNeverBlock implements [sdk.Inline].
func (p *plugin) HooksNeverBlock() {}

// Describe implements [sdk.Describer].
func (p *plugin) Describe() sdk.Description {
	return sdk.Description{
		Name: "tenant-router", Version: "1.0.0",
		Hooks: map[string][]string{
			"rcpt":  {"recipient.addr"},
			"route": {"envelope.from", "envelope.origin.login", "recipient.addr"},
		},
		Wants: []string{"relay"},
	}
}

// Start implements [sdk.Plugin].
func (p *plugin) Start(_ context.Context, _ sdk.Host, config []byte) error {
	if err := sdk.DecodeConfig(config, p); err != nil {
		return err
	}
	if len(p.Tenants) == 0 {
		return errors.New("tenant-router: there are no tenants, so it would do nothing")
	}
	p.domains, p.logins = make(map[string]*tenant), make(map[string]*tenant)
	for _, name := range slices.Sorted(maps.Keys(p.Tenants)) {
		t := p.Tenants[name]
		if t == nil {
			return fmt.Errorf("tenant-router: tenant %s is empty", name)
		}
		t.name = name
		if err := t.check(); err != nil {
			return fmt.Errorf("tenant-router: tenant %s: %w", name, err)
		}
		if err := claim(p.domains, t.Domains, t); err != nil {
			return err
		}
		if err := claim(p.logins, t.Logins, t); err != nil {
			return err
		}
	}
	return nil
}

func (t *tenant) check() error {
	switch {
	case len(t.Domains) == 0 && len(t.Logins) == 0:
		return errors.New("it has neither domains nor logins")
	case t.Inbound == nil && t.Outbound == nil && !t.Suspended:
		return errors.New("it has neither an inbound nor an outbound way")
	case t.Inbound != nil && len(t.Domains) == 0:
		return errors.New("its inbound way is for no domain")
	}
	for _, w := range []*way{t.Inbound, t.Outbound} {
		if w == nil {
			continue
		}
		if w.Via == "" {
			w.Via = "smtp"
		}
		if len(w.Hosts) == 0 && (w.Via == "smtp" || w.Via == "lmtp") {
			return fmt.Errorf("a way via %s needs hosts", w.Via)
		}
		if !slices.Contains([]string{"", "none", "may", "encrypt", "verify", "dane"}, w.TLS) {
			return fmt.Errorf("tls = %q is none of none, may, encrypt, verify, dane", w.TLS)
		}
	}
	return nil
}

func claim(m map[string]*tenant, names []string, t *tenant) error {
	for _, n := range names {
		n = strings.ToLower(n)
		if other := m[n]; other != nil {
			return fmt.Errorf("tenant-router: %s belongs to %s and to %s", n, other.name, t.name)
		}
		m[n] = t
	}
	return nil
}

// Close implements [sdk.Plugin].
func (p *plugin) Close() error { return nil }

// OnRcpt accepts mail for tenants. It counts when the configuration grants relay.
func (p *plugin) OnRcpt(_ context.Context, e *sdk.RcptEvent) (sdk.Answer, error) {
	t := p.owner(sdk.Domain(e.Recipient.Addr))
	switch {
	case t == nil:
		return sdk.Answer{}, nil
	case t.Suspended:
		a := sdk.Deferred("4.2.1", "this mailbox is not served at the moment")
		a.Reason = "tenant " + t.name + " is suspended"
		return a, nil
	case t.Inbound == nil:
		return sdk.Answer{}, nil
	}
	return sdk.Answer{Action: sdk.Accept, Reason: "tenant " + t.name}, nil
}

// OnRoute asks whose mail it is: first by where it goes, then by who sent it.
func (p *plugin) OnRoute(_ context.Context, e *sdk.RouteEvent) (sdk.RouteAnswer, error) {
	if t := p.owner(sdk.Domain(e.Recipient.Addr)); t != nil && (t.Inbound != nil || t.Suspended) {
		return t.answer(t.Inbound, "to"), nil
	}
	// A login is proof of who sends, the reverse-path only a claim: it is asked
	// when nobody has logged in.
	t := p.logins[strings.ToLower(e.Envelope.Origin.Login)]
	if e.Envelope.Origin.Login == "" {
		t = p.owner(sdk.Domain(e.Envelope.From))
	}
	if t != nil && (t.Outbound != nil || t.Suspended) {
		return t.answer(t.Outbound, "from"), nil
	}
	return sdk.RouteAnswer{}, nil
}

func (t *tenant) answer(w *way, direction string) sdk.RouteAnswer {
	if t.Suspended {
		return sdk.RouteAnswer{Action: sdk.RouteHold, Reason: "tenant " + t.name + " is suspended"}
	}
	rule := "tenant " + t.name + ": " + direction
	return sdk.RouteAnswer{Action: sdk.RouteUse, Reason: rule, Route: sdk.Route{Via: w.Via, Hosts: w.Hosts, TLS: w.TLS, Pool: w.Pool, Rule: rule}}
}

// owner finds the tenant of a domain: its own name first, then the nearest
// domain above it that takes all below.
func (p *plugin) owner(domain string) *tenant {
	domain = strings.ToLower(domain)
	if domain == "" {
		return nil
	}
	if t := p.domains[domain]; t != nil {
		return t
	}
	for i := range len(domain) {
		if domain[i] == '.' && i > 0 {
			if t := p.domains[domain[i:]]; t != nil {
				return t
			}
		}
	}
	return nil
}
