package meter_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/programmable-mta/mta/core/runtime/wasm/meter"
)

// FuzzRewrite holds two things: no input makes Rewrite panic, and a module is
// valid after it exactly if it was before. Rewrite comes first here too, since
// it bounds what the compiler would allocate.
func FuzzRewrite(f *testing.F) {
	files, err := filepath.Glob("testdata/*.wasm")
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for seed := range uint64(5) {
		f.Add(module(seed))
	}
	f.Add(core())
	f.Add([]byte("\x00asm\x0d\x00\x01\x00"))
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter().WithMemoryLimitPages(16))
	f.Fuzz(func(t *testing.T, b []byte) {
		out, err := meter.Rewrite(b, meter.Options{MaxBytes: 1 << 20})
		if err != nil {
			return
		}
		if len(out) > 1<<20 {
			t.Fatalf("%d bytes", len(out))
		}
		before, errBefore := r.CompileModule(ctx, b)
		after, errAfter := r.CompileModule(ctx, out)
		if (errBefore == nil) != (errAfter == nil) {
			t.Fatalf("before: %v, after: %v", errBefore, errAfter)
		}
		if errBefore == nil {
			_, _ = before.Close(ctx), after.Close(ctx)
		}
	})
}
