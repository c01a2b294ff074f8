package wasm_test

import (
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

func TestGoGuestsLiveAnOrdinaryLife(t *testing.T) {
	host := plugintest.NewHost()
	l := load(t, runtime.Spec{Name: "life", Source: "file:" + build(t, "./testdata/life"), Limits: runtime.Limits{Fuel: 500_000_000}, Grants: runtime.Grants{Body: runtime.Read}}, host)
	for _, tt := range []struct{ what, want string }{
		{"sleep", "true"},
		{"timeout", "context deadline exceeded"},
		{"goroutines", "45"},
		{"garbage", "262144"},
		{"files", "true true true"},
		{"sockets", "true"},
		{"system", "0 0"},
		{"clock", "2026-01-02T15:04:05Z 2026-01-02T15:04:05Z"},
		{"denied", "kv_get: not granted: the configuration does not allow it: add allow.kv; " +
			"lookup: not granted: the configuration does not allow it: add allow.dns; http: not granted: the configuration does not allow it: add allow.http"},
		{"random", "true true"},
		{"print", ""},
	} {
		a, err := l.Handlers().Rcpt(t.Context(), told(tt.what))
		if err != nil || a.Reason != tt.want {
			t.Errorf("%s: %q, %v; want %q", tt.what, a.Reason, err, tt.want)
		}
	}
	if s := l.Stats(); s.Discarded != 0 || s.Instances != 1 {
		t.Errorf("%+v", s)
	}
	want := map[string]slog.Level{"hello": slog.LevelInfo, "world": slog.LevelWarn}
	for _, line := range host.Logs() {
		if level, ok := want[line.Text]; ok && line.Level == level {
			delete(want, line.Text)
		}
	}
	if len(want) > 0 {
		t.Errorf("not logged: %v; logged: %v", want, host.Logs())
	}
}

func TestAGoGuestThatCrashesSaysWhyAndIsReplaced(t *testing.T) {
	l := load(t, runtime.Spec{Name: "life", Source: "file:" + build(t, "./testdata/life"), Limits: runtime.Limits{Fuel: 500_000_000}}, plugintest.NewHost())
	for i, tt := range []struct{ what, want string }{
		{"panic", "it crashed: panic: lost my way"},
		{"deadlock", "deadlock"},
		{"exit", "it exited with the status 7"},
	} {
		_, err := l.Handlers().Rcpt(t.Context(), told(tt.what))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.what, err)
		}
		if n := l.Stats().Discarded; n != int64(i+1) {
			t.Errorf("%s: %d instances were discarded", tt.what, n)
		}
		if a, err := l.Handlers().Rcpt(t.Context(), told("calls")); err != nil || a.Reason != "1" {
			t.Errorf("after %s: %q, %v; want a fresh instance", tt.what, a.Reason, err)
		}
	}
	if _, err := l.Handlers().Rcpt(t.Context(), told("nothing")); err == nil || err.Error() != "wasm: there is no such trick" {
		t.Errorf("an error: %v", err)
	}
	if n := l.Stats().Discarded; n != 3 {
		t.Errorf("an error of the plugin has thrown away its instance")
	}
}

func TestAnInstanceThatHasGrownIsReplaced(t *testing.T) {
	l := load(t, runtime.Spec{Name: "life", Source: "file:" + build(t, "./testdata/life"), Limits: runtime.Limits{Fuel: 500_000_000}}, plugintest.NewHost())
	most := 0
	for range 12 {
		a, err := l.Handlers().Rcpt(t.Context(), told("hoard"))
		if err != nil {
			t.Fatal(err)
		}
		n, err := strconv.Atoi(a.Reason)
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, n)
	}
	if s := l.Stats(); s.Discarded < 2 || most > 6 || s.Memory > 32<<20 {
		t.Errorf("%+v, hoarded %d", s, most)
	}
}

func TestAMessageIsReadInPieces(t *testing.T) {
	l := load(t, runtime.Spec{Name: "life", Source: "file:" + build(t, "./testdata/life"), Limits: runtime.Limits{Fuel: 500_000_000}, Grants: runtime.Grants{Body: runtime.Read}}, plugintest.NewHost())
	m := plugintest.Message("Subject: x\n\n" + strings.Repeat("0123456789abcde\n", 60_000) + "end")
	a, err := l.Handlers().Data(t.Context(), &sdk.DataEvent{Session: plugintest.Session(), Envelope: plugintest.Envelope("a@b"), Message: m})
	if want := `1020017 "\nend" <nil>`; err != nil || a.Reason != want {
		t.Errorf("%q, %v; want %q", a.Reason, err, want)
	}
}

func TestAResultThatDoesNotFitIsFetched(t *testing.T) {
	l := load(t, runtime.Spec{Name: "life", Source: "file:" + build(t, "./testdata/life"), Grants: runtime.Grants{KV: 1 << 20}}, plugintest.NewHost())
	for range 2 {
		if a, err := l.Handlers().Rcpt(t.Context(), told("big")); err != nil || a.Reason != "true true <nil>" {
			t.Errorf("%q, %v", a.Reason, err)
		}
	}
}

func TestCallsAtTheSameTimeHaveInstancesOfTheirOwn(t *testing.T) {
	l := load(t, runtime.Spec{Name: "life", Source: "file:" + build(t, "./testdata/life"), Limits: runtime.Limits{Fuel: 500_000_000, Instances: 4}}, plugintest.NewHost())
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5 {
				if a, err := l.Handlers().Rcpt(t.Context(), told("goroutines")); err != nil || a.Reason != "45" {
					t.Errorf("%q, %v", a.Reason, err)
				}
			}
		})
	}
	wg.Wait()
	if s := l.Stats(); s.Instances > 4 || s.Busy != 0 || s.Discarded != 0 || s.Fuel == 0 || s.MaxFuel == 0 || s.Memory == 0 {
		t.Errorf("%+v", s)
	}
}
