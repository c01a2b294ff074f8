package fetch

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

const (
	maxPatterns = 256
	httpsPort   = 443
)

// pattern is one entry of an allow-list: a port, and a name, the names below
// one, or a network.
type pattern struct {
	name  string       // without the dot at the end, in lower case; empty: a network
	below bool         // "*.name": what ends in "."+name
	net   netip.Prefix // of one address as well
	port  uint16
}

// parsePatterns reads an allow-list. Every bad entry has a fault of its own.
func parsePatterns(list []string) ([]pattern, error) {
	if len(list) > maxPatterns {
		return nil, fmt.Errorf("fetch: %d entries in an allow-list; at most %d are taken", len(list), maxPatterns)
	}
	var all []pattern
	var faults []error
	for _, s := range list {
		p, err := parsePattern(s)
		if err != nil {
			faults = append(faults, fmt.Errorf("fetch: %q cannot be allowed: %w", s, err))
			continue
		}
		all = append(all, p)
	}
	return all, errors.Join(faults...)
}

func parsePattern(s string) (p pattern, err error) {
	switch {
	case s == "":
		return p, errors.New(`it is empty; right would be "api.example.net:443"`)
	case strings.Contains(s, "://"):
		return p, errors.New(`write host and port without a scheme, "api.example.net:443"`)
	case strings.Contains(s, "@"):
		return p, errors.New("user names have no place in it")
	}
	host, port := s, ""
	bracketed := strings.HasPrefix(s, "[")
	switch {
	case bracketed:
		end := strings.LastIndexByte(s, ']')
		if end < 0 {
			return p, errors.New("the closing bracket is missing")
		}
		host, port = s[1:end], s[end+1:]
		if port != "" && port[0] != ':' {
			return p, errors.New(`after the bracket comes ":" and the port`)
		}
	case strings.Count(s, ":") > 1: // whether the last number is a port, nobody can tell
		return p, errors.New(`write an IPv6 address in brackets, "[::1]:443"`)
	case strings.Contains(s, ":"):
		host, port = s[:strings.IndexByte(s, ':')], s[strings.IndexByte(s, ':'):]
	}
	if p.port, err = parsePort(port); err != nil {
		return p, err
	}
	if before, _, slash := strings.Cut(host, "/"); slash && !bracketed && !isNumeric(before) {
		return p, errors.New("paths have no place in it")
	}
	if isAddress := strings.ContainsAny(host, ":/"); isAddress || bracketed || isNumeric(host) {
		p.net, err = parseNet(host)
		if err == nil && bracketed && !p.net.Addr().Is6() {
			err = errors.New("brackets are for IPv6 addresses")
		}
		return p, err
	}
	p.name, p.below = strings.CutPrefix(strings.TrimSuffix(strings.ToLower(host), "."), "*.")
	switch {
	case strings.Contains(p.name, "*"):
		return p, errors.New(`"*" stands only for what is left of a name, as in "*.example.net"`)
	case !isHostname(p.name):
		return p, fmt.Errorf("%q is no host name in ASCII, and no address", host)
	case p.below && !strings.Contains(p.name, "."):
		return p, fmt.Errorf(`%q is too much; name at least the domain below, as in "*.example.%s"`, host, p.name)
	}
	return p, nil
}

// parsePort reads ":443"; nothing is 443.
func parsePort(s string) (uint16, error) {
	if s == "" {
		return httpsPort, nil
	}
	n, err := strconv.ParseUint(s[1:], 10, 16)
	if err != nil || n == 0 || s[1] == '0' {
		return 0, fmt.Errorf("%q is no port; right would be a number from 1 to 65535", s[1:])
	}
	return uint16(n), nil
}

func parseNet(s string) (netip.Prefix, error) {
	if !strings.Contains(s, "/") {
		a, err := netip.ParseAddr(s)
		if err != nil || a.Zone() != "" || a.Is4In6() {
			return netip.Prefix{}, fmt.Errorf("%q is no IP address without a zone", s)
		}
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	n, err := netip.ParsePrefix(s)
	if err != nil || n.Addr().Is4In6() {
		return n, fmt.Errorf("%q is no network; right would be \"10.0.0.0/8:443\" or \"[fd00::/8]:443\"", s)
	}
	if n != n.Masked() {
		return n, fmt.Errorf("%q is not the first address of its network; right would be %q", s, n.Masked())
	}
	if n.Bits() < 7 {
		return n, fmt.Errorf("%q is too much of the internet; name the networks that are meant", s)
	}
	return n, nil
}

// isHostname takes letters, digits, hyphens and underscores in labels of 1 to
// 63 octets. The last label is no number: what looks like "127.1" or "0x7f.1"
// is an address to some resolvers.
func isHostname(s string) bool {
	if len(s) == 0 || len(s) > 253 || isNumeric(s) {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if len(label) == 0 || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
				return false
			}
		}
	}
	return true
}

// isNumeric tells whether a host ends in a number, decimal or hexadecimal.
func isNumeric(host string) bool {
	host = strings.TrimSuffix(host, ".")
	last := host[strings.LastIndexByte(host, '.')+1:]
	if hex, ok := strings.CutPrefix(strings.ToLower(last), "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return last != "" && strings.Trim(last, "0123456789") == ""
}

// permitsName tells whether a host name and port are listed.
func (a *Access) permitsName(host string, port uint16) bool {
	for i := range a.list {
		p := &a.list[i]
		if p.port != port || p.name == "" {
			continue
		}
		if !p.below && host == p.name || p.below && len(host) > len(p.name)+1 && strings.HasSuffix(host, p.name) && host[len(host)-len(p.name)-1] == '.' {
			return true
		}
	}
	return false
}

// permitsAddr tells whether an address and port are listed as such.
func (a *Access) permitsAddr(addr netip.Addr, port uint16) bool {
	for i := range a.list {
		if p := &a.list[i]; p.port == port && p.name == "" && p.net.Contains(addr) {
			return true
		}
	}
	return false
}

// inner are networks that are not the public internet, beside what netip knows
// by name (RFC 6890, and its registries).
var inner = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"),  // RFC 6598: behind the provider's NAT
	netip.MustParsePrefix("192.0.0.0/24"),   // RFC 6890
	netip.MustParsePrefix("198.18.0.0/15"),  // RFC 2544: benchmarks
	netip.MustParsePrefix("240.0.0.0/4"),    // RFC 1112, with the broadcast address
	netip.MustParsePrefix("::/96"),          // RFC 4291 §2.5.5.1: IPv4 in disguise
	netip.MustParsePrefix("64:ff9b:1::/48"), // RFC 8215: translation within a site
	netip.MustParsePrefix("100::/64"),       // RFC 6666: discard
	netip.MustParsePrefix("2001::/32"),      // RFC 4380: Teredo carries an IPv4 address
	netip.MustParsePrefix("fec0::/10"),      // RFC 3879: site-local of old
}

var (
	nat64     = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052
	sixToFour = netip.MustParsePrefix("2002::/16")    // RFC 3056
)

// isPublic tells whether an address is one of the public internet, to which a
// listed name may lead. IPv4 addresses that are wrapped count as themselves.
func isPublic(a netip.Addr) bool {
	a = a.Unmap()
	if !a.IsValid() || a.Zone() != "" || a.IsLoopback() || a.IsPrivate() || a.IsUnspecified() || a.IsMulticast() ||
		a.IsLinkLocalUnicast() || a.IsInterfaceLocalMulticast() {
		return false
	}
	for _, n := range inner {
		if n.Contains(a) {
			return false
		}
	}
	b := a.As16()
	switch {
	case nat64.Contains(a):
		return isPublic(netip.AddrFrom4([4]byte(b[12:16])))
	case sixToFour.Contains(a):
		return isPublic(netip.AddrFrom4([4]byte(b[2:6])))
	}
	return true
}
