package fetch

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

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
