package host_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/programmable-mta/mta/core/host"
	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/core/trace"
)

func TestAPluginCannotFillTheDiskWithItsLog(t *testing.T) {
	for _, compiledIn := range []bool{false, true} {
		var out bytes.Buffer
		now := time.Unix(1e9, 0)
		tracer, err := trace.New(trace.Options{Log: &out, Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		relay := &host.Relay{Now: func() time.Time { return now }, Tracer: tracer}
		h, err := relay.Plugin("p", runtime.Grants{}, compiledIn)
		if err != nil {
			t.Fatal(err)
		}
		for range 5000 {
			h.Log(t.Context(), slog.LevelInfo, "flood")
		}
		now = now.Add(time.Second)
		h.Log(t.Context(), slog.LevelInfo, "flood")
		tracer.Close()
		log := out.String()
		want, left := 1001, "it writes too much: lines were left out lines=4000"
		if compiledIn {
			want, left = 5001, ""
		}
		if n := strings.Count(log, ": flood"); n != want || !strings.Contains(log, left) {
			t.Errorf("compiled in %v: %d lines of %d; %q", compiledIn, n, want, log[max(0, len(log)-300):])
		}
	}
}
