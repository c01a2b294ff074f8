package smtpin

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/programmable-mta/mta/core/hook"
	"github.com/programmable-mta/mta/core/queue"
	"github.com/programmable-mta/mta/core/smtp"
	"github.com/programmable-mta/mta/core/trace"
	"github.com/programmable-mta/mta/sdk"
)

// Queue is what the front door needs of the queue.
type Queue interface {
	// NewID is the next queue ID; sessions take theirs from the same sequence.
	NewID() string
	// Draft begins the body of a message that is not ours yet.
	Draft(id string) *queue.Draft
	// Put makes the message durable. Its nil is what allows the 250.
	Put(ctx context.Context, d *queue.Draft, env *sdk.Envelope) error
	// PutHeld is Put of a message that waits for an operator; by says who held it.
	PutHeld(ctx context.Context, d *queue.Draft, env *sdk.Envelope, by string) error
}

var _ Queue = (*queue.Queue)(nil)

// Refused is a recipient that was accepted at RCPT and that a plugin refused
// when it had seen the message, while other recipients were accepted.
type Refused struct {
	Recipient sdk.Recipient
	Reply     sdk.Reply
	Plugin    string
}

// Options are what the front door is made of.
type Options struct {
	Hostname string // our name: banner, EHLO, Received
	Limits   Limits
	Newlines smtp.NewlinePolicy
	// TLS is the configuration of the next handshake; nil, or an answer of
	// nil: STARTTLS is not offered.
	TLS    func() *tls.Config
	Queue  Queue
	Chains *hook.Chains
	Tracer *trace.Tracer
	// Now is the clock of events and Received fields; nil is time.Now.
	// Deadlines of sockets go by the clock of the runtime.
	Now func() time.Time
	// PTR finds the confirmed name of a client; nil asks nobody. It is not
	// asked about loopback addresses, and not waited for longer than a second.
	PTR func(ctx context.Context, ip netip.Addr) (string, error)
	// HasSpace tells whether a message of that size (0: unknown) may be begun;
	// nil is yes.
	HasSpace func(size int64) bool
	// Bounce makes and queues the DSN about recipients that a data hook refused
	// while the message was accepted for others; it is durable when Bounce
	// returns nil. With nil such a message is deferred whole.
	Bounce func(ctx context.Context, env *sdk.Envelope, m sdk.Message, refused []Refused) error
}

// Listener says how to treat the connections of a socket.
type Listener struct {
	Profile string // mx or lmtp
}

// Server is the front door.
type Server struct {
	o     Options
	ehlo  [2]sdk.Reply // without and with STARTTLS
	gen   atomic.Pointer[generation]
	gate  gate
	ctx   context.Context // of hooks and Put; ends when Shutdown runs out of time
	abort context.CancelFunc

	mu        sync.Mutex
	draining  atomic.Bool
	listeners map[net.Listener]struct{}
	live      map[drainer]struct{}
	done      chan struct{} // closed when draining and live is empty
}

// drainer is a session of either front.
type drainer interface {
	drain() // end soon: at once if idle
	kill()  // end now
}

// generation is a set of chains and the number of sessions that use it.
type generation struct {
	chains *hook.Chains
	uses   atomic.Int64 // sessions, and one while it is current
	idle   chan struct{}
}

func newGeneration(c *hook.Chains) *generation {
	g := &generation{chains: c, idle: make(chan struct{})}
	g.uses.Store(1)
	return g
}

// acquire fails when the generation was retired meanwhile.
func (g *generation) acquire() bool {
	for {
		n := g.uses.Load()
		if n == 0 {
			return false
		}
		if g.uses.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (g *generation) release() {
	if g.uses.Add(-1) == 0 {
		close(g.idle)
	}
}

// New makes a server; it does nothing before Serve.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Limits = o.Limits.withDefaults()
	s := &Server{
		o:         o,
		ehlo:      ehloReplies(o.Hostname, o.Limits.MessageSize),
		listeners: map[net.Listener]struct{}{},
		live:      map[drainer]struct{}{},
		done:      make(chan struct{}),
	}
	s.gate.init(o.Limits)
	s.ctx, s.abort = context.WithCancel(context.Background())
	s.gen.Store(newGeneration(o.Chains))
	return s
}

// Swap puts new chains in service. Sessions that have begun finish on the ones
// that they began with; the channel is closed when the last of them has ended,
// so that the plugins behind the old chains can be closed.
func (s *Server) Swap(c *hook.Chains) (unused <-chan struct{}) {
	old := s.gen.Swap(newGeneration(c))
	old.release()
	return old.idle
}

// generation is the current one, in use by the caller until it releases it.
func (s *Server) generation() *generation {
	for {
		if g := s.gen.Load(); g.acquire() {
			return g
		}
	}
}

// Sessions is the number of connections now.
func (s *Server) Sessions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.live)
}

// Serve accepts connections until Shutdown, or until the listener fails.
func (s *Server) Serve(l net.Listener, p Listener) error {
	var serve func(net.Listener) error
	switch p.Profile {
	case "mx":
		serve = s.serveSMTP
	case "lmtp":
		serve = s.serveLMTP
	default:
		return fmt.Errorf("smtpin: no profile %q: use mx or lmtp", p.Profile)
	}
	s.mu.Lock()
	if s.draining.Load() {
		s.mu.Unlock()
		l.Close()
		return nil
	}
	s.listeners[l] = struct{}{}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.listeners, l)
		s.mu.Unlock()
		l.Close()
	}()
	err := serve(l)
	if s.draining.Load() {
		return nil
	}
	return err
}

func (s *Server) serveSMTP(l net.Listener) error {
	a := acceptor{srv: s, l: l, profile: "mx"}
	for {
		c, ip, err := a.next()
		if err != nil {
			return err
		}
		go s.serveConn(c, ip, "mx")
	}
}

// enter registers a session; false means that the server is going down.
func (s *Server) enter(d drainer) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining.Load() {
		return false
	}
	s.live[d] = struct{}{}
	return true
}

func (s *Server) leave(d drainer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.live, d)
	if s.draining.Load() && len(s.live) == 0 {
		s.closeDone()
	}
}

// closeDone is called with mu held.
func (s *Server) closeDone() {
	select {
	case <-s.done:
	default:
		close(s.done)
	}
}

// Shutdown stops accepting. Idle sessions are told 421 4.3.2; those inside a
// transaction may finish it until ctx ends, and are cut off then.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.draining.Store(true)
	for l := range s.listeners {
		l.Close()
	}
	for d := range s.live {
		d.drain()
	}
	if len(s.live) == 0 {
		s.closeDone()
	}
	s.mu.Unlock()
	select {
	case <-s.done:
		s.abort()
		return nil
	case <-ctx.Done():
	}
	s.abort()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.live) == 0 {
		return nil
	}
	for d := range s.live {
		d.kill()
	}
	return fmt.Errorf("smtpin: %d sessions cut off: %w", len(s.live), context.Cause(ctx))
}

func (s *Server) log(level slog.Level, msg string, args ...any) {
	s.o.Tracer.Log(level, "smtpin", msg, args...)
}
