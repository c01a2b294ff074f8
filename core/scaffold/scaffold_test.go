package scaffold_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/programmable-mta/mta"
	"github.com/programmable-mta/mta/core/scaffold"
)

// tools are what each language needs on this machine.
var tools = map[string][]string{"go": {"go"}, "c": {"sh", "clang-19", "wasm-ld-19"}, "rust": {"rustc"}, "ts": {"node"}}

// need skips a test for want of a tool; CI has them all.
func need(t *testing.T, lang string) {
	t.Helper()
	for _, name := range tools[lang] {
		if _, err := exec.LookPath(name); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is missing", name)
			}
			t.Skipf("%s is missing", name)
		}
	}
}

func begin(t *testing.T, lang, hook string) (dir string, p scaffold.Plugin) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "p")
	if _, err := scaffold.New(dir, scaffold.Plugin{Name: "first", Lang: lang}, hook, mta.Sources); err != nil {
		t.Fatal(err)
	}
	p, err := scaffold.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return dir, p
}

func TestEveryPluginIsWrittenWhole(t *testing.T) {
	for _, lang := range scaffold.Languages() {
		for _, hook := range scaffold.Hooks() {
			dir, p := begin(t, lang, hook)
			if p.Name != "first" || p.Lang != lang {
				t.Errorf("%s: the manifest reads %+v", lang, p)
			}
			manual := "mta/README.md"
			if lang == "python" {
				manual = "mta_plugin/README.md"
			}
			for _, name := range []string{manual, p.Entry, "README.md", "mta.toml", "stories/first.txtar"} {
				b, err := os.ReadFile(filepath.Join(dir, name))
				if err != nil {
					t.Errorf("%s %s: %v", lang, hook, err)
				}
				if strings.Contains(string(b), "{{"+"if") || len(b) == 0 || strings.Contains(string(b), "<no value>") {
					t.Errorf("%s %s: %s is no filled template:\n%s", lang, hook, name, b)
				}
				if name == p.Entry && !regexp.MustCompile("(?i)(on_?|hook.)"+hook).Match(b) {
					t.Errorf("%s: %s has no hook %s:\n%s", lang, name, hook, b)
				}
			}
		}
	}
}

func TestNothingIsWrittenOver(t *testing.T) {
	dir := t.TempDir()
	mine := filepath.Join(dir, "mine.txt")
	if err := os.WriteFile(mine, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := scaffold.New(dir, scaffold.Plugin{Name: "first", Lang: "go"}, "rcpt", mta.Sources)
	if err == nil || !strings.Contains(err.Error(), "--dir") {
		t.Errorf("a folder with a file in it gives %v", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("there are %d files now", len(entries))
	}
	if _, err := scaffold.New(mine, scaffold.Plugin{Name: "first", Lang: "go"}, "rcpt", mta.Sources); err == nil {
		t.Error("a file is taken for a folder")
	}
}

func TestWhatCannotBeBegunIsRefusedWithARemedy(t *testing.T) {
	for _, tc := range []struct{ name, lang, hook, want string }{
		{"First", "go", "rcpt", "small letters"},
		{"", "go", "rcpt", "small letters"},
		{"../x", "go", "rcpt", "small letters"},
		{strings.Repeat("x", 65), "go", "rcpt", "small letters"},
		{"x-", "go", "rcpt", "small letters"},
		{"smtp", "go", "rcpt", "something else already"},
		{"first", "perl", "rcpt", "there are: go"},
		{"first", "go", "deliver", "rcpt, connect"},
		{"first", "go", "", "rcpt, connect"},
	} {
		dir := filepath.Join(t.TempDir(), "p")
		_, err := scaffold.New(dir, scaffold.Plugin{Name: tc.name, Lang: tc.lang}, tc.hook, mta.Sources)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%q %q %q gives %v, want %q", tc.name, tc.lang, tc.hook, err, tc.want)
		}
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q %q %q leaves a folder behind", tc.name, tc.lang, tc.hook)
		}
	}
}

func TestAManifestSaysWhatIsWrongWithIt(t *testing.T) {
	for text, want := range map[string]string{
		"name = \"x\"\nlang = \"go\"\nentry = \"main.go\"\n":    "",
		"# x\n\nname=\"x\"\nlang = \"go\"\n":                    "",
		"name = x\nlang = \"go\"\n":                             "plugin.toml:1: name: write it as name = \"text\"",
		"lang = \"go\"\n":                                       "is no name of a plugin",
		"name = \"x\"\n":                                        "there is no language",
		"name = \"x\"\nname = \"y\"\n":                          "plugin.toml:2: name is there twice",
		"nam = \"x\"\n":                                         "there is no key \"nam\"",
		"name = \"x\"\nlang = \"go\"\nentry = \"../main.go\"\n": "outside of the folder",
		"name = \"a\\\"b\"\n":                                   "write it as",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, scaffold.ManifestName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := scaffold.Open(dir)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q gives %v, want %q", text, err, want)
		}
	}
	if _, err := scaffold.Open(t.TempDir()); err == nil || !strings.Contains(err.Error(), "mta plugin new") {
		t.Errorf("an empty folder gives %v", err)
	}
}

func TestAMissingToolIsNamedWithItsPackage(t *testing.T) {
	for lang, want := range map[string]string{"go": "go.dev/dl", "c": "clang-19 and lld-19", "ts": "nodejs and npm", "js": "nodejs and npm", "rust": "libstd-rust-dev-wasm32", "python": "python3-grpcio"} {
		if _, err := os.Stat("/usr/bin/rustc"); err == nil && lang == "rust" {
			continue // it is looked for there, too
		}
		dir, p := begin(t, lang, "rcpt")
		t.Setenv("PATH", t.TempDir())
		_, err := (&scaffold.Builder{Getenv: func(string) string { return "" }}).Build(t.Context(), dir, p)
		var missing *scaffold.Missing
		if !errors.As(err, &missing) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", lang, err, want)
		}
	}
}
