package meter_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/programmable-mta/mta/core/runtime/wasm/meter"
)

// core is a module of the given sections: each an identifier and its contents.
func core(sections ...string) []byte {
	b := []byte("\x00asm\x01\x00\x00\x00")
	for _, s := range sections {
		b = append(b, s[0], byte(len(s)-1)) // all shorter than 128 bytes
		b = append(b, s[1:]...)
	}
	return b
}

// body is a module of one function () -> () with this code.
func body(code string) []byte {
	return core("\x01\x01\x60\x00\x00", "\x03\x01\x00", "\x05\x01\x00\x01", "\x0a\x01"+string(rune(len(code)+2))+"\x00"+code+"\x0b")
}

func TestWhatCannotBeMeteredIsRefusedWithTheReason(t *testing.T) {
	for _, c := range []struct {
		name   string
		module []byte
		want   string
	}{
		{"nothing", nil, "not a WebAssembly module"},
		{"an ELF file", []byte("\x7fELF\x02\x01\x01\x00"), "not a WebAssembly module"},
		{"text", []byte("(module (func))"), "not a WebAssembly module"},
		{"another version", []byte("\x00asm\x02\x00\x00\x00"), "version"},
		{"a component", []byte("\x00asm\x0d\x00\x01\x00"), "this is a component; build a core module (wasip1 reactor, wasm32-unknown-unknown)"},
		{"the reserved export", core("\x06\x01\x7e\x01\x42\x00\x0b", "\x07\x01\x09mta1_fuel\x03\x00"), `exports "mta1_fuel"`},
		{"the reserved import", core("\x01\x01\x60\x00\x00", "\x02\x01\x04mta1\x05yield\x00\x00"), "imports mta1.yield"},
		{"two memories", core("\x05\x02\x00\x01\x00\x01"), "more than one memory"},
		{"an imported memory and one more", core("\x02\x01\x01e\x01m\x02\x00\x01", "\x05\x01\x00\x01"), "more than one memory"},
		{"shared memory", core("\x05\x01\x03\x01\x01"), "threads"},
		{"64-bit memory", core("\x05\x01\x04\x01"), "64-bit memory"},
		{"atomics", body("\xfe\x03\x00"), "threads"},
		{"tail calls", body("\x12\x00"), "tail calls"},
		{"exceptions", body("\x06\x40\x0b"), "exceptions"},
		{"throw", body("\x08\x00"), "exceptions"},
		{"a tag section", core("\x0d\x01\x00\x00"), "exceptions"},
		{"relaxed SIMD", body("\xfd\x80\x02"), "vector instruction"},
		{"SIMD that is spelt in two bytes too many", body("\xfd\x8c\x00"), "vector instruction"},
		{"a garbage collected type", core("\x01\x01\x5f\x00"), "function type"},
		{"an unknown instruction", body("\xd3\x00"), "instruction 0xd3"},
		{"an unknown section", core("\x0e\x00"), "section 14"},
		{"sections out of order", core("\x03\x00", "\x01\x00"), "out of order"},
		{"a section twice", core("\x01\x00", "\x01\x00"), "out of order or twice"},
		{"a section longer than its contents", core("\x01\x01\x60\x00\x00\x00"), "longer than its contents"},
		{"a section beyond the end", []byte("\x00asm\x01\x00\x00\x00\x01\x7f"), "unexpected end"},
		{"sections without contents", core("\x06"), "unexpected end"},
		{"exports without contents", core("\x07"), "unexpected end"},
		{"types without contents", core("\x01"), "unexpected end"},
		{"code without contents", core("\x0a"), "unexpected end"},
		{"a count beyond the end", core("\x01\xff\xff\xff\xff\x0f"), "unexpected end"},
		{"a number of six bytes", core("\x01\x80\x80\x80\x80\x80\x00"), "number too long"},
		{"a function that does not exist", body("\x10\x01"), "function 1 does not exist"},
		{"the yield function by its index", body("\x10\x01\x0b"), "function 1 does not exist"},
		{"the fuel by its index", body("\x42\x7f\x24\x00"), "global 0 does not exist"},
		{"our local by its index", body("\x20\x00\x1a"), "local 0 does not exist"},
		{"a label that does not exist", body("\x0c\x01"), "label"},
		{"code behind the end", body("\x0b\x01"), "after its end"},
		{"code without end", core("\x01\x01\x60\x00\x00", "\x03\x01\x00", "\x0a\x01\x03\x00\x01\x01"), "unexpected end"},
		{"a function without code", core("\x01\x01\x60\x00\x00", "\x03\x01\x00"), "1 functions are declared and 0 have code"},
		{"too many locals", core("\x01\x01\x60\x00\x00", "\x03\x01\x00", "\x0a\x01\x08\x01\xff\xff\xff\xff\x0f\x7f\x0b"), "more than 50000 locals"},
		{"a huge table", core("\x04\x01\x70\x00\x80\x80\x80\x40"), "more than 10000000 elements"},
		{"an initialiser that computes", core("\x06\x01\x7f\x00\x41\x01\x41\x02\x6a\x0b"), "initialiser"},
	} {
		out, err := meter.Rewrite(c.module, meter.Options{})
		if err == nil {
			t.Errorf("%s: taken: % x", c.name, out)
		} else if !strings.HasPrefix(err.Error(), "meter: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestAnEmptyModuleGetsItsGlobalToo(t *testing.T) {
	mod := instantiate(t, unlimited().runtime(t, wazero.NewRuntimeConfig()), metered(t, core()))
	if g := left(mod); g.Type() != api.ValueTypeI64 || g.Get() != 0 {
		t.Errorf("fuel is %v", g)
	}
}

func TestEveryFunctionIndexIsRenumbered(t *testing.T) {
	ctx := context.Background()
	r := unlimited().runtime(t, wazero.NewRuntimeConfig())
	_, err := r.NewHostModuleBuilder("ten").NewFunctionBuilder().WithFunc(func() uint32 { return 10 }).Export("ten").Instantiate(ctx)
	if err != nil {
		t.Fatal(err)
	}
	// A global can be imported from a module only: base is 2, ten calls the host.
	env := core("\x01\x01\x60\x00\x01\x7f", "\x02\x01\x03ten\x03ten\x00\x00", "\x06\x01\x7f\x00\x41\x02\x0b", "\x07\x02\x03ten\x00\x00\x04base\x03\x00")
	if _, err := r.InstantiateWithConfig(ctx, env, wazero.NewModuleConfig().WithName("env")); err != nil {
		t.Fatal(err)
	}
	original := guest(t, "sections")
	for name, module := range map[string][]byte{"unmetered": original, "metered": metered(t, original)} {
		mod := instantiate(t, r, module)
		for _, c := range []struct {
			f    string
			args []uint64
			want uint32
		}{
			{"a", nil, 1}, {"ten", nil, 10},
			{"at_t", []uint64{2}, 1}, {"at_t", []uint64{3}, 30}, {"at_t", []uint64{10}, 300},
			{"at_u", []uint64{0}, 10}, {"at_u", []uint64{1}, 300}, {"at_u", []uint64{10}, 10},
			{"from_global", nil, 30}, {"from_ref", nil, 300}, {"from_passive", []uint64{5}, 300}, {"from_passive", []uint64{6}, 1},
			{"get", nil, 5},
		} {
			results, err := mod.ExportedFunction(c.f).Call(ctx, c.args...)
			if err != nil || uint32(results[0]) != c.want {
				t.Errorf("%s: %s%v: %v, %v, want %d", name, c.f, c.args, results, err, c.want)
			}
		}
		if _, err := mod.ExportedFunction("at_t").Call(ctx, 11); trapKind(err) != "invalid table access" {
			t.Errorf("%s: a null element: %v", name, err)
		}
	}
}

func TestOnlyOurCustomSectionsAreKept(t *testing.T) {
	module := core("\x00\x04nameX", "\x00\x09producersX", "\x00\x0dmta1.manifest{}", "\x00\x04mta1X")
	out := metered(t, module)
	if !bytes.Contains(out, []byte("\x00\x10\x0dmta1.manifest{}")) {
		t.Errorf("the manifest is gone: %q", out)
	}
	for _, gone := range []string{"name", "producers", "mta1X"} {
		if bytes.Contains(out, []byte("\x04"+gone)) || bytes.Contains(out, []byte(gone+"X")) {
			t.Errorf("%s is still there: %q", gone, out)
		}
	}
}

func TestTheResultIsNeverLargerThanItsLimit(t *testing.T) {
	module := guest(t, "hostile")
	size := len(metered(t, module))
	if _, err := meter.Rewrite(module, meter.Options{MaxBytes: size}); err != nil {
		t.Error(err)
	}
	if _, err := meter.Rewrite(module, meter.Options{MaxBytes: size - 1}); err == nil {
		t.Error("one byte too many was taken")
	}
}

func TestTheSameModuleIsAlwaysRewrittenToTheSameBytes(t *testing.T) {
	files, err := filepath.Glob("testdata/*.wasm")
	if err != nil || len(files) < 5 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		module, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		kept := bytes.Clone(module)
		if !bytes.Equal(metered(t, module), metered(t, module)) {
			t.Errorf("%s: two results", f)
		}
		if !bytes.Equal(kept, module) {
			t.Errorf("%s: Rewrite changed its input", f)
		}
		if _, err := meter.Rewrite(metered(t, module), meter.Options{}); err == nil {
			t.Errorf("%s: metered twice", f)
		}
	}
}

func TestATableCannotGrowWithoutEnd(t *testing.T) {
	// (table 0 funcref) (func (export "g") (param i32) (result i32) ref.null func local.get 0 table.grow 0)
	module := core("\x01\x01\x60\x01\x7f\x01\x7f", "\x03\x01\x00", "\x04\x01\x70\x00\x00", "\x07\x01\x01g\x00\x00", "\x0a\x01\x09\x00\xd0\x70\x20\x00\xfc\x0f\x00\x0b")
	mod := instantiate(t, unlimited().runtime(t, wazero.NewRuntimeConfig()), metered(t, module))
	for _, c := range []struct {
		delta uint64
		want  int32
	}{{1000, 0}, {11_000_000, -1}, {1000, 1000}} {
		got, err := mod.ExportedFunction("g").Call(context.Background(), c.delta)
		if err != nil || int32(got[0]) != c.want {
			t.Errorf("grow by %d: %v %v, want %d", c.delta, got, err, c.want)
		}
	}
}

func TestStripTakesAwayNothingButCustomSections(t *testing.T) {
	r := validator(t)
	for _, module := range guests(t) {
		bare, err := meter.Strip(module)
		if err != nil {
			t.Fatal(err)
		}
		again, err := meter.Strip(bare)
		if err != nil || !bytes.Equal(bare, again) {
			t.Errorf("stripped twice: %v", err)
		}
		if !bytes.Equal(metered(t, bare), metered(t, module)) {
			t.Error("what is left is another module")
		}
		if _, err := r.CompileModule(context.Background(), bare); err != nil {
			t.Error(err)
		}
	}
	// A name section that announces 2^32-1 names.
	hostile := append(guest(t, "start"), "\x00\x0c\x04name\x01\x05\xff\xff\xff\xff\x0f"...)
	bare, err := meter.Strip(hostile)
	if err != nil || bytes.Contains(bare, []byte("name")) {
		t.Errorf("%q %v", bare, err)
	}
	if _, err := meter.Strip([]byte("\x00asm\x0d\x00\x01\x00")); err == nil {
		t.Error("a component was taken")
	}
}
