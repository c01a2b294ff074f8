package wasm

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

func TestAModuleWhoseInitializeTrapsIsRefused(t *testing.T) {
	module := "\x00asm\x01\x00\x00\x00" +
		"\x01\x0e\x03\x60\x01\x7f\x01\x7f\x60\x00\x00\x60\x01\x7f\x01\x7e" +
		"\x03\x04\x03\x00\x01\x02" +
		"\x05\x03\x01\x00\x01" +
		"\x07\x35\x04\x06memory\x02\x00\x0bmta1_buffer\x00\x00\x0b_initialize\x00\x01\x0cmta1_on_rcpt\x00\x02" +
		"\x0a\x0f\x03\x04\x00\x41\x08\x0b\x03\x00\x00\x0b\x04\x00\x42\x00\x0b"
	path := filepath.Join(t.TempDir(), "trap.wasm")
	if err := os.WriteFile(path, []byte(module), 0o600); err != nil {
		t.Fatal(err)
	}
	const want = "its _initialize failed: it trapped: unreachable"
	m, err := Inspect(t.Context(), path)
	if err != nil || len(m.Faults) != 1 || m.Faults[0] != want {
		t.Errorf("Inspect gives %+v, %v", m, err)
	}
	r, err := New(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := r.Load(t.Context(), runtime.Spec{Name: "trap", Source: "file:" + path}, plugintest.NewHost()); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("Load gives %v", err)
	}
}
