package fetch

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// allow is an access of a new client.
func allow(t testing.TB, o Options, patterns ...string) *Access {
	t.Helper()
	c := New(o)
	t.Cleanup(c.Close)
	a, err := c.Allow(patterns)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// kindOf is what became of a request, in a word.
func kindOf(t testing.TB, resp *Response, err error) string {
	t.Helper()
	if err == nil {
		return fmt.Sprint(resp.Status)
	}
	var own *Error
	if !errors.As(err, &own) || resp != nil {
		t.Fatalf("%v is no *Error alone, with %v", err, resp)
	}
	if errors.Is(err, ErrNotAllowed) != (own.Kind == Denied) || errors.Is(err, ErrTooLarge) != (own.Kind == TooLarge) {
		t.Fatalf("%v does not match its sentinel", err)
	}
	return own.Kind.String()
}

func get(t testing.TB, a *Access, url string) string {
	t.Helper()
	resp, err := a.Do(t.Context(), &Request{URL: url})
	return kindOf(t, resp, err)
}

// host is the address and port of a test server.
func host(s *httptest.Server) string { return s.Listener.Addr().String() }

// names is a resolver that knows these names, and a dialer that leads all
// addresses to one server and remembers them.
type names struct {
	server  string
	answers map[string][]string
	mu      sync.Mutex
	asked   int
	dialed  []string
}

func (n *names) options() Options {
	return Options{
		Lookup: func(_ context.Context, host string) (all []netip.Addr, err error) {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.asked++
			for _, a := range n.answers[host] {
				all = append(all, netip.MustParseAddr(a))
			}
			return all, nil
		},
		Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			n.mu.Lock()
			n.dialed = append(n.dialed, addr)
			n.mu.Unlock()
			return (&net.Dialer{}).DialContext(ctx, network, n.server)
		},
	}
}

func serve(t testing.TB, h http.HandlerFunc) *httptest.Server {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func TestARequestArrivesAsItWasWritten(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var lines []string
		for name, v := range r.Header {
			lines = append(lines, name+"="+strings.Join(v, ","))
		}
		slices.Sort(lines)
		w.Header()["X-Two"] = []string{"b", "a"}
		w.Header().Set("Date", "now")
		w.WriteHeader(418)
		fmt.Fprintf(w, "%s %s %s %q", r.Method, r.URL, lines, body)
	})
	a := allow(t, Options{UserAgent: "mta"}, host(s))
	resp, err := a.Do(t.Context(), &Request{"PUT", s.URL + "/a%2Fb?c=d#e", [][2]string{{"x-key", "1"}, {"X-Key", "2"}, {"Accept-Encoding", "gzip"}}, []byte("body")})
	if err != nil {
		t.Fatal(err)
	}
	want := `PUT /a%2Fb?c=d [Accept-Encoding=gzip Content-Length=4 User-Agent=mta X-Key=1,2] "body"`
	if resp.Status != 418 || string(resp.Body) != want {
		t.Errorf("status %d, got\n%s\nwant\n%s", resp.Status, resp.Body, want)
	}
	header := fmt.Sprint(resp.Header)
	if want := fmt.Sprintf("[[Content-Length %d] [Content-Type text/plain; charset=utf-8] [Date now] [X-Two b] [X-Two a]]", len(resp.Body)); header != want {
		t.Errorf("header %s, want %s", header, want)
	}
	if got := get(t, a, s.URL); got != "418" {
		t.Errorf("an empty method: %s", got)
	}
	plain := allow(t, Options{}, host(s))
	resp, err = plain.Do(t.Context(), &Request{URL: s.URL})
	if err != nil || string(resp.Body) != `GET / [] ""` {
		t.Errorf("nothing of our own is sent: %s, %v", resp.Body, err)
	}
}

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

func TestWhatAPluginMayNotSend(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { t.Errorf("%s %s was sent", r.Method, r.URL) })
	a := allow(t, Options{}, host(s))
	tests := map[string]struct {
		want string
		r    Request
	}{
		"CONNECT":                {"invalid", Request{Method: "CONNECT"}},
		"TRACE":                  {"invalid", Request{Method: "TRACE"}},
		"two methods":            {"invalid", Request{Method: "GET HEAD"}},
		"a small method":         {"invalid", Request{Method: "get"}},
		"CRLF in the method":     {"invalid", Request{Method: "GET\r\n"}},
		"CRLF in the URL":        {"invalid", Request{URL: s.URL + "/\r\nX: y"}},
		"a space in the URL":     {"invalid", Request{URL: s.URL + "/a b"}},
		"no URL":                 {"invalid", Request{URL: "/"}},
		"an opaque URL":          {"invalid", Request{URL: "http:opaque"}},
		"half an escape":         {"invalid", Request{URL: s.URL + "/%zz"}},
		"a long URL":             {"too large", Request{URL: s.URL + "/" + strings.Repeat("a", MaxURL)}},
		"a large body":           {"too large", Request{Method: "POST", Body: make([]byte, MaxRequestBody+1)}},
		"a large header":         {"too large", Request{Header: [][2]string{{"X", strings.Repeat("x", MaxHeader)}}}},
		"many fields":            {"too large", Request{Header: make([][2]string, maxFields+1)}},
		"no name":                {"invalid", Request{Header: [][2]string{{"", "x"}}}},
		"a name with a colon":    {"invalid", Request{Header: [][2]string{{"X:", "x"}}}},
		"CRLF in a name":         {"invalid", Request{Header: [][2]string{{"X\r\nY", "x"}}}},
		"CRLF in a value":        {"invalid", Request{Header: [][2]string{{"X", "x\r\nY: z"}}}},
		"LF in a value":          {"invalid", Request{Header: [][2]string{{"X", "x\ny"}}}},
		"NUL in a value":         {"invalid", Request{Header: [][2]string{{"X", "x\x00"}}}},
		"Host":                   {"invalid", Request{Header: [][2]string{{"host", "other"}}}},
		"Connection":             {"invalid", Request{Header: [][2]string{{"Connection", "X"}}}},
		"Transfer-Encoding":      {"invalid", Request{Header: [][2]string{{"transfer-encoding", "chunked"}}}},
		"Content-Length":         {"invalid", Request{Header: [][2]string{{"Content-Length", "1"}}}},
		"Upgrade":                {"invalid", Request{Header: [][2]string{{"Upgrade", "h2c"}}}},
		"Expect":                 {"invalid", Request{Header: [][2]string{{"Expect", "100-continue"}}}},
		"Proxy-Authorization":    {"invalid", Request{Header: [][2]string{{"Proxy-Authorization", "x"}}}},
		"a user name in the URL": {"denied", Request{URL: strings.Replace(s.URL, "//", "//u:p@", 1)}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if tt.r.URL == "" {
				tt.r.URL = s.URL
			}
			resp, err := a.Do(t.Context(), &tt.r)
			if got := kindOf(t, resp, err); got != tt.want {
				t.Errorf("%s (%v), want %s", got, err, tt.want)
			}
		})
	}
}

func TestRedirectsStayOnTheList(t *testing.T) {
	var forbidden atomic.Int32
	secret := serve(t, func(http.ResponseWriter, *http.Request) { forbidden.Add(1) })
	other := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %q auth=%q cookie=%q type=%q key=%q", r.Method, body, r.Header.Get("Authorization"), r.Header.Get("Cookie"), r.Header.Get("Content-Type"), r.Header.Get("X-Key"))
	})
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/loop" {
			http.Redirect(w, r, "/loop", 302)
			return
		}
		if r.URL.Path == "/long" {
			http.Redirect(w, r, strings.Repeat("a", MaxURL+1), 302)
			return
		}
		if r.URL.Path == "/end" {
			other.Config.Handler.ServeHTTP(w, r)
			return
		}
		var code int
		fmt.Sscanf(r.URL.Path, "/%d", &code)
		if to := r.URL.Query().Get("to"); to != "" {
			w.Header().Set("Location", to)
		}
		w.WriteHeader(code)
		io.WriteString(w, "moved")
	})
	a := allow(t, Options{}, host(s), host(other))
	header := [][2]string{{"Authorization", "secret"}, {"Cookie", "c=1"}, {"Content-Type", "text/x"}, {"X-Key", "k"}}
	for _, tt := range []struct{ method, url, want string }{
		{"POST", "/302?to=/end", `200 GET "" auth="secret" cookie="c=1" type="" key="k"`},
		{"POST", "/303?to=/end", `200 GET "" auth="secret" cookie="c=1" type="" key="k"`},
		{"PUT", "/303?to=/end", `200 GET "" auth="secret" cookie="c=1" type="" key="k"`},
		{"PUT", "/301?to=/end", `200 PUT "body" auth="secret" cookie="c=1" type="text/x" key="k"`},
		{"POST", "/307?to=/end", `200 POST "body" auth="secret" cookie="c=1" type="text/x" key="k"`},
		{"POST", "/308?to=" + other.URL, `200 POST "body" auth="" cookie="" type="text/x" key="k"`},
		{"GET", "/302?to=//" + host(other), `200 GET "body" auth="" cookie="" type="text/x" key="k"`},
		{"GET", "/302", "302 moved"},
		{"GET", "/304?to=/end", "304 "},
		{"GET", "/300?to=/end", "300 moved"},
		{"GET", "/302?to=" + secret.URL, "denied"},
		{"GET", "/307?to=//" + host(secret) + "/x", "denied"},
		{"GET", "/302?to=http://u:p@" + host(s), "denied"},
		{"GET", "/302?to=ftp://" + host(s), "denied"},
		{"GET", "/302?to=file:///etc/passwd", "denied"},
		{"GET", "/302?to=http://169.254.169.254/latest", "denied"},
		{"GET", "/302?to=http://localhost:" + strings.Split(host(s), ":")[1], "denied"},
		{"GET", "/302?to=http:///", "denied"},
		{"GET", "/302?to=%25zz", "failed"},
		{"GET", "/long", "failed"},
		{"GET", "/loop", "failed"},
	} {
		t.Run(tt.method+" "+tt.url[:min(len(tt.url), 40)], func(t *testing.T) {
			u := s.URL + tt.url
			resp, err := a.Do(t.Context(), &Request{tt.method, u, header, []byte("body")})
			got := kindOf(t, resp, err)
			if err == nil {
				got += " " + string(resp.Body)
			}
			if got != tt.want {
				t.Errorf("got %s (%v), want %s", got, err, tt.want)
			}
		})
	}
	if forbidden.Load() != 0 {
		t.Error("a server that is not listed was asked")
	}
}

func TestFiveRedirectsAreFollowedAndNoSixth(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var n int
		fmt.Sscanf(r.URL.Path, "/%d", &n)
		if n > 0 {
			http.Redirect(w, r, fmt.Sprint("/", n-1), 302)
		}
	})
	a := allow(t, Options{}, host(s))
	if got := get(t, a, s.URL+"/5") + " " + get(t, a, s.URL+"/6"); got != "200 failed" {
		t.Errorf("got %s", got)
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

func TestANameThatMovesAfterTheCheckOpensNothing(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {})
	n := &names{server: host(s), answers: map[string][]string{"rebind.example": {"192.0.2.1"}}}
	o := n.options()
	lookup := o.Lookup
	o.Lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
		all, err := lookup(ctx, host)
		n.answers["rebind.example"] = []string{"127.0.0.1"} // from the second question on
		return all, err
	}
	a := allow(t, o, "rebind.example:80")
	if got := get(t, a, "http://rebind.example/"); got != "200" || n.asked != 1 {
		t.Errorf("%s after %d questions", got, n.asked)
	}
	a.transport.CloseIdleConnections()
	if got := get(t, a, "http://rebind.example/"); got != "denied" {
		t.Errorf("the second connection: %s", got)
	}
	if got := strings.Join(n.dialed, " "); got != "192.0.2.1:80" {
		t.Errorf("dialed %s", got)
	}
}

func TestAConnectionOfOnePluginIsNoWayInForAnother(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {})
	n := &names{server: host(s), answers: map[string][]string{"svc.example": {"10.0.0.1"}}}
	c := New(n.options())
	defer c.Close()
	may, _ := c.Allow([]string{"svc.example:80", "10.0.0.1:80"})
	mayNot, _ := c.Allow([]string{"svc.example:80"})
	if got := get(t, may, "http://svc.example/") + " " + get(t, mayNot, "http://svc.example/"); got != "200 denied" {
		t.Errorf("got %s", got)
	}
}

func TestTheNextAddressIsTriedWhenOneFails(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {})
	n := &names{server: host(s), answers: map[string][]string{"api.example": {"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5"}}}
	o := n.options()
	dial := o.Dial
	bad := map[string]bool{"192.0.2.1:80": true}
	o.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if bad[addr] {
			return nil, errors.New("refused")
		}
		return dial(ctx, network, addr)
	}
	if got := get(t, allow(t, o, "api.example:80"), "http://api.example/"); got != "200" {
		t.Errorf("got %s", got)
	}
	for i := range 4 {
		bad[fmt.Sprintf("192.0.2.%d:80", i+1)] = true
	}
	if got := get(t, allow(t, o, "api.example:80"), "http://api.example/"); got != "failed" {
		t.Errorf("with a fifth good one, which is one too many: %s", got)
	}
}

func TestWhatIsTooLargeIsRefusedWhole(t *testing.T) {
	bomb := gzipped(t, 32<<20)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/exact":
			w.Write(make([]byte, 1<<20))
		case "/announced":
			w.Header().Set("Content-Length", "1048577")
			w.Write(make([]byte, 1<<20+1))
		case "/chunked":
			for range 17 {
				w.Write(make([]byte, 64<<10))
				w.(http.Flusher).Flush()
			}
		case "/endless":
			for {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		case "/header":
			w.Header().Set("X", strings.Repeat("x", MaxHeader))
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(bomb)
		}
	})
	a := allow(t, Options{}, host(s))
	for path, want := range map[string]string{"/exact": "200", "/announced": "too large", "/chunked": "too large", "/endless": "too large", "/header": "too large", "/bomb": "200"} {
		if got := get(t, a, s.URL+path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	for _, field := range [][][2]string{nil, {{"Accept-Encoding", "gzip"}}} {
		resp, err := a.Do(t.Context(), &Request{URL: s.URL + "/bomb", Header: field})
		if err != nil || !bytes.Equal(resp.Body, bomb) || !slices.Contains(resp.Header, [2]string{"Content-Encoding", "gzip"}) {
			t.Errorf("the bomb went off: %d octets, %v", len(resp.Body), err)
		}
	}
	resp, err := a.Do(t.Context(), &Request{Method: "HEAD", URL: s.URL + "/announced"})
	if err != nil || len(resp.Body) != 0 {
		t.Errorf("HEAD of something large: %v", err)
	}
	small := allow(t, Options{MaxBody: 10}, host(s))
	if got := get(t, small, s.URL+"/exact"); got != "too large" {
		t.Errorf("with a limit of ten octets: %s", got)
	}
}

func gzipped(t *testing.T, n int) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(make([]byte, n)); err != nil {
		t.Fatal(err)
	}
	w.Close()
	return b.Bytes()
}

// pipe is a server within a bubble: each connection gets what the plugin asked
// read, and then talks.
func pipe(t *testing.T, talk func(net.Conn)) Options {
	return Options{
		Dial: func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go func() {
				defer theirs.Close()
				if _, err := theirs.Read(make([]byte, 4096)); err == nil {
					talk(theirs)
				}
			}()
			return ours, nil
		},
		Lookup: func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr("192.0.2.1")}, nil
		},
	}
}

func TestNoServerHoldsAPluginLongerThanItsDeadline(t *testing.T) {
	tests := map[string]func(net.Conn){
		"silent":           func(c net.Conn) { c.Read(make([]byte, 1)) },
		"a drop at a time": func(c net.Conn) { drip(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n") },
		"a slow header":    func(c net.Conn) { drip(c, "HTTP/1.1 200 OK\r\nX: ") },
		"slow redirects": func(c net.Conn) {
			time.Sleep(9 * time.Second)
			io.WriteString(c, "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		},
		"continue, for ever": func(c net.Conn) { dripWhole(c, "HTTP/1.1 102 Processing\r\n\r\n") },
	}
	for name, talk := range tests {
		for _, limit := range []time.Duration{time.Second, time.Hour} {
			t.Run(fmt.Sprint(name, " ", limit), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					a := allow(t, pipe(t, talk), "slow.example:80")
					ctx, cancel := context.WithTimeout(t.Context(), limit)
					defer cancel()
					start := time.Now()
					resp, err := a.Do(ctx, &Request{URL: "http://slow.example/"})
					if got := kindOf(t, resp, err); got != "timeout" && !(name == "continue, for ever" && got == "failed") {
						t.Errorf("%s: %v", got, err)
					}
					if took := time.Since(start); took > min(limit, MaxTime) {
						t.Errorf("it took %v", took)
					}
					a.client.Close()
					time.Sleep(time.Minute) // the servers notice
				})
			})
		}
	}
}

func drip(c net.Conn, begin string) {
	if _, err := io.WriteString(c, begin); err == nil {
		dripWhole(c, "x")
	}
}

func dripWhole(c net.Conn, s string) {
	for {
		time.Sleep(500 * time.Millisecond)
		if _, err := io.WriteString(c, s); err != nil {
			return
		}
	}
}

func TestAnAddressThatNeverAnswersEndsInATimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := pipe(t, nil)
		o.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }
		a := allow(t, o, "deaf.example")
		start := time.Now()
		if got := get(t, a, "https://deaf.example/"); got != "timeout" || time.Since(start) != dialTime {
			t.Errorf("%s after %v", got, time.Since(start))
		}
	})
}

func TestWhatIsNoHTTPFails(t *testing.T) {
	for _, words := range []string{"", "220 mx ESMTP\r\n", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"} {
		synctest.Test(t, func(t *testing.T) {
			a := allow(t, pipe(t, func(c net.Conn) { io.WriteString(c, words) }), "odd.example:80")
			if got := get(t, a, "http://odd.example/"); got != "failed" {
				t.Errorf("%q: %s", words, got)
			}
			a.client.Close()
			time.Sleep(time.Minute)
		})
	}
}

func TestTLSIsVerifiedAgainstTheRootsGiven(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/down" {
			http.Redirect(w, r, "http://example.com:8080/", 302)
		}
		fmt.Fprint(w, r.TLS.ServerName)
	}))
	defer s.Close()
	s.Config.ErrorLog = nil
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	n := &names{server: host(s), answers: map[string][]string{"example.com": {"192.0.2.1"}, "other.example": {"192.0.2.1"}}}
	o := n.options()
	o.Roots = roots
	list := []string{"example.com", "other.example", "example.com:8080", "192.0.2.9"}
	a := allow(t, o, list...)
	resp, err := a.Do(t.Context(), &Request{URL: "https://example.com/"})
	if err != nil || string(resp.Body) != "example.com" {
		t.Fatalf("%v", err)
	}
	for _, u := range []string{"https://other.example/", "https://192.0.2.9/"} {
		var wrong x509.HostnameError
		if _, err := a.Do(t.Context(), &Request{URL: u}); !errors.As(err, &wrong) {
			t.Errorf("%s: %v", u, err)
		}
	}
	if got := get(t, a, "https://example.com/down"); got != "denied" {
		t.Errorf("from https to http: %s", got)
	}
	o.Now = func() time.Time { return s.Certificate().NotAfter.Add(time.Hour) }
	var expired x509.CertificateInvalidError
	if _, err := allow(t, o, list...).Do(t.Context(), &Request{URL: "https://example.com/"}); !errors.As(err, &expired) {
		t.Errorf("a certificate of yesterday: %v", err)
	}
	o.Now, o.Roots = nil, nil
	var unknown *tls.CertificateVerificationError
	if _, err := allow(t, o, list...).Do(t.Context(), &Request{URL: "https://example.com/"}); !errors.As(err, &unknown) {
		t.Errorf("an unknown issuer: %v", err)
	}
}

func TestConnectionsAreUsedAgainAndBounded(t *testing.T) {
	var opened, open atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "ok") }))
	s.Config.ConnState = func(_ net.Conn, st http.ConnState) {
		switch st {
		case http.StateNew:
			opened.Add(1)
			open.Add(1)
		case http.StateClosed:
			open.Add(-1)
		}
	}
	s.Start()
	defer s.Close()
	a := allow(t, Options{}, host(s))
	for range 20 {
		if got := get(t, a, s.URL); got != "200" {
			t.Fatal(got)
		}
	}
	if n := opened.Load(); n != 1 {
		t.Errorf("20 requests took %d connections", n)
	}
	var wg sync.WaitGroup
	for range 3 * connections {
		wg.Go(func() { get(t, a, s.URL) })
	}
	wg.Wait()
	if n := opened.Load(); n > 3*connections || n < 1 {
		t.Errorf("%d connections were opened", n)
	}
	a.Close()
	if len(a.client.open) != 0 {
		t.Error("the client still knows an access that was closed")
	}
	a.client.Close()
	if got := get(t, a, s.URL); got != "failed" {
		t.Errorf("after Close: %s", got)
	}
}

func TestCloseEndsRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := allow(t, pipe(t, func(c net.Conn) { c.Read(make([]byte, 1)) }), "slow.example:80")
		go func() { time.Sleep(time.Second); a.client.Close() }()
		start := time.Now()
		resp, err := a.Do(t.Context(), &Request{URL: "http://slow.example/"})
		if got := kindOf(t, resp, err); got != "failed" || !errors.Is(err, errClosed) || time.Since(start) != time.Second {
			t.Errorf("%s after %v: %v", got, time.Since(start), err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		a = allow(t, pipe(t, func(net.Conn) {}), "slow.example:80")
		if _, err := a.Do(ctx, &Request{URL: "http://slow.example/"}); !errors.Is(err, context.Canceled) {
			t.Errorf("a context that is over: %v", err)
		}
		a.client.Close()
		time.Sleep(time.Minute)
	})
}

func TestTheEnvironmentsProxyIsNotUsed(t *testing.T) {
	proxy := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the proxy was asked") })
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("http_proxy", proxy.URL)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {})
	n := &names{server: host(s), answers: map[string][]string{"api.example": {"192.0.2.1"}}}
	a := allow(t, n.options(), "api.example:80")
	if got := get(t, a, "http://api.example/"); got != "200" || a.transport.Proxy != nil {
		t.Errorf("got %s", got)
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

func BenchmarkDo(b *testing.B) {
	s := serve(b, func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("ok")) })
	a := allow(b, Options{}, host(s))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.Do(b.Context(), &Request{URL: s.URL}); err != nil {
			b.Fatal(err)
		}
	}
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
