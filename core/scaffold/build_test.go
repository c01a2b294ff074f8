package scaffold_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/programmable-mta/mta/core/scaffold"
)

// That every hook in every language builds, without warnings, and answers as its
// story says is tested in cmd/mta, where the runtimes are.

func TestTheComplaintsOfACompilerAreKept(t *testing.T) {
	need(t, "c")
	dir, p := begin(t, "c", "rcpt")
	if err := os.WriteFile(dir+"/main.c", []byte("this is not C\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := (&scaffold.Builder{Getenv: os.Getenv}).Build(t.Context(), dir, p)
	var failed *scaffold.Failed
	if !errors.As(err, &failed) || !strings.Contains(failed.Output, "main.c:1") {
		t.Errorf("it gives %v", err)
	}
}

func TestCommandsAreShownBeforeTheyRun(t *testing.T) {
	need(t, "c")
	dir, p := begin(t, "c", "rcpt")
	var commands strings.Builder
	file, err := (&scaffold.Builder{Getenv: os.Getenv, Commands: &commands}).Build(t.Context(), dir, p)
	if err != nil || file != filepath.Join(dir, "first.wasm") || p.SourceIn("x") != "file:x/first.wasm" {
		t.Errorf("Build gives %q, %v", file, err)
	}
	if !strings.HasPrefix(commands.String(), "+ CC=clang") || !strings.Contains(commands.String(), "sh mta/build.sh . first.wasm") {
		t.Errorf("the commands are\n%s", &commands)
	}
}

// No compiler is needed for a script: the engine is what node_modules has.
func TestAScriptIsPackedWithTheEngineOfAFolderAbove(t *testing.T) {
	dir, p := begin(t, "js", "rcpt")
	pkg := filepath.Join(filepath.Dir(dir), "node_modules", "quickjs-wasi")
	if err := os.MkdirAll(pkg, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"package.json": "{}", "quickjs.wasm": "engine"} {
		if err := os.WriteFile(filepath.Join(pkg, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b := &scaffold.Builder{Getenv: os.Getenv, Pack: func(engine, prelude, script []byte) ([]byte, error) {
		if string(engine) != "engine" || len(prelude) < 1000 || !strings.Contains(string(script), "onRcpt") {
			t.Errorf("packed are %q, %d octets and\n%s", engine, len(prelude), script)
		}
		return []byte("module"), nil
	}}
	file, err := b.Build(t.Context(), dir, p)
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(file); string(text) != "module" {
		t.Errorf("%s holds %q", file, text)
	}
}

func TestACrateThatOnlyCargoCanFetchIsNamed(t *testing.T) {
	need(t, "rust")
	dir, p := begin(t, "rust", "rcpt")
	f, err := os.OpenFile(filepath.Join(dir, "Cargo.toml"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString("# ours = 1\nregex = \"1\"\n")
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	_, err = (&scaffold.Builder{Getenv: os.Getenv}).Build(t.Context(), dir, p)
	if err == nil || !strings.Contains(err.Error(), "names the crate regex") || !strings.Contains(err.Error(), "release/first.wasm") {
		t.Errorf("it gives %v", err)
	}
}
