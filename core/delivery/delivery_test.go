package delivery

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/programmable-mta/mta/core/hook"
	"github.com/programmable-mta/mta/core/queue"
	"github.com/programmable-mta/mta/sdk"
)

func TestAMessageIsDelivered(t *testing.T) {
	play(t, nil, func(s *scene) {
		m := s.q.add("ann@example.net", "bob@example.org")
		s.start()
		s.want("states", s.q.states(m), "delivered")
		if len(s.q.notices(m)) != 0 || len(s.w.attempts) != 1 || s.w.attempts[0].Recipients[0] != "bob@example.org" || !s.w.has("removed "+m.env.ID) {
			t.Errorf("attempts %v, lines %v", s.w.attempts, s.w.lines)
		}
	})
}

func TestFiveDaysOfRetriesComeAtTheTimesOfTheSchedule(t *testing.T) {
	play(t, nil, func(s *scene) {
		var at []time.Duration
		s.c.deliver = func(_ context.Context, e *sdk.DeliverEvent) []sdk.Outcome {
			if e.Envelope.From == "" {
				return all(e, ok)
			}
			at = append(at, time.Since(s.began))
			if e.Attempt != len(at) {
				t.Errorf("attempt %d is called %d", len(at), e.Attempt)
			}
			return all(e, later)
		}
		m := s.q.add("ann@example.net", "bob@example.org")
		s.start()
		s.pass(6 * 24 * time.Hour)

		want := []time.Duration{0, 5 * time.Minute, 15 * time.Minute, 35 * time.Minute, 75 * time.Minute}
		for next := 135 * time.Minute; next < 120*time.Hour; next += time.Hour {
			want = append(want, next)
		}
		want = append(want, 120*time.Hour) // the last attempt, when the time is up
		if fmt.Sprint(at) != fmt.Sprint(want) {
			t.Errorf("attempts at %v,\nwant %v", at, want)
		}
		s.want("states", s.q.states(m), "expired")
		n := s.q.notices(m)
		if len(n) != 1 || n[0].env.From != "" || n[0].env.Recipients[0].Addr != "ann@example.net" {
			t.Fatalf("notifications: %d", len(n))
		}
		s.contains(n[0].text, "Action: failed", "Status: 4.4.7", "Diagnostic-Code: smtp; 450 4.2.1 greylisted", "within 5 days")
		s.want("states of the notification", s.q.states(n[0]), "delivered")
	})
}

func TestJitterSpreadsRetriesAndNeverGoesBelowHalfAMinute(t *testing.T) {
	for _, c := range []struct {
		retry    time.Duration
		rand     float64
		attempts int
		want     time.Duration
	}{
		{10 * time.Minute, 0, 1, 9 * time.Minute},
		{10 * time.Minute, 1, 1, 11 * time.Minute},
		{30 * time.Second, 0, 1, 30 * time.Second},
		{10 * time.Second, 0, 1, 10 * time.Second},
		{time.Minute, 0.5, 0, time.Minute},
		{time.Minute, 0.5, 99, time.Minute},
	} {
		b := backoff{retry: []time.Duration{c.retry}, rand: func() float64 { return c.rand }}
		if got := b.wait(c.attempts).Round(time.Millisecond); got != c.want {
			t.Errorf("%v with %v: %v, want %v", c.retry, c.rand, got, c.want)
		}
	}
}

func TestALifetimeOfZeroIsOneAttempt(t *testing.T) {
	play(t, func(o *Options) { o.Lifetime = 0 }, func(s *scene) {
		s.c.deliver = func(_ context.Context, e *sdk.DeliverEvent) []sdk.Outcome {
			if e.Envelope.From == "" {
				return all(e, ok)
			}
			return all(e, later)
		}
		m := s.q.add("ann@example.net", "bob@example.org")
		s.start()
		s.want("states", s.q.states(m), "expired")
		if len(s.q.notices(m)) != 1 || m.rcpts[0].attempts != 1 {
			t.Errorf("%d notifications, %d attempts", len(s.q.notices(m)), m.rcpts[0].attempts)
		}
	})
}

func TestMailFromTheNullReversePathHasItsOwnLifetimeAndEndsVisibly(t *testing.T) {
	play(t, func(o *Options) { o.DelayWarning = time.Minute }, func(s *scene) {
		s.c.deliver = func(_ context.Context, e *sdk.DeliverEvent) []sdk.Outcome {
			if strings.HasPrefix(e.Recipients[0].Addr, "gone") {
				return all(e, never)
			}
			return all(e, later)
		}
		change := func(e *sdk.Envelope) {
			e.Recipients[0].Notify = sdk.NotifySuccess | sdk.NotifyFailure | sdk.NotifyDelay
		}
		m := s.q.put("", text, change, "bob@example.org")
		g := s.q.put("", text, change, "gone@example.org")
		s.start()
		s.pass(25 * time.Hour)
		s.want("states", s.q.states(m)+" "+s.q.states(g), "expired failed")
		if len(s.q.msgs) != 2 {
			t.Errorf("%d messages in the queue, want 2", len(s.q.msgs))
		}
		if s.w.count("nobody is told") != 2 || !s.w.has("removed "+g.env.ID) {
			t.Errorf("lines %v", s.w.lines)
		}
	})
}

func TestOneNotificationCoversAllFailuresOfAPassInOneTransaction(t *testing.T) {
	play(t, nil, func(s *scene) {
		s.c.deliver = func(_ context.Context, e *sdk.DeliverEvent) []sdk.Outcome {
			if e.Route.Key == "slow.example" {
				<-time.After(time.Minute)
			}
			out := all(e, ok)
			for i, r := range e.Recipients {
				if strings.HasPrefix(r.Addr, "gone") {
					out[i] = never
				}
			}
			return out
		}
		m := s.q.add("ann@example.net", "gone1@fast.example", "bob@fast.example", "gone2@slow.example", "carol@slow.example")
		s.start()
		s.want("states after the fast one", s.q.states(m), "pending delivered pending pending")
		s.pass(2 * time.Minute)
		s.want("states", s.q.states(m), "failed delivered failed delivered")
		n := s.q.notices(m)
		if len(n) != 1 {
			t.Fatalf("%d notifications, want 1", len(n))
		}
		s.contains(n[0].text, "gone1@fast.example", "gone2@slow.example", "following 2 recipients")
		for _, x := range s.q.settles {
			failed := 0
			for _, r := range x.rs {
				if r.State == queue.Failed {
					failed++
				}
			}
			if (failed > 0) != (len(x.dsns) > 0) || failed != 0 && failed != 2 {
				t.Errorf("a transaction with %d failures and %d notifications", failed, len(x.dsns))
			}
		}
		if s.w.count("bounced "+m.env.ID+" failed ann@example.net") != 1 {
			t.Errorf("lines %v", s.w.lines)
		}
	})
}

func TestThreeHundredRecipientsOverThreeDestinationsEachEndOnce(t *testing.T) {
	play(t, nil, func(s *scene) {
		tries := make(map[string]int)
		calls := 0
		var mu sync.Mutex
		s.c.deliver = func(_ context.Context, e *sdk.DeliverEvent) []sdk.Outcome {
			mu.Lock()
			defer mu.Unlock()
			calls++
			out := make([]sdk.Outcome, len(e.Recipients))
			for i, r := range e.Recipients {
				tries[r.Addr]++
				n := 0
				fmt.Sscanf(r.Addr, "u%d", &n)
				switch {
				case e.Envelope.From == "" || n%3 == 0 || n%3 == 2 && tries[r.Addr] == 2:
					out[i] = ok
				case n%3 == 1:
					out[i] = never
				default:
					out[i] = later
				}
			}
			return out
		}
		var to []string
		for i := range 300 {
			to = append(to, fmt.Sprintf("u%d@d%d.example", i, i%3+i/100))
		}
		m := s.q.add("ann@example.net", to...)
		s.start()
		s.pass(time.Hour)
		for i := range m.rcpts {
			want := queue.Delivered
			if i%3 == 1 {
				want = queue.Failed
			}
			if m.rcpts[i].state != want {
				t.Errorf("%s: %v, want %v", to[i], m.rcpts[i].state, want)
			}
		}
		n := s.q.notices(m)
		if len(n) != 1 || strings.Count(n[0].text, "Action: failed") != 100 {
			t.Errorf("%d notifications", len(n))
		}
		if calls > 2*5+1 {
			t.Errorf("%d deliveries for 5 destinations in two passes and a notification", calls)
		}
		if s.w.count("removed "+m.env.ID) != 1 {
			t.Error("the end of the message was not told once")
		}
	})
}

func TestRouteAnswersAreObeyed(t *testing.T) {
	inAnHour := func(s *scene) time.Time { return s.began.Add(time.Hour) }
	for _, c := range []struct {
		name   string
		answer func(*scene) sdk.RouteAnswer
		state  string
		next   time.Duration
		by     string
		dsn    string
	}{
		{"defer", func(*scene) sdk.RouteAnswer { return sdk.RouteAnswer{Action: sdk.RouteDefer} }, "pending", 5 * time.Minute, "", ""},
		{"defer until", func(s *scene) sdk.RouteAnswer {
			return sdk.RouteAnswer{Action: sdk.RouteDefer, NotBefore: inAnHour(s)}
		}, "pending", time.Hour, "", ""},
		{"defer beyond the lifetime", func(s *scene) sdk.RouteAnswer {
			return sdk.RouteAnswer{Action: sdk.RouteDefer, NotBefore: s.began.Add(1e6 * time.Hour)}
		}, "pending", 120 * time.Hour, "", ""},
		{"fail", func(*scene) sdk.RouteAnswer {
			return sdk.RouteAnswer{Action: sdk.RouteFail, Reply: sdk.Reply{Code: 556, Enhanced: "5.1.10", Text: "takes no mail"}}
		}, "failed", 0, "router", "Status: 5.1.10"},
		{"fail without words", func(*scene) sdk.RouteAnswer { return sdk.RouteAnswer{Action: sdk.RouteFail} }, "failed", 0, "router", "Status: 5.4.4"},
		{"hold", func(*scene) sdk.RouteAnswer { return sdk.RouteAnswer{Action: sdk.RouteHold} }, "held", 0, "router", ""},
		{"nobody knows", func(*scene) sdk.RouteAnswer { return sdk.RouteAnswer{} }, "pending", 5 * time.Minute, "", ""},
		{"nonsense", func(*scene) sdk.RouteAnswer { return sdk.RouteAnswer{Action: 99} }, "pending", 5 * time.Minute, "", ""},
		{"a route without transport", func(*scene) sdk.RouteAnswer { return sdk.RouteAnswer{Action: sdk.RouteUse} }, "pending", 5 * time.Minute, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, nil, func(s *scene) {
				s.c.route = func(e *sdk.RouteEvent) (sdk.RouteAnswer, string) {
					if e.Envelope.From == "" {
						return byDomain(e)
					}
					return c.answer(s), "router"
				}
				m := s.q.add("ann@example.net", "bob@example.org")
				s.start()
				s.want("states", s.q.states(m), c.state)
				s.want("by", m.rcpts[0].by, c.by)
				if c.next > 0 && m.rcpts[0].next.Sub(s.began) != c.next {
					t.Errorf("next after %v, want %v", m.rcpts[0].next.Sub(s.began), c.next)
				}
				if held := c.state == "held"; len(s.w.attempts) == 0 != held {
					t.Errorf("%d attempt lines", len(s.w.attempts))
				}
				n := s.q.notices(m)
				if (c.dsn != "") != (len(n) == 1) {
					t.Fatalf("%d notifications", len(n))
				}
				if c.dsn != "" {
					s.contains(n[0].text, c.dsn)
				}
				if c.state == "held" != s.w.has("held router") {
					t.Errorf("lines %v", s.w.lines)
				}
			})
		})
	}
}

func TestAnOperatorsRouteGoesBeforeTheChain(t *testing.T) {
	play(t, nil, func(s *scene) {
		var routes []sdk.Route
		s.c.deliver = func(_ context.Context, e *sdk.DeliverEvent) []sdk.Outcome {
			s.mu.Lock()
			routes = append(routes, e.Route)
			s.mu.Unlock()
			return all(e, ok)
		}
		s.c.route = func(*sdk.RouteEvent) (sdk.RouteAnswer, string) {
			t.Error("the chain was asked")
			return sdk.RouteAnswer{}, ""
		}
		m := s.q.add("ann@example.net", "a@example.org", "b@example.org", "c@example.org")
		m.rcpts[0].route, m.rcpts[1].route, m.rcpts[2].route = "smtp:[2001:db8::1]:2525", "lmtp:unix:/run/lmtp", "smtp:"
		s.start()
		s.want("states", s.q.states(m), "delivered delivered pending")
		s.want("words", m.rcpts[2].last.Reply.Enhanced, "4.3.5")
		got := map[string]string{}
		for _, r := range routes {
			got[r.Via] = strings.Join(r.Hosts, ",")
		}
		s.want("routes", fmt.Sprint(got), "map[lmtp:unix:/run/lmtp smtp:[2001:db8::1]:2525]")
	})
}

func TestARecipientThatTheOperatorGaveUpExpiresWithoutAnAttempt(t *testing.T) {
	play(t, nil, func(s *scene) {
		s.c.deliver = func(_ context.Context, e *sdk.DeliverEvent) []sdk.Outcome {
			if e.Envelope.From != "" {
				t.Error("an attempt was made")
			}
			return all(e, ok)
		}
		m := s.q.add("ann@example.net", "bob@example.org", "carol@example.org")
		m.rcpts[0].expire, m.rcpts[1].expire = true, true
		m.rcpts[0].last, m.rcpts[0].attempts = later, 3
		s.start()
		s.want("states", s.q.states(m), "expired expired")
		n := s.q.notices(m)
		if len(n) != 1 {
			t.Fatalf("%d notifications", len(n))
		}
		s.contains(n[0].text, "Status: 4.4.7", "greylisted", "The operator of the mail system gave this message up")
	})
}

func TestOutcomeHooksChangeWhatAnAttemptMeans(t *testing.T) {
	for _, c := range []struct {
		name    string
		outcome sdk.Outcome
		answer  sdk.OutcomeAnswer
		state   string
		next    time.Duration
		words   string
	}{
		{"nothing", later, sdk.OutcomeAnswer{}, "pending", 5 * time.Minute, "greylisted"},
		{"a delay", later, sdk.OutcomeAnswer{Delay: 2 * time.Minute}, "pending", 2 * time.Minute, "greylisted"},
		{"a delay beyond the lifetime", later, sdk.OutcomeAnswer{Delay: 1e6 * time.Hour}, "pending", 120 * time.Hour, "greylisted"},
		{"deferred becomes failed", later, sdk.OutcomeAnswer{Status: sdk.StatusFailed}, "failed", 0, "greylisted"},
		{"failed becomes deferred", never, sdk.OutcomeAnswer{Status: sdk.StatusDeferred}, "pending", 5 * time.Minute, "no such user"},
		{"other words", later, sdk.OutcomeAnswer{Reply: sdk.Reply{Code: 451, Text: "patience"}}, "pending", 5 * time.Minute, "patience"},
		{"hold", never, sdk.OutcomeAnswer{Hold: true}, "held", 0, "no such user"},
		{"delivered stays delivered", ok, sdk.OutcomeAnswer{Status: sdk.StatusFailed, Hold: true}, "delivered", 0, "taken"},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, nil, func(s *scene) {
				s.c.deliver = func(_ context.Context, e *sdk.DeliverEvent) []sdk.Outcome {
					if e.Envelope.From == "" {
						return all(e, ok)
					}
					return all(e, c.outcome)
				}
				s.c.outcome = func(e *sdk.OutcomeEvent) (sdk.OutcomeAnswer, string) {
					if e.Envelope.From == "" {
						return sdk.OutcomeAnswer{}, ""
					}
					if (c.outcome.Status == sdk.StatusDeferred) == e.Next.IsZero() || e.Attempt != 1 || e.Recipient.Addr != "bob@example.org" {
						t.Errorf("event %+v", e)
					}
					return c.answer, "judge"
				}
				m := s.q.add("ann@example.net", "bob@example.org")
				s.start()
				s.want("states", s.q.states(m), c.state)
				s.want("words", m.rcpts[0].last.Reply.Text, c.words)
				if c.next > 0 && m.rcpts[0].next.Sub(s.began) != c.next {
					t.Errorf("next after %v, want %v", m.rcpts[0].next.Sub(s.began), c.next)
				}
				if (c.state == "failed") != (len(s.q.notices(m)) == 1) {
					t.Errorf("%d notifications", len(s.q.notices(m)))
				}
				if c.state == "held" {
					s.want("by", m.rcpts[0].by, "judge")
				}
			})
		})
	}
}

func TestABrokenTransportNeverFailsAndNeverLosesARecipient(t *testing.T) {
	for name, answer := range map[string][]sdk.Outcome{
		"no outcome":      nil,
		"one too few":     {ok},
		"one too many":    {ok, ok, ok},
		"without status":  {{}, {}},
		"unknown statues": {{Status: 77}, {Status: 255}},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, nil, func(s *scene) {
				s.c.deliver = func(context.Context, *sdk.DeliverEvent) []sdk.Outcome { return answer }
				m := s.q.add("ann@example.net", "a@example.org", "b@example.org")
				s.start()
				s.want("states", s.q.states(m), "pending pending")
				s.want("words", m.rcpts[1].last.Reply.Enhanced, "4.3.5")
			})
		})
	}
	play(t, nil, func(s *scene) {
		s.c.deliver = func(_ context.Context, e *sdk.DeliverEvent) []sdk.Outcome {
			return all(e, sdk.Outcome{Status: sdk.StatusDeferred, Hold: true})
		}
		m := s.q.add("ann@example.net", "a@example.org")
		s.start()
		s.want("states", s.q.states(m), "held")
		s.want("by", m.rcpts[0].by, "smtp")
	})
}

func TestRecipientsTravelTogetherOnlyOnTheSameTerms(t *testing.T) {
	play(t, nil, func(s *scene) {
		groups := map[string]int{}
		s.c.deliver = func(_ context.Context, e *sdk.DeliverEvent) []sdk.Outcome {
			s.mu.Lock()
			groups[e.Route.TLS] += len(e.Recipients)
			s.mu.Unlock()
			return all(e, ok)
		}
		s.c.route = func(e *sdk.RouteEvent) (sdk.RouteAnswer, string) {
			r := sdk.Route{Via: "smtp", Key: "same", TLS: "may"}
			if strings.HasPrefix(e.Recipient.Addr, "secret") {
				r.TLS = "verify"
			}
			return sdk.RouteAnswer{Action: sdk.RouteUse, Route: r}, "router"
		}
		s.q.add("ann@example.net", "a@example.org", "secret1@example.org", "b@example.org", "secret2@example.org")
		s.start()
		s.want("groups", fmt.Sprint(groups), "map[may:2 verify:2]")
		if n := len(s.w.attempts); n != 2 {
			t.Errorf("%d attempts, want 2", n)
		}
	})
}

func TestTheKeyOfARouteIsMadeOfAllThatMatters(t *testing.T) {
	routes := []sdk.Route{
		{Via: "smtp", Hosts: []string{"a"}}, {Via: "lmtp", Hosts: []string{"a"}}, {Via: "smtp", Hosts: []string{"a", "b"}}, {Via: "smtp", Hosts: []string{"a"}, TLS: "verify"},
		{Via: "smtp", Hosts: []string{"a"}, Source: "x"}, {Via: "smtp", Hosts: []string{"a"}, Pool: "x"}, {Via: "smtp", Hosts: []string{"a"}, User: "x"}, {Via: "smtp", Key: "k"},
	}
	seen := map[string]int{}
	for i := range routes {
		k := string(appendKey(nil, &routes[i]))
		if j, dup := seen[k]; dup {
			t.Errorf("routes %d and %d share the key %q", i, j, k)
		}
		seen[k] = i
	}
}

func TestSuccessIsReportedToThoseWhoAsked(t *testing.T) {
	play(t, nil, func(s *scene) {
		s.c.route = func(e *sdk.RouteEvent) (sdk.RouteAnswer, string) {
			via := "smtp"
			if strings.HasPrefix(e.Recipient.Addr, "local") {
				via = "lmtp"
			}
			return sdk.RouteAnswer{Action: sdk.RouteUse, Route: sdk.Route{Via: via, Key: via + e.Recipient.Addr}}, "router"
		}
		s.c.deliver = func(_ context.Context, e *sdk.DeliverEvent) []sdk.Outcome {
			o := ok
			o.DSNRelayed = strings.HasPrefix(e.Recipients[0].Addr, "passed")
			return all(e, o)
		}
		m := s.q.put("ann@example.net", text, func(e *sdk.Envelope) {
			for i := range 3 {
				e.Recipients[i].Notify = sdk.NotifySuccess
			}
		}, "local@example.net", "far@example.org", "passed@example.com", "silent@example.com")
		s.start()
		s.want("states", s.q.states(m), "delivered delivered delivered delivered")
		n := s.q.notices(m)
		if len(n) != 2 {
			t.Fatalf("%d notifications, want 2", len(n))
		}
		for _, x := range n {
			if strings.Contains(x.text, "local@example.net") {
				s.contains(x.text, "Action: delivered")
			} else {
				s.contains(x.text, "Action: relayed", "far@example.org")
			}
		}
	})
}

func TestADelayIsToldOnce(t *testing.T) {
	for _, c := range []struct {
		name   string
		text   string
		notify sdk.Notify
		want   int
	}{
		{"without NOTIFY", text, 0, 1},
		{"NOTIFY=DELAY", text, sdk.NotifyDelay, 1},
		{"NOTIFY=FAILURE", text, sdk.NotifyFailure, 0},
		{"NOTIFY=NEVER", text, sdk.NotifyNever, 0},
		{"automatic mail", "Auto-Submitted: auto-generated\r\n\r\n", 0, 0},
		{"automatic mail that asks", "Auto-Submitted: auto-generated\r\n\r\n", sdk.NotifyDelay, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, func(o *Options) { o.DelayWarning = 4 * time.Hour }, func(s *scene) {
				s.c.deliver = func(_ context.Context, e *sdk.DeliverEvent) []sdk.Outcome {
					if e.Envelope.From == "" {
						return all(e, ok)
					}
					return all(e, later)
				}
				m := s.q.put("ann@example.net", c.text, func(e *sdk.Envelope) { e.Recipients[0].Notify = c.notify }, "bob@example.org")
				s.start()
				s.pass(3 * time.Hour)
				if len(s.q.notices(m)) != 0 {
					t.Error("told too early")
				}
				s.pass(20 * time.Hour)
				n := s.q.notices(m)
				if len(n) != c.want {
					t.Fatalf("%d notices, want %d", len(n), c.want)
				}
				if c.want == 1 {
					s.contains(n[0].text, "Action: delayed", "Status: 4.2.1", "Will-Retry-Until: ")
				}
			})
		})
	}
}

func TestBounceHooksEditSuppressAndPutOff(t *testing.T) {
	for _, c := range []struct {
		name    string
		answer  sdk.BounceAnswer
		state   string
		by      string
		notices int
	}{
		{"nothing", sdk.BounceAnswer{}, "failed", "", 1},
		{"suppress", sdk.BounceAnswer{Suppress: true}, "failed", "quiet", 0},
		{"defer", sdk.BounceAnswer{Defer: true}, "pending", "", 0},
		{"hold", sdk.BounceAnswer{Hold: true}, "held", "quiet", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, nil, func(s *scene) {
				s.c.deliver = func(_ context.Context, e *sdk.DeliverEvent) []sdk.Outcome {
					if e.Envelope.From == "" {
						return all(e, ok)
					}
					return all(e, never)
				}
				asked := 0
				s.c.bounce = func(e *sdk.BounceEvent, apply hook.Apply) (sdk.BounceAnswer, string) {
					asked++
					h, err := e.Message.Header()
					if err != nil || h.Get("Auto-Submitted") == "" || e.Kind != sdk.DSNFailed || e.To != "ann@example.net" || len(e.Recipients) != 1 || e.Outcomes[0].Reply.Text != "no such user" {
						t.Errorf("event %+v: %v", e, err)
					}
					if err := apply("quiet", []sdk.Edit{{Op: sdk.OpPrependHeader, Name: "X-Big", Value: strings.Repeat("yyyyyyyyy ", 7000)}}); err == nil {
						t.Error("an edit that makes the notification too large was taken")
					}
					if err := apply("quiet", []sdk.Edit{{Op: sdk.OpPrependHeader, Name: "X-Tenant", Value: "seven"}}); err != nil {
						t.Error(err)
					}
					if h, err := e.Message.Header(); err != nil || h.Get("X-Tenant") != "seven" {
						t.Errorf("the next plugin does not see the edit: %v", err)
					}
					return c.answer, "quiet"
				}
				m := s.q.add("ann@example.net", "bob@example.org")
				s.start()
				s.want("states", s.q.states(m), c.state)
				s.want("by", m.rcpts[0].by, c.by)
				if len(s.q.notices(m)) != c.notices || asked != 1 {
					t.Errorf("%d notifications after %d questions", len(s.q.notices(m)), asked)
				}
				for _, n := range s.q.notices(m) {
					s.contains(n.text, "X-Tenant: seven\r\n")
				}
				if c.answer.Suppress && !s.w.has("suppressed quiet") {
					t.Errorf("lines %v", s.w.lines)
				}
				if c.answer.Defer {
					s.pass(5 * time.Minute)
					if asked != 2 {
						t.Errorf("asked %d times, want again after the next attempt", asked)
					}
				}
			})
		})
	}
}

func TestADeliveryIsReportedWhateverABrokenBounceHookSays(t *testing.T) {
	play(t, nil, func(s *scene) {
		s.c.bounce = func(*sdk.BounceEvent, hook.Apply) (sdk.BounceAnswer, string) {
			return sdk.BounceAnswer{Defer: true}, "broken"
		}
		m := s.q.put("ann@example.net", text, func(e *sdk.Envelope) { e.Recipients[0].Notify = sdk.NotifySuccess }, "bob@example.org")
		s.start()
		s.want("states", s.q.states(m), "delivered")
		if len(s.q.notices(m)) != 1 {
			t.Errorf("%d notifications", len(s.q.notices(m)))
		}
	})
}

func TestWithoutRoomForNotificationsNobodyFailsAndNothingIsSentTwice(t *testing.T) {
	play(t, nil, func(s *scene) {
		var full atomic.Bool
		full.Store(true)
		s.q.refuse = func(_ []queue.Result, dsns []*queue.New) error {
			if full.Load() && len(dsns) > 0 {
				return queue.ErrNoSpace
			}
			return nil
		}
		delivered := 0
		s.c.deliver = func(_ context.Context, e *sdk.DeliverEvent) []sdk.Outcome {
			out := all(e, ok)
			for i, r := range e.Recipients {
				if r.Addr == "gone@example.org" {
					out[i] = never
				} else if e.Envelope.From != "" {
					delivered++
				}
			}
			return out
		}
		m := s.q.add("ann@example.net", "gone@example.org", "bob@example.org")
		s.start()
		s.want("states", s.q.states(m), "pending delivered")
		full.Store(false)
		s.pass(time.Hour)
		s.want("states", s.q.states(m), "failed delivered")
		if len(s.q.notices(m)) != 1 || delivered != 1 || !s.w.has("could not be queued") {
			t.Errorf("%d notifications, %d deliveries, lines %v", len(s.q.notices(m)), delivered, s.w.lines)
		}
	})
}

func TestAQueueThatTakesNoResultsIsNotAskedToRepeatThem(t *testing.T) {
	play(t, nil, func(s *scene) {
		s.q.refuse = func([]queue.Result, []*queue.New) error { return errors.New("disk") }
		calls := 0
		s.c.deliver = func(_ context.Context, e *sdk.DeliverEvent) []sdk.Outcome {
			calls++
			return all(e, ok)
		}
		s.q.add("ann@example.net", "bob@example.org")
		s.start()
		s.pass(24 * time.Hour)
		if calls != 1 || !s.w.has("could not be written down") || s.w.has("removed") {
			t.Errorf("%d deliveries, lines %v", calls, s.w.lines)
		}
		s.q.leased = 0 // it stays leased: due again after a restart
	})
}

func TestShutdownLetsDeliveriesEndAndGivesTheRestBack(t *testing.T) {
	play(t, func(o *Options) { o.Concurrency, o.Grace, o.MaxAttemptTime = 1, 30*time.Second, 2*time.Hour }, func(s *scene) {
		s.c.deliver = func(ctx context.Context, e *sdk.DeliverEvent) []sdk.Outcome {
			d := time.Hour
			if e.Route.Key == "quick.example" {
				d = 10 * time.Second
			}
			select {
			case <-time.After(d):
				return all(e, ok)
			case <-ctx.Done():
				return all(e, unreachable)
			}
		}
		quick := s.q.add("ann@example.net", "a@quick.example")
		s.start()
		waits := s.q.add("ann@example.net", "b@quick.example")
		synctest.Wait()
		long := s.q.add("ann@example.net", "c@long.example", "d@quick.example")
		synctest.Wait()
		began := time.Now()
		if err := s.stop(); err != nil {
			t.Error(err)
		}
		if d := time.Since(began); d != 30*time.Second {
			t.Errorf("stopped after %v, want the grace of 30s", d)
		}
		s.want("states", s.q.states(quick)+" "+s.q.states(waits)+" "+s.q.states(long), "delivered pending pending pending")
		if r := long.rcpts[0]; r.attempts != 0 || !r.next.Equal(long.env.Arrived) {
			t.Errorf("what we broke off was counted: %+v", r)
		}
		s.start() // and on it goes
		s.pass(3 * time.Hour)
		s.want("states", s.q.states(quick)+" "+s.q.states(waits)+" "+s.q.states(long), "delivered delivered delivered delivered")
	})
}

func TestASecondSignalEndsDeliveriesWithoutTheirGrace(t *testing.T) {
	play(t, func(o *Options) { o.Grace = time.Hour }, func(s *scene) {
		s.c.deliver = func(ctx context.Context, e *sdk.DeliverEvent) []sdk.Outcome {
			<-ctx.Done()
			return all(e, later)
		}
		m := s.q.add("ann@example.net", "a@example.org")
		s.start()
		began := time.Now()
		time.AfterFunc(2*time.Second, s.d.Cut)
		if err := s.stop(); err != nil {
			t.Error(err)
		}
		if d := time.Since(began); d != 2*time.Second {
			t.Errorf("stopped after %v, want the 2s until the cut", d)
		}
		s.want("states", s.q.states(m), "pending")
		if m.rcpts[0].attempts != 0 {
			t.Error("what we broke off was counted as an attempt")
		}
	})
}

func TestADeliveryThatIgnoresItsContextDoesNotStopTheShutdown(t *testing.T) {
	play(t, func(o *Options) { o.Grace = time.Second }, func(s *scene) {
		release := make(chan struct{})
		s.c.deliver = func(_ context.Context, e *sdk.DeliverEvent) []sdk.Outcome {
			<-release
			return all(e, ok)
		}
		m := s.q.add("ann@example.net", "a@example.org")
		s.start()
		s.cancel()
		s.cancel = nil
		began := time.Now()
		<-s.done
		if d := time.Since(began); d != time.Second+stubborn {
			t.Errorf("stopped after %v", d)
		}
		close(release)
		synctest.Wait()
		s.want("states", s.q.states(m), "delivered") // it did happen, so it is settled
	})
}

func TestAnAttemptHasAnAbsoluteLimit(t *testing.T) {
	play(t, func(o *Options) { o.MaxAttemptTime = 20 * time.Minute }, func(s *scene) {
		var took time.Duration
		s.c.deliver = func(ctx context.Context, e *sdk.DeliverEvent) []sdk.Outcome {
			began := time.Now()
			<-ctx.Done()
			took = time.Since(began)
			return all(e, later)
		}
		m := s.q.add("ann@example.net", "a@example.org")
		s.start()
		s.pass(21 * time.Minute)
		if took != 20*time.Minute || m.rcpts[0].attempts != 1 {
			t.Errorf("took %v, %d attempts", took, m.rcpts[0].attempts)
		}
	})
}

func TestAStoppedQueueEndsTheRun(t *testing.T) {
	play(t, nil, func(s *scene) {
		s.d.o.Queue = &brokenQueue{fakeQueue: s.q, errs: []error{errors.New("once"), queue.ErrStopped}}
		began := time.Now()
		if err := s.d.Run(context.Background()); !errors.Is(err, queue.ErrStopped) {
			t.Errorf("%v", err)
		}
		if d := time.Since(began); d != 5*time.Second {
			t.Errorf("the first fault delayed by %v", d)
		}
	})
}

type brokenQueue struct {
	*fakeQueue
	errs []error
}

func (q *brokenQueue) Lease(context.Context, int) ([]*queue.Job, error) {
	err := q.errs[0]
	q.errs = q.errs[1:]
	return nil, err
}

func TestNewChainsAnswerAtOnceAndOldOnesDrain(t *testing.T) {
	play(t, nil, func(s *scene) {
		release := make(chan struct{})
		s.c.deliver = func(_ context.Context, e *sdk.DeliverEvent) []sdk.Outcome {
			<-release
			return all(e, ok)
		}
		old := s.q.add("ann@example.net", "a@example.org")
		s.start()
		asked := 0
		drained := s.d.Swap(&fakeChains{deliver: func(_ context.Context, e *sdk.DeliverEvent) []sdk.Outcome {
			asked++
			return all(e, ok)
		}})
		s.q.add("ann@example.net", "b@example.org")
		synctest.Wait()
		select {
		case <-drained:
			t.Error("the old chains are said to be unused")
		default:
		}
		if asked != 1 {
			t.Errorf("the new chains were asked %d times", asked)
		}
		close(release)
		<-drained
		synctest.Wait()
		s.want("states", s.q.states(old), "delivered")
		<-s.d.Swap(s.c) // nobody uses them: at once
	})
}

type key struct{}

func TestTheConversationIsKeptWithTheAttempt(t *testing.T) {
	change := func(o *Options) {
		o.Context = func(ctx context.Context) (context.Context, func() []byte) {
			var heard []byte
			return context.WithValue(ctx, key{}, &heard), func() []byte { return heard }
		}
	}
	play(t, change, func(s *scene) {
		s.c.deliver = func(ctx context.Context, e *sdk.DeliverEvent) []sdk.Outcome {
			*ctx.Value(key{}).(*[]byte) = []byte("250 ok")
			<-time.After(3 * time.Second)
			return all(e, later)
		}
		s.q.add("ann@example.net", "a@example.org", "b@example.org")
		s.start()
		s.pass(time.Minute)
		a := s.w.attempts[0]
		if string(a.Conversation) != "250 ok" || a.Elapsed != 3*time.Second || a.Number != 1 || len(a.Recipients) != 2 ||
			len(a.Next) != 2 || a.Next[1].Sub(s.began) != 5*time.Minute+3*time.Second || a.Route.Key != "example.org" {
			t.Errorf("attempt %+v", a)
		}
	})
}

func TestAClockSetForwardGivesNothingUp(t *testing.T) {
	play(t, nil, func(s *scene) {
		b := &s.d.retry
		env := &sdk.Envelope{From: "a@b", Arrived: s.began}
		young := &sdk.Envelope{From: "a@b", Arrived: s.began.AddDate(1, 0, 0)}
		b.steady = func(time.Time) time.Duration { return time.Hour }
		jumped := s.began.Add(time.Hour).AddDate(1, 0, 0)
		if got := b.age(jumped, env); got != time.Hour {
			t.Errorf("age %v, want an hour", got)
		}
		if got := b.age(jumped, young); got != time.Hour {
			t.Errorf("age of what came after the jump %v, want an hour", got)
		}
		b.steady = func(time.Time) time.Duration { return 6 * 24 * time.Hour }
		jumped = s.began.AddDate(1, 0, 6)
		s.want("expired", fmt.Sprint(b.expired(jumped.AddDate(0, 0, 6), env)), "true")
	})
}
