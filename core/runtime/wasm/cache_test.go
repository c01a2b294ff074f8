package wasm_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/core/runtime/wasm"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

// loaded starts a relay's runtime on a cache, and loads a plugin with it.
func loaded(t *testing.T, dir string, before func()) {
	t.Helper()
	r, err := wasm.New(t.Context(), wasm.Options{CacheDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	before()
	l, err := r.Load(t.Context(), runtime.Spec{Name: "x", Source: "file:../../../testdata/wasm/c-noop.wasm"}, plugintest.NewHost())
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

func entries(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "wazero-*", "*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	return files
}

func TestADamagedCacheCostsTimeAndNoPlugin(t *testing.T) {
	for name, damage := range map[string]func(path string, b []byte) error{
		"cut off": func(path string, b []byte) error { return os.Truncate(path, int64(len(b)/2)) },
		"empty":   func(path string, b []byte) error { return os.Truncate(path, 0) },
		"one bit": func(path string, b []byte) error { b[len(b)/2] ^= 1; return os.WriteFile(path, b, 0o600) },
		"garbage": func(path string, b []byte) error { return os.WriteFile(path, make([]byte, len(b)), 0o600) },
		"no file": func(path string, b []byte) error { os.Remove(path); return os.Mkdir(path, 0o700) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			loaded(t, dir, func() {})
			whole := map[string]int64{}
			for _, path := range entries(t, dir) {
				b, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				whole[path] = int64(len(b))
				if err := damage(path, b); err != nil {
					t.Fatal(err)
				}
			}
			loaded(t, dir, func() {})
			for _, path := range entries(t, dir) {
				if st, err := os.Stat(path); err != nil || st.Size() != whole[path] {
					t.Errorf("%s was not made anew: %v, %v", path, st.Size(), err)
				}
			}
		})
	}
}

func TestACacheThatCannotBeWrittenCostsNoPlugin(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	loaded(t, dir, func() { os.RemoveAll(dir) })
	// Nor one that cannot be made.
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	loaded(t, dir, func() {})
}

func TestACacheThatOthersCanWriteToIsRefusedInEveryFolder(t *testing.T) {
	dir := t.TempDir()
	loaded(t, dir, func() {})
	inner := filepath.Dir(entries(t, dir)[0])
	if err := os.Chmod(inner, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := wasm.New(t.Context(), wasm.Options{CacheDir: dir}); err == nil || !strings.Contains(err.Error(), "chmod 700") {
		t.Error(err)
	}
	if err := os.Chmod(inner, 0o700); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() != 0 {
		return // to give a folder away needs root
	}
	if err := os.Chown(inner, 12345, -1); err != nil {
		t.Fatal(err)
	}
	if _, err := wasm.New(t.Context(), wasm.Options{CacheDir: dir}); err == nil || !strings.Contains(err.Error(), "belongs to the user 12345") {
		t.Error(err)
	}
}

func TestANamedPipeIsRefusedAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.wasm")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := theRuntime(t).Load(t.Context(), runtime.Spec{Name: "x", Source: "file:" + path}, plugintest.NewHost())
		done <- err
	}()
	select {
	case err := <-done:
		if err == nil || !strings.Contains(err.Error(), "no regular file") {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("it waits for somebody who writes into the pipe")
	}
}
