// Package relay decides who may send to whom, and is closed by default: what
// neither of its two lists allows is left to others, and when nobody accepts a
// recipient the relay refuses it.
//
// It accepts a recipient in one of our domains from everybody, and any recipient
// from a trusted client: one that has logged in or that connects from one of
// our networks. A bare "postmaster" is always accepted (RFC 5321 §4.5.1). An
// address that a plugin in front has rewritten is judged as the client gave it.
//
// It refuses sender-specified routing into our domains from clients that are
// not trusted: a local part with "%", "!" or "@" in it, quoted or not, which a
// system behind this relay might take for an address somewhere else.
//
// Invariants: an address literal is never one of our domains; an answer depends
// on the event and the configuration alone.
package relay

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"github.com/programmable-mta/mta/sdk"
)

// New makes the plugin.
func New() sdk.Plugin { return &plugin{} }

type plugin struct {
	exact    map[string]string // domain -> reason
	suffixes map[string]string // ".domain" -> reason
	networks []network
}

type network struct {
	netip.Prefix
	reason string
}

// Start implements [sdk.Plugin].
func (p *plugin) Start(_ context.Context, _ sdk.Host, config []byte) error {
	var c struct {
		Domains  []string `json:"domains"`
		Networks []string `json:"networks"`
	}
	if err := sdk.DecodeConfig(config, &c); err != nil {
		return err
	}
	p.exact, p.suffixes = make(map[string]string), make(map[string]string)
	for _, d := range c.Domains {
		if err := checkDomain(d); err != nil {
			return fmt.Errorf("relay: domain %q: %w", d, err)
		}
		at, d := p.exact, strings.ToLower(d)
		if d[0] == '.' {
			at = p.suffixes
		}
		at[d] = "domain " + d + " is ours"
	}
	for _, s := range c.Networks {
		n, err := parseNetwork(s)
		if err != nil {
			return fmt.Errorf("relay: network %q: %w", s, err)
		}
		p.networks = append(p.networks, network{n, "network " + n.String() + " is trusted"})
	}
	return nil
}

func checkDomain(d string) error {
	name := strings.TrimPrefix(d, ".")
	switch {
	case strings.HasPrefix(d, "*"):
		return fmt.Errorf(`write ".example.org" for the names below a domain; all domains together would be an open relay`)
	case strings.HasPrefix(d, "["):
		return fmt.Errorf("address literals are never ours; name a domain")
	case name == "" || strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") || strings.ContainsAny(name, "@ \t*/:"):
		return fmt.Errorf(`write "example.org", or ".example.org" for the names below it`)
	}
	for _, r := range name {
		if r > 0x7e {
			return fmt.Errorf("write it in A-labels (xn--...), as addresses reach a plugin")
		}
	}
	return nil
}

func parseNetwork(s string) (netip.Prefix, error) {
	n, err := netip.ParsePrefix(s)
	if a, aerr := netip.ParseAddr(s); aerr == nil {
		n, err = netip.PrefixFrom(a, a.BitLen()), nil
	}
	switch {
	case err != nil:
		return n, fmt.Errorf(`write "192.0.2.0/24" or "2001:db8::/32"`)
	case n.Bits() == 0:
		return n, fmt.Errorf("it is the whole Internet, which would be an open relay")
	case n.Addr().Is4In6():
		return n, fmt.Errorf("write the IPv4 network itself")
	case n != n.Masked():
		return n, fmt.Errorf("bits behind the prefix are set; write %q", n.Masked())
	}
	return n, nil
}

// Close implements [sdk.Plugin].
func (p *plugin) Close() error { return nil }

// HooksNeverBlock implements [sdk.Inline].
func (p *plugin) HooksNeverBlock() {}

// OnRcpt implements [sdk.RcptHook].
func (p *plugin) OnRcpt(_ context.Context, e *sdk.RcptEvent) (sdk.Answer, error) {
	addr := e.Recipient.Addr
	if e.Recipient.Orig != "" {
		// A plugin in front has rewritten it. What the client asked for is what
		// it may or may not; where our own aliases lead is our business.
		addr = e.Recipient.Orig
	}
	if strings.EqualFold(addr, "postmaster") {
		return accept("postmaster is always reachable")
	}
	if e.Session.Login != "" {
		return accept("the client has logged in")
	}
	if reason := p.trusted(e.Session.RemoteIP); reason != "" {
		return accept(reason)
	}
	reason := p.ours(sdk.Domain(addr))
	if reason == "" {
		return sdk.Answer{Reason: "neither is the domain ours nor the client trusted"}, nil
	}
	if strings.ContainsAny(sdk.LocalPart(addr), "%!@") {
		a := sdk.Rejected("5.7.1", "sender-specified routing refused")
		a.Reply.Code = 550
		return a, nil
	}
	return accept(reason)
}

func accept(reason string) (sdk.Answer, error) {
	return sdk.Answer{Action: sdk.Accept, Reason: reason}, nil
}

// trusted is why a client may send anywhere, or "".
func (p *plugin) trusted(ip string) string {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return ""
	}
	a = a.Unmap().WithZone("")
	for i := range p.networks {
		if p.networks[i].Contains(a) {
			return p.networks[i].reason
		}
	}
	return ""
}

// ours is why mail for a domain is accepted, or "".
func (p *plugin) ours(domain string) string {
	domain = strings.ToLower(domain)
	if domain == "" || domain[0] == '[' {
		return ""
	}
	if reason := p.exact[domain]; reason != "" {
		return reason
	}
	for i := 1; i < len(domain) && len(p.suffixes) > 0; i++ {
		if domain[i] == '.' {
			if reason := p.suffixes[domain[i:]]; reason != "" {
				return reason
			}
		}
	}
	return ""
}
