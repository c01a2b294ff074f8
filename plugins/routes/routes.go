// Package routes sends recipients where the configuration says: static routes,
// of which the first that matches wins. A recipient without a match is left to
// the plugins behind it, usually to mx.
//
// It refuses, at start, a route that could never be used: without next hops
// where the transport needs some, with an unknown TLS policy, or behind a route
// that already takes everything.
//
// Invariants: an answer depends on the event and the configuration alone; the
// rule in an answer names the number of the route in the file and its pattern.
package routes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/programmable-mta/mta/sdk"
)

// New makes the plugin.
func New() sdk.Plugin { return &plugin{} }

// rule is one route as it stands in the configuration.
type rule struct {
	To     string   `json:"to"`
	From   string   `json:"from"`
	Via    string   `json:"via"`
	Hosts  []string `json:"hosts"`
	TLS    string   `json:"tls"`
	Source string   `json:"source"`
	Pool   string   `json:"pool"`
	Auth   struct {
		User         string `json:"user"`
		PasswordFile string `json:"password_file"`
	} `json:"auth"`
}

type plugin struct {
	routes []compiled
}

type compiled struct {
	to, from pattern
	answer   sdk.RouteAnswer
}

// Start implements [sdk.Plugin].
func (p *plugin) Start(_ context.Context, _ sdk.Host, config []byte) error {
	var c struct {
		Routes []rule `json:"routes"`
	}
	if err := sdk.DecodeConfig(config, &c); err != nil {
		return err
	}
	all := 0 // the route that takes everything
	for i, r := range c.Routes {
		compiled, err := compile(r, i+1)
		if err == nil && all > 0 {
			err = fmt.Errorf("it is never reached, route %d takes everything", all)
		}
		if err != nil {
			return fmt.Errorf("routes: route %d: %w", i+1, err)
		}
		if compiled.to.kind == anything && compiled.from.kind == anything {
			all = i + 1
		}
		p.routes = append(p.routes, compiled)
	}
	return nil
}

func compile(r rule, n int) (c compiled, err error) {
	if r.To == "" {
		return c, errors.New(`to is missing; write a domain, ".domain", an address, or "*"`)
	}
	if c.to, err = parsePattern(r.To); err != nil || c.to.kind == null {
		return c, fmt.Errorf(`to %q: write a domain, ".domain" or "*.domain" for the names below it, an address, or "*"`, r.To)
	}
	if r.From == "" {
		r.From = "*"
	}
	if c.from, err = parsePattern(r.From); err != nil {
		return c, fmt.Errorf(`from %q: write a domain, ".domain" or "*.domain" for the names below it, an address, "<>", or "*"`, r.From)
	}
	if r.Via == "" {
		r.Via = "smtp"
	}
	if (r.Via == "smtp" || r.Via == "lmtp") && len(r.Hosts) == 0 {
		return c, fmt.Errorf(`via %s needs hosts = ["host:port"]`, r.Via)
	}
	for _, h := range r.Hosts {
		if h == "" || strings.ContainsAny(h, " \t\r\n") {
			return c, fmt.Errorf("host %q: write host, host:port or address:port", h)
		}
		if strings.HasPrefix(h, "unix:") && r.Via == "smtp" {
			return c, fmt.Errorf("host %q: a unix socket needs via = \"lmtp\"", h)
		}
	}
	if !slices.Contains([]string{"", "none", "may", "encrypt", "verify", "dane"}, r.TLS) {
		return c, fmt.Errorf("tls %q: want none, may, encrypt, verify or dane", r.TLS)
	}
	if (r.Auth.User == "") != (r.Auth.PasswordFile == "") {
		return c, errors.New("auth needs user and password_file")
	}
	rule := "route " + strconv.Itoa(n) + ": to=" + r.To
	if r.From != "*" {
		rule += " from=" + r.From
	}
	c.answer = sdk.RouteAnswer{Action: sdk.RouteUse, Route: sdk.Route{
		Via: r.Via, Hosts: r.Hosts, TLS: r.TLS, Source: r.Source, Pool: r.Pool,
		User: r.Auth.User, PasswordFile: r.Auth.PasswordFile, Rule: rule,
	}}
	return c, nil
}

// Close implements [sdk.Plugin].
func (p *plugin) Close() error { return nil }

// HooksNeverBlock implements [sdk.Inline].
func (p *plugin) HooksNeverBlock() {}

// OnRoute implements [sdk.RouteHook].
func (p *plugin) OnRoute(_ context.Context, e *sdk.RouteEvent) (sdk.RouteAnswer, error) {
	for i := range p.routes {
		r := &p.routes[i]
		if r.to.match(e.Recipient.Addr) && r.from.match(e.Envelope.From) {
			return r.answer, nil
		}
	}
	return sdk.RouteAnswer{}, nil
}

// kind is how a pattern matches.
type kind uint8

const (
	anything kind = iota // *
	domain               // example.org
	below                // .example.org
	address              // user@example.org, or a local part that needs no domain: postmaster
	null                 // <>
)

type pattern struct {
	kind kind
	text string // lower case
}

func parsePattern(s string) (pattern, error) {
	p := pattern{text: strings.ToLower(s)}
	switch {
	case s == "*":
		return pattern{}, nil
	case s == "<>":
		return pattern{kind: null}, nil
	case strings.Contains(s, "@") || p.text == "postmaster":
		p.kind = address
		if d := sdk.Domain(p.text); p.text != "postmaster" && (d == "" || sdk.LocalPart(p.text) == "") {
			return p, errors.New("bad address")
		}
	case strings.HasPrefix(s, "*.") || strings.HasPrefix(s, "."):
		p.kind, p.text = below, strings.TrimPrefix(p.text, "*")
	default:
		p.kind = domain
	}
	name := strings.TrimPrefix(sdk.Domain("@"+p.text), ".")
	if p.kind == address {
		name = sdk.Domain(p.text)
	}
	if p.text != "postmaster" && (name == "" || name[0] == '.' || strings.HasSuffix(name, ".") || strings.ContainsAny(name, "*/<> \t")) {
		return p, errors.New("bad domain")
	}
	return p, nil
}

// match compares without regard to case, also in local parts: a route for
// Joe@ and not for joe@ helps nobody.
func (p *pattern) match(addr string) bool {
	switch p.kind {
	case anything:
		return true
	case domain:
		return strings.EqualFold(sdk.Domain(addr), p.text)
	case below:
		d := sdk.Domain(addr)
		n := len(d) - len(p.text)
		return n > 0 && strings.EqualFold(d[n:], p.text)
	case address:
		return strings.EqualFold(addr, p.text)
	case null:
		return addr == ""
	}
	return false
}
