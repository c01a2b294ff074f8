// Package resolver asks the DNS where mail goes: MX, addresses, TXT, and
// confirmed names of clients.
package resolver

import (
	"context"
	"net/netip"
	"time"

	"github.com/miekg/dns"

	"github.com/programmable-mta/mta/sdk"
)

// Exchange carries one question to one server, "address:port", over "udp" or
// "tcp", and brings back the reply.
type Exchange func(ctx context.Context, network, server string, m *dns.Msg) (*dns.Msg, error)

// Options are the resolver's surroundings; the zero value is the machine's own.
type Options struct {
	// Servers are name servers, address:port; empty: those of resolv.conf.
	Servers []string
	// Self are the names of this relay, SelfAddrs its addresses: an MX that is
	// one of them, and all worse ones, are removed (RFC 5321 §5.1).
	Self      []string
	SelfAddrs []netip.Addr
	// AllowPrivate lets MX hosts be at loopback, link-local and unspecified
	// addresses. For tests and --dev.
	AllowPrivate bool
	// Hosts is the hosts file; empty is /etc/hosts, "-" is none.
	Hosts string
	// Now is the clock of the cache.
	Now func() time.Time
	// Exchange replaces the network.
	Exchange Exchange
	// Rand chooses a number in [0,n); it shuffles exchangers of equal
	// preference. Nil is math/rand/v2.IntN.
	Rand func(n int) int
}

// Resolver is safe for concurrent use.
type Resolver struct{ o Options }

// New makes a resolver.
func New(o Options) *Resolver { return &Resolver{o: o} }

// MX finds where mail for a domain goes. Any error is a *sdk.DNSError.
func (r *Resolver) MX(ctx context.Context, domain string) (sdk.MX, error) {
	return sdk.MX{}, &sdk.DNSError{Name: domain, Temporary: true, Text: "no server"}
}

// Addrs finds the addresses of a host. No such host is (nil, nil).
func (r *Resolver) Addrs(ctx context.Context, host string) ([]netip.Addr, error) {
	return nil, &sdk.DNSError{Name: host, Temporary: true, Text: "no server"}
}

// MXAddrs is [Resolver.Addrs] for a host that the DNS named as an exchanger.
func (r *Resolver) MXAddrs(ctx context.Context, host string) ([]netip.Addr, error) {
	return r.Addrs(ctx, host)
}

// Lookup asks for the records of one kind. No such name and no such record are
// (nil, nil).
func (r *Resolver) Lookup(ctx context.Context, kind sdk.RecordKind, name string) ([]string, error) {
	return nil, &sdk.DNSError{Name: name, Temporary: true, Text: "no server"}
}

// PTR finds the name of an address, confirmed in both directions; "" if there
// is none.
func (r *Resolver) PTR(ctx context.Context, ip netip.Addr) (string, error) {
	return "", &sdk.DNSError{Name: ip.String(), Temporary: true, Text: "no server"}
}
