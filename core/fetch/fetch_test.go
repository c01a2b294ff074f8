package fetch

import (
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
			http.Redirect(w, r, "/loop", http.StatusFound)
			return
		}
		if r.URL.Path == "/long" {
			http.Redirect(w, r, strings.Repeat("a", MaxURL+1), http.StatusFound)
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
			http.Redirect(w, r, fmt.Sprint("/", n-1), http.StatusFound)
		}
	})
	a := allow(t, Options{}, host(s))
	if got := get(t, a, s.URL+"/5") + " " + get(t, a, s.URL+"/6"); got != "200 failed" {
		t.Errorf("got %s", got)
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

func TestTLSIsVerifiedAgainstTheRootsGiven(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/down" {
			http.Redirect(w, r, "http://example.com:8080/", http.StatusFound)
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
