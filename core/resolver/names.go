package resolver

import (
	"net/netip"
	"strings"

	"github.com/miekg/dns"
	"golang.org/x/net/idna"
)

// canonical brings a name into the form that the cache is keyed by: absolute,
// lower case, A-labels. It is false for what is no name at all.
func canonical(s string) (string, bool) {
	if strings.HasSuffix(s, ".") && len(s) <= 254 && isHost(s) {
		return s, true // it came from here
	}
	s = strings.TrimSuffix(s, ".")
	if s == "" || strings.ContainsAny(s, "\\\"()@;$ \t\r\n\x00") {
		return "", false // what master files give a meaning to stands in no host name
	}
	if strings.IndexFunc(s, func(r rune) bool { return r > 0x7f }) >= 0 {
		a, err := idna.Lookup.ToASCII(s)
		if err != nil {
			return "", false
		}
		s = a
	}
	s = dns.CanonicalName(s)
	for label := range strings.SplitSeq(strings.TrimSuffix(s, "."), ".") {
		if label == "" || len(label) > 63 {
			return "", false
		}
	}
	return s, len(s) <= 254
}

// isHost tells whether an absolute name can be that of a host: letters, digits,
// hyphens, and the underscores that many have, with a last label that is no
// number.
func isHost(fqdn string) bool {
	name := strings.TrimSuffix(fqdn, ".")
	last := ""
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if c := label[i]; !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
				return false
			}
		}
		last = label
	}
	return strings.Trim(last, "0123456789") != ""
}

// literal reads "192.0.2.1", "2001:db8::1" and the address literals of RFC 5321
// §4.1.3, "[192.0.2.1]" and "[IPv6:2001:db8::1]".
func literal(s string) (netip.Addr, bool) {
	if n := len(s); n == 0 || !strings.Contains(s, ":") && s[0] != '[' && (s[n-1] < '0' || s[n-1] > '9') {
		return netip.Addr{}, false // most names, without the cost of an error
	}
	if inner, ok := strings.CutPrefix(s, "["); ok {
		if inner, ok = strings.CutSuffix(inner, "]"); !ok {
			return netip.Addr{}, false
		}
		s = inner
		if len(s) > 5 && strings.EqualFold(s[:5], "IPv6:") {
			s = s[5:]
		}
	}
	ip, err := netip.ParseAddr(s)
	if err != nil || ip.Zone() != "" {
		return netip.Addr{}, false
	}
	return ip.Unmap(), true
}

// isLocalhost knows the names of RFC 6761 §6.3.
func isLocalhost(fqdn string) bool {
	return fqdn == "localhost." || strings.HasSuffix(fqdn, ".localhost.")
}

// reverse is the name that has the PTR record of an address.
func reverse(ip netip.Addr) string {
	name, err := dns.ReverseAddr(ip.String())
	if err != nil { // only for what is no address
		return "."
	}
	return name
}

var thisNetwork = netip.MustParsePrefix("0.0.0.0/8")
var reserved = netip.MustParsePrefix("240.0.0.0/4") // with the broadcast address

// forbidden are the addresses where no host of another site can be. Private
// networks (RFC 1918, RFC 4193) are not among them: the mail of many sites goes
// to exchangers there.
func forbidden(ip netip.Addr) bool {
	ip = ip.Unmap()
	return ip.IsLoopback() || ip.IsUnspecified() || ip.IsMulticast() || ip.IsLinkLocalUnicast() ||
		thisNetwork.Contains(ip) || reserved.Contains(ip)
}
