package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/programmable-mta/mta/core/config"
	"github.com/programmable-mta/mta/core/mtatest"
	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/core/runtime/process"
	"github.com/programmable-mta/mta/core/runtime/wasm"
	"github.com/programmable-mta/mta/examples/footer"
	"github.com/programmable-mta/mta/examples/quarantine"
	"github.com/programmable-mta/mta/examples/ratelimit"
	router "github.com/programmable-mta/mta/examples/tenant-router"
	"github.com/programmable-mta/mta/examples/webhook"
	"github.com/programmable-mta/mta/plugins/greylist"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

func TestEveryExampleHasAReadmeAndItsConfigurationIsRight(t *testing.T) {
	dirs, err := filepath.Glob("../../examples/*")
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, dir := range dirs {
		if _, err := os.Stat(filepath.Join(dir, "README.md")); err != nil {
			t.Errorf("%s: every example explains itself in a README.md: %v", dir, err)
		}
		file := filepath.Join(dir, "mta.toml")
		text, err := os.ReadFile(file)
		if os.IsNotExist(err) {
			continue // a board or a unit, not a relay
		}
		// Certificates and passwords of an example do not exist here, so only
		// what the file itself says is judged.
		if _, err := (config.LoadOptions{Builtins: systemWorld().builtinNames()}).Parse(file, string(text)); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(filepath.Join(dir, "story.txtar")); err != nil {
			t.Errorf("%s: an example with a configuration has a story that shows it: %v", dir, err)
		}
	}
}

// moduleSource finds the modules that a configuration names.
var moduleSource = regexp.MustCompile(`(?m)^\s*source\s*=\s*"file:([^"/]+\.wasm)"`)

// TestExamplesDoWhatTheySay tells the story of each example. A module NAME.wasm
// that its configuration names is testdata/wasm/NAME.wasm, or is built from the
// folder guest of the example or plugin of that name.
func TestExamplesDoWhatTheySay(t *testing.T) {
	// What the stories load is built here: their own time is not the world's.
	files, err := filepath.Glob("../../examples/*/*.t*")
	if err != nil {
		t.Fatal(err)
	}
	programs := &guests{dir: t.TempDir()}
	modules := map[string]func() ([]byte, error){}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range moduleSource.FindAllStringSubmatch(string(text), -1) {
			brought := strings.Contains(string(text), "-- copy "+m[1]+" --")
			if modules[m[1]] == nil && !brought {
				b, err := programs.module(strings.TrimSuffix(m[1], ".wasm"))
				modules[m[1]] = func() ([]byte, error) { return b, err }
			}
		}
	}
	mtatest.RunStories(t, "../../examples", func(t testing.TB, env mtatest.Env) mtatest.Relay {
		t.Helper()
		text, err := os.ReadFile(env.Config)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range moduleSource.FindAllStringSubmatch(string(text), -1) {
			path := filepath.Join(env.Dir, m[1])
			if _, err := os.Stat(path); err == nil {
				continue // the story has brought it
			}
			b, err := modules[m[1]]()
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return bootStory(t, env)
	})
}

// guests builds the programs of plugins in Go, each once.
type guests struct {
	dir string
	mu  sync.Mutex
}

// module is the module of a plugin: the one that is kept in the repository, or
// built from its guest in Go.
func (g *guests) module(name string) ([]byte, error) {
	b, err := os.ReadFile(filepath.Join("../../testdata/wasm", name+".wasm"))
	if !os.IsNotExist(err) {
		return b, err
	}
	path, err := g.build(name, true)
	if err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

// build makes the program of a plugin in Go, as a module or as a process.
func (g *guests) build(name string, asModule bool) (string, error) {
	found, err := filepath.Glob("../../*/" + name + "/guest/main.go")
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("%s: want testdata/wasm/%s.wasm, or a folder guest with a program in Go; there is %q", name, name, found)
	}
	args, env, to := []string{"build", "-ldflags=-s -w"}, os.Environ(), filepath.Join(g.dir, name)
	if asModule {
		to += ".wasm"
		args, env = append(args, "-buildmode=c-shared"), append(env, "GOOS=wasip1", "GOARCH=wasm")
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, err := os.Stat(to); err == nil {
		return to, nil
	}
	cmd := exec.Command("go", append(args, "-o", to, filepath.Dir(found[0]))...)
	cmd.Env = env
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build %s: %w\n%s", found[0], err, out)
	}
	return to, nil
}

// inGo are the plugins that are also compiled in, by the folders of their stories.
var inGo = map[string]func() sdk.Plugin{
	"examples/footer":        footer.New,
	"examples/quarantine":    quarantine.New,
	"examples/ratelimit":     ratelimit.New,
	"examples/tenant-router": router.New,
	"examples/webhook":       webhook.New,
	"plugins/greylist":       greylist.New,
}

// loader loads a plugin for stories, with all that it may ask for.
func loader(rt runtime.Runtime, source string) plugintest.Loader {
	all := runtime.Grants{Relay: true, DNS: true, HTTP: []string{"api.example.net:443"}, KV: 1 << 20,
		Body: runtime.Write, Headers: runtime.Write, Clock: true, Send: true}
	return func(ctx context.Context, host sdk.Host, config []byte) (*sdk.Handlers, func() error, error) {
		l, err := rt.Load(ctx, runtime.Spec{Name: "plugin", Source: source, Config: config, Grants: all, Limits: runtime.Limits{Deadline: 30 * time.Second}}, host)
		if err != nil {
			return nil, nil, err
		}
		return l.Handlers(), l.Close, nil
	}
}

func TestExamplesAnswerTheSameInEveryRuntime(t *testing.T) {
	if testing.Short() {
		t.Skip("each plugin is compiled twice, and started for each story")
	}
	modules, err := wasm.New(context.Background(), wasm.Options{CacheDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer modules.Close()
	processes := process.New(process.Options{})
	programs := &guests{dir: t.TempDir()}
	t.Run("runtimes", func(t *testing.T) {
		for folder, New := range inGo {
			stories := filepath.Join("../..", folder, "testdata/*.txtar")
			name := filepath.Base(folder)
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				t.Run("native", func(t *testing.T) { plugintest.RunWith(t, plugintest.Native(New), stories) })
				for kind, rt := range map[string]runtime.Runtime{"file": modules, "process": processes} {
					t.Run(kind, func(t *testing.T) {
						program, err := programs.build(name, kind == "file")
						if err != nil {
							t.Fatal(err)
						}
						plugintest.RunWith(t, loader(rt, kind+":"+program), stories)
					})
				}
			})
		}
	})
}

func TestEveryGuestInGoIsToldInEveryRuntime(t *testing.T) {
	found, err := filepath.Glob("../../*/*/guest/main.go")
	if err != nil || len(found) == 0 {
		t.Fatalf("%q, %v", found, err)
	}
	for _, f := range found {
		folder := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(filepath.Dir(f))), "../../")
		if inGo[folder] == nil {
			t.Errorf("%s has a guest: add it to inGo", folder)
		}
		readme, err := os.ReadFile(filepath.Join("../..", folder, "README.md"))
		if err != nil {
			t.Fatal(err)
		}
		// Whoever copies the command gets what the configuration loads.
		name := filepath.Base(folder)
		want := regexp.MustCompile(`GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -ldflags='-s -w' -o ` + name + `\.wasm (\./` + folder + `)?(\./|/)guest`)
		if !want.Match(readme) {
			t.Errorf("%s/README.md does not say how to build it: %s", folder, want)
		}
	}
}
