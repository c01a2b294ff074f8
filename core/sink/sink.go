// Package sink is an SMTP and LMTP server that takes everything, keeps the
// newest messages in memory, and misbehaves on request. It stands behind
// `mta sink`, behind `mta serve --dev`, and at the far end of tests and
// benchmarks.
//
// Its protocol engine is go-smtp and not our own, so that what our client says
// is judged by an independent reader.
//
// What it refuses: to grow. Messages, octets, connections and recipients are
// bounded; the oldest message goes when the next one needs its room. It keeps
// no promise of durability and is never part of a relay's path.
//
// Invariants:
//   - a message is counted and kept when its last octet was read and no fault
//     refused it; a connection that is dropped after the final dot has left its
//     message here, which is how a sender's duplicates are provoked (RFC 1047);
//   - the numbers of messages begin at 1 and are never given twice, also not
//     after [Sink.Clear];
//   - with the same seed and the same order of commands the same faults happen.
package sink

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	gosmtp "github.com/emersion/go-smtp"
)

// Options configure a [Sink]. The zero value is a quiet, healthy SMTP sink.
type Options struct {
	Hostname string // in the greeting; default: sink.invalid
	LMTP     bool   // speak RFC 2033
	// StartTLS offers STARTTLS with a self-signed certificate; TLS offers it
	// with a configuration of one's own.
	StartTLS bool
	TLS      *tls.Config

	KeepMessages   int    // in memory; default 1000, negative: none
	KeepBytes      int64  // in memory; default 64 MiB
	Dir            string // also write every message to a file here; empty: none
	MaxConnections int    // at the same time; more get 421; 0: no limit
	MaxRecipients  int    // per message; default 10,000
	MaxMessage     int64  // octets, announced as SIZE; default 64 MiB

	Faults Faults
	Seed   uint64 // of the faults' randomness

	Now      func() time.Time              // default: time.Now
	Logf     func(format string, v ...any) // default: silence
	Received func(*Message)                // called for every message, before its reply
}

// Message is one message as it arrived.
type Message struct {
	N        int       // 1 for the first
	From     string    // the reverse-path
	To       []string  // the recipients that got a 250
	Helo     string    // the client's name for itself
	Remote   string    // its address and port
	TLS      string    // "TLS 1.3 TLS_AES_128_GCM_SHA256"; empty: in the clear
	Received time.Time // when its last octet was read
	Size     int64     // octets, also when Data was not kept
	Data     []byte    // the content with CRLF; nil when it was too large to keep
	Dropped  bool      // the connection was dropped instead of a reply

	Mail *gosmtp.MailOptions   // the parameters of MAIL FROM
	Rcpt []*gosmtp.RcptOptions // those of RCPT TO, in the order of To
}

// Summary is a message without its content.
type Summary struct {
	N        int       `json:"n"`
	From     string    `json:"from"`
	To       []string  `json:"to"`
	Helo     string    `json:"helo"`
	Remote   string    `json:"remote"`
	TLS      string    `json:"tls,omitempty"`
	Received time.Time `json:"received"`
	Size     int64     `json:"size"`
	Subject  string    `json:"subject,omitempty"`
	Dropped  bool      `json:"dropped,omitempty"`
}

// Stats are counters since the start.
type Stats struct {
	Connections int64 `json:"connections"` // accepted by the system
	Open        int64 `json:"open"`        // right now
	Messages    int64 `json:"messages"`    // received whole
	Recipients  int64 `json:"recipients"`  // of those messages
	Bytes       int64 `json:"bytes"`       // of those messages
	Deferred    int64 `json:"deferred"`    // replies 4xx by a fault or a limit
	Rejected    int64 `json:"rejected"`    // replies 5xx by a fault
	Dropped     int64 `json:"dropped"`     // connections dropped by a fault
}

// Sink is a running sink. Its methods may be called at any time.
type Sink struct {
	opt    Options
	server *gosmtp.Server
	done   chan struct{}

	mu      sync.Mutex
	rand    *rand.Rand
	kept    []*Message // oldest first
	bytes   int64      // of Data in kept
	last    int        // number of the newest message
	stats   Stats
	changed chan struct{} // closed and renewed at every message
	conns   map[*conn]struct{}
	closing bool
}

// New makes a sink. It fails when the options contradict each other, or when
// Dir cannot be made.
func New(o Options) (*Sink, error) {
	defaults(&o)
	if err := o.Faults.validate(); err != nil {
		return nil, err
	}
	if o.Dir != "" {
		if err := os.MkdirAll(o.Dir, 0o700); err != nil {
			return nil, fmt.Errorf("sink: %w", err)
		}
	}
	if o.StartTLS && o.TLS == nil {
		cert, err := SelfSigned(o.Hostname, o.Now())
		if err != nil {
			return nil, err
		}
		o.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	}
	s := &Sink{
		opt:     o,
		done:    make(chan struct{}),
		rand:    rand.New(rand.NewPCG(o.Seed, 0x5eed)),
		changed: make(chan struct{}),
		conns:   make(map[*conn]struct{}),
	}
	s.server = gosmtp.NewServer(gosmtp.BackendFunc(s.session))
	s.server.Domain = o.Hostname
	s.server.LMTP = o.LMTP
	s.server.TLSConfig = o.TLS
	s.server.MaxRecipients = o.MaxRecipients
	s.server.MaxMessageBytes = o.MaxMessage
	// go-smtp holds message lines to the same limit as commands, and a sink has
	// to swallow what senders really send.
	s.server.MaxLineLength = 1 << 20
	s.server.ReadTimeout = 10 * time.Minute
	s.server.WriteTimeout = time.Minute
	s.server.ErrorLog = log.New(logWriter(o.Logf), "", 0)
	s.server.EnableSMTPUTF8 = true
	s.server.EnableREQUIRETLS = true
	s.server.EnableBINARYMIME = true
	s.server.EnableDSN = true
	return s, nil
}

func defaults(o *Options) {
	if o.Hostname == "" {
		o.Hostname = "sink.invalid"
	}
	if o.KeepMessages == 0 {
		o.KeepMessages = 1000
	}
	if o.KeepBytes == 0 {
		o.KeepBytes = 64 << 20
	}
	if o.MaxRecipients == 0 {
		o.MaxRecipients = 10_000
	}
	if o.MaxMessage == 0 {
		o.MaxMessage = 64 << 20
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logf == nil {
		o.Logf = func(string, ...any) {}
	}
}

type logWriter func(string, ...any)

func (f logWriter) Write(b []byte) (int, error) {
	f("%s", strings.TrimRight(string(b), "\n"))
	return len(b), nil
}

// Serve answers the connections of l until [Sink.Close]; then it returns nil.
// It may be called for several listeners.
func (s *Sink) Serve(l net.Listener) error {
	err := s.server.Serve(&listener{Listener: l, sink: s})
	if errors.Is(err, net.ErrClosed) && s.closed() {
		return nil
	}
	return err
}

// Close stops listening and cuts every connection. What was kept stays
// readable.
func (s *Sink) Close() error {
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return nil
	}
	s.closing = true
	close(s.done)
	left := slices.Collect(maps.Keys(s.conns))
	s.mu.Unlock()
	err := s.server.Close()
	// go-smtp overlooks a connection that it is about to register.
	for _, c := range left {
		c.Close()
	}
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (s *Sink) closed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}

// admit takes a connection into the count, or refuses it when closing.
func (s *Sink) admit(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.conns[c] = struct{}{}
	s.stats.Connections++
	s.stats.Open++
	c.full = s.opt.MaxConnections > 0 && s.stats.Open > int64(s.opt.MaxConnections)
	return true
}

// forget takes a connection out of the count.
func (s *Sink) forget(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	s.stats.Open--
}

// Stats are the counters.
func (s *Sink) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}
