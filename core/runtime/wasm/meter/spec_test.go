package meter_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/programmable-mta/mta/core/runtime/wasm/meter"
)

// script is a file of the specification's tests, as wast2json writes it.
type script struct {
	Commands []command
	Modules  map[string]string
}

type command struct {
	Type     string
	Line     int
	Name     string
	As       string
	Filename string
	Text     string
	Action   struct {
		Type   string
		Module string
		Field  string
		Args   []value
	}
	Expected []value
}

type value struct {
	Type     string
	LaneType string `json:"lane_type"`
	Value    json.RawMessage
}

// tally counts what was run, so that a test of nothing fails.
type tally struct {
	modules, returns, traps, exhaustions, refused int
}

func TestTheSpecificationsModulesBehaveAlikeWhenMetered(t *testing.T) {
	z, err := zip.OpenReader("../../../../testdata/wasm/spec/wg-2.0.zip")
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	var spectest []byte
	var sum tally
	for _, f := range z.File {
		rc, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(rc)
		if err != nil {
			t.Fatal(err)
		}
		if f.Name == "spectest.wasm" {
			spectest = b
			continue
		}
		if testing.Short() && strings.HasPrefix(f.Name, "simd_") {
			continue
		}
		var s script
		if err := json.Unmarshal(b, &s); err != nil {
			t.Fatal(f.Name, err)
		}
		plain := s.play(t, f.Name, spectest, func(m []byte) ([]byte, error) { return m, nil }, nil)
		with := s.play(t, f.Name, spectest, func(m []byte) ([]byte, error) { return meter.Rewrite(m, meter.Options{}) }, &sum)
		for i := range plain {
			if plain[i] != with[i] {
				t.Errorf("%s:%d: %s: unmetered %q, metered %q", f.Name, s.Commands[i].Line, s.Commands[i].Type, plain[i], with[i])
			}
		}
	}
	t.Logf("%+v", sum)
	want := tally{1599, 45734, 2408, 15, 2982}
	if testing.Short() {
		want = tally{1000, 20000, 2000, 15, 2000}
	}
	if sum.modules < want.modules || sum.returns < want.returns ||
		sum.traps < want.traps || sum.exhaustions < want.exhaustions || sum.refused < want.refused {
		t.Errorf("ran %+v, there should be at least %+v", sum, want)
	}
}

// play runs a script and says for each command what came of it. It fails the
// test where that is not what the specification asserts.
func (s script) play(t *testing.T, name string, spectest []byte, rewrite func([]byte) ([]byte, error), sum *tally) []string {
	ctx := context.Background()
	r := unlimited().runtime(t, wazero.NewRuntimeConfig())
	defer r.Close(ctx)
	if sum == nil {
		sum = new(tally)
	}
	load := func(module []byte, as string) (api.Module, error) {
		out, err := rewrite(module)
		if err != nil {
			return nil, err
		}
		return r.InstantiateWithConfig(ctx, out, wazero.NewModuleConfig().WithName(as).WithStartFunctions())
	}
	if _, err := load(spectest, "spectest"); err != nil {
		t.Fatal(err)
	}
	named := map[string]api.Module{}
	var last api.Module
	outcomes := make([]string, len(s.Commands))
	for i, c := range s.Commands {
		at := fmt.Sprintf("%s:%d: %s", name, c.Line, c.Type)
		module, err := hex.DecodeString(s.Modules[c.Filename])
		if err != nil {
			t.Fatal(at, err)
		}
		switch c.Type {
		case "module":
			// wazero names instances when they are made, the script a command later.
			as := ""
			if i+1 < len(s.Commands) && s.Commands[i+1].Type == "register" {
				as = s.Commands[i+1].As
			}
			if last, err = load(module, as); err != nil {
				t.Fatal(at, err)
			}
			if c.Name != "" {
				named[c.Name] = last
			}
			sum.modules++
		case "action", "assert_return", "assert_trap", "assert_exhaustion":
			mod := last
			if c.Action.Module != "" {
				mod = named[c.Action.Module]
			}
			outcomes[i] = c.act(t, at, mod, sum)
		case "assert_invalid", "assert_malformed", "assert_unlinkable", "assert_uninstantiable":
			if mod, err := load(module, ""); err == nil {
				outcomes[i] = "taken" // by wazero too, or the outcomes differ
				_ = mod.Close(ctx)
			}
			sum.refused++
		}
	}
	return outcomes
}

func (c command) act(t *testing.T, at string, mod api.Module, sum *tally) string {
	if c.Action.Type == "get" {
		g := mod.ExportedGlobal(c.Action.Field)
		if !c.Expected[0].matches([]uint64{g.Get()}) {
			t.Errorf("%s: global %s is %d", at, c.Action.Field, g.Get())
		}
		sum.returns++
		return strconv.FormatUint(g.Get(), 10)
	}
	var args []uint64
	for _, a := range c.Action.Args {
		args = append(args, a.words()...)
	}
	results, err := mod.ExportedFunction(c.Action.Field).Call(context.Background(), args...)
	for i, want := range c.Expected {
		if len(c.Expected) == len(results) && (want.Type == "i32" || want.Type == "f32") {
			results[i] &= math.MaxUint32 // wazero leaves anything in the upper half
		}
	}
	switch c.Type {
	case "assert_trap", "assert_exhaustion":
		kind := trapKind(err)
		if want := trapText(c.Text); kind != want {
			t.Errorf("%s: %s: want %q, got %v", at, c.Action.Field, want, err)
		}
		if c.Type == "assert_trap" {
			sum.traps++
		} else {
			sum.exhaustions++
		}
		return kind
	}
	if err != nil {
		t.Errorf("%s: %s: %v", at, c.Action.Field, err)
		return trapKind(err)
	}
	if c.Type == "action" {
		return fmt.Sprint(results)
	}
	sum.returns++
	var outcome []string
	rest := results
	for _, want := range c.Expected {
		n := len(want.words())
		if len(rest) < n || !want.matches(rest[:n]) {
			t.Errorf("%s: %s%v: got %x, want %s %s", at, c.Action.Field, args, results, want.Type, want.Value)
			break
		}
		if want.isNaN() { // any of them will do, and which it is depends on registers
			outcome = append(outcome, "NaN")
		} else {
			outcome = append(outcome, fmt.Sprintf("%x", rest[:n]))
		}
		rest = rest[n:]
	}
	return strings.Join(outcome, " ")
}

// trapKind is the sentence of wazero's error without the stack behind it.
func trapKind(err error) string {
	if err == nil {
		return "no trap"
	}
	kind, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "wasm error: "), "\n")
	return kind
}

// trapText says in wazero's words what the specification expects.
func trapText(text string) string {
	switch text {
	case "undefined element", "undefined", "out of bounds table access":
		return "invalid table access"
	case "indirect call":
		return "indirect call type mismatch"
	case "call stack exhausted":
		return "stack overflow"
	case "integer overflow", "integer divide by zero", "out of bounds memory access", "invalid conversion to integer",
		"unreachable", "indirect call type mismatch":
		return text
	}
	if strings.HasPrefix(text, "uninitialized") {
		return "invalid table access"
	}
	return text
}

func (v value) lanes() (lanes []string, bits int) {
	if v.Type != "v128" {
		var one string
		_ = json.Unmarshal(v.Value, &one)
		bits = 64
		if v.Type == "i32" || v.Type == "f32" {
			bits = 32
		}
		return []string{one}, bits
	}
	_ = json.Unmarshal(v.Value, &lanes)
	return lanes, 128 / max(len(lanes), 1)
}

func (v value) isNaN() bool { return bytes.Contains(v.Value, []byte("nan:")) }

// words is the value as wazero passes it; a NaN pattern is zero.
func (v value) words() []uint64 {
	lanes, bits := v.lanes()
	w := make([]uint64, (len(lanes)*bits+63)/64)
	for i, lane := range lanes {
		n, err := strconv.ParseUint(lane, 10, 64)
		if err != nil {
			s, _ := strconv.ParseInt(lane, 10, 64)
			n = uint64(s) & (1<<(bits-1)<<1 - 1)
		}
		if v.Type == "externref" && lane != "null" {
			n++ // zero is wazero's null
		}
		w[i*bits/64] |= n << (i * bits % 64)
	}
	return w
}

func (v value) matches(got []uint64) bool {
	if !v.isNaN() {
		return slices.Equal(v.words(), got)
	}
	lanes, bits := v.lanes()
	want := v.words()
	for i, lane := range lanes {
		shift := i * bits % 64
		g := got[i*bits/64] >> shift
		w := want[i*bits/64] >> shift
		if bits == 32 {
			g, w = g&math.MaxUint32, w&math.MaxUint32
		}
		if strings.HasPrefix(lane, "nan:") {
			if bits == 32 && math.Float32frombits(uint32(g)) == math.Float32frombits(uint32(g)) || bits == 64 && !math.IsNaN(math.Float64frombits(g)) {
				return false
			}
		} else if g != w {
			return false
		}
	}
	return true
}
