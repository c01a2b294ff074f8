package meter_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/programmable-mta/mta/core/runtime/wasm/meter"
)

func guests(t testing.TB) [][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/*.wasm")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	var all [][]byte
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
	}
	for seed := range uint64(5) {
		all = append(all, module(seed))
	}
	return all
}

// validity holds that a module which Rewrite takes is valid after it exactly if it
// was before, and says whether it was. Rewrite comes first here too, since it
// bounds what the compiler would allocate.
func validity(t testing.TB, r wazero.Runtime, b []byte) bool {
	t.Helper()
	out, err := meter.Rewrite(b, meter.Options{MaxBytes: 1 << 20})
	if err != nil {
		return false
	}
	if len(out) > 1<<20 {
		t.Errorf("%d bytes", len(out))
	}
	// wazero takes a custom section without contents at the very end for a fault.
	bare, err := meter.Strip(b)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	before, errBefore := r.CompileModule(ctx, bare)
	after, errAfter := r.CompileModule(ctx, out)
	if (errBefore == nil) != (errAfter == nil) {
		t.Errorf("% x:\nbefore: %v\nafter: %v", b, errBefore, errAfter)
	}
	if errBefore == nil {
		_ = before.Close(ctx)
	}
	if errAfter == nil {
		_ = after.Close(ctx)
	}
	return errBefore == nil
}

func validator(t testing.TB) wazero.Runtime {
	return unlimited().runtime(t, wazero.NewRuntimeConfigInterpreter().WithMemoryLimitPages(16))
}

func TestADamagedModuleIsAsValidAsItWas(t *testing.T) {
	r, all := validator(t), guests(t)
	rnd := rand.New(rand.NewPCG(1, 2))
	const n = 10_000
	valid := 0
	for range n {
		b := bytes.Clone(all[rnd.IntN(len(all))])
		for range 1 + rnd.IntN(2) {
			switch at := rnd.IntN(len(b)); rnd.IntN(3) {
			case 0:
				b[at] = byte(rnd.Uint32())
			case 1:
				b[at] += byte(rnd.IntN(5)) - 2
			default:
				b[at] ^= 1 << rnd.IntN(8)
			}
		}
		if validity(t, r, b) {
			valid++
		}
	}
	t.Logf("%d of %d were still valid", valid, n)
	if valid < n/20 || valid > n*19/20 {
		t.Errorf("%d of %d damaged modules were valid, which proves little", valid, n)
	}
}

// FuzzRewrite holds the same for any bytes, and that none makes Rewrite panic.
func FuzzRewrite(f *testing.F) {
	for _, b := range guests(f) {
		f.Add(b)
	}
	f.Add(core())
	f.Add([]byte("\x00asm\x0d\x00\x01\x00"))
	r := validator(f)
	f.Fuzz(func(t *testing.T, b []byte) { validity(t, r, b) })
}
