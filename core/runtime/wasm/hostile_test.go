package wasm_test

import (
	"context"
	"errors"
	goruntime "runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

const hostile = "file:" + root + "/testdata/wasm/hostile.wasm"

func told(what string) *sdk.RcptEvent {
	e := rcpt()
	e.Recipient.Addr = what + "@example.org"
	return e
}

// attacks are what the hostile guest does, by the first letter of the recipient.
var attacks = []struct{ what, name, want string }{
	{"a", "an action that there is not", ""}, // core/hook judges it
	{"b", "an answer outside of memory", "its answer at 4294967280 with 64 octets is not in its memory"},
	{"B", "an answer that ends outside", "is not in its memory"},
	{"c", "a storm of calls", "calls of the relay in one hook"},
	{"d", "recursion over its own stack", "out of bounds memory access"},
	{"D", "recursion over the stack of the machine", "stack overflow"},
	{"e", "an error outside of memory", "its error at"},
	{"f", "endless output", "calls of the relay in one hook"},
	{"G", "a memory bomb", "unreachable"},
	{"h", "half an answer", "outside of itself"},
	{"i", "an undefined flag", "no action and reply code"},
	{"k", "the answer of another hook", "kind 257 where 261 belongs"},
	{"l", "a string that lies about its length", "outside of itself"},
	{"L", "a list of a billion edits", "outside of itself"},
	{"m", "a block that lies about its length", "says that it has 24"},
	{"o", "10^9 operations", "used up its fuel of 50000000 units"},
	{"p", "a huge answer", "33554432 is the most"},
	{"q", "a request outside of memory", "the request of a call at"},
	{"Q", "a place outside of memory", "the place for a result at"},
	{"r", "endless randomness", "used up its fuel"},
	{"s", "a spin", "used up its fuel"},
	{"S", "a spin in calls", "used up its fuel"},
	{"t", "a trap", "unreachable"},
	{"u", "a division by zero", "integer divide by zero"},
	{"w", "endless filling of memory", "used up its fuel"},
	{"x", "an exit", "exited with the status 3"},
	{"z", "a long sleep", "did not answer in 50ms"},
}

func TestWhateverAGuestDoesIsAnErrorAndTheNextCallIsServed(t *testing.T) {
	l := load(t, runtime.Spec{Name: "hostile", Source: hostile, Limits: runtime.Limits{Fuel: 50_000_000, Deadline: 50 * time.Millisecond, Instances: 1}}, plugintest.NewHost())
	ask := l.Handlers().Rcpt
	thrown := int64(0)
	for _, attack := range attacks {
		a, err := ask(t.Context(), told(attack.what))
		if attack.want == "" {
			if err != nil || a.Action != 200 {
				t.Errorf("%s: %v, %v", attack.name, a, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), attack.want) {
			// A slow machine may be over time before the fuel is gone.
			if err == nil || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: got %v, want %q", attack.name, err, attack.want)
			}
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: more than one line: %v", attack.name, err)
		}
		thrown++
		if n := l.Stats().Discarded; n != thrown {
			t.Errorf("%s: %d instances were discarded, want %d", attack.name, n, thrown)
		}
		if _, err := ask(t.Context(), told("nothing")); err != nil {
			t.Fatalf("after %s: %v", attack.name, err)
		}
	}
	if s := l.Stats(); s.Instances != 1 || s.Busy != 0 {
		t.Errorf("in the end: %+v", s)
	}
}

func TestAnHonestErrorKeepsTheInstance(t *testing.T) {
	l := load(t, runtime.Spec{Name: "hostile", Source: hostile}, plugintest.NewHost())
	for range 3 {
		if _, err := l.Handlers().Rcpt(t.Context(), told("E")); err == nil || err.Error() != "wasm: no" {
			t.Errorf("got %v", err)
		}
	}
	if s := l.Stats(); s.Discarded != 0 || s.Instances != 1 {
		t.Errorf("%+v", s)
	}
}

func TestMemoryComesBack(t *testing.T) {
	l := load(t, runtime.Spec{Name: "hostile", Source: hostile, Limits: runtime.Limits{Fuel: 1 << 40}}, plugintest.NewHost())
	before := l.Stats()
	heap := func() uint64 {
		debug.FreeOSMemory()
		var m goruntime.MemStats
		goruntime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	if _, err := l.Handlers().Rcpt(t.Context(), told("G")); err == nil {
		t.Fatal("no error")
	}
	h := heap()
	for range 10 {
		if _, err := l.Handlers().Rcpt(t.Context(), told("G")); err == nil {
			t.Fatal("no error")
		}
		// Memory that was grown without a trap is given back, too.
		if _, err := l.Handlers().Rcpt(t.Context(), told("g")); err != nil {
			t.Fatal(err)
		}
	}
	s := l.Stats()
	if s.Memory > before.Memory || s.Instances > 1 || s.Busy != 0 {
		t.Errorf("before %+v, after %+v", before, s)
	}
	if s.MaxMemory > 32<<20 || s.MaxMemory < 30<<20 {
		t.Errorf("one instance held %d octets", s.MaxMemory)
	}
	if now := heap(); now > h+8<<20 {
		t.Errorf("the heap grew from %d to %d", h, now)
	}
}

func TestTheDeadlineHoldsWithoutAnEndOfFuel(t *testing.T) {
	l := load(t, runtime.Spec{Name: "hostile", Source: hostile, Limits: runtime.Limits{Fuel: 1 << 50, Deadline: 20 * time.Millisecond}}, plugintest.NewHost())
	for _, what := range []string{"s", "S", "o", "z", "c", "w"} {
		begin := time.Now()
		_, err := l.Handlers().Rcpt(t.Context(), told(what))
		if err == nil || !errors.Is(err, context.DeadlineExceeded) && what != "c" {
			t.Errorf("%s: %v", what, err)
		}
		if d := time.Since(begin); d > time.Second {
			t.Errorf("%s: it took %v", what, d)
		}
	}
}

func TestACancelledCallEnds(t *testing.T) {
	l := load(t, runtime.Spec{Name: "hostile", Source: hostile, Limits: runtime.Limits{Fuel: 1 << 50}}, plugintest.NewHost())
	for _, what := range []string{"s", "z"} {
		ctx, cancel := context.WithCancelCause(t.Context())
		reason := errors.New("the client is gone")
		time.AfterFunc(5*time.Millisecond, func() { cancel(reason) })
		if _, err := l.Handlers().Rcpt(ctx, told(what)); !errors.Is(err, reason) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// A guest that cannot be interrupted stops the collector, and with it everybody.
func TestASpinningGuestDoesNotDelayTheCollector(t *testing.T) {
	l := load(t, runtime.Spec{Name: "hostile", Source: hostile, Limits: runtime.Limits{Fuel: 1 << 50, Deadline: 300 * time.Millisecond}}, plugintest.NewHost())
	var wg sync.WaitGroup
	for _, what := range []string{"s", "S"} {
		wg.Go(func() { _, _ = l.Handlers().Rcpt(t.Context(), told(what)) })
	}
	worst := time.Duration(0)
	for range 5 {
		begin := time.Now()
		goruntime.GC()
		worst = max(worst, time.Since(begin))
	}
	wg.Wait()
	if worst > 200*time.Millisecond {
		t.Errorf("a collection took %v", worst)
	}
}

func TestManyAtOnceGetTheirAnswers(t *testing.T) {
	l := load(t, runtime.Spec{Name: "hostile", Source: hostile, Limits: runtime.Limits{Fuel: 200_000, Deadline: 5 * time.Second, Instances: 3}}, plugintest.NewHost())
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 40 {
				what, bad := "nothing", false
				if (i+j)%4 == 0 {
					what, bad = "s", true
				}
				if _, err := l.Handlers().Rcpt(t.Context(), told(what)); (err != nil) != bad {
					t.Errorf("%s: %v", what, err)
				}
			}
		})
	}
	wg.Wait()
	if s := l.Stats(); s.Instances > 3 || s.Busy != 0 || s.Discarded != 80 {
		t.Errorf("%+v", s)
	}
}
