package resolver

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// How long a question may take.
const (
	wholeTime  = 15 * time.Second
	firstWait  = 2 * time.Second // per server, in the first round
	secondWait = 4 * time.Second
	maxServers = 8
)

// edns0Size avoids fragments on all paths (DNS flag day 2020).
const edns0Size = 1232

// maxLinks bounds a chain of CNAMEs.
const maxLinks = 10

// resolve asks the servers. It fails only when the caller's time is over, so
// that what is said about the question itself is always cached.
func (r *Resolver) resolve(ctx context.Context, q question) (*answer, error) {
	select {
	case r.asking <- struct{}{}:
		defer func() { <-r.asking }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	limited, cancel := context.WithTimeout(ctx, wholeTime)
	defer cancel()
	name, ttl := q.name, maxTTL
	for links := 0; ; {
		reply, fault, wait := r.askServers(limited, name, q.qtype)
		if reply == nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return &answer{status: unknown, fault: fault, ttl: wait}, nil
		}
		end, chain, n, err := follow(reply, name)
		if links += n; err != nil || links > maxLinks {
			return &answer{status: unknown, fault: "CNAME chain without an end", ttl: brokenTTL}, nil
		}
		ttl = min(ttl, chain)
		a := take(reply, end, q.qtype, ttl)
		if a.status == noData && n > 0 && !hasSOA(reply) {
			name = end // a forwarder that does not follow CNAMEs
			continue
		}
		return a, nil
	}
}

// askServers asks one server after the other, and those that were silent once
// more. Without a reply it says why, and how long to remember that.
func (r *Resolver) askServers(ctx context.Context, name string, qtype uint16) (reply *dns.Msg, fault string, wait time.Duration) {
	servers := r.servers()
	first := int(r.good.Load()) % len(servers)
	broken := make([]bool, len(servers))
	fault, wait = "no name server answered", silentTTL
	for _, timeout := range []time.Duration{firstWait, secondWait} {
		for i := range servers {
			n := (first + i) % len(servers)
			if broken[n] {
				continue
			}
			m, err := r.askServer(ctx, servers[n], name, qtype, timeout)
			if err == nil {
				r.good.Store(uint32(n))
				return m, "", 0
			}
			if ctx.Err() != nil {
				return nil, fault, wait
			}
			if bad := new(serverError); errors.As(err, &bad) {
				broken[n] = true
				fault, wait = bad.Error(), brokenTTL
			}
		}
	}
	return nil, fault, wait
}

// serverError is an answer that says nothing about the question.
type serverError struct{ server, text string }

func (e *serverError) Error() string { return "name server " + e.server + ": " + e.text }

// askServer asks one server, over UDP and if need be over TCP.
func (r *Resolver) askServer(ctx context.Context, server, name string, qtype uint16, timeout time.Duration) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	network, edns := "udp", true
	for {
		q := new(dns.Msg).SetQuestion(name, qtype)
		if edns {
			q.SetEdns0(edns0Size, false)
		}
		m, err := r.o.Exchange(ctx, network, server, q)
		if err != nil {
			return nil, err
		}
		if m == nil || !fits(q, m) {
			return nil, &serverError{server, "the reply does not fit the question"}
		}
		switch {
		case m.Truncated && network == "udp": // RFC 7766 §5
			network = "tcp"
			continue
		case (m.Rcode == dns.RcodeFormatError || m.Rcode == dns.RcodeNotImplemented) && edns: // RFC 6891 §7
			edns = false
			continue
		case m.Rcode == dns.RcodeSuccess && isLame(m):
			return nil, &serverError{server, "it does not answer for others"}
		case m.Rcode == dns.RcodeSuccess || m.Rcode == dns.RcodeNameError:
			return m, nil
		}
		text := dns.RcodeToString[m.Rcode]
		if text == "" {
			text = fmt.Sprintf("rcode %d", m.Rcode)
		}
		return nil, &serverError{server, text}
	}
}

// fits tells whether a message answers a question. Replies of failure may lack
// the question.
func fits(q, m *dns.Msg) bool {
	if !m.Response || m.Id != q.Id || m.Opcode != dns.OpcodeQuery {
		return false
	}
	if len(m.Question) == 0 {
		return m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError
	}
	a, b := q.Question[0], m.Question[0]
	return len(m.Question) == 1 && strings.EqualFold(a.Name, b.Name) && a.Qtype == b.Qtype && a.Qclass == b.Qclass
}

// isLame tells a server that only refers to others: we ask for recursion.
func isLame(m *dns.Msg) bool {
	return !m.RecursionAvailable && !m.Authoritative && len(m.Answer) == 0
}

// follow goes along the CNAMEs of a reply to the name that has the records.
func follow(m *dns.Msg, name string) (end string, ttl time.Duration, links int, err error) {
	ttl = maxTTL
	for {
		next := ""
		for _, rr := range m.Answer {
			if c, ok := rr.(*dns.CNAME); ok && c.Hdr.Class == dns.ClassINET && dns.CanonicalName(c.Hdr.Name) == name {
				next = dns.CanonicalName(c.Target)
				ttl = min(ttl, seconds(c.Hdr.Ttl))
				break
			}
		}
		if next == "" {
			return name, ttl, links, nil
		}
		if links++; links > maxLinks {
			return "", 0, links, errors.New("resolver: too many CNAMEs")
		}
		name = next
	}
}

// maxRecords is how many records of one answer are kept, but for MX, which are
// chosen by preference.
const maxRecords = 64

// take reads the records of one name and type out of a reply.
func take(m *dns.Msg, name string, qtype uint16, ttl time.Duration) *answer {
	a := &answer{}
	n := 0
	for _, rr := range m.Answer {
		h := rr.Header()
		if h.Rrtype != qtype || h.Class != dns.ClassINET || dns.CanonicalName(h.Name) != name {
			continue
		}
		if n++; n > maxRecords && qtype != dns.TypeMX {
			break
		}
		if a.add(rr) {
			ttl = min(ttl, seconds(h.Ttl))
		}
	}
	switch {
	case len(a.addrs)+len(a.text)+len(a.mx) > 0:
		a.ttl = clamp(ttl, minTTL, maxTTL)
	default:
		a.status = noData
		if m.Rcode == dns.RcodeNameError {
			a.status = noName
		}
		a.ttl = clamp(min(ttl, noneTTL(m)), minTTL, maxNoneTTL)
	}
	return a
}

// add keeps what a record says; false if it says nothing that can be used.
func (a *answer) add(rr dns.RR) bool {
	switch rr := rr.(type) {
	case *dns.A:
		return a.addAddr(rr.A)
	case *dns.AAAA:
		return a.addAddr(rr.AAAA)
	case *dns.TXT:
		var b strings.Builder
		for _, s := range rr.Txt {
			unescape(&b, s)
		}
		a.text = append(a.text, b.String())
	case *dns.PTR:
		a.text = append(a.text, strings.TrimSuffix(dns.CanonicalName(rr.Ptr), "."))
	case *dns.MX:
		a.mx = append(a.mx, exchanger{dns.CanonicalName(rr.Mx), rr.Preference})
	default:
		return false
	}
	return true
}

func (a *answer) addAddr(b net.IP) bool {
	ip, ok := netipFrom(b)
	if !ok {
		return false
	}
	for _, old := range a.addrs {
		if old == ip {
			return true
		}
	}
	a.addrs = append(a.addrs, ip)
	return true
}

// noneTTL is how long it may be believed that there is none (RFC 2308 §5).
func noneTTL(m *dns.Msg) time.Duration {
	for _, rr := range m.Ns {
		if soa, ok := rr.(*dns.SOA); ok {
			return min(seconds(soa.Hdr.Ttl), seconds(soa.Minttl))
		}
	}
	return noSOATTL
}

func hasSOA(m *dns.Msg) bool {
	for _, rr := range m.Ns {
		if _, ok := rr.(*dns.SOA); ok {
			return true
		}
	}
	return false
}

// seconds reads a TTL; one with the top bit set is zero (RFC 2181 §8).
func seconds(ttl uint32) time.Duration {
	if ttl > math.MaxInt32 {
		return 0
	}
	return time.Duration(ttl) * time.Second
}

// unescape turns the presentation form of a character-string (RFC 1035 §5.1),
// in which the DNS library gives it, back into its octets.
func unescape(b *strings.Builder, s string) {
	digit := func(i int) bool { return i < len(s) && s[i] >= '0' && s[i] <= '9' }
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] != '\\' || i+1 == len(s):
			b.WriteByte(s[i])
		case digit(i+1) && digit(i+2) && digit(i+3):
			b.WriteByte(byte(int(s[i+1]-'0')*100 + int(s[i+2]-'0')*10 + int(s[i+3]-'0')))
			i += 3
		default:
			i++
			b.WriteByte(s[i])
		}
	}
}
