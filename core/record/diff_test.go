package record

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/programmable-mta/mta/sdk/plugintest"
)

func TestDifferencesAreCountedByHookAndAnswer(t *testing.T) {
	var d Diff
	at := plugintest.Epoch
	for i := range 30 {
		at = at.Add(time.Second)
		d.Add("rcpt", "accept", "accept", Example{At: at})
		d.Add("rcpt", "reject 550 5.7.1 no", "accept", Example{At: at, Session: "S1", ID: fmt.Sprint("Q", i), Recipient: "a@x", Reason: "listed\x1b"})
	}
	d.Add("rcpt", "reject 550 one", "reject 550 two", Example{})
	d.Add("mail", "error trap", "continue", Example{})
	s := d.Snapshot()
	if s.Calls != 62 || s.Same != 30 || len(s.Hooks) != 2 || s.Hooks[0].Hook != "mail" || !s.Since.Equal(plugintest.Epoch.Add(time.Second)) {
		t.Errorf("%+v", s)
	}
	p := s.Hooks[1].Pairs
	if len(p) != 2 || p[0].Shadow != "reject" || p[0].Active != "accept" || p[0].Count != 30 || p[1].Shadow != "reject" || p[1].Active != "reject" {
		t.Fatalf("%+v", p)
	}
	var ids []string
	for _, x := range p[0].Examples {
		ids = append(ids, x.ID)
	}
	// The first ones and the latest.
	if got := strings.Join(ids, " "); got != "Q0 Q1 Q2 Q3 Q4 Q5 Q6 Q7 Q22 Q23 Q24 Q25 Q26 Q27 Q28 Q29" {
		t.Error(got)
	}
	text := s.Text(2)
	for _, want := range []string{"62 calls, 30 answered as was done, 32 otherwise, since 2026-01-02T15:04:06Z", "rcpt: 61 calls, 30 the same",
		"30  shadow reject, active accept", "S1 Q29 a@x: shadow: reject 550 5.7.1 no; active: accept (listed )"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if strings.Contains(text, "Q27") || strings.Contains(s.Text(0), "Q29") || strings.Contains(s.Text(-1), "Q29") {
		t.Error(text)
	}
	b, err := json.Marshal(s)
	if err != nil || !strings.Contains(string(b), `"shadow":"reject","active":"accept","count":30,"examples":[{`) {
		t.Errorf("%s, %v", b, err)
	}
	if new(Diff).Snapshot().Text(1) != "no calls yet\n" {
		t.Error("no calls yet")
	}
}

func TestDifferencesTakeABoundedAmountOfMemory(t *testing.T) {
	var d Diff
	long := strings.Repeat("x", 10_000)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 500 {
				for h := range 40 {
					d.Add(fmt.Sprint("hook", h), fmt.Sprint(i*4+g, " ", long), "continue", Example{ID: long, Reason: long})
				}
			}
		})
	}
	wg.Wait()
	s := d.Snapshot()
	if s.Calls != 4*500*40 || len(s.Hooks) != maxHooks || s.Lost == 0 {
		t.Errorf("%d calls, %d hooks, %d lost", s.Calls, len(s.Hooks), s.Lost)
	}
	counted := s.Lost
	for _, h := range s.Hooks {
		if len(h.Pairs) != maxPairs {
			t.Errorf("%d pairs", len(h.Pairs))
		}
		for _, p := range h.Pairs {
			counted += p.Count
			if len(p.Examples) > maxExamples || len(p.Examples[0].ID) > maxText+3 || len(p.Examples[0].Shadow) > maxText+3 {
				t.Fatalf("%d examples, of %d octets", len(p.Examples), len(p.Examples[0].Shadow))
			}
		}
	}
	if counted != s.Calls {
		t.Errorf("%d of %d are accounted for", counted, s.Calls)
	}
}
