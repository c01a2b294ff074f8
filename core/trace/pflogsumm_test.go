package trace

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/programmable-mta/mta/sdk"
)

// TestPflogsummCountsWhatWeCount lets Debian's pflogsumm read a day of our
// lines, and compares its totals with our own counters.
func TestPflogsummCountsWhatWeCount(t *testing.T) {
	program, err := exec.LookPath("pflogsumm")
	if err != nil && os.Getenv("CI") != "" {
		t.Fatal("pflogsumm is missing in CI")
	}
	if err != nil {
		t.Skip("pflogsumm is not installed: apt install pflogsumm, to compare the log with what it reads")
	}
	var out buffered
	now := time.Date(2026, 3, 4, 0, 0, 1, 0, time.FixedZone("", -3600))
	tr := open(t, Options{Log: &out, Now: func() time.Time { return now }})
	day(tr, &now)
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "--syslog-name=mta")
	cmd.Stdin = strings.NewReader(out.String())
	report, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, report)
	}
	sum := func(name string, match ...string) int { return total(t, tr, name, match...) }
	want := map[string]int{
		"received":        sum("mta_accepted_total"),
		"delivered":       sum("mta_attempts_total", "outcome", "delivered"),
		"bounced":         sum("mta_attempts_total", "outcome", "failed") + sum("mta_settled_total", "state", "failed"),
		"rejected":        sum("mta_rejected_total") - sum("mta_rejected_total", "verb", "AUTH"),
		"held":            sum("mta_settled_total", "state", "held"),
		"discarded":       sum("mta_settled_total", "state", "discarded"),
		"bytes received":  sum("mta_accepted_bytes_total"),
		"bytes delivered": sum("mta_delivered_bytes_total"),
	}
	got := map[string]int{}
	for _, m := range regexp.MustCompile(`(?m)^ +(\d+) +([a-z ]+?)(?: +\(.*)?$`).FindAllStringSubmatch(string(report), -1) {
		if _, again := got[m[2]]; !again {
			got[m[2]], _ = strconv.Atoi(m[1])
		}
	}
	for name, n := range want {
		if n == 0 {
			t.Errorf("the day has nothing %s", name)
		}
		if got[name] != n {
			t.Errorf("%s: pflogsumm counts %d, we count %d", name, got[name], n)
		}
	}
	deferrals := regexp.MustCompile(`deferred +\((\d+) +deferrals\)`).FindStringSubmatch(string(report))
	if n := sum("mta_attempts_total", "outcome", "deferred"); n == 0 || len(deferrals) != 2 || deferrals[1] != strconv.Itoa(n) {
		t.Errorf("deferrals: pflogsumm counts %v, we count %d", deferrals, n)
	}
	if t.Failed() {
		t.Logf("%.3000s", report)
	}
}

// day invents a day of traffic, the same each time.
func day(tr *Tracer, now *time.Time) {
	r := rand.New(rand.NewPCG(1, 2))
	rejections := []struct {
		verb string
		r    sdk.Reply
	}{
		{"CONNECT", sdk.Reply{Code: 554, Enhanced: "5.7.1", Text: "go away"}},
		{"EHLO", sdk.Reply{Code: 504, Enhanced: "5.5.2", Text: "Helo command rejected: need fully-qualified hostname"}},
		{"MAIL", sdk.Reply{Code: 450, Enhanced: "4.1.8", Text: "Sender address rejected: Domain not found"}},
		{"RCPT", sdk.Reply{Code: 550, Enhanced: "5.7.1", Text: "relaying denied (see <http://example.org/?a=<b>>)"}},
		{"RCPT", sdk.Reply{Code: 451, Text: "try later\nreally"}},
		{"DATA", sdk.Reply{Code: 451, Enhanced: "4.3.0", Text: "broken"}},
		{"END-OF-MESSAGE", sdk.Reply{Code: 554, Enhanced: "5.6.0", Text: "spam: from=<x@y>, size=12"}},
		{"AUTH", sdk.Reply{Code: 535, Enhanced: "5.7.8", Text: "no"}},
	}
	for i := range 150 {
		*now = now.Add(time.Duration(r.IntN(9*60)) * time.Second)
		s := session()
		s.RemoteName = [...]string{"", "a.example", "b.c.example"}[r.IntN(3)]
		s.RemoteIP = [...]string{"192.0.2.1", "2001:db8::7"}[r.IntN(2)]
		tr.Connected(s)
		if r.IntN(3) == 0 {
			x := rejections[r.IntN(len(rejections))]
			tr.Rejected(s, x.verb, "a@example.org", "b@example.net", x.r, "policy", "", nil)
			tr.Disconnected(s, "lost", map[string][2]int{"EHLO": {1, 1}, "RCPT": {0, 1}})
			continue
		}
		env := &sdk.Envelope{ID: fmt.Sprintf("%010X", i+1), From: [...]string{"a@example.org", "", `"a>b c"@example.org`}[r.IntN(3)], Size: 500 + int64(r.IntN(1000)), Arrived: *now}
		for n := range 1 + r.IntN(4) {
			rcpt := sdk.Recipient{Addr: fmt.Sprintf("u%d@example.net", n)}
			if r.IntN(3) == 0 {
				rcpt.Orig = "alias@example.com"
			}
			env.Recipients = append(env.Recipients, rcpt)
		}
		tr.Arriving(s, env, "<m@example.org>")
		tr.Accepted(s, env, "<m@example.org>", time.Millisecond, nil)
		tr.Active(env)
		tr.Disconnected(s, "quit", map[string][2]int{"EHLO": {1, 1}, "QUIT": {1, 1}})
		relayed(tr, now, r, env)
	}
}

func relayed(tr *Tracer, now *time.Time, r *rand.Rand, env *sdk.Envelope) {
	replies := map[sdk.Status]sdk.Reply{
		sdk.StatusDelivered: {Code: 250, Enhanced: "2.0.0", Text: "ok (queued) status=bounced (x)"},
		sdk.StatusDeferred:  {Code: 450, Enhanced: "4.2.0", Text: "greylisted, to=<x@y>, relay=z, delay=1, status=sent"},
		sdk.StatusFailed:    {Code: 550, Enhanced: "5.1.1", Text: "no such user"},
	}
	for _, rcpt := range env.Recipients {
		switch r.IntN(8) {
		case 0:
			tr.Settled(env.ID, rcpt.Addr, "held", sdk.Reply{Text: "look"}, "quarantine")
			continue
		case 1:
			tr.Settled(env.ID, rcpt.Addr, "discarded", sdk.Reply{}, "rule 7")
			continue
		case 2:
			tr.Settled(env.ID, rcpt.Addr, "failed", sdk.Reply{Code: 550, Enhanced: "5.4.4", Text: "no route"}, "")
			continue
		}
		for n := 1; ; n++ {
			o := sdk.Outcome{Status: sdk.StatusDelivered + sdk.Status(r.IntN(3)), Remote: "mx.example.net[2001:db8::2]:25", RemoteReply: true}
			if r.IntN(5) == 0 {
				o.Remote, o.RemoteReply = "", false
			}
			o.Reply = replies[o.Status]
			tr.Attempted(env, &Attempt{Number: n, Route: sdk.Route{Via: [...]string{"smtp", "lmtp", "webhook"}[r.IntN(3)]}, Recipients: []string{rcpt.Addr},
				Outcomes: []sdk.Outcome{o}, Next: make([]time.Time, 1), At: *now, Elapsed: time.Duration(r.IntN(1e9))}, nil)
			if o.Status == sdk.StatusDeferred && n == 5 {
				tr.Settled(env.ID, rcpt.Addr, "expired", o.Reply, "")
			}
			if o.Status != sdk.StatusDeferred || n == 5 {
				break
			}
		}
	}
	if env.From != "" {
		dsn := &sdk.Envelope{ID: env.ID + "D", Size: 900, Recipients: []sdk.Recipient{{Addr: env.From}}}
		tr.Bounced(env.ID, dsn.ID, "failed", env.From)
		tr.Accepted(nil, dsn, "<dsn@relay>", 0, nil)
		tr.Active(dsn)
		tr.Attempted(dsn, &Attempt{Number: 1, Route: sdk.Route{Via: "smtp"}, Recipients: []string{env.From}, Outcomes: []sdk.Outcome{{Status: sdk.StatusDelivered, Remote: "mx.example.org[192.0.2.9]:25"}}, At: *now}, nil)
		tr.Removed(dsn.ID)
	}
	tr.Removed(env.ID)
}

// total adds up a metric, of the children whose label has a value if one is given.
func total(t *testing.T, tr *Tracer, name string, label ...string) int {
	t.Helper()
	families, err := tr.Registry().Gather()
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, f := range families {
		for _, m := range f.Metric {
			if f.GetName() == name && has(m, label) {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return int(sum)
}

func has(m *dto.Metric, label []string) bool {
	for i := 0; i+1 < len(label); i += 2 {
		found := false
		for _, l := range m.Label {
			found = found || l.GetName() == label[i] && l.GetValue() == label[i+1]
		}
		if !found {
			return false
		}
	}
	return true
}
