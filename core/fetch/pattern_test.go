package fetch

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

func TestEachEntryOfTheListMeansWhatItSays(t *testing.T) {
	for _, tt := range []struct{ pattern, allowed, denied string }{
		{"api.example.net", "https://api.example.net/ https://API.Example.NET.:443/x", "http://api.example.net/ http://api.example.net:443/ https://api.example.net:444/ https://example.net/ https://x.api.example.net/"},
		{"API.example.net.:443", "https://api.example.net/", "https://api.example.org/"},
		{"api.example.net:8080", "http://api.example.net:8080/ https://api.example.net:8080/", "http://api.example.net/ https://api.example.net/ http://xapi.example.net:8080/"},
		{"*.example.net:80", "http://a.example.net/ http://b.a.example.net/", "http://example.net/ http://.example.net/ http://aexample.net/ https://a.example.net/ http://a.example.net.evil.org/"},
		{"127.0.0.1:8080", "http://127.0.0.1:8080/ http://[::ffff:127.0.0.1]:8080/", "http://127.0.0.2:8080/ http://127.0.0.1/ http://localhost:8080/ http://127.1:8080/ http://2130706433:8080/ http://0x7f000001:8080/ http://0177.0.0.1:8080/"},
		{"[::1]:80", "http://[::1]/ http://[0:0::1]:80/", "http://[::2]/ http://[::1]:81/ http://[::1%25lo]/"},
		{"10.0.0.0/8:443", "https://10.1.2.3/", "https://11.0.0.1/ http://10.1.2.3/ https://host.example/"},
		{"[fd00::/8]:443", "https://[fd12::1]/", "https://[fc00::1]/"},
		{"192.0.2.7", "https://192.0.2.7/", "https://192.0.2.8/ http://192.0.2.7/"},
		{"xn--bcher-kva.example", "https://xn--bcher-kva.example/", "https://bücher.example/ https://xn--bcher-kva.example:0/ https://xn--bcher-kva.example:99999/"},
		{"_sip.example.net", "https://_sip.example.net/", "https://user@_sip.example.net/ ftp://_sip.example.net/ https://:@_sip.example.net/"},
	} {
		a := allow(t, Options{}, tt.pattern)
		for _, u := range strings.Fields(tt.allowed) {
			if _, _, err := a.check(&Request{URL: u}); err != nil {
				t.Errorf("%s does not allow %s: %v", tt.pattern, u, err)
			}
		}
		for _, u := range strings.Fields(tt.denied) {
			if _, _, err := a.check(&Request{URL: u}); err == nil {
				t.Errorf("%s allows %s", tt.pattern, u)
			} else if kind := kindOf(t, nil, err); kind != "denied" && kind != "invalid" {
				t.Errorf("%s, %s: %v", tt.pattern, u, err)
			}
		}
	}
}

func TestABadEntryIsAFaultOfItsOwn(t *testing.T) {
	bad := map[string]string{
		"":                               "empty",
		"https://api.example.net":        "without a scheme",
		"user@api.example.net":           "user names",
		"api.example.net:":               "no port",
		"api.example.net:0":              "no port",
		"api.example.net:65536":          "no port",
		"api.example.net:https":          "no port",
		"api.example.net:0443":           "no port",
		"api.example.net/v1":             "paths",
		"api example.net":                "no host name",
		"bücher.example":                 "ASCII",
		"api..example.net":               "no host name",
		"-a.example.net":                 "no host name",
		"*":                              "stands only for",
		"*:443":                          "stands only for",
		"a.*.example.net":                "stands only for",
		"*api.example.net":               "stands only for",
		"*.net":                          "too much",
		"*.":                             "",
		"::1":                            "brackets",
		"::1:80":                         "brackets",
		"[::1":                           "closing bracket",
		"[::1]80":                        "after the bracket",
		"[127.0.0.1]:80":                 "IPv6",
		"[example.net]:80":               "no IP address",
		"[::1%lo]:80":                    "zone",
		"[::ffff:127.0.0.1]:80":          "no IP address",
		"127.1:80":                       "no IP address",
		"0x7f.1:80":                      "no IP address",
		"300.1.1.1":                      "no IP address",
		"10.0.0.1/8:443":                 "10.0.0.0/8",
		"10.0.0.0/33:443":                "no network",
		"0.0.0.0/0:443":                  "too much",
		"[::/0]:443":                     "too much",
		strings.Repeat("a", 64) + ".net": "no host name",
		"a\nb.example":                   "no host name",
	}
	var all []string
	for p, word := range bad {
		_, err := New(Options{}).Allow([]string{p})
		if err == nil || !strings.Contains(err.Error(), word) || !strings.Contains(err.Error(), fmt.Sprintf("%q", p)) {
			t.Errorf("%q: %v; it should speak of %q", p, err, word)
		}
		all = append(all, p, "good.example")
	}
	_, err := New(Options{}).Allow(all)
	if n := strings.Count(err.Error(), "cannot be allowed"); n != len(bad) {
		t.Errorf("%d faults for %d bad entries:\n%v", n, len(bad), err)
	}
	if _, err := New(Options{}).Allow(make([]string, maxPatterns+1)); err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("a list without end: %v", err)
	}
}

func TestNamesLeadOnlyToPublicOrListedAddresses(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Host) })
	for _, tt := range []struct {
		addrs, extra, want, dialed string
	}{
		{"192.0.2.1", "", "200", "192.0.2.1:80"},
		{"2001:db8::1", "", "200", "[2001:db8::1]:80"},
		{"64:ff9b::808:808", "", "200", "[64:ff9b::808:808]:80"},
		{"127.0.0.1", "", "denied", ""},
		{"::1", "", "denied", ""},
		{"0.0.0.0", "", "denied", ""},
		{"0.1.2.3", "", "denied", ""},
		{"::", "", "denied", ""},
		{"10.0.0.1", "", "denied", ""},
		{"172.31.255.255", "", "denied", ""},
		{"192.168.1.1", "", "denied", ""},
		{"100.64.0.1", "", "denied", ""},
		{"169.254.169.254", "", "denied", ""},
		{"224.0.0.1", "", "denied", ""},
		{"255.255.255.255", "", "denied", ""},
		{"fe80::1", "", "denied", ""},
		{"fc00::1", "", "denied", ""},
		{"fec0::1", "", "denied", ""},
		{"ff02::1", "", "denied", ""},
		{"::ffff:127.0.0.1", "", "denied", ""},
		{"::127.0.0.1", "", "denied", ""},
		{"64:ff9b::7f00:1", "", "denied", ""},
		{"2002:7f00:1::", "", "denied", ""},
		{"2001:0:1::1", "", "denied", ""},
		{"fe80::1%eth0", "[fe80::/10]:80", "denied", ""},
		{"", "", "failed", ""},
		{"10.0.0.1", "10.0.0.1:80", "200", "10.0.0.1:80"},
		{"10.0.0.1", "10.0.0.1:81", "denied", ""},
		{"10.0.0.1", "10.0.0.0/8:80", "200", "10.0.0.1:80"},
		{"10.0.0.1", "11.0.0.0/8:80", "denied", ""},
		{"fd00::1", "[fd00::/8]:80", "200", "[fd00::1]:80"},
		{"127.0.0.1 192.0.2.9", "", "200", "192.0.2.9:80"},
	} {
		n := &names{server: host(s), answers: map[string][]string{"api.example.net": strings.Fields(tt.addrs)}}
		patterns := append([]string{"api.example.net:80"}, strings.Fields(tt.extra)...)
		a := allow(t, n.options(), patterns...)
		if got := get(t, a, "http://API.example.net./"); got != tt.want {
			t.Errorf("%s with %q: %s, want %s", tt.addrs, tt.extra, got, tt.want)
		}
		if got := strings.Join(n.dialed, " "); got != tt.dialed {
			t.Errorf("%s with %q: dialed %q, want %q", tt.addrs, tt.extra, got, tt.dialed)
		}
	}
}

func FuzzAPatternAllowsOnlyWhatItNames(f *testing.F) {
	for _, p := range []string{"api.example.net:443", "*.example.net", "127.0.0.1:8080", "[::1]:80", "10.0.0.0/8:443", "[fd00::/8]", "*.", ":", "[", "[]:", "/:", "0x.1"} {
		f.Add(p, "https://api.example.net/")
		f.Add(p, "http://[::ffff:127.0.0.1]:8080/%2e")
		f.Add(p, "http://a@b:80#@c")
	}
	c := New(Options{})
	f.Fuzz(func(t *testing.T, pattern, rawURL string) {
		a, err := c.Allow([]string{pattern})
		if err != nil {
			return
		}
		defer a.Close()
		p := a.list[0]
		if p.port == 0 || (p.name == "") != p.net.IsValid() || p.name != "" && !isHostname(p.name) {
			t.Fatalf("%q became %+v", pattern, p)
		}
		u, _, err := a.check(&Request{URL: rawURL})
		if err != nil {
			kindOf(t, nil, err)
			return
		}
		// The independent judgement: what net/http will dial.
		req, err := http.NewRequest("GET", u.String(), nil)
		if err != nil {
			return
		}
		hostname, port := strings.TrimSuffix(strings.ToLower(req.URL.Hostname()), "."), req.URL.Port()
		if port == "" {
			port = map[string]string{"http": "80", "https": "443"}[req.URL.Scheme]
		}
		if n, err := netip.ParseAddrPort(net.JoinHostPort(hostname, port)); err == nil {
			if n.Port() != p.port || !p.net.Contains(n.Addr().Unmap()) {
				t.Fatalf("%q allows %q", pattern, rawURL)
			}
			return
		}
		if port = strings.TrimLeft(port, "0"); fmt.Sprint(p.port) != port || hostname != p.name && !(p.below && strings.HasSuffix(hostname, "."+p.name)) {
			t.Fatalf("%q allows %q", pattern, rawURL)
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	a := allow(b, Options{}, "a.example", "b.example", "*.c.example", "api.example.net:443")
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := a.check(&Request{URL: "https://api.example.net/v1/users?id=1"}); err != nil {
			b.Fatal(err)
		}
	}
}
