package smtpout

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/emersion/go-sasl"
	gosmtp "github.com/emersion/go-smtp"

	"github.com/programmable-mta/mta/core/smtp"
	"github.com/programmable-mta/mta/sdk"
)

// peerBackend is go-smtp's server: somebody else's reading of the RFCs.
type peerBackend struct {
	mu   sync.Mutex
	got  []string
	auth string
}

func (b *peerBackend) NewSession(*gosmtp.Conn) (gosmtp.Session, error) {
	return &peerSession{b: b}, nil
}

type peerSession struct {
	b    *peerBackend
	line string
}

func (s *peerSession) Reset()        { s.line = "" }
func (s *peerSession) Logout() error { return nil }
func (s *peerSession) Mail(from string, o *gosmtp.MailOptions) error {
	s.line = fmt.Sprintf("%s size=%d body=%s utf8=%v ret=%s id=%s", from, o.Size, o.Body, o.UTF8, o.Return, o.EnvelopeID)
	return nil
}
func (s *peerSession) Rcpt(to string, o *gosmtp.RcptOptions) error {
	if strings.HasPrefix(to, "no") {
		return &gosmtp.SMTPError{Code: 550, EnhancedCode: gosmtp.EnhancedCode{5, 1, 1}, Message: "nobody"}
	}
	s.line += fmt.Sprintf("; %s notify=%v orcpt=%s", to, o.Notify, o.OriginalRecipient)
	return nil
}
func (s *peerSession) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	s.b.mu.Lock()
	s.b.got = append(s.b.got, s.line, string(b))
	s.b.mu.Unlock()
	return err
}
func (s *peerSession) LMTPData(r io.Reader, c gosmtp.StatusCollector) error {
	if err := s.Data(r); err != nil {
		return err
	}
	c.SetStatus("full@b", &gosmtp.SMTPError{Code: 452, EnhancedCode: gosmtp.EnhancedCode{4, 2, 2}, Message: "full"})
	return nil
}
func (s *peerSession) AuthMechanisms() []string { return []string{"PLAIN"} }
func (s *peerSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "me" || password != "secret" {
			return errors.New("wrong")
		}
		s.b.auth = user
		return nil
	}), nil
}

// startPeer runs go-smtp's server on loopback.
func startPeer(t testing.TB, network string, change func(*gosmtp.Server)) (*peerBackend, string) {
	b := &peerBackend{}
	srv := gosmtp.NewServer(b)
	srv.Domain = "peer.example"
	srv.EnableSMTPUTF8, srv.EnableDSN, srv.EnableBINARYMIME = true, true, true
	srv.ErrorLog = nullLog{}
	change(srv)
	addr := "127.0.0.1:0"
	if network == "unix" {
		addr = filepath.Join(t.TempDir(), "lmtp")
	}
	l, err := net.Listen(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { srv.Serve(l); close(done) }()
	t.Cleanup(func() { srv.Close(); <-done })
	return b, l.Addr().String()
}

type nullLog struct{}

func (nullLog) Printf(string, ...any) {}
func (nullLog) Println(...any)        {}

type loopback struct{}

func (loopback) Addrs(context.Context, string) ([]netip.Addr, error) {
	return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
}
func (loopback) MXAddrs(context.Context, string) ([]netip.Addr, error) { return nil, nil }

func TestGoSMTPUnderstandsUs(t *testing.T) {
	ca := newAuthority(t)
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	b, addr := startPeer(t, "tcp", func(s *gosmtp.Server) { s.TLSConfig = ca.serve(t, []string{"localhost"}) })
	_, port, _ := net.SplitHostPort(addr)
	c := New(Options{Hostname: "relay.example", Resolver: loopback{}, Roots: ca.pool})
	defer c.Close()
	text := "Subject: x\r\n\r\n.dots\r\n..\r\n.\r\nend\r\n" + strings.Repeat("long line ", 100) + "\r\n"
	e := event(text, `jörg@b`, "no@b", `"quoted x"@b`)
	e.Envelope.SMTPUTF8, e.Envelope.Ret, e.Envelope.EnvID = true, "HDRS", "an id"
	e.Recipients[2].Notify, e.Recipients[2].ORcpt = sdk.NotifySuccess, "rfc822;orig+x@b"
	e.Route.Hosts, e.Route.TLS = []string{"localhost:" + port}, "verify"
	e.Route.User, e.Route.PasswordFile, e.Route.Source = "me", password, "127.0.0.1"
	for range 2 {
		out, err := c.Send(t.Context(), e, sdk.SendOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if out[0].Status != sdk.StatusDelivered || brief(out[1]) != "failed 550 5.1.1 nobody" || out[2].Status != sdk.StatusDelivered || !out[2].DSNRelayed {
			t.Errorf("%+v", out)
		}
		if !strings.HasPrefix(out[0].TLS, "TLSv1.3 ") || out[0].Remote != "localhost[127.0.0.1]:"+port || out[0].Reply.Code != 250 {
			t.Errorf("%+v", out[0])
		}
	}
	want := fmt.Sprintf("sender@example.org size=%d body=8BITMIME utf8=true ret=HDRS id=an id; jörg@b notify=[] orcpt=; quoted x@b notify=[SUCCESS] orcpt=orig+x@b", len(text))
	if len(b.got) != 4 || b.got[0] != want || b.got[1] != text || b.got[3] != text || b.auth != "me" {
		t.Errorf("%q", b.got)
	}
	e.Envelope.Body = "BINARYMIME"
	e.Message = content("X: y\r\n\r\n\x00\n\r\n.\r\n" + strings.Repeat("\xff\n", 50_000) + "\r\n")
	out, err := c.Send(t.Context(), e, sdk.SendOptions{})
	body, _ := e.Message.Open()
	octets, _ := io.ReadAll(body)
	if err != nil || out[0].Status != sdk.StatusDelivered || len(b.got) != 6 || b.got[5] != string(octets) || !strings.Contains(b.got[4], "body=BINARYMIME") {
		t.Errorf("BDAT: %+v, %v", out, err)
	}
}

func TestGoSMTPUnderstandsOurLMTP(t *testing.T) {
	b, addr := startPeer(t, "unix", func(s *gosmtp.Server) { s.LMTP, s.Network = true, "unix" })
	c := New(Options{Hostname: "relay.example"})
	defer c.Close()
	e := event(hello, "a@b", "full@b", "no@b")
	e.Route.Hosts = []string{"unix:" + addr}
	for range 2 {
		out, err := c.Send(t.Context(), e, sdk.SendOptions{LMTP: true})
		if err != nil || out[0].Status != sdk.StatusDelivered || brief(out[1]) != "deferred 452 4.2.2 <full@b> full" && brief(out[1]) != "deferred 452 4.2.2 full" || out[2].Status != sdk.StatusFailed {
			t.Errorf("%+v, %v", out, err)
		}
	}
	if len(b.got) != 4 || b.got[1] != hello {
		t.Errorf("%q", b.got)
	}
}

var (
	ronString = regexp.MustCompile(`(?m)^\s*(greeting|stls_response):\s*"(.*)",?$`)
	ronReply  = regexp.MustCompile(`(?m)^\s*"([A-Za-z]+)":\s*"(.*)",?$`)
)

// TestHostileServerSuite runs the scripted servers of testdata/hostile-servers:
// under "may" the message is delivered or put off by the rules of ORIGIN.md, and
// under "verify" nothing but the well-behaved servers gets it.
func TestHostileServerSuite(t *testing.T) {
	files, err := filepath.Glob("testdata/hostile-servers/*.ron")
	if err != nil || len(files) != 21 {
		t.Fatal(len(files), err)
	}
	known, unknown := newAuthority(t), newAuthority(t)
	for _, file := range files {
		ron, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".ron")
		t.Run(name, func(t *testing.T) {
			for _, policy := range []string{"may", "verify"} {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, Options{Roots: known.pool})
					s := w.host("mx", "192.0.2.1", ronServer(ron))
					s.tls = known.serve(t, []string{"mx"})
					if strings.Contains(string(ron), "unknown-root") {
						s.tls = unknown.serve(t, []string{"mx"})
					}
					if strings.Contains(string(ron), "stls_make_transition: false") {
						s.tls = nil
					}
					e := event(hello)
					e.Route.TLS = policy
					judge(t, name, policy, w.send(e)[0], s)
				})
			}
		})
	}
}

func ronServer(ron []byte) *server {
	s := &server{script: map[string][]string{}}
	live := regexp.MustCompile(`(?m)//.*$`).ReplaceAll(ron, nil)
	if before, _, _ := bytes.Cut(live, []byte("capabilities_tls")); bytes.Contains(before, []byte("StartTLS")) {
		s.ehlo = []string{"STARTTLS"}
	}
	unescape := strings.NewReplacer(`\r`, "\r", `\n`, "\n")
	for _, m := range ronString.FindAllSubmatch(live, -1) {
		key := map[string]string{"greeting": "greeting", "stls_response": "STARTTLS"}[string(m[1])]
		s.script[key] = []string{unescape.Replace(string(m[2]))}
	}
	for _, m := range ronReply.FindAllSubmatch(live, -1) {
		s.script[strings.ToUpper(string(m[1]))] = []string{unescape.Replace(string(m[2]))}
	}
	return s
}

// judge holds the expected results: delivered, in the clear or not, or put off.
func judge(t *testing.T, name, policy string, o sdk.Outcome, s *server) {
	want := "tls"
	switch {
	case strings.Contains(name, "greeting"), strings.Contains(name, "ehlo__354"), strings.Contains(name, "helo__ehlo500"):
		want = "deferred"
	case strings.Contains(name, "no-starttls"), strings.Contains(name, "Negotiation"), strings.Contains(name, "X_1"), strings.Contains(name, "starttls__"),
		strings.Contains(name, "ehlo__501"), strings.Contains(name, "ehlo__530"), strings.Contains(name, "rset__ehlo500"):
		want = "clear"
	case strings.Contains(name, "T_2") && policy == "verify":
		want = "deferred"
	}
	if want == "clear" && policy == "verify" {
		want = "deferred"
	}
	got := o.Status.String()
	if o.Status == sdk.StatusDelivered {
		if got = "clear"; o.TLS != "" {
			got = "tls"
		}
	}
	if got != want || (len(s.mail) == 1) != (want != "deferred") {
		t.Errorf("%s, want %s: %s; %d messages arrived", policy, want, brief(o), len(s.mail))
	}
}

// FuzzReply feeds the reader of replies whatever a peer could say.
func FuzzReply(f *testing.F) {
	for _, s := range []string{"250 ok\r\n", "250-a\r\n250 b\n", "250-a\r\n550 b\r\n", "25", "250 2.0.0\r\n", "\x00\r\n", strings.Repeat("250-x\r\n", 200)} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		c := replyConn(in)
		for range 1000 {
			if err := c.readReply(0); err != nil {
				if o := c.lost(err, "here"); o.Status != sdk.StatusDeferred {
					t.Fatalf("%+v", o)
				}
				return
			}
			o := c.said()
			if o.Status == sdk.StatusNone || o.Status == sdk.StatusDelivered && !c.good() || len(o.Reply.Text) > maxStatusText+30 {
				t.Fatalf("%+v", o)
			}
			if strings.IndexFunc(o.Reply.Text+o.Reply.Enhanced, func(r rune) bool { return r < ' ' || r > '~' }) >= 0 {
				t.Fatalf("%q", o.Reply)
			}
			if len(c.text) > maxReplyBytes || c.later().Status != sdk.StatusDeferred {
				t.Fatalf("%d octets", len(c.text))
			}
			parsePeer(c.text)
		}
	})
}

func FuzzPeer(f *testing.F) {
	f.Add([]byte("x\nSIZE 10\nAUTH PLAIN LOGIN\nLIMITS RCPTMAX=5 MAILMAX=-1"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if p := parsePeer(text); p.size < 0 || p.rcptMax < 0 || p.limitMessages < 0 {
			t.Fatalf("%+v", p)
		}
	})
}

// FuzzEnvelope: whatever an event holds, MAIL and RCPT are one line each, and
// say what was meant to whoever reads them with the parser of the other side.
func FuzzEnvelope(f *testing.F) {
	f.Add("a@b", "c@d", "id", "rfc822;x@y", "FULL", uint8(2))
	f.Add("", `"x> y"@d`, "a b+=", `utf-8;jö\@b`, "HDRS", uint8(15))
	f.Add("a@b>\r\nRSET", "c@d>\r\nDATA", "\r\n", "\r\n;\r\n", "\r\n", uint8(255))
	c := &conn{peer: peer{ext: ^smtp.Extensions(0)}}
	client := New(Options{Hostname: "relay.example"})
	f.Fuzz(func(t *testing.T, from, to, id, orcpt, ret string, notify uint8) {
		e := event(hello, to)
		e.Envelope.From, e.Envelope.EnvID, e.Envelope.Ret = from, id, ret
		e.Recipients[0].ORcpt, e.Recipients[0].Notify = orcpt, sdk.Notify(notify)
		e.Route.Hosts = []string{"192.0.2.1"}
		if _, err := client.check(e, sdk.SendOptions{}); err != nil {
			return
		}
		a := &attempt{c: client}
		a.begin(context.Background(), e, sdk.SendOptions{}, nil)
		if a.refuseBadAddresses(); !a.left() {
			return
		}
		a.commands(c, []int{0}, false)
		lines := strings.SplitAfter(string(a.wire), "\r\n")
		if len(lines) != 4 || lines[2] != "DATA\r\n" || lines[3] != "" {
			t.Fatalf("%q", lines)
		}
		mail, err := smtp.ParseCommand([]byte(strings.TrimSuffix(lines[0], "\r\n")))
		if err != nil {
			t.Fatalf("%q: %v", lines[0], err)
		}
		got, o, _, err := smtp.ParseMail(mail.Arg, ^smtp.Extensions(0))
		want, _ := smtp.ParseAddress(from, true)
		if err != nil || got != want || o.EnvelopeID != "" && o.EnvelopeID != id {
			t.Fatalf("%q: %v %+v %v", lines[0], got, o, err)
		}
		rcpt, err := smtp.ParseCommand([]byte(strings.TrimSuffix(lines[1], "\r\n")))
		if err != nil {
			t.Fatalf("%q: %v", lines[1], err)
		}
		got, r, err := smtp.ParseRcpt(rcpt.Arg, ^smtp.Extensions(0), o.UTF8)
		if want, _ = smtp.ParseAddress(to, true); to == "postmaster" {
			want.Local = to
		}
		if err != nil || got != want || r.OriginalRecipient != "" && !strings.HasSuffix(orcpt, ";"+r.OriginalRecipient) {
			t.Fatalf("%q: %v %+v %v", lines[1], got, r, err)
		}
	})
}

func FuzzHop(f *testing.F) {
	for _, s := range []string{"mx:25", "[::1]:25", "::1", ":", "]:", "[", "unix:/x", "192.0.2.1"} {
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, s string, lmtp bool) {
		h, err := parseHop(s, 25, lmtp)
		if err == nil && (h.name == "" || h.unix == "" && (h.port == 0 || strings.ContainsAny(h.name, " \r\n\x00"))) {
			t.Fatalf("%q: %+v", s, h)
		}
	})
}
