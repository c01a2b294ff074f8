package plugins_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"github.com/programmable-mta/mta/plugins"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

// folders are the folders beside this file.
func folders(t *testing.T) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() && e.Name() != "testdata" {
			names = append(names, e.Name())
		}
	}
	return names
}

func TestEveryFolderIsBuiltInAndNothingElse(t *testing.T) {
	names := folders(t)
	for _, name := range names {
		New, ok := plugins.Builtin[name]
		if !ok {
			t.Errorf("%s is not in builtin.go: run go generate ./plugins", name)
			continue
		}
		if got := fmt.Sprintf("%T", New()); !strings.HasPrefix(strings.TrimPrefix(got, "*"), name+".") {
			t.Errorf("builtin.go makes a %s for %s: run go generate ./plugins", got, name)
		}
	}
	if len(plugins.Builtin) != len(names) {
		t.Errorf("builtin.go has %d plugins, and there are %d folders: run go generate ./plugins", len(plugins.Builtin), len(names))
	}
}

func TestEveryPluginHasAHookATestAndStories(t *testing.T) {
	for _, name := range folders(t) {
		for _, pattern := range []string{name + ".go", name + "_test.go", "README.md", "testdata/*.txtar"} {
			if found, _ := filepath.Glob(filepath.Join(name, pattern)); len(found) == 0 {
				t.Errorf("%s has no %s", name, pattern)
			}
		}
		New := plugins.Builtin[name]
		if New == nil {
			continue
		}
		hs := sdk.Local(New())
		n := 0
		for _, h := range sdk.Hooks() {
			if h.Implemented(&hs) {
				n++
				if !strings.Contains(section(t, name, "Hooks"), "`"+h.Name+"`") {
					t.Errorf("%s/README.md: the section Hooks does not name `%s`", name, h.Name)
				}
			}
		}
		if n == 0 {
			t.Errorf("%s implements no hook: is a method misspelled?", name)
		}
	}
}

// section is the text of a README's section.
func section(t *testing.T, plugin, title string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(plugin, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(b), "\n## "+title+"\n")
	if !ok {
		t.Errorf("%s/README.md has no section %q", plugin, title)
	}
	text, _, _ := strings.Cut(rest, "\n## ")
	if ok && strings.TrimSpace(text) == "" {
		t.Errorf("%s/README.md: section %q is empty", plugin, title)
	}
	return text
}

func TestEveryREADMEHasItsSections(t *testing.T) {
	for _, name := range folders(t) {
		b, _ := os.ReadFile(filepath.Join(name, "README.md"))
		if !strings.HasPrefix(string(b), "# "+name+"\n") {
			t.Errorf("%s/README.md does not begin with \"# %s\"", name, name)
		}
		for _, title := range []string{"Description", "Configuration", "Hooks", "Failure"} {
			section(t, name, title)
		}
	}
}

// file is as much of the relay's configuration as the READMEs show.
type file struct {
	Relay  map[string]any
	Route  []map[string]any
	Plugin []struct {
		Name, Source string
		Config       map[string]any
		Allow        map[string]any
		Limits       map[string]any
	}
}

// The blocks are more than well-formed: each plugin starts with what its README
// says.
func TestEveryConfigurationInAREADMELoads(t *testing.T) {
	for _, name := range folders(t) {
		own := 0
		blocks := strings.Split(section(t, name, "Configuration"), "```toml\n")
		for i, block := range blocks[1:] {
			block, _, _ = strings.Cut(block, "```")
			var f file
			meta, err := toml.Decode(block, &f)
			if err != nil {
				t.Errorf("%s/README.md: block %d: %v", name, i+1, err)
				continue
			}
			for _, key := range meta.Undecoded() {
				if len(key) == 1 || key[0] == "plugin" && len(key) == 2 { // deeper ones are for the plugin to judge
					t.Errorf("%s/README.md: block %d: unknown key %s", name, i+1, key)
				}
			}
			if f.Relay != nil {
				load(t, name, "relay", f.Relay)
			}
			if f.Route != nil {
				load(t, name, "routes", map[string]any{"routes": f.Route})
			}
			for _, p := range f.Plugin {
				builtin := strings.TrimPrefix(p.Source, "builtin:")
				load(t, name, builtin, p.Config)
				if builtin == name {
					own++
				}
			}
		}
		if own == 0 {
			t.Errorf("%s/README.md shows no [[plugin]] with source = \"builtin:%s\"", name, name)
		}
	}
}

func load(t *testing.T, readme, builtin string, config map[string]any) {
	t.Helper()
	New := plugins.Builtin[builtin]
	if New == nil {
		t.Errorf("%s/README.md: there is no builtin:%s", readme, builtin)
		return
	}
	if config == nil {
		config = map[string]any{}
	}
	raw, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	p := New()
	if err := p.Start(t.Context(), plugintest.NewHost(), raw); err != nil {
		t.Errorf("%s/README.md: builtin:%s does not start: %v", readme, builtin, err)
		return
	}
	if err := p.Close(); err != nil {
		t.Errorf("%s/README.md: builtin:%s: Close: %v", readme, builtin, err)
	}
}
