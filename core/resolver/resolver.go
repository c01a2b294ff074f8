// Package resolver asks the DNS where mail goes and who a client is: MX,
// addresses, TXT, and names confirmed in both directions.
//
// It is a stub resolver (RFC 1034 §5.3.1) with a cache: it asks the recursive
// servers that it is told, over UDP with EDNS0 and over TCP what was cut off,
// and passes on to the next server where one does not know its business. What
// it learns lives as long as it says, but at least 5 s and at most 1 h; that
// something is not there at most 15 min; that a question could not be answered
// 5 to 30 s. Many askers of one question wait for one answer.
//
// It refuses replies that do not fit the question, CNAME chains of more than
// ten links, and exchangers at addresses where no foreign mail can go
// (loopback, unspecified, link-local, multicast): a domain that names them
// wants the relay to talk to itself or its neighbours.
//
// Invariants: "there is none" and "nobody knows" are never confused, because
// the first ends a message and the second keeps it. No error is anything else
// than a *sdk.DNSError. Memory is bounded by the cache's weight, time by the
// context and by 15 s.
//
// Domains come in A-labels; a name with other characters is converted as IDNA
// 2008 wants it looked up. Nothing is ever searched for in the local domain.
package resolver

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/miekg/dns"

	"github.com/programmable-mta/mta/sdk"
)

// Exchange carries one question to one server, "address:port", over "udp" or
// "tcp", and brings back the reply.
type Exchange func(ctx context.Context, network, server string, m *dns.Msg) (*dns.Msg, error)

// Options are the resolver's surroundings; the zero value is the machine's own.
type Options struct {
	// Servers are name servers, address:port, asked in this order; empty: those
	// of resolv.conf, which is read again when it changes.
	Servers []string
	// Self are the names of this relay, SelfAddrs its addresses: an MX that is
	// one of them, and all that are not better, are removed (RFC 5321 §5.1).
	Self      []string
	SelfAddrs []netip.Addr
	// AllowPrivate lets exchangers be at loopback, link-local, multicast and
	// unspecified addresses. For tests and --dev.
	AllowPrivate bool
	// ResolvConf and Hosts are the system's files; empty are those in /etc, "-"
	// is none.
	ResolvConf string
	Hosts      string
	// Now is the clock of the cache; nil is time.Now.
	Now func() time.Time
	// Exchange replaces the network.
	Exchange Exchange
	// Rand chooses a number in [0,n); it shuffles exchangers of equal
	// preference. Nil is math/rand/v2.IntN.
	Rand func(n int) int
}

// Resolver is safe for concurrent use. It has no goroutines of its own and
// needs no closing.
type Resolver struct {
	o      Options
	self   map[string]bool
	cache  *otter.Cache[question, *answer]
	conf   watched[[]string]
	hosts  watched[hostsFile]
	asking chan struct{} // bounds the questions on their way
	good   atomic.Uint32 // index of the server that answered last
}

// maxAsking is how many questions may be on their way at the same time; each
// has a socket of its own, so that its port cannot be foreseen.
const maxAsking = 512

// New makes a resolver.
func New(o Options) *Resolver {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Exchange == nil {
		o.Exchange = overNetwork
	}
	if o.Rand == nil {
		o.Rand = rand.IntN
	}
	r := &Resolver{o: o, self: map[string]bool{}, asking: make(chan struct{}, maxAsking)}
	for _, name := range o.Self {
		if n, ok := canonical(name); ok {
			r.self[n] = true
		}
	}
	r.cache = newCache(o.Now)
	r.conf = watched[[]string]{path: orDefault(o.ResolvConf, "/etc/resolv.conf"), parse: parseResolvConf}
	r.hosts = watched[hostsFile]{path: orDefault(o.Hosts, "/etc/hosts"), parse: parseHosts}
	return r
}

// Addrs finds the addresses of a host: IPv4 first, then IPv6, both as the DNS
// gave them. An IP address stands for itself, "localhost" for loopback, and
// /etc/hosts comes before the DNS. No such host is (nil, nil).
func (r *Resolver) Addrs(ctx context.Context, host string) ([]netip.Addr, error) {
	if ip, ok := literal(host); ok {
		return []netip.Addr{ip}, nil
	}
	name, ok := canonical(host)
	if !ok {
		return nil, nil
	}
	if found := r.hosts.get(r.o.Now()).addrs[name]; len(found) > 0 {
		return append([]netip.Addr(nil), found...), nil
	}
	if isLocalhost(name) { // RFC 6761 §6.3: never asked of the DNS
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}, nil
	}
	six, ok := r.cache.GetIfPresent(question{name, dns.TypeAAAA})
	if ok { // no need for a second goroutine
		four, err := r.ask(ctx, name, dns.TypeA)
		return both(four, err, six, six.err(name))
	}
	var sixErr error
	done := make(chan struct{})
	go func() {
		defer close(done)
		six, sixErr = r.ask(ctx, name, dns.TypeAAAA)
	}()
	four, err := r.ask(ctx, name, dns.TypeA)
	<-done
	return both(four, err, six, sixErr)
}

// both puts the answers of the two families together. Half an answer is enough
// to deliver, but not enough to say that there is none, unless it is NXDOMAIN,
// which is about the name and not about the type (RFC 8020).
func both(four *answer, err4 error, six *answer, err6 error) ([]netip.Addr, error) {
	var all []netip.Addr
	if err4 == nil {
		all = append(all, four.addrs...)
	}
	if err6 == nil {
		all = append(all, six.addrs...)
	}
	switch {
	case len(all) > 0:
		return all, nil
	case err4 == nil && four.status == noName, err6 == nil && six.status == noName:
		return nil, nil
	case err4 != nil:
		return nil, err4
	}
	return nil, err6
}

// MXAddrs is [Resolver.Addrs] for a host that was named by the MX of a foreign
// domain: addresses where no foreign mail can go are left out. Hosts that the
// operator wrote down are looked up with Addrs.
func (r *Resolver) MXAddrs(ctx context.Context, host string) ([]netip.Addr, error) {
	all, err := r.Addrs(ctx, host)
	if err != nil || r.o.AllowPrivate {
		return all, err
	}
	var public []netip.Addr
	for _, ip := range all {
		if !forbidden(ip) {
			public = append(public, ip)
		}
	}
	return public, nil
}

// Lookup asks for the records of one kind. No such name and no such record are
// (nil, nil).
func (r *Resolver) Lookup(ctx context.Context, kind sdk.RecordKind, name string) ([]string, error) {
	if kind == sdk.RecordPTR {
		ip, ok := literal(name)
		if !ok {
			return nil, &sdk.DNSError{Name: name, Text: "a PTR record is looked up by an IP address"}
		}
		a, err := r.ask(ctx, reverse(ip), dns.TypePTR)
		if err != nil {
			return nil, renamed(err, name)
		}
		return append([]string(nil), a.text...), nil
	}
	qtype, ok := map[sdk.RecordKind]uint16{sdk.RecordA: dns.TypeA, sdk.RecordAAAA: dns.TypeAAAA, sdk.RecordTXT: dns.TypeTXT}[kind]
	if !ok {
		return nil, &sdk.DNSError{Name: name, Text: "no such kind of record: " + string(kind)}
	}
	fqdn, ok := canonical(name)
	if !ok {
		return nil, nil
	}
	a, err := r.ask(ctx, fqdn, qtype)
	if err != nil {
		return nil, err
	}
	found := append([]string(nil), a.text...)
	for _, ip := range a.addrs {
		found = append(found, ip.String())
	}
	return found, nil
}

// maxNames is how many names of one address are confirmed; hosts with
// hundreds of them are there to cost somebody time.
const maxNames = 5

// PTR finds the name of an address, confirmed in both directions; "" if there
// is none.
func (r *Resolver) PTR(ctx context.Context, ip netip.Addr) (string, error) {
	ip = ip.Unmap().WithZone("")
	if !ip.IsValid() {
		return "", nil
	}
	if name := r.hosts.get(r.o.Now()).names[ip]; name != "" {
		return strings.TrimSuffix(name, "."), nil
	}
	a, err := r.ask(ctx, reverse(ip), dns.TypePTR)
	if err != nil {
		return "", renamed(err, ip.String())
	}
	var unknown error
	for i, name := range a.text {
		if i == maxNames {
			break
		}
		fqdn, ok := canonical(name)
		if !ok || !isHost(fqdn) || isLocalhost(fqdn) {
			continue
		}
		addrs, err := r.Addrs(ctx, fqdn)
		if err != nil {
			unknown = err
		}
		for _, back := range addrs {
			if back == ip {
				return strings.TrimSuffix(fqdn, "."), nil
			}
		}
	}
	return "", unknown
}

// ask answers from the cache or from the servers. The error is temporary: a
// fault of the servers, or the end of the caller's time.
func (r *Resolver) ask(ctx context.Context, name string, qtype uint16) (*answer, error) {
	a, err := r.cache.Get(ctx, question{name, qtype}, otter.LoaderFunc[question, *answer](r.resolve))
	if err != nil {
		return nil, &sdk.DNSError{Name: strings.TrimSuffix(name, "."), Temporary: true, Text: "no answer before the time was over"}
	}
	return a, a.err(name)
}

// err is the error that an answer is, or nil.
func (a *answer) err(name string) error {
	if a.status != unknown {
		return nil
	}
	return &sdk.DNSError{Name: strings.TrimSuffix(name, "."), Temporary: true, Text: a.fault}
}

// renamed puts the name that was asked for in place of one that was made of it.
func renamed(err error, name string) error {
	var e *sdk.DNSError
	if errors.As(err, &e) {
		return &sdk.DNSError{Name: name, Temporary: e.Temporary, Text: e.Text}
	}
	return err
}

func orDefault(path, def string) string {
	if path == "" {
		return def
	}
	return path
}
