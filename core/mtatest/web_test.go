package mtatest

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// get asks a server in the memory of one test.
func get(c *http.Client, path string) string {
	resp, err := c.Get("http://192.0.2.80:8080" + path)
	if err != nil {
		return "error"
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return strings.TrimSpace(resp.Status[:3] + " " + resp.Header.Get("Retry-After") + " " + string(b))
}

func TestAWebServerFollowsItsRules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, err := NewWeb("192.0.2.80:8080", `
# the first that fits
GET /a x1 503 header.Retry-After=60 busy today
GET /a 200 {"ok": true}
GET /slow x1 slow 5s
* /slow 204
GET /drop drop
GET /hang hang
`)
		if err != nil {
			t.Fatal(err)
		}
		var n Net
		l, err := n.Listen("tcp", w.Name)
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() { w.Serve(l); close(ended) }()
		c := &http.Client{Timeout: time.Minute, Transport: &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			return n.Dial(ctx, network, addr)
		}}}
		start := time.Now()
		for _, tc := range []struct{ path, want string }{
			{"/a", "503 60 busy today"}, {"/a", `200  {"ok": true}`}, {"/a", `200  {"ok": true}`},
			{"/slow", "204"}, {"/slow", "204"}, {"/nothing", "404  no rule"},
		} {
			if got := get(c, tc.path); got != tc.want {
				t.Errorf("%s: %q, want %q", tc.path, got, tc.want)
			}
		}
		if d := time.Since(start); d != 5*time.Second {
			t.Errorf("it took %s", d)
		}
		for _, path := range []string{"/drop", "/hang"} {
			if got := get(c, path); got != "error" {
				t.Errorf("%s: %q", path, got)
			}
		}
		reqs := w.Requests()
		if text := reqs[0].String(); len(reqs) < 8 || !strings.HasPrefix(text, "GET /a\n") || !strings.Contains(text, "\nHost: 192.0.2.80:8080\n") {
			t.Errorf("%d requests, the first %q", len(reqs), text)
		}
		c.CloseIdleConnections()
		l.Close()
		<-ended
	})
}

func TestRulesOfAWebServerThatAreWrongAreRefused(t *testing.T) {
	for _, rules := range []string{"GET /a", "GET /a x3", "GET /a 20", "GET /a eat", "GET /a slow soon"} {
		if _, err := NewWeb("x", rules); err == nil {
			t.Errorf("%q is taken", rules)
		}
	}
}
