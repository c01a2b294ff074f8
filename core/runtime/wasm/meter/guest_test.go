package meter_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/programmable-mta/mta/core/runtime/wasm/meter"
)

var errBudget = errors.New("the budget is used up")

// host gives out slices until the budget is used up.
type host struct {
	slice, budget int64
	given         int64
}

// left is what a module may still use without asking.
func left(mod api.Module) api.MutableGlobal {
	return mod.ExportedGlobal(meter.GlobalName).(api.MutableGlobal)
}

func (h *host) yield(_ context.Context, mod api.Module, _ []uint64) {
	if h.given >= h.budget {
		panic(errBudget)
	}
	h.given += h.slice
	g := left(mod)
	g.Set(g.Get() + uint64(h.slice))
}

// used is exact: what was given out, less what is left, which may be below zero.
func (h *host) used(mod api.Module) int64 { return h.given - int64(left(mod).Get()) }

// runtime has the yield of h in it.
func (h *host) runtime(t testing.TB, config wazero.RuntimeConfig) wazero.Runtime {
	t.Helper()
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, config)
	t.Cleanup(func() { _ = r.Close(ctx) })
	_, err := r.NewHostModuleBuilder(meter.YieldModule).NewFunctionBuilder().
		WithGoModuleFunction(api.GoModuleFunc(h.yield), nil, nil).Export(meter.YieldName).Instantiate(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func unlimited() *host { return &host{slice: 1 << 40, budget: 1 << 62} }

func instantiate(t testing.TB, r wazero.Runtime, module []byte) api.Module {
	t.Helper()
	mod, err := r.InstantiateWithConfig(context.Background(), module, wazero.NewModuleConfig().WithName(""))
	if err != nil {
		t.Fatal(err)
	}
	return mod
}

func metered(t testing.TB, module []byte) []byte {
	t.Helper()
	out, err := meter.Rewrite(module, meter.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func guest(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".wasm"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
