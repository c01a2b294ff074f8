package smtpout

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

var full = []string{"PIPELINING", "SIZE 10000000", "8BITMIME", "DSN", "SMTPUTF8"}

// TestRepliesBecomeOutcomes: one host, two recipients, with and without
// PIPELINING; the last column are the outcomes of both.
func TestRepliesBecomeOutcomes(t *testing.T) {
	const delivered = "delivered 250 2.0.0 queued as 1"
	for _, c := range []struct {
		name   string
		script map[string][]string
		want   [2]string
	}{
		{"a good day", nil, [2]string{delivered, delivered}},
		{"MAIL 5yz", map[string][]string{"MAIL": {"550 5.7.1 not you"}}, [2]string{"failed 550 5.7.1 not you", "failed 550 5.7.1 not you"}},
		{"MAIL 4yz", map[string][]string{"MAIL": {"450 4.7.1 later"}}, [2]string{"deferred 450 4.7.1 later", "deferred 450 4.7.1 later"}},
		{"one RCPT 5yz", map[string][]string{"RCPT a@b": {"550 5.1.1 nobody"}}, [2]string{"failed 550 5.1.1 nobody", delivered}},
		{"one RCPT 4yz", map[string][]string{"RCPT c@d": {"450 greylisted"}}, [2]string{delivered, "deferred 450 greylisted"}},
		{"both RCPT refused", map[string][]string{"RCPT a@b": {"550 5.1.1 nobody"}, "RCPT c@d": {"452 4.2.2 full"}, "DATA": {"503 5.5.1 no recipients"}}, [2]string{"failed 550 5.1.1 nobody", "deferred 452 4.2.2 full"}},
		{"354 without recipients", map[string][]string{"RCPT": {"550 5.1.1 nobody"}, ".": {"554 5.5.1 nobody"}}, [2]string{"failed 550 5.1.1 nobody", "failed 550 5.1.1 nobody"}},
		{"250 to the lone dot delivers nothing", map[string][]string{"RCPT": {"550 5.1.1 nobody"}}, [2]string{"failed 550 5.1.1 nobody", "failed 550 5.1.1 nobody"}},
		{"251 and 252 accept", map[string][]string{"RCPT a@b": {"251 forwards"}, "RCPT c@d": {"252 who knows"}}, [2]string{delivered, delivered}},
		{"DATA 5yz", map[string][]string{"DATA": {"554 5.3.2 no"}}, [2]string{"failed 554 5.3.2 no", "failed 554 5.3.2 no"}},
		{"DATA 4yz", map[string][]string{"DATA": {"451 4.3.2 no"}}, [2]string{"deferred 451 4.3.2 no", "deferred 451 4.3.2 no"}},
		{"dot 5yz", map[string][]string{".": {"554 5.7.1 spam"}}, [2]string{"failed 554 5.7.1 spam", "failed 554 5.7.1 spam"}},
		{"dot 4yz, several lines", map[string][]string{".": {"451-4.3.0 a\r\n451-4.3.0 b\x01\r\n451 4.3.0 c"}}, [2]string{"deferred 451 4.3.0 a b? c", "deferred 451 4.3.0 a b? c"}},
		{"dot 421", map[string][]string{".": {"421 4.3.2 bye"}}, [2]string{"deferred 421 4.3.2 bye", "deferred 421 4.3.2 bye"}},
		{"an unknown 2yz is success", map[string][]string{".": {"299 fine"}}, [2]string{"delivered 299 fine", "delivered 299 fine"}},
		{"enhanced code of another class", map[string][]string{"MAIL": {"550 4.7.1 odd"}}, [2]string{"failed 550 4.7.1 odd", "failed 550 4.7.1 odd"}},
		{"lost after the dot", map[string][]string{".": {"!close"}}, [2]string{"deferred 4.4.2 connection lost after the end of the message (maybe duplicate)", "deferred 4.4.2 connection lost after the end of the message (maybe duplicate)"}},
		{"silence after the dot", map[string][]string{".": {"!hang"}}, [2]string{"deferred 4.4.2 timed out after the end of the message (maybe duplicate)", "deferred 4.4.2 timed out after the end of the message (maybe duplicate)"}},
		{"221 to the dot", map[string][]string{".": {"221 bye"}}, [2]string{"deferred 4.5.0 reply out of place: 221 bye (maybe duplicate)", "deferred 4.5.0 reply out of place: 221 bye (maybe duplicate)"}},
		{"354 to the dot", map[string][]string{".": {"354 more"}}, [2]string{"deferred 4.5.0 reply out of place: 354 more (maybe duplicate)", "deferred 4.5.0 reply out of place: 354 more (maybe duplicate)"}},
		{"nonsense to the dot", map[string][]string{".": {"ok!"}}, [2]string{"deferred 4.5.0 not an SMTP reply after the end of the message (maybe duplicate)", "deferred 4.5.0 not an SMTP reply after the end of the message (maybe duplicate)"}},
		{"lost in MAIL", map[string][]string{"MAIL": {"!close"}}, [2]string{"deferred 4.4.2 connection lost in MAIL", "deferred 4.4.2 connection lost in MAIL"}},
		{"silence in RCPT", map[string][]string{"RCPT c@d": {"!hang"}}, [2]string{"deferred 4.4.2 timed out in RCPT", "deferred 4.4.2 timed out in RCPT"}},
		{"refused, then lost", map[string][]string{"RCPT a@b": {"550 5.1.1 nobody"}, "RCPT c@d": {"!close"}}, [2]string{"failed 550 5.1.1 nobody", "deferred 4.4.2 connection lost in RCPT"}},
		{"421 in RCPT", map[string][]string{"RCPT c@d": {"421 4.3.2 bye"}}, [2]string{"deferred 421 4.3.2 bye", "deferred 421 4.3.2 bye"}},
		{"354 to MAIL", map[string][]string{"MAIL": {"354 go"}}, [2]string{"deferred 4.5.0 reply out of place: 354 go", "deferred 4.5.0 reply out of place: 354 go"}},
		{"220 to RCPT", map[string][]string{"RCPT a@b": {"220 hi"}}, [2]string{"deferred 4.5.0 reply out of place: 220 hi", "deferred 4.5.0 reply out of place: 220 hi"}},
		{"250 to DATA", map[string][]string{"DATA": {"250 ok"}}, [2]string{"deferred 4.5.0 reply out of place: 250 ok", "deferred 4.5.0 reply out of place: 250 ok"}},
		{"an endless reply", map[string][]string{"MAIL": {"!endless"}}, [2]string{"deferred 4.5.0 reply without end in MAIL", "deferred 4.5.0 reply without end in MAIL"}},
		{"a line without end", map[string][]string{"MAIL": {"!long"}}, [2]string{"deferred 4.5.0 reply without end in MAIL", "deferred 4.5.0 reply without end in MAIL"}},
		{"a trickle", map[string][]string{"MAIL": {"!trickle"}}, [2]string{"deferred 4.4.2 timed out in MAIL", "deferred 4.4.2 timed out in MAIL"}},
		{"a reply that changes its mind", map[string][]string{"MAIL": {"250-yes\r\n550 no"}}, [2]string{"deferred 4.5.0 not an SMTP reply in MAIL", "deferred 4.5.0 not an SMTP reply in MAIL"}},
		{"a reply with bare LF", map[string][]string{".": {"250 2.0.0 fine\n"}}, [2]string{"delivered 250 2.0.0 fine", "delivered 250 2.0.0 fine"}},
	} {
		for _, ehlo := range [][]string{full, {"8BITMIME"}} {
			t.Run(fmt.Sprintf("%s/%d", c.name, len(ehlo)), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, Options{})
					script := map[string][]string{}
					for k, v := range c.script {
						script[k] = v
					}
					s := w.host("mx", "192.0.2.1", &server{ehlo: ehlo, script: script})
					out := w.send(event(hello, "a@b", "c@d"))
					for i := range out {
						if got := brief(out[i]); got != c.want[i] {
							t.Errorf("recipient %d: %s; want %s", i, got, c.want[i])
						}
						if out[i].Remote != "mx[192.0.2.1]:25" || out[i].Unreachable {
							t.Errorf("recipient %d: %+v", i, out[i])
						}
						if o := out[i]; o.RemoteReply != (o.Reply.Code != 0) {
							t.Errorf("recipient %d: RemoteReply is %v for %v", i, o.RemoteReply, o.Reply)
						}
					}
					if len(s.mail) == 1 && s.mail[0] != hello && s.mail[0] != "" {
						t.Errorf("arrived as %q", s.mail[0])
					}
					if s.conns != 1 {
						t.Errorf("%d connections", s.conns)
					}
				})
			})
		}
	}
}

// TestHostsThatDoNotBegin: what happens before MAIL sends the message to the
// next host, and with one host is temporary and about the host.
func TestHostsThatDoNotBegin(t *testing.T) {
	for _, c := range []struct {
		name   string
		script map[string][]string
		want   string
	}{
		{"greeting 554", map[string][]string{"greeting": {"554 5.3.2 no"}}, "deferred 554 4.3.2 no"},
		{"greeting 421", map[string][]string{"greeting": {"421 4.3.2 busy"}}, "deferred 421 4.3.2 busy"},
		{"greeting 500", map[string][]string{"greeting": {"500 what"}}, "deferred 500 what"},
		{"greeting 221", map[string][]string{"greeting": {"221 bye"}}, "deferred 4.5.0 reply out of place: 221 bye"},
		{"greeting 250", map[string][]string{"greeting": {"250 hi"}}, "deferred 4.5.0 reply out of place: 250 hi"},
		{"greeting of somebody else", map[string][]string{"greeting": {"SSH-2.0-x"}}, "deferred 4.5.0 not an SMTP reply while receiving the greeting"},
		{"no greeting", map[string][]string{"greeting": {"!hang"}}, "deferred 4.4.2 timed out while receiving the greeting"},
		{"closed at once", map[string][]string{"greeting": {"!close"}}, "deferred 4.4.2 connection lost while receiving the greeting"},
		{"endless greeting", map[string][]string{"greeting": {"!endless"}}, "deferred 4.5.0 reply out of place: 250 more more"},
		{"two greetings", map[string][]string{"greeting": {"220 a\r\n250 b"}}, "deferred 4.5.0 not an SMTP reply behind the greeting"},
		{"EHLO 421", map[string][]string{"EHLO": {"421 4.3.2 bye"}}, "deferred 421 4.3.2 bye"},
		{"EHLO 354", map[string][]string{"EHLO": {"354 go on"}}, "deferred 4.5.0 reply out of place: 354 go on"},
		{"EHLO and a reply to nothing", map[string][]string{"EHLO": {"250 x\r\n250 ok"}}, "deferred 4.5.0 not an SMTP reply behind the reply to EHLO"},
		{"EHLO and HELO refused", map[string][]string{"EHLO": {"500 what"}, "HELO": {"501 5.5.4 what"}}, "deferred 501 4.5.4 what"},
		{"EHLO refused, HELO 354", map[string][]string{"EHLO": {"500 what"}, "HELO": {"354 go"}}, "deferred 4.5.0 reply out of place: 354 go"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, Options{})
				w.host("mx", "192.0.2.1", &server{ehlo: full, script: c.script})
				if c.name == "endless greeting" {
					c.want = "deferred 4.5.0 reply without end while receiving the greeting"
				}
				e := event(hello)
				if got := brief(w.send(e)[0]); got != c.want+" (unreachable)" {
					t.Errorf("alone: %s; want %s", got, c.want)
				}
				second := w.host("mx2", "192.0.2.2", &server{ehlo: full})
				e.Route.Hosts = []string{"mx", "mx2"}
				out := w.send(e)
				if out[0].Status != sdk.StatusDelivered || out[0].Remote != "mx2[192.0.2.2]:25" || len(second.mail) != 1 {
					t.Errorf("with a second host: %+v", out[0])
				}
			})
		})
	}
}

func TestAnOldServerIsSpokenToInHELO(t *testing.T) {
	for _, code := range []string{"500", "501", "502", "530", "550"} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, Options{})
			s := w.host("mx", "192.0.2.1", &server{script: map[string][]string{"EHLO": {code + " what"}}})
			if got := brief(w.send(event(hello))[0]); got != "delivered 250 2.0.0 queued as 1" {
				t.Error(got)
			}
			if got := s.commands()[2]; got != "MAIL FROM:<sender@example.org>" {
				t.Errorf("parameters for a server without extensions: %s", got)
			}
		})
	}
}

func TestTheNextHostGetsWhatTheFirstPutOff(t *testing.T) {
	for name, script := range map[string]map[string][]string{
		"MAIL 4yz":        {"MAIL": {"451 4.3.0 x"}},
		"RCPT 4yz":        {"RCPT": {"450 4.7.1 x"}},
		"DATA 4yz":        {"DATA": {"451 4.3.0 x"}},
		"dot 4yz":         {".": {"451 4.3.0 x"}},
		"lost in MAIL":    {"MAIL": {"!close"}},
		"lost in DATA":    {"DATA": {"!close"}},
		"silence in EHLO": {"EHLO": {"!hang"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, Options{})
			w.host("mx", "192.0.2.1", &server{ehlo: full, script: script})
			w.host("mx2", "192.0.2.2", &server{ehlo: full})
			e := event(hello, "a@b", "c@d")
			e.Route.Hosts = []string{"mx", "mx2"}
			for i, o := range w.send(e) {
				if o.Status != sdk.StatusDelivered || o.Remote != "mx2[192.0.2.2]:25" {
					t.Errorf("%s, recipient %d: %s", name, i, brief(o))
				}
			}
		})
	}
}

func TestWhatIsFinalIsNotTriedElsewhere(t *testing.T) {
	for name, script := range map[string]map[string][]string{
		"MAIL 5yz":       {"MAIL": {"550 5.7.1 x"}},
		"RCPT 5yz":       {"RCPT": {"550 5.1.1 x"}},
		"DATA 5yz":       {"DATA": {"554 5.3.0 x"}},
		"dot 5yz":        {".": {"554 5.7.1 x"}},
		"lost after dot": {".": {"!close"}},
		"late after dot": {".": {"!hang"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, Options{})
			w.host("mx", "192.0.2.1", &server{ehlo: full, script: script})
			second := w.host("mx2", "192.0.2.2", &server{ehlo: full})
			e := event(hello)
			e.Route.Hosts = []string{"mx", "mx2"}
			if o := w.send(e)[0]; o.Status == sdk.StatusDelivered || second.conns != 0 {
				t.Errorf("%s: %s, %d connections to the second host", name, brief(o), second.conns)
			}
		})
	}
}

func TestOnlyWhoIsLeftGoesToTheNextHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		w.host("mx", "192.0.2.1", &server{ehlo: full, script: map[string][]string{"RCPT a@b": {"550 5.1.1 x"}, "RCPT c@d": {"450 4.2.1 x"}}})
		second := w.host("mx2", "192.0.2.2", &server{ehlo: full})
		e := event(hello, "a@b", "c@d", "e@f")
		e.Route.Hosts = []string{"mx", "mx2"}
		out := w.send(e)
		want := []string{"failed 550 5.1.1 x", "delivered 250 2.0.0 queued as 1", "delivered 250 2.0.0 queued as 1"}
		for i := range out {
			if brief(out[i]) != want[i] {
				t.Errorf("recipient %d: %s", i, brief(out[i]))
			}
		}
		if out[1].Remote != "mx2[192.0.2.2]:25" || out[2].Remote != "mx[192.0.2.1]:25" || strings.Count(strings.Join(second.commands(), "\n"), "RCPT") != 1 {
			t.Errorf("%+v\n%q", out, second.commands())
		}
	})
}

func TestNoDescriptorsAreOurFaultAndNotThatOfTheDestination(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		w.host("mx", "192.0.2.1", &server{ehlo: full})
		w.client.o.Dial = func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("socket", syscall.EMFILE)}
		}
		// Not "(unreachable)", which would park the destination.
		if o := w.send(event(hello))[0]; brief(o) != "deferred 4.3.0 no resources for a connection" {
			t.Error(brief(o))
		}
	})
}

func TestUnreachableHostsAreWalkedWithinTheLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		for i := 1; i <= 8; i++ {
			w.names["mx"] = append(w.names["mx"], w.addr(fmt.Sprintf("192.0.2.%d", i)), w.addr(fmt.Sprintf("2001:db8::%d", i)))
		}
		o := w.send(event(hello))[0]
		if brief(o) != "deferred 4.4.1 connect to mx[2001:db8::3]:25: connection refused (unreachable)" {
			t.Error(brief(o))
		}
		if got := strings.Join(w.dialed, " "); got != "[2001:db8::1]:25 192.0.2.1:25 [2001:db8::2]:25 192.0.2.2:25 [2001:db8::3]:25" {
			t.Errorf("dialed %s", got)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		deferring := &server{ehlo: full, script: map[string][]string{"RCPT": {"450 4.7.1 greylisted"}}}
		for i := 1; i <= 4; i++ {
			w.host("mx", fmt.Sprintf("192.0.2.%d", i), deferring)
		}
		if o := w.send(event(hello))[0]; brief(o) != "deferred 450 4.7.1 greylisted" || deferring.conns != 2 {
			t.Errorf("%s, %d conversations", brief(o), deferring.conns)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		w.names["mx"] = append(w.names["mx"], w.addr("192.0.2.99"))
		start := time.Now()
		o := w.send(event(hello))[0]
		if brief(o) != "deferred 4.4.1 connect to mx[192.0.2.99]:25: timed out (unreachable)" || time.Since(start) != 30*time.Second {
			t.Errorf("%s after %v", brief(o), time.Since(start))
		}
	})
}

func TestWhatAHostSaidOutweighsThatAnotherIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		w.host("mx", "192.0.2.1", &server{ehlo: full, script: map[string][]string{"RCPT": {"450 4.7.1 greylisted"}}})
		e := event(hello)
		e.Route.Hosts = []string{"mx", "192.0.2.2"}
		if got := brief(w.send(e)[0]); got != "deferred 450 4.7.1 greylisted" {
			t.Error(got)
		}
	})
}

func TestNamesWithoutAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		e := event(hello)
		if got := brief(w.send(e)[0]); got != "deferred 4.4.4 host mx has no address (unreachable)" {
			t.Error(got)
		}
		e.Route.MX = true
		if got := brief(w.send(e)[0]); got != "failed 5.4.4 host mx has no address" {
			t.Error(got)
		}
		w.host("mx", "127.0.0.1", &server{ehlo: full})
		if got := brief(w.send(e)[0]); got != "failed 5.4.4 host mx has no address" {
			t.Errorf("an exchanger on loopback: %s", got)
		}
		w.dnsErr["mx"] = &sdk.DNSError{Name: "mx", Temporary: true, Text: "SERVFAIL"}
		if got := brief(w.send(e)[0]); got != "deferred 4.4.3 host mx: dns: mx: SERVFAIL (unreachable)" {
			t.Error(got)
		}
		e.Route.Hosts = []string{"nowhere", "mx"}
		if got := brief(w.send(e)[0]); got != "deferred 4.4.3 host mx: dns: mx: SERVFAIL (unreachable)" {
			t.Errorf("with one name that may come back: %s", got)
		}
	})
}

func TestRequestsThatCannotBeCarriedOutAreErrors(t *testing.T) {
	w := newWorld(t, Options{})
	for name, change := range map[string]func(*sdk.DeliverEvent){
		"no hosts":        func(e *sdk.DeliverEvent) { e.Route.Hosts = nil },
		"no envelope":     func(e *sdk.DeliverEvent) { e.Envelope = nil },
		"dane":            func(e *sdk.DeliverEvent) { e.Route.TLS = "dane" },
		"bad policy":      func(e *sdk.DeliverEvent) { e.Route.TLS = "maybe" },
		"bad sender":      func(e *sdk.DeliverEvent) { e.Envelope.From = "a@b>\r\nRSET" },
		"socket for SMTP": func(e *sdk.DeliverEvent) { e.Route.Hosts = []string{"unix:/x"} },
		"bad port":        func(e *sdk.DeliverEvent) { e.Route.Hosts = []string{"mx:99999"} },
		"no port":         func(e *sdk.DeliverEvent) { e.Route.Hosts = []string{"mx:"} },
		"port only":       func(e *sdk.DeliverEvent) { e.Route.Hosts = []string{":25"} },
		"bad name":        func(e *sdk.DeliverEvent) { e.Route.Hosts = []string{"m x"} },
		"bad literal":     func(e *sdk.DeliverEvent) { e.Route.Hosts = []string{"[::g]"} },
		"open literal":    func(e *sdk.DeliverEvent) { e.Route.Hosts = []string{"[::1"} },
		"bad source":      func(e *sdk.DeliverEvent) { e.Route.Source = "here" },
		"source":          func(e *sdk.DeliverEvent) { e.Route.Source = "192.0.2.7" },
		"pool":            func(e *sdk.DeliverEvent) { e.Route.Pool = "p" },
		"bad user":        func(e *sdk.DeliverEvent) { e.Route.User = "a\x00b" },
	} {
		e := event(hello)
		change(e)
		if out, err := w.client.Send(t.Context(), e, sdk.SendOptions{}); err == nil || out != nil || !strings.HasPrefix(err.Error(), "smtpout: ") {
			t.Errorf("%s: %v, %v", name, out, err)
		}
	}
	if len(w.dialed) != 0 {
		t.Errorf("dialed %q", w.dialed)
	}
}

func TestHostsAreReadInAllTheirForms(t *testing.T) {
	for in, want := range map[string]string{
		"mx.example": "mx.example 25 -", "MX.example.:2525": "mx.example 2525 -", "192.0.2.1": "192.0.2.1 25 192.0.2.1", "192.0.2.1:26": "192.0.2.1 26 192.0.2.1",
		"[2001:db8::1]:26": "2001:db8::1 26 2001:db8::1", "[2001:db8::1]": "2001:db8::1 25 2001:db8::1", "2001:db8::1": "2001:db8::1 25 2001:db8::1", "h2": "h2 25 -", "under_score:1": "under_score 1 -",
	} {
		h, err := parseHop(in, 25, false)
		ip := "-"
		if h.ip.IsValid() {
			ip = h.ip.String()
		}
		if got := fmt.Sprint(h.name, " ", h.port, " ", ip); got != want || err != nil {
			t.Errorf("%s: %s, %v", in, got, err)
		}
	}
}

func TestBadRecipientsNeverReachTheWire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		s := w.host("mx", "192.0.2.1", &server{ehlo: full})
		out := w.send(event(hello, "a@b>\r\nRCPT TO:<x@y", "ok@b", "postmaster", ""))
		want := []string{"failed 501 5.1.3 bad address", "delivered 250 2.0.0 queued as 1", "delivered 250 2.0.0 queued as 1", "failed 501 5.1.3 bad address"}
		for i := range out {
			if brief(out[i]) != want[i] {
				t.Errorf("recipient %d: %s", i, brief(out[i]))
			}
		}
		if got := strings.Count(strings.Join(s.commands(), "\n"), "RCPT"); got != 2 {
			t.Errorf("%q", s.commands())
		}
	})
}

func TestManyRecipientsGoInSeveralTransactions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		s := w.host("mx", "192.0.2.1", &server{ehlo: full})
		var rcpts []string
		for i := range 250 {
			rcpts = append(rcpts, fmt.Sprintf("r%d@b", i))
		}
		for i, o := range w.send(event(hello, rcpts...)) {
			if o.Status != sdk.StatusDelivered {
				t.Fatalf("recipient %d: %s", i, brief(o))
			}
		}
		log := strings.Join(s.commands(), "\n")
		if len(s.mail) != 3 || strings.Count(log, "RCPT") != 250 || s.conns != 1 {
			t.Errorf("%d messages over %d connections", len(s.mail), s.conns)
		}
	})
}

func TestRecipientsThatWereTooManyFollowInTheSamePass(t *testing.T) {
	for _, reply := range []string{"452 4.5.3 too many", "452 too many", "552 5.5.3 too many", "552 too many"} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, Options{})
			script := map[string][]string{}
			for _, r := range []string{"c@b", "d@b", "e@b"} {
				script["RCPT "+r] = []string{reply, "250 2.1.5 ok"}
			}
			s := w.host("mx", "192.0.2.1", &server{ehlo: full, script: script})
			for i, o := range w.send(event(hello, "a@b", "b@b", "c@b", "d@b", "e@b")) {
				if o.Status != sdk.StatusDelivered {
					t.Errorf("%s: recipient %d: %s", reply, i, brief(o))
				}
			}
			if len(s.mail) != 3 || s.conns != 1 {
				t.Errorf("%s: %d messages over %d connections", reply, len(s.mail), s.conns)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) { // a full mailbox is not one too many
		w := newWorld(t, Options{})
		w.host("mx", "192.0.2.1", &server{ehlo: full, script: map[string][]string{"RCPT c@b": {"552 5.2.2 full"}, "RCPT d@b": {"452 4.2.2 full"}}})
		out := w.send(event(hello, "a@b", "c@b", "d@b"))
		if brief(out[1]) != "failed 552 5.2.2 full" || brief(out[2]) != "deferred 452 4.2.2 full" {
			t.Errorf("%s, %s", brief(out[1]), brief(out[2]))
		}
	})
	synctest.Test(t, func(t *testing.T) { // RFC 9422
		w := newWorld(t, Options{})
		s := w.host("mx", "192.0.2.1", &server{ehlo: []string{"PIPELINING", "8BITMIME", "LIMITS RCPTMAX=2 MAILMAX=2"}})
		for i, o := range w.send(event(hello, "a@b", "b@b", "c@b", "d@b")) {
			if o.Status != sdk.StatusDelivered {
				t.Errorf("recipient %d: %s", i, brief(o))
			}
		}
		w.send(event(hello))
		if len(s.mail) != 3 || s.conns != 2 {
			t.Errorf("%d messages over %d connections", len(s.mail), s.conns)
		}
	})
}

func TestLMTPHasOneReplyPerRecipient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		s := &server{lmtp: true, ehlo: []string{"PIPELINING", "8BITMIME"}, script: map[string][]string{
			"RCPT c@d": {"550 5.1.1 nobody"}, ".": {"250 2.0.0 one", "552 5.2.2 full", "450 4.2.0 busy", "!close"},
		}}
		w.servers["/run/lmtp"] = s
		e := event(hello, "a@b", "c@d", "e@f", "g@h", "i@j", "k@l")
		e.Route.Via, e.Route.Hosts = "lmtp", []string{"unix:/run/lmtp"}
		out := w.send(e)
		lost := "deferred 4.4.2 connection lost after the end of the message (maybe duplicate)"
		want := []string{"delivered 250 2.0.0 one", "failed 550 5.1.1 nobody", "failed 552 5.2.2 full", "deferred 450 4.2.0 busy", lost, lost}
		for i := range out {
			if brief(out[i]) != want[i] || out[i].Remote != "unix:/run/lmtp" {
				t.Errorf("recipient %d: %s", i, brief(out[i]))
			}
		}
		if log := s.commands(); log[0] != "LHLO relay.example" || log[1] != "MAIL FROM:<sender@example.org> BODY=8BITMIME" {
			t.Errorf("%q", log)
		}
	})
}

func TestLMTPDoesNotFallBackToHELO(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		s := &server{script: map[string][]string{"LHLO": {"500 5.5.1 what"}}}
		w.servers["192.0.2.1:24"] = s
		e := event(hello)
		e.Route.Via, e.Route.Hosts = "lmtp", []string{"192.0.2.1"}
		if got := brief(w.send(e)[0]); got != "deferred 500 4.5.1 what (unreachable)" {
			t.Error(got)
		}
		if got := s.commands(); len(got) > 1 && got[1] != "QUIT" {
			t.Errorf("%q", got)
		}
	})
}

func TestACancelledAttemptEndsAtOnce(t *testing.T) {
	for _, where := range []string{"greeting", "EHLO", "MAIL", "RCPT", "DATA", "."} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, Options{})
			w.host("mx", "192.0.2.1", &server{ehlo: full, script: map[string][]string{where: {"!hang"}}})
			second := w.host("mx2", "192.0.2.2", &server{ehlo: full})
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			e := event(hello)
			e.Route.Hosts = []string{"mx", "mx2"}
			start := time.Now()
			out, err := w.client.Send(ctx, e, sdk.SendOptions{})
			if err != nil || out[0].Status != sdk.StatusDeferred || out[0].MaybeDuplicate != (where == ".") || time.Since(start) != time.Second || second.conns != 0 {
				t.Errorf("%s: %v, %v after %v", where, out, err, time.Since(start))
			}
		})
	}
}

func TestAnAttemptHasAnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{Timeouts: Timeouts{Attempt: 7 * time.Minute}})
		w.host("mx", "192.0.2.1", &server{ehlo: full, script: map[string][]string{".": {"!hang"}}})
		start := time.Now()
		if o := w.send(event(hello))[0]; !o.MaybeDuplicate || time.Since(start) != 7*time.Minute {
			t.Errorf("%s after %v", brief(o), time.Since(start))
		}
	})
}

func TestAMessageThatCannotBeReadIsNotSent(t *testing.T) {
	broken := errors.New("disk")
	for name, m := range map[string]sdk.Message{
		"open":  sdk.NewMessage("M1", 10, func() (sdk.Body, error) { return nil, broken }),
		"read":  sdk.NewMessage("M1", 10, func() (sdk.Body, error) { return badBody{}, nil }),
		"short": sdk.NewMessage("M1", 1000, func() (sdk.Body, error) { return content(hello).Open() }),
		"long":  sdk.NewMessage("M1", 10, func() (sdk.Body, error) { return content(hello).Open() }),
		"none":  {},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, Options{})
			s := w.host("mx", "192.0.2.1", &server{ehlo: full})
			e := event(hello)
			e.Message = m
			if o := w.send(e)[0]; o.Status != sdk.StatusDeferred || o.Reply.Enhanced != "4.3.0" || o.Unreachable || s.conns != 0 {
				t.Errorf("%s: %s, %d connections", name, brief(o), s.conns)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) { // in the middle: the dot must not be sent
		w := newWorld(t, Options{})
		s := w.host("mx", "192.0.2.1", &server{ehlo: full})
		second := w.host("mx2", "192.0.2.2", &server{ehlo: full})
		e := event(hello)
		e.Message = sdk.NewMessage("M1", 1<<20, func() (sdk.Body, error) { return content(strings.Repeat("x\r\n", 100_000)).Open() })
		e.Route.Hosts = []string{"mx", "mx2"}
		o := w.send(e)[0]
		s.handled.Wait()
		if o.Status != sdk.StatusDeferred || o.Reply.Enhanced != "4.3.0" || o.MaybeDuplicate || len(s.mail) != 0 || second.conns != 0 {
			t.Errorf("%s, %d messages, %d conns", brief(o), len(s.mail), second.conns)
		}
	})
}

type badBody struct{ message }

func (badBody) ReadAt([]byte, int64) (int, error) { return 0, errors.New("disk") }
func (badBody) Close() error                      { return nil }

func TestTheSourceOfARouteIsDialedFrom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{DialFrom: func(_ context.Context, source, _, addr string) (net.Conn, error) {
			return nil, errors.New("from " + source + " to " + addr)
		}})
		w.host("mx", "192.0.2.1", &server{ehlo: full})
		e := event(hello)
		e.Route.Source = "192.0.2.77"
		if got := brief(w.send(e)[0]); got != "deferred 4.4.1 connect to mx[192.0.2.1]:25: from 192.0.2.77 to 192.0.2.1:25 (unreachable)" {
			t.Error(got)
		}
	})
}
