package smtpout

import (
	"crypto/tls"
	"encoding/base64"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/programmable-mta/mta/sdk"
)

// TestTLSPolicies is the downgrade matrix: what each policy does with each kind
// of server. "clear" and "tls" are deliveries, with the number of connections.
func TestTLSPolicies(t *testing.T) {
	offer := append([]string{"STARTTLS"}, full...)
	servers := []struct {
		name string
		ehlo []string
		cert string
		stls string
	}{
		{"not offered", full, "", ""},
		{"refused 454", offer, "", "454 4.7.0 not now"},
		{"refused 502", offer, "", "502 5.5.1 not implemented"},
		{"354", offer, "", "354 go on"},
		{"221", offer, "", "221 bye"},
		{"421", offer, "", "421 4.3.2 bye"},
		{"closed", offer, "", "!close"},
		{"no handshake", offer, "", "220 go on"},
		{"old version", offer, "old", ""},
		{"unknown authority", offer, "unknown", ""},
		{"wrong name", offer, "wrong", ""},
		{"good", offer, "good", ""},
		{"good, with octets before it", offer, "good", "220 go on\r\n250-fake\r\n250 AUTH PLAIN"},
	}
	want := map[string][4]string{ // none, may, encrypt, verify
		"not offered":                 {"clear 1", "clear 1", "4.7.4 1", "4.7.4 1"},
		"refused 454":                 {"clear 1", "clear 1", "4.7.4 1", "4.7.4 1"},
		"refused 502":                 {"clear 1", "clear 1", "4.7.4 1", "4.7.4 1"},
		"354":                         {"clear 1", "clear 2", "4.7.4 1", "4.7.4 1"},
		"221":                         {"clear 1", "clear 2", "4.7.4 1", "4.7.4 1"},
		"421":                         {"clear 1", "clear 2", "4.7.4 1", "4.7.4 1"},
		"closed":                      {"clear 1", "clear 2", "4.4.2 1", "4.4.2 1"},
		"no handshake":                {"clear 1", "clear 2", "4.7.5 1", "4.7.5 1"},
		"old version":                 {"clear 1", "clear 2", "4.7.5 1", "4.7.5 1"},
		"unknown authority":           {"clear 1", "tls 1", "tls 1", "4.7.5 1"},
		"wrong name":                  {"clear 1", "tls 1", "tls 1", "4.7.5 1"},
		"good":                        {"clear 1", "tls 1", "tls 1", "tls 1"},
		"good, with octets before it": {"clear 1", "tls 1", "tls 1", "tls 1"},
	}
	known, unknown := newAuthority(t), newAuthority(t)
	certs := map[string]*tls.Config{
		"good": known.serve(t, []string{"mx"}), "wrong": known.serve(t, []string{"other"}), "unknown": unknown.serve(t, []string{"mx"}), "old": known.serve(t, []string{"mx"}),
	}
	certs["old"].MaxVersion = tls.VersionTLS11
	certs["old"].MinVersion = tls.VersionTLS10
	for _, srv := range servers {
		for i, policy := range []string{"none", "may", "encrypt", "verify"} {
			t.Run(srv.name+"/"+policy, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, Options{Roots: known.pool})
					s := &server{ehlo: srv.ehlo, tls: certs[srv.cert]}
					if srv.stls != "" {
						s.script = map[string][]string{"STARTTLS": {srv.stls}}
					}
					w.host("mx", "192.0.2.1", s)
					e := event(hello)
					e.Route.TLS = policy
					o := w.send(e)[0]
					got := o.Reply.Enhanced
					switch {
					case o.Status == sdk.StatusDelivered && o.TLS == "":
						got = "clear"
					case o.Status == sdk.StatusDelivered:
						got = "tls"
						if s.tlsUp == 0 || !strings.HasPrefix(o.TLS, "TLSv1.3 TLS_") {
							t.Errorf("%q", o.TLS)
						}
					case o.Status != sdk.StatusDeferred || !o.Unreachable:
						t.Errorf("%+v", o)
					}
					if got += " " + string(rune('0'+s.conns)); got != want[srv.name][i] {
						t.Errorf("%s, want %s: %s", got, want[srv.name][i], brief(o))
					}
					if strings.HasPrefix(got, "4") && strings.Contains(strings.Join(s.commands(), "\n"), "MAIL") {
						t.Error("MAIL was said without the TLS that was asked for")
					}
				})
			})
		}
	}
}

func TestEmptyPolicyIsMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca := newAuthority(t)
		w := newWorld(t, Options{})
		s := w.host("mx", "192.0.2.1", &server{ehlo: []string{"STARTTLS"}, tls: ca.serve(t, nil)})
		if o := w.send(event(hello))[0]; o.TLS == "" || o.Status != sdk.StatusDelivered {
			t.Error(brief(o))
		}
		ehlos := strings.Count(strings.Join(s.commands(), "\n"), "EHLO relay.example")
		if ehlos != 2 {
			t.Errorf("EHLO was said %d times with our name", ehlos)
		}
	})
}

func TestAnAddressIsVerifiedAsAnAddress(t *testing.T) {
	ca := newAuthority(t)
	for ip, want := range map[string]sdk.Status{"192.0.2.1": sdk.StatusDelivered, "192.0.2.2": sdk.StatusDeferred} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, Options{Roots: ca.pool})
			w.host("unused", ip, &server{ehlo: []string{"STARTTLS"}, tls: ca.serve(t, nil, net.ParseIP("192.0.2.1"))})
			e := event(hello)
			e.Route.Hosts, e.Route.TLS = []string{ip}, "verify"
			if o := w.send(e)[0]; o.Status != want {
				t.Errorf("%s: %s", ip, brief(o))
			}
		})
	}
}

func TestTLSFailureGoesToTheNextHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca := newAuthority(t)
		w := newWorld(t, Options{Roots: ca.pool})
		w.host("mx", "192.0.2.1", &server{ehlo: []string{"STARTTLS"}, tls: ca.serve(t, []string{"other"})})
		w.host("mx2", "192.0.2.2", &server{ehlo: []string{"STARTTLS"}, tls: ca.serve(t, []string{"mx2"})})
		e := event(hello)
		e.Route.Hosts, e.Route.TLS = []string{"mx", "mx2"}, "verify"
		if o := w.send(e)[0]; o.Status != sdk.StatusDelivered || o.Remote != "mx2[192.0.2.2]:25" {
			t.Error(brief(o))
		}
	})
}

func TestREQUIRETLS(t *testing.T) {
	ca := newAuthority(t)
	for name, c := range map[string]struct {
		after string
		names []string
		want  string
	}{
		"supported":     {"REQUIRETLS", []string{"mx"}, "delivered 250 2.0.0 queued as 1"},
		"not supported": {"DSN", []string{"mx"}, "failed 550 5.7.30 the next hop does not support REQUIRETLS"},
		"not verified":  {"REQUIRETLS", []string{"other"}, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, Options{Roots: ca.pool})
			s := w.host("mx", "192.0.2.1", &server{ehlo: []string{"STARTTLS", "8BITMIME", c.after}, tls: ca.serve(t, c.names)})
			e := event(hello)
			e.Envelope.RequireTLS = true
			o := w.send(e)[0]
			if c.want == "" && o.Reply.Enhanced != "4.7.5" || c.want != "" && brief(o) != c.want {
				t.Errorf("%s: %s", name, brief(o))
			}
			if log := strings.Join(s.commands(), "\n"); strings.Contains(log, "MAIL") != (o.Status == sdk.StatusDelivered) || o.Status == sdk.StatusDelivered && !strings.Contains(log, " REQUIRETLS") {
				t.Errorf("%s: %s", name, log)
			}
		})
	}
}

func TestAuthentication(t *testing.T) {
	ca := newAuthority(t)
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	plain := "AUTH PLAIN " + b64("\x00me\x00secret")
	for _, c := range []struct {
		name, ip string
		tls      bool
		ehlo     []string
		script   map[string][]string
		want     string
		log      string
	}{
		{"PLAIN over TLS", "192.0.2.1", true, []string{"AUTH PLAIN LOGIN"}, nil, "delivered 250 2.0.0 queued as 1", plain},
		{"LOGIN over TLS", "192.0.2.1", true, []string{"AUTH CRAM-MD5 LOGIN"}, map[string][]string{"AUTH": {"334 VXNlcm5hbWU6"}, strings.ToUpper(b64("me")): {"334 UGFzc3dvcmQ6"}, strings.ToUpper(b64("secret")): {"235 ok"}}, "delivered 250 2.0.0 queued as 1", b64("secret")},
		{"in the clear to this machine", "127.0.0.1", false, []string{"AUTH PLAIN"}, nil, "delivered 250 2.0.0 queued as 1", plain},
		{"in the clear to another machine", "192.0.2.1", false, []string{"AUTH PLAIN"}, nil, "deferred 4.7.0 credentials are not sent without TLS (unreachable)", "EHLO"},
		{"not offered", "192.0.2.1", true, []string{"DSN"}, nil, "deferred 4.7.0 neither AUTH PLAIN nor AUTH LOGIN is offered (unreachable)", "EHLO"},
		{"only others offered", "192.0.2.1", true, []string{"AUTH CRAM-MD5 PLAIN2"}, nil, "deferred 4.7.0 neither AUTH PLAIN nor AUTH LOGIN is offered (unreachable)", "EHLO"},
		{"refused", "192.0.2.1", true, []string{"AUTH PLAIN"}, map[string][]string{"AUTH": {"535 5.7.8 no"}}, "deferred 535 4.7.8 no (unreachable)", plain},
		{"250 to AUTH", "192.0.2.1", true, []string{"AUTH PLAIN"}, map[string][]string{"AUTH": {"250 ok"}}, "deferred 4.5.0 reply out of place: 250 ok (unreachable)", plain},
		{"closed", "192.0.2.1", true, []string{"AUTH PLAIN"}, map[string][]string{"AUTH": {"!close"}}, "deferred 4.4.2 connection lost in AUTH (unreachable)", plain},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, Options{Roots: ca.pool, ReadFile: func(name string) ([]byte, error) {
					if name != "/etc/secret" {
						t.Errorf("read %s", name)
					}
					return []byte("secret\n"), nil
				}})
				s := &server{ehlo: c.ehlo, script: c.script}
				if c.tls {
					s.ehlo, s.tls = append(s.ehlo, "STARTTLS"), ca.serve(t, []string{"mx"})
				}
				w.host("mx", c.ip, s)
				e := event(hello)
				e.Route.User, e.Route.PasswordFile = "me", "/etc/secret"
				conv := &Conversation{}
				out, err := w.client.Send(WithConversation(t.Context(), conv), e, sdk.SendOptions{})
				if err != nil || brief(out[0]) != c.want {
					t.Errorf("%s, %v", brief(out[0]), err)
				}
				log := s.commands()
				if !strings.Contains(strings.Join(log, "\n"), c.log) {
					t.Errorf("%q", log)
				}
				said := string(conv.Bytes())
				for _, hidden := range []string{"secret", b64("secret"), b64("\x00me\x00secret"), b64("me")} {
					if strings.Contains(said, hidden) {
						t.Errorf("the conversation shows credentials:\n%s", said)
					}
				}
				if strings.HasPrefix(c.log, "AUTH") && !strings.Contains(said, "> AUTH PLAIN (credentials)\n") {
					t.Errorf("the conversation does not show AUTH:\n%s", said)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{ReadFile: func(string) ([]byte, error) { return nil, errors.New("secret place") }})
		w.host("mx", "127.0.0.1", &server{ehlo: []string{"AUTH PLAIN"}})
		e := event(hello)
		e.Route.User, e.Route.PasswordFile = "me", "/etc/secret"
		if got := brief(w.send(e)[0]); got != "deferred 4.3.5 the password file cannot be read (unreachable)" {
			t.Error(got)
		}
	})
}
