package resolver_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"github.com/programmable-mta/mta/core/mtatest"
	"github.com/programmable-mta/mta/core/resolver"
	"github.com/programmable-mta/mta/sdk"
)

// plain are options that touch nothing of this machine.
func plain(z *mtatest.ZoneServer) resolver.Options {
	return resolver.Options{
		Servers: []string{"192.0.2.53:53"}, Hosts: "-", ResolvConf: "-", Exchange: z.Exchange,
		Rand: func(int) int { return 0 },
	}
}

func show(mx sdk.MX, err error) string {
	s := strings.Join(mx.Hosts, " ")
	for _, f := range []struct {
		on   bool
		name string
	}{{mx.Null, "null"}, {mx.Implicit, "implicit"}, {mx.Loops, "loops"}, {mx.NoDomain, "nodomain"}} {
		if f.on {
			s += " " + f.name
		}
	}
	var de *sdk.DNSError
	if errors.As(err, &de) {
		s += " permanent: "
		if de.Temporary {
			s = strings.TrimSuffix(s, " permanent: ") + " temporary: "
		}
		s += de.Text
	} else if err != nil {
		s += " not a DNSError"
	}
	return strings.TrimSpace(s)
}

const mxZone = `
	one.example.        MX 10 mx1.one.example.
	mx1.one.example.    A 192.0.2.1
	order.example.      MX 30 c.order.example.
	order.example.      MX 10 A.order.example.
	order.example.      MX 20 b.order.example.
	order.example.      MX 40 a.order.example.
	null.example.       MX 0 .
	nullish.example.    MX 10 .
	nullplus.example.   MX 0 .
	nullplus.example.   MX 10 mx1.one.example.
	implicit.example.   A 192.0.2.2
	implicit6.example.  AAAA 2001:db8::2
	text.example.       TXT "no mail"
	deep.empty.example. A 192.0.2.3
	alias.example.      CNAME one.example.
	aliashost.example.  CNAME implicit.example.
	dangling.example.   CNAME none.example.
	loop1.example.      CNAME loop2.example.
	loop2.example.      CNAME loop1.example.
	self.example.       MX 20 me.example.
	self.example.       MX 10 better.example.
	self.example.       MX 20 equal.example.
	self.example.       MX 30 worse.example.
	selfbest.example.   MX 10 ME.example.
	selfbest.example.   MX 20 worse.example.
	selfaddr.example.   MX 10 other.example.
	selfaddr.example.   MX 20 hidden.example.
	selfaddr.example.   MX 30 worse.example.
	better.example.     A 192.0.2.4
	equal.example.      A 192.0.2.5
	worse.example.      A 192.0.2.6
	other.example.      A 192.0.2.7
	hidden.example.     A 198.51.100.9
	me.example.         A 198.51.100.8
	literal.example.    MX 10 192.0.2.1.
	odd.example.        MX 10 -bad-.example.
	odd.example.        MX 20 bad\032name.example.
	odd.example.        MX 30 good_one.example.
	home.example.       MX 10 home1.example.
	home1.example.      A 127.0.0.1
	mixed.example.      MX 10 home1.example.
	mixed.example.      MX 20 zero.example.
	mixed.example.      MX 30 link.example.
	mixed.example.      MX 40 multi.example.
	mixed.example.      MX 50 half.example.
	mixed.example.      MX 60 private.example.
	zero.example.       A 0.0.0.0
	link.example.       AAAA fe80::1
	multi.example.      A 224.0.0.1
	half.example.       A 192.0.2.8
	half.example.       AAAA ::1
	private.example.    A 10.0.0.1
	nohost.example.     MX 10 none.example.
	unknownhost.example. MX 10 broken.example.
	xn--bcher-kva.example. MX 10 mx1.one.example.
	big.example.        MX 10 mx1.one.example.
	old.example.        MX 10 mx1.one.example.
	!servfail broken.example
	!refused refused.example
	!formerr formerr.example
	!truncate big.example
	!plain old.example
`

func TestMXFindsWhereMailGoes(t *testing.T) {
	z := mtatest.Zone(t, mxZone)
	o := plain(z)
	o.Self = []string{"Me.Example."}
	o.SelfAddrs = []netip.Addr{netip.MustParseAddr("198.51.100.9")}
	r := resolver.New(o)
	for domain, want := range map[string]string{
		"one.example":                        "mx1.one.example",
		"ONE.Example.":                       "mx1.one.example",
		"order.example":                      "a.order.example b.order.example c.order.example",
		"null.example":                       "null",
		"nullish.example":                    "nodomain",
		"nullplus.example":                   "mx1.one.example",
		"implicit.example":                   "implicit.example implicit",
		"implicit6.example":                  "implicit6.example implicit",
		"me.example":                         "implicit loops",
		"text.example":                       "nodomain",
		"empty.example":                      "nodomain",
		"none.example":                       "nodomain",
		"alias.example":                      "mx1.one.example",
		"aliashost.example":                  "aliashost.example implicit",
		"dangling.example":                   "nodomain",
		"loop1.example":                      "temporary: CNAME chain without an end",
		"self.example":                       "better.example",
		"selfbest.example":                   "loops",
		"selfaddr.example":                   "other.example",
		"literal.example":                    "nodomain",
		"odd.example":                        "good_one.example",
		"home.example":                       "permanent: its mail exchanger is at 127.0.0.1, where no mail from here can go",
		"home1.example":                      "implicit permanent: its mail exchanger is at 127.0.0.1, where no mail from here can go",
		"mixed.example":                      "private.example",
		"nohost.example":                     "none.example",
		"unknownhost.example":                "broken.example",
		"bücher.example":                     "mx1.one.example",
		"big.example":                        "mx1.one.example",
		"old.example":                        "mx1.one.example",
		"broken.example":                     "temporary: name server 192.0.2.53:53: SERVFAIL",
		"refused.example":                    "temporary: name server 192.0.2.53:53: REFUSED",
		"formerr.example":                    "temporary: name server 192.0.2.53:53: FORMERR",
		"[192.0.2.1]":                        "192.0.2.1 implicit",
		"[IPv6:2001:db8::1]":                 "2001:db8::1 implicit",
		"[198.51.100.9]":                     "implicit loops",
		"[192.0.2.1":                         "nodomain",
		"192.0.2.1":                          "nodomain",
		"localhost":                          "localhost implicit",
		"":                                   "nodomain",
		".":                                  "nodomain",
		"a..example":                         "nodomain",
		"a b.example":                        "nodomain",
		"-a.example":                         "nodomain",
		strings.Repeat("a", 64) + ".example": "nodomain",
	} {
		if got := show(r.MX(t.Context(), domain)); got != want {
			t.Errorf("%s: %q, want %q", domain, got, want)
		}
	}
}

func TestExchangersOfEqualPreferenceAreShuffledAndOthersAreNot(t *testing.T) {
	z := mtatest.Zone(t, `
		eq.example. MX 10 a.eq.example.
		eq.example. MX 10 b.eq.example.
		eq.example. MX 10 c.eq.example.
		eq.example. MX 20 z.eq.example.
		eq.example. MX 5 first.eq.example.`)
	o := plain(z)
	o.Rand = nil
	r := resolver.New(o)
	seen := map[string]bool{}
	for range 300 {
		mx, err := r.MX(t.Context(), "eq.example")
		if err != nil || len(mx.Hosts) != 5 || mx.Hosts[0] != "first.eq.example" || mx.Hosts[4] != "z.eq.example" {
			t.Fatalf("%+v %v", mx, err)
		}
		seen[strings.Join(mx.Hosts, " ")] = true
	}
	if len(seen) != 6 {
		t.Errorf("%d orders of three were seen", len(seen))
	}
}

func TestOfAThousandExchangersTheBestHundredAreKept(t *testing.T) {
	var zone strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&zone, "many.example. MX %d h%d.example.\n", 1000-i, i)
	}
	z := mtatest.Zone(t, zone.String())
	mx, err := resolver.New(plain(z)).MX(t.Context(), "many.example")
	if err != nil || len(mx.Hosts) != 100 || mx.Hosts[0] != "h999.example" {
		t.Errorf("%d hosts, first %q: %v", len(mx.Hosts), mx.Hosts[:1], err)
	}
	if n := len(z.Asked()); n > 30 {
		t.Errorf("%d questions for one message", n)
	}
	if !slices.Contains(z.Asked(), "tcp MX many.example.") {
		t.Error("the answer fits into no packet, and TCP was not tried")
	}
}

func TestPrivateAddressesAreAllowedOnlyWhereTheOperatorSaysSo(t *testing.T) {
	z := mtatest.Zone(t, mxZone)
	o := plain(z)
	strict := resolver.New(o)
	o.AllowPrivate = true
	lax := resolver.New(o)
	if got := show(lax.MX(t.Context(), "home.example")); got != "home1.example" {
		t.Error(got)
	}
	for _, c := range []struct {
		r          *resolver.Resolver
		host, want string
		mx         bool
	}{
		{strict, "home1.example", "[]", true}, {strict, "home1.example", "[127.0.0.1]", false}, {lax, "home1.example", "[127.0.0.1]", true},
		{strict, "half.example", "[192.0.2.8]", true}, {strict, "half.example", "[192.0.2.8 ::1]", false},
		{strict, "127.0.0.1", "[]", true}, {strict, "::ffff:127.0.0.1", "[]", true}, {strict, "0.1.2.3", "[]", true}, {strict, "255.255.255.255", "[]", true},
		{strict, "localhost", "[]", true}, {strict, "localhost", "[127.0.0.1 ::1]", false}, {strict, "a.localhost.", "[127.0.0.1 ::1]", false},
		{strict, "private.example", "[10.0.0.1]", true}, {strict, "[IPv6:2001:db8::9]", "[2001:db8::9]", true},
	} {
		f := c.r.Addrs
		if c.mx {
			f = c.r.MXAddrs
		}
		got, err := f(t.Context(), c.host)
		if err != nil || fmt.Sprint(got) != c.want {
			t.Errorf("%s (MX %v): %v %v, want %s", c.host, c.mx, got, err, c.want)
		}
	}
}

func TestHalfAnAnswerIsEnoughAndNoneIsNotConfusedWithUnknown(t *testing.T) {
	z := mtatest.Zone(t, "half.example. A 192.0.2.1\nsix.example. AAAA 2001:db8::1\nonly4.example. A 192.0.2.2\ntxt.example. TXT \"x\"")
	o := plain(z)
	o.Exchange = func(ctx context.Context, network, server string, q *dns.Msg) (*dns.Msg, error) {
		m, err := z.Exchange(ctx, network, server, q)
		if name, qt := q.Question[0].Name, q.Question[0].Qtype; qt == dns.TypeAAAA && (name == "half.example." || name == "txt.example.") ||
			qt == dns.TypeA && (name == "six.example." || name == "none.example.") || qt == dns.TypeAAAA && name == "gone.example." {
			m.Rcode, m.Answer = dns.RcodeServerFailure, nil
		}
		return m, err
	}
	r := resolver.New(o)
	for host, want := range map[string]string{
		"half.example": "[192.0.2.1] true", "six.example": "[2001:db8::1] true", "only4.example": "[192.0.2.2] true",
		"none.example": "[] true", "gone.example": "[] true", "txt.example": "[] false", "not a host": "[] true",
	} {
		got, err := r.Addrs(t.Context(), host)
		if s := fmt.Sprint(got, " ", err == nil); s != want {
			t.Errorf("%s: %s (%v), want %s", host, s, err, want)
		}
	}
}

func TestLookupGivesRecordsAsTheyAre(t *testing.T) {
	z := mtatest.Zone(t, `
		example.org. TXT "v=spf1 " "include:a\"b\\c -all"
		example.org. TXT "\000\200"
		example.org. A 192.0.2.1
		example.org. AAAA 2001:db8::1
		_dmarc.example.org. TXT "v=DMARC1"
		1.2.0.192.in-addr.arpa. PTR Mail.example.org.
		1.2.0.192.in-addr.arpa. PTR other.example.org.
		1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. PTR six.example.org.
		!servfail broken.example`)
	r := resolver.New(plain(z))
	for _, c := range []struct {
		kind sdk.RecordKind
		name string
		want []string
	}{
		{sdk.RecordTXT, "example.org", []string{`v=spf1 include:a"b\c -all`, "\x00\xc8"}},
		{sdk.RecordTXT, "_dmarc.example.org", []string{"v=DMARC1"}},
		{sdk.RecordTXT, "none.example.org", nil},
		{sdk.RecordA, "example.org", []string{"192.0.2.1"}},
		{sdk.RecordAAAA, "EXAMPLE.org.", []string{"2001:db8::1"}},
		{sdk.RecordPTR, "192.0.2.1", []string{"mail.example.org", "other.example.org"}},
		{sdk.RecordPTR, "2001:db8::1", []string{"six.example.org"}},
		{sdk.RecordPTR, "192.0.2.9", nil},
		{sdk.RecordA, "no name", nil},
	} {
		got, err := r.Lookup(t.Context(), c.kind, c.name)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s %s: %q %v, want %q", c.kind, c.name, got, err, c.want)
		}
	}
	for kind, name := range map[sdk.RecordKind]string{sdk.RecordTXT: "broken.example", sdk.RecordPTR: "example.org", "SRV": "example.org"} {
		_, err := r.Lookup(t.Context(), kind, name)
		var de *sdk.DNSError
		if !errors.As(err, &de) || de.Name != name || de.Temporary != (kind == sdk.RecordTXT) {
			t.Errorf("%s %s: %v", kind, name, err)
		}
	}
}

func TestANameOfAClientIsConfirmedInBothDirections(t *testing.T) {
	z := mtatest.Zone(t, `
		1.2.0.192.in-addr.arpa. PTR Good.example.
		good.example. A 192.0.2.1
		2.2.0.192.in-addr.arpa. PTR good.example.
		3.2.0.192.in-addr.arpa. PTR wrong.example.
		3.2.0.192.in-addr.arpa. PTR third.example.
		wrong.example. A 192.0.2.1
		third.example. A 192.0.2.3
		4.2.0.192.in-addr.arpa. PTR broken.example.
		5.2.0.192.in-addr.arpa. PTR localhost.
		6.2.0.192.in-addr.arpa. PTR evil\032name\010x.example.
		7.2.0.192.in-addr.arpa. PTR 192.0.2.7.
		8.2.0.192.in-addr.arpa. CNAME 8.sub.2.0.192.in-addr.arpa.
		8.sub.2.0.192.in-addr.arpa. PTR eight.example.
		eight.example. A 192.0.2.8
		1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. PTR six.example.
		six.example. AAAA 2001:db8::1
		!servfail broken.example
		!servfail 9.2.0.192.in-addr.arpa`)
	r := resolver.New(plain(z))
	for ip, want := range map[string]string{
		"192.0.2.1": "good.example", "192.0.2.2": "", "192.0.2.3": "third.example", "192.0.2.5": "", "192.0.2.6": "",
		"192.0.2.7": "", "192.0.2.8": "eight.example", "2001:db8::1": "six.example", "::ffff:192.0.2.1": "good.example", "192.0.2.100": "",
	} {
		if got, err := r.PTR(t.Context(), netip.MustParseAddr(ip)); err != nil || got != want {
			t.Errorf("%s: %q %v, want %q", ip, got, err, want)
		}
	}
	for _, ip := range []string{"192.0.2.4", "192.0.2.9"} {
		var de *sdk.DNSError
		if got, err := r.PTR(t.Context(), netip.MustParseAddr(ip)); got != "" || !errors.As(err, &de) || !de.Temporary {
			t.Errorf("%s: %q %v, want an error", ip, got, err)
		}
	}
	if got, err := r.PTR(t.Context(), netip.Addr{}); got != "" || err != nil {
		t.Errorf("no address: %q %v", got, err)
	}
}

func TestTheHostsFileComesFirstAndIsReadAgainWhenItChanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hosts")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("# comment\n192.0.2.1 Relay.internal relay # two names\n2001:db8::1\trelay.internal\nnonsense x\n127.0.0.1 localhost\n")
	now := time.Unix(1e9, 0)
	z := mtatest.Zone(t, "relay.internal. A 192.0.2.99\nother.internal. A 192.0.2.98")
	o := plain(z)
	o.Hosts, o.Now = path, func() time.Time { return now }
	r := resolver.New(o)
	check := func(host, want string) {
		t.Helper()
		if got, err := r.Addrs(t.Context(), host); err != nil || fmt.Sprint(got) != want {
			t.Errorf("%s: %v %v, want %s", host, got, err, want)
		}
	}
	check("relay.internal", "[192.0.2.1 2001:db8::1]")
	check("RELAY", "[192.0.2.1]")
	check("other.internal", "[192.0.2.98]")
	if name, err := r.PTR(t.Context(), netip.MustParseAddr("2001:db8::1")); name != "relay.internal" || err != nil {
		t.Errorf("%q %v", name, err)
	}
	write("192.0.2.2 relay.internal # and so on\n")
	check("relay.internal", "[192.0.2.1 2001:db8::1]") // not looked at for 5 s
	now = now.Add(6 * time.Second)
	check("relay.internal", "[192.0.2.2]")
	os.Remove(path)
	now = now.Add(6 * time.Second)
	check("relay.internal", "[192.0.2.99]")
}

func TestServersComeFromResolvConf(t *testing.T) {
	path := filepath.Join(t.TempDir(), "resolv.conf")
	z := mtatest.Zone(t, "a.example. A 192.0.2.1\nb.example. A 192.0.2.1\nc.example. A 192.0.2.1")
	now := time.Unix(1e9, 0)
	var asked atomic.Value
	o := plain(z)
	o.Servers, o.ResolvConf, o.Now = nil, path, func() time.Time { return now }
	o.Exchange = func(ctx context.Context, network, server string, q *dns.Msg) (*dns.Msg, error) {
		asked.Store(server)
		return z.Exchange(ctx, network, server, q)
	}
	r := resolver.New(o)
	for _, c := range []struct{ conf, host, want string }{
		{"", "a.example", "127.0.0.1:53"},
		{"search example.net\nnameserver 192.0.2.7\nnameserver 192.0.2.8\n", "b.example", "192.0.2.7:53"},
		{"nameserver nonsense\nnameserver 2001:db8::53\n", "c.example", "[2001:db8::53]:53"},
	} {
		if c.conf != "" {
			if err := os.WriteFile(path, []byte(c.conf), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		now = now.Add(6 * time.Second)
		if got, err := r.Addrs(t.Context(), c.host); err != nil || len(got) != 1 || asked.Load() != c.want {
			t.Errorf("%s: %v %v, asked %v, want %s", c.host, got, err, asked.Load(), c.want)
		}
	}
}

func TestWhatWasLearntLivesAsLongAsItSaysWithinBounds(t *testing.T) {
	for _, c := range []struct {
		name, zone string
		lives      time.Duration
	}{
		{"its own TTL", "a.example. 300 TXT x", 300 * time.Second},
		{"at least five seconds", "a.example. 0 TXT x", 5 * time.Second},
		{"a TTL with the top bit is none", "a.example. 2147483648 TXT x", 5 * time.Second},
		{"at most an hour", "a.example. 86400 TXT x", time.Hour},
		{"the shortest of the set", "a.example. 300 TXT x\na.example. 60 TXT y", 60 * time.Second},
		{"the shortest of the chain", "a.example. 30 CNAME b.example.\nb.example. 300 TXT x", 30 * time.Second},
		{"no name: the SOA's minimum", "example. 3600 SOA ns. root. 1 1 1 1 120", 120 * time.Second},
		{"no name: the SOA's own TTL", "example. 90 SOA ns. root. 1 1 1 1 1200", 90 * time.Second},
		{"no name: at most a quarter of an hour", "example. 86400 SOA ns. root. 1 1 1 1 86400", 15 * time.Minute},
		{"no data", "a.example. A 192.0.2.1\nexample. 100 SOA ns. root. 1 1 1 1 100", 100 * time.Second},
		{"no data behind an alias", "a.example. 20 CNAME b.example.\nb.example. A 192.0.2.1\nexample. 100 SOA ns. root. 1 1 1 1 100", 20 * time.Second},
		{"a broken server", "!servfail a.example", 15 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			z := mtatest.Zone(t, c.zone)
			now := time.Unix(1e9, 0)
			o := plain(z)
			o.Now = func() time.Time { return now }
			r := resolver.New(o)
			ask := func() int {
				r.Lookup(t.Context(), sdk.RecordTXT, "a.example")
				return len(z.Asked())
			}
			first := ask()
			now = now.Add(c.lives - time.Second)
			if ask() != first {
				t.Error("asked again too early")
			}
			now = now.Add(2 * time.Second)
			if ask() == first {
				t.Error("not asked again in time")
			}
		})
	}
}

func TestSilentServersAreAskedTwiceAndForgottenSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := mtatest.Zone(t, "!timeout slow.example")
		o := plain(z)
		o.Servers = []string{"192.0.2.1:53", "192.0.2.2:53"}
		r := resolver.New(o)
		began := time.Now()
		_, err := r.Lookup(t.Context(), sdk.RecordTXT, "slow.example")
		var de *sdk.DNSError
		if !errors.As(err, &de) || !de.Temporary || de.Text != "no name server answered" {
			t.Errorf("%v", err)
		}
		if took := time.Since(began); took != 12*time.Second || len(z.Asked()) != 4 {
			t.Errorf("took %v with %q", took, z.Asked())
		}
		r.Lookup(t.Context(), sdk.RecordTXT, "slow.example")
		if len(z.Asked()) != 4 {
			t.Error("asked again at once")
		}
		time.Sleep(6 * time.Second)
		began = time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := r.Lookup(ctx, sdk.RecordTXT, "slow.example"); !errors.As(err, &de) || !de.Temporary || time.Since(began) != time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

func TestAGoodServerBehindABadOneIsFoundAndRemembered(t *testing.T) {
	for name, bad := range map[string]func(*dns.Msg) *dns.Msg{
		"SERVFAIL":      func(m *dns.Msg) *dns.Msg { m.Rcode = dns.RcodeServerFailure; return m },
		"REFUSED":       func(m *dns.Msg) *dns.Msg { m.Rcode = dns.RcodeRefused; m.Question = nil; return m },
		"lame":          func(m *dns.Msg) *dns.Msg { m.RecursionAvailable = false; m.Answer = nil; return m },
		"wrong ID":      func(m *dns.Msg) *dns.Msg { m.Id++; return m },
		"a query":       func(m *dns.Msg) *dns.Msg { m.Response = false; return m },
		"no question":   func(m *dns.Msg) *dns.Msg { m.Question = nil; return m },
		"other name":    func(m *dns.Msg) *dns.Msg { m.Question[0].Name = "evil.example."; return m },
		"other type":    func(m *dns.Msg) *dns.Msg { m.Question[0].Qtype = dns.TypeA; return m },
		"other class":   func(m *dns.Msg) *dns.Msg { m.Question[0].Qclass = dns.ClassCHAOS; return m },
		"two questions": func(m *dns.Msg) *dns.Msg { m.Question = append(m.Question, m.Question[0]); return m },
		"nothing":       func(*dns.Msg) *dns.Msg { return nil },
		"NOTIMP":        func(m *dns.Msg) *dns.Msg { m.Rcode = dns.RcodeNotImplemented; return m },
		"cut off twice": func(m *dns.Msg) *dns.Msg { m.Truncated = true; m.Rcode = dns.RcodeServerFailure; return m },
	} {
		t.Run(name, func(t *testing.T) {
			z := mtatest.Zone(t, "a.example. TXT right\nb.example. TXT right")
			var mu sync.Mutex
			count := map[string]int{}
			o := plain(z)
			o.Servers = []string{"bad:53", "good:53"}
			o.Exchange = func(ctx context.Context, network, server string, q *dns.Msg) (*dns.Msg, error) {
				mu.Lock()
				count[server]++
				mu.Unlock()
				m, err := z.Exchange(ctx, network, server, q)
				if server == "bad:53" {
					m = bad(m)
				}
				return m, err
			}
			r := resolver.New(o)
			if got, err := r.Lookup(t.Context(), sdk.RecordTXT, "a.example"); err != nil || fmt.Sprint(got) != "[right]" {
				t.Fatalf("%q %v", got, err)
			}
			before := count["bad:53"]
			r.Lookup(t.Context(), sdk.RecordTXT, "b.example")
			if before == 0 || before > 2 || count["bad:53"] != before || count["good:53"] != 2 {
				t.Errorf("asked %v", count)
			}
		})
	}
}

func TestABrokenServerIsAskedOnce(t *testing.T) {
	z := mtatest.Zone(t, "!servfail a.example")
	if _, err := resolver.New(plain(z)).Lookup(t.Context(), sdk.RecordTXT, "a.example"); err == nil || len(z.Asked()) != 1 {
		t.Errorf("asked %q: %v", z.Asked(), err)
	}
}

func TestThousandsOfQuestionsDoNotUseUpThePlaces(t *testing.T) {
	z := mtatest.Zone(t, "*.example. TXT x")
	r := resolver.New(plain(z))
	for i := range 2000 {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		if got, err := r.Lookup(ctx, sdk.RecordTXT, fmt.Sprintf("n%d.example", i)); err != nil || len(got) != 1 {
			t.Fatalf("question %d: %q %v", i, got, err)
		}
		cancel()
	}
}

func TestTheCacheIsBounded(t *testing.T) {
	o := plain(mtatest.Zone(t, ""))
	o.Exchange = func(_ context.Context, _, _ string, q *dns.Msg) (*dns.Msg, error) {
		m := new(dns.Msg).SetReply(q)
		m.RecursionAvailable = true
		h := dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeTXT, Class: dns.ClassINET, Ttl: 3600}
		m.Answer = []dns.RR{&dns.TXT{Hdr: h, Txt: slices.Repeat([]string{strings.Repeat("x", 250)}, 64)}}
		return m, nil
	}
	r := resolver.New(o)
	for n := range 4000 { // some 64 MB
		if _, err := r.Lookup(t.Context(), sdk.RecordTXT, fmt.Sprintf("n%d.example", n)); err != nil {
			t.Fatal(err)
		}
	}
	if size := r.CacheSize(); size > 33<<20 || size < 16<<20 {
		t.Errorf("the cache weighs %d", size)
	}
}

func TestTheCaseOfANameInAReplyDoesNotMatter(t *testing.T) {
	z := mtatest.Zone(t, "a.example. TXT right")
	o := plain(z)
	o.Exchange = func(ctx context.Context, network, server string, q *dns.Msg) (*dns.Msg, error) {
		m, err := z.Exchange(ctx, network, server, q)
		m.Question[0].Name, m.Answer[0].Header().Name = "A.exAMPle.", "a.EXAMPLE."
		return m, err
	}
	if got, err := resolver.New(o).Lookup(t.Context(), sdk.RecordTXT, "a.example"); err != nil || len(got) != 1 {
		t.Errorf("%q %v", got, err)
	}
}

func TestRecordsThatNobodyAskedForAreNotBelieved(t *testing.T) {
	z := mtatest.Zone(t, "a.example. A 192.0.2.1")
	o := plain(z)
	o.Exchange = func(ctx context.Context, network, server string, q *dns.Msg) (*dns.Msg, error) {
		m, err := z.Exchange(ctx, network, server, q)
		for _, text := range []string{"victim.example. 3600 IN A 203.0.113.66", "a.example. 3600 CH A 203.0.113.67", "a.example. 3600 IN MX 1 evil.example."} {
			rr, e := dns.NewRR(text)
			if e != nil {
				rr = &dns.A{Hdr: dns.RR_Header{Name: "a.example.", Rrtype: dns.TypeA, Class: dns.ClassCHAOS, Ttl: 3600}, A: []byte{203, 0, 113, 67}}
			}
			m.Answer = append(m.Answer, rr)
			m.Extra = append(m.Extra, rr)
		}
		return m, err
	}
	r := resolver.New(o)
	for host, want := range map[string]string{"a.example": "[192.0.2.1]", "victim.example": "[203.0.113.66]"} {
		got, err := r.Addrs(t.Context(), host)
		if host == "victim.example" { // its own reply says so, and only that counts
			continue
		}
		if err != nil || fmt.Sprint(got) != want {
			t.Errorf("%s: %v %v", host, got, err)
		}
	}
	if n := len(z.Asked()); n != 4 {
		t.Errorf("%d questions: the record in the first reply was taken for victim.example", n)
	}
}

func TestAForwarderThatDoesNotFollowAliasesIsHelped(t *testing.T) {
	z := mtatest.Zone(t, "a.example. 60 CNAME b.example.\nb.example. 60 CNAME c.example.\nc.example. A 192.0.2.1")
	o := plain(z)
	o.Exchange = func(ctx context.Context, network, server string, q *dns.Msg) (*dns.Msg, error) {
		m, err := z.Exchange(ctx, network, server, q)
		if len(m.Answer) > 1 {
			m.Answer = m.Answer[:1]
		}
		return m, err
	}
	if got, err := resolver.New(o).Lookup(t.Context(), sdk.RecordA, "a.example"); err != nil || fmt.Sprint(got) != "[192.0.2.1]" {
		t.Errorf("%v %v", got, err)
	}
	// And an endless chain of single aliases ends.
	n := 0
	o.Exchange = func(_ context.Context, _, _ string, q *dns.Msg) (*dns.Msg, error) {
		n++
		m := new(dns.Msg).SetReply(q)
		m.RecursionAvailable = true
		m.Answer = []dns.RR{&dns.CNAME{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeCNAME, Class: dns.ClassINET, Ttl: 60}, Target: fmt.Sprintf("n%d.example.", n)}}
		return m, nil
	}
	if _, err := resolver.New(o).Lookup(t.Context(), sdk.RecordA, "a.example"); err == nil || n > 12 {
		t.Errorf("%d questions, %v", n, err)
	}
}

func TestManyAskersOfOneQuestionWaitForOneAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := mtatest.Zone(t, "a.example. TXT x")
		release := make(chan struct{})
		var asked atomic.Int32
		o := plain(z)
		o.Exchange = func(ctx context.Context, network, server string, q *dns.Msg) (*dns.Msg, error) {
			asked.Add(1)
			select {
			case <-release:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
			return z.Exchange(ctx, network, server, q)
		}
		r := resolver.New(o)
		// The first asker gives up; the others must not be told of it.
		hasty, cancel := context.WithCancel(t.Context())
		failed := make(chan error, 1)
		go func() {
			_, err := r.Lookup(hasty, sdk.RecordTXT, "a.example")
			failed <- err
		}()
		synctest.Wait()
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				if got, err := r.Lookup(t.Context(), sdk.RecordTXT, "a.example"); err != nil || len(got) != 1 {
					t.Errorf("%q %v", got, err)
				}
			})
		}
		synctest.Wait()
		if asked.Load() != 1 {
			t.Errorf("asked %d times", asked.Load())
		}
		cancel()
		if err := <-failed; err == nil {
			t.Error("the hasty asker got an answer")
		}
		synctest.Wait()
		close(release)
		wg.Wait()
		if asked.Load() != 2 {
			t.Errorf("asked %d times", asked.Load())
		}
	})
}

func TestRealSocketsOverUDPAndTCP(t *testing.T) {
	var zone strings.Builder
	zone.WriteString("a.example. A 192.0.2.1\n!plain old.example\nold.example. A 192.0.2.2\n")
	for i := range 400 {
		fmt.Fprintf(&zone, "big.example. MX %d host-%d.big.example.\n", i, i)
	}
	z := mtatest.Zone(t, zone.String())
	r := resolver.New(resolver.Options{Servers: []string{z.Addr()}, Hosts: "-"})
	for host, want := range map[string]string{"a.example": "[192.0.2.1]", "old.example": "[192.0.2.2]"} {
		if got, err := r.Addrs(t.Context(), host); err != nil || fmt.Sprint(got) != want {
			t.Errorf("%s: %v %v", host, got, err)
		}
	}
	mx, err := r.MX(t.Context(), "big.example")
	if err != nil || len(mx.Hosts) != 100 || !slices.Contains(z.Asked(), "tcp MX big.example.") {
		t.Errorf("%d hosts %v", len(mx.Hosts), err)
	}
}
