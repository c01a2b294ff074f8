package wasm_test

import (
	"context"
	"errors"
	goruntime "runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/core/runtime/wasm"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

func TestWhoFindsAllInstancesBusyWaitsNoLongerThanTheDeadline(t *testing.T) {
	l := load(t, runtime.Spec{Name: "hostile", Source: hostile, Limits: runtime.Limits{Fuel: 1 << 50, Deadline: 40 * time.Millisecond, Instances: 1}}, plugintest.NewHost())
	// One sleeps for all of its time; of two behind it one gets the next
	// instance and sleeps too, so the last has waited for nothing.
	var wg sync.WaitGroup
	var mu sync.Mutex
	var busy, late int
	begin := time.Now()
	for range 3 {
		wg.Go(func() {
			_, err := l.Handlers().Rcpt(t.Context(), told("z"))
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				t.Error("no error")
			case strings.Contains(err.Error(), "all 1 instances were busy"):
				busy++
			case errors.Is(err, context.DeadlineExceeded):
				late++
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if busy+late != 3 || late == 0 {
		t.Errorf("%d found it busy, %d were too late", busy, late)
	}
	if d := time.Since(begin); d > 2*time.Second {
		t.Errorf("it took %v", d)
	}
	if s := l.Stats(); s.Busy != 0 || s.Instances > 1 {
		t.Errorf("%+v", s)
	}
	if _, err := l.Handlers().Rcpt(t.Context(), told("nothing")); err != nil {
		t.Error(err)
	}
}

func TestACallThatIsCancelledWhileItWaitsSaysSo(t *testing.T) {
	l := load(t, runtime.Spec{Name: "hostile", Source: hostile, Limits: runtime.Limits{Fuel: 1 << 50, Deadline: 100 * time.Millisecond, Instances: 1}}, plugintest.NewHost())
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = l.Handlers().Rcpt(t.Context(), told("s")) })
	for l.Stats().Busy == 0 {
		goruntime.Gosched()
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("the client is gone")
	cancel(gone)
	if _, err := l.Handlers().Rcpt(ctx, told("nothing")); !errors.Is(err, gone) || !strings.Contains(err.Error(), "busy") {
		t.Error(err)
	}
	wg.Wait()
}

func TestClosingTwiceDoesNothingAndCallsAfterItAreErrors(t *testing.T) {
	r := theRuntime(t)
	l, err := r.Load(t.Context(), runtime.Spec{Name: "noop", Source: "file:testdata/noop.wasm"}, plugintest.NewHost())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	if s := l.Stats(); s.Memory != 0 || s.Instances != 0 || s.Busy != 0 {
		t.Errorf("%+v", s)
	}
	if _, err := l.Handlers().Rcpt(t.Context(), rcpt()); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Error(err)
	}
}

func TestTwoGenerationsOfOneFileDoNotKnowEachOther(t *testing.T) {
	r := theRuntime(t)
	var ls []runtime.Loaded
	for range 2 {
		l, err := r.Load(t.Context(), runtime.Spec{Name: "noop", Source: "file:testdata/noop.wasm"}, plugintest.NewHost())
		if err != nil {
			t.Fatal(err)
		}
		ls = append(ls, l)
	}
	if err := ls[0].Close(); err != nil {
		t.Error(err)
	}
	if _, err := ls[1].Handlers().Rcpt(t.Context(), rcpt()); err != nil {
		t.Error(err)
	}
	if err := ls[1].Close(); err != nil {
		t.Error(err)
	}
}

func TestAfterAFailedLoadNothingIsLeft(t *testing.T) {
	r, err := wasm.New(t.Context(), wasm.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"start-spins", "selftest-traps", "initialize-traps", "data-outside"} {
		if _, err := r.Load(t.Context(), runtime.Spec{Name: "x", Source: "file:testdata/refused/" + name + ".wasm", Limits: runtime.Limits{Fuel: 1000}}, plugintest.NewHost()); err == nil {
			t.Errorf("%s was loaded", name)
		}
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func TestFuelIsCountedExactlyAndTheSameEachTime(t *testing.T) {
	l := load(t, runtime.Spec{Name: "hostile", Source: hostile}, plugintest.NewHost())
	sum := l.Stats().Fuel
	var first runtime.Cost
	for i := range 5 {
		var c runtime.Cost
		if _, err := l.Handlers().Rcpt(runtime.WithCost(t.Context(), &c), told("y")); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = c
		}
		if c != first || c.Calls != 100 || c.Fuel < 100*1000 {
			t.Errorf("call %d: %+v, the first was %+v", i, c, first)
		}
		sum += c.Fuel
	}
	if s := l.Stats(); s.Fuel != sum || s.MaxFuel != first.Fuel {
		t.Errorf("%+v, want %d in all and %d at most", s, sum, first.Fuel)
	}
	// What ran over has used what it was given, and no more than a charge beyond.
	var c runtime.Cost
	if _, err := l.Handlers().Rcpt(runtime.WithCost(t.Context(), &c), told("s")); err == nil || c.Fuel < wasm.DefaultFuel || c.Fuel > wasm.DefaultFuel+10_000 {
		t.Errorf("a spin has used %d: %v", c.Fuel, err)
	}
}

func TestALoadedPluginSaysWhatItIs(t *testing.T) {
	l := load(t, runtime.Spec{Name: "noop", Source: "file:testdata/noop.wasm", Hooks: []string{"rcpt"}}, plugintest.NewHost())
	a := l.About()
	if a.Runtime != "wasm" || a.Path != "testdata/noop.wasm" || len(a.Digest) != 64 || a.Description.Name != "noop" || !l.Inline() {
		t.Errorf("%+v", a)
	}
	if hs := l.Handlers(); hs.Rcpt == nil || hs.Data != nil || hs.Mail != nil {
		t.Error("the hooks are not those that were chosen")
	}
	if s := l.Stats(); s.State != "ready" || s.Instances != 1 || s.Memory != 2<<16 {
		t.Errorf("%+v", s)
	}
}

func TestATableCannotGrowBesideTheMemory(t *testing.T) {
	l := load(t, runtime.Spec{Name: "table", Source: "file:testdata/table.wasm"}, plugintest.NewHost())
	if _, err := l.Handlers().Rcpt(t.Context(), rcpt()); err != nil {
		t.Error(err)
	}
}

func TestANoopHookAllocatesNothing(t *testing.T) {
	l := load(t, runtime.Spec{Name: "noop", Source: "file:testdata/noop.wasm"}, plugintest.NewHost())
	ask, e, ctx := l.Handlers().Rcpt, rcpt(), context.Background()
	if n := testing.AllocsPerRun(100, func() {
		if a, err := ask(ctx, e); err != nil || a.Action != sdk.Continue {
			t.Error(a, err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
