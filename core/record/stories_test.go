package record_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/programmable-mta/mta/core/record"
	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/core/runtime/wasm"
	"github.com/programmable-mta/mta/plugins"
	"github.com/programmable-mta/mta/plugins/greylist"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

// loader is a plugin in some runtime.
type loader struct {
	runtime string
	load    plugintest.Loader
}

func native(construct func() sdk.Plugin) loader {
	return loader{"builtin", plugintest.Native(construct)}
}

// ticking is a clock that no two readings find at the same place.
type ticking struct {
	sdk.Host
	n atomic.Int64
}

func (h *ticking) Now(ctx context.Context) time.Time {
	return h.Host.Now(ctx).Add(time.Duration(h.n.Add(1)) * time.Microsecond)
}

func moving(h sdk.Host) sdk.Host { return &ticking{Host: h} }
func still(h sdk.Host) sdk.Host  { return h }

// recording plays a story with a plugin and is what a recorder wrote meanwhile.
// check is called while the story's files are still there.
func recording(t *testing.T, path string, load loader, clock func(sdk.Host) sdk.Host, o record.Options, check func(file []byte)) {
	t.Helper()
	story, err := plugintest.ReadStory(path)
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	started := false
	err = story.Play(t.Context(), func(ctx context.Context, host sdk.Host, config []byte) (*sdk.Handlers, func() error, error) {
		h := record.Header{Plugin: "plugin", Config: config, Hostname: host.Hostname(), Runtime: load.runtime}
		r := record.New(&file, o, h)
		hs, stop, err := load.load(ctx, r.Host(clock(host)), config)
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
func same(t *testing.T, file []byte, load loader) *record.Report {
	t.Helper()
	rep, err := record.Replay(t.Context(), bytes.NewReader(file), record.Load(load.load), record.ReplayOptions{Keep: 3, Runtime: load.runtime})
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
				load := native(construct)
				recording(t, path, load, still, record.Options{Bodies: true}, func(file []byte) { same(t, file, load) })
			})
		}
	}
}

func TestEveryHookOfTheReferencePluginReplaysToTheSameAnswers(t *testing.T) {
	load := native(plugintest.NewReference)
	paths, err := filepath.Glob("../../sdk/plugintest/testdata/reference/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatal(err)
	}
	hooks := map[string]bool{}
	for _, path := range paths {
		recording(t, path, load, still, record.Options{Bodies: true}, func(file []byte) {
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
func module(t *testing.T, name string) loader {
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
	return loader{"wasm", func(ctx context.Context, host sdk.Host, config []byte) (*sdk.Handlers, func() error, error) {
		l, err := r.Load(ctx, runtime.Spec{Name: "plugin", Source: "file:" + path, Config: config, Grants: grants}, host)
		if err != nil {
			return nil, nil, err
		}
		return l.Handlers(), l.Close, nil
	}}
}

// A recording does not tell which runtime and which language made it.
func TestARecordingOfOneRuntimeReplaysInTheOthers(t *testing.T) {
	loaders := []loader{native(greylist.New), module(t, "c-greylist.wasm"), module(t, "rust-greylist.wasm")}
	paths, err := filepath.Glob("../../plugins/greylist/testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatal(err)
	}
	compared := 0
	for _, path := range paths {
		for _, from := range loaders {
			recording(t, path, from, moving, record.Options{}, func(file []byte) {
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
