// Package source is the load generator behind `mta send`: it sends many made-up
// messages over many SMTP or LMTP sessions and tells what became of them.
//
// It does not share a line with the relay's own client (core/smtpout), so that
// a misunderstanding of the protocol cannot cancel itself out, and so that what
// is measured is the server.
//
// What it refuses: to try a message again. Every message is sent at most once
// and counted as accepted, refused with a code, or lost with its connection.
//
// Invariants: at most Options.Sessions connections at a time; memory does not
// depend on the number of messages; [Run] returns soon after its context ends.
package source

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// TLSMode says how a session is encrypted.
type TLSMode string

// The modes.
const (
	Clear    TLSMode = ""
	StartTLS TLSMode = "starttls" // required: a server without it is an error
	Implicit TLSMode = "tls"      // from the first octet, RFC 8314
)

// Options say what to send. Zero values take the defaults that are named.
type Options struct {
	Addr string // "host:port" or "unix:/path"
	LMTP bool   // speak RFC 2033
	Helo string // default: source.invalid

	Sessions      int     // at the same time; default 1
	Messages      int64   // in all; 0: until the context ends
	PerConnection int     // messages before QUIT; 0: as many as there are
	Rate          float64 // messages a second over all sessions; 0: as fast as it goes
	Pipeline      bool    // MAIL, RCPT and DATA in one packet (RFC 2920)

	// From and To are templates: "{n}" is the number of the message, "{r}" that
	// of the recipient, both from 1. An empty From is the null reverse-path.
	From       string
	To         string // default: user{r}@example.org
	Recipients int    // per message; default 1

	Size int    // octets of a made-up message, at least its header; default 1024
	Body []byte // sent instead of made-up messages; line ends become CRLF

	TLS       TLSMode
	TLSConfig *tls.Config   // default: no verification, as this sends no secrets
	Timeout   time.Duration // of every reply but the last, which has twice as much; default 5m

	Dial func(ctx context.Context, network, addr string) (net.Conn, error) // default: net.Dialer
	Now  func() time.Time                                                  // default: time.Now

	// Progress is called about every second, and never by two goroutines at
	// once.
	Progress func(Result)
}

// Run sends, and returns what happened. The error tells why it stopped early:
// the context's, or the last of too many failures to connect in a row. The
// result is valid in any case.
func Run(ctx context.Context, o Options) (Result, error) {
	if err := o.complete(); err != nil {
		return Result{}, err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r := &run{Options: o, start: o.Now()}
	r.filler = filler(o.Size)
	if o.Body != nil {
		r.body = stuff(o.Body)
	}
	var wg sync.WaitGroup
	for range o.Sessions {
		wg.Go(func() {
			if err := r.session(ctx); err != nil {
				stop(err)
			}
		})
	}
	finished := make(chan struct{})
	go func() { wg.Wait(); close(finished) }()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if o.Progress != nil {
				o.Progress(r.result())
			}
		case <-finished:
			return r.result(), context.Cause(ctx)
		}
	}
}

func (o *Options) complete() error {
	if o.Addr == "" {
		return errors.New("source: no address to send to")
	}
	if o.Sessions < 0 || o.Messages < 0 || o.PerConnection < 0 || o.Rate < 0 || o.Recipients < 0 || o.Size < 0 {
		return errors.New("source: negative number")
	}
	switch o.TLS {
	case Clear, StartTLS, Implicit:
	default:
		return fmt.Errorf("source: TLS mode %q: want starttls or tls", o.TLS)
	}
	for _, s := range []string{o.From, o.To, o.Helo} {
		if strings.ContainsAny(s, "\r\n<>") {
			return fmt.Errorf("source: %q: line ends and angle brackets do not belong into an address or a name", s)
		}
	}
	setDefault(&o.Helo, "source.invalid")
	setDefault(&o.To, "user{r}@example.org")
	setDefault(&o.Sessions, 1)
	setDefault(&o.Recipients, 1)
	setDefault(&o.Size, 1024)
	setDefault(&o.Timeout, 5*time.Minute)
	if o.TLSConfig == nil {
		o.TLSConfig = &tls.Config{InsecureSkipVerify: true}
	}
	if o.Dial == nil {
		o.Dial = (&net.Dialer{Timeout: 30 * time.Second}).DialContext
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return nil
}

func setDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// run is one Run.
type run struct {
	Options
	start  time.Time
	filler []byte // behind the header of made-up messages
	body   []byte // Body, ready for the wire
	next   atomic.Int64
	tally
}

// maxFailures is how many connections of one session may fail in a row.
const maxFailures = 5

// session sends over one connection after the other until nothing is left.
func (r *run) session(ctx context.Context) error {
	failures := 0
	for n, ok := r.take(ctx); ok; {
		c, err := r.connect(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			r.connectFailed()
			if failures++; failures == maxFailures {
				return fmt.Errorf("source: %w", err)
			}
			pause(ctx, 100*time.Millisecond<<failures)
			continue
		}
		failures = 0
		alive := true
		for sent := 0; ok && alive && (r.PerConnection == 0 || sent < r.PerConnection); sent++ {
			alive = c.send(n)
			n, ok = r.take(ctx)
		}
		if alive {
			c.quit()
		}
		c.close()
	}
	return nil
}

// take is the number of the next message, when its time has come.
func (r *run) take(ctx context.Context) (int64, bool) {
	n := r.next.Add(1)
	if r.Messages > 0 && n > r.Messages {
		return 0, false
	}
	if r.Rate > 0 {
		due := r.start.Add(time.Duration(float64(n-1) / r.Rate * float64(time.Second)))
		pause(ctx, due.Sub(r.Now()))
	}
	return n, ctx.Err() == nil
}

// pause waits, but not longer than the context lasts.
func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// appendTemplate puts the numbers into an address template.
func appendTemplate(dst []byte, tmpl string, n int64, rcpt int) []byte {
	for {
		i := strings.IndexByte(tmpl, '{')
		if i < 0 {
			return append(dst, tmpl...)
		}
		dst = append(dst, tmpl[:i]...)
		switch tmpl = tmpl[i:]; {
		case strings.HasPrefix(tmpl, "{n}"):
			dst, tmpl = strconv.AppendInt(dst, n, 10), tmpl[3:]
		case strings.HasPrefix(tmpl, "{r}"):
			dst, tmpl = strconv.AppendInt(dst, int64(rcpt), 10), tmpl[3:]
		default:
			dst, tmpl = append(dst, '{'), tmpl[1:]
		}
	}
}

// filler is size octets of text in lines of 76 characters, each with CRLF.
func filler(size int) []byte {
	const line = "The quick brown fox jumps over the lazy dog, and nobody on earth knows why.\r\n"
	return bytes.Repeat([]byte(line), size/len(line)+1)
}

// stuff makes any text ready for DATA: CRLF line ends, dots doubled, a line end
// behind the last line (RFC 5321 §4.5.2).
func stuff(b []byte) []byte {
	out := make([]byte, 0, len(b)+len(b)/32+2)
	for len(b) > 0 {
		line, rest, _ := bytes.Cut(b, []byte("\n"))
		b = rest
		line = bytes.TrimSuffix(line, []byte("\r"))
		if len(line) > 0 && line[0] == '.' {
			out = append(out, '.')
		}
		out = append(append(out, line...), '\r', '\n')
	}
	return out
}
