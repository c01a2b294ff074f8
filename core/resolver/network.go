package resolver

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"

	"github.com/miekg/dns"
)

// maxStray is how many packets that are no reply to our question are read
// before a server is given up; somebody is guessing.
const maxStray = 64

// overNetwork is the Exchange of a resolver with a real network. Each question
// has a socket of its own and so a port of its own, which together with the ID
// is what a forger must guess (RFC 5452 §9).
func overNetwork(ctx context.Context, network, server string, q *dns.Msg) (*dns.Msg, error) {
	var d net.Dialer
	nc, err := d.DialContext(ctx, network, server)
	if err != nil {
		return nil, err
	}
	c := &dns.Conn{Conn: nc, UDPSize: edns0Size}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { nc.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := c.WriteMsg(q); err != nil {
		return nil, err
	}
	for range maxStray {
		m, err := c.ReadMsg()
		switch {
		case err != nil && ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil && (network == "tcp" || m == nil && !errors.Is(err, dns.ErrShortRead)):
			return nil, err
		case network == "tcp":
			return m, nil
		case m != nil && fits(q, m) && (err == nil || m.Truncated):
			return m, nil
		}
		// Not ours: forged, late, or damaged. The real one may still come.
	}
	return nil, errors.New("resolver: too many packets that are no reply")
}

func netipFrom(b net.IP) (netip.Addr, bool) {
	ip, ok := netip.AddrFromSlice(b)
	return ip.Unmap(), ok
}
