// Package smtpout speaks with a next hop, over SMTP (RFC 5321) or LMTP
// (RFC 2033), and says how it came out for each recipient: attempt in, outcomes
// out. It knows hosts, connections and replies; which hosts a recipient has,
// when to try again and what to tell the sender are decided elsewhere.
//
// It refuses to send credentials in the clear to another machine, to go on in
// the clear where the route asks for TLS, to send what the next hop did not say
// it takes, and to believe a reply code that is out of place.
//
// Invariants:
//   - Each recipient of the event gets exactly one outcome, and what a peer or a
//     network does is never a Go error.
//   - A recipient is reported delivered only after a 2yz reply to the end of the
//     message. When that reply is lost, the message is not sent to another host
//     in the same pass: the outcome says that it may be there already.
//   - A connection is used again only for the same host, protocol, TLS policy,
//     source and credentials, and only when its last transaction ended cleanly.
//   - Memory and time are bounded whatever the peer says: a reply has at most 100
//     lines and 64 KiB, each step has its timeout, and an attempt has one too.
package smtpout

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/programmable-mta/mta/core/smtp"
	"github.com/programmable-mta/mta/sdk"
)

// Resolver finds the addresses of hosts. No such host is (nil, nil), any error
// is a *sdk.DNSError. MXAddrs is for hosts that the DNS named (Route.MX) and
// leaves out addresses that no stranger may choose for us.
type Resolver interface {
	Addrs(ctx context.Context, host string) ([]netip.Addr, error)
	MXAddrs(ctx context.Context, host string) ([]netip.Addr, error)
}

// Options are the client's surroundings and limits; zero is the default.
type Options struct {
	Hostname string // said in EHLO; required
	Resolver Resolver
	// Dial opens connections; nil is a net.Dialer.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// DialFrom opens those of a route with a source; nil is a net.Dialer if Dial
	// is nil too, and otherwise such a route is refused.
	DialFrom func(ctx context.Context, source, network, addr string) (net.Conn, error)
	Roots    *x509.CertPool               // for the policy "verify"; nil: the system's
	Now      func() time.Time             // for durations and certificates; timeouts use real timers
	ReadFile func(string) ([]byte, error) // for Route.PasswordFile; nil is os.ReadFile
	Timeouts Timeouts
	// MaxRecipients is the most in one transaction: 100 (RFC 5321 §4.5.3.1.8).
	MaxRecipients int
	// MaxAddresses and MaxSessions are how many addresses are tried and how many
	// conversations are begun in one pass: 5 and 2.
	MaxAddresses int
	MaxSessions  int
	Cache        CacheLimits
}

// Timeouts are the longest waits of RFC 5321 §4.5.3.2.
type Timeouts struct {
	Connect  time.Duration // 30s
	TLS      time.Duration // 60s
	Greeting time.Duration // 5m
	Command  time.Duration // EHLO, AUTH, MAIL, RCPT: 5m
	DataInit time.Duration // 2m
	Block    time.Duration // one write: 3m
	DataDone time.Duration // 10m
	Attempt  time.Duration // everything together: 1h
}

// CacheLimits bound the connections that are kept open.
type CacheLimits struct {
	Idle     time.Duration // 2s, at most 10s
	MaxAge   time.Duration // 5m
	Messages int           // sent over one connection: 1000
	PerHost  int           // 64; negative: no connection is kept
	Total    int           // 1000
}

// Client sends messages. It is safe for concurrent use.
type Client struct {
	o        Options
	cache    cache
	attempts sync.Pool
	lenient  *tls.Config // no verification: may, encrypt
	strict   *tls.Config // verify
}

// New makes a client.
func New(o Options) *Client {
	defaults(&o)
	c := &Client{o: o}
	c.cache.limits = o.Cache
	c.lenient = &tls.Config{
		MinVersion: tls.VersionTLS12, Time: o.Now,
		InsecureSkipVerify: true, // RFC 7435: better than in the clear; "verify" uses the other one
		ClientSessionCache: tls.NewLRUClientSessionCache(256),
	}
	c.strict = &tls.Config{
		MinVersion: tls.VersionTLS12, Time: o.Now, RootCAs: o.Roots,
		ClientSessionCache: tls.NewLRUClientSessionCache(256),
	}
	return c
}

func defaults(o *Options) {
	or := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	orInt := func(n *int, v int) {
		if *n == 0 {
			*n = v
		}
	}
	or(&o.Timeouts.Connect, 30*time.Second)
	or(&o.Timeouts.TLS, time.Minute)
	or(&o.Timeouts.Greeting, 5*time.Minute)
	or(&o.Timeouts.Command, 5*time.Minute)
	or(&o.Timeouts.DataInit, 2*time.Minute)
	or(&o.Timeouts.Block, 3*time.Minute)
	or(&o.Timeouts.DataDone, 10*time.Minute)
	or(&o.Timeouts.Attempt, time.Hour)
	or(&o.Cache.Idle, 2*time.Second)
	o.Cache.Idle = min(o.Cache.Idle, 10*time.Second)
	or(&o.Cache.MaxAge, 5*time.Minute)
	orInt(&o.Cache.Messages, 1000)
	orInt(&o.Cache.PerHost, 64)
	orInt(&o.Cache.Total, 1000)
	orInt(&o.MaxRecipients, 100)
	orInt(&o.MaxAddresses, 5)
	orInt(&o.MaxSessions, 2)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.ReadFile == nil {
		o.ReadFile = os.ReadFile
	}
}

// Close ends the connections that are kept open, and keeps none from now on.
func (c *Client) Close() { c.cache.close() }

// Send carries out one attempt: it tries the hosts of e.Route in order and
// returns one outcome for each recipient of e, in their order. An error means
// that the request itself is wrong.
func (c *Client) Send(ctx context.Context, e *sdk.DeliverEvent, opt sdk.SendOptions) ([]sdk.Outcome, error) {
	hops, err := c.check(e, opt)
	if err != nil {
		return nil, err
	}
	a, _ := c.attempts.Get().(*attempt)
	if a == nil {
		a = &attempt{c: c}
	}
	a.begin(ctx, e, opt, hops)
	a.run()
	outcomes := a.outcomes
	a.end()
	c.attempts.Put(a)
	return outcomes, nil
}

// check refuses a request that cannot be carried out whatever the peers do.
func (c *Client) check(e *sdk.DeliverEvent, opt sdk.SendOptions) ([]hop, error) {
	if e.Envelope == nil {
		return nil, errors.New("smtpout: no envelope")
	}
	r := &e.Route
	switch r.TLS {
	case "", "none", "may", "encrypt", "verify":
	case "dane":
		return nil, errors.New("smtpout: tls policy dane needs validated DNSSEC, which this release has not; use verify or encrypt")
	default:
		return nil, fmt.Errorf("smtpout: tls policy %q is none of none, may, encrypt, verify", r.TLS)
	}
	if r.Source != "" {
		if _, err := netip.ParseAddr(r.Source); err != nil {
			return nil, fmt.Errorf("smtpout: source %q is no IP address", r.Source)
		}
		if c.o.Dial != nil && c.o.DialFrom == nil {
			return nil, fmt.Errorf("smtpout: source %s cannot be used with this dialer", r.Source)
		}
	}
	if r.Pool != "" {
		return nil, fmt.Errorf("smtpout: there is no pool of sources named %q", r.Pool)
	}
	if strings.ContainsAny(r.User, "\x00\r\n") || r.User == "" && r.PasswordFile != "" {
		return nil, errors.New("smtpout: bad user name")
	}
	if e.Envelope.From != "" {
		if _, err := smtp.ParseAddress(e.Envelope.From, true); err != nil {
			return nil, fmt.Errorf("smtpout: sender %q: %w", e.Envelope.From, err)
		}
	}
	return parseHops(r.Hosts, opt.LMTP)
}
