package smtpout

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/programmable-mta/mta/core/smtp"
	"github.com/programmable-mta/mta/sdk"
)

// hop is one host of a route.
type hop struct {
	name string     // as written, without port; the name that a certificate must have
	port uint16     // 0 for a unix socket
	ip   netip.Addr // if the host is an address
	unix string     // path of a socket
}

// parseHops reads the hosts of a route: "host", "host:port", "192.0.2.1:25",
// "[2001:db8::1]:25", "[2001:db8::1]", "2001:db8::1", and "unix:/path" for LMTP.
func parseHops(hosts []string, lmtp bool) ([]hop, error) {
	if len(hosts) == 0 {
		return nil, errors.New("smtpout: route without hosts")
	}
	port := uint16(25)
	if lmtp {
		port = 24 // RFC 2033 §5 forbids 25
	}
	hops := make([]hop, len(hosts))
	for i, s := range hosts {
		h, err := parseHop(s, port, lmtp)
		if err != nil {
			return nil, err
		}
		hops[i] = h
	}
	return hops, nil
}

func parseHop(s string, port uint16, lmtp bool) (hop, error) {
	if path, ok := strings.CutPrefix(s, "unix:"); ok {
		if !lmtp || path == "" {
			return hop{}, fmt.Errorf("smtpout: host %q: a socket has a path, and is for LMTP only", s)
		}
		return hop{name: s, unix: path}, nil
	}
	h := hop{name: s, port: port}
	if i := strings.LastIndexByte(s, ':'); i >= 0 && (strings.IndexByte(s, ':') == i || s[i-1] == ']') {
		n, err := strconv.ParseUint(s[i+1:], 10, 16)
		if err != nil || n == 0 {
			return hop{}, fmt.Errorf("smtpout: host %q: bad port", s)
		}
		h.name, h.port = s[:i], uint16(n)
	}
	in, bracketed := strings.CutPrefix(h.name, "[")
	if bracketed {
		var closed bool
		if in, closed = strings.CutSuffix(in, "]"); !closed {
			return hop{}, fmt.Errorf("smtpout: host %q: bad address", s)
		}
	}
	if in != "" && (bracketed || strings.IndexByte(in, ':') >= 0 || in[len(in)-1] <= '9') {
		ip, err := netip.ParseAddr(in)
		if err == nil {
			h.name, h.ip = ip.String(), ip
			return h, nil
		}
		if bracketed {
			return hop{}, fmt.Errorf("smtpout: host %q: bad address", s)
		}
	}
	if !smtp.ValidDomain(strings.TrimSuffix(h.name, ".")) {
		return hop{}, fmt.Errorf("smtpout: host %q is no host name", s)
	}
	h.name = strings.ToLower(strings.TrimSuffix(h.name, "."))
	return h, nil
}

// addresses are those of a host, IPv6 and IPv4 in turn so that a broken network
// of one family does not use up the attempts of a pass (RFC 5321 §5.1, RFC 8305).
func (c *Client) addresses(ctx context.Context, h *hop, mx bool) ([]netip.Addr, error) {
	if h.ip.IsValid() {
		return []netip.Addr{h.ip}, nil
	}
	if c.o.Resolver == nil {
		return nil, &sdk.DNSError{Name: h.name, Temporary: true, Text: "no resolver"}
	}
	find := c.o.Resolver.Addrs
	if mx {
		find = c.o.Resolver.MXAddrs
	}
	all, err := find(ctx, h.name)
	if err != nil {
		return nil, err
	}
	return interleave(all), nil
}

func interleave(all []netip.Addr) []netip.Addr {
	var v4, v6 []netip.Addr
	for _, ip := range all {
		if ip = ip.Unmap(); ip.Is4() {
			v4 = append(v4, ip)
		} else {
			v6 = append(v6, ip)
		}
	}
	out := make([]netip.Addr, 0, len(all))
	for len(v4)+len(v6) > 0 {
		if len(v6) > 0 {
			out, v6 = append(out, v6[0]), v6[1:]
		}
		if len(v4) > 0 {
			out, v4 = append(out, v4[0]), v4[1:]
		}
	}
	return out
}

// dial opens a connection to one address of a host.
func (c *Client) dial(ctx context.Context, h *hop, ip netip.Addr, source string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.o.Timeouts.Connect)
	defer cancel()
	network, addr := "unix", h.unix
	if h.unix == "" {
		network, addr = "tcp", netip.AddrPortFrom(ip, h.port).String()
	}
	bound := source != "" && network == "tcp"
	switch {
	case bound && c.o.DialFrom != nil:
		return c.o.DialFrom(ctx, source, network, addr)
	case c.o.Dial != nil:
		return c.o.Dial(ctx, network, addr)
	}
	var d net.Dialer
	if bound {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(source)}
	}
	return d.DialContext(ctx, network, addr)
}

// remote is how a peer is written in outcomes and logs.
func (h *hop) remote(ip netip.Addr) string {
	if h.unix != "" {
		return h.name
	}
	return h.name + "[" + ip.String() + "]:" + strconv.Itoa(int(h.port))
}

// local tells whether what is sent there does not leave the machine.
func (h *hop) local(ip netip.Addr) bool { return h.unix != "" || ip.IsLoopback() }
