package config

import (
	"net"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// isHostname tells whether a name in lower case and A-labels is one that a
// host may have (RFC 1123 §2.1): letters, digits and hyphens, and not an
// address.
func isHostname(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	last := ""
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if c := label[i]; !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-') {
				return false
			}
		}
		last = label
	}
	return strings.Trim(last, "0123456789") != ""
}

// hostname brings a name into lower case and A-labels.
func hostname(s string) (string, bool) {
	s = strings.ToLower(strings.TrimSuffix(s, "."))
	if strings.IndexFunc(s, func(r rune) bool { return r > 0x7f }) >= 0 {
		a, err := idna.Lookup.ToASCII(s)
		if err != nil {
			return "", false
		}
		s = a
	}
	return s, isHostname(s)
}

// domainPattern brings "example.org", ".example.org" and "*.example.org" into
// lower case and A-labels; the last two are the same, and come out as the
// second.
func domainPattern(s string) (string, bool) {
	dot := ""
	if rest, ok := strings.CutPrefix(s, "*."); ok {
		s, dot = rest, "."
	} else if rest, ok := strings.CutPrefix(s, "."); ok {
		s, dot = rest, "."
	}
	name, ok := hostname(s)
	return dot + name, ok
}

// covers tells whether pattern a matches all that pattern b matches.
func covers(a, b string) bool {
	if a == "*" || strings.EqualFold(a, b) {
		return true
	}
	if _, domain, ok := cutAddress(b); ok {
		b = domain
	}
	return a == b || strings.HasPrefix(a, ".") && strings.HasSuffix(b, a)
}

// cutAddress takes "user@example.org" apart at its last "@".
func cutAddress(s string) (local, domain string, ok bool) {
	i := strings.LastIndexByte(s, '@')
	if i < 0 {
		return "", "", false
	}
	return s[:i], s[i+1:], true
}

// nextHop checks one entry of hosts and gives its host and port.
func nextHop(s string, port uint16) (host string, num uint16, ok bool) {
	if ip, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")); err == nil {
		return ip.String(), port, (ip.Is6() || !strings.HasPrefix(s, "[")) && ip.Zone() == ""
	}
	if !strings.Contains(s, ":") {
		name, ok := hostname(s)
		return name, port, ok
	}
	h, p, err := net.SplitHostPort(s)
	if err != nil {
		return "", 0, false
	}
	n, err := strconv.ParseUint(p, 10, 16)
	if err != nil || n == 0 {
		return "", 0, false
	}
	if ip, err := netip.ParseAddr(h); err == nil {
		return ip.String(), uint16(n), ip.Zone() == ""
	}
	name, ok := hostname(h)
	return name, uint16(n), ok
}
