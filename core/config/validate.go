package config

import (
	"encoding/hex"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/programmable-mta/mta/sdk"
)

// validator checks what no single key can tell, and brings names into their
// one form.
type validator struct {
	*checker
	c *Config
	o LoadOptions
}

func (v *validator) all() {
	v.identity()
	v.listeners()
	v.resolver()
	v.relay()
	v.limits()
	v.plugins()
	v.routes()
	v.delivery()
}

func (v *validator) identity() {
	if p := v.root.child("hostname"); v.ok(p) {
		name, ok := hostname(v.c.Hostname)
		if !ok {
			v.fault(ruleHostname, p, show(v.c.Hostname))
		}
		v.c.Hostname = name
	}
	if p := v.root.child("spool"); v.absolute(p, v.c.Spool) && filepath.Clean(v.c.Spool) == "/" {
		v.fault(ruleSpoolRoot, p)
	}
	// sun_path has 108 octets, the last of which is NUL.
	if p := v.root.child("control").child("socket"); v.absolute(p, v.c.Control.Socket) && len(v.c.Control.Socket) > 107 {
		v.fault(ruleSocketLong, p, len(v.c.Control.Socket))
	}
}

func (v *validator) absolute(p place, path string) bool {
	if v.ok(p) && !filepath.IsAbs(path) {
		v.fault(ruleAbsolute, p, show(path))
	}
	return v.ok(p)
}

func (v *validator) listeners() {
	list := v.root.child("listen")
	if len(v.c.Listen) == 0 && v.ok(list) {
		v.fault(ruleNoListener, list)
	}
	type socket struct {
		addr netip.AddrPort
		key  string
	}
	var taken []socket
	take := func(p place, a netip.AddrPort) {
		if !v.ok(p) || !a.IsValid() {
			return
		}
		for _, s := range taken {
			if overlap(s.addr, a) {
				v.fault(ruleListenTwice, p, a, s.key)
				return
			}
		}
		taken = append(taken, socket{a, p.key})
	}
	for i, l := range v.c.Listen {
		p := list.item(i)
		take(p.child("address"), l.Address)
		if l.Profile == "lmtp" && l.Address.Port() == 25 {
			v.fault(ruleLMTPPort, p.child("address"))
		}
	}
	take(v.root.child("metrics").child("address"), v.c.Metrics.Address)
}

// overlap tells whether two sockets cannot be bound at the same time. "[::]"
// takes IPv4 too.
func overlap(a, b netip.AddrPort) bool {
	if a.Port() != b.Port() || a.Port() == 0 {
		return false
	}
	x, y := a.Addr(), b.Addr()
	return x == y || x == netip.IPv6Unspecified() || y == netip.IPv6Unspecified() ||
		x.Is4() && y.Is4() && (x.IsUnspecified() || y.IsUnspecified())
}

func (v *validator) resolver() {
	p := v.root.child("resolver").child("servers")
	for i, s := range v.c.Resolver.Servers {
		switch {
		case !s.IsValid():
		case s.Port() == 0:
			v.fault(rulePortZero, p.item(i))
		case slices.Contains(v.c.Resolver.Servers[:i], s):
			v.fault(ruleServerTwice, p.item(i), s)
		}
	}
}

// relay refuses what would make an open relay, always: nobody needs one, and
// whoever has one by mistake is on every block list within the day.
func (v *validator) relay() {
	domains := v.root.child("relay").child("domains")
	for i, s := range v.c.Relay.Domains {
		p := domains.item(i)
		name, ok := domainPattern(s)
		switch {
		case !v.ok(p):
		case strings.Trim(s, "*.") == "":
			v.fault(ruleAnyDomain, p, show(s))
		case strings.Contains(s, "@"):
			v.fault(ruleDomainAddress, p, show(s))
		case !ok:
			v.fault(ruleDomain, p, show(s))
		default:
			v.c.Relay.Domains[i] = name
		}
	}
	networks := v.root.child("relay").child("networks")
	for i, n := range v.c.Relay.Networks {
		p := networks.item(i)
		switch {
		case !n.IsValid() || !v.ok(p):
		case n.Bits() == 0:
			v.fault(ruleOpenRelay, p, show(n.String()))
		case n.Addr().Is4() && n.Bits() < 8 || n.Addr().Is6() && n.Bits() < 7: // 10/8 and fc00::/7 are the largest private ones
			v.fault(ruleWide, p, show(n.String()))
		}
	}
}

func (v *validator) limits() {
	l, p := &v.c.Limits, v.root.child("limits")
	fine := func(keys ...string) bool {
		return !slices.ContainsFunc(keys, func(k string) bool { return !v.ok(p.child(k)) })
	}
	if l.SessionsPerIP > l.Sessions && fine("sessions", "sessions_per_ip") {
		v.fault(rulePerIP, p.child("sessions_per_ip"), l.SessionsPerIP, l.Sessions)
	}
	if l.MessageSize > l.MinFree && fine("message_size", "min_free") {
		v.fault(ruleMinFree, p.child("message_size"), l.MessageSize, l.MinFree)
	}
	if l.BigBody > l.LogSegment && fine("big_body", "log_segment") {
		v.fault(ruleBodySegment, p.child("big_body"), l.BigBody, l.LogSegment)
	}
	if l.DataTotal < l.DataTimeout && fine("data_total", "data_timeout") {
		v.fault(ruleDataTotal, p.child("data_total"), FormatDuration(l.DataTotal), FormatDuration(l.DataTimeout))
	}
}

func (v *validator) delivery() {
	d, p := &v.c.Delivery, v.root.child("delivery")
	retry, lifetime, warning := p.child("retry"), p.child("lifetime"), p.child("delay_warning")
	if len(d.Retry) == 0 && v.ok(retry) {
		v.fault(ruleRetryEmpty, retry)
	}
	if len(d.Retry) > 0 && d.Lifetime < d.Retry[0] && v.ok(lifetime) && v.ok(retry.item(0)) {
		v.fault(ruleLifetime, lifetime, FormatDuration(d.Lifetime), FormatDuration(d.Retry[0]))
	}
	if d.DelayWarning >= d.Lifetime && v.ok(warning) && v.ok(lifetime) {
		v.fault(ruleWarning, warning, FormatDuration(d.DelayWarning), FormatDuration(d.Lifetime))
	}
}

func (v *validator) plugins() {
	list := v.root.child("plugin")
	for i := range v.c.Plugins {
		pl, p := &v.c.Plugins[i], list.item(i)
		v.pluginName(i, pl.Name, p.child("name"))
		v.pluginSource(pl, p.child("source"))
		v.pluginHooks(pl, p)
		v.pluginPowers(pl, p)
	}
}

func (v *validator) pluginName(i int, name string, p place) {
	if name == "" || !v.ok(p) {
		return
	}
	bad := func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-') }
	switch {
	case len(name) > 64 || strings.IndexFunc(name, bad) >= 0 || name[0] < 'a':
		v.fault(rulePluginName, p, show(name))
	case name == "smtp" || name == "lmtp":
		v.fault(rulePluginReserved, p, show(name))
	default:
		for j := range i {
			if v.c.Plugins[j].Name == name {
				v.fault(rulePluginTwice, p, show(name), item("plugin", j))
				return
			}
		}
	}
}

func (v *validator) pluginSource(pl *Plugin, p place) {
	if pl.Source == "" || !v.ok(p) {
		return
	}
	if kind := pl.Runtime(); kind == "wasm" || kind == "process" {
		return
	}
	name, ok := strings.CutPrefix(pl.Source, "builtin:")
	if !ok || name == "" {
		v.fault(ruleSource, p, show(pl.Source))
	} else if v.o.Builtins != nil && !slices.Contains(v.o.Builtins, name) {
		hint := "there are none"
		if near := nearest(name, v.o.Builtins); near != "" {
			hint = "did you mean " + near + "?"
		} else if len(v.o.Builtins) > 0 {
			hint = "write " + anyOf(v.o.Builtins)
		}
		v.fault(ruleBuiltin, p, show(name), hint)
	}
}

// pluginPowers refuses grants and limits that would do nothing for a plugin of
// its kind.
func (v *validator) pluginPowers(pl *Plugin, p place) {
	if at := p.child("sha256"); pl.SHA256 != "" && v.ok(at) {
		if b, err := hex.DecodeString(pl.SHA256); err != nil || len(b) != 32 {
			v.fault(ruleDigest, at, show(pl.SHA256))
		}
	}
	given := func(at place) bool { return at.n != nil && v.ok(at) }
	kind := pl.Runtime()
	if kind == "builtin" {
		for _, key := range []string{"dns", "body", "headers", "envelope", "clock", "send"} {
			if at := p.child("allow").child(key); given(at) {
				v.fault(ruleBuiltinPower, at, "a compiled-in plugin may do this anyway")
			}
		}
		for _, at := range []place{p.child("sha256"), p.child("limits").child("memory"), p.child("limits").child("fuel")} {
			if given(at) {
				v.fault(ruleBuiltinPower, at, "this has no meaning for a compiled-in plugin")
			}
		}
	}
	if at := p.child("limits").child("fuel"); kind == "process" && given(at) {
		v.fault(ruleBuiltinPower, at, "only wasm plugins have this limit; limits.deadline bounds a process")
	}
}

func (v *validator) pluginHooks(pl *Plugin, p place) {
	all := sdk.Hooks()
	for i, h := range pl.Hooks {
		at := p.child("hooks").item(i)
		switch {
		case !v.ok(at):
		case !slices.ContainsFunc(all, func(x sdk.HookInfo) bool { return x.Name == h }):
			v.fault(ruleHook, at, show(h), hookHint(h))
		case slices.Contains(pl.Hooks[:i], h):
			v.fault(ruleHookTwice, at, show(h))
		}
	}
	if len(pl.Hooks) == 0 {
		return
	}
	if on := p.child("on_error"); on.n != nil && on.n.keys != nil {
		for h := range pl.OnError {
			if at := on.child(h); !slices.Contains(pl.Hooks, h) && v.ok(at) {
				v.fault(ruleOnErrorUnused, at)
			}
		}
	}
	if pl.Allow.Relay && !slices.Contains(pl.Hooks, "rcpt") {
		v.fault(ruleAllowRelay, p.child("allow").child("relay"))
	}
}

func (v *validator) routes() {
	list := v.root.child("route")
	for i := range v.c.Routes {
		r, p := &v.c.Routes[i], list.item(i)
		v.pattern(&r.To, p.child("to"), ruleRouteTo)
		v.pattern(&r.From, p.child("from"), ruleRouteFrom)
		transport := v.transport(r, p.child("via"))
		v.hosts(r, p, transport)
		if auth := p.child("auth"); r.Auth != nil && v.ok(p.child("tls")) && v.ok(auth) {
			if transport == "plugin" {
				v.fault(ruleRouteAuthVia, auth)
			} else if r.TLS == "none" || r.TLS == "may" {
				v.fault(ruleRouteAuth, auth, r.TLS)
			}
		}
		if !v.ok(p.child("to")) || !v.ok(p.child("from")) || r.To == "" {
			continue
		}
		for j, earlier := range v.c.Routes[:i] {
			if covers(earlier.To, r.To) && covers(earlier.From, r.From) {
				v.fault(ruleRouteNever, p, item("route", j))
				break
			}
		}
	}
}

// pattern checks to and from.
func (v *validator) pattern(s *string, p place, r rule) {
	if *s == "" || *s == "*" || !v.ok(p) || r == ruleRouteFrom && *s == "<>" {
		return
	}
	name, ok := domainPattern(*s)
	if local, domain, is := cutAddress(*s); is {
		name, ok = hostname(domain)
		name, ok = local+"@"+name, ok && local != "" && !strings.ContainsAny(local, "<> ")
	}
	if !ok {
		v.fault(r, p, show(*s))
		return
	}
	*s = name
}

// transport tells what kind of transport a route has: smtp, lmtp, plugin, or ""
// after a fault.
func (v *validator) transport(r *Route, p place) string {
	if r.Via == "smtp" || r.Via == "lmtp" {
		return r.Via
	}
	if !v.ok(p) {
		return ""
	}
	i := slices.IndexFunc(v.c.Plugins, func(pl Plugin) bool { return pl.Name == r.Via })
	if i < 0 && r.Via == "discard" { // always there, without a [[plugin]]
		return "plugin"
	}
	if i < 0 {
		words := []string{"smtp", "lmtp", "discard"}
		for _, pl := range v.c.Plugins {
			words = append(words, pl.Name)
		}
		hint := ""
		if near := nearest(r.Via, words); near != "" {
			hint = ", perhaps " + near
		}
		v.fault(ruleRouteVia, p, show(r.Via), hint)
		return ""
	}
	switch pl := &v.c.Plugins[i]; {
	case pl.Mode == "off":
		v.fault(ruleRouteOff, p, pl.Name)
	case pl.Mode == "shadow":
		v.fault(ruleRouteShadow, p, pl.Name)
	case len(pl.Hooks) > 0 && !slices.Contains(pl.Hooks, "deliver"):
		v.fault(ruleRouteHooks, p, pl.Name)
	}
	return "plugin"
}

func (v *validator) hosts(r *Route, p place, transport string) {
	list := p.child("hosts")
	if transport == "smtp" || transport == "lmtp" {
		if len(r.Hosts) == 0 && v.ok(list) {
			v.fault(ruleRouteHosts, list, transport)
		}
	}
	port := uint16(25)
	if transport == "lmtp" {
		port = 24
	}
	for i, s := range r.Hosts {
		at := list.item(i)
		if !v.ok(at) {
			continue
		}
		if path, ok := strings.CutPrefix(s, "unix:"); ok {
			if transport == "smtp" {
				v.fault(ruleHostUnix, at)
			} else if v.absolute(at, path) && len(path) > 107 {
				v.fault(ruleSocketLong, at, len(path))
			}
			continue
		}
		host, num, ok := nextHop(s, port)
		if !ok {
			v.fault(ruleHost, at, show(s))
			continue
		}
		if l := v.ourself(host, num); l != "" {
			v.fault(ruleRouteSelf, at, show(s), l)
		}
	}
}

// ourself is the listener that a next hop would reach, or "". Only what is
// certain from the file is refused; other loops are found by counting hops.
func (v *validator) ourself(host string, port uint16) string {
	ip, err := netip.ParseAddr(host)
	if host == "localhost" {
		ip, err = netip.AddrFrom4([4]byte{127, 0, 0, 1}), nil
	}
	if err != nil {
		return ""
	}
	for i, l := range v.c.Listen {
		a := l.Address.Addr()
		if l.Address.Port() == port && (a == ip || a.IsValid() && a.IsUnspecified() && (ip.IsLoopback() || ip.IsUnspecified())) {
			return item("listen", i) + " at " + strconv.Quote(l.Address.String())
		}
	}
	return ""
}
