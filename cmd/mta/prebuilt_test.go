package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/programmable-mta/mta/core/runtime/wasm"
)

// prebuilt is a row of testdata/wasm/README.md.
type prebuilt struct {
	file, language, source, command string
}

func prebuiltModules(t *testing.T) []prebuilt {
	t.Helper()
	text, err := os.ReadFile(repository + "/testdata/wasm/README.md")
	must(t, err)
	var rows []prebuilt
	for _, m := range regexp.MustCompile("(?m)^\\| ([^|]+\\.wasm) \\| ([^|]+) \\| `([^|`]+)` \\| `([^`]+)`.*\\|$").FindAllStringSubmatch(string(text), -1) {
		rows = append(rows, prebuilt{m[1], m[2], m[3], m[4]})
	}
	if n := strings.Count(string(text), ".wasm | "); n != len(rows) {
		t.Errorf("%d rows of the table of prebuilt modules are \"| NAME.wasm | LANGUAGE | `SOURCE` | `COMMAND` ... |\", of %d", len(rows), n)
	}
	return rows
}

func TestEveryPrebuiltModuleHasARowAndWouldBeLoaded(t *testing.T) {
	var named []string
	for _, m := range prebuiltModules(t) {
		named = append(named, m.file)
		if _, err := os.Stat(filepath.Join(repository, m.source)); err != nil {
			t.Errorf("the source of %s: %v", m.file, err)
		}
		inspected(t, filepath.Join(repository, "testdata/wasm", m.file))
	}
	entries, err := os.ReadDir(repository + "/testdata/wasm")
	must(t, err)
	for _, e := range entries {
		if name := e.Name(); name != "README.md" && name != "spec" && !slices.Contains(named, name) {
			t.Errorf("testdata/wasm/%s has no row in the README.md there that tells how it is made", name)
		}
	}
}

func inspected(t *testing.T, file string) *wasm.Module {
	t.Helper()
	m, err := wasm.Inspect(t.Context(), file)
	must(t, err)
	if len(m.Faults) > 0 {
		t.Errorf("%s would not be loaded: %s", file, strings.Join(m.Faults, "; "))
	}
	return m
}

// toolsFor are the names in [toolsOf] of the languages of the table.
var toolsFor = map[string]string{"Go": "go", "Rust": "rust", "C": "c", "AssemblyScript": "ts", "JavaScript": "js"}

// The commands write where they like: they run in a copy of the repository that
// has no modules, so that what is committed stays as it is, and is not taken for
// what was made.
func TestEveryPrebuiltModuleIsMadeByItsCommand(t *testing.T) {
	if testing.Short() || os.Getenv("CI") != "true" {
		t.Skip("the toolchains of five languages run for two minutes: with CI=true they do")
	}
	root := copyOfTheRepository(t)
	ran := map[string]error{}
	for _, m := range prebuiltModules(t) {
		t.Run(m.file, func(t *testing.T) {
			lang, ok := toolsFor[m.language]
			if !ok {
				t.Fatalf("nobody knows the tools of %s: add it to toolsFor", m.language)
			}
			needTools(t, lang)
			if _, done := ran[m.command]; !done {
				ran[m.command] = runIn(t.Context(), root, m.command)
			}
			if err := ran[m.command]; err != nil {
				t.Fatal(err)
			}
			made, err := os.ReadFile(filepath.Join(root, "testdata/wasm", m.file))
			if err != nil {
				t.Fatalf("%s does not make it: %v", m.command, err)
			}
			file := filepath.Join(repository, "testdata/wasm", m.file)
			kept, err := os.ReadFile(file)
			must(t, err)
			if bytes.Equal(made, kept) {
				return
			}
			// Another version of a compiler makes other code; what the plugin says
			// of itself has to be the same.
			now, was := inspected(t, filepath.Join(root, "testdata/wasm", m.file)), inspected(t, file)
			if !reflect.DeepEqual(now.Description, was.Description) || !slices.Equal(now.Hooks, was.Hooks) || !slices.Equal(now.Imports, was.Imports) {
				t.Errorf("it is not what %s makes of its source: run it\nnow  %+v %q %q\nkept %+v %q %q", m.command,
					now.Description, now.Hooks, now.Imports, was.Description, was.Hooks, was.Imports)
			}
		})
	}
}

// runIn runs a command line in a folder. Without the paths of the folder in what
// it makes, the compiler of Go finds its work of the last time.
func runIn(ctx context.Context, dir, command string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", command)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-trimpath", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", command, err, out)
	}
	return nil
}

// copyOfTheRepository has no modules and no programs; packages of npm are those
// of the repository.
func copyOfTheRepository(t *testing.T) string {
	t.Helper()
	from, err := filepath.Abs(repository)
	must(t, err)
	to := t.TempDir()
	err = filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		dst := filepath.Join(to, rel)
		switch {
		case d.Name() == ".git" || rel == "bin" || rel == "testdata/wasm/spec":
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		case d.Name() == "node_modules":
			if err := os.Symlink(path, dst); err != nil {
				return err
			}
			return filepath.SkipDir
		case d.IsDir():
			return os.MkdirAll(dst, 0o755)
		case d.Type()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(target, dst)
		case rel == "mta" || strings.HasSuffix(rel, ".wasm") || strings.HasSuffix(rel, ".test"):
			return nil
		}
		return copyFile(path, dst)
	})
	must(t, err)
	return to
}

// copyFile keeps the mode: scripts can be run.
func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	st, err := os.Stat(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, st.Mode().Perm())
}
