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
	"crypto/x509"
	"net"
	"net/netip"
	"time"
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
