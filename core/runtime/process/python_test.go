package process

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

// python finds one that has gRPC, and skips without; CI has Debian's.
func python(t testing.TB) string {
	t.Helper()
	for _, path := range []string{"/usr/bin/python3", "python3"} {
		found, err := exec.LookPath(path)
		if err == nil && exec.Command(found, "-c", "import grpc, google.protobuf").Run() == nil {
			return found
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("there is no Python with gRPC: apt-get install python3-grpcio python3-protobuf")
	}
	t.Skip("there is no Python with gRPC: apt-get install python3-grpcio python3-protobuf")
	return ""
}

// loader plays stories with a program.
func loader(t testing.TB, source string) plugintest.Loader {
	return func(ctx context.Context, host sdk.Host, config []byte) (*sdk.Handlers, func() error, error) {
		dir, err := os.MkdirTemp("", "p")
		if err != nil {
			return nil, nil, err
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		rt := New(Options{Dir: dir + "/run", Logf: func(plugin, format string, args ...any) { t.Logf(plugin+": "+format, args...) }})
		all := runtime.Grants{Relay: true, DNS: true, HTTP: []string{"*"}, KV: 1 << 20, Body: runtime.Write, Headers: runtime.Write, Clock: true, Send: true}
		l, err := rt.Load(ctx, runtime.Spec{Name: "plugin", Source: Prefix + source, Config: config, Grants: all}, host)
		if err != nil {
			return nil, nil, err
		}
		return l.Handlers(), l.Close, nil
	}
}

func absolute(t testing.TB, path string) string {
	t.Helper()
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}

func TestTheGreylistInPythonHasTheSameStories(t *testing.T) {
	source := python(t) + " " + absolute(t, "../../../sdk/python/examples/greylist/greylist.py")
	plugintest.RunWith(t, loader(t, source), "../../../plugins/greylist/testdata/*.txtar")
}
