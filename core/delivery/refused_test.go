package delivery

import (
	"context"
	"testing"

	"github.com/programmable-mta/mta/core/bounce"
	"github.com/programmable-mta/mta/core/hook"
	"github.com/programmable-mta/mta/sdk"
)

func TestBounceHooksAreAskedAboutRecipientsRefusedAtData(t *testing.T) {
	for _, c := range []struct {
		name   string
		from   string
		notify sdk.Notify
		answer sdk.BounceAnswer
		asked  int
		told   int
		fails  bool
	}{
		{name: "told", from: "ann@example.net", asked: 1, told: 1},
		{name: "suppressed", from: "ann@example.net", answer: sdk.BounceAnswer{Suppress: true}, asked: 1},
		{name: "put off", from: "ann@example.net", answer: sdk.BounceAnswer{Defer: true}, asked: 1, fails: true},
		{name: "null sender"},
		{name: "never", from: "ann@example.net", notify: sdk.NotifyNever},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, nil, func(s *scene) {
				asked := 0
				s.c.bounce = func(e *sdk.BounceEvent, apply hook.Apply) (sdk.BounceAnswer, string) {
					asked++
					if err := apply("quiet", []sdk.Edit{{Op: sdk.OpPrependHeader, Name: "X-Tenant", Value: "seven"}}); err != nil {
						t.Error(err)
					}
					return c.answer, "quiet"
				}
				about := &sdk.Envelope{ID: "A1", From: c.from}
				refused := []bounce.Rcpt{{Recipient: sdk.Recipient{Addr: "bob@example.org", Notify: c.notify},
					Outcome: sdk.Outcome{Status: sdk.StatusFailed, Reply: sdk.Reply{Code: 550, Enhanced: "5.7.1", Text: "not for bob"}}}}
				err := s.d.NotifyRefused(context.Background(), about, memory("A1", []byte("Subject: x\r\n\r\nx\r\n")), refused)
				if (err != nil) != c.fails || asked != c.asked || len(s.q.puts) != c.told {
					t.Fatalf("error %v, asked %d times, %d notifications", err, asked, len(s.q.puts))
				}
				for _, text := range s.q.puts {
					s.contains(text, "X-Tenant: seven\r\n")
					s.contains(text, "not for bob")
				}
			})
		})
	}
}
