package record_test

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/programmable-mta/mta/core/record"
	"github.com/programmable-mta/mta/plugins"
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
	if !rep.OK() || len(rep.Skipped) > 0 {
		t.Errorf("%s\n%s", rep.Text(), file)
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
