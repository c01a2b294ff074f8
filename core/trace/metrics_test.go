package trace

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

// page is what a scrape of a relay in use finds.
func page(t *testing.T, tr *Tracer) string {
	t.Helper()
	w := httptest.NewRecorder()
	tr.Metrics().Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return w.Body.String()
}

// used is a tracer whose every metric has a child.
func used(t *testing.T) *Tracer {
	tr := open(t, Options{Dir: t.TempDir(), Log: io.Discard})
	story(tr)
	th := tr.Thread()
	th.Hook(HookCall{Hook: "rcpt", Plugin: "tenant", Err: "trap", At: start, Elapsed: 5 * time.Millisecond})
	m := tr.Metrics()
	m.Breakers(func() map[string]bool { return map[string]bool{"tenant": true, "routes": false} })
	m.Queue(func() QueueSnapshot {
		return QueueSnapshot{Messages: map[string]int{"pending": 3, "held": 1}, Oldest: start.Add(-time.Minute),
			Destinations: []Destination{{Name: "example.net", Recipients: 4, Oldest: start.Add(-time.Minute)}},
			Syncs:        5, Syncing: 10 * time.Millisecond, Puts: 9, Batch: []uint64{1, 2, 1, 1}}
	}, func() time.Time { return start })
	return tr
}

func TestEveryEventHasItsNumber(t *testing.T) {
	got := page(t, used(t))
	for _, line := range []string{
		"mta_accepted_total 1", "mta_accepted_bytes_total 4096", "mta_delivered_bytes_total 4096", "mta_removed_total 1",
		`mta_rejected_total{code="550",plugin="tenant",verb="RCPT"} 1`,
		`mta_attempts_total{outcome="delivered",via="smtp"} 1`, `mta_attempts_total{outcome="deferred",via="smtp"} 1`,
		`mta_settled_total{state="expired"} 1`, `mta_bounces_total{kind="failed"} 1`,
		`mta_hook_seconds_count{hook="rcpt",plugin="tenant"} 2`, `mta_hook_errors_total{hook="rcpt",plugin="tenant"} 1`,
		`mta_breaker_open{plugin="tenant"} 1`, `mta_breaker_open{plugin="routes"} 0`, "mta_time_to_250_seconds_count 1",
		"mta_queue_syncs_total 5", "mta_queue_sync_seconds_count 5", "mta_queue_sync_seconds_sum 0.01",
		"mta_queue_group_size_sum 9", `mta_queue_group_size_bucket{le="0"} 1`, `mta_queue_group_size_bucket{le="3"} 4`, `mta_queue_group_size_bucket{le="+Inf"} 5`, "mta_sessions 0", "mta_sessions_total 1",
		`mta_queue_messages{state="pending"} 3`, `mta_queue_messages{state="held"} 1`, "mta_queue_oldest_age_seconds 60",
		`mta_queue_destination_recipients{destination="example.net"} 4`, `mta_queue_destination_oldest_age_seconds{destination="example.net"} 60`,
		"mta_trace_dropped_total 0", "mta_log_dropped_total 0", "go_goroutines ", "process_resident_memory_bytes ",
	} {
		if !strings.Contains(got, "\n"+line) {
			t.Errorf("the page lacks %q", line)
		}
	}
}

func TestLabelsStayFewWhateverPeersSay(t *testing.T) {
	tr := open(t, Options{})
	th := tr.Thread()
	var many []Destination
	open := map[string]bool{}
	tr.Metrics().Breakers(func() map[string]bool { return open })
	for i := range 500 {
		odd := fmt.Sprintf("x%d\xff", i)
		tr.Rejected(session(), odd, "", "", sdk.Reply{Code: i}, odd, "", nil)
		th.Hook(HookCall{Hook: odd, Plugin: odd, At: start})
		tr.Attempted(envelope(), &Attempt{Route: sdk.Route{Via: odd}, Recipients: []string{"u@example.net"}, Outcomes: []sdk.Outcome{{Status: sdk.Status(i)}}}, nil)
		tr.Settled("1", "u@example.net", odd, sdk.Reply{}, "")
		tr.Bounced("1", "2", odd, "")
		open[odd] = i%2 == 0
		many = append(many, Destination{Name: odd, Recipients: i})
		th.Reset()
	}
	tr.Metrics().Queue(func() QueueSnapshot {
		return QueueSnapshot{Messages: map[string]int{"odd": 1, "odder": 2}, Destinations: many}
	}, time.Now)
	got := page(t, tr)
	if !strings.Contains(got, `mta_queue_messages{state="other"} 3`) || !strings.Contains(got, `mta_queue_destination_recipients{destination="other"} 114960`) {
		t.Error("what is folded is not counted")
	}
	families := map[string]int{}
	for line := range strings.Lines(got) {
		if name, _, ok := strings.Cut(line, "{"); ok && strings.HasPrefix(name, "mta_") && !strings.HasSuffix(name, "_bucket") {
			families[name]++
		}
	}
	for name, n := range families {
		if n > 4*(maxPlugins+3) {
			t.Errorf("%s has %d children", name, n)
		}
	}
}

func TestProbesTellWhy(t *testing.T) {
	tr := open(t, Options{})
	mux := tr.Metrics().Mux(func() error { return nil }, func() error { return errors.New("draining: no new mail is taken") })
	for path, want := range map[string]struct {
		code int
		body string
	}{"/healthz": {200, "ok"}, "/readyz": {503, "draining: no new mail is taken"}, "/metrics": {200, "mta_accepted_total 0"}} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != want.code || !strings.Contains(w.Body.String(), want.body) {
			t.Errorf("%s: %d %.200s", path, w.Code, w.Body)
		}
	}
}

// TestTheGrafanaBoardNamesMetricsThatExist keeps examples/grafana true.
func TestTheGrafanaBoardNamesMetricsThatExist(t *testing.T) {
	b, err := os.ReadFile("../../examples/grafana/mta.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		UID    string
		Title  string
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(b, &board); err != nil {
		t.Fatal(err)
	}
	families, err := used(t).Registry().Gather()
	if err != nil {
		t.Fatal(err)
	}
	exists := map[string]bool{}
	for _, f := range families {
		exists[f.GetName()] = true
		if f.Metric[0].Histogram != nil || f.Metric[0].Summary != nil {
			for _, suffix := range []string{"_bucket", "_sum", "_count"} {
				exists[f.GetName()+suffix] = suffix != "_bucket" || f.Metric[0].Histogram != nil
			}
		}
	}
	shown := map[string]bool{}
	names := regexp.MustCompile(`\b(?:mta|process|go)_[a-z0-9_]+`)
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			for _, name := range names.FindAllString(target.Expr, -1) {
				shown[name] = true
				if !exists[name] {
					t.Errorf("panel %q shows %s, which no registry has", p.Title, name)
				}
			}
		}
	}
	for name, is := range exists {
		base := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_sum"), "_count")
		if is && strings.HasPrefix(name, "mta_") && !shown[base] && !shown[base+"_bucket"] && !shown[base+"_sum"] {
			t.Errorf("no panel shows %s", name)
		}
	}
}

func TestFail2banFindsTheHost(t *testing.T) {
	var out buffered
	tr := open(t, Options{Log: &out})
	s := session()
	for _, name := range []string{"", "client.example", "evil[203.0.113.9]: 550"} {
		s.RemoteName = name
		tr.Rejected(s, "RCPT", "a@example.org", "b@example.net", sdk.Reply{Code: 550, Enhanced: "5.7.1", Text: "no"}, "", "", nil)
		tr.Rejected(s, "AUTH", "PLAIN", "bob", sdk.Reply{Code: 535, Enhanced: "5.7.8", Text: "authentication failed"}, "", "", nil)
	}
	tr.Close()
	// The shapes that the filter "postfix" looks for behind its prefix.
	reject := regexp.MustCompile(`^NOQUEUE: reject: RCPT from [^[]*\[([0-9.]+)\]: [45][50][04] [45]\.\d\.\d+ `)
	sasl := regexp.MustCompile(`^warning: [^[]*\[([0-9.]+)\]: SASL (?:LOGIN|PLAIN) authentication failed:`)
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 6 {
		t.Fatalf("%d lines", len(lines))
	}
	for _, line := range lines {
		_, rest, _ := strings.Cut(line, "]: ")
		m := reject.FindStringSubmatch(rest)
		if m == nil {
			m = sasl.FindStringSubmatch(rest)
		}
		if m == nil || m[1] != "192.0.2.7" {
			t.Errorf("%s", line)
		}
	}
}
