package resolver

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"

	"github.com/programmable-mta/mta/sdk"
)

// maxMX is how many exchangers of one domain are considered, the best ones.
const maxMX = 100

// maxVetted is how many of them are looked at for where they are, and vetTime
// how long that may keep a message waiting. What is not known by then is left
// in: whoever connects asks [Resolver.MXAddrs].
const (
	maxVetted = 10
	vetTime   = 3 * time.Second
)

// MX finds where mail for a domain goes (RFC 5321 §5.1). An address literal is
// its own exchanger. A host that is no host name, an IP address among them, is
// dropped as if it were not there, and so is a "." beside others (RFC 7505
// §3); a domain that has only such ones is NoDomain. A domain all of whose
// exchangers are at addresses where no foreign mail can go is an error that is
// not temporary. Any other error is temporary; all are *sdk.DNSError.
func (r *Resolver) MX(ctx context.Context, domain string) (sdk.MX, error) {
	if ip, ok := literal(domain); ok && strings.HasPrefix(domain, "[") {
		return r.only(ip.String(), slices.Contains(r.o.SelfAddrs, ip)), nil
	}
	name, ok := canonical(domain)
	if !ok || !isHost(name) {
		return sdk.MX{NoDomain: true}, nil
	}
	if isLocalhost(name) {
		return r.only(strings.TrimSuffix(name, "."), r.self[name]), nil
	}
	a, err := r.ask(ctx, name, dns.TypeMX)
	if err != nil {
		return sdk.MX{}, err
	}
	switch a.status {
	case noName:
		return sdk.MX{NoDomain: true}, nil
	case noData:
		return r.implicit(ctx, name)
	}
	if len(a.mx) == 1 && a.mx[0] == (exchanger{".", 0}) {
		return sdk.MX{Null: true}, nil
	}
	list := usable(a.mx)
	if len(list) == 0 {
		return sdk.MX{NoDomain: true}, nil
	}
	r.order(list)
	return r.vet(ctx, name, list)
}

func (r *Resolver) only(host string, self bool) sdk.MX {
	if self {
		return sdk.MX{Loops: true, Implicit: true}
	}
	return sdk.MX{Hosts: []string{host}, Implicit: true}
}

// implicit treats a domain without MX as its own exchanger, if it has an
// address (RFC 5321 §5.1).
func (r *Resolver) implicit(ctx context.Context, name string) (sdk.MX, error) {
	addrs, err := r.Addrs(ctx, name)
	if err != nil {
		return sdk.MX{}, err
	}
	if len(addrs) == 0 {
		return sdk.MX{NoDomain: true}, nil
	}
	mx, err := r.vet(ctx, name, []exchanger{{host: name}})
	mx.Implicit = true
	return mx, err
}

// usable drops what is no host, and all but the best record of each.
func usable(all []exchanger) []exchanger {
	list := slices.DeleteFunc(slices.Clone(all), func(x exchanger) bool { return !isHost(x.host) })
	slices.SortStableFunc(list, func(a, b exchanger) int { return cmp.Compare(a.preference, b.preference) })
	seen := make(map[string]bool, len(list))
	list = slices.DeleteFunc(list, func(x exchanger) bool {
		twice := seen[x.host]
		seen[x.host] = true
		return twice
	})
	return list[:min(len(list), maxMX)]
}

// order shuffles exchangers of equal preference, which shares the load among
// them (RFC 5321 §5.1). The list is sorted.
func (r *Resolver) order(list []exchanger) {
	for start, i := 0, 1; i <= len(list); i++ {
		if i < len(list) && list[i].preference == list[start].preference {
			continue
		}
		for j := i - 1; j > start; j-- {
			k := start + r.o.Rand(j-start+1)
			list[j], list[k] = list[k], list[j]
		}
		start = i
	}
}

// vet removes this relay with all that are not better than it, and exchangers
// at addresses where no foreign mail can go.
func (r *Resolver) vet(ctx context.Context, name string, list []exchanger) (sdk.MX, error) {
	self := make([]bool, len(list))
	bad := make([]netip.Addr, len(list))
	for i, x := range list {
		self[i] = r.self[x.host]
	}
	if len(r.o.SelfAddrs) > 0 || !r.o.AllowPrivate {
		r.whereabouts(ctx, list[:min(len(list), maxVetted)], self, bad)
	}
	best := -1
	for i, x := range list {
		if self[i] && (best < 0 || int(x.preference) < best) {
			best = int(x.preference)
		}
	}
	var mx sdk.MX
	var why netip.Addr
	for i, x := range list {
		switch {
		case best >= 0 && int(x.preference) >= best:
			mx.Loops = true
		case bad[i].IsValid():
			why = bad[i]
		default:
			mx.Hosts = append(mx.Hosts, strings.TrimSuffix(x.host, "."))
		}
	}
	if len(mx.Hosts) > 0 {
		mx.Loops = false
	} else if why.IsValid() && !mx.Loops {
		return sdk.MX{}, &sdk.DNSError{Name: strings.TrimSuffix(name, "."), Text: "its mail exchanger is at " + why.String() + ", where no mail from here can go"}
	}
	return mx, nil
}

// whereabouts looks up exchangers at the same time, and marks those that are
// this relay, and those with an address where none can be.
func (r *Resolver) whereabouts(ctx context.Context, list []exchanger, self []bool, bad []netip.Addr) {
	mark := func(ctx context.Context, i int) {
		addrs, err := r.Addrs(ctx, list[i].host)
		if err != nil {
			return
		}
		for _, ip := range addrs {
			if slices.Contains(r.o.SelfAddrs, ip) {
				self[i] = true
			}
			if !r.o.AllowPrivate && forbidden(ip) {
				bad[i] = ip
			}
		}
	}
	var wait []int
	for i, x := range list {
		if r.cached(x.host) {
			mark(ctx, i)
		} else {
			wait = append(wait, i)
		}
	}
	if len(wait) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, vetTime)
	defer cancel()
	var wg sync.WaitGroup
	for _, i := range wait {
		wg.Go(func() { mark(ctx, i) })
	}
	wg.Wait()
}

// cached tells whether both families of a host are known, so that looking them
// up takes no time.
func (r *Resolver) cached(host string) bool {
	_, four := r.cache.GetIfPresent(question{host, dns.TypeA})
	_, six := r.cache.GetIfPresent(question{host, dns.TypeAAAA})
	return four && six
}
