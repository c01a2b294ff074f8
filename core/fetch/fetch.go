// Package fetch is the HTTP client that plugins use with a grant: net/http is
// the engine, the policy is here.
//
// An [Access] is the list of hosts and ports that one plugin may talk to. Each
// URL must be on it: the first one, and that of every redirect. A name that is
// on the list must also resolve to addresses that are: public ones are, those
// of loopback, private networks, link-local, multicast and the like only when
// the list names the address or its network. A name is resolved once for each
// connection, and the address that was checked is the one that is dialed, so
// an answer that changes in between opens nothing.
//
// Bounds: 5 redirects, 30 s, 1 MiB of request body, [Options.MaxBody] of
// response body, 64 KiB of header each way, few idle connections. Nothing is
// decompressed, so what is counted is what a plugin gets. No proxy, cookie or
// credential of the environment is used.
//
// It refuses other schemes than http and https, a redirect from https to http,
// user names in URLs, control characters anywhere, and fields that belong to
// the connection. Credentials do not follow a redirect to another host.
package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// Bounds of a request and its answer; [Options.MaxBody] is that of the answer's body.
const (
	MaxRequestBody = 1 << 20
	MaxHeader      = 64 << 10
	MaxURL         = 8 << 10
	MaxRedirects   = 5
	MaxTime        = 30 * time.Second
)

const (
	maxFields   = 256 // in the header of a request
	connections = 32  // to one host, of one plugin
	idleHost    = 4
	idle        = 16
	idleTime    = 30 * time.Second
	dialTime    = 10 * time.Second
	dialTries   = 4 // addresses of one name
)

// Request is what a plugin asks for. An empty Method is GET.
type Request struct {
	Method string
	URL    string
	Header [][2]string
	Body   []byte
}

// Response is what came back, whatever its status. The fields of the header are
// sorted by name, so that equal answers are equal.
type Response struct {
	Status int
	Header [][2]string
	Body   []byte
}

// Options are what a client works with. The zero value is usable.
type Options struct {
	Dial      func(ctx context.Context, network, addr string) (net.Conn, error) // nil: the network; addr is always an address
	Lookup    func(ctx context.Context, host string) ([]netip.Addr, error)      // nil: the system's resolver
	Roots     *x509.CertPool                                                    // nil: the system's
	Now       func() time.Time                                                  // for certificates; nil: time.Now
	MaxBody   int64                                                             // of a response; 0: 1 MiB
	UserAgent string                                                            // unless the plugin sets its own; empty: none
}

// Kind is why there is no response.
type Kind uint8

// The kinds of failure.
const (
	Failed   Kind = iota // the network or the server
	Denied               // the allow-list
	Invalid              // the request is none
	TooLarge             // the request or the response
	Timeout              // the caller's deadline, or [MaxTime]
)

var kindNames = [...]string{"failed", "denied", "invalid", "too large", "timeout"}

// String is the name of a kind, for logs.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// Error is every error of [Access.Do].
type Error struct {
	Kind Kind
	Err  error
}

// Error implements error.
func (e *Error) Error() string { return "fetch: " + e.Kind.String() + ": " + e.Err.Error() }

// Unwrap is what went wrong.
func (e *Error) Unwrap() error { return e.Err }

// Is makes the sentinels match.
func (e *Error) Is(target error) bool {
	return target == ErrNotAllowed && e.Kind == Denied || target == ErrTooLarge && e.Kind == TooLarge
}

// What callers tell apart with errors.Is.
var (
	ErrNotAllowed = errors.New("fetch: not on the allow-list")
	ErrTooLarge   = errors.New("fetch: too large")
)

// Client makes an [Access] for each plugin.
type Client struct {
	o      Options
	ctx    context.Context // ends with Close
	cancel context.CancelFunc

	mu   sync.Mutex
	open map[*Access]struct{}
}

// New makes a client.
func New(o Options) *Client {
	if o.Dial == nil {
		o.Dial = (&net.Dialer{}).DialContext
	}
	if o.Lookup == nil {
		o.Lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MaxBody <= 0 {
		o.MaxBody = 1 << 20
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &Client{o: o, ctx: ctx, cancel: cancel, open: map[*Access]struct{}{}}
}

// Close ends all requests and connections. Later requests fail.
func (c *Client) Close() {
	c.cancel()
	c.mu.Lock()
	defer c.mu.Unlock()
	for a := range c.open {
		a.transport.CloseIdleConnections()
	}
	clear(c.open)
}

// Access is what one plugin may reach. Its connections are its own: what another
// plugin may reach is no help to it.
type Access struct {
	client    *Client
	list      []pattern
	transport *http.Transport
}

// Allow makes an access from a list of
//
//	api.example.net:443    a name and a port
//	api.example.net        the same; without a port it is 443
//	*.example.net:8080     all names below, not the name itself
//	127.0.0.1:8080         an address
//	[::1]:80               an IPv6 address
//	10.0.0.0/8:443         a network; [fd00::/8]:443
//
// Port 443 is for https only, others are for both schemes. The error joins one
// for each entry that is wrong.
func (c *Client) Allow(patterns []string) (*Access, error) {
	list, err := parsePatterns(patterns)
	if err != nil {
		return nil, err
	}
	a := &Access{client: c, list: list}
	a.transport = &http.Transport{
		Proxy:                  nil, // a proxy would dial what was not checked
		DialContext:            a.dial,
		TLSClientConfig:        &tls.Config{RootCAs: c.o.Roots, Time: c.o.Now, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    dialTime,
		DisableCompression:     true, // the bound is on what a plugin gets
		MaxConnsPerHost:        connections,
		MaxIdleConnsPerHost:    idleHost,
		MaxIdleConns:           idle,
		IdleConnTimeout:        idleTime,
		MaxResponseHeaderBytes: MaxHeader,
		Protocols:              new(http.Protocols),
	}
	a.transport.Protocols.SetHTTP1(true)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open[a] = struct{}{}
	return a, nil
}

// Close gives up the idle connections of an access that nobody uses any more.
func (a *Access) Close() {
	a.client.mu.Lock()
	delete(a.client.open, a)
	a.client.mu.Unlock()
	a.transport.CloseIdleConnections()
}
