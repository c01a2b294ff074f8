package assemblyscript_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/core/runtime/wasm"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

const root = "../.."

var everything = runtime.Grants{Relay: true, DNS: true, HTTP: []string{"api.example.net:443"}, KV: 1 << 20,
	Body: runtime.Write, Headers: runtime.Write, Clock: true, Send: true}

var (
	buildDir string
	builds   sync.Mutex
	built    = map[string]string{}
)

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "as")
	if err != nil {
		panic(err)
	}
	buildDir = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

var theRuntime = sync.OnceValues(func() (*wasm.Runtime, error) {
	return wasm.New(context.Background(), wasm.Options{CacheDir: filepath.Join(buildDir, "cache")})
})

// build compiles an entry file once.
func build(t testing.TB, entry string) string {
	t.Helper()
	builds.Lock()
	defer builds.Unlock()
	if path := built[entry]; path != "" {
		return path
	}
	compiler := "node_modules/assemblyscript/bin/asc.js"
	node, err := exec.LookPath("node")
	if err == nil {
		_, err = os.Stat(compiler)
	}
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%v: install nodejs and npm, and run sdk/assemblyscript/build.sh", err)
		}
		t.Skipf("%v: install nodejs and npm; npm install in sdk/assemblyscript brings the compiler", err)
	}
	path := filepath.Join(buildDir, filepath.Base(filepath.Dir(entry))+".wasm")
	args := []string{compiler, entry, "--config", "asconfig.json", "-o", path}
	if strings.HasPrefix(entry, "testdata/") { // big, and asked once
		args = append(args, "--optimizeLevel", "0", "--shrinkLevel", "0")
	}
	if out, err := exec.Command(node, args...).CombinedOutput(); err != nil {
		t.Fatalf("asc %s: %v\n%s", entry, err, out)
	}
	built[entry] = path
	return path
}

func load(t testing.TB, path string, host sdk.Host, change ...func(*runtime.Spec)) (runtime.Loaded, error) {
	t.Helper()
	r, err := theRuntime()
	if err != nil {
		t.Fatal(err)
	}
	spec := runtime.Spec{Name: "plugin", Source: "file:" + path, Grants: everything}
	for _, f := range change {
		f(&spec)
	}
	l, err := r.Load(context.Background(), spec, host)
	if err == nil {
		t.Cleanup(func() { _ = l.Close() })
	}
	return l, err
}

func loader(t testing.TB, path string) plugintest.Loader {
	return func(ctx context.Context, host sdk.Host, config []byte) (*sdk.Handlers, func() error, error) {
		l, err := load(t, path, host, func(s *runtime.Spec) { s.Config = config })
		if err != nil {
			return nil, nil, err
		}
		return l.Handlers(), l.Close, nil
	}
}

func TestGreylistTellsTheSameStories(t *testing.T) {
	plugintest.RunWith(t, loader(t, build(t, "examples/greylist/index.ts")), root+"/plugins/greylist/testdata/*.txtar")
}

func TestRealrcptTellsItsStories(t *testing.T) {
	plugintest.RunWith(t, loader(t, build(t, "examples/realrcpt/index.ts")), "testdata/realrcpt/*.txtar")
}

func rcpt(to string) *sdk.RcptEvent {
	return &sdk.RcptEvent{Session: plugintest.Session(), Envelope: plugintest.Envelope("sender@example.net"), Recipient: sdk.Recipient{Addr: to}}
}

func BenchmarkRcpt(b *testing.B) {
	const config = `{"domains": ["example.org", "example.com"], "senders": ["spam.example"], "networks": ["198.51.100."]}`
	for _, x := range []struct{ name, entry, config, to string }{
		{"noop", "examples/noop/index.ts", `{}`, "user@example.org"},
		{"accept", "examples/realrcpt/index.ts", config, "user@example.org"},
		{"reject", "examples/realrcpt/index.ts", config, "user@example.net"},
	} {
		b.Run(x.name, func(b *testing.B) {
			l, err := load(b, build(b, x.entry), plugintest.NewHost(), func(s *runtime.Spec) { s.Config = []byte(x.config) })
			if err != nil {
				b.Fatal(err)
			}
			ask, ctx, e := l.Handlers().Rcpt, context.Background(), rcpt(x.to)
			before := l.Stats().Fuel
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ask(ctx, e); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(l.Stats().Fuel-before)/float64(b.N), "fuel/op")
		})
	}
}
