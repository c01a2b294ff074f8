package smtpin

import (
	"net/netip"
	"sync"
	"time"
)

// Limits are what one peer may take. A zero is the default, a negative number
// is no limit (where that makes sense: sizes, counts and rates).
type Limits struct {
	MessageSize   int64 // octets of a message; announced with SIZE
	Recipients    int   // of one transaction; more get 452
	Sessions      int   // at the same time; more get 421
	SessionsPerIP int   // at the same time from one IPv4 address or IPv6 /64
	CommandLine   int   // octets of a command line with its CRLF
	Errors        int   // refused commands since the last message, before 421
	JunkCommands  int   // NOOP, RSET, VRFY, EHLO, ... since the last message, before 421
	Hops          int   // Received fields, before the message is taken for a loop

	CommandTimeout time.Duration // silence between commands, the greeting included
	DataTimeout    time.Duration // silence inside a message
	DataTotal      time.Duration // one message, from its first octet to its last
	WriteTimeout   time.Duration // until the peer takes our replies
	TLSHandshake   time.Duration

	// MinDataRate is octets a second that a message must make on the average,
	// not counting its first DataGrace. It bounds the time of n octets to
	// DataGrace + n/MinDataRate.
	MinDataRate int
	DataGrace   time.Duration
}

// minCommandLine is what RFC 3461 §4.2 and §4.3 demand for MAIL and RCPT.
const minCommandLine = 1036

func (l Limits) withDefaults() Limits {
	def(&l.MessageSize, 25<<20)
	def(&l.Recipients, 1000)
	def(&l.Sessions, 5000)
	def(&l.SessionsPerIP, 50)
	def(&l.CommandLine, 2048)
	def(&l.Errors, 20)
	def(&l.JunkCommands, 100)
	def(&l.Hops, 100)                     // RFC 5321 §6.3
	def(&l.CommandTimeout, 5*time.Minute) // RFC 5321 §4.5.3.2.7
	def(&l.DataTimeout, 3*time.Minute)    // RFC 5321 §4.5.3.2.5
	def(&l.DataTotal, time.Hour)
	def(&l.WriteTimeout, 5*time.Minute)
	def(&l.TLSHandshake, 30*time.Second)
	def(&l.MinDataRate, 500)
	def(&l.DataGrace, time.Minute)
	if l.MessageSize < 0 {
		l.MessageSize = -1
	}
	l.CommandLine = max(l.CommandLine, minCommandLine)
	return l
}

// dataEnd is when a message has to be there of which got octets came since start.
// It began at first; that and start differ for one that comes in chunks.
func (l *Limits) dataEnd(first, start time.Time, got int64) time.Time {
	end := first.Add(l.DataTotal)
	if rate := l.MinDataRate; rate > 0 {
		allowed := float64(got) / float64(rate) * float64(time.Second)
		end = sooner(end, start.Add(l.DataGrace+time.Duration(min(allowed, float64(l.DataTotal)))))
	}
	return end
}

func def[T int | int64 | time.Duration](v *T, d T) {
	if *v == 0 {
		*v = d
	}
}

// over tells whether n is above a limit that may be none.
func over[T int | int64](n, limit T) bool { return limit >= 0 && n > limit }

// gate counts sessions: all of them, and those of one address.
type gate struct {
	mu       sync.Mutex
	all      int
	maxAll   int
	maxPerIP int
	perIP    map[netip.Addr]int
}

func (g *gate) init(l Limits) {
	g.maxAll, g.maxPerIP = l.Sessions, l.SessionsPerIP
	g.perIP = map[netip.Addr]int{}
}

// enter counts a session in, or says which limit keeps it out. Clients of a unix
// socket have no address, and share none.
func (g *gate) enter(ip netip.Addr) (why string) {
	key := prefix(ip)
	g.mu.Lock()
	defer g.mu.Unlock()
	if over(g.all+1, g.maxAll) {
		return "too many connections"
	}
	if ip.IsValid() && over(g.perIP[key]+1, g.maxPerIP) {
		return "too many connections from your address"
	}
	g.all++
	g.perIP[key]++
	return ""
}

func (g *gate) leave(ip netip.Addr) {
	key := prefix(ip)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.all--
	if g.perIP[key]--; g.perIP[key] <= 0 {
		delete(g.perIP, key)
	}
}

// prefix is what counts as one client: an IPv4 address, or an IPv6 /64, which
// is what one customer has.
func prefix(ip netip.Addr) netip.Addr {
	if !ip.Is6() {
		return ip
	}
	p, err := ip.Prefix(64)
	if err != nil {
		return ip
	}
	return p.Addr()
}
