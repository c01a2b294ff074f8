package smtpout

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/programmable-mta/mta/core/mtatest"
	"github.com/programmable-mta/mta/core/smtp"
	"github.com/programmable-mta/mta/sdk"
)

// server is a next hop that says what its script says. A reply beginning with
// "!" is something to do instead: !close, !hang, !endless, !trickle, !long.
type server struct {
	ehlo    []string            // keywords
	script  map[string][]string // by verb, "greeting", "." and "RCPT address"; the last one stays
	tls     *tls.Config
	lmtp    bool
	idle    bool // close after the first message
	mu      sync.Mutex
	log     []string
	mail    []string // messages
	conns   int
	tlsUp   int
	handled sync.WaitGroup
}

var defaultScript = map[string]string{
	"greeting": "220 fake ESMTP", "HELO": "250 fake", "MAIL": "250 2.1.0 ok", "RCPT": "250 2.1.5 ok", "DATA": "354 go on",
	".": "250 2.0.0 queued as 1", "BDAT": "250 2.0.0 queued as 1", "RSET": "250 2.0.0 ok", "QUIT": "221 2.0.0 bye", "STARTTLS": "220 2.0.0 go on", "AUTH": "235 2.7.0 ok",
}

func (s *server) next(keys ...string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range keys {
		if list := s.script[k]; len(list) > 0 {
			if len(list) > 1 {
				s.script[k] = list[1:]
			}
			return list[0]
		}
	}
	last := keys[len(keys)-1]
	if last == "EHLO" || last == "LHLO" {
		return "250-fake\r\n250-" + strings.Join(append(s.ehlo, "HELP"), "\r\n250-") + "\r\n250 X-END"
	}
	if r, ok := defaultScript[last]; ok {
		return r
	}
	return "500 5.5.1 what"
}

func (s *server) note(line string) {
	s.mu.Lock()
	s.log = append(s.log, line)
	s.mu.Unlock()
}

func (s *server) commands() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.log...)
}

// session is one connection to a server.
type session struct {
	s   *server
	nc  net.Conn
	rd  *smtp.Reader
	out []byte
}

func (s *server) serve(nc net.Conn) {
	defer s.handled.Done()
	defer nc.Close()
	s.mu.Lock()
	s.conns++
	s.mu.Unlock()
	x := &session{s: s, nc: nc, rd: smtp.NewReader(nc, make([]byte, 1<<20))}
	if !x.answer(s.next("greeting")) {
		return
	}
	accepted := 0
	for {
		if x.rd.Buffered() == 0 && !x.flush() {
			return
		}
		line, err := x.rd.ReadLine(1 << 16)
		if err != nil {
			return
		}
		s.note(string(line))
		verb, rest, _ := strings.Cut(string(line), " ")
		verb = strings.ToUpper(verb)
		keys := []string{verb}
		if verb == "RCPT" {
			addr, _, _ := strings.Cut(strings.TrimPrefix(rest, "TO:<"), ">")
			keys = []string{"RCPT " + addr, "RCPT"}
		}
		if verb == "MAIL" {
			accepted = 0
		}
		if verb == "BDAT" {
			n, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			var b bytes.Buffer
			if x.rd.ReadChunk(&b, n, -1) != nil {
				return
			}
			s.mu.Lock()
			s.mail = append(s.mail, b.String())
			s.mu.Unlock()
		}
		reply := s.next(keys...)
		if !x.answer(reply) {
			return
		}
		switch {
		case verb == "RCPT" && reply[0] == '2':
			accepted++
		case verb == "DATA" && strings.HasPrefix(reply, "354"):
			if !x.data(accepted) {
				return
			}
		case verb == "STARTTLS" && strings.HasPrefix(reply, "220") && s.tls != nil:
			if !x.startTLS() {
				return
			}
		case verb == "QUIT":
			x.flush()
			return
		}
	}
}

func (x *session) data(accepted int) bool {
	if !x.flush() {
		return false
	}
	var b bytes.Buffer
	if _, err := x.rd.ReadData(&b, -1, smtp.AllowNUL); err != nil {
		x.s.note("broken data: " + err.Error())
		return false
	}
	x.s.mu.Lock()
	x.s.mail = append(x.s.mail, b.String())
	x.s.mu.Unlock()
	n := 1
	if x.s.lmtp {
		n = accepted
	}
	for range n {
		if !x.answer(x.s.next(".")) {
			return false
		}
	}
	if x.s.idle {
		x.flush()
		return false
	}
	return true
}

func (x *session) startTLS() bool {
	if !x.flush() {
		return false
	}
	t := tls.Server(x.nc, x.s.tls)
	if t.Handshake() != nil {
		return false
	}
	x.s.mu.Lock()
	x.s.tlsUp++
	x.s.mu.Unlock()
	x.nc = t
	x.rd.Reset(t)
	return true
}

func (x *session) answer(reply string) bool {
	switch reply {
	case "!close":
		x.flush()
		return false
	case "!reset":
		return false
	case "!hang":
		x.flush()
		io.Copy(io.Discard, x.nc)
		return false
	case "!endless":
		for {
			if _, err := x.nc.Write([]byte("250-more\r\n")); err != nil {
				return false
			}
		}
	case "!long":
		for {
			if _, err := x.nc.Write(bytes.Repeat([]byte("2"), 4096)); err != nil {
				return false
			}
		}
	case "!trickle":
		for {
			time.Sleep(time.Minute)
			if _, err := x.nc.Write([]byte("2")); err != nil {
				return false
			}
		}
	}
	if last, ok := strings.CutPrefix(reply, "!early "); ok {
		// 354, then an answer in the middle of the message, and the end.
		x.out = append(x.out, "354 go on\r\n"...)
		x.flush()
		io.CopyN(io.Discard, x.nc, 100_000)
		if last != "" {
			x.nc.Write([]byte(last + "\r\n"))
		}
		return false
	}
	if reply == "!stall" {
		x.out = append(x.out, "354 go on\r\n"...)
		x.flush()
		time.Sleep(time.Hour)
		return false
	}
	x.out = append(x.out, reply...)
	if !strings.HasSuffix(reply, "\n") {
		x.out = append(x.out, "\r\n"...)
	}
	return true
}

func (x *session) flush() bool {
	if len(x.out) == 0 {
		return true
	}
	_, err := x.nc.Write(x.out)
	x.out = x.out[:0]
	return err == nil
}

// world is a network of servers.
type world struct {
	t       testing.TB
	servers map[string]*server // by address:port or path
	names   map[string][]netip.Addr
	dnsErr  map[string]error
	mu      sync.Mutex
	dialed  []string
	writes  atomic.Int64
	reads   atomic.Int64
	client  *Client
}

func newWorld(t testing.TB, o Options) *world {
	w := &world{t: t, servers: map[string]*server{}, names: map[string][]netip.Addr{}, dnsErr: map[string]error{}}
	o.Hostname = "relay.example"
	o.Resolver = w
	o.Dial = w.dial
	w.client = New(o)
	t.Cleanup(func() {
		w.client.Close()
		for _, s := range w.servers {
			s.handled.Wait()
		}
	})
	return w
}

// host adds a server with one name and one address.
func (w *world) host(name, ip string, s *server) *server {
	w.names[name] = append(w.names[name], netip.MustParseAddr(ip))
	w.servers[netip.AddrPortFrom(netip.MustParseAddr(ip), 25).String()] = s
	return s
}

func (w *world) Addrs(_ context.Context, host string) ([]netip.Addr, error) {
	return w.names[host], w.dnsErr[host]
}

func (w *world) MXAddrs(ctx context.Context, host string) ([]netip.Addr, error) {
	ips, err := w.Addrs(ctx, host)
	var ok []netip.Addr
	for _, ip := range ips {
		if !ip.IsLoopback() {
			ok = append(ok, ip)
		}
	}
	return ok, err
}

// counted counts the calls that would be system calls.
type counted struct {
	net.Conn
	w *world
}

func (c counted) Write(b []byte) (int, error) { c.w.writes.Add(1); return c.Conn.Write(b) }
func (c counted) Read(b []byte) (int, error)  { c.w.reads.Add(1); return c.Conn.Read(b) }

func (w *world) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	w.mu.Lock()
	w.dialed = append(w.dialed, addr)
	s := w.servers[addr]
	w.mu.Unlock()
	if s == nil {
		if addr == "192.0.2.99:25" {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return nil, &net.OpError{Op: "dial", Net: network, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	}
	here, there := mtatest.Pipe(&net.TCPAddr{}, &net.TCPAddr{})
	s.handled.Add(1)
	go s.serve(there)
	return counted{here, w}, nil
}

// message is content in memory.
type message struct{ *bytes.Reader }

func (message) Close() error { return nil }

func content(text string) sdk.Message {
	b := []byte(text)
	return sdk.NewMessage("M1", int64(len(b)), func() (sdk.Body, error) { return message{bytes.NewReader(b)}, nil })
}

const hello = "Subject: hello\r\n\r\nhello\r\n"

// event is a message to a@b and more, by way of mx.
func event(text string, rcpts ...string) *sdk.DeliverEvent {
	e := &sdk.DeliverEvent{
		Envelope: &sdk.Envelope{ID: "M1", From: "sender@example.org", Size: int64(len(text))},
		Message:  content(text), Route: sdk.Route{Via: "smtp", Hosts: []string{"mx"}},
	}
	if len(rcpts) == 0 {
		rcpts = []string{"a@b"}
	}
	for _, r := range rcpts {
		e.Recipients = append(e.Recipients, sdk.Recipient{Addr: r})
	}
	return e
}

func (w *world) send(e *sdk.DeliverEvent) []sdk.Outcome {
	w.t.Helper()
	out, err := w.client.Send(w.t.Context(), e, sdk.SendOptions{LMTP: e.Route.Via == "lmtp"})
	if err != nil {
		w.t.Fatal(err)
	}
	if len(out) != len(e.Recipients) {
		w.t.Fatalf("%d outcomes for %d recipients", len(out), len(e.Recipients))
	}
	return out
}

// brief is an outcome in short: "delivered 250 2.0.0 queued as 1 ...".
func brief(o sdk.Outcome) string {
	s := o.Status.String() + " " + o.Reply.String()
	if o.MaybeDuplicate {
		s += " (maybe duplicate)"
	}
	if o.Unreachable {
		s += " (unreachable)"
	}
	return s
}

// authority makes certificates.
type authority struct {
	pool *x509.CertPool
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t testing.TB) *authority {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<33, 0), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, _ := x509.ParseCertificate(der)
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return &authority{pool, cert, key}
}

func (a *authority) serve(t testing.TB, names []string, ips ...net.IP) *tls.Config {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(2), NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<33, 0), DNSNames: names, IPAddresses: ips}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

func (w *world) addr(s string) netip.Addr { return netip.MustParseAddr(s) }
