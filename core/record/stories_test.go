package record_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/programmable-mta/mta/core/record"
	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/core/runtime/wasm"
	"github.com/programmable-mta/mta/plugins"
	"github.com/programmable-mta/mta/plugins/greylist"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

// recording plays a story with a plugin and is what a recorder wrote meanwhile.
// check is called while the story's files are still there.
func recording(t *testing.T, path string, load plugintest.Loader, o record.Options, check func(file []byte)) {
	t.Helper()
	story, err := plugintest.ReadStory(path)
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	started := false
	err = story.Play(t.Context(), func(ctx context.Context, host sdk.Host, config []byte) (*sdk.Handlers, func() error, error) {
		r := record.New(&file, o, record.Header{Plugin: "plugin", Config: config, Hostname: host.Hostname()})
		hs, stop, err := load(ctx, r.Host(host), config)
		if err != nil {
			r.Close()
			return nil, nil, err
		}
		started = true
		return r.Wrap(hs), func() error {
			if sum, err := r.Close(); err != nil || sum.Dropped != 0 {
				t.Errorf("%+v, %v", sum, err)
			}
			return stop()
		}, nil
	}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if started {
		check(file.Bytes())
	}
}

// same replays and wants no difference.
func same(t *testing.T, file []byte, load plugintest.Loader) *record.Report {
	t.Helper()
	rep, err := record.Replay(t.Context(), bytes.NewReader(file), record.Load(load), record.ReplayOptions{Keep: 3})
	if err != nil {
		t.Fatalf("%v\n%s", err, file)
	}
	skipped := 0
	for _, h := range rep.Hooks {
		if h.Hook != "auth" { // passwords are not recorded
			skipped += h.Skipped
		}
	}
	if !rep.OK() || skipped > 0 {
		t.Error(rep.Text())
	}
	return rep
}

func TestStoriesOfOurPluginsReplayToTheSameAnswers(t *testing.T) {
	for name, construct := range plugins.Builtin {
		paths, err := filepath.Glob("../../plugins/" + name + "/testdata/*.txtar")
		if err != nil || len(paths) == 0 {
			t.Logf("%s has no stories", name)
			continue
		}
		for _, path := range paths {
			t.Run(name+"/"+strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
				load := plugintest.Native(construct)
				recording(t, path, load, record.Options{Bodies: true}, func(file []byte) { same(t, file, load) })
			})
		}
	}
}

func TestEveryHookOfTheReferencePluginReplaysToTheSameAnswers(t *testing.T) {
	load := plugintest.Native(plugintest.NewReference)
	paths, err := filepath.Glob("../../sdk/plugintest/testdata/reference/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatal(err)
	}
	hooks := map[string]bool{}
	for _, path := range paths {
		recording(t, path, load, record.Options{Bodies: true}, func(file []byte) {
			for _, h := range same(t, file, load).Hooks {
				hooks[h.Hook] = true
			}
		})
	}
	for _, h := range sdk.Hooks() {
		if !hooks[h.Name] {
			t.Errorf("no story has the hook %s", h.Name)
		}
	}
}

// module loads a prebuilt module.
func module(t *testing.T, name string) plugintest.Loader {
	t.Helper()
	path := filepath.Join("../../testdata/wasm", name)
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	r, err := wasm.New(t.Context(), wasm.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	grants := runtime.Grants{Relay: true, DNS: true, HTTP: []string{"api.example.net:443"}, KV: 1 << 20, Body: runtime.Write, Headers: runtime.Write, Clock: true, Send: true}
	return func(ctx context.Context, host sdk.Host, config []byte) (*sdk.Handlers, func() error, error) {
		l, err := r.Load(ctx, runtime.Spec{Name: "plugin", Source: "file:" + path, Config: config, Grants: grants}, host)
		if err != nil {
			return nil, nil, err
		}
		return l.Handlers(), l.Close, nil
	}
}

// A recording does not tell which runtime and which language made it.
func TestARecordingOfOneRuntimeReplaysInTheOthers(t *testing.T) {
	loaders := []plugintest.Loader{plugintest.Native(greylist.New), module(t, "c-greylist.wasm"), module(t, "rust-greylist.wasm")}
	paths, err := filepath.Glob("../../plugins/greylist/testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatal(err)
	}
	compared := 0
	for _, path := range paths {
		for _, from := range loaders {
			recording(t, path, from, record.Options{}, func(file []byte) {
				for _, to := range loaders {
					compared += same(t, file, to).Same
				}
			})
		}
	}
	if compared < 9*2 {
		t.Errorf("%d calls were compared", compared)
	}
}
