package router_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/core/runtime/process"
	"github.com/programmable-mta/mta/core/runtime/wasm"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

// loader plays stories in a runtime other than this program.
func loader(rt runtime.Runtime, source string) plugintest.Loader {
	return func(ctx context.Context, host sdk.Host, config []byte) (*sdk.Handlers, func() error, error) {
		l, err := rt.Load(ctx, runtime.Spec{Name: "tenant-router", Source: source, Config: config, Grants: runtime.Grants{Relay: true}}, host)
		if err != nil {
			return nil, nil, err
		}
		return l.Handlers(), l.Close, nil
	}
}

func build(t *testing.T, out string, args []string, env ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), out)
	cmd := exec.Command("go", append(append([]string{"build"}, args...), "-o", path, "./guest")...)
	cmd.Env = append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

func TestStoriesAsAModule(t *testing.T) {
	rt, err := wasm.New(t.Context(), wasm.Options{CacheDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rt.Close() })
	plugintest.RunWith(t, loader(rt, "file:"+build(t, "router.wasm", []string{"-buildmode=c-shared", "-ldflags=-s -w"}, "GOOS=wasip1", "GOARCH=wasm")))
}

func TestStoriesAsAProcess(t *testing.T) {
	plugintest.RunWith(t, loader(process.New(process.Options{}), "process:"+build(t, "router", nil)))
}
