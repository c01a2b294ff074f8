package wasm_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/core/runtime/wasm"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

const root = "../../.."

// everything is granted.
var everything = runtime.Grants{Relay: true, DNS: true, HTTP: []string{"api.example.net:443"}, KV: 1 << 20,
	Body: runtime.Write, Headers: runtime.Write, Clock: true, Send: true}

// shared compiles each module once for all tests.
var shared = sync.OnceValues(func() (*wasm.Runtime, error) {
	return wasm.New(context.Background(), wasm.Options{CacheDir: filepath.Join(buildDir, "cache")})
})

func theRuntime(t testing.TB) *wasm.Runtime {
	t.Helper()
	r, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var (
	builds   sync.Mutex
	built    = map[string]string{}
	buildDir string
)

// build makes a module of a Go program, once. Compiling one takes half a minute
// under the race detector, to which it shows nothing that small guests do not.
func build(t testing.TB, pkg string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("short: no modules in Go")
	}
	builds.Lock()
	defer builds.Unlock()
	if path := built[pkg]; path != "" {
		return path
	}
	path := filepath.Join(buildDir, filepath.Base(filepath.Dir(pkg))+"-"+filepath.Base(pkg)+".wasm")
	cmd := exec.Command("go", "build", "-buildmode=c-shared", "-ldflags=-s -w", "-o", path, pkg)
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build %s: %v\n%s", pkg, err, out)
	}
	built[pkg] = path
	return path
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "wasm")
	if err != nil {
		panic(err)
	}
	buildDir = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// loader loads a module for stories, with everything granted.
func loader(t testing.TB, path string, change ...func(*runtime.Spec)) plugintest.Loader {
	r := theRuntime(t)
	return func(ctx context.Context, host sdk.Host, config []byte) (*sdk.Handlers, func() error, error) {
		spec := runtime.Spec{Name: "plugin", Source: "file:" + path, Config: config, Grants: everything}
		for _, f := range change {
			f(&spec)
		}
		l, err := r.Load(ctx, spec, host)
		if err != nil {
			return nil, nil, err
		}
		return l.Handlers(), l.Close, nil
	}
}

func TestTheReferencePluginTellsTheSameStories(t *testing.T) {
	plugintest.RunWith(t, loader(t, build(t, "./testdata/reference")), root+"/sdk/plugintest/testdata/reference/*.txtar")
}

func TestGreylistTellsTheSameStories(t *testing.T) {
	plugintest.RunWith(t, loader(t, build(t, root+"/plugins/greylist/guest")), root+"/plugins/greylist/testdata/*.txtar")
}
