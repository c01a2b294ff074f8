package resolver

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/programmable-mta/mta/sdk"
)

func TestPacketsThatAreNoReplyArePassedOver(t *testing.T) {
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	go func() {
		buf := make([]byte, 2048)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			q := new(dns.Msg)
			if q.Unpack(buf[:n]) != nil {
				continue
			}
			reply := func(change func(*dns.Msg)) {
				m := new(dns.Msg).SetReply(q)
				m.RecursionAvailable = true
				change(m)
				b, err := m.Pack()
				if err != nil {
					return
				}
				pc.WriteTo(b, from)
			}
			evil := &dns.A{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 60}, A: net.IPv4(203, 0, 113, 66)}
			pc.WriteTo([]byte("x"), from)
			pc.WriteTo(make([]byte, 600), from)
			reply(func(m *dns.Msg) { m.Id++; m.Answer = []dns.RR{evil} })
			reply(func(m *dns.Msg) { m.Question[0].Name = "evil.example."; m.Answer = []dns.RR{evil} })
			good := *evil
			good.A = net.IPv4(192, 0, 2, 1)
			reply(func(m *dns.Msg) { m.Answer = []dns.RR{&good} })
		}
	}()
	r := New(Options{Servers: []string{pc.LocalAddr().String()}, Hosts: "-"})
	got, err := r.Lookup(t.Context(), sdk.RecordA, "a.example")
	if err != nil || len(got) != 1 || got[0] != "192.0.2.1" {
		t.Errorf("%v %v", got, err)
	}
}

func TestAFloodOfForgedPacketsEnds(t *testing.T) {
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	go func() {
		buf := make([]byte, 2048)
		_, from, err := pc.ReadFrom(buf)
		for err == nil {
			_, err = pc.WriteTo(make([]byte, 40), from)
		}
	}()
	_, err = overNetwork(t.Context(), "udp", pc.LocalAddr().String(), new(dns.Msg).SetQuestion("a.example.", dns.TypeA))
	if err == nil || !strings.Contains(err.Error(), "too many packets") {
		t.Error(err)
	}
}

func TestAQuestionEndsWithItsContext(t *testing.T) {
	for _, network := range []string{"udp", "tcp"} {
		var addr string
		if network == "udp" {
			pc, err := net.ListenPacket("udp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer pc.Close()
			addr = pc.LocalAddr().String()
		} else {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			addr = l.Addr().String()
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(20*time.Millisecond, cancel)
		if _, err := overNetwork(ctx, network, addr, new(dns.Msg).SetQuestion("a.example.", dns.TypeA)); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", network, err)
		}
	}
}

func TestNamesAreBroughtIntoOneForm(t *testing.T) {
	long := strings.Repeat(strings.Repeat("a", 61)+".", 4) // 248
	for in, want := range map[string]string{
		"Example.ORG": "example.org.", "example.org.": "example.org.", "_dmarc.a": "_dmarc.a.", "bücher.example": "xn--bcher-kva.example.",
		"BÜCHER.example": "xn--bcher-kva.example.", "": "", ".": "", "..": "", "a..b": "", ".a": "", "a b": "", "a\x00b": "", `a\.b`: "", "a@b": "",
		"[1.2.3.4]": "[1.2.3.4].", long + "abcd": long + "abcd.", long + "abcdefg": "", "\u202e.example": "", "a;b": "",
	} {
		got, ok := canonical(in)
		if !ok {
			got = ""
		}
		if got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	for name, want := range map[string]bool{
		"a.": true, "a-b.c.": true, "a_b.c.": true, "1.2.3.4.": false, "4.example.": true, "-a.": false, "a-.": false, ".": false, "a..b.": false, "[1.2.3.4].": false, `a\032b.c.`: false,
	} {
		if isHost(name) != want {
			t.Errorf("isHost(%q) is %v", name, !want)
		}
	}
}

func TestAddressLiterals(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "[192.0.2.1]": "192.0.2.1", "[IPv6:2001:db8::1]": "2001:db8::1", "[ipv6:::1]": "::1", "2001:db8::1": "2001:db8::1",
		"[IPv6:::ffff:192.0.2.1]": "192.0.2.1", "[192.0.2.1": "", "[]": "", "[IPv6:]": "", "[IPv6:fe80::1%eth0]": "", "a.example": "", "192.0.2.256": "", "0x7f.1": "", "127.1": "",
	} {
		ip, ok := literal(in)
		if got := ip.String(); ok != (want != "") || ok && got != want {
			t.Errorf("%q: %v %v, want %q", in, ip, ok, want)
		}
	}
}

func TestAddressesWhereNoForeignMailCanGo(t *testing.T) {
	for ip, want := range map[string]bool{
		"127.0.0.1": true, "127.255.255.254": true, "0.0.0.0": true, "0.1.2.3": true, "169.254.1.1": true, "224.0.0.1": true, "255.255.255.255": true, "240.0.0.1": true,
		"::": true, "::1": true, "fe80::1": true, "ff02::1": true, "::ffff:127.0.0.1": true,
		"10.0.0.1": false, "192.168.0.1": false, "fd00::1": false, "192.0.2.1": false, "2001:db8::1": false, "128.0.0.1": false,
	} {
		if got := forbidden(netip.MustParseAddr(ip)); got != want {
			t.Errorf("%s: %v", ip, got)
		}
	}
}

func TestTextIsGivenInItsOctets(t *testing.T) {
	for in, want := range map[string]string{`a`: "a", `a\"b`: `a"b`, `\\`: `\`, `\065\000`: "A\x00", `\06`: "06", `\`: `\`, `\255x`: "\xffx", ``: ""} {
		var b strings.Builder
		if unescape(&b, in); b.String() != want {
			t.Errorf("%q: %q, want %q", in, b.String(), want)
		}
	}
}

// FuzzReply wants no panic, no host that is none, and no address where no mail
// can go, whatever a server says.
func FuzzReply(f *testing.F) {
	for _, text := range []string{"a.example. 60 IN MX 10 b.example.", "a.example. 60 IN CNAME a.example.", "a.example. 0 IN A 127.0.0.1",
		"a.example. 60 IN TXT \"\\200\"", "a.example. 60 IN MX 0 .", "a.example. 60 IN AAAA ::1"} {
		rr, err := dns.NewRR(text)
		if err != nil {
			f.Fatal(err)
		}
		m := new(dns.Msg).SetQuestion("a.example.", rr.Header().Rrtype)
		m.Response, m.RecursionAvailable, m.Answer = true, true, []dns.RR{rr}
		m.Compress = true
		b, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		r := New(Options{Servers: []string{"x:53"}, Hosts: "-", ResolvConf: "-", Exchange: func(_ context.Context, _, _ string, q *dns.Msg) (*dns.Msg, error) {
			m := new(dns.Msg)
			if err := m.Unpack(wire); err != nil && !m.Truncated {
				return nil, err
			}
			m.Id, m.Response, m.Opcode, m.Question = q.Id, true, dns.OpcodeQuery, q.Question
			return m, nil
		}})
		mx, err := r.MX(t.Context(), "a.example")
		var de *sdk.DNSError
		if err != nil && !errors.As(err, &de) {
			t.Errorf("%v", err)
		}
		if err == nil && len(mx.Hosts) == 0 && !mx.Null && !mx.Loops && !mx.NoDomain {
			t.Error("no host and no reason")
		}
		for _, h := range mx.Hosts {
			if !isHost(h + ".") {
				t.Errorf("host %q", h)
			}
		}
		addrs, _ := r.MXAddrs(t.Context(), "a.example")
		for _, ip := range addrs {
			if forbidden(ip) {
				t.Errorf("address %v", ip)
			}
		}
		if len(mx.Hosts) > maxMX || len(addrs) > 2*maxRecords {
			t.Errorf("%d hosts, %d addresses", len(mx.Hosts), len(addrs))
		}
		r.Lookup(t.Context(), sdk.RecordTXT, "a.example")
		r.PTR(t.Context(), netip.MustParseAddr("192.0.2.1"))
	})
}

func FuzzHostsFile(f *testing.F) {
	f.Add("127.0.0.1 localhost\n::1 a b # c\n")
	f.Fuzz(func(t *testing.T, text string) {
		for name := range parseHosts([]byte(text)).addrs {
			if !isHost(name) {
				t.Errorf("%q", name)
			}
		}
		parseResolvConf([]byte(text))
	})
}

func BenchmarkMXFromCache(b *testing.B) {
	r := New(Options{Servers: []string{"x:53"}, Hosts: "-", ResolvConf: "-", Exchange: func(_ context.Context, _, _ string, q *dns.Msg) (*dns.Msg, error) {
		m := new(dns.Msg).SetReply(q)
		m.RecursionAvailable = true
		h := dns.RR_Header{Name: q.Question[0].Name, Rrtype: q.Question[0].Qtype, Class: dns.ClassINET, Ttl: 3600}
		switch q.Question[0].Qtype {
		case dns.TypeMX:
			m.Answer = []dns.RR{&dns.MX{Hdr: h, Preference: 10, Mx: "mx1.a.example."}, &dns.MX{Hdr: h, Preference: 10, Mx: "mx2.a.example."}}
		case dns.TypeA:
			m.Answer = []dns.RR{&dns.A{Hdr: h, A: net.IPv4(192, 0, 2, 1)}}
		}
		return m, nil
	}})
	b.ReportAllocs()
	for b.Loop() {
		if mx, err := r.MX(b.Context(), "a.example"); err != nil || len(mx.Hosts) != 2 {
			b.Fatal(mx, err)
		}
	}
}
