package wasm_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/core/runtime/wasm"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

// Each module in testdata/refused says in its first line why it is not loaded.
func TestEveryFaultIsASentenceThatNamesTheFile(t *testing.T) {
	paths, err := filepath.Glob("testdata/refused/*.wat")
	if err != nil || len(paths) < 30 {
		t.Fatal(len(paths), err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(string(text), "\n")
		want, ok := strings.CutPrefix(first, ";; want: ")
		if !ok {
			t.Errorf("%s does not begin with \";; want: \"", path)
			continue
		}
		module := strings.TrimSuffix(path, ".wat") + ".wasm"
		l, err := theRuntime(t).Load(t.Context(), runtime.Spec{Name: "x", Source: "file:" + module, Limits: runtime.Limits{Fuel: 100_000}}, plugintest.NewHost())
		if err == nil {
			t.Errorf("%s was loaded", module)
			_ = l.Close()
			continue
		}
		for _, part := range []string{want, module, `wasm: plugin "x": `} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: got %v, want %q", module, err, part)
			}
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: more than one line: %v", module, err)
		}
	}
}

func TestTheModulesAreThoseOfTheirSources(t *testing.T) {
	tool, err := exec.LookPath("wat2wasm")
	if err != nil {
		t.Skip("wat2wasm (Debian package wabt) is not installed")
	}
	for _, pattern := range []string{"testdata/*.wat", "testdata/refused/*.wat"} {
		paths, _ := filepath.Glob(pattern)
		for _, path := range paths {
			out := filepath.Join(t.TempDir(), "x.wasm")
			if msg, err := exec.Command(tool, path, "-o", out).CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", path, err, msg)
				continue
			}
			fresh, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			old, err := os.ReadFile(strings.TrimSuffix(path, ".wat") + ".wasm")
			if err != nil || !bytes.Equal(fresh, old) {
				t.Errorf("%s is not what its source says (%v): run wat2wasm", path, err)
			}
		}
	}
}

// file writes a module to be loaded.
func file(t *testing.T, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.wasm")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func noop(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/noop.wasm")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestWhatIsNoModuleIsRefused(t *testing.T) {
	good := noop(t)
	dir := t.TempDir()
	for _, tt := range []struct {
		name string
		spec runtime.Spec
		want string
	}{
		{"no file", runtime.Spec{Source: "file:" + dir + "/none.wasm"}, "no such file"},
		{"a folder", runtime.Spec{Source: "file:" + dir}, "no regular file"},
		{"another scheme", runtime.Spec{Source: "builtin:x"}, `does not begin with "file:"`},
		{"text", runtime.Spec{Source: "file:" + file(t, []byte("#!/bin/sh\n"))}, "it is not a WebAssembly module"},
		{"nothing", runtime.Spec{Source: "file:" + file(t, nil)}, "it is not a WebAssembly module"},
		{"a component", runtime.Spec{Source: "file:" + file(t, []byte("\x00asm\x0d\x00\x01\x00"))}, "it is a component: build a core module"},
		{"a later version", runtime.Spec{Source: "file:" + file(t, []byte("\x00asm\x02\x00\x00\x00"))}, "version 02 00 00 00 is not known"},
		{"half a module", runtime.Spec{Source: "file:" + file(t, good[:len(good)/2])}, "cut off"},
		{"a damaged one", runtime.Spec{Source: "file:" + file(t, damaged(good))}, "x.wasm: "},
		{"another digest", runtime.Spec{Source: "file:testdata/noop.wasm", SHA256: strings.Repeat("0", 64)}, "another file than the one that was meant"},
		{"a hook that it lacks", runtime.Spec{Source: "file:testdata/noop.wasm", Hooks: []string{"mail"}}, `it does not have the hook "mail"; it has: rcpt, data`},
		{"bad configuration", runtime.Spec{Source: "file:testdata/noop.wasm", Config: []byte("{")}, "its configuration"},
	} {
		l, err := theRuntime(t).Load(t.Context(), tt.spec, plugintest.NewHost())
		if err == nil {
			_ = l.Close()
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}

// damaged changes the code of a function to what does not validate.
func damaged(module []byte) []byte {
	b := bytes.Clone(module)
	b[len(b)-2] = 0x6a // i32.add on an empty stack
	return b
}

func TestAFileThatIsTooBigIsRefused(t *testing.T) {
	r, err := wasm.New(t.Context(), wasm.Options{MaxModule: 100})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	_, err = r.Load(t.Context(), runtime.Spec{Name: "x", Source: "file:testdata/noop.wasm"}, plugintest.NewHost())
	if err == nil || !strings.Contains(err.Error(), "testdata/noop.wasm has more than 100 octets") {
		t.Error(err)
	}
}

func TestACacheThatOthersCanWriteToIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := wasm.New(t.Context(), wasm.Options{CacheDir: dir}); err == nil || !strings.Contains(err.Error(), "chmod 700") {
		t.Error(err)
	}
}

// The first start pays for the compiler, the next one does not.
func TestCompiledCodeIsFoundAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	count := func() (n int) {
		_ = filepath.WalkDir(dir, func(_ string, d os.DirEntry, _ error) error {
			if d != nil && !d.IsDir() {
				n++
			}
			return nil
		})
		return n
	}
	for i := range 2 {
		r, err := wasm.New(t.Context(), wasm.Options{CacheDir: dir})
		if err != nil {
			t.Fatal(err)
		}
		before := count()
		l, err := r.Load(t.Context(), runtime.Spec{Name: "x", Source: "file:testdata/noop.wasm"}, plugintest.NewHost())
		if err != nil {
			t.Fatal(err)
		}
		if made := count() - before; (i == 0) != (made > 0) {
			t.Errorf("start %d made %d files", i, made)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	if st, err := os.Stat(dir); err != nil || st.Mode().Perm() != 0o700 {
		t.Error(st.Mode(), err)
	}
}

func TestInspectSaysWhatIsKnownWithoutStarting(t *testing.T) {
	m, err := wasm.Inspect(t.Context(), build(t, root+"/plugins/greylist/guest"))
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Faults) > 0 || !m.Described || m.Description.Name != "greylist" || strings.Join(m.Hooks, " ") != "rcpt" || !slices.Contains(m.Grants, "kv") {
		t.Errorf("%+v", m)
	}
	m, err = wasm.Inspect(t.Context(), "testdata/refused/unknown-hook.wasm")
	if err != nil || len(m.Faults) != 1 || !strings.Contains(m.Faults[0], "receipt") || m.MinMemory != 2<<16 {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err := wasm.Inspect(t.Context(), "refused_test.go"); err == nil || !strings.Contains(err.Error(), "refused_test.go: it is not a WebAssembly module") {
		t.Error(err)
	}
}
