package smtpout

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

func TestConnectionsAreUsedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		s := w.host("mx", "192.0.2.1", &server{ehlo: full})
		for range 5 {
			if o := w.send(event(hello))[0]; o.Status != sdk.StatusDelivered {
				t.Fatal(brief(o))
			}
			time.Sleep(1900 * time.Millisecond)
		}
		if s.conns != 1 || len(s.mail) != 5 || strings.Contains(strings.Join(s.commands(), " "), "RSET") {
			t.Errorf("%d connections, %d messages, %q", s.conns, len(s.mail), s.commands())
		}
		time.Sleep(5 * time.Second)
		if log := s.commands(); log[len(log)-1] != "QUIT" {
			t.Errorf("an idle connection ends with %q", log[len(log)-1])
		}
		w.send(event(hello))
		if s.conns != 2 {
			t.Errorf("%d connections", s.conns)
		}
	})
}

func TestConnectionsDoNotCrossBorders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca := newAuthority(t)
		w := newWorld(t, Options{Roots: ca.pool, ReadFile: func(string) ([]byte, error) { return nil, nil }})
		s := w.host("mx", "192.0.2.1", &server{ehlo: append([]string{"STARTTLS", "AUTH PLAIN"}, full...), tls: ca.serve(t, []string{"mx"})})
		w.names["mx2"] = w.names["mx"]
		changes := []func(*sdk.DeliverEvent){
			func(e *sdk.DeliverEvent) {},
			func(e *sdk.DeliverEvent) { e.Route.TLS = "none" },
			func(e *sdk.DeliverEvent) { e.Route.TLS = "encrypt" },
			func(e *sdk.DeliverEvent) { e.Route.TLS = "verify" },
			func(e *sdk.DeliverEvent) { e.Route.User, e.Route.PasswordFile = "a", "p" },
			func(e *sdk.DeliverEvent) { e.Route.User, e.Route.PasswordFile = "b", "p" },
			func(e *sdk.DeliverEvent) { e.Route.User, e.Route.PasswordFile = "a", "q" },
			func(e *sdk.DeliverEvent) { e.Route.Hosts = []string{"mx2"} },
			func(e *sdk.DeliverEvent) { e.Route.MX = true },
		}
		for i, change := range changes {
			e := event(hello)
			change(e)
			if o := w.send(e)[0]; o.Status != sdk.StatusDelivered || s.conns != i+1 {
				t.Errorf("change %d: %s over %d connections", i, brief(o), s.conns)
			}
		}
		for _, change := range changes {
			e := event(hello)
			change(e)
			w.send(e)
		}
		e := event(hello)
		e.Route.TLS = "may" // what the empty policy means
		w.send(e)
		if s.conns != len(changes) {
			t.Errorf("%d connections for %d kinds", s.conns, len(changes))
		}
	})
}

func TestADeadConnectionIsReplacedAtOnce(t *testing.T) {
	for name, script := range map[string]map[string][]string{
		"421 to MAIL": {"MAIL": {"250 ok", "421 4.4.2 idle for too long", "250 ok"}},
		"closed":      {"MAIL": {"250 ok", "!close", "250 ok"}},
		"garbage":     {"MAIL": {"250 ok", "what?", "250 ok"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, Options{})
			s := w.host("mx", "192.0.2.1", &server{ehlo: full, script: script})
			second := w.host("mx2", "192.0.2.2", &server{ehlo: full})
			e := event(hello)
			e.Route.Hosts = []string{"mx", "mx2"}
			for range 2 {
				if o := w.send(e)[0]; o.Status != sdk.StatusDelivered || o.Remote != "mx[192.0.2.1]:25" {
					t.Errorf("%s: %s", name, brief(o))
				}
			}
			if s.conns != 2 || second.conns != 0 {
				t.Errorf("%s: %d and %d connections", name, s.conns, second.conns)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) { // the server hung up while the connection was idle
		w := newWorld(t, Options{})
		s := w.host("mx", "192.0.2.1", &server{ehlo: full, idle: true})
		for range 3 {
			if o := w.send(event(hello))[0]; o.Status != sdk.StatusDelivered {
				t.Error(brief(o))
			}
		}
		if s.conns != 3 {
			t.Errorf("%d connections", s.conns)
		}
	})
	synctest.Test(t, func(t *testing.T) { // lost later than MAIL: something was accepted, so the next host has its turn
		w := newWorld(t, Options{})
		s := w.host("mx", "192.0.2.1", &server{ehlo: full, script: map[string][]string{"RCPT": {"250 ok", "!close", "250 ok"}}})
		w.send(event(hello))
		if got := brief(w.send(event(hello))[0]); got != "deferred 4.4.2 connection lost in RCPT" || s.conns != 1 {
			t.Errorf("%s over %d connections", got, s.conns)
		}
	})
}

func TestAnUnfinishedTransactionIsResetBeforeTheNext(t *testing.T) {
	for _, ehlo := range [][]string{full, {"8BITMIME"}} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, Options{})
			s := w.host("mx", "192.0.2.1", &server{ehlo: ehlo, script: map[string][]string{"RCPT": {"550 5.1.1 no", "250 ok"}, "DATA": {"503 5.5.1 no", "354 go on"}}})
			if len(ehlo) == 1 {
				s.script["DATA"] = []string{"354 go on"}
			}
			w.send(event(hello))
			o := w.send(event(hello))[0]
			if o.Status != sdk.StatusDelivered || s.conns != 1 || strings.Count(strings.Join(s.commands(), "\n"), "RSET") != 1 {
				t.Errorf("%s over %d connections: %q", brief(o), s.conns, s.commands())
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		s := w.host("mx", "192.0.2.1", &server{ehlo: full, script: map[string][]string{"RCPT": {"550 5.1.1 no", "250 ok"}, "DATA": {"503 5.5.1 no", "354 go on"}, "RSET": {"500 5.5.1 what"}}})
		w.send(event(hello))
		if got := brief(w.send(event(hello))[0]); got != "deferred 500 4.5.1 what" {
			t.Error(got)
		}
		if o := w.send(event(hello))[0]; o.Status != sdk.StatusDelivered || s.conns != 2 {
			t.Errorf("%s over %d connections", brief(o), s.conns)
		}
	})
}

func TestRepliesToNothingEndTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		s := w.host("mx", "192.0.2.1", &server{ehlo: full, script: map[string][]string{".": {"250 2.0.0 ok\r\n250 2.0.0 ok\r\n250 2.0.0 ok", "554 5.7.1 spam"}}})
		w.send(event(hello))
		if o := w.send(event(hello))[0]; o.Status != sdk.StatusFailed || s.conns != 2 {
			t.Errorf("%s over %d connections", brief(o), s.conns)
		}
	})
}

func TestCacheLimits(t *testing.T) {
	for name, c := range map[string]struct {
		limits CacheLimits
		pause  time.Duration
		conns  int
	}{
		"messages":  {CacheLimits{Messages: 2}, 0, 3},
		"age":       {CacheLimits{MaxAge: 3 * time.Second}, time.Second, 2},
		"idle":      {CacheLimits{Idle: 500 * time.Millisecond}, time.Second, 5},
		"idle cap":  {CacheLimits{Idle: time.Hour}, 11 * time.Second, 5},
		"none kept": {CacheLimits{PerHost: -1}, 0, 5},
		"total":     {CacheLimits{Total: -1}, 0, 5},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, Options{Cache: c.limits})
			s := w.host("mx", "192.0.2.1", &server{ehlo: full})
			for range 5 {
				w.send(event(hello))
				time.Sleep(c.pause)
			}
			w.client.Close()
			s.handled.Wait()
			if s.conns != c.conns || strings.Count(strings.Join(s.commands(), "\n"), "QUIT") != c.conns {
				t.Errorf("%s: %d connections, %q", name, s.conns, s.commands())
			}
		})
	}
}

func TestManySendersShareConnections(t *testing.T) {
	w := newWorld(t, Options{})
	s := w.host("mx", "192.0.2.1", &server{ehlo: full})
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			for range 20 {
				out, err := w.client.Send(t.Context(), event(hello, fmt.Sprintf("r%d@b", i)), sdk.SendOptions{})
				if err != nil || out[0].Status != sdk.StatusDelivered {
					t.Errorf("%v, %v", out, err)
				}
			}
		})
	}
	wg.Wait()
	w.client.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.mail) != 400 || s.conns > 20 {
		t.Errorf("%d messages over %d connections", len(s.mail), s.conns)
	}
}

func TestAClosedClientKeepsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		s := w.host("mx", "192.0.2.1", &server{ehlo: full})
		w.client.Close()
		w.client.Close()
		for range 2 {
			if o := w.send(event(hello))[0]; o.Status != sdk.StatusDelivered {
				t.Error(brief(o))
			}
		}
		s.handled.Wait()
		if s.conns != 2 {
			t.Errorf("%d connections", s.conns)
		}
	})
}

func TestACancelledAttemptsConnectionIsNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		s := w.host("mx", "192.0.2.1", &server{ehlo: full})
		ctx, cancel := context.WithCancel(t.Context())
		if out, err := w.client.Send(ctx, event(hello), sdk.SendOptions{}); err != nil || out[0].Status != sdk.StatusDelivered {
			t.Fatal(out, err)
		}
		cancel() // after the attempt: no business of the connection any more
		if o := w.send(event(hello))[0]; o.Status != sdk.StatusDelivered || s.conns != 1 {
			t.Errorf("%s over %d connections", brief(o), s.conns)
		}
		out, err := w.client.Send(ctx, event(hello), sdk.SendOptions{})
		if err != nil || out[0].Status != sdk.StatusDeferred || out[0].Unreachable || len(s.mail) != 2 {
			t.Errorf("%v, %v", out, err)
		}
	})
}
