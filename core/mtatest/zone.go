package mtatest

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"
)

// ZoneServer answers DNS questions from text in the form of a master file
// (RFC 1035 §5), with every name in it absolute and a TTL of 300 s unless one is
// given. It plays a recursive server: CNAMEs are followed inside the text, and
// "*." stands for names that are not there.
//
// A line that begins with "!" makes a name misbehave:
//
//	!servfail broken.example     !refused x.example    !formerr x.example
//	!timeout slow.example        no answer at all
//	!truncate big.example        over UDP only the TC bit
//	!plain old.example           FORMERR to questions with EDNS0 (RFC 6891 §7)
type ZoneServer struct {
	t testing.TB

	mu    sync.Mutex
	rrs   map[string][]dns.RR
	names map[string]bool // with the empty non-terminals
	odd   map[string]string
	asked []string
	addr  string
}

// Zone reads the text; a fault in it ends the test.
func Zone(t testing.TB, text string) *ZoneServer {
	t.Helper()
	z := &ZoneServer{t: t}
	z.Set(text)
	return z
}

// Set replaces all that the server knows.
func (z *ZoneServer) Set(text string) {
	z.t.Helper()
	rrs, names, odd := map[string][]dns.RR{}, map[string]bool{".": true}, map[string]string{}
	var zone strings.Builder
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "!"); ok {
			how, name, _ := strings.Cut(rest, " ")
			odd[dns.CanonicalName(strings.TrimSpace(name))] = how
			continue
		}
		zone.WriteString(strings.TrimLeft(line, " \t"))
	}
	zp := dns.NewZoneParser(strings.NewReader(zone.String()+"\n"), ".", "")
	zp.SetDefaultTTL(300)
	for rr, ok := zp.Next(); ok; rr, ok = zp.Next() {
		name := dns.CanonicalName(rr.Header().Name)
		rrs[name] = append(rrs[name], rr)
		for i, end := 0, false; !end; i, end = dns.NextLabel(name, i) {
			names[name[i:]] = true
		}
	}
	if err := zp.Err(); err != nil {
		z.t.Fatalf("mtatest: zone: %v", err)
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	z.rrs, z.names, z.odd = rrs, names, odd
}

// Asked is every question so far, as "udp MX example.org.".
func (z *ZoneServer) Asked() []string {
	z.mu.Lock()
	defer z.mu.Unlock()
	return append([]string(nil), z.asked...)
}

// Exchange answers without a socket, so it works inside a synctest bubble. It
// fits resolver.Options.Exchange.
func (z *ZoneServer) Exchange(ctx context.Context, network, _ string, q *dns.Msg) (*dns.Msg, error) {
	r := z.reply(network, q)
	if r == nil {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return r, ctx.Err()
}

// Addr is the address of the server on loopback, UDP and TCP; it is started
// when it is first asked for, and stopped at the end of the test.
func (z *ZoneServer) Addr() string {
	z.t.Helper()
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.addr != "" {
		return z.addr
	}
	var l net.Listener
	var p net.PacketConn
	for try := 0; p == nil; try++ {
		var err error
		if l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			z.t.Fatal(err)
		}
		if p, err = net.ListenPacket("udp", l.Addr().String()); err != nil {
			l.Close()
			if try == 10 {
				z.t.Fatal(err)
			}
		}
	}
	z.serve(&dns.Server{Listener: l}, "tcp")
	z.serve(&dns.Server{PacketConn: p}, "udp")
	z.addr = l.Addr().String()
	return z.addr
}

func (z *ZoneServer) serve(s *dns.Server, network string) {
	ready := make(chan struct{})
	s.NotifyStartedFunc = func() { close(ready) }
	s.Handler = dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		if r := z.reply(network, q); r != nil {
			w.WriteMsg(r)
		}
	})
	go s.ActivateAndServe()
	<-ready
	z.t.Cleanup(func() { s.Shutdown() })
}

// reply is nil for a name that does not answer.
func (z *ZoneServer) reply(network string, q *dns.Msg) *dns.Msg {
	z.mu.Lock()
	defer z.mu.Unlock()
	r := new(dns.Msg).SetReply(q)
	r.RecursionAvailable = true
	if len(q.Question) != 1 {
		r.Rcode = dns.RcodeFormatError
		return r
	}
	ask := q.Question[0]
	z.asked = append(z.asked, network+" "+dns.TypeToString[ask.Qtype]+" "+ask.Name)
	name := dns.CanonicalName(ask.Name)
	switch z.odd[name] {
	case "servfail":
		r.Rcode = dns.RcodeServerFailure
		return r
	case "refused":
		r.Rcode = dns.RcodeRefused
		return r
	case "formerr":
		r.Rcode = dns.RcodeFormatError
		return r
	case "timeout":
		return nil
	case "truncate":
		if network == "udp" {
			r.Truncated = true
			return r
		}
	case "plain":
		if q.IsEdns0() != nil {
			r.Rcode = dns.RcodeFormatError
			return r
		}
	}
	z.answer(r, name, ask.Qtype)
	if network == "udp" {
		size := dns.MinMsgSize
		if opt := q.IsEdns0(); opt != nil {
			size = int(opt.UDPSize())
		}
		r.Truncate(size)
	}
	return r
}

func (z *ZoneServer) answer(r *dns.Msg, name string, qtype uint16) {
	for range 12 {
		at := z.closest(name)
		var next string
		found := false
		for _, rr := range z.rrs[at] {
			t := rr.Header().Rrtype
			if t != qtype && t != dns.TypeCNAME {
				continue
			}
			c := dns.Copy(rr)
			c.Header().Name = name
			r.Answer = append(r.Answer, c)
			if cname, ok := c.(*dns.CNAME); ok && qtype != dns.TypeCNAME {
				next = dns.CanonicalName(cname.Target)
			}
			found = true
		}
		if next != "" {
			name = next
			continue
		}
		if !found {
			if !z.names[at] {
				r.Rcode = dns.RcodeNameError
			}
			r.Ns = append(r.Ns, z.soa(name))
		}
		return
	}
}

// closest is the name itself or the "*." that stands for it.
func (z *ZoneServer) closest(name string) string {
	if z.names[name] {
		return name
	}
	for i, end := dns.NextLabel(name, 0); !end; i, end = dns.NextLabel(name, i) {
		if wild := "*." + name[i:]; z.names[wild] {
			return wild
		}
		if z.names[name[i:]] {
			break
		}
	}
	return name
}

// soa is the SOA above a name, or one that lets a negative answer live 60 s.
func (z *ZoneServer) soa(name string) dns.RR {
	for i, end := 0, false; !end; i, end = dns.NextLabel(name, i) {
		for _, rr := range z.rrs[name[i:]] {
			if soa, ok := rr.(*dns.SOA); ok {
				return dns.Copy(soa)
			}
		}
	}
	return &dns.SOA{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: 60},
		Ns: "ns.invalid.", Mbox: "root.invalid.", Serial: 1, Refresh: 60, Retry: 60, Expire: 60, Minttl: 60}
}
