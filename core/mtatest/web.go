package mtatest

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Web is an HTTP server that does what its rules say. A rule is one line:
//
//	METHOD GLOB [xN] STATUS [header.NAME=VALUE...] [BODY...]
//	METHOD GLOB [xN] FAULT
//
// The first whose METHOD ("*": any) and GLOB fit the request and its path
// answers it, xN only N times. FAULT is
//
//	drop            close the connection without an answer
//	hang            no answer until the client goes
//	slow DURATION   wait, then go on with the rules below
//
// A request without a rule gets 404. A line "tls NAME" makes it speak HTTPS,
// with a certificate for that name from the authority in $DIR/cert.pem.
type Web struct {
	Name string
	Cert *tls.Certificate

	mu       sync.Mutex
	rules    []*webRule
	requests []Asked
	conns    int
	secure   string // the name in its certificate
}

// Asked is one request that a [Web] has got.
type Asked struct {
	Method, URL string
	Header      http.Header
	Body        string
}

// String is the request as text: its line, its fields by name, an empty line
// and the body.
func (a *Asked) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", a.Method, a.URL)
	for _, name := range slices.Sorted(maps.Keys(a.Header)) {
		for _, v := range a.Header[name] {
			fmt.Fprintf(&b, "%s: %s\n", name, v)
		}
	}
	b.WriteString("\n" + a.Body)
	return b.String()
}

type webRule struct {
	method, glob string
	left         int // -1: always
	fault        string
	wait         time.Duration
	status       int
	header       [][2]string
	body         string
}

// NewWeb parses rules; see [Web].
func NewWeb(name, rules string) (*Web, error) {
	w := &Web{Name: name}
	return w, w.SetRules(rules)
}

// SetRules makes the server follow other rules from now on.
func (w *Web) SetRules(text string) error {
	var rules []*webRule
	secure := ""
	for i, line := range strings.Split(text, "\n") {
		f := strings.Fields(line)
		if len(f) == 0 || strings.HasPrefix(f[0], "#") {
			continue
		}
		if f[0] == "tls" && len(f) == 2 {
			secure = f[1]
			continue
		}
		r, err := parseWebRule(f)
		if err != nil {
			return fmt.Errorf("http %s: line %d: %w", w.Name, i+1, err)
		}
		rules = append(rules, r)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rules, w.secure = rules, secure
	return nil
}

func parseWebRule(f []string) (*webRule, error) {
	if len(f) < 3 {
		return nil, fmt.Errorf("want METHOD GLOB [xN] STATUS [header.NAME=VALUE...] [BODY...], got %q", strings.Join(f, " "))
	}
	r := &webRule{method: f[0], glob: f[1], left: -1}
	f = f[2:]
	if n, err := strconv.Atoi(strings.TrimPrefix(f[0], "x")); err == nil && f[0][0] == 'x' {
		r.left, f = n, f[1:]
	}
	var err error
	switch {
	case len(f) == 2 && f[0] == "slow":
		r.fault = f[0]
		r.wait, err = time.ParseDuration(f[1])
		return r, err
	case len(f) == 1 && (f[0] == "drop" || f[0] == "hang"):
		r.fault = f[0]
		return r, nil
	case len(f) == 0:
		return nil, fmt.Errorf("a rule for %s %s says nothing", r.method, r.glob)
	}
	if r.status, err = strconv.Atoi(f[0]); err != nil || r.status < 200 || r.status > 599 {
		return nil, fmt.Errorf("%q is no status from 200 to 599, and no fault", f[0])
	}
	for f = f[1:]; len(f) > 0; f = f[1:] {
		name, value, ok := strings.Cut(strings.TrimPrefix(f[0], "header."), "=")
		if !ok || !strings.HasPrefix(f[0], "header.") {
			break
		}
		r.header = append(r.header, [2]string{name, value})
	}
	r.body = strings.Join(f, " ")
	return r, nil
}

// Serve answers requests until the listener is closed, and ends with all
// connections.
func (w *Web) Serve(l net.Listener) {
	s := &http.Server{Handler: w, ErrorLog: log.New(io.Discard, "", 0), ConnState: func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.conns++
		}
	}}
	if w.Cert != nil {
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{*w.Cert}})
	}
	s.Serve(l)
	s.Close()
}

// Requests are those that it has got so far.
func (w *Web) Requests() []Asked {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.requests)
}

// Connections counts those accepted so far.
func (w *Web) Connections() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.conns
}

// ServeHTTP implements [http.Handler].
func (w *Web) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 16<<20))
	if err != nil {
		return
	}
	header := r.Header.Clone()
	header.Set("Host", r.Host)
	w.mu.Lock()
	w.requests = append(w.requests, Asked{r.Method, r.URL.String(), header, string(body)})
	w.mu.Unlock()
	for next := 0; ; {
		var rule *webRule
		rule, next = w.rule(r.Method, r.URL.Path, next)
		switch {
		case rule == nil:
			http.Error(out, "no rule", http.StatusNotFound)
			return
		case rule.fault == "drop":
			panic(http.ErrAbortHandler)
		case rule.fault == "hang":
			<-r.Context().Done()
			return
		case rule.fault == "slow":
			time.Sleep(rule.wait)
			continue
		}
		for _, h := range rule.header {
			out.Header().Set(h[0], h[1])
		}
		out.WriteHeader(rule.status)
		io.Copy(out, bytes.NewReader([]byte(rule.body)))
		return
	}
}

// rule is the first that fits, from a place on, and the place behind it.
func (w *Web) rule(method, url string, from int) (*webRule, int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := from; i < len(w.rules); i++ {
		r := w.rules[i]
		if r.left == 0 || r.method != "*" && r.method != method {
			continue
		}
		if ok, _ := path.Match(r.glob, url); !ok && r.glob != "*" {
			continue
		}
		if r.left > 0 {
			r.left--
		}
		return r, i + 1
	}
	return nil, 0
}
