package smtpout

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/programmable-mta/mta/core/smtp"
	"github.com/programmable-mta/mta/sdk"
)

// setup is the part of a conversation before the first MAIL.
type setup struct {
	*conn
	a     *attempt
	hop   *hop
	local bool
	clear bool // TLS failed on an earlier connection, and the policy allows going on
}

// errTLS marks a failure after which the policy "may" tries again in the clear.
var errTLS = errors.New("tls failed")

// open makes a connection ready for MAIL, or says what came out. An outcome
// without error is one that stands for the host; errTLS comes with one as well.
func (a *attempt) open(h *hop, ip netip.Addr, clear bool) (*conn, sdk.Outcome, error) {
	remote := h.remote(ip)
	a.conv.remark("connect to " + remote)
	nc, err := a.c.dial(a.ctx, h, ip, a.e.Route.Source)
	if err != nil {
		text := "connect to " + remote + ": " + dialText(err)
		a.conv.remark(text)
		o := unreachable("4.4.1", text)
		o.Unreachable = a.ctx.Err() == nil
		if exhausted(err) { // our fault, for which the destination must not be parked
			o.Unreachable, o.Reply = false, sdk.Reply{Enhanced: "4.3.0", Text: "no resources for a connection"}
		}
		return nil, o, nil
	}
	c := &conn{net: nc, rd: smtp.NewReader(nc, make([]byte, readBuffer)), remote: remote, born: time.Now(), key: a.key(h)}
	release := c.use(a.ctx, a.deadline, a.conv)
	defer release()
	s := setup{conn: c, a: a, hop: h, local: h.local(ip), clear: clear}
	o, err := s.run()
	if o.Status != sdk.StatusNone {
		o.Unreachable = a.ctx.Err() == nil // our own end says nothing about the host
		if c.broken {
			c.close()
		} else {
			a.c.cache.quit(c)
		}
		return nil, o, err
	}
	return c, sdk.Outcome{}, nil
}

// exhausted tells whether it was this machine that had no room for a connection.
func exhausted(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ENOBUFS) || errors.Is(err, syscall.ENOMEM)
}

func dialText(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "timed out"
	}
	return errorText(err)
}

func unreachable(enhanced, text string) sdk.Outcome {
	return sdk.Outcome{Status: sdk.StatusDeferred, Reply: sdk.Reply{Enhanced: enhanced, Text: text}, Unreachable: true}
}

// run speaks up to the point where MAIL may follow. The zero outcome is success.
func (s *setup) run() (sdk.Outcome, error) {
	if err := s.readReply(s.a.c.o.Timeouts.Greeting); err != nil {
		return s.lost(err, "while receiving the greeting"), nil
	}
	if s.code != 220 { // 5yz and 421: the next host may take it (RFC 5321 §3.1, §4.2.1)
		return s.notNow(), nil
	}
	if s.rd.Buffered() > 0 {
		return s.lost(errBadReply, "behind the greeting"), nil
	}
	if o := s.hello(); o.Status != sdk.StatusNone {
		return o, nil
	}
	if o, err := s.secure(); o.Status != sdk.StatusNone {
		return o, err
	}
	return s.login(), nil
}

// notNow is the outcome of a reply that is about the host and not about the
// message.
func (s *setup) notNow() sdk.Outcome {
	s.broken = s.broken || !s.refused() || s.code == 421
	return s.later()
}

// hello says who we are, and learns what the peer can do.
func (s *setup) hello() sdk.Outcome {
	verb := "EHLO "
	if s.key.lmtp {
		verb = "LHLO "
	}
	timeout := s.a.c.o.Timeouts.Command
	if err := s.say([]byte(verb+s.a.c.o.Hostname+"\r\n"), timeout); err != nil {
		return s.lost(err, "while saying "+verb[:4])
	}
	s.peer = peer{}
	if s.code == 250 {
		s.peer = parsePeer(s.text)
		if s.rd.Buffered() > 0 {
			return s.lost(errBadReply, "behind the reply to "+verb[:4])
		}
		return sdk.Outcome{}
	}
	// RFC 5321 §3.2: an old server refuses EHLO; any 5yz may mean that.
	if s.code/100 == 5 && !s.key.lmtp && s.tls == "" {
		if err := s.say([]byte("HELO "+s.a.c.o.Hostname+"\r\n"), timeout); err != nil {
			return s.lost(err, "while saying HELO")
		}
		if s.code == 250 {
			return sdk.Outcome{}
		}
	}
	return s.notNow()
}

// parsePeer reads the reply to EHLO behind its first line.
func parsePeer(text []byte) peer {
	var p peer
	_, text, _ = bytes.Cut(text, []byte("\n"))
	for line := range bytes.SplitSeq(text, []byte("\n")) {
		words := strings.Fields(strings.ToUpper(string(line)))
		if len(words) == 0 {
			continue
		}
		if ext, ok := keywords[words[0]]; ok {
			p.ext |= ext
		}
		switch words[0] {
		case "SIZE":
			if len(words) > 1 {
				p.size = parseLimit(words[1])
			}
		case "AUTH":
			for _, w := range words[1:] {
				p.plain = p.plain || w == "PLAIN"
				p.login = p.login || w == "LOGIN"
			}
		case "LIMITS": // RFC 9422
			for _, w := range words[1:] {
				if v, ok := strings.CutPrefix(w, "RCPTMAX="); ok {
					p.rcptMax = int(min(parseLimit(v), math.MaxInt32))
				}
				if v, ok := strings.CutPrefix(w, "MAILMAX="); ok {
					p.limitMessages = int(min(parseLimit(v), math.MaxInt32))
				}
			}
		}
	}
	return p
}

var keywords = map[string]smtp.Extensions{
	"SIZE": smtp.ExtSize, "8BITMIME": smtp.Ext8BitMIME, "BINARYMIME": smtp.ExtBinaryMIME, "CHUNKING": smtp.ExtChunking,
	"SMTPUTF8": smtp.ExtSMTPUTF8, "DSN": smtp.ExtDSN, "AUTH": smtp.ExtAuth, "REQUIRETLS": smtp.ExtRequireTLS,
	"PIPELINING": smtp.ExtPipelining, "STARTTLS": smtp.ExtStartTLS, "ENHANCEDSTATUSCODES": smtp.ExtEnhancedStatusCodes,
}

// parseLimit reads a number that is not negative; what is none is no limit.
func parseLimit(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// secure starts TLS as the policy says.
func (s *setup) secure() (sdk.Outcome, error) {
	policy := s.key.tls
	must := policy == "encrypt" || policy == "verify"
	if policy == "none" || !must && (s.clear || s.hop.unix != "") {
		return sdk.Outcome{}, nil
	}
	if !s.peer.has(smtp.ExtStartTLS) {
		if must {
			return s.refuse("4.7.4", "TLS is required, and was not offered"), nil
		}
		return sdk.Outcome{}, nil
	}
	if err := s.say([]byte("STARTTLS\r\n"), s.a.c.o.Timeouts.Command); err != nil {
		return s.lost(err, "while saying STARTTLS"), errTLS
	}
	if s.code != 220 {
		if must {
			return s.refuse("4.7.4", "TLS is required, and STARTTLS was refused: "+s.reply().String()), nil
		}
		if s.refused() && s.code != 421 {
			return sdk.Outcome{}, nil
		}
		return s.notNow(), errTLS
	}
	if s.rd.Buffered() > 0 {
		// Whoever put this here wants it read as if it had come through TLS
		// (CVE-2011-0411).
		s.conv.remark("octets behind the reply to STARTTLS were dropped")
	}
	if err := s.handshake(); err != nil {
		o := s.lost(err, "in the TLS handshake")
		o.Reply = sdk.Reply{Enhanced: "4.7.5", Text: "TLS handshake: " + tlsText(err)}
		s.conv.remark(o.Reply.Text)
		return o, errTLS
	}
	return s.hello(), nil // RFC 3207 §4.2: all that was learned before is void
}

func (s *setup) refuse(enhanced, text string) sdk.Outcome {
	s.conv.remark(text)
	return sdk.Outcome{Status: sdk.StatusDeferred, Reply: sdk.Reply{Enhanced: enhanced, Text: text}, Remote: s.remote, TLS: s.tls}
}

func (s *setup) handshake() error {
	cfg := s.a.c.lenient
	if s.key.tls == "verify" {
		cfg = s.a.c.strict
	}
	cfg = cfg.Clone()
	cfg.ServerName = s.hop.name // an address is verified as one, and not sent as SNI
	raw := s.net
	t := tls.Client(raw, cfg)
	raw.SetDeadline(s.until(s.a.c.o.Timeouts.TLS))
	if s.ctx.Err() != nil {
		return s.ctx.Err()
	}
	if err := t.HandshakeContext(s.ctx); err != nil {
		return err
	}
	raw.SetDeadline(time.Time{})
	s.net = t
	s.rd.Reset(t)
	state := t.ConnectionState()
	s.tls = strings.Replace(tls.VersionName(state.Version), "TLS ", "TLSv", 1) + " " + tls.CipherSuiteName(state.CipherSuite)
	s.conv.remark("TLS: " + s.tls)
	return nil
}

func tlsText(err error) string {
	var cert *tls.CertificateVerificationError
	if errors.As(err, &cert) {
		return "certificate not trusted: " + printable(cert.Err.Error())
	}
	return printable(errorText(err))
}

// printable makes a text harmless that may quote a certificate.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s[:min(len(s), maxStatusText)])
}

// login authenticates if the route has a user.
func (s *setup) login() sdk.Outcome {
	user := s.key.user
	if user == "" {
		return sdk.Outcome{}
	}
	if s.tls == "" && !s.local {
		return s.refuse("4.7.0", "credentials are not sent without TLS")
	}
	if !s.peer.plain && !s.peer.login {
		return s.refuse("4.7.0", "neither AUTH PLAIN nor AUTH LOGIN is offered")
	}
	secret, err := s.a.c.o.ReadFile(s.key.password)
	if err != nil {
		return s.refuse("4.3.5", "the password file cannot be read")
	}
	password := strings.TrimRight(string(secret), "\r\n")
	if err := s.auth(user, password); err != nil {
		return s.lost(err, "in AUTH")
	}
	if s.code != 235 {
		return s.notNow()
	}
	return sdk.Outcome{}
}

// auth goes as far as the peer goes along; the last reply decides.
func (s *setup) auth(user, password string) error {
	timeout := s.a.c.o.Timeouts.Command
	steps := []string{"AUTH PLAIN " + encode("\x00"+user+"\x00"+password)}
	shown := []string{"AUTH PLAIN (credentials)"}
	if !s.peer.plain {
		steps = []string{"AUTH LOGIN", encode(user), encode(password)}
		shown = []string{"AUTH LOGIN", "(credentials)", "(credentials)"}
	}
	for i, step := range steps {
		s.conv.add('>', []byte(shown[i]))
		if err := s.write([]byte(step+"\r\n"), timeout); err != nil {
			return err
		}
		if err := s.readReply(timeout); err != nil {
			return err
		}
		if s.code != 334 {
			break
		}
	}
	return nil
}

func encode(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
