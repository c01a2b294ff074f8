package mtatest_test

import (
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/programmable-mta/mta/core/mtatest"
)

const zoneText = `
	example.org. MX 10 mx.example.org.
	mx.example.org. 60 A 192.0.2.1
	www.example.org. CNAME mx.example.org.
	a.deep.example.org. A 192.0.2.2
	*.wild.example.org. A 192.0.2.3
	!servfail broken.example
	!truncate big.example
	big.example. A 192.0.2.4
	!plain old.example
	old.example. A 192.0.2.5
`

func TestTheZoneServerAnswersAsARecursiveServerDoes(t *testing.T) {
	z := mtatest.Zone(t, zoneText)
	for _, c := range []struct{ network, kind, name, rcode, want string }{
		{"udp", "MX", "Example.ORG.", "NOERROR", "mx.example.org."},
		{"udp", "A", "www.example.org.", "NOERROR", "192.0.2.1"},
		{"udp", "A", "deep.example.org.", "NOERROR", ""},
		{"udp", "TXT", "mx.example.org.", "NOERROR", ""},
		{"udp", "A", "any.wild.example.org.", "NOERROR", "192.0.2.3"},
		{"udp", "A", "none.example.org.", "NXDOMAIN", ""},
		{"udp", "A", "broken.example.", "SERVFAIL", ""},
		{"udp", "A", "big.example.", "NOERROR", ""},
		{"tcp", "A", "big.example.", "NOERROR", "192.0.2.4"},
		{"udp", "A", "old.example.", "NOERROR", "192.0.2.5"},
	} {
		q := new(dns.Msg).SetQuestion(c.name, dns.StringToType[c.kind])
		r, err := z.Exchange(t.Context(), c.network, "", q)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if len(r.Answer) > 0 {
			got = r.Answer[len(r.Answer)-1].String()
		}
		if dns.RcodeToString[r.Rcode] != c.rcode || c.want == "" && got != "" || !strings.HasSuffix(got, c.want) {
			t.Errorf("%s %s %s: %s %q, want %s %q", c.network, c.kind, c.name, dns.RcodeToString[r.Rcode], got, c.rcode, c.want)
		}
	}
}

func TestTheZoneServerAlsoHasASocket(t *testing.T) {
	z := mtatest.Zone(t, zoneText)
	for _, network := range []string{"udp", "tcp"} {
		c := dns.Client{Net: network}
		r, _, err := c.Exchange(new(dns.Msg).SetQuestion("example.org.", dns.TypeMX), z.Addr())
		if err != nil || len(r.Answer) != 1 {
			t.Errorf("%s: %v %v", network, r, err)
		}
	}
	if asked := z.Asked(); len(asked) != 2 || asked[1] != "tcp MX example.org." {
		t.Errorf("asked %q", asked)
	}
}
