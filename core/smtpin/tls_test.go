package smtpin

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// selfMade is a certificate for our host name, and a pool that trusts it.
var selfMade = sync.OnceValues(func() (*tls.Config, *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<33, 0), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, pool
})

func withTLS(o *Options) {
	conf, _ := selfMade()
	o.TLS = func() *tls.Config { return conf }
}

func clientTLS() *tls.Config {
	_, pool := selfMade()
	return &tls.Config{RootCAs: pool, ServerName: host}
}

// client is a raw SMTP client.
type client struct {
	t testing.TB
	net.Conn
	r *bufio.Reader
}

func dial(t testing.TB, addr string) *client {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(20 * time.Second))
	return newClient(t, c)
}

func newClient(t testing.TB, c net.Conn) *client { return &client{t, c, bufio.NewReader(c)} }

func (c *client) say(s string) {
	c.t.Helper()
	if _, err := c.Write([]byte(s)); err != nil {
		c.t.Fatal(err)
	}
}

// reply reads one reply and returns all its lines.
func (c *client) reply() string {
	c.t.Helper()
	var all strings.Builder
	for {
		line, err := c.r.ReadString('\n')
		if err != nil {
			c.t.Fatalf("reading a reply: %v after %q", err, all.String()+line)
		}
		all.WriteString(line)
		if len(line) > 3 && line[3] == ' ' {
			return all.String()
		}
	}
}

func (c *client) want(code string) string {
	c.t.Helper()
	r := c.reply()
	if !strings.HasPrefix(lastLine(r), code) {
		c.t.Fatalf("reply %q, want %q", r, code)
	}
	return r
}

func (c *client) wantEnd() {
	c.t.Helper()
	if b, err := c.r.ReadByte(); err == nil {
		c.t.Fatalf("the connection goes on with %q", b)
	}
}

func (c *client) startTLS() {
	c.t.Helper()
	tc := tls.Client(c.Conn, clientTLS())
	if err := tc.Handshake(); err != nil {
		c.t.Fatal(err)
	}
	c.Conn, c.r = tc, bufio.NewReader(tc)
}

func TestSTARTTLSProtectsAndForgets(t *testing.T) {
	d := newDoor(t, withTLS)
	c := dial(t, d.listen(t, "mx"))
	c.want("220")
	c.say("STARTTLS\r\n")
	c.want("503")
	c.say(ehlo)
	if r := c.want("250"); !strings.Contains(r, "STARTTLS") {
		t.Errorf("EHLO: %q", r)
	}
	c.say("STARTTLS now\r\n")
	c.want("501 5.5.4")
	c.say(mail)
	c.want("250")
	c.say("STARTTLS\r\n")
	c.want("503")
	c.say("RSET\r\n")
	c.want("250")
	c.say("STARTTLS\r\n")
	c.want("220 2.0.0")
	c.startTLS()
	c.say(mail) // what was said before is forgotten
	c.want("503 5.5.1")
	c.say(ehlo)
	if r := c.want("250"); strings.Contains(r, "STARTTLS") {
		t.Errorf("offered twice: %q", r)
	}
	c.say("STARTTLS\r\n")
	c.want("503 5.5.1")
	c.say(mail + rcpt + data)
	c.want("250")
	c.want("250")
	c.want("354")
	c.say(text)
	c.want("250 2.0.0")
	c.say(quit)
	c.want("221")
	c.wantEnd()
	m := d.q.messages()[0]
	if m.env.Origin.Protocol != "ESMTPS" {
		t.Errorf("protocol %q", m.env.Origin.Protocol)
	}
	if !strings.Contains(m.body, "\r\n\ttls TLS_") || !strings.Contains(m.body, " (TLSv1.3); ") {
		t.Errorf("Received lacks the cipher: %q", m.body)
	}
}

func TestPlaintextBehindSTARTTLSEndsTheConnection(t *testing.T) {
	d := newDoor(t, withTLS)
	c := dial(t, d.listen(t, "mx"))
	c.want("220")
	c.say(ehlo)
	c.want("250")
	c.say("STARTTLS\r\n" + mail)
	c.want("554 5.5.0")
	c.wantEnd()
}

func TestSTARTTLSWithoutACertificateIsNotOfferedAndTemporary(t *testing.T) {
	conf, _ := selfMade()
	have := conf
	d := newDoor(t, func(o *Options) { o.TLS = func() *tls.Config { return have } })
	c := &script{turns: []string{ehlo, "STARTTLS\r\n", "NOOP\r\n"}}
	c.onWrite = func(string) { have = nil }
	d.talk(c)
	all := strings.Join(c.writes, "")
	expect(t, codes(t, all), "220", "250", "454 4.7.0", "250")
	if strings.Contains(all, "STARTTLS") {
		t.Error("offered without a certificate")
	}
}

func TestAFailedHandshakeEndsTheSessionWithoutPlaintext(t *testing.T) {
	d := newDoor(t, withTLS)
	c := dial(t, d.listen(t, "mx"))
	c.want("220")
	c.say(ehlo)
	c.want("250")
	c.say("STARTTLS\r\n")
	c.want("220")
	c.say(ehlo + mail + rcpt)
	var rest [1024]byte
	n := 0
	for {
		m, err := c.r.Read(rest[n:])
		if n += m; err != nil {
			break
		}
	}
	if s := string(rest[:n]); strings.Contains(s, "250") || strings.Contains(s, "MAIL") {
		t.Errorf("in the clear: %q", s)
	}
}

func TestTLSCutShortCommitsNothing(t *testing.T) {
	for name, cut := range map[string]func(*client){
		"close_notify and more in the clear": func(c *client) {
			raw := c.Conn.(*tls.Conn).NetConn()
			c.Conn.(*tls.Conn).CloseWrite()
			raw.Write([]byte("\r\n.\r\n"))
		},
		"the connection torn": func(c *client) { c.Conn.(*tls.Conn).NetConn().Close() },
	} {
		for _, begin := range []string{data, "BDAT 1000 LAST\r\n"} {
			d := newDoor(t, withTLS)
			c := dial(t, d.listen(t, "mx"))
			c.want("220")
			c.say(ehlo)
			c.want("250")
			c.say("STARTTLS\r\n")
			c.want("220")
			c.startTLS()
			c.say(ehlo)
			c.want("250")
			c.say(mail + rcpt)
			c.want("250")
			c.want("250")
			c.say(begin)
			if begin == data {
				c.want("354")
			}
			c.say("Subject: x\r\n\r\nhalf a mess")
			cut(c)
			settle(t, func() bool { return d.Sessions() == 0 })
			if len(d.q.messages()) != 0 {
				t.Errorf("%s: a message was committed", name)
			}
		}
	}
}

// settle waits for something that happens on another goroutine.
func settle(t testing.TB, done func() bool) {
	t.Helper()
	deadline := time.NewTimer(10 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatal("nothing happened in ten seconds")
		}
	}
}
