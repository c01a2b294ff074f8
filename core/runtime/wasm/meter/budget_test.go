package meter_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
)

// endless are the exports of hostile.wat; the argument is for those that take one.
var endless = []struct {
	name string
	args []uint64
}{
	{"spin", nil}, {"spin_in_block", nil}, {"spin_nested", nil}, {"spin_params", []uint64{1}}, {"spin_result", nil},
	{"spin_table", []uint64{0}}, {"spin_calls", nil}, {"tree", []uint64{60}}, {"mutual", nil}, {"fill", nil}, {"copy", nil},
	{"init", nil}, {"grow", nil}, {"table_fill", nil}, {"table_copy", nil}, {"table_init", nil}, {"table_grow", nil},
	{"vectors", nil},
}

func TestAGuestThatDoesNotEndIsStoppedAtItsBudget(t *testing.T) {
	const slice, budget = 10_000, 1_000_000
	module := metered(t, guest(t, "hostile"))
	for _, config := range []wazero.RuntimeConfig{wazero.NewRuntimeConfigCompiler(), wazero.NewRuntimeConfigInterpreter()} {
		h := &host{slice: slice, budget: budget}
		r := h.runtime(t, config)
		for _, c := range endless {
			if c.name == "fill" || c.name == "copy" { // 32 thousand units each
				h.slice = 100_000
			} else {
				h.slice = slice
			}
			var first int64
			for run := range 3 {
				h.given = 0
				mod := instantiate(t, r, module)
				left(mod).Set(0)
				_, err := mod.ExportedFunction(c.name).Call(context.Background(), c.args...)
				if !errors.Is(err, errBudget) {
					t.Fatalf("%s: %v", c.name, err)
				}
				used := h.used(mod)
				if used <= budget || used > budget+h.slice {
					t.Errorf("%s: used %d, which is not within one slice of %d", c.name, used, budget)
				}
				if run > 0 && used != first {
					t.Errorf("%s: used %d in the first run and %d in another", c.name, first, used)
				}
				first = used
				if err := mod.Close(context.Background()); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

func TestOneInstructionCannotOutrunTheBudgetByMoreThanItself(t *testing.T) {
	h := &host{slice: 1000, budget: 5000}
	mod := instantiate(t, h.runtime(t, wazero.NewRuntimeConfig()), metered(t, guest(t, "hostile")))
	_, err := mod.ExportedFunction("big_fill").Call(context.Background())
	if !errors.Is(err, errBudget) {
		t.Fatal(err)
	}
	if b, _ := mod.Memory().ReadByte(0); b > 1 {
		t.Errorf("memory holds %d", b)
	}
	if used := h.used(mod); used > 5000+2*32768+100 {
		t.Errorf("used %d, which is more than two fills beyond the budget", used)
	}
}

func TestRecursionWithoutALoopEndsByFuelOrByTheStack(t *testing.T) {
	h := &host{slice: 1000, budget: 100_000}
	mod := instantiate(t, h.runtime(t, wazero.NewRuntimeConfig()), metered(t, guest(t, "hostile")))
	if _, err := mod.ExportedFunction("recurse").Call(context.Background()); !errors.Is(err, errBudget) {
		t.Errorf("with little fuel: %v", err)
	}
	mod = instantiate(t, unlimited().runtime(t, wazero.NewRuntimeConfig()), metered(t, guest(t, "hostile")))
	if _, err := mod.ExportedFunction("recurse").Call(context.Background()); trapKind(err) != "stack overflow" {
		t.Errorf("with much fuel: %v", err)
	}
}

// What wazero's own check stops, fuel stops too: the list of endless guests is
// one of guests that really are endless.
func TestWazerosTerminationCheckAgreesThatTheGuestsDoNotEnd(t *testing.T) {
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCloseOnContextDone(true))
	defer r.Close(ctx)
	for _, c := range endless {
		if c.name == "tree" {
			continue // no loop, so the check never looks
		}
		mod := instantiate(t, r, guest(t, "hostile"))
		deadline, cancel := context.WithTimeout(ctx, 5*time.Millisecond)
		_, err := mod.ExportedFunction(c.name).Call(deadline, c.args...)
		cancel()
		if err == nil {
			t.Errorf("%s ended by itself", c.name)
		}
		_ = mod.Close(ctx)
	}
}

func TestAStartFunctionYieldsBeforeItRuns(t *testing.T) {
	module := metered(t, guest(t, "start"))
	h := &host{slice: 100, budget: 1 << 20}
	mod := instantiate(t, h.runtime(t, wazero.NewRuntimeConfig()), module)
	if g := mod.ExportedGlobal("g").Get(); g != 1000 {
		t.Errorf("the start function counted to %d", g)
	}
	if used := h.used(mod); used < 1000*8 || used > 1000*20 {
		t.Errorf("a thousand times round a loop of eight instructions used %d", used)
	}
	broke := &host{slice: 100, budget: 5000}
	if _, err := broke.runtime(t, wazero.NewRuntimeConfig()).Instantiate(context.Background(), module); !errors.Is(err, errBudget) {
		t.Errorf("a start function that uses too much: %v", err)
	}
}

func TestALongCaseOfASwitchIsChargedOnlyWhenItRuns(t *testing.T) {
	h := &host{slice: 1 << 40, budget: 1 << 62}
	mod := instantiate(t, h.runtime(t, wazero.NewRuntimeConfig()), metered(t, guest(t, "switch")))
	cost := map[string]int64{}
	for _, name := range []string{"short", "long"} {
		before := h.used(mod)
		if _, err := mod.ExportedFunction(name).Call(context.Background(), 1000); err != nil {
			t.Fatal(err)
		}
		cost[name] = (h.used(mod) - before) / 1000
	}
	if cost["short"] > 30+32 {
		t.Errorf("one time round by the short case costs %d", cost["short"])
	}
	if least := int64(60 * 4); cost["long"] < least {
		t.Errorf("one time round by the long case costs %d, and it executes %d instructions that weigh something", cost["long"], least)
	}
}

func TestLongStraightCodeIsCheckedOnItsWay(t *testing.T) {
	const times = 20_000
	code := bytes.Repeat([]byte{0x20, 0, 0x41, 1, 0x6a, 0x21, 0}, times) // 0 = 0 + 1
	b := binary.AppendUvarint([]byte{1}, uint64(len(code)+4))
	b = append(append(b, 0), code...)
	b = append(b, 0x20, 0, 0x0b)
	module := core("\x01\x01\x60\x01\x7f\x01\x7f", "\x03\x01\x00", "\x07\x01\x01f\x00\x00")
	h := &host{slice: 1000, budget: 1 << 30}
	mod := instantiate(t, h.runtime(t, wazero.NewRuntimeConfig()), metered(t, append(module, section(10, b)...)))
	if results, err := mod.ExportedFunction("f").Call(context.Background(), 1); err != nil || results[0] != times+1 {
		t.Fatal(results, err)
	}
	if used := h.used(mod); used < 2*times || used > 2*times+100 {
		t.Errorf("used %d for %d instructions", used, 2*times)
	}
	if least := int64(2*times/4096) * 1000; h.given < least {
		t.Errorf("asked for only %d units on the way", h.given)
	}
}
